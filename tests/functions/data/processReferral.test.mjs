/*
 * processReferral (spec data.md): its examples, both forms, one reward for a person whatever races.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { assertLedgerAgrees, balanceOf, giveCredits, ledgerOf } from '../../support/credits.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const referrals = suite({ functions: ['processReferral'] });
const call = (id, body) => referrals.call('processReferral', id, body);
const asService = (body) => post(referrals.host, 'processReferral', { token: SERVICE_KEY, body });
const balance = (id) => balanceOf(referrals.database, id);
const MISSING = '3fb36b92-6d0e-4bac-992d-00818cf81ca0';

async function invite(referrer, email, more = {}) {
    const row = { referrer_user_id: referrer, referred_email: email, ...more };
    const names = Object.keys(row);
    const [{ id }] = await referrals.database.rows(
        `INSERT INTO referrals (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING id`,
        Object.values(row),
    );
    return id;
}
const stored = async (id) => {
    const row = await referrals.database.row('SELECT * FROM referrals WHERE id = $1', [id]);
    return [row.referrer_user_id, row.referred_email, row.referred_user_id, row.status, row.reward_granted];
};
const count = (id) => referrals.database.count('referrals', 'referred_user_id = $1', [id]);
const rewarded = (referralId) => ({
    success: true, creditsAwarded: 5, alreadyProcessed: false, referralId, data: { success: true, creditsAwarded: 5 },
});
const already = (referralId) => ({
    success: true, creditsAwarded: 0, alreadyProcessed: true, referralId,
    data: { success: false, creditsAwarded: 0, error: 'User already referred' },
});

describe('processReferral: examples', options, () => {
    it('a new user names the referrer; again nothing happens', options, async () => {
        const referrer = await referrals.agent(), user = await referrals.agent({ email: 'a@example.com' });
        await giveCredits(referrals.database, referrer, 12);
        const { status, body } = await call(user, { referrerId: referrer, newUserId: user });
        assert.equal(status, 200);
        assert.deepEqual(body, rewarded(body.referralId));
        assert.deepEqual(await stored(body.referralId), [referrer, 'a@example.com', user, 'completed', true]);
        assert.deepEqual(await ledgerOf(referrals.database, referrer), [['addition', 12, 12], ['earned', 5, 17]]);
        const entry = await referrals.database.row(
            `SELECT description, metadata FROM credit_transactions WHERE user_id = $1 AND transaction_type = 'earned'`, [referrer]);
        assert.deepEqual(entry, {
            description: 'Referral reward', metadata: { referral_id: body.referralId, operation: 'add', requested_amount: 5 },
        });

        assert.deepEqual((await call(user, { referrerId: referrer, newUserId: user })).body, already(body.referralId));
        assert.equal(await balance(referrer), 17);
    });

    it('nobody refers himself', options, async () => {
        const id = await referrals.agent();
        assertRefused(await call(id, { referrerId: id, newUserId: id }), 400, 'self_referral');
        assert.equal(await count(id), 0);
    });
});

describe('processReferral: by people', options, () => {
    it('a referrer without a balance; the new user left out', options, async () => {
        const referrer = await referrals.agent(), user = await referrals.agent();
        assert.equal((await call(user, { referrerId: referrer })).body.creditsAwarded, 5);
        assert.deepEqual(await ledgerOf(referrals.database, referrer), [['earned', 5, 5]]);
        await assertLedgerAgrees(referrals.database, referrer);
    });

    it('the oldest open invitation to the address is used', options, async () => {
        const referrer = await referrals.agent(), other = await referrals.agent(), user = await referrals.agent({ email: 'Invited@Example.com' });
        await invite(referrer, 'invited@example.com', { created_at: '2026-03-01T00:00:00Z' });
        const oldest = await invite(referrer, 'INVITED@example.com', { created_at: '2026-02-01T00:00:00Z' });
        await invite(referrer, 'invited@example.com', { created_at: '2026-01-01T00:00:00Z', reward_granted: true });
        await invite(other, 'invited@example.com', { created_at: '2026-01-01T00:00:00Z' });
        const { body } = await call(user, { referrerId: referrer });
        assert.deepEqual(body, rewarded(oldest));
        assert.deepEqual(await stored(oldest), [referrer, 'INVITED@example.com', user, 'completed', true]);
        assert.equal(await balance(other), undefined);
    });

    it('one that is linked already is rewarded; of another referrer it is told without its id', options, async () => {
        const referrer = await referrals.agent(), other = await referrals.agent(), user = await referrals.agent();
        const linked = await invite(referrer, 'x@example.com', { referred_user_id: user });
        assert.deepEqual((await call(user, { referrerId: other })).body, already(null));
        assert.deepEqual((await call(user, { referrerId: referrer })).body, rewarded(linked));
        assert.deepEqual([await balance(referrer), await balance(other)], [5, undefined]);
    });

    it('the e-mail: the profile\'s, else the request\'s, else none is known', options, async () => {
        const referrer = await referrals.agent();
        const bare = await referrals.agent({ email: null }), named = await referrals.agent({ email: 'own@example.com' });
        assertRefused(await call(bare, { referrerId: referrer }), 400, 'invalid_input', 'newUserEmail');
        const first = (await call(bare, { referrerId: referrer, newUserEmail: 'given@example.com' })).body;
        assert.equal((await stored(first.referralId))[1], 'given@example.com');
        const second = (await call(named, { referrerId: referrer, newUserEmail: 'given@example.com' })).body;
        assert.equal((await stored(second.referralId))[1], 'own@example.com');
        assert.equal(await balance(referrer), 10);
    });

    it('60 days after signing up it is too late', options, async () => {
        const referrer = await referrals.agent();
        const user = (age) => referrals.agent({ created_at: new Date(Date.now() - age) });
        const days = 60 * 86400000;
        assertRefused(await call(await user(days + 60000), { referrerId: referrer }), 409, 'referral_expired');
        assert.equal((await call(await user(days - 60000), { referrerId: referrer })).status, 200);
    });

    it('people who are not there', options, async () => {
        const id = await referrals.agent();
        assertRefused(await call(id, { referrerId: 'user_nobody' }), 404, 'referrer_not_found');
        assertRefused(await call('user_without_profile', { referrerId: id }), 404, 'user_not_found');
    });

    it('from the service, for anybody', options, async () => {
        const referrer = await referrals.agent(), user = await referrals.agent();
        assertRefused(await asService({ referrerId: referrer }), 400, 'invalid_input', 'newUserId');
        assert.equal((await asService({ referrerId: referrer, newUserId: user })).body.creditsAwarded, 5);
        assertRefused(await asService({ referrerId: referrer, newUserId: 'user_nobody' }), 404, 'user_not_found');
    });

    it('many calls at once, and two referrers at once: one reward', options, async () => {
        const user = await referrals.agent(), people = [await referrals.agent(), await referrals.agent()];
        const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => call(user, { referrerId: people[i % 2] })));
        for (const { status } of answers) assert.equal(status, 200);
        assert.equal(answers.reduce((sum, { body }) => sum + body.creditsAwarded, 0), 5);
        assert.equal(await count(user), 1);
        assert.deepEqual((await Promise.all(people.map(balance))).filter((one) => one !== undefined), [5]);
    });
});

describe('processReferral: by its id', options, () => {
    it('pending until somebody has signed up', options, async () => {
        const referrer = await referrals.agent(), id = await invite(referrer, 'late@example.com');
        const { status, body } = await call(referrer, { referralId: id });
        assert.equal(status, 200);
        assert.deepEqual(body, {
            success: true, creditsAwarded: 0, alreadyProcessed: false, referralId: id,
            data: { success: false, creditsAwarded: 0, error: 'Referral is still pending' },
        });
        assert.equal(await balance(referrer), undefined);
    });

    it('by referrer, referred person and the service; to others it is not there', options, async () => {
        for (const who of ['referrer', 'user', 'service']) {
            const people = { referrer: await referrals.agent(), user: await referrals.agent() };
            const id = await invite(people.referrer, 'x@example.com', { referred_user_id: people.user });
            assertRefused(await call(await referrals.agent(), { referralId: id }), 404, 'referral_not_found');
            const ask = () => (who === 'service' ? asService({ referralId: id }) : call(people[who], { referralId: id }));
            assert.deepEqual((await ask()).body, rewarded(id), who);
            assert.deepEqual((await ask()).body, already(id), who);
            assert.equal(await balance(people.referrer), 5);
        }
        assertRefused(await asService({ referralId: MISSING }), 404, 'referral_not_found');
    });

    it('both forms at once: one reward', options, async () => {
        const referrer = await referrals.agent(), user = await referrals.agent();
        const id = await invite(referrer, 'x@example.com', { referred_user_id: user });
        const answers = await Promise.all(
            Array.from({ length: 12 }, (_, i) => call(user, i % 2 ? { referralId: id } : { referrerId: referrer })));
        assert.equal(answers.reduce((sum, { body }) => sum + body.creditsAwarded, 0), 5);
        assert.equal(await balance(referrer), 5);
    });

    it('a referrer at the largest balance: nothing changes', options, async () => {
        const referrer = await referrals.agent(), user = await referrals.agent();
        await giveCredits(referrals.database, referrer, 999999996);
        const id = await invite(referrer, 'x@example.com', { referred_user_id: user });
        assertRefused(await call(user, { referralId: id }), 409, 'balance_limit');
        assert.deepEqual((await stored(id)).slice(3), ['pending', false]);
    });
});

describe('processReferral: forms', options, () => {
    it('neither, both, or another new user than the caller', options, async () => {
        const id = await referrals.agent(), other = await referrals.agent();
        for (const body of [{}, { newUserId: id }, { referralId: MISSING, referrerId: other }])
            assertRefused(await call(id, body), 400, 'invalid_input', 'referralId');
        assertRefused(await call(id, { referrerId: other, newUserId: other }), 403, 'user_mismatch');
    });
});

refusals(referrals, 'processReferral', {
    mode: 'user_or_service',
    body: { referrerId: 'user_x' },
    wrong: {
        referralId: NOT.uuid,
        referrerId: [...NOT.text, 'x'.repeat(256)],
        newUserId: [...NOT.text, 'x'.repeat(256)],
        newUserEmail: [...NOT.text, 'nobody', 'a@b@c', `${'x'.repeat(320)}@example.com`],
    },
    untouched: ['referrals', 'credit_transactions'],
});
