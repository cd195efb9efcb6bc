/*
 * getIntegrationContext (spec engines.md): its examples, whose row counts, what never leaves the server.
 */
import assert from 'node:assert/strict';
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { ENCRYPTION_KEY, SERVICE_KEY } from '../../support/host.mjs';
import { assertRefused, refusals } from '../../support/refusals.mjs';
import { countRoundTrips, fewestRoundTrips } from '../../support/round_trips.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const SERVICES = ['google_workspace', 'zoom', 'microsoft_365', 'facebook', 'instagram', 'linkedin', 'lofty', 'follow_up_boss'];
const STATUSES = ['calendarStatus', 'emailStatus', 'zoomStatus', 'facebookStatus', 'instagramStatus', 'linkedinStatus', 'crmStatus'];

const integration = suite({ functions: ['getIntegrationContext'] });
const rows = (...query) => integration.database.rows(...query);
const call = (id, body = {}) => integration.call('getIntegrationContext', id, body);

/* An envelope as the SDK seals it (spec oauth.md S6). */
function seal(aad, values, key = Buffer.from(ENCRYPTION_KEY, 'base64')) {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(`pulse-edge:v1:${aad}`));
    const ct = Buffer.concat([cipher.update(JSON.stringify(values)), cipher.final()]);
    const kid = createHash('sha256').update(key).digest('hex').slice(0, 8);
    return { v: 1, alg: 'A256GCM', kid, iv: iv.toString('base64'), ct: ct.toString('base64'), tag: cipher.getAuthTag().toString('base64') };
}

const external = (id, service, status, credentials = {}, settings = {}) =>
    rows(
        `INSERT INTO external_service_connections (user_id, service_name, connection_status, credentials, settings) VALUES ($1, $2, $3, $4, $5)`,
        [id, service, status, credentials, settings],
    );
const crm = (id, provider, status, { credentials = {}, settings = {}, updated = '2026-01-01Z' } = {}) =>
    rows(
        `INSERT INTO crm_connections (user_id, provider, connection_status, credentials, sync_settings, updated_at) VALUES ($1, $2, $3, $4, $5, $6)`,
        [id, provider, status, credentials, settings, updated],
    );

const sealed = (id, service, values) => seal(`external_service_connections:${id}:${service}`, values);
const connected = (body) => STATUSES.filter((status) => body[status] === 'connected');

describe('getIntegrationContext: examples', options, () => {
    it('1: one of each kind', options, async () => {
        const id = await integration.agent();
        await external(id, 'google_workspace', 'connected', sealed(id, 'google_workspace', { access_token: 'secret-1', refresh_token: 'secret-2', expires_at: 1 }));
        await external(id, 'zoom', 'disconnected');
        await crm(id, 'lofty', 'connected', { credentials: seal(`crm_connections:${id}:lofty`, { api_key: 'secret-3' }) });
        const { status, body } = await call(id);
        assert.equal(status, 200);
        assert.deepEqual(Object.keys(body.google_workspace).sort(), [
            'connection_status', 'created_at', 'credentials', 'id', 'last_sync_at', 'needsReauth', 'service_name', 'settings', 'updated_at',
        ]);
        assert.deepEqual(Object.keys(body.lofty).sort(), [
            'connection_status', 'created_at', 'credentials', 'id', 'last_sync_at', 'needsReauth', 'provider', 'sync_settings', 'updated_at',
        ]);
        assert.equal(body.google_workspace.credentials, null);
        assert.equal(body.google_workspace.needsReauth, false, 'it has a refresh token');
        assert.equal(body.lofty.provider, 'lofty');
        assert.equal(body.zoom, null);
        assert.deepEqual(connected(body), ['calendarStatus', 'emailStatus', 'crmStatus']);
        assert.equal(body.zoomStatus, 'not_connected');
        assert.equal(body.connectedCount, 2);
        assert.doesNotMatch(JSON.stringify(body), /secret-|"ct"|"tag"/);
        assert.doesNotMatch(integration.host.text(), /secret-/);
    });

    it('2: no rows', options, async () => {
        const { body } = await call(await integration.agent(), undefined);
        assert.deepEqual(body, {
            ...Object.fromEntries(SERVICES.map((name) => [name, null])),
            ...Object.fromEntries(STATUSES.map((name) => [name, 'not_connected'])),
            connectedCount: 0,
        });
    });

    it('3: a grant that ran out needs a refresh token', options, async () => {
        const id = await integration.agent(), other = await integration.agent();
        await external(id, 'linkedin', 'connected', { access_token: 'x', expires_at: 1 });
        await external(other, 'linkedin', 'connected', { access_token: 'x', expires_at: 1, refresh_token: 'y' });
        assert.equal((await call(id)).body.linkedin.needsReauth, true);
        assert.equal((await call(other)).body.linkedin.needsReauth, false);
    });
});

describe('getIntegrationContext: rows', options, () => {
    it('each service of its own table, and only connected', options, async () => {
        const id = await integration.agent();
        for (const name of ['facebook', 'instagram', 'linkedin', 'microsoft_365', 'lofty', 'follow_up_boss'])
            await external(id, name, 'connected');
        for (const [name, status] of [['zoom', 'Connected'], ['google_workspace', 'error']]) await external(id, name, status);
        await crm(id, 'zoom', 'connected');
        await crm(id, 'google_workspace', 'connected');
        const { body } = await call(id);
        assert.deepEqual(SERVICES.filter((name) => body[name] !== null), ['microsoft_365', 'facebook', 'instagram', 'linkedin']);
        assert.equal(body.connectedCount, 4);
        assert.deepEqual(connected(body), ['calendarStatus', 'emailStatus', 'facebookStatus', 'instagramStatus', 'linkedinStatus']);
    });

    it("a CRM's latest connected row, also under its old name", options, async () => {
        const id = await integration.agent();
        await crm(id, 'followupboss', 'connected', { settings: { n: 1 } });
        assert.deepEqual((await call(id)).body.follow_up_boss.sync_settings, { n: 1 });
        await crm(id, 'follow_up_boss', 'connected', { updated: '2026-01-02Z', settings: { n: 2 } });
        assert.deepEqual((await call(id)).body.follow_up_boss.sync_settings, { n: 2 });
        await rows(`UPDATE crm_connections SET connection_status = 'error' WHERE user_id = $1 AND provider = 'follow_up_boss'`, [id]);
        const { body } = await call(id);
        assert.deepEqual(body.follow_up_boss.sync_settings, { n: 1 });
        assert.equal(body.connectedCount, 1);
    });

    it('settings without whatever may hold a secret', options, async () => {
        const id = await integration.agent();
        const settings = {
            calendar_id: 'c', accessToken: 'x', client_SECRET: 'x', apiKey: 'x', Password: 'x', code_verifier: 'x', oauth_state_id: 'x',
            nested: { token_name: 'kept' }, none: null,
        };
        await external(id, 'zoom', 'connected', {}, settings);
        await crm(id, 'lofty', 'connected', { settings });
        const { body } = await call(id);
        const kept = { calendar_id: 'c', nested: { token_name: 'kept' }, none: null };
        assert.deepEqual(body.zoom.settings, kept);
        assert.deepEqual(body.lofty.sync_settings, kept);
    });

    it('needsReauth, by what is stored', options, async () => {
        const later = Math.floor(Date.now() / 1000) + 3600;
        const of = async (make) => {
            const id = await integration.agent();
            await external(id, 'zoom', 'connected', make(id));
            return (await call(id)).body.zoom.needsReauth;
        };
        const token = { access_token: 'x' };
        assert.equal(await of(() => ({})), false);
        assert.equal(await of(() => null), false);
        assert.equal(await of(() => token), false);
        assert.equal(await of(() => ({ ...token, expires_at: 0 })), false);
        assert.equal(await of(() => ({ ...token, expires_at: later })), false);
        assert.equal(await of(() => ({ ...token, expires_at: 1, refresh_token: '' })), true);
        assert.equal(await of(() => ({ ...token, expires_at: '2020-01-01T00:00:00Z' })), true);
        assert.equal(await of(() => ({ ...token, expires_at: new Date(later * 1000).toISOString() })), false);
        assert.equal(await of((id) => sealed(id, 'zoom', { ...token, expires_at: 1 })), true);
        assert.equal(await of((id) => sealed(id, 'zoom', { ...token, expires_at: 1, refresh_token: 'r' })), false);
        assert.equal(await of((id) => sealed(id, 'zoom', { ...token, expires_at: later })), false);
        assert.equal(await of((id) => sealed(id, 'facebook', { ...token, expires_at: later })), true, "another service's");
        assert.equal(await of((id) => seal(`external_service_connections:${id}:zoom`, token, randomBytes(32))), true, 'another key');
    });

    it("nobody else's", options, async () => {
        await external(await integration.agent(), 'zoom', 'connected');
        assert.equal((await call(await integration.agent())).body.connectedCount, 0);
    });

    it('no key on this host at all: 503', options, async () => {
        const id = await integration.agent();
        await external(id, 'zoom', 'connected', sealed(id, 'zoom', { access_token: 'x' }));
        const settings = { functions: ['getIntegrationContext'], database: integration.database.url, env: { EDGE_ENCRYPTION_KEY: null } };
        await withHost(settings, async (host) =>
            assertRefused(await post(host, 'getIntegrationContext', { token: await mint(id), body: {} }), 503, 'encryption_not_configured'));
    });

    it('in two round trips', options, async () => {
        const id = await integration.agent();
        const proxy = await countRoundTrips(integration.database.url);
        try {
            await withHost({ functions: ['getIntegrationContext'], database: proxy.url, server: { workers: 1 } }, async (host) => {
                const token = await mint(id);
                assert.equal(await fewestRoundTrips(proxy, async () => {
                    assert.equal((await post(host, 'getIntegrationContext', { token, body: {} })).status, 200);
                }), 2);
            });
        } finally {
            await proxy.stop();
        }
    });
});

describe('getIntegrationContext: the service', options, () => {
    it('sees the rows of the user it names', options, async () => {
        const id = await integration.agent();
        await external(id, 'zoom', 'connected');
        const as = (body) => post(integration.host, 'getIntegrationContext', { token: SERVICE_KEY, body });
        assert.equal((await as({ userId: id })).body.connectedCount, 1);
        assertRefused(await as({}), 400, 'invalid_input', 'userId');
    });
});

refusals(integration, 'getIntegrationContext', { mode: 'user_or_service' });
