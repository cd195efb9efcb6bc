/*
 * elevenLabsWebhook (spec events.md): its examples, call logs, minutes, appointments in the owner's zone, recordings, and the
 * jobs that follow. What those do is afterCall.test.mjs; what is refused is elevenLabsWebhook.refusals.test.mjs.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

import { Caller, nextConversation } from '../../support/calls.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { ELEVENLABS } from '../../support/senders.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';

const env = { ELEVENLABS_WEBHOOK_SECRET: `old,${ELEVENLABS.secret}` };
const s = suite({ functions: ['elevenLabsWebhook'], env });
const caller = new Caller(s, 'elevenLabsWebhook');
const DONE = { success: true };
const row = (id) => s.database.row('SELECT * FROM call_logs WHERE id = $1', [id]);
const used = async (user, agent = 'core') =>
    (await s.database.row('SELECT current_minutes_used AS n FROM user_agent_subscriptions WHERE user_id = $1 AND agent_type = $2', [user, agent]))?.n;
const jobs = (id) => s.database.rows(`SELECT function, payload FROM edge.jobs WHERE payload ->> 'callLogId' = $1 ORDER BY payload ->> 'effect'`, [id]);

/* A call that was started, of somebody with a core plan. */
async function call({ minutes = 10, zone, conversation = nextConversation(), ...values } = {}) {
    const user = values.user_id ?? (await s.agent());
    if (minutes !== null)
        await s.database.rows(`INSERT INTO user_agent_subscriptions (user_id, agent_type, current_minutes_used) VALUES ($1, 'core', $2) ON CONFLICT DO NOTHING`, [user, minutes]);
    if (zone !== undefined)
        await s.database.rows('INSERT INTO user_preferences (user_id, timezone) VALUES ($1, $2)', [user, zone]);
    const fields = { user_id: user, call_type: 'New Buyer Lead', status: 'initiated', conversation_id: conversation, call_sid: 'CA1', ...values };
    const names = Object.keys(fields);
    const [{ id }] = await s.database.rows(
        `INSERT INTO call_logs (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING id`,
        Object.values(fields),
    );
    return { id, user, conversation };
}
const collected = (values) => ({ analysis: { data_collection_results: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }])) } });

describe('elevenLabsWebhook: examples', options, () => {
    it('1: 61 s are two minutes, once', options, async () => {
        const one = await call();
        const event = caller.ended(one.conversation, { seconds: 61 });
        assert.deepEqual((await caller.send(event)).body, DONE);
        const stored = await row(one.id);
        assert.deepEqual([stored.status, stored.duration_seconds, stored.transcript, await used(one.user)], ['completed', 61, event.data.transcript, 12]);
        assert.equal(await caller.recorded(`post_call_transcription:${one.conversation}`), 1);
        assert.deepEqual((await caller.send(event)).body, { success: true, duplicate: true });
        assert.equal(await used(one.user), 12);
    });

    it('the vector, at its time and a second too late', options, async () => {
        const one = await call({ conversation: 'conv_vec_1' });
        const at = (seconds, work) =>
            withHost({ functions: ['elevenLabsWebhook'], database: s.database.url, env: { ...env, EDGE_TEST_CLOCK: String(ELEVENLABS.at + seconds) } }, work);
        const headers = { 'elevenlabs-signature': ELEVENLABS.header };
        await at(301, async (host) => assertRefused(await caller.send(ELEVENLABS.body, { host, headers }), 401, 'stale_timestamp'));
        await at(300, async (host) => assert.deepEqual((await caller.send(ELEVENLABS.body, { host, headers })).body, DONE));
        await at(-300, async (host) => assert.equal((await caller.send(ELEVENLABS.body, { host, headers })).body.duplicate, true));
        assert.equal(await used(one.user), 12);
    });

    it('2: 0 s change no minutes', options, async () => {
        const one = await call();
        await caller.send(caller.ended(one.conversation, { seconds: 0 }));
        assert.equal(await used(one.user), 10);
    });

    it('3: an appointment where the owner is', options, async () => {
        const one = await call({ zone: 'America/New_York' });
        await caller.send(caller.ended(one.conversation, collected({ appointment_set: true, start_time: '2026-03-12T15:00:00Z' })));
        const { status, analysis } = await row(one.id);
        assert.deepEqual([status, analysis.appointmentDate, analysis.appointmentTime, analysis.appointmentLocation], ['appointment_set', '2026-03-12', '11:00', 'Virtual']);
    });
});

describe('elevenLabsWebhook: a call that has ended', options, () => {
    it('everything that is kept', options, async () => {
        const one = await call({ metadata: { campaign_id: 'kept' }, analysis: { old: 1 } });
        const metadata = { call_duration_secs: 59.9, start_time_unix_secs: 1773144000, cost: 3 };
        await caller.send(caller.ended(one.conversation, { metadata, seconds: 59.9, analysis: { transcript_summary: 'Went well', call_successful: 'success' }, callSid: 'CA2' }));
        const stored = await row(one.id);
        assert.deepEqual(
            [stored.status, stored.duration_seconds, stored.ended_at.toISOString(), stored.notes, stored.call_sid],
            ['completed', 59, '2026-03-10T12:00:59.000Z', 'Went well', 'CA2'],
        );
        assert.deepEqual(stored.metadata, { campaign_id: 'kept', ...metadata });
        assert.deepEqual(stored.analysis, { transcript_summary: 'Went well', call_successful: 'success' });
        assert.equal(await used(one.user), 11);
        assert.deepEqual(await jobs(one.id), []);
    });

    it('what is there already: notes, and an analysis that nobody sends anew', options, async () => {
        const one = await call({ notes: 'Mine', analysis: { old: 1 } });
        await caller.send(caller.ended(one.conversation, { metadata: { notes: 'Theirs' } }));
        const { notes, analysis } = await row(one.id);
        assert.deepEqual([notes, analysis], ['Mine', { old: 1 }]);
    });

    it('older flat payloads, top level first', options, async () => {
        const one = await call();
        await caller.send({
            event_type: 'post_call_transcription', type: 'x', conversation_id: one.conversation, call_sid: 'CA9', transcript: ['flat'],
            metadata: { call_duration_secs: 121, notes: 'flat', analysis: { from: 'meta' } },
            data: { conversation_id: 'x', transcript: ['nested'], metadata: { call_duration_secs: 1 }, analysis: { from: 'data' } },
        });
        const stored = await row(one.id);
        assert.deepEqual(
            [stored.transcript, stored.duration_seconds, stored.notes, stored.analysis, stored.call_sid, await used(one.user)],
            [['flat'], 121, 'flat', { from: 'meta' }, 'CA9', 13],
        );
    });

    it('failed', options, async () => {
        const one = await call();
        await caller.send(caller.ended(one.conversation, { status: 'failed', ...collected({ appointment_set: true }) }));
        assert.equal((await row(one.id)).status, 'failed');
    });

    it('the call\'s id in the phone call\'s metadata', options, async () => {
        const one = await call();
        await caller.send(caller.ended(one.conversation, { metadata: { phone_call: { call_sid: 'CA5' } } }));
        assert.equal((await row(one.id)).call_sid, 'CA5');
    });

    it('minutes: the sales agent\'s row, else core, else none', options, async () => {
        const both = await call();
        await s.database.rows(`INSERT INTO user_agent_subscriptions (user_id, agent_type, current_minutes_used) VALUES ($1, 'sales_agent', NULL)`, [both.user]);
        await caller.send(caller.ended(both.conversation));
        assert.deepEqual([await used(both.user), await used(both.user, 'sales_agent')], [10, 2]);
        const neither = await call({ minutes: null });
        assert.deepEqual((await caller.send(caller.ended(neither.conversation))).body, DONE);
        assert.equal(await s.database.count('user_agent_subscriptions', 'user_id = $1', [neither.user]), 0);
    });

    it('found by its variables when the report comes first', options, async () => {
        const [one, other] = [await call({ conversation: null }), await call({ conversation: null })];
        const send = (variables) => caller.send(caller.ended('conv_first', { conversation_initiation_client_data: { dynamic_variables: variables } }));
        for (const variables of [{ call_log_id: one.id, user_id: other.user }, { call_log_id: one.id }, { call_log_id: 'x', user_id: one.user }, {}])
            assert.deepEqual((await send(variables)).body, { success: true, ignored: true, reason: 'unknown_conversation' });
        assert.equal(await caller.recorded('post_call_transcription:conv_first'), 0);
        assert.deepEqual((await send({ call_log_id: one.id.toUpperCase(), user_id: one.user })).body, DONE);
        const stored = await row(one.id);
        assert.deepEqual([stored.conversation_id, stored.status, await used(one.user)], ['conv_first', 'completed', 12]);
    });

    it('two workers, twelve deliveries at once: counted once', options, async () => {
        const one = await call();
        const answers = await Promise.all(Array.from({ length: 12 }, () => caller.send(caller.ended(one.conversation))));
        assert.equal(answers.filter(({ body }) => body.duplicate).length, 11);
        assert.equal(await used(one.user), 12);
    });

    it('1,000 deliveries of 100 calls of one owner: 200 minutes', options, async () => {
        const { user } = await call({ minutes: 0 });
        const calls = await Promise.all(Array.from({ length: 100 }, () => call({ user_id: user, minutes: null })));
        const queue = Array.from({ length: 1000 }, (_, i) => calls[(i * 61) % 100]);
        const deliver = async () => {
            for (let one; (one = queue.pop()); ) assert.equal((await caller.send(caller.ended(one.conversation))).status, 200);
        };
        await Promise.all(Array.from({ length: 16 }, deliver));
        assert.equal(await used(user), 200);
        assert.equal(await s.database.count('call_logs', `user_id = $1 AND status = 'completed'`, [user]), 100);
    });
});

describe('elevenLabsWebhook: appointments', options, () => {
    const ended = (one, data) => caller.send(caller.ended(one.conversation, data));

    for (const [name, data, set] of [
        ['meta true', { metadata: { appointment_set: true } }, true],
        ['meta "true"', { metadata: { appointment_set: 'true' } }, false],
        ['collected true', collected({ appointment_set: true }), true],
        ['collected "YES"', collected({ appointment_set: 'YES' }), true],
        ['collected "True"', collected({ appointment_set: 'True' }), true],
        ['collected "no"', collected({ appointment_set: 'no' }), false],
        ['collected 1', collected({ appointment_set: 1 }), false],
        ['nothing', {}, false],
    ])
        it(`set: ${name}: ${set}`, options, async () => {
            const one = await call();
            await ended(one, data);
            assert.equal((await row(one.id)).status, set ? 'appointment_set' : 'completed');
        });

    for (const [start, zone, day, time, end] of [
        ['2026-03-12T15:00:00Z', 'America/Los_Angeles', '2026-03-12', '08:00', '2026-03-12T15:45:00Z'],
        ['2026-03-12T23:30:00-05:00', undefined, '2026-03-13', '00:30', '2026-03-13T00:15:00-05:00'],
        ['2026-12-31 23:30', 'Europe/Berlin', '2026-12-31', '23:30', '2027-01-01T00:15:00'],
        ['2026-03-08T01:30:00', 'America/New_York', '2026-03-08', '01:30', '2026-03-08T02:15:00'],
        ['2026-07-01T10:00:00.250+0200', 'Nowhere/At_All', '2026-07-01', '04:00', '2026-07-01T10:45:00+0200'],
        [' 2026-07-01T10:00z ', null, '2026-07-01', '06:00', '2026-07-01T10:45:00z'],
        ['2026-03-12', undefined, undefined, undefined, null],
        ['tomorrow at three', undefined, undefined, undefined, null],
        ['2026-02-30T10:00:00Z', undefined, undefined, undefined, null],
        ['2026-03-12T25:00:00Z', undefined, undefined, undefined, null],
        [7, undefined, undefined, undefined, null],
    ])
        it(`${start} in ${zone}: ${day} ${time}`, options, async () => {
            const one = await call({ zone });
            await ended(one, collected({ appointment_set: true, appointment_time: start, address: ' 1 Elm St ' }));
            const { status, analysis } = await row(one.id);
            assert.deepEqual([status, analysis.appointmentDate, analysis.appointmentTime], ['appointment_set', day, time]);
            assert.equal(analysis.appointmentLocation, day && '1 Elm St');
            const expected = end && [{ function: 'afterCall', payload: { callLogId: one.id, effect: 'calendar', startTime: start.trim(), endTime: end, address: '1 Elm St' } }];
            assert.deepEqual(await jobs(one.id), expected ?? []);
        });

    it('a start that nobody set is none', options, async () => {
        const one = await call();
        await ended(one, { metadata: { startTime: '2026-03-12T15:00:00Z' } });
        assert.deepEqual([(await row(one.id)).analysis, await jobs(one.id)], [{}, []]);
    });

    it('where start, address and notes are looked for', options, async () => {
        const start = (n) => `2026-03-1${n}T15:00:00Z`;
        const places = [
            [{ metadata: { appointment_set: true, startTime: start(1), start_time: start(2), address: 'A', notes: 'N' }, ...collected({ start_time: start(3), address: 'B' }) }, '2026-03-11', 'A'],
            [{ metadata: { appointment_set: true, start_time: start(2), address: '' }, ...collected({ start_time: start(3), address: 'B', appointment_location: 'C' }) }, '2026-03-12', 'B'],
            [{ ...collected({ appointment_set: true, start_time: start(3), appointment_time: start(4), appointment_location: 'C' }) }, '2026-03-13', 'C'],
            [{ ...collected({ appointment_set: true, appointment_time: start(4) }) }, '2026-03-14', 'Form'],
        ];
        for (const [data, day, location] of places) {
            const one = await call({ form_data: { address: 'Form' } });
            await ended(one, data);
            const { analysis } = await row(one.id);
            assert.deepEqual([analysis.appointmentDate, analysis.appointmentLocation], [day, location]);
        }
    });

    it('a job for each CRM that wants calls', options, async () => {
        const one = await call();
        const connect = (provider, status, settings) =>
            s.database.rows('INSERT INTO crm_connections (user_id, provider, connection_status, sync_settings) VALUES ($1, $2, $3, $4)', [one.user, provider, status, settings]);
        await connect('lofty', 'connected', { syncCallLogs: true });
        await connect('followupboss', 'connected', { syncCallLogs: true });
        await connect('skyslope', 'connected', { syncCallLogs: true });
        await ended(one, {});
        assert.deepEqual((await jobs(one.id)).map(({ payload }) => payload.effect), ['follow_up_boss', 'lofty']);
        const other = await call();
        for (const [status, settings] of [['error', { syncCallLogs: true }], ['connected', { syncCallLogs: false }], ['connected', { syncCallLogs: 'yes' }], ['connected', {}], ['connected', null]])
            await s.database.rows('INSERT INTO crm_connections (user_id, provider, connection_status, sync_settings) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [other.user, 'lofty', status, settings]);
        await ended(other, {});
        assert.deepEqual(await jobs(other.id), []);
    });
});

describe('elevenLabsWebhook: other events', options, () => {
    it('initiation metadata and updates of old senders', options, async () => {
        const one = await call({ status: null, call_sid: null });
        const send = (type, more) => caller.send({ type, conversation_id: one.conversation, ...more });
        await send('conversation_initiation_metadata', { data: { a: 1 }, call_sid: 'CA7' });
        let stored = await row(one.id);
        assert.deepEqual([stored.status, stored.call_sid, stored.metadata], ['initiated', 'CA7', { initiation: { a: 1 } }]);
        await s.database.rows(`UPDATE call_logs SET status = 'completed' WHERE id = $1`, [one.id]);
        await send('conversation_initiation_metadata', { metadata: { b: 2 } });
        await send('conversation_update', { data: { step: 1 } });
        await send('conversation_update', { data: { step: 2 } });
        stored = await row(one.id);
        assert.deepEqual([stored.status, stored.call_sid, stored.metadata], ['completed', 'CA7', { initiation: { b: 2 }, updates: { step: 2 } }]);
        assert.equal((await send('conversation_update', { data: { step: 2 } })).body.duplicate, true);
    });

    for (const [status, reason, expected] of [['initiated', 'no-answer', 'failed'], ['pending_initiation', 'busy', 'failed'], ['completed', 'busy', 'completed']])
        it(`a call that could not be begun, ${status}: ${expected}`, options, async () => {
            const one = await call({ status, metadata: { kept: 1 } });
            await caller.send({ type: 'call_initiation_failure', data: { conversation_id: one.conversation, failure_reason: reason, metadata: { type: 'twilio' } } });
            const stored = await row(one.id);
            assert.equal(stored.status, expected);
            assert.deepEqual(stored.metadata, expected === 'failed' ? { kept: 1, failure_reason: reason, failure_detail: { type: 'twilio' } } : { kept: 1 });
            assert.equal(stored.ended_at !== null, expected === 'failed');
            assert.equal(await used(one.user), 10);
        });

    it('recordings: stored, large ones too, and named by the row', options, async () => {
        const directory = fs.mkdtempSync(path.join(s.host.directory, 'storage-'));
        await withHost({ functions: ['elevenLabsWebhook'], database: s.database.url, env: { ...env, STORAGE_DIR: directory } }, async (host) => {
            const one = await call();
            const bytes = Buffer.alloc(12 << 20, 'not really music ');
            const send = (full_audio, id = one.conversation) => caller.send({ type: 'post_call_audio', data: { conversation_id: id, full_audio } }, { host });
            assert.deepEqual((await send(bytes.toString('base64'))).body, DONE);
            const { recording_url } = await row(one.id);
            assert.equal(recording_url, `${one.user}/calls/${one.id}.mp3`);
            const stored = fs.readdirSync(directory, { recursive: true }).map((name) => path.join(directory, name)).filter((name) => fs.statSync(name).isFile());
            assert.ok(stored.some((name) => fs.readFileSync(name).includes(bytes.subarray(0, 1 << 20))), stored.join());
            assertRefused(await send('%%%', (await call()).conversation), 400, 'invalid_audio');
            assert.equal((await send('', (await call()).conversation)).body.reason, 'no_audio');
            assert.equal((await send('AAAA', 'conv_nobody')).body.reason, 'unknown_conversation');
        });
    });

    it('a storage that fails: 502, the event is not recorded', options, async () => {
        const file = path.join(s.host.directory, 'no-directory');
        fs.writeFileSync(file, '');
        await withHost({ functions: ['elevenLabsWebhook'], database: s.database.url, env: { ...env, STORAGE_DIR: file } }, async (host) => {
            const one = await call();
            const event = { type: 'post_call_audio', data: { conversation_id: one.conversation, full_audio: 'SUQz' } };
            assertRefused(await caller.send(event, { host }), 502, 'storage_failed');
            assert.deepEqual([(await row(one.id)).recording_url, await caller.recorded(`post_call_audio:${one.conversation}`)], [null, 0]);
        });
    });
});
