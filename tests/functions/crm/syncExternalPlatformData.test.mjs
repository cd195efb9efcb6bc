/*
 * syncExternalPlatformData (spec crm.md): its examples, mapping, guarded prune, resume, lease and stream, and what the source
 * may fail at.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { limits } from '../../support/crm.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'syncExternalPlatformData';
const env = { ...limits, CRM_RETRY_MS: '10' };
const platform = suite({ functions: [NAME], env });
const source = platform.provider('external_backend');
const TABLES = ['task_templates', 'client_personas', 'agent_voices', 'call_logs', 'featured_content_packs'];
const uuid = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

const call = async (body, more) => platform.call(NAME, await platform.admin(), body, more);
async function synced(body, more) {
    const answer = await call(body, more);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
}
const rows = (...query) => platform.database.rows(...query);
const forget = async () => {
    for (const table of [...TABLES, 'integration_status']) await rows(`DELETE FROM ${table}`);
};
const job = () => platform.database.row(`SELECT * FROM integration_status WHERE service = 'external_platform_sync'`);

refusals(platform, NAME, {
    mode: 'admin',
    body: { tables: ['client_personas'] },
    caller: () => platform.admin(),
    wrong: { dryRun: NOT.boolean, prune: NOT.boolean, resume: NOT.boolean, tables: [...NOT.array, [], ['client_personas', 'client_personas']] },
    untouched: ['integration_status'],
});

describe(`${NAME}: examples`, options, () => {
    it('1: a dry run counts and changes nothing', options, async () => {
        await source.order({ body: [{ id: 'a' }, { id: 'b' }] });
        const body = await synced({ dryRun: true, tables: ['client_personas'] });
        assert.deepEqual(body, { success: true, dryRun: true, runId: null, complete: true, results: { client_personas: { count: 2, errors: [] } }, systemUserId: null });
        assert.equal(await job(), undefined);
        assert.equal(await platform.database.count('profiles', `email = 'system@pulse.ai'`), 0);
    });

    it('2: personas: one made, one changed under its own id, one taken away', options, async () => {
        await forget();
        await rows(`INSERT INTO client_personas (persona_key, persona_name) VALUES ('a', 'Old'), ('old', 'Gone')`);
        const { id } = await platform.database.row(`SELECT id FROM client_personas WHERE persona_key = 'a'`);
        await source.order({ body: [{ id: 'x1', personaKey: 'a', personaName: 'New', personality: ' kind, , calm', typicalObjections: '["No","Later"]' },
            { id: 'x2', persona_key: 'b', persona_name: 'B', typicalObjections: 'just words' }] });
        const { results, complete } = await synced({ tables: ['client_personas'] });
        assert.equal(complete, true);
        assert.deepEqual(results.client_personas, { imported: 2, created: 1, updated: 1, skipped: 0, pruned: 1, errorCount: 0, errors: [], complete: true });
        const [a, b, ...others] = await rows('SELECT * FROM client_personas ORDER BY persona_key');
        assert.equal(others.length, 0);
        assert.deepEqual([a.id, a.persona_name, a.personality_traits, a.objection_patterns], [id, 'New', ['kind', 'calm'], ['No', 'Later']]);
        assert.deepEqual([b.objection_patterns, b.is_active], [['just words'], true]);
        assert.equal((await job()).status, 'ok');
    });

    it('3: a call of a user by e-mail address, whatever its case; own calls stay', options, async () => {
        await forget();
        const id = await platform.agent({ email: 'b@example.com' });
        await rows(`INSERT INTO call_logs (user_id, call_type) VALUES ($1, 'inbound')`, [id]);
        const page = { body: [{ id: 'c1', userEmail: 'B@example.com', duration: '95', transcript: '[{"a":1}]', analysis: 'plain', created_date: '2026-01-02T03:04:05Z', campaignName: 'Spring' }] };
        await source.order(page);
        const body = await synced({ tables: ['call_logs'] });
        assert.equal(body.systemUserId, 'system');
        const calls = await rows('SELECT * FROM call_logs WHERE user_id = $1 ORDER BY call_type DESC', [id]);
        assert.equal(calls.length, 2);
        assert.deepEqual([calls[0].duration_seconds, calls[0].status, calls[0].transcript, calls[0].analysis], [95, 'completed', [{ a: 1 }], 'plain']);
        assert.equal(calls[0].created_at.toISOString(), '2026-01-02T03:04:05.000Z');
        assert.deepEqual(calls[0].metadata, { campaignName: 'Spring', external_source: 'platform_sync', external_id: 'c1', sync_run_id: body.runId });
        await source.order({ body: [{ id: 'c2', userEmail: 'nobody@example.com', duration: -5 }] });
        const second = await synced({ tables: ['call_logs'] });
        assert.deepEqual([second.results.call_logs.created, second.results.call_logs.pruned], [1, 1]);
        const [other] = await rows(`SELECT * FROM call_logs WHERE metadata ->> 'external_id' = 'c2'`);
        assert.deepEqual([other.user_id, other.duration_seconds], ['system', 0]);
        assert.equal(await platform.database.count('call_logs'), 2, "the user's own is still there");
    });

    it('4: a template without a category is skipped, the others come in', options, async () => {
        await forget();
        const template = { title: 'T', actionType: 'a', triggerType: 'pulse_score_range' };
        await source.order({ body: [{ id: 't1', ...template }, { id: uuid(2), ...template, category: 'c', priority: 'high', triggerValue: '21-60' },
            { id: uuid(3), ...template, category: 'c', priority: 'low', triggerValue: 'any' }, { ...template, category: 'c' }] });
        const { results } = await synced({ tables: ['task_templates'] });
        assert.deepEqual([results.task_templates.skipped, results.task_templates.errors, results.task_templates.created],
            [2, ['row t1: category is required', 'row without id'], 2]);
        const [first, second] = await rows('SELECT * FROM task_templates ORDER BY id');
        assert.deepEqual([first.id, first.trigger_value, first.trigger_max, first.priority_weight, first.priority], [uuid(2), 21, 60, 5, 'high']);
        assert.deepEqual([second.trigger_value, second.trigger_max, second.priority_weight], [null, null, 1]);
    });
});

describe(`${NAME}: runs`, options, () => {
    it('all tables; again changes no counts of rows', options, async () => {
        await forget();
        const first = await synced({});
        assert.deepEqual(Object.keys(first.results).sort(), [...TABLES].sort());
        assert.equal(first.complete, true);
        for (const table of TABLES) assert.ok(first.results[table].created > 0 && first.results[table].errors.length === 0, JSON.stringify(first.results));
        const before = await Promise.all(TABLES.map((table) => platform.database.count(table)));
        const second = await synced({});
        assert.notEqual(second.runId, first.runId);
        for (const table of TABLES) assert.deepEqual([second.results[table].created, second.results[table].pruned], [0, 0], table);
        assert.deepEqual(await Promise.all(TABLES.map((table) => platform.database.count(table))), before);
    });

    it('pages of 500 by key; the whole counts', options, async () => {
        await forget();
        await source.order({ rows: 1203, times: 0 });
        const { results } = await synced({ tables: ['task_templates'] });
        assert.equal(results.task_templates.created, 1203);
        assert.equal((await source.requests()).length, 3);
        assert.equal((await synced({ tables: ['task_templates'], dryRun: true })).results.task_templates.count, 1203);
    });

    it('an empty source prunes nothing; prune: false neither', options, async () => {
        await forget();
        await rows(`INSERT INTO featured_content_packs (title, category) VALUES ('Kept', 'c')`);
        await source.order({ body: [] });
        const { results } = await synced({ tables: ['featured_content_packs'] });
        assert.deepEqual(results.featured_content_packs.errors, ['source table is empty; nothing pruned']);
        assert.equal(results.featured_content_packs.complete, true);
        assert.equal((await job()).status, 'ok');
        await source.order({ body: [{ id: 1, title: 'New', url: 'u', socialNetworks: '["x"]' }] });
        assert.equal((await synced({ tables: ['featured_content_packs'], prune: false })).results.featured_content_packs.pruned, 0);
        const packs = await rows('SELECT * FROM featured_content_packs ORDER BY title');
        assert.equal(packs.length, 2);
        assert.deepEqual(packs[1].content_items, [{ type: 'link', url: 'u', thumbnail: null, socialNetworks: ['x'], isPremium: false }]);
    });

    it('a failing table does not stop the others, and is gone on with', options, async () => {
        await forget();
        await source.order({ rows: 700 }, { status: 500, body: {}, times: 3 });
        const first = await synced({ tables: ['task_templates'] });
        const table = first.results.task_templates;
        assert.deepEqual([table.imported, table.complete, table.errors, table.errorCount], [500, false, ['task_templates: the source answered HTTP 500'], 1]);
        assert.equal((await job()).status, 'error');
        await source.order({ rows: 700, times: 0 });
        const second = await synced({ tables: ['task_templates'] });
        assert.equal(second.runId, first.runId, 'the same run');
        assert.equal(second.complete, true);
        assert.equal(await platform.database.count('task_templates'), 700);
        assert.equal((await source.requests()).length, 1 + 3 + 1);
        assert.notEqual((await synced({ tables: ['task_templates'], resume: false })).runId, first.runId);
    });

    it('everything failed: 502 with the same results', options, async () => {
        for (const order of [{ status: 500, body: {} }, { status: 401, body: {} }, { status: 200, body: { no: 'list' } }, { drop: true }]) {
            await forget();
            await source.order({ ...order, times: 12 });
            const answer = await call({ tables: ['client_personas'] });
            assertRefused(answer, 502, 'provider_error');
            assert.deepEqual([answer.body.success, answer.body.results.client_personas.errorCount], [false, 1]);
            await source.reset();
        }
    });

    it('one run at a time, until its lease has run out', options, async () => {
        await forget();
        await source.order({ delayMs: 500 });
        const first = call({ tables: ['client_personas'] });
        await new Promise((resolve) => setTimeout(resolve, 200));
        assertRefused(await call({ tables: ['client_personas'] }), 409, 'sync_in_progress');
        assert.equal((await first).status, 200);
        await rows(`UPDATE integration_status SET status = 'running', metadata = metadata || jsonb_build_object('lease_expires_at', now() - interval '1 second')`);
        assert.equal((await call({ tables: ['client_personas'] })).status, 200);
    });

    it('a stream tells of each page', options, async () => {
        await forget();
        await source.order({ rows: 600, times: 0 });
        const answer = await fetch(`${platform.host.url}/functions/v1/${NAME}`, {
            method: 'POST', headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${await mint(await platform.admin())}` },
            body: JSON.stringify({ tables: ['task_templates'] }),
        });
        const events = [...(await answer.text()).matchAll(/^event: ?(.*)\ndata: ?(.*)$/gm)].map(([, event, data]) => [event, JSON.parse(data)]);
        assert.deepEqual(events.map(([event]) => event), ['start', 'progress', 'progress', 'done']);
        assert.deepEqual(events[2][1], { table: 'task_templates', fetched: 600, imported: 600, errorCount: 0 });
        assert.equal(events[3][1].complete, true);
    });

    it('without the source: 503', options, () =>
        withHost({ functions: [NAME], database: platform.database.url, env: { ...env, EXTERNAL_BACKEND_BASE_URL: null } }, async (host) => {
            assertRefused(await call({}, { host }), 503, 'not_configured');
        }));
});
