/*
 * createLoftyTaskTool (spec crm.md): its examples, due dates, ids, and everything that Lofty may fail at.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { actionsOf, auditTrail, connect, connectionOf, connectionRefusals, done, limits, providerFailures } from '../../support/crm.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const KEY = 'lk-1-secret';
const valid = { title: 'Order inspection' };

const tasks = suite({ functions: ['createLoftyTaskTool'], env: limits });
const lofty = tasks.provider('lofty');
const call = (id, body, more) => tasks.call('createLoftyTaskTool', id, body, more);

async function agent({ timezone } = {}) {
    const id = await tasks.agent();
    await connect(tasks, id, 'lofty', { api_key: KEY });
    if (timezone !== undefined)
        await tasks.database.rows('INSERT INTO user_preferences (user_id, timezone) VALUES ($1, $2)', [id, timezone]);
    return id;
}

refusals(tasks, 'createLoftyTaskTool', {
    mode: 'user_or_service',
    body: valid,
    required: ['title'],
    wrong: {
        title: [...NOT.text, ' ', 'a'.repeat(256)],
        description: [...NOT.text, 'a'.repeat(2001)],
        dueDate: [...NOT.text, '2026-02-30', '2026-7-15', '2026-07-15T12:00:00', '2026-07-15 12:00:00Z', '2026-07-15T24:00:00Z',
            '2026-07-15T12:00Z', '2026-07-15T12:00:00+0500', '2026-07-15T12:00:00.Z', '2026-02-30T12:00:00Z', 'tomorrow'],
        contactId: [0, '0', -1, 1.5, '12a', '9223372036854775808', true, [], {}],
        taskType: [...NOT.text, 'call', 'Visit'],
        idempotencyKey: [...NOT.text, 'a b'],
    },
    untouched: ['ai_actions_log'],
});

describe('createLoftyTaskTool', options, () => {
    it('example 1: due at 17:00 in the user’s zone, an id beyond a double', options, async () => {
        const id = await agent({ timezone: 'America/Chicago' });
        await lofty.order({ body: '{"taskId":987654321012345}' });
        const data = await done(call(id, { title: 'Order inspection', dueDate: '2026-07-15', contactId: '563172647619608' }));
        assert.deepEqual(data, { taskId: '987654321012345', title: 'Order inspection', message: 'Lofty task created successfully' });
        const [request, ...others] = await lofty.requests();
        assert.equal(others.length, 0);
        assert.deepEqual([request.method, request.path], ['POST', '/v2.0/tasks']);
        assert.deepEqual(request.body, {
            type: 'Other', content: 'Order inspection', assignedRole: 'Agent', leadId: 563172647619608,
            endAt: '2026-07-15T17:00:00-05:00', timeZoneCode: 'America/Chicago',
        });
        assert.equal(request.headers.authorization, `token ${KEY}`);
        assert.equal(request.headers['user-agent'], 'PulseEdge/1.0');
        const actions = await actionsOf(tasks, id);
        assert.deepEqual(actions.map((action) => action.status), ['success']);
        assert.equal((await connectionOf(tasks, id)).connection_status, 'connected');
    });

    it('example 2: no connection', options, async () => {
        const { status, body } = await call(await tasks.agent(), valid);
        assert.equal(status, 409);
        assert.deepEqual([body.success, body.error, body.code], [false, 'Lofty CRM not connected', 'not_connected']);
    });

    it('example 3: a day that is none; nothing is called', options, async () => {
        assertRefused(await call(await agent(), { title: 'x', dueDate: '2026-02-30' }), 400, 'invalid_input', 'dueDate');
        assert.deepEqual(await lofty.requests(), []);
    });

    it('due dates: offsets of summer and winter, default zones, instants as given', options, async () => {
        const due = async (timezone, dueDate) => {
            await done(call(await agent({ timezone }), { ...valid, dueDate }));
            const [{ body }] = await lofty.requests();
            await lofty.reset();
            return [body.endAt, body.timeZoneCode];
        };
        const newYork = ['2026-07-01T17:00:00-04:00', 'America/New_York'];
        assert.deepEqual(await due(undefined, '2026-07-01'), newYork);
        assert.deepEqual(await due(null, '2026-07-01'), newYork);
        assert.deepEqual(await due('Atlantis/Capital', '2026-07-01'), newYork);
        assert.deepEqual(await due('nonsense', ' 2026-07-01 '), newYork);
        assert.deepEqual(await due('America/New_York', '2026-01-01'), ['2026-01-01T17:00:00-05:00', 'America/New_York']);
        assert.deepEqual(await due('Asia/Kolkata', '2026-01-01'), ['2026-01-01T17:00:00+05:30', 'Asia/Kolkata']);
        assert.deepEqual(await due('America/Denver', '2026-03-08'), ['2026-03-08T17:00:00-06:00', 'America/Denver']);
        assert.deepEqual(await due('America/Denver', '2026-07-01T09:30:00.5+02:00'), ['2026-07-01T09:30:00.5+02:00', 'America/Denver']);
        assert.deepEqual(await due('America/Denver', '2026-07-01T09:30:00Z'), ['2026-07-01T09:30:00Z', 'America/Denver']);
    });

    it('what is sent without the optional fields, and with all of them', options, async () => {
        const id = await agent();
        await done(call(id, { title: ` ${'t'.repeat(255)} `, description: null, dueDate: '', contactId: null, taskType: null }));
        await done(call(id, { title: 'Call', description: 'd'.repeat(2000), contactId: 7.0, taskType: 'Call' }));
        await done(call(id, { title: 'Last', contactId: '9223372036854775807' }));
        const raw = (await lofty.bodies()).map(({ leadId, ...rest }) => rest);
        assert.deepEqual(raw, [
            { type: 'Other', content: 't'.repeat(255), assignedRole: 'Agent' },
            { type: 'Call', content: `Call\n${'d'.repeat(2000)}`, assignedRole: 'Agent' },
            { type: 'Other', content: 'Last', assignedRole: 'Agent' },
        ]);
        const actions = await tasks.database.rows(
            `SELECT action_data #>> '{request,contactId}' AS lead FROM ai_actions_log WHERE user_id = $1 ORDER BY created_at`, [id]);
        assert.deepEqual(actions.map(({ lead }) => lead), [null, '7', '9223372036854775807'], 'every digit');
    });

    it('ids of 64 bits survive in both directions', options, async () => {
        await lofty.order({ body: '{"taskId":9223372036854775807}' });
        const data = await done(call(await agent(), valid));
        assert.equal(data.taskId, '9223372036854775807');
    });

    it('Lofty’s own word for a key that it does not know', options, async () => {
        const id = await agent();
        await lofty.order({ status: 400, body: { code: 200058, message: 'Invalid access token' } });
        assertRefused(await call(id, valid), 409, 'reconnect_required');
        assert.equal((await connectionOf(tasks, id)).connection_status, 'error');
    });
});

connectionRefusals(tasks, 'createLoftyTaskTool', {
    provider: 'lofty',
    service: 'lofty',
    body: valid,
    credentials: { api_key: KEY },
    texts: { error: 'Lofty CRM not connected', suggestion: 'Please connect your Lofty CRM in Settings > Integrations' },
    names: ['lofty'],
});

providerFailures(tasks, 'createLoftyTaskTool', { provider: 'lofty', body: valid, prefix: 'Failed to create task', agent, secret: KEY });

auditTrail(tasks, 'createLoftyTaskTool', {
    provider: 'lofty',
    body: valid,
    changed: { title: 'Another' },
    agent,
    action: 'createLoftyTask',
    writes: (requests) => requests.filter(({ path }) => path === '/v2.0/tasks').length,
});
