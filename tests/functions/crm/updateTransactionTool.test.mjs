/*
 * updateTransactionTool (spec crm.md): its examples, what counts as changed, clearing, notes and the moment of closing.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SERVICE_KEY } from '../../support/host.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const SOME_ID = '11111111-2222-3333-4444-555555555555';

const deals = suite({ functions: ['updateTransactionTool'] });
const call = (id, body, more) => deals.call('updateTransactionTool', id, body, more);

async function deal(values = {}) {
    const user = await deals.agent();
    const row = { user_id: user, property_address: '1 Elm', transaction_type: 'buyer', client_name: 'Ann', status: 'pending', ...values };
    const names = Object.keys(row);
    const { id } = await deals.database.row(
        `INSERT INTO transactions (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING id`,
        Object.values(row),
    );
    return { user, id };
}
const stored = (id) =>
    deals.database.row('SELECT *, expected_close_date::text AS day, xmin::text AS version FROM transactions WHERE id = $1', [id]);
const changed = async ({ user, id }, body) => {
    const answer = await call(user, { transactionId: id, ...body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.body.data.transactionId, id);
    assert.equal(answer.body.data.message, 'Transaction updated successfully');
    return answer.body.data;
};

refusals(deals, 'updateTransactionTool', {
    mode: 'user_or_service',
    body: { transactionId: SOME_ID, status: 'active' },
    required: ['transactionId'],
    wrong: {
        transactionId: NOT.uuid,
        status: [...NOT.text, 'open'],
        expectedCloseDate: NOT.date,
        commissionAmount: [...NOT.number, -1, 1000000001],
        notes: [...NOT.text, 'a'.repeat(5001)],
        notesMode: [...NOT.text, 'prepend'],
    },
    untouched: ['transactions'],
});

describe('updateTransactionTool', options, () => {
    it('example 1: status and a note', options, async () => {
        const one = await deal({ notes: 'Called lender' });
        const data = await changed(one, { status: 'closed', notes: 'Signed' });
        assert.deepEqual([data.changed, data.status], [['status', 'notes'], 'closed']);
        const row = await stored(one.id);
        assert.equal(row.notes, 'Called lender\nSigned');
        assert.equal(row.status, 'closed');
        assert.ok(Math.abs(Date.parse(row.metadata.closed_at) - Date.now()) < 60000);
        assert.equal(data.transaction.notes, row.notes);
        assert.deepEqual(Object.keys(data.transaction).sort(), ['clientName', 'commissionAmount', 'createdAt', 'expectedCloseDate',
            'id', 'notes', 'propertyAddress', 'status', 'transactionType', 'updatedAt']);
    });

    it('example 2: null clears a date, a commission, the notes', options, async () => {
        const one = await deal({ expected_close_date: '2026-04-01', commission_amount: 5, notes: 'Old' });
        assert.deepEqual((await changed(one, { expectedCloseDate: null })).changed, ['expectedCloseDate']);
        let row = await stored(one.id);
        assert.deepEqual([row.day, row.commission_amount, row.notes], [null, '5', 'Old']);
        assert.deepEqual((await changed(one, { commissionAmount: null, notes: null })).changed, ['commissionAmount', 'notes']);
        row = await stored(one.id);
        assert.deepEqual([row.commission_amount, row.notes], [null, null]);
        assert.deepEqual((await changed(one, { notes: null })).changed, []);
    });

    it("example 3: another user's deal, and one that is not there", options, async () => {
        const one = await deal(), other = await deals.agent();
        const answer = await call(other, { transactionId: one.id, status: 'closed' });
        assertRefused(answer, 404, 'not_found');
        assert.equal(answer.body.success, false);
        assert.notEqual(answer.body.suggestion ?? '', '');
        assertRefused(await call(other, { transactionId: SOME_ID, status: 'closed' }), 404, 'not_found');
        assert.equal((await stored(one.id)).status, 'pending');
    });

    it('nothing to update', options, async () => {
        const one = await deal();
        for (const body of [{}, { notesMode: 'replace' }, { status: null }, { notes: '  ' }]) {
            const answer = await call(one.user, { transactionId: one.id, ...body });
            assertRefused(answer, 400, 'no_fields');
            assert.equal(answer.body.error, 'No fields to update');
        }
    });

    it('what is as it was is not written', options, async () => {
        const one = await deal({ status: 'active', expected_close_date: '2026-04-01', commission_amount: 12.5, notes: 'Old' });
        const before = await stored(one.id);
        const data = await changed(one, {
            status: 'ACTIVE', expectedCloseDate: '2026-04-01', commissionAmount: 12.5, notes: 'Old', notesMode: 'replace',
        });
        assert.deepEqual(data.changed, []);
        assert.equal((await stored(one.id)).version, before.version);
        assert.deepEqual(Object.keys(data.transaction).length, 10);
        const all = await changed(one, { notes: 'New', commissionAmount: 12.505, expectedCloseDate: '2026-04-02', status: 'Closed' });
        assert.deepEqual(all.changed, ['status', 'expectedCloseDate', 'commissionAmount', 'notes']);
        const row = await stored(one.id);
        assert.deepEqual([row.status, row.day, row.commission_amount, row.notes], ['closed', '2026-04-02', '12.51', 'Old\nNew']);
    });

    it('notes: added, replaced, as the first ones, and up to 20000 characters together', options, async () => {
        const one = await deal({ notes: '' });
        await changed(one, { notes: 'First' });
        assert.equal((await stored(one.id)).notes, 'First');
        await changed(one, { notes: 'Only', notesMode: 'replace' });
        assert.equal((await stored(one.id)).notes, 'Only');
        const long = await deal({ notes: 'ä'.repeat(14999) });
        assertRefused(await call(long.user, { transactionId: long.id, status: 'closed', notes: 'b'.repeat(5001 - 1 + 1) }), 400, 'invalid_input', 'notes');
        await changed(long, { notes: 'b'.repeat(5000) });
        assert.equal((await stored(long.id)).notes.length, 20000);
        const over = await call(long.user, { transactionId: long.id, status: 'closed', notes: 'c' });
        assertRefused(over, 400, 'invalid_input', 'notes');
        assert.equal((await stored(long.id)).status, 'pending', 'nothing of it was written');
        await changed(long, { status: 'active' });
    });

    it('closed_at comes with closed, stays with it, and goes with it', options, async () => {
        const one = await deal({ metadata: { mls: 'M1' } });
        await changed(one, { status: 'closed' });
        const { closed_at: at } = (await stored(one.id)).metadata;
        assert.ok(at);
        await changed(one, { status: 'closed', notes: 'More' });
        assert.deepEqual((await stored(one.id)).metadata, { mls: 'M1', closed_at: at });
        await changed(one, { status: 'active' });
        assert.deepEqual((await stored(one.id)).metadata, { mls: 'M1' });
    });

    it('notes added at the same time are all kept', options, async () => {
        const one = await deal();
        const words = Array.from({ length: 8 }, (_, i) => `note-${i}`);
        await Promise.all(words.map((notes) => changed(one, { notes })));
        assert.deepEqual((await stored(one.id)).notes.split('\n').sort(), words);
    });

    it('the service key acts for the user it names', options, async () => {
        const one = await deal(), other = await deals.agent();
        const { status } = await call(null, { userId: one.user, transactionId: one.id, status: 'active' }, { token: SERVICE_KEY });
        assert.equal(status, 200);
        assertRefused(await call(null, { userId: other, transactionId: one.id, status: 'closed' }, { token: SERVICE_KEY }), 404, 'not_found');
        assertRefused(await call(null, { userId: 'user_nobody', transactionId: one.id, status: 'closed' }, { token: SERVICE_KEY }), 404, 'user_not_found');
    });
});
