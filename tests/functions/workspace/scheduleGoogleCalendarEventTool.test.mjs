/*
 * scheduleGoogleCalendarEventTool (spec workspace.md).
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { describe, it } from 'node:test';

import { NOT, refusals } from '../../support/refusals.mjs';
import { options } from '../../support/suite.mjs';
import { providerFailures, renewals } from '../../support/tool_failures.mjs';
import { assertFailed, connectionRefusals, idempotency, toolSuite } from '../../support/tools.mjs';

const events = toolSuite(['scheduleGoogleCalendarEventTool'], 'google_workspace');
const google = () => events.provider('google_apis');
const body = { title: 'Showing', startTime: '2031-01-15T14:00:00-08:00', endTime: '2031-01-15T15:00:00-08:00' };
const EVENTS = '/calendar/v3/calendars/primary/events';

const preferring = async (zone) => {
    const id = await events.connected();
    await events.database.rows('INSERT INTO user_preferences (user_id, timezone) VALUES ($1, $2)', [id, zone]);
    return id;
};

async function scheduled(more, id) {
    id ??= await events.connected();
    await google().reset();
    const answer = await events.run(id, { ...body, ...more });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const [request] = await google().requests();
    return { id, data: answer.body.data, request, sent: request?.body };
}

describe('scheduleGoogleCalendarEventTool', options, () => {
    it('1: times with an offset, nobody invited', options, async () => {
        const { id, data, request, sent } = await scheduled({});
        assert.equal(`${request.method} ${request.path}`, `POST ${EVENTS}`);
        assert.deepEqual(request.query, {});
        assert.deepEqual(sent, {
            summary: 'Showing',
            start: { dateTime: '2031-01-15T14:00:00-08:00', timeZone: 'America/New_York' },
            end: { dateTime: '2031-01-15T15:00:00-08:00', timeZone: 'America/New_York' },
        });
        assert.deepEqual(Object.keys(data), ['eventId', 'eventLink', 'title', 'startTime', 'endTime', 'message', 'timeZone', 'meetLink', 'allDay']);
        assert.deepEqual({ ...data, eventId: 0, eventLink: 0, message: 0 }, {
            eventId: 0, eventLink: 0, title: 'Showing', startTime: body.startTime, endTime: body.endTime, message: 0,
            timeZone: 'America/New_York', meetLink: null, allDay: false,
        });
        const [row] = await events.actions(id);
        assert.equal(row.action_type, 'scheduleGoogleCalendarEvent');
        assert.equal(row.status, 'success');
        assert.equal(row.resource_url, data.eventLink);
        assert.deepEqual(row.action_data.request, { ...body, timeZone: 'America/New_York', attendees: [] });
    });

    it("2: wall-clock times in the user's zone", options, async () => {
        const { sent, data } = await scheduled(
            { startTime: '2031-07-01 09:30', endTime: '2031-07-01T10:00' }, await preferring('America/Denver'));
        assert.deepEqual(sent.start, { dateTime: '2031-07-01T09:30:00', timeZone: 'America/Denver' });
        assert.deepEqual(sent.end, { dateTime: '2031-07-01T10:00:00', timeZone: 'America/Denver' });
        assert.equal(data.timeZone, 'America/Denver');
    });

    it('3: whole days, the last one included', options, async () => {
        const { sent, data } = await scheduled({ startTime: '2031-07-04', endTime: '2031-07-05' });
        assert.deepEqual(sent.start, { date: '2031-07-04' });
        assert.deepEqual(sent.end, { date: '2031-07-06' });
        assert.equal(data.allDay, true);
        assert.deepEqual([data.startTime, data.endTime], ['2031-07-04', '2031-07-06']);
        assert.deepEqual((await scheduled({ startTime: '2032-02-28', endTime: '2032-02-28' })).sent.end, { date: '2032-02-29' });
    });

    it('4: an end before the start', options, async () => {
        const id = await events.connected();
        assertFailed(await events.run(id, { ...body, endTime: '2031-01-15T16:30:00-05:00' }), 400, 'invalid_input', 'endTime');
        assert.deepEqual(await google().requests(), []);
        assert.deepEqual(await events.actions(id), []);
    });

    it('how times are written', options, async () => {
        const { sent } = await scheduled({ startTime: '2031-01-15T14:00:07.123456z', endTime: '2031-01-15 15:00-0800' });
        assert.equal(sent.start.dateTime, '2031-01-15T14:00:07Z');
        assert.equal(sent.end.dateTime, '2031-01-15T15:00:00-08:00');
    });

    it('everything an event may have', options, async () => {
        const { sent, request, data } = await scheduled({
            title: ' Showing ', description: ' Bring keys \n', location: ' 12 Oak St ', attendees: ['Ann Lee <ann@example.com>', 'bob@example.com'],
            timeZone: 'Europe/Paris', addMeetLink: true,
        });
        assert.deepEqual(request.query, { sendUpdates: 'all', conferenceDataVersion: '1' });
        const { requestId, ...create } = sent.conferenceData.createRequest;
        assert.match(requestId, /^[0-9a-f-]{36}$/);
        assert.deepEqual(create, { conferenceSolutionKey: { type: 'hangoutsMeet' } });
        assert.deepEqual(sent.attendees, [{ email: 'ann@example.com', displayName: 'Ann Lee' }, { email: 'bob@example.com' }]);
        assert.equal(sent.summary, 'Showing');
        assert.equal(sent.description, ' Bring keys \n');
        assert.equal(sent.location, '12 Oak St');
        assert.equal(sent.start.timeZone, 'Europe/Paris');
        assert.equal(data.meetLink, 'https://meet.google.com/abc-mnop-xyz');
    });

    it('who is told', options, async () => {
        for (const [more, query] of [
            [{ attendees: 'a@example.com', sendUpdates: 'none' }, { sendUpdates: 'none' }],
            [{ attendees: 'a@example.com', sendUpdates: '' }, { sendUpdates: 'all' }],
            [{ sendUpdates: 'externalOnly', addMeetLink: true }, { sendUpdates: 'externalOnly', conferenceDataVersion: '1' }],
            [{ attendees: ' , ', addMeetLink: true }, { conferenceDataVersion: '1' }],
        ])
            assert.deepEqual((await scheduled(more)).request.query, query);
    });

    it('a dry run', options, async () => {
        const { id, data, request } = await scheduled({ dryRun: true, attendees: 'a@example.com' });
        assert.equal(request, undefined);
        assert.deepEqual({ ...data, message: 0 }, {
            dryRun: true,
            wouldSend: {
                sendUpdates: 'all',
                event: {
                    summary: 'Showing',
                    start: { dateTime: body.startTime, timeZone: 'America/New_York' },
                    end: { dateTime: body.endTime, timeZone: 'America/New_York' },
                    attendees: [{ email: 'a@example.com' }],
                },
            },
            message: 0,
        });
        assert.equal((await scheduled({ dryRun: true })).data.wouldSend.sendUpdates, null);
        assert.deepEqual(await events.actions(id), []);
    });

    it('an answer that got lost: the event that is there is the answer', options, async () => {
        const id = await events.connected();
        const keyed = { ...body, idempotencyKey: 'visit-1' };
        const eventId = `pe${crypto.createHash('sha256').update(`${id}\nvisit-1`).digest('hex').slice(0, 40)}`;
        const first = await events.run(id, keyed);
        assert.equal(first.body.data.eventId, eventId);
        assert.equal((await google().bodies())[0].id, eventId);
        await events.database.rows('DELETE FROM ai_actions_log WHERE user_id = $1', [id]);
        const second = await events.run(id, keyed);
        assert.equal(second.status, 200, JSON.stringify(second.body));
        assert.deepEqual(second.body.data, { ...first.body.data, replayed: true });
        assert.deepEqual((await google().requests()).map(({ method, path }) => `${method} ${path}`), [
            `POST ${EVENTS}`, `POST ${EVENTS}`, `GET ${EVENTS}/${eventId}`,
        ]);
        const [row] = await events.actions(id);
        assert.equal(row.status, 'success');
    });

    it('409 without a key is a failure', options, async () => {
        const id = await events.connected();
        await google().order({ status: 409, body: { error: { code: 409, message: 'The requested identifier already exists.' } } });
        assertFailed(await events.run(id, body), 422, 'provider_rejected');
    });

    it('ends on both sides of a change of clocks', options, async () => {
        const zone = { timeZone: 'America/New_York' };
        const id = await events.connected();
        const refused = async (startTime, endTime) =>
            assertFailed(await events.run(id, { ...body, ...zone, startTime, endTime }), 400, 'invalid_input', 'endTime');
        /* 02:30 is not there in spring: it is 03:30. */
        await refused('2031-03-09T02:30', '2031-03-09T03:30');
        await refused('2031-03-09T03:00', '2031-03-09T02:00');
        await scheduled({ ...zone, startTime: '2031-03-09T02:30', endTime: '2031-03-09T03:31' });
        /* 01:30 comes twice in autumn: it is the first. */
        await refused('2031-11-02T01:30', '2031-11-02T01:30:00-04:00');
        await scheduled({ ...zone, startTime: '2031-11-02T01:30', endTime: '2031-11-02T01:30:00-05:00' });
    });

    it('limits', options, async () => {
        const id = await events.connected();
        await scheduled({ startTime: '2031-01-01T00:00Z', endTime: '2032-01-02T00:00Z' });
        await scheduled({ startTime: '2031-01-01', endTime: '2032-01-01' });
        const people = (count) => Array.from({ length: count }, (_, i) => `a${i}@example.com`);
        await scheduled({ title: 'é'.repeat(1024), description: 'é'.repeat(8192), location: 'é'.repeat(1024), attendees: people(200) });
        for (const [startTime, endTime] of [
            ['2031-01-01T00:00Z', '2032-01-02T00:00:01Z'], ['2031-01-01', '2032-01-02'], ['2031-01-02', '2031-01-01'],
            ['2031-01-01T00:00Z', '2031-01-01T00:00Z'], ['2031-01-01', '2031-01-02T00:00'], ['2031-01-01T10:00', '2031-01-01'],
        ])
            assertFailed(await events.run(id, { ...body, startTime, endTime }), 400, 'invalid_input', 'endTime');
        assertFailed(await events.run(id, { ...body, timeZone: 'Mars/Olympus' }), 400, 'invalid_input', 'timeZone');
    });
});

refusals(events, 'scheduleGoogleCalendarEventTool', {
    mode: 'user_or_service',
    body,
    required: ['title', 'startTime', 'endTime'],
    wrong: {
        title: [...NOT.text, ' ', 'x'.repeat(1025)],
        startTime: [...NOT.text, 'noon', '2031-02-29', '2031-01-15T14:00 -08:00'],
        endTime: [...NOT.text, 'noon', '2031-01-16'],
        description: [...NOT.text, 'x'.repeat(8193), ' '.repeat(8193)],
        location: [...NOT.text, 'x'.repeat(1025)],
        attendees: [7, {}, 'x', Array.from({ length: 201 }, (_, i) => `a${i}@example.com`)],
        timeZone: [...NOT.text, '../UTC', 'x y'],
        sendUpdates: [...NOT.text, 'some'],
        addMeetLink: NOT.boolean,
        dryRun: NOT.boolean,
        idempotencyKey: NOT.text,
    },
    untouched: ['ai_actions_log'],
});
connectionRefusals(events, body);
idempotency(events, 'google_apis', { body, again: { ...body, title: 'Other' }, type: 'scheduleGoogleCalendarEvent' });
providerFailures(events, 'google_apis', { body });
renewals(events, 'google_apis', 'google_oauth', { body });
