/*
 * createTask (spec data.md): its examples, limits, and creating once under a key.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const tasks = suite({ functions: ['createTask'] });
const call = (id, body, more) => tasks.call('createTask', id, body, more);
const TASK = { title: 'Call Ann', category: 'power_hour', dueDate: '2025-07-01' };
const count = (id) => tasks.database.count('daily_actions', 'user_id = $1', [id]);

describe('createTask', options, () => {
    it('example: a task with a time', options, async () => {
        const id = await tasks.agent();
        const { status, body } = await call(id, { ...TASK, scheduledTime: '09:30' });
        assert.equal(status, 200);
        assert.equal(body.success, true);
        const { id: taskId, created_at, updated_at, ...row } = body.data;
        assert.deepEqual(row, {
            user_id: id, title: 'Call Ann', description: null, category: 'power_hour', priority: 'medium', status: 'pending',
            due_date: '2025-07-01', scheduled_time: '09:30:00', duration_minutes: null, completed_at: null,
        });
        assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 20000 && updated_at === created_at);
        const stored = await tasks.database.row('SELECT user_id FROM daily_actions WHERE id = $1', [taskId]);
        assert.equal(stored.user_id, id);
    });

    it('example: 30 February', options, async () => {
        assertRefused(
            await call(await tasks.agent(), { ...TASK, dueDate: '2025-02-30' }), 400, 'invalid_input', 'dueDate');
    });

    it('example: a minute more than a day', options, async () => {
        const id = await tasks.agent();
        assertRefused(await call(id, { ...TASK, durationMinutes: 1441 }), 400, 'invalid_input', 'durationMinutes');
        assert.equal((await call(id, { ...TASK, durationMinutes: 1440 })).body.data.duration_minutes, 1440);
    });

    it('snake_case, a time stamp as date, white space and empty texts', options, async () => {
        const { body } = await call(await tasks.agent(), {
            title: '  Plan  ', category: 'planning', due_date: '2025-07-01T23:30:00-07:00', scheduled_time: '',
            duration_minutes: 1, description: '', priority: null, status: 'completed', completed_at: '2025-01-01T00:00:00Z',
        });
        const { title, due_date, scheduled_time, duration_minutes, description, priority, status, completed_at } = body.data;
        assert.deepEqual(
            [title, due_date, scheduled_time, duration_minutes, description, priority, status, completed_at],
            ['Plan', '2025-07-01', null, 1, null, 'medium', 'pending', null],
        );
    });

    it('texts at their bounds, in code points', options, async () => {
        const id = await tasks.agent();
        const long = { title: '\u{1f600}'.repeat(255), category: 'c'.repeat(50), description: 'é'.repeat(5000) };
        assert.equal((await call(id, { ...TASK, ...long })).body.data.title, long.title);
        for (const field of Object.keys(long))
            assertRefused(await call(id, { ...TASK, [field]: `${long[field]}x` }), 400, 'invalid_input', field);
        assert.equal(await count(id), 1);
    });

    it('the first bad field in the order of the specification', options, async () => {
        const id = await tasks.agent();
        assertRefused(
            await call(id, { ...TASK, dueDate: 'soon', priority: 'urgent' }), 400, 'invalid_input', 'dueDate');
        assertRefused(await call(id, { dueDate: 'soon' }), 400, 'invalid_input', 'title');
    });

    it('a caller without a profile', options, async () => {
        assertRefused(await call('user_without_profile', TASK), 404, 'user_not_found');
    });
});

describe('createTask: once under a key', options, () => {
    it('the same answer again, and its header', options, async () => {
        const id = await tasks.agent();
        const first = await call(id, { ...TASK, idempotencyKey: 'task-1' });
        assert.equal(first.headers.get('idempotent-replay'), null);
        const reordered = { dueDate: '2025-07-01', category: 'power_hour', title: 'Call Ann' };
        const again = await call(id, reordered, { headers: { 'idempotency-key': 'task-1' } });
        assert.equal(again.status, 200);
        assert.equal(again.headers.get('idempotent-replay'), 'true');
        assert.deepEqual(again.body, first.body);
        assertRefused(
            await call(id, { ...TASK, title: 'Call Ben', idempotencyKey: 'task-1' }), 409, 'idempotency_conflict');
        assert.equal(await count(id), 1);
    });

    it("another user's key is another key", options, async () => {
        const one = await tasks.agent(), two = await tasks.agent(), body = { ...TASK, idempotencyKey: 'same' };
        await call(one, body);
        const answer = await call(two, body);
        assert.equal(answer.headers.get('idempotent-replay'), null);
        assert.equal(answer.body.data.user_id, two);
    });

    it('calls at the same time are one task', options, async () => {
        const id = await tasks.agent(), body = { ...TASK, idempotencyKey: 'race' };
        const answers = await Promise.all(Array.from({ length: 8 }, () => call(id, body)));
        for (const { status } of answers) assert.equal(status, 200);
        assert.equal(new Set(answers.map((answer) => answer.body.data.id)).size, 1);
        assert.equal(await count(id), 1);
    });

    it('after 24 hours the key is free again; a call that failed leaves it free', options, async () => {
        const id = await tasks.agent();
        await call(id, { ...TASK, idempotencyKey: 'day' });
        const { hours } = await tasks.database.row(
            `SELECT extract(epoch FROM expires_at - created_at) / 3600 AS hours FROM edge.idempotency_keys
             WHERE user_id = $1 AND scope = 'createTask' AND key = 'day'`, [id]);
        assert.equal(Number(hours), 24);
        await tasks.database.rows('UPDATE edge.idempotency_keys SET expires_at = now() WHERE user_id = $1', [id]);
        assert.equal((await call(id, { ...TASK, title: 'Other', idempotencyKey: 'day' })).status, 200);
        assert.equal(await count(id), 2);

        assertRefused(await call('user_late', { ...TASK, idempotencyKey: 'late' }), 404, 'user_not_found');
        await tasks.database.person('user_late');
        assert.equal((await call('user_late', { ...TASK, idempotencyKey: 'late' })).status, 200);
    });
});

refusals(tasks, 'createTask', {
    body: TASK,
    required: ['title', 'category', 'dueDate'],
    wrong: {
        title: [...NOT.text, '', '   '],
        category: [...NOT.text, ' '],
        dueDate: [...NOT.date, '', '1899-12-31', '2201-01-01'],
        description: NOT.text,
        priority: [...NOT.text, 'urgent', 'High'],
        scheduledTime: [...NOT.text, '24:00', '9:30', '09:60', 'noon'],
        durationMinutes: [...NOT.integer, 0, 1441],
        idempotencyKey: [7, 'a/b', 'x'.repeat(129)],
    },
    untouched: ['daily_actions', 'edge.idempotency_keys'],
});
