/*
 * clerkWebhook (spec events.md): its examples, what becomes of profiles, and each delivery once.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { describe, it } from 'node:test';

import { SECOND_SECRET, Sender, VECTOR, nextId, signed, user } from '../../support/deliveries.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';

const hook = suite({ functions: ['clerkWebhook'], env: { CLERK_WEBHOOK_SECRET: `${VECTOR.secret},${SECOND_SECRET}` } });
const sender = new Sender(hook);
const profile = (id) => hook.database.row('SELECT * FROM profiles WHERE id = $1', [id]);

describe('clerkWebhook: examples', options, () => {
    it('1 and 3: the vector at its time, again, and five minutes later', options, async () => {
        const atVector = (seconds, work) =>
            withHost(
                {
                    functions: ['clerkWebhook'],
                    database: hook.database.url,
                    env: { CLERK_WEBHOOK_SECRET: VECTOR.secret, EDGE_TEST_CLOCK: String(VECTOR.at + seconds) },
                },
                work,
            );

        await atVector(0, async (host) => {
            const first = await sender.send(VECTOR.body, VECTOR.headers, host);
            assert.deepEqual([first.status, first.body], [200, { success: true }]);
            const row = await profile('user_vec');
            assert.deepEqual([row.email, row.full_name], ['vera@example.com', 'Vera Example']);
            const onboarding = await hook.database.rows(
                `SELECT onboarding_completed, agent_onboarding_completed, call_center_onboarding_completed
                 FROM user_onboarding WHERE user_id = 'user_vec'`,
            );
            assert.deepEqual(onboarding, [
                {
                    onboarding_completed: false,
                    agent_onboarding_completed: false,
                    call_center_onboarding_completed: false,
                },
            ]);
            assert.equal(await sender.recorded('msg_2pulseVector0001'), 1);

            const again = await sender.send(VECTOR.body, VECTOR.headers, host);
            assert.deepEqual([again.status, again.body], [200, { success: true, duplicate: true }]);
            assert.deepEqual(await profile('user_vec'), row);
        });

        await atVector(301, async (host) => {
            const { status, body } = await sender.send(VECTOR.body, VECTOR.headers, host);
            assert.deepEqual([status, body.code], [401, 'stale_timestamp']);
        });
    });

    it('2: an update without an address keeps the stored one', options, async () => {
        await hook.database.person('user_a', {
            email: 'a@example.com',
            full_name: 'Old Name',
            phone: '+15550100',
            subscription_tier: 'Owner',
        });
        const { status, body } = await sender.deliver({
            type: 'user.updated',
            data: { id: 'user_a', email_addresses: [], first_name: 'Ann', last_name: null },
        });
        assert.deepEqual([status, body], [200, { success: true }]);
        const row = await profile('user_a');
        assert.deepEqual(
            [row.full_name, row.email, row.phone, row.subscription_tier],
            ['Ann', 'a@example.com', '+15550100', 'Owner'],
        );
        assert.ok(row.updated_at > row.created_at);
        assert.equal(
            await hook.database.count('user_onboarding', 'user_id = $1', ['user_a']),
            0,
            'only user.created begins onboarding',
        );
    });
});

describe('clerkWebhook: profiles', options, () => {
    it('created: address, name and picture', options, async () => {
        await sender.deliver({
            type: 'user.created',
            data: user('user_b', { email_addresses: [{ id: 'idn_1', email_address: ' User.B@Example.COM ' }] }),
        });
        const row = await profile('user_b');
        assert.deepEqual(
            [row.email, row.full_name, row.avatar_url, row.role, row.subscription_tier],
            ['user.b@example.com', 'Ann Example', 'https://img.example.com/a.png', 'user', 'Free'],
        );
    });

    for (const [name, data, expected] of [
        [
            'the primary one',
            {
                primary_email_address_id: 'b',
                email_addresses: [
                    { id: 'a', email_address: 'a@x.example', verification: { status: 'verified' } },
                    { id: 'b', email_address: 'b@x.example' },
                ],
            },
            'b@x.example',
        ],
        [
            'else the first verified',
            {
                primary_email_address_id: 'z',
                email_addresses: [
                    { id: 'a', email_address: 'a@x.example', verification: { status: 'unverified' } },
                    { id: 'b', email_address: 'b@x.example', verification: { status: 'verified' } },
                    { id: 'c', email_address: 'c@x.example', verification: { status: 'verified' } },
                ],
            },
            'b@x.example',
        ],
        [
            'else the first',
            {
                primary_email_address_id: null,
                email_addresses: [
                    { id: 'a', email_address: 'a@x.example', verification: null },
                    { id: 'b', email_address: 'b@x.example' },
                ],
            },
            'a@x.example',
        ],
        ['else none', { email_addresses: null }, null],
        ['none from junk', { email_addresses: [7, null, {}, { email_address: 5 }, 'x'] }, null],
    ])
        it(`the address is ${name}`, options, async () => {
            const id = `user_mail_${expected}_${name.length}`;
            const { status } = await sender.deliver({ type: 'user.created', data: { ...user(id), ...data } });
            assert.equal(status, 200);
            assert.equal((await profile(id)).email, expected);
        });

    for (const [first, last, expected] of [
        ['Ann', null, 'Ann'],
        [null, 'Example', 'Example'],
        ['  Ann ', ' Example  ', 'Ann Example'],
        [null, null, null],
        ['', '  ', null],
        [7, {}, null],
    ])
        it(`the name of ${JSON.stringify(first)} and ${JSON.stringify(last)}`, options, async () => {
            const id = `user_name_${crypto.randomUUID()}`;
            await sender.deliver({ type: 'user.created', data: user(id, { first_name: first, last_name: last }) });
            assert.equal((await profile(id)).full_name, expected);
        });

    it('an update of somebody unknown makes the profile', options, async () => {
        await sender.deliver({ type: 'user.updated', data: user('user_new') });
        assert.equal((await profile('user_new')).email, 'user_new@example.com');
    });

    it('created twice, by two deliveries: nothing of ours is touched', options, async () => {
        await sender.deliver({ type: 'user.created', data: user('user_c') });
        await hook.database.rows(`UPDATE user_onboarding SET onboarding_completed = true WHERE user_id = 'user_c'`);
        await hook.database.rows(
            `UPDATE profiles SET role = 'admin', subscription_tier = 'Investor', phone = '+15550101' WHERE id = 'user_c'`,
        );
        const { status } = await sender.deliver({ type: 'user.created', data: user('user_c', { first_name: 'Anna' }) });
        assert.equal(status, 200);
        const row = await profile('user_c');
        assert.deepEqual(
            [row.full_name, row.role, row.subscription_tier, row.phone],
            ['Anna Example', 'admin', 'Investor', '+15550101'],
        );
        assert.equal(
            (await hook.database.row(`SELECT onboarding_completed FROM user_onboarding WHERE user_id = 'user_c'`))
                .onboarding_completed,
            true,
        );
    });

    it('deleted: the person is forgotten, the history stays', options, async () => {
        await hook.database.person('user_d', {
            phone: '+15550102',
            license_number: 'TX-1',
            license_state: 'TX',
            avatar_url: 'x',
        });
        await hook.database.rows(`INSERT INTO user_preferences (user_id, email_notifications) VALUES ('user_d', true)`);
        await hook.database.rows(
            `INSERT INTO user_agent_subscriptions (user_id, agent_type) VALUES ('user_d', 'core'), ('user_d', 'voice')`,
        );
        await hook.database.rows(
            `INSERT INTO external_service_connections (user_id, service_name, connection_status, credentials, settings) VALUES ('user_d', 'google', 'connected', '{"v":1}', '{"account_email":"d@example.com"}')`,
        );
        await hook.database.rows(
            `INSERT INTO crm_connections (user_id, provider, connection_status, credentials, sync_settings) VALUES ('user_d', 'lofty', 'connected', '{"v":1}', '{"account_id":"7","account_name":"D","direction":"both"}'), ('user_d', 'skyslope', 'error', '{"v":1}', NULL)`,
        );
        await hook.database.rows(
            `INSERT INTO goals (user_id, title, goal_type) VALUES ('user_d', 'Kept', 'production')`,
        );
        await hook.database.person('user_e');
        await hook.database.rows(
            `INSERT INTO external_service_connections (user_id, service_name, connection_status, credentials) VALUES ('user_e', 'google', 'connected', '{"v":1}')`,
        );

        const { status, body } = await sender.deliver({ type: 'user.deleted', data: { id: 'user_d', deleted: true } });
        assert.deepEqual([status, body], [200, { success: true }]);
        const row = await profile('user_d');
        assert.deepEqual(
            [
                row.email,
                row.full_name,
                row.avatar_url,
                row.phone,
                row.license_number,
                row.subscription_status,
                row.license_state,
            ],
            [null, null, null, null, null, 'deleted', 'TX'],
        );
        assert.equal(
            (await hook.database.row(`SELECT email_notifications FROM user_preferences WHERE user_id = 'user_d'`))
                .email_notifications,
            false,
        );
        for (const one of await hook.database.rows(
            `SELECT is_active, status FROM user_agent_subscriptions WHERE user_id = 'user_d'`,
        ))
            assert.deepEqual(one, { is_active: false, status: 'inactive' });
        assert.deepEqual(
            await hook.database.row(
                `SELECT credentials, settings, connection_status FROM external_service_connections WHERE user_id = 'user_d'`,
            ),
            { credentials: {}, settings: {}, connection_status: 'disconnected' },
        );
        assert.deepEqual(
            await hook.database.rows(
                `SELECT credentials, sync_settings, connection_status FROM crm_connections WHERE user_id = 'user_d' ORDER BY provider`,
            ),
            [
                { credentials: {}, sync_settings: { direction: 'both' }, connection_status: 'disconnected' },
                { credentials: {}, sync_settings: {}, connection_status: 'disconnected' },
            ],
        );
        assert.equal(await hook.database.count('goals', `user_id = 'user_d'`), 1);
        assert.deepEqual(
            await hook.database.row(
                `SELECT credentials, connection_status FROM external_service_connections WHERE user_id = 'user_e'`,
            ),
            { credentials: { v: 1 }, connection_status: 'connected' },
        );
    });

    it('deleted, and never known: nothing', options, async () => {
        const { status, body } = await sender.deliver({
            type: 'user.deleted',
            data: { id: 'user_never', deleted: true },
        });
        assert.deepEqual([status, body], [200, { success: true }]);
        assert.equal(await profile('user_never'), undefined);
    });

    it('other types are ignored, and recorded', options, async () => {
        for (const data of [{ id: 'org_1' }, null, undefined, 'text', {}]) {
            const id = `other_${nextId()}`;
            const { status, body } = await sender.deliver({ type: 'organization.created', data }, { id });
            assert.deepEqual([status, body], [200, { success: true, ignored: true, reason: 'unhandled_type' }]);
            assert.equal(await sender.recorded(id), 1);
        }
    });
});

describe('clerkWebhook: once', options, () => {
    it('a delivery again, even with another body, changes nothing', options, async () => {
        const id = 'msg_replayed';
        await sender.deliver({ type: 'user.created', data: user('user_f') }, { id });
        const { status, body } = await sender.deliver(
            { type: 'user.updated', data: user('user_f', { first_name: 'Mallory' }) },
            { id },
        );
        assert.deepEqual([status, body], [200, { success: true, duplicate: true }]);
        assert.equal((await profile('user_f')).full_name, 'Ann Example');
    });

    it('the same delivery eight times at once takes effect once', options, async () => {
        const body = JSON.stringify({ type: 'user.created', data: user('user_g') });
        const headers = signed(body, { id: 'msg_race' });
        const answers = await Promise.all(Array.from({ length: 8 }, () => sender.send(body, headers)));
        for (const { status } of answers) assert.equal(status, 200);
        assert.equal(answers.filter((answer) => answer.body.duplicate).length, 7);
        assert.equal(await hook.database.count('user_onboarding', `user_id = 'user_g'`), 1);
    });

    it("a failure leaves no record, so the sender's retry takes effect", options, async () => {
        await hook.database.rows(
            `ALTER TABLE user_onboarding ADD CONSTRAINT test_refuses CHECK (user_id <> 'user_h') NOT VALID`,
        );
        const body = JSON.stringify({ type: 'user.created', data: user('user_h') });
        try {
            const failed = await sender.send(body, signed(body, { id: 'msg_failing' }));
            assert.deepEqual([failed.status, failed.body.code], [500, 'internal_error']);
            assert.doesNotMatch(JSON.stringify(failed.body), /test_refuses|user_onboarding/);
            assert.equal(await sender.recorded('msg_failing'), 0);
            assert.equal(await profile('user_h'), undefined);
        } finally {
            await hook.database.rows('ALTER TABLE user_onboarding DROP CONSTRAINT test_refuses');
        }
        const again = await sender.send(body, signed(body, { id: 'msg_failing' }));
        assert.deepEqual([again.status, again.body], [200, { success: true }]);
        assert.ok(await profile('user_h'));
    });
});
