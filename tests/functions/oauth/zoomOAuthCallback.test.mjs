/*
 * zoomOAuthCallback (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Callback, TIMEOUT, TOKEN, callbacks, exchangeFailures, keepsSecrets } from '../../support/oauth_callbacks.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'zoomOAuthCallback';
const zoom = suite({ functions: [NAME, 'initiateZoomOAuth'], env: TIMEOUT });
const callback = new Callback(zoom, NAME, { service: 'zoom', provider: 'zoom' });

callbacks(callback, { begin: { name: 'initiateZoomOAuth' }, variables: ['ZOOM_CLIENT_ID', 'ZOOM_CLIENT_SECRET'] });
exchangeFailures(callback, {
    more: [["Zoom's own shape", { status: 400, body: { reason: 'Invalid authorization code', error: 'invalid_request' } }, 422, 'code_rejected']],
});

describe('zoomOAuthCallback: examples', options, () => {
    it('1: scopes as granted, nobody named, no warning', options, async () => {
        const flow = await callback.pending({ verifier: 'v'.repeat(86) });
        await callback.tokens.order({
            status: 200, body: { access_token: 'zm-SECRET', refresh_token: 'zr-SECRET', expires_in: 3599, scope: 'meeting:write user:read' },
        });
        const { status, body } = await callback.finish(flow);
        assert.equal(status, 200);
        assert.deepEqual(body, {
            success: true, service: 'zoom', accountEmail: null, accountName: null, scopes: ['meeting:write', 'user:read'],
            missingScopes: [], warnings: [], redirectPath: null,
        });
        const [sent] = await callback.tokens.requests();
        assert.equal(sent.headers.authorization, `Basic ${Buffer.from('test-zoom-client-id:test-zoom-client-secret').toString('base64')}`);
        assert.deepEqual(Object.fromEntries(new URLSearchParams(sent.body)), {
            grant_type: 'authorization_code', code: 'code-SECRET', redirect_uri: 'https://pulse.pwru.app/auth/callback/zoom', code_verifier: 'v'.repeat(86),
        });
    });

    it('no scope reported: none', options, async () => {
        const flow = await callback.begun();
        await callback.tokens.order({ status: 200, body: { ...TOKEN, scope: '' } });
        assert.deepEqual((await callback.finish(flow)).body.scopes, []);
    });

    it('the path comes back, and what is none counts as none', options, async () => {
        const path = (text) => Buffer.from(text).toString('base64url');
        for (const [tail, expected] of [
            [`.${path('/goals')}`, '/goals'], [`.${path('//evil.example')}`, null], [`.${path('https://evil.example')}`, null],
            [`.${path('/a\\b')}`, null], ['.%%%', null], ['.', null], [`.${path('/a\0b')}`, null], ['', null],
        ]) {
            const flow = await callback.begun({ state: `state${Math.random()}`.replace('.', '') + tail });
            await callback.tokens.order({ status: 200, body: TOKEN });
            const { status, body } = await callback.finish(flow);
            assert.deepEqual([status, body.redirectPath], [200, expected], tail);
        }
    });
});

keepsSecrets(callback);
