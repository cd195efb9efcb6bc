/*
 * shopifyWebhook (spec events.md): its examples, plans and orders, buyers that nobody knows, and what the store's health row
 * says. Refusals are shopifyWebhook.refusals.test.mjs.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SHOPIFY } from '../../support/senders.mjs';
import { Store } from '../../support/stores.mjs';
import { options, suite } from '../../support/suite.mjs';

const NOW = '2026-01-31T10:00:00.000Z';
const s = suite({
    functions: ['shopifyWebhook'],
    env: { SHOPIFY_WEBHOOK_SECRET: SHOPIFY.secret, EDGE_TEST_CLOCK: String(Date.parse(NOW) / 1000) },
    providers: { clerk: { first_byte_timeout: '150ms' } },
});
const clerk = s.provider('clerk');
const store = new Store(s, 'shopifyWebhook');
const send = (order, topic = 'orders/paid', more = {}) => store.send(order, { 'x-shopify-topic': topic, ...more });

const order = (email, more = {}) => ({
    id: 1001,
    financial_status: 'paid',
    customer: { email },
    line_items: [{ sku: 'PULSE-PRO' }],
    ...more,
});

describe('shopifyWebhook: examples', options, () => {
    it('the vector: a paid order of a known buyer', options, async () => {
        await s.database.person('user_v', { email: 'Vera@example.com', full_name: 'Vera V' });
        const headers = { 'x-shopify-hmac-sha256': SHOPIFY.header, 'x-shopify-topic': 'orders/paid' };
        const { status, body } = await store.send(SHOPIFY.body, headers);
        assert.deepEqual(
            [status, body],
            [200, { success: true, topic: 'orders/paid', userId: 'user_v', plan: 'Professional' }],
        );
        const row = await store.subscription('user_v');
        assert.deepEqual(
            [row.plan_type, row.subscription_tier, row.minutes_allocated, row.shopify_order_id, row.source_platform],
            ['Professional', 'Professional', 300, '820982911946154508', 'shopify'],
        );
        assert.deepEqual([row.status, row.is_active, row.current_minutes_used], ['active', true, 0]);
        assert.equal(row.billing_cycle_start.toISOString(), NOW);
        assert.equal(row.billing_cycle_end.toISOString(), '2026-02-28T10:00:00.000Z');
        const profile = await store.profile('user_v');
        assert.deepEqual(
            [profile.subscription_tier, profile.subscription_status, profile.full_name, profile.email],
            ['Subscriber', 'active', 'Vera V', 'Vera@example.com'],
        );
        const [onboarding] = await s.database.rows(`SELECT highlevel_webhook_sent FROM user_onboarding WHERE user_id = 'user_v'`);
        assert.equal(onboarding.highlevel_webhook_sent, true);
        const health = await store.health();
        assert.deepEqual([health.status, health.error_message, health.last_checked.toISOString()], ['healthy', null, NOW]);
        assert.ok(health.response_time_ms >= 0 && health.response_time_ms < 10000);
        assert.deepEqual(health.metadata, {
            lastWebhookReceivedAt: NOW,
            lastOrderId: '820982911946154508',
            lastEmail: 'vera@example.com',
            plan: 'Professional',
            action: 'activate',
            lastTopic: 'orders/paid',
        });
    });

    it('a mug: ignored', options, async () => {
        const { body } = await send(order('vera@example.com', { line_items: [{ sku: 'MUG-1' }] }));
        assert.deepEqual(body, { success: true, ignored: true, reason: 'no_plan_sku', topic: 'orders/paid' });
    });

    it('cancelling order 5 while the row holds 6: ignored, nothing changes', options, async () => {
        const id = await s.agent();
        await send(order(`${id}@example.com`, { id: 6 }));
        const before = await store.subscription(id);
        const { body } = await send(order(`${id}@example.com`, { id: 5 }), 'orders/cancelled');
        assert.deepEqual(body, { success: true, ignored: true, reason: 'other_order', topic: 'orders/cancelled' });
        assert.deepEqual(await store.subscription(id), before);
        assert.equal((await store.profile(id)).subscription_tier, 'Subscriber');
    });
});

describe('shopifyWebhook: what is bought', options, () => {
    for (const [sku, label, minutes, end] of [
        ['PULSE-STARTER', 'Starter', 100, '2026-02-28'],
        ['PULSE-STARTER-ANNUAL', 'Starter', 100, '2027-01-31'],
        ['pulse-pro', 'Professional', 300, '2026-02-28'],
        ['PULSE-PRO-ANNUAL', 'Professional', 300, '2027-01-31'],
        ['PULSE-ENTERPRISE', 'Enterprise', null, '2026-02-28'],
        [' Pulse-Enterprise-Annual ', 'Enterprise', null, '2027-01-31'],
    ])
        it(`${sku}: ${label}`, options, async () => {
            const id = await s.agent();
            const items = [{ sku: 'MUG-1' }, { sku: null }, {}, 7, { sku }, { sku: 'PULSE-STARTER' }];
            const { body } = await send(order(`${id}@example.com`, { line_items: items }));
            assert.equal(body.plan, label);
            const row = await store.subscription(id);
            assert.deepEqual([row.plan_type, row.minutes_allocated], [label, minutes]);
            assert.equal(row.billing_cycle_end.toISOString(), `${end}T10:00:00.000Z`);
        });

    for (const [status, done] of [
        [undefined, true],
        [null, true],
        ['paid', true],
        ['partially_refunded', true],
        ['pending', false],
        ['authorized', false],
        ['voided', false],
        ['refunded', false],
        ['Paid', false],
    ])
        it(`financial_status ${status}: ${done ? 'active' : 'ignored'}`, options, async () => {
            const id = await s.agent();
            const { body } = await send(order(`${id}@example.com`, { financial_status: status }));
            assert.equal(body.reason, done ? undefined : 'unpaid');
            assert.equal((await store.subscription(id)) !== undefined, done);
        });

    for (const topic of ['orders/create', 'orders/updated', 'orders/fulfilled', undefined])
        it(`topic ${topic}: active`, options, async () => {
            const id = await s.agent();
            const headers = topic ? { 'x-shopify-topic': topic } : {};
            const { body } = await store.send(order(`${id}@example.com`), headers);
            assert.deepEqual([body.userId, body.topic], [id, topic ?? 'orders/create']);
        });

    it('other topics are ignored and recorded', options, async () => {
        const before = await store.recorded();
        const first = await send(order('a@example.com'), 'orders/deleted', { 'x-shopify-webhook-id': 'wh_topic' });
        assert.deepEqual(first.body, { success: true, ignored: true, reason: 'unhandled_topic', topic: 'orders/deleted' });
        const again = await send(order('a@example.com'), 'orders/deleted', { 'x-shopify-webhook-id': 'wh_topic' });
        assert.deepEqual(again.body, { success: true, duplicate: true, topic: 'orders/deleted' });
        assert.equal(await store.recorded(), before + 1);
    });

    for (const [name, body] of [
        ['none', {}],
        ['blank ones', { customer: { email: ' ' }, email: '', contact_email: null }],
        ['no address', { customer: { email: 'nobody' }, email: 'a@example.com' }],
        ['255 characters', { customer: { email: `${'a'.repeat(60)}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(11)}` } }],
        ['other types', { customer: 7, email: [], contact_email: {} }],
    ])
        it(`customer's address: ${name}: ignored`, options, async () => {
            const answer = await send({ ...order('x'), customer: undefined, ...body });
            assert.deepEqual([answer.status, answer.body.reason], [200, 'customer_email_missing']);
        });

    it('the address from where the order has it, in any case', options, async () => {
        const id = await s.agent({ email: 'Mixed@Example.com' });
        for (const more of [{ customer: { email: ' MIXED@example.COM ' } }, { customer: null, email: 'mixed@example.com' }, { customer: {}, contact_email: 'mixed@example.com' }])
            assert.equal((await send({ ...order('x'), ...more })).body.userId, id);
    });

    it('several profiles with one address: the oldest', options, async () => {
        await s.agent({ email: 'twins@example.com', created_at: '2025-02-02' });
        const oldest = await s.agent({ email: 'TWINS@example.com', created_at: '2025-01-01' });
        assert.equal((await send(order('twins@example.com'))).body.userId, oldest);
    });

    it('order ids: large ones to the digit, texts, order_id', options, async () => {
        const id = await s.agent();
        for (const [part, expected] of [
            ['"id":9223372036854775807', '9223372036854775807'],
            ['"id":"gid-7"', 'gid-7'],
            ['"order_id":9007199254740993', '9007199254740993'],
        ]) {
            await send(`{${part},"email":"${id}@example.com","line_items":[{"sku":"PULSE-PRO"}]}`);
            assert.equal((await store.subscription(id)).shopify_order_id, expected);
        }
    });

    for (const tier of ['Admin', 'Owner', 'Investor'])
        it(`tier ${tier} is never changed`, options, async () => {
            const id = await s.agent({ subscription_tier: tier, subscription_status: 'past_due' });
            await send(order(`${id}@example.com`));
            const bought = await store.profile(id);
            assert.deepEqual([bought.subscription_tier, bought.subscription_status], [tier, 'active']);
            await send(order(`${id}@example.com`), 'orders/cancelled');
            const ended = await store.profile(id);
            assert.deepEqual([ended.subscription_tier, ended.subscription_status], [tier, 'inactive']);
        });

    it('the name of a profile without one', options, async () => {
        const id = await s.agent({ full_name: ' ' });
        const named = order(`${id}@example.com`, { customer: { email: `${id}@example.com`, first_name: 'Ann', last_name: ' Lee ' } });
        await send(named);
        assert.equal((await store.profile(id)).full_name, 'Ann Lee');
    });
});

describe('shopifyWebhook: one order, several deliveries', options, () => {
    it('created, then paid: the window and the minutes stay, the plan is refreshed', options, async () => {
        const id = await s.agent();
        await send(order(`${id}@example.com`, { id: 70 }), 'orders/create');
        await s.database.rows(
            `UPDATE user_agent_subscriptions SET current_minutes_used = 42, billing_cycle_start = '2026-01-20', billing_cycle_end = '2026-02-20' WHERE user_id = $1`,
            [id],
        );
        const { body } = await send(order(`${id}@example.com`, { id: 70, line_items: [{ sku: 'PULSE-ENTERPRISE' }] }));
        assert.equal(body.plan, 'Enterprise');
        const row = await store.subscription(id);
        assert.deepEqual([row.plan_type, row.minutes_allocated, row.current_minutes_used], ['Enterprise', null, 42]);
        assert.equal(row.billing_cycle_end.toISOString().slice(0, 10), '2026-02-20');
    });

    it('the next order begins a window and its minutes', options, async () => {
        const id = await s.agent();
        await send(order(`${id}@example.com`, { id: 71 }));
        await s.database.rows('UPDATE user_agent_subscriptions SET current_minutes_used = 42 WHERE user_id = $1', [id]);
        await send(order(`${id}@example.com`, { id: 72, line_items: [{ sku: 'PULSE-STARTER-ANNUAL' }] }));
        const row = await store.subscription(id);
        assert.deepEqual([row.shopify_order_id, row.current_minutes_used, row.minutes_allocated], ['72', 0, 100]);
        assert.equal(row.billing_cycle_end.toISOString(), '2027-01-31T10:00:00.000Z');
    });

    it('an order without an id keeps the stored one, and the minutes of a running cycle', options, async () => {
        const id = await s.agent();
        await send(order(`${id}@example.com`, { id: 73 }));
        await s.database.rows('UPDATE user_agent_subscriptions SET current_minutes_used = 42 WHERE user_id = $1', [id]);
        await send(order(`${id}@example.com`, { id: null }));
        const row = await store.subscription(id);
        assert.deepEqual([row.shopify_order_id, row.current_minutes_used], ['73', 42]);
    });

    it('a cycle that has passed begins its minutes anew', options, async () => {
        const id = await s.agent();
        await send(order(`${id}@example.com`, { id: 74 }));
        await s.database.rows(
            `UPDATE user_agent_subscriptions SET current_minutes_used = 42, is_active = false, billing_cycle_end = $2 WHERE user_id = $1`,
            [id, NOW],
        );
        await send(order(`${id}@example.com`, { id: 74 }));
        const row = await store.subscription(id);
        assert.deepEqual([row.current_minutes_used, row.is_active, row.billing_cycle_start.toISOString()], [0, true, NOW]);
    });

    it('cancelled: plan and tier end; a late update of the cancelled order does not bring them back', options, async () => {
        const id = await s.agent();
        await send(order(`${id}@example.com`, { id: 75 }));
        const { body } = await send(order(`${id}@example.com`, { id: 75, financial_status: 'refunded' }), 'orders/cancelled');
        assert.deepEqual(body, { success: true, topic: 'orders/cancelled', userId: id, plan: 'Professional' });
        const row = await store.subscription(id);
        assert.deepEqual([row.status, row.is_active, row.billing_cycle_end.toISOString()], ['inactive', false, NOW]);
        const profile = await store.profile(id);
        assert.deepEqual([profile.subscription_tier, profile.subscription_status], ['Free', 'inactive']);
        assert.equal((await store.health()).metadata.action, 'cancel');

        const late = await send(order(`${id}@example.com`, { id: 75, cancelled_at: NOW }), 'orders/updated');
        assert.equal(late.body.reason, 'unpaid');
        assert.equal((await store.subscription(id)).is_active, false);
    });

    it('cancelled, with another plan that is active: the tier stays', options, async () => {
        const id = await s.agent();
        await s.database.rows(`INSERT INTO user_agent_subscriptions (user_id, agent_type) VALUES ($1, 'sales_agent')`, [id]);
        await send(order(`${id}@example.com`, { id: 76 }));
        await send(order(`${id}@example.com`, { id: 76 }), 'orders/cancelled');
        assert.equal((await store.profile(id)).subscription_tier, 'Subscriber');
        assert.equal((await store.subscription(id)).is_active, false);
    });

    it('cancelled here, bought in the other store since: that one stays', options, async () => {
        const id = await s.agent();
        await send(order(`${id}@example.com`, { id: 77 }));
        await s.database.rows(`UPDATE user_agent_subscriptions SET source_platform = 'gohighlevel', gohighlevel_order_id = 'o' WHERE user_id = $1`, [id]);
        const { body } = await send(order(`${id}@example.com`, { id: 77 }), 'orders/cancelled');
        assert.equal(body.reason, 'other_order');
        assert.equal((await store.subscription(id)).is_active, true);
    });

    it('the same delivery eight times at once: one takes effect', options, async () => {
        const id = await s.agent();
        const answers = await Promise.all(Array.from({ length: 8 }, () => send(order(`${id}@example.com`), 'orders/paid', { 'x-shopify-webhook-id': 'wh_race' })));
        assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(200));
        assert.equal(answers.filter(({ body }) => !body.duplicate).length, 1);
        assert.equal(await s.database.count('edge.webhook_events', `event_id = 'wh_race'`), 1);
    });

    it('without an id the bytes are it', options, async () => {
        const id = await s.agent();
        const headers = { 'x-shopify-webhook-id': '' };
        assert.equal((await send(order(`${id}@example.com`), 'orders/paid', headers)).body.userId, id);
        assert.equal((await send(order(`${id}@example.com`), 'orders/paid', headers)).body.duplicate, true);
        assert.equal((await send(order(`${id}@example.com`, { id: 1 }), 'orders/paid', headers)).body.userId, id);
    });
});

describe('shopifyWebhook: buyers that nobody knows', options, () => {
    const buyer = (email) => order(email, { customer: { email, first_name: 'Ann', last_name: 'Lee' } });

    it('an account is made at Clerk, once for two orders at the same time', options, async () => {
        const answers = await Promise.all([send(buyer('New@Example.com')), send(buyer('new@example.com'))]);
        assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
        const [{ body }] = answers;
        assert.equal(answers[1].body.userId, body.userId);
        const profile = await store.profile(body.userId);
        assert.deepEqual([profile.email, profile.full_name, profile.subscription_tier], ['new@example.com', 'Ann Lee', 'Subscriber']);
        const made = (await clerk.requests()).filter(({ method }) => method === 'POST');
        assert.deepEqual(made[0].body, {
            email_address: ['new@example.com'],
            first_name: 'Ann',
            last_name: 'Lee',
            skip_password_requirement: true,
            public_metadata: { source: 'shopify' },
        });
    });

    it('an account that is there is used', options, async () => {
        await clerk.order({ body: [{ id: 'user_there' }] });
        assert.equal((await send(order('there@example.com'))).body.userId, 'user_there');
        const requests = await clerk.requests();
        assert.deepEqual(requests.map(({ method, path }) => [method, path]), [['GET', '/v1/users']]);
    });

    it('somebody else makes it meanwhile: asked again', options, async () => {
        await clerk.order({ body: [] }, { status: 422, body: { errors: [{ code: 'form_identifier_exists' }] } }, { body: [{ id: 'user_raced' }] });
        assert.equal((await send(order('raced@example.com'))).body.userId, 'user_raced');
    });

    it('an account whose profile has another address keeps that', options, async () => {
        const id = await s.agent({ email: 'kept@example.com' });
        await clerk.order({ body: [{ id }] });
        await send(order('second@example.com'));
        const profile = await store.profile(id);
        assert.deepEqual([profile.email, profile.subscription_tier], ['kept@example.com', 'Subscriber']);
    });

    it('a cancellation of somebody unknown: ignored and recorded, Clerk is not asked', options, async () => {
        const headers = { 'x-shopify-webhook-id': 'wh_nobody' };
        const { body } = await send(order('nobody@example.com'), 'orders/cancelled', headers);
        assert.equal(body.reason, 'unknown_user');
        assert.equal((await send(order('nobody@example.com'), 'orders/cancelled', headers)).body.duplicate, true);
        assert.deepEqual(await clerk.requests(), []);
    });

    for (const [name, orders] of [
        ['500', [{ status: 500, body: {} }]],
        ['401', [{ status: 401, body: {} }]],
        ['no list', [{ body: {} }]],
        ['garbage', [{ body: '<html>' }]],
        ['a broken connection, twice', [{ drop: true, times: 2 }]],
        ['no answer in time', [{ delayMs: 5000 }]],
        ['none to make it', [{ body: [] }, { status: 500, body: {} }]],
        ['422 for another reason', [{ body: [] }, { status: 422, body: { errors: [{ code: 'form_data_missing' }] } }]],
        ['made without an id', [{ body: [] }, { body: {} }]],
        ['taken, and not found', [{ body: [] }, { status: 422, body: { errors: [{ code: 'form_identifier_exists' }] } }, { body: [] }]],
    ])
        it(`Clerk: ${name}: 502, and the retry takes effect`, options, async () => {
            const email = `${name.replace(/\W/g, '-')}@example.com`;
            const headers = { 'x-shopify-webhook-id': `wh_${email}` };
            await clerk.order(...orders);
            const before = await store.everything();
            const failed = await send(order(email), 'orders/paid', headers);
            assert.deepEqual([failed.status, failed.body.code], [502, 'clerk_failed']);
            assert.deepEqual(await store.everything(), before);
            const health = await store.health();
            assert.equal(health.status, 'error');
            assert.match(health.error_message, /Clerk/);
            const retried = await send(order(email), 'orders/paid', headers);
            assert.deepEqual([retried.status, retried.body.plan], [200, 'Professional']);
            assert.deepEqual([(await store.health()).status, (await store.health()).error_message], ['healthy', null]);
        });
});
