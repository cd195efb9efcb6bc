/*
 * createFollowUpBossTaskTool (spec crm.md): its examples, the assignee, notes, and everything that the provider may fail at.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { actionsOf, auditTrail, connect, connectionOf, connectionRefusals, done, limits, providerFailures } from '../../support/crm.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';

const KEY = 'fka_0123456789';
const valid = { title: 'Call about appraisal', personId: 15013 };

const tasks = suite({ functions: ['createFollowUpBossTaskTool'], env: limits });
const boss = tasks.provider('followupboss');
const call = (id, body, more) => tasks.call('createFollowUpBossTaskTool', id, body, more);

async function agent(settings = { fub_user_id: 7 }) {
    const id = await tasks.agent();
    await connect(tasks, id, 'follow_up_boss', { api_key: KEY }, { settings });
    return id;
}

refusals(tasks, 'createFollowUpBossTaskTool', {
    mode: 'user_or_service',
    body: valid,
    required: ['title', 'personId'],
    wrong: {
        title: [...NOT.text, ' ', 'a'.repeat(256)],
        description: [...NOT.text, 'a'.repeat(5001)],
        dueDate: [...NOT.text, '2026-02-30', '2026-07-15T12:00:00'],
        personId: [0, '0', -1, 1.5, '12a', 2147483648, '2147483648', true, [], {}, null],
        taskType: [...NOT.text, 'Other', 'follow up'],
        assignedUserId: [...NOT.integer, 0, -1],
    },
    untouched: ['ai_actions_log'],
});

describe('createFollowUpBossTaskTool', options, () => {
    it('example 1: a known assignee; exactly one call', options, async () => {
        const id = await agent();
        await boss.order({ status: 201, body: { id: 4066, name: 'Call about appraisal' } });
        const data = await done(call(id, { title: 'Call about appraisal', personId: '15013', dueDate: '2026-03-02' }));
        assert.deepEqual(data, { taskId: 4066, title: 'Call about appraisal', message: 'Follow Up Boss task created successfully' });
        const requests = await boss.requests();
        assert.equal(requests.length, 1);
        assert.deepEqual([requests[0].method, requests[0].path], ['POST', '/v1/tasks']);
        assert.deepEqual(requests[0].body, {
            personId: 15013, name: 'Call about appraisal', type: 'Follow Up', assignedUserId: 7, dueDate: '2026-03-02',
        });
        assert.equal(requests[0].headers.authorization, `Basic ${Buffer.from(`${KEY}:`).toString('base64')}`);
        assert.equal(requests[0].headers['x-system'], undefined);
    });

    it('example 2: the assignee is learnt once, beside what was known', options, async () => {
        const id = await agent({ syncCallLogs: true, account_name: 'Ann' });
        await boss.order({ body: { id: 3, apiKey: KEY } });
        await done(call(id, valid));
        await done(call(id, valid));
        const requests = await boss.requests();
        assert.deepEqual(requests.map(({ path }) => path), ['/v1/me', '/v1/tasks', '/v1/tasks']);
        assert.deepEqual(requests.slice(1).map(({ body }) => body.assignedUserId), [3, 3]);
        assert.deepEqual((await connectionOf(tasks, id)).sync_settings, { syncCallLogs: true, account_name: 'Ann', fub_user_id: 3 });
    });

    it('example 3: 429 without Retry-After is not repeated', options, async () => {
        await boss.order({ status: 429, body: { errorMessage: 'Too many requests' } });
        assertRefused(await call(await agent(), valid), 429, 'provider_rate_limited');
        assert.equal((await boss.requests()).length, 1);
    });

    it('who is asked for is who gets it; an instant is dueDateTime; the provider’s name is the title', options, async () => {
        const id = await agent();
        await boss.order({ status: 200, body: { id: 1, name: 'As they keep it' } });
        const data = await done(call(id, {
            ...valid, assignedUserId: 9, taskType: 'Open House', dueDate: '2026-03-02T10:00:00-08:00', personId: 2147483647,
        }));
        assert.equal(data.title, 'As they keep it');
        assert.deepEqual((await boss.bodies())[0], {
            personId: 2147483647, name: valid.title, type: 'Open House', assignedUserId: 9, dueDateTime: '2026-03-02T10:00:00-08:00',
        });
    });

    it('a description becomes a note; when that fails the task stands, with a warning', options, async () => {
        const id = await agent();
        const data = await done(call(id, { ...valid, description: 'Ask for the report' }));
        assert.equal('warnings' in data, false);
        assert.deepEqual((await boss.requests()).map(({ path }) => path), ['/v1/tasks', '/v1/notes']);
        assert.deepEqual((await boss.bodies())[1], { personId: 15013, subject: valid.title, body: 'Ask for the report' });
        for (const order of [{ status: 400, body: { errorMessage: 'No' } }, { status: 401, body: {} }, { drop: true }]) {
            await boss.order({ status: 201, body: { id: 5 } }, order);
            const warned = await done(call(id, { ...valid, description: 'x' }));
            assert.deepEqual([warned.taskId, warned.title, warned.warnings], [5, valid.title, ['note_not_added']]);
        }
        const actions = await actionsOf(tasks, id);
        assert.deepEqual(actions.map(({ status }) => status), Array(4).fill('success'));
        assert.deepEqual(actions[3].action_data.result.warnings, ['note_not_added']);
    });

    it('whose key it is cannot be learnt: nothing is made', options, async () => {
        for (const [order, status, code] of [
            [{ status: 401, body: { errorMessage: 'No' } }, 409, 'reconnect_required'],
            [{ status: 403, body: { errorMessage: 'Expired' } }, 422, 'provider_rejected'],
            [{ status: 500, body: {} }, 502, 'provider_error'],
            [{ status: 200, body: { name: 'Nobody' } }, 502, 'provider_bad_response'],
        ]) {
            const id = await agent({});
            await boss.order(order);
            const answer = await call(id, valid);
            assertRefused(answer, status, code);
            assert.ok(answer.body.error.startsWith('Failed to create task: '));
            assert.deepEqual((await actionsOf(tasks, id)).length, 0);
        }
        assert.ok((await boss.requests()).every(({ path }) => path === '/v1/me'));
    });

    it('absence of the person is answered with what to ask', options, async () => {
        const answer = await call(await agent(), { title: 'x' });
        assertRefused(answer, 400, 'invalid_input', 'personId');
        assert.match(answer.body.suggestion, /contact/);
    });

    it('the system’s headers go along when both are set', options, () =>
        withHost({ functions: tasks.functions, database: tasks.database.url,
            env: { ...limits, FOLLOWUPBOSS_SYSTEM: 'Pulse', FOLLOWUPBOSS_SYSTEM_KEY: 'sys-key' } }, async (host) => {
            await done(call(await agent(), valid, { host }));
            const answer = await (await fetch(`${host.url}/sandbox/_requests?provider=followupboss`)).json();
            assert.deepEqual(
                [answer.requests[0].headers['x-system'], answer.requests[0].headers['x-system-key']], ['Pulse', 'sys-key']);
        }));
});

connectionRefusals(tasks, 'createFollowUpBossTaskTool', {
    provider: 'followupboss',
    service: 'follow_up_boss',
    body: valid,
    credentials: { api_key: KEY },
    texts: { error: 'Follow Up Boss not connected', suggestion: 'Please connect your Follow Up Boss account in Settings > Integrations' },
    names: ['follow_up_boss', 'followupboss'],
});

providerFailures(tasks, 'createFollowUpBossTaskTool', {
    provider: 'followupboss', body: valid, prefix: 'Failed to create task', agent: () => agent(), secret: KEY,
});

auditTrail(tasks, 'createFollowUpBossTaskTool', {
    provider: 'followupboss',
    body: valid,
    changed: { title: 'Another' },
    agent: () => agent(),
    action: 'createFollowUpBossTask',
    writes: (requests) => requests.filter(({ path }) => path === '/v1/tasks').length,
});
