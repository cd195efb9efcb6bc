/*
 * afterCall: calendar and CRM after a sales call, what each is sent, and what is written down of it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Caller, nextConversation } from '../../support/calls.mjs';
import { post } from '../../support/clients.mjs';
import { SERVICE_KEY, eventually } from '../../support/host.mjs';
import { NOT, refusals } from '../../support/refusals.mjs';
import { ELEVENLABS } from '../../support/senders.mjs';
import { options, suite } from '../../support/suite.mjs';

/* The calendar's place is taken by a stand-in's plugin, which writes down what it is sent and does what it is told. */
const s = suite({
    functions: {
        elevenLabsWebhook: {},
        afterCall: {},
        scheduleGoogleCalendarEventTool: { plugin: 'sandbox_clerk', auth: 'user_or_service', env: ['SANDBOX_DIR'] },
    },
    env: { ELEVENLABS_WEBHOOK_SECRET: ELEVENLABS.secret },
    providers: { lofty: { first_byte_timeout: '200ms' }, followupboss: { first_byte_timeout: '200ms' } },
});
const [calendar, lofty, boss] = ['clerk', 'lofty', 'followupboss'].map((name) => s.provider(name));
const caller = new Caller(s, 'elevenLabsWebhook');
const effects = async (id) => (await s.database.row('SELECT metadata FROM call_logs WHERE id = $1', [id])).metadata.side_effects;
const run = async (id, effect, more = {}) => (await post(s.host, 'afterCall', { token: SERVICE_KEY, body: { callLogId: id, effect, ...more } })).body;

async function call({ crms = [], key = 'key-1', ...values } = {}) {
    const user = await s.agent();
    for (const provider of crms)
        await s.database.rows(
            `INSERT INTO crm_connections (user_id, provider, connection_status, credentials, sync_settings) VALUES ($1, $2, 'connected', $3, '{"syncCallLogs": true}')`,
            [user, provider, { api_key: key }],
        );
    const fields = {
        user_id: user, call_type: 'New Buyer Lead', status: 'completed', conversation_id: nextConversation(), phone_number: '+15120000001',
        contact_name: 'Pat Doe', duration_seconds: 61, form_data: {}, metadata: { kept: 1 }, ...values,
    };
    const names = Object.keys(fields);
    const [{ id }] = await s.database.rows(
        `INSERT INTO call_logs (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING id`,
        Object.values(fields),
    );
    return { id, user, conversation: fields.conversation_id };
}

describe('afterCall: with the webhook', options, () => {
    it('calendar and both CRMs, all at once, each with its outcome', options, async () => {
        const one = await call({ crms: ['lofty', 'follow_up_boss'], status: 'initiated', call_type: 'Expired Listing', form_data: { email: 'pat@example.com' } });
        await calendar.order({ status: 200, body: { success: true } });
        const metadata = { appointment_set: true, startTime: '2026-03-12T15:00:00Z', address: '1 Elm St', notes: 'Wants to sell' };
        assert.equal((await caller.send(caller.ended(one.conversation, { metadata }))).status, 200);
        const outcome = await eventually(async () => {
            const found = await effects(one.id);
            return found && Object.keys(found).length === 3 && found;
        }, 'three outcomes');
        assert.deepEqual(outcome, { calendar: 'ok', lofty: 'ok', follow_up_boss: 'ok' });

        const [event] = await calendar.bodies();
        const { description, ...rest } = event;
        assert.match(description, /calling agent/);
        assert.deepEqual(rest, {
            userId: one.user, title: 'Listing consultation with Pat Doe', startTime: '2026-03-12T15:00:00Z', endTime: '2026-03-12T15:45:00Z',
            location: '1 Elm St', attendees: ['pat@example.com'], idempotencyKey: `call:${one.id}`,
        });
        const [search, note] = await lofty.requests();
        assert.deepEqual([search.method, search.path, search.headers.authorization, note.path], ['GET', '/v1.0/leads', 'token key-1', '/v1.0/notes']);
        assert.equal(note.body.leadId, 563172647619609);
        assert.equal(note.body.content, 'Call by the calling agent: appointment_set, 61 s\nAppointment: 2026-03-12 11:00, 1 Elm St\nWants to sell');
        const [people, log] = await boss.requests();
        assert.deepEqual([people.path, people.headers.authorization], ['/v1/people', `Basic ${Buffer.from('key-1:').toString('base64')}`]);
        assert.deepEqual(log.body, { personId: 5001, phone: '+15120000001', isIncoming: false, duration: 61, outcome: 'Interested', note: note.body.content });
        const { metadata: stored } = await s.database.row('SELECT metadata FROM call_logs WHERE id = $1', [one.id]);
        assert.equal(stored.kept, 1);
    });
});

describe('afterCall: the calendar', options, () => {
    const times = { startTime: '2026-03-12T15:00:00Z', endTime: '2026-03-12T15:45:00Z' };

    for (const [call_type, contact_name, form_data, title] of [
        ['New Seller Lead', 'Pat', {}, 'Listing consultation with Pat'],
        ['FSBO', null, { full_name: 'Form Name' }, 'Listing consultation with Form Name'],
        ['For Sale By Owner', '', {}, 'Listing consultation with Prospect'],
        ['New Buyer Lead', 'Pat', {}, 'Buyer consultation with Pat'],
        ['Anything', 'Pat', { email: 'no address' }, 'Buyer consultation with Pat'],
    ])
        it(`${call_type}: ${title}`, options, async () => {
            const one = await call({ call_type, contact_name, form_data });
            await calendar.order({ status: 200, body: { success: true } });
            assert.deepEqual(await run(one.id, 'calendar', times), { success: true, outcome: 'ok' });
            const [event] = await calendar.bodies();
            assert.deepEqual([event.title, event.location, event.attendees], [title, undefined, undefined]);
        });

    it('what it refuses is the outcome, and is not tried again', options, async () => {
        const one = await call();
        await calendar.order({ status: 409, body: { error: 'E'.repeat(300), code: 'x' } });
        const { outcome } = await run(one.id, 'calendar', times);
        const stored = (await effects(one.id)).calendar;
        assert.match(stored, /^calendar_failed: E+$/);
        assert.equal(stored.length, 200);
        assert.ok(outcome.startsWith(stored));
        assert.equal((await run(one.id, 'calendar', times)).outcome, stored);
        assert.equal((await calendar.requests()).length, 1);
    });
});

describe('afterCall: Lofty', options, () => {
    for (const [name, orders, outcome] of [
        ['nobody has the number', [{ body: { leads: [{ leadId: 1, phones: ['+1 512 000 0009'] }, { leadId: 2 }] } }], 'no_matching_lead'],
        ['no leads', [{ body: {} }], 'no_matching_lead'],
        ['the search fails', [{ status: 500, body: {} }], 'lofty answered 500'],
        ['the note fails', [{ body: { leads: [{ leadId: 1, phones: ['(512) 000-0001'] }] } }, { status: 403, body: {} }], 'lofty answered 403'],
        ['garbage', [{ body: '<html>' }], 'no_matching_lead'],
        ['a broken connection', [{ drop: true, times: 2 }], 'lofty could not be reached'],
        ['no answer in time', [{ delayMs: 5000 }], 'lofty did not answer in time'],
    ])
        it(`${name}: ${outcome}`, options, async () => {
            const one = await call({ crms: ['lofty'] });
            await lofty.order(...orders);
            assert.equal((await run(one.id, 'lofty')).outcome, outcome);
            assert.deepEqual(await effects(one.id), { lofty: outcome });
        });

    it('ids of 64 bits, and a summary of 2,000 characters', options, async () => {
        const one = await call({ crms: ['lofty'], notes: 'n'.repeat(3000) });
        await lofty.order({ headers: { 'content-type': 'application/json' }, body: '{"leads":[{"leadId":9007199254740993,"phones":["5120000001"]}]}' });
        assert.equal((await run(one.id, 'lofty')).outcome, 'ok');
        const [, note] = await lofty.requests();
        assert.equal([...note.body.content].length, 2000);
        const { requests } = { requests: await (await fetch(`${s.host.url}/sandbox/_requests?provider=lofty`)).text() };
        assert.match(requests, /9007199254740993/);
    });
});

describe('afterCall: Follow Up Boss', options, () => {
    for (const [values, outcome, personId] of [
        [{ status: 'completed' }, undefined, 5001],
        [{ status: 'failed' }, 'No Answer', 5001],
        [{ duration_seconds: 0 }, 'No Answer', 5001],
        [{ phone_number: '+15125550000', duration_seconds: null }, 'No Answer', 0],
        [{ status: 'appointment_set', duration_seconds: 0 }, 'Interested', 5001],
    ])
        it(`${JSON.stringify(values)}: ${outcome}`, options, async () => {
            const one = await call({ crms: ['followupboss'], ...values });
            assert.equal((await run(one.id, 'follow_up_boss')).outcome, 'ok');
            const [, log] = await boss.bodies();
            assert.deepEqual([log.outcome, log.personId], [outcome, personId]);
        });

    for (const [name, orders, outcome] of [
        ['the search fails', [{ status: 429, body: {} }], 'followupboss answered 429'],
        ['the log fails', [{ body: { people: [] } }, { status: 400, body: {} }], 'followupboss answered 400'],
        ['a broken connection', [{ drop: true, times: 2 }], 'followupboss could not be reached'],
    ])
        it(`${name}: ${outcome}`, options, async () => {
            const one = await call({ crms: ['follow_up_boss'] });
            await boss.order(...orders);
            assert.equal((await run(one.id, 'follow_up_boss')).outcome, outcome);
        });
});

describe('afterCall: what cannot be done', options, () => {
    it('no connection, no key, no number, no call', options, async () => {
        assert.equal((await run((await call()).id, 'lofty')).outcome, 'not_connected');
        assert.equal((await run((await call({ crms: ['follow_up_boss'], key: '' })).id, 'follow_up_boss')).outcome, 'reconnect_required');
        assert.equal((await run((await call({ crms: ['lofty'], phone_number: null })).id, 'lofty')).outcome, 'no_phone_number');
        assert.equal((await run('00000000-0000-4000-8000-000000000001', 'lofty')).outcome, 'call_gone');
    });
});

refusals(s, 'afterCall', {
    mode: 'service',
    body: { callLogId: '00000000-0000-4000-8000-000000000001', effect: 'lofty' },
    required: ['callLogId', 'effect'],
    wrong: { callLogId: NOT.uuid, effect: ['mail', 7], startTime: NOT.text },
    untouched: ['call_logs'],
});
