/*
 * getSystemErrors (spec data.md): its examples, filters and counts, and marking as resolved.
 */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const monitor = suite({ functions: ['getSystemErrors'] });
let made;
const caller = () => (made ??= monitor.admin());
const call = async (body = {}) => monitor.call('getSystemErrors', await caller(), body);
const MISSING = '3fb36b92-6d0e-4bac-992d-00818cf81ca0';

async function report(values) {
    const row = { severity: 'warning', function_name: 'computePulse', message: 'slow', ...values };
    const names = Object.keys(row);
    const [{ id }] = await monitor.database.rows(
        `INSERT INTO system_errors (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING id`,
        Object.values(row));
    return id;
}
const at = (hour) => `2026-03-10T${hour}:00:00Z`;
const severities = async (body) => (await call(body)).body.errors.map((error) => error.severity);

beforeEach(async () => {
    await monitor.database.rows('TRUNCATE system_errors');
    await report({ severity: 'critical', last_occurrence_at: at(10), message: 'Out of 100% memory', function_name: 'loftySync' });
    await report({ severity: 'warning', last_occurrence_at: at(11), resolved: true });
    await report({ severity: 'info', last_occurrence_at: at(12) });
}, options);

describe('getSystemErrors: list', options, () => {
    it('example: newest first, with counts of the whole table', options, async () => {
        const { status, body } = await call();
        assert.equal(status, 200);
        assert.deepEqual(body.errors.map((error) => error.severity), ['info', 'warning', 'critical']);
        assert.deepEqual([body.total, body.counts], [3, { critical: 1, warning: 0, info: 1, unresolved: 2 }]);
    });

    it('example: resolved warnings', options, async () => {
        const { body } = await call({ severity: 'warning', resolved: true });
        assert.deepEqual([body.errors.length, body.total], [1, 1]);
        assert.deepEqual(body.counts, { critical: 1, warning: 0, info: 1, unresolved: 2 }, 'whatever the filters');
        assert.deepEqual(await severities({ resolved: false }), ['info', 'critical']);
        assert.deepEqual(await severities({ severity: 'all' }), ['info', 'warning', 'critical']);
    });

    it('example: severity fatal; an error body has errors as well', options, async () => {
        const answer = await call({ severity: 'fatal' });
        assertRefused(answer, 400, 'invalid_input', 'severity');
        assert.deepEqual(answer.body.errors, []);
        assert.deepEqual((await post(monitor.host, 'getSystemErrors', { body: {} })).body.errors, []);
    });

    it('the members of an error, with nothing and with everything', options, async () => {
        await monitor.database.rows('TRUNCATE system_errors');
        const id = await report({ metadata: null, occurrence_count: null, resolved: null, last_occurrence_at: at(9), created_at: at(8) });
        const [bare] = (await call()).body.errors;
        assert.deepEqual(bare, {
            id, severity: 'warning', functionName: 'computePulse', message: 'slow', stackTrace: null, userId: null, metadata: '{}',
            created_date: '2026-03-10T08:00:00+00:00', last_occurrence_at: '2026-03-10T09:00:00+00:00', occurrenceCount: 1,
            resolved: false, resolved_at: null,
        });
        const full = await report({
            metadata: { a: [1, { b: null }] }, occurrence_count: 7, stack_trace: 'at main', user_id: await caller(), resolved: true, resolved_at: at(13), last_occurrence_at: at(12),
        });
        const [error] = (await call()).body.errors;
        assert.deepEqual([error.id, error.stackTrace, error.userId, error.occurrenceCount, error.resolved], [full, 'at main', await caller(), 7, true]);
        assert.equal(typeof error.metadata, 'string');
        assert.deepEqual(JSON.parse(error.metadata), { a: [1, { b: null }] });
    });

    it('function name and search, which is literal and in any case', options, async () => {
        assert.deepEqual(await severities({ functionName: 'loftySync' }), ['critical']);
        assert.deepEqual(await severities({ functionName: 'lofty' }), []);
        assert.deepEqual(await severities({ search: 'LOFTY' }), ['critical']);
        assert.deepEqual(await severities({ search: '100% M' }), ['critical']);
        assert.deepEqual(await severities({ search: '100%memory' }), []);
        assert.deepEqual(await severities({ search: 'slo' }), ['info', 'warning']);
    });

    it('pages', options, async () => {
        const { body } = await call({ limit: 1, offset: 1 });
        assert.deepEqual([body.errors.map((error) => error.severity), body.total], [['warning'], 3]);
        assert.deepEqual((await call({ offset: 3 })).body.errors, []);
    });

    it('GET, and an empty table', options, async () => {
        const answer = await post(monitor.host, 'getSystemErrors', { method: 'GET', token: await mint(await caller()) });
        assert.equal(answer.status, 200);
        assert.equal(answer.body.total, 3);
        await monitor.database.rows('TRUNCATE system_errors');
        assert.deepEqual((await call()).body, { errors: [], total: 0, counts: { critical: 0, warning: 0, info: 0, unresolved: 0 } });
    });
});

describe('getSystemErrors: resolve', options, () => {
    const stored = (id) => monitor.database.row('SELECT resolved, resolved_at, resolved_by FROM system_errors WHERE id = $1', [id]);

    it('by whom and when, and back; ids that are not there are skipped', options, async () => {
        const [one, two] = [await report({}), await report({})];
        const { status, body } = await call({ action: 'resolve', ids: [one.toUpperCase(), one, MISSING] });
        assert.equal(status, 200);
        assert.deepEqual(body, { success: true, updated: 1 });
        const row = await stored(one);
        assert.deepEqual([row.resolved, row.resolved_by], [true, await caller()]);
        assert.ok(Math.abs(row.resolved_at - Date.now()) < 20000);
        assert.equal((await stored(two)).resolved, false);
        assert.equal((await call({ action: 'resolve', ids: [one, two], resolved: false })).body.updated, 2);
        assert.deepEqual(await stored(one), { resolved: false, resolved_at: null, resolved_by: null });
    });

    it('1 to 100 ids', options, async () => {
        assertRefused(await call({ action: 'resolve' }), 400, 'invalid_input', 'ids');
        assertRefused(await call({ action: 'resolve', ids: [] }), 400, 'invalid_input', 'ids');
        assertRefused(await call({ action: 'resolve', ids: Array(101).fill(MISSING) }), 400, 'invalid_input', 'ids');
        assertRefused(await call({ action: 'resolve', ids: [MISSING, 'x'] }), 400, 'invalid_input', 'ids[1]');
        assert.equal((await call({ action: 'resolve', ids: Array(100).fill(MISSING) })).body.updated, 0);
    });
});

refusals(monitor, 'getSystemErrors', {
    mode: 'admin',
    caller,
    wrong: {
        action: [...NOT.text, 'delete'],
        severity: [...NOT.text, 'Critical'],
        resolved: NOT.boolean,
        functionName: [...NOT.text, 'x'.repeat(129)],
        search: [...NOT.text, 'x'.repeat(201)],
        limit: [...NOT.integer, 0, 501],
        offset: [...NOT.integer, -1],
        ids: NOT.array,
    },
});
