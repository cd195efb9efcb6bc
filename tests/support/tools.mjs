/*
 * What the tests of tools share (spec workspace.md 0): connected users, the log of actions, idempotency keys. How
 * providers fail is tool_failures.mjs.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SERVICE_KEY } from './host.mjs';
import { assertRefused } from './refusals.mjs';
import { options, suite, withHost } from './suite.mjs';

/* What an impatient host gives its providers. */
const TIMEOUT = '500ms';

const LABELS = {
    google_workspace: 'Google Workspace',
    microsoft_365: 'Microsoft 365',
    facebook: 'Facebook',
    instagram: 'Instagram',
    linkedin: 'LinkedIn',
};

/*
 * A suite (suite.mjs) for tools at one service. Beside suite's members: connect(), connected(), run(), actions(),
 * connection(), impatient().
 */
export function toolSuite(functions, service, hostOptions = {}) {
    const tools = suite({
        functions,
        server: { workers: 1 }, /* one circuit breaker, which a call that goes well closes */
        ...hostOptions,
    });
    return Object.assign(tools, {
        service,
        label: LABELS[service],
        /* Gives a user a connection; credentials as they were stored before there was encryption; null: none. */
        connect: (id, { settings = {}, credentials = {}, status = 'connected', name = service } = {}) =>
            tools.database.rows(
                `INSERT INTO external_service_connections (user_id, service_name, connection_status, credentials, settings)
                 VALUES ($1, $2, $3, $4, $5)`,
                [id, name, status, credentials ? { access_token: `token-of-${id}`, ...credentials } : {}, settings],
            ),
        /* A new person with a connection; its id. */
        async connected(connection) {
            const id = await tools.agent();
            await tools.connect(id, connection);
            return id;
        },
        /* Calls the first of the functions as a user. */
        run: (id, body, more = {}) => tools.call(functions[0], id, body, more),
        /* A host beside the file's own that soon gives a provider up. */
        impatient: (provider, work) =>
            withHost(
                {
                    functions,
                    database: tools.database.url,
                    ...hostOptions,
                    server: { workers: 1 },
                    providers: { [provider]: { timeout: TIMEOUT } },
                },
                work,
            ),
        actions: (id) =>
            tools.database.rows('SELECT * FROM ai_actions_log WHERE user_id = $1 ORDER BY executed_at, id', [id]),
        connection: (id, name = service) =>
            tools.database.row(
                `SELECT connection_status AS status, settings FROM external_service_connections
                 WHERE user_id = $1 AND service_name = $2`,
                [id, name],
            ),
    });
}

/* A tool's failure: the envelope with success and suggestion. */
export function assertFailed(answer, status, code, field) {
    assertRefused(answer, status, code, field);
    assert.equal(answer.body.success, false);
    assert.equal(typeof answer.body.suggestion, 'string');
    assert.notEqual(answer.body.suggestion, '');
}

/* Registers the tests of what a tool says about connections that it cannot use. */
export function connectionRefusals(tools, body) {
    const name = tools.functions[0];
    describe(`${name}: connections`, options, () => {
        for (const [title, connect, code, verb] of [
            ['none', null, 'not_connected', 'Connect'],
            ['disconnected', { status: 'disconnected' }, 'not_connected', 'Connect'],
            ['begun', { status: 'pending' }, 'not_connected', 'Connect'],
            ['broken', { status: 'error' }, 'reconnect_required', 'Reconnect'],
            ['empty', { credentials: null }, 'not_connected', 'Connect'],
        ])
            it(title, options, async () => {
                const id = await tools.agent();
                if (connect) await tools.connect(id, connect);
                const answer = await tools.run(id, body);
                assertFailed(answer, 409, code);
                assert.match(answer.body.suggestion, new RegExp(`${verb} ${tools.label} in Settings > Integrations`));
                if (code === 'not_connected') assert.equal(answer.body.error, `${tools.label} is not connected`);
                assert.equal((await tools.actions(id)).length, 0);
            });

        it("somebody else's connection does not count", options, async () => {
            await tools.connected();
            assertFailed(await tools.run(await tools.agent(), body), 409, 'not_connected');
        });

        it('the service acts for whom it names', options, async () => {
            const id = await tools.connected();
            const as = { token: SERVICE_KEY };
            assertFailed(await tools.run(id, body, as), 400, 'invalid_input', 'userId');
            assert.equal((await tools.run(id, { ...body, userId: id }, as)).status, 200);
            assertFailed(await tools.run(id, { ...body, userId: 'user_nobody' }, as), 409, 'not_connected');
            assert.equal((await tools.run(id, { ...body, userId: id })).status, 200);
        });

        it('an expired token that cannot be refreshed', options, async () => {
            const id = await tools.connected({ credentials: { expires_at: 1000 } });
            /* Meta's own token is what is exchanged for another one. */
            await tools.provider('meta_graph').order({ status: 400, body: { error: { code: 190, message: 'Expired' } } });
            assertFailed(await tools.run(id, body), 409, 'reconnect_required');
            assert.equal((await tools.connection(id)).status, 'error');
        });
    });
}

/* Registers the tests of a tool that logs what it does: idempotency keys. again: a body that is another request. */
export function idempotency(tools, provider, { body, again, type, path }) {
    const name = tools.functions[0];
    const calls = async () =>
        (await tools.provider(provider).requests()).filter((request) => !path || path.test(request.path)).length;

    /* What the provider itself remembers of a key. */
    const forget = () => tools.provider(provider).reset();

    describe(`${name}: idempotency`, options, () => {
        it('a repeated request is answered from the log', options, async () => {
            const id = await tools.connected();
            const first = await tools.run(id, { ...body, idempotencyKey: 'key-1' });
            assert.equal(first.status, 200, JSON.stringify(first.body));
            const made = await calls();
            for (const more of [{ body: { ...body, idempotencyKey: 'key-1' } }, { body, headers: { 'idempotency-key': 'key-1' } }]) {
                const second = await tools.run(id, more.body, { headers: more.headers });
                assert.equal(second.status, 200);
                assert.deepEqual(second.body, { success: true, data: { ...first.body.data, replayed: true } });
            }
            assert.equal(await calls(), made);
            const [row, ...others] = await tools.actions(id);
            assert.equal(others.length, 0);
            assert.equal(row.action_type, type);
            assert.equal(row.action_data.idempotency_key, 'key-1');
            assert.match(row.action_data.request_hash, /^[0-9a-f]{64}$/);
            assert.deepEqual(row.action_data.result, first.body.data);
        });

        it('the key of another request, of another user, of yesterday', options, async () => {
            const id = await tools.connected(), other = await tools.connected();
            const keyed = { ...body, idempotencyKey: 'key-2' };
            assert.equal((await tools.run(id, keyed)).status, 200);
            assertFailed(await tools.run(id, { ...again, idempotencyKey: 'key-2' }), 409, 'idempotency_conflict');
            assert.equal((await tools.run(other, keyed)).body.data.replayed, undefined);
            await tools.database.rows(
                `UPDATE ai_actions_log SET executed_at = now() - interval '25 hours' WHERE user_id = $1`, [id]);
            await forget();
            assert.equal((await tools.run(id, { ...again, idempotencyKey: 'key-2' })).body.data.replayed, undefined);
            assert.equal((await tools.actions(id)).length, 2);
        });

        it('a request under way, one that was left, one that failed, one of the old system', options, async () => {
            const id = await tools.connected();
            const keyed = { ...body, idempotencyKey: 'key-3' };
            const earlier = (status, age, more = {}) =>
                tools.database.rows(
                    `INSERT INTO ai_actions_log (user_id, action_type, action_data, status, executed_at)
                     VALUES ($1, $2, $3, $4, now() - $5::interval)`,
                    [id, type, { idempotency_key: 'key-3', ...more }, status, age]);
            await earlier('pending', '110 seconds');
            assertFailed(await tools.run(id, keyed), 409, 'in_progress');
            await tools.database.rows('DELETE FROM ai_actions_log WHERE user_id = $1', [id]);
            await forget();
            await earlier('success', '1 hour', { result: { old: true }, request_hash: 'x' });
            await earlier('pending', '121 seconds');
            assert.equal((await tools.run(id, keyed)).body.data.replayed, undefined);
            await tools.database.rows('DELETE FROM ai_actions_log WHERE user_id = $1', [id]);
            await forget();
            await earlier('failed', '1 second');
            const { data } = (await tools.run(id, keyed)).body;
            assert.equal(data.replayed, undefined);
            await tools.database.rows('DELETE FROM ai_actions_log WHERE user_id = $1', [id]);
            await forget();
            const result = { ...data, message: 'Before' };
            await earlier('success', '1 hour', { result });
            assert.deepEqual((await tools.run(id, keyed)).body, { success: true, data: { ...result, replayed: true } });
        });

        it('twice at the same time: once at the provider', options, async () => {
            const id = await tools.connected();
            const answers = await Promise.all([1, 2, 3].map(() => tools.run(id, { ...body, idempotencyKey: 'key-4' })));
            for (const answer of answers) assert.ok(answer.status === 200 || answer.body.code === 'in_progress', JSON.stringify(answer.body));
            assert.equal(answers.filter(({ body }) => body.success && !body.data.replayed).length, 1);
            assert.equal((await tools.actions(id)).length, 1);
        });

        it('keys that are none', options, async () => {
            const id = await tools.connected();
            for (const idempotencyKey of ['a b', 'a/b', 'x'.repeat(129), 7, 'é'])
                assertFailed(await tools.run(id, { ...body, idempotencyKey }), 400, 'invalid_input', 'idempotencyKey');
            assertFailed(await tools.run(id, { ...body, idempotencyKey: 'a' }, { headers: { 'idempotency-key': 'b' } }), 400, 'invalid_input', 'idempotencyKey');
            assert.equal((await tools.run(id, { ...body, idempotencyKey: 'x'.repeat(128) })).status, 200);
        });

        it('without a key every request counts', options, async () => {
            const id = await tools.connected();
            await tools.run(id, body);
            await tools.run(id, body);
            assert.deepEqual((await tools.actions(id)).map((row) => row.status), ['success', 'success']);
        });
    });
}
