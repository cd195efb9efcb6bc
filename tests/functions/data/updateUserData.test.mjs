/*
 * updateUserData (spec data.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const settings = suite({ functions: ['updateUserData'] });
const call = (id, table, data) => settings.call('updateUserData', id, { table, data });
async function ok(id, table, data) {
    const { status, body } = await call(id, table, data);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.success, true);
    return body;
}

refusals(settings, 'updateUserData', {
    body: { table: 'user_preferences', data: { theme: 'x', timezone: 'America/Denver' } },
    required: ['table', 'data'],
    wrong: { table: NOT.text, data: NOT.object },
});

describe('updateUserData: examples', options, () => {
    it('a colour in its spelling, and only what is given changes', options, async () => {
        const id = await settings.agent();
        const first = await ok(id, 'user_preferences', { brand_primary_color: '#1a2b3c', timezone: 'America/Denver' });
        assert.deepEqual([first.data.brand_primary_color, first.data.timezone], ['#1A2B3C', 'America/Denver']);
        const second = await ok(id, 'user_preferences', { timezone: 'Europe/Paris' });
        assert.deepEqual([second.data.brand_primary_color, second.data.timezone, second.data.id], ['#1A2B3C', 'Europe/Paris', first.data.id]);
        assert.equal(await settings.database.count('user_preferences', 'user_id = $1', [id]), 1);
    });

    it('what grants rights cannot be written', options, async () => {
        const id = await settings.agent();
        assertRefused(await call(id, 'profiles', { role: 'admin' }), 403, 'column_not_writable', 'data.role');
        assertRefused(await call(id, 'profiles', { subscriptionTier: 'Owner' }), 403, 'column_not_writable', 'data.subscription_tier');
        for (const table of ['user_roles', 'goals', 'Profile', 'pulse_config', 'user_credits'])
            assertRefused(await call(id, table, { role: 'admin' }), 403, 'table_not_allowed');
    });

    it('a time zone that nobody lives in', options, async () => {
        const id = await settings.agent();
        for (const timezone of ['Mars/Base', '', 'america/denver '])
            assertRefused(await call(id, 'user_preferences', { timezone }), 400, 'invalid_input', 'data.timezone');
        assert.equal(await settings.database.count('user_preferences', 'user_id = $1', [id]), 0);
    });
});

describe('updateUserData: rows', options, () => {
    it('are made with what they need', options, async () => {
        const id = await settings.agent();
        const market = await ok(id, 'market_config', { city: 'Boise', medianDom: 12, averagePrice: 410000.255 });
        assert.deepEqual([market.data.market_name, market.data.median_dom, market.data.average_price], ['Primary Market', 12, 410000.26]);
        assert.equal((await ok(id, 'market_config', { primary_territory: 'North' })).data.market_name, 'North');
        assert.equal((await ok(id, 'market_config', { state: 'ID' })).data.market_name, 'North', 'kept');
        for (const market_name of ['', ' ', null])
            assertRefused(await call(id, 'market_config', { market_name }), 400, 'invalid_input', 'data.market_name');

        assert.equal((await ok(id, 'agent_config', { voiceName: 'Ada' })).data.agent_type, 'executive_assistant');
        assert.equal((await ok(id, 'agent_config', { agentType: 'coach', enabled: false })).data.enabled, false);
        assert.equal(await settings.database.count('agent_config', 'user_id = $1', [id]), 2);
        assert.deepEqual((await ok(id, 'business_plans', { leadSources: { sphere: 3 }, transactions_needed: 9 })).data.lead_sources, { sphere: 3 });
        assert.equal((await ok(id, 'agent_intelligence_profiles', { previous_year_volume: 2 ** 53 })).data.previous_year_volume, 2 ** 53);
    });

    it('profiles: the own one, also when it is not there yet', options, async () => {
        const id = await settings.agent();
        const { data } = await ok(id, 'profiles', { fullName: 'New Name', brokerage_name: 'Oak', id: 'user_other', user_id: undefined });
        assert.deepEqual([data.id, data.full_name, data.brokerage], [id, 'New Name', 'Oak']);
        assert.equal((await ok('user_unseen', 'profiles', { phone: '1' })).data.id, 'user_unseen');
        assertRefused(await call('user_none', 'market_config', { city: 'x' }), 400, 'invalid_reference');
    });

    it('of others are out of reach', options, async () => {
        const id = await settings.agent(),
            admin = await settings.admin();
        for (const who of [id, admin])
            assertRefused(await call(who, 'user_preferences', { user_id: 'user_other', theme: 'x' }), 403, 'user_mismatch', 'data.user_id');
        assert.equal((await call(id, 'user_preferences', { user_id: id, weekly_report: false })).body.data.weekly_reports, false);
    });

    it('names: unknown ones, legacy ones, and values of the wrong kind', options, async () => {
        const id = await settings.agent();
        assertRefused(await call(id, 'profiles', { nothing: 1 }), 400, 'unknown_column', 'data.nothing');
        const { ignoredFields } = await ok(id, 'profiles', { yearsExperience: 4, phone: '1' });
        assert.deepEqual(ignoredFields, ['years_experience']);
        for (const data of [{}, { specialization: 'x' }, { id, created_at: 'x' }])
            assertRefused(await call(id, 'profiles', data), 400, 'invalid_input', 'data');
        const wrong = [
            ['profiles', 'full_name', [7, true, [], {}, 'x'.repeat(256)]],
            ['profiles', 'avatar_url', ['x'.repeat(2049)]],
            ['user_preferences', 'brand_accent_color', ['red', '#12345', '#1234567', 7]],
            ['user_preferences', 'coaching_style', ['Supportive', 'mean', 1]],
            ['user_preferences', 'daily_reminders', ['true', 1, [], {}]],
            ['user_preferences', 'content_themes', ['x', [1], Array.from({ length: 101 }, () => 'x'), ['x'.repeat(501)]]],
            ['market_config', 'median_dom', [1.5, '5', 2147483648, -2147483649]],
            ['market_config', 'average_price', ['5', 1e10, -1e10, 9999999999.996]],
            ['agent_intelligence_profiles', 'previous_year_volume', [2 ** 53 + 2, 0.5]],
            ['agent_intelligence_profiles', 'survey_completed_at', ['yesterday', '2025-02-30T00:00:00Z', 5, '2025-01-01T24:00:00Z', '2025-01-01T00:00:00+16:00']],
            ['business_plans', 'lead_sources', [{ a: 'x'.repeat(262144) }]],
        ];
        for (const [table, column, values] of wrong)
            for (const value of values)
                assertRefused(await call(id, table, { [column]: value }), 400, 'invalid_input', `data.${column}`);
        for (const [table, column, value] of [
            ['profiles', 'full_name', 'é'.repeat(255)],
            ['market_config', 'median_dom', -2147483648],
            ['market_config', 'average_price', 9999999999.99],
            ['agent_intelligence_profiles', 'survey_completed_at', '2025-01-01T23:59:59.123456789+15:59'],
        ])
            assert.notEqual((await ok(id, table, { [column]: value })).data[column], null);
    });
});
