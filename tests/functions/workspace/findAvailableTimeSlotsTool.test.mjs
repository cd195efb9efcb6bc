/*
 * findAvailableTimeSlotsTool (spec workspace.md): its examples, both changes of clocks, and random calendars against the
 * rules written down once more.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, refusals } from '../../support/refusals.mjs';
import { options } from '../../support/suite.mjs';
import { providerFailures, renewals } from '../../support/tool_failures.mjs';
import { assertFailed, connectionRefusals, toolSuite } from '../../support/tools.mjs';

const calendars = toolSuite(['findAvailableTimeSlotsTool'], 'google_workspace');
const google = () => calendars.provider('google_apis');
const body = { startDate: '2031-03-03', endDate: '2031-03-03' };
const busy = (...intervals) => intervals.map(([start, end]) => ({ start, end }));
const primary = (...intervals) => ({ body: { calendars: { primary: { busy: busy(...intervals) } } } });

async function find(asked, order) {
    const id = await calendars.connected();
    await google().reset();
    if (order) await google().order(order);
    const answer = await calendars.run(id, asked);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(await calendars.actions(id), []);
    return answer.body.data;
}

const clock = (iso) => iso.slice(11, 16);
const starts = (data) => data.availableSlots.map(({ start }) => clock(start));
const windows = (data) => data.freeWindows.map(({ start, end }) => `${clock(start)}-${clock(end)}`);

describe('findAvailableTimeSlotsTool', options, () => {
    it('1: a Monday with two appointments', options, async () => {
        const data = await find(body, primary(['2031-03-03T20:00:00Z', '2031-03-03T21:00:00Z'], ['2031-03-03T15:00:00Z', '2031-03-03T16:30:00Z']));
        assert.deepEqual(Object.keys(data), [
            'timeZone', 'duration', 'message', 'freeWindows', 'availableSlots', 'truncated', 'busyPeriods', 'unavailableCalendars',
        ]);
        assert.deepEqual(starts(data), [
            '13:00', '13:30', '14:00', '16:30', '17:00', '17:30', '18:00', '18:30', '19:00', '21:00', '21:30', '22:00', '22:30', '23:00', '23:30', '00:00',
        ]);
        assert.deepEqual(data.availableSlots[2], {
            start: '2031-03-03T14:00:00.000Z',
            end: '2031-03-03T15:00:00.000Z',
            startLocal: '2031-03-03T09:00:00-05:00',
            endLocal: '2031-03-03T10:00:00-05:00',
        });
        assert.deepEqual(windows(data), ['13:00-15:00', '16:30-20:00', '21:00-01:00']);
        assert.deepEqual(data.freeWindows[2].endLocal, '2031-03-03T20:00:00-05:00');
        assert.equal(data.timeZone, 'America/New_York');
        assert.equal(data.duration, 60);
        assert.equal(data.truncated, false);
        assert.match(data.message, /16/);
        assert.deepEqual(data.unavailableCalendars, []);
        assert.deepEqual(data.busyPeriods, [
            { start: '2031-03-03T15:00:00.000Z', end: '2031-03-03T16:30:00.000Z' },
            { start: '2031-03-03T20:00:00.000Z', end: '2031-03-03T21:00:00.000Z' },
        ]);
        const [request, ...others] = await google().requests();
        assert.equal(others.length, 0);
        assert.equal(`${request.method} ${request.path}`, 'POST /calendar/v3/freeBusy');
        assert.deepEqual(request.body, {
            timeMin: '2031-03-03T05:00:00Z',
            timeMax: '2031-03-04T05:00:00Z',
            timeZone: 'UTC',
            calendarExpansionMax: 50,
            items: [{ id: 'primary' }],
        });
    });

    it('2: within two hours, on the grid of the opening time', options, async () => {
        const data = await find({ startDate: '2031-03-03T09:10:00-05:00', endDate: '2031-03-03T11:00:00-05:00', duration: 30 });
        assert.deepEqual(starts(data), ['14:30', '15:00', '15:30']);
        assert.deepEqual(windows(data), ['14:10-16:00']);
    });

    it('3: spring forward', options, async () => {
        const data = await find({ startDate: '2031-03-09', endDate: '2031-03-09', businessHours: { start: '01:00', end: '04:00' } });
        assert.deepEqual(starts(data), ['06:00', '06:30', '07:00']);
        assert.deepEqual(windows(data), ['06:00-08:00']);
        assert.equal(data.availableSlots[1].startLocal, '2031-03-09T01:30:00-05:00');
        assert.equal(data.availableSlots[1].endLocal, '2031-03-09T03:30:00-04:00');
        const [{ body: asked }] = await google().requests();
        assert.deepEqual([asked.timeMin, asked.timeMax], ['2031-03-09T05:00:00Z', '2031-03-10T04:00:00Z']);
    });

    it('4: no business hours on the weekend', options, async () => {
        const data = await find({ startDate: '2031-03-01', endDate: '2031-03-02', businessHours: { days: [1, 2, 3, 4, 5] } });
        assert.deepEqual(data.availableSlots, []);
        assert.deepEqual(data.freeWindows, []);
    });

    it('fall back: four real hours from 1 to 4, from the first 01:00', options, async () => {
        const data = await find({ startDate: '2031-11-02', endDate: '2031-11-02', businessHours: { start: '01:00', end: '04:00' } });
        assert.deepEqual(windows(data), ['05:00-09:00']);
        assert.deepEqual(starts(data), ['05:00', '05:30', '06:00', '06:30', '07:00', '07:30', '08:00']);
        assert.deepEqual(data.availableSlots[1].startLocal, '2031-11-02T01:30:00-04:00');
        assert.deepEqual(data.availableSlots[1].endLocal, '2031-11-02T01:30:00-05:00');
        const [{ body: asked }] = await google().requests();
        assert.deepEqual([asked.timeMin, asked.timeMax], ['2031-11-02T04:00:00Z', '2031-11-03T05:00:00Z']);
    });

    it('times in a gap and times that come twice, in zones of half hours and of the south', options, async () => {
        for (const [timeZone, startDate, endDate, timeMin, timeMax] of [
            ['America/New_York', '2031-03-09T02:30', '2031-03-09T03:30:00-04:00', null, null],
            ['America/New_York', '2031-03-09 02:30', '2031-03-09T05:00', '2031-03-09T07:30:00Z', '2031-03-09T09:00:00Z'],
            ['America/New_York', '2031-11-02T01:30', '2031-11-02T02:00', '2031-11-02T05:30:00Z', '2031-11-02T07:00:00Z'],
            ['Australia/Lord_Howe', '2031-04-06T01:45', '2031-04-06T02:00', '2031-04-05T14:45:00Z', '2031-04-05T15:30:00Z'],
            ['Australia/Lord_Howe', '2031-10-05T02:15', '2031-10-05T03:00', '2031-10-04T15:45:00Z', '2031-10-04T16:00:00Z'],
            ['America/Santiago', '2031-09-07', '2031-09-07', '2031-09-07T04:00:00Z', '2031-09-08T03:00:00Z'],
            ['Asia/Kolkata', '2031-01-01T00:00', '2031-01-01T01:00', '2030-12-31T18:30:00Z', '2030-12-31T19:30:00Z'],
            ['Etc/GMT+5', '2031-01-01T00:00', '2031-01-01T01:00', '2031-01-01T05:00:00Z', '2031-01-01T06:00:00Z'],
            ['UTC', '2060-06-01T00:00:00.999+0530', '2060-06-01T00:00+05:00', '2060-05-31T18:30:00Z', '2060-05-31T19:00:00Z'],
        ]) {
            const asked = { timeZone, startDate, endDate, businessHours: false };
            if (timeMin === null) {
                assertFailed(await calendars.run(await calendars.connected(), asked), 400, 'invalid_input', 'endDate');
                continue;
            }
            await find(asked);
            const [{ body: sent }] = await google().requests();
            assert.deepEqual([sent.timeMin, sent.timeMax], [timeMin, timeMax], startDate);
        }
    });

    it("the user's zone, one that is none, the request's", options, async () => {
        const id = await calendars.connected();
        const zoneOf = async (more = {}) => (await calendars.run(id, { ...body, ...more })).body.data.timeZone;
        assert.equal(await zoneOf(), 'America/New_York');
        const prefer = (zone) => calendars.database.rows(
            `INSERT INTO user_preferences (user_id, timezone) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET timezone = $2`, [id, zone]);
        await prefer('America/Denver');
        assert.equal(await zoneOf(), 'America/Denver');
        assert.equal(await zoneOf({ timeZone: 'Asia/Tokyo' }), 'Asia/Tokyo');
        assert.equal(await zoneOf({ timeZone: '' }), 'America/Denver');
        for (const none of ['Mars/Olympus', 'PST', '../x', '', 'EST5FOO']) {
            await prefer(none);
            assert.equal(await zoneOf(), 'America/New_York', none);
        }
    });

    it('others: busy, unknown, missing, in another case', options, async () => {
        const asked = { ...body, attendees: 'Ann <ann@example.com>, bob@example.com, Eve@Example.com, ann@example.com' };
        const data = await find(asked, {
            body: {
                calendars: {
                    primary: { busy: busy(['2031-03-03T13:00:00Z', '2031-03-03T18:00:00Z']) },
                    'eve@example.com': { busy: busy(['2031-03-03T17:00:00+00:00', '2031-03-03T23:59:59.5Z']) },
                    'ann@example.com': { errors: [{ domain: 'global', reason: 'notFound' }], busy: busy(['2031-03-04T00:00:00Z', '2031-03-04T01:00:00Z']) },
                    'someone@else.com': { busy: busy(['2031-03-04T00:00:00Z', '2031-03-04T01:00:00Z']) },
                },
            },
        });
        assert.deepEqual(data.unavailableCalendars, [{ id: 'ann@example.com', reason: 'notFound' }, { id: 'bob@example.com', reason: 'missing' }]);
        assert.deepEqual(data.busyPeriods, [{ start: '2031-03-03T13:00:00.000Z', end: '2031-03-03T23:59:59.000Z' }]);
        assert.deepEqual(starts(data), ['00:00']);
        assert.deepEqual((await google().bodies())[0].items, [
            { id: 'primary' }, { id: 'ann@example.com' }, { id: 'bob@example.com' }, { id: 'Eve@Example.com' },
        ]);
        assert.equal((await find({ ...body, attendees: 'unknown@example.com' })).unavailableCalendars[0].reason, 'notFound');
    });

    it('the own calendar cannot be read, or busy times that are none', options, async () => {
        const id = await calendars.connected();
        for (const answer of [{}, { calendars: {} }, { calendars: { primary: { errors: [{ reason: 'internalError' }] } } }]) {
            await google().order({ body: answer });
            assertFailed(await calendars.run(id, body), 502, 'provider_error');
        }
        for (const interval of [{ start: 'x', end: '2031-03-03T13:00:00Z' }, { start: '2031-03-03T13:00:00Z' }]) {
            await google().order({ body: { calendars: { primary: { busy: [interval] } } } });
            assertFailed(await calendars.run(id, body), 502, 'provider_bad_response');
        }
    });

    it('touching is free, a buffer is kept, empty intervals count for nothing', options, async () => {
        const order = primary(
            ['2031-03-03T15:00:00Z', '2031-03-03T16:00:00Z'], ['2031-03-03T16:00:00Z', '2031-03-03T17:00:00Z'], ['2031-03-03T19:00:00Z', '2031-03-03T19:00:00Z'],
        );
        const data = await find({ ...body, stepMinutes: 60, businessHours: { start: '08:00', end: '15:00' } }, order);
        assert.deepEqual(starts(data), ['13:00', '14:00', '17:00', '18:00', '19:00']);
        assert.deepEqual(data.busyPeriods, [{ start: '2031-03-03T15:00:00.000Z', end: '2031-03-03T17:00:00.000Z' }]);
        const buffered = await find({ ...body, bufferMinutes: 30, businessHours: { start: '08:00', end: '15:00' } }, order);
        assert.deepEqual(windows(buffered), ['13:00-14:30', '17:30-20:00']);
        assert.deepEqual(starts(buffered), ['13:00', '13:30', '17:30', '18:00', '18:30', '19:00']);
        assert.deepEqual(buffered.busyPeriods, data.busyPeriods);
    });

    it('as many as asked for, and whether there are more', options, async () => {
        const asked = { ...body, businessHours: { start: '08:00', end: '12:00' } };
        const all = await find({ ...asked, maxSlots: 7 }), some = await find({ ...asked, maxSlots: 6 });
        assert.deepEqual([all.availableSlots.length, all.truncated], [7, false]);
        assert.deepEqual([some.availableSlots.length, some.truncated], [6, true]);
        assert.deepEqual(some.freeWindows, all.freeWindows);
    });

    it('nothing in the past', options, async () => {
        const now = Date.now();
        const data = await find({
            startDate: new Date(now - 3 * 3600e3).toISOString(), endDate: new Date(now + 3 * 3600e3).toISOString(), businessHours: false, stepMinutes: 5,
        });
        assert.ok(data.availableSlots.length > 0);
        for (const { start } of [...data.availableSlots, ...data.freeWindows]) assert.ok(Date.parse(start) >= now - 1000);
        assert.ok(Date.parse(data.availableSlots[0].start) < now + 5 * 60e3 + 10e3);
        assert.ok(Date.parse(data.freeWindows[0].start) < now + 10e3);
        const id = await calendars.connected();
        assertFailed(await calendars.run(id, { startDate: '2020-01-01', endDate: '2020-01-02' }), 400, 'invalid_input', 'endDate');
        assertFailed(await calendars.run(id, { ...body, endDate: '2031-03-02' }), 400, 'invalid_input', 'endDate');
    });

    it('61 days and no second more', options, async () => {
        const asked = { startDate: '2031-01-01T00:00:00Z', endDate: '2031-03-03T00:00:00Z', businessHours: false, stepMinutes: 5, maxSlots: 500 };
        const data = await find(asked);
        assert.deepEqual([data.availableSlots.length, data.truncated], [500, true]);
        assertFailed(await calendars.run(await calendars.connected(), { ...asked, endDate: '2031-03-03T00:00:01Z' }), 400, 'invalid_input', 'endDate');
    });

    it('random calendars follow the rules', options, async () => {
        let seed = 7;
        const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
        const S = Date.parse('2031-06-02T00:00:00Z'), E = S + 3 * 86400e3;
        for (let round = 0; round < 12; round++) {
            const intervals = Array.from({ length: random(12) }, () => {
                const start = S + random(3 * 288) * 300e3;
                return [start, start + random(48) * 300e3];
            });
            const duration = 5 * (1 + random(30)), stepMinutes = 5 + random(60), bufferMinutes = random(60);
            const open = random(600), close = open + 60 + random(700);
            const hm = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
            const days = [1, 2, 3].filter(() => random(3) > 0);
            const asked = {
                startDate: new Date(S).toISOString(), endDate: new Date(E).toISOString(), timeZone: 'UTC', duration, stepMinutes, bufferMinutes, maxSlots: 500,
                businessHours: { start: hm(open), end: hm(close), days: days.length ? days : [7] },
            };
            const data = await find(asked, primary(...intervals.map((pair) => pair.map((at) => new Date(at).toISOString()))));
            const real = intervals.filter(([a, b]) => b > a);
            const hit = (s, e) => real.some(([a, b]) => s < b + bufferMinutes * 60e3 && e > a - bufferMinutes * 60e3);
            const expected = [];
            for (let day = 0; day < 3; day++) {
                if (!asked.businessHours.days.includes(day + 1)) continue;
                const midnight = S + day * 86400e3;
                for (let s = midnight + open * 60e3; s + duration * 60e3 <= midnight + close * 60e3; s += stepMinutes * 60e3)
                    if (!hit(s, s + duration * 60e3)) expected.push(new Date(s).toISOString());
            }
            assert.deepEqual(data.availableSlots.map(({ start }) => start), expected, JSON.stringify(asked));
            for (const { start, end } of data.freeWindows) {
                assert.ok(!hit(Date.parse(start), Date.parse(end)));
                assert.ok(Date.parse(end) - Date.parse(start) >= duration * 60e3);
            }
            for (const { start, end } of data.availableSlots)
                assert.ok(data.freeWindows.some((window) => window.start <= start && window.end >= end), 'each slot lies in a free window');
        }
    });
});

const TIMES = ['tomorrow', '2031-02-30', '2031-03-03T24:00', '2031-03-03T25:00Z', '2031-03-03T10:00+15:00', '20310303'];
const hours = (more) => ({ start: '08:00', end: '20:00', ...more });
refusals(calendars, 'findAvailableTimeSlotsTool', {
    mode: 'user_or_service',
    body,
    required: ['startDate', 'endDate'],
    wrong: {
        startDate: [...NOT.text, ...TIMES],
        endDate: [...NOT.text, ...TIMES],
        duration: [...NOT.integer, 4, 1441],
        attendees: [7, {}, 'x', Array.from({ length: 50 }, (_, i) => `a${i}@example.com`)],
        timeZone: [...NOT.text, '../UTC', '/UTC', 'a b'],
        businessHours: [
            true, 7, 'x', [], hours({ start: '20:00' }), hours({ start: '8:00' }), hours({ end: '24:01' }), hours({ end: '12:60' }), hours({ end: 20 }),
            hours({ days: [] }), hours({ days: [0] }), hours({ days: [8] }), hours({ days: [1, 1] }), hours({ days: [1.5] }), hours({ days: ['1'] }),
            hours({ days: 'x' }), { start: '21:00' }, { end: '08:00' },
        ],
        stepMinutes: [...NOT.integer, 4, 241],
        bufferMinutes: [...NOT.integer, -1, 121],
        maxSlots: [...NOT.integer, 0, 501],
    },
});

describe('findAvailableTimeSlotsTool: limits', options, () => {
    it('at their bounds', options, async () => {
        for (const more of [
            { duration: 5 }, { duration: 1440 }, { stepMinutes: 5 }, { stepMinutes: 240 }, { bufferMinutes: 120 }, { maxSlots: 1 }, { maxSlots: 500 },
            { attendees: Array.from({ length: 49 }, (_, i) => `a${i}@example.com`) },
            { businessHours: { start: '00:00', end: '24:00', days: [1, 2, 3, 4, 5, 6, 7] } }, { businessHours: {} }, { businessHours: { days: null } },
        ])
            await find({ ...body, ...more });
        assert.equal((await find({ ...body, duration: 1440, businessHours: { start: '00:00', end: '24:00' } })).availableSlots.length, 1);
        assert.equal((await find({ ...body, timeZone: 'UTC', businessHours: false })).availableSlots[0].start, '2031-03-03T00:00:00.000Z');
    });
});
connectionRefusals(calendars, body);
providerFailures(calendars, 'google_apis', { body, reads: true, logs: false, needsId: false });
renewals(calendars, 'google_apis', 'google_oauth', { body, logs: false });
