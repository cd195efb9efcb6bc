/*
 * initiateLinkedInOAuth (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { authorization, initiates } from '../../support/oauth.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'initiateLinkedInOAuth';
const linkedin = suite({ functions: [NAME] });
const scopes = ['openid', 'profile', 'email', 'w_member_social'];

initiates(linkedin, NAME, {
    service: 'linkedin', scopes, pkce: false, path: 'linkedin_oauth/oauth/v2/authorization',
    client: 'LINKEDIN_CLIENT_ID', secret: 'LINKEDIN_CLIENT_SECRET',
});

it('initiateLinkedInOAuth: the scopes, and nothing else', options, async () => {
    const asked = authorization((await linkedin.call(NAME, await linkedin.agent())).body.authUrl);
    assert.deepEqual(Object.keys(asked), ['path', 'client_id', 'redirect_uri', 'response_type', 'state', 'scope']);
    assert.equal(asked.scope, scopes.join(' '));
});
