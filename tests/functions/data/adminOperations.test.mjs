/*
 * adminOperations (spec data.md): its examples, every operation, parameters at both places.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { assertLedgerAgrees, balanceOf, giveCredits, ledgerOf } from '../../support/credits.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const admin = suite({ functions: ['adminOperations'] });
let made;
const caller = () => (made ??= admin.admin({ created_at: '2020-01-01T00:00:00Z' }));
const call = async (operation, body = {}, more) => admin.call('adminOperations', await caller(), { operation, ...body }, more);
const wrongs = async (operation, good, wrong) => {
    for (const [field, values] of Object.entries(wrong))
        for (const value of values)
            assertRefused(await call(operation, { ...good, [field]: value }), 400, 'invalid_input', field);
};

describe('adminOperations: getAllUsers', options, () => {
    it('a page of users, twice in the answer, newest first', options, async () => {
        const ids = [];
        for (let i = 0; i < 3; i++) ids.unshift(await admin.agent({ full_name: `Paged ${i}`, created_at: `2024-01-0${i + 1}T00:00:00Z` }));
        const { status, body } = await call('getAllUsers', { search: 'PAGED', limit: 2, offset: 1 });
        assert.equal(status, 200);
        assert.deepEqual(Object.keys(body), ['success', 'users', 'data', 'total', 'limit', 'offset']);
        assert.deepEqual([body.success, body.total, body.limit, body.offset], [true, 3, 2, 1]);
        assert.deepEqual(body.users.map((user) => user.id), ids.slice(1));
        assert.deepEqual(body.data, body.users);
        assert.equal(body.users[0].creditsRemaining, 0);
        const all = (await call('getAllUsers')).body;
        assert.deepEqual([all.limit, all.offset, all.users.length], [1000, 0, all.total]);
    });

    it('what is refused', options, () =>
        wrongs('getAllUsers', {}, {
            search: [...NOT.text, 'x'.repeat(201)], limit: [...NOT.integer, 0, 1001], offset: [...NOT.integer, -1],
        }));
});

describe('adminOperations: credits', options, () => {
    it('getUserCredits: of one, of nobody, of all', options, async () => {
        const one = await admin.agent(), two = await admin.agent(), none = await admin.agent();
        await giveCredits(admin.database, one, 30);
        await giveCredits(admin.database, two, 7);
        const { body } = await call('getUserCredits', { userId: one });
        assert.deepEqual([body.success, body.data.userId, body.data.user_id, body.data.credits_available], [true, one, one, 30]);
        assert.deepEqual(body.credits, [{ userId: one, creditsRemaining: 30, creditsUsed: 0, resetDate: body.data.last_reset_at }]);
        assert.deepEqual((await call('getUserCredits', { userId: none })).body, { success: true, data: null, credits: [] });
        const all = (await call('getUserCredits')).body;
        const ids = all.credits.map((row) => row.userId);
        assert.ok(ids.includes(one) && ids.includes(two) && !ids.includes(none));
        assert.deepEqual(ids, [...ids].sort());
        assert.deepEqual(all.data.map((row) => row.userId), ids);
    });

    it('example: 45 less of 30 is 0', options, async () => {
        const id = await admin.agent();
        await giveCredits(admin.database, id, 30);
        const { status, body } = await call('adjustCredits', { userId: id, adjustment: -45 });
        assert.equal(status, 200);
        const { data, ...rest } = body;
        assert.deepEqual(rest, { success: true, previousBalance: 30, newBalance: 0, amountChanged: -30, replayed: false });
        assert.deepEqual([data.user_id, data.credits_available, data.credits_used], [id, 0, 0]);
        assert.deepEqual((await ledgerOf(admin.database, id)).at(-1), ['debit', -30, 0]);
        await assertLedgerAgrees(admin.database, id);
        const entry = await admin.database.row(
            `SELECT description, metadata FROM credit_transactions WHERE user_id = $1 AND transaction_type = 'debit'`, [id]);
        assert.deepEqual(entry, {
            description: 'Manual adjustment by admin', metadata: { admin_id: await caller(), operation: 'adjust', requested_amount: -45 },
        });
    });

    it('example: 200 more, without a row before', options, async () => {
        const id = await admin.agent();
        assert.equal((await call('adjustCredits', { params: { userId: id, adjustment: 200, description: 'Welcome' } })).body.newBalance, 200);
        assert.deepEqual(await ledgerOf(admin.database, id), [['credit', 200, 200]]);
    });

    it('a key adjusts once, for whoever comes at the same time', options, async () => {
        const id = await admin.agent(), body = { userId: id, adjustment: 10, idempotencyKey: 'adjust-1' };
        const answers = await Promise.all(Array.from({ length: 8 }, () => call('adjustCredits', body)));
        assert.equal(answers.filter((answer) => answer.body.replayed === false).length, 1);
        assert.ok(answers.every((answer) => answer.body.newBalance === 10));
        assert.equal(await balanceOf(admin.database, id), 10);
        assertRefused(await call('adjustCredits', { ...body, adjustment: 11 }), 409, 'idempotency_conflict');
    });

    it('what is refused', options, async () => {
        const id = await admin.agent();
        await giveCredits(admin.database, id, 999999999);
        assertRefused(await call('adjustCredits', { userId: 'user_nobody', adjustment: 1 }), 404, 'user_not_found');
        assertRefused(await call('adjustCredits', { userId: id, adjustment: 2 }), 409, 'balance_limit');
        assertRefused(await call('adjustCredits', { userId: id }), 400, 'invalid_input', 'adjustment');
        assertRefused(await call('adjustCredits', { adjustment: 1 }), 400, 'invalid_input', 'userId');
        await wrongs('adjustCredits', { userId: id, adjustment: 1 }, {
            userId: [...NOT.text, '', 'x'.repeat(256)], adjustment: [...NOT.integer, 0, 1000001, -1000001],
            description: [...NOT.text, 'x'.repeat(501)], idempotencyKey: [7, 'a/b'],
        });
        assert.equal(await balanceOf(admin.database, id), 999999999);
    });
});

describe('adminOperations: subscriptions', options, () => {
    it('getUserSubscriptions: newest first, of one or of all, and all users', options, async () => {
        const one = await admin.agent(), two = await admin.agent();
        await admin.database.rows(
            `INSERT INTO user_agent_subscriptions (user_id, agent_type, created_at, plan_type) VALUES
             ($1, 'core', '2025-01-01', 'a'), ($1, 'voice', '2025-03-01', 'b'), ($2, 'core', '2025-02-01', 'c')`, [one, two]);
        const { body } = await call('getUserSubscriptions', { userId: one });
        assert.deepEqual(body.data.map((row) => row.agent_type), ['voice', 'core']);
        assert.deepEqual(Object.keys(body.subscriptions[0]), [
            'id', 'userId', 'agentType', 'planType', 'subscriptionTier', 'status', 'isActive', 'minutesAllocated', 'minutesUsed', 'overageRate',
            'billingCycleStart', 'billingCycleEnd', 'expiresAt', 'created_date',
        ]);
        assert.deepEqual(body.subscriptions.map((row) => row.planType), ['b', 'a']);
        assert.equal(body.subscriptions[0].created_date, '2025-03-01T00:00:00+00:00');
        assert.equal(body.users.find((user) => user.id === one).userAgentSubscription.planType, 'b');
        const all = (await call('getUserSubscriptions', { limit: 2, offset: 1 })).body;
        assert.deepEqual(all.data.map((row) => row.plan_type), ['c', 'a']);
        await wrongs('getUserSubscriptions', {}, { userId: NOT.text, limit: [0, 1001, 'x'], offset: [-1] });
    });

    const change = (userId, subscriptionData) => call('updateUserSubscription', { userId, subscriptionData });

    it('updateUserSubscription: made with defaults, then changed in what is given', options, async () => {
        const id = await admin.agent();
        const first = (await change(id, { planType: 'Professional', minutesAllocated: 500, overageRate: 0.255 })).body;
        assert.equal(first.success, true);
        const { agent_type, plan_type, minutes_allocated, overage_rate, status, source_platform, current_minutes_used } = first.data;
        assert.deepEqual(
            [agent_type, plan_type, minutes_allocated, overage_rate, status, source_platform, current_minutes_used],
            ['core', 'Professional', 500, 0.26, 'active', 'app', 0]);
        const second = (await change(id, { billing_cycle_end_date: '2026-05-01', is_active: false, minutes_allocated: null })).body.data;
        assert.equal(second.id, first.data.id);
        assert.deepEqual(
            [second.plan_type, second.billing_cycle_end, second.is_active, second.minutes_allocated],
            ['Professional', '2026-05-01T00:00:00+00:00', false, null]);
        assert.notEqual((await change(id, { agentType: 'voice', status: 'active' })).body.data.id, first.data.id);
    });

    it('updateUserSubscription: what is refused', options, async () => {
        const id = await admin.agent();
        for (const name of ['user_id', 'userId', 'shopify_order_id', 'gohighlevelOrderId'])
            assertRefused(await change(id, { status: 'active', [name]: 'x' }), 403, 'column_not_writable', `subscriptionData.${name}`);
        assertRefused(await change(id, { plan: 'x' }), 400, 'unknown_column', 'subscriptionData.plan');
        for (const [name, value] of [['agentType', null], ['minutesAllocated', 1.5], ['isActive', 'true'], ['expires_at', 'soon'], ['overage_rate', 10000], ['planType', 'x'.repeat(256)]])
            assertRefused(await change(id, { [name]: value }), 400, 'invalid_input', `subscriptionData.${name}`);
        for (const empty of [{}, { id: 'x', created_at: 'y' }])
            assertRefused(await change(id, empty), 400, 'invalid_input', 'subscriptionData');
        assertRefused(await change('user_nobody', { status: 'active' }), 404, 'user_not_found');
        assertRefused(await change(id, []), 400, 'invalid_input', 'subscriptionData');
        assertRefused(await change(undefined, { status: 'active' }), 400, 'invalid_input', 'userId');
        assert.equal(await admin.database.count('user_agent_subscriptions', 'user_id = $1', [id]), 0);
    });
});

describe('adminOperations: repairAgentConfig', options, () => {
    const good = { twilioPhoneNumber: '+12025550101', elevenLabsTwilioNumberId: 'phnum_1' };

    it('made, then repaired, keeping other settings', options, async () => {
        const id = await admin.agent({ email: 'Repair@Example.com' });
        const { status, body } = await call('repairAgentConfig', { userEmail: 'repair@example.COM', ...good });
        assert.equal(status, 200);
        assert.deepEqual([body.success, typeof body.message, body.details.userId, body.details.created], [true, 'string', id, true]);
        const stored = () => admin.database.row('SELECT * FROM agent_config WHERE id = $1', [body.details.agentConfigId]);
        let row = await stored();
        assert.deepEqual(
            [row.user_id, row.agent_type, row.enabled, row.twilio_phone_number, row.eleven_labs_phone_number_id, row.eleven_labs_twilio_number_id],
            [id, 'executive_assistant', true, '+12025550101', 'phnum_1', 'phnum_1']);
        await admin.database.rows(`UPDATE agent_config SET enabled = false, settings = settings || '{"greeting": "hi"}' WHERE user_id = $1`, [id]);
        const again = (await call('repairAgentConfig', { params: { userEmail: 'repair@example.com', ...good, elevenLabsTwilioNumberId: 'phnum_2' } })).body;
        assert.deepEqual(again.details, { ...body.details, created: false });
        row = await stored();
        assert.deepEqual([row.enabled, row.settings], [true, { greeting: 'hi', twilio_phone_number: '+12025550101', eleven_labs_twilio_number_id: 'phnum_2' }]);
    });

    it('nobody with that e-mail', options, async () => {
        const answer = await call('repairAgentConfig', { userEmail: 'nobody@example.com', ...good });
        assertRefused(answer, 404, 'user_not_found');
        assert.equal(answer.body.success, false);
        assert.equal(answer.body.message, answer.body.error);
    });

    it('what is refused', options, () =>
        wrongs('repairAgentConfig', { userEmail: 'a@example.com', ...good }, {
            userEmail: [...NOT.text, '', 'x'.repeat(321)],
            twilioPhoneNumber: [...NOT.text, '12025550101', '+0123456789', '+123456', `+${'1'.repeat(16)}`, '+1202555010a'],
            elevenLabsTwilioNumberId: [...NOT.text, '', 'x'.repeat(256)],
        }));
});

describe('adminOperations: operations', options, () => {
    it('example: one that is none', options, async () => {
        const { status, body } = await call('nope');
        assert.deepEqual([status, body.code, body.error], [400, 'unknown_operation', 'Unknown operation']);
    });

    it('params go before what stands beside them', options, async () => {
        const { body } = await call('getAllUsers', { limit: 5, params: { limit: 1 } });
        assert.deepEqual([body.limit, body.users.length], [1, 1]);
    });
});

refusals(admin, 'adminOperations', {
    mode: 'admin',
    caller,
    body: { operation: 'getAllUsers' },
    required: ['operation'],
    wrong: { operation: NOT.text, params: NOT.object },
    untouched: ['credit_transactions', 'user_agent_subscriptions', 'agent_config'],
});
