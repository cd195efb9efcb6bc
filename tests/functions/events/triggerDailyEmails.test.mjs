/*
 * triggerDailyEmails (spec events.md S6): its examples, what the mail says, who gets it and when, over changes of the clock.
 * Runs that meet, fail or are killed are triggerDailyEmails.run.test.mjs.
 */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';

import { Mails, functions, quick } from '../../support/mail.mjs';
import { NOT, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'triggerDailyEmails';
const s = suite({ functions: { [NAME]: functions[NAME] }, env: quick });
const mails = new Mails(s, NAME);
const NOW = '2026-03-10T11:30:00Z'; /* 07:30 in New York */
const run = (body = {}) => mails.run({ now: NOW, ...body });
const counted = ({ sent, failed, skipped, alreadySent, notDue, considered }) => ({ sent, failed, skipped, alreadySent, notDue, considered });

describe(NAME, options, () => {
    beforeEach(() => mails.clear());

    it('example: due in New York, not in Los Angeles; an hour later it was sent', options, async () => {
        await mails.reader({}, {}, 'user_a');
        await mails.reader({ timezone: 'America/Los_Angeles' });
        const { status, body } = await run();
        assert.equal(status, 200, JSON.stringify(body));
        assert.deepEqual(counted(body), { sent: 1, failed: 0, skipped: 0, alreadySent: 0, notDue: 1, considered: 2 });
        assert.deepEqual([body.status, body.hasMore, body.skippedReasons, body.failures, body.preview, typeof body.durationMs],
            ['completed', false, {}, [], undefined, 'number']);
        const [{ id, type, template, sent_at: sent, metadata }] = await mails.log('user_a');
        assert.deepEqual([id, type, template, metadata.status, metadata.period, metadata.attempts], ['329b2757-67c3-a248-9151-00e2ffaea8d6', 'daily', 'daily_email', 'sent', '2026-03-10', 1]);
        assert.deepEqual([metadata.actionCount, metadata.pulseScore], [0, 'N/A']);
        assert.ok(Math.abs(sent - Date.now()) < 60000, 'sent_at is the clock\'s');
        const [{ headers, body: mail }] = await mails.resend.requests();
        assert.equal(headers['idempotency-key'], 'daily/user_a/2026-03-10');
        assert.deepEqual([mail.to, mail.tags, mail.headers], [['user_a@example.com'], [{ name: 'email_type', value: 'daily' }],
            { 'List-Unsubscribe': '<https://pulse.pwru.app/settings?tab=notifications>' }]);

        const again = await run({ now: '2026-03-10T12:30:00Z' });
        assert.deepEqual(counted(again.body), { sent: 0, failed: 0, skipped: 0, alreadySent: 1, notDue: 1, considered: 2 });
        assert.equal((await mails.resend.requests()).length, 1);
    });

    it('example: goals in percent; a template\'s subject', options, async () => {
        const user = await mails.reader({}, { full_name: 'Ann Lee' });
        await mails.goal(user, { title: 'Calls', target_value: 20, current_value: 7, deadline: '2026-04-01' });
        await mails.goal(user, { title: 'Deals', target_value: 8, current_value: 9, deadline: '2026-05-01' });
        await mails.action(user, {});
        await mails.action(user, {});
        await mails.score(user, '2026-03-08', 70);
        await mails.score(user, '2026-03-10', 74);
        await mails.template('daily_email', '{firstName}: {actionCount} / {pulseScore} {pulseTrend}', '<p>{goalsSummary}</p>', '{goalsSummary}');
        await run();
        const [mail] = await mails.resend.bodies();
        assert.equal(mail.subject, 'Ann: 2 / 74 up');
        assert.match(mail.html, /^<p>Calls: 35% complete<br>Deals: 100% complete<\/p><div/);
        assert.match(mail.text, /^Calls: 35% complete\nDeals: 100% complete\n\n-- \n/);
    });

    it('the built-in mail: sections in order, in both parts, escaped', options, async () => {
        const user = await mails.reader({}, { full_name: ' <Ann>  Lee ' });
        const add = (title, more) => mails.action(user, { title, ...more });
        await add('low', { priority: 'low' });
        await add('none', { priority: null });
        await add('late', { priority: 'high', scheduled_time: '14:05' });
        await add('<i>early</i> & "more"', { priority: 'high', scheduled_time: '09:00', category: "o'clock" });
        await add('first\nline', { priority: 'high' });
        await add('middle', { priority: 'medium', status: null });
        for (const status of ['completed', 'skipped', 'cancelled']) {
            await add(`is ${status}`, { status });
            await add(`was ${status}`, { status, due_date: '2026-03-01' });
        }
        await add('tomorrow', { due_date: '2026-03-11' });
        await add('overdue', { due_date: '2026-03-09', status: 'in_progress' });
        await mails.score(user, '2026-03-09', 60);
        await mails.score(user, '2026-03-11', 99);
        await run();
        const [mail] = await mails.resend.bodies();
        assert.equal(mail.subject, 'Your PULSE plan for 2026-03-10');
        assert.equal(mail.text, [
            'Pulse AI', '', 'Hi <Ann>,', '', 'PULSE score', '60', '', "Today's actions",
            '• 9:00 AM – <i>early</i> & "more" (o\'clock)', '• 2:05 PM – late (calls)', '• first line (calls)', '• middle (calls)', '• low (calls)', '• none (calls)',
            '', 'Overdue', '1 action is overdue.', '', 'Goals', 'You have no active goals yet.',
            '', "Open today's plan: https://pulse.pwru.app/to-do", '', '-- ',
            'You get this mail because daily reminders are switched on in your Pulse AI settings.',
            'Change or stop these mails: https://pulse.pwru.app/settings?tab=notifications', '',
        ].join('\n'));
        assert.match(mail.html, /^<!DOCTYPE html><html lang="en">/);
        assert.match(mail.html, /Hi &lt;Ann&gt;,/);
        assert.match(mail.html, /• 9:00 AM – &lt;i&gt;early&lt;\/i&gt; &amp; &quot;more&quot; \(o&#39;clock\)<br>• 2:05 PM – late/);
        assert.match(mail.html, /<a href="https:\/\/pulse.pwru.app\/to-do"/);
        assert.match(mail.html, /<a href="https:\/\/pulse.pwru.app\/settings\?tab=notifications"/);
        assert.match(mail.html, /max-width:600px/);
        assert.doesNotMatch(mail.html, /<(table|i|script)\b/);
        const [{ metadata }] = await mails.log(user);
        assert.deepEqual([metadata.actionCount, metadata.pulseScore], [6, 60]);
    });

    it('twenty actions, then how many more; five goals by deadline; lines that say none', options, async () => {
        const [busy, idle] = [await mails.reader(), await mails.reader({}, { full_name: null })];
        for (let i = 1; i <= 23; i++) await mails.action(busy, { title: `Task ${i}`, scheduled_time: `08:${String(i).padStart(2, '0')}` });
        const goal = (title, more) => mails.goal(busy, { title, ...more });
        await goal('no deadline');
        await goal('c', { deadline: '2026-06-01', target_value: 0, current_value: 5 });
        await goal('b', { deadline: '2026-05-01', target_value: 200, current_value: 1 });
        await goal('a', { deadline: '2026-04-01', target_value: 10, current_value: -3 });
        await goal('old', { deadline: '2026-01-01', status: 'completed' });
        await goal('d', { deadline: '2026-07-01', target_value: 10, current_value: null });
        await goal('too many');
        await mails.score(busy, '2026-03-01', 80);
        await mails.score(busy, '2026-03-10', 75);
        await mails.template('daily_email', '{firstName} {overdueCount} {actionCount} {pulseTrend} {pulseScore}', 'x', '{actionList}|{goalsSummary}|{unknown}|{preferencesUrl}');
        await run();
        const texts = Object.fromEntries((await mails.resend.bodies()).map(({ to: [to], subject, text }) => [to, [subject, text]]));
        const tasks = Array.from({ length: 20 }, (_, i) => `• Task ${i + 1} (calls)`).join('\n');
        const link = 'https://pulse.pwru.app/settings?tab=notifications';
        assert.deepEqual(texts[`${busy}@example.com`], ['Person 0 23 down 75',
            `${tasks}\n+3 more|a: 0% complete\nb: 1% complete\nc\nd\nno deadline||${link}`]);
        assert.deepEqual(texts[`${idle}@example.com`], ['there 0 0 flat N/A', `Nothing is scheduled for today.|You have no active goals yet.||${link}`]);
    });

    it('templates: braces of style sheets stay, links and footers', options, async () => {
        await mails.reader({}, { full_name: '<Ann> {firstName}' });
        const html = '<html><style>p { color: red } .a{b:c}</style><body><p>{firstName} {9x} {a-b} {</p></BODY></html>';
        await mails.template('daily_email', 'Hi {firstName}{missing}', html);
        await run();
        let [mail] = await mails.resend.bodies();
        assert.equal(mail.subject, 'Hi <Ann>');
        assert.match(mail.html, /^<html><style>p \{ color: red \} \.a\{b:c\}<\/style><body><p>&lt;Ann&gt; \{9x\} \{a-b\} \{<\/p><div .*tab=notifications.*<\/div><\/BODY><\/html>$/);
        assert.match(mail.text, /^Pulse AI\n\nHi <Ann>,\n/, 'no text in the template: the built-in one');

        await mails.clear();
        await mails.resend.reset();
        await mails.reader();
        await mails.template('daily_email', 'S', '<p><a href="{unsubscribeUrl}">stop</a></p>', 'plain');
        await run();
        [mail] = await mails.resend.bodies();
        assert.equal(mail.html, '<p><a href="https://pulse.pwru.app/settings?tab=notifications">stop</a></p>');
        assert.match(mail.text, /^plain\n\n-- \nYou get this mail/);

        await mails.clear();
        await mails.resend.reset();
        await mails.reader();
        await mails.template('daily_email', 'inactive', 'x', 'x', false);
        await run();
        assert.equal((await mails.resend.bodies())[0].subject, 'Your PULSE plan for 2026-03-10');
    });

    it('who gets it: both switches on, an address, a row of preferences', options, async () => {
        const wanted = await mails.reader({ timezone: null });
        await mails.reader({ daily_reminders: false });
        await mails.reader({ email_notifications: false });
        await mails.reader({ daily_reminders: null });
        await mails.reader({ weekly_reports: false, market_updates: false, timezone: 'Mars/Olympus' });
        await mails.reader({ timezone: 'EST5EDT4,junk' }, { email: '  ' });
        await mails.reader({}, { email: null });
        await s.agent();
        const { body } = await run();
        assert.deepEqual([counted(body), body.skippedReasons], [{ sent: 2, failed: 0, skipped: 2, alreadySent: 0, notDue: 0, considered: 4 }, { no_email: 2 }]);
        assert.ok((await mails.subjects()).some(([to]) => to === `${wanted}@example.com`));
    });

    it('local hours, over changes of the clock, in zones of all kinds', options, async () => {
        for (const [zone, now, due, period] of [
            ['America/New_York', '2026-03-07T11:59:59Z', false],
            ['America/New_York', '2026-03-07T12:00:00Z', true, '2026-03-07'], /* EST */
            ['America/New_York', '2026-03-08T10:59:59Z', false],
            ['America/New_York', '2026-03-08T11:00:00Z', true, '2026-03-08'], /* EDT since 2 o'clock */
            ['America/New_York', '2026-03-08T15:59:59Z', true, '2026-03-08'],
            ['America/New_York', '2026-03-08T16:00:00Z', false],
            ['America/New_York', '2026-10-31T11:00:00Z', true, '2026-10-31'],
            ['America/New_York', '2026-11-01T11:00:00Z', false], /* EST again: six o'clock */
            ['America/New_York', '2026-11-01T12:00:00Z', true, '2026-11-01'],
            ['America/New_York', '2026-11-01T16:59:59Z', true, '2026-11-01'],
            ['Asia/Kolkata', '2026-03-10T01:29:00Z', false],
            ['Asia/Kolkata', '2026-03-10T01:30:00Z', true, '2026-03-10'],
            ['Pacific/Auckland', '2026-03-09T18:00:00Z', true, '2026-03-10'], /* tomorrow there */
            ['Australia/Lord_Howe', '2026-04-04T20:29:00Z', false], /* back by half an hour that night */
            ['Australia/Lord_Howe', '2026-04-04T20:30:00Z', true, '2026-04-05'],
            ['Pacific/Kiritimati', '2026-03-10T17:00:00+00:00', true, '2026-03-11'],
        ]) {
            await mails.clear();
            const user = await mails.reader({ timezone: zone });
            const { body } = await mails.run({ now });
            assert.deepEqual([zone, now, body.sent, body.notDue], [zone, now, Number(due), Number(!due)]);
            if (due) assert.equal((await mails.log(user))[0].metadata.period, period);
        }
    });

    it('one a day: an hour that comes twice, and the next day', options, async () => {
        await mails.reader();
        const sent = [];
        for (const now of ['2026-10-31T11:10:00Z', '2026-10-31T15:10:00Z', '2026-11-01T12:10:00Z', '2026-11-01T13:10:00Z', '2026-11-02T12:10:00Z'])
            sent.push((await mails.run({ now })).body.sent);
        assert.deepEqual(sent, [1, 0, 1, 0, 1]);
    });

    it('force: at any hour, still once; userIds: these only', options, async () => {
        const [a, b] = [await mails.reader(), await mails.reader()];
        const night = { now: '2026-03-10T05:00:00Z' };
        assert.equal((await mails.run(night)).body.notDue, 2);
        const only = (await mails.run({ ...night, force: true, userIds: [b, 'user_unknown'] })).body;
        assert.deepEqual([only.sent, only.considered], [1, 1]);
        assert.deepEqual(await mails.log(a), []);
        const { body } = await mails.run({ ...night, force: true });
        assert.deepEqual([body.sent, body.alreadySent], [1, 1]);
    });

    it('dryRun: a preview, and nothing else', options, async () => {
        const users = [];
        for (let i = 0; i < 53; i++) users.push(await mails.reader());
        await mails.reader({ timezone: 'America/Los_Angeles' });
        const { body } = await run({ dryRun: true, batchSize: 10 });
        assert.deepEqual(counted(body), { sent: 0, failed: 0, skipped: 0, alreadySent: 0, notDue: 1, considered: 54 });
        assert.equal(body.preview.length, 50);
        assert.deepEqual(Object.keys(body.preview[0]), ['userId', 'subject', 'period']);
        assert.deepEqual([body.preview[0].subject, body.preview[0].period], ['Your PULSE plan for 2026-03-10', '2026-03-10']);
        assert.deepEqual([await mails.resend.requests(), await s.database.count('email_delivery_logs')], [[], 0]);
    });

    it('nobody: an empty run', options, async () => {
        assert.deepEqual(counted((await run()).body), { sent: 0, failed: 0, skipped: 0, alreadySent: 0, notDue: 0, considered: 0 });
        assert.equal((await mails.run(undefined)).status, 200);
    });
});

refusals(s, NAME, {
    mode: 'service',
    wrong: {
        now: [...NOT.text, 'soon', '2026-02-30T00:00:00Z'], force: NOT.boolean, dryRun: NOT.boolean, batchSize: [0, 501, 1.5, '7'],
        userIds: [...NOT.array, [], Array(501).fill('u')], 'userIds[1]': [['u', 7]],
    },
    untouched: ['email_delivery_logs'],
    hostOptions: { functions: { [NAME]: functions[NAME] } },
});
