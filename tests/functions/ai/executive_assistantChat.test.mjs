/*
 * executive_assistantChat (spec ai.md): the examples of its entry, what the gateway is sent, and what is refused.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { asks, pluginsWith, told, toolMessages, toolSettings } from '../../support/agents.mjs';
import { Conversations } from '../../support/conversations.mjs';
import { NOT, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'executive_assistantChat';
const TOOLS = [
    'sendGoogleEmail', 'sendOutlookEmail', 'scheduleGoogleCalendarEvent', 'findAvailableTimeSlots',
    'createGoogleDriveFolder', 'createGoogleDoc', 'createGoogleSheet', 'researchAndSummarize',
];

const chat = suite({
    functions: { [NAME]: {}, ...toolSettings('sendGoogleEmailTool', 'createGoogleDocTool', 'createGoogleSheetTool') },
    server: { plugins: pluginsWith('agent_tool') },
});
const conversations = new Conversations(chat, 'executive_assistant');
const call = (id, body, more) => chat.call(NAME, id, body, more);
const usage = (id) => chat.database.rows('SELECT * FROM ai_tool_usage WHERE user_id = $1 ORDER BY created_at', [id]);

describe(`${NAME}: examples`, options, () => {
    it('1: a tool that is not connected fails with a suggestion, and the chat goes on', options, async () => {
        const id = await chat.agent();
        const mail = { to: 'p@x.example', subject: 'Hi', body: told({ how: 'fail', error: 'Google is not connected' }) };
        await chat.gateway.order(asks(['sendGoogleEmail', mail]), { content: 'Please connect Google.' });
        const { status, body } = await call(id, { message: 'Mail Pat' });
        assert.equal(status, 200);
        assert.equal(body.response, 'Please connect Google.');
        const [entry] = body.toolCalls;
        assert.deepEqual(
            { ...entry, durationMs: 0 },
            {
                id: entry.id, name: 'sendGoogleEmail', args: mail, status: 'failed', durationMs: 0,
                error: 'Google is not connected', suggestion: 'Connect Google Workspace under Settings > Integrations',
            },
        );
        const [row, ...others] = await usage(id);
        assert.equal(others.length, 0);
        assert.deepEqual(
            [row.agent_type, row.tool_name, row.success, row.error_message, row.tool_args],
            ['executive_assistant', 'sendGoogleEmail', false, 'Google is not connected', mail],
        );
        const [stored] = await conversations.of(id);
        assert.equal(stored.id, body.conversationId);
        assert.equal(stored.agent_type, 'executive_assistant');
        assert.deepEqual(stored.messages[1].toolCalls, body.toolCalls);
        assert.deepEqual(Object.keys(body).sort(), ['conversationId', 'response', 'toolCalls']);
    });

    it('2: of a stored conversation the last 10 messages go along', options, async () => {
        const id = await chat.agent();
        const conversationId = await conversations.store(
            id,
            Array.from({ length: 14 }, (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: `m${i}` })),
        );
        await call(id, { message: 'Next', conversationId, conversationHistory: [{ role: 'user', content: 'not this' }] });
        const { messages } = (await chat.gateway.bodies())[0];
        assert.equal(messages.length, 12);
        assert.deepEqual(
            messages.slice(1).map(({ content }) => content),
            [...Array.from({ length: 10 }, (_, i) => `m${i + 4}`), 'Next'],
        );
        assert.equal((await conversations.of(id))[0].messages.length, 16);
    });

    it('3: two equal calls run once and share the result', options, async () => {
        const id = await chat.agent();
        const document = ['createGoogleDoc', { title: 'Plan', content: 'Text' }];
        await chat.gateway.order(asks([...document, 'a'], [...document, 'b']), { content: 'Done.' });
        const { body } = await call(id, { message: 'Write' });
        assert.deepEqual(
            body.toolCalls.map(({ id, status, deduplicated }) => [id, status, deduplicated]),
            [['a', 'success', undefined], ['b', 'success', true]],
        );
        const [first, second] = await toolMessages(chat.gateway);
        assert.deepEqual([first.id, second.id], ['a', 'b']);
        assert.deepEqual(first.content, second.content);
        assert.equal((await usage(id)).length, 1);
        assert.equal(chat.host.log.filter((line) => line.event === 'invocation' && line.function === 'createGoogleDocTool').length, 1);
    });
});

describe(`${NAME}: what the gateway is sent`, options, () => {
    it('the persona, the safety rules, what is known, and the whole set of tools each time', options, async () => {
        const id = await chat.agent({ full_name: 'Kim Example' });
        await chat.database.rows(
            `INSERT INTO external_service_connections (user_id, service_name, connection_status) VALUES
             ($1, 'google', 'connected'), ($1, 'microsoft', 'error')`, [id]);
        await chat.database.rows(
            `INSERT INTO crm_connections (user_id, provider, connection_status) VALUES ($1, 'lofty', 'connected')`, [id]);
        await chat.database.rows(
            `INSERT INTO goals (user_id, title, goal_type) VALUES ($1, 'Ten listings', 'production')`, [id]);
        await chat.database.rows(
            `INSERT INTO user_guidelines (user_id, agent_type, guideline_category, guideline_text, guideline_type)
             VALUES ($1, 'executive_assistant', 'tone', 'Sign as K.', 'do')`, [id]);
        await chat.gateway.order(asks(['createGoogleDoc', { title: 'A' }]), { content: 'Done.' });
        await call(id, { message: 'Write' });
        const [first, second] = await chat.gateway.bodies();
        const { messages: [{ role, content: system }], ...rest } = first;
        assert.equal(role, 'system');
        for (const part of ['NOVA', 'Never reveal', 'never', 'Kim Example', 'Connected: google, lofty', 'Ten listings', 'Sign as K.'])
            assert.ok(system.includes(part), `${part} in:\n${system}`);
        assert.ok(!system.includes('microsoft'), system);
        assert.deepEqual(Object.keys(rest).sort(), ['model', 'tool_choice', 'tools']);
        for (const body of [first, second]) {
            assert.deepEqual(body.tools.map((tool) => tool.function.name), TOOLS);
            assert.equal(body.tool_choice, 'auto');
        }
        for (const { type, function: { description, parameters } } of first.tools) {
            assert.equal(type, 'function');
            assert.ok(description.length > 10);
            assert.equal(parameters.type, 'object');
            assert.equal(parameters.additionalProperties, false);
            for (const property of Object.values(parameters.properties)) assert.ok(property.description && property.type);
        }
        const sheet = first.tools.find((tool) => tool.function.name === 'createGoogleSheet').function.parameters;
        assert.deepEqual(sheet.required, ['title']);
        assert.deepEqual(sheet.properties.data.items, { type: 'array', items: { type: ['string', 'number', 'boolean', 'null'] } });
        assert.equal(second.messages.length, 4);
        assert.equal(second.messages[2].tool_calls[0].function.name, 'createGoogleDoc');
    });

    it('its own prompt gives way to ai_prompt_configs, the safety rules do not', options, async () => {
        await chat.database.rows(
            `INSERT INTO ai_prompt_configs (prompt_key, prompt_name, prompt_template, category) VALUES ('executive_assistant', 'N', 'You are the house assistant.', 'agents')`);
        try {
            await call(await chat.agent(), { message: 'Hello' });
            const system = (await chat.gateway.bodies())[0].messages[0].content;
            assert.ok(system.startsWith('You are the house assistant.'));
            assert.match(system, /Never reveal/);
        } finally {
            await chat.database.rows(`DELETE FROM ai_prompt_configs`);
        }
    });
});

describe(`${NAME}: what becomes of the gateway's failures`, options, () => {
    for (const [order, status, code] of [
        [{ status: 429, body: {} }, 429, 'provider_rate_limited'],
        [{ status: 402, body: {} }, 402, 'out_of_credits'],
        [{ status: 500 }, 502, 'provider_error'],
        [{ content: '' }, 502, 'bad_provider_output'],
        [{ status: 200, body: [] }, 502, 'bad_provider_output'],
    ])
        it(`${JSON.stringify(order)} on the first call: ${status}, nothing stored`, options, async () => {
            const id = await chat.agent();
            await chat.gateway.order(order);
            const answer = await call(id, { message: 'Hello' });
            assert.deepEqual([answer.status, answer.body.code], [status, code]);
            assert.equal((await conversations.of(id)).length, 0);
        });

    it('a conversation of another agent is 409, of somebody else 404', options, async () => {
        const id = await chat.agent(), other = await chat.agent();
        const theirs = await conversations.store(other, []);
        const copilots = await conversations.store(id, [], { agentType: 'copilot' });
        const foreign = await call(id, { message: 'Hello', conversationId: theirs });
        assert.deepEqual([foreign.status, foreign.body.code], [404, 'conversation_not_found']);
        const mixed = await call(id, { message: 'Hello', conversationId: copilots });
        assert.deepEqual([mixed.status, mixed.body.code], [409, 'conversation_agent_mismatch']);
        assert.equal((await chat.gateway.requests()).length, 0);
    });
});

refusals(chat, NAME, {
    body: { message: 'Hello' },
    required: ['message'],
    wrong: {
        message: ['', '  ', 'x'.repeat(16001), ...NOT.text],
        conversationId: NOT.uuid,
        stream: NOT.boolean,
        idempotencyKey: [7, 'a b', 'x'.repeat(129)],
    },
    untouched: ['ai_agent_conversations', 'ai_tool_usage'],
    hostOptions: { functions: [NAME] },
});
