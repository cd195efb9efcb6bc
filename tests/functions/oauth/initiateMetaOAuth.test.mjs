/*
 * initiateMetaOAuth (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { Connections } from '../../support/connections.mjs';
import { authorization, initiates } from '../../support/oauth.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'initiateMetaOAuth';
const meta = suite({ functions: [NAME] });
const facebook = ['pages_show_list', 'pages_read_engagement', 'pages_manage_posts', 'read_insights'];
const instagram = ['instagram_basic', 'instagram_content_publish', 'instagram_manage_insights', 'pages_show_list', 'pages_read_engagement'];
const client = { client: 'META_APP_ID', secret: 'META_APP_SECRET', pkce: false, path: 'meta_dialog/v25.0/dialog/oauth' };

initiates(meta, NAME, { service: 'facebook', scopes: facebook, ...client });
describe('initiateMetaOAuth for Instagram', options, () =>
    initiates(meta, NAME, { service: 'instagram', scopes: instagram, body: { service: 'instagram' }, ...client }));

describe('initiateMetaOAuth', options, () => {
    it('scopes are joined by commas; the version is configured', options, async () => {
        const asked = authorization((await meta.call(NAME, await meta.agent(), { service: 'instagram' })).body.authUrl);
        assert.equal(asked.scope, instagram.join(','));
        await withHost({ functions: [NAME], database: meta.database.url, env: { META_GRAPH_VERSION: 'v26.0' } }, async (host) => {
            const { body } = await post(host, NAME, { token: await mint(await meta.agent()), body: {} });
            assert.equal(authorization(body.authUrl).path, '/sandbox/meta_dialog/v26.0/dialog/oauth');
        });
    });

    it('an empty body is Facebook', options, async () => {
        const answer = await post(meta.host, NAME, { token: await mint(await meta.agent()) });
        assert.equal(answer.body.service, 'facebook');
    });

    it('no other service', options, async () => {
        const user = await meta.agent();
        for (const service of ['threads', 'meta', 'zoom', 7, true, [], {}])
            assertRefused(await meta.call(NAME, user, { service }), 400, 'invalid_input', 'service');
        assert.equal((await new Connections(meta).states(user)).length, 0);
    });
});
