/*
 * copilotChat over WebSocket (spec ai.md S7, framing as spec/README.md 16).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { Conversations } from '../../support/conversations.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { connect, streamedText } from '../../support/streams.mjs';
import { options, suite } from '../../support/suite.mjs';
import { forge, mint } from '../../support/tokens.mjs';

const chat = suite({ functions: ['copilotChat'] });
const conversations = new Conversations(chat, 'copilot');
const TOKENS = ['Call', ' five', ' owners', ' — ', 'today.'];
const TEXT = TOKENS.join('');

describe('copilotChat: WebSocket', options, () => {
    const open = async (id, more = {}) =>
        connect(chat.host, 'copilotChat', { token: await mint(id), ...more }).opened();

    it('a turn: deltas, then final', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ tokens: TOKENS });
        const socket = await open(id);
        socket.send({ id: 'turn-1', userPrompt: 'How?' });
        const all = await socket.turn();
        for (const message of all) assert.equal(message.id, 'turn-1');
        assert.deepEqual(
            all.slice(0, -1).map(({ event }) => event),
            Array(TOKENS.length + 2).fill('delta'),
        );
        assert.equal(streamedText(all.slice(0, -1)), TEXT);
        const { data } = all.at(-1);
        assert.deepEqual(data, { response: TEXT, conversationId: data.conversationId, toolCalls: [] });
        assert.equal((await conversations.of(id))[0].id, data.conversationId);
        await socket.close();
    });

    it('a turn without an id, and the next one after it', options, async () => {
        const id = await chat.agent();
        const socket = await open(id);
        await chat.gateway.order({ content: 'One.' }, { content: 'Two.' });
        socket.send({ userPrompt: 'First' });
        const first = (await socket.turn()).at(-1);
        assert.ok(!('id' in first));
        socket.send({ userPrompt: 'Second', conversationId: first.data.conversationId });
        assert.equal((await socket.turn()).at(-1).data.response, 'Two.');
        assert.equal((await conversations.of(id))[0].messages.length, 4);
        await socket.close();
    });

    it('the token in the subprotocol, for browsers', options, async () => {
        const socket = await connect(chat.host, 'copilotChat', {
            protocols: ['bearer', await mint(await chat.agent())],
        }).opened();
        assert.equal(socket.socket.protocol, 'bearer');
        socket.send({ userPrompt: 'How?' });
        assert.equal((await socket.turn()).at(-1).event, 'final');
        await socket.close();
    });

    it('a bad or missing token is 401 before the upgrade', options, async () => {
        await assert.rejects(connect(chat.host, 'copilotChat').opened(), { status: 401 });
        await assert.rejects(connect(chat.host, 'copilotChat', { token: await forge('user_a') }).opened(), {
            status: 401,
        });
        await assert.rejects(
            connect(chat.host, 'copilotChat', { protocols: ['bearer', await forge('user_a')] }).opened(),
            { status: 401 },
        );
        await assert.rejects(connect(chat.host, 'copilotChat', { token: SERVICE_KEY }).opened(), { status: 403 });
    });

    it('errors are messages, and the socket stays open', options, async () => {
        const socket = await open(await chat.agent());
        const failing = async (message) => {
            socket.send(message);
            const all = await socket.turn();
            assert.equal(all.length, 1);
            assert.equal(all[0].event, 'error');
            assert.equal(typeof all[0].data.requestId, 'string');
            return all[0].data;
        };
        assert.equal((await failing('no json')).code, 'invalid_json');
        assert.equal((await failing('[1]')).code, 'invalid_json');
        assert.equal((await failing({ id: 'a' })).code, 'invalid_input');
        assert.equal((await failing({ id: 'a', userPrompt: 'Hi', userId: 'user_other' })).code, 'user_mismatch');
        assert.equal(
            (await failing({ id: 'a', userPrompt: 'Hi', conversationId: '00000000-0000-4000-8000-000000000000' })).code,
            'conversation_not_found',
        );
        await chat.gateway.order({ status: 429, body: {} });
        assert.equal((await failing({ id: 'a', userPrompt: 'Hi' })).code, 'provider_rate_limited');
        socket.send({ id: 'b', userPrompt: 'Hi' });
        assert.equal((await socket.turn()).at(-1).event, 'final');
        await socket.close();
    });

    it('a conversation takes one turn at a time, different ones run side by side', options, async () => {
        const id = await chat.agent();
        const {
            body: { conversationId },
        } = await post(chat.host, 'copilotChat', { token: await mint(id), body: { userPrompt: 'Start' } });
        await chat.gateway.reset();
        const socket = await open(id);
        await chat.gateway.order({ tokens: ['slow ', 'answer'], tokenIntervalMs: 800 });
        socket.send({ id: 'one', userPrompt: 'One', conversationId });
        await chat.gateway.arrived(1);
        socket.send({ id: 'two', userPrompt: 'Two', conversationId });
        socket.send({ id: 'three', userPrompt: 'Three' });
        const ended = {};
        while (Object.keys(ended).length < 3) {
            const message = await socket.next();
            if (['final', 'error'].includes(message.event)) ended[message.id] = message;
        }
        assert.equal(Object.keys(ended).at(-1), 'one'); /* the others did not wait for it */
        assert.equal(ended.two.data.code, 'turn_in_progress');
        assert.equal(ended.three.event, 'final');
        assert.equal(ended.one.event, 'final');
        await socket.close();
        await conversations.leasesGivenBack();
    });

    it('cancel ends the turn like a lost client, with a partial final', options, async () => {
        const id = await chat.agent();
        const socket = await open(id);
        await chat.gateway.order({ tokens: Array.from({ length: 200 }, (_, i) => `w${i} `), tokenIntervalMs: 50 });
        socket.send({ userPrompt: 'Much' });
        for (let seen = 0; seen < 3;) if ((await socket.next()).data.choices?.[0].delta.content) seen++;
        socket.send({ type: 'cancel' });
        const { event, data } = (await socket.turn()).at(-1);
        assert.equal(event, 'final');
        assert.equal(data.partial, true);
        assert.ok(data.response.startsWith('w0 w1 w2 ') && data.response.length < 300);
        const [row] = await conversations.of(id);
        assert.equal(row.messages[1].partial, true);
        socket.send({ userPrompt: 'And now?' });
        assert.equal((await socket.turn()).at(-1).event, 'final', 'the socket goes on');
        await socket.close();
    });

    it('a socket that is lost in a turn leaves the partial turn behind', options, async () => {
        const id = await chat.agent();
        const socket = await open(id);
        await chat.gateway.order({ tokens: Array.from({ length: 200 }, (_, i) => `w${i} `), tokenIntervalMs: 50 });
        socket.send({ userPrompt: 'Much' });
        for (let seen = 0; seen < 3;) if ((await socket.next()).data.choices?.[0].delta.content) seen++;
        socket.socket.terminate();
        const row = await conversations.arrived(id);
        assert.equal(row.messages[1].partial, true);
    });

    it('a message over 1 MiB closes with 1009', options, async () => {
        const socket = await open(await chat.agent());
        socket.send({ userPrompt: 'x'.repeat(1100000) });
        assert.equal(await socket.closed, 1009);
    });
});
