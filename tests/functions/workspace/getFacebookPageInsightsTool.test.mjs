/*
 * getFacebookPageInsightsTool (spec workspace.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, refusals } from '../../support/refusals.mjs';
import { options } from '../../support/suite.mjs';
import { providerFailures } from '../../support/tool_failures.mjs';
import { assertFailed, connectionRefusals, toolSuite } from '../../support/tools.mjs';

const pages = toolSuite(['getFacebookPageInsightsTool'], 'facebook');
const graph = () => pages.provider('meta_graph');
const connect = { settings: { page_id: '111' }, credentials: { page_access_token: 'page-token-stored' } };
const metric = (name, ...values) => ({ name, period: 'day', values: values.map((value) => ({ value })) });

async function read(order, body = {}) {
    const id = await pages.connected(connect);
    await graph().order(...[order].flat());
    const answer = await pages.run(id, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(await pages.actions(id), []);
    return answer.body.data;
}

describe('getFacebookPageInsightsTool', options, () => {
    it('1: a week', options, async () => {
        const before = Math.floor(Date.now() / 1000);
        const data = await read({
            body: {
                data: [
                    metric('page_media_view', 100, 150, 50),
                    metric('page_post_engagements', 10, 5, 0),
                    { name: 'page_follows', values: [{ value: 900, end_time: '2031-03-02' }, { value: 905, end_time: '2031-03-03' }] },
                    metric('page_views_total', 7, 8),
                ],
            },
        });
        assert.deepEqual(data.metrics, { impressions: 300, engagements: 15, followers: 905, pageViews: 15, engagementRate: '5.00%' });
        assert.deepEqual(Object.keys(data), ['period', 'days', 'metrics', 'insights', 'message', 'pageId']);
        assert.equal(data.period, 'week');
        assert.equal(data.days, 7);
        assert.equal(data.pageId, '111');
        for (const said of ['300', '15', '5.00%', '7']) assert.ok(data.insights.includes(said), data.insights);
        const [request, ...others] = await graph().requests();
        assert.equal(others.length, 0);
        assert.equal(`${request.method} ${request.path}`, 'GET /v25.0/111/insights');
        assert.equal(request.headers.authorization, 'Bearer page-token-stored');
        const { since, until, appsecret_proof, ...rest } = request.query;
        assert.deepEqual(rest, { metric: 'page_media_view,page_post_engagements,page_follows,page_views_total', period: 'day' });
        assert.equal(until - since, 7 * 86400);
        assert.ok(until >= before && until <= Date.now() / 1000);
        assert.equal(appsecret_proof.length, 64);
    });

    it('2: nothing', options, async () => {
        const data = await read({ body: { data: [] } });
        assert.deepEqual(data.metrics, { impressions: 0, engagements: 0, followers: 0, pageViews: 0, engagementRate: '0%' });
    });

    it('3: a year', options, async () => {
        assertFailed(await pages.run(await pages.connected(connect), { period: 'year' }), 400, 'invalid_input', 'period');
        assert.deepEqual(await graph().requests(), []);
    });

    it('the latest followers wherever they stand, values that are none, halves that go up', options, async () => {
        const data = await read({
            body: {
                data: [
                    {
                        name: 'page_follows',
                        values: [
                            { value: 12, end_time: '2031-03-03T08:00:00+0000' },
                            { value: 11, end_time: '2031-03-03T00:30:00-0700' },
                            { value: 99 },
                            { value: 10, end_time: '2031-03-02T08:00:00+0000' },
                        ],
                    },
                    { name: 'page_media_view', values: [{ value: 800 }, { value: 'x' }, {}, { value: { a: 1 } }] },
                    { name: 'page_post_engagements', values: [{ value: 1 }] },
                    { name: 'unknown', values: [{ value: 5 }] },
                    { values: [{ value: 5 }] },
                    7,
                ],
            },
        });
        assert.deepEqual(data.metrics, { impressions: 800, engagements: 1, followers: 12, pageViews: 0, engagementRate: '0.13%' });
    });

    it('periods', options, async () => {
        for (const [period, days] of [['day', 1], ['week', 7], ['month', 30]]) {
            await graph().reset();
            const data = await read([], { period, metrics: 'page_impressions' });
            assert.equal(data.days, days);
            const [{ query }] = await graph().requests();
            assert.equal(query.until - query.since, days * 86400);
        }
    });

    it('compared with the window before', options, async () => {
        const totals = (views, engagements, pageViews) => ({
            body: { data: [metric('page_media_view', views), metric('page_post_engagements', engagements), metric('page_views_total', pageViews)] },
        });
        /* Both are asked for at once, so which gets which order is known only from what was asked. */
        const data = await read([totals(300, 15, 0), totals(300, 15, 0)], { compare: true });
        assert.deepEqual(data.changePercent, { impressions: 0, engagements: 0, pageViews: null });
        assert.deepEqual(data.previous, data.metrics);
        const windows = (await graph().requests()).map(({ query }) => [Number(query.since), Number(query.until)]).sort((a, b) => a[0] - b[0]);
        assert.equal(windows[0][1], windows[1][0]);
        assert.equal(windows[0][1] - windows[0][0], 7 * 86400);
        assert.equal(windows[1][1] - windows[1][0], 7 * 86400);

        await graph().reset();
        const changed = await read([totals(300, 15, 7), totals(400, 9, 3)], { compare: true });
        const percent = (name) => Math.round(((changed.metrics[name] - changed.previous[name]) / changed.previous[name]) * 1000) / 10;
        assert.notEqual(changed.metrics.impressions, changed.previous.impressions);
        for (const name of ['impressions', 'engagements', 'pageViews']) assert.equal(changed.changePercent[name], percent(name));
    });

    it('the Page: found out and kept, none, several, asked for', options, async () => {
        const id = await pages.connected();
        assert.equal((await pages.run(id, {})).status, 200);
        assert.equal((await pages.connection(id)).settings.page_id, '111');
        const other = await pages.connected();
        await graph().order({ body: { data: [] } });
        assertFailed(await pages.run(other, {}), 409, 'no_page_connected');
        await graph().order({ body: { data: [{ id: '1', name: 'One' }, { id: '2', name: 'Two' }] } });
        const several = await pages.run(other, {});
        assertFailed(several, 409, 'page_selection_required');
        assert.deepEqual(several.body.pages, [{ id: '1', name: 'One' }, { id: '2', name: 'Two' }]);
        await graph().reset();
        assert.equal((await pages.run(other, { pageId: '222' })).body.data.pageId, '222');
        assert.deepEqual((await graph().requests()).map(({ path }) => path), ['/v25.0/222', '/v25.0/222/insights']);
    });
});

refusals(pages, 'getFacebookPageInsightsTool', {
    mode: 'user_or_service',
    wrong: {
        period: [...NOT.text, 'Week', 'days_28'],
        pageId: [...NOT.text, 'x', '1'.repeat(33)],
        compare: NOT.boolean,
    },
});
connectionRefusals(pages, {});
providerFailures(pages, 'meta_graph', { body: {}, connect, reads: true, logs: false, needsId: false });
