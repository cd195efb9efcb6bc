/*
 * getUserContext (spec engines.md): its examples, both spellings of every column, sections; one round trip.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { countRoundTrips, fewestRoundTrips } from '../../support/round_trips.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const context = suite({ functions: ['getUserContext'] });
const rows = (...query) => context.database.rows(...query);
const call = (id, body) => context.call('getUserContext', id, body);

const SECTIONS = [
    'profile', 'onboarding', 'marketConfig', 'preferences', 'dailyActions', 'agentConfig', 'agentConfigs',
    'userAgentSubscription', 'userAgentSubscriptions', 'goals', 'businessPlan', 'latestPulseScore', 'pulseHistory',
    'pulseConfig', 'agentIntelligence',
];
const ALIASES = ['user', 'actions', 'agentProfile'];

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

/* Every column under its own name and in camel case, and nothing but the aliases beside them. */
async function assertRow(row, table, more = []) {
    const columns = (
        await rows(
            `SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
            [table],
        )
    ).map(({ attname }) => attname);
    const dates = [...(columns.includes('created_at') ? ['created_date'] : []), ...(columns.includes('updated_at') ? ['updated_date'] : [])];
    assert.deepEqual(Object.keys(row).sort(), [...new Set([...columns, ...columns.map(camel), ...dates, ...more])].sort(), table);
    for (const column of columns) assert.deepEqual(row[camel(column)], row[column], column);
    if (dates.length) assert.equal(row.created_date, row.created_at);
}

describe('getUserContext: examples', options, () => {
    it('1: the name in two, a tier of NULL', options, async () => {
        const id = await context.agent({ full_name: 'Ada Byron King', subscription_tier: null });
        const { status, body } = await call(id);
        assert.equal(status, 200);
        assert.equal(body.user.firstName, 'Ada');
        assert.equal(body.user.lastName, 'Byron King');
        assert.equal(body.profile.subscription_tier, null);
        assert.equal(body.profile.subscriptionTier, null);
        assert.equal(body.user.role, 'user');
        await assertRow(body.profile, 'profiles');
        await assertRow(body.user, 'profiles', ['firstName', 'lastName']);
    });

    it('2: nothing but a profile', options, async () => {
        const { body } = await call(await context.agent());
        const { profile, user, preferences, onboarding, ...others } = body;
        assert.ok(profile && user);
        assert.deepEqual(others, {
            marketConfig: null, dailyActions: [], actions: [], agentConfig: null, agentConfigs: [],
            userAgentSubscription: null, userAgentSubscriptions: [], goals: [], businessPlan: null, latestPulseScore: null,
            pulseHistory: [], pulseConfig: null, agentIntelligence: null, agentProfile: null,
        });
        assert.equal(preferences, null);
        assert.equal(onboarding, null);
    });

    it('3: an enabled agent goes before a newer one', options, async () => {
        const id = await context.agent();
        await rows(
            `INSERT INTO agent_config (user_id, agent_type, enabled, updated_at) VALUES
             ($1, 'content_agent', false, '2026-03-02Z'), ($1, 'sales_agent', true, '2026-03-01Z'), ($1, 'odd', NULL, '2026-03-03Z')`,
            [id],
        );
        const { body } = await call(id);
        assert.equal(body.agentConfig.agent_type, 'sales_agent');
        assert.equal(body.agentConfig.agentType, 'sales_agent');
        assert.deepEqual(body.agentConfigs.map(({ agentType }) => agentType), ['sales_agent', 'content_agent', 'odd']);
        await assertRow(body.agentConfig, 'agent_config');
    });

    it('4: the latest score by its date', options, async () => {
        const id = await context.agent();
        await rows(
            `INSERT INTO pulse_scores (user_id, date, overall_score, created_at) VALUES
             ($1, '2025-03-02', 58, '2026-01-01Z'), ($1, '2025-03-01', 61, '2026-01-02Z')`,
            [id],
        );
        const { body } = await call(id);
        assert.equal(body.latestPulseScore.overall_score, 58);
        assert.equal(body.latestPulseScore.overallScore, 58);
        assert.deepEqual(body.pulseHistory.map(({ date }) => date), ['2025-03-02', '2025-03-01']);
    });
});

describe('getUserContext: rows', options, () => {
    it('single rows in both spellings; what is inside of jsonb keeps its names', options, async () => {
        const id = await context.agent(), other = await context.agent();
        for (const user of [other, id]) {
            await rows(`INSERT INTO market_config (user_id, market_name, average_price) VALUES ($1, $1, 1.5)`, [user]);
            await rows(`INSERT INTO user_onboarding (user_id, completed_steps) VALUES ($1, '{one_step,two}')`, [user]);
            await rows(`INSERT INTO user_preferences (user_id) VALUES ($1)`, [user]);
            await rows(`INSERT INTO pulse_config (user_id) VALUES ($1)`, [user]);
            await rows(`INSERT INTO agent_intelligence_profiles (user_id, experience_level) VALUES ($1, 'new')`, [user]);
            await rows(`INSERT INTO business_plans (user_id, lead_sources) VALUES ($1, '{"open_houses": {"per_month": 2}}')`, [user]);
        }
        const { body } = await call(id);
        assert.equal(body.marketConfig.marketName, id);
        assert.equal(body.marketConfig.averagePrice, 1.5);
        assert.deepEqual(body.onboarding.completedSteps, ['one_step', 'two']);
        assert.equal(body.pulseConfig.weightListing, 0.25);
        assert.equal(body.agentIntelligence.experienceLevel, 'new');
        assert.deepEqual(body.agentProfile, body.agentIntelligence);
        assert.deepEqual(body.businessPlan.leadSources, { open_houses: { per_month: 2 } });
        for (const [key, table] of Object.entries({
            marketConfig: 'market_config', onboarding: 'user_onboarding', preferences: 'user_preferences',
            pulseConfig: 'pulse_config', agentIntelligence: 'agent_intelligence_profiles', businessPlan: 'business_plans',
        }))
            await assertRow(body[key], table);
    });

    it('the 50 latest actions, goals of every status, 30 scores', options, async () => {
        const id = await context.agent();
        await rows(
            `INSERT INTO daily_actions (user_id, title, category, due_date)
             SELECT $1, 'Action ' || n, 'calls', '2026-01-01'::date + n FROM generate_series(1, 60) AS n`,
            [id],
        );
        await rows(
            `INSERT INTO goals (user_id, title, goal_type, status, created_at)
             SELECT $1, 'Goal ' || n, 'annual', (ARRAY['active', 'completed', NULL])[n % 3 + 1], '2026-01-01Z'::timestamptz - n * interval '1 day'
             FROM generate_series(1, 60) AS n`,
            [id],
        );
        await rows(
            `INSERT INTO pulse_scores (user_id, date, overall_score) SELECT $1, '2026-01-01'::date + n, n FROM generate_series(1, 40) AS n`,
            [id],
        );
        const { body } = await call(id);
        assert.deepEqual([body.dailyActions.length, body.goals.length, body.pulseHistory.length], [50, 60, 30]);
        assert.equal(body.dailyActions[0].title, 'Action 60');
        assert.equal(body.dailyActions[0].actionDate, '2026-03-02');
        assert.deepEqual(body.actions, body.dailyActions);
        assert.equal(body.goals[0].title, 'Goal 60');
        assert.equal(body.latestPulseScore.overallScore, 40);
        await assertRow(body.dailyActions[7], 'daily_actions', ['actionDate']);
        await assertRow(body.goals[7], 'goals');
        await assertRow(body.pulseHistory[7], 'pulse_scores');
    });

    it('an active subscription goes first, then one with that status', options, async () => {
        const id = await context.agent();
        await rows(
            `INSERT INTO user_agent_subscriptions (user_id, agent_type, is_active, status, updated_at) VALUES
             ($1, 'a', false, 'active', '2026-03-09Z'), ($1, 'b', true, 'past_due', '2026-03-09Z'),
             ($1, 'c', true, 'active', '2026-03-01Z'), ($1, 'd', true, 'active', '2026-03-02Z'), ($1, 'e', NULL, 'active', '2026-03-09Z')`,
            [id],
        );
        const { body } = await call(id);
        assert.deepEqual(body.userAgentSubscriptions.map(({ agentType }) => agentType), ['d', 'c', 'b', 'a', 'e']);
        assert.deepEqual(body.userAgentSubscription, body.userAgentSubscriptions[0]);
        await assertRow(body.userAgentSubscription, 'user_agent_subscriptions');
    });

    it('names and roles of people', options, async () => {
        const named = async (full_name) => {
            const { user } = (await call(await context.agent({ full_name }), { include: [] })).body;
            return [user.firstName, user.lastName];
        };
        assert.deepEqual(await named('Ada'), ['Ada', null]);
        assert.deepEqual(await named(null), [null, null]);
        assert.deepEqual(await named(''), [null, null]);
        assert.deepEqual(await named('Ada   King '), ['Ada', 'King']);
        assert.equal((await call(await context.admin())).body.user.role, 'admin');
        assert.equal((await call(await context.agent({ role: 'coach' }))).body.user.role, 'coach');
    });

    it('in one round trip', options, async () => {
        const id = await context.agent();
        const proxy = await countRoundTrips(context.database.url);
        try {
            await withHost({ functions: ['getUserContext'], database: proxy.url, server: { workers: 1 } }, async (host) => {
                const token = await mint(id);
                assert.equal(await fewestRoundTrips(proxy, async () => {
                    assert.equal((await post(host, 'getUserContext', { token })).status, 200);
                }), 1);
            });
        } finally {
            await proxy.stop();
        }
    });
});

describe('getUserContext: include', options, () => {
    it('all sections without it', options, async () => {
        const { body } = await call(await context.agent());
        assert.deepEqual(Object.keys(body).sort(), [...SECTIONS, ...ALIASES].sort());
    });

    it('a section with its aliases, and the profile always', options, async () => {
        const id = await context.agent();
        const keys = async (...include) =>
            Object.keys((await call(id, { include })).body).filter((key) => !['profile', 'user'].includes(key)).sort();
        assert.deepEqual(await keys(), []);
        assert.deepEqual(await keys('profile'), []);
        assert.deepEqual(await keys('dailyActions'), ['actions', 'dailyActions']);
        assert.deepEqual(await keys('agentIntelligence', 'goals'), ['agentIntelligence', 'agentProfile', 'goals']);
        assert.deepEqual(await keys('agentConfig'), ['agentConfig', 'agentConfigs']);
        assert.deepEqual(await keys('pulseHistory', 'pulseHistory'), ['latestPulseScore', 'pulseHistory']);
    });

    it('unknown sections: 400', options, async () => {
        const id = await context.agent();
        for (const section of ['user', 'Goals', '', 7, null])
            assertRefused(await call(id, { include: ['goals', section] }), 400, 'invalid_input', 'include[1]');
    });

    it('without a profile: 404', options, async () => assertRefused(await call('user_nobody'), 404, 'profile_not_found'));
});

refusals(context, 'getUserContext', { wrong: { include: NOT.array } });
