/*
 * What tests of the CRM tools share: connections, the audit trail, and what every failure of a provider becomes
 * (spec crm.md S3 to S6).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SERVICE_KEY, eventually, startHost } from './host.mjs';
import { assertRefused } from './refusals.mjs';
import { options } from './suite.mjs';
import { mint } from './tokens.mjs';

/* Short enough for a test to wait for, long enough for a busy machine. */
export const CALL_MS = 1000;
const LATE_MS = 8000;

export const limits = { CRM_TIMEOUT_MS: String(CALL_MS) };

/* A connection row of a user; returns its id. Credentials as the old system wrote them unless they are sealed. */
export async function connect(suite, user, provider, credentials, { status = 'connected', settings = {} } = {}) {
    const row = await suite.database.row(
        `INSERT INTO crm_connections (user_id, provider, connection_status, credentials, sync_settings)
         VALUES ($1, $2, $3, $4, $5) RETURNING id`,
        [user, provider, status, credentials, settings],
    );
    return row.id;
}

export const connectionOf = (suite, user) =>
    suite.database.row('SELECT * FROM crm_connections WHERE user_id = $1', [user]);

export const actionsOf = (suite, user) =>
    suite.database.rows('SELECT * FROM ai_actions_log WHERE user_id = $1 ORDER BY created_at', [user]);

/* The answer's data of a call that has to succeed. */
export async function done(answer) {
    const { status, body } = await answer;
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.success, true);
    assert.equal(typeof body.data.message, 'string');
    return body.data;
}

function assertToolFailure(answer, status, code) {
    assertRefused(answer, status, code);
    assert.equal(answer.body.success, false);
    assert.equal(typeof answer.body.suggestion, 'string');
    assert.notEqual(answer.body.suggestion, '');
}

/*
 * Registers the tests of a missing, broken or unreadable connection. texts: the provider's error and suggestion;
 * connected: an agent with a usable connection, aliases: names under which its row may stand.
 */
export function connectionRefusals(suite, name, { provider, service, body, credentials, texts, names }) {
    const call = (id, more = body) => suite.call(name, id, more);
    describe(`${name}: connections`, options, () => {
        const stand = suite.provider(provider);
        const untouched = async () => assert.deepEqual(await stand.requests(), []);

        it('none, disconnected, pending: not connected', options, async () => {
            for (const status of [null, 'disconnected', 'pending']) {
                const id = await suite.agent();
                if (status) await connect(suite, id, service, credentials, { status });
                const answer = await call(id);
                assertToolFailure(answer, 409, 'not_connected');
                assert.equal(answer.body.error, texts.error);
                assert.equal(answer.body.suggestion, texts.suggestion);
                assert.equal((await actionsOf(suite, id)).length, 0);
            }
            await untouched();
        });

        it('error, unreadable, without its keys: to be connected again', options, async () => {
            const envelope = { v: 1, alg: 'A256GCM', kid: '00000000', iv: 'AAAAAAAAAAAAAAAA', ct: 'AA==', tag: 'AAAAAAAAAAAAAAAAAAAAAA==' };
            const lacking = Object.fromEntries(Object.entries(credentials).map(([key]) => [key, '']));
            for (const [stored, status] of [[credentials, 'error'], [envelope, 'connected'], [lacking, 'connected'], [{}, 'connected']]) {
                const id = await suite.agent();
                await connect(suite, id, service, stored, { status });
                const answer = await call(id);
                assertToolFailure(answer, 409, 'reconnect_required');
                assert.equal(answer.body.suggestion, texts.suggestion);
                assert.equal((await connectionOf(suite, id)).connection_status, 'error', JSON.stringify(stored));
            }
            await untouched();
        });

        it("somebody else's connection is nobody's", options, async () => {
            await connect(suite, await suite.agent(), service, credentials);
            assertToolFailure(await call(await suite.agent()), 409, 'not_connected');
            await untouched();
        });

        it('a row in clear is used, under any of its names, and sealed afterwards', options, async () => {
            for (const stored of names) {
                const id = await suite.agent();
                await connect(suite, id, stored, credentials);
                await done(call(id));
                const row = await connectionOf(suite, id);
                assert.equal(row.credentials.alg, 'A256GCM');
                assert.deepEqual(Object.keys(row.credentials).sort(), ['alg', 'ct', 'iv', 'kid', 'tag', 'v']);
                assert.equal(row.connection_status, 'connected');
                await done(call(id));
            }
        });

        it('a sealed row without a key on this host: 503, and the row is left alone', options, async () => {
            const id = await suite.agent();
            await connect(suite, id, service, credentials);
            await done(call(id));
            const before = await connectionOf(suite, id);
            const host = await startHost({ functions: suite.functions, database: suite.database.url, env: { ...limits, EDGE_ENCRYPTION_KEY: null } });
            try {
                assertToolFailure(await suite.call(name, id, body, { host }), 503, 'encryption_not_configured');
                assert.deepEqual(await connectionOf(suite, id), before);
                const plain = await suite.agent();
                await connect(suite, plain, service, credentials);
                await suite.call(name, plain, body, { host });
                assert.deepEqual((await connectionOf(suite, plain)).credentials, credentials, 'in clear it stays without a key');
            } finally {
                await host.stop();
            }
        });

        it('the service key: the user it names, who has to exist', options, async () => {
            const id = await suite.agent();
            await connect(suite, id, service, credentials);
            await done(suite.call(name, id, { ...body, userId: id }, { token: SERVICE_KEY }));
            assertToolFailure(await suite.call(name, id, { ...body, userId: 'user_nobody' }, { token: SERVICE_KEY }), 404, 'user_not_found');
        });
    });
}

/*
 * Registers the tests of a provider's failures. agent: makes a connected user. before: orders for the calls that come
 * before the failing one (a login). notFound: what a 404 becomes. secret: what no answer may contain.
 */
export function providerFailures(suite, name, { provider, body, prefix, agent, before = [], notFound, audited = true, secret, repeats = 1 }) {
    const stand = suite.provider(provider);

    async function failing(order, status, code, words) {
        const id = await agent();
        await stand.order(...before, ...Array(repeats).fill(order));
        const answer = await suite.call(name, id, body);
        assertToolFailure(answer, status, code);
        assert.ok(answer.body.error.startsWith(`${prefix}: `), answer.body.error);
        if (words) assert.equal(answer.body.error, `${prefix}: ${words}`);
        assert.doesNotMatch(JSON.stringify(answer.body), new RegExp(secret));
        const actions = await actionsOf(suite, id);
        assert.equal(actions.length, audited ? 1 : 0);
        if (audited) {
            assert.equal(actions[0].status, 'failed');
            assert.equal(actions[0].error_message, `${code}: ${answer.body.error}`);
            assert.equal('result' in actions[0].action_data, false);
        }
        await stand.reset();
        return { id, answer };
    }

    describe(`${name}: what ${provider} refuses or fails at`, options, () => {
        it('a refused key breaks the connection', options, async () => {
            const { id, answer } = await failing({ status: 401, body: { message: 'No such key' } }, 409, 'reconnect_required', 'No such key');
            assert.match(answer.body.suggestion, /Settings > Integrations/);
            assert.equal((await connectionOf(suite, id)).connection_status, 'error');
        });

        it('requests that it rejects', options, async () => {
            for (const status of [400, 403, 409, 415, 422]) {
                const { id } = await failing({ status, body: { errorMessage: 'Not so' } }, 422, 'provider_rejected', 'Not so');
                assert.equal((await connectionOf(suite, id)).connection_status, 'connected');
            }
            const [status, code] = notFound ?? [422, 'provider_rejected'];
            await failing({ status: 404, body: { message: 'Gone', error: 'other' } }, status, code);
        });

        it('its words: a JSON string, error, title, none; control characters and length', options, async () => {
            const words = async (answer, expected) => failing({ status: 422, body: answer }, 422, 'provider_rejected', expected);
            await words(JSON.stringify('A bare string'), 'A bare string');
            await words({ error: 'From error', title: 'other' }, 'From error');
            await words({ title: 'From title' }, 'From title');
            await words({ detail: 'unread' }, 'HTTP 422');
            await words('<html>no JSON</html>', 'HTTP 422');
            await words({ message: 'a\u0007b\nc' }, 'abc');
            await words({ message: 'ü'.repeat(400) }, 'ü'.repeat(300));
            await words({ message: `key ${secret} is wrong` }, 'HTTP 422');
        });

        it('too many requests: relayed, waited for only when it is short', options, async () => {
            const none = await failing({ status: 429, body: {} }, 429, 'provider_rate_limited');
            assert.equal('retryAfter' in none.answer.body, false);
            const long = await failing({ status: 429, headers: { 'retry-after': '6' }, body: {} }, 429, 'provider_rate_limited');
            assert.equal(long.answer.body.retryAfter, 6);
            assert.equal(long.answer.headers.get('retry-after'), '6');
            const id = await agent();
            await stand.order(...before, { status: 429, headers: { 'retry-after': '1' }, body: {} });
            await done(suite.call(name, id, body));
        });

        it('errors of its own', options, async () => {
            await failing({ status: 500, body: { message: 'Oops' } }, 502, 'provider_error', 'Oops');
            await failing({ status: 503, body: 'down' }, 502, 'provider_error', 'HTTP 503');
            await done(suite.call(name, await agent(), body));
        });

        it('connections that break, answers that come late', options, async () => {
            const { id } = await failing({ drop: true, times: 3 }, 502, 'provider_unreachable');
            assert.equal((await connectionOf(suite, id)).connection_status, 'connected');
            await failing({ truncateAfter: 3, times: 3 }, 502, 'provider_unreachable');
            await failing({ delayMs: LATE_MS }, 504, 'provider_timeout');
            await done(suite.call(name, await agent(), body));
        });

        it('answers that are none', options, async () => {
            for (const answer of ['<html>', '{"cut":', {}, [], 'null', JSON.stringify('text')])
                await failing({ status: 200, body: answer }, 502, 'provider_bad_response');
            await failing({ status: 200, body: {}, padTo: 5 << 20 }, 502, 'provider_bad_response');
        });
    });
}

/*
 * Registers the tests of the audit trail and its idempotency keys. changed: another valid body. writes: how many of the
 * requests that came to the provider were writes.
 */
export function auditTrail(suite, name, { provider, body, changed, agent, action, writes, logged = body }) {
    const stand = suite.provider(provider);
    const call = (id, more = {}, others = {}) => suite.call(name, id, { ...body, ...more }, others);

    describe(`${name}: audit trail`, options, () => {
        it('one row a call, without its key in it', options, async () => {
            const id = await agent();
            const data = await done(call(id, { surplus: 1 }));
            const [row, ...others] = await actionsOf(suite, id);
            assert.equal(others.length, 0);
            assert.deepEqual([row.action_type, row.status, row.error_message], [action, 'success', null]);
            assert.deepEqual(row.action_data.result, data);
            for (const [key, value] of Object.entries(logged)) assert.deepEqual(row.action_data.request[key], value, key);
            assert.equal('surplus' in row.action_data.request, false);
            assert.match(row.action_data.request_hash, /^[0-9a-f]{64}$/);
            assert.equal('idempotency_key' in row.action_data, false);
            await done(call(id));
            assert.equal((await actionsOf(suite, id)).length, 2, 'without a key a repetition is another action');
        });

        it('a key: done once, answered again, and refused for another request', options, async () => {
            const id = await agent(), other = await agent();
            const first = await done(call(id, { idempotencyKey: 'k-1' }));
            const after = await writes(await stand.requests());
            const again = await done(call(id, {}, { headers: { 'idempotency-key': 'k-1' } }));
            assert.deepEqual(again, { ...first, replayed: true });
            const conflict = await call(id, { ...changed, idempotencyKey: 'k-1' });
            assertToolFailure(conflict, 409, 'idempotency_conflict');
            assert.equal(await writes(await stand.requests()), after, 'nothing more was written');
            assert.equal((await actionsOf(suite, id)).length, 1);
            await done(call(other, { idempotencyKey: 'k-1' }));
            assertRefused(await call(id, { idempotencyKey: 'a/b' }), 400, 'invalid_input', 'idempotencyKey');
        });

        it('a key that is running, that failed, that is a day old, that has no hash', options, async () => {
            const id = await agent();
            const keyed = (key) => call(id, { idempotencyKey: key });
            const put = (key, status, age, data = {}) => suite.database.rows(
                `INSERT INTO ai_actions_log (user_id, action_type, action_data, status, executed_at)
                 VALUES ($1, $2, $3, $4, now() - $5::interval)`,
                [id, action, { idempotency_key: key, ...data }, status, age]);
            await put('running', 'pending', '1 minute');
            assertToolFailure(await keyed('running'), 409, 'in_progress');
            await put('stuck', 'pending', '3 minutes');
            await done(keyed('stuck'));
            await put('failed', 'failed', '1 second');
            const result = { ...(await done(keyed('failed'))), message: 'Before' };
            await put('old', 'success', '25 hours', { result });
            assert.equal('replayed' in (await done(keyed('old'))), false);
            await put('bare', 'success', '23 hours', { result });
            assert.deepEqual(await done(keyed('bare')), { ...result, replayed: true });
        });

        it('a key, six calls at once: one write', options, async () => {
            const id = await agent();
            const before = await writes(await stand.requests());
            const answers = await Promise.all(Array.from({ length: 6 }, () => call(id, { idempotencyKey: 'race' })));
            for (const { status, body: said } of answers) assert.ok(status === 200 || said.code === 'in_progress', JSON.stringify(said));
            assert.ok(answers.some(({ status }) => status === 200));
            assert.equal((await writes(await stand.requests())) - before, 1);
            assert.equal((await actionsOf(suite, id)).length, 1);
        });

        it('a client that leaves: the write is finished and found by the next try', options, async () => {
            const id = await agent();
            await done(call(id)); /* whatever is looked up once is kept */
            const before = await writes(await stand.requests());
            await stand.order({ delayMs: 300 });
            const leaving = new AbortController();
            const gone = fetch(`${suite.host.url}/functions/v1/${name}`, {
                method: 'POST', signal: leaving.signal,
                headers: { 'content-type': 'application/json', authorization: `Bearer ${await mint(id)}` },
                body: JSON.stringify({ ...body, idempotencyKey: 'left' }),
            });
            await eventually(async () => (await suite.database.count('ai_actions_log', `user_id = $1 AND status = 'pending'`, [id])) === 1, 'the pending row');
            leaving.abort();
            await assert.rejects(gone);
            await eventually(async () => (await suite.database.count('ai_actions_log', `user_id = $1 AND status = 'success'`, [id])) === 2, 'the row to be closed');
            assert.equal((await done(call(id, { idempotencyKey: 'left' }))).replayed, true);
            assert.equal((await writes(await stand.requests())) - before, 1);
        });
    });
}
