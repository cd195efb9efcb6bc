/*
 * elevenLabsTTS (spec ai.md): voices, speech whole and streamed, and every refusal of the provider.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { eventually } from '../../support/host.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { Sandbox } from '../../support/sandbox.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'elevenLabsTTS';
const ai = suite({ functions: [NAME] });
const call = async (body, id) => ai.call(NAME, id ?? (await ai.agent()), body);
const provider = () => ai.provider('elevenlabs');
const pieces = (...texts) => texts.map((text) => Buffer.from(text).toString('base64'));
const voiceOf = async (body, id) => {
    const answer = await call({ text: 'Hello', ...body }, id);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal((await provider().requests()).at(-1).path, `/v1/text-to-speech/${answer.body.voiceId}`);
    return answer.body.voiceId;
};
const stream = async (body, headers = {}, more = {}) =>
    fetch(`${ai.host.url}/functions/v1/${NAME}`, {
        method: 'POST', headers: { authorization: `Bearer ${await mint('user_a')}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ text: 'Hello', ...body }), ...more,
    });

describe(`${NAME}: examples`, options, () => {
    it('1: bytes in base64, what is sent', options, async () => {
        await provider().order({ pieces: pieces('A', 'B') });
        const { status, body } = await call({ text: 'Hello', persona: 'seller' });
        assert.deepEqual([status, body], [200, { success: true, audioBase64: 'QUI=', audioData: 'QUI=', mimeType: 'audio/mpeg', voiceId: 'FGY2WhTYpPnrIDTdsKH5' }]);
        const [request] = await provider().requests();
        assert.deepEqual([request.method, request.path, request.query], ['POST', '/v1/text-to-speech/FGY2WhTYpPnrIDTdsKH5', {}]);
        assert.deepEqual(request.body, { text: 'Hello', model_id: 'eleven_turbo_v2_5', voice_settings: { stability: 0.5, similarity_boost: 0.75 } });
        assert.deepEqual([request.headers.accept, request.headers['content-type'], request.headers['xi-api-key']], ['audio/mpeg', 'application/json', 'test-elevenlabs-api-key']);
        assert.equal(request.headers.authorization, undefined);
    });

    it('2: voices by keyword, in the order of the table; keys go first', options, async () => {
        for (const [persona, voice] of [
            ['Nervous First-Time couple', '9BWtsMINqrJLrRacOk9x'], ['Motivated seller and investor', 'IKne3meq5aSn9XLyUdCD'],
            ['first_time_buyer', '9BWtsMINqrJLrRacOk9x'], ['luxury_buyer', 'EXAVITQu4vr4xnSDxMaL'], ['somebody', 'EXAVITQu4vr4xnSDxMaL'], [undefined, 'EXAVITQu4vr4xnSDxMaL'],
        ])
            assert.equal(await voiceOf({ persona }), voice, persona);
    });

    it("voiceId goes before the agent's voice, which goes before the persona's", options, async () => {
        const id = await ai.agent();
        await ai.database.rows(`INSERT INTO agent_config (user_id, agent_type, voice_id) VALUES ($1, 'content_agent', 'AgentVoice0001'), ($1, 'lead_concierge', '')`, [id]);
        assert.equal(await voiceOf({ voiceId: 'GivenVoice0001', agentType: 'content_agent', persona: 'seller' }, id), 'GivenVoice0001');
        assert.equal(await voiceOf({ agentType: 'content_agent', persona: 'seller' }, id), 'AgentVoice0001');
        assert.equal(await voiceOf({ agentType: 'lead_concierge', persona: 'seller' }, id), 'FGY2WhTYpPnrIDTdsKH5');
        assert.equal(await voiceOf({ agentType: 'content_agent', persona: 'seller' }), 'FGY2WhTYpPnrIDTdsKH5', "somebody else's");
    });

    it('4: what the provider refuses, with the fallback', options, async () => {
        const quota = { detail: { status: 'quota_exceeded', message: 'words of the provider' } };
        for (const [order, status, code] of [
            [{ status: 500, body: {} }, 502, 'provider_error'], [{ status: 401, body: quota }, 402, 'out_of_credits'], [{ status: 402, body: {} }, 402, 'out_of_credits'],
            [{ status: 401, body: {} }, 502, 'provider_error'], [{ status: 403, body: {} }, 502, 'provider_error'], [{ status: 400, body: {} }, 422, 'provider_rejected'],
            [{ status: 404, body: {} }, 422, 'provider_rejected'], [{ status: 422, body: {} }, 422, 'provider_rejected'],
            [{ status: 429, body: {}, headers: { 'retry-after': '9' } }, 429, 'provider_rate_limited'], [{ pieces: [] }, 502, 'bad_provider_output'],
            [{ drop: true }, 502, 'provider_error'], [{ pieces: pieces('A', 'B'), truncateAfter: 1 }, 502, 'provider_error'],
        ])
            for (const streamed of [false, true]) {
                if (streamed && order.truncateAfter) continue; /* it has begun by then */
                await provider().order(order);
                const answer = await call({ text: 'Hello', stream: streamed });
                assertRefused(answer, status, code);
                assert.deepEqual([answer.body.success, answer.body.fallback], [false, 'text_only'], JSON.stringify(order));
                assert.doesNotMatch(JSON.stringify(answer.body), /words of the provider/);
                if (status === 429) assert.equal(answer.headers.get('retry-after'), '9');
            }
    });

    it('silence is 504; without a key 503, and the older variable will do', options, async () => {
        const host = (more) => ({ functions: { [NAME]: {} }, database: ai.database.url, ...more });
        const ask = async (on, body = {}) => post(on, NAME, { token: await mint(await ai.agent()), body: { text: 'Hello', ...body } });
        await withHost(host({ env: { ELEVENLABS_API_KEY: null } }), async (keyless) => {
            const answer = await ask(keyless);
            assertRefused(answer, 503, 'not_configured');
            assert.equal(answer.body.fallback, 'text_only');
            assert.match(answer.body.error, /ELEVENLABS_API_KEY/);
            assertRefused(await ask(keyless, { text: '' }), 400, 'invalid_input', 'text');
        });
        await withHost(host({ env: { ELEVENLABS_API_KEY: null, ELEVEN_LABS_API_KEY: 'older' } }), async (older) => {
            assert.equal((await ask(older)).status, 200);
            assert.equal((await new Sandbox(older, 'elevenlabs').requests())[0].headers['xi-api-key'], 'older');
        });
    });
});

describe(`${NAME}: streams`, options, () => {
    it("bytes as they come, named when Accept names them", options, async () => {
        await provider().order({ pieces: pieces('ab', 'cd', 'ef'), tokenIntervalMs: 50 }, { pieces: pieces('x') });
        const named = await stream({}, { accept: 'audio/mpeg' });
        assert.equal(named.headers.get('content-type'), 'audio/mpeg');
        const arrived = [];
        for await (const piece of named.body) arrived.push(Buffer.from(piece).toString());
        assert.equal(arrived.join(''), 'abcdef');
        assert.ok(arrived.length > 1, 'not all at once');
        const unnamed = await stream({ stream: true });
        assert.equal(unnamed.headers.get('content-type'), 'application/octet-stream');
        assert.equal(await unnamed.text(), 'x');
        assert.match((await provider().requests())[0].path, /^\/v1\/text-to-speech\/\w+\/stream$/);
    });

    it('one that breaks off is broken off', options, async () => {
        await provider().order({ pieces: pieces('ab', 'cd'), truncateAfter: 1 });
        const answer = await stream({ stream: true });
        assert.equal(answer.status, 200);
        await assert.rejects(answer.arrayBuffer());
    });

    it('a listener who leaves lets the provider go', options, async () => {
        await provider().order({ pieces: pieces('ab', 'cd'), stallAfter: 1 });
        const controller = new AbortController();
        const answer = await stream({ stream: true }, {}, { signal: controller.signal });
        await answer.body.getReader().read();
        controller.abort();
        await eventually(async () => (await provider().requests())[0].ended, 'the call to end');
    });
});

refusals(ai, NAME, {
    body: { text: 'Hello', agentType: 'content_agent' }, required: ['text'],
    wrong: {
        text: [' ', 'x'.repeat(5001), ...NOT.text], persona: ['x'.repeat(4001), ...NOT.text], voiceId: ['short', 'with/slash00', 'x'.repeat(41), ...NOT.text],
        agentType: ['copilot', ...NOT.text], stream: NOT.boolean,
    },
});
