/*
 * initiateZoomOAuth (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Connections } from '../../support/connections.mjs';
import { authorization, initiates } from '../../support/oauth.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'initiateZoomOAuth';
const zoom = suite({ functions: [NAME] });

initiates(zoom, NAME, {
    service: 'zoom', scopes: [], pkce: true, path: 'zoom/oauth/authorize', client: 'ZOOM_CLIENT_ID', secret: 'ZOOM_CLIENT_SECRET',
});

it('initiateZoomOAuth: no scope, and the path of onboarding in 59 characters', options, async () => {
    const user = await zoom.agent();
    const asked = authorization((await zoom.call(NAME, user, { redirectPath: '/onboarding' })).body.authUrl);
    assert.equal(asked.scope, undefined);
    const [{ state }] = await new Connections(zoom).states(user);
    assert.equal(state.length, 59);
    assert.ok(state.endsWith('.L29uYm9hcmRpbmc'));
});
