/*
 * getAgentContext (spec engines.md): its examples, sections, the cached context as it is; one round trip.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { CONTEXT } from '../../support/engines.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { countRoundTrips, fewestRoundTrips } from '../../support/round_trips.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const context = suite({ functions: ['getAgentContext'] });
const rows = (...query) => context.database.rows(...query);
const call = (id, body = {}) => context.call('getAgentContext', id, body);

const action = (id, title, due, created = '2026-01-01Z') =>
    rows(
        `INSERT INTO daily_actions (user_id, title, category, due_date, created_at) VALUES ($1, $2, 'calls', $3, $4)`,
        [id, title, due, created],
    );
const cache = (id, expires) =>
    rows(
        `INSERT INTO graph_context_cache (user_id, context, expires_at) VALUES ($1, $3, now() + $2::interval)`,
        [id, expires, CONTEXT],
    );

describe('getAgentContext: examples', options, () => {
    it('1: a new user has a profile and nothing else', options, async () => {
        const id = await context.agent({ full_name: 'Ada Example', brokerage: 'Example Homes' });
        const { status, body } = await call(id, undefined);
        assert.equal(status, 200);
        const { profile, ...others } = body;
        assert.deepEqual(others, {
            goals: [],
            recentActions: [],
            intelligence: {},
            intelligenceStale: true,
            market: {},
            userId: id,
            email: `${id}@example.com`,
        });
        const columns = await rows(
            `SELECT attname FROM pg_attribute WHERE attrelid = 'profiles'::regclass AND attnum > 0 AND NOT attisdropped`,
        );
        assert.deepEqual(Object.keys(profile).sort(), columns.map(({ attname }) => attname).sort());
        assert.equal(profile.brokerage, 'Example Homes');
        assert.equal(profile.phone, null);
        assert.ok(Math.abs(Date.parse(profile.created_at) - Date.now()) < 60000);
    });

    it('2: the 20 latest due dates, latest first', options, async () => {
        const id = await context.agent();
        for (let day = 1; day <= 25; day++) await action(id, `Day ${day}`, `2026-03-${String(day).padStart(2, '0')}`);
        const { body } = await call(id);
        assert.deepEqual(
            body.recentActions.map(({ title, due_date }) => [title, due_date]),
            Array.from({ length: 20 }, (_, i) => [`Day ${25 - i}`, `2026-03-${String(25 - i).padStart(2, '0')}`]),
        );
        assert.equal((await call(id, { actionsLimit: 100 })).body.recentActions.length, 25);
        assert.deepEqual((await call(id, { actionsLimit: 1 })).body.recentActions.map(({ title }) => title), ['Day 25']);
    });

    it('3: only what is included', options, async () => {
        const id = await context.agent();
        await rows(`INSERT INTO market_config (user_id, market_name, average_price) VALUES ($1, 'Springfield', 450000.5)`, [id]);
        const { body } = await call(id, { include: ['market'] });
        assert.deepEqual(Object.keys(body).sort(), ['email', 'market', 'userId']);
        assert.equal(body.market.market_name, 'Springfield');
        assert.equal(body.market.average_price, 450000.5);
        assert.deepEqual(Object.keys((await call(id, { include: [] })).body).sort(), ['email', 'userId']);
        assert.deepEqual(Object.keys((await call(id, { include: ['intelligence', 'profile'] })).body).sort(), [
            'email', 'intelligence', 'intelligenceStale', 'profile', 'userId',
        ]);
    });

    it('4: an expired context is answered, and said to be stale', options, async () => {
        const id = await context.agent();
        await cache(id, '-1 hour');
        const { body } = await call(id);
        assert.deepEqual(body.intelligence, CONTEXT);
        assert.equal(body.intelligenceStale, true);
    });
});

describe('getAgentContext: what is read', options, () => {
    it('a context that has not expired', options, async () => {
        const id = await context.agent();
        await cache(id, '1 minute');
        assert.equal((await call(id)).body.intelligenceStale, false);
    });

    it('goals of every status in the order of their creation; actions of one day by creation', options, async () => {
        const id = await context.agent();
        await rows(
            `INSERT INTO goals (user_id, title, goal_type, status, created_at, target_value) VALUES
             ($1, 'Third', 'annual', 'active', '2026-01-03Z', 12.5), ($1, 'First', 'annual', NULL, '2026-01-01Z', NULL),
             ($1, 'Second', 'annual', 'completed', '2026-01-02Z', 7)`,
            [id],
        );
        await action(id, 'Older', '2026-03-01', '2026-01-01Z');
        await action(id, 'Newer', '2026-03-01', '2026-01-02Z');
        await action(id, 'Future', '2036-03-01', '2025-01-01Z');
        const { body } = await call(id);
        assert.deepEqual(body.goals.map(({ title, target_value }) => [title, target_value]),
            [['First', null], ['Second', 7], ['Third', 12.5]]);
        assert.deepEqual(body.recentActions.map(({ title }) => title), ['Future', 'Newer', 'Older']);
    });

    it("nobody else's rows; without a profile empty sections", options, async () => {
        const other = await context.agent();
        await action(other, 'Theirs', '2026-03-01');
        await cache(other, '1 hour');
        const { status, body } = await call('user_without_profile');
        assert.equal(status, 200);
        assert.deepEqual(body, {
            profile: {}, goals: [], recentActions: [], intelligence: {}, intelligenceStale: true, market: {},
            userId: 'user_without_profile', email: null,
        });
    });

    it('in one round trip', options, async () => {
        const id = await context.agent();
        const proxy = await countRoundTrips(context.database.url);
        try {
            await withHost({ functions: ['getAgentContext'], database: proxy.url, server: { workers: 1 } }, async (host) => {
                const token = await mint(id);
                assert.equal(await fewestRoundTrips(proxy, async () => {
                    assert.equal((await post(host, 'getAgentContext', { token, body: {} })).status, 200);
                }), 1);
            });
        } finally {
            await proxy.stop();
        }
    });
});

describe('getAgentContext: include', options, () => {
    it('unknown sections and repeated ones: 400', options, async () => {
        const id = await context.agent();
        for (const section of ['goal', 'Profile', '', 7, null])
            assertRefused(await call(id, { include: ['goals', section] }), 400, 'invalid_input', 'include[1]');
        assertRefused(await call(id, { include: ['goals', 'market', 'goals'] }), 400, 'invalid_input', 'include');
    });
});

refusals(context, 'getAgentContext', {
    wrong: { include: NOT.array, actionsLimit: [...NOT.integer, 0, 101, -1] },
});
