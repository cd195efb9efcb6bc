/*
 * initiateRolePlayCall (spec events.md S8): its examples, the page's payment found, taken or given back. What it has in common
 * with initElevenLabsRolePlaySession is tested there.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { Stage } from '../../support/role_play.mjs';
import { options, suite } from '../../support/suite.mjs';

const s = suite({ functions: ['initiateRolePlayCall'], providers: { elevenlabs: { first_byte_timeout: '200ms' } } });
const elevenlabs = s.provider('elevenlabs');
const stage = new Stage(s);
const start = (user, scenario_id, more = {}) => s.call('initiateRolePlayCall', user, { scenario_id, scenario_name: 'as shown', ...more });

/* Ten credits taken by the page, some minutes ago; the id of the ledger's row. */
const paid = async (user, { minutes = 1, amount = -10, feature = 'Role-Play' } = {}) => {
    const [{ id }] = await s.database.rows(
        `INSERT INTO credit_transactions (user_id, transaction_type, amount, balance_after, metadata, created_at)
         VALUES ($1, 'deduction', $2, 90, $3, now() - make_interval(secs => $4)) RETURNING id`,
        [user, amount, { feature }, minutes * 60],
    );
    return id;
};

describe('initiateRolePlayCall: examples', options, () => {
    it('paid by the page a minute ago: credits stay', options, async () => {
        const user = await stage.trainee({ credits: 90 });
        const transaction = await paid(user);
        const { status, body } = await start(user, await stage.scenario());
        assert.equal(status, 200, JSON.stringify(body));
        assert.equal((await stage.credits(user)).available, 90);
        const row = await stage.session(body.sessionId);
        assert.deepEqual([row.metadata.prepaid_credits, row.metadata.prepaid_transaction_id], [10, transaction]);
        assert.equal((await stage.ledger(user)).length, 1);
    });

    it('ElevenLabs answers 500: 502, ten credits back', options, async () => {
        const user = await stage.trainee({ credits: 90 });
        await paid(user);
        await elevenlabs.order({ status: 500, body: {} });
        const answer = await start(user, await stage.scenario());
        assertRefused(answer, 502, 'voice_provider_failed');
        assert.equal(answer.body.success, false);
        assert.equal((await stage.credits(user)).available, 100);
        const [row] = await stage.sessions(user);
        const { type, amount, metadata } = (await stage.ledger(user)).at(-1);
        assert.deepEqual([type, amount, metadata.session_id, metadata.idempotency_key], ['refund', 10, row.id, `roleplay/refund/${row.id}`]);
    });

    it('not paid, twelve credits: ten are taken here', options, async () => {
        const user = await stage.trainee({ credits: 12 });
        const { body } = await start(user, await stage.scenario());
        assert.deepEqual(await stage.credits(user), { available: 2, used: 10 });
        const { type, amount, balance_after, metadata } = (await stage.ledger(user)).at(-1);
        assert.deepEqual(
            [type, amount, balance_after, metadata.feature, metadata.session_id, metadata.idempotency_key],
            ['debit', -10, 2, 'Role-Play', body.sessionId, `roleplay/start/${body.sessionId}`],
        );
        assert.equal((await stage.session(body.sessionId)).metadata.prepaid_credits, 10);
    });

    it('not paid, nine credits: 402, no row, no call', options, async () => {
        const user = await stage.trainee({ credits: 9 });
        assertRefused(await start(user, await stage.scenario()), 402, 'insufficient_credits');
        assert.deepEqual([await stage.sessions(user), await elevenlabs.requests(), await stage.ledger(user)], [[], [], []]);
        assert.deepEqual(await stage.credits(user), { available: 9, used: 0 });
    });
});

describe('initiateRolePlayCall: payments', options, () => {
    for (const [name, row] of [
        ['ten minutes ago', { minutes: 10.05 }],
        ['of eleven', { amount: -11 }],
        ['given', { amount: 10 }],
        ['for something else', { feature: 'Images' }],
    ])
        it(`a payment ${name} is none`, options, async () => {
            const user = await stage.trainee({ credits: 50 });
            await paid(user, row);
            assert.equal((await start(user, await stage.scenario())).status, 200);
            assert.equal((await stage.credits(user)).available, 40);
        });

    it('a payment counts once; the newest first; other people\'s not', options, async () => {
        const [user, other, scenario] = [await stage.trainee({ credits: 50 }), await stage.trainee({ credits: 50 }), await stage.scenario()];
        const older = await paid(user, { minutes: 5 });
        const newer = await paid(user, { minutes: 1 });
        const next = async (id) => {
            await s.database.rows(`UPDATE role_play_session_logs SET status = 'completed' WHERE user_id = $1`, [id]);
            const { body } = await start(id, scenario);
            return (await stage.session(body.sessionId)).metadata.prepaid_transaction_id;
        };
        assert.deepEqual([await next(user), await next(user)], [newer, older]);
        assert.equal((await stage.credits(user)).available, 50);
        await next(user);
        assert.equal((await stage.credits(user)).available, 40);
        await next(other);
        assert.equal((await stage.credits(other)).available, 40);
    });

    it('paid tiers are never charged', options, async () => {
        const user = await stage.trainee({ subscription_tier: 'Subscriber', credits: 50 });
        await paid(user);
        const { body } = await start(user, await stage.scenario());
        const row = await stage.session(body.sessionId);
        assert.deepEqual([row.metadata.prepaid_credits, row.metadata.prepaid_transaction_id], [0, undefined]);
        assert.equal((await stage.credits(user)).available, 50);
    });

    it('eight at once, paid once: one call, one payment', options, async () => {
        const [user, scenario] = [await stage.trainee({ credits: 12 }), await stage.scenario()];
        const answers = await Promise.all(Array.from({ length: 8 }, () => start(user, scenario)));
        assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(7).fill(409)]);
        assert.equal((await stage.credits(user)).available, 2);
        assert.equal((await elevenlabs.requests()).length, 1);
    });

    it('charged here and failed: all of it is back, and the next start is charged anew', options, async () => {
        const [user, scenario] = [await stage.trainee({ credits: 12 }), await stage.scenario()];
        await elevenlabs.order({ status: 422, body: {} });
        assertRefused(await start(user, scenario), 422, 'call_rejected');
        assert.deepEqual(await stage.credits(user), { available: 12, used: 0 });
        assert.equal((await start(user, scenario)).status, 200);
        assert.deepEqual(await stage.credits(user), { available: 2, used: 10 });
    });

    it('no answer in time: 504, nothing is given back yet', options, async () => {
        const user = await stage.trainee({ credits: 12 });
        await elevenlabs.order({ delayMs: 5000 });
        assertRefused(await start(user, await stage.scenario()), 504, 'voice_provider_timeout');
        assert.equal((await stage.credits(user)).available, 2);
        assert.equal((await stage.sessions(user))[0].status, 'pending_initiation');
    });
});

describe('initiateRolePlayCall: what the page sends', options, () => {
    it('user_id is the caller\'s or nobody\'s', options, async () => {
        const [user, scenario] = [await stage.trainee({ credits: 50 }), await stage.scenario()];
        assertRefused(await start(user, scenario, { user_id: 'user_other' }), 403, 'user_mismatch');
        assert.equal((await start(user, scenario, { user_id: user })).status, 200);
    });

    it('user_phone is the profile\'s number, or no number at all', options, async () => {
        const scenario = await stage.scenario();
        for (const [user_phone, status] of [['+1 512 555 0101', 200], ['5125550101', 200], ['12', 200], ['', 200], ['5125550102', 403]]) {
            const answer = await start(await stage.trainee({ credits: 50 }), scenario, { user_phone });
            assert.equal(answer.status, status, JSON.stringify(answer.body));
            if (status === 403) assertRefused(answer, 403, 'phone_mismatch');
        }
        assertRefused(await start(await stage.trainee({ credits: 50, phone: null }), scenario, { user_phone: '5125550101' }), 422, 'phone_required');
    });

    it('scenarioId is another name of scenario_id', options, async () => {
        const user = await stage.trainee({ credits: 50 });
        assert.equal((await start(user, undefined, { scenarioId: await stage.scenario() })).status, 200);
    });

    it('an idempotency key: one call, one payment', options, async () => {
        const [user, scenario] = [await stage.trainee({ credits: 50 }), await stage.scenario()];
        const answers = await Promise.all(Array.from({ length: 6 }, () => start(user, scenario, { idempotencyKey: 'click' })));
        assert.deepEqual(answers.map(({ status }) => status), Array(6).fill(200));
        assert.equal(new Set(answers.map(({ body }) => body.sessionId)).size, 1);
        assert.equal((await stage.credits(user)).available, 40);
    });
});

refusals(s, 'initiateRolePlayCall', {
    body: { scenario_id: '00000000-0000-4000-8000-000000000001' },
    required: ['scenario_id'],
    wrong: { scenario_id: NOT.uuid, user_phone: [...NOT.text, '1'.repeat(65)], idempotencyKey: [7, 'a b', 'k'.repeat(129)] },
    untouched: ['role_play_session_logs', 'credit_transactions'],
});
