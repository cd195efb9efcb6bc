/*
 * listSkySlopeTransactionsTool (spec crm.md): its examples, filter and cursor at their bounds, and what SkySlope may fail at.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { connect, done, limits, providerFailures } from '../../support/crm.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'listSkySlopeTransactionsTool';
const files = suite({ functions: [NAME], env: limits });
const sky = files.provider('skyslope');
const call = (id, body) => files.call(NAME, id, body);

async function agent() {
    const id = await files.agent();
    await connect(files, id, 'skyslope', { access_key: 'ak-1', access_secret: 'as-1' });
    return id;
}

const page = (count, pending = []) => ({ body: { value: { sales: Array.from({ length: count }, (_, i) =>
    ({ saleGuid: `guid-${i}`, status: pending.includes(i) ? 'Pending' : 'Closed' })) } } });

/* The answer when SkySlope has these pages. */
async function list(pages, body) {
    const id = await agent();
    await sky.reset();
    await sky.order({}, ...pages);
    const data = await done(call(id, body));
    const calls = (await sky.requests()).slice(1);
    return { ...data, ids: data.transactions.map(({ transactionId }) => transactionId), calls };
}

refusals(files, NAME, {
    mode: 'user_or_service',
    wrong: {
        status: [...NOT.text, 'a'.repeat(51)],
        limit: [...NOT.integer, 0, 101],
        fileType: [...NOT.text, 'buyer'],
        cursor: [...NOT.text, '1', '1:10', ':0', '1:', '0:0', '10000:0', 'a:0', '1:0 x', '-1:0'],
    },
});

describe(NAME, options, () => {
    it('example 1: a filter over two pages, and with a limit', options, async () => {
        const all = await list([page(10, [2, 5]), page(3, [0])], { status: 'pending' });
        assert.deepEqual([all.ids, all.count, all.nextCursor, all.calls.length], [['guid-2', 'guid-5', 'guid-0'], 3, null, 2]);
        const two = await list([page(10, [2, 5])], { status: 'pending', limit: 2 });
        assert.deepEqual([two.ids, two.nextCursor, two.calls.length], [['guid-2', 'guid-5'], '1:6', 1]);
        const rest = await list([page(10, [2, 5, 7]), page(3, [0])], { status: 'PENDING', cursor: '1:6' });
        assert.deepEqual(rest.ids, ['guid-7', 'guid-0']);
    });

    it('example 2: an empty first page', options, async () => {
        const { transactions, count, nextCursor } = await list([page(0)], {});
        assert.deepEqual({ transactions, count, nextCursor }, { transactions: [], count: 0, nextCursor: null });
    });

    it('a row as it is shown, and what was asked', options, async () => {
        const row = { saleGuid: 'g', status: 'Closed', mlsNumber: 'M1', escrowClosingDate: '2026-01-01', actualClosingDate: '2026-01-02',
            link: 'https://example.com/g', propertyAddress: '1 Elm', other: 1 };
        const data = await list([{ body: { value: { sales: [row, {}] } } }], {});
        const { saleGuid, other, ...shown } = row;
        assert.deepEqual(data.transactions[0], { transactionId: 'g', fileType: 'sale', ...shown });
        assert.deepEqual(data.transactions[1], { transactionId: null, fileType: 'sale', propertyAddress: null, status: null,
            mlsNumber: null, escrowClosingDate: null, actualClosingDate: null, link: null });
        assert.equal(data.calls[0].path, '/api/files/sales');
    });

    it('limits at the bounds of pages', options, async () => {
        assert.equal((await list([page(10)], { limit: 10 })).nextCursor, '2:0', 'row 10 is the next page’s row 0');
        assert.equal((await list([page(9)], { limit: 9 })).nextCursor, null, 'a short page is the end');
        assert.equal((await list([page(9)], { limit: 8 })).nextCursor, '1:8');
        assert.equal((await list([page(10), page(0)], { limit: 11 })).nextCursor, null);
        assert.equal((await list([page(3)], { cursor: '1:9' })).count, 0);
        assert.equal((await list([page(10)], { limit: 10, cursor: '1000:0' })).nextCursor, null, 'page 1000 is the last');
        assert.equal((await list([], { cursor: '1001:0' })).calls.length, 0);
    });

    it('twenty pages a call, then a cursor', options, async () => {
        const { calls, nextCursor, count } = await list(Array(20).fill(page(10)), { status: 'none of them', cursor: '3:4' });
        assert.deepEqual([calls.length, nextCursor, count], [20, '23:0', 0]);
    });

    it('all files of the stand-in, cursor by cursor, each once', options, async () => {
        const id = await agent(), seen = [];
        for (let cursor = '1:0'; cursor;) {
            const data = await done(call(id, { limit: 7, cursor }));
            seen.push(...data.transactions.map(({ transactionId }) => transactionId));
            cursor = data.nextCursor;
        }
        assert.deepEqual([seen.length, new Set(seen).size], [23, 23]);
        const listings = await done(call(id, { fileType: 'listing' }));
        assert.deepEqual([listings.count, listings.transactions[0].fileType], [4, 'listing']);
    });

    it('no connection; a failure on a later page', options, async () => {
        assertRefused(await call(await files.agent(), {}), 409, 'not_connected');
        const id = await agent();
        await sky.order({}, page(10), { status: 500, body: {} });
        assertRefused(await call(id, {}), 502, 'provider_error');
    });
});

providerFailures(files, NAME, {
    provider: 'skyslope', body: {}, prefix: 'Failed to list transactions', agent, before: [{}], audited: false, secret: 'as-1',
});
