/*
 * createTransactionTool (spec crm.md): its examples, limits, rounding, idempotency keys and duplicates.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SERVICE_KEY } from '../../support/host.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const deals = suite({ functions: ['createTransactionTool'] });
const call = (id, body, more) => deals.call('createTransactionTool', id, body, more);
const valid = { propertyAddress: '12 Oak Ave', transactionType: 'Buyer', clientName: 'Ann Lee' };
const rowsOf = (id) => deals.database.rows('SELECT * FROM transactions WHERE user_id = $1 ORDER BY created_at', [id]);

refusals(deals, 'createTransactionTool', {
    mode: 'user_or_service',
    body: valid,
    required: ['propertyAddress', 'transactionType', 'clientName'],
    wrong: {
        propertyAddress: [...NOT.text, '', '   ', 'a'.repeat(301)],
        transactionType: [...NOT.text, 'swap', ''],
        clientName: [...NOT.text, ' ', 'a'.repeat(201)],
        expectedCloseDate: NOT.date,
        commissionAmount: [...NOT.number, -0.01, 1000000000.01],
        notes: [...NOT.text, 'a'.repeat(5001)],
        idempotencyKey: [...NOT.text, 'a b', 'a/b', 'a'.repeat(129)],
    },
    untouched: ['transactions'],
});

describe('createTransactionTool', options, () => {
    it('example 1: a row, its commission rounded half up on the decimal text', options, async () => {
        const id = await deals.agent();
        const { status, body } = await call(id, { ...valid, commissionAmount: 8000.005 });
        assert.equal(status, 200);
        assert.equal(body.success, true);
        const { data } = body;
        assert.deepEqual(
            [data.propertyAddress, data.status, data.possibleDuplicateId, data.message, 'replayed' in data],
            ['12 Oak Ave', 'pending', null, 'Transaction created successfully', false],
        );
        const [row] = await rowsOf(id);
        assert.equal(row.id, data.transactionId);
        assert.equal(row.transaction_type, 'buyer');
        assert.equal(row.commission_amount, '8000.01');
        assert.equal(row.status, 'pending');
        assert.equal(row.metadata.created_by, 'vega_agent');
        assert.ok(Math.abs(Date.parse(row.metadata.created_at) - Date.now()) < 60000);
        assert.deepEqual(Object.keys(row.metadata).sort(), ['created_at', 'created_by']);
        const { createdAt, updatedAt, ...shown } = data.transaction;
        assert.deepEqual(shown, {
            id: row.id,
            propertyAddress: '12 Oak Ave',
            transactionType: 'buyer',
            clientName: 'Ann Lee',
            status: 'pending',
            expectedCloseDate: null,
            commissionAmount: 8000.01,
            notes: null,
        });
        assert.equal(Date.parse(createdAt), row.created_at.getTime());
        assert.equal(Date.parse(updatedAt), row.updated_at.getTime());
    });

    it('example 2: the same again without a key is a second row that names the first', options, async () => {
        const id = await deals.agent(), other = await deals.agent();
        await call(other, valid);
        const first = (await call(id, valid)).body.data;
        assert.equal(first.possibleDuplicateId, null, "not somebody else's");
        const second = (await call(id, { ...valid, propertyAddress: ' 12 OAK ave ' })).body.data;
        assert.equal(second.possibleDuplicateId, first.transactionId);
        assert.equal(second.propertyAddress, '12 OAK ave', 'trimmed, its case kept');
        const third = (await call(id, valid)).body.data;
        assert.equal(third.possibleDuplicateId, second.transactionId, 'the newest');
        assert.equal((await rowsOf(id)).length, 3);
        await deals.database.rows(
            `UPDATE transactions SET status = CASE id WHEN $2 THEN 'closed' ELSE 'cancelled' END WHERE user_id = $1`,
            [id, first.transactionId],
        );
        assert.equal((await call(id, valid)).body.data.possibleDuplicateId, null, 'closed and cancelled ones do not count');
    });

    it('example 3: an unknown type', options, async () => {
        assertRefused(await call(await deals.agent(), { ...valid, transactionType: 'swap' }), 400, 'invalid_input', 'transactionType');
    });

    it('limits at their bounds, types in any case, absent and null alike', options, async () => {
        const id = await deals.agent();
        const { status, body } = await call(id, {
            propertyAddress: 'ä'.repeat(300),
            transactionType: 'LISTING',
            clientName: 'b'.repeat(200),
            expectedCloseDate: '2028-02-29',
            commissionAmount: 1000000000,
            notes: 'n'.repeat(5000),
            idempotencyKey: null,
            extra: { ignored: true },
        });
        assert.equal(status, 200, JSON.stringify(body));
        const [row] = await deals.database.rows('SELECT *, expected_close_date::text AS day FROM transactions WHERE user_id = $1', [id]);
        assert.deepEqual([row.transaction_type, row.day, row.commission_amount], ['listing', '2028-02-29', '1000000000.00']);
        assert.equal(body.data.transaction.expectedCloseDate, '2028-02-29');
        for (const [given, kept] of [[0, '0.00'], [0.005, '0.01'], [1.005, '1.01'], [2.675, '2.68'], [1.0049999, '1.00'], [null, null]]) {
            const other = await deals.agent();
            await call(other, { ...valid, commissionAmount: given });
            assert.equal((await rowsOf(other))[0].commission_amount, kept, String(given));
        }
    });

    it('a key: one row, answered again; a header does as well', options, async () => {
        const id = await deals.agent(), other = await deals.agent();
        const keyed = { ...valid, idempotencyKey: 'deal-1' };
        const first = (await call(id, keyed)).body.data;
        const again = (await call(id, { ...valid }, { headers: { 'idempotency-key': 'deal-1' } })).body.data;
        assert.equal(again.replayed, true);
        assert.equal(again.transactionId, first.transactionId);
        assert.deepEqual(again.transaction, first.transaction);
        const [row] = await rowsOf(id);
        assert.equal(row.metadata.idempotency_key, 'deal-1');
        assert.notEqual((await call(other, keyed)).body.data.transactionId, first.transactionId, 'a key is its user’s');
        assert.equal((await rowsOf(id)).length, 1);
        assertRefused(
            await call(id, keyed, { headers: { 'idempotency-key': 'deal-2' } }), 400, 'invalid_input', 'idempotencyKey');
    });

    it('a key, eight calls at once: one row', options, async () => {
        const id = await deals.agent();
        const answers = await Promise.all(Array.from({ length: 8 }, () => call(id, { ...valid, idempotencyKey: 'once' })));
        assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(200));
        assert.equal(new Set(answers.map(({ body }) => body.data.transactionId)).size, 1);
        assert.equal(answers.filter(({ body }) => body.data.replayed !== true).length, 1);
        assert.equal((await rowsOf(id)).length, 1);
    });

    it('the service key acts for the user it names', options, async () => {
        const id = await deals.agent();
        const { status } = await call(null, { ...valid, userId: id }, { token: SERVICE_KEY });
        assert.equal(status, 200);
        assert.equal((await rowsOf(id)).length, 1);
        const unknown = await call(null, { ...valid, userId: 'user_nobody' }, { token: SERVICE_KEY });
        assertRefused(unknown, 404, 'user_not_found');
        assert.equal(unknown.body.success, false);
        assert.notEqual(unknown.body.suggestion, '');
        assertRefused(await call(null, valid, { token: SERVICE_KEY }), 400, 'invalid_input', 'userId');
        assertRefused(await call('user_without_profile', valid), 404, 'user_not_found');
    });
});
