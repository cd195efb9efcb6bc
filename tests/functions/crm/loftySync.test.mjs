/*
 * loftySync (spec crm.md): its examples, mapping, watermark, cursors, lease and stream; a worker killed in the middle of
 * 3,000 contacts (lofty.soak.mjs has the hundred thousand); and what Lofty may fail at.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { connect, connectionOf, limits } from '../../support/crm.mjs';
import { workers } from '../../support/faults.mjs';
import { SERVICE_KEY, eventually, startHost } from '../../support/host.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const syncs = suite({ functions: ['loftySync'], env: { ...limits, CRM_RETRY_MS: '10' } });
const lofty = syncs.provider('lofty');
const call = (id, body = {}, more = {}) => syncs.call('loftySync', id, body, more);

async function agent(key = 'lk-1', settings = {}) {
    const id = await syncs.agent();
    await connect(syncs, id, 'lofty', { api_key: key }, { settings });
    return id;
}
async function synced(id, body, more) {
    const answer = await call(id, body, more);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.body.success, true);
    return answer.body;
}
const contactsOf = (id) => syncs.database.rows(`SELECT * FROM contacts WHERE user_id = $1 ORDER BY external_id`, [id]);
const dealsOf = (id) => syncs.database.rows(
    `SELECT *, expected_close_date::text AS day FROM transactions WHERE user_id = $1 ORDER BY metadata ->> 'lofty_id'`, [id]);
const leads = (list, metadata = {}) => ({ body: { _metadata: { total: list.length, ...metadata }, leads: list } });
const deals = (list, totalCount = list.length) => ({ body: { totalCount, pageData: list } });
const stateOf = async (id) => (await connectionOf(syncs, id)).sync_settings;

/* The events of a streamed run, and its status. */
async function stream(id, body = {}, more = {}) {
    const answer = await fetch(`${(more.host ?? syncs.host).url}/functions/v1/loftySync`, {
        method: 'POST',
        signal: more.signal,
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${await mint(id)}` },
        body: JSON.stringify(body),
    });
    const text = await answer.text();
    const events = text.split('\n\n').filter((block) => block.includes('event:')).map((block) => ({
        event: /^event: ?(.*)$/m.exec(block)[1],
        data: JSON.parse(/^data: ?(.*)$/m.exec(block)[1]),
    }));
    return { status: answer.status, text, events };
}

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

describe('loftySync: runs', options, () => {
    it('all of an account, page by page; the switches beside the state stay', options, async () => {
        const id = await agent('lk-leads-60-page-25-transactions-30', { syncCallLogs: true });
        const body = await synced(id, { syncType: 'all' });
        assert.deepEqual(Object.keys(body.sections), ['contacts', 'transactions']);
        assert.deepEqual([body.created, body.sections.contacts.fetched, body.sections.transactions.fetched], [90, 60, 30]);
        assert.ok(Math.abs(Date.parse(body.lastSyncAt) - Date.now()) < 60000);
        const connection = await connectionOf(syncs, id), { sync, ...rest } = connection.sync_settings;
        assert.deepEqual(rest, { syncCallLogs: true, last_sync_count: 90, last_sync_errors: [] });
        assert.equal(sync.lease, null);
        assert.equal(sync.contacts.cursor, null);
        assert.ok(Date.parse(sync.contacts.last_completed_at) > 0);
        assert.equal(connection.credentials.alg, 'A256GCM');
        const again = await synced(id, { syncType: 'all' });
        assert.deepEqual([again.created, again.updated, again.skipped], [0, 0, 90]);
    });

    it('stops at maxRecords and goes on there; status tells', options, async () => {
        const id = await agent('lk-leads-70-page-25');
        const first = await synced(id, { maxRecords: 30 });
        assert.deepEqual([first.complete, first.resumable, first.sections.contacts.fetched, first.lastSyncAt], [false, true, 50, null]);
        const status = (await call(id, { action: 'status' })).body;
        assert.deepEqual(status, { success: true, connected: true, running: false, lastSyncAt: null, sections: {
            contacts: { lastCompletedAt: null, inProgress: true, fetched: 50 },
            transactions: { lastCompletedAt: null, inProgress: false, fetched: 0 } } });
        const { cursor } = (await stateOf(id)).sync.contacts;
        const second = await synced(id);
        assert.deepEqual([second.complete, second.created, second.sections.contacts.fetched], [true, 20, 70]);
        const { last_completed_at: at } = (await stateOf(id)).sync.contacts;
        assert.equal(at, cursor.run_started_at, 'the walk began with the first call');
        assert.equal((await contactsOf(id)).length, 70);
        const fresh = await agent('lk-leads-70-page-25');
        await synced(fresh, { maxRecords: 30 });
        assert.equal((await synced(fresh, { resume: false })).updated, 50, 'without resume it begins anew');
    });

    it('a scroll id that Lofty has forgotten: on from the offset', options, async () => {
        const id = await agent('lk-leads-70-page-25');
        await synced(id, { maxRecords: 25 });
        await lofty.order({ status: 400, body: { code: 100001 } });
        const body = await synced(id);
        assert.deepEqual([body.complete, body.created], [true, 45]);
        assert.equal((await contactsOf(id)).length, 70);
    });

    it('the same page again is a loop, an empty one the end', options, async () => {
        const id = await agent();
        const page = leads([{ leadId: 1 }, { leadId: 2 }], { total: 9 });
        await lofty.order(page, page);
        const body = await synced(id);
        assert.deepEqual([body.complete, body.sections.contacts.error, body.created], [false, 'page_loop', 2]);
        const other = await agent();
        await lofty.order({ body: { leads: [{ leadId: 1 }] } }, { body: { leads: [] } });
        const ended = await synced(other);
        assert.deepEqual([ended.complete, ended.sections.contacts.total, ended.created], [true, null, 1]);
    });

    it('a dry run counts and writes nothing', options, async () => {
        const id = await agent('lk-leads-60-transactions-30');
        const before = await connectionOf(syncs, id);
        assert.deepEqual((await call(id, { syncType: 'all', dryRun: true })).body,
            { success: true, dryRun: true, sections: { contacts: { total: 60 }, transactions: { total: 30 } } });
        assert.deepEqual((await connectionOf(syncs, id)).sync_settings, before.sync_settings);
        assert.equal((await contactsOf(id)).length, 0);
    });

    it('one section fails, the other is told apart', options, async () => {
        const id = await agent('lk-leads-3-transactions-2');
        await lofty.order(...Array(4).fill({ status: 500, body: 'down' }));
        const body = await synced(id, { syncType: 'all' });
        assert.deepEqual([body.complete, body.sections.contacts.error, body.sections.contacts.complete, body.sections.transactions.complete, body.created],
            [false, 'provider_error', false, true, 2]);
        assert.deepEqual(body.errors, ['contacts: Failed to sync: HTTP 500']);
        assert.equal(body.lastSyncAt, null);
        assert.equal((await stateOf(id)).sync.lease, null);
    });

    it('a later page fails: what was committed counts, and the next call goes on', options, async () => {
        const id = await agent('lk-leads-60-page-25');
        await lofty.order({}, ...Array(4).fill({ drop: true, times: 2 }));
        const body = await synced(id);
        assert.deepEqual([body.complete, body.sections.contacts.error, body.created], [false, 'provider_unreachable', 25]);
        await lofty.reset();
        assert.deepEqual((await synced(id)).created, 35);
        assert.equal((await contactsOf(id)).length, 60);
    });

    it('pages are tried four times, as long as it may pass', options, async () => {
        const id = await agent('lk-leads-3');
        await lofty.order({ status: 503, body: {} }, { status: 429, headers: { 'retry-after': '1' }, body: {} }, { status: 500, body: {} });
        assert.equal((await synced(id)).created, 3);
        assert.equal((await lofty.requests()).length, 4);
    });

    it('on the first page, alone: the failure’s own status', options, async () => {
        for (const [order, status, code, tries] of [
            [{ status: 401, body: '"Unauthorized"' }, 409, 'reconnect_required', 1],
            [{ status: 400, body: { code: 200058 } }, 409, 'reconnect_required', 1],
            [{ status: 403, body: {} }, 422, 'provider_rejected', 1],
            [{ status: 429, headers: { 'retry-after': '61' }, body: {} }, 429, 'provider_rate_limited', 1],
            [{ status: 200, body: '<html>' }, 502, 'provider_bad_response', 1],
            [{ status: 200, body: { leads: {} } }, 502, 'provider_bad_response', 1],
            [{ status: 200, body: { leads: [] }, padTo: 9 << 20 }, 502, 'provider_bad_response', 1],
            [{ status: 200, body: { leads: [] }, truncateAfter: 4 }, 502, 'provider_unreachable', 4],
        ]) {
            const id = await agent();
            await lofty.order({ ...order, times: 12 });
            const answer = await call(id);
            assertRefused(answer, status, code);
            assert.equal(answer.body.success, false);
            assert.equal((await stateOf(id)).sync.lease, null, 'given back');
            assert.equal((await connectionOf(syncs, id)).connection_status, code === 'reconnect_required' ? 'error' : 'connected');
            await lofty.reset();
        }
    });

    it('Lofty is silent: 504', options, async () => {
        const id = await agent();
        await lofty.order({ delayMs: 8000, times: 4 });
        assertRefused(await call(id), 504, 'provider_timeout');
        await lofty.reset();
    });

    it('no connection; the service key', options, async () => {
        const answer = await call(await syncs.agent());
        assertRefused(answer, 409, 'not_connected');
        assert.equal(answer.body.error, 'Lofty is not connected. Please connect Lofty first.');
        const id = await agent();
        assert.equal((await synced(null, { userId: id }, { token: SERVICE_KEY })).created, 3);
        assertRefused(await call(null, { userId: 'user_nobody' }, { token: SERVICE_KEY }), 404, 'user_not_found');
    });
});

describe('loftySync: tasks', options, () => {
    const finish = (id, loftyTaskId) => call(id, { action: 'markTaskComplete', data: { loftyTaskId } });

    it('is ticked off, again without harm', options, async () => {
        const id = await agent();
        for (let i = 0; i < 2; i++)
            assert.deepEqual((await finish(id, '987654321012345')).body,
                { success: true, loftyTaskId: '987654321012345', message: 'Task marked complete in Lofty' });
        const [request] = await lofty.requests();
        assert.deepEqual([request.method, request.path, request.headers['content-type']], ['POST', '/v2.0/tasks/987654321012345/finish', undefined]);
        assert.equal((await contactsOf(id)).length, 0);
    });

    it('no id, a wrong one, one that Lofty does not know', options, async () => {
        const id = await agent();
        for (const bad of [undefined, null, 0, 'x', '-1', 1.5]) assertRefused(await finish(id, bad), 400, 'invalid_input', 'data.loftyTaskId');
        assertRefused(await call(id, { action: 'markTaskComplete' }), 400, 'invalid_input', 'data.loftyTaskId');
        await lofty.order({ status: 404, body: '"Not Found"' });
        assertRefused(await finish(id, 7), 404, 'not_found');
    });
});

describe('loftySync: stream', options, () => {
    it('start, a progress a page, done', options, async () => {
        const id = await agent('lk-leads-60-page-25');
        const { status, events } = await stream(id);
        assert.equal(status, 200);
        assert.deepEqual(events.map(({ event }) => event), ['start', 'progress', 'progress', 'progress', 'done']);
        assert.deepEqual(Object.keys(events[0].data).sort(), ['resumed', 'runId', 'syncType']);
        assert.deepEqual(events[2].data, { section: 'contacts', fetched: 50, total: 60, created: 50, updated: 0, skipped: 0, errorCount: 0 });
        assert.equal(events[4].data.complete, true);
        assert.equal(events[4].data.runId, events[0].data.runId);
    });

    it('what fails before the first page is a plain answer', options, async () => {
        assert.equal((await stream(await syncs.agent())).status, 409);
        const id = await agent();
        await lofty.order({ status: 403, body: {} });
        assert.equal((await stream(id)).status, 422);
    });

    it('a client that leaves: the page is kept, the lease given back', options, async () => {
        const id = await agent('lk-leads-75-page-25');
        const leaving = new AbortController();
        await lofty.order({}, { delayMs: 400 });
        const gone = stream(id, {}, { signal: leaving.signal });
        await eventually(async () => (await contactsOf(id)).length === 25, 'the first page');
        leaving.abort();
        await assert.rejects(gone);
        await eventually(async () => (await stateOf(id)).sync.lease === null, 'the lease to be given back');
        const { cursor } = (await stateOf(id)).sync.contacts;
        assert.equal(cursor.fetched, (await contactsOf(id)).length);
        assert.ok(cursor.fetched < 75);
        assert.equal((await synced(id)).complete, true);
    });

    it('a worker killed in the middle of 3,000: resumed without loss or duplicates', options, async () => {
        const host = await startHost({ functions: ['loftySync'], database: syncs.database.url, server: { workers: 1 }, env: limits });
        try {
            const id = await agent('lk-leads-3000-page-50');
            const broken = stream(id, {}, { host }).catch(() => ({ events: [] }));
            await eventually(async () => (await contactsOf(id)).length >= 1000, 'a third of them');
            const [pid] = workers(host);
            process.kill(pid, 'SIGKILL');
            assert.ok(!(await broken).events.some(({ event }) => event === 'done'));
            await eventually(async () => workers(host).some((other) => other !== pid), 'another worker');
            const before = (await contactsOf(id)).length;
            const { sync } = await stateOf(id);
            assert.equal(sync.contacts.cursor.fetched, before, 'pages and cursor are one transaction');
            assert.ok(before < 3000);
            assertRefused(await eventually(() => call(id, {}, { host }).catch(() => null), 'an answer'), 409, 'sync_in_progress');
            await syncs.database.rows(
                `UPDATE crm_connections SET sync_settings = jsonb_set(sync_settings, '{sync,lease,expires_at}', to_jsonb(now() - interval '1 second'))
                 WHERE user_id = $1`, [id]);
            const { events } = await stream(id, {}, { host });
            const { data } = events.at(-1);
            assert.equal(events[0].data.resumed, true);
            assert.deepEqual([data.complete, data.created, data.updated, data.sections.contacts.fetched], [true, 3000 - before, 0, 3000]);
            const rows = await contactsOf(id);
            assert.equal(rows.length, 3000);
            assert.equal(new Set(rows.map(({ external_id: external }) => external)).size, 3000);
        } finally {
            await host.stop({ crashes: true });
        }
    });
});
