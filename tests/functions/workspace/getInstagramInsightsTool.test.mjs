/*
 * getInstagramInsightsTool (spec workspace.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, refusals } from '../../support/refusals.mjs';
import { Sandbox } from '../../support/sandbox.mjs';
import { options } from '../../support/suite.mjs';
import { assertFailed, connectionRefusals, toolSuite } from '../../support/tools.mjs';

const accounts = toolSuite(['getInstagramInsightsTool'], 'instagram');
const graph = () => accounts.provider('meta_graph');
const connect = { settings: { instagram_account_id: '1784' } };
const USUAL = ['reach', 'views', 'accounts_engaged', 'total_interactions', 'profile_links_taps'];
const total = (name, value) => ({ name, period: 'day', total_value: { value } });

/* Insights and profile are asked for at once; an order for both has what each looks for. */
async function read(body, answer) {
    const id = await accounts.connected(connect);
    if (answer) await graph().order({ body: answer, times: 2 });
    const answered = await accounts.run(id, body);
    assert.equal(answered.status, 200, JSON.stringify(answered.body));
    assert.deepEqual(await accounts.actions(id), []);
    return answered.body.data;
}

const calls = async () => {
    const requests = await graph().requests();
    return {
        insights: requests.filter(({ path }) => path.endsWith('/insights')),
        profiles: requests.filter(({ path }) => !path.endsWith('/insights')),
    };
};

describe('getInstagramInsightsTool', options, () => {
    it('1: a week', options, async () => {
        const insights = [total('reach', 1200), total('views', 3400)];
        const data = await read({ period: 'week' }, { data: insights, followers_count: 987 });
        assert.deepEqual({ ...data, message: 0 }, {
            insights,
            period: 'week',
            message: 0,
            days: 7,
            metrics: { reach: 1200, views: 3400 },
            followers: 987,
            unavailable: ['accounts_engaged', 'total_interactions', 'profile_links_taps'],
        });
        const { insights: [request], profiles: [profile] } = await calls();
        assert.equal(`${request.method} ${request.path}`, 'GET /v25.0/1784/insights');
        const { since, until, appsecret_proof, ...rest } = request.query;
        assert.deepEqual(rest, { metric: USUAL.join(','), period: 'day', metric_type: 'total_value' });
        assert.equal(until - since, 604800);
        assert.equal(appsecret_proof.length, 64);
        assert.equal(profile.path, '/v25.0/1784');
        assert.equal(profile.query.fields, 'followers_count,username');
    });

    it('2: names of old callers', options, async () => {
        const data = await read({ metrics: 'impressions, follower_count' });
        const { insights: [request] } = await calls();
        assert.equal(request.query.metric, 'views');
        assert.equal(data.followers, 1250);
        assert.deepEqual(Object.keys(data.metrics), ['views']);
    });

    it('3: a parameter in the metrics', options, async () => {
        const id = await accounts.connected(connect);
        assertFailed(await accounts.run(id, { metrics: 'reach&access_token=x' }), 400, 'invalid_input', 'metrics');
        assert.deepEqual(await graph().requests(), []);
    });

    it('lists of metrics', options, async () => {
        const all = [...USUAL, 'likes', 'comments', 'shares', 'saves', 'replies', 'follows_and_unfollows', 'profile_views'];
        for (const [metrics, sent] of [
            [undefined, USUAL], [null, USUAL], ['', USUAL], [' , ', USUAL], [[], USUAL], [[' '], USUAL],
            [' likes ,,shares,likes', ['likes', 'shares']], [['views', 'impressions', ' saves '], ['views', 'saves']], [all, all],
        ]) {
            await graph().reset();
            await read({ metrics });
            assert.equal((await calls()).insights[0].query.metric, sent.join(','));
        }
    });

    it('followers alone: no insights call', options, async () => {
        const data = await read({ metrics: ['follower_count'] });
        const { insights, profiles } = await calls();
        assert.equal(insights.length, 0);
        assert.equal(profiles.length, 1);
        assert.deepEqual([data.insights, data.metrics, data.unavailable, data.followers], [[], {}, [], 1250]);
    });

    it('daily values are summed', options, async () => {
        const data = await read({ metrics: 'reach,views' }, {
            data: [{ name: 'reach', values: [{ value: 1 }, { value: 2.5 }, { value: 'x' }, {}] }, { name: 'views' }],
        });
        assert.deepEqual(data.metrics, { reach: 3.5, views: 0 });
        assert.equal(data.followers, null);
    });

    it('periods', options, async () => {
        for (const [period, days] of [[undefined, 1], ['day', 1], ['week', 7], ['days_28', 28], ['month', 30]]) {
            await graph().reset();
            const data = await read({ period });
            assert.equal(data.days, days);
            assert.equal(data.period, period ?? 'day');
            const { insights: [{ query }] } = await calls();
            assert.equal(query.until - query.since, days * 86400);
            assert.equal(query.period, 'day');
        }
    });

    it('the account: asked for, found out, none, several', options, async () => {
        const id = await accounts.connected();
        await accounts.run(id, { accountId: '42' });
        assert.equal((await calls()).insights[0].path, '/v25.0/42/insights');
        assert.equal((await accounts.run(id, {})).status, 200);
        assert.equal((await accounts.connection(id)).settings.instagram_account_id, '1784');
        const other = await accounts.connected();
        await graph().order({ body: { data: [] } });
        assertFailed(await accounts.run(other, {}), 409, 'no_instagram_business_account');
        const account = (id) => ({ id: `p${id}`, name: `Page ${id}`, instagram_business_account: { id, username: `u${id}` } });
        await graph().order({ body: { data: [account('1'), account('2')] } });
        assertFailed(await accounts.run(other, {}), 409, 'account_selection_required');
    });
});

describe('getInstagramInsightsTool: meta_graph fails', options, () => {
    const meta = (status, code) => ({ status, body: { error: { code, message: 'Meta says so' } }, times: 4 });
    /* What keeps the circuit breaker from opening. */
    async function healthy() {
        await graph().reset();
        await read({});
    }

    it('a failing insights call fails the request', options, async () => {
        for (const [order, status, code, state] of [
            [meta(400, 100), 422, 'provider_rejected', 'connected'],
            [meta(400, 10), 403, 'provider_permission_denied', 'connected'],
            [meta(400, 190), 409, 'reconnect_required', 'error'],
            [meta(400, 4), 429, 'provider_rate_limited', 'connected'],
            [meta(404, 803), 404, 'provider_not_found', 'connected'],
            [{ body: 'no json', times: 2 }, 502, 'provider_bad_response', 'connected'],
            [{ drop: true, times: 8 }, 502, 'provider_unreachable', 'connected'],
        ]) {
            const id = await accounts.connected(connect);
            await graph().reset();
            await graph().order(order);
            assertFailed(await accounts.run(id, {}), status, code);
            await healthy();
            assert.equal((await accounts.connection(id)).status, state);
        }
    });

    it('503: asked once more', options, async () => {
        const id = await accounts.connected(connect);
        await graph().order({ status: 503, body: {}, times: 4 });
        assertFailed(await accounts.run(id, {}), 502, 'provider_error');
        assert.equal((await calls()).insights.length, 2);
        await healthy();
    });

    it('taking too long', options, () =>
        accounts.impatient('meta_graph', async (host) => {
            const id = await accounts.connected(connect);
            await new Sandbox(host, 'meta_graph').order({ delayMs: 30000, times: 2 });
            assertFailed(await accounts.run(id, {}, { host }), 504, 'provider_timeout');
        }),
    );

    it('a failing profile call alone leaves the followers open', options, async () => {
        const data = await read({ metrics: 'follower_count' }, undefined);
        assert.equal(data.followers, 1250);
        await graph().order({ status: 400, body: { error: { code: 100, message: 'no' } } });
        assert.equal((await read({ metrics: 'follower_count' })).followers, null);
    });
});

refusals(accounts, 'getInstagramInsightsTool', {
    mode: 'user_or_service',
    wrong: {
        period: [...NOT.text, 'Day', 'year'],
        metrics: [7, true, {}, 'reach,online_followers', ['reach', 7], [['reach']], 'Reach'],
        accountId: [...NOT.text, 'me', '1'.repeat(33)],
    },
});
connectionRefusals(accounts, {});
