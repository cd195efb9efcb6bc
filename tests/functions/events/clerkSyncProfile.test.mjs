/*
 * clerkSyncProfile (spec events.md): its examples, what of a Clerk user is stored, and everything that Clerk can answer.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const s = suite({
    functions: ['clerkSyncProfile'],
    providers: { clerk: { first_byte_timeout: '150ms' } },
});
const clerk = s.provider('clerk');
const profile = (id) => s.database.row('SELECT * FROM profiles WHERE id = $1', [id]);
const sync = (id, body = {}) => s.call('clerkSyncProfile', id, body);

const ann = (more = {}) => ({
    id: 'user_a',
    first_name: 'Ann',
    last_name: 'Lee',
    image_url: 'https://img/x.png',
    primary_email_address_id: 'idn_2',
    email_addresses: [
        { id: 'idn_1', email_address: 'first@example.com', verification: { status: 'verified' } },
        { id: 'idn_2', email_address: ' NEW@Example.com ' },
    ],
    primary_phone_number_id: 'ph_2',
    phone_numbers: [
        { id: 'ph_1', phone_number: '+15550101' },
        { id: 'ph_2', phone_number: '+15550102' },
    ],
    ...more,
});

describe('clerkSyncProfile: examples', options, () => {
    it('the primary address, name and picture of a profile that is there', options, async () => {
        await s.database.person('user_a', { email: 'a@example.com', full_name: 'Old', role: 'admin', subscription_tier: 'Owner' });
        await clerk.order({ body: ann() });
        const { status, body } = await sync('user_a');
        assert.deepEqual([status, body], [200, { success: true, userId: 'user_a', created: false }]);
        const row = await profile('user_a');
        assert.deepEqual(
            [row.email, row.full_name, row.avatar_url, row.phone, row.role, row.subscription_tier],
            ['new@example.com', 'Ann Lee', 'https://img/x.png', '+15550102', 'admin', 'Owner'],
        );
        assert.equal(await s.database.count('user_onboarding', `user_id = 'user_a'`), 1);
        const [request] = await clerk.requests();
        assert.deepEqual(
            [request.method, request.path, request.headers.authorization],
            ['GET', '/v1/users/user_a', 'Bearer test-clerk-secret-key'],
        );
    });

    it('Clerk answers 500: 502, the row as it was', options, async () => {
        const before = await profile('user_a');
        await clerk.order({ status: 500, body: { errors: [] } });
        assertRefused(await sync('user_a'), 502, 'clerk_failed');
        assert.deepEqual(await profile('user_a'), before);
    });
});

describe('clerkSyncProfile: what is stored', options, () => {
    it('somebody new: profile and onboarding', options, async () => {
        const { status, body } = await sync('user_fresh');
        assert.deepEqual([status, body], [200, { success: true, userId: 'user_fresh', created: true }]);
        const row = await profile('user_fresh');
        assert.deepEqual(
            [row.email, row.full_name, row.subscription_tier],
            ['user_fresh@example.com', 'Sandbox User', 'Free'],
        );
        const again = await sync('user_fresh');
        assert.deepEqual(again.body, { success: true, userId: 'user_fresh', created: false });
    });

    it('an empty body is fine', options, async () => {
        const answer = await post(s.host, 'clerkSyncProfile', { token: await mint('user_fresh'), raw: '' });
        assert.equal(answer.status, 200);
    });

    it('nothing that Clerk does not know overwrites what is stored', options, async () => {
        const id = await s.agent({ phone: '+15550199', avatar_url: 'kept.png' });
        const before = await profile(id);
        await s.database.rows('INSERT INTO user_onboarding (user_id, onboarding_completed) VALUES ($1, true)', [id]);
        for (const nothing of [{ id }, ann({ id, first_name: ' ', last_name: null, image_url: '', email_addresses: null, phone_numbers: null })]) {
            await clerk.order({ body: nothing });
            assert.equal((await sync(id)).status, 200);
        }
        const { updated_at: _, ...after } = await profile(id);
        const { updated_at: __, ...kept } = before;
        assert.deepEqual(after, kept);
        const [onboarding] = await s.database.rows('SELECT onboarding_completed FROM user_onboarding WHERE user_id = $1', [id]);
        assert.equal(onboarding.onboarding_completed, true);
    });

    for (const [name, stored, answer, expected] of [
        ['a stored one stays', '+15550111', {}, '+15550111'],
        ['a blank one is filled', '  ', {}, '+15550102'],
        ['only from the primary number', null, { primary_phone_number_id: 'ph_9' }, null],
        ['not without a primary number', null, { primary_phone_number_id: null }, null],
    ])
        it(`phone: ${name}`, options, async () => {
            const id = await s.agent({ phone: stored });
            await clerk.order({ body: ann({ id, ...answer }) });
            assert.equal((await sync(id)).status, 200);
            assert.equal((await profile(id)).phone, expected);
        });

    it('an id is encoded in the path', options, async () => {
        await clerk.order({ body: ann({ id: 'user_a/b?c' }) });
        assert.equal((await sync('user_a/b?c')).status, 200);
        assert.equal((await clerk.requests())[0].path, '/v1/users/user_a%2Fb?c');
        assert.equal((await profile('user_a/b?c')).email, 'new@example.com');
    });

    it('twelve tabs at once: one profile, one onboarding, one of them made it', options, async () => {
        const answers = await Promise.all(Array.from({ length: 12 }, () => sync('user_tabs')));
        assert.deepEqual(answers.map(({ status }) => status), Array(12).fill(200));
        assert.equal(answers.filter(({ body }) => body.created).length, 1);
        assert.equal(await s.database.count('user_onboarding', `user_id = 'user_tabs'`), 1);
    });
});

describe('clerkSyncProfile: Clerk fails', options, () => {
    for (const [name, order, status, code] of [
        ['404', { status: 404, body: { errors: [{ code: 'resource_not_found' }] } }, 404, 'user_not_found'],
        ['401', { status: 401, body: {} }, 503, 'clerk_unauthorized'],
        ['403', { status: 403, body: {} }, 503, 'clerk_unauthorized'],
        ['422', { status: 422, body: {} }, 502, 'clerk_failed'],
        ['503', { status: 503, body: 'down' }, 502, 'clerk_failed'],
        ['200 and garbage', { status: 200, body: '<html>' }, 502, 'clerk_failed'],
        ['200 and a list', { status: 200, body: [] }, 502, 'clerk_failed'],
        ['half an answer', { status: 200, body: ann(), truncateAfter: 40 }, 502, 'clerk_failed'],
        ['a broken connection, twice', { drop: true, times: 2 }, 502, 'clerk_failed'],
        ['no answer in time', { delayMs: 5000 }, 504, 'clerk_timeout'],
    ])
        it(`${name}: ${status} ${code}, nothing stored`, options, async () => {
            await clerk.order(order);
            assertRefused(await sync('user_never'), status, code);
            assert.equal(await profile('user_never'), undefined);
            await sync('user_fresh'); /* an answer, so that failures in a row do not open the circuit breaker */
        });

    it('429: 429 with its Retry-After', options, async () => {
        await clerk.order({ status: 429, headers: { 'retry-after': '7' }, body: {} });
        const answer = await sync('user_never');
        assertRefused(answer, 429, 'provider_rate_limited');
        assert.equal(answer.headers.get('retry-after'), '7');
    });

    it('somebody that the stand-in does not know', options, async () =>
        assertRefused(await sync('user_unknown'), 404, 'user_not_found'));

    it('without CLERK_SECRET_KEY: 503, and Clerk is not asked', options, async () => {
        const host = { functions: ['clerkSyncProfile'], database: s.database.url, env: { CLERK_SECRET_KEY: null } };
        await withHost(host, async (bare) => {
            const answer = await s.call('clerkSyncProfile', 'user_a', {}, { host: bare });
            assertRefused(answer, 503, 'not_configured');
            assert.match(answer.body.error, /CLERK_SECRET_KEY/);
        });
    });
});

refusals(s, 'clerkSyncProfile', { wrong: { userId: [7, true, {}] }, untouched: ['user_onboarding'], caller: () => 'user_fresh' });
