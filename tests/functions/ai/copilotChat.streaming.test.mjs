/*
 * copilotChat token by token over server-sent events (spec ai.md S7), and clients that leave.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { Conversations } from '../../support/conversations.mjs';
import { eventually, sleep } from '../../support/host.mjs';
import { Sandbox } from '../../support/sandbox.mjs';
import { allEvents, events, streamedText } from '../../support/streams.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { supabaseClients } from '../../support/supabase.mjs';
import { mint } from '../../support/tokens.mjs';

const chat = suite({ functions: ['copilotChat'] });
const conversations = new Conversations(chat, 'copilot');
const TOKENS = ['Call', ' five', ' owners', ' — ', 'today.'];
const TEXT = TOKENS.join('');

const stream = async (id, body, { headers = {}, signal, host = chat.host } = {}) =>
    fetch(`${host.url}/functions/v1/copilotChat`, {
        method: 'POST',
        headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${await mint(id)}`,
            accept: 'text/event-stream',
            ...headers,
        },
        body: JSON.stringify(body),
        signal,
    });

describe('copilotChat: server-sent events', options, () => {
    it("chunks in OpenAI's form, then final, and nothing after it", options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ tokens: TOKENS });
        const answer = await stream(id, { userPrompt: 'How?', currentTab: 'advisor' });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers.get('content-type'), 'text/event-stream');
        assert.equal(answer.headers.get('cache-control'), 'no-cache');
        assert.equal(answer.headers.get('x-accel-buffering'), 'no');

        const all = await allEvents(answer);
        const chunks = all.slice(0, -1),
            final = all.at(-1);
        for (const { event, data } of chunks) {
            assert.equal(event, 'message');
            assert.equal(data.id, `chatcmpl-${answer.headers.get('x-request-id')}`);
            assert.equal(data.object, 'chat.completion.chunk');
            assert.ok(Math.abs(data.created - Date.now() / 1000) < 30);
            assert.equal(data.model, 'google/gemini-2.5-flash');
            assert.equal(data.choices.length, 1);
            assert.equal(data.choices[0].index, 0);
        }
        assert.deepEqual(
            chunks.map(({ data }) => [data.choices[0].delta, data.choices[0].finish_reason]),
            [[{ role: 'assistant' }, null], ...TOKENS.map((content) => [{ content }, null]), [{}, 'stop']],
        );
        for (const { raw } of all) assert.equal(raw, JSON.stringify(JSON.parse(raw)), 'compact');

        assert.equal(final.event, 'final');
        assert.deepEqual(final.data, { response: TEXT, conversationId: final.data.conversationId, toolCalls: [] });
        const [row] = await conversations.of(id);
        assert.equal(row.id, final.data.conversationId, 'stored before final is sent');
        assert.deepEqual(
            row.messages.map(({ content }) => content),
            ['How?', TEXT],
        );
        assert.equal((await chat.gateway.bodies())[0].stream, true);
    });

    it('the tokens arrive spread over time, not at once', options, async () => {
        await chat.gateway.order({ tokens: Array.from({ length: 10 }, (_, i) => `${i} `), tokenIntervalMs: 60 });
        const times = [];
        for await (const { event, data, at } of events(await stream(await chat.agent(), { userPrompt: 'Count' })))
            if (event === 'message' && data.choices[0].delta.content) times.push(at);
        assert.equal(times.length, 10);
        const gaps = times.slice(1).map((at, i) => at - times[i]);
        assert.ok(times.at(-1) - times[0] > 9 * 60 * 0.8, `over ${times.at(-1) - times[0]} ms`);
        assert.ok(gaps.filter((gap) => gap > 25).length >= 7, `gaps ${gaps.map(Math.round)}`);
    });

    it('"stream": true asks for it too, false and absence do not', options, async () => {
        const id = await chat.agent();
        const asked = await stream(id, { userPrompt: 'Hello', stream: true }, { headers: { accept: '*/*' } });
        assert.equal(asked.headers.get('content-type'), 'text/event-stream');
        await asked.text();
        for (const body of [{ userPrompt: 'Hello', stream: false }, { userPrompt: 'Hello' }]) {
            const plain = await stream(id, body, { headers: { accept: 'application/json' } });
            assert.equal(plain.headers.get('content-type'), 'application/json');
            assert.ok((await plain.json()).response);
        }
    });

    it('a gateway that answers in one piece is one delta', options, async () => {
        const body = {
            model: 'google/gemini-2.5-flash',
            choices: [{ message: { role: 'assistant', content: TEXT }, finish_reason: 'stop' }],
        };
        await chat.gateway.order({ status: 200, body });
        const all = await allEvents(await stream(await chat.agent(), { userPrompt: 'How?' }));
        assert.deepEqual(
            all.slice(0, -1).map(({ data }) => data.choices[0].delta),
            [{ role: 'assistant' }, { content: TEXT }, {}],
        );
        assert.equal(all.at(-1).data.response, TEXT);
    });

    it('a stream without [DONE] but with its finish_reason is whole', options, async () => {
        const chunk = (delta, finish) =>
            `data: ${JSON.stringify({ model: 'other/model', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
        const body = `: comment\n\n${chunk({ role: 'assistant', content: '' }, null)}${chunk({ content: 'Hi' }, null)}${chunk({}, 'stop')}`;
        await chat.gateway.order({ status: 200, headers: { 'content-type': 'text/event-stream' }, body });
        const all = await allEvents(await stream(await chat.agent(), { userPrompt: 'How?' }));
        assert.equal(streamedText(all.slice(0, -1)), 'Hi');
        assert.equal(all[0].data.model, 'other/model');
        assert.equal(all.at(-1).data.response, 'Hi');
    });

    it('a replay is one delta and final', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ content: TEXT });
        const { body: first } = await post(chat.host, 'copilotChat', {
            token: await mint(id),
            body: { userPrompt: 'How?', idempotencyKey: 'k' },
        });
        const all = await allEvents(await stream(id, { userPrompt: 'How?', idempotencyKey: 'k' }));
        assert.deepEqual(
            all.slice(0, -1).map(({ data }) => data.choices[0].delta),
            [{ role: 'assistant' }, { content: TEXT }, {}],
        );
        assert.deepEqual(all.at(-1).data, { ...first, replayed: true });
    });

    it('a long answer arrives whole, and takes no memory by the token', options, async () => {
        const small = { functions: { copilotChat: { memory: '512KiB' } }, database: chat.database.url };
        await withHost(small, async (host) => {
            const tokens = Array.from({ length: 5000 }, (_, i) => `w${i} `);
            await new Sandbox(host, 'lovable_ai').order({ tokens, tokenIntervalMs: 0 });
            const all = await allEvents(await stream(await chat.agent(), { userPrompt: 'Much' }, { host }));
            assert.equal(all.at(-1).event, 'final', JSON.stringify(all.at(-1).data).slice(0, 200));
            assert.equal(all.at(-1).data.response, tokens.join(''));
            assert.equal(streamedText(all.slice(0, -1)), tokens.join(''));
        });
    });

    for (const [name, client] of Object.entries(supabaseClients))
        it(`${name} hands the stream over unread`, options, async () => {
            await chat.gateway.order({ tokens: TOKENS });
            const { data, error } = await client(chat.host, await mint(await chat.agent())).invoke('copilotChat', {
                body: { userPrompt: 'How?', stream: true },
            });
            assert.equal(error, null);
            const all = await allEvents(data);
            assert.equal(streamedText(all.slice(0, -1)), TEXT);
            assert.equal(all.at(-1).data.response, TEXT);
        });
});

describe('copilotChat: streams that fail', options, () => {
    it('what fails before the first token is an ordinary answer', options, async () => {
        const id = await chat.agent();
        for (const [order, status, code] of [
            [{ status: 429, body: {} }, 429, 'provider_rate_limited'],
            [{ status: 500 }, 502, 'provider_error'],
            [{ tokens: [] }, 502, 'bad_provider_output'],
            [{ tokens: ['x'], truncateAfter: 0 }, 502, 'provider_error'],
        ]) {
            await chat.gateway.order(order);
            const answer = await stream(id, { userPrompt: 'How?' });
            assert.equal(answer.headers.get('content-type'), 'application/json');
            assert.deepEqual([answer.status, (await answer.json()).code], [status, code], JSON.stringify(order));
        }
        const invalid = await stream(id, {});
        assert.deepEqual([invalid.status, (await invalid.json()).field], [400, 'userPrompt']);
        const missing = await stream(id, {
            userPrompt: 'How?',
            conversationId: '00000000-0000-4000-8000-000000000000',
        });
        assert.deepEqual([missing.status, (await missing.json()).code], [404, 'conversation_not_found']);
        assert.equal((await conversations.of(id)).length, 0);
    });

    const chunk = (content) =>
        `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
    const raw = (tail) => ({
        status: 200,
        headers: { 'content-type': 'text/event-stream' },
        body: chunk('Call') + tail,
    });
    for (const [name, order, code] of [
        ['cut off', { tokens: TOKENS, truncateAfter: 2 }, 'provider_error'],
        ['ended without an end', raw(''), 'provider_error'],
        ['garbage', raw('data: <html>\n\n'), 'bad_provider_output'],
        ['an error inside', raw('data: {"error":{"message":"secret words","code":429}}\n\n'), 'provider_rate_limited'],
        ['another error inside', raw('data: {"error":{"message":"secret words"}}\n\n'), 'provider_error'],
    ])
        it(`${name}: the deltas so far, then error, no final`, options, async () => {
            const id = await chat.agent();
            await chat.gateway.order(order);
            const answer = await stream(id, { userPrompt: 'How?' });
            assert.equal(answer.status, 200);
            const all = await allEvents(answer);
            assert.equal(all[1].data.choices[0].delta.content, 'Call');
            const { event, data } = all.at(-1);
            assert.equal(event, 'error');
            assert.equal(data.code, code);
            assert.deepEqual(Object.keys(data).sort(), ['code', 'error', 'requestId']);
            assert.doesNotMatch(JSON.stringify(all), /secret words/);
            assert.ok(!all.some((one) => one.event === 'final'));
            assert.equal((await conversations.of(id)).length, 0);
        });

    it('silence after some tokens is an error event', options, async () => {
        await withHost(
            {
                functions: ['copilotChat'],
                database: chat.database.url,
                providers: { lovable_ai: { silence_timeout: '500ms' } },
            },
            async (impatient) => {
                await new Sandbox(impatient, 'lovable_ai').order({ tokens: TOKENS, stallAfter: 2 });
                const answer = await fetch(`${impatient.url}/functions/v1/copilotChat`, {
                    method: 'POST',
                    headers: { authorization: `Bearer ${await mint(await chat.agent())}`, accept: 'text/event-stream' },
                    body: '{"userPrompt":"How?"}',
                });
                const all = await allEvents(answer);
                assert.deepEqual([all.at(-1).event, all.at(-1).data.code], ['error', 'provider_timeout']);
            },
        );
    });
});

describe('copilotChat: clients that leave', options, () => {
    const leave = async (id, order, afterTokens, more = {}) => {
        await chat.gateway.order(order);
        const controller = new AbortController();
        const answer = await stream(id, { userPrompt: 'How?', ...more }, { signal: controller.signal });
        let seen = 0;
        try {
            for await (const { data } of events(answer))
                if (data.choices?.[0].delta.content && ++seen === afterTokens) controller.abort();
        } catch (error) {
            assert.equal(error.name, 'AbortError');
        }
    };

    it('what was said is kept, marked partial, and the gateway is let go', options, async () => {
        const id = await chat.agent();
        const tokens = Array.from({ length: 200 }, (_, i) => `w${i} `);
        await leave(id, { tokens, tokenIntervalMs: 50 }, 3);
        const row = await conversations.arrived(id);
        const [question, said] = row.messages;
        assert.equal(question.content, 'How?');
        assert.equal(said.partial, true);
        assert.ok(said.content.startsWith('w0 w1 w2 '));
        assert.ok(said.content.length < 200, 'stopped soon after');
        await eventually(
            async () => (await chat.gateway.requests())[0].ended,
            'the call to the gateway to be aborted',
            3000,
        );
    });

    it('a retry with the same key replays what was said', options, async () => {
        const id = await chat.agent();
        await leave(id, { tokens: TOKENS, tokenIntervalMs: 100 }, 2, { idempotencyKey: 'gone' });
        await conversations.arrived(id);
        const { body } = await post(chat.host, 'copilotChat', {
            token: await mint(id),
            body: { userPrompt: 'How?', idempotencyKey: 'gone' },
        });
        assert.equal(body.replayed, true);
        assert.equal(body.partial, true);
        assert.ok(body.response.startsWith('Call five'));
    });

    it('silent gateways are let go when the client leaves', options, async () => {
        const id = await chat.agent();
        await leave(id, { tokens: TOKENS, stallAfter: 2 }, 2);
        await eventually(
            async () => (await chat.gateway.requests())[0].ended,
            'the call to the gateway to be aborted',
            3000,
        );
        const row = await conversations.arrived(id);
        assert.equal(row.messages[1].content, 'Call five');
        assert.equal(row.messages[1].partial, true);
    });

    it('nothing is kept when nothing was said', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ content: TEXT, delayMs: 700 });
        const controller = new AbortController();
        const answer = stream(id, { userPrompt: 'How?' }, { signal: controller.signal });
        await chat.gateway.arrived(1);
        controller.abort();
        await assert.rejects(answer, { name: 'AbortError' });
        await sleep(1200);
        assert.equal((await conversations.of(id)).length, 0);
    });

    it('a plain answer is finished and kept whole', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ content: TEXT, delayMs: 500 });
        const controller = new AbortController();
        const answer = stream(
            id,
            { userPrompt: 'How?' },
            { signal: controller.signal, headers: { accept: 'application/json' } },
        );
        await chat.gateway.arrived(1);
        controller.abort();
        await assert.rejects(answer, { name: 'AbortError' });
        const row = await conversations.arrived(id);
        assert.equal(row.messages[1].content, TEXT);
        assert.ok(!('partial' in row.messages[1]));
    });
});
