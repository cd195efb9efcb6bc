/*
 * importPlatformData (spec data.md): its examples, the seed files, identities, replacing, and forms of the request.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';

import { postLines } from '../../support/files.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const DATASETS = ['task_templates', 'client_personas', 'agent_voices', 'call_logs', 'featured_content_packs'];
const SEEDED = { task_templates: 160, client_personas: 13, agent_voices: 5, call_logs: 30, featured_content_packs: 3 };

const empty = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-seed-'));
after(() => fs.rmSync(empty, { recursive: true, force: true }));

const platform = suite({ functions: ['importPlatformData'], server: { max_body: '1GiB' } });
let administrator;
const admin = async () => (administrator ??= await platform.admin());
const call = async (body) => platform.call('importPlatformData', await admin(), body);
async function ok(body) {
    const answer = await call(body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
}
const counts = ({ success, imported, updated, skipped, errorCount }) => [success, imported, updated, skipped, errorCount];
const all = (results) => Object.fromEntries(Object.entries(results).map(([name, result]) => [name, counts(result)]));
const total = () => Promise.all(DATASETS.map((table) => platform.database.count(table)));

refusals(platform, 'importPlatformData', {
    mode: 'admin',
    body: { files: { client_personas: 'personaKey,personaName\nk,n\n' }, dryRun: true },
    wrong: {
        datasets: NOT.array,
        files: NOT.object,
        'files.users': [{ users: 'x' }],
        'files.call_logs': [{ call_logs: 7 }],
        mode: [...NOT.text, 'append'],
        dryRun: NOT.boolean,
    },
    caller: admin,
    untouched: DATASETS,
    hostOptions: { server: { max_body: '1GiB' } },
});

describe('importPlatformData', options, () => {
    it('example: an identity is a UUID of the row\'s id', options, async () => {
        const csv = 'id,title,category,actionType,triggerType\n68b084dc9e0eaf702538dae8,A,c,n,initiative\n';
        await ok({ files: { task_templates: csv } });
        assert.equal(await platform.database.count('task_templates', `id = '60d68c8e-a585-5f54-b76b-3f9c74ac6d85'`), 1);
    });

    it('example: a range, a weight, and the same again', options, async () => {
        const files = { task_templates: 'id,title,category,actionType,priority,triggerType,triggerValue\nt1,Plan week,goals_planning,networking,high,pulse_score_range,21-60\n' };
        const first = await ok({ files });
        assert.deepEqual(all(first.results), { task_templates: [true, 1, 0, 0, 0] });
        const row = await platform.database.row(`SELECT * FROM task_templates WHERE title = 'Plan week'`);
        assert.deepEqual([row.priority_weight, row.trigger_value, row.trigger_max, row.is_active], [5, 21, 60, true]);
        const second = await ok({ files });
        assert.deepEqual([all(second.results), second.totalImported, second.message], [{ task_templates: [true, 0, 1, 0, 0] }, 1, 'Successfully imported 1 records']);
        assert.deepEqual(await platform.database.row('SELECT * FROM task_templates WHERE id = $1', [row.id]), { ...row, updated_at: (await platform.database.row('SELECT updated_at FROM task_templates WHERE id = $1', [row.id])).updated_at });
    });

    it('the seed files: a dry run, then all of it, then nothing new', options, async () => {
        await platform.database.person('user_demo', {});
        const before = await total();
        const dry = await ok({ dryRun: true });
        assert.deepEqual(all(dry.results), Object.fromEntries(DATASETS.map((name) => [name, [true, SEEDED[name], 0, 0, 0]])), JSON.stringify(dry.results));
        assert.deepEqual(await total(), before);
        assert.equal(await platform.database.count('profiles', `email = 'system@pulse.ai'`), 0, 'not even its owner');

        const first = await ok({});
        assert.deepEqual([first.totalImported, first.totalErrors, first.success], [211, 0, true]);
        const second = await ok({});
        assert.deepEqual(all(second.results), Object.fromEntries(DATASETS.map((name) => [name, [true, 0, SEEDED[name], 0, 0]])));
        assert.deepEqual(await total(), before.map((count, i) => count + SEEDED[DATASETS[i]]));

        const voice = await platform.database.row(`SELECT * FROM agent_voices WHERE voice_id = 'voice_elin_01'`);
        assert.deepEqual([voice.user_id, voice.agent_type, voice.is_default, voice.voice_settings], ['system', 'executive_assistant', false, { previewAudioUrl: 'https://files.example.com/voices/voice_elin_01.mp3', isActive: false }]);
        const calls = await platform.database.rows(`SELECT * FROM call_logs ORDER BY conversation_id LIMIT 2`);
        assert.deepEqual(calls.map((row) => [row.user_id, row.call_type, row.phone_number]), [['user_demo', 'outbound', '+12025550110'], ['system', 'outbound', '+12025550111']]);
        assert.deepEqual(calls[0].metadata, { source: 'seed', prospectFirstName: 'Avery', prospectLastName: 'Northwood', campaignName: 'Spring check-in' });
        assert.ok(Array.isArray(calls[0].transcript) && calls[0].ended_at instanceof Date);
        const pack = await platform.database.row('SELECT * FROM featured_content_packs WHERE sort_order = 2');
        assert.deepEqual([pack.category, pack.icon, pack.content_items], ['marketing', 'https://content.example.com/packs/first-home.jpg', [{
            type: 'link', url: 'https://content.example.com/packs/first-home', thumbnail: 'https://content.example.com/packs/first-home.jpg', socialNetworks: ['instagram', 'linkedin'], isPremium: false,
        }]]);
        const persona = await platform.database.row(`SELECT * FROM client_personas WHERE persona_key = 'investor'`);
        assert.deepEqual([persona.personality_traits, persona.objection_patterns.length, persona.communication_style], [['direct', 'numerate', 'impatient'], 2, 'Short sentences, numbers first']);
        const templates = await platform.database.rows(`SELECT priority, priority_weight, count(*)::int AS n FROM task_templates WHERE title <> 'A' AND title <> 'Plan week' GROUP BY 1, 2 ORDER BY 2`);
        assert.deepEqual(templates.map((row) => [row.priority, row.priority_weight]), [['low', 1], ['medium', 3], ['high', 5]]);
    });

    it("replace deletes what is the platform's, and nobody's own", options, async () => {
        const id = await platform.agent();
        await platform.database.rows(`INSERT INTO call_logs (user_id, call_type) VALUES ($1, 'outbound')`, [id]);
        await platform.database.rows(`INSERT INTO agent_voices (user_id, agent_type, voice_id) VALUES ($1, 'x', 'own')`, [id]);
        await platform.database.rows(`INSERT INTO client_personas (persona_key, persona_name) VALUES ('old', 'Old')`);
        const files = {
            client_personas: 'personaKey,personaName\nnew,New\n',
            agent_voices: 'name,voice_id\nNew,v9\n',
            call_logs: 'conversationId,contactPhone\nc9,+1\n',
        };
        const dry = await ok({ files, mode: 'replace', dryRun: true });
        assert.equal(await platform.database.count('client_personas', `persona_key = 'old'`), 1);
        const body = await ok({ files, mode: 'replace' });
        assert.deepEqual(all(body.results), all(dry.results));
        assert.deepEqual(Object.keys(body.results), ['client_personas', 'agent_voices', 'call_logs'], 'in the order of data sets');
        assert.deepEqual((await platform.database.rows('SELECT persona_key FROM client_personas')).map((row) => row.persona_key), ['new']);
        assert.deepEqual((await platform.database.rows('SELECT voice_id FROM agent_voices ORDER BY 1')).map((row) => row.voice_id), ['own', 'v9']);
        assert.equal(await platform.database.count('call_logs', 'user_id = $1', [id]), 1);
        assert.equal(await platform.database.count('call_logs', `user_id = 'system'`), 1);
        assert.ok((await platform.database.count('task_templates')) > 160, 'not asked for');
    });

    it('row errors skip the row, a bad file its data set only', options, async () => {
        const body = await ok({
            files: {
                client_personas: 'personaKey,personaName,typicalObjections\na,A,"[""x""]"\na,B,\nb,,\nc,C,[1]\n',
                agent_voices: 'name\nx\n',
                featured_content_packs: 'title,socialNetworks,isPremium\nA,{},\nB,[],maybe\nC,,yes\n',
            },
        });
        assert.deepEqual(all(body.results), {
            client_personas: [true, 1, 0, 1, 2],
            agent_voices: [false, 0, 0, 0, 1],
            featured_content_packs: [true, 1, 0, 0, 2],
        });
        assert.match(body.results.client_personas.errors[0], /^line 4: /);
        assert.equal((await platform.database.row(`SELECT persona_name FROM client_personas WHERE persona_key = 'a'`)).persona_name, 'B');
        assert.deepEqual([body.success, body.totalImported, body.totalErrors], [true, 2, 5]);
        const many = await ok({ files: { client_personas: 'personaKey,personaName\n' + 'x\n'.repeat(150) } });
        assert.deepEqual([many.results.client_personas.errorCount, many.results.client_personas.errors.length], [150, 100]);
        const named = await ok({ datasets: ['agent_voices'], files: { client_personas: 'x' }, dryRun: true });
        for (const datasets of [['users'], [7]]) assertRefused(await call({ datasets, dryRun: true }), 400, 'invalid_input', 'datasets[0]');
        assert.deepEqual(Object.keys(named.results), ['agent_voices'], 'the seed file of what is named');
    });

    it('a form with files, and progress by data set', options, async () => {
        const form = new FormData();
        form.set('options', '{"dryRun": true}');
        form.set('client_personas', new Blob(['personaKey,personaName\nf,F\n']), 'personas.csv');
        const url = `${platform.host.url}/functions/v1/importPlatformData`;
        const authorization = `Bearer ${await mint(await admin())}`;
        const answer = await (await fetch(url, { method: 'POST', headers: { authorization }, body: form })).json();
        assert.deepEqual(all(answer.results), { client_personas: [true, 1, 0, 0, 0] });
        form.set('users', 'x');
        const refused = await fetch(url, { method: 'POST', headers: { authorization }, body: form });
        assertRefused({ status: refused.status, body: await refused.json() }, 400, 'invalid_input', 'files.users');

        const rows = Array.from({ length: 50000 }, (_, i) => `k${i},n`).join('\n');
        const { lines } = await postLines(
            url,
            { authorization, accept: 'application/x-ndjson', 'content-type': 'application/json' },
            [JSON.stringify({ dryRun: true, files: { client_personas: `personaKey,personaName\n${rows}\n` } })],
        );
        assert.ok(lines.some((line) => line.type === 'progress' && line.dataset === 'client_personas' && line.rows === 50000));
        assert.deepEqual([lines.at(-1).type, lines.at(-1).totalImported], ['result', 50000]);
    });

    it('a missing seed file', options, () =>
        withHost({ functions: ['importPlatformData'], server: { max_body: '1GiB' }, database: platform.database.url, env: { PLATFORM_SEED_DIR: empty } }, async (host) => {
            const { body } = await platform.call('importPlatformData', await admin(), { datasets: ['call_logs'] }, { host });
            assert.deepEqual(body.results, { call_logs: { success: false, imported: 0, updated: 0, skipped: 0, errorCount: 1, errors: ['seed file not found'] } });
            assert.deepEqual([body.success, body.totalErrors], [true, 1]);
        }));
});
