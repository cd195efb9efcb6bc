/*
 * manageCredits (spec data.md): its examples, who may do what, keys, and balances under concurrency.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { assertLedgerAgrees, balanceOf, giveCredits, ledgerOf } from '../../support/credits.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const credits = suite({ functions: ['manageCredits'] });
const call = (id, body, more) => credits.call('manageCredits', id, body, more);
const asService = (body, more) => post(credits.host, 'manageCredits', { token: SERVICE_KEY, body, ...more });
const holder = async (balance, more) => {
    const id = await credits.agent();
    await giveCredits(credits.database, id, balance, more);
    return id;
};
const agrees = (id) => assertLedgerAgrees(credits.database, id);
const balance = (id) => balanceOf(credits.database, id);
const ledger = (id) => ledgerOf(credits.database, id);
const used = async (id) =>
    (await credits.database.row('SELECT credits_used FROM user_credits WHERE user_id = $1', [id])).credits_used;
const entry = (id) => credits.database.row('SELECT * FROM credit_transactions WHERE id = $1', [id]);

describe('manageCredits: examples', options, () => {
    it('deduct 15 of 40', options, async () => {
        const id = await holder(40);
        const { status, body } = await call(id, { operation: 'deduct', amount: 15 });
        assert.equal(status, 200);
        const { transactionId, ...rest } = body;
        assert.deepEqual(rest, { success: true, previousBalance: 40, newBalance: 25, amountChanged: -15, replayed: false });
        assert.deepEqual(await ledger(id), [['addition', 40, 40], ['deduction', -15, 25]]);
        assert.equal(await used(id), 15);
        const { description, metadata } = await entry(transactionId);
        assert.equal(description, 'deduct operation');
        assert.deepEqual(metadata, { operation: 'deduct', requested_amount: 15 });
    });

    it('a balance older than the ledger gets its opening row', options, async () => {
        const id = await holder(9, { ledger: false });
        assert.equal((await call(id, { operation: 'deduct', amount: 4 })).status, 200);
        assert.deepEqual(await ledger(id), [['opening_balance', 9, 9], ['deduction', -4, 5]]);
        await agrees(id);
    });

    it('deduct 4 of 3: 402 and nothing written', options, async () => {
        const id = await holder(3, { ledger: false });
        const { status, body } = await call(id, { operation: 'deduct', amount: 4 });
        assert.equal(status, 402);
        assert.deepEqual([body.error, body.code], ['Insufficient credits', 'insufficient_credits']);
        assert.deepEqual([body.currentBalance, body.required], [3, 4]);
        assert.deepEqual(await ledger(id), [], 'no opening row either');
        assert.equal(await balance(id), 3);
    });

    it('20 parallel deducts of 1 on balance 7', options, async () => {
        const id = await holder(7);
        const answers = await Promise.all(Array.from({ length: 20 }, () => call(id, { operation: 'deduct', amount: 1 })));
        const by = (status) => answers.filter((answer) => answer.status === status).length;
        assert.deepEqual([by(200), by(402)], [7, 13]);
        assert.equal(await balance(id), 0);
        await agrees(id);
    });
});

describe('manageCredits: concurrency', options, () => {
    it('64 clients deducting at once: as many succeed as the balance allows', options, async () => {
        const id = await holder(300, { ledger: false });
        const token = await mint(id);
        const client = async (n) => {
            const answers = [];
            for (let i = 0; i < 3; i++) {
                const body = { operation: 'deduct', amount: 1 + ((n + i) % 4) };
                answers.push(await post(credits.host, 'manageCredits', { token, body }));
            }
            return answers;
        };
        const answers = (await Promise.all(Array.from({ length: 64 }, (_, n) => client(n)))).flat();
        const done = answers.filter(({ status }) => status === 200).map(({ body }) => body);
        const refused = answers.filter(({ status }) => status === 402).map(({ body }) => body);
        assert.equal(done.length + refused.length, 192, 'nothing but 200 and 402');
        assert.ok(refused.length > 0, 'more was asked for than there was');
        for (const body of refused) assert.ok(body.currentBalance >= 0 && body.currentBalance < body.required);

        const taken = done.reduce((sum, body) => sum - body.amountChanged, 0);
        assert.equal(await balance(id), 300 - taken);
        assert.equal(await used(id), taken);
        assert.ok(await balance(id) < 4, 'who asked for one more would have got it');
        await agrees(id);

        const booked = await ledger(id);
        assert.deepEqual(booked[0], ['opening_balance', 300, 300]);
        assert.deepEqual(
            booked.slice(1).map(([, amount, after]) => [amount, after]),
            done.map((body) => [body.amountChanged, body.newBalance]).sort(([, a], [, b]) => b - a),
            'a row for each success, and what the client was told',
        );
    });

    it('one key at once from many: booked once, told to all', options, async () => {
        const id = await holder(50);
        const body = { operation: 'deduct', amount: 5, idempotencyKey: 'order-1' };
        const answers = await Promise.all(Array.from({ length: 16 }, () => call(id, body)));
        for (const { status, body: said } of answers) {
            assert.equal(status, 200);
            assert.deepEqual([said.previousBalance, said.newBalance, said.amountChanged], [50, 45, -5]);
        }
        assert.equal(answers.filter(({ body: said }) => !said.replayed).length, 1);
        assert.equal(new Set(answers.map(({ body: said }) => said.transactionId)).size, 1);
        assert.equal(await balance(id), 45);
    });

    it('grants to a person without a row, from many at once', options, async () => {
        const id = await credits.agent();
        await Promise.all(Array.from({ length: 12 }, () => asService({ operation: 'add', amount: 10, userId: id })));
        assert.equal(await balance(id), 120);
        await agrees(id);
    });
});

describe('manageCredits: operations', options, () => {
    it('get: balance and ledger, newest first', options, async () => {
        const id = await holder(40), other = await holder(7);
        await call(id, { operation: 'deduct', amount: 15, description: 'A picture', metadata: { page: 'studio' } });
        const { status, body } = await call(id, { operation: 'get' });
        assert.equal(status, 200);
        assert.deepEqual(Object.keys(body), ['success', 'balance', 'creditsUsed', 'lastResetAt', 'transactions']);
        assert.deepEqual([body.success, body.balance, body.creditsUsed], [true, 25, 15]);
        assert.ok(Date.parse(body.lastResetAt) > 0);
        const [newest, oldest] = body.transactions;
        assert.deepEqual(Object.keys(newest), ['id', 'type', 'amount', 'balanceAfter', 'description', 'createdAt']);
        assert.deepEqual(
            [newest.type, newest.amount, newest.balanceAfter, newest.description], ['deduction', -15, 25, 'A picture']);
        assert.deepEqual([oldest.type, oldest.amount], ['addition', 40]);
        assert.equal((await call(id, { operation: 'get', limit: 1, amount: 0 })).body.transactions.length, 1);
        assert.equal((await call(other, { operation: 'get' })).body.balance, 7);
        assert.equal((await asService({ operation: 'get', userId: other })).body.balance, 7);
    });

    it('get without any row', options, async () => {
        const expected = { success: true, balance: 0, creditsUsed: 0, lastResetAt: null, transactions: [] };
        assert.deepEqual((await call(await credits.agent(), { operation: 'get' })).body, expected);
        assert.deepEqual((await call('user_without_profile', { operation: 'get' })).body, expected);
        assertRefused(await asService({ operation: 'get', userId: 'user_nobody' }), 404, 'user_not_found');
    });

    it('add and set: an administrator for himself, the service for anybody, a user not', options, async () => {
        const id = await holder(10), admin = await credits.admin();
        await giveCredits(credits.database, admin, 100);
        for (const operation of ['add', 'set'])
            assertRefused(await call(id, { operation, amount: 5 }), 403, 'admin_required');
        assertRefused(await call(admin, { operation: 'add', amount: 5, userId: id }), 403, 'user_mismatch');
        assert.deepEqual(await ledger(id), [['addition', 10, 10]]);

        assert.equal((await call(admin, { operation: 'add', amount: 5 })).body.newBalance, 105);
        assert.equal((await call(admin, { operation: 'set', amount: 0 })).body.amountChanged, -105);
        assert.deepEqual((await ledger(admin)).slice(1), [['addition', 5, 105], ['deduction', -105, 0]]);
        assert.equal(await used(admin), 0, 'untouched by both');

        assert.equal((await asService({ operation: 'set', amount: 60, userId: id })).body.amountChanged, 50);
        assert.deepEqual((await ledger(id)).at(-1), ['addition', 50, 60]);
    });

    it('set to what it is: no ledger row', options, async () => {
        const id = await holder(10);
        const { status, body } = await asService({ operation: 'set', amount: 10, userId: id });
        assert.equal(status, 200);
        assert.deepEqual(
            [body.transactionId, body.amountChanged, body.newBalance, body.replayed], [null, 0, 10, false]);
        assert.equal((await ledger(id)).length, 1);
    });

    it('reserved metadata is the server\'s', options, async () => {
        const id = await holder(10);
        const metadata = { operation: 'add', requested_amount: -1, idempotency_key: 'roleplay/end/1', page: 'x' };
        const { body } = await call(id, { operation: 'deduct', amount: 2, metadata });
        assert.deepEqual((await entry(body.transactionId)).metadata, { page: 'x', operation: 'deduct', requested_amount: 2 });
    });
});

describe('manageCredits: keys and limits', options, () => {
    it('a key replays, by header or body, and refuses another amount', options, async () => {
        const id = await holder(20), order = { operation: 'deduct', amount: 5, idempotencyKey: 'k:1' };
        const first = (await call(id, order)).body;
        await call(id, { operation: 'deduct', amount: 1 });
        const again = await call(id, { operation: 'deduct', amount: 5 }, { headers: { 'idempotency-key': 'k:1' } });
        assert.deepEqual(again.body, { ...first, replayed: true });
        assertRefused(await call(id, { ...order, amount: 6 }), 409, 'idempotency_conflict');
        assertRefused(
            await call(id, order, { headers: { 'idempotency-key': 'k:2' } }), 400, 'invalid_input', 'idempotencyKey');
        assert.equal((await call(await holder(9), order)).body.replayed, false, "another user's key is another key");
        assert.equal(await balance(id), 14);
    });

    it('a balance is at most 1,000,000,000', options, async () => {
        const id = await holder(999500000);
        assertRefused(await asService({ operation: 'add', amount: 500001, userId: id }), 409, 'balance_limit');
        assert.equal((await asService({ operation: 'add', amount: 500000, userId: id })).body.newBalance, 1000000000);
        await agrees(id);
    });

    it('amounts at their bounds', options, async () => {
        const id = await holder(2000000);
        for (const amount of [0, 1000001, undefined, null])
            assertRefused(await call(id, { operation: 'deduct', amount }), 400, 'invalid_input', 'amount');
        assert.equal((await call(id, { operation: 'deduct', amount: 1000000 })).body.newBalance, 1000000);
        assert.equal((await call(id, { operation: 'deduct', amount: 1 })).body.newBalance, 999999);
        assertRefused(await asService({ operation: 'add', amount: 0, userId: id }), 400, 'invalid_input', 'amount');
    });

    it('unknown operations, and the service without a user or with one that is not there', options, async () => {
        const { status, body } = await call(await holder(1), { operation: 'transfer' });
        assert.deepEqual([status, body.code, body.error], [400, 'unknown_operation', 'Unknown operation: transfer']);
        assert.equal((await call(await holder(1), { operation: 'transfer', amount: 'x' })).body.code, 'unknown_operation');
        assertRefused(await asService({ operation: 'deduct', amount: 1 }), 400, 'invalid_input', 'userId');
        for (const operation of ['add', 'deduct', 'set'])
            assertRefused(await asService({ operation, amount: 1, userId: 'user_nobody' }), 404, 'user_not_found');
    });
});

refusals(credits, 'manageCredits', {
    mode: 'user_or_service',
    body: { operation: 'deduct', amount: 1 },
    required: ['operation'],
    wrong: {
        operation: NOT.text,
        amount: [...NOT.integer, -1],
        description: [...NOT.text, 'x'.repeat(501)],
        metadata: [...NOT.object, { text: 'x'.repeat(8192) }],
        idempotencyKey: [7, true, 'a/b', 'a b', 'x'.repeat(129)],
        limit: [...NOT.integer, 0, 101],
    },
    untouched: ['user_credits', 'credit_transactions'],
});
