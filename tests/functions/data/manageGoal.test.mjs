/*
 * manageGoal (spec data.md): its examples, what a request may hold, scores against JavaScript, keys.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const goals = suite({ functions: ['manageGoal'] });
const call = (id, body, more) => goals.call('manageGoal', id, body, more);
const create = (id, goalData, more) => call(id, { operation: 'create', goalData }, more);
const update = (id, goalId, goalData) => call(id, { operation: 'update', goalId, goalData });
const stored = (id) => goals.database.row('SELECT * FROM goals WHERE id = $1', [id]);
const MISSING = '3fb36b92-6d0e-4bac-992d-00818cf81ca0';

async function goal(owner, values = {}) {
    const row = { user_id: owner, title: 'Close', goal_type: 'production', ...values };
    const names = Object.keys(row);
    const [{ id }] = await goals.database.rows(
        `INSERT INTO goals (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING id`,
        Object.values(row),
    );
    return id;
}

describe('manageGoal: create', options, () => {
    it('with a title only', options, async () => {
        const id = await goals.agent();
        const { status, body } = await create(id, { title: 'Twelve closings' });
        assert.equal(status, 200);
        const { id: goalId, created_at, updated_at, ...row } = body.goal;
        assert.deepEqual(row, {
            user_id: id, title: 'Twelve closings', goal_type: 'custom', target_value: null, current_value: 0, unit: null,
            timeframe: null, deadline: null, confidence_score: 50, status: 'active', category: null, progress_percentage: 0,
            trend: null, is_active: true,
        });
        assert.equal((await stored(goalId)).user_id, id);
    });

    it('with everything, in camelCase; the score is 50 whatever was sent', options, async () => {
        const id = await goals.agent();
        const { body } = await create(id, {
            id: 'new', user_id: id, userId: id, created_at: 'x', updated_at: 7, title: 'GCI', goalType: 'financial', targetValue: 9999999999.99,
            currentValue: 1.005, unit: 'USD', timeframe: 'yearly', deadline: '2026-12-31T10:00:00Z', status: 'at-risk', confidenceScore: 90,
        });
        const { goal_type, target_value, current_value, unit, timeframe, deadline, status, confidence_score } = body.goal;
        assert.deepEqual(
            [goal_type, target_value, current_value, unit, timeframe, deadline, status, confidence_score],
            ['financial', 9999999999.99, 1.01, 'USD', 'yearly', '2026-12-31', 'at-risk', 50],
        );
    });

    it('snake_case goes before camelCase', options, async () => {
        const { body } = await create(await goals.agent(), { title: 'a', goalType: 'b', goal_type: 'c' });
        assert.equal(body.goal.goal_type, 'c');
    });

    it('under a key once', options, async () => {
        const id = await goals.agent();
        const body = { operation: 'create', goalData: { title: 'Once' }, idempotencyKey: 'goal-1' };
        const answers = await Promise.all(Array.from({ length: 6 }, () => call(id, body)));
        assert.equal(new Set(answers.map((answer) => answer.body.goal.id)).size, 1);
        assert.equal(await goals.database.count('goals', 'user_id = $1', [id]), 1);
        const again = await create(id, { title: 'Once' }, { headers: { 'idempotency-key': 'goal-1' } });
        assert.equal(again.headers.get('idempotent-replay'), 'true');
        assert.deepEqual(again.body, answers[0].body);
        assertRefused(await create(id, { title: 'Twice' }, { headers: { 'idempotency-key': 'goal-1' } }), 409, 'idempotency_conflict');
    });

    it('a caller without a profile', options, async () => {
        assertRefused(await create('user_without_profile', { title: 'a' }), 404, 'user_not_found');
    });
});

describe('manageGoal: update', options, () => {
    const score = async (before, change) => {
        const id = await goals.agent(), goalId = await goal(id, before);
        const { status, body } = await update(id, goalId, change);
        assert.equal(status, 200);
        return body.goal.confidence_score;
    };

    it('examples: 45 of 120 is 38, a target of 0 leaves the score, 500 of 400 is 100', options, async () => {
        assert.equal(await score({ target_value: 120, current_value: 30 }, { current_value: 45 }), 38);
        assert.equal(await score({ target_value: 0, confidence_score: 77 }, { current_value: 45 }), 77);
        assert.equal(await score({ target_value: 400 }, { currentValue: 500 }), 100);
    });

    it('the score follows merged values, and beats one that is sent', options, async () => {
        assert.equal(await score({ target_value: 100, current_value: 20 }, { target_value: 40 }), 50);
        assert.equal(await score({ target_value: 100, current_value: 20 }, { target_value: 50, confidence_score: 1 }), 40);
        assert.equal(await score({ target_value: 100, current_value: null }, { target_value: 50 }), 0);
        assert.equal(await score({ target_value: null, confidence_score: 9 }, { current_value: 5, confidence_score: 81 }), 81);
        assert.equal(await score({ target_value: 100, current_value: 20 }, { confidence_score: 7 }), 7);
        assert.equal(await score({ target_value: 100, current_value: 20, confidence_score: 9 }, { title: 'b' }), 9);
        assert.equal(await score({ target_value: 100, current_value: 20, confidence_score: 9 }, { target_value: null }), 9);
    });

    it('scores round as in JavaScript', options, async () => {
        const id = await goals.agent(), goalId = await goal(id);
        for (const [current, target] of [[23, 40], [1, 200], [0.5, 99.99], [3, 7], [57.5, 100], [1, 3], [29, 200], [0.01, 9999999999.99]]) {
            const { body } = await update(id, goalId, { current_value: current, target_value: target });
            const expected = Math.min(100, Math.max(0, Math.round((current / target) * 100)));
            assert.equal(body.goal.confidence_score, expected, `${current} of ${target}`);
        }
    });

    it('only what is given changes; null clears what can be empty', options, async () => {
        const id = await goals.agent();
        const goalId = await goal(id, { target_value: 5, unit: 'deals', timeframe: 'q1', deadline: '2026-01-01', category: 'kept' });
        const { body } = await update(id, goalId.toUpperCase(), { id: goalId, user_id: id, created_at: null, title: 'New', deadline: null, unit: '' });
        const { title, goal_type, target_value, unit, timeframe, deadline, category } = body.goal;
        assert.deepEqual(
            [title, goal_type, target_value, unit, timeframe, deadline, category], ['New', 'production', 5, null, 'q1', null, 'kept']);
        assert.equal((await update(id, goalId, { targetValue: null, status: null, goal_type: null })).body.goal.target_value, null);
        assert.deepEqual([(await stored(goalId)).status, (await stored(goalId)).goal_type], ['active', 'production']);
    });

    it("another user's goal, and none", options, async () => {
        const id = await goals.agent(), other = await goal(await goals.agent());
        assertRefused(await update(id, other, { title: 'Mine' }), 404, 'goal_not_found');
        assertRefused(await update(await goals.admin(), other, { title: 'Mine' }), 404, 'goal_not_found');
        assert.equal((await stored(other)).title, 'Close');
        assertRefused(await update(id, MISSING, { title: 'Mine' }), 404, 'goal_not_found');
    });
});

describe('manageGoal: delete', options, () => {
    it('own, then gone', options, async () => {
        const id = await goals.agent(), goalId = await goal(id);
        assert.deepEqual((await call(id, { operation: 'delete', goalId })).body, { success: true });
        assert.equal(await stored(goalId), undefined);
        assertRefused(await call(id, { operation: 'delete', goalId }), 404, 'goal_not_found');
    });

    it("another user's", options, async () => {
        const other = await goal(await goals.agent());
        assertRefused(await call(await goals.agent(), { operation: 'delete', goalId: other }), 404, 'goal_not_found');
        assert.ok(await stored(other));
    });
});

describe('manageGoal: what goalData may hold', options, () => {
    it('another owner, unknown names, wrong values', options, async () => {
        const id = await goals.agent(), goalId = await goal(id);
        const both = async (goalData, status, code, field) => {
            assertRefused(await create(id, { title: 'a', ...goalData }), status, code, field);
            assertRefused(await update(id, goalId, goalData), status, code, field);
        };
        await both({ user_id: 'user_other', title: 7 }, 403, 'user_mismatch', 'goalData.user_id');
        await both({ userId: 'user_other' }, 403, 'user_mismatch', 'goalData.userId');
        for (const name of ['category', 'is_active', 'progress_percentage', 'trend', 'titel', 'goalType; DROP TABLE goals'])
            await both({ [name]: 'x' }, 400, 'unknown_column', `goalData.${name}`);
        assertRefused(await update(id, goalId, { id: MISSING }), 400, 'unknown_column', 'goalData.id');
        const wrong = {
            title: [...NOT.text, '', ' ', null, 'x'.repeat(256)], goal_type: [...NOT.text, 'x'.repeat(51)],
            target_value: [...NOT.number, -0.01, 1e10], current_value: [...NOT.number, -1, 1e10],
            unit: [...NOT.text, 'x'.repeat(51)], timeframe: [...NOT.text, 'x'.repeat(51)], deadline: NOT.date,
            status: [...NOT.text, 'done'], confidence_score: [...NOT.integer, -1, 101],
        };
        for (const [field, values] of Object.entries(wrong))
            for (const value of values) await both({ [field]: value }, 400, 'invalid_input', `goalData.${field}`);
        assert.equal(await goals.database.count('goals', 'user_id = $1', [id]), 1);
        assert.equal((await stored(goalId)).title, 'Close');
    });

    it('operations without what they need', options, async () => {
        const id = await goals.agent();
        const { status, body } = await call(id, { operation: 'read' });
        assert.deepEqual([status, body.code, body.error], [400, 'invalid_operation', 'Invalid operation']);
        assertRefused(await call(id, { operation: 'create' }), 400, 'invalid_input', 'goalData');
        assertRefused(await create(id, {}), 400, 'invalid_input', 'goalData.title');
        assertRefused(await call(id, { operation: 'update', goalId: MISSING }), 400, 'invalid_input', 'goalData');
        for (const operation of ['update', 'delete'])
            assertRefused(await call(id, { operation, goalData: { title: 'a' } }), 400, 'invalid_input', 'goalId');
    });
});

refusals(goals, 'manageGoal', {
    body: { operation: 'create', goalData: { title: 'a' } },
    required: ['operation', 'goalData'],
    wrong: { operation: NOT.text, goalId: NOT.uuid, goalData: NOT.object, idempotencyKey: [7, 'a/b'] },
    untouched: ['goals', 'edge.idempotency_keys'],
});
