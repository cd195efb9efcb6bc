/*
 * copilotChat (spec ai.md S6): stored conversations, turns and idempotency keys.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { describe, it } from 'node:test';

import { Conversations } from '../../support/conversations.mjs';
import { options, suite } from '../../support/suite.mjs';

const chat = suite({ functions: ['copilotChat'] });
const conversations = new Conversations(chat, 'copilot');
const call = (id, body, more) => chat.call('copilotChat', id, body, more);
const lastBody = async () => (await chat.gateway.bodies()).at(-1);

describe('copilotChat: conversations', options, () => {
    it('go on where they were', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ content: 'One.' }, { content: 'Two.' });
        const first = (await call(id, { userPrompt: 'First', currentTab: 'dashboard' })).body;
        const second = (
            await call(id, {
                userPrompt: 'Second',
                conversationId: first.conversationId.toUpperCase(),
                currentTab: 'market',
            })
        ).body;
        assert.equal(second.conversationId, first.conversationId);
        assert.deepEqual(
            (await lastBody()).messages.slice(1).map(({ content }) => content),
            ['First', 'One.', 'Second'],
        );
        const [row, ...others] = await conversations.of(id);
        assert.equal(others.length, 0);
        assert.deepEqual(
            row.messages.map(({ content }) => content),
            ['First', 'One.', 'Second', 'Two.'],
        );
        assert.deepEqual(row.context, { currentTab: 'market' });
        assert.ok(row.updated_at > row.created_at);
    });

    it('keep other members of their context', options, async () => {
        const id = await chat.agent();
        const conversationId = await conversations.store(id, [], { context: { pinned: true, currentTab: 'x' } });
        await call(id, { userPrompt: 'Hello', conversationId });
        assert.deepEqual((await conversations.of(id))[0].context, { pinned: true, currentTab: 'x' });
        await call(id, { userPrompt: 'Hello', conversationId, currentTab: 'market' });
        assert.deepEqual((await conversations.of(id))[0].context, { pinned: true, currentTab: 'market' });
    });

    it('hold the newest 200 messages', options, async () => {
        const id = await chat.agent();
        const conversationId = await conversations.store(
            id,
            Array.from({ length: 199 }, (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: `m${i}` })),
        );
        await chat.gateway.order({ content: 'Last.' });
        await call(id, { userPrompt: 'Hello', conversationId });
        const [{ messages }] = await conversations.of(id);
        assert.equal(messages.length, 200);
        assert.equal(messages[0].content, 'm1');
        assert.equal(messages.at(-1).content, 'Last.');
    });

    it('whose messages are no array count as empty', options, async () => {
        const id = await chat.agent();
        for (const value of ['null', '{"a":1}', '"text"', null]) {
            const conversationId = await conversations.store(id, []);
            await chat.database.rows(
                'UPDATE ai_agent_conversations SET messages = $2::jsonb, context = $2::jsonb WHERE id = $1',
                [conversationId, value],
            );
            const { status } = await call(id, { userPrompt: 'Hello', conversationId, currentTab: 'market' });
            assert.equal(status, 200);
            const row = await chat.database.row('SELECT messages, context FROM ai_agent_conversations WHERE id = $1', [
                conversationId,
            ]);
            assert.equal(row.messages.length, 2, String(value));
            assert.equal(row.context.currentTab, 'market');
        }
    });

    it('take turns of two tabs at the same time, and lose neither', options, async () => {
        const id = await chat.agent();
        const conversationId = await conversations.store(id, []);
        await chat.gateway.order({ content: 'Slow.', delayMs: 300 }, { content: 'Quick.' });
        const answers = await Promise.all([
            call(id, { userPrompt: 'A', conversationId }),
            call(id, { userPrompt: 'B', conversationId }),
        ]);
        assert.deepEqual(
            answers.map(({ status }) => status),
            [200, 200],
        );
        const [{ messages }] = await conversations.of(id);
        assert.deepEqual(
            messages.map(({ role }) => role),
            ['user', 'assistant', 'user', 'assistant'],
        );
        assert.deepEqual(messages.map(({ content }) => content).sort(), ['A', 'B', 'Quick.', 'Slow.']);
    });

    it('of somebody else, or that are not there, are 404 alike', options, async () => {
        const owner = await chat.agent(),
            id = await chat.agent();
        const theirs = await conversations.store(owner, [{ role: 'user', content: 'Secret' }]);
        const foreign = await call(id, { userPrompt: 'Hello', conversationId: theirs });
        const missing = await call(id, { userPrompt: 'Hello', conversationId: crypto.randomUUID() });
        for (const { status, body } of [foreign, missing]) {
            assert.equal(status, 404);
            assert.equal(body.code, 'conversation_not_found');
        }
        assert.equal(foreign.body.error.replace(theirs, ''), missing.body.error.replace(/[0-9a-f-]{36}/, ''));
        assert.equal((await chat.gateway.requests()).length, 0);
        assert.equal((await conversations.of(owner))[0].messages.length, 1);
    });

    it('of another agent are 409', options, async () => {
        const id = await chat.agent();
        const conversationId = await conversations.store(id, [], { agentType: 'content_agent' });
        const { status, body } = await call(id, { userPrompt: 'Hello', conversationId });
        assert.equal(status, 409);
        assert.equal(body.code, 'conversation_agent_mismatch');
        assert.equal((await chat.gateway.requests()).length, 0);
    });

    it('that cannot be stored are 500 storage_failed', options, async () => {
        const { status, body } = await call('user_copilot_without_profile', { userPrompt: 'Hello' });
        assert.equal(status, 500);
        assert.equal(body.code, 'storage_failed');
    });
});

describe('copilotChat: idempotency keys', options, () => {
    const keyed = (id, key, body, more = {}) => call(id, body, { headers: { 'idempotency-key': key }, ...more });

    it('a retry gets the first answer, without a question to the gateway', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ content: 'Once.' });
        const first = (await keyed(id, 'k-1', { userPrompt: 'Hello' })).body;
        assert.deepEqual(first, { response: 'Once.', conversationId: first.conversationId, toolCalls: [] });
        const second = (await keyed(id, 'k-1', { userPrompt: 'Something else' })).body;
        assert.deepEqual(second, { ...first, replayed: true });
        const third = (await call(id, { userPrompt: 'Hello', idempotencyKey: 'k-1' })).body;
        assert.deepEqual(third, second, 'in the body as in the header');
        assert.equal((await chat.gateway.requests()).length, 1);
        const [row, ...others] = await conversations.of(id);
        assert.equal(others.length, 0);
        assert.equal(row.messages.length, 2);
        assert.equal(row.messages[0].key, 'k-1');
        await conversations.leasesGivenBack();
    });

    it('the id of a new conversation follows from user, agent and key', options, async () => {
        const id = await chat.agent();
        const { body } = await keyed(id, 'A.b_c:d-9', { userPrompt: 'Hello' });
        const name = Buffer.concat([
            Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex'),
            Buffer.from(`chat:${id}:copilot:A.b_c:d-9`),
        ]);
        const hash = crypto.createHash('sha1').update(name).digest().subarray(0, 16);
        hash[6] = (hash[6] & 0x0f) | 0x50;
        hash[8] = (hash[8] & 0x3f) | 0x80;
        assert.equal(body.conversationId.replaceAll('-', ''), hash.toString('hex'));
    });

    it('the same key of another user is another turn', options, async () => {
        const [one, two] = [await chat.agent(), await chat.agent()];
        const first = (await keyed(one, 'shared', { userPrompt: 'Hello' })).body;
        const second = (await keyed(two, 'shared', { userPrompt: 'Hello' })).body;
        assert.notEqual(second.conversationId, first.conversationId);
        assert.ok(!('replayed' in second));
    });

    it('works within a conversation, and replays its tool calls', options, async () => {
        const id = await chat.agent();
        const toolCalls = [{ id: 'call_1', name: 'x', args: {}, status: 'success', durationMs: 1 }];
        const conversationId = await conversations.store(id, [
            { role: 'user', content: 'Old', key: 'old' },
            { role: 'assistant', content: 'Done.', toolCalls },
            { role: 'user', content: 'x', key: 'open' },
        ]);
        assert.deepEqual((await keyed(id, 'old', { userPrompt: 'Old', conversationId })).body, {
            response: 'Done.',
            conversationId,
            toolCalls,
            replayed: true,
        });
        assert.ok(
            !('replayed' in (await keyed(id, 'open', { userPrompt: 'x', conversationId })).body),
            'a key without an answer',
        );
    });

    it('a second request while the first one runs is 409, the answer stays one', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ content: 'Slow.', delayMs: 1500 });
        const first = keyed(id, 'busy', { userPrompt: 'Hello' });
        await chat.gateway.arrived(1);
        const second = await keyed(id, 'busy', { userPrompt: 'Hello' });
        assert.equal(second.status, 409);
        assert.equal(second.body.code, 'turn_in_progress');
        assert.equal((await first).status, 200);
        assert.equal((await keyed(id, 'busy', { userPrompt: 'Hello' })).body.replayed, true);
        assert.equal((await chat.gateway.requests()).length, 1);
    });

    it('a failed turn can be tried again at once', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ status: 500 }, { content: '' }, { content: 'At last.' });
        assert.equal((await keyed(id, 'again', { userPrompt: 'Hello' })).status, 502);
        assert.equal((await keyed(id, 'again', { userPrompt: 'Hello' })).status, 502);
        assert.equal((await keyed(id, 'again', { userPrompt: 'Hello' })).body.response, 'At last.');
        await conversations.leasesGivenBack();
    });

    it('a lease left behind by a host that died runs out', options, async () => {
        const id = await chat.agent();
        const conversationId = await conversations.store(id, []);
        const lease = `chat/${id}/${conversationId}`;
        await chat.database.rows(
            `INSERT INTO edge.leases (name, owner, expires_at) VALUES ($1, 'a dead host', now() + interval '1 minute')`,
            [lease],
        );
        assert.equal((await keyed(id, 'late', { userPrompt: 'Hello', conversationId })).body.code, 'turn_in_progress');
        await chat.database.rows(`UPDATE edge.leases SET expires_at = now() - interval '1 second' WHERE name = $1`, [
            lease,
        ]);
        assert.equal((await keyed(id, 'late', { userPrompt: 'Hello', conversationId })).status, 200);
        await conversations.leasesGivenBack();
    });

    it('malformed or contradicting keys are 400', options, async () => {
        const id = await chat.agent();
        for (const key of ['a b', 'ä'.normalize('NFC'), 'a/b', 'k'.repeat(129)]) {
            const { status, body } = await call(id, { userPrompt: 'Hello', idempotencyKey: key });
            assert.deepEqual([status, body.code, body.field], [400, 'invalid_input', 'idempotencyKey'], key);
        }
        const both = await keyed(id, 'one', { userPrompt: 'Hello', idempotencyKey: 'two' });
        assert.deepEqual([both.status, both.body.field], [400, 'idempotencyKey']);
        assert.equal((await keyed(id, 'same', { userPrompt: 'Hello', idempotencyKey: 'same' })).status, 200);
        assert.equal((await keyed(id, 'k'.repeat(128), { userPrompt: 'Hello' })).status, 200);
        assert.equal((await keyed(id, 'k'.repeat(129), { userPrompt: 'Hello' })).status, 400);
    });
});
