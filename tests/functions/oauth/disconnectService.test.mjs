/*
 * disconnectService (spec oauth.md), and the revocation at each provider (S8).
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { Connections, tokens } from '../../support/connections.mjs';
import { proof } from '../../support/meta.mjs';
import { LATE, TIMEOUT } from '../../support/oauth_callbacks.mjs';
import { assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'disconnectService';
const settings = suite({ functions: [NAME], env: TIMEOUT });
const connections = new Connections(settings);
const SECRETS = { access_token: 'at-SECRET', refresh_token: 'rt-SECRET' };
const disconnect = (user, serviceName, more = {}) => settings.call(NAME, user, { serviceName, ...more });
const STANDS = { google_workspace: 'google_oauth', zoom: 'zoom', linkedin: 'linkedin_oauth', facebook: 'meta_graph', instagram: 'meta_graph', microsoft_365: 'microsoft_login' };
const stand = (service) => settings.provider(STANDS[service]);

async function connected(service, { credentials = {}, settings: values = {}, user, seconds = 3600, ...more } = {}) {
    user ??= await settings.agent();
    await connections.add(user, service, { credentials: tokens(seconds, { ...SECRETS, ...credentials }), settings: { account_id: '55', ...values }, ...more });
    return user;
}

async function assertEmpty(user, service) {
    const row = await connections.row(user, service);
    assert.deepEqual([row.connection_status, row.credentials, row.settings], ['disconnected', {}, {}]);
}

/* Disconnects a service whose provider does this; what became of the grant, and what the provider was sent. */
async function revocation(service, orders, given) {
    const user = await connected(service, given);
    await stand(service).reset();
    if (orders.length > 0) await stand(service).order(...orders);
    const { status, body } = await disconnect(user, service);
    assert.equal(status, 200, JSON.stringify(body));
    await assertEmpty(user, service);
    return { ...body, requests: await stand(service).requests() };
}

const SHAPE = { success: true, message: 'Service disconnected successfully', manageUrl: null };
const ok = (body = {}) => ({ status: 200, body });
const form = ({ body }) => Object.fromEntries(new URLSearchParams(body));
const failures = [{ status: 500, body: {} }, { status: 401, body: { error: 'invalid_client' } }, { status: 400, body: 'x' }];

before(() => Object.values(STANDS).forEach((name) => settings.provider(name)), options);
refusals(settings, NAME, {
    body: { serviceName: 'zoom' }, required: ['serviceName'],
    wrong: { serviceName: [7, true, [], {}, 'dropbox', 'meta', 'Zoom'], connectionType: ['crm', 'other', 7, true, [], {}] },
});

describe('disconnectService', options, () => {
    it('a missing name has its own sentence; what is not there is 404', options, async () => {
        const user = await settings.agent();
        assert.equal((await settings.call(NAME, user, {})).body.error, 'Service name is required');
        for (const [name, message] of [['zoom', 'Connection not found'], ['lofty', 'CRM connection not found'], ['followupboss', 'CRM connection not found']]) {
            const answer = await disconnect(user, name);
            assertRefused(answer, 404, 'not_found');
            assert.equal(answer.body.error, message);
        }
    });

    it("another user's connection stays", options, async () => {
        const owner = await connected('zoom');
        assertRefused(await disconnect(await settings.agent(), 'zoom'), 404, 'not_found');
        assert.equal((await connections.row(owner, 'zoom')).connection_status, 'connected');
    });

    it('the kind has to fit', options, async () => {
        const user = await connected('zoom');
        assert.equal((await disconnect(user, 'zoom', { connectionType: 'external' })).status, 200);
        assertRefused(await disconnect(user, 'lofty', { connectionType: 'external' }), 400, 'invalid_input', 'connectionType');
    });

    it('flows under way end as well, those of other services go on', options, async () => {
        const user = await connected('google_workspace');
        await connections.state(user, 'google_workspace');
        await connections.state(user, 'zoom');
        assert.equal((await disconnect(user, 'google_calendar')).body.service, 'google_workspace');
        assert.deepEqual((await connections.states(user)).map((row) => row.service_name), ['zoom']);
    });

    it('again: nothing to revoke; of two at once one revokes', options, async () => {
        const user = await connected('zoom');
        const answers = await Promise.all([disconnect(user, 'zoom'), disconnect(user, 'zoom'), disconnect(user, 'zoom')]);
        assert.deepEqual(answers.map(({ body }) => body.revocation).sort(), ['nothing_to_revoke', 'nothing_to_revoke', 'revoked']);
        assert.equal((await stand('zoom').requests()).length, 1);
        const { body } = await disconnect(user, 'zoom');
        assert.deepEqual([body.revoked, body.revocation], [false, 'nothing_to_revoke']);
    });

    it('CRM rows: all of them, also under the old name; syncs keep their settings', options, async () => {
        const user = await settings.agent();
        for (const service of ['follow_up_boss', 'followupboss'])
            await connections.add(user, service, { plain: true, credentials: { api_key: 'k-SECRET' }, settings: { account_name: 'A', account_email: 'a', account_id: '1', syncCallLogs: true } });
        const { body } = await disconnect(user, 'followupboss', { connectionType: 'crm' });
        assert.deepEqual(body, {
            success: true, message: 'followupboss CRM disconnected successfully', service: 'follow_up_boss', revoked: false, revocation: 'not_supported', manageUrl: null,
        });
        for (const service of ['follow_up_boss', 'followupboss']) {
            const row = await connections.row(user, service);
            assert.deepEqual([row.connection_status, row.credentials, row.sync_settings], ['disconnected', {}, { syncCallLogs: true }]);
        }
    });

    it('what does not open is gone all the same: failed', options, async () => {
        const user = await settings.agent();
        await connections.add(user, 'zoom', { credentials: { v: 1, alg: 'A256GCM', kid: 'ffffffff' } });
        assert.equal((await disconnect(user, 'zoom')).body.revocation, 'failed');
        await assertEmpty(user, 'zoom');
    });

    it('without a key or a client on this host: gone, and failed', options, async () => {
        for (const env of [{ EDGE_ENCRYPTION_KEY: null }, { ZOOM_CLIENT_SECRET: null }]) {
            const user = await connected('zoom');
            const token = await mint(user);
            await withHost({ functions: [NAME], database: settings.database.url, env }, async (host) => {
                const answer = await post(host, NAME, { token, body: { serviceName: 'zoom' } });
                assert.deepEqual([answer.status, answer.body.revocation], [200, 'failed']);
            });
            await assertEmpty(user, 'zoom');
        }
    });
});

describe('revocation: Zoom', options, () => {
    it('1: the access token, as our client', options, async () => {
        const { requests, ...body } = await revocation('zoom', [ok()]);
        assert.deepEqual(body, { ...SHAPE, service: 'zoom', revoked: true, revocation: 'revoked' });
        assert.deepEqual([requests.length, requests[0].path, form(requests[0])], [1, '/oauth/revoke', { token: 'at-SECRET' }]);
        assert.match(requests[0].headers.authorization, /^Basic /);
    });

    it('one that has run out is renewed for it, and kept nowhere', options, async () => {
        const renewed = ok({ access_token: 'new-SECRET', refresh_token: 'r2-SECRET', expires_in: 3600 });
        for (const seconds of [-10, 20]) {
            const { requests, revocation: became } = await revocation('zoom', [renewed, ok()], { seconds });
            assert.deepEqual([became, requests.map(({ path }) => path), form(requests[1])], ['revoked', ['/oauth/token', '/oauth/revoke'], { token: 'new-SECRET' }]);
        }
        assert.equal((await revocation('zoom', [{ status: 401, body: { error: 'invalid_grant' } }], { seconds: -10 })).revocation, 'already_invalid');
        assert.equal((await revocation('zoom', [{ status: 500, body: {} }], { seconds: -10 })).revocation, 'failed');
        assert.equal((await revocation('zoom', [ok()], { seconds: -10, credentials: { refresh_token: null } })).requests.length, 1);
    });

    it('whatever it does, the caller is answered', options, async () => {
        for (const order of [...failures, { drop: true }, LATE]) assert.equal((await revocation('zoom', [order])).revocation, 'failed');
    });

    it('the known answer of the envelope opens', options, async () => {
        await settings.database.person('user_a');
        await connections.add('user_a', 'zoom', {
            credentials: {
                v: 1, alg: 'A256GCM', kid: '630dcd29', iv: 'oKGio6Slpqeoqaqr', tag: 'G2nGwjppNPN4KA1lWw7TFg==',
                ct: 'nTodTiauccw9Eei4YhTi5FLNLT2jhXFOsCxU4xnZEHK6KTOQxEc9H2W+drwkTrbPZTdkPA27fxAeKnIuwVK/kvbZ5B1V18bM1oeHaOa8qcmSat+G//WoStxBCq6Jqn3p',
            },
        });
        const token = await mint('user_a');
        const env = { EDGE_ENCRYPTION_KEY: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' };
        await withHost({ functions: [NAME], database: settings.database.url, env }, async (host) => {
            assert.equal((await post(host, NAME, { token, body: { serviceName: 'zoom' } })).body.revocation, 'revoked');
            const { requests } = await (await fetch(`${host.url}/sandbox/_requests?provider=zoom`)).json();
            assert.deepEqual(form(requests[0]), { token: 'at-123' });
        });
    });
});

describe('revocation: Google', options, () => {
    it('the refresh token, else the access token', options, async () => {
        const { requests, ...body } = await revocation('google_workspace', [ok()]);
        assert.deepEqual(body, { ...SHAPE, service: 'google_workspace', revoked: true, revocation: 'revoked' });
        assert.deepEqual([requests[0].path, form(requests[0])], ['/revoke', { token: 'rt-SECRET' }]);
        const without = await revocation('google_workspace', [ok()], { credentials: { refresh_token: null } });
        assert.deepEqual(form(without.requests[0]), { token: 'at-SECRET' });
    });

    it('3: it was over already', options, async () => {
        const body = await revocation('google_workspace', [{ status: 400, body: { error: 'invalid_token' } }]);
        assert.deepEqual([body.revoked, body.revocation], [true, 'already_invalid']);
    });

    it('whatever it does, the caller is answered', options, async () => {
        for (const order of [...failures, { drop: true }, { status: 400, body: { error: 'invalid_request' } }])
            assert.equal((await revocation('google_workspace', [order])).revocation, 'failed');
    });
});

describe('revocation: LinkedIn and Microsoft', options, () => {
    it('LinkedIn: the access token, as our client', options, async () => {
        const { requests, ...body } = await revocation('linkedin', [ok()]);
        assert.deepEqual(body, { ...SHAPE, service: 'linkedin', revoked: true, revocation: 'revoked' });
        assert.deepEqual([requests[0].path, form(requests[0])], [
            '/oauth/v2/revoke', { client_id: 'test-linkedin-client-id', client_secret: 'test-linkedin-client-secret', token: 'at-SECRET' },
        ]);
        for (const order of [...failures, { drop: true }]) assert.equal((await revocation('linkedin', [order])).revocation, 'failed');
    });

    it('2: Microsoft has none, and a page of its own', options, async () => {
        const { requests, ...body } = await revocation('microsoft_365', []);
        assert.deepEqual(body, { ...SHAPE, service: 'microsoft_365', revoked: false, revocation: 'not_supported', manageUrl: 'https://myapps.microsoft.com' });
        assert.equal(requests.length, 0);
    });
});

describe('revocation: Meta', options, () => {
    const query = { access_token: 'at-SECRET', appsecret_proof: proof('at-SECRET') };

    it('alone: the whole grant', options, async () => {
        const { requests, ...body } = await revocation('facebook', [ok({ success: true })]);
        assert.deepEqual(body, { ...SHAPE, service: 'facebook', revoked: true, revocation: 'revoked' });
        assert.deepEqual([requests.length, requests[0].method, requests[0].path, requests[0].query], [1, 'DELETE', '/v25.0/me/permissions', query]);
    });

    it('4: beside its sibling: its own permissions only', options, async () => {
        for (const [service, sibling, scopes] of [
            ['instagram', 'facebook', ['instagram_basic', 'instagram_content_publish', 'instagram_manage_insights']],
            ['facebook', 'instagram', ['pages_manage_posts', 'read_insights']],
        ]) {
            const user = await connected(sibling);
            const before = await connections.row(user, sibling);
            const { requests, ...body } = await revocation(service, [], { user });
            assert.deepEqual([body.revoked, body.revocation], [false, 'kept_shared_grant']);
            assert.deepEqual(requests.map(({ method, path }) => `${method} ${path}`).sort(), scopes.map((scope) => `DELETE /v25.0/me/permissions/${scope}`));
            assert.deepEqual(requests[0].query, query);
            assert.deepEqual(await connections.row(user, sibling), before);
        }
    });

    it("a sibling of another account, or one that does not work, shares nothing", options, async () => {
        for (const sibling of [{ settings: { account_id: '56' } }, { status: 'error' }]) {
            const user = await connected('facebook', sibling);
            assert.equal((await revocation('instagram', [ok({ success: true })], { user })).revocation, 'revoked');
        }
    });

    it('over already; and whatever else it does', options, async () => {
        assert.equal((await revocation('facebook', [{ status: 400, body: { error: { code: 190 } } }])).revocation, 'already_invalid');
        for (const order of [...failures, { drop: true, times: 2 }, ok({ success: false }), ok()])
            assert.equal((await revocation('facebook', [order])).revocation, 'failed');
    });
});

it('disconnectService: no secret in the log', options, () => {
    assert.ok(settings.host.log.length > 100);
    assert.doesNotMatch(settings.host.text(), /SECRET/);
});
