/*
 * entityOperations (spec data.md): its examples, each operation, and who sees what.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const entities = suite({ functions: ['entityOperations'] });
const call = (id, table, operation, more = {}, rest = {}) =>
    entities.call('entityOperations', id, { table, operation, ...more }, rest);
async function ok(...request) {
    const { status, body } = await call(...request);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
}
async function refused(expected, code, field, ...request) {
    assertRefused(await call(...request), expected, code, field);
}
const goal = (title, more = {}) => ({ title, goal_type: 'production', ...more });

refusals(entities, 'entityOperations', {
    body: { table: 'goals', operation: 'list' },
    required: ['operation', 'table'],
    wrong: { operation: NOT.text, table: NOT.text, filters: NOT.object, id: NOT.text, expectedUpdatedAt: NOT.text, idempotencyKey: NOT.text },
    untouched: ['goals'],
});

describe('entityOperations: examples', options, () => {
    it('filters with $in, newest first', options, async () => {
        const id = await entities.agent();
        for (const status of ['pending', 'under_contract', 'closed'])
            await ok(id, 'transactions', 'create', { data: { transaction_type: 'sale', status } });
        const body = await ok(id, 'transactions', 'filter', {
            filters: { user_id: id, status: { $in: ['under_contract', 'pending'] }, order: 'created_at', ascending: false },
        });
        assert.deepEqual(body.data.map((row) => row.status), ['under_contract', 'pending']);
        assert.equal(body.hasMore, false);
        assert.equal(body.nextCursor, null);
    });

    it('the real name goes before its alias, and legacy names are reported', options, async () => {
        const id = await entities.agent();
        const body = await ok(id, 'daily_actions', 'create', {
            data: {
                user_id: id,
                title: 'Call Ann',
                category: 'power_hour',
                action_type: 'networking',
                action_date: '2025-03-04',
                due_date: '2025-03-05',
                status: 'not_started',
            },
        });
        assert.equal(body.data.due_date, '2025-03-05');
        assert.deepEqual(body.ignoredFields, ['action_type']);
        assert.equal(body.data.user_id, id);
    });

    it('a plan cannot be written', options, async () => {
        const id = await entities.agent();
        await refused(403, 'column_not_writable', 'data.subscription_tier', id, 'profiles', 'update', {
            id,
            data: { subscription_tier: 'Admin' },
        });
        assert.equal((await entities.database.row('SELECT subscription_tier FROM profiles WHERE id = $1', [id])).subscription_tier, 'Free');
    });

    it("another user's goal is not there", options, async () => {
        const id = await entities.agent(),
            other = await entities.agent();
        const { data } = await ok(other, 'goals', 'create', { data: goal('Mine') });
        for (const [operation, more] of [['get', {}], ['update', { data: { title: 'Yours' } }], ['delete', {}]])
            await refused(404, 'not_found', undefined, id, 'goals', operation, { id: data.id, ...more });
        assert.equal((await ok(other, 'goals', 'get', { id: data.id })).data.title, 'Mine');
        assert.deepEqual((await ok(id, 'goals', 'list')).data, []);
    });

    it('an order is a column or nothing', options, async () => {
        const id = await entities.agent();
        await refused(400, 'unknown_column', 'filters.order', id, 'goals', 'list', {
            filters: { order: 'title; drop table goals' },
        });
    });
});

describe('entityOperations: what may be asked for', options, () => {
    it('names outside of the catalogue', options, async () => {
        const id = await entities.agent();
        for (const table of ['pulse_config', 'content_preferences', 'user_roles', 'system_errors', 'autopilot_permissions', 'edge.jobs', 'auth.users', 'Goals', 'pg_class', 'goals '.repeat(2)])
            await refused(403, 'entity_not_allowed', undefined, id, table, 'list');
        await refused(400, 'invalid_operation', 'operation', id, 'goals', 'drop');
        assert.equal((await call(id, undefined, 'list', { entityName: 'Goal' })).status, 200);
        assert.equal((await call(id, undefined, 'list', { entity: 'user_agent_subscription' })).status, 200);
    });

    it('operations that users do not have', options, async () => {
        const id = await entities.agent();
        const row = '00000000-0000-4000-8000-000000000000';
        for (const [table, operation] of [
            ['profiles', 'delete'], ['profiles', 'create'], ['user_onboarding', 'delete'], ['ai_actions_log', 'update'],
            ['referrals', 'update'], ['call_logs', 'create'], ['crm_connections', 'create'], ['pulse_scores', 'delete'],
            ['user_credits', 'update'], ['user_agent_subscriptions', 'create'], ['task_templates', 'create'],
            ['agent_voices', 'update'], ['feature_flags', 'delete'],
        ])
            await refused(403, 'operation_not_allowed', undefined, id, table, operation, { id: row, data: {} });
        const admin = await entities.admin();
        for (const table of ['user_credits', 'credit_transactions'])
            for (const operation of ['create', 'update', 'delete'])
                await refused(403, 'operation_not_allowed', undefined, admin, table, operation, { id: row, data: { credits_available: 5 } });
    });

    it('credentials are unknown in data, filters and order', options, async () => {
        const id = await entities.agent();
        await entities.database.rows(
            `INSERT INTO crm_connections (user_id, provider, credentials, sync_settings) VALUES ($1, 'lofty', '{"secret": 1}', '{"a": 1, "b": {"c": 1}}')`, [id]);
        const { data } = await ok(id, 'crm_connections', 'list');
        assert.ok(!('credentials' in data[0]));
        await refused(400, 'unknown_column', 'filters.credentials', id, 'crm_connections', 'list', { filters: { credentials: {} } });
        await refused(400, 'unknown_column', 'filters.order', id, 'crm_connections', 'list', { filters: { order: 'credentials' } });
        await refused(400, 'unknown_column', 'data.credentials', id, 'crm_connections', 'update', { id: data[0].id, data: { credentials: {} } });
        const merged = await ok(id, 'crm_connections', 'update', { id: data[0].id, data: { sync_settings: { b: 2 } } });
        assert.deepEqual(merged.data.sync_settings, { a: 1, b: 2 }, 'merged over what is stored');
        await refused(400, 'invalid_input', 'data.sync_settings', id, 'crm_connections', 'update', { id: data[0].id, data: { sync_settings: null } });
        await refused(400, 'invalid_input', 'data.sync_settings', id, 'crm_connections', 'update', { id: data[0].id, data: { sync_settings: [1] } });
    });

    it('ids and data where they are needed', options, async () => {
        const id = await entities.agent();
        for (const operation of ['get', 'update', 'delete']) {
            await refused(400, 'invalid_input', 'id', id, 'goals', operation, { data: { title: 'x' } });
            await refused(400, 'invalid_input', 'id', id, 'goals', operation, { id: '1; select', data: { title: 'x' } });
        }
        for (const operation of ['create', 'update', 'bulkCreate'])
            await refused(400, 'invalid_input', 'data', id, 'goals', operation, { id: '00000000-0000-4000-8000-000000000000' });
        await refused(400, 'invalid_input', 'data', id, 'goals', 'bulkCreate', { data: [] });
        await refused(400, 'invalid_input', 'data[1]', id, 'goals', 'bulkCreate', { data: [goal('a'), 7] });
    });
});

describe('entityOperations: writing', options, () => {
    it('create needs what is required and fills in fallbacks', options, async () => {
        const id = await entities.agent();
        await refused(400, 'invalid_input', 'data.title', id, 'goals', 'create', { data: { goal_type: 'x' } });
        await refused(400, 'invalid_input', 'data.title', id, 'goals', 'create', { data: { goal_type: 'x', title: null } });
        await refused(400, 'unknown_column', 'data.colour', id, 'goals', 'create', { data: goal('x', { colour: 1 }) });
        const { data } = await ok(id, 'user_knowledge', 'create', { data: { title: 'T', content: 'C' } });
        assert.deepEqual([data.agent_type, data.knowledge_type, data.metadata], ['executive_assistant', 'note', {}]);
        assert.equal((await ok(id, 'agent_config', 'create', { data: {} })).data.agent_type, 'executive_assistant');
        await refused(409, 'already_exists', 'user_id, agent_type', id, 'agent_config', 'create', { data: {} });
    });

    it('server-managed keys are dropped, somebody else as the owner is refused', options, async () => {
        const id = await entities.agent();
        const { data, ignoredFields } = await ok(id, 'goals', 'create', {
            data: goal('Mine', { id: 'x', created_at: 'x', updated_date: 'x', created_by: 'x', user_id: id }),
        });
        assert.equal(data.user_id, id);
        assert.equal(ignoredFields, undefined);
        await refused(403, 'user_mismatch', 'data.user_id', id, 'goals', 'create', { data: goal('Yours', { user_id: 'user_other' }) });
    });

    it('a reference that is not there, and a caller without a profile', options, async () => {
        const id = await entities.agent();
        await refused(400, 'invalid_reference', undefined, id, 'email_campaigns', 'create', {
            data: { campaign_name: 'Spring', template_id: '00000000-0000-4000-8000-000000000000' },
        });
        await refused(400, 'invalid_reference', undefined, 'user_nobody', 'goals', 'create', { data: goal('x') });
    });

    it('bulkCreate is all or nothing', options, async () => {
        const id = await entities.agent();
        const { data } = await ok(id, 'goals', 'bulkCreate', { data: [goal('a', { target_value: 5 }), goal('b'), goal('c', { status: 'paused' })] });
        assert.deepEqual(data.map((row) => [row.title, row.target_value, row.status]), [['a', 5, 'active'], ['b', null, 'active'], ['c', null, 'paused']]);
        await refused(400, 'invalid_input', 'data[1].status', id, 'goals', 'bulkCreate', { data: [goal('d'), goal('e', { status: 'no' })] });
        await refused(409, 'already_exists', 'user_id, agent_type', id, 'agent_config', 'bulkCreate', { data: [{ agent_type: 'a' }, { agent_type: 'a' }] });
        assert.equal(await entities.database.count('agent_config', 'user_id = $1', [id]), 0);
        assert.equal(await entities.database.count('goals', 'user_id = $1', [id]), 3);
        const many = await ok(id, 'goals', 'bulkCreate', { data: Array.from({ length: 500 }, (_, i) => goal(`g${i}`)) });
        assert.deepEqual(many.data.map((row) => row.title), Array.from({ length: 500 }, (_, i) => `g${i}`));
        await refused(400, 'invalid_input', 'data', id, 'goals', 'bulkCreate', { data: Array.from({ length: 501 }, () => goal('x')) });
    });

    it('an idempotency key writes once', options, async () => {
        const id = await entities.agent();
        const once = (data, operation = 'create') => call(id, 'goals', operation, { data, idempotencyKey: `key-${operation}` });
        const [first, second] = await Promise.all([once(goal('a')), once(goal('a'))]);
        assert.deepEqual([first.status, second.status], [200, 200]);
        assert.deepEqual(second.body, first.body);
        assert.deepEqual([first, second].map((answer) => answer.headers.get('idempotent-replay')).sort(), [null, 'true']);
        assertRefused(await once(goal('b')), 409, 'idempotency_conflict');
        await once([goal('c'), goal('d')], 'bulkCreate');
        assert.equal((await once([goal('c'), goal('d')], 'bulkCreate')).body.data.length, 2);
        assert.equal(await entities.database.count('goals', 'user_id = $1', [id]), 3);
        assertRefused(await call(id, 'goals', 'create', { data: goal('x', { status: 'no' }), idempotencyKey: 'free' }), 400, 'invalid_input', 'data.status');
        assert.equal((await call(id, 'goals', 'create', { data: goal('x'), idempotencyKey: 'free' })).status, 200);
    });

    it('update writes what is given and nothing else', options, async () => {
        const id = await entities.agent();
        const { data } = await ok(id, 'goals', 'create', { data: goal('a', { unit: 'deals', target_value: 3 }) });
        const updated = (await ok(id, 'goals', 'update', { id: data.id, data: { target_value: 1.005, unit: null } })).data;
        assert.deepEqual([updated.title, updated.target_value, updated.unit], ['a', 1.01, null]);
        await refused(400, 'invalid_input', 'data', id, 'goals', 'update', { id: data.id, data: { id: 'x' } });
        await refused(400, 'invalid_input', 'data.title', id, 'goals', 'update', { id: data.id, data: { title: null } });
        await refused(404, 'not_found', undefined, id, 'goals', 'update', { id: '00000000-0000-4000-8000-000000000000', data: { title: 'x' } });
        assert.deepEqual(await ok(id, 'goals', 'delete', { id: data.id }), { success: true });
        await refused(404, 'not_found', undefined, id, 'goals', 'delete', { id: data.id });
    });

    it('a row that was changed meanwhile is not overwritten', options, async () => {
        const id = await entities.agent();
        const { data } = await ok(id, 'goals', 'create', { data: goal('a') });
        const changed = (await ok(id, 'goals', 'update', { id: data.id, data: { title: 'b' }, expectedUpdatedAt: data.updated_at })).data;
        assert.equal(changed.title, 'b');
        const stale = await call(id, 'goals', 'update', { id: data.id, data: { title: 'c' }, expectedUpdatedAt: data.updated_at });
        assertRefused(stale, 409, 'stale_row');
        assert.deepEqual(stale.body.current, changed);
        await refused(400, 'invalid_input', 'expectedUpdatedAt', id, 'goals', 'update', { id: data.id, data: { title: 'c' }, expectedUpdatedAt: 'soon' });
    });

    it('completed_at follows the status of an action', options, async () => {
        const id = await entities.agent();
        const action = { title: 'a', category: 'calls', due_date: '2025-03-04' };
        const done = (await ok(id, 'daily_actions', 'create', { data: { ...action, status: 'completed' } })).data;
        assert.ok(Math.abs(Date.parse(done.completed_at) - Date.now()) < 60000);
        const again = (await ok(id, 'daily_actions', 'update', { id: done.id, data: { status: 'completed' } })).data;
        assert.equal(again.completed_at, done.completed_at, 'kept');
        const given = (await ok(id, 'daily_actions', 'update', { id: done.id, data: { status: 'completed', completed_at: '2025-01-02T03:04:05Z' } })).data;
        assert.equal(Date.parse(given.completed_at), Date.parse('2025-01-02T03:04:05Z'));
        const open = (await ok(id, 'daily_actions', 'update', { id: done.id, data: { status: 'pending', completed_at: '2025-01-02T03:04:05Z' } })).data;
        assert.equal(open.completed_at, null);
    });

    it('tables without updated_at, and jsonb sent as text', options, async () => {
        const id = await entities.agent();
        await entities.database.rows(`INSERT INTO call_logs (user_id, call_type) VALUES ($1, 'outbound')`, [id]);
        const [row] = (await ok(id, 'CallLog', 'list')).data;
        assert.equal((await ok(id, 'call_logs', 'update', { id: row.id, data: { notes: 'n' } })).data.notes, 'n');
        const content = await ok(id, 'generated_content', 'create', { data: { content_type: 'post', content_body: 'B', metadata: '{"a": [1]}' } });
        assert.deepEqual([content.data.content, content.data.metadata], ['B', { a: [1] }]);
        const log = await ok(id, 'ai_actions_log', 'create', { data: { action_type: 'x', status: 'completed', action_data: { n: 1 } } });
        assert.equal(log.data.status, 'success');
    });
});

describe('entityOperations: administrators', options, () => {
    it('reach everybody by id or owner, and their own page shows their own', options, async () => {
        const id = await entities.agent(),
            admin = await entities.admin();
        const { data } = await ok(id, 'goals', 'create', { data: goal('a') });
        await ok(admin, 'goals', 'create', { data: goal('admin') });
        assert.deepEqual((await ok(admin, 'goals', 'list')).data.map((row) => row.title), ['admin']);
        assert.deepEqual((await ok(admin, 'goals', 'list', { filters: { user_id: id } })).data.map((row) => row.title), ['a']);
        assert.equal((await ok(admin, 'goals', 'count', { filters: { user_id: { $in: [id, admin] } } })).count, 2);
        assert.equal((await ok(admin, 'goals', 'get', { id: data.id })).data.title, 'a');
        assert.equal((await ok(admin, 'goals', 'update', { id: data.id, data: { title: 'b' } })).data.user_id, id);
        const made = (await ok(admin, 'goals', 'create', { data: goal('for you', { user_id: id }) })).data;
        assert.equal(made.user_id, id);
        assert.deepEqual(await ok(admin, 'goals', 'delete', { id: made.id }), { success: true });
        await refused(404, 'not_found', undefined, admin, 'goals', 'get', { id: made.id });
    });

    it('maintain catalogues, of which others see what is active', options, async () => {
        const id = await entities.agent(),
            admin = await entities.admin();
        const { data } = await ok(admin, 'legal_documents', 'create', { data: { document_type: `terms_${admin}`, title: 'T', content: 'C', is_active: false } });
        assert.equal(data.document_key, `terms_${admin}`);
        await refused(404, 'not_found', undefined, id, 'legal_documents', 'get', { id: data.id });
        assert.equal((await ok(admin, 'legal_documents', 'get', { id: data.id })).data.title, 'T');
        await ok(admin, 'legal_documents', 'update', { id: data.id, data: { is_active: true, last_updated: '2025-05-06' } });
        const seen = (await ok(id, 'legal_documents', 'get', { id: data.id })).data;
        assert.equal(seen.effective_date, '2025-05-06');
        await refused(403, 'operation_not_allowed', undefined, id, 'legal_documents', 'update', { id: data.id, data: { title: 'x' } });
    });

    it('see whom a flag is for, others do not', options, async () => {
        const id = await entities.agent(),
            admin = await entities.admin();
        await ok(admin, 'feature_flags', 'create', { data: { feature_key: `flag_${admin}`, flag_name: 'F', target_users: [id], is_globally_enabled: true } });
        const filters = { flag_key: `flag_${admin}` };
        assert.deepEqual((await ok(admin, 'feature_flags', 'list', { filters })).data[0].target_users, [id]);
        const [flag] = (await ok(id, 'feature_flags', 'list', { filters })).data;
        assert.deepEqual([flag.is_enabled, 'target_users' in flag], [true, false]);
        await refused(400, 'unknown_column', 'filters.target_users', id, 'feature_flags', 'list', { filters: { target_users: { $contains: [id] } } });
    });

    it('write plans, as the service', options, async () => {
        const id = await entities.agent(),
            admin = await entities.admin();
        const { data } = await ok(admin, 'user_agent_subscriptions', 'create', { data: { user_id: id, subscription_tier: 'pro', overage_rate: 1.5 } });
        assert.deepEqual([data.user_id, data.agent_type, data.overage_rate], [id, 'core', 1.5]);
        await ok(admin, 'user_agent_subscriptions', 'update', { id: data.id, data: { status: 'cancelled' } });
        assert.equal((await ok(id, 'user_agent_subscriptions', 'list')).data[0].status, 'cancelled');
        assert.deepEqual(await ok(admin, 'user_agent_subscriptions', 'delete', { id: data.id }), { success: true });
    });

    it('find calls by an e-mail address; others only by their own', options, async () => {
        const id = await entities.agent(),
            admin = await entities.admin();
        await entities.database.rows(`INSERT INTO call_logs (user_id, call_type) VALUES ($1, 'outbound')`, [id]);
        const by = (email) => ({ filters: { user_email: email } });
        assert.equal((await ok(id, 'call_logs', 'list', by(`${id}@EXAMPLE.com`))).data.length, 1);
        await refused(403, 'user_mismatch', 'filters.user_email', id, 'call_logs', 'list', by(`${admin}@example.com`));
        assert.equal((await ok(admin, 'call_logs', 'list', by(`${id}@example.com`))).data.length, 1);
        assert.deepEqual((await ok(admin, 'call_logs', 'list', by('nobody@example.com'))).data, []);
        assert.equal((await ok(admin, 'call_logs', 'count', by('nobody@example.com'))).count, 0);
    });
});

it('entityOperations: the identity is the token alone', options, async () => {
    const id = await entities.agent();
    const answer = await post(entities.host, 'entityOperations', {
        headers: { 'x-clerk-auth': await mint(id), authorization: 'Bearer anon' },
        body: { table: 'profiles', operation: 'list' },
    });
    assert.deepEqual(answer.body.data.map((row) => row.id), [id]);
});
