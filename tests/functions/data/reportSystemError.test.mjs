/*
 * reportSystemError (spec data.md): its examples, folding of repeats, and the mail about critical errors.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { credential } from '../../support/providers.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';

const ADMIN = 'ops@example.com';
const errors = suite({
    functions: ['reportSystemError'],
    env: { ADMIN_ERROR_NOTIFICATION_EMAIL: ADMIN },
    providers: { resend: { first_byte_timeout: '300ms' } },
});
const call = (id, body, more) => errors.call('reportSystemError', id, body, more);
const asService = (body, more) => post(errors.host, 'reportSystemError', { token: SERVICE_KEY, body, ...more });
const resend = () => errors.provider('resend');
let made = 0;
/* An error that no other test reports. */
const fresh = (values = {}) => ({ severity: 'warning', functionName: 'computePulse', message: `slow ${++made}`, ...values });
const critical = (values) => fresh({ severity: 'critical', ...values });
const stored = (body) => errors.database.rows('SELECT * FROM system_errors WHERE message = $1 ORDER BY created_at, id', [body.message]);

describe('reportSystemError: records', options, () => {
    it('example: a repeat is folded', options, async () => {
        const id = await errors.agent(), body = fresh();
        const first = await call(id, { ...body, metadata: { a: 1 } });
        assert.equal(first.status, 200);
        assert.deepEqual(Object.keys(first.body), ['success', 'error', 'notified']);
        const second = (await call(id, { ...body, metadata: { b: 2 } })).body;
        assert.deepEqual([second.error.occurrence_count, second.error.metadata, second.notified], [2, { a: 1, b: 2 }, false]);
        assert.equal((await stored(body)).length, 1);
    });

    it('example: severity fatal', options, async () => {
        assertRefused(await call(await errors.agent(), fresh({ severity: 'fatal' })), 400, 'invalid_input', 'severity');
    });

    it('a new record, whole', options, async () => {
        const id = await errors.agent(), body = fresh({ stackTrace: 'at main', functionName: 'lib/a.b:c-d_9' });
        const { error } = (await call(id, body)).body;
        const { id: errorId, created_at, last_occurrence_at, ...rest } = error;
        assert.deepEqual(rest, {
            severity: 'warning', function_name: 'lib/a.b:c-d_9', message: body.message, stack_trace: 'at main', user_id: id,
            metadata: {}, occurrence_count: 1, resolved: false, resolved_at: null, resolved_by: null,
        });
        assert.match(errorId, /^[0-9a-f-]{36}$/);
        for (const time of [created_at, last_occurrence_at]) assert.ok(Math.abs(Date.parse(time) - Date.now()) < 20000);
    });

    it('a repeat replaces stack and user when given, and counts from NULL', options, async () => {
        const one = await errors.agent(), two = await errors.agent(), body = fresh();
        await call(one, { ...body, stackTrace: 'old' });
        await errors.database.rows('UPDATE system_errors SET occurrence_count = NULL, metadata = NULL WHERE message = $1', [body.message]);
        let { error } = (await call(two, { ...body, stackTrace: 'new' })).body;
        assert.deepEqual([error.user_id, error.stack_trace, error.occurrence_count, error.metadata], [two, 'new', 2, {}]);
        ({ error } = (await asService(body)).body);
        assert.deepEqual([error.user_id, error.stack_trace, error.occurrence_count], [two, 'new', 3]);
    });

    it('another severity or function, and a resolved record, are others', options, async () => {
        const id = await errors.agent(), body = fresh();
        await call(id, body);
        for (const other of [{ severity: 'info' }, { functionName: 'computePulse2' }])
            assert.equal((await call(id, { ...body, ...other })).body.error.occurrence_count, 1);
        await errors.database.rows('UPDATE system_errors SET resolved = true WHERE message = $1', [body.message]);
        assert.equal((await call(id, body)).body.error.occurrence_count, 1);
        const rows = await stored(body);
        assert.equal(rows.length, 4);
        assert.equal(rows.filter((row) => row.resolved).length, 3, 'none is opened again');
    });

    it('many at once are one record that counts them all', options, async () => {
        const id = await errors.agent(), body = fresh();
        const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => call(id, { ...body, metadata: { [`m${i}`]: i } })));
        assert.deepEqual(answers.map((answer) => answer.body.error.occurrence_count).sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i + 1));
        const rows = await stored(body);
        assert.equal(rows.length, 1);
        assert.equal(Object.keys(rows[0].metadata).length, 20);
    });

    it('whom it happened to: the caller, whom the service names, or nobody', options, async () => {
        const id = await errors.agent();
        assertRefused(await call(id, fresh({ userId: 'user_other' })), 403, 'user_mismatch');
        assert.equal((await call(id, fresh({ userId: id }))).body.error.user_id, id);
        assert.equal((await asService(fresh({ userId: id }))).body.error.user_id, id);
        assert.equal((await asService(fresh())).body.error.user_id, null);
        const { error } = (await asService(fresh({ userId: 'user_nobody', metadata: { a: 1 } }))).body;
        assert.deepEqual([error.user_id, error.metadata], [null, { a: 1, reported_user_id: 'user_nobody' }]);
        assert.deepEqual((await call('user_without_profile', fresh())).body.error.metadata, { reported_user_id: 'user_without_profile' });
    });
});

describe('reportSystemError: metadata and limits', options, () => {
    it('example and its kin: everything becomes an object', options, async () => {
        const id = await errors.agent();
        const cases = [
            ['[1,2]', { value: [1, 2] }], ['{"a":{"b":1}}', { a: { b: 1 } }], ['7', { value: 7 }], ['null', { value: null }],
            ['not json', { raw: 'not json' }], ['', {}], [null, {}], [{ a: null }, { a: null }], [[1, { b: 2 }], { value: [1, { b: 2 }] }],
            [1.5, { value: 1.5 }], [false, { value: false }],
        ];
        for (const [metadata, expected] of cases)
            assert.deepEqual((await call(id, fresh({ metadata }))).body.error.metadata, expected, JSON.stringify(metadata));
    });

    it('more than 16 KiB is cut to a preview', options, async () => {
        const id = await errors.agent();
        const of = (size) => ({ text: 'é'.repeat(4) + 'x'.repeat(size - 11 - 8) });
        assert.equal(Buffer.byteLength(JSON.stringify(of(16384))), 16384);
        assert.deepEqual((await call(id, fresh({ metadata: of(16384) }))).body.error.metadata, of(16384));
        const { metadata } = (await call(id, fresh({ metadata: of(16385) }))).body.error;
        assert.deepEqual(metadata, { truncated: true, preview: [...JSON.stringify(of(16385))].slice(0, 4096).join('') });
    });

    it('metadata of repeats does not grow without end', options, async () => {
        const id = await errors.agent(), body = fresh();
        for (let i = 0; i < 7; i++) await call(id, { ...body, metadata: { [`m${i}`]: 'x'.repeat(15000) } });
        const [row] = await stored(body);
        assert.deepEqual([row.occurrence_count, Object.keys(row.metadata)], [7, ['m5', 'm6']]);
    });

    it('a stack of more than 20,000 characters is cut, and 256 KiB is too much', options, async () => {
        const id = await errors.agent();
        const { error } = (await call(id, fresh({ stackTrace: 'é'.repeat(20001) }))).body;
        assert.equal(error.stack_trace, 'é'.repeat(20000));
        assertRefused(await call(id, fresh({ stackTrace: 'x'.repeat(262144) })), 413, 'body_too_large');
        assert.equal((await call(id, fresh({ stackTrace: 'x'.repeat(261000) }))).status, 200);
    });
});

describe('reportSystemError: mail', options, () => {
    it('of a critical error, escaped, to the administrator', options, async () => {
        const id = await errors.agent();
        const body = critical({ functionName: 'loftySync', message: `<b>"A" & 'B'</b> ${++made}`, stackTrace: 'at <main>', metadata: { html: '<i>' } });
        const answer = (await call(id, body)).body;
        assert.equal(answer.notified, true);
        assert.ok(Math.abs(Date.parse(answer.error.metadata.last_notified_at) - Date.now()) < 20000);
        assert.match(answer.error.metadata.last_notified_at, /Z$/);
        const [request] = await resend().requests();
        assert.deepEqual([request.method, request.path], ['POST', '/emails']);
        assert.equal(request.headers.authorization, `Bearer ${credential('RESEND_API_KEY')}`);
        const { from, to, subject, html, text } = request.body;
        assert.deepEqual([from, to, subject], ['Pulse AI <alerts@pulse.pwru.app>', [ADMIN], '[Pulse AI] Critical error in loftySync']);
        assert.ok(html.includes('&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;') && !html.includes('<b>') && !html.includes('<i>'));
        assert.ok(html.includes('at &lt;main&gt;') && html.includes('&lt;i&gt;'));
        for (const said of ['loftySync', body.message, 'critical', id, 'Occurrences: 1', 'at <main>', '"html": "<i>"', answer.error.last_occurrence_at.slice(0, 10)])
            assert.ok(text.includes(said), said);
    });

    it('once an hour for a record, whatever the client claims', options, async () => {
        const id = await errors.agent(), body = critical({ metadata: { last_notified_at: '2000-01-01T00:00:00.000Z', a: 1 } });
        assert.equal((await call(id, body)).body.notified, true);
        const again = (await call(id, body)).body;
        assert.deepEqual([again.notified, again.error.occurrence_count, again.error.metadata.a], [false, 2, 1]);
        const notifiedAt = (minutes) =>
            errors.database.rows(
                `UPDATE system_errors SET metadata = metadata || jsonb_build_object('last_notified_at', $2::text) WHERE message = $1`,
                [body.message, new Date(Date.now() - minutes * 60000).toISOString()]);
        await notifiedAt(59);
        assert.equal((await call(id, body)).body.notified, false);
        await notifiedAt(61);
        assert.equal((await call(id, body)).body.notified, true);
        assert.equal((await resend().requests()).length, 2);
    });

    it('of many at once one is mailed', options, async () => {
        const id = await errors.agent(), body = critical();
        const answers = await Promise.all(Array.from({ length: 10 }, () => call(id, body)));
        assert.equal(answers.filter((answer) => answer.body.notified).length, 1);
        assert.equal((await resend().requests()).length, 1);
    });

    it('nothing of a warning', options, async () => {
        await call(await errors.agent(), fresh());
        assert.deepEqual(await resend().requests(), []);
    });

    it('a mail that fails, in each way, fails nothing, is tried once, and is due at the next report', options, async () => {
        const id = await errors.agent();
        const failures = [{ status: 401 }, { status: 422, body: { name: 'validation_error' } }, { status: 429, headers: { 'retry-after': '1' } }, { status: 500 }, { status: 503, body: 'busy' }, { drop: true }, { delayMs: 1500 }];
        for (const [i, failure] of failures.entries()) {
            const body = critical();
            await resend().reset();
            await resend().order(failure);
            const answer = await call(id, body);
            assert.equal(answer.status, 200, JSON.stringify(failure));
            assert.deepEqual([answer.body.success, answer.body.notified, answer.body.error.metadata], [true, false, {}], JSON.stringify(failure));
            assert.equal((await resend().requests()).length, 1, `${i}: one attempt`);
            if (i === 3) assert.equal((await call(id, body)).body.notified, true);
        }
    });

    it('any 2xx counts as taken', options, async () => {
        await resend().order({ status: 202, body: 'queued' });
        assert.equal((await call(await errors.agent(), critical())).body.notified, true);
    });

    it('without an address or a key nothing is sent', options, async () => {
        for (const env of [{}, { ADMIN_ERROR_NOTIFICATION_EMAIL: ADMIN, RESEND_API_KEY: null }])
            await withHost({ functions: ['reportSystemError'], database: errors.database.url, env }, async (host) => {
                const { status, body } = await call(await errors.agent(), critical(), { host });
                assert.deepEqual([status, body.success, body.notified], [200, true, false]);
            });
        assert.deepEqual(await resend().requests(), []);
    });

    it('the sender is configured', options, async () => {
        const env = { ADMIN_ERROR_NOTIFICATION_EMAIL: ADMIN, RESEND_FROM_EMAIL: 'Ops <ops@example.org>' };
        await withHost({ functions: ['reportSystemError'], database: errors.database.url, env: { ...env, RESEND_BASE_URL: `${errors.host.url}/sandbox/resend` } }, async (host) => {
            assert.equal((await call(await errors.agent(), critical(), { host })).body.notified, true);
        });
        assert.equal((await resend().bodies())[0].from, 'Ops <ops@example.org>');
    });
});

refusals(errors, 'reportSystemError', {
    mode: 'user_or_service',
    body: fresh(),
    required: ['severity', 'functionName', 'message'],
    wrong: {
        severity: [...NOT.text, 'Critical', ''],
        functionName: [...NOT.text, '', 'a b', 'a\nb', 'é', 'x'.repeat(129)],
        message: [...NOT.text, '', ' ', 'x'.repeat(2001)],
        stackTrace: NOT.text,
    },
    untouched: ['system_errors'],
});
