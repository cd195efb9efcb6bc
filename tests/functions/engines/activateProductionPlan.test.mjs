/*
 * activateProductionPlan (spec engines.md): its examples, what is stored, fields and their limits, a repeated call, two at
 * once, and a failure in the middle.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const TARGETS = {
    gciRequired: 150000, totalDealsNeeded: 20, buyerDeals: 12, listingDeals: 8, totalSalesVolume: 9000000,
    totalConversations: 1200, totalAppointments: 300, totalAgreements: 120, totalContracts: 96,
};
const TITLES = [
    'Annual GCI', 'Total Transactions', 'Buyer Transactions', 'Listing Transactions', 'Total Sales Volume',
    'Total Conversations', 'Total Appointments', 'Total Agreements', 'Total Contracts',
];
const PLAN = { planYear: 2026, avgSalePrice: '450000', commissionRate: 3 };

const plan = suite({ functions: ['activateProductionPlan'] });
const rows = (...query) => plan.database.rows(...query);
const call = (id, { planData = PLAN, calculatedTargets = TARGETS, ...more } = {}) =>
    plan.call('activateProductionPlan', id, { planData, calculatedTargets, ...more });
const stored = (id) => plan.database.row('SELECT * FROM business_plans WHERE user_id = $1', [id]);
const goals = (id) => rows('SELECT * FROM goals WHERE user_id = $1 ORDER BY created_at, title', [id]);
const goal = (id, title, current, more = {}) =>
    rows(`INSERT INTO goals (user_id, title, goal_type, current_value, created_at) VALUES ($1, $2, $3, $4, $5)`, [
        id, title, more.type ?? 'annual', current, more.created ?? '2026-01-01Z',
    ]);

describe('activateProductionPlan: examples', options, () => {
    it('1: a new user', options, async () => {
        const id = await plan.agent();
        const { status, body } = await call(id);
        assert.equal(status, 200, JSON.stringify(body));
        assert.deepEqual([body.success, body.goalsCreated, body.goalsUpdated, body.planYear, body.dryRun], [true, 9, 0, 2026, false]);
        assert.deepEqual(body.goals.map(({ title, target_value }) => [title, target_value]), TITLES.map((title, i) => [title, Object.values(TARGETS)[i]]));
        for (const { current_value, progress_percentage, status, trend, deadline } of body.goals)
            assert.deepEqual([current_value, progress_percentage, status, trend, deadline], [0, 0, 'active', 'at-risk', '2026-12-31']);
        assert.deepEqual(body.goals.map(({ category, unit }) => `${category} ${unit}`), [
            'production USD', 'production closings', 'production closings', 'production closings', 'production USD',
            'activity conversations', 'activity appointments', 'activity agreements', 'activity contracts',
        ]);

        const row = await stored(id);
        assert.deepEqual([row.annual_gci_goal, row.transactions_needed, row.average_commission], ['150000.00', 20, '13500.00']);
        assert.deepEqual([row.plan_year, row.is_active, row.avg_sale_price, row.commission_rate], [2026, true, '450000.00', '0.030000']);
        assert.deepEqual([row.gci_required, row.total_volume, row.total_contracts, row.buyer_deals], ['150000.00', '9000000.00', '96.00', '12.00']);
        assert.deepEqual([row.net_income_goal, row.brokerage_cap, row.tax_rate, row.income_split], ['0.00', '0.00', null, null]);
        assert.deepEqual([row.conversion_rates, row.monthly_breakdown, row.lead_sources], [{}, {}, {}]);
        assert.deepEqual(JSON.parse(row.detailed_plan), PLAN);

        const made = await goals(id);
        assert.equal(made.length, 9);
        for (const one of made) {
            assert.deepEqual([one.goal_type, one.is_active, one.current_value], ['annual', true, '0.00']);
            const { id: goalId } = body.goals.find(({ title }) => title === one.title);
            assert.equal(one.id, goalId);
        }
        const onboarding = await plan.database.row('SELECT * FROM user_onboarding WHERE user_id = $1', [id]);
        assert.equal(onboarding.goals_setup_completed, true);
        assert.ok(Math.abs(onboarding.goals_completion_date - Date.now()) < 60000);
    });

    it('2: a goal that is under way keeps what has been reached', options, async () => {
        const id = await plan.agent(), other = await plan.agent();
        await goal(id, 'Total Transactions', 23);
        await goal(other, 'Total Transactions', 23);
        const { body } = await call(id, { calculatedTargets: { ...TARGETS, totalDealsNeeded: 40 } });
        assert.deepEqual([body.goalsCreated, body.goalsUpdated], [8, 1]);
        const { progress_percentage, trend, current_value, status } = body.goals[1];
        assert.deepEqual([progress_percentage, trend, current_value, status], [57, 'behind', 23, 'active']);
        const [row] = await goals(id);
        assert.deepEqual([row.current_value, row.target_value, row.trend, row.unit, row.category], ['23.00', '40.00', 'behind', 'closings', 'production']);
        const done = (await call(other)).body.goals[1];
        assert.deepEqual([done.progress_percentage, done.status, done.trend], [100, 'completed', 'completed']);
    });

    it('3: a target of 0 is reached at once', options, async () => {
        const { body } = await call(await plan.agent(), { calculatedTargets: { ...TARGETS, listingDeals: 0 } });
        assert.deepEqual([body.goals[3].status, body.goals[3].progress_percentage], ['completed', 0]);
    });

    it('4: a text, or less than 0, is no target', options, async () => {
        const id = await plan.agent();
        for (const buyerDeals of ['12', -1, -0.01, 1e10, true, null, [], {}]) {
            const answer = await call(id, { calculatedTargets: { ...TARGETS, buyerDeals } });
            assertRefused(answer, 400, 'invalid_input', 'calculatedTargets.buyerDeals');
            assert.equal(answer.body.success, false);
        }
        assert.equal(await stored(id), undefined);
        assert.equal((await goals(id)).length, 0);
    });
});

describe('activateProductionPlan: fields', options, () => {
    it('percentages are stored as fractions: missing is not known, null and "" are 0', options, async () => {
        const id = await plan.agent();
        const planData = {
            netIncomeGoal: '9999999999.99', avgSalePrice: null, brokerageCap: '', taxRate: '25.5', commissionRate: null, incomeSplit: '',
            buyerSellerSplit: 100, brokerageSplitBuyers: 0, teamSplitSellers: 33.3333333, conversionRates: { calls: 0.1 },
        };
        const { body } = await call(id, { planData, calculatedTargets: { ...TARGETS, totalDealsNeeded: 19.2, monthlyBreakdown: { jan: 1 } } });
        assert.equal(body.planYear, new Date().getUTCFullYear());
        const row = await stored(id);
        assert.deepEqual(
            [row.net_income_goal, row.avg_sale_price, row.brokerage_cap, row.tax_rate, row.commission_rate, row.income_split, row.buyer_seller_split],
            ['9999999999.99', '0.00', '0.00', '0.255000', '0.000000', '0.000000', '1.000000'],
        );
        assert.deepEqual([row.brokerage_split_buyers, row.brokerage_split_sellers, row.team_split_buyers, row.team_split_sellers],
            ['0.000000', null, null, '0.333333']);
        assert.deepEqual([row.conversion_rates, row.monthly_breakdown, row.transactions_needed, row.average_commission], [{ calls: 0.1 }, { jan: 1 }, 20, '0.00']);
        assert.equal(row.total_deals_needed, '19.20');
        assert.deepEqual(JSON.parse(row.detailed_plan), planData);
    });

    it('years', options, async () => {
        const id = await plan.agent(), now = new Date().getUTCFullYear();
        for (const [planYear, expected] of [[null, now], [0, now], ['', now], ['2031', 2031], [2000, 2000], [2100, 2100]])
            assert.equal((await call(id, { planData: { ...PLAN, planYear } })).body.planYear, expected);
    });

    it('values that are none, the first one named', options, async () => {
        const id = await plan.agent();
        const refused = async (planData, field) =>
            assertRefused(await call(id, { planData: { ...PLAN, ...planData } }), 400, 'invalid_input', field);
        for (const planYear of [1999, 2101, 2026.5, 'next', true, [], {}]) await refused({ planYear }, 'planData.planYear');
        for (const avgSalePrice of [-1, 1e10, '450,000', 'NaN', 'Infinity', true, [], {}]) await refused({ avgSalePrice }, 'planData.avgSalePrice');
        for (const taxRate of [-0.1, 100.1, '101', '5%', true, [], {}]) await refused({ taxRate }, 'planData.taxRate');
        for (const conversionRates of ['x', 1, true, []]) await refused({ conversionRates }, 'planData.conversionRates');
        await refused({ teamSplitSellers: 'x', netIncomeGoal: 'x' }, 'planData.netIncomeGoal');
        for (const name of Object.keys(TARGETS)) {
            const { [name]: _, ...calculatedTargets } = TARGETS;
            assertRefused(await call(id, { calculatedTargets }), 400, 'invalid_input', `calculatedTargets.${name}`);
        }
        assertRefused(await call(id, { calculatedTargets: { ...TARGETS, totalDealsNeeded: 2147483648 } }), 400, 'invalid_input', 'calculatedTargets.totalDealsNeeded');
        assertRefused(await call(id, { calculatedTargets: { ...TARGETS, monthlyBreakdown: 'x' } }), 400, 'invalid_input', 'calculatedTargets.monthlyBreakdown');
        assert.equal(await stored(id), undefined);
    });

    it('256 KiB of plan, and a byte more', options, async () => {
        const id = await plan.agent();
        const planData = (bytes) => ({ a: 'x'.repeat(bytes - 8) });
        assert.equal((await call(id, { planData: planData(262144) })).status, 200);
        const answer = await call(id, { planData: planData(262145) });
        assertRefused(answer, 413, 'body_too_large', 'planData');
        assert.equal(answer.body.success, false);
    });
});

describe('activateProductionPlan: what is there', options, () => {
    it('a repeated call, and two at once, make nine goals and one plan', options, async () => {
        const id = await plan.agent();
        const answers = await Promise.all([call(id), call(id), call(id)]);
        assert.deepEqual(answers.map(({ body }) => body.goalsCreated).sort(), [0, 0, 9]);
        const before = await goals(id);
        const { body } = await call(id, { planData: { ...PLAN, planYear: 2027 } });
        assert.deepEqual([body.goalsCreated, body.goalsUpdated], [0, 9]);
        const after = await goals(id);
        assert.deepEqual(after.map((one) => one.id), before.map((one) => one.id));
        assert.deepEqual(after.map((one) => one.target_value), before.map((one) => one.target_value));
        assert.equal(await plan.database.count('business_plans', 'user_id = $1', [id]), 1);
        assert.equal((await stored(id)).plan_year, 2027);
    });

    it('of several goals the earliest; other columns stay', options, async () => {
        const id = await plan.agent();
        await goal(id, 'Annual GCI', 5, { created: '2026-01-02Z' });
        await goal(id, 'Annual GCI', 75000, { created: '2026-01-01Z' });
        await goal(id, 'Annual GCI', 9, { type: 'monthly', created: '2025-01-01Z' });
        await rows(`INSERT INTO business_plans (user_id, lead_sources) VALUES ($1, '{"web": 1}')`, [id]);
        await rows(`INSERT INTO user_onboarding (user_id, onboarding_completed, completed_steps) VALUES ($1, true, '{a}')`, [id]);
        const { body } = await call(id);
        assert.deepEqual([body.goalsUpdated, body.goals[0].progress_percentage, body.goals[0].trend], [1, 50, 'behind']);
        assert.equal((await goals(id)).filter(({ title, target_value }) => title === 'Annual GCI' && target_value === null).length, 2);
        assert.deepEqual((await stored(id)).lead_sources, { web: 1 });
        const onboarding = await plan.database.row('SELECT * FROM user_onboarding WHERE user_id = $1', [id]);
        assert.deepEqual([onboarding.onboarding_completed, onboarding.completed_steps, onboarding.goals_setup_completed], [true, ['a'], true]);
    });

    it('dryRun answers and writes nothing', options, async () => {
        const id = await plan.agent();
        await goal(id, 'Total Transactions', 10);
        const before = await goals(id);
        const { body } = await call(id, { dryRun: true });
        assert.deepEqual([body.goalsCreated, body.goalsUpdated, body.dryRun], [8, 1, true]);
        assert.equal(body.goals[0].id, null);
        assert.equal(body.goals[1].id, before[0].id);
        assert.equal(body.goals[1].progress_percentage, 50);
        assert.deepEqual(await goals(id), before);
        assert.equal(await stored(id), undefined);
        assert.equal(await plan.database.count('user_onboarding', 'user_id = $1', [id]), 0);
    });

    it('a failure in the middle leaves nothing', options, async () => {
        const id = await plan.agent();
        await rows(`ALTER TABLE user_onboarding ADD CONSTRAINT none CHECK (user_id <> '${id}')`);
        const answer = await call(id);
        await rows('ALTER TABLE user_onboarding DROP CONSTRAINT none');
        assertRefused(answer, 500, 'internal_error');
        assert.equal(answer.body.success, false);
        assert.equal(await stored(id), undefined);
        assert.equal((await goals(id)).length, 0);
    });
});

refusals(plan, 'activateProductionPlan', {
    body: { planData: PLAN, calculatedTargets: TARGETS },
    required: ['planData', 'calculatedTargets'],
    wrong: { planData: NOT.object, calculatedTargets: NOT.object, dryRun: NOT.boolean },
    untouched: ['business_plans', 'goals', 'user_onboarding'],
});
