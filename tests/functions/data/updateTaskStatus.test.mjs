/*
 * updateTaskStatus (spec data.md): its examples, every status, and other users' tasks.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const tasks = suite({ functions: ['updateTaskStatus'] });
const call = (id, taskId, status) => tasks.call('updateTaskStatus', id, { taskId, status });
const EARLIER = '2025-03-04T05:06:07.000Z';
const MISSING = '3fb36b92-6d0e-4bac-992d-00818cf81ca0';

async function task(owner, status = 'pending', completedAt = null) {
    const row = await tasks.database.row(
        `INSERT INTO daily_actions (user_id, title, category, due_date, status, completed_at)
         VALUES ($1, 'Call', 'calls', '2025-07-01', $2, $3) RETURNING id`,
        [owner, status, completedAt],
    );
    return row.id;
}
const stored = (id) => tasks.database.row('SELECT * FROM daily_actions WHERE id = $1', [id]);

describe('updateTaskStatus', options, () => {
    it('completed: the time is now', options, async () => {
        const id = await tasks.agent(), taskId = await task(id);
        const { status, body } = await call(id, taskId, 'completed');
        assert.equal(status, 200);
        assert.deepEqual(
            [body.success, body.data.id, body.data.status, body.data.due_date], [true, taskId, 'completed', '2025-07-01']);
        assert.ok(Math.abs(Date.parse(body.data.completed_at) - Date.now()) < 20000);
        assert.equal((await stored(taskId)).status, 'completed');
    });

    it('completed again: the time stays', options, async () => {
        const id = await tasks.agent(), taskId = await task(id, 'completed', EARLIER);
        const { body } = await call(id, taskId.toUpperCase(), 'completed');
        assert.equal(new Date(body.data.completed_at).toISOString(), EARLIER);
    });

    it('every other status: no time', options, async () => {
        const id = await tasks.agent();
        for (const status of ['pending', 'not_started', 'in_progress', 'skipped']) {
            const taskId = await task(id, 'completed', EARLIER);
            const { body } = await call(id, taskId, status);
            assert.deepEqual([body.data.status, body.data.completed_at], [status, null]);
            assert.equal((await stored(taskId)).completed_at, null);
        }
    });

    it("another user's task, and none", options, async () => {
        const id = await tasks.agent(), other = await task(await tasks.agent());
        assertRefused(await call(id, other, 'completed'), 404, 'task_not_found');
        assertRefused(await call(await tasks.admin(), other, 'completed'), 404, 'task_not_found');
        assert.equal((await stored(other)).status, 'pending');
        assertRefused(await call(id, MISSING, 'completed'), 404, 'task_not_found');
    });
});

refusals(tasks, 'updateTaskStatus', {
    body: { taskId: MISSING, status: 'completed' },
    required: ['taskId', 'status'],
    wrong: { taskId: [...NOT.uuid, ''], status: [...NOT.text, 'done', 'Completed', ''] },
});
