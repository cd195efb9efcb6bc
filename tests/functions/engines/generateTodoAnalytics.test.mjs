/*
 * generateTodoAnalytics (spec engines.md): its examples, what counts, the rules, and the model's words or none.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const todo = suite({ functions: ['generateTodoAnalytics'] });
const rows = (...query) => todo.database.rows(...query);
const call = (id, body = {}) => todo.call('generateTodoAnalytics', id, body);

/* count actions due so many days from today (UTC). */
const due = (id, count, days, { status = 'pending', priority = 'medium', category = 'calls', completed = null } = {}) =>
    rows(
        `INSERT INTO daily_actions (user_id, title, category, due_date, status, priority, completed_at)
         SELECT $1, 'Action', $4, (now() AT TIME ZONE 'utc')::date + $3::int, $5, $6, $7 FROM generate_series(1, $2::int)`,
        [id, count, days, category, status, priority, completed],
    );
const done = { status: 'completed' };

describe('generateTodoAnalytics: examples', options, () => {
    it('1: no actions', options, async () => {
        const { status, body } = await call(await todo.agent(), undefined);
        assert.equal(status, 200);
        const { insight, ...others } = body;
        assert.ok(insight.length > 0 && insight.length <= 400);
        assert.deepEqual(others, {
            insightCode: 'no_data',
            stats: { total: 0, completed: 0, completionRate: 0, overdue: 0, highPriorityOpen: 0, bestWeekday: null, topCategory: null },
            source: 'rules',
            windowDays: 30,
        });
    });

    it('2: 5 of 8, one of them overdue', options, async () => {
        const id = await todo.agent();
        await due(id, 5, 0, done);
        await due(id, 2, 0);
        await due(id, 1, -1);
        const { body } = await call(id);
        assert.deepEqual([body.stats.total, body.stats.completionRate, body.stats.overdue], [8, 63, 1]);
        assert.equal(body.insightCode, 'steady');
        assert.match(body.insight, /\b5\b.*\b8\b.*63/);
    });

    it('3: 9 of 10', options, async () => {
        const id = await todo.agent();
        await due(id, 9, -2, done);
        await due(id, 1, 0);
        const { body } = await call(id);
        assert.equal(body.stats.completionRate, 90);
        assert.equal(body.insightCode, 'strong');
    });

    it('4: a backlog goes before low completion', options, async () => {
        const id = await todo.agent();
        await due(id, 2, 0, done);
        await due(id, 2, 0);
        await due(id, 6, -3);
        const { body } = await call(id);
        assert.equal(body.insightCode, 'overdue_backlog');
        assert.match(body.insight, /\b6\b/);
    });
});

describe('generateTodoAnalytics: what counts', options, () => {
    it('the window ends today and begins windowDays - 1 earlier', options, async () => {
        const id = await todo.agent();
        for (const days of [-30, -29, -6, 0, 1]) await due(id, 1, days);
        const total = async (windowDays) => (await call(id, { windowDays })).body.stats.total;
        assert.deepEqual([await total(30), await total(31), await total(7), await total(6), await total(1)], [3, 4, 2, 1, 1]);
    });

    it('archived is neither done nor open; a status of NULL is open', options, async () => {
        const id = await todo.agent();
        await due(id, 1, -1, { status: 'archived', priority: 'high' });
        await due(id, 1, -1, { status: null, priority: 'high' });
        await due(id, 1, 0, { status: 'Completed', priority: 'high' });
        const { stats } = (await call(id)).body;
        assert.deepEqual([stats.total, stats.completed, stats.overdue, stats.highPriorityOpen], [3, 0, 1, 2]);
    });

    it('bounds of the rules: 39, 40, 79, 80 per cent; 4 and 5 overdue', options, async () => {
        const code = async (completed, open, overdue = 0) => {
            const id = await todo.agent();
            await due(id, completed, 0, done);
            await due(id, open, 0);
            await due(id, overdue, -1);
            return (await call(id)).body.insightCode;
        };
        assert.equal(await code(39, 61), 'low_completion');
        assert.equal(await code(2, 3), 'steady');
        assert.equal(await code(79, 21), 'steady');
        assert.equal(await code(4, 1), 'strong');
        assert.equal(await code(16, 0, 4), 'strong');
        assert.equal(await code(20, 0, 5), 'overdue_backlog');
    });

    it('the best weekday in UTC and the top category, ties by order', options, async () => {
        const id = await todo.agent();
        await due(id, 2, 0, { ...done, category: 'b', completed: '2026-03-08T23:30:00Z' }); /* a Sunday */
        await due(id, 2, 0, { ...done, category: 'a', completed: '2026-03-04T00:30:00Z' }); /* a Wednesday */
        await due(id, 3, 0, { category: 'c' });
        const { stats } = (await call(id)).body;
        assert.deepEqual([stats.bestWeekday, stats.topCategory], ['Wednesday', 'a']);
        await due(id, 3, 0, { ...done, category: 'B' });
        assert.equal((await call(id)).body.stats.topCategory, 'B');
        assert.equal((await call(id)).body.stats.bestWeekday, 'Wednesday', 'without completed_at it is no day');
        const other = await todo.agent();
        assert.equal((await call(other)).body.stats.total, 0, "nobody else's");
    });
});

describe('generateTodoAnalytics: narrate', options, () => {
    it('a model says it, of figures that are ours and data that is labelled', options, async () => {
        const id = await todo.agent({ full_name: 'Zebedee Unmistakable' });
        await due(id, 3, 0, done);
        await todo.gateway.order({ content: `  ${'Good. '.repeat(100)}` });
        const { body } = await call(id, { narrate: true, analyticsData: { mood: 'fine-31' }, pulseData: { score: 77 } });
        assert.equal(body.source, 'ai');
        assert.equal(body.insight, 'Good. '.repeat(100).slice(0, 400));
        assert.equal(body.insightCode, 'strong');
        assert.equal(body.stats.total, 3);
        const [request, ...more] = await todo.gateway.bodies();
        assert.equal(more.length, 0);
        const { model, max_tokens, messages, ...others } = request;
        assert.deepEqual([model, max_tokens, others], ['google/gemini-2.5-flash', 300, {}]);
        assert.match(messages[1].content, /"completed":3[\s\S]*Unverified[\s\S]*fine-31[\s\S]*77/);
        assert.doesNotMatch(JSON.stringify(request), /Zebedee/);
    });

    it('whatever goes wrong, the rules speak', options, async () => {
        const id = await todo.agent();
        for (const answer of [{ status: 402, body: {} }, { status: 429, body: {} }, { status: 500, body: 'x' },
            { status: 200, body: 'no JSON' }, { status: 200, body: {} }, { content: ' \n' }, { drop: true }]) {
            await todo.gateway.reset();
            await todo.gateway.order(answer);
            const { status, body } = await call(id, { narrate: true });
            assert.equal(status, 200);
            assert.equal(body.source, 'rules', JSON.stringify(answer));
            assert.equal((await todo.gateway.requests()).length, 1);
        }
    });

    it('nobody is asked without it', options, async () => {
        await call(await todo.agent(), { narrate: false, analyticsData: null });
        assert.equal((await todo.gateway.requests()).length, 0);
    });

    it('data of 64 KiB is taken, a byte more is 413', options, async () => {
        const id = await todo.agent();
        const data = (bytes) => ({ a: 'x'.repeat(bytes - 8) });
        for (const field of ['analyticsData', 'pulseData']) {
            assert.equal((await call(id, { [field]: data(65536) })).status, 200);
            assertRefused(await call(id, { [field]: data(65537) }), 413, 'body_too_large', field);
        }
    });
});

refusals(todo, 'generateTodoAnalytics', {
    wrong: {
        analyticsData: NOT.object, pulseData: NOT.object, windowDays: [...NOT.integer, 0, 91, -1], narrate: NOT.boolean,
    },
});
