/*
 * microsoftOAuthCallback (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { tokens } from '../../support/connections.mjs';
import { Callback, TIMEOUT, TOKEN, callbacks, exchangeFailures, keepsSecrets, useless } from '../../support/oauth_callbacks.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'microsoftOAuthCallback';
const microsoft = suite({ functions: [NAME, 'initiateMicrosoftOAuth'], env: TIMEOUT });
const callback = new Callback(microsoft, NAME, { service: 'microsoft_365', provider: 'microsoft_login' });
const SCOPES = 'offline_access User.Read Mail.Send Mail.ReadWrite Calendars.ReadWrite';
const token = (scope = SCOPES, more = {}) => callback.tokens.order({ status: 200, body: { ...TOKEN, scope, ...more } });
const person = (body) => microsoft.provider('microsoft_graph').order({ status: 200, body });

before(() => microsoft.provider('microsoft_graph'), options);
callbacks(callback, { begin: { name: 'initiateMicrosoftOAuth' }, variables: ['MICROSOFT_CLIENT_ID', 'MICROSOFT_CLIENT_SECRET'] });
exchangeFailures(callback);

describe('microsoftOAuthCallback: examples', options, () => {
    it('1: the address is the user principal name when there is no mailbox', options, async () => {
        const flow = await callback.pending({ slug: 'microsoft', verifier: 'v'.repeat(86) });
        await callback.tokens.order({
            status: 200,
            body: { access_token: 'EwB-SECRET', refresh_token: 'M.R3-SECRET', expires_in: 3600, scope: 'Mail.Send Mail.ReadWrite Calendars.ReadWrite User.Read' },
        });
        await person({ id: 'm1', displayName: 'Ann Lee', mail: null, userPrincipalName: 'ann@contoso.com' });
        const { status, body } = await callback.finish(flow);
        assert.deepEqual([status, body.accountEmail, body.accountName, body.missingScopes, body.warnings], [200, 'ann@contoso.com', 'Ann Lee', [], []]);
        const [sent] = await callback.tokens.requests();
        assert.equal(sent.path, '/common/oauth2/v2.0/token');
        assert.deepEqual(Object.fromEntries(new URLSearchParams(sent.body)), {
            grant_type: 'authorization_code', code: 'code-SECRET', redirect_uri: 'https://pulse.pwru.app/auth/callback/microsoft',
            code_verifier: 'v'.repeat(86), client_id: 'test-microsoft-client-id', client_secret: 'test-microsoft-client-secret', scope: SCOPES,
        });
        const [asked] = await microsoft.provider('microsoft_graph').requests();
        assert.deepEqual([asked.path, asked.headers.authorization], ['/v1.0/me', 'Bearer EwB-SECRET']);
        const { settings } = await callback.row(flow.user);
        assert.deepEqual([settings.account_id, settings.account_email, settings.account_name], ['m1', 'ann@contoso.com', 'Ann Lee']);
        assert.equal((await callback.connections.opened(flow.user, 'microsoft_365')).provider_account_id, 'm1');
    });

    for (const [title, order] of [...useless, ['401', { status: 401, body: {} }]])
        it(`2: Graph: ${title}: connected all the same`, options, async () => {
            const flow = await callback.begun();
            await token();
            await microsoft.provider('microsoft_graph').order(order);
            const { status, body } = await callback.finish(flow);
            assert.deepEqual([status, body.accountEmail, body.warnings], [200, null, ['profile_unavailable']]);
        });
});

describe('microsoftOAuthCallback: the grant', options, () => {
    it('scopes by their long names, in any case', options, async () => {
        const flow = await callback.begun();
        await token('https://graph.microsoft.com/user.read HTTPS://graph.microsoft.com/Mail.Send mail.readwrite');
        assert.deepEqual((await callback.finish(flow)).body.missingScopes, ['Calendars.ReadWrite']);
    });

    it('none of them: 422', options, async () => {
        const flow = await callback.pending();
        await token('openid profile offline_access');
        await callback.assertFailed(flow, await callback.finish(flow), 422, 'insufficient_scope');
    });

    it('without a refresh token there is a warning', options, async () => {
        const flow = await callback.begun();
        await token(SCOPES, { refresh_token: undefined });
        assert.deepEqual((await callback.finish(flow)).body.warnings, ['no_refresh_token']);
    });

    it("another account's grant cannot be revoked: no call", options, async () => {
        const flow = await callback.begun();
        await callback.connections.add(flow.user, 'microsoft_365', { credentials: tokens(3600, { provider_account_id: 'other' }) });
        await token();
        assert.equal((await callback.finish(flow)).status, 200);
        assert.equal((await callback.tokens.requests()).length, 1);
    });
});

keepsSecrets(callback);
