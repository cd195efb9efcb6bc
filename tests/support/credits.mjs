/*
 * Balances and the ledger that each has to agree with.
 */
import assert from 'node:assert/strict';

/* Gives a person a balance, with a ledger row of the same amount unless ledger is false. */
export async function giveCredits(database, id, balance, { ledger = true } = {}) {
    await database.rows('INSERT INTO user_credits (user_id, credits_available, credits_used) VALUES ($1, $2, 0)', [id, balance]);
    if (ledger)
        await database.rows(
            `INSERT INTO credit_transactions (user_id, transaction_type, amount, balance_after, created_at)
             VALUES ($1, 'addition', $2, $2, now() - interval '1 hour')`,
            [id, balance],
        );
}

export const balanceOf = async (database, id) =>
    (await database.row('SELECT credits_available AS balance FROM user_credits WHERE user_id = $1', [id]))?.balance;

/* Ledger rows, oldest first, as [type, amount, balance_after]. */
export const ledgerOf = async (database, id) =>
    (
        await database.rows('SELECT transaction_type, amount, balance_after FROM credit_transactions WHERE user_id = $1 ORDER BY created_at, id', [id])
    ).map((row) => [row.transaction_type, row.amount, row.balance_after]);

/* The invariant: the ledger sums to the balance, and its newest row says it. */
export async function assertLedgerAgrees(database, id) {
    const ledger = await ledgerOf(database, id), balance = await balanceOf(database, id);
    assert.equal(ledger.reduce((sum, [, amount]) => sum + amount, 0), balance, 'sum of the ledger');
    assert.equal(ledger.at(-1)?.[2], balance, 'newest row');
}
