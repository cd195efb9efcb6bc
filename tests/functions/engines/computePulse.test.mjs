/*
 * computePulse (spec engines.md): its examples, what counts, and snapshots; random inputs against the formulas written
 * down once more in JavaScript, whose results are the compatible ones.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { activeAgent } from '../../support/activity.mjs';
import { options, suite } from '../../support/suite.mjs';

const HALF_HOUR_MS = 1800000;

const pulse = suite({ functions: ['computePulse'] });
const agent = (activity) => activeAgent(pulse, activity);
const call = (id, body = {}, more = {}) => pulse.call('computePulse', id, body, more);
const snapshots = (id) =>
    pulse.database.rows('SELECT * FROM pulse_engine_snapshots WHERE user_id = $1 ORDER BY computed_at', [id]);

function reference({ total, completed, recent, goals }) {
    const completionRate = total > 0 ? (completed / total) * 100 : 0;
    const volumeScore = Math.min(40, (total / 30) * 40);
    const completionScore = (completionRate / 100) * 40;
    const consistencyScore = Math.min(20, (recent / 7) * 20);
    const score = Math.round(volumeScore + completionScore + consistencyScore);
    return {
        score,
        metrics: {
            totalActions: total,
            completedActions: completed,
            completionRate: Math.round(completionRate),
            last7DaysActions: recent,
            volumeScore: Math.round(volumeScore),
            completionScore: Math.round(completionScore),
            consistencyScore: Math.round(consistencyScore),
            activeGoals: goals,
        },
        band: score < 40 ? 'Critical' : score < 60 ? 'At Risk' : score < 80 ? 'Healthy' : 'Optimized',
    };
}

describe('computePulse: examples', options, () => {
    it('1: 23 of 40 is 57.49999999999999 per cent and rounds to 57', options, async () => {
        const { status, body } = await call(await agent({ total: 40, completed: 23 }));
        assert.equal(status, 200);
        assert.equal(body.score, 63);
        assert.deepEqual(body.metrics, {
            totalActions: 40,
            completedActions: 23,
            completionRate: 57,
            last7DaysActions: 0,
            volumeScore: 40,
            completionScore: 23,
            consistencyScore: 0,
            activeGoals: 0,
        });
        assert.equal(body.band, 'Healthy');
        assert.equal(body.persisted, true);
        assert.deepEqual(Object.keys(body).sort(), ['band', 'computedAt', 'metrics', 'persisted', 'score']);
    });

    it('2: 42.5 rounds up to 43', options, async () => {
        const { body } = await call(await agent({ total: 32, completed: 2 }));
        assert.equal(body.score, 43);
        assert.equal(body.metrics.completionScore, 3);
        assert.equal(body.metrics.completionRate, 6);
    });

    it('3: 12 actions, 9 completed, 4 recent', options, async () => {
        const { body } = await call(await agent({ total: 12, completed: 9, recent: 4 }));
        assert.equal(body.score, 57);
        assert.equal(body.metrics.consistencyScore, 11);
    });

    it('4: the parts are summed unrounded', options, async () => {
        const { body } = await call(await agent({ total: 21, completed: 14, recent: 6 }));
        assert.equal(body.score, 72);
        assert.deepEqual(
            [body.metrics.volumeScore, body.metrics.completionScore, body.metrics.consistencyScore],
            [28, 27, 17],
        );
    });

    it('5: the window begins exactly 30 days before now, and ends nowhere', options, async () => {
        const id = await agent();
        /* An action each millisecond around the bound: the answer says where "now" was. */
        await pulse.database.rows(
            `INSERT INTO daily_actions (user_id, title, category, due_date, status, created_at)
             SELECT $1, 'Action', 'calls', current_date, 'pending',
                    to_timestamp($2::bigint / 1000.0) - interval '720 hours' + n * interval '1 millisecond'
             FROM generate_series(-2000, 8000) AS n`,
            [id, Date.now()],
        );
        await pulse.database.rows(
            `INSERT INTO daily_actions (user_id, title, category, due_date, created_at)
             VALUES ($1, 'Next month', 'calls', current_date, now() + interval '20 days')`,
            [id],
        );
        const { body } = await call(id, { persist: false });
        const inside = await pulse.database.count(
            'daily_actions',
            `user_id = $1 AND created_at >= $2::timestamptz - interval '720 hours'`,
            [id, body.computedAt],
        );
        assert.ok(inside > 1 && inside < 10002, 'the bound lies within the rows');
        assert.equal(body.metrics.totalActions, inside);
        assert.equal(body.metrics.last7DaysActions, 1);
    });

    it('5: no actions score 0 and are stored all the same', options, async () => {
        const id = await agent();
        const { status, body } = await call(id);
        assert.equal(status, 200);
        assert.deepEqual(
            { score: body.score, metrics: body.metrics, band: body.band },
            reference({ total: 0, completed: 0, recent: 0, goals: 0 }),
        );
        const [row] = await snapshots(id);
        assert.equal(Number(row.score), 0);
        assert.deepEqual(row.metrics, body.metrics);
    });
});

describe('computePulse: what counts', options, () => {
    it('only status "completed", exactly', options, async () => {
        const id = await agent();
        for (const status of ['completed', 'Completed', 'COMPLETED', ' completed', 'done', null])
            await pulse.database.rows(
                `INSERT INTO daily_actions (user_id, title, category, due_date, status, created_at)
                 VALUES ($1, 'Action', 'calls', current_date, $2, now() - interval '10 days')`,
                [id, status],
            );
        const { body } = await call(id);
        assert.equal(body.metrics.totalActions, 6);
        assert.equal(body.metrics.completedActions, 1);
    });

    it('recent actions of any status; due_date and completed_at play no part', options, async () => {
        const id = await agent();
        await pulse.database.rows(
            `INSERT INTO daily_actions (user_id, title, category, due_date, status, created_at, completed_at) VALUES
             ($1, 'Old, done today', 'calls', current_date, 'completed', now() - interval '40 days', now()),
             ($1, 'New, pending', 'calls', current_date - 400, 'pending', now() - interval '1 day', NULL)`,
            [id],
        );
        const { body } = await call(id);
        assert.deepEqual(
            [body.metrics.totalActions, body.metrics.completedActions, body.metrics.last7DaysActions],
            [1, 0, 1],
        );
    });

    it("only active goals, and nobody else's rows", options, async () => {
        const other = await agent({ total: 30, completed: 30, recent: 7, goals: 9 });
        const id = await agent({ total: 3, completed: 1, goals: 2 });
        await pulse.database.rows(
            `INSERT INTO goals (user_id, title, goal_type, status) VALUES ($1, 'Done', 'production', 'completed'),
             ($1, 'Odd', 'production', 'Active'), ($1, 'None', 'production', NULL)`,
            [id],
        );
        const { body } = await call(id);
        assert.deepEqual(
            { score: body.score, metrics: body.metrics, band: body.band },
            reference({ total: 3, completed: 1, recent: 0, goals: 2 }),
        );
        assert.equal((await call(other)).body.score, 100);
    });

    it('random inputs score as in JavaScript', options, async () => {
        let seed = 20260310;
        const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
        for (let i = 0; i < 60; i++) {
            const total = random(i % 3 === 0 ? 400 : 45);
            const given = {
                total,
                completed: random(total + 1),
                recent: random(Math.min(total, 9) + 1),
                goals: random(4),
            };
            const { body } = await call(await agent(given), { persist: false });
            assert.deepEqual(
                { score: body.score, metrics: body.metrics, band: body.band },
                reference(given),
                JSON.stringify(given),
            );
        }
    });
});

describe('computePulse: snapshots', options, () => {
    it('persist: false writes nothing', options, async () => {
        const id = await agent({ total: 5 });
        const { status, body } = await call(id, { persist: false });
        assert.equal(status, 200);
        assert.equal(body.persisted, false);
        assert.ok(Math.abs(Date.parse(body.computedAt) - Date.now()) < 10000);
        assert.equal((await snapshots(id)).length, 0);
    });

    it('a repeated call is one row, and says when that was made', options, async () => {
        const id = await agent({ total: 5 });
        const first = (await call(id)).body,
            second = (await call(id, { persist: null })).body;
        assert.deepEqual(second, first);
        const rows = await snapshots(id);
        assert.equal(rows.length, 1);
        assert.equal(rows[0].computed_at.toISOString(), first.computedAt);
    });

    it('calls at the same time are one row', options, async () => {
        const id = await agent({ total: 5 });
        const answers = await Promise.all(Array.from({ length: 8 }, () => call(id)));
        for (const { status } of answers) assert.equal(status, 200);
        assert.equal((await snapshots(id)).length, 1);
        assert.equal(new Set(answers.map(({ body }) => body.computedAt)).size, 1);
    });

    it('a change within the minute is a new row', options, async () => {
        const id = await agent({ total: 5 });
        await call(id);
        await pulse.database.rows(`INSERT INTO goals (user_id, title, goal_type) VALUES ($1, 'New', 'production')`, [
            id,
        ]);
        const { body } = await call(id);
        const rows = await snapshots(id);
        assert.equal(rows.length, 2, 'the score is the same, the metrics are not');
        assert.equal(rows[1].computed_at.toISOString(), body.computedAt);
    });

    it('the same after more than a minute is a new row', options, async () => {
        const id = await agent({ total: 5 });
        await call(id);
        await pulse.database.rows(
            `UPDATE pulse_engine_snapshots SET computed_at = computed_at - interval '61 seconds' WHERE user_id = $1`,
            [id],
        );
        await call(id);
        assert.equal((await snapshots(id)).length, 2);
    });

    it('the cached context expires when the result changed, and only then', options, async () => {
        const id = await agent({ total: 5 }),
            other = await agent();
        const cache = async (user) =>
            (
                await pulse.database.row('SELECT expires_at FROM graph_context_cache WHERE user_id = $1', [user])
            ).expires_at.getTime();
        const refill = () =>
            pulse.database.rows(
                `INSERT INTO graph_context_cache (user_id, context, expires_at)
             SELECT unnest($1::text[]), '{}', now() + interval '1 hour'
             ON CONFLICT (user_id) DO UPDATE SET expires_at = EXCLUDED.expires_at`,
                [[id, other]],
            );
        const hour = Date.now() + HALF_HOUR_MS;

        await refill();
        const first = (await call(id)).body;
        assert.equal(await cache(id), Date.parse(first.computedAt), 'no snapshot before');
        assert.ok((await cache(other)) > hour, "nobody else's");

        await refill();
        await call(id);
        assert.ok((await cache(id)) > hour, 'reused');

        await pulse.database.rows(
            `UPDATE pulse_engine_snapshots SET computed_at = computed_at - interval '2 minutes' WHERE user_id = $1`,
            [id],
        );
        await call(id);
        assert.equal((await snapshots(id)).length, 2);
        assert.ok((await cache(id)) > hour, 'a new row with the same result');

        await pulse.database.rows(`INSERT INTO goals (user_id, title, goal_type) VALUES ($1, 'New', 'production')`, [
            id,
        ]);
        const changed = (await call(id)).body;
        assert.equal(await cache(id), Date.parse(changed.computedAt), 'another result');
    });
});
