/*
 * entityOperations (spec data.md): filters, order, pages and cursors.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { assertRefused } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const entities = suite({ functions: ['entityOperations'] });
const call = (id, table, filters, operation = 'list') =>
    entities.call('entityOperations', id, { table, operation, filters });
async function ok(...request) {
    const { status, body } = await call(...request);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
}
async function refused(code, field, ...request) {
    assertRefused(await call(...request), 400, code, field);
}
/* A person with goals of these values, oldest first. */
async function withGoals(...goals) {
    const id = await entities.agent();
    for (const [i, goal] of goals.entries()) {
        const row = { title: `goal ${i}`, goal_type: 'production', created_at: new Date(Date.UTC(2025, 0, 1, 0, 0, i)), ...goal };
        const names = Object.keys(row);
        await entities.database.rows(
            `INSERT INTO goals (user_id, ${names.join(', ')}) VALUES ($1, ${names.map((_, i) => `$${i + 2}`).join(', ')})`,
            [id, ...Object.values(row)],
        );
    }
    return id;
}
const titles = ({ data }) => data.map((row) => row.title);

describe('entityOperations: conditions', options, () => {
    it('compare by type', options, async () => {
        const id = await withGoals(
            { title: 'a', target_value: 1.5, deadline: '2025-03-01', is_active: true },
            { title: 'b', target_value: 20, deadline: '2025-04-01', is_active: false },
            { title: 'c', target_value: null, deadline: null, is_active: null, unit: '50%_off\\' },
        );
        const by = async (filters) => titles(await ok(id, 'goals', { order: 'title', ...filters })).join('');
        assert.equal(await by({ target_value: 1.5 }), 'a');
        assert.equal(await by({ target_value: { $gt: 1.5 } }), 'b');
        assert.equal(await by({ target_value: { $gte: 1.5, $lt: 20 } }), 'a');
        assert.equal(await by({ target_value: { $lte: 20, $ne: 1.5 } }), 'b');
        assert.equal(await by({ target_value: [1.5, 20, 7] }), 'ab');
        assert.equal(await by({ target_value: { $nin: [1.5] } }), 'b');
        assert.equal(await by({ deadline: { $gt: '2025-03-01T10:00:00Z' } }), 'b', 'the day of a time');
        assert.equal(await by({ deadline: ['2025-03-01', '2025-04-01'] }), 'ab');
        assert.equal(await by({ is_active: true }), 'a');
        assert.equal(await by({ is_active: { $is: false } }), 'b');
        assert.equal(await by({ is_active: { $is: null } }), 'c');
        assert.equal(await by({ title: { $eq: 'b' } }), 'b');
        assert.equal(await by({ title: { $in: ['c', 'a'] } }), 'ac');
        assert.equal(await by({ title: null }), 'abc', 'skipped');
        assert.equal(await by({ unit: { $ilike: '0%_OFF\\' } }), 'c', 'literal % _ and backslash');
        assert.equal(await by({ unit: { $ilike: '%' } }), 'c');
        assert.equal(await by({ title: { $ilike: '_' } }), '');
        assert.equal(await by({ created_date: { $gte: '2025-01-01T00:00:01+00:00' } }), 'bc');
        assert.equal((await ok(id, 'goals', { target_value: { $is: null } }, 'count')).count, 1);
    });

    it('$contains of lists and objects', options, async () => {
        const id = await entities.agent();
        await entities.database.rows(
            `INSERT INTO agent_config (user_id, agent_type, personality_traits) VALUES ($1, 'a', '{warm,brief}'), ($1, 'b', '{dry}')`, [id]);
        await entities.database.rows(
            `INSERT INTO generated_content (user_id, content_type, content, metadata) VALUES ($1, 'x', 'x', '{"tags": ["a", "b"], "n": 1}')`, [id]);
        assert.deepEqual((await ok(id, 'agent_config', { personality_traits: { $contains: ['warm'] } })).data.map((row) => row.agent_type), ['a']);
        for (const [value, count] of [[{ tags: ['b'] }, 1], [{ n: 2 }, 0], [{ n: 1 }, 1]])
            assert.equal((await ok(id, 'generated_content', { metadata: { $contains: value } }, 'count')).count, count);
    });

    it('refuse what no column or operator can mean', options, async () => {
        const id = await entities.agent();
        for (const [filters, code, field] of [
            [{ nothing: 1 }, 'unknown_column', 'filters.nothing'],
            [{ title: { $regex: 'x' } }, 'invalid_filter', 'filters.title'],
            [{ title: {} }, 'invalid_filter', 'filters.title'],
            [{ title: { $eq: null } }, 'invalid_filter', 'filters.title'],
            [{ title: { $in: [] } }, 'invalid_filter', 'filters.title'],
            [{ title: Array.from({ length: 101 }, () => 'x') }, 'invalid_filter', 'filters.title'],
            [{ title: { $in: ['a', 1] } }, 'invalid_input', 'filters.title'],
            [{ title: { $is: true } }, 'invalid_filter', 'filters.title'],
            [{ title: { $ilike: '' } }, 'invalid_filter', 'filters.title'],
            [{ title: { $ilike: 'x'.repeat(201) } }, 'invalid_filter', 'filters.title'],
            [{ target_value: { $ilike: 'x' } }, 'invalid_filter', 'filters.target_value'],
            [{ is_active: { $gt: true } }, 'invalid_filter', 'filters.is_active'],
            [{ title: { $contains: ['x'] } }, 'invalid_filter', 'filters.title'],
            [{ title: 5 }, 'invalid_input', 'filters.title'],
            [{ target_value: '5' }, 'invalid_input', 'filters.target_value'],
            [{ deadline: '2025-02-30' }, 'invalid_input', 'filters.deadline'],
            [{ id: 'x' }, 'invalid_input', 'filters.id'],
            [{ created_at: 'now' }, 'invalid_input', 'filters.created_at'],
            [{ confidence_score: 2147483648 }, 'invalid_input', 'filters.confidence_score'],
            [{ order: 'metrics' }, 'unknown_column', 'filters.order'],
            [{ order: 7 }, 'invalid_input', 'filters.order'],
            [{ ascending: 'yes' }, 'invalid_input', 'filters.ascending'],
        ])
            await refused(code, field, id, 'goals', filters);
        await refused('invalid_filter', 'filters.order', id, 'agent_config', { order: 'personality_traits' });
        await refused('invalid_filter', 'filters.metadata', id, 'generated_content', { metadata: { $gt: {} } });
        const twenty = { title: { $ne: 'x' }, unit: { $ne: 'x' } };
        for (const name of ['target_value', 'current_value', 'confidence_score', 'progress_percentage'])
            twenty[name] = { $gt: 0, $gte: 0, $lt: 9, $lte: 9 };
        twenty.deadline = { $ne: '2025-01-01', $gt: '2025-01-01' };
        assert.equal((await call(id, 'goals', twenty)).status, 200, 'exactly 20');
        await refused('invalid_filter', 'filters', id, 'goals', { ...twenty, status: 'active' });
    });

    it("nobody names others as owners", options, async () => {
        const id = await entities.agent();
        for (const value of ['user_other', { $eq: id }, [id], { $ne: 'x' }, { $is: null }, 7])
            assertRefused(await call(id, 'goals', { user_id: value }), 403, 'user_mismatch', 'filters.user_id');
        assertRefused(await call(id, 'profiles', { id: 'user_other' }), 403, 'user_mismatch', 'filters.id');
        assert.equal((await ok(id, 'profiles', { id })).data.length, 1);
        assert.deepEqual((await ok(id, 'goals', { user_id: null })).data, []);
        assert.equal((await call(id, 'ai_agent_conversations', { status: 'active' })).status, 200, 'a legacy filter');
    });
});

describe('entityOperations: pages', options, () => {
    it('limits and offsets at their bounds', options, async () => {
        const id = await withGoals({}, {}, {});
        for (const [name, values] of [['limit', [0, 501, 1.5, '5', true]], ['offset', [-1, 10001, '1']]])
            for (const value of values) await refused('invalid_input', `filters.${name}`, id, 'goals', { [name]: value });
        assert.deepEqual(titles(await ok(id, 'goals', { limit: 1 })), ['goal 2'], 'newest first');
        assert.deepEqual(titles(await ok(id, 'goals', { limit: 500, offset: 2 })), ['goal 0']);
        assert.deepEqual(await ok(id, 'goals', { offset: 10000 }), { data: [], hasMore: false, nextCursor: null });
        assert.equal((await ok(id, 'goals', { limit: 2 })).hasMore, true);
        assert.equal((await ok(id, 'goals', { limit: 3 })).hasMore, false);
    });

    it('a cursor neither repeats nor skips, whatever the order and whatever is added', options, async () => {
        const values = [3, null, 1, 1, null, 2.5, 1, 3, null, 0];
        const id = await withGoals(...values.map((target_value, i) => ({ target_value, deadline: i % 3 ? `2025-0${1 + (i % 4)}-01` : null, is_active: i % 2 ? null : i % 4 === 0 })));
        for (const order of [undefined, 'target_value', 'deadline', 'created_at', 'title', 'id', 'is_active', 'user_id'])
            for (const ascending of [true, false]) {
                const whole = titles(await ok(id, 'goals', { order, ascending }));
                assert.equal(whole.length, 10);
                const seen = [];
                let cursor = null;
                do {
                    const body = await ok(id, 'goals', { order, ascending, limit: 3, cursor });
                    seen.push(...titles(body));
                    cursor = body.nextCursor;
                    assert.equal(cursor !== null, body.hasMore);
                } while (cursor);
                assert.deepEqual(seen, whole, `${order} ${ascending}`);
            }
        const first = await ok(id, 'goals', { limit: 4 });
        await entities.database.rows(`INSERT INTO goals (user_id, title, goal_type) VALUES ($1, 'new', 'x')`, [id]);
        const second = await ok(id, 'goals', { limit: 500, cursor: first.nextCursor });
        assert.deepEqual([...titles(first), ...titles(second)], ['9', '8', '7', '6', '5', '4', '3', '2', '1', '0'].map((n) => `goal ${n}`));
    });

    it('nulls come last in both directions', options, async () => {
        const id = await withGoals({ target_value: 1 }, { target_value: null }, { target_value: 2 });
        for (const ascending of [true, false])
            assert.equal((await ok(id, 'goals', { order: 'target_value', ascending })).data.at(-1).target_value, null);
    });

    it('cursors of another order, and what is none', options, async () => {
        const id = await withGoals({}, {});
        const { nextCursor } = await ok(id, 'goals', { limit: 1 });
        const made = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
        const parts = { order: 'created_at', ascending: false, id: '00000000-0000-4000-8000-000000000000', value: '2025-01-01T00:00:00Z' };
        assert.equal((await call(id, 'goals', { cursor: made(parts) })).status, 200);
        for (const [filters, what] of [
            [{ cursor: nextCursor, offset: 0 }, 'with an offset'],
            [{ cursor: nextCursor, order: 'title' }, 'another order'],
            [{ cursor: nextCursor, order: 'created_at' }, 'another direction'],
            [{ cursor: 'x' }, 'no base64'],
            [{ cursor: made([]) }, 'no object'],
            [{ cursor: made({ ...parts, id: "' OR true --" }) }, 'no id'],
            [{ cursor: made({ ...parts, value: "now'; --" }) }, 'no time'],
            [{ cursor: made({ ...parts, value: undefined }) }, 'no value'],
            [{ cursor: 7 }, 'a number'],
        ])
            assertRefused(await call(id, 'goals', filters), 400, 'invalid_input', 'filters.cursor', what);
    });
});
