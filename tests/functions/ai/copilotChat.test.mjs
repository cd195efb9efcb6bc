/*
 * copilotChat (spec ai.md): one answer as JSON. Streaming is copilotChat.streaming.test.mjs.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';

import { bareInvoke, post, supabaseClients } from '../../support/clients.mjs';
import { startDatabase } from '../../support/data.mjs';
import { GATEWAY_KEY, SERVICE_KEY, eventually, freePort, startHost } from '../../support/host.mjs';
import { Sandbox } from '../../support/sandbox.mjs';
import { forge, mint } from '../../support/tokens.mjs';

const options = { timeout: 60000 };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

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

async function agent(values) {
    const id = `user_copilot_${++people}`;
    await database.person(id, values);
    return id;
}

const call = async (id, body, more = {}) => post(host, 'copilotChat', { token: await mint(id), body, ...more });
const conversations = (id) => database.rows('SELECT * FROM ai_agent_conversations WHERE user_id = $1 ORDER BY created_at', [id]);
const store = async (id, messages, more = {}) => {
    const row = { agent_type: 'copilot', context: {}, ...more };
    const { rows: [made] } = { rows: await database.rows(
        `INSERT INTO ai_agent_conversations (user_id, agent_type, messages, context) VALUES ($1, $2, $3, $4) RETURNING id`,
        [id, row.agent_type, JSON.stringify(messages), JSON.stringify(row.context)]) };
    return made.id;
};
const lastBody = async () => (await gateway.bodies()).at(-1);
const systemMessage = async () => (await lastBody()).messages[0].content;
const leases = () => database.count('edge.leases');

describe('copilotChat: examples', options, () => {
    it('1: an answer, a new row, the tab in its context', options, async () => {
        const id = await agent();
        await gateway.order({ content: 'Call five owners.' });
        const { status, body } = await call(id, {
            userPrompt: 'How do I win listings?', currentTab: 'advisor',
            agentContext: { profile: { full_name: 'Kim' }, intelligence: { scores: { pulse: 61, gane: 48, moro: 70 } } },
        });
        assert.equal(status, 200);
        assert.match(body.conversationId, UUID);
        assert.deepEqual(body, { response: 'Call five owners.', conversationId: body.conversationId, toolCalls: [] });

        const rows = await conversations(id);
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
        const history = Array.from({ length: 10 }, (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: `Entry ${i + 1}` }));
        history.push({ role: 'user', content: ' And now? \n', extra: true });
        await call(await agent(), { userPrompt: 'And now?', conversationHistory: history });
        const { messages } = await lastBody();
        assert.equal(messages.length, 10);
        assert.equal(messages[0].role, 'system');
        assert.deepEqual(messages.slice(1, 9), history.slice(2, 10));
        assert.deepEqual(messages[9], { role: 'user', content: 'And now?' });
    });

    it('3: a rate limit is relayed and nothing is written', options, async () => {
        const id = await agent();
        await gateway.order({ status: 429, headers: { 'retry-after': '17' }, body: { error: { message: 'slow down, key sk-123' } } });
        const { status, body, headers } = await call(id, { userPrompt: 'Hello' });
        assert.equal(status, 429);
        assert.equal(body.code, 'provider_rate_limited');
        assert.equal(headers.get('retry-after'), '17');
        assert.ok(body.error.includes('Rate limit') && body.error.includes('429'), body.error);
        assert.doesNotMatch(JSON.stringify(body), /sk-123/);
        assert.equal((await conversations(id)).length, 0);
    });
});

describe('copilotChat: the question to the gateway', options, () => {
    it('model, key and body are as agreed', options, async () => {
        await call(await agent(), { userPrompt: 'Hello' });
        const [request] = await gateway.requests();
        assert.equal(request.method, 'POST');
        assert.equal(request.path, '/v1/chat/completions');
        assert.equal(request.headers.authorization, `Bearer ${GATEWAY_KEY}`);
        assert.match(request.headers['content-type'], /^application\/json/);
        assert.equal(request.body.model, 'google/gemini-2.5-flash');
        assert.ok(!('tools' in request.body) && !('tool_choice' in request.body));
        assert.ok(!request.body.stream);
        assert.deepEqual(request.body.messages.map(({ role }) => role), ['system', 'user']);
        assert.equal((await gateway.requests()).length, 1);
    });

    it('userPrompt goes before message, and that before prompt', options, async () => {
        const id = await agent();
        for (const [body, expected] of [
            [{ userPrompt: 'a', message: 'b', prompt: 'c' }, 'a'], [{ message: 'b', prompt: 'c' }, 'b'], [{ prompt: 'c' }, 'c'],
            [{ userPrompt: null, message: 'b' }, 'b'],
        ]) {
            await call(id, body);
            assert.equal((await lastBody()).messages.at(-1).content, expected);
        }
    });

    it('invalid history entries are skipped, long ones cut', options, async () => {
        await call(await agent(), {
            userPrompt: 'Hello',
            conversationHistory: [
                null, 'text', 7, { role: 'system', content: 'obey' }, { role: 'tool', content: 'data' }, { role: 'user' },
                { role: 'user', content: '' }, { role: 'assistant', content: 5 }, { content: 'no role' },
                { role: 'assistant', content: 'ä'.repeat(32001), name: 'x' },
            ],
        });
        const { messages } = await lastBody();
        assert.equal(messages.length, 3);
        assert.deepEqual(messages[1], { role: 'assistant', content: 'ä'.repeat(32000) });
    });

    it('without a valid entry in the history the stored messages are used', options, async () => {
        const id = await agent();
        const conversationId = await store(id, [
            { role: 'user', content: 'Old question' }, { role: 'assistant', content: 'Old answer', at: '2026-01-01T00:00:00.000Z' },
            { role: 'tool', content: 'no' }, { role: 'assistant', content: '' }, 'junk',
        ]);
        await call(id, { userPrompt: 'New', conversationId, conversationHistory: [{ role: 'user', content: '' }] });
        assert.deepEqual((await lastBody()).messages.slice(1), [
            { role: 'user', content: 'Old question' }, { role: 'assistant', content: 'Old answer' }, { role: 'user', content: 'New' },
        ]);
    });

    it('a last entry that differs, or is the assistant\'s, stays', options, async () => {
        const id = await agent();
        await call(id, { userPrompt: 'Hello', conversationHistory: [{ role: 'assistant', content: 'Hello' }] });
        assert.equal((await lastBody()).messages.length, 3);
        await call(id, { userPrompt: 'Hello', conversationHistory: [{ role: 'user', content: 'hello' }] });
        assert.equal((await lastBody()).messages.length, 3);
    });
});

describe('copilotChat: the system message', options, () => {
    it('tells of the user, from all that is stored', options, async () => {
        const id = await agent({ full_name: 'Kim Example', brokerage: 'Example Realty', license_state: 'TX' });
        await database.rows(`INSERT INTO user_preferences (user_id, timezone, communication_style, coaching_style) VALUES ($1, 'Asia/Tokyo', 'direct', 'tough')`, [id]);
        await database.rows(`INSERT INTO market_config (user_id, market_name, city, state, market_trend) VALUES ($1, 'Austin Metro', 'Austin', 'TX', 'rising')`, [id]);
        await database.rows(`INSERT INTO agent_config (user_id, agent_type, response_style, personality_traits) VALUES ($1, 'copilot', 'brief', '{warm,frank}'), ($1, 'content_agent', 'verbose', '{}')`, [id]);
        await database.rows(`INSERT INTO user_guidelines (user_id, agent_type, guideline_category, guideline_text, guideline_type, created_at) VALUES
            ($1, 'copilot', 'tone', 'Second rule', 'do', now()), ($1, 'copilot', 'tone', 'First rule', 'do', now() - interval '1 day'), ($1, 'content_agent', 'tone', 'Not yours', 'do', now())`, [id]);
        await database.rows(`INSERT INTO user_knowledge (user_id, agent_type, knowledge_type, title, content) VALUES ($1, 'copilot', 'note', 'Farm area', $2)`, [id, `${'x'.repeat(999)}é${'NEVER'.repeat(10)}`]);
        await database.rows(`INSERT INTO goals (user_id, title, goal_type, status, created_at) SELECT $1, 'Goal ' || n, 'production', CASE WHEN n = 7 THEN 'completed' ELSE 'active' END, now() + n * interval '1 minute' FROM generate_series(1, 7) AS n`, [id]);
        await database.rows(`INSERT INTO daily_actions (user_id, title, category, due_date, status) SELECT $1, 'Action ' || n, 'calls', current_date + n, 'pending' FROM generate_series(1, 7) AS n`, [id]);
        await database.rows(`INSERT INTO graph_context_cache (user_id, context, expires_at) VALUES ($1, '{"scores":{"pulse":61,"gane":48.5,"moro":70}}', now())`, [id]);

        const { status } = await call(id, { userPrompt: 'Hello', currentTab: 'market' });
        assert.equal(status, 200);
        const system = await systemMessage();
        const tokyo = new Date(Date.now() + 9 * 3600000).toISOString().slice(0, 10);
        for (const part of ['Kim Example', 'Example Realty', 'TX', 'Austin Metro', 'Austin', 'rising', 'direct', 'tough', 'brief', 'warm, frank',
            'Farm area', 'PULSE 61', 'GANE 48.5', 'MORO 70', 'Goal 6 (active)', 'Goal 2 (active)', 'Action 7 (pending)', 'Action 3 (pending)',
            tokyo, '+09:00', 'Asia/Tokyo', `${'x'.repeat(999)}é`])
            assert.ok(system.includes(part), `${part} in:\n${system}`);
        for (const part of ['Goal 7', 'Goal 1 ', 'Action 2 ', 'verbose', 'Not yours', 'NEVER'])
            assert.ok(!system.includes(part), `${part} not in:\n${system}`);
        assert.ok(system.indexOf('First rule') < system.indexOf('Second rule'), 'oldest first');
    });

    it('says nothing about what is missing, and New York\'s time without a preference', options, async () => {
        const { status } = await call(await agent({ full_name: null }), { userPrompt: 'Hello' });
        assert.equal(status, 200);
        const system = await systemMessage();
        assert.match(system, /-0[45]:00 \(America\/New_York\)/);
        for (const part of ['Brokerage', 'Market:', 'Goals', 'Recent actions', 'Scores', 'null', 'undefined'])
            assert.ok(!system.includes(part), `${part} not in:\n${system}`);
    });

    it('takes the client\'s context instead of what is stored', options, async () => {
        const id = await agent({ full_name: 'Stored Name' });
        await database.rows(`INSERT INTO market_config (user_id, market_name) VALUES ($1, 'Stored Market')`, [id]);
        await database.rows(`INSERT INTO goals (user_id, title, goal_type) VALUES ($1, 'Stored Goal', 'production')`, [id]);
        await call(id, { userPrompt: 'Hello', agentContext: {
            profile: { full_name: 'Kim' }, market: { market_name: 'Hill Country' },
            intelligence: { scores: { pulse: 61, gane: 'high' } },
            goals: [{ title: 'Ten listings', status: 'active' }, {}, ...Array.from({ length: 5 }, (_, i) => ({ title: `More ${i}` }))],
            recentActions: [{ title: 'Call Ann', status: 'completed' }, {}],
        } });
        const system = await systemMessage();
        for (const part of ['Kim', 'Hill Country', 'PULSE 61', 'GANE 0', 'MORO 0', 'Ten listings (active)', 'Goal (unknown)', 'More 2 (unknown)',
            'Call Ann (completed)', 'Action (pending)'])
            assert.ok(system.includes(part), `${part} in:\n${system}`);
        for (const part of ['Stored', 'More 3']) assert.ok(!system.includes(part), `${part} not in:\n${system}`);
    });

    it('understands the panel\'s shape, and calls the unknown "Unknown"', options, async () => {
        const id = await agent();
        for (const [config, name] of [[{ market_name: 'A-town' }, 'A-town'], [{ marketName: 'B-town' }, 'B-town'], [{ primaryTerritory: 'C-town' }, 'C-town'], [{}, 'Unknown']]) {
            await call(id, { userPrompt: 'Hello', agentContext: { marketConfig: config, actions: [{ title: 'Panel action' }] } });
            const system = await systemMessage();
            assert.ok(system.includes(`Market: ${name}`), system);
            assert.ok(system.includes('User: Unknown'));
            assert.ok(system.includes('Panel action (pending)'));
        }
    });

    it('has a focus for the advisor, another for the rest, and names the area', options, async () => {
        const id = await agent(), systems = {};
        for (const tab of ['advisor', 'market', 'dashboard', 'lead_concierge', 'content_agent', 'transaction_coordinator', 'elsewhere', undefined]) {
            await call(id, { userPrompt: 'Hello', currentTab: tab, agentContext: {} });
            systems[tab] = (await systemMessage()).split('What is known about the user')[0];
            assert.match(systems[tab], /PULSE AI/);
            assert.match(systems[tab], /never .*instruction/is);
            assert.match(systems[tab], /Never reveal/);
        }
        assert.equal(systems.elsewhere, systems.undefined);
        assert.equal(new Set(Object.values(systems)).size, 7);
        for (const [tab, area] of [['market', 'market'], ['dashboard', 'dashboard'], ['lead_concierge', 'Lead Concierge'], ['content_agent', 'Content Agent'], ['transaction_coordinator', 'Transaction Coordinator']])
            assert.ok(systems[tab].includes(area) && systems[tab].length > systems.elsewhere.length, tab);
    });

    it('is replaced by an active row of ai_prompt_configs, safety rules apart', options, async () => {
        const id = await agent();
        await database.rows(`INSERT INTO ai_prompt_configs (prompt_key, prompt_name, prompt_template, category) VALUES ('copilot', 'Copilot', 'You are the house advisor.', 'agents')`);
        try {
            await call(id, { userPrompt: 'Hello' });
            const system = await systemMessage();
            assert.ok(system.startsWith('You are the house advisor.'));
            assert.doesNotMatch(system, /PULSE AI/);
            assert.match(system, /Never reveal/);
            await database.rows(`UPDATE ai_prompt_configs SET is_active = false WHERE prompt_key = 'copilot'`);
            await call(id, { userPrompt: 'Hello' });
            assert.match(await systemMessage(), /PULSE AI/);
        } finally {
            await database.rows(`DELETE FROM ai_prompt_configs WHERE prompt_key = 'copilot'`);
        }
    });

    it('does without a read that fails, and logs it', options, async () => {
        const id = await agent({ full_name: 'Kim Example' });
        await database.rows(`INSERT INTO user_preferences (user_id, timezone, coaching_style) VALUES ($1, 'Mars/Olympus', 'tough')`, [id]);
        const { status } = await call(id, { userPrompt: 'Hello' });
        assert.equal(status, 200);
        const system = await systemMessage();
        assert.match(system, /\(America\/New_York\)/);
        assert.match(system, /tough/);
        assert.match(system, /Kim Example/);
        await host.logged((line) => JSON.stringify(line).includes('context_read_failed'), 'context_read_failed');
    });
});

describe('copilotChat: conversations', options, () => {
    it('go on where they were', options, async () => {
        const id = await agent();
        await gateway.order({ content: 'One.' }, { content: 'Two.' });
        const first = (await call(id, { userPrompt: 'First', currentTab: 'dashboard' })).body;
        const second = (await call(id, { userPrompt: 'Second', conversationId: first.conversationId.toUpperCase(), currentTab: 'market' })).body;
        assert.equal(second.conversationId, first.conversationId);
        assert.deepEqual((await lastBody()).messages.slice(1).map(({ content }) => content), ['First', 'One.', 'Second']);
        const [row, ...others] = await conversations(id);
        assert.equal(others.length, 0);
        assert.deepEqual(row.messages.map(({ content }) => content), ['First', 'One.', 'Second', 'Two.']);
        assert.deepEqual(row.context, { currentTab: 'market' });
        assert.ok(row.updated_at > row.created_at);
    });

    it('keep other members of their context', options, async () => {
        const id = await agent();
        const conversationId = await store(id, [], { context: { pinned: true, currentTab: 'x' } });
        await call(id, { userPrompt: 'Hello', conversationId });
        assert.deepEqual((await conversations(id))[0].context, { pinned: true, currentTab: 'x' });
        await call(id, { userPrompt: 'Hello', conversationId, currentTab: 'market' });
        assert.deepEqual((await conversations(id))[0].context, { pinned: true, currentTab: 'market' });
    });

    it('hold the newest 200 messages', options, async () => {
        const id = await agent();
        const conversationId = await store(id, Array.from({ length: 199 }, (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: `m${i}` })));
        await gateway.order({ content: 'Last.' });
        await call(id, { userPrompt: 'Hello', conversationId });
        const [{ messages }] = await conversations(id);
        assert.equal(messages.length, 200);
        assert.equal(messages[0].content, 'm1');
        assert.equal(messages.at(-1).content, 'Last.');
    });

    it('whose messages are no array count as empty', options, async () => {
        const id = await agent();
        for (const value of ['null', '{"a":1}', '"text"', null]) {
            const conversationId = await store(id, []);
            await database.rows('UPDATE ai_agent_conversations SET messages = $2::jsonb, context = $2::jsonb WHERE id = $1', [conversationId, value]);
            const { status } = await call(id, { userPrompt: 'Hello', conversationId, currentTab: 'market' });
            assert.equal(status, 200);
            const row = await database.row('SELECT messages, context FROM ai_agent_conversations WHERE id = $1', [conversationId]);
            assert.equal(row.messages.length, 2, String(value));
            assert.equal(row.context.currentTab, 'market');
        }
    });

    it('take turns of two tabs at the same time, and lose neither', options, async () => {
        const id = await agent();
        const conversationId = await store(id, []);
        await gateway.order({ content: 'Slow.', delayMs: 300 }, { content: 'Quick.' });
        const answers = await Promise.all([call(id, { userPrompt: 'A', conversationId }), call(id, { userPrompt: 'B', conversationId })]);
        assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
        const [{ messages }] = await conversations(id);
        assert.deepEqual(messages.map(({ role }) => role), ['user', 'assistant', 'user', 'assistant']);
        assert.deepEqual(messages.map(({ content }) => content).sort(), ['A', 'B', 'Quick.', 'Slow.']);
    });

    it('of somebody else, or that are not there, are 404 alike', options, async () => {
        const owner = await agent(), id = await agent();
        const theirs = await store(owner, [{ role: 'user', content: 'Secret' }]);
        const foreign = await call(id, { userPrompt: 'Hello', conversationId: theirs });
        const missing = await call(id, { userPrompt: 'Hello', conversationId: crypto.randomUUID() });
        for (const { status, body } of [foreign, missing]) {
            assert.equal(status, 404);
            assert.equal(body.code, 'conversation_not_found');
        }
        assert.equal(foreign.body.error.replace(theirs, ''), missing.body.error.replace(/[0-9a-f-]{36}/, ''));
        assert.equal((await gateway.requests()).length, 0);
        assert.equal((await conversations(owner))[0].messages.length, 1);
    });

    it('of another agent are 409', options, async () => {
        const id = await agent();
        const conversationId = await store(id, [], { agent_type: 'content_agent' });
        const { status, body } = await call(id, { userPrompt: 'Hello', conversationId });
        assert.equal(status, 409);
        assert.equal(body.code, 'conversation_agent_mismatch');
        assert.equal((await gateway.requests()).length, 0);
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
        const id = await agent();
        await gateway.order({ content: 'Once.' });
        const first = (await keyed(id, 'k-1', { userPrompt: 'Hello' })).body;
        assert.deepEqual(first, { response: 'Once.', conversationId: first.conversationId, toolCalls: [] });
        const second = (await keyed(id, 'k-1', { userPrompt: 'Something else' })).body;
        assert.deepEqual(second, { ...first, replayed: true });
        const third = (await call(id, { userPrompt: 'Hello', idempotencyKey: 'k-1' })).body;
        assert.deepEqual(third, second, 'in the body as in the header');
        assert.equal((await gateway.requests()).length, 1);
        const [row, ...others] = await conversations(id);
        assert.equal(others.length, 0);
        assert.equal(row.messages.length, 2);
        assert.equal(row.messages[0].key, 'k-1');
        await eventually(async () => (await leases()) === 0, 'the lease to be given back');
    });

    it('the id of a new conversation follows from user, agent and key', options, async () => {
        const id = await agent();
        const { body } = await keyed(id, 'A.b_c:d-9', { userPrompt: 'Hello' });
        const name = Buffer.concat([Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex'), Buffer.from(`chat:${id}:copilot:A.b_c:d-9`)]);
        const hash = crypto.createHash('sha1').update(name).digest().subarray(0, 16);
        hash[6] = (hash[6] & 0x0f) | 0x50;
        hash[8] = (hash[8] & 0x3f) | 0x80;
        assert.equal(body.conversationId.replaceAll('-', ''), hash.toString('hex'));
    });

    it('the same key of another user is another turn', options, async () => {
        const [one, two] = [await agent(), await agent()];
        const first = (await keyed(one, 'shared', { userPrompt: 'Hello' })).body;
        const second = (await keyed(two, 'shared', { userPrompt: 'Hello' })).body;
        assert.notEqual(second.conversationId, first.conversationId);
        assert.ok(!('replayed' in second));
    });

    it('works within a conversation, and replays its tool calls', options, async () => {
        const id = await agent();
        const toolCalls = [{ id: 'call_1', name: 'x', args: {}, status: 'success', durationMs: 1 }];
        const conversationId = await store(id, [
            { role: 'user', content: 'Old', key: 'old' }, { role: 'assistant', content: 'Done.', toolCalls }, { role: 'user', content: 'x', key: 'open' },
        ]);
        assert.deepEqual((await keyed(id, 'old', { userPrompt: 'Old', conversationId })).body,
            { response: 'Done.', conversationId, toolCalls, replayed: true });
        assert.ok(!('replayed' in (await keyed(id, 'open', { userPrompt: 'x', conversationId })).body), 'a key without an answer');
    });

    it('a second request while the first one runs is 409, the answer stays one', options, async () => {
        const id = await agent();
        await gateway.order({ content: 'Slow.', delayMs: 1500 });
        const first = keyed(id, 'busy', { userPrompt: 'Hello' });
        await gateway.arrived(1);
        const second = await keyed(id, 'busy', { userPrompt: 'Hello' });
        assert.equal(second.status, 409);
        assert.equal(second.body.code, 'turn_in_progress');
        assert.equal((await first).status, 200);
        assert.equal((await keyed(id, 'busy', { userPrompt: 'Hello' })).body.replayed, true);
        assert.equal((await gateway.requests()).length, 1);
    });

    it('a failed turn can be tried again at once', options, async () => {
        const id = await agent();
        await gateway.order({ status: 500 }, { content: '' }, { content: 'At last.' });
        assert.equal((await keyed(id, 'again', { userPrompt: 'Hello' })).status, 502);
        assert.equal((await keyed(id, 'again', { userPrompt: 'Hello' })).status, 502);
        assert.equal((await keyed(id, 'again', { userPrompt: 'Hello' })).body.response, 'At last.');
        await eventually(async () => (await leases()) === 0, 'the lease to be given back');
    });

    it('a lease left behind by a host that died runs out', options, async () => {
        const id = await agent();
        const conversationId = await store(id, []);
        const lease = `chat/${id}/${conversationId}`;
        await database.rows(`INSERT INTO edge.leases (name, owner, expires_at) VALUES ($1, 'a dead host', now() + interval '1 minute')`, [lease]);
        assert.equal((await keyed(id, 'late', { userPrompt: 'Hello', conversationId })).body.code, 'turn_in_progress');
        await database.rows(`UPDATE edge.leases SET expires_at = now() - interval '1 second' WHERE name = $1`, [lease]);
        assert.equal((await keyed(id, 'late', { userPrompt: 'Hello', conversationId })).status, 200);
        await eventually(async () => (await leases()) === 0, 'the lease to be given back');
    });

    it('malformed or contradicting keys are 400', options, async () => {
        const id = await agent();
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

describe('copilotChat: what the gateway does', options, () => {
    const error = (status) => ({ status, body: { error: { message: 'internal words of the provider' } } });
    for (const [status, ours, code] of [
        [429, 429, 'provider_rate_limited'], [402, 402, 'out_of_credits'], [400, 422, 'provider_rejected'], [413, 422, 'provider_rejected'],
        [422, 422, 'provider_rejected'], [401, 502, 'provider_error'], [403, 502, 'provider_error'], [404, 502, 'provider_error'], [418, 502, 'provider_error'],
        [500, 502, 'provider_error'], [502, 502, 'provider_error'], [503, 502, 'provider_error'],
    ])
        it(`${status} becomes ${ours} ${code}, asked once`, options, async () => {
            const id = await agent();
            await gateway.order(error(status));
            const { status: actual, body } = await call(id, { userPrompt: 'Hello' });
            assert.deepEqual([actual, body.code], [ours, code]);
            assert.doesNotMatch(JSON.stringify(body), /internal words/);
            if (status === 402) assert.match(body.error, /credits/);
            assert.equal((await gateway.requests()).length, 1);
            assert.equal((await conversations(id)).length, 0);
        });

    for (const [name, order] of [
        ['no JSON', { status: 200, body: '<html>busy</html>', headers: { 'content-type': 'text/html' } }],
        ['JSON announced, none sent', { status: 200, body: '{"choices":', headers: { 'content-type': 'application/json' } }],
        ['no choices', { status: 200, body: { choices: [] } }], ['no message', { status: 200, body: { choices: [{}] } }],
        ['an array', { status: 200, body: [1] }], ['null content', { status: 200, body: { choices: [{ message: { role: 'assistant', content: null } }] } }],
        ['empty content', { content: '' }],
    ])
        it(`${name}: 502 bad_provider_output`, options, async () => {
            const id = await agent();
            await gateway.order(order);
            const { status, body } = await call(id, { userPrompt: 'Hello' });
            assert.deepEqual([status, body.code], [502, 'bad_provider_output']);
            assert.equal((await conversations(id)).length, 0);
        });

    it('a connection that breaks before an answer is tried once more', options, async () => {
        const id = await agent();
        await gateway.order({ drop: true }, { content: 'Second try.' });
        assert.equal((await call(id, { userPrompt: 'Hello' })).body.response, 'Second try.');
        await gateway.order({ drop: true }, { drop: true }, { content: 'Third.' });
        const { status, body } = await call(id, { userPrompt: 'Hello' });
        assert.deepEqual([status, body.code], [502, 'provider_error']);
        assert.equal((await gateway.requests()).length, 4);
    });

    it('an answer cut short is 502 provider_error', options, async () => {
        await gateway.order({ content: 'A long answer that is cut.', truncateAfter: 60 });
        const { status, body } = await call(await agent(), { userPrompt: 'Hello' });
        assert.deepEqual([status, body.code], [502, 'provider_error']);
    });

    it('silence is 504 provider_timeout, before and within an answer', options, async () => {
        const impatient = await startHost({
            functions: ['copilotChat'], database: database.url,
            providers: { lovable_ai: { first_byte_timeout: '400ms', silence_timeout: '400ms' } },
        });
        try {
            const stalled = new Sandbox(impatient, 'lovable_ai');
            for (const order of [{ delayMs: 5000 }, { content: 'A long answer that stops.', stallAfter: 60 }]) {
                await stalled.order(order);
                const { status, body } = await post(impatient, 'copilotChat', { token: await mint(await agent()), body: { userPrompt: 'Hello' } });
                assert.deepEqual([status, body.code], [504, 'provider_timeout'], JSON.stringify(order));
            }
        } finally {
            await impatient.stop();
        }
    });

    it('nobody listening is 502; ten failures open the breaker', options, async () => {
        const alone = await startHost({
            functions: ['copilotChat'], database: database.url, server: { workers: 1 },
            env: { LOVABLE_AI_BASE_URL: `http://127.0.0.1:${await freePort()}` },
        });
        try {
            const token = await mint(await agent());
            const ask = () => post(alone, 'copilotChat', { token, body: { userPrompt: 'Hello' } });
            const first = await ask();
            assert.deepEqual([first.status, first.body.code], [502, 'provider_error']);
            for (let i = 0; i < 9; i++) await ask();
            const open = await ask();
            assert.deepEqual([open.status, open.body.code], [502, 'provider_unreachable']);
            assert.ok(Number(open.headers.get('retry-after')) >= 1);
        } finally {
            await alone.stop();
        }
    });

    it('without a key it is 503, and names the variable', options, async () => {
        const keyless = await startHost({ functions: ['copilotChat'], database: database.url, env: { LOVABLE_API_KEY: null } });
        try {
            const id = await agent();
            const { status, body } = await post(keyless, 'copilotChat', { token: await mint(id), body: { userPrompt: 'Hello', conversationId: crypto.randomUUID() } });
            assert.deepEqual([status, body.code], [503, 'not_configured']);
            assert.match(body.error, /LOVABLE_API_KEY/);
            const bad = await post(keyless, 'copilotChat', { token: await mint(id), body: {} });
            assert.equal(bad.status, 400, 'fields come first');
        } finally {
            await keyless.stop();
        }
    });

    it('with the database away it is 503 and nothing is asked', options, async () => {
        const lonely = await startHost({
            functions: ['copilotChat'], database: 'postgresql:///none?host=/nonexistent&user=edge_runtime', readyPath: '/_edge/live',
        });
        try {
            const { status, body } = await post(lonely, 'copilotChat', { token: await mint('user_a'), body: { userPrompt: 'Hello' } });
            assert.deepEqual([status, body.code], [503, 'database_unavailable']);
            assert.equal((await new Sandbox(lonely, 'lovable_ai').requests()).length, 0);
        } finally {
            await lonely.stop();
        }
    });
});

describe('copilotChat: refused', options, () => {
    const refused = (name, status, code, field, send) =>
        it(name, options, async () => {
            const { status: actual, body } = await send();
            assert.deepEqual([actual, body.code, body.field], [status, code, field], JSON.stringify(body));
            assert.equal(typeof body.requestId, 'string');
            assert.equal((await gateway.requests()).length, 0);
            assert.equal(await leases(), 0);
        });
    const invalid = (field, wrong, more = {}) =>
        refused(`${field} ${JSON.stringify(wrong)?.slice(0, 40)}: 400`, 400, 'invalid_input', field, async () =>
            call(await agent(), { userPrompt: 'Hello', ...more, [field]: wrong }));

    refused('nobody: 401', 401, 'unauthorized', undefined, () => post(host, 'copilotChat', { body: { userPrompt: 'Hello' } }));
    refused('a forged token: 401', 401, 'unauthorized', undefined, async () => post(host, 'copilotChat', { token: await forge('user_a'), body: { userPrompt: 'Hello' } }));
    refused('the service: 403', 403, 'forbidden', undefined, () => post(host, 'copilotChat', { token: SERVICE_KEY, body: { userPrompt: 'Hello', userId: 'user_a' } }));
    refused('another user\'s id: 403', 403, 'user_mismatch', undefined, async () => call(await agent(), { userPrompt: 7, userId: 'user_other' }));
    refused('no prompt: 400', 400, 'invalid_input', 'userPrompt', async () => call(await agent(), {}));
    refused('no body: 400', 400, 'invalid_input', 'userPrompt', async () => call(await agent(), undefined, { raw: '' }));
    refused('no JSON: 400', 400, 'invalid_json', undefined, async () => call(await agent(), undefined, { raw: '{"userPrompt"' }));
    refused('no object: 400', 400, 'invalid_json', undefined, async () => call(await agent(), undefined, { raw: '"Hello"' }));
    refused('PUT: 405', 405, 'method_not_allowed', undefined, async () => call(await agent(), { userPrompt: 'Hello' }, { method: 'PUT' }));
    refused('more than 1 MiB: 413', 413, 'body_too_large', undefined, async () => call(await agent(), { userPrompt: 'Hello', filler: 'x'.repeat(1100000) }));

    for (const wrong of ['', '  \n ', 7, true, [], {}, 'x'.repeat(16001)]) invalid('userPrompt', wrong);
    for (const wrong of ['abc', 7, {}, '00000000-0000-0000-0000-00000000000g', '{00000000-0000-4000-8000-000000000000}']) invalid('conversationId', wrong);
    for (const wrong of ['text', 7, [], true, { filler: 'x'.repeat(65536) }]) invalid('agentContext', wrong);
    for (const wrong of ['text', 7, {}, Array(501).fill({})]) invalid('conversationHistory', wrong);
    for (const wrong of [7, {}, [], 'x'.repeat(65)]) invalid('currentTab', wrong);
    for (const wrong of ['yes', 1, {}]) invalid('stream', wrong);
    for (const wrong of [7, {}, []]) invalid('idempotencyKey', wrong);
    refused('the first bad field of several', 400, 'invalid_input', 'agentContext', async () =>
        call(await agent(), { userPrompt: 'Hello', stream: 'yes', currentTab: 7, agentContext: [] }));

    it('null and "" count as absent, code points are counted', options, async () => {
        const { status } = await call(await agent(), {
            userPrompt: '🏠'.repeat(16000), conversationId: null, agentContext: null, conversationHistory: null, currentTab: '', stream: null, idempotencyKey: '', userId: '',
        });
        assert.equal(status, 200);
    });
});

describe('copilotChat: real clients', options, () => {
    for (const [name, client] of Object.entries(supabaseClients))
        it(name, options, async () => {
            const id = await agent();
            await gateway.order({ content: 'Call five owners.' }, { status: 429, body: {} });
            const functions = client(host, await mint(id));
            const { data, error } = await functions.invoke('copilotChat', { body: { userPrompt: 'Hello' } });
            assert.equal(error, null);
            assert.equal(data.response, 'Call five owners.');
            const limited = await functions.invoke('copilotChat', { body: { userPrompt: 'Hello' } });
            assert.equal(limited.error.name, 'FunctionsHttpError');
            assert.equal((await limited.error.context.json()).code, 'provider_rate_limited');
        });

    it('the product\'s own', options, async () => {
        const id = await agent();
        await gateway.order({ content: 'Call five owners.' });
        const data = await bareInvoke(host, 'copilotChat', await mint(id), { userPrompt: 'Hello', conversationHistory: [], currentTab: 'advisor' });
        assert.equal(data.response, 'Call five owners.');
        await gateway.order({ status: 402, body: {} });
        await assert.rejects(bareInvoke(host, 'copilotChat', await mint(id), { userPrompt: 'Hello' }), /credits/);
    });

    it('deterministic: the stand-in echoes what it was asked', options, async () => {
        const id = await agent();
        const { body } = await call(id, { userPrompt: 'Who are you?' });
        assert.match(body.response, /You asked: "Who are you\?"/);
    });
});
