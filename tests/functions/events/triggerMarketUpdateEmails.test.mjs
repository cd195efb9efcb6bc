/*
 * triggerMarketUpdateEmails (spec events.md S6): its examples, where figures come from and what is fetched for it, how they
 * are written, when it is due. The run itself is triggerDailyEmails.run.test.mjs.
 */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';

import { Mails, functions, quick } from '../../support/mail.mjs';
import { refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';

const NAME = 'triggerMarketUpdateEmails';
const s = suite({ functions: { [NAME]: functions[NAME] }, env: quick, server: { workers: 1 }, providers: { rapidapi_market: { first_byte_timeout: '300ms' } } });
const mails = new Mails(s, NAME);
const market = s.provider('rapidapi_market');
const NOW = '2026-03-12T14:00:00Z'; /* Thursday, 10:00 in New York */
const run = (body = {}) => mails.run({ now: NOW, ...body });
const RAW = { metrics: { median_sale_price: 425000.5, inventory: 1312, days_on_market: 27.4, price_trend: 'up' } };

async function agent(config, { preferences, id } = {}) {
    const user = await mails.reader(preferences, {}, id);
    if (config) await insert('market_config', { user_id: user, market_name: 'Austin Metro', state: 'TX', city: 'Austin', ...config });
    return user;
}

function insert(table, row) {
    const names = Object.keys(row);
    return s.database.rows(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`, Object.values(row));
}

const store = (user, data_date, raw_data, geography_id = 'TX-Austin-city') => insert('market_data', { user_id: user, geography_type: 'city', geography_id, raw_data, data_date });
const stored = (user) => s.database.rows('SELECT geography_type AS type, geography_id AS id, geography_name AS name, raw_data AS raw, data_date AS at FROM market_data WHERE user_id = $1', [user]);
const VARIABLES = '{marketName}|{medianPrice}|{inventory}|{daysOnMarket}|{priceTrend}|{asOf}|{staleNotice}';
const withTemplate = () => mails.template('market_update_email', VARIABLES, '{staleNotice}', 'x');
const subjects = async () => Object.fromEntries(await mails.subjects());
const of = async (user) => (await subjects())[`${user}@example.com`]?.split('|');

describe(NAME, options, () => {
    beforeEach(() => mails.clear());

    it('examples: figures in words, stored; two users of one city, one request', options, async () => {
        await agent({}, { id: 'user_a' });
        const other = await agent({ market_name: ' ' });
        await withTemplate();
        await market.order({ status: 200, body: RAW });
        const { body } = await run();
        assert.deepEqual([body.sent, body.failed, body.status], [2, 0, 'completed']);
        assert.deepEqual(await of('user_a'), ['Austin Metro', '$425,001', '1,312', '27', 'up', '2026-03-12', '']);
        assert.equal((await of(other))[0], 'Austin, TX');
        const [{ path, query, headers }, ...others] = await market.requests();
        assert.deepEqual([path, query, others], ['/market-trends', { state: 'TX', city: 'Austin', geographyType: 'city' }, []]);
        assert.ok(headers);
        for (const [user, name] of [['user_a', 'Austin Metro'], [other, 'Austin, TX']])
            assert.deepEqual(await stored(user), [{ type: 'city', id: 'TX-Austin-city', name, raw: RAW, at: new Date(NOW) }]);
        const [{ id, type, metadata }] = await mails.log('user_a');
        assert.deepEqual([id, type, metadata.period, metadata.marketName, metadata.stale, metadata.fetchError],
            ['41828a18-5f57-996f-76f3-7e8c9ba07fe0', 'market', '2026-W11', 'Austin Metro', false, undefined]);
    });

    it('example: 500, nothing stored, nothing set up: no mail', options, async () => {
        await agent({});
        await market.order({ status: 500, body: { message: 'SECRET' } });
        const { body } = await run();
        assert.deepEqual([body.sent, body.skipped, body.skippedReasons], [0, 1, { no_market_data: 1 }]);
        assert.deepEqual(await mails.resend.requests(), []);
    });

    it('without a territory: no mail', options, async () => {
        await agent(null);
        assert.deepEqual((await run()).body.skippedReasons, { no_market_config: 1 });
        assert.deepEqual(await market.requests(), []);
    });

    it('a day old at most: used as it is, nothing asked', options, async () => {
        await withTemplate();
        const [fresh, old] = [await agent({}), await agent({})];
        await store(fresh, '2026-03-11T14:00:00Z', { medianPrice: 1234567, inventory_level: 'low', dom: 9.5, priceTrend: 'down' });
        await store(old, '2026-03-11T13:59:59Z', { medianPrice: 1 });
        await market.order({ status: 200, body: RAW });
        await run();
        assert.deepEqual(await of(fresh), ['Austin Metro', '$1,234,567', 'low', '10', 'down', '2026-03-11', '']);
        assert.deepEqual(await of(old), ['Austin Metro', '$425,001', '1,312', '27', 'up', '2026-03-12', '']);
        assert.equal((await market.requests()).length, 1);
        assert.deepEqual((await stored(old))[0].at, new Date(NOW));
        assert.deepEqual((await stored(fresh))[0].at, new Date('2026-03-11T14:00:00Z'));
    });

    for (const [title, order] of [
        ['500', { status: 500, body: { message: 'SECRET' } }],
        ['429', { status: 429, body: { message: 'SECRET' } }],
        ['403', { status: 403, body: { message: 'SECRET' } }],
        ['no JSON', { status: 200, body: 'SECRET' }],
        ['no figures', { status: 200, body: { metrics: { note: 'SECRET' } } }],
        ['a broken connection', { drop: true }],
        ['half an answer', { truncateAfter: 10 }],
        ['no answer', { delayMs: 1000 }],
    ])
        it(`the provider: ${title}: what is stored, told as old; asked once`, options, async () => {
            await withTemplate();
            const [user, mate] = [await agent({}), await agent({ average_price: 350000 })];
            await store(user, '2026-01-02T03:00:00Z', RAW);
            await market.order(order);
            assert.equal((await run()).body.sent, 2);
            const [name, price, , , , asOf, notice] = await of(user);
            assert.deepEqual([name, price, asOf], ['Austin Metro', '$425,001', '2026-01-01']);
            assert.match(notice, /2026-01-01/);
            assert.equal((await of(mate))[1], '$350,000');
            /* A read whose connection breaks without a byte is repeated once. */
            assert.equal((await market.requests()).length, order.drop ? 2 : 1);
            const [{ metadata }] = await mails.log(user);
            assert.equal(metadata.stale, true);
            assert.ok(metadata.fetchError.length > 0 && metadata.fetchError.length <= 200);
            assert.doesNotMatch(JSON.stringify([await mails.resend.bodies(), metadata]), /SECRET/);
            assert.deepEqual((await stored(user))[0].at, new Date('2026-01-02T03:00:00Z'));
            assert.deepEqual(await stored(mate), []);
        });

    it('without the provider\'s key: as a failure', options, async () => {
        const user = await agent({ market_trend: 'hot' });
        const env = { ...quick, RAPIDAPI_MARKET_METRICS_API_KEY: null, RESEND_BASE_URL: `${s.host.url}/sandbox/resend` };
        await withHost({ functions: { [NAME]: functions[NAME] }, database: s.database.url, env }, async (host) => {
            assert.equal((await mails.run({ now: NOW }, host)).body.sent, 1);
        });
        assert.match((await mails.log(user))[0].metadata.fetchError, /not configured/);
        assert.deepEqual(await market.requests(), []);
    });

    it('what the user has set up, when there is nothing else', options, async () => {
        await withTemplate();
        const [full, half] = [
            await agent({ average_price: 512345.67, inventory_level: 'balanced', median_dom: 31, market_trend: 'stable' }),
            await agent({ market_trend: 'hot' }),
        ];
        await s.database.rows(`ALTER TABLE market_config DISABLE TRIGGER USER; UPDATE market_config SET updated_at = '2026-02-03T12:00:00Z'; ALTER TABLE market_config ENABLE TRIGGER USER`);
        await market.order({ status: 500, body: {}, times: 2 });
        await run();
        assert.deepEqual((await of(full)).slice(0, 6), ['Austin Metro', '$512,346', 'balanced', '31', 'stable', '2026-02-03']);
        assert.deepEqual((await of(half)).slice(1, 5), ['N/A', 'N/A', 'N/A', 'hot']);
    });

    it('figures of all kinds', options, async () => {
        await withTemplate();
        for (const [raw, expected] of [
            [{ median_sale_price: 999.5, inventory: 1000000, days_on_market: 0.5 }, ['$1,000', '1,000,000', '1', 'flat']],
            [{ median_sale_price: 0, inventory: 0, days_on_market: 0, price_trend: null }, ['$0', '0', '0', 'flat']],
            [{ median_sale_price: '$1.2M', inventory: null, inventory_level: 12, days_on_market: '~30' }, ['$1.2M', '12', '~30', 'flat']],
            [{ metrics: [], medianPrice: 100, dom: 7, priceTrend: 'down' }, ['$100', 'N/A', '7', 'down']],
            [{ metrics: {}, medianPrice: 100 }, undefined],
            [{ medianPrice: 424999.49999999994 }, ['$424,999', 'N/A', 'N/A', 'flat']],
        ]) {
            const user = await agent({ city: 'Waco' });
            await market.order({ status: 200, body: raw });
            await run({ userIds: [user] });
            assert.deepEqual((await of(user))?.slice(1, 5), expected, JSON.stringify(raw));
        }
    });

    it('cities are asked for once a run, over pages, four at a time; names are encoded', options, async () => {
        await s.database.rows(`INSERT INTO profiles (id, email) SELECT 'user_m' || i, 'user_m' || i || '@example.com' FROM generate_series(1, 60) AS i`);
        await s.database.rows(`INSERT INTO user_preferences (user_id) SELECT id FROM profiles`);
        await s.database.rows(`INSERT INTO market_config (user_id, market_name, state, city) SELECT id, 'M', 'CA', 'San José & ' || (row_number() OVER ()) % 7 FROM profiles`);
        await market.order({ status: 200, body: RAW, times: 0 });
        assert.equal((await run({ batchSize: 25 })).body.sent, 60);
        const cities = (await market.requests()).map(({ query }) => query.city).sort();
        assert.deepEqual(cities, Array.from({ length: 7 }, (_, i) => `San José & ${i}`));
        assert.equal(await s.database.count('market_data'), 60);
    });

    it('no state, no city: a place all the same', options, async () => {
        const [nowhere, state] = [await agent({ state: null, city: null }), await agent({ city: null, market_name: ' ' })];
        await market.order({ status: 200, body: RAW, times: 0 });
        assert.equal((await run()).body.sent, 2);
        assert.deepEqual([(await stored(nowhere))[0].id, (await stored(state))[0].id], ['unknown-unknown-city', 'TX-unknown-city']);
        assert.equal((await stored(state))[0].name, 'TX');
    });

    it('what cannot be stored can be mailed', options, async () => {
        await agent({});
        await market.order({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"metrics":{"median_sale_price":5,"note":"\\u0000"}}' });
        const { body } = await run();
        assert.equal(body.sent + body.skipped, 1, JSON.stringify(body));
        assert.equal(await s.database.count('market_data'), 0);
    });

    it('the built-in mail, in both parts; nothing of a market\'s name is markup', options, async () => {
        const user = await agent({ market_name: '<b>Austin</b>' });
        await store(user, '2026-03-01T12:00:00Z', RAW);
        await market.order({ status: 500, body: {} });
        await run();
        const [mail] = await mails.resend.bodies();
        assert.equal(mail.subject, 'Market update: <b>Austin</b>');
        assert.equal(mail.text.split('\n-- ')[0], [
            'Pulse AI', '', 'Hi Person,', '', '<b>Austin</b> in figures', 'Median price: $425,001', 'Homes for sale: 1,312', 'Days on market: 27',
            'Price trend: up', 'As of: 2026-03-01', '', 'About these figures', 'Newer figures were not available: these are from 2026-03-01.', '',
            'Open your market: https://pulse.pwru.app/market', '',
        ].join('\n'));
        assert.match(mail.html, /&lt;b&gt;Austin&lt;\/b&gt; in figures/);
        assert.doesNotMatch(mail.html, /<b>/);
    });

    it('a dry run asks nobody', options, async () => {
        const user = await agent({});
        await agent(null);
        const { body } = await run({ dryRun: true });
        assert.deepEqual([body.preview, body.skippedReasons], [[{ userId: user, subject: 'Market update: Austin Metro', period: '2026-W11' }], { no_market_config: 1 }]);
        assert.deepEqual([await market.requests(), await mails.resend.requests(), await s.database.count('market_data')], [[], [], 0]);
    });

    it('Thursdays from 9 to 18 of the user\'s clock, once a week', options, async () => {
        await market.order({ status: 200, body: RAW, times: 0 });
        for (const [now, due] of [
            ['2026-03-12T12:59:59Z', 0], ['2026-03-12T13:00:00Z', 1], ['2026-03-12T21:59:59Z', 1], ['2026-03-12T22:00:00Z', 0],
            ['2026-03-11T14:00:00Z', 0], ['2026-03-13T14:00:00Z', 0], ['2026-03-05T13:59:59Z', 0], ['2026-03-05T14:00:00Z', 1],
        ]) {
            await mails.clear();
            await agent({});
            assert.deepEqual([now, (await run({ now })).body.sent], [now, due]);
        }
        await mails.clear();
        await agent({});
        await agent({}, { preferences: { market_updates: false } });
        const sent = [];
        for (const now of ['2026-03-12T13:35:00Z', '2026-03-12T20:35:00Z', '2026-03-19T13:35:00Z']) sent.push((await run({ now })).body.sent);
        assert.deepEqual(sent, [1, 0, 1]);
    });
});

refusals(s, NAME, { mode: 'service', wrong: { now: ['soon'] }, untouched: ['email_delivery_logs'], hostOptions: { functions: { [NAME]: functions[NAME] } } });
