/*
 * What functions promise that store a key a user brings (spec oauth.md, loftyAuth and S10): registered as tests by the file
 * of each. Keys have SECRET in them, which comes out nowhere.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from './clients.mjs';
import { Connections, epoch } from './connections.mjs';
import { assertRefused, refusals } from './refusals.mjs';
import { options, withHost } from './suite.mjs';
import { mint } from './tokens.mjs';

/*
 * service, provider: as its entry says. body: what connects; fields: the keys in it. accepted: an order that accepts.
 * invalid: [order, message] that make it 422. stored: what the envelope holds beside obtained_at. missing: message of an
 * absent key.
 */
export function keys(suite, name, { service, provider, body, fields, accepted, invalid, stored, missing }) {
    const connections = new Connections(suite);
    const answers = [];
    const call = async (user, more) => {
        const answer = await suite.call(name, user, { ...body, ...more });
        answers.push(answer);
        return answer;
    };
    const stand = () => suite.provider(provider);
    const bad = [7, true, [], {}, 'short-1', 'with blank', 'umlaut-ä-key', 'line\nbreak', 'tab\tinside', 'del\u007fdel-', `${'k'.repeat(4097)}`];

    refusals(suite, name, { body, required: fields, wrong: Object.fromEntries(fields.map((field) => [field, bad])), untouched: ['crm_connections'] });

    describe(`${name}: keys`, options, () => {
        it('an absent key has its own sentence', options, async () => {
            const answer = await call(await suite.agent(), { [fields[0]]: undefined });
            assert.deepEqual([answer.body.error, answer.body.success], [missing, false]);
        });

        it('kept sealed, once, without a trace in the answer', options, async () => {
            const user = await suite.agent();
            await stand().order(accepted);
            const { status, body: said } = await call(user);
            assert.equal(status, 200, JSON.stringify(said));
            const row = await connections.row(user, service);
            assert.deepEqual([row.connection_status, row.last_sync_at], ['connected', null]);
            const { obtained_at, ...values } = await connections.opened(user, service);
            assert.deepEqual(values, stored);
            assert.ok(Math.abs(obtained_at - epoch()) < 30);
        });

        it('white space around it does not count; 8 and 4096 characters do', options, async () => {
            const user = await suite.agent();
            for (const key of ['12345678', 'k'.repeat(4096)]) {
                await stand().order(accepted);
                assert.equal((await call(user, { [fields[0]]: `  ${key}\n` })).status, 200);
                assert.ok(JSON.stringify(await connections.opened(user, service)).includes(`"${key}"`));
            }
            assert.equal(await suite.database.count('crm_connections', 'user_id = $1', [user]), 1);
        });

        it('connecting again keeps what belongs to the syncs', options, async () => {
            const user = await suite.agent();
            const settings = { syncCallLogs: true, skyslope_cursor: 'x', lofty: { a: 1 } };
            await connections.add(user, service, { status: 'disconnected', settings });
            await stand().order(accepted);
            await call(user);
            const { sync_settings, connection_status } = await connections.row(user, service);
            assert.equal(connection_status, 'connected');
            for (const [member, value] of Object.entries(settings)) assert.deepEqual(sync_settings[member], value);
        });

        it('eight at once leave one row', options, async () => {
            const user = await suite.agent();
            await stand().order({ ...accepted, times: 8 });
            const all = await Promise.all(Array.from({ length: 8 }, () => call(user)));
            assert.ok(all.every(({ status }) => status === 200));
            assert.equal(await suite.database.count('crm_connections', 'user_id = $1', [user]), 1);
        });

        it('without a profile: 409', options, async () => {
            await stand().order(accepted);
            assertRefused(await call(`user_nobody_${name}`), 409, 'profile_missing');
        });

        it('without an encryption key: 503 before the provider is asked', options, async () => {
            const token = await mint(await suite.agent());
            await withHost({ functions: [name], database: suite.database.url, env: { EDGE_ENCRYPTION_KEY: null } }, async (host) =>
                assertRefused(await post(host, name, { token, body }), 503, 'encryption_not_configured'));
        });
    });

    describe(`${name}: what the provider does`, options, () => {
        const refused = (title, order, status, code, message) =>
            it(`${title}: ${status} ${code}`, options, async () => {
                const user = await suite.agent();
                await stand().order(order, order);
                const answer = await call(user);
                assertRefused(answer, status, code);
                assert.equal(answer.body.success, false);
                if (message) assert.match(answer.body.error, message);
                if (status === 429) assert.equal(answer.headers.get('retry-after'), '7');
                assert.equal(await connections.row(user, service), undefined);
                await connections.add(user, service, { credentials: { api_key: 'old-SECRET' } });
                const before = await connections.row(user, service);
                assertRefused(await call(user), status, code);
                assert.deepEqual(await connections.row(user, service), before, 'an existing row is left as it is');
            });
        for (const [title, order, message] of invalid) refused(title, order, 422, 'invalid_api_key', message);
        for (const [title, order, status, code] of [
            ['429', { status: 429, headers: { 'retry-after': '7' }, body: {} }, 429, 'provider_rate_limited'],
            ['500', { status: 500, body: { secret: 'SECRET' } }, 502, 'provider_error'],
            ['503', { status: 503, body: 'SECRET' }, 502, 'provider_error'],
            ['404', { status: 404, body: {} }, 502, 'provider_error'],
            ['no JSON', { status: 200, body: 'SECRET' }, 502, 'provider_error'],
            ['a list', { status: 200, body: [] }, 502, 'provider_error'],
            ['nothing of use', { status: 200, body: { other: 'SECRET' } }, 502, 'provider_error'],
            ['half an answer', { status: 200, body: { id: 1, filler: 'x'.repeat(500) }, truncateAfter: 20 }, 502, 'provider_error'],
            ['too late', { delayMs: 4000 }, 504, 'provider_timeout'],
        ])
            refused(title, order, status, code);
        it('a connection that breaks: 502', options, async () => {
            await stand().order({ drop: true, times: 4 });
            assertRefused(await call(await suite.agent()), 502, 'provider_error');
        });
    });

    return {
        connections,
        call,
        /* Last in its file. */
        keepsSecrets: () =>
            it(`${name}: no key in answers, log lines and metrics`, options, async () => {
                const metrics = await (await fetch(`${suite.host.url}/_edge/metrics`)).text();
                for (const text of [metrics, suite.host.text(), JSON.stringify(answers.map((answer) => answer.body))]) assert.doesNotMatch(text, /SECRET/);
            }),
    };
}

/* Disconnecting by the function itself. */
export function forgets(suite, name, { service, connections, message, stored }) {
    describe(`${name}: disconnect`, options, () => {
        const disconnect = (user) => suite.call(name, user, { action: 'disconnect' });
        it('forgets the key and whose it was, and nothing else; twice is fine', options, async () => {
            const user = await suite.agent(), other = await suite.agent();
            for (const person of [user, other])
                await connections.add(person, service, {
                    credentials: stored, settings: { account_name: 'Ann', account_email: 'a@x.io', account_id: '1', syncCallLogs: true },
                });
            for (let i = 0; i < 2; i++) assert.deepEqual((await disconnect(user)).body, { success: true, message });
            const row = await connections.row(user, service);
            assert.deepEqual([row.connection_status, row.credentials, row.sync_settings], ['disconnected', {}, { syncCallLogs: true }]);
            assert.equal((await connections.row(other, service)).connection_status, 'connected');
        });
        it('without a row: fine', options, async () => {
            const user = await suite.agent();
            assert.equal((await disconnect(user)).status, 200);
            assert.equal(await connections.row(user, service), undefined);
        });
        it('no other action', options, async () => {
            for (const action of ['revoke', 7, true, [], {}]) assertRefused(await suite.call(name, await suite.agent(), { action }), 400, 'invalid_input', 'action');
        });
    });
}
