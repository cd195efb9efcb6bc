/*
 * computeMoro (spec engines.md): its examples, every word and bound of the table, random inputs against the table written
 * down once more in JavaScript; snapshots and callers as every engine has them.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { band, numbers, snapshotTests } from '../../support/engines.mjs';
import { options, suite } from '../../support/suite.mjs';

const moro = suite({ functions: ['computeMoro'] });
const call = (id, body = { persist: false }) => moro.call('computeMoro', id, body);

async function agent({ trend = null, inventory = null, dom = null, price = null }) {
    const id = await moro.agent();
    await moro.database.rows(
        `INSERT INTO market_config (user_id, market_name, market_trend, inventory_level, median_dom, average_price)
         VALUES ($1, 'Springfield', $2, $3, $4, $5)`,
        [id, trend, inventory, dom, price],
    );
    return id;
}

function reference({ trend = null, inventory = null, dom = null, price = null }) {
    const trendScore = { hot: 30, warming: 22, cooling: 8, cold: 0 }[trend] ?? 15;
    const inventoryScore = { low: 30, moderate: 20, high: 10 }[inventory] ?? 15;
    const domScore = !dom ? 10 : dom < 30 ? 20 : dom < 60 ? 15 : dom < 90 ? 10 : 5;
    const priceScore = price ? 20 : 0;
    const score = trendScore + inventoryScore + domScore + priceScore;
    return {
        score,
        metrics: {
            hasMarketConfig: true,
            marketTrend: trend,
            inventoryLevel: inventory,
            medianDOM: dom,
            averagePrice: price,
            trendScore,
            inventoryScore,
            domScore,
            priceScore,
        },
        band: band(score),
    };
}

async function assertLikeReference(given) {
    const { status, body } = await call(await agent(given));
    assert.equal(status, 200);
    assert.deepEqual({ score: body.score, metrics: body.metrics, band: body.band }, reference(given), JSON.stringify(given));
    return body;
}

describe('computeMoro: examples', options, () => {
    it('1: a hot market, by its days on market', options, async () => {
        for (const [dom, score] of [[29, 100], [30, 95], [59, 95], [60, 90], [89, 90], [90, 85], [0, 90], [null, 90]]) {
            const body = await assertLikeReference({ trend: 'hot', inventory: 'low', dom, price: 450000 });
            assert.equal(body.score, score, `${dom} days`);
        }
    });

    it('2: warming, moderate, 45 days, no price', options, async () => {
        const body = await assertLikeReference({ trend: 'warming', inventory: 'moderate', dom: 45 });
        assert.equal(body.score, 57);
        const { trendScore, inventoryScore, domScore, priceScore } = body.metrics;
        assert.deepEqual([trendScore, inventoryScore, domScore, priceScore], [22, 20, 15, 0]);
    });

    it('3: words count as they are spelled', options, async () => {
        const body = await assertLikeReference({ trend: 'Hot', inventory: 'LOW', price: 0 });
        assert.equal(body.score, 40);
        assert.equal(body.band, 'At Risk');
    });

    it('4: without settings 50, and nothing else said', options, async () => {
        const id = await moro.agent();
        const { body } = await call(id, {});
        assert.equal(body.score, 50);
        assert.deepEqual(body.metrics, { hasMarketConfig: false });
        assert.equal(body.band, 'At Risk');
        const rows = await moro.database.rows('SELECT score, metrics FROM moro_engine_snapshots WHERE user_id = $1', [id]);
        assert.deepEqual(rows, [{ score: '50.00', metrics: { hasMarketConfig: false } }]);
    });
});

describe('computeMoro: the table', options, () => {
    it('the worst market has 15', options, async () => {
        const body = await assertLikeReference({ trend: 'cold', inventory: 'high', dom: 120, price: 0 });
        assert.equal(body.score, 15);
        assert.equal(body.band, 'Critical');
    });

    it('days below zero, a price of a cent, and words that nobody knows', options, async () => {
        await assertLikeReference({ trend: '', inventory: 'hot', dom: -5, price: 0.01 });
        await assertLikeReference({ trend: 'low', inventory: '', dom: -1, price: 9999999999.99 });
    });

    it('random inputs score as in JavaScript', options, async () => {
        const random = numbers(20260312);
        const of = (...list) => list[random(list.length)];
        for (let i = 0; i < 40; i++)
            await assertLikeReference({
                trend: of('hot', 'warming', 'cooling', 'cold', 'HOT', 'tepid', null),
                inventory: of('low', 'moderate', 'high', 'High', 'none', null),
                dom: of(null, 0, random(120), random(120) - 10),
                price: of(null, 0, random(100000000) / 100),
            });
    });
});

snapshotTests(moro, 'computeMoro', 'moro_engine_snapshots', (id) =>
    moro.database.rows(`INSERT INTO market_config (user_id, market_name) VALUES ($1, 'Springfield')`, [id]),
);
