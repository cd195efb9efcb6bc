/*
 * copilotChat (spec ai.md S3): what the system message says.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { options, suite } from '../../support/suite.mjs';

const chat = suite({ functions: ['copilotChat'] });
const call = (id, body, more) => chat.call('copilotChat', id, body, more);
const systemMessage = async () => (await chat.gateway.bodies()).at(-1).messages[0].content;

describe('copilotChat: the system message', options, () => {
    it('tells of the user, from all that is stored', options, async () => {
        const id = await chat.agent({ full_name: 'Kim Example', brokerage: 'Example Realty', license_state: 'TX' });
        await chat.database.rows(
            `INSERT INTO user_preferences (user_id, timezone, communication_style, coaching_style) VALUES ($1, 'Asia/Tokyo', 'direct', 'tough')`,
            [id],
        );
        await chat.database.rows(
            `INSERT INTO market_config (user_id, market_name, city, state, market_trend) VALUES ($1, 'Austin Metro', 'Austin', 'TX', 'rising')`,
            [id],
        );
        await chat.database.rows(
            `INSERT INTO agent_config (user_id, agent_type, response_style, personality_traits) VALUES ($1, 'copilot', 'brief', '{warm,frank}'), ($1, 'content_agent', 'verbose', '{}')`,
            [id],
        );
        await chat.database.rows(
            `INSERT INTO user_guidelines (user_id, agent_type, guideline_category, guideline_text, guideline_type, created_at) VALUES
            ($1, 'copilot', 'tone', 'Second rule', 'do', now()), ($1, 'copilot', 'tone', 'First rule', 'do', now() - interval '1 day'), ($1, 'content_agent', 'tone', 'Not yours', 'do', now())`,
            [id],
        );
        await chat.database.rows(
            `INSERT INTO user_knowledge (user_id, agent_type, knowledge_type, title, content) VALUES ($1, 'copilot', 'note', 'Farm area', $2)`,
            [id, `${'x'.repeat(999)}é${'NEVER'.repeat(10)}`],
        );
        await chat.database.rows(
            `INSERT INTO goals (user_id, title, goal_type, status, created_at) SELECT $1, 'Goal ' || n, 'production', CASE WHEN n = 7 THEN 'completed' ELSE 'active' END, now() + n * interval '1 minute' FROM generate_series(1, 7) AS n`,
            [id],
        );
        await chat.database.rows(
            `INSERT INTO daily_actions (user_id, title, category, due_date, status) SELECT $1, 'Action ' || n, 'calls', current_date + n, 'pending' FROM generate_series(1, 7) AS n`,
            [id],
        );
        await chat.database.rows(
            `INSERT INTO graph_context_cache (user_id, context, expires_at) VALUES ($1, '{"scores":{"pulse":61,"gane":48.5,"moro":70}}', now())`,
            [id],
        );

        const { status } = await call(id, { userPrompt: 'Hello', currentTab: 'market' });
        assert.equal(status, 200);
        const system = await systemMessage();
        const tokyo = new Date(Date.now() + 9 * 3600000).toISOString().slice(0, 10);
        for (const part of [
            'Kim Example',
            'Example Realty',
            'TX',
            'Austin Metro',
            'Austin',
            'rising',
            'direct',
            'tough',
            'brief',
            'warm, frank',
            'Farm area',
            'PULSE 61',
            'GANE 48.5',
            'MORO 70',
            'Goal 6 (active)',
            'Goal 2 (active)',
            'Action 7 (pending)',
            'Action 3 (pending)',
            tokyo,
            '+09:00',
            'Asia/Tokyo',
            `${'x'.repeat(999)}é`,
        ])
            assert.ok(system.includes(part), `${part} in:\n${system}`);
        for (const part of ['Goal 7', 'Goal 1 ', 'Action 2 ', 'verbose', 'Not yours', 'NEVER'])
            assert.ok(!system.includes(part), `${part} not in:\n${system}`);
        assert.ok(system.indexOf('First rule') < system.indexOf('Second rule'), 'oldest first');
    });

    it("says nothing about what is missing, and New York's time without a preference", options, async () => {
        const { status } = await call(await chat.agent({ full_name: null }), { userPrompt: 'Hello' });
        assert.equal(status, 200);
        const system = await systemMessage();
        assert.match(system, /-0[45]:00 \(America\/New_York\)/);
        for (const part of ['Brokerage', 'Market:', 'Goals', 'Recent actions', 'Scores', 'null', 'undefined'])
            assert.ok(!system.includes(part), `${part} not in:\n${system}`);
    });

    it("takes the client's context instead of what is stored", options, async () => {
        const id = await chat.agent({ full_name: 'Stored Name' });
        await chat.database.rows(`INSERT INTO market_config (user_id, market_name) VALUES ($1, 'Stored Market')`, [id]);
        await chat.database.rows(
            `INSERT INTO goals (user_id, title, goal_type) VALUES ($1, 'Stored Goal', 'production')`,
            [id],
        );
        await call(id, {
            userPrompt: 'Hello',
            agentContext: {
                profile: { full_name: 'Kim' },
                market: { market_name: 'Hill Country' },
                intelligence: { scores: { pulse: 61, gane: 'high' } },
                goals: [
                    { title: 'Ten listings', status: 'active' },
                    {},
                    ...Array.from({ length: 5 }, (_, i) => ({ title: `More ${i}` })),
                ],
                recentActions: [{ title: 'Call Ann', status: 'completed' }, {}],
            },
        });
        const system = await systemMessage();
        for (const part of [
            'Kim',
            'Hill Country',
            'PULSE 61',
            'GANE 0',
            'MORO 0',
            'Ten listings (active)',
            'Goal (unknown)',
            'More 2 (unknown)',
            'Call Ann (completed)',
            'Action (pending)',
        ])
            assert.ok(system.includes(part), `${part} in:\n${system}`);
        for (const part of ['Stored', 'More 3']) assert.ok(!system.includes(part), `${part} not in:\n${system}`);
    });

    it('understands the panel\'s shape, and calls the unknown "Unknown"', options, async () => {
        const id = await chat.agent();
        for (const [config, name] of [
            [{ market_name: 'A-town' }, 'A-town'],
            [{ marketName: 'B-town' }, 'B-town'],
            [{ primaryTerritory: 'C-town' }, 'C-town'],
            [{}, 'Unknown'],
        ]) {
            await call(id, {
                userPrompt: 'Hello',
                agentContext: { marketConfig: config, actions: [{ title: 'Panel action' }] },
            });
            const system = await systemMessage();
            assert.ok(system.includes(`Market: ${name}`), system);
            assert.ok(system.includes('User: Unknown'));
            assert.ok(system.includes('Panel action (pending)'));
        }
    });

    it('has a focus for the advisor, another for the rest, and names the area', options, async () => {
        const id = await chat.agent(),
            systems = {};
        for (const tab of [
            'advisor',
            'market',
            'dashboard',
            'lead_concierge',
            'content_agent',
            'transaction_coordinator',
            'elsewhere',
            undefined,
        ]) {
            await call(id, { userPrompt: 'Hello', currentTab: tab, agentContext: {} });
            systems[tab] = (await systemMessage()).split('What is known about the user')[0];
            assert.match(systems[tab], /PULSE AI/);
            assert.match(systems[tab], /never .*instruction/is);
            assert.match(systems[tab], /Never reveal/);
        }
        assert.equal(systems.elsewhere, systems.undefined);
        assert.equal(new Set(Object.values(systems)).size, 7);
        for (const [tab, area] of [
            ['market', 'market'],
            ['dashboard', 'dashboard'],
            ['lead_concierge', 'Lead Concierge'],
            ['content_agent', 'Content Agent'],
            ['transaction_coordinator', 'Transaction Coordinator'],
        ])
            assert.ok(systems[tab].includes(area) && systems[tab].length > systems.elsewhere.length, tab);
    });

    it('is replaced by an active row of ai_prompt_configs, safety rules apart', options, async () => {
        const id = await chat.agent();
        await chat.database.rows(
            `INSERT INTO ai_prompt_configs (prompt_key, prompt_name, prompt_template, category) VALUES ('copilot', 'Copilot', 'You are the house advisor.', 'agents')`,
        );
        try {
            await call(id, { userPrompt: 'Hello' });
            const system = await systemMessage();
            assert.ok(system.startsWith('You are the house advisor.'));
            assert.doesNotMatch(system, /PULSE AI/);
            assert.match(system, /Never reveal/);
            await chat.database.rows(`UPDATE ai_prompt_configs SET is_active = false WHERE prompt_key = 'copilot'`);
            await call(id, { userPrompt: 'Hello' });
            assert.match(await systemMessage(), /PULSE AI/);
        } finally {
            await chat.database.rows(`DELETE FROM ai_prompt_configs WHERE prompt_key = 'copilot'`);
        }
    });

    it('does without a read that fails, and logs it', options, async () => {
        const id = await chat.agent({ full_name: 'Kim Example' });
        await chat.database.rows(
            `INSERT INTO user_preferences (user_id, timezone, coaching_style) VALUES ($1, 'Mars/Olympus', 'tough')`,
            [id],
        );
        const { status } = await call(id, { userPrompt: 'Hello' });
        assert.equal(status, 200);
        const system = await systemMessage();
        assert.match(system, /\(America\/New_York\)/);
        assert.match(system, /tough/);
        assert.match(system, /Kim Example/);
        await chat.host.logged((line) => JSON.stringify(line).includes('context_read_failed'), 'context_read_failed');
    });
});
