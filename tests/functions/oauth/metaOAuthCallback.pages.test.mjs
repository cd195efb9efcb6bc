/*
 * metaOAuthCallback, action selectPage (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Connections, epoch, tokens, unseal } from '../../support/connections.mjs';
import { ME, proof } from '../../support/meta.mjs';
import { TIMEOUT } from '../../support/oauth_callbacks.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'metaOAuthCallback';
const meta = suite({ functions: [NAME], env: TIMEOUT });
const connections = new Connections(meta);
const graph = () => meta.provider('meta_graph');
const select = (user, more) => meta.call(NAME, user, { action: 'selectPage', service: 'facebook', pageId: '900', ...more });
const MONTH = 30 * 24 * 3600;
const credentials = (more) => tokens(MONTH, { access_token: 'long-SECRET', refresh_token: null, page_access_token: 'P901-SECRET', ...more });
const instagram = {
    ...ME,
    accounts: { data: [ME.accounts.data[0], { ...ME.accounts.data[1], instagram_business_account: { id: '17841', username: 'annrealty' } }] },
};

async function connected(service = 'facebook', more = {}) {
    const user = await meta.agent();
    await connections.add(user, service, { credentials: credentials(), settings: { page_id: '901', theme: 'dark' }, ...more });
    return user;
}

const person = (me = ME) => graph().order({ status: 200, body: me });

describe('selectPage', options, () => {
    it('3: another Page, with its token', options, async () => {
        const user = await connected();
        await graph().reset();
        await person();
        const { status, body } = await select(user);
        assert.deepEqual([status, body], [200, { success: true, service: 'facebook', pageId: '900', pageName: 'Team', instagramAccountId: null }]);
        const { settings, connection_status } = await connections.row(user, 'facebook');
        assert.deepEqual([connection_status, settings.page_id, settings.page_name, settings.pages.length, settings.theme], ['connected', '900', 'Team', 2, 'dark']);
        const opened = await connections.opened(user, 'facebook');
        assert.deepEqual([opened.access_token, opened.page_access_token], ['long-SECRET', 'P900-SECRET']);
        const [asked] = await graph().requests();
        assert.equal(asked.query.appsecret_proof, proof('long-SECRET'));
    });

    it("Instagram's account comes with the Page; a Page without one is 422", options, async () => {
        const user = await connected('instagram');
        await person(instagram);
        assert.equal((await select(user, { service: 'instagram', pageId: '901' })).body.instagramAccountId, '17841');
        const { settings } = await connections.row(user, 'instagram');
        assert.deepEqual([settings.instagram_account_id, settings.instagram_username], ['17841', 'annrealty']);
        assert.deepEqual(settings.pages, [{ id: '901', name: 'Ann Realty', instagram_account_id: '17841', instagram_username: 'annrealty' }]);
        await person(instagram);
        assertRefused(await select(user, { service: 'instagram', pageId: '900' }), 422, 'no_instagram_business_account');
    });

    it('a Page that is not listed: 404, nothing changed', options, async () => {
        const user = await connected();
        const before = await connections.row(user, 'facebook');
        await person();
        const answer = await select(user, { pageId: '902' });
        assertRefused(answer, 404, 'page_not_found');
        assert.equal(answer.body.success, false);
        assert.deepEqual(await connections.row(user, 'facebook'), before);
    });

    it('without a connection that works: 409', options, async () => {
        assertRefused(await select(await meta.agent()), 409, 'not_connected');
        for (const [status, code] of [['pending', 'not_connected'], ['disconnected', 'not_connected'], ['error', 'reconnect_required']])
            assertRefused(await select(await connected('facebook', { status })), 409, code);
        assert.equal((await graph().requests()).length, 0);
    });

    it("another user's connection is nobody else's", options, async () => {
        await connected();
        assertRefused(await select(await meta.agent()), 409, 'not_connected');
    });

    it('fields', options, async () => {
        const user = await connected();
        for (const service of [undefined, null, '', 'zoom', 'meta', 7, true, [], {}]) assertRefused(await select(user, { service }), 400, 'invalid_input', 'service');
        for (const pageId of [undefined, null, '', 'abc', '12a', '-1', 900, true, [], {}, '1'.repeat(65)])
            assertRefused(await select(user, { pageId }), 400, 'invalid_input', 'pageId');
        for (const action of ['other', 7, true, [], {}]) assertRefused(await select(user, { action }), 400, 'invalid_input', 'action');
    });

    it('what Meta does', options, async () => {
        for (const [order, status, code] of [
            [{ status: 500, body: {} }, 502, 'provider_error'],
            [{ status: 400, body: { error: { code: 190 } } }, 502, 'provider_error'],
            [{ drop: true }, 502, 'provider_error'],
            [{ status: 429, headers: { 'retry-after': '9' }, body: {} }, 429, 'provider_rate_limited'],
            [{ delayMs: 4000 }, 504, 'provider_timeout'],
        ]) {
            const user = await connected();
            await graph().order(order);
            assertRefused(await select(user), status, code);
            assert.equal((await connections.row(user, 'facebook')).settings.page_id, '901');
        }
    });

    it('a token in its last week is renewed first; one that Meta refuses is over', options, async () => {
        const old = { obtained_at: epoch() - 50 * 24 * 3600, expires_at: epoch() + 24 * 3600 };
        const user = await connected('facebook', { credentials: credentials(old) });
        await graph().order({ status: 200, body: { access_token: 'new-SECRET', expires_in: 5183944 } }, { status: 200, body: ME });
        assert.equal((await select(user)).status, 200);
        const renewed = await connections.opened(user, 'facebook');
        assert.deepEqual([renewed.access_token, renewed.page_access_token], ['new-SECRET', 'P900-SECRET']);
        assert.ok(renewed.expires_at > epoch() + MONTH);

        const other = await connected('facebook', { credentials: credentials(old) });
        await graph().order({ status: 400, body: { error: { code: 190, type: 'OAuthException' } } });
        assertRefused(await select(other), 409, 'reconnect_required');
        assert.equal((await connections.row(other, 'facebook')).settings.last_error, 'reconnect_required');
    });

    it('a legacy row is sealed by the write', options, async () => {
        const user = await connected('facebook', { plain: true, credentials: { access_token: 'long-SECRET', expires_at: '2099-01-01T00:00:00Z' } });
        await person();
        assert.equal((await select(user)).status, 200);
        const { credentials: sealed } = await connections.row(user, 'facebook');
        assert.equal(unseal(user, 'facebook', sealed).access_token, 'long-SECRET');
    });

    it('no secret in the log', options, () => assert.doesNotMatch(meta.host.text(), /SECRET/));
});
