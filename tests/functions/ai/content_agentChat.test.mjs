/*
 * content_agentChat (spec ai.md): SIRIUS, its tools and its images. What the tool loop does is told by
 * executive_assistantChat's files.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { asks, pluginsWith, told, toolMessages, toolSettings } from '../../support/agents.mjs';
import { Conversations } from '../../support/conversations.mjs';
import { NOT, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'content_agentChat';
const chat = suite({
    functions: { [NAME]: {}, generateImageTool: {}, ...toolSettings('publishInstagramPostTool', 'getFacebookPageInsightsTool', 'publishFacebookPostTool') },
    server: { plugins: pluginsWith('agent_tool') },
});
const usage = (id) => chat.database.rows('SELECT * FROM ai_tool_usage WHERE user_id = $1 ORDER BY created_at', [id]);

async function turn(...calls) {
    const id = await chat.agent();
    await chat.gateway.order(asks(...calls), { content: 'Done.' });
    const { status, body } = await chat.call(NAME, id, { message: 'Go on' });
    assert.equal(status, 200, JSON.stringify(body));
    return { id, body, rows: await usage(id) };
}

describe(`${NAME}: examples`, options, () => {
    it('1: a post without its image is not dispatched', options, async () => {
        const { body, rows } = await turn(['publishInstagramPost', { caption: 'Open house' }]);
        assert.equal(body.toolCalls[0].error, 'Missing required parameter: imageUrl');
        assert.deepEqual([rows[0].success, rows[0].execution_time_ms, rows[0].agent_type], [false, 0, 'content_agent']);
        assert.equal(body.response, 'Done.');
    });

    it('2: a period that there is not; another case of one that there is', options, async () => {
        const { body } = await turn(['getFacebookPageInsights', { period: 'year' }], ['getFacebookPageInsights', { period: ' Week ' }]);
        assert.deepEqual(body.toolCalls.map(({ error, args }) => [error, args.period]), [['Invalid parameter: period', 'year'], [undefined, 'week']]);
    });

    it("3: another persona's tool", options, async () => {
        const { id, body } = await turn(['createTransaction', { propertyAddress: 'x', transactionType: 'buyer', clientName: 'y' }]);
        assert.equal(body.toolCalls[0].error, 'Unknown tool: createTransaction');
        assert.equal(await chat.database.count('transactions', 'user_id = $1', [id]), 0);
    });
});

describe(`${NAME}: images and persona`, options, () => {
    it('a stored image comes with its URL, for the model and for the client', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order(asks(['generateImage', { prompt: 'House at dusk' }]), {}, { content: 'Look.' });
        const { body } = await chat.call(NAME, id, { message: 'An image' });
        const [entry] = body.toolCalls;
        assert.equal(entry.status, 'success', JSON.stringify(entry));
        assert.ok(entry.imageUrl.startsWith(`${chat.host.url}/storage/v1/object/sign/generated-content/${id}/images/`));
        assert.equal((await toolMessages(chat.gateway))[0].content.data.url, entry.imageUrl);
        assert.equal((await fetch(entry.imageUrl)).status, 200);
    });

    it('a data URL reaches nobody', options, async () => {
        const { body, rows } = await turn(['publishFacebookPost', { content: told({ answer: { success: true, data: { imageUrl: 'data:image/png;base64,AA' } } }) }]);
        assert.equal(body.toolCalls[0].imageUrl, undefined);
        assert.equal((await toolMessages(chat.gateway))[0].content.data.imageUrl, '[binary omitted]');
        assert.equal(rows[0].tool_result.data.imageUrl, '[binary omitted]');
    });

    it('its persona and its six tools, without goals', options, async () => {
        const id = await chat.agent();
        await chat.database.rows(`INSERT INTO goals (user_id, title, goal_type) VALUES ($1, 'Ten listings', 'production')`, [id]);
        await chat.call(NAME, id, { message: 'Hello' });
        const { messages, tools } = (await chat.gateway.bodies())[0];
        for (const part of ['SIRIUS', 'Markdown image', 'Never reveal']) assert.ok(messages[0].content.includes(part), part);
        assert.ok(!messages[0].content.includes('Ten listings'));
        assert.deepEqual(tools.map((tool) => tool.function.name), ['publishFacebookPost', 'publishInstagramPost', 'publishLinkedInPost', 'getFacebookPageInsights', 'getInstagramInsights', 'generateImage']);
    });

    it('what the user has forbidden', options, async () => {
        const id = await chat.agent();
        await chat.database.rows(`INSERT INTO autopilot_permissions (user_id, permission, allowed) VALUES ($1, 'content_agent.generate_content', false), ($1, 'content_agent.schedule_content', false)`, [id]);
        await chat.gateway.order(asks(['generateImage', { prompt: 'x' }], ['publishFacebookPost', { content: 'x' }]), { content: 'Done.' });
        const { body } = await chat.call(NAME, id, { message: 'Go on' });
        assert.deepEqual(body.toolCalls.map(({ error }) => error), ['No permission: content_agent.generate_content', 'No permission: content_agent.schedule_content']);
    });
});

refusals(chat, NAME, {
    body: { message: 'Hello' }, required: ['message'],
    wrong: { message: [' ', 'x'.repeat(16001), ...NOT.text], conversationId: NOT.uuid, stream: NOT.boolean },
    untouched: ['ai_agent_conversations', 'ai_tool_usage'], hostOptions: { functions: [NAME] },
});
