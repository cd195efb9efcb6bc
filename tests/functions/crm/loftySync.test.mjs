/*
 * loftySync (spec crm.md): its examples, and how Lofty's rows become ours.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { eventually } from '../../support/host.mjs';
import { loftySuite } from '../../support/lofty.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options } from '../../support/suite.mjs';

const { syncs, lofty, call, agent, synced, contactsOf, dealsOf, leads, deals, stateOf } = loftySuite();

refusals(syncs, 'loftySync', {
    mode: 'user_or_service',
    wrong: {
        action: [...NOT.text, 'import'],
        syncType: [...NOT.text, 'leads'],
        fullSync: NOT.boolean,
        resume: NOT.boolean,
        dryRun: NOT.boolean,
        maxRecords: [...NOT.integer, 0, 100001],
        data: NOT.object,
    },
    untouched: ['contacts', 'transactions'],
});

describe('loftySync: examples', options, () => {
    it('1: transactions, one known and one new', options, async () => {
        const id = await agent();
        await syncs.database.rows(
            `INSERT INTO transactions (user_id, transaction_type, notes, metadata)
             VALUES ($1, 'other', 'Ours', '{"lofty_id":"10001","mls_number":"M1"}')`, [id]);
        await lofty.order(deals([
            { transactionId: 10001, transactionStatus: 'Closed', transactionType: 'Purchase', gci: 5000, expectedCloseDate: 1767225600000 },
            { transactionId: 10002, transactionStatus: 'Under Contract', transactionType: 'Listing', homePrice: 400000, commissionRate: 2.5 },
        ]));
        const body = await synced(id, { syncType: 'transactions' });
        assert.deepEqual([body.created, body.updated, body.syncedCount, body.complete, body.resumable], [1, 1, 2, true, false]);
        assert.equal(body.message, 'Synced 2 records from Lofty');
        const [first, second] = await dealsOf(id);
        assert.deepEqual([first.status, first.transaction_type, first.commission_amount, first.day, first.notes], ['closed', 'buyer', '5000', '2026-01-01', 'Ours']);
        assert.equal(first.metadata.mls_number, 'M1');
        assert.deepEqual([second.status, second.transaction_type, second.commission_amount], ['under_contract', 'seller', '10000.00']);
        assert.deepEqual(second.metadata, { lofty_id: '10002', source: 'lofty', lofty_status: 'Under Contract', lofty_lead_id: null,
            sale_price: 400000, close_date: null, lofty_updated_at: null });
    });

    it('2: what was not changed since the last whole run is not written', options, async () => {
        const id = await agent('lk-1', { sync: { transactions: { last_completed_at: '2026-01-10T00:00:00Z', cursor: null } } });
        const deal = (transactionId, day) => ({ transactionId, updated: Date.parse(day) });
        const page = deals([deal(1, '2026-01-01T00:00:00Z'), deal(2, '2026-01-15T00:00:00Z'), deal(3, '2026-01-09T23:55:00Z'),
            deal(4, '2026-01-09T23:55:00.001Z'), { transactionId: 5 }]);
        await lofty.order(page, page);
        const body = await synced(id, { syncType: 'transactions' });
        assert.deepEqual([body.created, body.skipped], [3, 2]);
        assert.deepEqual((await dealsOf(id)).map(({ metadata }) => metadata.lofty_id), ['2', '4', '5']);
        const full = await synced(id, { syncType: 'transactions', fullSync: true });
        assert.deepEqual([full.created, full.updated, full.skipped], [2, 3, 0]);
    });

    it('3: two pages of leads by scroll id', options, async () => {
        const id = await agent();
        await lofty.order(leads([{ leadId: 1 }, { leadId: 2 }], { total: 3, scrollId: 's 1' }),
            { body: { get_metadata: { total: 3 }, leads: [{ leadId: 3 }] } });
        const body = await synced(id);
        assert.deepEqual([body.sections.contacts.fetched, body.sections.contacts.total, body.created], [3, 3, 3]);
        const requests = await lofty.requests();
        assert.equal(requests.length, 2);
        assert.equal(requests[0].headers.authorization, 'token lk-1');
        assert.equal(requests[0].headers['user-agent'], 'PulseEdge/1.0');
        assert.equal(requests[0].headers['content-type'], undefined);
        if (requests[1].query) assert.match(JSON.stringify(requests[1].query), /s 1|s%201/);
    });

    it('4: two at once: the second is told who runs', options, async () => {
        const id = await agent();
        await lofty.order({ delayMs: 500 });
        const first = call(id);
        const { lease } = await eventually(async () => (await stateOf(id)).sync, 'the lease');
        const second = await call(id);
        assertRefused(second, 409, 'sync_in_progress');
        assert.equal(second.body.runId, lease.run_id);
        assert.equal(second.body.success, false);
        assert.equal((await call(id, { action: 'status' })).body.running, true);
        assert.equal((await first).body.runId, lease.run_id);
        assert.equal((await call(id, { action: 'status' })).body.running, false);
    });
});

describe('loftySync: rows', options, () => {
    it('a lead as a contact', options, async () => {
        const id = await agent();
        await lofty.order(leads([
            { leadId: 563172647619608, firstName: ' Ann', lastName: 'Lee ', emails: [' Ann@Example.COM ', 'b@c.d'], phones: ['+1 512', 'x'],
                stage: 'Nurture', lastUpdateTime: 1767225600000, tags: [{ tagName: 'buyer' }, { tagId: 1 }], customAttributes: { a: 1 },
                source: 'Website', assignedUserId: 771, score: 12.5 },
            { leadId: '2', emails: ['no address'], phones: [{ number: '555' }], lastUpdateTime: '2026-01-02 03:04:05' },
            { leadId: 3, emails: ['a@b.c'], phones: [{ phone: '556' }], lastUpdateTime: '2026-01-02T03:04:05GMT' },
            { leadId: 4, emails: [], phones: null, lastUpdateTime: 'yesterday', stage: ' ' },
            { firstName: 'No id' },
        ]));
        const body = await synced(id);
        assert.deepEqual([body.created, body.errorCount, body.errors], [4, 1, ['contact without id']]);
        const byId = Object.fromEntries((await contactsOf(id)).map((row) => [row.external_id, row]));
        const one = byId['563172647619608'];
        assert.deepEqual([one.source, one.name, one.email, one.phone, one.status], ['lofty', 'Ann Lee', 'ann@example.com', '+1 512', 'Nurture']);
        assert.equal(one.source_updated_at.toISOString(), '2026-01-01T00:00:00.000Z');
        assert.deepEqual(one.metadata, { lofty_id: '563172647619608', tags: ['buyer'], custom_fields: { a: 1 }, lead_source: 'Website',
            assigned_user_id: '771', score: 12.5 });
        assert.deepEqual([byId[2].name, byId[2].email, byId[2].phone, byId[2].status], ['555', null, '555', 'lead']);
        assert.equal(byId[2].source_updated_at.toISOString(), '2026-01-02T03:04:05.000Z');
        assert.deepEqual([byId[3].name, byId[3].phone, byId[3].source_updated_at.toISOString()], ['a@b.c', '556', '2026-01-02T03:04:05.000Z']);
        assert.deepEqual([byId[4].name, byId[4].source_updated_at, byId[4].metadata.custom_fields, byId[4].status], ['Unknown', null, null, 'lead']);
    });

    it('statuses, types, dates and commissions of transactions', options, async () => {
        const id = await agent();
        const statuses = { Closed: 'closed', SETTLED: 'closed', Won: 'closed', Cancelled: 'cancelled', Terminated: 'cancelled',
            Withdrawn: 'cancelled', Expired: 'cancelled', Lost: 'cancelled', 'Fell Through': 'cancelled', 'Pre-Contract': 'pending',
            'pre contract': 'pending', 'Under Contract': 'under_contract', 'In Escrow': 'under_contract', Active: 'active', Listed: 'active',
            'Closed under contract': 'closed', New: 'pending' };
        const rows = Object.keys(statuses).map((transactionStatus, i) => ({ transactionId: 100 + i, transactionStatus }));
        rows.push(
            { transactionId: 200, transactionType: 'Lease', closeDate: 1767225600000, gci: -1, homePrice: 333333, commissionRate: 2.75 },
            { transactionId: 201, transactionType: 'Swap', gci: 0, transactionName: ' 1 Elm ', leadName: 'Ann', leadId: 9 },
            { transactionId: 202, gci: 'x', homePrice: 1, commissionRate: 0.5 },
            { transactionId: 203, homePrice: 100, expectedCloseDate: '2026-02-03 00:00:00', closeDate: 1767225600000 },
        );
        await lofty.order(deals(rows));
        await synced(id, { syncType: 'transactions' });
        const stored = await dealsOf(id);
        const byId = Object.fromEntries(stored.map((row) => [row.metadata.lofty_id, row]));
        Object.entries(statuses).forEach(([given, kept], i) => assert.equal(byId[100 + i].status, kept, given));
        assert.deepEqual([byId[200].transaction_type, byId[200].day, byId[200].commission_amount, byId[200].metadata.close_date], ['lease', '2026-01-01', '9166.66', '2026-01-01']);
        assert.deepEqual([byId[201].transaction_type, byId[201].commission_amount, byId[201].property_address, byId[201].client_name, byId[201].metadata.lofty_lead_id], ['other', '0', '1 Elm', 'Ann', '9']);
        assert.equal(byId[202].commission_amount, '0.01', 'half away from zero');
        assert.deepEqual([byId[203].commission_amount, byId[203].day], [null, '2026-02-03']);
    });

    it('a row that PostgreSQL refuses is an error, the rest of its page is written', options, async () => {
        const id = await agent();
        await lofty.order({ headers: { 'content-type': 'application/json' },
            body: '{"_metadata":{"total":3},"leads":[{"leadId":1},{"leadId":2,"customAttributes":{"a":"x\\u0000y"}},{"leadId":3}]}' });
        const body = await synced(id);
        assert.deepEqual([body.created, body.errorCount, body.complete], [2, 1, true]);
        assert.match(body.errors[0], /^contacts 2 could not be stored/);
        assert.deepEqual((await contactsOf(id)).map((row) => row.external_id), ['1', '3']);
        assert.deepEqual((await stateOf(id)).last_sync_errors, body.errors);
    });

    it('one id twice on a page is one row, its last', options, async () => {
        const id = await agent();
        await lofty.order(leads([{ leadId: 1, firstName: 'Old' }, { leadId: 1, firstName: 'New' }]));
        const body = await synced(id);
        assert.equal(body.created, 1);
        assert.deepEqual((await contactsOf(id)).map(({ name }) => name), ['New']);
    });
});
