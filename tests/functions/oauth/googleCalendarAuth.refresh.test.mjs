/*
 * One refresh for all who need it (spec oauth.md S7 TOKEN, README 15): within a worker, across workers, across hosts; and
 * who wins when something else happens to the row meanwhile.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { Connections, seal, tokens } from '../../support/connections.mjs';
import { eventually, startHost } from '../../support/host.mjs';
import { options, suite } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'googleCalendarAuth';
const first = suite({ functions: [NAME, 'disconnectService'], server: { workers: 2 } });
const connections = new Connections(first);
const google = () => first.provider('google_oauth');
let second;

async function holder(seconds) {
    const user = await first.agent();
    await connections.add(user, 'google_workspace', { credentials: tokens(seconds, { access_token: 'at-SECRET', refresh_token: 'rt-SECRET' }) });
    return { user, token: await mint(user) };
}

const check = (host, token) => post(host, NAME, { token, body: { action: 'check_token' } });
const together = (token, count) => Promise.all(Array.from({ length: count }, (_, i) => check(i % 2 ? second : first.host, token)));
const slow = (more) => google().order({ delayMs: 300, status: 200, body: { access_token: 'new-SECRET', refresh_token: 'r2-SECRET', expires_in: 3600, ...more } });

describe('a refresh', options, () => {
    before(async () => {
        google();
        /* Its providers are the first host's stand-ins. */
        const env = { GOOGLE_OAUTH_BASE_URL: `${first.host.url}/sandbox/google_oauth` };
        second = await startHost({ functions: [NAME], database: first.database.url, env });
    }, options);
    after(() => second?.stop(), options);
    beforeEach(() => first.database.rows('DELETE FROM edge.leases'), options);

    it('fifty at once on two hosts: the provider is asked once', options, async () => {
        const { user, token } = await holder(-10);
        await slow();
        const answers = await together(token, 50);
        assert.deepEqual(new Set(answers.map(({ body }) => body.hasToken)), new Set([true]));
        assert.equal(new Set(answers.map(({ body }) => body.expiresAt)).size, 1, 'all got the same token');
        assert.equal((await google().requests()).length, 1);
        assert.equal((await connections.opened(user, 'google_workspace')).access_token, 'new-SECRET');
        await eventually(async () => (await first.database.count('edge.leases')) === 0, 'the lease to be given back');
    });

    it('refused: everybody is told, and the provider was asked once', options, async () => {
        const { token } = await holder(-10);
        await google().order({ delayMs: 300, status: 400, body: { error: 'invalid_grant' } });
        const answers = await together(token, 30);
        assert.deepEqual(new Set(answers.map(({ body }) => body.needsReconnect)), new Set([true]));
        assert.equal((await google().requests()).length, 1);
    });

    it('an outage: everybody is told, and no worker asks more than once', options, async () => {
        const { token } = await holder(-10);
        await google().order({ delayMs: 200, status: 503, body: {}, times: 0 });
        const answers = await together(token, 30);
        assert.deepEqual(new Set(answers.map(({ body }) => body.code)), new Set(['provider_error']));
        assert.ok((await google().requests()).length <= 4, 'two hosts of two workers');
    });

    it('different people do not wait for one another', options, async () => {
        const [one, other] = [await holder(-10), await holder(-10)];
        await google().order({ delayMs: 1500, status: 200, body: { access_token: 'late-SECRET', expires_in: 3600 } });
        const waiting = check(first.host, one.token);
        await google().arrived(1);
        assert.equal((await check(first.host, other.token)).body.hasToken, true);
        assert.equal((await waiting).body.hasToken, true);
    });

    it('a lease whose host has died runs out', options, async () => {
        const { user, token } = await holder(-10);
        await first.database.rows(
            `INSERT INTO edge.leases (name, owner, expires_at) VALUES ($1, 'a dead host', now() + interval '1 second')`, [`oauth-refresh/${user}/google_workspace`]);
        await slow();
        assert.equal((await check(first.host, token)).body.hasToken, true);
        assert.equal((await google().requests()).length, 1);
    });

    it('a disconnect meanwhile wins', options, async () => {
        const { user, token } = await holder(-10);
        await slow();
        const refreshing = check(first.host, token);
        await google().arrived(1);
        assert.equal((await first.call('disconnectService', user, { serviceName: 'google_workspace' })).status, 200);
        assert.deepEqual((await refreshing).body, { hasToken: false, needsReconnect: false, accountEmail: null, expiresAt: null });
        const row = await connections.row(user, 'google_workspace');
        assert.deepEqual([row.connection_status, row.credentials], ['disconnected', {}]);
    });

    it('a new connection meanwhile wins, also over a refusal of the old one', options, async () => {
        for (const order of [{}, { status: 400, body: { error: 'invalid_grant' } }]) {
            const { user, token } = await holder(-10);
            await google().reset();
            await google().order({ delayMs: 300, status: 200, body: { access_token: 'new-SECRET', expires_in: 3600 }, ...order });
            const refreshing = check(first.host, token);
            await google().arrived(1);
            await first.database.rows('UPDATE external_service_connections SET credentials = $2 WHERE user_id = $1', [
                user, seal(user, 'google_workspace', tokens(3600, { access_token: 'other-SECRET' })),
            ]);
            await refreshing;
            const row = await connections.row(user, 'google_workspace');
            assert.equal(row.connection_status, 'connected');
            assert.equal((await connections.opened(user, 'google_workspace')).access_token, 'other-SECRET');
            assert.equal((await check(first.host, token)).body.hasToken, true);
        }
    });

    it('a caller who leaves does not lose the refresh token', options, async () => {
        const { user, token } = await holder(-10);
        await slow();
        const leaving = new AbortController();
        const call = fetch(`${first.host.url}/functions/v1/${NAME}`, {
            method: 'POST', signal: leaving.signal, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: '{"action":"check_token"}',
        });
        await google().arrived(1);
        leaving.abort();
        await call.catch(() => {});
        await eventually(async () => (await connections.opened(user, 'google_workspace')).refresh_token === 'r2-SECRET', 'the new refresh token to be kept');
    });

    it('no secret in either log', options, () => {
        for (const host of [first.host, second]) assert.doesNotMatch(host.text(), /SECRET/);
    });
});
