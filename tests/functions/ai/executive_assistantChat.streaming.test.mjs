/*
 * The tool loop streamed (spec ai.md S5, S7), over server-sent events and over WebSocket; turns that end early.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { asks, pluginsWith, told, toolSettings } from '../../support/agents.mjs';
import { post } from '../../support/clients.mjs';
import { Conversations } from '../../support/conversations.mjs';
import { eventually } from '../../support/host.mjs';
import { Sandbox } from '../../support/sandbox.mjs';
import { allEvents, connect, events, streamedText } from '../../support/streams.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'executive_assistantChat';
const setup = { functions: { [NAME]: {}, ...toolSettings('createGoogleDocTool') }, server: { plugins: pluginsWith('agent_tool') } };
const chat = suite(setup);
const conversations = new Conversations(chat, 'executive_assistant');
const rows = (id) => chat.database.count('ai_tool_usage', 'user_id = $1', [id]);
const document = (instructions, title = 'Plan') => ['createGoogleDoc', { title, content: told(instructions) }];

const stream = async (id, body, more = {}) =>
    fetch(`${(more.host ?? chat.host).url}/functions/v1/${NAME}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await mint(id)}`, accept: 'text/event-stream' },
        body: JSON.stringify(body),
        signal: more.signal,
    });

/* The events of a turn with one tool, whatever carried them. */
function checkTurn(all) {
    const chunks = all.filter(({ event }) => ['message', 'delta'].includes(event));
    const tools = all.filter(({ event }) => event === 'tool').map(({ data }) => data);
    assert.equal(streamedText(chunks), 'One moment. All done.');
    assert.deepEqual(tools.map(({ id, name, status }) => [id, name, status]), [
        ['c1', 'createGoogleDoc', 'started'], ['c1', 'createGoogleDoc', 'success'], ['c2', 'nothing', 'failed'],
    ].sort((a, b) => tools.findIndex(({ id, status }) => id === a[0] && status === a[2]) - tools.findIndex(({ id, status }) => id === b[0] && status === b[2])));
    for (const { status, durationMs } of tools) assert.equal(typeof durationMs, status === 'started' ? 'undefined' : 'number');
    assert.equal(tools.find(({ status }) => status === 'failed').error, 'Unknown tool: nothing');
    assert.equal(chunks.at(-1).data.choices[0].finish_reason, 'stop');
    assert.equal(chunks.filter(({ data }) => data.choices[0].finish_reason).length, 1);
    const { event, data } = all.at(-1);
    assert.equal(event, 'final');
    assert.equal(data.response, 'All done.');
    assert.deepEqual(data.toolCalls.map(({ status }) => status), ['success', 'failed']);
    return data;
}

const ORDERS = [
    { content: 'One moment. ', ...asks(['createGoogleDoc', { title: 'Plan é' }, 'c1'], ['nothing', {}, 'c2']) },
    { content: 'All done.' },
];

describe('tools, streamed', options, () => {
    it('over server-sent events: deltas, tools as they start and end, final', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order(...ORDERS);
        const data = checkTurn(await allEvents(await stream(id, { message: 'Go on' })));
        assert.deepEqual(data.toolCalls[0].args, { title: 'Plan é' }, 'put together of its fragments');
        assert.equal((await conversations.of(id))[0].id, data.conversationId);
        for (const body of await chat.gateway.bodies()) assert.equal(body.stream, true);
    });

    it('over WebSocket: the same', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order(...ORDERS);
        const socket = await connect(chat.host, NAME, { token: await mint(id) }).opened();
        socket.send({ id: 'turn', message: 'Go on' });
        const all = await socket.turn();
        for (const message of all) assert.equal(message.id, 'turn');
        checkTurn(all);
        await socket.close();
    });

    it('what vendors add to a call goes back to them', options, async () => {
        const chunk = (delta, finish = null) => `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
        const call = { index: 0, id: 'x', type: 'function', extra_content: { google: { thought_signature: 'sig' } }, function: { name: 'createGoogleDoc', arguments: '{"title"' } };
        const body = chunk({ tool_calls: [call] }) + chunk({ tool_calls: [{ index: 0, function: { arguments: ':"A"}' } }] }) + chunk({}, 'tool_calls') + 'data: [DONE]\n\n';
        await chat.gateway.order({ status: 200, headers: { 'content-type': 'text/event-stream' }, body }, { content: 'Done.' });
        const all = await allEvents(await stream(await chat.agent(), { message: 'Go on' }));
        assert.equal(all.at(-1).data.toolCalls[0].status, 'success');
        const { messages } = (await chat.gateway.bodies()).at(-1);
        assert.deepEqual(messages[2].tool_calls, [{ id: 'x', type: 'function', function: { name: 'createGoogleDoc', arguments: '{"title":"A"}' }, extra_content: call.extra_content }]);
    });

    it('a failure before any tool is an error event, and nothing is stored', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ tokens: ['a ', 'b ', 'c'], truncateAfter: 2 });
        const all = await allEvents(await stream(id, { message: 'Go on' }));
        assert.deepEqual([all.at(-1).event, all.at(-1).data.code], ['error', 'provider_error']);
        assert.equal((await conversations.of(id)).length, 0);
    });

    for (const [name, order, warning] of [
        ['refuses', { status: 500 }, 'provider_error'],
        ['has no credit', { status: 402, body: {} }, 'out_of_credits'],
        ['is cut off', { tokens: ['a ', 'b '], truncateAfter: 1 }, 'provider_error'],
        ['sends garbage', { status: 200, headers: { 'content-type': 'text/event-stream' }, body: 'data: <p>\n\n' }, 'bad_provider_output'],
    ])
        it(`a gateway that ${name} once tools have run: final, partial, with a warning`, options, async () => {
            const id = await chat.agent();
            await chat.gateway.order(asks(['createGoogleDoc', { title: 'A' }], ['nothing', {}]), order);
            const { event, data } = (await allEvents(await stream(id, { message: 'Go on' }))).at(-1);
            assert.equal(event, 'final', JSON.stringify(data));
            assert.deepEqual([data.partial, data.warning], [true, warning]);
            assert.match(data.response, /createGoogleDoc.*nothing/);
            const [{ messages }] = await conversations.of(id);
            assert.deepEqual([messages[1].partial, messages[1].content], [true, data.response]);
        });

    it('a model that says nothing after its tools is spoken for', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order(asks(['createGoogleDoc', { title: 'A' }]), { content: '' });
        const all = await allEvents(await stream(id, { message: 'Go on' }));
        const { data } = all.at(-1);
        assert.match(data.response, /Done: createGoogleDoc/);
        assert.equal(data.partial, undefined);
        assert.equal(streamedText(all.slice(0, -1)), data.response);
    });

    it('a turn out of time starts no new round', options, async () => {
        await withHost({ ...setup, database: chat.database.url, env: { AI_TURN_SECONDS: '0.2' } }, async (host) => {
            const gateway = new Sandbox(host, 'lovable_ai');
            await gateway.order(asks(document({ ms: 300 })), { content: 'Late.' });
            const { status, body } = await post(host, NAME, { token: await mint(await chat.agent()), body: { message: 'Go on' } });
            assert.equal(status, 200);
            assert.deepEqual([body.partial, body.warning], [true, 'provider_timeout']);
            assert.equal((await gateway.requests()).length, 1);
        });
    });

    it('a turn whose tools have run is answered although it cannot be stored', options, async () => {
        await chat.database.rows('REVOKE INSERT ON ai_agent_conversations FROM authenticated');
        try {
            const id = await chat.agent();
            await chat.gateway.order(asks(['createGoogleDoc', { title: 'A' }]), { content: 'Done.' }, { content: 'No tool.' });
            const kept = await chat.call(NAME, id, { message: 'Go on' });
            assert.deepEqual([kept.status, kept.body.response, kept.body.warning], [200, 'Done.', 'storage_failed']);
            const lost = await chat.call(NAME, id, { message: 'Go on' });
            assert.deepEqual([lost.status, lost.body.code], [500, 'storage_failed']);
        } finally {
            await chat.database.rows('GRANT INSERT ON ai_agent_conversations TO authenticated');
        }
    });
});

describe('tools, and clients that leave', options, () => {
    it('running tools end and are written down, no further round starts', options, async () => {
        const id = await chat.agent(), controller = new AbortController();
        await chat.gateway.order(asks(document({ ms: 500 })), { content: 'Never asked.' });
        const answer = await stream(id, { message: 'Go on' }, { signal: controller.signal });
        await assert.rejects(async () => {
            for await (const { event } of events(answer)) if (event === 'tool') controller.abort();
        }, { name: 'AbortError' });
        const { messages: [, said] } = await conversations.arrived(id);
        assert.equal(said.partial, true);
        assert.equal(said.toolCalls[0].status, 'success');
        assert.match(said.content, /createGoogleDoc/);
        assert.equal(await rows(id), 1);
        assert.equal((await chat.gateway.requests()).length, 1);
    });

    it('cancel over a WebSocket does the same, and the socket goes on', options, async () => {
        const id = await chat.agent();
        const socket = await connect(chat.host, NAME, { token: await mint(id) }).opened();
        await chat.gateway.order(asks(document({ ms: 500 })), { content: 'Next.' });
        socket.send({ message: 'Go on' });
        while ((await socket.next()).event !== 'tool');
        socket.send({ type: 'cancel' });
        const { event, data } = (await socket.turn()).at(-1);
        assert.deepEqual([event, data.partial, data.toolCalls[0].status], ['final', true, 'success']);
        socket.send({ message: 'And now?' });
        assert.equal((await socket.turn()).at(-1).data.response, 'Next.');
        await socket.close();
    });

    it('the gateway is let go in the last answer, and what was said is kept', options, async () => {
        const id = await chat.agent(), controller = new AbortController();
        await chat.gateway.order(asks(['createGoogleDoc', { title: 'A' }]), { tokens: ['All ', 'is ', 'well'], stallAfter: 2 });
        const answer = await stream(id, { message: 'Go on' }, { signal: controller.signal });
        await assert.rejects(async () => {
            for await (const { data } of events(answer)) if (data.choices?.[0].delta.content === 'is ') controller.abort();
        }, { name: 'AbortError' });
        const { messages: [, said] } = await conversations.arrived(id);
        assert.deepEqual([said.content, said.partial, said.toolCalls.length], ['All is ', true, 1]);
        await eventually(async () => (await chat.gateway.requests())[1].ended, 'the call to the gateway to end');
    });
});

describe('tools, and keys', options, () => {
    it('a retry runs no tool again, whatever it says', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order(asks(['createGoogleDoc', { title: 'A' }]), { content: 'Done.' });
        const first = await chat.call(NAME, id, { message: 'Go on' }, { headers: { 'idempotency-key': 'k1' } });
        const again = await chat.call(NAME, id, { message: 'Other words', idempotencyKey: 'k1' });
        assert.deepEqual(again.body, { ...first.body, replayed: true });
        assert.equal(await rows(id), 1);
        assert.equal((await chat.gateway.requests()).length, 2);
    });

    it('a second try while the first runs is 409', options, async () => {
        const id = await chat.agent(), headers = { 'idempotency-key': 'k2' };
        await chat.gateway.order(asks(document({ ms: 500 })), { content: 'Done.' });
        const first = chat.call(NAME, id, { message: 'Go on' }, { headers });
        await chat.gateway.arrived(1);
        const second = await chat.call(NAME, id, { message: 'Go on' }, { headers });
        assert.deepEqual([second.status, second.body.code], [409, 'turn_in_progress']);
        assert.equal((await first).status, 200);
        await conversations.leasesGivenBack();
    });

    it('turns of two tabs at once lose nothing', options, async () => {
        const id = await chat.agent();
        const conversationId = await conversations.store(id, []);
        await chat.gateway.order({ times: 8, content: 'Said.' });
        await Promise.all(Array.from({ length: 8 }, (_, i) => chat.call(NAME, id, { message: `m${i}`, conversationId })));
        const [{ messages }] = await conversations.of(id);
        assert.equal(messages.length, 16);
        assert.equal(new Set(messages.filter(({ role }) => role === 'user').map(({ content }) => content)).size, 8);
    });
});
