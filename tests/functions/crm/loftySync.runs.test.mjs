/*
 * loftySync (spec crm.md): watermark, cursors, lease and stream; a worker killed in the middle of 3,000 contacts
 * (lofty.soak.mjs has the hundred thousand); and what Lofty may fail at.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { connect, connectionOf, limits } from '../../support/crm.mjs';
import { workers } from '../../support/faults.mjs';
import { SERVICE_KEY, eventually, startHost } from '../../support/host.mjs';
import { loftySuite } from '../../support/lofty.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { options } from '../../support/suite.mjs';

const { syncs, lofty, call, agent, synced, contactsOf, leads, stateOf, stream } = loftySuite();

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
