/*
 * goHighLevelWebhook (spec events.md S3.4): its examples, where values are looked for, plans and their end, senders.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { GOHIGHLEVEL, goHighLevelSignature } from '../../support/senders.mjs';
import { Store } from '../../support/stores.mjs';
import { UNREACHABLE, options, suite, withHost } from '../../support/suite.mjs';

const NOW = '2026-01-31T10:00:00.000Z';
const env = { GOHIGHLEVEL_WEBHOOK_SECRET: GOHIGHLEVEL.secret };
const s = suite({
    functions: ['goHighLevelWebhook'],
    env: {
        ...env,
        EDGE_TEST_CLOCK: String(Date.parse(NOW) / 1000),
        GOHIGHLEVEL_PUBLIC_KEY: GOHIGHLEVEL.publicKey,
        GOHIGHLEVEL_LOCATION_IDS: 'loc_ours',
    },
    providers: { clerk: { first_byte_timeout: '150ms' } },
});
const clerk = s.provider('clerk');
const store = new Store(s, 'goHighLevelWebhook');

describe('goHighLevelWebhook: examples', options, () => {
    it('a sale to user_a, and again in the same month', options, async () => {
        await s.database.person('user_a', { email: 'a@example.com', full_name: 'Ann' });
        const sale = { contact_email: 'A@Example.com', order_id: 'o-9', plan_type: 'Pulse Pro', contact_name: 'Other Name' };
        const { status, body } = await store.send(sale);
        assert.deepEqual([status, body], [200, { success: true, userId: 'user_a', plan: 'Professional', action: 'activate' }]);
        const row = await store.subscription('user_a');
        assert.deepEqual(
            [row.plan_type, row.subscription_tier, row.minutes_allocated, row.gohighlevel_order_id, row.source_platform, row.status],
            ['Professional', 'Professional', 300, 'o-9', 'gohighlevel', 'active'],
        );
        assert.equal(row.billing_cycle_end.toISOString(), '2026-02-28T10:00:00.000Z');
        const profile = await store.profile('user_a');
        assert.deepEqual([profile.subscription_tier, profile.full_name], ['Subscriber', 'Ann']);
        assert.equal(await s.database.count('user_onboarding', `user_id = 'user_a' AND highlevel_webhook_sent`), 1);
        assert.equal(await s.database.count('edge.webhook_events', `event_id = 'order:o-9:activate:professional:2026-01'`), 1);
        assert.deepEqual((await store.health()).metadata, {
            lastWebhookReceivedAt: NOW, lastOrderId: 'o-9', lastEmail: 'a@example.com', plan: 'Professional', action: 'activate',
        });

        const before = await store.everything();
        const again = await store.send(sale);
        assert.deepEqual([again.status, again.body], [200, { success: true, duplicate: true }]);
        assert.deepEqual(await store.everything(), before);
    });

    it('without an address: 400', options, async () => {
        const answer = await store.send({ order_id: 'o-9', plan_type: 'Pulse Pro' });
        assertRefused(answer, 400, 'contact_email_missing');
        assert.equal(answer.body.error, 'contact_email missing');
    });
});

describe('goHighLevelWebhook: what is read', options, () => {
    for (const [name, place] of [
        ['customData', (value) => ({ customData: { contact_email: value }, contact_email: 'z@example.com' })],
        ['contact_email', (value) => ({ customData: { contact_email: ' ' }, contact_email: value, email: 'z@example.com' })],
        ['contact.email', (value) => ({ contact: { email: value }, email: 'z@example.com' })],
        ['email', (value) => ({ email: value, contact: 'x', customData: [] })],
    ])
        it(`the address in ${name}`, options, async () => {
            const id = await s.agent();
            assert.equal((await store.send(place(` ${id.toUpperCase()}@example.com `))).body.userId, id);
        });

    for (const bad of ['nobody', 'a@b@c', 7, null, {}, ['a@example.com'], `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}`])
        it(`the address ${JSON.stringify(bad).slice(0, 20)}: 400`, options, async () =>
            assertRefused(await store.send({ contact_email: bad }), 400, 'contact_email_missing'));

    for (const [plan, label, minutes, unmatched] of [
        ['starter', 'Starter', 100],
        ['PROFESSIONAL', 'Professional', 300],
        ['Enterprise', 'Enterprise', null],
        ['Starter Pro', 'Starter', 100],
        ['Pulse Pro', 'Professional', 300],
        ['Pro Team', 'Professional', 300],
        ['Team of five', 'Enterprise', null],
        ['Gold', 'Starter', 100, 'Gold'],
        [undefined, 'Starter', 100],
    ])
        it(`plan ${plan}: ${label}`, options, async () => {
            const id = await s.agent();
            const { body } = await store.send({ email: `${id}@example.com`, order_id: id, plan_type: plan });
            assert.equal(body.plan, label);
            assert.equal((await store.subscription(id)).minutes_allocated, minutes);
            assert.equal((await store.health()).metadata.planUnmatched, unmatched);
        });
    for (const place of [{ customData: { plan_type: 'team' }, plan_type: 'pro' }, { planType: 'team' }, { subscription: { plan: 'team' } }])
        it(`the plan in ${JSON.stringify(place)}`, options, async () => {
            const id = await s.agent();
            assert.equal((await store.send({ email: `${id}@example.com`, ...place })).body.plan, 'Enterprise');
        });
    for (const [place, expected] of [
        [{ customData: { order_id: 'c' }, order_id: 'x' }, 'c'],
        [{ order_id: 12345678901234567n }, '12345678901234567'],
        [{ orderId: 7.5 }, '7.5'],
        [{ order: { id: ' q ' } }, 'q'],
        [{ order_id: '', orderId: null }, null],
    ])
        it(`the order ${expected}`, options, async () => {
            const id = await s.agent();
            const text = JSON.stringify({ email: `${id}@example.com`, ...place }, (_, value) => (typeof value === 'bigint' ? `#${value}#` : value));
            await store.send(text.replace(/"#(\d+)#"/, '$1'));
            assert.equal((await store.subscription(id)).gohighlevel_order_id, expected);
        });

    for (const place of [{ webhookId: 'e1' }, { webhook_id: 'e2' }, { event_id: 3 }])
        it(`the event's id in ${Object.keys(place)}`, options, async () => {
            const id = await s.agent();
            const sale = { email: `${id}@example.com`, ...place };
            await store.send({ ...sale, order_id: 'one' });
            assert.equal((await store.send({ ...sale, order_id: 'two' })).body.duplicate, true);
            assert.equal(await s.database.count('edge.webhook_events', 'event_id = $1', [String(Object.values(place)[0])]), 1);
        });

    it('without event and order the bytes tell deliveries apart', options, async () => {
        const id = await s.agent();
        assert.equal((await store.send({ email: `${id}@example.com` })).body.userId, id);
        assert.equal((await store.send({ email: `${id}@example.com` })).body.duplicate, true);
        assert.equal((await store.send({ email: `${id}@example.com`, n: 1 })).body.userId, id);
    });

    it('names of a new buyer: at the first blank, or in parts', options, async () => {
        for (const [name, first, last] of [
            [{ contact_name: 'Ann van Lee' }, 'Ann', 'van Lee'],
            [{ customData: { contact_name: 'Cher' } }, 'Cher', undefined],
            [{ contact: { name: 'Bo Li' } }, 'Bo', 'Li'],
            [{ full_name: 'Di  Ho' }, 'Di', 'Ho'],
            [{ first_name: 'Jo', last_name: 'Ray' }, 'Jo', 'Ray'],
            [{}, undefined, undefined],
        ]) {
            await clerk.reset();
            const { body } = await store.send({ email: `buyer-${first}-${last?.length}@example.com`, ...name });
            const made = (await clerk.requests()).find(({ method }) => method === 'POST').body;
            assert.deepEqual([made.first_name, made.last_name, made.public_metadata.source], [first, last, 'gohighlevel']);
            const full = [first, last].filter(Boolean).join(' ');
            assert.equal((await store.profile(body.userId)).full_name, full || null);
        }
    });
});

describe('goHighLevelWebhook: ends and renewals', options, () => {
    const buy = async (more = {}) => {
        const id = await s.agent();
        await store.send({ email: `${id}@example.com`, order_id: id, plan_type: 'pro', ...more });
        await s.database.rows('UPDATE user_agent_subscriptions SET current_minutes_used = 42 WHERE user_id = $1', [id]);
        return id;
    };

    for (const status of [{ status: 'Cancelled' }, { customData: { status: 'subscription_canceled' }, status: 'active' }, { subscription: { status: 'EXPIRED' } }, { type: 'OrderRefunded' }, { status: 'Inactive' }])
        it(`${JSON.stringify(status)}: ended`, options, async () => {
            const id = await buy();
            const { body } = await store.send({ email: `${id}@example.com`, order_id: id, plan_type: 'pro', ...status });
            assert.deepEqual(body, { success: true, userId: id, plan: 'Professional', action: 'cancel' });
            const row = await store.subscription(id);
            assert.deepEqual([row.status, row.is_active, row.billing_cycle_end.toISOString()], ['inactive', false, NOW]);
            const profile = await store.profile(id);
            assert.deepEqual([profile.subscription_tier, profile.subscription_status], ['Free', 'inactive']);
        });
    for (const status of ['active', 'inactive soon', 'paid'])
        it(`status ${status}: no end`, options, async () => {
            const id = await buy();
            const { body } = await store.send({ email: `${id}@example.com`, order_id: `${id}-next`, status });
            assert.equal(body.action, 'activate');
        });

    it('the end of another order, or of none, changes nothing', options, async () => {
        const id = await buy();
        const before = await store.subscription(id);
        for (const order of ['other', undefined]) {
            const { body } = await store.send({ email: `${id}@example.com`, order_id: order, status: 'cancelled' });
            assert.deepEqual([body.ignored, body.reason], [true, 'other_order']);
        }
        assert.deepEqual(await store.subscription(id), before);
    });

    it('the end of a plan that was never bought here; of somebody unknown', options, async () => {
        const id = await s.agent({ subscription_tier: 'Subscriber' });
        await store.send({ email: `${id}@example.com`, status: 'cancelled' });
        assert.equal((await store.profile(id)).subscription_tier, 'Free');
        assert.equal((await store.send({ email: 'stranger@example.com', status: 'cancelled' })).body.reason, 'unknown_user');
        assert.deepEqual(await clerk.requests(), []);
    });

    it('minutes: kept within an order and its cycle, anew with another order or a cycle that has passed', options, async () => {
        const id = await buy();
        const renew = async (more, end) => {
            await s.database.rows('UPDATE user_agent_subscriptions SET current_minutes_used = 42, billing_cycle_end = $2 WHERE user_id = $1', [id, end]);
            await store.send({ email: `${id}@example.com`, order_id: id, ...more });
            const row = await store.subscription(id);
            assert.equal(row.billing_cycle_end.toISOString(), '2026-02-28T10:00:00.000Z');
            return row.current_minutes_used;
        };
        assert.equal(await renew({ webhookId: 'r1' }, '2026-02-01'), 42);
        assert.equal(await renew({ webhookId: 'r2', order_id: undefined }, '2026-02-01'), 42);
        assert.equal(await renew({ webhookId: 'r3', order_id: 'newer' }, '2026-02-01'), 0);
        assert.equal(await renew({ webhookId: 'r4', order_id: 'newer' }, '2026-01-30'), 0);
        assert.equal(await renew({ webhookId: 'r5', order_id: 'newer' }, null), 42);
    });

    for (const tier of ['Admin', 'Owner', 'Investor'])
        it(`tier ${tier} is never changed`, options, async () => {
            const id = await s.agent({ subscription_tier: tier });
            await store.send({ email: `${id}@example.com`, order_id: id });
            assert.equal((await store.profile(id)).subscription_tier, tier);
            await store.send({ email: `${id}@example.com`, order_id: id, status: 'cancelled' });
            assert.equal((await store.profile(id)).subscription_tier, tier);
        });

    it('twelve deliveries of one sale at once: one takes effect', options, async () => {
        const id = await s.agent();
        const answers = await Promise.all(Array.from({ length: 12 }, () => store.send({ email: `${id}@example.com`, order_id: 'race' })));
        assert.equal(answers.filter(({ body }) => body.userId === id).length, 1);
        assert.equal(answers.filter(({ body }) => body.duplicate).length, 11);
    });
});

describe('goHighLevelWebhook: senders and failures', options, () => {
    const sale = JSON.stringify({ email: 'a@example.com', locationId: 'loc_ours', webhookId: 'app_1' });

    it('the vectors', options, async () => {
        for (const [secret, status] of [['ghl-shared-secret-2', 401], ['ghl-shared', 401]])
            assertRefused(await store.send(GOHIGHLEVEL.body, { 'x-webhook-secret': secret }), status, 'invalid_signature');
        assertRefused(await store.send(GOHIGHLEVEL.body, { 'x-ghl-signature': GOHIGHLEVEL.header }), 401, 'invalid_signature');
    });

    it('a marketplace app of our location', options, async () => {
        const headers = { 'x-webhook-secret': '', 'x-ghl-signature': goHighLevelSignature(sale) };
        assert.equal((await store.send(sale, headers)).body.userId, 'user_a');
        assert.equal((await store.send(sale, headers)).body.duplicate, true);
    });

    for (const [name, headers, code] of [
        ['nothing', { 'x-webhook-secret': '' }, 'missing_signature'],
        ['only the withdrawn header', { 'x-webhook-secret': '', 'x-wh-signature': 'AAAA' }, 'missing_signature'],
        ['a bad signature beside the right secret', { 'x-ghl-signature': 'AAAA' }, 'invalid_signature'],
    ])
        it(`${name}: 401 ${code}, nothing is recorded`, options, async () => {
            const before = await store.everything();
            assertRefused(await store.send(sale, headers), 401, code);
            assert.deepEqual(await store.everything(), before);
        });

    it('truncated JSON, with the secret and with a valid signature', options, async () => {
        const cut = sale.slice(0, -1);
        assertRefused(await store.send(cut), 400, 'invalid_json');
        assertRefused(await store.send('[]'), 400, 'invalid_json');
        const headers = { 'x-webhook-secret': '', 'x-ghl-signature': goHighLevelSignature(cut) };
        assertRefused(await store.send(cut, headers), 401, 'invalid_signature');
    });

    it('10 MB: 413; GET: 405', options, async () => {
        assertRefused(await store.send(`{"x":"${'x'.repeat(10000000)}"}`), 413, 'body_too_large');
        assertRefused(await post(s.host, 'goHighLevelWebhook', { method: 'GET' }), 405, 'method_not_allowed');
    });

    it('Clerk fails: 502, the health row says so, the retry takes effect', options, async () => {
        const order = { email: 'later@example.com', order_id: 'o-late' };
        await clerk.order({ status: 503, body: {} });
        const before = await store.everything();
        assertRefused(await store.send(order), 502, 'clerk_failed');
        assert.deepEqual(await store.everything(), before);
        assert.equal((await store.health()).status, 'error');
        assert.equal((await store.send(order)).status, 200);
        assert.equal((await store.health()).status, 'healthy');
    });

    it('no secret: 503, naming the variable; the database away: 503', options, async () => {
        await withHost({ functions: ['goHighLevelWebhook'], database: s.database.url, env: { GOHIGHLEVEL_WEBHOOK_SECRET: '' } }, async (host) => {
            const answer = await store.send(sale, {}, host);
            assertRefused(answer, 503, 'not_configured');
            assert.match(answer.body.error, /GOHIGHLEVEL_WEBHOOK_SECRET/);
        });
        await withHost({ functions: ['goHighLevelWebhook'], ...UNREACHABLE, env }, async (host) =>
            assertRefused(await store.send(sale, {}, host), 503, 'database_unavailable'));
    });
});
