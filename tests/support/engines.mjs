/*
 * What computeGane and computeMoro promise alike about their snapshots (computePulse has its own tests of it), and the
 * numbers that tests draw.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from './clients.mjs';
import { SERVICE_KEY } from './host.mjs';
import { NOT, assertRefused, refusals } from './refusals.mjs';
import { options } from './suite.mjs';

/* The same numbers in every run: random(n) is 0 .. n - 1. */
export function numbers(seed) {
    return (below) => (seed = (seed * 48271) % 2147483647) % below;
}

export const band = (score) => (score < 40 ? 'Critical' : score < 60 ? 'At Risk' : score < 80 ? 'Healthy' : 'Optimized');

/* A context as buildGraphContext keeps it. */
export const CONTEXT = {
    timestamp: '2026-05-01T08:00:00.000Z',
    userId: 'user_kept',
    scores: { pulse: 61.5, gane: 40, moro: 50, overall: 51 },
    forecast: { growthPotential: 52 },
    insights: { message: 'Call three people today.', actions: [], source: 'ai' },
    metrics: { pulse: { completionRate: 60 }, gane: {}, moro: {} },
    bands: { pulse: 'Healthy', gane: 'At Risk', moro: 'At Risk', overall: 'At Risk' },
    warnings: [],
};

/* change(id) makes the next result another one. */
export function snapshotTests(suite, name, table, change) {
    const call = (id, body = {}) => suite.call(name, id, body);
    const snapshots = (id) => suite.database.rows(`SELECT * FROM ${table} WHERE user_id = $1 ORDER BY computed_at`, [id]);
    const age = (id, interval) =>
        suite.database.rows(`UPDATE ${table} SET computed_at = computed_at - $2::interval WHERE user_id = $1`, [id, interval]);
    const cached = async (id) =>
        (await suite.database.row('SELECT expires_at FROM graph_context_cache WHERE user_id = $1', [id])).expires_at.getTime();
    const cache = (id) =>
        suite.database.rows(
            `INSERT INTO graph_context_cache (user_id, context, expires_at) VALUES ($1, '{}', now() + interval '1 hour')
             ON CONFLICT (user_id) DO UPDATE SET expires_at = EXCLUDED.expires_at`,
            [id],
        );

    describe(`${name}: snapshots`, options, () => {
        it('persist: false writes nothing', options, async () => {
            const id = await suite.agent();
            const { status, body } = await call(id, { persist: false });
            assert.equal(status, 200);
            assert.equal(body.persisted, false);
            assert.equal((await snapshots(id)).length, 0);
        });

        it('a repeated call, or eight at once, are one row', options, async () => {
            const id = await suite.agent();
            const answers = await Promise.all(Array.from({ length: 8 }, () => call(id)));
            answers.push(await call(id));
            for (const { status, body } of answers) {
                assert.equal(status, 200);
                assert.equal(body.persisted, true);
            }
            const [row, ...more] = await snapshots(id);
            assert.equal(more.length, 0);
            assert.equal(Number(row.score), answers[0].body.score);
            assert.deepEqual(row.metrics, answers[0].body.metrics);
            assert.deepEqual([...new Set(answers.map(({ body }) => body.computedAt))], [row.computed_at.toISOString()]);
        });

        it('the same after a minute is a new row, and leaves the cached context alone', options, async () => {
            const id = await suite.agent();
            await cache(id);
            const { body } = await call(id);
            assert.equal(await cached(id), Date.parse(body.computedAt), 'the first one expires it');
            await age(id, '61 seconds');
            await cache(id);
            await call(id);
            assert.equal((await snapshots(id)).length, 2);
            assert.ok((await cached(id)) > Date.now() + 1800000);
        });

        it('a change is a new row within the minute, and expires the cached context', options, async () => {
            const id = await suite.agent(), other = await suite.agent();
            await call(id);
            await cache(id);
            await cache(other);
            await change(id);
            const { body } = await call(id);
            assert.equal((await snapshots(id)).length, 2);
            assert.equal(await cached(id), Date.parse(body.computedAt));
            assert.ok((await cached(other)) > Date.now() + 1800000, "nobody else's");
        });
    });

    describe(`${name}: callers`, options, () => {
        it('the service, for the user it names', options, async () => {
            const id = await suite.agent();
            const { status, body } = await post(suite.host, name, { token: SERVICE_KEY, body: { userId: id } });
            assert.equal(status, 200);
            assert.equal((await snapshots(id))[0].computed_at.toISOString(), body.computedAt);
        });
        it('a user who does not exist: 404', options, async () => {
            assertRefused(await call('user_nobody'), 404, 'user_not_found');
            assertRefused(await post(suite.host, name, { token: SERVICE_KEY, body: { userId: 'user_nobody' } }), 404, 'user_not_found');
            assert.equal((await snapshots('user_nobody')).length, 0);
        });
        it('the service has to name somebody', options, async () => {
            for (const body of [{}, { userId: '' }, { userId: 'a b' }, { userId: 'u'.repeat(256) }, { userId: 7 }])
                assertRefused(await post(suite.host, name, { token: SERVICE_KEY, body }), 400, 'invalid_input', 'userId');
        });
    });

    refusals(suite, name, { mode: 'user_or_service', wrong: { persist: NOT.boolean }, untouched: [table] });
}
