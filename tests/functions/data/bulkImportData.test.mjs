/*
 * bulkImportData (spec data.md): its examples, forms of the request, mapping, keys, and what a file may not be.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const imports = suite({ functions: ['bulkImportData'], server: { max_body: '1GiB' } });
const call = (id, entityType, csvData, more = {}, rest = {}) =>
    imports.call('bulkImportData', id, { entityType, csvData, ...more }, rest);
async function ok(...request) {
    const { status, body } = await call(...request);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.success, true);
    assert.equal(body.total, body.imported + body.updated + body.skipped + body.errorCount);
    return body;
}
const counts = ({ total, imported, updated, skipped, errorCount }) => [total, imported, updated, skipped, errorCount];
const errors = ({ errors }) => errors.map((error) => [error.line, error.column, error.code]);
const rows = (table, id, order = 'created_at, id') =>
    imports.database.rows(`SELECT * FROM ${table} WHERE user_id = $1 ORDER BY ${order}`, [id]);

const GOALS = 'Title,Goal Type,Target Value\r\n"Close, twelve",transactions,12\r\nBad,financial,abc\r\n';

refusals(imports, 'bulkImportData', {
    body: { entityType: 'goals', csvData: GOALS },
    required: ['entityType', 'csvData'],
    wrong: {
        entityType: NOT.text,
        csvData: NOT.text,
        columnMapping: NOT.object,
        dryRun: NOT.boolean,
        mode: [...NOT.text, 'merge'],
        onError: [...NOT.text, 'ignore'],
        delimiter: [...NOT.text, '', ':', ',;'],
        targetUserId: [...NOT.text, 'x'.repeat(256)],
    },
    untouched: ['goals'],
    hostOptions: { server: { max_body: '1GiB' } },
});

describe('bulkImportData: examples', options, () => {
    it('one good row, one bad, with its line and header', options, async () => {
        const id = await imports.agent();
        const body = await ok(id, 'goals', GOALS);
        assert.deepEqual(counts(body), [2, 1, 0, 0, 1]);
        const [error] = body.errors;
        assert.deepEqual(
            { line: error.line, row: error.row, column: error.column, code: error.code, rows: error.rows, batch: error.batch },
            { line: 3, row: 2, column: 'Target Value', code: 'invalid_number', rows: '3', batch: 1 },
        );
        assert.match(error.error, /"abc"/);
        assert.deepEqual([body.errorsTruncated, body.ignoredColumns, body.dryRun], [false, [], false]);
        const [goal] = await rows('goals', id);
        assert.deepEqual([goal.title, goal.goal_type, Number(goal.target_value), goal.status], ['Close, twelve', 'transactions', 12, 'active']);
    });

    it('a line break within quotes counts as a line', options, async () => {
        const body = await ok(await imports.agent(), 'goals', 'title,goal_type,target_value\n"two\nlines",x,1\nbad,x,y\n');
        assert.deepEqual(body.errors.map(({ line, row }) => [line, row]), [[4, 2]]);
    });

    it('catalogues are for administrators, and not everything can be imported', options, async () => {
        const id = await imports.agent();
        assertRefused(await call(id, 'task_templates', 'title\nx\n'), 403, 'admin_required');
        assertRefused(await call(id, 'goals', GOALS, { targetUserId: id }), 403, 'admin_required');
        for (const entity of ['user_roles', 'user_credits', 'referrals', 'edge.jobs', 'ai_actions_log'])
            assertRefused(await call(id, entity, GOALS), 403, 'entity_not_allowed');
    });
});

describe('bulkImportData: cells', options, () => {
    it('are read by the type of their column', options, async () => {
        const id = await imports.agent();
        await ok(id, 'daily_actions',
            'title,category,due_date,scheduled_time,duration_minutes,completed_at,priority,created_date\n' +
            ' Call ,x,3/9/2025,09:30,"1,234",2025-03-09T10:00:00-05:00,high,2024-01-01\n' +
            'B,x,2025-03-10T08:00:00Z, 23:59:59 ,12.0,2025-03-09 10:00,,\n');
        const [first, second] = await imports.database.rows(
            `SELECT title, due_date::text, scheduled_time::text, duration_minutes, completed_at, priority, created_at FROM daily_actions WHERE user_id = $1 ORDER BY due_date`, [id]);
        assert.deepEqual([first.title, first.due_date, first.scheduled_time, first.duration_minutes, first.completed_at.toISOString(), first.created_at.toISOString()],
            [' Call ', '2025-03-09', '09:30:00', 1234, '2025-03-09T15:00:00.000Z', '2024-01-01T00:00:00.000Z']);
        assert.deepEqual([second.due_date, second.scheduled_time, second.duration_minutes, second.completed_at.toISOString(), second.priority],
            ['2025-03-10', '23:59:59', 12, '2025-03-09T10:00:00.000Z', null]);
        assert.ok(Math.abs(second.created_at - Date.now()) < 60000);

        await ok(id, 'user_preferences', 'brand_primary_color,content_themes,auto_response_enabled\n1a2b3c, luxury | first time |, YES\n');
        const [preferences] = await rows('user_preferences', id);
        assert.deepEqual([preferences.brand_primary_color, preferences.content_themes, preferences.auto_response_enabled], ['#1A2B3C', ['luxury', 'first time'], true]);
        await ok(id, 'agent_config', `agent_type,personality_traits\na,"warm, brief"\nb,"[""x,y"", ""q\\\\uote \\""""]"\n`);
        assert.deepEqual((await rows('agent_config', id, 'agent_type')).map((row) => row.personality_traits), [['warm', 'brief'], ['x,y', 'q\\uote "']]);
        await ok(id, 'business_plans', 'annual_gci_goal,lead_sources\n"$1,234,567.895","{""sphere"": [1.50]}"\n');
        const [plan] = await rows('business_plans', id);
        assert.deepEqual([plan.annual_gci_goal, plan.lead_sources], ['1234567.90', { sphere: [1.5] }]);
    });

    it('are reported with a code each, the first of a row', options, async () => {
        const id = await imports.agent();
        const action = async (column, ...cells) =>
            errors(await ok(id, 'daily_actions', `title,category,due_date,${column}\n` + cells.map((cell) => `t,c,2025-01-01,${cell}\n`).join(''))).map(([, , code]) => code);
        const all = (code, count) => Array(count).fill(code);
        assert.deepEqual(await action('duration_minutes', '1.5', 'x', '2147483648', '"1,23"', '"12,34"', '1e3', '0x10'), all('invalid_integer', 7));
        assert.deepEqual(await action('scheduled_time', '24:00', '9', '09:60'), all('invalid_time', 3));
        assert.deepEqual(await action('completed_at', 'yesterday', '2025-02-30', '2025-01-01T25:00Z'), all('invalid_timestamp', 3));
        assert.deepEqual(await action('priority', 'urgent', 'High'), all('invalid_value', 2));
        const goal = async (column, ...cells) =>
            errors(await ok(id, 'goals', `title,goal_type,${column}\n` + cells.map((cell) => `t,g,${cell}\n`).join(''))).map(([, , code]) => code);
        assert.deepEqual(await goal('deadline', '2025-02-30', '13/1/2025', '1/2/25', '2301-01-01'), all('invalid_date', 4));
        assert.deepEqual(await goal('is_active', 'maybe', '2'), all('invalid_boolean', 2));
        assert.deepEqual(await goal('target_value', '1.2.3', '$', '10000000000', '--1', 'NaN'), all('invalid_number', 5));
        assert.deepEqual(await goal('unit', 'x'.repeat(256)), ['too_long']);
        assert.deepEqual(await goal('progress_percentage', '101', '-1'), all('invalid_value', 2));
        const content = await ok(id, 'generated_content', 'content_type,content,metadata\nx,y,{bad\n,y,{}\nx,,\n');
        assert.deepEqual(errors(content), [[2, 'metadata', 'invalid_json'], [3, 'content_type', 'required'], [4, 'content', 'required']]);
        assert.deepEqual(errors(await ok(id, 'user_preferences', 'Time Zone,timezone\nx,Mars/Base\n')), [[2, 'timezone', 'invalid_value']]);
        const long = await ok(id, 'goals', `title,goal_type,target_value\nt,g,${'9'.repeat(300)}\n`);
        assert.ok(long.errors[0].error.length < 160, 'cells are cut');
    });

    it('malformed records are reported, and reading goes on', options, async () => {
        const id = await imports.agent();
        const raw = Buffer.concat([Buffer.from('\ufefftitle,goal_type\r'), Buffer.from('a,g\n\n"b"x,g\nc"c,g\nd\ne,g,h\n'), Buffer.from([0x66, 0xff, 0x2c, 0x67, 0x0a]), Buffer.from('last,g')]);
        const body = await send(id, raw, 'entityType=goals');
        assert.deepEqual(counts(body), [7, 2, 0, 0, 5]);
        assert.deepEqual(errors(body), [[4, null, 'malformed_csv'], [5, null, 'malformed_csv'], [6, null, 'field_count'], [7, null, 'field_count'], [8, null, 'invalid_utf8']]);
    });
});

async function send(id, body, query, headers = {}) {
    const answer = await fetch(`${imports.host.url}/functions/v1/bulkImportData?${query}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await mint(id)}`, ...(typeof body === 'string' || Buffer.isBuffer(body) ? { 'content-type': 'text/csv' } : {}), ...headers },
        body,
    });
    return answer.json();
}

describe('bulkImportData: files', options, () => {
    it('that are none', options, async () => {
        const id = await imports.agent();
        for (const [csv, status, code] of [
            ['', 400, 'empty_csv'], ['\n\n', 400, 'empty_csv'], [' , \n', 400, 'empty_csv'],
            ['title,goal_type\n"open,x\n', 400, 'malformed_csv'], ['title,goal_type,Title\nx,y,z\n', 400, 'duplicate_column'],
            ['unit\nx\n', 400, 'missing_columns'], ['title,goal_type\n' + 'x'.repeat(1024 * 1024 + 10) + ',y\n', 413, 'csv_too_large'],
            ['title,goal_type\n' + 'x,'.repeat(201) + '\n', 413, 'csv_too_large'],
        ]) {
            const answer = await call(id, 'goals', csv);
            assertRefused(answer, status, code);
            if (code === 'missing_columns') assert.deepEqual(answer.body.missing, ['title', 'goal_type']);
            if (code === 'malformed_csv') assert.equal(answer.body.line, 2);
        }
        const utf16 = await send(id, Buffer.from('\ufefftitle', 'utf16le'), 'entityType=goals');
        assert.equal(utf16.code, 'unsupported_encoding');
        assert.equal((await rows('goals', id)).length, 0);
    });

    it('come as text/csv and as a form, too', options, async () => {
        const id = await imports.agent();
        const text = await send(id, 'Name;goal_type\nA;x\n', `entityType=goals&delimiter=%3B&dryRun=false&columnMapping=${encodeURIComponent('{"Name":"title"}')}`);
        assert.equal(text.imported, 1, JSON.stringify(text));
        const form = new FormData();
        form.set('options', JSON.stringify({ entityType: 'goals', delimiter: '\t' }));
        form.set('file', new Blob(['title\tgoal_type\nB\tx\n'], { type: 'text/csv' }), 'goals.csv');
        assert.equal((await send(id, form, '')).imported, 1);
        assert.deepEqual((await rows('goals', id)).map((row) => row.title), ['A', 'B']);
        const empty = new FormData();
        empty.set('options', '{"entityType":"goals"}');
        assert.equal((await send(id, empty, '')).field, 'file');
        empty.set('options', '[1]');
        assert.equal((await send(id, empty, '')).code, 'invalid_json');
        assert.equal((await send(id, 'title\n', 'entityType=goals&mode=x')).field, 'mode');
    });

    it('headers: mapping, spellings, aliases, and what is ignored', options, async () => {
        const id = await imports.agent();
        const body = await ok(id, 'goals', 'What, goal-type ,TargetValue,id,user_id,is_sample,Nothing\nA,x,5,1,user_other,1,z\n', {
            columnMapping: { ' WHAT ': 'title', Nothing: 'user_id' },
        });
        assert.deepEqual(body.ignoredColumns, ['id', 'user_id', 'is_sample', 'Nothing']);
        const [goal] = await rows('goals', id);
        assert.deepEqual([goal.title, goal.goal_type, Number(goal.target_value), goal.user_id], ['A', 'x', 5, id]);
        assertRefused(await call(id, 'goals', GOALS, { columnMapping: { Title: 7 } }), 400, 'invalid_input', 'columnMapping.Title');
    });

    it('dry run, abort and insert', options, async () => {
        const id = await imports.agent();
        const dry = await ok(id, 'goals', GOALS, { dryRun: true });
        assert.deepEqual([dry.dryRun, counts(dry)], [true, [2, 1, 0, 0, 1]]);
        const aborted = await call(id, 'goals', GOALS, { onError: 'abort' });
        assertRefused(aborted, 422, 'import_aborted');
        assert.deepEqual([aborted.body.success, aborted.body.imported, aborted.body.total, aborted.body.errorCount, aborted.body.errors[0].line], [false, 0, 2, 1, 3]);
        assert.equal((await rows('goals', id)).length, 0);

        const scores = 'date,overall_score\n2025-01-01,50\n2025-01-02,60\n2025-01-01,70\n';
        assert.deepEqual(counts(await ok(id, 'pulse_scores', scores)), [3, 2, 0, 1, 0], 'the last of a key wins');
        assert.deepEqual(counts(await ok(id, 'pulse_scores', scores)), [3, 0, 2, 1, 0]);
        const insert = await ok(id, 'pulse_scores', scores + '2025-01-03,1\n', { mode: 'insert' });
        assert.deepEqual(counts(insert), [4, 1, 0, 1, 2]);
        assert.deepEqual(errors(insert), [[3, 'date', 'duplicate_key'], [4, 'date', 'duplicate_key']]);
        assert.deepEqual((await rows('pulse_scores', id, 'date')).map((row) => row.overall_score), [70, 60, 1]);
    });
});

describe('bulkImportData: entities', options, () => {
    it('an update touches the columns of the file only', options, async () => {
        const id = await imports.agent();
        await ok(id, 'market_config', 'market_name,city\nNorth,Boise\n');
        assert.deepEqual(counts(await ok(id, 'market_config', 'market_name,state\nSouth,\nWest,ID\n')), [2, 0, 1, 1, 0]);
        const [market] = await rows('market_config', id);
        assert.deepEqual([market.market_name, market.city, market.state], ['West', 'Boise', 'ID']);
    });

    it('connections are never connected by a file, and stay what they are', options, async () => {
        const id = await imports.agent();
        await ok(id, 'crm_connections', 'provider,sync_settings,connection_status\nlofty,"{""a"":1}",connected\n');
        await imports.database.rows(`UPDATE crm_connections SET connection_status = 'connected' WHERE user_id = $1`, [id]);
        await ok(id, 'crm_connections', 'provider,sync_settings\nlofty,"{""b"":2}"\n');
        const [connection] = await rows('crm_connections', id);
        assert.deepEqual([connection.connection_status, connection.sync_settings], ['connected', { a: 1, b: 2 }]);
        await ok(id, 'external_service_connections', 'service_name\nzoom\nzoom\n');
        assert.deepEqual((await rows('external_service_connections', id)).map((row) => [row.service_name, row.connection_status]), [['zoom', 'disconnected']]);
    });

    it('calls: their own columns, and metadata of several headers', options, async () => {
        const id = await imports.agent();
        const csv = 'conversationId,duration,contact_phone,campaignName,prospectFirstName,metadata,transcript\n' +
            'c1,61,+1,Spring,true,"{""k"": 1}","[{""a"":1}]"\n,5,+2,,,,\n,5,+2,,,,\n';
        assert.deepEqual(counts(await ok(id, 'call_logs', csv, { columnMapping: { conversationId: 'notes' } })), [3, 3, 0, 0, 0]);
        const [call_] = await imports.database.rows(`SELECT * FROM call_logs WHERE user_id = $1 AND conversation_id = 'c1'`, [id]);
        assert.deepEqual([call_.call_type, call_.duration_seconds, call_.phone_number, call_.metadata, call_.transcript],
            ['outbound', 61, '+1', { k: 1, campaignName: 'Spring', prospectFirstName: true }, [{ a: 1 }]]);
        assert.deepEqual(counts(await ok(id, 'call_logs', csv)), [3, 2, 1, 0, 0], 'only known conversations are the same');
    });

    it("somebody's rows, by an administrator", options, async () => {
        const id = await imports.agent(),
            admin = await imports.admin();
        assert.equal((await ok(admin, 'goals', GOALS, { targetUserId: id })).imported, 1);
        assert.equal((await rows('goals', id)).length, 1);
        assertRefused(await call(admin, 'goals', GOALS, { targetUserId: 'user_none' }), 404, 'user_not_found');
        assertRefused(await call('user_without_profile', 'goals', GOALS), 404, 'user_not_found');
    });

    it('profiles are found by e-mail, changed where something is given, and never made', options, async () => {
        const id = await imports.agent({ phone: '1', brokerage: 'Oak' }),
            admin = await imports.admin();
        const body = await ok(admin, 'profiles', `Email,full_name,phone\n${id}@EXAMPLE.com,New,\nnobody@example.com,X,\n${id}@example.com,Newer,\n`);
        assert.deepEqual(counts(body), [3, 0, 1, 1, 1]);
        assert.deepEqual(errors(body), [[3, 'Email', 'unknown_profile']]);
        const row = await imports.database.row('SELECT * FROM profiles WHERE id = $1', [id]);
        assert.deepEqual([row.full_name, row.phone, row.brokerage], ['Newer', '1', 'Oak']);
        assertRefused(await call(admin, 'profiles', 'full_name\nx\n'), 400, 'missing_columns');
    });

    it('task templates: triggers and weights', options, async () => {
        const admin = await imports.admin();
        const csv = 'title,category,type,priority,trigger,trigger_value,sub_category,pulse_impact\n' +
            `A${admin},c,n,high,pulse_score_range,21-60,weekly,3\nB${admin},c,n,medium,day_of_week,5,,\nC${admin},c,n,low,initiative,any,,\n` +
            `D${admin},c,n,,day_of_week,1-2,,\nE${admin},c,n,,pulse_score_range,60-21,,\nF${admin},c,n,,pulse_score_range,x,,\n`;
        const body = await ok(admin, 'TaskTemplate', csv);
        assert.deepEqual(counts(body), [6, 3, 0, 0, 3]);
        assert.deepEqual(errors(body), [5, 6, 7].map((line) => [line, 'trigger_value', 'invalid_integer']));
        const rows = await imports.database.rows(`SELECT * FROM task_templates WHERE title LIKE $1 ORDER BY title`, [`%${admin}`]);
        assert.deepEqual(rows.map((row) => [row.trigger_value, row.trigger_max, row.priority_weight, row.display_category, row.impact_area]),
            [[21, 60, 5, 'weekly', '3'], [5, null, 3, null, null], [null, null, 1, null, null]]);
    });

    it('catalogues by their keys, voices and palettes of the system', options, async () => {
        const admin = await imports.admin();
        await ok(admin, 'legal_documents', `document_type,title,content\nterms,${admin},C\n`);
        assert.equal(await imports.database.count('legal_documents', `document_key = 'terms' AND title = $1`, [admin]), 1);
        assert.deepEqual(counts(await ok(admin, 'legal_documents', `document_key,document_type,title,content\nterms,terms,T2,C\n`)), [1, 0, 1, 0, 0]);
        await ok(admin, 'agent_voices', `voice_id,voice_name,Preview,Active\nv1,Ada,https://x.example,true\n`, { columnMapping: { Preview: 'voice_settings', Active: 'voice_settings' } });
        const [voice] = await rows('agent_voices', 'system');
        assert.deepEqual([voice.voice_settings, voice.agent_type], [{ Preview: 'https://x.example', Active: true }, 'executive_assistant']);
        await ok(admin, 'brand_color_palettes', 'palette_id,palette_name,primary_color\np1,P,#ffffff\n,Q,000000\n');
        assert.equal((await rows('brand_color_palettes', 'system')).length, 2);
        const packs = await ok(admin, 'content_packs', 'pack_name,pack_key,category,topic_id\nN,k1,c,00000000-0000-4000-8000-000000000000\nN,k2,c,nothing\nN,k3,c,\n');
        assert.deepEqual(errors(packs), [[2, 'topic_id', 'invalid_reference'], [3, 'topic_id', 'invalid_uuid']]);
    });
});
