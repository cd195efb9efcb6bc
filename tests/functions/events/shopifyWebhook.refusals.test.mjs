/*
 * shopifyWebhook (spec events.md S3): what is refused, bodies at their limits, configuration, and a storm of retries.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { SHOPIFY, shopifySignature } from '../../support/senders.mjs';
import { Store } from '../../support/stores.mjs';
import { UNREACHABLE, options, suite, withHost } from '../../support/suite.mjs';

const SHOP = 'pulse-edge.myshopify.com';
const env = { SHOPIFY_WEBHOOK_SECRET: `other,${SHOPIFY.secret}` };
const s = suite({ functions: ['shopifyWebhook'], env: { ...env, SHOPIFY_SHOP_DOMAIN: SHOP, SHOPIFY_DEFAULT_PLAN: 'Starter' } });
const store = new Store(s, 'shopifyWebhook');
const ours = { 'x-shopify-shop-domain': SHOP, 'x-shopify-topic': 'orders/paid' };
const order = (email, more = {}) => ({ id: 7, customer: { email }, line_items: [{ sku: 'PULSE-PRO' }], ...more });

describe('shopifyWebhook: refusals', options, () => {
    const refused = (name, status, code, body, headers = {}) =>
        it(`${name}: ${status} ${code}`, options, async () => {
            const before = await store.everything();
            const raw = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
            assertRefused(await store.send(raw, { ...ours, ...headers }), status, code);
            assert.deepEqual(await store.everything(), before);
        });
    const good = JSON.stringify(order('a@example.com'));

    refused('no signature', 401, 'missing_signature', good, { 'x-shopify-hmac-sha256': '' });
    refused('another body', 401, 'invalid_signature', good, { 'x-shopify-hmac-sha256': shopifySignature(`${good} `) });
    refused('another secret', 401, 'invalid_signature', good, { 'x-shopify-hmac-sha256': shopifySignature(good, 'x') });
    refused('another shop', 401, 'invalid_signature', good, { 'x-shopify-shop-domain': 'other.myshopify.com' });
    refused('no shop', 401, 'invalid_signature', good, { 'x-shopify-shop-domain': '' });
    for (const body of ['', good.slice(0, -1), `${good}x`, '[]', 'null', '"text"', '{"a":"\\ud800"}', '{"a\\u0000":1}'])
        refused(`a signed body ${JSON.stringify(body).slice(0, 30)}`, 400, 'invalid_json', body);
    refused('bytes that are no UTF-8', 400, 'invalid_json', Buffer.from('{"a":"\xff"}', 'latin1'));
    refused('an order id beyond 64 bits', 400, 'invalid_json', '{"id":92233720368547758080}');
    refused('deeper than 128 levels', 400, 'invalid_json', `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`);
    refused('10 MB', 413, 'body_too_large', `{"filler":"${'x'.repeat(10000000)}"}`);

    it('GET: 405', options, async () =>
        assertRefused(await post(s.host, 'shopifyWebhook', { method: 'GET' }), 405, 'method_not_allowed'));

    it('1 MiB is taken, one byte more is not', options, async () => {
        const id = await s.agent();
        const body = (length) => {
            const text = JSON.stringify(order(`${id}@example.com`));
            return text.replace('}', '},"filler":""').replace('""', `"${'x'.repeat(length - text.length - 12)}"`);
        };
        const largest = body(1048576);
        assert.equal(largest.length, 1048576);
        assertRefused(await store.send(body(1048577), ours), 413, 'body_too_large');
        assert.equal((await store.send(largest, ours)).body.userId, id);
    });

    it('the shop in any case; the default plan for other articles', options, async () => {
        const id = await s.agent();
        const headers = { ...ours, 'x-shopify-shop-domain': SHOP.toUpperCase() };
        assert.equal((await store.send(order(`${id}@example.com`, { line_items: [{ sku: 'MUG-1' }] }), headers)).body.plan, 'Starter');
        assert.equal((await store.send(order(`${id}@example.com`, { line_items: 7 }), headers)).body.plan, 'Starter');
    });

    it('U+0000 in a text is left out', options, async () => {
        const id = await s.agent({ full_name: null });
        const customer = { email: `${id}@example.com`, first_name: 'A\u0000nn' };
        assert.equal((await store.send(order('x', { customer }), ours)).body.userId, id);
        assert.equal((await store.profile(id)).full_name, 'Ann');
    });

    it('ids of any length', options, async () => {
        const id = await s.agent();
        const headers = { ...ours, 'x-shopify-webhook-id': 'w'.repeat(5000) };
        assert.equal((await store.send(order(`${id}@example.com`), headers)).body.userId, id);
        assert.equal((await store.send(order(`${id}@example.com`), headers)).body.duplicate, true);
    });
});

describe('shopifyWebhook: configuration and failures', options, () => {
    it('no secret: 503, naming the variable', options, () =>
        withHost({ functions: ['shopifyWebhook'], database: s.database.url, env: { SHOPIFY_WEBHOOK_SECRET: null } }, async (host) => {
            const answer = await store.send(order('a@example.com'), {}, host);
            assertRefused(answer, 503, 'not_configured');
            assert.match(answer.body.error, /SHOPIFY_WEBHOOK_SECRET/);
        }));

    it('a default plan that is none, no key of Clerk', options, () =>
        withHost({ functions: ['shopifyWebhook'], database: s.database.url, env: { ...env, SHOPIFY_DEFAULT_PLAN: 'gold', CLERK_SECRET_KEY: '' } }, async (host) => {
            const mug = await store.send(order('a@example.com', { line_items: [] }), {}, host);
            assert.equal(mug.body.reason, 'no_plan_sku');
            const answer = await store.send(order('unknown@example.com'), {}, host);
            assertRefused(answer, 503, 'not_configured');
            assert.match(answer.body.error, /CLERK_SECRET_KEY/);
            assert.deepEqual([(await store.health()).status, (await store.health()).error_message], ['error', 'CLERK_SECRET_KEY is not configured']);
            const known = await s.agent();
            assert.equal((await store.send(order(`${known}@example.com`), {}, host)).body.userId, known);
        }));

    it('the database away: 503 after the signature, 401 before it', options, () =>
        withHost({ functions: ['shopifyWebhook'], ...UNREACHABLE, env }, async (host) => {
            assertRefused(await store.send(order('a@example.com'), {}, host), 503, 'database_unavailable');
            assertRefused(await store.send(order('a@example.com'), { 'x-shopify-hmac-sha256': 'x' }, host), 401, 'invalid_signature');
        }));

    it('a write that fails undoes all and turns the health row; the retry takes effect', options, async () => {
        const id = await s.agent();
        const headers = { ...ours, 'x-shopify-webhook-id': 'wh_fails' };
        await s.database.rows(`ALTER TABLE user_onboarding ADD CONSTRAINT refuse CHECK (user_id <> '${id}')`);
        const before = await store.everything();
        assertRefused(await store.send(order(`${id}@example.com`), headers), 500, 'internal_error');
        assert.deepEqual(await store.everything(), before);
        await s.host.logged(() => true);
        for (let i = 0; (await store.health())?.status !== 'error'; i++) assert.ok(i < 500);
        assert.equal((await store.health()).error_message, 'The purchase could not be stored');
        await s.database.rows('ALTER TABLE user_onboarding DROP CONSTRAINT refuse');
        assert.equal((await store.send(order(`${id}@example.com`), headers)).body.userId, id);
    });
});

describe('shopifyWebhook: a storm of retries', options, () => {
    it('1,000 deliveries of 100 events in any order: 100 effects', options, async () => {
        const people = await Promise.all(Array.from({ length: 100 }, () => s.agent()));
        const before = await store.recorded();
        const events = people.map((id, i) => ({ body: JSON.stringify(order(`${id}@example.com`, { id: 5000 + i })), webhook: `wh_storm_${i}` }));
        const queue = Array.from({ length: 1000 }, (_, i) => events[(i * 37) % 100]);
        const counts = { effects: 0, duplicates: 0 };
        const deliver = async () => {
            for (let event; (event = queue.pop()); ) {
                const { status, body } = await store.send(event.body, { ...ours, 'x-shopify-webhook-id': event.webhook });
                assert.equal(status, 200, JSON.stringify(body));
                counts[body.duplicate ? 'duplicates' : 'effects']++;
            }
        };
        await Promise.all(Array.from({ length: 16 }, deliver));
        assert.deepEqual(counts, { effects: 100, duplicates: 900 });
        assert.equal(await store.recorded(), before + 100);
        assert.equal(await s.database.count('user_agent_subscriptions', `shopify_order_id::int BETWEEN 5000 AND 5099 AND user_id = ANY($1)`, [people]), 100);
    });
});
