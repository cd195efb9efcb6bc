/*
 * skySlopeAuth (spec oauth.md, and crm.md S8 for the login).
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { describe, it } from 'node:test';

import { forgets, keys } from '../../support/api_keys.mjs';
import { post } from '../../support/clients.mjs';
import { TIMEOUT } from '../../support/oauth_callbacks.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'skySlopeAuth';
const OURS = { SKYSLOPE_CLIENT_ID: 'ci-ours', SKYSLOPE_CLIENT_SECRET: 'cs-ours' };
const slope = suite({ functions: [NAME], env: { ...TIMEOUT, ...OURS } });
const stand = () => slope.provider('skyslope');
const KEYS = { accessKey: 'ak-SECRET-1', accessSecret: 'as-SECRET-1' };
const session = { status: 200, body: { Session: 's1', Expiration: '2031-01-01T00:00:00Z' } };

const { connections, call, keepsSecrets } = keys(slope, NAME, {
    service: 'skyslope', provider: 'skyslope', body: KEYS, fields: ['accessKey', 'accessSecret'], accepted: session,
    stored: { access_key: 'ak-SECRET-1', access_secret: 'as-SECRET-1' }, missing: 'SkySlope access key is required',
    invalid: [400, 401, 403].map((status) => [String(status), { status, body: {} }, /^Invalid SkySlope access key$/]),
});
forgets(slope, NAME, { service: 'skyslope', connections, message: 'SkySlope disconnected', stored: { access_key: 'k-SECRET' } });

describe('skySlopeAuth: examples', options, () => {
    it('1: a signed login, as the stand-in checks it', options, async () => {
        const user = await slope.agent();
        assert.deepEqual((await call(user)).body, { success: true, message: 'SkySlope connected', accountInfo: { name: null, email: null } });
        const [login] = await stand().requests();
        assert.deepEqual([login.method, login.path, login.body], ['POST', '/auth/login', { clientID: 'ci-ours', clientSecret: 'cs-ours' }]);
        const { timestamp, authorization } = login.headers;
        assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        const mac = crypto.createHmac('sha256', 'as-SECRET-1').update(`ci-ours:cs-ours:${timestamp}`).digest('base64');
        assert.equal(authorization, `SS ak-SECRET-1:${mac}`);
    });

    it('2: a wrong secret: 422, no row', options, async () => {
        const user = await slope.agent();
        assertRefused(await call(user, { accessSecret: 'as-SECRET-2' }), 422, 'invalid_api_key');
        assert.equal(await connections.row(user, 'skyslope'), undefined);
    });

    it('the integration of the user\'s own, both or neither', options, async () => {
        const user = await slope.agent();
        const own = { clientId: 'ci-SECRET', clientSecret: 'cs-SECRET' };
        assert.equal((await call(user, own)).status, 200);
        const { obtained_at, ...values } = await connections.opened(user, 'skyslope');
        assert.deepEqual(values, { access_key: 'ak-SECRET-1', access_secret: 'as-SECRET-1', client_id: 'ci-SECRET', client_secret: 'cs-SECRET' });
        assert.equal((await call(user)).status, 200);
        assert.equal((await connections.opened(user, 'skyslope')).client_id, undefined, "ours is not the user's");
        assertRefused(await call(user, { clientId: 'ci-SECRET' }), 400, 'invalid_input', 'clientSecret');
        assertRefused(await call(user, { clientSecret: 'cs-SECRET' }), 400, 'invalid_input', 'clientId');
        for (const field of ['clientId', 'clientSecret'])
            for (const value of [7, true, [], {}, 'short-1', 'with blank'])
                assertRefused(await call(user, { ...own, [field]: value }), 400, 'invalid_input', field);
    });

    it('no integration at all: 503', options, async () => {
        const token = await mint(await slope.agent());
        for (const [env, missing] of [[{ SKYSLOPE_CLIENT_ID: null }, 'SKYSLOPE_CLIENT_ID'], [{ SKYSLOPE_CLIENT_SECRET: null }, 'SKYSLOPE_CLIENT_SECRET']])
            await withHost({ functions: [NAME], database: slope.database.url, env }, async (host) => {
                const answer = await post(host, NAME, { token, body: KEYS });
                assertRefused(answer, 503, 'not_configured');
                assert.match(answer.body.error, new RegExp(missing));
            });
    });

    it('an answer behind a byte order mark', options, async () => {
        await stand().order({ status: 200, headers: { 'content-type': 'application/json' }, body: '\ufeff{"Session":"s\u0001","Expiration":"2031-01-01T00:00:00Z"}' });
        assert.equal((await call(await slope.agent())).status, 200);
    });

    it('no session in it: 502', options, async () => {
        for (const Session of ['', 7, null]) {
            await stand().order({ status: 200, body: { Session } });
            assertRefused(await call(await slope.agent()), 502, 'provider_error');
        }
    });
});

keepsSecrets();
