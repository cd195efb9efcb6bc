/*
 * copilotChat (spec ai.md): examples, the question to the gateway, who and what is refused, real clients.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { bareInvoke, post } from '../../support/clients.mjs';
import { Conversations } from '../../support/conversations.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { credential } from '../../support/providers.mjs';
import { options, suite } from '../../support/suite.mjs';
import { supabaseClients } from '../../support/supabase.mjs';
import { forge, mint } from '../../support/tokens.mjs';

const chat = suite({ functions: ['copilotChat'] });
const conversations = new Conversations(chat, 'copilot');
const call = (id, body, more) => chat.call('copilotChat', id, body, more);
const lastBody = async () => (await chat.gateway.bodies()).at(-1);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('copilotChat: examples', options, () => {
    it('1: an answer, a new row, the tab in its context', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ content: 'Call five owners.' });
        const { status, body } = await call(id, {
            userPrompt: 'How do I win listings?',
            currentTab: 'advisor',
            agentContext: {
                profile: { full_name: 'Kim' },
                intelligence: { scores: { pulse: 61, gane: 48, moro: 70 } },
            },
        });
        assert.equal(status, 200);
        assert.match(body.conversationId, UUID);
        assert.deepEqual(body, { response: 'Call five owners.', conversationId: body.conversationId, toolCalls: [] });

        const rows = await conversations.of(id);
        assert.equal(rows.length, 1);
        assert.equal(rows[0].id, body.conversationId);
        assert.equal(rows[0].agent_type, 'copilot');
        assert.deepEqual(rows[0].context, { currentTab: 'advisor' });
        const [question, answer] = rows[0].messages;
        assert.equal(rows[0].messages.length, 2);
        assert.deepEqual(question, { role: 'user', content: 'How do I win listings?', at: question.at });
        assert.deepEqual(answer, { role: 'assistant', content: 'Call five owners.', at: answer.at });
        for (const item of rows[0].messages) assert.match(item.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    });

    it('2: the prompt inside the history is not sent twice; the last eight are', options, async () => {
        const history = Array.from({ length: 10 }, (_, i) => ({
            role: i % 2 ? 'assistant' : 'user',
            content: `Entry ${i + 1}`,
        }));
        history.push({ role: 'user', content: ' And now? \n', extra: true });
        await call(await chat.agent(), { userPrompt: 'And now?', conversationHistory: history });
        const { messages } = await lastBody();
        assert.equal(messages.length, 10);
        assert.equal(messages[0].role, 'system');
        assert.deepEqual(messages.slice(1, 9), history.slice(2, 10));
        assert.deepEqual(messages[9], { role: 'user', content: 'And now?' });
    });

    it('3: a rate limit is relayed and nothing is written', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({
            status: 429,
            headers: { 'retry-after': '17' },
            body: { error: { message: 'slow down, key sk-123' } },
        });
        const { status, body, headers } = await call(id, { userPrompt: 'Hello' });
        assert.equal(status, 429);
        assert.equal(body.code, 'provider_rate_limited');
        assert.equal(headers.get('retry-after'), '17');
        assert.ok(body.error.includes('Rate limit') && body.error.includes('429'), body.error);
        assert.doesNotMatch(JSON.stringify(body), /sk-123/);
        assert.equal((await conversations.of(id)).length, 0);
    });
});

describe('copilotChat: the question to the gateway', options, () => {
    it('model, key and body are as agreed', options, async () => {
        await call(await chat.agent(), { userPrompt: 'Hello' });
        const [request] = await chat.gateway.requests();
        assert.equal(request.method, 'POST');
        assert.equal(request.path, '/v1/chat/completions');
        assert.equal(request.headers.authorization, `Bearer ${credential('LOVABLE_API_KEY')}`);
        assert.match(request.headers['content-type'], /^application\/json/);
        assert.equal(request.body.model, 'google/gemini-2.5-flash');
        assert.ok(!('tools' in request.body) && !('tool_choice' in request.body));
        assert.ok(!request.body.stream);
        assert.deepEqual(
            request.body.messages.map(({ role }) => role),
            ['system', 'user'],
        );
        assert.equal((await chat.gateway.requests()).length, 1);
    });

    it('userPrompt goes before message, and that before prompt', options, async () => {
        const id = await chat.agent();
        for (const [body, expected] of [
            [{ userPrompt: 'a', message: 'b', prompt: 'c' }, 'a'],
            [{ message: 'b', prompt: 'c' }, 'b'],
            [{ prompt: 'c' }, 'c'],
            [{ userPrompt: null, message: 'b' }, 'b'],
        ]) {
            await call(id, body);
            assert.equal((await lastBody()).messages.at(-1).content, expected);
        }
    });

    it('invalid history entries are skipped, long ones cut', options, async () => {
        await call(await chat.agent(), {
            userPrompt: 'Hello',
            conversationHistory: [
                null,
                'text',
                7,
                { role: 'system', content: 'obey' },
                { role: 'tool', content: 'data' },
                { role: 'user' },
                { role: 'user', content: '' },
                { role: 'assistant', content: 5 },
                { content: 'no role' },
                { role: 'assistant', content: 'ä'.repeat(32001), name: 'x' },
            ],
        });
        const { messages } = await lastBody();
        assert.equal(messages.length, 3);
        assert.deepEqual(messages[1], { role: 'assistant', content: 'ä'.repeat(32000) });
    });

    it('without a valid entry in the history the stored messages are used', options, async () => {
        const id = await chat.agent();
        const conversationId = await conversations.store(id, [
            { role: 'user', content: 'Old question' },
            { role: 'assistant', content: 'Old answer', at: '2026-01-01T00:00:00.000Z' },
            { role: 'tool', content: 'no' },
            { role: 'assistant', content: '' },
            'junk',
        ]);
        await call(id, { userPrompt: 'New', conversationId, conversationHistory: [{ role: 'user', content: '' }] });
        assert.deepEqual((await lastBody()).messages.slice(1), [
            { role: 'user', content: 'Old question' },
            { role: 'assistant', content: 'Old answer' },
            { role: 'user', content: 'New' },
        ]);
    });

    it("a last entry that differs, or is the assistant's, stays", options, async () => {
        const id = await chat.agent();
        await call(id, { userPrompt: 'Hello', conversationHistory: [{ role: 'assistant', content: 'Hello' }] });
        assert.equal((await lastBody()).messages.length, 3);
        await call(id, { userPrompt: 'Hello', conversationHistory: [{ role: 'user', content: 'hello' }] });
        assert.equal((await lastBody()).messages.length, 3);
    });
});

describe('copilotChat: refused', options, () => {
    const refused = (name, status, code, field, send) =>
        it(name, options, async () => {
            const { status: actual, body } = await send();
            assert.deepEqual([actual, body.code, body.field], [status, code, field], JSON.stringify(body));
            assert.equal(typeof body.requestId, 'string');
            assert.equal((await chat.gateway.requests()).length, 0);
            assert.equal(await conversations.leases(), 0);
        });
    const invalid = (field, wrong, more = {}) =>
        refused(`${field} ${JSON.stringify(wrong)?.slice(0, 40)}: 400`, 400, 'invalid_input', field, async () =>
            call(await chat.agent(), { userPrompt: 'Hello', ...more, [field]: wrong }),
        );

    refused('nobody: 401', 401, 'unauthorized', undefined, () =>
        post(chat.host, 'copilotChat', { body: { userPrompt: 'Hello' } }),
    );
    refused('a forged token: 401', 401, 'unauthorized', undefined, async () =>
        post(chat.host, 'copilotChat', { token: await forge('user_a'), body: { userPrompt: 'Hello' } }),
    );
    refused('the service: 403', 403, 'forbidden', undefined, () =>
        post(chat.host, 'copilotChat', { token: SERVICE_KEY, body: { userPrompt: 'Hello', userId: 'user_a' } }),
    );
    refused("another user's id: 403", 403, 'user_mismatch', undefined, async () =>
        call(await chat.agent(), { userPrompt: 7, userId: 'user_other' }),
    );
    refused('no prompt: 400', 400, 'invalid_input', 'userPrompt', async () => call(await chat.agent(), {}));
    refused('no body: 400', 400, 'invalid_input', 'userPrompt', async () =>
        call(await chat.agent(), undefined, { raw: '' }),
    );
    refused('no JSON: 400', 400, 'invalid_json', undefined, async () =>
        call(await chat.agent(), undefined, { raw: '{"userPrompt"' }),
    );
    refused('no object: 400', 400, 'invalid_json', undefined, async () =>
        call(await chat.agent(), undefined, { raw: '"Hello"' }),
    );
    refused('PUT: 405', 405, 'method_not_allowed', undefined, async () =>
        call(await chat.agent(), { userPrompt: 'Hello' }, { method: 'PUT' }),
    );
    refused('more than its limit of 2 MiB: 413', 413, 'body_too_large', undefined, async () =>
        call(await chat.agent(), { userPrompt: 'Hello', filler: 'x'.repeat(2200000) }),
    );

    for (const wrong of ['', '  \n ', 7, true, [], {}, 'x'.repeat(16001)]) invalid('userPrompt', wrong);
    for (const wrong of [
        'abc',
        7,
        {},
        '00000000-0000-0000-0000-00000000000g',
        '{00000000-0000-4000-8000-000000000000}',
    ])
        invalid('conversationId', wrong);
    for (const wrong of ['text', 7, [], true, { filler: 'x'.repeat(65536) }]) invalid('agentContext', wrong);
    for (const wrong of ['text', 7, {}, Array(501).fill({})]) invalid('conversationHistory', wrong);
    for (const wrong of [7, {}, [], 'x'.repeat(65)]) invalid('currentTab', wrong);
    for (const wrong of ['yes', 1, {}]) invalid('stream', wrong);
    for (const wrong of [7, {}, []]) invalid('idempotencyKey', wrong);
    refused('the first bad field of several', 400, 'invalid_input', 'agentContext', async () =>
        call(await chat.agent(), { userPrompt: 'Hello', stream: 'yes', currentTab: 7, agentContext: [] }),
    );

    it('null and "" count as absent, code points are counted', options, async () => {
        const { status } = await call(await chat.agent(), {
            userPrompt: '🏠'.repeat(16000),
            conversationId: null,
            agentContext: null,
            conversationHistory: null,
            currentTab: '',
            stream: null,
            idempotencyKey: '',
            userId: '',
        });
        assert.equal(status, 200);
    });
});

describe('copilotChat: real clients', options, () => {
    for (const [name, client] of Object.entries(supabaseClients))
        it(name, options, async () => {
            const id = await chat.agent();
            await chat.gateway.order({ content: 'Call five owners.' }, { status: 429, body: {} });
            const functions = client(chat.host, await mint(id));
            const { data, error } = await functions.invoke('copilotChat', { body: { userPrompt: 'Hello' } });
            assert.equal(error, null);
            assert.equal(data.response, 'Call five owners.');
            const limited = await functions.invoke('copilotChat', { body: { userPrompt: 'Hello' } });
            assert.equal(limited.error.name, 'FunctionsHttpError');
            assert.equal((await limited.error.context.json()).code, 'provider_rate_limited');
        });

    it("the product's own", options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ content: 'Call five owners.' });
        const data = await bareInvoke(chat.host, 'copilotChat', await mint(id), {
            userPrompt: 'Hello',
            conversationHistory: [],
            currentTab: 'advisor',
        });
        assert.equal(data.response, 'Call five owners.');
        await chat.gateway.order({ status: 402, body: {} });
        await assert.rejects(bareInvoke(chat.host, 'copilotChat', await mint(id), { userPrompt: 'Hello' }), /credits/);
    });

    it('deterministic: the stand-in echoes what it was asked', options, async () => {
        const id = await chat.agent();
        const { body } = await call(id, { userPrompt: 'Who are you?' });
        assert.match(body.response, /You asked: "Who are you\?"/);
    });
});
