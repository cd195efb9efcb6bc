/*
 * googleCalendarAuth (spec oauth.md): check_token, and with it what every function gets that needs a token (S7 TOKEN);
 * its flow is that of the Google functions under another redirect URI.
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { consent, epoch, seal, tokens, unseal } from '../../support/connections.mjs';
import { ENCRYPTION_KEY } from '../../support/host.mjs';
import { authorization } from '../../support/oauth.mjs';
import { Callback, TIMEOUT, callbacks, exchangeFailures, keepsSecrets } from '../../support/oauth_callbacks.mjs';
import { assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'googleCalendarAuth';
const CALENDAR = 'https://www.googleapis.com/auth/calendar';
const calendar = suite({ functions: [NAME], env: TIMEOUT });
const callback = new Callback(calendar, NAME, {
    service: 'google_workspace', provider: 'google_oauth', wrap: (payload) => ({ action: 'handleCallback', payload }),
});
const { connections } = callback;
const check = (user, more) => calendar.call(NAME, user, { action: 'check_token' }, more);
const NOTHING = { hasToken: false, needsReconnect: false, accountEmail: null, expiresAt: null };

/* A person whose token lives for some seconds. */
async function holder(seconds, { credentials = {}, ...row } = {}) {
    const user = await calendar.agent();
    await connections.add(user, 'google_workspace', {
        credentials: tokens(seconds, { access_token: 'at-SECRET', refresh_token: 'rt-SECRET', ...credentials }),
        settings: { account_email: 'ann@example.com', scopes: ['openid', CALENDAR] }, ...row,
    });
    return user;
}

const renewed = (more = {}) => callback.tokens.order({ status: 200, body: { access_token: 'new-SECRET', expires_in: 3600, token_type: 'Bearer', ...more } });
const soon = (iso, seconds) => Math.abs(Date.parse(iso) / 1000 - epoch() - seconds) < 30;

before(() => [calendar.provider('google_apis'), callback.tokens], options);
refusals(calendar, NAME, {
    body: { action: 'check_token' }, required: ['action'], wrong: { action: ['other', 7, true, [], {}], redirectPath: [7, true, [], {}], payload: ['a', 7, true, []] },
});
callbacks(callback, {
    prefix: 'payload.', begin: { name: NAME, body: { action: 'getAuthUrl' } }, variables: ['GOOGLE_WORKSPACE_CLIENT_ID', 'GOOGLE_WORKSPACE_CLIENT_SECRET'],
});
exchangeFailures(callback);

describe('googleCalendarAuth: the flow', options, () => {
    it('getAuthUrl asks for the calendar alone, and for what was given before', options, async () => {
        const user = await calendar.agent();
        for (const [body, path] of [
            [{}, undefined], [{ redirectPath: '/goals' }, '/goals'], [{ payload: { redirectPath: '/onboarding' } }, '/onboarding'],
        ]) {
            const answer = await calendar.call(NAME, user, { action: 'getAuthUrl', ...body });
            assert.deepEqual(answer.body.scopes, ['openid', 'email', CALENDAR]);
            assert.equal(answer.body.redirectUri, 'https://pulse.pwru.app/auth/callback/google');
            const asked = authorization(answer.body.authUrl);
            assert.deepEqual([asked.scope, asked.include_granted_scopes], [`openid email ${CALENDAR}`, 'true']);
            const [, tail] = asked.state.split('.');
            assert.equal(tail && Buffer.from(tail, 'base64url').toString(), path);
        }
        for (const [body, field] of [[{ redirectPath: '//x' }, 'redirectPath'], [{ payload: { redirectPath: 'x' } }, 'payload.redirectPath']])
            assertRefused(await calendar.call(NAME, user, { action: 'getAuthUrl', ...body }), 400, 'invalid_input', field);
    });

    it('an action that is none says so; a callback names its fields', options, async () => {
        const user = await calendar.agent();
        assert.equal((await calendar.call(NAME, user, { action: 'revoke' })).body.error, 'Action not implemented');
        const finish = (payload) => calendar.call(NAME, user, { action: 'handleCallback', payload });
        assertRefused(await finish(undefined), 400, 'invalid_input', 'payload');
        assertRefused(await finish({ code: 'c' }), 400, 'invalid_input', 'payload.state');
        assertRefused(await finish({ state: 's' }), 400, 'invalid_input', 'payload.code');
        for (const [field, length] of [['code', 4096], ['state', 1024], ['error', 200], ['error_description', 2000]])
            for (const value of [7, true, [], {}, 'a'.repeat(length + 1)])
                assertRefused(await finish({ code: 'c', state: 's', [field]: value }), 400, 'invalid_input', `payload.${field}`);
    });
});

describe('googleCalendarAuth: check_token', options, () => {
    it('4: no row; a row that is not connected', options, async () => {
        assert.deepEqual((await check(await calendar.agent())).body, NOTHING);
        for (const [status, reconnect] of [['pending', false], ['disconnected', false], ['error', true]]) {
            const { body } = await check(await holder(3600, { status }));
            assert.deepEqual([body.hasToken, body.needsReconnect, body.expiresAt], [false, reconnect, null]);
        }
        const user = await calendar.agent();
        await connections.add(user, 'google_workspace');
        assert.deepEqual((await check(user)).body, NOTHING, 'connected, with nothing in it');
    });

    it('a token that lasts is used as it is', options, async () => {
        const { body } = await check(await holder(3600));
        assert.deepEqual([body.hasToken, body.needsReconnect, body.accountEmail], [true, false, 'ann@example.com']);
        assert.ok(soon(body.expiresAt, 3600));
        assert.deepEqual((await check(await holder(0, { credentials: { expires_at: null } }))).body.expiresAt, null);
        assert.equal((await callback.tokens.requests()).length, 0);
    });

    it('five minutes before its end it is renewed, not earlier', options, async () => {
        await check(await holder(310));
        assert.equal((await callback.tokens.requests()).length, 0);
        await renewed();
        await check(await holder(299));
        assert.equal((await callback.tokens.requests()).length, 1);
    });

    it('1: 100 s left: renewed, and kept', options, async () => {
        const user = await holder(100, { credentials: { provider_account_id: '55', scope: `openid ${CALENDAR}` } });
        const before = await connections.row(user, 'google_workspace');
        await renewed();
        const { body } = await check(user);
        assert.equal(body.hasToken, true);
        assert.ok(soon(body.expiresAt, 3600));
        const [sent, ...more] = await callback.tokens.requests();
        assert.equal(more.length, 0);
        assert.deepEqual(Object.fromEntries(new URLSearchParams(sent.body)), {
            grant_type: 'refresh_token', refresh_token: 'rt-SECRET', client_id: 'test-google-workspace-client-id', client_secret: 'test-google-workspace-client-secret',
        });
        const after = await connections.row(user, 'google_workspace');
        assert.deepEqual([after.connection_status, after.last_sync_at, after.settings], ['connected', before.last_sync_at, before.settings]);
        const opened = await connections.opened(user, 'google_workspace');
        assert.deepEqual([opened.access_token, opened.refresh_token, opened.provider_account_id, opened.scope], ['new-SECRET', 'rt-SECRET', '55', `openid ${CALENDAR}`]);
        assert.ok(Math.abs(opened.obtained_at - epoch()) < 30);
    });

    it('a refresh token that comes along replaces the old one', options, async () => {
        const user = await holder(100);
        await renewed({ refresh_token: 'rt-SECRET-2' });
        await check(user);
        assert.equal((await connections.opened(user, 'google_workspace')).refresh_token, 'rt-SECRET-2');
    });

    it('2: refused: the user has to connect again', options, async () => {
        for (const order of [{ status: 400, body: { error: 'invalid_grant' } }, { status: 401, body: 'no' }]) {
            const user = await holder(100);
            await callback.tokens.order(order);
            const { status, body } = await check(user);
            assert.deepEqual([status, body.hasToken, body.needsReconnect, body.expiresAt], [200, false, true, null]);
            const { connection_status, settings } = await connections.row(user, 'google_workspace');
            assert.deepEqual([connection_status, settings.last_error], ['error', 'reconnect_required']);
            assert.ok(settings.last_error_at && settings.account_email, 'the rest of the settings stays');
        }
    });

    const troubles = [
        [{ status: 503, body: {} }, 502, 'provider_error'],
        [{ status: 403, body: {} }, 502, 'provider_error'],
        [{ status: 401, body: { error: 'invalid_client' } }, 502, 'provider_error'],
        [{ status: 400, body: { error: 'unauthorized_client' } }, 502, 'provider_error'],
        [{ status: 200, body: { expires_in: 3600 } }, 502, 'provider_error'],
        [{ status: 200, body: 'nothing' }, 502, 'provider_error'],
        [{ drop: true }, 502, 'provider_error'],
        [{ status: 429, headers: { 'retry-after': '7' }, body: {} }, 429, 'provider_rate_limited'],
        [{ delayMs: 4000 }, 504, 'provider_timeout'],
    ];
    it('3: any other trouble: the token that still works', options, async () => {
        for (const [order] of troubles) {
            const user = await holder(100);
            await callback.tokens.order(order);
            const { body } = await check(user);
            assert.equal(body.hasToken, true, JSON.stringify(order));
            assert.ok(soon(body.expiresAt, 100));
            assert.equal((await connections.row(user, 'google_workspace')).connection_status, 'connected');
        }
    });

    it('and when it has run out, the trouble', options, async () => {
        for (const [order, status, code] of troubles) {
            const user = await holder(-10);
            await callback.tokens.order(order);
            const answer = await check(user);
            assertRefused(answer, status, code);
            if (status === 429) assert.equal(answer.headers.get('retry-after'), '7');
            assert.equal((await connections.row(user, 'google_workspace')).connection_status, 'connected');
        }
        assert.ok(calendar.host.log.some(({ event }) => event === 'oauth_client_refused'), 'our own mistake is told the operator');
    });

    it('nothing to refresh with: used to its end, then over', options, async () => {
        for (const refresh_token of [null, '']) {
            assert.equal((await check(await holder(100, { credentials: { refresh_token } }))).body.hasToken, true);
            const user = await holder(-10, { credentials: { refresh_token } });
            assert.equal((await check(user)).body.needsReconnect, true);
            assert.equal((await connections.row(user, 'google_workspace')).connection_status, 'error');
        }
        assert.equal((await callback.tokens.requests()).length, 0);
    });

    it('without the permission for calendars: reconnect', options, async () => {
        const { body } = await check(await holder(3600, { settings: { scopes: ['openid'], account_email: 'ann@example.com' } }));
        assert.deepEqual([body.hasToken, body.needsReconnect, body.accountEmail], [false, true, 'ann@example.com']);
        assert.equal((await check(await holder(3600, { settings: {} }))).body.hasToken, true, 'scopes unknown');
    });

    it("nobody reads another user's connection", options, async () => {
        await holder(3600);
        assert.deepEqual((await check(await calendar.agent())).body, NOTHING);
    });
});

describe('credentials at rest', options, () => {
    it('legacy rows: read as they are, sealed by the next write', options, async () => {
        for (const expires_at of [epoch() + 3600, new Date(Date.now() + 3600e3).toISOString(), '2099-01-01T00:00:00+02:00', null]) {
            const user = await holder(0, { plain: true, credentials: { expires_at } });
            assert.equal((await check(user)).body.hasToken, true, String(expires_at));
            assert.equal((await connections.row(user, 'google_workspace')).credentials.access_token, 'at-SECRET', 'reading writes nothing');
        }
        for (const expires_at of [epoch() + 60, new Date(Date.now() + 60e3).toISOString(), '2020-01-01 00:00:00']) {
            const user = await holder(0, { plain: true, credentials: { expires_at } });
            await renewed();
            await check(user);
            const { credentials } = await connections.row(user, 'google_workspace');
            assert.equal(unseal(user, 'google_workspace', credentials).access_token, 'new-SECRET', String(expires_at));
        }
    });

    it("what does not open breaks the connection: another row's, changed, of an unknown key, of no shape", options, async () => {
        const [first, second] = [await holder(3600), await holder(3600)];
        const { credentials } = await connections.row(first, 'google_workspace');
        for (const stored of [
            credentials, { ...credentials, kid: 'ffffffff' }, { ...credentials, tag: credentials.iv }, { ...credentials, v: 2 },
            { ...credentials, more: 1 }, { alg: 'A256GCM' }, { alg: 'none', access_token: 'at-SECRET' }, { access_token: 7 },
        ]) {
            await calendar.database.rows(
                `UPDATE external_service_connections SET credentials = $2, connection_status = 'connected' WHERE user_id = $1`, [second, stored]);
            assert.equal((await check(second)).body.needsReconnect, true, JSON.stringify(stored));
            const { connection_status, settings } = await connections.row(second, 'google_workspace');
            assert.deepEqual([connection_status, settings.last_error], ['error', 'credential_unreadable']);
        }
    });

    it('a new key: the previous one still opens, what is written is under the new one', options, async () => {
        const key = Buffer.alloc(32, 9).toString('base64');
        const user = await holder(100);
        const token = await mint(user);
        const env = { ...TIMEOUT, EDGE_ENCRYPTION_KEY: key, EDGE_ENCRYPTION_KEY_PREVIOUS: ENCRYPTION_KEY };
        await withHost({ functions: [NAME], database: calendar.database.url, env }, async (host) => {
            const answer = await post(host, NAME, { token, body: { action: 'check_token' } });
            assert.equal(answer.body.hasToken, true);
        });
        const { credentials } = await connections.row(user, 'google_workspace');
        assert.match(unseal(user, 'google_workspace', credentials, key).access_token, /^sbx\./);
        assert.equal((await check(user)).body.needsReconnect, true, 'a host that has the old key only');
    });

    it('no key at all: 503, and no row changes for it', options, async () => {
        const user = await holder(100);
        const token = await mint(user);
        const before = await connections.row(user, 'google_workspace');
        await withHost({ functions: [NAME], database: calendar.database.url, env: { EDGE_ENCRYPTION_KEY: null } }, async (host) => {
            for (const body of [{ action: 'check_token' }, { action: 'getAuthUrl' }])
                assertRefused(await post(host, NAME, { token, body }), 503, 'encryption_not_configured');
        });
        assert.deepEqual(await connections.row(user, 'google_workspace'), before);
    });
});

describe('through the page, and renewed for real', options, () => {
    it('connect, expire, refresh, revoked behind our back', options, async () => {
        const user = await calendar.agent();
        const { body } = await calendar.call(NAME, user, { action: 'getAuthUrl' });
        const { code, state } = await consent(body.authUrl);
        await callback.tokens.order({ expiresIn: 60 });
        assert.equal((await callback.post(user, { code, state })).status, 200);
        const first = await connections.opened(user, 'google_workspace');
        assert.equal((await check(user)).body.hasToken, true);
        const second = await connections.opened(user, 'google_workspace');
        assert.notEqual(second.access_token, first.access_token);
        assert.equal(second.refresh_token, first.refresh_token, "Google's does not rotate");
        const gone = await fetch(`${calendar.host.url}/sandbox/google_oauth/revoke`, { method: 'POST', body: new URLSearchParams({ token: second.refresh_token }) });
        assert.equal(gone.status, 200);
        await calendar.database.rows('UPDATE external_service_connections SET credentials = $2 WHERE user_id = $1', [
            user, seal(user, 'google_workspace', { ...second, expires_at: epoch() + 10 }),
        ]);
        assert.equal((await check(user)).body.needsReconnect, true);
    });
});

keepsSecrets(callback);
