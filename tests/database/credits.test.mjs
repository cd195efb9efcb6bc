/* Money: the ledger always sums to the balance, whoever races and whatever is repeated. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { connect, database } from './support.mjs';

let db;
let users = 0;
before(async () => {
    db = await database();
});
after(() => db.drop());

const rows = async (text, values) => (await db.owner.query(text, values)).rows;

/* A new user; with a balance there is a balance row without ledger, as from before the ledger existed. */
async function newUser(balance) {
    const id = `user_${++users}`;
    await rows('INSERT INTO public.profiles (id) VALUES ($1)', [id]);
    if (balance !== undefined)
        await rows('INSERT INTO public.user_credits (user_id, credits_available) VALUES ($1, $2)', [id, balance]);
    return id;
}

const spend = async (id, amount, more = {}, client = db.owner) =>
    (
        await client.query(
            `SELECT * FROM spend_credits($1, $2, _transaction_type => $3, _description => $4, _metadata => $5,
                _idempotency_key => $6, _allow_partial => $7)`,
            [id, amount, more.type, more.description, more.metadata ?? {}, more.key, more.partial ?? false],
        )
    ).rows[0];

const grant = async (id, amount, more = {}) =>
    (
        await rows(
            `SELECT * FROM grant_credits($1, $2, _transaction_type => $3, _description => $4, _metadata => $5,
                _idempotency_key => $6, _operation => $7)`,
            [id, amount, more.type, more.description, more.metadata ?? {}, more.key, more.operation ?? 'add'],
        )
    )[0];

const ledger = (id) =>
    rows(
        `SELECT transaction_type AS type, amount, balance_after AS after
         FROM public.credit_transactions
         WHERE user_id = $1
         ORDER BY created_at, id`,
        [id],
    );

async function balanced(id) {
    const [state] = await rows(
        `SELECT
            c.credits_available AS balance,
            c.credits_used AS used,
            (SELECT sum(amount)::integer FROM public.credit_transactions WHERE user_id = $1) AS total,
            (SELECT balance_after FROM public.credit_transactions WHERE user_id = $1 ORDER BY created_at DESC LIMIT 1) AS newest
         FROM public.user_credits AS c
         WHERE c.user_id = $1`,
        [id],
    );
    assert.equal(state.total, state.balance);
    assert.equal(state.newest, state.balance);
    return state;
}

test('deduct: an opening row first, then the signed amount; used grows', async () => {
    const id = await newUser(9);
    const result = await spend(id, 4);
    assert.deepEqual(
        { ...result, transaction_id: null },
        { outcome: 'ok', previous_balance: 9, new_balance: 5, amount_changed: -4, transaction_id: null, replayed: false },
    );
    assert.deepEqual(await ledger(id), [
        { type: 'opening_balance', amount: 9, after: 9 },
        { type: 'deduction', amount: -4, after: 5 },
    ]);
    assert.equal((await balanced(id)).used, 4);
});

test('deduct: too little is an outcome, and nothing is written', async () => {
    const id = await newUser(3);
    assert.equal((await spend(id, 4)).outcome, 'insufficient_credits');
    assert.deepEqual(await ledger(id), []);
    const without = await newUser();
    assert.equal((await spend(without, 1)).outcome, 'insufficient_credits');
    assert.deepEqual(await rows('SELECT FROM public.user_credits WHERE user_id = $1', [without]), []);
});

test('partial: takes what there is and says what was missing', async () => {
    const id = await newUser();
    await grant(id, 2);
    const result = await spend(id, 3, { partial: true, metadata: { minutes: 3 } });
    assert.equal(result.amount_changed, -2);
    const [row] = await rows('SELECT metadata FROM public.credit_transactions WHERE id = $1', [result.transaction_id]);
    assert.deepEqual(row.metadata, { minutes: 3, operation: 'collect', requested_amount: 3, uncollected: 1 });
    const empty = await spend(id, 3, { partial: true });
    assert.deepEqual([empty.outcome, empty.amount_changed, empty.transaction_id], ['ok', 0, null]);
    await balanced(id);
});

test('add, set, adjust, refund', async () => {
    const id = await newUser();
    assert.equal((await grant(id, 40)).new_balance, 40);
    assert.equal((await grant(id, 15, { operation: 'set' })).amount_changed, -25);
    assert.equal((await grant(id, 15, { operation: 'set' })).transaction_id, null);
    assert.equal((await grant(id, -45, { operation: 'adjust' })).new_balance, 0);
    assert.equal((await grant(id, 12, { operation: 'adjust' })).new_balance, 12);
    await spend(id, 10, { type: 'debit' });
    assert.equal((await grant(id, 10, { operation: 'refund' })).new_balance, 12);
    assert.equal((await balanced(id)).used, 0);
    assert.deepEqual((await ledger(id)).map((row) => [row.type, row.amount]), [
        ['addition', 40], ['deduction', -25], ['debit', -15], ['credit', 12], ['debit', -10], ['refund', 10],
    ]);
});

test('a key books once; other values under it are a conflict; client metadata cannot fake one', async () => {
    const id = await newUser(50);
    const first = await spend(id, 10, { key: 'roleplay/start/1', metadata: { idempotency_key: 'faked', operation: 'x' } });
    const again = await spend(id, 10, { key: 'roleplay/start/1' });
    assert.deepEqual(again, { ...first, replayed: true });
    assert.equal((await spend(id, 11, { key: 'roleplay/start/1' })).outcome, 'idempotency_conflict');
    assert.equal((await grant(id, 10, { key: 'roleplay/start/1' })).outcome, 'idempotency_conflict');
    await spend(id, 1, { metadata: { idempotency_key: 'faked' } });
    assert.equal((await spend(id, 2, { key: 'faked' })).replayed, false);
    assert.equal((await balanced(id)).balance, 37);
});

test('a replay works after the balance was spent', async () => {
    const id = await newUser(10);
    await spend(id, 10, { key: 'k' });
    assert.deepEqual((await spend(id, 10, { key: 'k' })).outcome, 'ok');
});

test('limits: unknown user, balance limit, senseless amounts', async () => {
    assert.equal((await spend('nobody', 1)).outcome, 'user_not_found');
    assert.equal((await grant('nobody', 1)).outcome, 'user_not_found');
    const id = await newUser();
    await grant(id, 1_000_000_000);
    assert.equal((await grant(id, 1)).outcome, 'balance_limit');
    for (const amount of [0, -1, null]) await assert.rejects(spend(id, amount), { code: '22023' });
    await assert.rejects(grant(id, 0, { operation: 'adjust' }), { code: '22023' });
    await assert.rejects(grant(id, 1, { operation: 'steal' }), { code: '22023' });
    await balanced(id);
});

test('the ledger keeps its order when the clock was set back', async () => {
    const id = await newUser();
    await rows(
        `INSERT INTO public.credit_transactions (user_id, transaction_type, amount, balance_after, created_at)
         VALUES ($1, 'addition', 5, 5, now() + interval '1 hour')`,
        [id],
    );
    await rows('INSERT INTO public.user_credits (user_id, credits_available) VALUES ($1, 5)', [id]);
    await spend(id, 2);
    assert.equal((await balanced(id)).newest, 3);
});

async function atOnce(count, work) {
    const clients = await Promise.all(Array.from({ length: count }, () => connect(db.name, 'edge_runtime')));
    try {
        for (const client of clients) await client.query('SET ROLE service_role');
        return await Promise.all(clients.map((client, index) => work(client, index)));
    } finally {
        /* A server allows 100 connections unless told otherwise. */
        await Promise.all(clients.map((client) => client.end()));
    }
}

test('64 concurrent spenders, grants in between: exactly what is there is spent', async () => {
    const id = await newUser(100);
    const results = await atOnce(64, async (client, index) => {
        const outcomes = [];
        for (let round = 0; round < 10; round++) {
            outcomes.push((await spend(id, 1 + ((index + round) % 3), {}, client)).outcome);
            if (index % 16 === 0 && round === 5)
                await client.query('SELECT grant_credits($1, 7, _idempotency_key => $2)', [id, `grant/${index}`]);
        }
        return outcomes;
    });
    const { balance, used } = await balanced(id);
    assert.equal(balance + used, 100 + 4 * 7);
    assert.ok(balance >= 0);
    assert.ok(results.flat().every((outcome) => ['ok', 'insufficient_credits'].includes(outcome)));
    const negative = await rows('SELECT FROM public.credit_transactions WHERE user_id = $1 AND balance_after < 0', [id]);
    assert.equal(negative.length, 0);
});

test('64 repetitions of one key at once book once', async () => {
    const id = await newUser(100);
    const results = await atOnce(64, (client) => spend(id, 10, { key: 'same' }, client));
    assert.equal(results.filter((result) => !result.replayed).length, 1);
    assert.equal(new Set(results.map((result) => result.transaction_id)).size, 1);
    assert.equal((await balanced(id)).balance, 90);
});

test('64 first grants to a user without any row', async () => {
    const id = await newUser();
    await atOnce(64, (client) => client.query('SELECT grant_credits($1, 1)', [id]));
    assert.equal((await balanced(id)).balance, 64);
});
