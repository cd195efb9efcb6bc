/*
 * initiateGoogleWorkspaceOAuth (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { authorization, initiates } from '../../support/oauth.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'initiateGoogleWorkspaceOAuth';
const google = suite({ functions: [NAME] });
const scopes = [
    'openid',
    'email',
    'https://www.googleapis.com/auth/calendar',
    'https://www.googleapis.com/auth/gmail.send',
    'https://www.googleapis.com/auth/gmail.readonly',
    'https://www.googleapis.com/auth/drive.file',
];

initiates(google, NAME, {
    service: 'google_workspace', slug: 'google-workspace', scopes, pkce: true, path: 'google_accounts/o/oauth2/v2/auth',
    client: 'GOOGLE_WORKSPACE_CLIENT_ID', secret: 'GOOGLE_WORKSPACE_CLIENT_SECRET',
});

describe('initiateGoogleWorkspaceOAuth: the URL', options, () => {
    it('asks for a refresh token every time', options, async () => {
        const asked = authorization((await google.call(NAME, await google.agent(), {})).body.authUrl);
        assert.deepEqual([asked.access_type, asked.prompt, asked.include_granted_scopes], ['offline', 'consent', 'true']);
        assert.equal(asked.scope, scopes.join(' '));
    });

    it('the redirect URI is the configuration\'s, whatever the request says', options, async () => {
        const env = { APP_URL: 'http://localhost:3000/', OAUTH_CALLBACK_PATH: '/oauth/{slug}/callback' };
        await withHost({ functions: [NAME], database: google.database.url, env }, async (host) => {
            const { body } = await post(host, NAME, {
                token: await mint(await google.agent()),
                body: { redirectUri: 'https://evil.example', redirect_uri: 'https://evil.example' },
                headers: { origin: 'https://evil.example' },
            });
            assert.equal(body.redirectUri, 'http://localhost:3000/oauth/google-workspace/callback');
            assert.ok(!body.authUrl.includes('evil'));
        });
    });
});
