/*
 * getUserAutopilotActivity (spec engines.md): its examples, ranges, totals beside pages, cursors, the panel's feed.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const activity = suite({ functions: ['getUserAutopilotActivity'] });
const rows = (...query) => activity.database.rows(...query);
const call = (id, body = {}) => activity.call('getUserAutopilotActivity', id, body);

const act = (id, type, age, data = {}) =>
    rows(
        `INSERT INTO ai_actions_log (user_id, action_type, action_data, status, executed_at)
         VALUES ($1, $2, $3, 'success', now() - $4::interval)`,
        [id, type, data, age],
    );
const talk = (id, count, age = '1 hour') =>
    rows(
        `INSERT INTO ai_agent_conversations (user_id, agent_type, messages, created_at)
         SELECT $1, (ARRAY['copilot', 'sales'])[n % 2 + 1], '[{"role": "user"}]', now() - $3::interval - n * interval '1 second'
         FROM generate_series(1, $2::int) AS n`,
        [id, count, age],
    );
const ring = (id, count, age = '1 hour') =>
    rows(
        `INSERT INTO call_logs (user_id, call_type, contact_name, created_at)
         SELECT $1, 'outbound', 'Contact ' || n, now() - $3::interval - n * interval '1 second' FROM generate_series(1, $2::int) AS n`,
        [id, count, age],
    );

describe('getUserAutopilotActivity: examples', options, () => {
    it('1: actions of a week, and of a month', options, async () => {
        const id = await activity.agent();
        await act(id, 'send_email', '1 hour');
        await act(id, 'send_email', '6 days');
        await act(id, 'research', '8 days');
        const { status, body } = await call(id, undefined);
        assert.equal(status, 200);
        assert.equal(body.success, true);
        assert.equal(body.timeRange, '7d');
        assert.equal(body.summary.totalActions, 2);
        assert.deepEqual(body.summary.actionsByType, { send_email: 2 });
        const month = (await call(id, { timeRange: '30d' })).body;
        assert.equal(month.summary.totalActions, 3);
        assert.equal(month.timeRange, '30d');
        assert.deepEqual(month.activities.actions.map(({ action_type }) => action_type), ['send_email', 'send_email', 'research']);
    });

    it('2: 48 hours are hours', options, async () => {
        const id = await activity.agent();
        await act(id, 'research', '47 hours');
        assert.equal((await call(id, { timeRange: '48h' })).body.summary.totalActions, 1);
        assert.equal((await call(id, { timeRange: '24h' })).body.summary.totalActions, 0);
        assert.equal((await call(id, { timeRange: 2 })).body.summary.totalActions, 1);
        assert.equal((await call(id, { timeRange: 1 })).body.timeRange, 1);
    });

    it('3: 60 calls, of which 50 are shown', options, async () => {
        const id = await activity.agent();
        await ring(id, 60);
        await talk(id, 55);
        const { summary, activities } = (await call(id)).body;
        assert.deepEqual([summary.totalCalls, summary.totalConversations], [60, 55]);
        assert.deepEqual(summary.callsByType, { outbound: 60 });
        assert.deepEqual(summary.conversationsByAgent, { copilot: 27, sales: 28 });
        assert.deepEqual([activities.calls.length, activities.conversations.length], [50, 50]);
        assert.equal(activities.calls[0].contact_name, 'Contact 1');
        assert.deepEqual(Object.keys(activities.conversations[0]).sort(), ['agent_type', 'created_at', 'id', 'updated_at']);
    });

    it('4: ranges that are none', options, async () => {
        const id = await activity.agent();
        for (const timeRange of ['-5d', 'soon', 0, '0d', '366d', '8761h', '7', 'd', '7w', '7dd', ' 7d', '99999d', 366, -1, 1.5, true, [], {}]) {
            const answer = await call(id, { timeRange });
            assertRefused(answer, 400, 'invalid_input', 'timeRange');
            assert.equal(answer.body.success, false);
        }
        for (const timeRange of ['365d', '8760h', '1h', 365]) assert.equal((await call(id, { timeRange })).status, 200);
    });
});

describe('getUserAutopilotActivity: pages', options, () => {
    it('nothing at all', options, async () => {
        const { body } = await call(await activity.agent());
        assert.deepEqual(body, {
            success: true,
            timeRange: '7d',
            summary: {
                totalActions: 0, actionsByType: {}, totalConversations: 0, conversationsByAgent: {}, totalCalls: 0, callsByType: {},
            },
            activities: { actions: [], conversations: [], calls: [] },
            feed: [],
            nextCursor: null,
        });
    });

    it('a cursor goes on strictly behind the page, with the same totals', options, async () => {
        const id = await activity.agent();
        /* Pairs of one instant, so that the id decides. */
        await rows(
            `INSERT INTO ai_actions_log (user_id, action_type, status, executed_at)
             SELECT $1, 'a' || n, 'success', now() - (n / 2) * interval '1 minute' FROM generate_series(1, 9) AS n`,
            [id],
        );
        const seen = [];
        let cursor;
        for (let page = 0; page < 5; page++) {
            const { body } = await call(id, { limit: 2, ...(cursor ? { cursor } : {}) });
            assert.equal(body.summary.totalActions, 9);
            assert.deepEqual(body.feed.map((entry) => entry.id), body.activities.actions.map((action) => action.id));
            seen.push(...body.activities.actions.map(({ action_type }) => action_type));
            cursor = body.nextCursor;
            assert.equal(typeof cursor, page < 4 ? 'string' : 'object');
        }
        assert.equal(new Set(seen).size, 9);
        const all = (await call(id)).body;
        assert.deepEqual(seen, all.activities.actions.map(({ action_type }) => action_type));
        assert.equal(all.nextCursor, null);
        const full = (await call(id, { limit: 9 })).body;
        assert.deepEqual((await call(id, { limit: 9, cursor: full.nextCursor })).body.activities.actions, []);
    });

    it('cursors that are none: 400', options, async () => {
        const id = await activity.agent();
        const encoded = (text) => Buffer.from(text).toString('base64url');
        for (const cursor of ['x', '%%', encoded('1/2'), encoded(`${'9'.repeat(20)}/00000000-0000-4000-8000-000000000000`), encoded('/'), encoded('12')])
            assertRefused(await call(id, { cursor }), 400, 'invalid_input', 'cursor');
    });

    it("the panel's feed", options, async () => {
        const id = await activity.agent();
        await act(id, 'send_email', '3 hours', { agent_type: 'sales', agentType: 'other', to: 'a@example.com' });
        await act(id, 'research', '2 hours', { agentType: 'market' });
        await rows(
            `INSERT INTO ai_actions_log (user_id, action_type, status, error_message, resource_url, executed_at)
             VALUES ($1, 'post', 'failed', 'No page', 'https://example.com/1', now())`,
            [id],
        );
        const { feed, activities } = (await call(id)).body;
        assert.deepEqual(feed.map(({ agentType }) => agentType), [null, 'market', 'sales']);
        const [{ id: actionId, created_date, ...failed }] = feed;
        assert.equal(actionId, activities.actions[0].id);
        assert.equal(created_date, activities.actions[0].executed_at);
        assert.deepEqual(failed, {
            status: 'failed', actionType: 'post', agentType: null, userId: id, userEmail: `${id}@example.com`, actionDetails: '{}',
            errorMessage: 'No page', resourceUrl: 'https://example.com/1',
        });
        assert.deepEqual(JSON.parse(feed[2].actionDetails), { agent_type: 'sales', agentType: 'other', to: 'a@example.com' });
    });

    it("nobody else's rows", options, async () => {
        const other = await activity.agent();
        await act(other, 'research', '1 hour');
        await ring(other, 2);
        await talk(other, 2);
        const { summary } = (await call(await activity.agent())).body;
        assert.deepEqual([summary.totalActions, summary.totalCalls, summary.totalConversations], [0, 0, 0]);
    });
});

refusals(activity, 'getUserAutopilotActivity', {
    wrong: { limit: [...NOT.integer, 0, 501], cursor: NOT.text },
});
