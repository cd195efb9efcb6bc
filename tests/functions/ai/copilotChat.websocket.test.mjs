/*
 * copilotChat over WebSocket (spec ai.md S7, framing as spec/README.md 16).
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { startDatabase } from '../../support/data.mjs';
import { SERVICE_KEY, eventually, startHost } from '../../support/host.mjs';
import { Sandbox } from '../../support/sandbox.mjs';
import { connect, streamedText } from '../../support/streams.mjs';
import { forge, mint } from '../../support/tokens.mjs';

const options = { timeout: 60000 };

let database, host, gateway, people = 0;

before(async () => {
    database = await startDatabase();
    host = await startHost({ functions: ['copilotChat'], database: database.url });
    gateway = new Sandbox(host, 'lovable_ai');
}, options);

after(async () => {
    await host?.stop();
    await database?.stop();
}, options);

beforeEach(() => gateway.reset(), options);

async function agent() {
    const id = `user_socket_${++people}`;
    await database.person(id);
    return id;
}

const conversations = (id) => database.rows('SELECT * FROM ai_agent_conversations WHERE user_id = $1 ORDER BY created_at', [id]);
const TOKENS = ['Call', ' five', ' owners', ' — ', 'today.'];
const TEXT = TOKENS.join('');

describe('copilotChat: WebSocket', options, () => {
    const open = async (id, more = {}) => connect(host, 'copilotChat', { token: await mint(id), ...more }).opened();

    it('a turn: deltas, then final', options, async () => {
        const id = await agent();
        await gateway.order({ tokens: TOKENS });
        const socket = await open(id);
        socket.send({ id: 'turn-1', userPrompt: 'How?' });
        const all = await socket.turn();
        for (const message of all) assert.equal(message.id, 'turn-1');
        assert.deepEqual(all.slice(0, -1).map(({ event }) => event), Array(TOKENS.length + 2).fill('delta'));
        assert.equal(streamedText(all.slice(0, -1)), TEXT);
        const { data } = all.at(-1);
        assert.deepEqual(data, { response: TEXT, conversationId: data.conversationId, toolCalls: [] });
        assert.equal((await conversations(id))[0].id, data.conversationId);
        await socket.close();
    });

    it('a turn without an id, and the next one after it', options, async () => {
        const id = await agent();
        const socket = await open(id);
        await gateway.order({ content: 'One.' }, { content: 'Two.' });
        socket.send({ userPrompt: 'First' });
        const first = (await socket.turn()).at(-1);
        assert.ok(!('id' in first));
        socket.send({ userPrompt: 'Second', conversationId: first.data.conversationId });
        assert.equal((await socket.turn()).at(-1).data.response, 'Two.');
        assert.equal((await conversations(id))[0].messages.length, 4);
        await socket.close();
    });

    it('the token in the subprotocol, for browsers', options, async () => {
        const socket = await connect(host, 'copilotChat', { protocols: ['bearer', await mint(await agent())] }).opened();
        assert.equal(socket.socket.protocol, 'bearer');
        socket.send({ userPrompt: 'How?' });
        assert.equal((await socket.turn()).at(-1).event, 'final');
        await socket.close();
    });

    it('a bad or missing token is 401 before the upgrade', options, async () => {
        await assert.rejects(connect(host, 'copilotChat').opened(), { status: 401 });
        await assert.rejects(connect(host, 'copilotChat', { token: await forge('user_a') }).opened(), { status: 401 });
        await assert.rejects(connect(host, 'copilotChat', { protocols: ['bearer', await forge('user_a')] }).opened(), { status: 401 });
        await assert.rejects(connect(host, 'copilotChat', { token: SERVICE_KEY }).opened(), { status: 403 });
    });

    it('errors are messages, and the socket stays open', options, async () => {
        const socket = await open(await agent());
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
        assert.equal((await failing({ id: 'a', userPrompt: 'Hi', conversationId: '00000000-0000-4000-8000-000000000000' })).code, 'conversation_not_found');
        await gateway.order({ status: 429, body: {} });
        assert.equal((await failing({ id: 'a', userPrompt: 'Hi' })).code, 'provider_rate_limited');
        socket.send({ id: 'b', userPrompt: 'Hi' });
        assert.equal((await socket.turn()).at(-1).event, 'final');
        await socket.close();
    });

    it('a conversation takes one turn at a time, different ones run side by side', options, async () => {
        const id = await agent();
        const { body: { conversationId } } = await post(host, 'copilotChat', { token: await mint(id), body: { userPrompt: 'Start' } });
        await gateway.reset();
        const socket = await open(id);
        await gateway.order({ tokens: ['slow ', 'answer'], tokenIntervalMs: 800 });
        socket.send({ id: 'one', userPrompt: 'One', conversationId });
        await gateway.arrived(1);
        socket.send({ id: 'two', userPrompt: 'Two', conversationId });
        socket.send({ id: 'three', userPrompt: 'Three' });
        const ended = {};
        while (Object.keys(ended).length < 3) {
            const message = await socket.next();
            if (['final', 'error'].includes(message.event)) ended[message.id] = message;
        }
        assert.deepEqual(Object.keys(ended), ['two', 'three', 'one']);
        assert.equal(ended.two.data.code, 'turn_in_progress');
        assert.equal(ended.three.event, 'final');
        assert.equal(ended.one.event, 'final');
        await socket.close();
        await eventually(async () => (await database.count('edge.leases')) === 0, 'the lease to be given back');
    });

    it('cancel ends the turn like a lost client, with a partial final', options, async () => {
        const id = await agent();
        const socket = await open(id);
        await gateway.order({ tokens: Array.from({ length: 200 }, (_, i) => `w${i} `), tokenIntervalMs: 50 });
        socket.send({ userPrompt: 'Much' });
        for (let seen = 0; seen < 3; ) if ((await socket.next()).data.choices?.[0].delta.content) seen++;
        socket.send({ type: 'cancel' });
        const { event, data } = (await socket.turn()).at(-1);
        assert.equal(event, 'final');
        assert.equal(data.partial, true);
        assert.ok(data.response.startsWith('w0 w1 w2 ') && data.response.length < 300);
        const [row] = await conversations(id);
        assert.equal(row.messages[1].partial, true);
        socket.send({ userPrompt: 'And now?' });
        assert.equal((await socket.turn()).at(-1).event, 'final', 'the socket goes on');
        await socket.close();
    });

    it('a socket that is lost in a turn leaves the partial turn behind', options, async () => {
        const id = await agent();
        const socket = await open(id);
        await gateway.order({ tokens: Array.from({ length: 200 }, (_, i) => `w${i} `), tokenIntervalMs: 50 });
        socket.send({ userPrompt: 'Much' });
        for (let seen = 0; seen < 3; ) if ((await socket.next()).data.choices?.[0].delta.content) seen++;
        socket.socket.terminate();
        const [row] = await eventually(async () => { const rows = await conversations(id); return rows.length > 0 && rows; }, 'the partial turn');
        assert.equal(row.messages[1].partial, true);
    });

    it('a message over 1 MiB closes with 1009', options, async () => {
        const socket = await open(await agent());
        socket.send({ userPrompt: 'x'.repeat(1100000) });
        assert.equal(await socket.closed, 1009);
    });
});
