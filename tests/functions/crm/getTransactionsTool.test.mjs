/*
 * getTransactionsTool (spec crm.md): its examples, paging, filters and cursors.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SERVICE_KEY } from '../../support/host.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const deals = suite({ functions: ['getTransactionsTool'] });
const call = (id, body, more) => deals.call('getTransactionsTool', id, body, more);
const data = async (id, body, more) => {
    const answer = await call(id, body, more);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.body.success, true);
    return answer.body.data;
};

async function withDeals(hours) {
    const id = await deals.agent();
    for (const hour of hours)
        await deals.database.rows(
            `INSERT INTO transactions (user_id, property_address, transaction_type, client_name, created_at)
             VALUES ($1, $2, 'buyer', 'Ann Lee', $3)`,
            [id, `${hour}`, `2026-03-10T${hour}:00:00.123456Z`],
        );
    return id;
}

refusals(deals, 'getTransactionsTool', {
    mode: 'user_or_service',
    wrong: {
        status: [...NOT.text, 'open', 'closed,active'],
        limit: [...NOT.integer, 0, 101, -1],
        cursor: [...NOT.text, 'x', 'MTIz', Buffer.from('1 not-a-uuid').toString('base64url'), 'a'.repeat(201),
            Buffer.from('1 00000000-0000-0000-0000-00000000000\0').toString('base64url'),
            Buffer.from(' 00000000-0000-0000-0000-000000000000').toString('base64url')],
    },
});

describe('getTransactionsTool', options, () => {
    it('example 1: three rows, two a page', options, async () => {
        const id = await withDeals(['09', '10', '11']);
        const first = await data(id, { limit: 2 });
        assert.deepEqual(first.transactions.map((deal) => deal.propertyAddress), ['11', '10']);
        assert.deepEqual([first.count, first.total, typeof first.nextCursor], [2, 3, 'string']);
        const second = await data(id, { limit: 2, cursor: first.nextCursor });
        assert.deepEqual(second.transactions.map((deal) => deal.propertyAddress), ['09']);
        assert.deepEqual([second.count, second.total, second.nextCursor], [1, 3, null]);
        assert.equal((await data(id, { limit: 3 })).nextCursor, null, 'a page that is just full is the last');
    });

    it('example 2: no rows', options, async () => {
        const { message, ...rest } = await data(await deals.agent());
        assert.deepEqual(rest, { transactions: [], count: 0, total: 0, nextCursor: null });
        assert.equal(typeof message, 'string');
    });

    it('a row as it is shown', options, async () => {
        const id = await deals.agent();
        await deals.database.rows(
            `INSERT INTO transactions (user_id, property_address, transaction_type, client_name, status, expected_close_date,
             commission_amount, notes, created_at)
             VALUES ($1, '1 Elm', 'dual', 'Ann', 'under_contract', '2026-04-05', 1234.5, 'Note', '2026-03-10T12:00:00Z')`,
            [id],
        );
        const { transactions: [{ id: row, createdAt, updatedAt, ...shown }] } = await data(id);
        assert.match(row, /^[0-9a-f-]{36}$/);
        assert.equal(Date.parse(createdAt), Date.parse('2026-03-10T12:00:00Z'));
        assert.ok(Date.parse(updatedAt) > 0);
        assert.deepEqual(shown, {
            propertyAddress: '1 Elm', transactionType: 'dual', clientName: 'Ann', status: 'under_contract',
            expectedCloseDate: '2026-04-05', commissionAmount: 1234.5, notes: 'Note',
        });
    });

    it('by status in any case; the total follows the filter, not the cursor', options, async () => {
        const id = await withDeals(['08', '09', '10', '11']);
        await deals.database.rows(
            `UPDATE transactions SET status = 'under_contract' WHERE user_id = $1 AND property_address <> '10'`, [id]);
        const page = await data(id, { status: ' Under_Contract ', limit: 1 });
        assert.deepEqual([page.transactions[0].propertyAddress, page.total], ['11', 3]);
        const rest = await data(id, { status: 'UNDER_CONTRACT', cursor: page.nextCursor });
        assert.deepEqual(rest.transactions.map((deal) => deal.propertyAddress), ['09', '08']);
        assert.equal(rest.total, 3);
    });

    it('rows of one instant: every one once, whatever is added meanwhile', options, async () => {
        const id = await deals.agent();
        const add = (count) => deals.database.rows(
            `INSERT INTO transactions (user_id, property_address, transaction_type, created_at)
             SELECT $1, 'Row', 'buyer', '2026-03-10T12:00:00.000001Z' FROM generate_series(1, $2)`, [id, count]);
        await add(25);
        const seen = [];
        for (let cursor = null; cursor !== undefined;) {
            const page = await data(id, { limit: 10, cursor });
            seen.push(...page.transactions.map((deal) => deal.id));
            if (seen.length === 10)
                await deals.database.rows(
                    `INSERT INTO transactions (user_id, property_address, transaction_type) VALUES ($1, 'New', 'buyer')`, [id]);
            cursor = page.nextCursor ?? undefined;
        }
        assert.equal(seen.length, 25);
        assert.equal(new Set(seen).size, 25);
    });

    it("nobody else's rows; the service key reads for the user it names", options, async () => {
        const id = await withDeals(['09']), other = await withDeals(['10', '11']);
        assert.equal((await data(id)).total, 1);
        assert.equal((await data(null, { userId: other }, { token: SERVICE_KEY })).total, 2);
        assertRefused(await call(null, { userId: 'user_nobody' }, { token: SERVICE_KEY }), 404, 'user_not_found');
        assertRefused(await call(null, {}, { token: SERVICE_KEY }), 400, 'invalid_input', 'userId');
    });

    it('limit: 20 unless said, 1 and 100 at the bounds', options, async () => {
        const id = await deals.agent();
        await deals.database.rows(
            `INSERT INTO transactions (user_id, property_address, transaction_type)
             SELECT $1, 'Row', 'buyer' FROM generate_series(1, 101)`, [id]);
        assert.equal((await data(id)).count, 20);
        assert.equal((await data(id, { limit: 1 })).count, 1);
        assert.equal((await data(id, { limit: 100.0 })).count, 100);
    });
});
