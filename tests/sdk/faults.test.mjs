/*
 * Functions with their 1st, 2nd, 3rd … allocation refused, until one passes untouched. After each: a clean answer,
 * nothing written by half, and nothing held.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { activeAgent } from '../support/activity.mjs';
import { post } from '../support/clients.mjs';
import { buildDirectory } from '../support/config.mjs';
import { Conversations } from '../support/conversations.mjs';
import { signed, user, VECTOR } from '../support/deliveries.mjs';
import { assertCleanAnswer, assertNothingHeld, holdings, refuseEachAllocation } from '../support/faults.mjs';
import { suite } from '../support/suite.mjs';
import { allEvents } from '../support/streams.mjs';
import { mint } from '../support/tokens.mjs';

const options = { timeout: 280000 };
const sanitized = /asan/.test(buildDirectory);
const MIB = 1024 * 1024;

/* Functions and test plugins in one directory, as a host has only one. */
const plugins = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-faults-'));
for (const from of ['functions', 'tests/plugins'])
    for (const name of fs.readdirSync(path.join(buildDirectory, from)).filter((entry) => entry.endsWith('.so')))
        fs.symlinkSync(path.join(buildDirectory, from, name), path.join(plugins, name));
after(() => fs.rmSync(plugins, { recursive: true }));

const faults = suite({
    functions: { computePulse: {}, copilotChat: {}, clerkWebhook: {}, echo: { auth: 'public' }, slow: { auth: 'public' } },
    server: { plugins, workers: 1 },
    env: { EDGE_TEST_FAULTS: '1', CLERK_WEBHOOK_SECRET: VECTOR.secret },
});

/* A person's token outlasts the loop, so that each round does the same. */
const signIn = async (id) => ({ token: await mint(id, { claims: { exp: Math.floor(Date.now() / 1000) + 3600 } }) });

/*
 * Both kinds of refusal, twice the first: by then caches and pools are filled, and what a round leaves behind shows
 * as growth. Under AddressSanitizer leaks are its own to find, at the host's end.
 */
async function torture(one) {
    const send = (headers) => one.send(headers);
    await refuseEachAllocation(faults.host, { ...one, send });
    const held = holdings(faults.host);
    const rounds = await refuseEachAllocation(faults.host, { ...one, send });
    await refuseEachAllocation(faults.host, { ...one, send, lasting: true });
    const now = await assertNothingHeld(faults.host, held);
    assert.ok(rounds >= 3, `${rounds} allocations were refused`);
    if (!sanitized) assert.ok(now.resident - held.resident < 2 * MIB, `${rounds} rounds: ${now.resident - held.resident} bytes more are resident`);
    return rounds;
}

const clean = (answer) => void assertCleanAnswer(answer);

describe('allocations refused', options, () => {
    it('echo', options, async () => {
        await torture({
            send: (headers) => post(faults.host, 'echo', { headers: { ...headers, 'x-test': 'yes' }, body: { list: [1, 2.5, 'three', { four: null }], text: 'x'.repeat(2000) } }),
            check: (answer) => assertCleanAnswer(answer) && assert.equal(answer.body.in.list.length, 4),
        });
    });

    it('slow: a wait, an allocation, work after the answer', options, async () => {
        await torture({ send: (headers) => post(faults.host, 'slow', { headers, body: { ms: 1, allocate: 5000, background: 1 } }), check: clean });
    });

    it('slow: a stream that fails in the middle ends with the error as its last event', options, async () => {
        const stream = async (headers) => {
            const answer = await fetch(`${faults.host.url}/functions/v1/slow`, {
                method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ events: 3, interval: 1 }),
            });
            if (!answer.headers.get('content-type').startsWith('text/event-stream')) return { status: answer.status, headers: answer.headers, body: await answer.json() };
            const all = await allEvents(answer);
            return { status: answer.status, headers: answer.headers, body: all.at(-1).data, events: all };
        };
        await torture({
            send: stream,
            check: ({ status, body, events }) => {
                const last = events?.at(-1).event;
                if (last === 'final') return assert.equal(events.length, 4);
                if (last !== undefined) assert.equal(last, 'error');
                assertCleanAnswer({ status: last === undefined ? status : 500, body });
            },
        });
    });

    it('computePulse: a snapshot is there as a whole or not at all', options, async () => {
        const id = await activeAgent(faults, { total: 12, completed: 9, recent: 4, goals: 1 });
        const signedIn = await signIn(id);
        await torture({
            send: (headers) => post(faults.host, 'computePulse', { ...signedIn, headers, body: {} }),
            check: async (answer) => {
                const rows = await faults.database.rows('SELECT score, metrics FROM pulse_engine_snapshots WHERE user_id = $1', [id]);
                const succeeded = assertCleanAnswer(answer);
                if (succeeded) assert.equal(answer.body.score, 57);
                assert.ok(rows.length >= (succeeded ? 1 : 0));
                for (const row of rows) {
                    assert.equal(Number(row.score), 57);
                    assert.equal(row.metrics.totalActions, 12);
                }
                await faults.database.rows('DELETE FROM pulse_engine_snapshots WHERE user_id = $1', [id]);
            },
        });
    });

    it('clerkWebhook: recorded and applied, or neither', options, async () => {
        let id, event;
        await torture({
            send: (headers) => {
                event = `msg_fault_${Math.random().toString(36).slice(2)}`;
                id = `user_${event}`;
                const body = JSON.stringify({ type: 'user.created', data: user(id) });
                return post(faults.host, 'clerkWebhook', { raw: body, headers: { ...signed(body, { id: event }), ...headers } });
            },
            check: async (answer) => {
                const succeeded = assertCleanAnswer(answer);
                const recorded = await faults.database.count('edge.webhook_events', 'event_id = $1', [event]);
                assert.equal(await faults.database.count('profiles', 'id = $1', [id]), recorded);
                assert.equal(await faults.database.count('user_onboarding', 'user_id = $1', [id]), recorded);
                if (succeeded) assert.equal(recorded, 1);
            },
        });
    });
});

describe('allocations refused: copilotChat', options, () => {
    const conversations = new Conversations(faults, 'copilot');
    let id, signedIn;
    before(async () => {
        id = await faults.agent();
        signedIn = await signIn(id);
    });

    it('a turn is stored as a whole or not at all', options, async () => {
        await torture({
            send: async (headers) => post(faults.host, 'copilotChat', { ...signedIn, headers, body: { userPrompt: 'How do I win listings?', currentTab: 'advisor' } }),
            check: async (answer) => {
                const succeeded = assertCleanAnswer(answer);
                const rows = await conversations.of(id);
                assert.ok(rows.length <= 1 && (!succeeded || rows.length === 1), `${rows.length} conversations`);
                for (const row of rows) assert.deepEqual(row.messages.map(({ role }) => role), ['user', 'assistant']);
                await faults.database.rows('DELETE FROM ai_agent_conversations WHERE user_id = $1', [id]);
            },
        });
    });

    it('a turn with a key: its lease is given back, or the log says why it has to run out', options, async () => {
        let from;
        const lost = ({ event }) => ['background_work_failed', 'background_work_lost', 'lease_release_failed'].includes(event);
        await torture({
            send: async (headers) => {
                from = faults.host.log.length;
                const more = { ...headers, 'idempotency-key': crypto.randomUUID() };
                return post(faults.host, 'copilotChat', { ...signedIn, headers: more, body: { userPrompt: 'And then?' } });
            },
            check: async (answer) => {
                const succeeded = assertCleanAnswer(answer);
                const rows = await conversations.of(id);
                assert.ok(rows.length <= 1 && (!succeeded || rows.length === 1), `${rows.length} conversations`);
                for (const row of rows) assert.deepEqual(row.messages.map(({ role }) => role), ['user', 'assistant']);
                if ((await conversations.leases()) > 0) assert.ok(faults.host.log.slice(from).some(lost), 'the lease is still there');
                await faults.database.rows('DELETE FROM ai_agent_conversations WHERE user_id = $1', [id]);
                await faults.database.rows('DELETE FROM edge.leases');
            },
        });
    });
});
