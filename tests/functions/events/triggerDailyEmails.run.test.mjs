/*
 * A mail run (spec events.md S6), whichever mail it sends: two hosts at the same second, a worker killed in the middle, what
 * Resend may answer, the rate, the time budget. What counts is what Resend's stand-in took, by idempotency key.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { workers } from '../../support/faults.mjs';
import { eventually, startHost } from '../../support/host.mjs';
import { Mails, functions, quick } from '../../support/mail.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'triggerDailyEmails';
const only = { [NAME]: functions[NAME] };
const s = suite({ functions: only, env: quick, server: { workers: 1 }, providers: { resend: { first_byte_timeout: '400ms' } } });
const mails = new Mails(s, NAME);
const now = '2026-03-10T11:30:00Z';
const run = (host, more = {}) => mails.run({ now, ...more }, host);
let second;

const another = (more = {}) => startHost({
    functions: only, database: s.database.url, server: { workers: 1 }, env: { ...quick, RESEND_BASE_URL: `${s.host.url}/sandbox/resend`, ...more },
});

async function readers(count) {
    await s.database.rows(`INSERT INTO profiles (id, email, full_name) SELECT 'user_' || i, 'user_' || i || '@example.com', 'Person ' || i FROM generate_series(1, $1::int) AS i`, [count]);
    await s.database.rows(`INSERT INTO user_preferences (user_id) SELECT id FROM profiles`);
}

/* Keys by which Resend took mails; each is one mail, however often it was asked. */
const keys = async () => new Set((await mails.resend.requests()).map(({ headers }) => headers['idempotency-key']));
const statuses = () => s.database.rows(
    `SELECT metadata ->> 'status' AS status, count(*)::int AS count FROM email_delivery_logs GROUP BY 1 ORDER BY 1`);

describe('a mail run', options, () => {
    before(async () => { second = await another(); }, options);
    after(() => second?.stop(), options);
    beforeEach(() => mails.clear());

    it('300 users, two hosts at the same second: each once', options, async () => {
        await readers(300);
        const answers = await Promise.all([run(s.host, { batchSize: 100 }), run(second), run(s.host), run(second)]);
        const bodies = answers.map(({ body }) => body);
        assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200]);
        for (const { status, considered } of bodies) assert.deepEqual([status, considered], status === 'completed' ? ['completed', 300] : ['already_running', 0]);
        assert.equal(bodies.reduce((sum, { sent }) => sum + sent, 0), 300);
        assert.deepEqual([(await mails.resend.requests()).length, (await keys()).size], [300, 300]);
        assert.deepEqual(await statuses(), [{ status: 'sent', count: 300 }]);
        assert.equal((await run(second)).body.alreadySent, 300);
        assert.equal(await s.database.count('edge.leases'), 0);
    });

    it('two runs although only one should be: each user once', options, async () => {
        await readers(60);
        await mails.resend.order({ delayMs: 20, times: 0 });
        const first = run(s.host);
        await mails.resend.arrived(5);
        await s.database.rows('DELETE FROM edge.leases');
        const bodies = (await Promise.all([first, run(second)])).map(({ body }) => body);
        assert.deepEqual(bodies.map(({ considered }) => considered), [60, 60]);
        assert.equal(bodies[0].sent + bodies[1].sent, 60);
        assert.ok(bodies[1].sent > 0, JSON.stringify(bodies));
        for (const { sent, alreadySent, skipped } of bodies) assert.equal(sent + alreadySent + skipped, 60);
        assert.equal((await mails.resend.requests()).length, 60);
    });

    it('a worker killed in the middle: the next run goes on, nobody gets two', options, async () => {
        await readers(40);
        const host = await another();
        try {
            await mails.resend.order({ delayMs: 40, times: 0 });
            const broken = run(host).catch(() => 'broken');
            await mails.resend.arrived(15);
            process.kill(workers(host)[0], 'SIGKILL');
            assert.equal(await broken, 'broken');
            assert.equal((await run(second)).body.status, 'already_running');
            await s.database.rows(`UPDATE edge.leases SET expires_at = now() - interval '1 second'`);
            const stuck = (await statuses()).find(({ status }) => status === 'sending').count;
            const next = (await run(second)).body;
            assert.deepEqual([next.sent + next.alreadySent, next.skippedReasons], [40 - stuck, { claimed_elsewhere: stuck }]);
            assert.ok(next.alreadySent > 0);

            await s.database.rows(`UPDATE email_delivery_logs SET metadata = metadata || jsonb_build_object('claimedAt', now() - interval '14 minutes') WHERE metadata ->> 'status' = 'sending'`);
            assert.equal((await run(second)).body.skipped, stuck);
            await s.database.rows(`UPDATE email_delivery_logs SET metadata = metadata || jsonb_build_object('claimedAt', now() - interval '16 minutes') WHERE metadata ->> 'status' = 'sending'`);
            const last = (await run(second)).body;
            assert.deepEqual([last.sent, last.alreadySent, last.status], [stuck, 40 - stuck, 'completed']);
            assert.equal((await keys()).size, 40);
            assert.equal(await s.database.count('email_delivery_logs', `metadata ->> 'attempts' = '2'`), stuck);
        } finally {
            await host.stop({ crashes: true });
        }
    });

    it('one is refused: the others get theirs, and it is not tried again', options, async () => {
        await readers(5);
        await mails.resend.order({ status: 422, body: { statusCode: 422, name: 'validation_error', message: 'Invalid `to` field' } });
        const { status, body } = await run(s.host);
        assert.deepEqual([status, body.status, body.sent, body.failed], [200, 'partial', 4, 1]);
        const [{ userId, code, error }] = body.failures;
        assert.deepEqual([code, error], ['email_rejected', 'Invalid `to` field']);
        const [{ sent_at: sent, metadata }] = await mails.log(userId);
        assert.deepEqual([sent, metadata.status, metadata.permanent, metadata.lastError], [null, 'failed', true, 'Invalid `to` field']);
        const again = (await run(s.host)).body;
        assert.deepEqual([again.sent, again.alreadySent, again.skippedReasons], [0, 4, { claimed_elsewhere: 1 }]);
        assert.equal((await mails.resend.requests()).length, 5);
    });

    for (const [title, order, code] of [
        ['500', { status: 500, body: { message: 'broken' } }, 'provider_failed'],
        ['a broken connection', { drop: true }, 'provider_failed'],
        ['no answer', { delayMs: 1000 }, 'provider_failed'],
        ['429', { status: 429, body: { message: 'Too many requests' } }, 'rate_limited'],
    ])
        it(`${title}: four attempts, and the next run sends it`, options, async () => {
            await readers(2);
            await mails.resend.order(...Array(4).fill(order));
            const first = await run(s.host, { userIds: ['user_1'] });
            assertRefused(first, 502, 'all_sends_failed');
            assert.deepEqual([first.body.sent, first.body.failed, first.body.status, first.body.failures[0].userId, first.body.failures[0].code], [0, 1, 'partial', 'user_1', code]);
            assert.equal((await mails.resend.requests()).length, 4);
            assert.equal((await mails.log('user_1'))[0].metadata.permanent, false);
            assert.equal((await run(s.host)).body.sent, 2);
            const [{ sent_at: sent, metadata }] = await mails.log('user_1');
            assert.deepEqual([metadata.status, metadata.attempts, metadata.lastError], ['sent', 2, undefined]);
            assert.ok(sent);
            assert.equal((await keys()).size, 2);
        });

    it('after five failed runs it is left alone', options, async () => {
        await readers(2);
        for (let i = 1; i <= 6; i++) {
            if (i <= 5) await mails.resend.order(...Array(4).fill({ status: 500, body: {} }));
            const { body } = await run(s.host, { userIds: ['user_1'] });
            assert.deepEqual([body.failed, body.skipped], i <= 5 ? [1, 0] : [0, 1]);
            /* An answer, so that failures in a row do not open the circuit breaker. */
            await s.database.rows(`DELETE FROM email_delivery_logs WHERE user_id = 'user_2'`);
            assert.equal((await run(s.host, { userIds: ['user_2'] })).body.sent, 1);
        }
        assert.equal((await mails.log('user_1'))[0].metadata.attempts, 5);
    });

    it('delivered, all answers lost, and the figures change: not delivered again', options, async () => {
        await readers(1);
        await mails.resend.order(...Array(4).fill({ truncateAfter: 3 }));
        assert.equal((await run(s.host)).body.failed, 1);
        await mails.score('user_1', '2026-03-10', 50);
        const { body } = await run(s.host);
        assert.equal(body.sent, 1);
        const [{ metadata }] = await mails.log('user_1');
        assert.deepEqual([metadata.status, metadata.providerMessageId], ['sent', null]);
        assert.equal((await keys()).size, 1);
    });

    it('no faster than the setting, and four at a time', options, async () => {
        await readers(26);
        const host = await another({ RESEND_MAX_RPS: '20' });
        try {
            assert.equal((await run(host)).body.sent, 26);
            const at = (await mails.resend.requests()).map((request) => Date.parse(request.at)).sort((a, b) => a - b);
            assert.ok(at.at(-1) - at[0] >= 1200, `26 requests in ${at.at(-1) - at[0]} ms`);
        } finally {
            await host.stop();
        }
        await mails.clear();
        await mails.resend.reset();
        await readers(12);
        await mails.resend.order({ delayMs: 150, times: 0 });
        const running = run(s.host).then(({ body }) => body);
        let most = 0, done = false;
        running.then(() => (done = true));
        await eventually(async () => {
            most = Math.max(most, (await mails.resend.requests()).filter(({ ended }) => !ended).length);
            return done;
        }, 'the run');
        assert.deepEqual([most, (await running).sent], [4, 12]);
    });

    it('no more time: what is in flight is finished, the next runs go on', options, async () => {
        await readers(40);
        const host = await another({ EMAIL_RUN_BUDGET_MS: '300' });
        try {
            await mails.resend.order({ delayMs: 60, times: 0 });
            const first = (await run(host, { batchSize: 30 })).body;
            assert.deepEqual([first.hasMore, first.status], [true, 'partial']);
            assert.ok(first.sent > 0 && first.sent < 40, `${first.sent}`);
            assert.equal(first.considered, first.sent);
            assert.deepEqual(await statuses(), [{ status: 'sent', count: first.sent }]);
            for (let i = 0; i < 20 && (await run(host)).body.hasMore; i++);
            assert.deepEqual(await statuses(), [{ status: 'sent', count: 40 }]);
            assert.equal((await mails.resend.requests()).length, 40);
        } finally {
            await host.stop();
        }
    });

    it('settings: sender, address of the pages, postal address; without a key nothing but a dry run', options, async () => {
        await readers(1);
        const host = await another({ RESEND_FROM_EMAIL: 'Pulse <p@example.com>', APP_URL: 'https://app.example/', EMAIL_POSTAL_ADDRESS: '1 Main St\nAustin, TX <78701>' });
        try {
            await run(host);
        } finally {
            await host.stop();
        }
        const [mail] = await mails.resend.bodies();
        assert.equal(mail.from, 'Pulse <p@example.com>');
        assert.deepEqual(mail.headers, { 'List-Unsubscribe': '<https://app.example/settings?tab=notifications>' });
        assert.match(mail.html, /1 Main St<br>Austin, TX &lt;78701&gt;/);
        assert.match(mail.text, /https:\/\/app.example\/to-do\n[^]*\n1 Main St\nAustin, TX <78701>\n$/);

        const without = await another({ RESEND_API_KEY: null });
        try {
            const answer = await run(without);
            assertRefused(answer, 503, 'not_configured');
            assert.match(answer.body.error, /RESEND_API_KEY/);
            assert.equal((await run(without, { dryRun: true })).status, 200);
        } finally {
            await without.stop();
        }
    });

    it('a dry run beside a run', options, async () => {
        await readers(8);
        await mails.resend.order({ delayMs: 100, times: 0 });
        const running = run(s.host);
        await mails.resend.arrived(1);
        const { body } = await run(second, { dryRun: true });
        assert.deepEqual([body.status, body.considered], ['completed', 8]);
        assert.equal((await running).body.sent, 8);
    });
});
