/*
 * OpenAI's own client (npm openai) against our stand-ins for the AI gateway and for OpenAI: what it understands of them
 * is what functions may rely on.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import OpenAI, { toFile } from 'openai';

import { credential } from '../../support/providers.mjs';
import { options, suite } from '../../support/suite.mjs';

const host = suite({ functions: [] });
const SERVICES = {
    lovable_ai: { key: 'LOVABLE_API_KEY', model: 'google/gemini-2.5-flash', speech: 'openai/gpt-4o-mini-transcribe' },
    openai: { key: 'OPENAI_API_KEY', model: 'gpt-4o-mini', speech: 'whisper-1' },
};
const messages = [{ role: 'user', content: 'Hello' }];
const tools = [{ type: 'function', function: { name: 'look_up', parameters: { type: 'object', properties: { q: { type: 'string' } } } } }];

for (const [provider, { key, model, speech }] of Object.entries(SERVICES))
    describe(`${provider}, by the openai client`, options, () => {
        const client = (more = {}) =>
            new OpenAI({ apiKey: credential(key), baseURL: `${host.host.url}/sandbox/${provider}/v1`, maxRetries: 0, ...more });
        /* The client's own fetch takes any stream on node 18 for one that was cut. */
        const streaming = () => client({ fetch: globalThis.fetch });
        const order = (...answers) => host.provider(provider).order(...answers);

        it('a completion, and the list of models', options, async () => {
            await order({ content: 'Hi' });
            const answer = await client().chat.completions.create({ model, messages });
            assert.deepEqual([answer.object, answer.model, answer.choices[0].message.content, answer.choices[0].finish_reason], ['chat.completion', model, 'Hi', 'stop']);
            assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
            const models = [];
            for await (const { id } of client().models.list()) models.push(id);
            assert.ok(models.includes(model));
        });

        it('a stream, with usage', options, async () => {
            await order({ tokens: ['One ', 'two ', 'é'] });
            const stream = await streaming().chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } });
            let text = '', usage, finish;
            for await (const chunk of stream) {
                assert.equal(chunk.object, 'chat.completion.chunk');
                text += chunk.choices[0]?.delta.content ?? '';
                finish = chunk.choices[0]?.finish_reason ?? finish;
                usage = chunk.usage ?? usage;
            }
            assert.deepEqual([text, finish], ['One two é', 'stop']);
            assert.ok(usage.total_tokens > 0);
        });

        it('tools: its runner calls them and sends their answers back', options, async () => {
            const asked = [];
            const runnable = tools.map((tool) => ({ ...tool, function: { ...tool.function, description: 'Looks up', parse: JSON.parse, function: (args) => asked.push(args) && 'found it' } }));
            for (const stream of [false, true]) {
                await order({ toolCalls: [{ name: 'look_up', arguments: { q: 'é 1' } }, { name: 'look_up', arguments: { q: '2' } }] }, { content: 'Done.' });
                const runner = streaming().beta.chat.completions.runTools({ model, messages, tools: runnable, stream });
                assert.equal(await runner.finalContent(), 'Done.');
            }
            assert.deepEqual(asked, [{ q: 'é 1' }, { q: '2' }, { q: 'é 1' }, { q: '2' }]);
        });

        it('a forced tool, and JSON in a shape', options, async () => {
            const forced = await client().chat.completions.create({ model, messages, tools, tool_choice: { type: 'function', function: { name: 'look_up' } } });
            assert.equal(typeof JSON.parse(forced.choices[0].message.tool_calls[0].function.arguments).q, 'string');
            const json = await client().chat.completions.create({ model, messages, response_format: { type: 'json_object' } });
            assert.deepEqual(JSON.parse(json.choices[0].message.content), { asked: 'Hello' });
        });

        it('its errors', options, async () => {
            const refused = (work, type, status) => assert.rejects(work, (error) => error instanceof type && error.status === status && typeof error.message === 'string');
            const ask = (more, options_) => client(options_).chat.completions.create({ model, messages, ...more });
            await refused(ask({}, { apiKey: 'wrong' }), OpenAI.AuthenticationError, 401);
            await refused(ask({ model: 'none' }), OpenAI.BadRequestError, 400);
            await refused(ask({ messages: [] }), OpenAI.BadRequestError, 400);
            await refused(ask({ tool_choice: 'auto' }), OpenAI.BadRequestError, 400);
            await refused(ask({ temperature: 3 }), OpenAI.BadRequestError, 400);
            const call = { id: 'c', type: 'function', function: { name: 'look_up', arguments: '{}' } };
            await refused(ask({ messages: [...messages, { role: 'assistant', tool_calls: [call] }, ...messages] }), OpenAI.BadRequestError, 400);
            await refused(ask({ messages: [...messages, { role: 'tool', tool_call_id: 'c', content: 'x' }] }), OpenAI.BadRequestError, 400);
            await order({ status: 429, body: { error: { message: 'Slow down' } } }, { status: 500, body: {} }, { drop: true });
            await refused(ask({}), OpenAI.RateLimitError, 429);
            await refused(ask({}), OpenAI.InternalServerError, 500);
            await assert.rejects(ask({}), OpenAI.APIConnectionError);
        });

        it('a transcription', options, async () => {
            await order({ text: 'Hello there' });
            const file = await toFile(Buffer.from('audio'), 'audio.webm', { type: 'audio/webm' });
            const answer = await client().audio.transcriptions.create({ file, model: speech, language: 'en', response_format: 'json' });
            assert.equal(answer.text, 'Hello there');
            const text = await toFile(Buffer.from('x'), 'notes.txt');
            await assert.rejects(client().audio.transcriptions.create({ file: text, model: speech }), { status: 400 });
        });
    });
