/*
 * getPlatformMetrics (spec engines.md): its examples, each figure of the health and of a range, filters, and who may see it.
 * The figures are of the whole database, so each test begins with an empty one.
 */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const DAY_MS = 86400000;

const platform = suite({ functions: ['getPlatformMetrics'] });
const rows = (...query) => platform.database.rows(...query);

/* One decimal, nearest to the exact value of a double between 0 and 100, ties up: in whole numbers, so that nothing rounds. */
function fixed1(value) {
    const unit = 2n ** 60n;
    const exact = BigInt(Math.floor(value)) * unit + BigInt((value - Math.floor(value)) * 2 ** 60);
    return Number((exact * 20n + unit) / (2n * unit)) / 10;
}

/* Reads as an administrator who is not among the people that count: hidden by the search in `data`, and counted in root. */
async function metrics(body) {
    const answer = await platform.call('getPlatformMetrics', 'admin_test', body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
}

const day = (offset) => new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);
const people = (count, { prefix = 'p', created = new Date(), updated = '2020-01-01Z', ...more } = {}) =>
    rows(
        `INSERT INTO profiles (id, email, full_name, created_at, updated_at, subscription_tier, license_state)
         SELECT $2 || n, $2 || n || '@example.com', initcap($2) || ' ' || n, $3, $4, $5, $6 FROM generate_series(1, $1::int) AS n`,
        [count, prefix, created, updated, 'tier' in more ? more.tier : 'Free', more.state ?? null],
    );

beforeEach(async () => {
    for (const table of ['profiles', 'integration_status', 'system_errors']) await rows(`DELETE FROM ${table}`);
    await rows(`INSERT INTO profiles (id, email, full_name, created_at, updated_at, subscription_tier)
                VALUES ('admin_test', 'admin@example.org', 'Root', '2020-01-01Z', '2020-01-01Z', 'Admin')`);
    await rows(`INSERT INTO user_roles (user_id, role) VALUES ('admin_test', 'admin')`);
}, options);

describe('getPlatformMetrics: examples', options, () => {
    it('1: 1 of 16 is 6.3 per cent, 5 are 31.3, 4 are 25', options, async () => {
        await people(15);
        const rate = async (active) => {
            await rows('ALTER TABLE profiles DISABLE TRIGGER USER');
            await rows(`UPDATE profiles SET updated_at = CASE WHEN id = ANY ($1) THEN now() ELSE '2020-01-01Z' END`, [
                Array.from({ length: active }, (_, i) => `p${i + 1}`),
            ]);
            await rows('ALTER TABLE profiles ENABLE TRIGGER USER');
            const { totalUsers, activeUsers7d, activeUserRate } = await metrics();
            assert.deepEqual([totalUsers, activeUsers7d], [16, active]);
            return activeUserRate;
        };
        assert.deepEqual([await rate(1), await rate(5), await rate(4), await rate(0)], [6.3, 31.3, 25, 0]);
    });

    it('1: shares of 16 and of 80 calls', options, async () => {
        await people(1);
        for (const total of [16, 80]) {
            for (let set = 1; set <= total; set += total / 8) {
                await rows(`DELETE FROM call_logs`);
                await rows(`INSERT INTO call_logs (user_id, call_type, status) SELECT 'p1', 'out', CASE WHEN n <= $2 THEN 'appointment_set' END
                            FROM generate_series(1, $1::int) AS n`, [total, set]);
                assert.equal((await metrics()).data.aiAgent.conversionRatio, fixed1((set / total) * 100), `${set} of ${total}`);
            }
        }
    });

    it('2: integrations', options, async () => {
        const { errorRate, avgResponseTime, apiStatus, emailStatus } = await metrics();
        assert.deepEqual([errorRate, avgResponseTime, apiStatus, emailStatus], [0, 0, 'healthy', 'healthy']);
        await rows(`INSERT INTO integration_status (service, status, response_time_ms)
                    SELECT 's' || n, CASE n WHEN 1 THEN 'error' ELSE 'healthy' END, CASE n WHEN 1 THEN 100 WHEN 2 THEN 101 END
                    FROM generate_series(1, 7) AS n`);
        await rows(`INSERT INTO integration_status (service, status) VALUES ('resend', 'degraded')`);
        const body = await metrics();
        assert.deepEqual([body.errorRate, body.avgResponseTime, body.apiStatus, body.emailStatus], [13, 101, 'degraded', 'degraded']);
        assert.deepEqual([body.databaseStatus, body.storageStatus], ['healthy', 'healthy']);
    });

    it('3: tiers', options, async () => {
        await rows(`DELETE FROM profiles WHERE id <> 'admin_test'`);
        await people(1, { prefix: 'a', tier: null });
        await people(1, { prefix: 'b', tier: 'Free' });
        await people(1, { prefix: 'c', tier: 'Subscriber' });
        assert.deepEqual((await metrics()).subscriptionData, [
            { name: 'Free', value: 2 }, { name: 'Admin', value: 1 }, { name: 'Subscriber', value: 1 },
        ]);
    });

    it('4: growth is of 30 days', options, async () => {
        await people(1, { prefix: 'a', created: `${day(-30)}T23:59:59.999Z` });
        await people(2, { prefix: 'b', created: `${day(-29)}T00:00:00Z` });
        await people(3, { prefix: 'c', created: `${day(0)}T00:00:00Z` });
        const { userGrowthData, newUsersToday } = await metrics();
        assert.deepEqual(userGrowthData, Array.from({ length: 30 }, (_, i) => ({ date: day(i - 29), users: { 0: 2, 29: 3 }[i] ?? 0 })));
        assert.equal(newUsersToday, 3);
    });
});

describe('getPlatformMetrics: health', options, () => {
    it('what was used in 24 hours', options, async () => {
        await people(1);
        for (const age of ['23 hours', '25 hours']) {
            await rows(`INSERT INTO generated_content (user_id, content_type, content, created_at) VALUES ('p1', 'post', 'x', now() - $1::interval)`, [age]);
            await rows(`INSERT INTO role_play_session_logs (user_id, created_at) VALUES ('p1', now() - $1::interval)`, [age]);
            await rows(`INSERT INTO ai_agent_conversations (user_id, agent_type, created_at) VALUES ('p1', 'copilot', now() - $1::interval)`, [age]);
            await rows(`INSERT INTO goals (user_id, title, goal_type, created_at) VALUES ('p1', 'G', 'annual', now() - $1::interval)`, [age]);
            await rows(`INSERT INTO daily_actions (user_id, title, category, due_date, status, updated_at) VALUES ('p1', 'A', 'calls', now(), 'completed', now() - $1::interval), ('p1', 'A', 'calls', now(), 'pending', now() - $1::interval)`, [age]);
            await rows(`INSERT INTO system_errors (severity, function_name, message, occurrence_count, created_at) VALUES ('info', 'f', 'm', 9, now() - $1::interval)`, [age]);
        }
        const body = await metrics();
        const names = ['Content Studio', 'Role Play', 'AI Advisor', 'Daily Actions', 'Goals Created'];
        assert.deepEqual(body.featureUsageData, names.map((name) => ({ name, value: 1 })));
        assert.deepEqual(body.featureUsage, names.map((feature) => ({ feature, count: 1 })));
        assert.deepEqual([body.apiCalls24h, body.totalErrors], [1, 1]);
        assert.ok(Math.abs(Date.parse(body.generatedAt) - Date.now()) < 60000);
    });
});

describe('getPlatformMetrics: a range', options, () => {
    const range = { startDate: '2026-03-01', endDate: '2026-03-02', searchUser: 'example.com' };

    it('nothing at all', options, async () => {
        const { data } = await metrics(range);
        assert.deepEqual(data, {
            aiAgent: { callsMade: 0, callsCompleted: 0, appointmentsSet: 0, callsFailed: 0, totalCallTime: 0, conversionRatio: 0 },
            tasks: { tasksGenerated: 0, tasksCompleted: 0, tasksOverdue: 0, completionRatio: 0, avgPulseScore: 0 },
            performance: { totalGCI: 0, totalListingsClosed: 0, totalBuyersClosed: 0, totalSalesVolume: 0 },
            analytics: {
                totalAccounts: 0, adminAccounts: 0, regionBreakdown: {},
                userAcquisitionData: [{ date: '2026-03-01', count: 0 }, { date: '2026-03-02', count: 0 }],
            },
        });
    });

    it('calls, with the range at its bounds', options, async () => {
        await people(1);
        const ring = (status, at, seconds) =>
            rows(`INSERT INTO call_logs (user_id, call_type, status, created_at, duration_seconds) VALUES ('p1', 'out', $1, $2, $3)`, [status, at, seconds]);
        await ring('completed', '2026-03-01T00:00:00Z', 10);
        await ring('appointment_set', '2026-03-02T23:59:59.999Z', 20);
        await ring('failed', '2026-03-02T12:00:00Z', null);
        for (let i = 0; i < 5; i++) await ring('pending', '2026-03-02T12:00:00Z', 1);
        await ring('completed', '2026-02-28T23:59:59.999Z', 99);
        await ring('completed', '2026-03-03T00:00:00Z', 99);
        await rows(`INSERT INTO call_logs (user_id, call_type, status, created_at) VALUES ('admin_test', 'out', 'failed', '2026-03-01Z')`);
        assert.deepEqual((await metrics(range)).data.aiAgent, {
            callsMade: 8, callsCompleted: 2, appointmentsSet: 1, callsFailed: 1, totalCallTime: 35, conversionRatio: 12.5,
        });
    });

    it('tasks and the latest scores', options, async () => {
        await people(2);
        const task = (status, due, at = '2026-03-01T12:00:00Z') =>
            rows(`INSERT INTO daily_actions (user_id, title, category, status, due_date, created_at) VALUES ('p1', 'A', 'calls', $1, $2, $3)`, [status, due, at]);
        for (const [status, due] of [['completed', day(-5)], ['archived', day(-5)], [null, day(-1)], ['pending', day(0)]]) await task(status, due);
        await task('pending', day(-5), '2026-03-03T00:00:00Z');
        for (let i = 0; i < 12; i++) await task('pending', day(3));
        await rows(`INSERT INTO pulse_engine_snapshots (user_id, score, computed_at) VALUES
            ('p1', 10, '2026-03-01T10:00Z'), ('p1', 50, '2026-03-02T10:00Z'), ('p1', 99, '2026-03-03T00:00Z'), ('p2', 51, '2026-03-01T00:00Z'),
            ('admin_test', 0, '2026-03-01T00:00Z')`);
        assert.deepEqual((await metrics(range)).data.tasks, {
            tasksGenerated: 16, tasksCompleted: 1, tasksOverdue: 1, completionRatio: 6.3, avgPulseScore: 51,
        });
    });

    it('closed deals', options, async () => {
        await people(1);
        const deal = (type, status, closes, updated, metadata, commission = 100.25) =>
            rows(`INSERT INTO transactions (user_id, transaction_type, status, expected_close_date, updated_at, metadata, commission_amount) VALUES ('p1', $1, $2, $3, $4, $5, $6)`, [type, status, closes, updated, metadata, commission]);
        await deal('buyer', 'closed', '2026-03-02', '2020-01-01Z', { sale_price: 1000.5 });
        await deal('listing', 'Won', null, '2026-03-01T00:00:00Z', { price: '2000' });
        await deal('seller', 'closed', '2026-03-03', '2026-03-01Z', { price: 7 });
        await deal('seller', 'pending', '2026-03-01', '2026-03-01Z', { price: 7 });
        assert.deepEqual((await metrics(range)).data.performance, {
            totalGCI: 200.5, totalListingsClosed: 1, totalBuyersClosed: 1, totalSalesVolume: 3000.5,
        });
    });

    it('accounts, their regions and when they came', options, async () => {
        await people(2, { prefix: 'ny', state: ' ny ', created: '2026-03-01T23:59:59Z' });
        await people(1, { prefix: 'tx', state: 'New York', created: '2026-03-02T00:00:00Z' });
        await rows(`INSERT INTO market_config (user_id, market_name, state) VALUES ('tx1', 'M', 'texas'), ('ny2', 'M', ' ')`);
        await people(1, { prefix: 'dc', state: 'District of Columbia', created: '2026-03-03T00:00:00Z' });
        await people(1, { prefix: 'zz', state: 'Atlantis', created: '2020-01-01Z' });
        await rows(`INSERT INTO user_roles (user_id, role) VALUES ('zz1', 'admin')`);
        assert.deepEqual((await metrics(range)).data.analytics, {
            totalAccounts: 5,
            adminAccounts: 1,
            regionBreakdown: { Northeast: 2, Southeast: 1, Southwest: 1, Unknown: 1 },
            userAcquisitionData: [{ date: '2026-03-01', count: 2 }, { date: '2026-03-02', count: 1 }],
        });
        const northeast = (await metrics({ ...range, region: 'Northeast' })).data.analytics;
        assert.deepEqual([northeast.totalAccounts, northeast.regionBreakdown], [2, { Northeast: 2 }]);
        assert.equal((await metrics({ ...range, region: 'West' })).data.analytics.totalAccounts, 0);
    });

    it('every state has its region', options, async () => {
        const states = {
            Northeast: 'CT ME MA NH NJ NY PA RI VT', Southeast: 'AL AR DC DE FL GA KY LA MD MS NC SC TN VA WV',
            Midwest: 'IL IN IA KS MI MN MO NE ND OH SD WI', Southwest: 'AZ NM OK TX', West: 'AK CA CO HI ID MT NV OR UT WA WY',
        };
        for (const codes of Object.values(states))
            for (const code of codes.split(' ')) await people(1, { prefix: code.toLowerCase(), state: code });
        assert.deepEqual((await metrics(range)).data.analytics.regionBreakdown,
            Object.fromEntries(Object.entries(states).map(([region, codes]) => [region, codes.split(' ').length])));
    });

    it('a search is literal, in names and addresses, in any case', options, async () => {
        await rows(`INSERT INTO profiles (id, full_name, email) VALUES ('x1', '100% Homes', 'a_b@example.com'), ('x2', '100x Homes', 'acb@example.com'), ('x3', NULL, NULL)`);
        const found = async (searchUser) => (await metrics({ searchUser })).data.analytics.totalAccounts;
        assert.deepEqual([await found('100%'), await found('A_B'), await found(' HOMES '), await found('nobody'), await found('\\')], [1, 1, 2, 0, 0]);
        assert.deepEqual([await found(''), await found('   ')], [4, 4]);
    });
});

describe('getPlatformMetrics: days', options, () => {
    it('by default the last 30 and today', options, async () => {
        const { userAcquisitionData } = (await metrics(undefined)).data.analytics;
        assert.deepEqual([userAcquisitionData.length, userAcquisitionData[0].date, userAcquisitionData.at(-1).date], [31, day(-30), day(0)]);
    });

    it('a span of 366 days, and no more; not backwards', options, async () => {
        const call = (body) => platform.call('getPlatformMetrics', 'admin_test', body);
        assert.equal((await call({ startDate: '2024-01-01', endDate: '2025-01-01' })).status, 200);
        assertRefused(await call({ startDate: '2024-01-01', endDate: '2025-01-02' }), 400, 'invalid_input', 'endDate');
        assertRefused(await call({ startDate: '2026-03-02', endDate: '2026-03-01' }), 400, 'invalid_input', 'startDate');
        assert.equal((await call({ startDate: '2026-03-01', endDate: '2026-03-01' })).status, 200);
    });
});

refusals(platform, 'getPlatformMetrics', {
    mode: 'admin',
    caller: () => platform.admin(),
    wrong: {
        startDate: NOT.date, endDate: NOT.date, searchUser: [...NOT.text, 'x'.repeat(101)], region: [...NOT.text, 'north', 'West '],
    },
});
