/*
 * elevenLabsRolePlayWebhook (spec events.md): its examples, credits, transcripts and recordings, the evaluation that follows,
 * calls that never connected. What both of ElevenLabs' webhooks refuse is elevenLabsWebhook.refusals.test.mjs.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

import { Caller, nextConversation } from '../../support/calls.mjs';
import { eventually } from '../../support/host.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { Stage } from '../../support/role_play.mjs';
import { ELEVENLABS } from '../../support/senders.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';

const env = { ELEVENLABS_ROLEPLAY_WEBHOOK_SECRET: ELEVENLABS.secret, ELEVENLABS_WEBHOOK_SECRET: 'wsec_the_other_webhook' };
const s = suite({ functions: ['elevenLabsRolePlayWebhook', 'afterRolePlayCall', 'analyzeRolePlaySession'], env });
const stage = new Stage(s);
const caller = new Caller(s, 'elevenLabsRolePlayWebhook');
const model = s.provider('lovable_ai');
const DONE = { success: true };
const report = { content: JSON.stringify({ overall_score: 88, strengths: [], areas_for_improvement: [] }) };

/* A session that was started, of a Free user unless told otherwise. */
async function session({ credits, metadata = {}, status = 'initiated', conversation = nextConversation(), ...person } = {}) {
    const user = await stage.trainee({ credits, ...person });
    const [{ id }] = await s.database.rows(
        `INSERT INTO role_play_session_logs (user_id, status, conversation_id, call_sid, metadata) VALUES ($1, $2, $3, 'CA1', $4) RETURNING id`,
        [user, status, conversation, metadata],
    );
    return { id, user, conversation };
}
const silent = { transcript: [] };

describe('elevenLabsRolePlayWebhook: examples', options, () => {
    it('125 s, no prepayment: three credits', options, async () => {
        const one = await session({ credits: 20 });
        const { status, body } = await caller.send(caller.ended(one.conversation, { seconds: 125, ...silent }));
        assert.deepEqual([status, body], [200, DONE]);
        assert.deepEqual(await stage.credits(one.user), { available: 17, used: 3 });
        const ledger = await stage.ledger(one.user);
        assert.deepEqual(ledger.map(({ type, amount }) => [type, amount]), [['opening_balance', 20], ['debit', -3]]);
        const { balance_after, metadata } = ledger[1];
        assert.deepEqual(
            [balance_after, metadata.conversation_id, metadata.session_id, metadata.minutes, metadata.uncollected, metadata.idempotency_key],
            [17, one.conversation, one.id, 3, 0, `roleplay/minutes/${one.id}`],
        );
        const again = await caller.send(caller.ended(one.conversation, { seconds: 125, ...silent }));
        assert.deepEqual(again.body, { success: true, duplicate: true });
        assert.deepEqual(await stage.credits(one.user), { available: 17, used: 3 });
    });

    it('ten credits prepaid: nothing is charged', options, async () => {
        const one = await session({ credits: 20, metadata: { prepaid_credits: 10 } });
        await caller.send(caller.ended(one.conversation, { seconds: 125, ...silent }));
        assert.deepEqual([await stage.credits(one.user), await stage.ledger(one.user)], [{ available: 20, used: 0 }, []]);
    });

    it('two credits: they go, one is uncollected', options, async () => {
        const one = await session({ credits: 2 });
        await caller.send(caller.ended(one.conversation, { seconds: 125, ...silent }));
        assert.deepEqual(await stage.credits(one.user), { available: 0, used: 2 });
        const { type, amount, balance_after, metadata } = (await stage.ledger(one.user)).at(-1);
        assert.deepEqual([type, amount, balance_after, metadata.uncollected], ['debit', -2, 0, 1]);
    });

    it('a paid tier: no change', options, async () => {
        const one = await session({ credits: 20, subscription_tier: 'Subscriber' });
        await caller.send(caller.ended(one.conversation, { seconds: 125, ...silent }));
        assert.deepEqual([await stage.credits(one.user), await stage.ledger(one.user)], [{ available: 20, used: 0 }, []]);
    });
});

describe('elevenLabsRolePlayWebhook: credits', options, () => {
    for (const [seconds, minutes] of [[0, 0], [0.9, 0], [-5, 0], [1, 1], [60, 1], [60.9, 1], [61, 2], ['61', 0], [null, 0]])
        it(`${JSON.stringify(seconds)} s: ${minutes} minutes`, options, async () => {
            const one = await session({ credits: 20 });
            await caller.send(caller.ended(one.conversation, { seconds, ...silent }));
            assert.equal((await stage.credits(one.user)).available, 20 - minutes);
        });

    it('beyond what was prepaid, the minutes', options, async () => {
        const one = await session({ credits: 20, metadata: { prepaid_credits: 10 } });
        await caller.send(caller.ended(one.conversation, { seconds: 661, ...silent }));
        assert.equal((await stage.credits(one.user)).available, 18);
    });

    it('no credits: no ledger row, the session says what was not collected', options, async () => {
        const one = await session({ credits: 0 });
        await caller.send(caller.ended(one.conversation, { seconds: 125, ...silent }));
        assert.deepEqual(await stage.ledger(one.user), []);
        assert.equal((await stage.session(one.id)).metadata.uncollected, 3);
    });

    it('no row of credits: none is made', options, async () => {
        const one = await session();
        await caller.send(caller.ended(one.conversation, silent));
        assert.equal(await stage.credits(one.user), undefined);
        assert.equal((await stage.session(one.id)).status, 'completed');
    });

    it('a call taken for failed that was not: what was given back does not count', options, async () => {
        const one = await session({ credits: 20, status: 'failed', metadata: { prepaid_credits: 10 } });
        await caller.send(caller.ended(one.conversation, { seconds: 125, ...silent }));
        assert.equal((await stage.credits(one.user)).available, 17);
        assert.equal((await stage.session(one.id)).status, 'completed');
    });

    it('eight deliveries at once, on two workers: charged once', options, async () => {
        const one = await session({ credits: 20 });
        const answers = await Promise.all(Array.from({ length: 8 }, () => caller.send(caller.ended(one.conversation, silent))));
        assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(200));
        assert.equal(answers.filter(({ body }) => body.duplicate).length, 7);
        assert.deepEqual(await stage.credits(one.user), { available: 18, used: 2 });
    });

    it('1,000 deliveries of 100 calls: each is charged once', options, async () => {
        const calls = await Promise.all(Array.from({ length: 100 }, () => session({ credits: 20 })));
        const queue = Array.from({ length: 1000 }, (_, i) => calls[(i * 61) % 100]);
        const deliver = async () => {
            for (let one; (one = queue.pop()); ) assert.equal((await caller.send(caller.ended(one.conversation, silent))).status, 200);
        };
        await Promise.all(Array.from({ length: 16 }, deliver));
        const users = calls.map(({ user }) => user);
        assert.equal(await s.database.count('user_credits', 'user_id = ANY($1) AND credits_available = 18', [users]), 100);
        assert.equal(await s.database.count('credit_transactions', `user_id = ANY($1) AND transaction_type = 'debit'`, [users]), 100);
    });
});

describe('elevenLabsRolePlayWebhook: the session', options, () => {
    it('transcript, length, end and summary; then the evaluation', options, async () => {
        const one = await session({ metadata: { scenario_name: 'kept' } });
        await model.order(report);
        const event = caller.ended(one.conversation, { seconds: 90.7, metadata: { start_time_unix_secs: 1773144000, cost: 5 }, analysis: { transcript_summary: 'Good' } });
        assert.deepEqual((await caller.send(event)).body, DONE);
        const row = await stage.session(one.id);
        assert.deepEqual(
            [row.status, row.session_duration_seconds, row.transcript, row.ended_at.toISOString(), row.call_sid],
            ['completed', 90, event.data.transcript, '2026-03-10T12:01:30.000Z', 'CA1'],
        );
        assert.deepEqual(row.metadata, { scenario_name: 'kept', conversation_summary: event.data.metadata, analysis: { transcript_summary: 'Good' } });
        const [stored] = await eventually(async () => {
            const rows = await s.database.rows('SELECT * FROM role_play_analysis_reports WHERE session_id = $1', [one.id]);
            return rows.length && rows;
        }, 'the report');
        assert.deepEqual([stored.overall_score, stored.user_id], [88, one.user]);
        assert.equal((await stage.session(one.id)).metadata.analysis_error, undefined);
    });

    it('an evaluation that fails is only noted', options, async () => {
        const one = await session();
        await model.order({ status: 500, body: {} });
        await caller.send(caller.ended(one.conversation));
        const error = await eventually(async () => (await stage.session(one.id)).metadata.analysis_error, 'the error');
        assert.match(error, /^ai_failed: /);
        const job = () => s.database.row(`SELECT attempts, finished_at, last_error FROM edge.jobs WHERE payload ->> 'sessionId' = $1`, [one.id]);
        await eventually(async () => (await job()).finished_at, 'the end of the job');
        assert.deepEqual([(await job()).attempts, (await job()).last_error], [1, null]);
    });

    for (const [name, data] of [['failed', { status: 'failed' }], ['silent', silent], ['null', { transcript: null }]])
        it(`${name}: not evaluated`, options, async () => {
            const one = await session();
            await caller.send(caller.ended(one.conversation, data));
            assert.equal((await stage.session(one.id)).status, data.status ?? 'completed');
            assert.equal(await s.database.count('edge.jobs', `payload ->> 'sessionId' = $1`, [one.id]), 0);
        });

    it('a report that overtakes our own note of the call: found by its variables', options, async () => {
        const [one, other] = [await session({ conversation: null }), await session({ conversation: null })];
        const variables = (values) => ({ conversation_initiation_client_data: { dynamic_variables: values }, ...silent });
        const send = (conversation, values) => caller.send(caller.ended(conversation, variables(values)));
        for (const values of [{ session_id: one.id, user_id: other.user }, { session_id: one.id }, { session_id: 'none', user_id: one.user }, { user_id: one.user }])
            assert.deepEqual((await send('conv_late', values)).body, { success: true, ignored: true, reason: 'unknown_conversation' });
        assert.equal(await caller.recorded('post_call_transcription:conv_late'), 0, 'a later delivery may find it');
        assert.deepEqual((await send('conv_late', { session_id: one.id, user_id: one.user })).body, DONE);
        const row = await stage.session(one.id);
        assert.deepEqual([row.conversation_id, row.status], ['conv_late', 'completed']);
    });

    it('older flat payloads', options, async () => {
        const one = await session({ credits: 20 });
        await caller.send({ event_type: 'post_call_transcription', type: 'x', conversation_id: one.conversation, call_sid: 'CA2', transcript: 'Hi', metadata: { call_duration_secs: 30 }, data: { conversation_id: 'conv_other', metadata: { call_duration_secs: 600 } } });
        const row = await stage.session(one.id);
        assert.deepEqual([row.session_duration_seconds, row.transcript, row.call_sid], [30, 'Hi', 'CA2']);
        assert.equal((await stage.credits(one.user)).available, 19);
    });

    it('initiation metadata: merged; a call\'s id only when there is one', options, async () => {
        const one = await session({ metadata: { kept: 1 } });
        const send = (data) => caller.send({ type: 'conversation_initiation_metadata', conversation_id: one.conversation, ...data });
        await send({ data: { a: 1 } });
        assert.deepEqual([(await stage.session(one.id)).metadata, (await stage.session(one.id)).call_sid], [{ kept: 1, initiation: { a: 1 } }, 'CA1']);
        await send({ data: { callSid: 'CA3' } });
        await send({ metadata: { b: 2 } });
        assert.deepEqual([(await stage.session(one.id)).metadata.initiation, (await stage.session(one.id)).call_sid], [{ b: 2 }, 'CA3']);
        assert.equal((await send({ metadata: { b: 2 } })).body.duplicate, true);
        assert.equal((await stage.session(one.id)).status, 'initiated');
    });

    it('U+0000 in what was said does not make it undeliverable', options, async () => {
        const one = await session();
        await caller.send(caller.ended(one.conversation, { transcript: [{ role: 'user', message: 'a\u0000b' }], status: 'failed' }));
        assert.deepEqual((await stage.session(one.id)).transcript, [{ role: 'user', message: 'ab' }]);
    });
});

describe('elevenLabsRolePlayWebhook: calls that never connected', options, () => {
    const failure = (conversation_id, data = {}) => ({ type: 'call_initiation_failure', data: { conversation_id, failure_reason: 'busy', metadata: { type: 'twilio' }, ...data } });

    it('failed, and the prepayment is given back once', options, async () => {
        const one = await session({ credits: 20, metadata: { prepaid_credits: 10 } });
        assert.deepEqual((await caller.send(failure(one.conversation))).body, DONE);
        const row = await stage.session(one.id);
        assert.deepEqual([row.status, row.metadata], ['failed', { prepaid_credits: 10, failure_reason: 'busy', failure_detail: { type: 'twilio' } }]);
        assert.ok(row.ended_at);
        assert.equal((await stage.credits(one.user)).available, 30);
        await caller.send(failure(one.conversation));
        await s.database.rows('DELETE FROM edge.webhook_events WHERE event_id LIKE $1', [`%${one.conversation}`]);
        assert.deepEqual((await caller.send(failure(one.conversation))).body, DONE);
        assert.equal((await stage.credits(one.user)).available, 30);
        assert.deepEqual((await stage.ledger(one.user)).map(({ type, amount }) => [type, amount]), [['opening_balance', 20], ['refund', 10]]);
    });

    it('a call that timed out for us, found by its variables', options, async () => {
        const one = await session({ credits: 0, status: 'pending_initiation', conversation: null, metadata: { prepaid_credits: 10 } });
        await caller.send(failure('conv_timed_out', { failure_reason: undefined, conversation_initiation_client_data: { dynamic_variables: { session_id: one.id, user_id: one.user } } }));
        assert.deepEqual([(await stage.session(one.id)).metadata.failure_reason, (await stage.credits(one.user)).available], ['unknown', 10]);
    });

    for (const status of ['completed', 'failed'])
        it(`${status} already: nothing changes`, options, async () => {
            const one = await session({ credits: 20, status, metadata: { prepaid_credits: 10 } });
            const before = await stage.session(one.id);
            await caller.send(failure(one.conversation));
            assert.deepEqual([await stage.session(one.id), (await stage.credits(one.user)).available], [before, 20]);
        });
});

describe('elevenLabsRolePlayWebhook: recordings and the rest', options, () => {
    const storage = () => path.join(s.host.directory, 'storage');
    const audio = (conversation_id, full_audio) => ({ type: 'post_call_audio', data: { conversation_id, full_audio } });

    it('a recording is stored, and the row names it', options, async () => {
        await withHost({ functions: ['elevenLabsRolePlayWebhook'], database: s.database.url, env: { ...env, STORAGE_DIR: fs.mkdtempSync(storage()) } }, async (host) => {
            const one = await session();
            const bytes = Buffer.from('ID3 not really music');
            assert.deepEqual((await caller.send(audio(one.conversation, bytes.toString('base64')), { host })).body, DONE);
            const { recording_url } = await stage.session(one.id);
            assert.equal(recording_url, `${one.user}/role-play/${one.id}.mp3`);
            assert.equal((await caller.send(audio(one.conversation, bytes.toString('base64')), { host })).body.duplicate, true);
            assertRefused(await caller.send(audio((await session()).conversation, 'no base64!'), { host }), 400, 'invalid_audio');
            const none = await session();
            assert.equal((await caller.send(audio(none.conversation), { host })).body.reason, 'no_audio');
            assert.equal((await caller.send(audio(none.conversation), { host })).body.duplicate, true);
            assert.equal((await caller.send(audio('conv_nobody', 'AAAA'), { host })).body.reason, 'unknown_conversation');
        });
    });

    it('types that are not acted on are recorded', options, async () => {
        for (const event of [{ type: 'conversation_update', data: {} }, { type: 'agent_updated' }]) {
            assert.deepEqual((await caller.send(event)).body, { success: true, ignored: true, reason: 'unhandled_type' });
            assert.equal((await caller.send(event)).body.duplicate, true);
        }
    });

    it('its own secret; the other webhook\'s only while it has none', options, async () => {
        const one = await session();
        const other = { secret: env.ELEVENLABS_WEBHOOK_SECRET };
        assertRefused(await caller.send(caller.ended(one.conversation, silent), other), 401, 'invalid_signature');
        await withHost({ functions: ['elevenLabsRolePlayWebhook'], database: s.database.url, env: { ...env, ELEVENLABS_ROLEPLAY_WEBHOOK_SECRET: '' } }, async (host) =>
            assert.equal((await caller.send(caller.ended(one.conversation, silent), { ...other, host })).status, 200));
    });
});
