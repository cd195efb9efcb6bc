/*
 * transaction_coordinatorChat (spec ai.md): VEGA, the order of its calls, and what it is told of open deals. What the
 * tool loop does is told by executive_assistantChat's files.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

import { asks, pluginsWith, told, toolMessages, toolSettings } from '../../support/agents.mjs';
import { buildDirectory } from '../../support/config.mjs';
import { Conversations } from '../../support/conversations.mjs';
import { NOT, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'transaction_coordinatorChat';
const built = fs.existsSync(path.join(buildDirectory, 'functions', 'createTransactionTool.so'));
const chat = suite({
    functions: {
        [NAME]: {}, ...(built ? { createTransactionTool: {} } : {}),
        ...toolSettings('getTransactionsTool', 'updateTransactionTool', 'updateSkySlopeTransactionTool', 'createLoftyTaskTool'),
    },
    server: { plugins: pluginsWith('agent_tool') },
});
const conversations = new Conversations(chat, 'transaction_coordinator');
const usage = (id) => chat.database.rows('SELECT * FROM ai_tool_usage WHERE user_id = $1 ORDER BY created_at', [id]);

describe(`${NAME}: examples`, options, () => {
    it('1: a transaction is created', { ...options, skip: !built && 'createTransactionTool is not built' }, async () => {
        const id = await chat.agent();
        const args = { propertyAddress: '9 Elm St', transactionType: 'seller', clientName: 'R. Diaz' };
        await chat.gateway.order(asks(['createTransaction', args]), { content: 'Created.' });
        const { body } = await chat.call(NAME, id, { message: 'New deal' });
        assert.deepEqual([body.response, body.toolCalls[0].status], ['Created.', 'success'], JSON.stringify(body));
        const rows = await chat.database.rows('SELECT * FROM transactions WHERE user_id = $1', [id]);
        assert.deepEqual(rows.map((row) => [row.property_address, row.client_name, row.transaction_type]), [['9 Elm St', 'R. Diaz', 'seller']]);
        assert.equal((await usage(id)).length, 1);
    });

    it('2: five rounds at most', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ times: 0, content: 'Looking…', ...asks(['getTransactions', {}]) });
        const { body } = await chat.call(NAME, id, { message: 'List' });
        const asked = await chat.gateway.bodies();
        assert.deepEqual(asked.map(({ tool_choice: choice }) => choice), [...Array(5).fill('auto'), 'none']);
        assert.deepEqual([body.response, body.toolCalls.length, body.partial], ['Looking…', 5, undefined]);
        assert.equal((await usage(id)).length, 5);
    });

    it('3: a gateway that fails after a round', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order(asks(['getTransactions', {}]), { status: 500 });
        const { status, body } = await chat.call(NAME, id, { message: 'List' });
        assert.deepEqual([status, body.partial, body.warning], [200, true, 'provider_error']);
        assert.match(body.response, /getTransactions/);
        assert.equal((await conversations.of(id))[0].messages[1].partial, true);
    });
});

describe(`${NAME}: order`, options, () => {
    it('changes of one transaction run in their order, those of others at the same time', options, async () => {
        const update = (transactionId, ms) => ['updateTransaction', { transactionId, notes: told({ ms }) }];
        await chat.gateway.order(asks(update('t1', 200), update('t2', 201), update('t1', 100), ['updateSkySlopeTransaction', { transactionId: 't1', updates: { a: 1 } }]), { content: 'Done.' });
        const { body } = await chat.call(NAME, await chat.agent(), { message: 'Go on' });
        assert.deepEqual(body.toolCalls.map(({ status }) => status), Array(4).fill('success'));
        const [first, other, second, skyslope] = (await toolMessages(chat.gateway)).map(({ content }) => content.data);
        assert.ok(second.began >= first.ended, 'one after the other');
        assert.ok(other.began < first.ended && skyslope.began < first.ended, 'not behind other transactions or tools');
    });
});

describe(`${NAME}: what it is told`, options, () => {
    it('its persona, its eleven tools, and ten open deals, the nearest first', options, async () => {
        const id = await chat.agent();
        await chat.database.rows(
            `INSERT INTO transactions (user_id, transaction_type, property_address, client_name, status, expected_close_date)
             SELECT $1, 'buyer', n || ' Elm St', 'Client ' || n, CASE WHEN n = 3 THEN 'closed' WHEN n = 4 THEN 'cancelled' ELSE 'active' END,
             CASE WHEN n = 1 THEN NULL ELSE date '2026-12-01' + n END FROM generate_series(1, 14) AS n`, [id]);
        await chat.call(NAME, id, { message: 'Hello' });
        const { messages: [{ content }], tools } = (await chat.gateway.bodies())[0];
        assert.ok(content.includes('VEGA') && content.includes('under_contract'));
        assert.deepEqual([...content.matchAll(/, (\d+) Elm St/g)].map(([, n]) => Number(n)), [2, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
        assert.ok(content.includes('expected to close 2026-12-03'));
        assert.equal(tools.length, 11);
        const { limit, status } = tools.find((tool) => tool.function.name === 'getTransactions').function.parameters.properties;
        assert.deepEqual([limit.minimum, limit.maximum, status.enum.length], [1, 100, 5]);
    });
});

refusals(chat, NAME, {
    body: { message: 'Hello' }, required: ['message'],
    wrong: { message: [' ', 'x'.repeat(16001), ...NOT.text], conversationId: NOT.uuid, stream: NOT.boolean },
    untouched: ['ai_agent_conversations', 'ai_tool_usage'], hostOptions: { functions: [NAME] },
});
