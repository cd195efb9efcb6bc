/*
 * instagramOAuthCallback (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { FAILURES, ME, connectMeta } from '../../support/meta.mjs';
import { Callback, TIMEOUT, callbacks, exchangeFailures, keepsSecrets } from '../../support/oauth_callbacks.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'instagramOAuthCallback';
const instagram = suite({ functions: [NAME, 'initiateMetaOAuth'], env: TIMEOUT });
const callback = new Callback(instagram, NAME, { service: 'instagram', provider: 'meta_graph' });
const permissions = { data: ['instagram_basic', 'instagram_content_publish', 'instagram_manage_insights', 'pages_show_list', 'pages_read_engagement'].map((permission) => ({ permission, status: 'granted' })) };
const page = (id, account) => ({ id, name: `Page ${id}`, tasks: ['ANALYZE'], access_token: `P${id}-SECRET`, ...(account ? { instagram_business_account: account } : {}) });
const me = (...data) => ({ ...ME, permissions, accounts: { data } });
const ANN = { id: '17841', username: 'annrealty' };

callbacks(callback, { begin: { name: 'initiateMetaOAuth', body: { service: 'instagram' } }, variables: ['META_APP_ID', 'META_APP_SECRET'] });
exchangeFailures(callback, { more: FAILURES });

describe('instagramOAuthCallback: examples', options, () => {
    it('1: the Page that has an account', options, async () => {
        const flow = await callback.pending();
        const { status, body } = await connectMeta(callback, flow, me(page('900'), page('901', ANN)));
        assert.equal(status, 200, JSON.stringify(body));
        const pages = [{ id: '901', name: 'Page 901', instagram_account_id: '17841', instagram_username: 'annrealty' }];
        assert.deepEqual([body.instagramAccountId, body.pageId, body.pageName, body.pages, body.missingScopes], ['17841', '901', 'Page 901', pages, []]);
        const { settings } = await callback.row(flow.user);
        assert.deepEqual([settings.instagram_username, settings.instagram_account_id, settings.pages], ['annrealty', '17841', pages]);
        assert.equal((await callback.connections.opened(flow.user, 'instagram')).page_access_token, 'P901-SECRET');
    });

    it('2: no Page has one, or there is no Page', options, async () => {
        for (const none of [me(page('900'), page('901')), me()]) {
            const flow = await callback.pending();
            const answer = await connectMeta(callback, flow, none);
            await callback.assertFailed(flow, answer, 422, 'no_instagram_business_account');
            assert.match(answer.body.suggestion, /professional Instagram account/);
        }
    });

    it('3: refused at Meta', options, async () => {
        const flow = await callback.pending();
        assertRefused(await callback.post(flow.user, { error: 'access_denied', state: flow.state }), 400, 'access_denied');
        assert.equal((await callback.row(flow.user)).connection_status, 'disconnected');
    });

    it('a facebook state: 400, and it is gone', options, async () => {
        const flow = await callback.begun({ service: 'facebook' });
        assertRefused(await callback.finish(flow), 400, 'invalid_state');
        assert.equal((await callback.connections.states(flow.user)).length, 0);
        assert.equal((await callback.tokens.requests()).length, 0);
    });

    it('the account chosen before, while it is listed', options, async () => {
        for (const [stored, expected] of [['17842', '17842'], ['1', '17841']]) {
            const flow = await callback.begun();
            await callback.connections.add(flow.user, 'instagram', { status: 'error', settings: { instagram_account_id: stored } });
            const { body } = await connectMeta(callback, flow, me(page('900'), page('901', ANN), page('902', { id: '17842' })));
            assert.equal(body.instagramAccountId, expected);
        }
    });
});

keepsSecrets(callback);
