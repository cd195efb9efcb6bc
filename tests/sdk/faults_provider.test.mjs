/*
 * Functions whose 1st, 2nd, 3rd … call to a provider fails, in each of the ways that a call can, until one passes
 * untouched. After each: an answer that says so, nothing written by half, and nothing held.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';

import { post } from '../support/clients.mjs';
import { buildDirectory } from '../support/config.mjs';
import { Conversations } from '../support/conversations.mjs';
import { assertNothingHeld, holdings } from '../support/faults.mjs';
import { suite } from '../support/suite.mjs';

const options = { timeout: 280000 };
const CALLS_MAX = 20;

const plugins = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-faults-'));
for (const from of ['functions', 'tests/plugins'])
    for (const name of fs.readdirSync(path.join(buildDirectory, from)).filter((entry) => entry.endsWith('.so')))
        fs.symlinkSync(path.join(buildDirectory, from, name), path.join(plugins, name));
after(() => fs.rmSync(plugins, { recursive: true }));

const faults = suite({
    functions: { copilotChat: {}, fault_calls: { auth: 'public', timeout: '30s' } },
    providers: { lovable_ai: { first_byte_timeout: '500ms', silence_timeout: '500ms', timeout: '1500ms', retries: 0 } },
    server: { plugins, workers: 1 },
});

/* An order for the sandbox, and the codes that its call may end with. */
const ways = {
    /* Twice: what is safe to repeat is repeated once when no byte of an answer has come. */
    'no answer': [{ drop: true, times: 2 }, ['provider_unreachable', 'provider_error']],
    'server error': [{ status: 500, body: { error: { message: 'broken' } } }, ['provider_error']],
    'rate limit': [{ status: 429, headers: { 'retry-after': '3' }, body: {} }, ['provider_rate_limited']],
    'out of credits': [{ status: 402, body: {} }, ['out_of_credits']],
    refusal: [{ status: 400, body: { error: { message: 'bad question' } } }, ['provider_rejected']],
    'no JSON': [{ status: 200, headers: { 'content-type': 'application/json' }, body: '{"choices": [' }, ['provider_bad_response', 'bad_provider_output']],
    silence: [{ delayMs: 20000 }, ['provider_timeout']],
    'broken off': [{ truncateAfter: 1 }, ['provider_unreachable', 'provider_bad_response', 'provider_error', 'provider_interrupted']],
    'silent in the middle': [{ stallAfter: 1 }, ['provider_timeout', 'provider_interrupted']],
};

/* Fails the n-th call, n = 1, 2, …, until no n-th call is made; check(answer, n, reached) looks at what was left. */
async function failEachCall(order, send, check) {
    for (let n = 1; n <= CALLS_MAX; n++) {
        await faults.gateway.reset();
        await faults.gateway.order(...Array.from({ length: n - 1 }, () => ({})), order);
        const answer = await send();
        const calls = (await faults.gateway.requests()).length;
        await check(answer, n, calls >= n);
        if (calls < n) return n - 1;
    }
    throw new Error(`More than ${CALLS_MAX} calls`);
}

/* Every way in turn; send once before, so that the connections that stay are there already. */
function inEveryWay(send, check, calls) {
    for (const [way, [order, codes]] of Object.entries(ways))
        it(way, options, async () => {
            await send();
            const held = holdings(faults.host);
            const made = await failEachCall(order, send, (answer, n, reached) => check(answer, n, reached, codes));
            assert.equal(made, calls);
            await assertNothingHeld(faults.host, held);
        });
}

function assertProviderFailure({ status, body }, codes) {
    assert.ok(status >= 400 && status !== 500, `${status} ${body.code}`);
    assert.ok(codes.includes(body.code), `${status} ${body.code}, expected ${codes}`);
    assert.equal(typeof body.error, 'string');
    assert.equal(typeof body.requestId, 'string');
}

describe('four calls, one of them in a transaction', options, () => {
    let id;
    const send = () => {
        id = crypto.randomUUID();
        return post(faults.host, 'fault_calls', { body: { id } });
    };
    inEveryWay(send, async (answer, n, reached, codes) => {
        const rows = await faults.database.count('edge.webhook_events', "provider = 'fault_calls' AND event_id LIKE $1", [`${id}/%`]);
        /* A stream that says nothing but text is one: what "no JSON" spoils is for the function to notice. */
        if (answer.status === 200) assert.ok(!reached || (n === 2 && codes[0] === 'provider_bad_response'), `call ${n} failed, and nobody noticed`);
        else assertProviderFailure(answer, codes);
        assert.equal(rows, answer.status === 200 || n > 2 ? 2 : 0, `${rows} rows after call ${n}`);
    }, 4);
});

describe('copilotChat', options, () => {
    const conversations = new Conversations(faults, 'copilot');
    let id;
    const send = async () => {
        id = await faults.agent();
        return faults.call('copilotChat', id, { userPrompt: 'How do I win listings?' }, { headers: { 'idempotency-key': crypto.randomUUID() } });
    };
    inEveryWay(send, async (answer, n, reached, codes) => {
        const rows = await conversations.of(id);
        if (reached) assertProviderFailure(answer, codes);
        else assert.equal(answer.status, 200, JSON.stringify(answer.body));
        assert.equal(rows.length, reached ? 0 : 1);
        await conversations.leasesGivenBack();
    }, 1);
});
