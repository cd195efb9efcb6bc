/*
 * clerkWebhook (spec events.md): every example and error row, deliveries signed by the svix library itself.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { Webhook } from 'svix';

import { post, supabaseClients } from '../../support/clients.mjs';
import { startDatabase } from '../../support/data.mjs';
import { startHost } from '../../support/host.mjs';

const options = { timeout: 60000 };

/* spec events.md S3.1 */
const VECTOR = {
    secret: 'whsec_cHVsc2UtZWRnZS1jbGVyay10ZXN0LWtleS0wMQ==',
    at: 1773144000,
    body: '{"type":"user.created","data":{"id":"user_vec","first_name":"Vera","last_name":"Example","email_addresses":[{"id":"idn_1","email_address":"vera@example.com"}],"primary_email_address_id":"idn_1"}}',
    headers: {
        'svix-id': 'msg_2pulseVector0001',
        'svix-timestamp': '1773144000',
        'svix-signature': 'v1,uaSKnQSHqhjrPWYGIT0j6HNWHdZc7oBlMpF/+Bn4KyQ=',
    },
};
const SECOND_SECRET = 'whsec_c2Vjb25kLWtleS1mb3ItdGhlLXJvdGF0aW9uLXRlc3Q=';

let database, host, deliveries = 0;

before(async () => {
    database = await startDatabase();
    host = await startHost({
        functions: ['clerkWebhook'], database: database.url, env: { CLERK_WEBHOOK_SECRET: `${VECTOR.secret},${SECOND_SECRET}` },
    });
}, options);

after(async () => {
    await host?.stop();
    await database?.stop();
}, options);

/* The headers of a delivery as Svix sends it. */
function signed(body, { id = `msg_${++deliveries}`, at = Date.now(), secret = VECTOR.secret, family = 'svix' } = {}) {
    const time = new Date(at);
    return {
        [`${family}-id`]: id,
        [`${family}-timestamp`]: String(Math.floor(time / 1000)),
        [`${family}-signature`]: new Webhook(secret).sign(id, time, body),
    };
}

const send = (body, headers, to = host) => post(to, 'clerkWebhook', { raw: body, headers });
const deliver = (event, more) => {
    const body = JSON.stringify(event);
    return send(body, signed(body, more));
};
const profile = (id) => database.row('SELECT * FROM profiles WHERE id = $1', [id]);
const recorded = (id) => database.count('edge.webhook_events', 'provider = $1 AND event_id = $2', ['clerk', id]);
const user = (id, more = {}) => ({
    id, first_name: 'Ann', last_name: 'Example', image_url: 'https://img.example.com/a.png', primary_email_address_id: 'idn_1',
    email_addresses: [{ id: 'idn_1', email_address: `${id}@example.com` }], ...more,
});

describe('clerkWebhook: examples', options, () => {
    it('1 and 3: the vector at its time, again, and five minutes later', options, async () => {
        const atVector = (seconds) => startHost({
            functions: ['clerkWebhook'], database: database.url,
            env: { CLERK_WEBHOOK_SECRET: VECTOR.secret, EDGE_TEST_CLOCK: String(VECTOR.at + seconds) },
        });
        const onTime = await atVector(0);
        try {
            assert.deepEqual(await send(VECTOR.body, VECTOR.headers, onTime).then(({ status, body }) => [status, body]), [200, { success: true }]);
            const row = await profile('user_vec');
            assert.deepEqual([row.email, row.full_name], ['vera@example.com', 'Vera Example']);
            const onboarding = await database.rows('SELECT * FROM user_onboarding WHERE user_id = $1', ['user_vec']);
            assert.equal(onboarding.length, 1);
            assert.deepEqual([onboarding[0].onboarding_completed, onboarding[0].agent_onboarding_completed, onboarding[0].call_center_onboarding_completed], [false, false, false]);
            assert.equal(await recorded('msg_2pulseVector0001'), 1);

            const again = await send(VECTOR.body, VECTOR.headers, onTime);
            assert.deepEqual([again.status, again.body], [200, { success: true, duplicate: true }]);
            assert.deepEqual(await profile('user_vec'), row);
        } finally {
            await onTime.stop();
        }

        const late = await atVector(301);
        try {
            const { status, body } = await send(VECTOR.body, VECTOR.headers, late);
            assert.deepEqual([status, body.code], [401, 'stale_timestamp']);
        } finally {
            await late.stop();
        }
    });

    it('2: an update without an address keeps the stored one', options, async () => {
        await database.person('user_a', { email: 'a@example.com', full_name: 'Old Name', phone: '+15550100', subscription_tier: 'Owner' });
        const { status, body } = await deliver({ type: 'user.updated', data: { id: 'user_a', email_addresses: [], first_name: 'Ann', last_name: null } });
        assert.deepEqual([status, body], [200, { success: true }]);
        const row = await profile('user_a');
        assert.deepEqual([row.full_name, row.email, row.phone, row.subscription_tier], ['Ann', 'a@example.com', '+15550100', 'Owner']);
        assert.ok(row.updated_at > row.created_at);
        assert.equal(await database.count('user_onboarding', 'user_id = $1', ['user_a']), 0, 'only user.created begins onboarding');
    });
});

describe('clerkWebhook: profiles', options, () => {
    it('created: address, name and picture', options, async () => {
        await deliver({ type: 'user.created', data: user('user_b', { email_addresses: [{ id: 'idn_1', email_address: ' User.B@Example.COM ' }] }) });
        const row = await profile('user_b');
        assert.deepEqual([row.email, row.full_name, row.avatar_url, row.role, row.subscription_tier],
            ['user.b@example.com', 'Ann Example', 'https://img.example.com/a.png', 'user', 'Free']);
    });

    for (const [name, data, expected] of [
        ['the primary one', { primary_email_address_id: 'b', email_addresses: [{ id: 'a', email_address: 'a@x.example', verification: { status: 'verified' } }, { id: 'b', email_address: 'b@x.example' }] }, 'b@x.example'],
        ['else the first verified', { primary_email_address_id: 'z', email_addresses: [{ id: 'a', email_address: 'a@x.example', verification: { status: 'unverified' } }, { id: 'b', email_address: 'b@x.example', verification: { status: 'verified' } }, { id: 'c', email_address: 'c@x.example', verification: { status: 'verified' } }] }, 'b@x.example'],
        ['else the first', { primary_email_address_id: null, email_addresses: [{ id: 'a', email_address: 'a@x.example', verification: null }, { id: 'b', email_address: 'b@x.example' }] }, 'a@x.example'],
        ['else none', { email_addresses: null }, null],
        ['none from junk', { email_addresses: [7, null, {}, { email_address: 5 }, 'x'] }, null],
    ])
        it(`the address is ${name}`, options, async () => {
            const id = `user_mail_${expected}_${name.length}`;
            const { status } = await deliver({ type: 'user.created', data: { ...user(id), ...data } });
            assert.equal(status, 200);
            assert.equal((await profile(id)).email, expected);
        });

    for (const [first, last, expected] of [['Ann', null, 'Ann'], [null, 'Example', 'Example'], ['  Ann ', ' Example  ', 'Ann Example'], [null, null, null], ['', '  ', null], [7, {}, null]])
        it(`the name of ${JSON.stringify(first)} and ${JSON.stringify(last)}`, options, async () => {
            const id = `user_name_${crypto.randomUUID()}`;
            await deliver({ type: 'user.created', data: user(id, { first_name: first, last_name: last }) });
            assert.equal((await profile(id)).full_name, expected);
        });

    it('an update of somebody unknown makes the profile', options, async () => {
        await deliver({ type: 'user.updated', data: user('user_new') });
        assert.equal((await profile('user_new')).email, 'user_new@example.com');
    });

    it('created twice, by two deliveries: nothing of ours is touched', options, async () => {
        await deliver({ type: 'user.created', data: user('user_c') });
        await database.rows(`UPDATE user_onboarding SET onboarding_completed = true WHERE user_id = 'user_c'`);
        await database.rows(`UPDATE profiles SET role = 'admin', subscription_tier = 'Investor', phone = '+15550101' WHERE id = 'user_c'`);
        const { status } = await deliver({ type: 'user.created', data: user('user_c', { first_name: 'Anna' }) });
        assert.equal(status, 200);
        const row = await profile('user_c');
        assert.deepEqual([row.full_name, row.role, row.subscription_tier, row.phone], ['Anna Example', 'admin', 'Investor', '+15550101']);
        assert.equal((await database.row(`SELECT onboarding_completed FROM user_onboarding WHERE user_id = 'user_c'`)).onboarding_completed, true);
    });

    it('deleted: the person is forgotten, the history stays', options, async () => {
        await database.person('user_d', { phone: '+15550102', license_number: 'TX-1', license_state: 'TX', avatar_url: 'x' });
        await database.rows(`INSERT INTO user_preferences (user_id, email_notifications) VALUES ('user_d', true)`);
        await database.rows(`INSERT INTO user_agent_subscriptions (user_id, agent_type) VALUES ('user_d', 'core'), ('user_d', 'voice')`);
        await database.rows(`INSERT INTO external_service_connections (user_id, service_name, connection_status, credentials, settings) VALUES ('user_d', 'google', 'connected', '{"v":1}', '{"account_email":"d@example.com"}')`);
        await database.rows(`INSERT INTO crm_connections (user_id, provider, connection_status, credentials, sync_settings) VALUES ('user_d', 'lofty', 'connected', '{"v":1}', '{"account_id":"7","account_name":"D","direction":"both"}'), ('user_d', 'skyslope', 'error', '{"v":1}', NULL)`);
        await database.rows(`INSERT INTO goals (user_id, title, goal_type) VALUES ('user_d', 'Kept', 'production')`);
        await database.person('user_e');
        await database.rows(`INSERT INTO external_service_connections (user_id, service_name, connection_status, credentials) VALUES ('user_e', 'google', 'connected', '{"v":1}')`);

        const { status, body } = await deliver({ type: 'user.deleted', data: { id: 'user_d', deleted: true } });
        assert.deepEqual([status, body], [200, { success: true }]);
        const row = await profile('user_d');
        assert.deepEqual([row.email, row.full_name, row.avatar_url, row.phone, row.license_number, row.subscription_status, row.license_state],
            [null, null, null, null, null, 'deleted', 'TX']);
        assert.equal((await database.row(`SELECT email_notifications FROM user_preferences WHERE user_id = 'user_d'`)).email_notifications, false);
        for (const one of await database.rows(`SELECT is_active, status FROM user_agent_subscriptions WHERE user_id = 'user_d'`))
            assert.deepEqual(one, { is_active: false, status: 'inactive' });
        assert.deepEqual(await database.row(`SELECT credentials, settings, connection_status FROM external_service_connections WHERE user_id = 'user_d'`),
            { credentials: {}, settings: {}, connection_status: 'disconnected' });
        assert.deepEqual(await database.rows(`SELECT credentials, sync_settings, connection_status FROM crm_connections WHERE user_id = 'user_d' ORDER BY provider`), [
            { credentials: {}, sync_settings: { direction: 'both' }, connection_status: 'disconnected' },
            { credentials: {}, sync_settings: {}, connection_status: 'disconnected' },
        ]);
        assert.equal(await database.count('goals', `user_id = 'user_d'`), 1);
        assert.deepEqual(await database.row(`SELECT credentials, connection_status FROM external_service_connections WHERE user_id = 'user_e'`), { credentials: { v: 1 }, connection_status: 'connected' });
    });

    it('deleted, and never known: nothing', options, async () => {
        const { status, body } = await deliver({ type: 'user.deleted', data: { id: 'user_never', deleted: true } });
        assert.deepEqual([status, body], [200, { success: true }]);
        assert.equal(await profile('user_never'), undefined);
    });

    it('other types are ignored, and recorded', options, async () => {
        for (const data of [{ id: 'org_1' }, null, undefined, 'text', {}]) {
            const id = `msg_other_${++deliveries}`;
            const { status, body } = await deliver({ type: 'organization.created', data }, { id });
            assert.deepEqual([status, body], [200, { success: true, ignored: true, reason: 'unhandled_type' }]);
            assert.equal(await recorded(id), 1);
        }
    });
});

describe('clerkWebhook: once', options, () => {
    it('a delivery again, even with another body, changes nothing', options, async () => {
        const id = 'msg_replayed';
        await deliver({ type: 'user.created', data: user('user_f') }, { id });
        const { status, body } = await deliver({ type: 'user.updated', data: user('user_f', { first_name: 'Mallory' }) }, { id });
        assert.deepEqual([status, body], [200, { success: true, duplicate: true }]);
        assert.equal((await profile('user_f')).full_name, 'Ann Example');
    });

    it('the same delivery eight times at once takes effect once', options, async () => {
        const body = JSON.stringify({ type: 'user.created', data: user('user_g') });
        const headers = signed(body, { id: 'msg_race' });
        const answers = await Promise.all(Array.from({ length: 8 }, () => send(body, headers)));
        for (const { status } of answers) assert.equal(status, 200);
        assert.equal(answers.filter((answer) => answer.body.duplicate).length, 7);
        assert.equal(await database.count('user_onboarding', `user_id = 'user_g'`), 1);
    });

    it('a failure leaves no record, so the sender\'s retry takes effect', options, async () => {
        await database.rows(`ALTER TABLE user_onboarding ADD CONSTRAINT test_refuses CHECK (user_id <> 'user_h') NOT VALID`);
        const body = JSON.stringify({ type: 'user.created', data: user('user_h') });
        try {
            const failed = await send(body, signed(body, { id: 'msg_failing' }));
            assert.deepEqual([failed.status, failed.body.code], [500, 'internal_error']);
            assert.doesNotMatch(JSON.stringify(failed.body), /test_refuses|user_onboarding/);
            assert.equal(await recorded('msg_failing'), 0);
            assert.equal(await profile('user_h'), undefined);
        } finally {
            await database.rows('ALTER TABLE user_onboarding DROP CONSTRAINT test_refuses');
        }
        const again = await send(body, signed(body, { id: 'msg_failing' }));
        assert.deepEqual([again.status, again.body], [200, { success: true }]);
        assert.ok(await profile('user_h'));
    });
});

describe('clerkWebhook: signatures', options, () => {
    const event = JSON.stringify({ type: 'user.updated', data: user('user_signed') });

    it('the second secret, the other header family, several signatures', options, async () => {
        assert.equal((await send(event, signed(event, { secret: SECOND_SECRET }))).status, 200);
        assert.equal((await send(event, signed(event, { family: 'webhook' }))).status, 200);
        const headers = signed(event);
        headers['svix-signature'] = `v1,AAAA v1a,${'b'.repeat(88)} nonsense ${headers['svix-signature']}`;
        assert.equal((await send(event, headers)).status, 200);
        const mixed = { ...signed(event, { id: 'msg_family', family: 'webhook' }), 'svix-id': 'msg_other', 'svix-timestamp': '1' };
        assert.equal((await send(event, mixed)).status, 200, 'an incomplete first family');
        assert.deepEqual([await recorded('msg_family'), await recorded('msg_other')], [1, 0]);
    });

    it('any Content-Type, or none', options, async () => {
        for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/octet-stream'])
            assert.equal((await send(event, { ...signed(event), 'content-type': type })).status, 200);
        assert.equal((await send(Buffer.from(event), { ...signed(event), 'content-type': '' })).status, 200);
    });

    const refused = (name, status, code, make) =>
        it(name, options, async () => {
            const before = await database.count('edge.webhook_events');
            const { body = event, headers } = make();
            const { status: actual, body: answer } = await send(body, headers);
            assert.deepEqual([actual, answer.code], [status, code]);
            assert.equal(typeof answer.requestId, 'string');
            assert.equal(await database.count('edge.webhook_events'), before, 'nothing is recorded');
        });
    const without = (name) => () => {
        const headers = signed(event);
        delete headers[name];
        return { headers };
    };
    for (const name of ['svix-id', 'svix-timestamp', 'svix-signature']) refused(`no ${name}: 401`, 401, 'missing_signature', without(name));
    refused('no header at all: 401', 401, 'missing_signature', () => ({ headers: {} }));
    refused('families mixed: 401', 401, 'missing_signature', () => {
        const { 'svix-id': id, 'svix-timestamp': at, 'svix-signature': signature } = signed(event);
        return { headers: { 'svix-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } };
    });
    refused('another secret: 401', 401, 'invalid_signature', () => ({ headers: signed(event, { secret: 'whsec_b3RoZXItc2VjcmV0LW90aGVyLXNlY3JldA==' }) }));
    refused('another body: 401', 401, 'invalid_signature', () => ({ headers: signed(event), body: event.replace('Ann', 'Eve') }));
    refused('one blank more: 401', 401, 'invalid_signature', () => ({ headers: signed(event), body: `${event} ` }));
    refused('another id: 401', 401, 'invalid_signature', () => ({ headers: { ...signed(event), 'svix-id': 'msg_x' } }));
    refused('half a signature: 401', 401, 'invalid_signature', () => {
        const headers = signed(event);
        return { headers: { ...headers, 'svix-signature': headers['svix-signature'].slice(0, -8) } };
    });
    refused('only version 2: 401', 401, 'invalid_signature', () => {
        const headers = signed(event);
        return { headers: { ...headers, 'svix-signature': headers['svix-signature'].replace('v1,', 'v2,') } };
    });
    refused('a timestamp that is no number: 401', 401, 'invalid_signature', () => ({ headers: { ...signed(event), 'svix-timestamp': 'noon' } }));
    refused('six minutes old: 401', 401, 'stale_timestamp', () => ({ headers: signed(event, { at: Date.now() - 360000 }) }));
    refused('six minutes ahead: 401', 401, 'stale_timestamp', () => ({ headers: signed(event, { at: Date.now() + 360000 }) }));

    const asSent = (body) => () => ({ body, headers: signed(body) });
    for (const body of ['', '{"type":', '[]', '"text"', 'null', '7'])
        refused(`the body ${JSON.stringify(body)}: 400`, 400, 'invalid_json', asSent(body));
    for (const payload of [
        {}, { type: null, data: user('user_x') }, { type: 7, data: user('user_x') }, { type: '', data: user('user_x') },
        { type: 'user.created' }, { type: 'user.created', data: null }, { type: 'user.created', data: 'x' }, { type: 'user.updated', data: {} },
        { type: 'user.created', data: user(null) }, { type: 'user.created', data: user(7) }, { type: 'user.created', data: user('') },
        { type: 'user.created', data: user('u'.repeat(256)) }, { type: 'user.deleted', data: { deleted: true } },
    ])
        refused(`the payload ${JSON.stringify(payload).slice(0, 60)}: 400`, 400, 'invalid_payload', asSent(JSON.stringify(payload)));

    refused('more than 1 MiB: 413', 413, 'body_too_large', () => asSent(JSON.stringify({ type: 'x', filler: 'x'.repeat(1100000) }))());

    it('255 characters of an id are fine', options, async () => {
        const id = 'ü'.repeat(255);
        assert.equal((await deliver({ type: 'user.created', data: user(id) })).status, 200);
        assert.ok(await profile(id));
    });

    it('GET: 405', options, async () => {
        const { status, body } = await post(host, 'clerkWebhook', { method: 'GET' });
        assert.deepEqual([status, body.code], [405, 'method_not_allowed']);
    });
});

describe('clerkWebhook: configuration', options, () => {
    for (const [name, secret] of [['no secret', null], ['an empty one', ''], ['one that is no base64', 'whsec_%%%']])
        it(`${name}: 503 not_configured, naming the variable`, options, async () => {
            const bare = await startHost({ functions: ['clerkWebhook'], database: database.url, env: { CLERK_WEBHOOK_SECRET: secret } });
            try {
                const { status, body } = await send(VECTOR.body, VECTOR.headers, bare);
                assert.deepEqual([status, body.code], [503, 'not_configured']);
                assert.match(body.error, /CLERK_WEBHOOK_SECRET/);
            } finally {
                await bare.stop();
            }
        });

    it('the database away: 503 after the signature, 401 before it', options, async () => {
        const lonely = await startHost({
            functions: ['clerkWebhook'], database: 'postgresql:///none?host=/nonexistent&user=edge_runtime', readyPath: '/_edge/live',
            env: { CLERK_WEBHOOK_SECRET: VECTOR.secret },
        });
        try {
            const body = JSON.stringify({ type: 'user.created', data: user('user_x') });
            const unavailable = await send(body, signed(body), lonely);
            assert.deepEqual([unavailable.status, unavailable.body.code], [503, 'database_unavailable']);
            assert.equal((await send(body, {}, lonely)).status, 401);
        } finally {
            await lonely.stop();
        }
    });
});

describe('clerkWebhook: called by real clients', options, () => {
    for (const [name, client] of Object.entries(supabaseClients))
        it(`${name} can deliver, and is refused without a signature`, options, async () => {
            const body = JSON.stringify({ type: 'user.updated', data: user('user_client') });
            const { data, error } = await client(host).invoke('clerkWebhook', { body, headers: { ...signed(body), 'content-type': 'application/json' } });
            assert.equal(error, null);
            assert.deepEqual(data, { success: true });
            const refused = await client(host).invoke('clerkWebhook', { body: JSON.parse(body) });
            assert.equal((await refused.error.context.json()).code, 'missing_signature');
        });
});
