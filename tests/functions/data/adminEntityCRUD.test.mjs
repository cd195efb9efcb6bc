/*
 * adminEntityCRUD (spec data.md): users, every entity, and what Clerk may answer.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';

const crud = suite({ functions: ['adminEntityCRUD'], providers: { clerk: { timeout: '2s' } } });
let administrator;
const admin = async () => (administrator ??= await crud.admin());
const call = async (entityName, operation, more = {}, as, rest) =>
    crud.call('adminEntityCRUD', as ?? (await admin()), { entityName, operation, ...more }, rest);
async function ok(...request) {
    const { status, body } = await call(...request);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.success, true);
    return body;
}
async function refused(status, code, field, ...request) {
    const answer = await call(...request);
    assertRefused(answer, status, code, field);
    assert.equal(answer.body.success, false);
}
const profile = (id) => crud.database.row('SELECT * FROM profiles WHERE id = $1', [id]);

refusals(crud, 'adminEntityCRUD', {
    mode: 'admin',
    body: { entityName: 'User', operation: 'list' },
    required: ['entityName', 'operation'],
    wrong: { entityName: NOT.text, operation: NOT.text, id: NOT.text, payload: NOT.object, filters: NOT.object, dryRun: NOT.boolean },
    caller: admin,
    untouched: ['goals'],
});

describe('adminEntityCRUD: users', options, () => {
    it('example: one name, a role, a tier', options, async () => {
        const id = await crud.agent({ full_name: 'Bea Stone' });
        const { data } = await ok('User', 'update', { id, payload: { lastName: 'Rivers', role: 'admin', subscriptionTier: 'Subscriber' } });
        const row = await profile(id);
        assert.deepEqual([row.full_name, row.subscription_tier, row.role, data.role, data.lastName], ['Bea Rivers', 'Subscriber', 'admin', 'admin', 'Rivers']);
        assert.equal(await crud.database.count('user_roles', `user_id = $1 AND role = 'admin'`, [id]), 1);
        await ok('User', 'update', { id, data: { role: 'user', firstName: 'Ann', subscriptionStatus: 'past_due', phone: '1', licenseState: 'ID' } });
        const after = await profile(id);
        assert.deepEqual([after.full_name, after.role, after.subscription_status, after.phone, after.license_state], ['Ann Rivers', 'user', 'past_due', '1', 'ID']);
        assert.equal(await crud.database.count('user_roles', `user_id = $1 AND role = 'admin'`, [id]), 0);
        await ok('User', 'update', { id, payload: { phone: null } });
        assert.deepEqual([(await profile(id)).phone, (await profile(id)).license_state], [null, 'ID']);
        assert.equal((await ok('User', 'get', { id })).data.id, id);
    });

    it('names of several words, and none', options, async () => {
        const id = await crud.agent({ full_name: '  Mary Ann  Smith ' });
        await ok('User', 'update', { id, payload: { firstName: 'Jo' } });
        assert.equal((await profile(id)).full_name, 'Jo Ann  Smith');
        const other = await crud.agent({ full_name: null });
        await ok('User', 'update', { id: other, payload: { lastName: 'Only' } });
        assert.equal((await profile(other)).full_name, 'Only');
    });

    it('nobody demotes or deletes himself, and the system stays', options, async () => {
        const id = await admin();
        await refused(409, 'cannot_demote_self', undefined, 'User', 'update', { id, payload: { role: 'user', phone: '9' } });
        assert.equal((await profile(id)).phone, null, 'nothing of it is written');
        await refused(409, 'cannot_delete_self', undefined, 'User', 'delete', { id });
        await crud.database.person('system', { email: 'system@pulse.ai' });
        await refused(403, 'forbidden', undefined, 'User', 'delete', { id: 'system' });
        for (const operation of ['get', 'update', 'delete'])
            await refused(404, 'user_not_found', undefined, 'User', operation, { id: 'user_none', payload: { phone: '1' } });
    });

    it('two administrators who demote each other: one stays', options, async () => {
        const a = await crud.admin(), b = await crud.admin();
        const answers = await Promise.all([call('User', 'update', { id: b, payload: { role: 'user' } }, a), call('User', 'update', { id: a, payload: { role: 'user' } }, b)]);
        assert.ok(answers.some(({ status }) => status === 200), JSON.stringify(answers.map(({ body }) => body)));
        assert.ok((await crud.database.count('user_roles', `role = 'admin'`)) >= 1);
    });

    it('lists by search, role and tier', options, async () => {
        const id = await crud.agent({ full_name: 'Zed_Unique', subscription_tier: 'Investor' });
        const { data, total, hasMore } = await ok('User', 'list', { filters: { search: 'zed_UNIQUE', subscription_tier: 'Investor', role: 'user' } });
        assert.deepEqual([data.map((user) => user.id), total, hasMore], [[id], 1, false]);
        assert.equal((await ok('User', 'list', { filters: { limit: 1 } })).hasMore, true);
        for (const [filters, field] of [[{ limit: 0 }, 'limit'], [{ limit: 1001 }, 'limit'], [{ role: 'x' }, 'role'], [{ offset: -1 }, 'offset'], [{ search: 'x'.repeat(201) }, 'search']])
            await refused(400, 'invalid_input', `filters.${field}`, 'User', 'list', { filters });
    });

    it('wrong fields, operations and entities', options, async () => {
        const id = await crud.agent();
        for (const [field, values] of Object.entries({ firstName: [7, 'x'.repeat(101)], role: ['owner'], subscriptionTier: ['Gold'], subscriptionStatus: ['deleted'], phone: [7, 'x'.repeat(256)] }))
            for (const value of values) await refused(400, 'invalid_input', `payload.${field}`, 'User', 'update', { id, payload: { [field]: value } });
        await refused(400, 'invalid_input', 'payload', 'User', 'update', { id, payload: { nothing: 1 } });
        await refused(400, 'invalid_input', 'payload', 'User', 'update', { id });
        await refused(400, 'invalid_input', 'id', 'User', 'delete');
        for (const operation of ['create', 'count', 'drop']) await refused(400, 'unsupported_operation', 'operation', 'User', operation, { id });
        await refused(400, 'unsupported_entity', 'entityName', 'user_roles', 'list');
        await refused(400, 'unsupported_operation', 'operation', 'Goal', 'bulkCreate');
    });
});

describe('adminEntityCRUD: deleting a user', options, () => {
    it('a dry run counts what would go, and calls nobody', options, async () => {
        const id = await crud.agent();
        await crud.database.rows(`INSERT INTO goals (user_id, title, goal_type) SELECT $1, 'g', 'x' FROM generate_series(1, 3)`, [id]);
        await crud.database.rows(`INSERT INTO user_credits (user_id) VALUES ($1)`, [id]);
        assert.deepEqual(await ok('User', 'delete', { id, dryRun: true }), { success: true, dryRun: true, wouldDelete: { goals: 3, user_credits: 1, user_roles: 1 } });
        assert.ok(await profile(id));
        assert.equal((await crud.provider('clerk').requests()).length, 0);
    });

    it('at Clerk first, then here with all rows', options, async () => {
        const id = await crud.agent();
        await crud.database.rows(`INSERT INTO goals (user_id, title, goal_type) VALUES ($1, 'g', 'x')`, [id]);
        assert.deepEqual(await ok('User', 'delete', { id }), { success: true });
        assert.equal(await profile(id), undefined);
        assert.equal(await crud.database.count('goals', 'user_id = $1', [id]), 0);
        const [request] = await crud.provider('clerk').requests();
        assert.deepEqual([request.method, request.path.endsWith(`/v1/users/${id}`)], ['DELETE', true]);
        assert.match(request.headers.authorization, /^Bearer test-clerk-secret-key$/);
        const gone = await crud.agent();
        await crud.provider('clerk').order({ status: 404, body: { errors: [] } });
        await ok('User', 'delete', { id: gone });
        assert.equal(await profile(gone), undefined, 'gone already');
    });

    it('whatever Clerk does wrong leaves the profile', options, async () => {
        const id = await crud.agent();
        const clerk = crud.provider('clerk');
        for (const [order, status, code] of [
            [{ status: 500, body: { errors: [] } }, 502, 'provider_error'],
            [{ status: 401, body: { errors: [] } }, 502, 'provider_error'],
            [{ status: 429, headers: { 'retry-after': '3' }, body: {} }, 502, 'provider_error'],
            [{ status: 204, body: '' }, 502, 'provider_error'],
            [{ drop: true }, 502, 'provider_unreachable'],
        ]) {
            await clerk.reset();
            await clerk.order(order);
            await refused(status, code, undefined, 'User', 'delete', { id });
            assert.equal((await clerk.requests()).length, 1, 'one attempt');
            assert.ok(await profile(id));
        }
    });

    it('no key: 503', options, () =>
        withHost({ functions: ['adminEntityCRUD'], database: crud.database.url, env: { CLERK_SECRET_KEY: null } }, async (host) => {
            const id = await crud.agent();
            await refused(503, 'not_configured', undefined, 'User', 'delete', { id }, undefined, { host });
            assert.ok(await profile(id));
        }));

    it('Clerk takes longer than the function has', options, () =>
        withHost({ functions: { adminEntityCRUD: { timeout: '1s' } }, database: crud.database.url }, async (host) => {
            const id = await crud.agent();
            await crud.provider('clerk').reset();
            await fetch(`${host.url}/sandbox/_control`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ provider: 'clerk', reset: true, answers: [{ delayMs: 5000 }] }) }).then((answer) => answer.text());
            const answer = await call('User', 'delete', { id }, undefined, { host });
            assert.equal(answer.status, 504, JSON.stringify(answer.body));
            assert.ok(await profile(id));
        }));
});

describe('adminEntityCRUD: entities', options, () => {
    it("everybody's rows: made, found, changed, deleted", options, async () => {
        const id = await crud.agent();
        await refused(400, 'invalid_input', 'payload.user_id', 'Goal', 'create', { payload: { title: 'x', goal_type: 'y' } });
        const { data } = await ok('Goal', 'create', { payload: { user_id: id, title: 'x', goal_type: 'y' } });
        assert.equal(data.user_id, id);
        assert.deepEqual((await ok('goals', 'filter', { filters: { title: 'x' } })).data.map((row) => row.id), [data.id], 'no condition on owners');
        assert.equal((await ok('goals', 'update', { id: data.id, payload: { title: 'z' } })).data.title, 'z');
        assert.equal((await ok('goals', 'get', { id: data.id })).data.title, 'z');
        await refused(400, 'unknown_column', 'payload.nothing', 'goals', 'update', { id: data.id, payload: { nothing: 1 } });
        assert.deepEqual((await ok('goals', 'delete', { id: data.id, dryRun: true })).wouldDelete, { goals: 1 });
        assert.deepEqual(await ok('goals', 'delete', { id: data.id }), { success: true });
        await refused(404, 'not_found', undefined, 'goals', 'delete', { id: data.id });
        await refused(404, 'not_found', undefined, 'goals', 'delete', { id: data.id, dryRun: true });
    });

    it('catalogues with inactive rows and hidden columns; ledgers are read only', options, async () => {
        const { data } = await ok('TaskTemplate', 'create', { payload: { title: 'T', category: 'c', action_type: 'a', trigger_type: 't', is_active: false } });
        assert.equal((await ok('TaskTemplate', 'get', { id: data.id })).data.is_active, false);
        const flag = await ok('FeatureFlag', 'create', { payload: { flag_key: 'k', flag_name: 'n', target_users: ['a'] } });
        assert.deepEqual(flag.data.target_users, ['a']);
        await refused(409, 'already_exists', 'flag_key', 'FeatureFlag', 'create', { payload: { flag_key: 'k', flag_name: 'n' } });
        for (const operation of ['create', 'update', 'delete'])
            for (const table of ['user_credits', 'credit_transactions']) await refused(403, 'operation_not_allowed', undefined, table, operation, { id: data.id, payload: { user_id: 'x' } });
        assert.equal((await call('user_credits', 'list')).status, 200);
    });
});
