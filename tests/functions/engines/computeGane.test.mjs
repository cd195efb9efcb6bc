/*
 * computeGane (spec engines.md): its examples, what counts, random inputs against the formulas written down once more in
 * JavaScript; snapshots and callers as every engine has them.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { band, numbers, snapshotTests } from '../../support/engines.mjs';
import { options, suite } from '../../support/suite.mjs';

const gane = suite({ functions: ['computeGane'] });
const call = (id, body = { persist: false }) => gane.call('computeGane', id, body);

/* A person with so many agents and guidelines, and PULSE snapshots, newest first. */
async function agent({ enabled = 0, disabled = 0, guidelines = 0, name = 'Ada Example', pulses = [] } = {}) {
    const id = await gane.agent({ full_name: name });
    await gane.database.rows(
        `INSERT INTO agent_config (user_id, agent_type, enabled)
         SELECT $1, 'agent_' || n, n <= $2 FROM generate_series(1, $2::int + $3::int) AS n`,
        [id, enabled, disabled],
    );
    await gane.database.rows(
        `INSERT INTO user_guidelines (user_id, agent_type, guideline_category, guideline_text, guideline_type)
         SELECT $1, 'copilot', 'tone', 'Guideline ' || n, 'do' FROM generate_series(1, $2::int) AS n`,
        [id, guidelines],
    );
    await gane.database.rows(
        `INSERT INTO pulse_engine_snapshots (user_id, score, computed_at)
         SELECT $1, score, now() - n * interval '1 day' FROM unnest($2::numeric[]) WITH ORDINALITY AS s (score, n)`,
        [id, pulses],
    );
    return id;
}

function reference({ enabled = 0, disabled = 0, guidelines = 0, name = 'Ada Example', pulses = [] }) {
    const total = enabled + disabled;
    const hasProfile = name ? 1 : 0;
    const systemsUtilization = total > 0 ? (enabled / total) * 100 : 0;
    const utilizationScore = (systemsUtilization / 100) * 40;
    const configScore = Math.min(30, guidelines * 5 + hasProfile * 10);
    const sum = (list) => list.reduce((before, one) => before + one, 0);
    const recent = pulses.slice(0, 7), older = pulses.slice(7, 14);
    let trendScore = 0;
    if (older.length > 0) {
        const improvement = sum(recent) / 7 - sum(older) / older.length;
        trendScore = Math.max(0, Math.min(30, 15 + improvement));
    }
    const score = Math.round(utilizationScore + configScore + trendScore);
    return {
        score,
        metrics: {
            systemsEnabled: enabled,
            totalSystems: total,
            systemsUtilization: Math.round(systemsUtilization),
            guidelinesCount: guidelines,
            utilizationScore: Math.round(utilizationScore),
            configScore: Math.round(configScore),
            trendScore: Math.round(trendScore),
            hasProfile: hasProfile === 1,
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

describe('computeGane: examples', options, () => {
    it('1: 3 of 4 agents, 2 guidelines, a name; PULSE went from 64 to 70', options, async () => {
        const body = await assertLikeReference({ enabled: 3, disabled: 1, guidelines: 2, pulses: [70, 70, 70, 70, 70, 70, 70, 64] });
        assert.equal(body.score, 71);
        assert.equal(body.metrics.trendScore, 21);
        assert.deepEqual(Object.keys(body).sort(), ['band', 'computedAt', 'metrics', 'persisted', 'score']);
    });

    it('2: three snapshots are no trend', options, async () => {
        const body = await assertLikeReference({ enabled: 1, disabled: 2, pulses: [50, 60, 70] });
        assert.equal(body.score, 23);
        assert.equal(body.metrics.systemsUtilization, 33);
        assert.equal(body.metrics.trendScore, 0);
    });

    it('3: the parts are summed unrounded', options, async () => {
        const body = await assertLikeReference({
            enabled: 2,
            disabled: 1,
            guidelines: 1,
            pulses: [55.5, 60, 62, 58, 61, 59, 60, 60, 61],
        });
        assert.equal(body.score, 56);
        const { utilizationScore, configScore, trendScore } = body.metrics;
        assert.deepEqual([utilizationScore, configScore, trendScore], [27, 15, 14]);
    });

    it('4: 7 snapshots are no trend, an equal eighth is 15', options, async () => {
        const week = [50, 52, 54, 50, 52, 54, 52];
        assert.equal((await assertLikeReference({ pulses: week })).metrics.trendScore, 0);
        assert.equal((await assertLikeReference({ pulses: [...week, 52] })).metrics.trendScore, 15);
    });
});

describe('computeGane: what counts', options, () => {
    it('nothing at all scores 0 and is stored', options, async () => {
        const id = await agent({ name: '' });
        const { body } = await call(id, {});
        assert.deepEqual({ score: body.score, metrics: body.metrics, band: body.band }, reference({ name: '' }));
        assert.equal(body.score, 0);
        assert.equal(await gane.database.count('gane_engine_snapshots', 'user_id = $1', [id]), 1);
    });

    it('a name of NULL is none, one of blanks is one', options, async () => {
        assert.equal((await call(await agent({ name: null }))).body.metrics.hasProfile, false);
        assert.equal((await call(await agent({ name: '  ' }))).body.metrics.hasProfile, true);
    });

    it('an agent whose enabled is NULL is not enabled', options, async () => {
        const id = await agent({ enabled: 1 });
        await gane.database.rows(`INSERT INTO agent_config (user_id, agent_type, enabled) VALUES ($1, 'odd', NULL)`, [id]);
        const { body } = await call(id);
        assert.deepEqual([body.metrics.systemsEnabled, body.metrics.totalSystems], [1, 2]);
    });

    it('the cap of the configuration: 4 guidelines with a name, 6 without', options, async () => {
        for (const [guidelines, name, expected] of [[3, 'A', 25], [4, 'A', 30], [9, 'A', 30], [5, '', 25], [6, '', 30]])
            assert.equal((await assertLikeReference({ guidelines, name })).metrics.configScore, expected);
    });

    it('the trend ends at 0 and 30, and looks at 14 snapshots', options, async () => {
        const week = (score) => Array(7).fill(score);
        assert.equal((await assertLikeReference({ pulses: [...week(65), ...week(50)] })).metrics.trendScore, 30);
        assert.equal((await assertLikeReference({ pulses: [...week(99), ...week(1)] })).metrics.trendScore, 30);
        assert.equal((await assertLikeReference({ pulses: [...week(1), ...week(99)] })).metrics.trendScore, 0);
        assert.equal((await assertLikeReference({ pulses: [...week(50), ...week(50), ...week(0)] })).metrics.trendScore, 15);
    });

    it('snapshots of one instant are ordered by created_at', options, async () => {
        const id = await agent({ pulses: [] });
        await gane.database.rows(
            `INSERT INTO pulse_engine_snapshots (user_id, score, computed_at, created_at)
             SELECT $1, CASE WHEN n <= 7 THEN 60 ELSE 50 END, '2026-01-01Z', '2026-01-02Z'::timestamptz - n * interval '1 second'
             FROM generate_series(1, 14) AS n ORDER BY md5(n::text)`,
            [id],
        );
        assert.equal((await call(id)).body.metrics.trendScore, 25);
    });

    it("nobody else's rows", options, async () => {
        await agent({ enabled: 5, guidelines: 6, pulses: Array(14).fill(80) });
        await assertLikeReference({ disabled: 1 });
    });

    it('random inputs score as in JavaScript', options, async () => {
        const random = numbers(20260311);
        for (let i = 0; i < 60; i++)
            await assertLikeReference({
                enabled: random(9),
                disabled: random(9),
                guidelines: random(8),
                name: random(4) ? 'Somebody' : '',
                pulses: Array.from({ length: random(20) }, () => random(10001) / 100),
            });
    });
});

snapshotTests(gane, 'computeGane', 'gane_engine_snapshots', (id) =>
    gane.database.rows(`INSERT INTO agent_config (user_id, agent_type) VALUES ($1, 'new')`, [id]),
);
