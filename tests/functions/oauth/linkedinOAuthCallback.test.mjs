/*
 * linkedinOAuthCallback (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { epoch, tokens } from '../../support/connections.mjs';
import { Callback, TIMEOUT, TOKEN, callbacks, exchangeFailures, keepsSecrets, useless } from '../../support/oauth_callbacks.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'linkedinOAuthCallback';
const linkedin = suite({ functions: [NAME, 'initiateLinkedInOAuth'], env: TIMEOUT });
const callback = new Callback(linkedin, NAME, { service: 'linkedin', provider: 'linkedin_oauth' });
const token = (more = {}) =>
    callback.tokens.order({ status: 200, body: { ...TOKEN, refresh_token: undefined, scope: 'email,openid,profile,w_member_social', ...more } });
const person = (body) => linkedin.provider('linkedin_api').order({ status: 200, body });

before(() => linkedin.provider('linkedin_api'), options);
callbacks(callback, { begin: { name: 'initiateLinkedInOAuth' }, variables: ['LINKEDIN_CLIENT_ID', 'LINKEDIN_CLIENT_SECRET'] });
exchangeFailures(callback);

describe('linkedinOAuthCallback: examples', options, () => {
    it('1: the member id becomes the author of posts', options, async () => {
        const flow = await callback.pending();
        await callback.tokens.order({
            status: 200, body: { access_token: 'AQX-SECRET', expires_in: 5183999, scope: 'email,openid,profile,w_member_social' },
        });
        await person({ sub: '782bbtaQ', name: 'Ann Lee', email: 'ann@example.com' });
        const { status, body } = await callback.finish(flow);
        assert.equal(status, 200);
        assert.deepEqual(body, {
            success: true, service: 'linkedin', accountEmail: 'ann@example.com', accountName: 'Ann Lee',
            scopes: ['email', 'openid', 'profile', 'w_member_social'], missingScopes: [], warnings: [], redirectPath: null,
        });
        const [sent] = await callback.tokens.requests();
        assert.deepEqual(Object.fromEntries(new URLSearchParams(sent.body)), {
            grant_type: 'authorization_code', code: 'code-SECRET', redirect_uri: 'https://pulse.pwru.app/auth/callback/linkedin',
            client_id: 'test-linkedin-client-id', client_secret: 'test-linkedin-client-secret',
        });
        const { settings } = await callback.row(flow.user);
        assert.deepEqual([settings.person_urn, settings.account_id], ['urn:li:person:782bbtaQ', '782bbtaQ']);
    });

    it('a partner gets a refresh token, with its end', options, async () => {
        const flow = await callback.begun();
        await token({ refresh_token: 'rt-SECRET', refresh_token_expires_in: 31536000 });
        await callback.finish(flow);
        const opened = await callback.connections.opened(flow.user, 'linkedin');
        assert.equal(opened.refresh_token, 'rt-SECRET');
        assert.ok(Math.abs(opened.refresh_expires_at - epoch() - 31536000) < 30);
    });

    it("another member's grant is revoked", options, async () => {
        const flow = await callback.begun();
        await callback.connections.add(flow.user, 'linkedin', { credentials: tokens(3600, { access_token: 'at-SECRET-other', provider_account_id: 'other' }) });
        await token();
        assert.equal((await callback.finish(flow)).status, 200);
        const requests = await callback.tokens.requests();
        assert.deepEqual(requests.map(({ path }) => path), ['/oauth/v2/accessToken', '/oauth/v2/revoke']);
        assert.equal(new URLSearchParams(requests[1].body).get('token'), 'at-SECRET-other');
    });

    it('without the right to post: 422', options, async () => {
        const flow = await callback.pending();
        await token({ scope: 'email,openid,profile' });
        await callback.assertFailed(flow, await callback.finish(flow), 422, 'insufficient_scope');
    });
});

describe('linkedinOAuthCallback: userinfo is needed', options, () => {
    for (const [title, order, status, code] of [
        ...useless, ['401', { status: 401, body: {} }, 502, 'provider_error'], ['no sub', { status: 200, body: { name: 'Ann' } }, 502, 'provider_error'],
    ])
        it(`${title}: ${status} ${code}`, options, async () => {
            const flow = await callback.pending();
            await token();
            await linkedin.provider('linkedin_api').order(order);
            await callback.assertFailed(flow, await callback.finish(flow), status, code);
        });
});

keepsSecrets(callback);
