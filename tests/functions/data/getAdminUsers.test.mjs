/*
 * getAdminUsers (spec data.md): its examples, the AdminUser object (D8), search, role and cursor.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { giveCredits } from '../../support/credits.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const admin = suite({ functions: ['getAdminUsers'] });
let made;
const caller = () => (made ??= admin.admin({ full_name: 'Zoe Admin', created_at: '2020-01-01T00:00:00Z' }));
const call = async (body = {}) => admin.call('getAdminUsers', await caller(), body);
const find = async (id) => (await call()).body.users.find((user) => user.id === id);

describe('getAdminUsers: AdminUser', options, () => {
    it('example: names, tier, onboarding, role, credits', options, async () => {
        const id = await admin.agent({ full_name: 'Mary Ann  Smith', subscription_tier: 'Subscriber' });
        await admin.database.rows('INSERT INTO user_onboarding (user_id, onboarding_completed) VALUES ($1, true)', [id]);
        const user = await find(id);
        assert.deepEqual(
            [user.firstName, user.lastName, user.subscriptionTier, user.role, user.creditsRemaining],
            ['Mary', 'Ann  Smith', 'Subscriber', 'user', 0],
        );
        assert.deepEqual(user.onboarding, {
            onboardingCompleted: true, agentOnboardingCompleted: false, callCenterOnboardingCompleted: false,
        });
    });

    it('with nothing: every member there, with its default', options, async () => {
        const id = await admin.agent({ full_name: null, email: null, subscription_tier: null, subscription_status: null });
        const { created_date, updated_date, ...user } = await find(id);
        assert.deepEqual(user, {
            id, email: null, full_name: null, firstName: '', lastName: '', avatar: null, avatar_url: null, phone: null,
            brokerage: null, subscriptionTier: 'Free', subscriptionStatus: 'active', role: 'user',
            onboarding: { onboardingCompleted: false, agentOnboardingCompleted: false, callCenterOnboardingCompleted: false },
            userAgentSubscription: null, creditsRemaining: 0, autopilotPermissions: null,
        });
        for (const time of [created_date, updated_date]) assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/);
    });

    it('with everything', options, async () => {
        const id = await admin.admin({ full_name: ' Bea ', avatar_url: 'https://img.example.com/b.png', phone: '+12025550101', brokerage: 'Oak' });
        await giveCredits(admin.database, id, 42);
        await admin.database.rows(
            `INSERT INTO user_agent_subscriptions (user_id, agent_type, plan_type, subscription_tier, created_at, overage_rate, minutes_allocated)
             VALUES ($1, 'core', 'old', 'free', '2025-01-01', 0, NULL), ($1, 'voice', 'new', 'pro', '2025-02-01', 0.25, 500)`, [id]);
        await admin.database.rows(
            `INSERT INTO autopilot_permissions (user_id, permission, allowed) VALUES ($1, 'copilot.send_email', true), ($1, 'copilot.research', false)`, [id]);
        const user = await find(id);
        assert.deepEqual(
            [user.firstName, user.lastName, user.avatar, user.phone, user.brokerage, user.role, user.creditsRemaining],
            ['Bea', '', 'https://img.example.com/b.png', '+12025550101', 'Oak', 'admin', 42],
        );
        assert.deepEqual(JSON.parse(user.autopilotPermissions), { 'copilot.send_email': true, 'copilot.research': false });
        const { id: subscription, ...newest } = user.userAgentSubscription;
        assert.match(subscription, /^[0-9a-f-]{36}$/);
        assert.deepEqual(newest, {
            userId: id, agentType: 'voice', planType: 'new', subscriptionTier: 'pro', status: 'active', isActive: true,
            minutesAllocated: 500, minutesUsed: 0, overageRate: 0.25, billingCycleStart: null, billingCycleEnd: null, expiresAt: null,
        });
    });

    it('the system profile is in no list and no count', options, async () => {
        const before_ = (await call()).body.total;
        await admin.database.person('system', { email: 'system@pulse.ai', full_name: 'System' });
        const { body } = await call();
        assert.equal(body.total, before_);
        assert.ok(!body.users.some((user) => user.id === 'system'));
    });
});

describe('getAdminUsers: search and paging', options, () => {
    it('search is literal, in any case, in e-mail or name', options, async () => {
        const id = await admin.agent({ full_name: '100% Percy_Jones', email: 'PERCY@oak.example.com' });
        const ids = async (search) => (await call({ search })).body.users.map((user) => user.id);
        assert.deepEqual(await ids('percy_j'), [id]);
        assert.deepEqual(await ids('percy@OAK'), [id]);
        assert.deepEqual(await ids('100% p'), [id]);
        assert.deepEqual(await ids('percy%jones'), []);
        assert.deepEqual(await ids("' OR true --"), []);
        assert.equal((await call({ search: 'percy' })).body.total, 1);
    });

    it('role', options, async () => {
        const { body } = await call({ role: 'admin' });
        assert.ok(body.total >= 2 && body.users.every((user) => user.role === 'admin') && body.users.some((user) => user.firstName === 'Zoe'));
        const users = (await call({ role: 'user' })).body;
        assert.ok(users.users.every((user) => user.role === 'user'));
        assert.equal(users.total + body.total, (await call()).body.total);
    });

    it('pages by cursor: newest first, none twice, none left out, ties by id', options, async () => {
        for (let i = 0; i < 5; i++)
            await admin.agent({ full_name: `Tied ${i}`, created_at: i < 3 ? '2024-05-05T05:05:05.123456Z' : `2024-05-0${i}T00:00:00Z` });
        await admin.agent({ full_name: 'Tied without a time', created_at: null });
        const expected = (await admin.database.rows(
            `SELECT id FROM profiles WHERE full_name LIKE 'Tied%' ORDER BY created_at DESC, id DESC`)).map((row) => row.id);
        const seen = [];
        for (let cursor; cursor !== null; ) {
            const { body } = await call({ search: 'tied', limit: 2, cursor });
            assert.equal(body.total, 6);
            assert.ok(body.users.length <= 2);
            seen.push(...body.users.map((user) => user.id));
            cursor = body.nextCursor;
        }
        assert.deepEqual(seen, expected);
    });

    it('the last page has no cursor, also when it is full', options, async () => {
        const { body } = await call({ search: 'tied', limit: 6 });
        assert.equal(body.users.length, 6);
        assert.equal(body.nextCursor, null);
    });

    it('a cursor that is none', options, async () => {
        const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
        for (const cursor of ['x', encode({}), encode([1e30, 'a']), encode([-1, 'a']), encode([1, 2]), encode([1, 'a\u0000'])])
            assertRefused(await call({ cursor }), 400, 'invalid_input', 'cursor');
    });
});

refusals(admin, 'getAdminUsers', {
    mode: 'admin',
    caller,
    wrong: {
        search: [...NOT.text, 'x'.repeat(201)],
        role: [...NOT.text, 'owner'],
        limit: [...NOT.integer, 0, 1001],
        cursor: NOT.text,
    },
});
