/*
 * syncGoalProgressFromCrm (spec engines.md): its examples, which deals count and for how much, what becomes of the goals;
 * random deals against the rules written down once more in JavaScript.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { numbers } from '../../support/engines.mjs';
import { NOT, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const TITLES = ['Annual GCI', 'Total Transactions', 'Buyer Transactions', 'Listing Transactions', 'Total Sales Volume'];

const sync = suite({ functions: ['syncGoalProgressFromCrm'] });
const rows = (...query) => sync.database.rows(...query);
const call = (id, body = {}) => sync.call('syncGoalProgressFromCrm', id, body);

let clock = 0;
const deal = (id, type, status, commission = null, metadata = {}, closes = null) =>
    rows(
        `INSERT INTO transactions (user_id, transaction_type, status, commission_amount, metadata, expected_close_date, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, '2026-01-01Z'::timestamptz + $7 * interval '1 second')`,
        [id, type, status, commission, metadata, closes, ++clock],
    );
const deals = (id, count) =>
    rows(
        `INSERT INTO transactions (user_id, transaction_type, status) SELECT $1, 'other', 'closed' FROM generate_series(1, $2::int)`,
        [id, count],
    );
const goal = (id, title, target, current = 0, more = {}) =>
    rows(
        `INSERT INTO goals (user_id, title, goal_type, target_value, current_value, status, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [id, title, more.type ?? 'annual', target, current, more.status ?? 'active', more.created ?? '2026-01-01Z'],
    );
const goals = (id) => rows('SELECT * FROM goals WHERE user_id = $1 ORDER BY created_at, title', [id]);

describe('syncGoalProgressFromCrm: examples', options, () => {
    it('1: two closed deals', options, async () => {
        const id = await sync.agent();
        await deal(id, 'buyer', 'closed', 9000, { sale_price: 300000 });
        await deal(id, 'seller', 'closed', 12500.5, { close_price: '410000' });
        await deal(id, 'buyer', 'pending', 5000);
        await goal(id, 'Annual GCI', 43001);
        const { status, body } = await call(id, undefined);
        assert.equal(status, 200);
        assert.deepEqual(body, {
            success: true,
            provider: null,
            goalsUpdated: 1,
            metrics: { totalGci: 21500.5, totalDeals: 2, totalBuyerDeals: 1, totalListingDeals: 1, totalVolume: 710000 },
            updates: [
                { title: 'Annual GCI', previous: 0, current: 21500.5, target: 43001, progress: 50, status: 'active', trend: 'behind' },
            ],
            dryRun: false,
        });
        const [row] = await goals(id);
        assert.deepEqual([row.current_value, row.progress_percentage, row.status, row.trend], ['21500.50', 50, 'active', 'behind']);
        assert.equal((await call(id)).body.goalsUpdated, 0, 'a repeated call updates nothing');
    });

    it('2: 57 of 200 is 28.499999999999996 per cent', options, async () => {
        for (const [count, progress, trend] of [[57, 28, 'at-risk'], [159, 80, 'on-track'], [99, 50, 'behind']]) {
            const id = await sync.agent();
            await deals(id, count);
            await goal(id, 'Total Transactions', 200);
            const [update] = (await call(id, { provider: 'lofty' })).body.updates;
            assert.deepEqual([update.current, update.progress, update.trend], [count, progress, trend]);
        }
    });

    it('3: no price and no plan is no volume', options, async () => {
        const id = await sync.agent();
        await deals(id, 1);
        await goal(id, 'Total Sales Volume', 100);
        const { body } = await call(id);
        assert.equal(body.metrics.totalVolume, 0);
        assert.equal(body.goalsUpdated, 0);
    });

    it('4: less than a cent is no change', options, async () => {
        const id = await sync.agent();
        await deal(id, 'buyer', 'closed', 100.005);
        await goal(id, 'Annual GCI', 200, 100, { status: 'odd' });
        assert.equal((await call(id)).body.goalsUpdated, 0);
        assert.equal((await goals(id))[0].status, 'odd');
    });
});

describe('syncGoalProgressFromCrm: deals', options, () => {
    it('statuses and sides', options, async () => {
        const id = await sync.agent();
        for (const status of ['Closed - funded', 'not completed', 'WON', 'finished', 'settled']) await deal(id, 'land', status);
        for (const status of ['pending', 'close', '', null]) await deal(id, 'buyer', status);
        await deal(id, 'Buyer/Seller dual', 'closed');
        await deal(id, 'New Listing', 'closed');
        await deal(id, 'SELLER', 'closed');
        const { totalDeals, totalBuyerDeals, totalListingDeals, totalGci } = (await call(id)).body.metrics;
        assert.deepEqual([totalDeals, totalBuyerDeals, totalListingDeals, totalGci], [8, 1, 2, 0]);
    });

    it('prices as they are written', options, async () => {
        const cases = [
            [{ sale_price: 0, price: 5 }, 0], [{ sale_price: '', price: 5 }, 0], [{ sale_price: null, price: 5 }, 5],
            [{ sales_price: 1.5, close_price: 9 }, 1.5], [{ price: ' 410000.25 ' }, 410000.25], [{ price: '450,000' }, 0],
            [{ price: '$450000' }, 0], [{ price: '1e3' }, 1000], [{ price: '.5' }, 0.5], [{ price: '5.' }, 5], [{ price: '+7' }, 7],
            [{ price: '0x1F' }, 31], [{ price: '0b101' }, 5], [{ price: '0o17' }, 15], [{ price: '-0x1F' }, 0], [{ price: '0x' }, 0],
            [{ price: '1e999' }, 0], [{ price: 'Infinity' }, 0], [{ price: '1_000' }, 0], [{ price: '1 2' }, 0], [{ price: true }, 0],
            [{ price: [5] }, 0], [{ price: { a: 5 } }, 0], [{ price: 'e5' }, 0], [{ price: '1e' }, 0], [[5], 0],
        ];
        for (const [metadata, volume] of cases) {
            const id = await sync.agent();
            await deal(id, 'buyer', 'closed', null, JSON.stringify(metadata));
            assert.equal((await call(id)).body.metrics.totalVolume, volume, JSON.stringify(metadata));
        }
    });

    it("the plan's average where no price is known", options, async () => {
        const id = await sync.agent();
        await deals(id, 3);
        await rows('INSERT INTO business_plans (user_id, avg_sale_price) VALUES ($1, 450000.1)', [id]);
        await goal(id, 'Total Sales Volume', 100);
        const { metrics, updates } = (await call(id)).body;
        assert.equal(metrics.totalVolume, 3 * 450000.1);
        assert.deepEqual([updates[0].status, updates[0].progress, updates[0].trend], ['completed', 100, 'completed']);
        await deal(id, 'buyer', 'closed', null, { price: 5 });
        assert.equal((await call(id)).body.metrics.totalVolume, 5);
    });

    it('a year, and nobody else', options, async () => {
        const id = await sync.agent();
        for (const day of ['2025-01-01', '2025-12-31', '2024-12-31', '2026-01-01', null]) await deal(id, 'buyer', 'closed', 1, {}, day);
        await deal(await sync.agent(), 'buyer', 'closed', 1, {}, '2025-06-01');
        const count = async (body) => (await call(id, body)).body.metrics.totalDeals;
        assert.deepEqual([await count({ year: 2025 }), await count({ year: 2024 }), await count({}), await count({ year: 2000 })], [2, 1, 5, 0]);
    });

    it('random deals add up as in JavaScript', options, async () => {
        const random = numbers(20260314);
        for (let run = 0; run < 12; run++) {
            const id = await sync.agent();
            const sums = { totalGci: 0, totalDeals: 0, totalBuyerDeals: 0, totalListingDeals: 0, totalVolume: 0 };
            for (let i = random(12); i > 0; i--) {
                const type = ['buyer', 'listing', 'seller', 'lease'][random(4)], commission = random(3) ? random(1e7) / 100 : null;
                const price = random(3) ? random(1e9) / 100 : `${random(1e9) / 1000}`;
                await deal(id, type, 'closed', commission, { price });
                sums.totalGci += commission ?? 0;
                sums.totalDeals++;
                sums.totalBuyerDeals += type === 'buyer';
                sums.totalListingDeals += type === 'listing' || type === 'seller';
                sums.totalVolume += Number(price);
            }
            const targets = TITLES.map(() => random(1e6) / 100);
            for (const [i, title] of TITLES.entries()) await goal(id, title, targets[i]);
            const { metrics, updates } = (await call(id)).body;
            assert.deepEqual(metrics, sums);
            for (const { title, current, target, progress } of updates) {
                assert.equal(target, targets[TITLES.indexOf(title)]);
                if (target > 0) assert.equal(progress, Math.min(100, Math.round((current / target) * 100)));
            }
        }
    });
});

describe('syncGoalProgressFromCrm: goals', options, () => {
    it('exact titles, annual ones, the earliest of several; none is made', options, async () => {
        const id = await sync.agent();
        await deals(id, 4);
        await goal(id, 'Total Transactions', 10, 0, { created: '2026-01-02Z' });
        await goal(id, 'Total Transactions', 20, 0, { created: '2026-01-01Z' });
        await goal(id, 'total transactions', 10, 0, { created: '2026-01-03Z' });
        await goal(id, 'Total Transactions', 10, 0, { type: 'monthly', created: '2025-01-01Z' });
        const { updates } = (await call(id)).body;
        assert.deepEqual(updates.map(({ target, progress }) => [target, progress]), [[20, 20]]);
        assert.equal((await goals(id)).filter(({ current_value }) => Number(current_value) === 4).length, 1);
        assert.equal((await goals(id)).length, 4);
    });

    it('without a target; and back from completed', options, async () => {
        const id = await sync.agent();
        await deals(id, 2);
        await goal(id, 'Total Transactions', null, null);
        await goal(id, 'Buyer Transactions', 0, 3, { status: 'completed' });
        await goal(id, 'Listing Transactions', 4, 4, { status: 'completed' });
        const { updates } = (await call(id)).body;
        assert.deepEqual(updates, [
            { title: 'Total Transactions', previous: 0, current: 2, target: 0, progress: 0, status: 'completed', trend: 'on-track' },
            { title: 'Buyer Transactions', previous: 3, current: 0, target: 0, progress: 0, status: 'active', trend: 'on-track' },
            { title: 'Listing Transactions', previous: 4, current: 0, target: 4, progress: 0, status: 'active', trend: 'at-risk' },
        ]);
    });

    it('dryRun answers the same and writes nothing', options, async () => {
        const id = await sync.agent();
        await deals(id, 4);
        await goal(id, 'Total Transactions', 10);
        const before = await goals(id);
        const dry = (await call(id, { dryRun: true })).body;
        assert.deepEqual(await goals(id), before);
        const { dryRun, ...wet } = (await call(id)).body;
        assert.equal(dryRun, false);
        assert.deepEqual(dry, { ...wet, dryRun: true });
    });

    it('no deals and no goals', options, async () => {
        const { body } = await call(await sync.agent(), { provider: 'follow_up_boss' });
        assert.equal(body.provider, 'follow_up_boss');
        assert.deepEqual([body.goalsUpdated, body.updates], [0, []]);
    });
});

refusals(sync, 'syncGoalProgressFromCrm', {
    wrong: { provider: [...NOT.text, 'Lofty', 'hubspot'], year: [...NOT.integer, 1999, 2101], dryRun: NOT.boolean },
    untouched: ['goals'],
});
