/*
 * openaiChat (spec ai.md): text and JSON from a language model, whole and streamed.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { eventually } from '../../support/host.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { Sandbox } from '../../support/sandbox.mjs';
import { allEvents, connect, streamedText } from '../../support/streams.mjs';
import { UNREACHABLE, options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'openaiChat';
const ai = suite({ functions: [NAME], env: { AI_ALLOWED_MODELS: 'openai/gpt-5, openai/gpt-5-mini' } });
const call = async (body) => ai.call(NAME, await ai.agent(), body);
const sent = async () => (await ai.gateway.bodies()).at(-1);
const messages = [{ role: 'user', content: 'Write a post' }];
const SCHEMA = { type: 'json_schema', json_schema: { name: 'plan', schema: { type: 'object' } } };

describe(`${NAME}: examples`, options, () => {
    it('1: a legacy model name is replaced, settings go along under their own names', options, async () => {
        await ai.gateway.order({ content: ' Hi\n' });
        const { status, body } = await call({ messages, model: 'gpt-4o', maxTokens: 800, temperature: 0.7 });
        assert.equal(status, 200);
        assert.deepEqual([body.generatedText, body.message, body.model, body.finishReason], ['Hi', 'Hi', 'google/gemini-2.5-flash', 'stop']);
        assert.ok(body.usage.total_tokens > 0);
        assert.deepEqual(Object.keys(body).sort(), ['finishReason', 'generatedText', 'message', 'model', 'usage']);
        const { messages: asked, ...rest } = await sent();
        assert.deepEqual(rest, { model: 'google/gemini-2.5-flash', max_tokens: 800, temperature: 0.7 });
        assert.equal(asked[0].role, 'system');
        assert.match(asked[0].content, /real-estate/);
        assert.deepEqual(asked.slice(1), messages);
    });

    it('2: JSON in a fence is parsed, and its keys are copied', options, async () => {
        await ai.gateway.order({ content: '```json\n{"topic":"T","cta":"C","model":"mine","error":"no"}\n```' });
        const { body } = await call({ messages, response_format: SCHEMA });
        assert.deepEqual([body.topic, body.cta, body.model, body.error], ['T', 'C', 'google/gemini-2.5-flash', undefined]);
        assert.deepEqual(body.parsed, { topic: 'T', cta: 'C', model: 'mine', error: 'no' });
        assert.deepEqual((await sent()).response_format, SCHEMA);
    });

    it('3 and 4: no messages, an unknown model', options, async () => {
        assertRefused(await call({ messages: [] }), 400, 'invalid_input', 'messages');
        assertRefused(await call({ messages, model: 'foo/bar' }), 400, 'invalid_input', 'model');
        assert.equal((await ai.gateway.requests()).length, 0);
    });
});

describe(`${NAME}: questions`, options, () => {
    it("models: the allowed ones, the environment's, and legacy names", options, async () => {
        for (const [given, model] of [
            ['google/gemini-2.5-pro', 'google/gemini-2.5-pro'], ['openai/gpt-5-mini', 'openai/gpt-5-mini'],
            ['gpt-3.5-turbo', 'google/gemini-2.5-flash'], [null, 'google/gemini-2.5-flash'],
        ]) {
            assert.equal((await call({ messages, model: given })).status, 200);
            assert.equal((await sent()).model, model);
        }
    });

    it("max_tokens goes before maxTokens; a client's system items stay where they are", options, async () => {
        const given = [...messages, { role: 'assistant', content: 'Yes' }, { role: 'system', content: 'Short' }, { role: 'user', content: 'Go', extra: 1 }];
        await call({ messages: given, max_tokens: 5, maxTokens: 6, systemPrompt: 'Be brief' });
        const body = await sent();
        assert.equal(body.max_tokens, 5);
        assert.deepEqual(body.messages, [{ role: 'system', content: 'Be brief' }, ...given.slice(0, 3), { role: 'user', content: 'Go' }]);
    });

    it('400,000 characters in total pass, one more does not', options, async () => {
        const long = (count) => ({ role: 'user', content: 'é'.repeat(count) });
        const most = Array(4).fill(long(100000));
        assert.equal((await call({ messages: most })).status, 200);
        assertRefused(await call({ messages: [...most, long(1)] }), 400, 'invalid_input', 'messages');
    });

    it('JSON that is none is 502; an array is parsed and not copied', options, async () => {
        await ai.gateway.order({ content: 'Sorry' }, { content: '[1,2]' }, { content: '   ' });
        assertRefused(await call({ messages, response_format: { type: 'json_object' } }), 502, 'bad_provider_output');
        const { body } = await call({ messages, response_format: { type: 'json_object' } });
        assert.deepEqual(body.parsed, [1, 2]);
        assertRefused(await call({ messages }), 502, 'bad_provider_output');
    });

    for (const [status, ours, code] of [[429, 429, 'provider_rate_limited'], [402, 402, 'out_of_credits'], [413, 422, 'provider_rejected'], [503, 502, 'provider_error']])
        it(`the gateway's ${status} is ${ours} ${code}`, options, async () => {
            await ai.gateway.order({ status, body: {} });
            assertRefused(await call({ messages }), ours, code);
        });
});

describe(`${NAME}: streams`, options, () => {
    const tokens = ['{"a"', ':1}'];
    const check = (all) => {
        assert.equal(streamedText(all.slice(0, -1)), '{"a":1}');
        const { event, data } = all.at(-1);
        assert.equal(event, 'final');
        assert.deepEqual([data.response, data.conversationId, data.toolCalls, data.generatedText, data.a], ['{"a":1}', null, [], '{"a":1}', 1]);
    };
    const stream = async (body) => fetch(`${ai.host.url}/functions/v1/${NAME}`, {
        method: 'POST', headers: { authorization: `Bearer ${await mint('user_a')}` }, body: JSON.stringify({ stream: true, ...body }),
    });

    it('over server-sent events and over WebSocket', options, async () => {
        await ai.gateway.order({ tokens }, { tokens });
        const body = { messages, response_format: { type: 'json_object' } };
        check(await allEvents(await stream(body)));
        const socket = await connect(ai.host, NAME, { token: await mint('user_a') }).opened();
        socket.send(body);
        check(await socket.turn());
        await socket.close();
    });

    it('that break off, or are no JSON in the end, end with an error event', options, async () => {
        await ai.gateway.order({ tokens, truncateAfter: 1 }, { content: 'no json' });
        const broken = (await allEvents(await stream({ messages }))).at(-1);
        assert.deepEqual([broken.event, broken.data.code], ['error', 'provider_error']);
        const unusable = (await allEvents(await stream({ messages, response_format: { type: 'json_object' } }))).at(-1);
        assert.deepEqual([unusable.event, unusable.data.code], ['error', 'bad_provider_output']);
    });

    it('whose client leaves let the gateway go', options, async () => {
        await ai.gateway.order({ tokens: ['a', 'b'], stallAfter: 1 });
        const controller = new AbortController();
        const answer = await fetch(`${ai.host.url}/functions/v1/${NAME}`, {
            method: 'POST', headers: { authorization: `Bearer ${await mint('user_a')}` },
            body: JSON.stringify({ stream: true, messages }), signal: controller.signal,
        });
        await answer.body.getReader().read();
        controller.abort();
        await eventually(async () => (await ai.gateway.requests())[0].ended, 'the call to the gateway to end');
    });
});

describe(`${NAME}: without`, options, () => {
    it('a key it is 503, without a database it works', options, () =>
        withHost({ functions: [NAME], ...UNREACHABLE, env: { LOVABLE_API_KEY: null } }, async (host) => {
            const answer = await post(host, NAME, { token: await mint('user_a'), body: { messages } });
            assertRefused(answer, 503, 'not_configured');
            assert.match(answer.body.error, /LOVABLE_API_KEY/);
        }));
    it('a database it works', options, () =>
        withHost({ functions: [NAME], ...UNREACHABLE }, async (host) => {
            await new Sandbox(host, 'lovable_ai').order({ content: 'Hi' });
            assert.equal((await post(host, NAME, { token: await mint('user_a'), body: { messages } })).status, 200);
        }));
});

refusals(ai, NAME, {
    body: { messages },
    required: ['messages'],
    wrong: {
        messages: [Array(101).fill(messages[0]), ...NOT.array],
        'messages[0].role': [[{ role: 'tool', content: 'x' }]],
        'messages[0].content': [[{ role: 'user', content: ' ' }], [{ role: 'user', content: 'x'.repeat(100001) }], [{ role: 'user', content: 7 }]],
        systemPrompt: ['x'.repeat(32001), ...NOT.text],
        model: ['gpt-9', ...NOT.text],
        max_tokens: [0, 8193, ...NOT.integer],
        temperature: [-0.1, 2.1, ...NOT.number],
        response_format: NOT.object,
        stream: NOT.boolean,
    },
    withoutDatabase: true,
});
