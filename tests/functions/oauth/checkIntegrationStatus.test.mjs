/*
 * checkIntegrationStatus (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { Connections } from '../../support/connections.mjs';
import { TIMEOUT } from '../../support/oauth_callbacks.mjs';
import { assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'checkIntegrationStatus';
const LIVE = ['resend', 'elevenlabs', 'twilio', 'openai'];
const health = suite({ functions: [NAME], env: { ...TIMEOUT, OAUTH_TIMEOUT_MS: '4000' } });
const connections = new Connections(health);
const stand = (name) => health.provider(name);
let admin;

const NAMES = {
    resend: 'Resend (Email)', elevenlabs: 'ElevenLabs (Voice)', twilio: 'Twilio (Phone)', openai: 'OpenAI (LLM)', rapidapi: 'RapidAPI (Market Data)',
    shopify: 'Shopify (Orders)', gohighlevel: 'GoHighLevel (Subscriptions)', google_workspace: 'Google Workspace', microsoft_365: 'Microsoft 365', meta: 'Meta (Facebook/Instagram)',
};
const ANSWERS = {
    resend: { data: [{ id: '1' }, { id: '2', secret: 'SECRET' }] }, elevenlabs: { voices: [{ voice_id: 'v' }] },
    twilio: { accounts: [{ status: 'active', auth_token: 'SECRET' }] }, openai: { object: 'list', data: [{ id: 'm' }, { id: 'n' }, { id: 'o' }] },
};

/* All four answer well, but for those that are given. */
async function providers(orders = {}) {
    await Promise.all(LIVE.map((name) => stand(name).order(orders[name] ?? { status: 200, body: ANSWERS[name] })));
}

async function status(body = {}, more = {}) {
    const answer = await health.call(NAME, admin, body, more);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return { ...answer.body, by: Object.fromEntries(answer.body.integrations.map((entry) => [entry.key, entry])) };
}

/* One live service after its provider did this. */
async function after(name, order) {
    await providers({ [name]: order });
    return (await status({ force: true })).by[name];
}

before(async () => {
    for (const name of LIVE) stand(name);
}, options);
beforeEach(async () => {
    admin ??= await health.admin();
    await health.database.rows('TRUNCATE integration_status, external_service_connections, market_data');
}, options);

refusals(health, NAME, { mode: 'admin', wrong: { force: ['true', 7, [], {}] }, untouched: ['integration_status'], caller: () => health.admin() });

it('offline, the stand-ins are what it asks: all four are healthy', options, async () => {
    const { by } = await status({ force: true });
    assert.deepEqual(LIVE.map((key) => [by[key].status, by[key].errorMessage, by[key].metadata]), [
        ['healthy', null, { domains: 1 }], ['healthy', null, { voices: 2 }], ['healthy', null, { accountStatus: 'active' }], ['healthy', null, { models: by.openai.metadata.models }],
    ]);
    assert.ok(by.openai.metadata.models > 0);
});

describe('checkIntegrationStatus: examples', options, () => {
    it('1: empty tables, Twilio refuses', options, async () => {
        await providers({ twilio: { status: 401, body: { message: 'SECRET' } } });
        const { integrations, summary, lastChecked, by } = await status();
        assert.deepEqual(integrations.map(({ key, name }) => [key, name]), Object.entries(NAMES));
        assert.ok(Math.abs(Date.parse(lastChecked) - Date.now()) < 60000);
        assert.deepEqual(summary, { healthy: 3, degraded: 6, error: 1 });
        assert.deepEqual([by.twilio.status, by.twilio.errorMessage, by.twilio.metadata], ['error', 'HTTP 401', {}]);
        assert.deepEqual(LIVE.filter((key) => key !== 'twilio').map((key) => [by[key].status, by[key].metadata]), [
            ['healthy', { domains: 2 }], ['healthy', { voices: 1 }], ['healthy', { models: 3 }],
        ]);
        for (const { responseTime, cached } of LIVE.map((key) => by[key])) assert.ok(Number.isInteger(responseTime) && responseTime >= 0 && !cached);
        assert.deepEqual([by.rapidapi.status, by.rapidapi.errorMessage, by.rapidapi.metadata], ['degraded', 'Live connectivity checks are disabled by default', { lastFetchedAt: null }]);
        assert.deepEqual(['shopify', 'gohighlevel'].map((key) => [by[key].status, by[key].errorMessage, by[key].lastChecked]), Array(2).fill(['degraded', 'No webhooks received yet', null]));
        for (const key of ['google_workspace', 'microsoft_365', 'meta'])
            assert.deepEqual([by[key].status, by[key].errorMessage, by[key].metadata], ['degraded', null, { activeConnections: 0, failingConnections: 0 }]);
        const rows = await health.database.rows('SELECT * FROM integration_status');
        assert.deepEqual(rows.map((row) => row.service).sort(), Object.keys(NAMES).filter((key) => !['shopify', 'gohighlevel'].includes(key)).sort());
        for (const row of rows) {
            const entry = by[row.service];
            assert.deepEqual([row.status, row.response_time_ms, row.error_message, row.metadata, row.last_checked.toISOString()], [
                entry.status, entry.responseTime, entry.errorMessage, entry.metadata, entry.lastChecked,
            ]);
        }
        const [asked] = await stand('twilio').requests();
        assert.deepEqual([asked.path, asked.query], ['/2010-04-01/Accounts.json', { PageSize: '1' }]);
        assert.equal(asked.headers.authorization, `Basic ${Buffer.from('test-twilio-account-sid:test-twilio-auth-token').toString('base64')}`);
        const paths = await Promise.all(['resend', 'elevenlabs', 'openai'].map(async (name) => (await stand(name).requests())[0]));
        assert.deepEqual(paths.map(({ path }) => path), ['/domains', '/v1/voices', '/v1/models']);
        assert.equal(paths[1].headers['xi-api-key'], 'test-elevenlabs-api-key');
    });

    it('2: connections are counted over all users', options, async () => {
        const people = await Promise.all([1, 2, 3].map(() => health.agent()));
        for (const [i, state] of ['connected', 'error', 'error'].entries()) await connections.add(people[i], 'google_workspace', { status: state });
        for (const [i, service] of ['facebook', 'instagram'].entries()) await connections.add(people[i], service);
        await connections.add(people[2], 'facebook', { status: 'error' });
        await connections.add(people[0], 'microsoft_365', { status: 'pending' });
        await providers();
        const { by } = await status();
        assert.deepEqual([by.google_workspace.status, by.google_workspace.metadata], ['degraded', { activeConnections: 1, failingConnections: 2 }]);
        assert.deepEqual([by.meta.status, by.meta.metadata], ['healthy', { activeConnections: 2, failingConnections: 1 }]);
        assert.deepEqual(by.microsoft_365.metadata, { activeConnections: 0, failingConnections: 0 });
    });
});

describe('checkIntegrationStatus: probes', options, () => {
    for (const name of LIVE)
        it(`${name}: what it may answer`, options, async () => {
            for (const [order, message] of [
                [{ status: 500, body: 'SECRET' }, 'HTTP 500'],
                [{ status: 403, body: { secret: 'SECRET' } }, 'HTTP 403'],
                [{ status: 302, headers: { location: 'https://evil.example' }, body: {} }, 'HTTP 302'],
                [{ drop: true, times: 2 }, 'Connection failed'],
            ]) {
                const { status: state, errorMessage, metadata } = await after(name, order);
                assert.deepEqual([state, errorMessage, metadata], ['error', message, {}]);
                await stand(name).reset();
            }
        });

    it("Resend's key that may only send works", options, async () => {
        const entry = await after('resend', { status: 401, body: { statusCode: 401, name: 'restricted_api_key', message: 'SECRET' } });
        assert.deepEqual([entry.status, entry.errorMessage, entry.metadata], ['healthy', null, { restrictedKey: true }]);
        assert.equal((await after('resend', { status: 401, body: { name: 'validation_error' } })).errorMessage, 'HTTP 401');
        assert.equal((await after('openai', { status: 401, body: { name: 'restricted_api_key' } })).errorMessage, 'HTTP 401');
    });

    it("Twilio's account", options, async () => {
        for (const [state, expected, message] of [['active', 'healthy', null], ['suspended', 'degraded', 'Account suspended'], ['closed', 'degraded', 'Account closed']]) {
            const entry = await after('twilio', { status: 200, body: { accounts: [{ status: state, auth_token: 'SECRET' }] } });
            assert.deepEqual([entry.status, entry.errorMessage, entry.metadata], [expected, message, { accountStatus: state }]);
        }
    });

    it('slow is degraded, too slow an error; all at the same time', options, async () => {
        const begun = Date.now();
        await providers({ openai: { delayMs: 2100, status: 200, body: ANSWERS.openai }, resend: { delayMs: 20000 }, elevenlabs: { delayMs: 20000 }, twilio: { delayMs: 20000 } });
        const { by } = await status();
        assert.ok(Date.now() - begun < 12000, 'not one after the other');
        assert.deepEqual([by.openai.status, by.openai.errorMessage], ['degraded', null]);
        for (const key of ['resend', 'elevenlabs', 'twilio']) assert.deepEqual([by[key].status, by[key].errorMessage], ['error', 'Timed out']);
    });

    it('within half a minute it is as it was; force asks again', options, async () => {
        await providers({ resend: { status: 500, body: {} } });
        const first = await status();
        const second = await status();
        for (const key of LIVE) assert.deepEqual(second.by[key], { ...first.by[key], cached: true });
        assert.equal(second.by.meta.cached, false);
        await providers();
        assert.equal((await status({ force: true })).by.resend.status, 'healthy');
        await health.database.rows(`UPDATE integration_status SET last_checked = now() - interval '31 seconds' WHERE service = 'openai'`);
        await stand('openai').order({ status: 503, body: {} });
        const third = await status();
        assert.deepEqual([third.by.openai.cached, third.by.openai.status, third.by.resend.cached], [false, 'error', true]);
    });
});

describe('checkIntegrationStatus: what is not asked', options, () => {
    it('market data: by its age', options, async () => {
        const user = await health.agent();
        for (const [age, state] of [['6 days 23 hours', 'healthy'], ['8 days', 'degraded']]) {
            await health.database.rows('TRUNCATE market_data');
            const { data_date } = await health.database.row(
                `INSERT INTO market_data (user_id, geography_id, data_date) VALUES ($1, 'g', now() - $2::interval) RETURNING data_date`, [user, age]);
            await providers();
            const { rapidapi } = (await status({ force: true })).by;
            assert.deepEqual([rapidapi.status, rapidapi.responseTime], [state, null]);
            assert.equal(Date.parse(rapidapi.metadata.lastFetchedAt), data_date.getTime());
        }
    });

    it("webhooks' rows are read, not written", options, async () => {
        await health.database.rows(
            `INSERT INTO integration_status (service, status, response_time_ms, last_checked, error_message, metadata) VALUES ('shopify', 'error', 12, '2026-01-02T03:04:05Z', 'late', '{"lastTopic":"orders/paid"}')`);
        const before_ = await health.database.row(`SELECT * FROM integration_status WHERE service = 'shopify'`);
        await providers();
        const { shopify } = (await status()).by;
        assert.deepEqual([shopify.status, shopify.responseTime, shopify.lastChecked, shopify.errorMessage, shopify.metadata], [
            'error', 12, '2026-01-02T03:04:05.000Z', 'late', { lastTopic: 'orders/paid' },
        ]);
        assert.deepEqual(await health.database.row(`SELECT * FROM integration_status WHERE service = 'shopify'`), before_);
    });

    it('nothing configured: errors, and no call', options, async () => {
        const env = Object.fromEntries(
            ['RESEND_API_KEY', 'ELEVENLABS_API_KEY', 'TWILIO_AUTH_TOKEN', 'OPENAI_API_KEY', 'RAPIDAPI_MARKET_METRICS_API_KEY', 'GOOGLE_WORKSPACE_CLIENT_ID', 'MICROSOFT_CLIENT_SECRET', 'META_APP_ID'].map((name) => [name, null]));
        const token = await mint(admin);
        await withHost({ functions: [NAME], database: health.database.url, env }, async (host) => {
            const { body } = await post(host, NAME, { token, body: {} });
            const by = Object.fromEntries(body.integrations.map((entry) => [entry.key, entry]));
            assert.equal(body.summary.error, 8);
            for (const key of ['resend', 'elevenlabs', 'openai', 'rapidapi']) assert.equal(by[key].errorMessage, 'API key not configured');
            assert.equal(by.twilio.errorMessage, 'Credentials not configured');
            for (const key of ['google_workspace', 'microsoft_365', 'meta']) assert.equal(by[key].errorMessage, 'OAuth client not configured');
        });
    });

    it('the other name of the ElevenLabs key', options, async () => {
        const env = { ELEVENLABS_API_KEY: null, ELEVEN_LABS_API_KEY: 'test-elevenlabs-api-key' };
        const token = await mint(admin);
        await withHost({ functions: [NAME], database: health.database.url, env }, async (host) => {
            const { body } = await post(host, NAME, { token, body: {} });
            assert.notEqual(body.integrations[1].errorMessage, 'API key not configured');
        });
    });

    it('a database that fails: the list is there all the same, and empty', options, async () => {
        await health.database.rows('ALTER TABLE integration_status RENAME TO integration_status_away');
        try {
            const answer = await health.call(NAME, admin, {});
            assertRefused(answer, 500, 'internal_error');
            assert.deepEqual(answer.body.integrations, []);
        } finally {
            await health.database.rows('ALTER TABLE integration_status_away RENAME TO integration_status');
        }
    });
});

it('checkIntegrationStatus: nothing that a provider said', options, async () => {
    await providers({ twilio: { status: 500, body: 'SECRET' } });
    assert.doesNotMatch(JSON.stringify(await status({ force: true })), /SECRET/);
    assert.doesNotMatch(health.host.text(), /SECRET/);
    assert.doesNotMatch(JSON.stringify(await health.database.rows('SELECT * FROM integration_status')), /SECRET/);
});
