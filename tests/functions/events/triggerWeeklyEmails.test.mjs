/*
 * triggerWeeklyEmails (spec events.md S6): its examples, the reporting window in local days, the mail, when it is due. The run
 * itself is triggerDailyEmails.run.test.mjs.
 */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';

import { Mails, functions, quick } from '../../support/mail.mjs';
import { refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'triggerWeeklyEmails';
const s = suite({ functions: { [NAME]: functions[NAME] }, env: quick });
const mails = new Mails(s, NAME);
const NOW = '2026-03-09T13:00:00Z'; /* Monday, 09:00 in New York */
const run = (body = {}) => mails.run({ now: NOW, ...body });
const VARIABLES = '{weeklyPulseTrend}|{pulseScore}|{completedActions}|{completionRate}|{weekRange}|{goalProgress}';

/* What the variables say in the only mail. */
async function variables(body) {
    await mails.template('weekly_email', VARIABLES, 'x');
    assert.equal((await run(body)).body.sent, 1);
    return (await mails.resend.bodies()).at(-1).subject.split('|');
}

describe(NAME, options, () => {
    beforeEach(() => mails.clear());

    it('examples: the week, its scores, completions by local midnights', options, async () => {
        await mails.reader({}, {}, 'user_a');
        await mails.score('user_a', '2026-03-02', 60);
        await mails.score('user_a', '2026-03-05', 90);
        await mails.score('user_a', '2026-03-08', 66);
        const done = (completed_at, due_date = '2026-01-01') => mails.action('user_a', { status: 'completed', completed_at, due_date });
        await done('2026-03-09T03:30:00Z');
        await done('2026-03-09T04:30:00Z');
        assert.deepEqual((await variables()).slice(0, 5), ['up', '66', '1 action completed', 'N/A', '2026-03-02 to 2026-03-08']);
        const [{ id, type, template, metadata }] = await mails.log('user_a');
        assert.deepEqual([id, type, template, metadata.period], ['cf702169-27bd-6196-a263-68eb0ea15c81', 'weekly', 'weekly_email', '2026-W11']);
        assert.deepEqual([metadata.pulseScore, metadata.weeklyTrend, metadata.completedActions], [66, 'up', 1]);
        assert.equal((await mails.resend.requests())[0].headers['idempotency-key'], 'weekly/user_a/2026-W11');
    });

    it('example: Sunday is not due', options, async () => {
        await mails.reader();
        assert.deepEqual((({ sent, notDue }) => [sent, notDue])((await run({ now: '2026-03-08T13:00:00Z' })).body), [0, 1]);
    });

    it('the window\'s edges: local midnights over a change of the clock, due dates, scores', options, async () => {
        /* The clock went forward on 8 March: the week begins at 05:00 UTC and ends at 04:00 UTC. */
        const user = await mails.reader();
        const done = (completed_at, due_date) => mails.action(user, { status: 'completed', completed_at, due_date });
        await done('2026-03-02T04:59:59Z', '2026-03-01');
        await done('2026-03-02T05:00:00Z', '2026-03-02');
        await done('2026-03-09T03:59:59.999Z', '2026-03-08');
        await done('2026-03-09T04:00:00Z', '2026-03-09');
        await mails.action(user, { due_date: '2026-03-05' });
        await mails.action(user, { due_date: '2026-03-05', status: 'skipped', completed_at: '2026-03-05T12:00:00Z' });
        await mails.score(user, '2026-03-01', 10);
        await mails.score(user, '2026-03-09', 99);
        assert.deepEqual((await variables()).slice(0, 4), ['No data yet', 'N/A', '2 actions completed', '50%']);
        const [{ metadata }] = await mails.log(user);
        assert.deepEqual([metadata.pulseScore, metadata.weeklyTrend], ['N/A', 'No data yet']);
    });

    for (const [planned, completed, rate] of [[3, 1, '33%'], [3, 2, '67%'], [8, 1, '13%'], [2, 5, '100%'], [0, 2, 'N/A'], [4, 0, '0%']])
        it(`${completed} completed, ${planned} planned: ${rate}`, options, async () => {
            const user = await mails.reader();
            for (let i = 0; i < planned; i++) await mails.action(user, { due_date: '2026-03-04' });
            for (let i = 0; i < completed; i++) await mails.action(user, { due_date: '2026-01-04', status: 'completed', completed_at: '2026-03-04T12:00:00Z' });
            const [, , done, told] = await variables();
            assert.deepEqual([done, told], [completed === 1 ? '1 action completed' : `${completed} actions completed`, rate]);
        });

    it('one score is flat, less is down', options, async () => {
        const user = await mails.reader();
        await mails.score(user, '2026-03-04', 60);
        assert.deepEqual((await variables()).slice(0, 2), ['flat', '60']);
        await mails.score(user, '2026-03-03', 70);
        await s.database.rows('DELETE FROM email_delivery_logs; DELETE FROM email_templates');
        await mails.resend.reset();
        assert.deepEqual((await variables()).slice(0, 2), ['down', '60']);
    });

    it('the built-in mail, in both parts', options, async () => {
        const user = await mails.reader({}, { full_name: 'Ann' });
        await mails.goal(user, { title: '<Deals>', target_value: 4, current_value: 1 });
        await mails.action(user, { due_date: '2026-03-04', status: 'completed', completed_at: '2026-03-04T12:00:00Z' });
        await mails.score(user, '2026-03-04', 60);
        await run();
        const [mail] = await mails.resend.bodies();
        assert.equal(mail.subject, 'Your weekly report: 2026-03-02 to 2026-03-08');
        assert.equal(mail.text.split('\n-- ')[0], [
            'Pulse AI', '', 'Hi Ann,', '', 'PULSE score', '60, trend: flat', '', 'Actions', '1 action completed', 'Completion rate: 100%', '',
            'Goals', '<Deals>: 25% complete', '', 'Open your dashboard: https://pulse.pwru.app/dashboard', '',
        ].join('\n'));
        assert.match(mail.html, /&lt;Deals&gt;: 25% complete/);
        assert.match(mail.html, /1 action completed<br>Completion rate: 100%/);
    });

    it('Mondays from 8 to 18 of the user\'s clock; once an ISO week', options, async () => {
        for (const [timezone, now, due, period] of [
            ['America/New_York', '2026-03-09T11:59:59Z', false],
            ['America/New_York', '2026-03-09T12:00:00Z', true, '2026-W11'],
            ['America/New_York', '2026-03-09T21:59:59Z', true, '2026-W11'],
            ['America/New_York', '2026-03-09T22:00:00Z', false],
            ['America/New_York', '2026-03-10T13:00:00Z', false],
            ['Pacific/Auckland', '2026-03-08T19:00:00Z', true, '2026-W11'],
            ['America/New_York', '2025-12-29T14:00:00Z', true, '2026-W01'], /* the ISO year */
            ['America/New_York', '2027-01-04T14:00:00Z', true, '2027-W01'],
        ]) {
            await mails.clear();
            const user = await mails.reader({ timezone });
            const { body } = await run({ now });
            assert.deepEqual([timezone, now, body.sent], [timezone, now, Number(due)]);
            if (due) assert.equal((await mails.log(user))[0].metadata.period, period);
        }
        await mails.clear();
        await mails.reader();
        const sent = [];
        for (const now of ['2026-03-09T12:20:00Z', '2026-03-09T21:20:00Z', '2026-03-16T12:20:00Z']) sent.push((await run({ now })).body.sent);
        assert.deepEqual(sent, [1, 0, 1]);
        assert.equal((await run({ now: '2026-03-18T02:00:00Z', force: true })).body.alreadySent, 1);
    });

    it('the switch is weekly reports', options, async () => {
        await mails.reader({ weekly_reports: false });
        await mails.reader({ daily_reminders: false, market_updates: false });
        assert.equal((await run()).body.considered, 1);
    });
});

refusals(s, NAME, { mode: 'service', wrong: { now: ['soon'] }, untouched: ['email_delivery_logs'], hostOptions: { functions: { [NAME]: functions[NAME] } } });
