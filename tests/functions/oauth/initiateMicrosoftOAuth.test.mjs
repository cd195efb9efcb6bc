/*
 * initiateMicrosoftOAuth (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { authorization, initiates } from '../../support/oauth.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'initiateMicrosoftOAuth';
const microsoft = suite({ functions: [NAME] });
const scopes = ['offline_access', 'User.Read', 'Mail.Send', 'Mail.ReadWrite', 'Calendars.ReadWrite'];

initiates(microsoft, NAME, {
    service: 'microsoft_365', slug: 'microsoft', scopes, pkce: true, path: 'microsoft_login/common/oauth2/v2.0/authorize',
    client: 'MICROSOFT_CLIENT_ID', secret: 'MICROSOFT_CLIENT_SECRET',
});

it('initiateMicrosoftOAuth: an account chooser, and the tenant that is configured', options, async () => {
    const asked = authorization((await microsoft.call(NAME, await microsoft.agent())).body.authUrl);
    assert.deepEqual([asked.response_mode, asked.prompt, asked.scope], ['query', 'select_account', scopes.join(' ')]);
    await withHost({ functions: [NAME], database: microsoft.database.url, env: { MICROSOFT_TENANT: 'contoso.example' } }, async (host) => {
        const { body } = await post(host, NAME, { token: await mint(await microsoft.agent()), body: {} });
        assert.equal(authorization(body.authUrl).path, '/sandbox/microsoft_login/contoso.example/oauth2/v2.0/authorize');
    });
});
