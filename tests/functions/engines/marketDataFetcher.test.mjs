/*
 * marketDataFetcher (spec engines.md): its examples, whose data is fresh for how long, every failure of the provider with
 * and without something kept, one fetch at a time.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { SERVICE_KEY, eventually } from '../../support/host.mjs';
import { credential } from '../../support/providers.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const DAY_MS = 86400000;

const market = suite({ functions: ['marketDataFetcher'] });
const provider = market.provider('rapidapi_market');
const rows = (...query) => market.database.rows(...query);
const call = (id, body = {}, more = {}) => market.call('marketDataFetcher', id, body, more);
const asService = (body) => post(market.host, 'marketDataFetcher', { token: SERVICE_KEY, body });
const kept = (id) => rows('SELECT * FROM market_data WHERE user_id = $1 ORDER BY geography_id', [id]);
const asked = async () => (await provider.requests()).length;

/* A person with market settings; tier and role as given. */
async function agent({ state = 'TX', city = 'Austin', name = 'Austin Metro', ...profile } = {}) {
    const id = await market.agent(profile);
    await rows(`INSERT INTO market_config (user_id, market_name, state, city) VALUES ($1, $2, $3, $4)`, [id, name, state, city]);
    return id;
}

/* Data for the settings above, so many days old. */
const keep = (id, days, raw = { kept: true }) =>
    rows(
        `INSERT INTO market_data (user_id, geography_type, geography_id, geography_name, raw_data, data_date)
         VALUES ($1, 'city', 'TX-Austin-city', 'Austin Metro', $2, now() - $3 * interval '1 day')`,
        [id, raw, days],
    );

describe('marketDataFetcher: examples', options, () => {
    it('1: the settings, fetched and kept', options, async () => {
        const id = await agent();
        const { status, body } = await call(id, undefined);
        assert.equal(status, 200, JSON.stringify(body));
        const [request, ...more] = await provider.requests();
        assert.equal(more.length, 0);
        assert.equal(request.method, 'GET');
        assert.equal(request.path, '/market-trends');
        assert.deepEqual(Object.entries(request.query), [['state', 'TX'], ['city', 'Austin'], ['geographyType', 'city']]);
        const { rawData, dataDate, created_date, ...data } = body.marketData;
        assert.deepEqual(data, { userId: id, geographyType: 'city', geographyName: 'Austin Metro', geographyId: 'TX-Austin-city' });
        assert.equal(rawData.data.city, 'Austin');
        assert.equal(created_date, dataDate);
        assert.deepEqual([body.success, body.cached, body.stale, body.error], [true, false, false, null]);
        const [row, ...others] = await kept(id);
        assert.equal(others.length, 0);
        assert.deepEqual(row.raw_data, rawData);
        assert.equal(row.data_date.toISOString(), dataDate);
        assert.deepEqual([row.geography_id, row.geography_name, row.geography_type], ['TX-Austin-city', 'Austin Metro', 'city']);
    });

    it("2: the body's geography", options, async () => {
        const id = await agent();
        const first = (await call(id, { geography: { state: 'CA', city: 'San Jose' } })).body.marketData;
        assert.equal(first.geographyName, 'San Jose, CA');
        const second = (await call(id, { geography: { state: 'CA', city: null } })).body.marketData;
        assert.deepEqual([second.geographyName, second.geographyId], [', CA', 'CA-unknown-city']);
        const third = (await call(id, { geography: { city: 'A&B=c+d', market_name: 'Mine', geography_type: 'zip_code' } })).body.marketData;
        assert.deepEqual([third.geographyName, third.geographyId], ['Mine', 'unknown-A&B=c+d-zip_code']);
        assert.deepEqual((await provider.requests()).map(({ query }) => query), [
            { state: 'CA', city: 'San Jose', geographyType: 'city' }, { state: 'CA', geographyType: 'city' },
            { city: 'A&B=c+d', geographyType: 'zip_code' },
        ]);
        assert.equal((await kept(id)).length, 3);
    });

    it('3: 29 days old is fresh for Free, 30 is not', options, async () => {
        const id = await agent(), other = await agent();
        await keep(id, 29);
        await keep(other, 30);
        const cached = (await call(id)).body;
        assert.deepEqual([cached.cached, cached.stale, cached.marketData.rawData], [true, false, { kept: true }]);
        const fetched = (await call(other)).body;
        assert.equal(fetched.cached, false);
        assert.equal(await asked(), 1);
        assert.equal((await kept(other)).length, 1);
        assert.ok((await kept(other))[0].data_date > Date.now() - 60000);
    });

    it('4: when the provider fails: what is kept, or 502', options, async () => {
        const id = await agent(), other = await agent();
        await keep(id, 31);
        const before = await kept(id);
        await provider.order({ status: 500, body: 'secret words', times: 2 });
        const { status, body } = await call(id);
        assert.equal(status, 200);
        assert.deepEqual([body.success, body.cached, body.stale, body.marketData.rawData], [true, true, true, { kept: true }]);
        assert.match(body.error, /market data provider/);
        assert.deepEqual(await kept(id), before);
        const refused = await call(other);
        assertRefused(refused, 502, 'provider_error');
        assert.equal(refused.body.success, false);
        assert.doesNotMatch(JSON.stringify([body, refused.body]), /secret words/);
        assert.equal((await kept(other)).length, 0);
    });
});

describe('marketDataFetcher: freshness', options, () => {
    it('by tier and role', options, async () => {
        const cached = async (days, profile) => {
            const id = await agent(profile);
            await keep(id, days);
            return (await call(id)).body.cached;
        };
        assert.equal(await cached(6.99, { subscription_tier: 'Subscriber' }), true);
        assert.equal(await cached(7, { subscription_tier: 'Subscriber' }), false);
        assert.equal(await cached(29.99, { subscription_tier: null }), true);
        assert.equal(await cached(29.99, { subscription_tier: 'Owner' }), true);
        assert.equal(await cached(0.001, { subscription_tier: 'Admin' }), false);
        assert.equal(await cached(0.001, { role: 'admin' }), false);
        const admin = await market.admin();
        await rows(`INSERT INTO market_config (user_id, market_name, state, city) VALUES ($1, 'M', 'TX', 'Austin')`, [admin]);
        await keep(admin, 0.001);
        assert.equal((await call(admin)).body.cached, false);
    });

    it('empty data is none', options, async () => {
        const id = await agent();
        await keep(id, 1, {});
        assert.equal((await call(id)).body.cached, false);
        const other = await agent();
        await keep(other, 31, {});
        await provider.order({ status: 503, body: {} });
        assertRefused(await call(other), 502, 'provider_error');
    });

    it('refresh is too soon for a user and not for the service', options, async () => {
        const id = await agent();
        await keep(id, 1);
        const [{ data_date }] = await kept(id);
        const answer = await call(id, { refresh: true });
        assertRefused(answer, 429, 'market_refresh_too_soon');
        assert.equal(answer.body.success, false);
        assert.equal(answer.body.nextRefreshAt, new Date(data_date.getTime() + 30 * DAY_MS).toISOString());
        assert.ok(Number(answer.headers.get('retry-after')) > 28 * 86400);
        assert.equal(await asked(), 0);
        assert.equal((await asService({ userId: id })).body.cached, true, "the service has the user's tier");
        assert.equal((await asService({ userId: id, refresh: true })).body.cached, false);
        const old = await agent();
        await keep(old, 31);
        assert.equal((await call(old, { refresh: true })).body.cached, false);
    });
});

describe('marketDataFetcher: the provider', options, () => {
    it('every failure, with nothing kept', options, async () => {
        const cases = [
            [{ status: 429, body: { message: 'Too many requests' } }, 429, 'provider_rate_limited'],
            [{ status: 400, body: {} }, 422, 'provider_rejected'],
            [{ status: 403, body: { message: 'You are not subscribed to this API.' } }, 422, 'provider_rejected'],
            [{ status: 404, body: {} }, 422, 'provider_rejected'],
            [{ status: 500, body: {} }, 502, 'provider_error'],
            [{ status: 302, headers: { location: 'https://example.com/' }, body: {} }, 502, 'provider_error'],
            [{ status: 200, body: 'no JSON' }, 502, 'provider_error'],
            [{ status: 200, body: '"text"' }, 502, 'provider_error'],
            [{ status: 200, body: '{"a": "\\u0000"}' }, 502, 'provider_error'],
            [{ truncateAfter: 40 }, 502, 'provider_error'],
            [{ drop: true, times: 2 }, 502, 'provider_error'],
            [{ status: 200, body: {}, padTo: (2 << 20) + 1 }, 502, 'provider_error'],
        ];
        const id = await agent();
        for (const [order, status, code] of cases) {
            await provider.reset();
            await provider.order(order);
            const answer = await call(id);
            assertRefused(answer, status, code);
            assert.equal(answer.body.success, false);
        }
        assert.equal((await kept(id)).length, 0);
        /* Given back once the refusal is on its way. */
        await eventually(async () => (await market.database.count('edge.leases')) === 0, 'the lease to be given back');
    });

    it('a list is data; so is 2xx', options, async () => {
        await provider.order({ status: 201, body: [{ a: 1.5 }] });
        assert.deepEqual((await call(await agent())).body.marketData.rawData, [{ a: 1.5 }]);
    });

    it('too slow, or without a key', options, async () => {
        const id = await agent();
        const settings = { functions: ['marketDataFetcher'], database: market.database.url };
        await withHost({ ...settings, providers: { rapidapi_market: { first_byte_timeout: '200ms' } } }, async (host) => {
            await fetch(`${host.url}/sandbox/_control`, {
                method: 'POST',
                headers: { 'content-type': 'application/json' },
                body: JSON.stringify({ provider: 'rapidapi_market', answers: [{ delayMs: 1000 }] }),
            });
            assertRefused(await call(id, {}, { host }), 504, 'provider_timeout');
        });
        await withHost({ ...settings, env: { RAPIDAPI_MARKET_METRICS_API_KEY: null } }, async (host) => {
            const answer = await call(id, {}, { host });
            assertRefused(answer, 503, 'not_configured');
            assert.match(answer.body.error, /RAPIDAPI_MARKET_METRICS_API_KEY/);
            await keep(id, 40);
            assert.equal((await call(id, {}, { host })).body.stale, true);
        });
    });

    it('is sent a form-encoded query, the key, and its own name as host', options, async () => {
        const id = await agent();
        const seen = [];
        const server = http.createServer((request, response) => {
            seen.push({ url: request.url, headers: request.headers });
            response.writeHead(200, { 'content-type': 'application/json' }).end('{"a": 1}');
        });
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        const env = { RAPIDAPI_MARKET_BASE_URL: `http://127.0.0.1:${server.address().port}/base/` };
        await withHost({ functions: ['marketDataFetcher'], database: market.database.url, env }, async (host) => {
            const geography = { state: 'CA', city: 'San José & Sons' };
            assert.deepEqual((await call(id, { geography }, { host })).body.marketData.rawData, { a: 1 });
        });
        server.close();
        assert.equal(seen.length, 1);
        assert.equal(seen[0].url, '/base/market-trends?state=CA&city=San+Jos%C3%A9+%26+Sons&geographyType=city');
        assert.equal(seen[0].headers['x-rapidapi-key'], credential('RAPIDAPI_MARKET_METRICS_API_KEY'));
        assert.equal(seen[0].headers['x-rapidapi-host'], 'redfin-com-data.p.rapidapi.com');
    });

    it('one fetch for many calls at two hosts', options, async () => {
        const id = await agent();
        await provider.order({ delayMs: 300 });
        const env = { RAPIDAPI_MARKET_BASE_URL: `${market.host.url}/sandbox/rapidapi_market` };
        await withHost({ functions: ['marketDataFetcher'], database: market.database.url, env }, async (host) => {
            const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => call(id, {}, i % 2 ? { host } : {})));
            for (const { status } of answers) assert.equal(status, 200);
            assert.equal(new Set(answers.map(({ body }) => body.marketData.dataDate)).size, 1);
        });
        assert.equal(await asked(), 1);
    });
});

describe('marketDataFetcher: geography', options, () => {
    it('no settings, or settings of no place: 400', options, async () => {
        const answer = await call(await market.agent());
        assertRefused(answer, 400, 'market_config_missing');
        assert.equal(answer.body.error, 'Market configuration missing');
        assertRefused(await call(await agent({ state: '', city: null })), 400, 'market_config_missing');
        assert.equal((await call(await agent({ state: null }))).status, 200);
    });

    it('users who do not exist: 404', options, async () => {
        assertRefused(await call('user_nobody'), 404, 'user_not_found');
        assertRefused(await asService({ userId: 'user_nobody', geography: { state: 'TX' } }), 404, 'user_not_found');
        assertRefused(await asService({}), 400, 'invalid_input', 'userId');
    });

    it('places that are none: 400 naming the field', options, async () => {
        const id = await agent();
        const refused = async (geography, field) => {
            const answer = await call(id, { geography });
            assertRefused(answer, 400, 'invalid_input', field);
            assert.equal(answer.body.success, false);
        };
        await refused({}, 'geography');
        await refused({ state: '', city: null }, 'geography');
        await refused({ market_name: 'X' }, 'geography');
        for (const wrong of [7, true, [], {}, 'x'.repeat(65)]) await refused({ state: wrong, city: 'Austin' }, 'geography.state');
        await refused({ city: 'x'.repeat(129) }, 'geography.city');
        await refused({ city: 'x', market_name: 'x'.repeat(201) }, 'geography.market_name');
        for (const wrong of ['City', 'a-b', 'x'.repeat(33), 7]) await refused({ city: 'x', geography_type: wrong }, 'geography.geography_type');
        assert.equal((await call(id, { geography: { state: 'x'.repeat(64), city: 'y'.repeat(128), market_name: 'z'.repeat(200), geography_type: 'a'.repeat(32) } })).status, 200);
    });
});

refusals(market, 'marketDataFetcher', {
    mode: 'user_or_service',
    wrong: { geography: NOT.object, refresh: NOT.boolean },
    untouched: ['market_data', 'edge.leases'],
});
