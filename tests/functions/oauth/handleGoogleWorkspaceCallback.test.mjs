/*
 * handleGoogleWorkspaceCallback (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { tokens, epoch } from '../../support/connections.mjs';
import { Callback, TIMEOUT, TOKEN, callbacks, exchangeFailures, keepsSecrets, useless } from '../../support/oauth_callbacks.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'handleGoogleWorkspaceCallback';
const google = suite({ functions: [NAME, 'initiateGoogleWorkspaceOAuth'], env: TIMEOUT });
const callback = new Callback(google, NAME, { service: 'google_workspace', provider: 'google_oauth' });
const apis = 'https://www.googleapis.com/auth/';
const ALL = `openid ${apis}userinfo.email ${apis}calendar ${apis}gmail.send ${apis}gmail.readonly ${apis}drive.file`;
const token = (more = {}) => callback.tokens.order({ status: 200, body: { ...TOKEN, scope: ALL, ...more } });
const person = (body) => google.provider('google_apis').order({ status: 200, body });

before(() => google.provider('google_apis'), options);
callbacks(callback, {
    begin: { name: 'initiateGoogleWorkspaceOAuth' },
    variables: ['GOOGLE_WORKSPACE_CLIENT_ID', 'GOOGLE_WORKSPACE_CLIENT_SECRET'],
});
exchangeFailures(callback);

describe('handleGoogleWorkspaceCallback: examples', options, () => {
    it('1: some permissions unticked', options, async () => {
        const flow = await callback.pending({ slug: 'google-workspace', verifier: 'v'.repeat(86) });
        await callback.tokens.order({
            status: 200,
            body: { access_token: 'ya29.SECRET', refresh_token: '1//SECRET', expires_in: 3599, token_type: 'Bearer',
                scope: `openid ${apis}userinfo.email ${apis}calendar`, id_token: 'id-SECRET' },
        });
        await person({ sub: '10769', email: 'ann@example.com' });
        const { status, body } = await callback.finish(flow);
        assert.equal(status, 200, JSON.stringify(body));
        const missing = ['gmail.send', 'gmail.readonly', 'drive.file'].map((name) => apis + name);
        assert.deepEqual(body, {
            success: true, service: 'google_workspace', accountEmail: 'ann@example.com', accountName: null,
            scopes: ['openid', `${apis}userinfo.email`, `${apis}calendar`], missingScopes: missing, warnings: [], redirectPath: null,
        });
        const [sent] = await callback.tokens.requests();
        assert.equal(sent.headers.accept, 'application/json');
        assert.deepEqual(Object.fromEntries(new URLSearchParams(sent.body)), {
            grant_type: 'authorization_code', code: 'code-SECRET', redirect_uri: 'https://pulse.pwru.app/auth/callback/google-workspace',
            code_verifier: 'v'.repeat(86), client_id: 'test-google-workspace-client-id', client_secret: 'test-google-workspace-client-secret',
        });
        const [asked] = await google.provider('google_apis').requests();
        assert.deepEqual([asked.path, asked.headers.authorization], ['/oauth2/v3/userinfo', 'Bearer ya29.SECRET']);

        const row = await callback.row(flow.user);
        assert.equal(row.connection_status, 'connected');
        assert.ok(Math.abs(row.last_sync_at - Date.now()) < 60000);
        const { connected_at, ...settings } = row.settings;
        assert.ok(Math.abs(Date.parse(connected_at) - Date.now()) < 60000);
        assert.deepEqual(settings, {
            account_id: '10769', account_email: 'ann@example.com', account_name: null, scopes: body.scopes, missing_scopes: missing,
        });
        const opened = await callback.connections.opened(flow.user, 'google_workspace');
        assert.ok(Math.abs(opened.expires_at - epoch() - 3599) < 30);
        assert.ok(Math.abs(opened.obtained_at - epoch()) < 30);
        const { expires_at, obtained_at, ...rest } = opened;
        assert.deepEqual(rest, {
            access_token: 'ya29.SECRET', refresh_token: '1//SECRET', token_type: 'Bearer', refresh_expires_at: null,
            scope: `openid ${apis}userinfo.email ${apis}calendar`, provider_account_id: '10769',
        });
        assert.equal((await callback.connections.states(flow.user)).length, 0);
    });

    it('4: nothing but who one is', options, async () => {
        const flow = await callback.pending({ slug: 'google-workspace' });
        await token({ scope: `openid ${apis}userinfo.email` });
        await callback.assertFailed(flow, await callback.finish(flow), 422, 'insufficient_scope');
    });
});

describe('handleGoogleWorkspaceCallback: the grant', options, () => {
    it('everything granted, no scope reported, expiry as text', options, async () => {
        const flow = await callback.begun({ slug: 'google-workspace' });
        await token({ scope: undefined, expires_in: '1800' });
        const { body } = await callback.finish(flow);
        assert.equal(body.scopes.length, 6);
        assert.deepEqual(body.missingScopes, []);
        assert.ok(Math.abs((await callback.connections.opened(flow.user, 'google_workspace')).expires_at - epoch() - 1800) < 30);
    });

    it('no expiry known', options, async () => {
        const flow = await callback.begun();
        await token({ expires_in: undefined });
        assert.equal((await callback.finish(flow)).status, 200);
        assert.equal((await callback.connections.opened(flow.user, 'google_workspace')).expires_at, null);
    });

    it("a calendar's flow asked for less", options, async () => {
        const flow = await callback.begun({ slug: 'google' });
        await token({ scope: `${apis}calendar openid` });
        assert.deepEqual((await callback.finish(flow)).body.missingScopes, []);
        const [sent] = await callback.tokens.requests();
        assert.equal(new URLSearchParams(sent.body).get('redirect_uri'), 'https://pulse.pwru.app/auth/callback/google');
    });

    it('old settings: known leftovers go, the rest stays', options, async () => {
        const flow = await callback.begun();
        await callback.connections.add(flow.user, 'google_workspace', {
            status: 'error', settings: { oauth_state: 'x', pending: true, last_error: 'e', last_error_at: 'x', missing_scopes: ['y'], theme: 'dark' },
        });
        await token();
        await callback.finish(flow);
        const { settings } = await callback.row(flow.user);
        assert.equal(settings.theme, 'dark');
        assert.deepEqual(settings.missing_scopes, []);
        for (const gone of ['oauth_state', 'pending', 'last_error', 'last_error_at']) assert.ok(!(gone in settings), gone);
    });

    it('a refresh token of the same account is kept, of another or unknown one not', options, async () => {
        for (const [stored, kept] of [['10769', 'rt-SECRET-old'], ['99', null], [null, null]]) {
            const flow = await callback.begun();
            await callback.connections.add(flow.user, 'google_workspace', {
                credentials: tokens(3600, { refresh_token: 'rt-SECRET-old', provider_account_id: stored }),
            });
            await token({ refresh_token: undefined });
            await person({ sub: '10769', email: 'ann@example.com' });
            const { body } = await callback.finish(flow);
            assert.deepEqual(body.warnings, kept ? [] : ['no_refresh_token']);
            assert.equal((await callback.connections.opened(flow.user, 'google_workspace')).refresh_token, kept);
        }
    });

    it("another account's grant is revoked, after the new one is stored", options, async () => {
        const flow = await callback.begun();
        await callback.connections.add(flow.user, 'google_workspace', {
            credentials: tokens(3600, { refresh_token: 'rt-SECRET-other', provider_account_id: '99' }),
        });
        await token();
        await person({ sub: '10769', email: 'ann@example.com' });
        await callback.tokens.order({ status: 500, body: {} });
        assert.equal((await callback.finish(flow)).status, 200, 'best effort');
        const requests = await callback.tokens.requests();
        assert.deepEqual(requests.map(({ path }) => path), ['/token', '/revoke']);
        assert.equal(new URLSearchParams(requests[1].body).get('token'), 'rt-SECRET-other');
        assert.equal((await callback.connections.opened(flow.user, 'google_workspace')).access_token, 'at-SECRET');
    });

    it('an envelope that does not open is replaced', options, async () => {
        const flow = await callback.begun();
        await callback.connections.add(flow.user, 'google_workspace', { status: 'error', credentials: { v: 1, alg: 'A256GCM', kid: 'ffffffff' } });
        await token();
        assert.equal((await callback.finish(flow)).status, 200);
        assert.equal((await callback.connections.opened(flow.user, 'google_workspace')).access_token, 'at-SECRET');
    });
});

describe('handleGoogleWorkspaceCallback: without a profile it is worth having all the same', options, () => {
    for (const [title, order] of [...useless, ['401', { status: 401, body: {} }], ['no sub', { status: 200, body: { email: 'a@x.io' } }]])
        it(title, options, async () => {
            const flow = await callback.begun();
            await token();
            await google.provider('google_apis').order(order);
            const { status, body } = await callback.finish(flow);
            assert.deepEqual([status, body.accountEmail, body.warnings], [200, null, ['profile_unavailable']]);
            assert.equal((await callback.row(flow.user)).settings.account_id, null);
        });
});

keepsSecrets(callback);
