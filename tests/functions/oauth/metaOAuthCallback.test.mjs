/*
 * metaOAuthCallback (spec oauth.md): the callback of Facebook, and of Instagram states that land here; choosing a Page
 * is in metaOAuthCallback.pages.test.mjs.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { tokens } from '../../support/connections.mjs';
import { FAILURES, GRANTED, LONG, ME, SHORT, connectMeta, proof } from '../../support/meta.mjs';
import { Callback, TIMEOUT, callbacks, exchangeFailures, keepsSecrets } from '../../support/oauth_callbacks.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'metaOAuthCallback';
const meta = suite({ functions: [NAME, 'initiateMetaOAuth'], env: TIMEOUT });
const callback = new Callback(meta, NAME, { service: 'facebook', provider: 'meta_graph' });
const connect = (flow, me, more) => connectMeta(callback, flow, me, more);

callbacks(callback, { begin: { name: 'initiateMetaOAuth' }, variables: ['META_APP_ID', 'META_APP_SECRET'] });
/* The error of OAuth's own shape is nobody's at Meta. */
exchangeFailures(callback, { more: FAILURES });

describe('metaOAuthCallback: examples', options, () => {
    it('1: the first Page that can be published to; what was declined', options, async () => {
        const flow = await callback.pending();
        const { status, body } = await connect(flow);
        assert.equal(status, 200, JSON.stringify(body));
        const pages = [{ id: '900', name: 'Team' }, { id: '901', name: 'Ann Realty' }];
        assert.deepEqual(body, {
            success: true, service: 'facebook', accountEmail: null, accountName: 'Ann', scopes: GRANTED, missingScopes: ['read_insights'],
            warnings: [], redirectPath: null, pageId: '901', pageName: 'Ann Realty', pages,
        });
        const { connected_at, ...settings } = (await callback.row(flow.user)).settings;
        assert.deepEqual(settings, {
            account_id: '55', account_email: null, account_name: 'Ann', scopes: GRANTED, missing_scopes: ['read_insights'],
            page_id: '901', page_name: 'Ann Realty', pages,
        });
        const opened = await callback.connections.opened(flow.user, 'facebook');
        assert.deepEqual([opened.access_token, opened.page_access_token, opened.provider_account_id], ['long-SECRET', 'P901-SECRET', '55']);
    });

    it('the three calls are as Meta wants them', options, async () => {
        await connect(await callback.begun());
        const [exchange, long, me, ...more] = await callback.tokens.requests();
        assert.equal(more.length, 0);
        const app = { client_id: 'test-meta-app-id', client_secret: 'test-meta-app-secret' };
        assert.deepEqual([exchange.method, exchange.path, exchange.query], [
            'GET', '/v25.0/oauth/access_token', { redirect_uri: 'https://pulse.pwru.app/auth/callback/facebook', code: 'code-SECRET', ...app },
        ]);
        assert.deepEqual([long.method, long.path, long.query], [
            'GET', '/v25.0/oauth/access_token', { grant_type: 'fb_exchange_token', fb_exchange_token: 'short-SECRET', ...app },
        ]);
        assert.deepEqual([me.method, me.path, me.query], ['GET', '/v25.0/me', {
            fields: 'id,name,permissions{permission,status},accounts.limit(100){id,name,access_token,tasks,instagram_business_account{id,username}}',
            access_token: 'long-SECRET', appsecret_proof: proof('long-SECRET'),
        }]);
    });

    it('2: no Page: connected, with a warning', options, async () => {
        const flow = await callback.begun();
        const { status, body } = await connect(flow, { ...ME, accounts: { data: [] } });
        assert.deepEqual([status, body.pageId, body.pageName, body.pages, body.warnings], [200, null, null, [], ['no_page']]);
        assert.equal((await callback.connections.opened(flow.user, 'facebook')).page_access_token, null);
    });

    it('4: the long-lived exchange fails, in whatever way', options, async () => {
        for (const [order, status, code] of [
            [{ status: 500, body: {} }, 502, 'provider_error'],
            [{ status: 400, body: { error: { code: 100, type: 'OAuthException' } } }, 502, 'provider_error'],
            [{ status: 401, body: {} }, 502, 'provider_error'],
            [{ status: 200, body: {} }, 502, 'provider_error'],
            [{ drop: true }, 502, 'provider_error'],
            [{ status: 429, body: {} }, 429, 'provider_rate_limited'],
            [{ delayMs: 4000 }, 504, 'provider_timeout'],
        ]) {
            const flow = await callback.pending();
            await callback.tokens.reset();
            await callback.tokens.order(SHORT, order);
            await callback.assertFailed(flow, await callback.finish(flow), status, code);
            assert.equal((await callback.tokens.requests()).length, 2);
        }
    });

    it('identity fails, in whatever way', options, async () => {
        for (const [order, status, code] of [
            [{ status: 503, body: {} }, 502, 'provider_error'],
            [{ status: 400, body: { error: { code: 190 } } }, 502, 'provider_error'],
            [{ status: 200, body: { name: 'Ann' } }, 502, 'provider_error'],
            [{ status: 200, body: 'Ann' }, 502, 'provider_error'],
            [{ status: 429, body: {} }, 429, 'provider_rate_limited'],
            [{ delayMs: 4000 }, 504, 'provider_timeout'],
        ]) {
            const flow = await callback.pending();
            await callback.tokens.reset();
            await callback.tokens.order(SHORT, LONG, order);
            await callback.assertFailed(flow, await callback.finish(flow), status, code);
        }
    });
});

describe('metaOAuthCallback: Pages and permissions', options, () => {
    it('the Page chosen before, while it is listed', options, async () => {
        for (const [stored, expected] of [['900', '900'], ['999', '901'], [7, '901']]) {
            const flow = await callback.begun();
            await callback.connections.add(flow.user, 'facebook', { status: 'error', settings: { page_id: stored } });
            assert.equal((await connect(flow)).body.pageId, expected);
        }
    });

    it('no Page to publish to: the first; tasks unknown', options, async () => {
        const data = [{ id: '1', name: 'One', tasks: ['ANALYZE'], access_token: 'P1-SECRET' }, { id: '2', name: 'Two' }, { name: 'no id' }];
        const { body } = await connect(await callback.begun(), { ...ME, accounts: { data } });
        assert.deepEqual([body.pageId, body.pages.length], ['1', 2]);
    });

    it('nothing granted: 422', options, async () => {
        const flow = await callback.pending();
        const declined = ME.permissions.data.map((entry) => ({ ...entry, status: 'declined' }));
        await callback.assertFailed(flow, await connect(flow, { ...ME, permissions: { data: declined } }), 422, 'insufficient_scope');
    });

    it('no permissions reported: what was asked for', options, async () => {
        const { body } = await connect(await callback.begun(), { ...ME, permissions: undefined });
        assert.deepEqual(body.scopes, ['pages_show_list', 'pages_read_engagement', 'pages_manage_posts', 'read_insights']);
    });

    it('an Instagram state is served here too', options, async () => {
        const flow = await callback.begun({ service: 'instagram' });
        const data = [{ id: '901', name: 'Ann Realty', access_token: 'P901-SECRET', instagram_business_account: { id: '17841', username: 'annrealty' } }];
        const permissions = { data: [{ permission: 'instagram_basic', status: 'granted' }] };
        const { body } = await connect(flow, { ...ME, permissions, accounts: { data } });
        assert.deepEqual([body.service, body.instagramAccountId], ['instagram', '17841']);
    });

    it("another account's grant is revoked, with a proof of its own", options, async () => {
        const flow = await callback.begun();
        await callback.connections.add(flow.user, 'facebook', { credentials: tokens(3600, { access_token: 'old-SECRET', provider_account_id: '54' }) });
        assert.equal((await connect(flow)).status, 200);
        const last = (await callback.tokens.requests()).at(-1);
        assert.deepEqual([last.method, last.path, last.query], [
            'DELETE', '/v25.0/me/permissions', { access_token: 'old-SECRET', appsecret_proof: proof('old-SECRET') },
        ]);
    });
});

keepsSecrets(callback);
