/*
 * Queries of the specification on large tables: no plan may read a large table from end to end.
 *
 * 1,000 users and 100,000 rows in every table that grows with use (catalogues 20,000), built once. The queries run as a
 * signed-in user with no WHERE user_id (row security supplies it) unless the specification names the service.
 */
import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import { admin, as, contract, database, hasColumn, service, user } from './support.mjs';

const rowsIn = (table) => (perUser(table) ? 1000 : contract[table].class === 'C' ? 20_000 : 100_000);
const large = 10_000;
let db;

const perUser = (table) =>
    contract[table].unique.includes('UNIQUE (user_id)') || ['profiles', 'user_roles'].includes(table);

/* Values that spread as real ones do; columns not named get something short for their type. */
const spread = {
    user_id: "'user_' || lpad((i % 1000)::text, 4, '0')",
    referrer_user_id: "'user_' || lpad((i % 1000)::text, 4, '0')",
    status: "(ARRAY['pending', 'success', 'failed'])[1 + i % 3]",
    connection_status: "(ARRAY['connected', 'error', 'disconnected', 'pending'])[1 + i % 4]",
    severity: "(ARRAY['critical', 'warning', 'info'])[1 + i % 3]",
    is_active: 'i % 10 <> 0',
    user_id_or_null: "CASE WHEN i % 2 = 0 THEN 'user_' || lpad((i % 1000)::text, 4, '0') END",
    created_at: "now() - i * interval '10 minutes'",
    updated_at: "now() - i * interval '10 minutes'",
    executed_at: "now() - i * interval '10 minutes'",
    computed_at: "now() - i * interval '10 minutes'",
    last_occurrence_at: "now() - i * interval '10 minutes'",
    due_date: 'current_date - (i / 1000) % 60',
    date: 'current_date - (i / 1000)::integer',
    expected_close_date: 'current_date + (i / 1000) % 90',
    recording_url: "'user_' || lpad((i % 1000)::text, 4, '0') || '/calls/' || i",
    conversation_id: "'conv_' || i",
    email: "'p' || i || '@example.com'",
    referred_email: "'r' || i || '@example.com'",
    referred_user_id: 'NULL',
    agent_type: "(ARRAY['copilot', 'executive_assistant', 'content_agent', 'sales_agent'])[1 + (i / 1000) % 4]",
};
const spreadIn = {
    daily_actions: { status: "CASE WHEN i % 3 = 0 THEN 'completed' ELSE 'pending' END", completed_at: "now() - i * interval '10 minutes'" },
    goals: { status: "CASE WHEN i % 3 = 0 THEN 'completed' ELSE 'active' END" },
    transactions: { status: "(ARRAY['pending', 'active', 'under_contract', 'closed', 'cancelled'])[1 + i % 5]", metadata: "jsonb_build_object('lofty_id', i, 'idempotency_key', 'k' || i)" },
    credit_transactions: { metadata: "jsonb_build_object('idempotency_key', 'k' || i, 'feature', 'Role-Play')" },
    ai_actions_log: { action_type: "'act_' || i % 7", action_data: "jsonb_build_object('idempotency_key', 'k' || i)" },
    user_agent_subscriptions: { agent_type: "'agent_' || i / 1000" },
    agent_config: { agent_type: "'agent_' || i / 1000" },
    external_service_connections: { service_name: "'service_' || i / 1000" },
    crm_connections: { provider: "'provider_' || i / 1000" },
    market_data: { geography_id: "'geo_' || i / 1000" },
    role_play_session_logs: { scenario_id: 'NULL', metadata: "jsonb_build_object('prepaid_transaction_id', i)" },
    call_logs: { metadata: "jsonb_build_object('external_source', 'other')" },
    content_topics: { user_id: 'NULL' },
    email_delivery_logs: { sent_at: "now() - i * interval '10 minutes'", email_type: "(ARRAY['daily', 'weekly', 'support'])[1 + i % 3]" },
};
const filler = {
    text: (name) => `'${name} ' || i`,
    uuid: () => 'gen_random_uuid()',
    jsonb: () => "'{}'",
    boolean: () => 'true',
    date: () => 'current_date',
    'text[]': () => "'{}'",
    'timestamp with time zone': () => 'now()',
    'time without time zone': () => "'09:00'",
};

function fillStatement(table) {
    const values = {};
    for (const { name, type, not_null: required, default: preset } of contract[table].columns) {
        const special = spreadIn[table]?.[name] ?? spread[name];
        if (special && !(table === 'agent_config' && preset?.includes('settings'))) values[name] = special;
        else if (required && preset === null) values[name] = (filler[type] ?? (() => '1'))(name);
    }
    if (table === 'profiles') values.id = spread.user_id;
    const names = Object.keys(values);
    return `INSERT INTO public.${table} (${names.join(', ')})
        SELECT ${names.map((name) => values[name]).join(', ')}
        FROM generate_series(0, ${rowsIn(table) - 1}) AS i
        ON CONFLICT DO NOTHING`;
}

/*
 * Fills a table without its indexes and builds them afterwards, which takes about half the time. Triggers and foreign
 * keys are off: they work row by row and are not under test here.
 */
async function fill(client, table) {
    const { rows: indexes } = await client.query(
        `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
         FROM pg_index
         WHERE indrelid = $1::regclass
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)`,
        [`public.${table}`],
    );
    for (const { name } of indexes) await client.query(`DROP INDEX public.${name}`);
    await client.query(fillStatement(table));
    for (const { definition } of indexes) await client.query(definition);
}

before(async () => {
    db = await database();
    const tables = Object.keys(contract);
    await Promise.all(
        [db.owner, await db.connect()].map(async (client) => {
            await client.query("SET session_replication_role = 'replica'");
            await client.query("SET synchronous_commit = 'off'");
            await client.query("SET maintenance_work_mem = '128MB'");
            for (let table = tables.pop(); table; table = tables.pop()) await fill(client, table);
        }),
    );
    await db.owner.query("INSERT INTO edge.jobs (function, run_at, finished_at) SELECT 'f', now() - i * interval '1 minute', CASE WHEN i > 50 THEN now() - i * interval '1 minute' END FROM generate_series(1, 100000) AS i");
    await db.owner.query("INSERT INTO edge.webhook_events (provider, event_id, received_at) SELECT 'clerk', i::text, now() - i * interval '1 minute' FROM generate_series(1, 100000) AS i");
    await db.owner.query("INSERT INTO edge.idempotency_keys (scope, user_id, key, request_hash, expires_at) SELECT 's', 'user_0001', i::text, '', now() + i * interval '1 minute' FROM generate_series(1, 100000) AS i");
    await db.owner.query("INSERT INTO edge.oauth_states (state, user_id, service_name, expires_at) SELECT i::text, 'user_' || lpad((i % 1000)::text, 4, '0'), 'zoom', now() + i * interval '1 minute' FROM generate_series(1, 100000) AS i");
    await db.owner.query("SET session_replication_role = 'origin'");
    await db.owner.query('VACUUM ANALYZE');
});
after(() => db.drop());

const sizes = new Map();
async function isLarge(query, schema, table) {
    const name = `${schema}.${table}`;
    if (!sizes.has(name))
        sizes.set(name, (await query('SELECT reltuples FROM pg_class WHERE oid = $1::regclass', [name])).rows[0].reltuples);
    return sizes.get(name) > large;
}

/* The nodes of a plan, from the top. */
async function plan(query, text) {
    const { rows } = await query(`EXPLAIN (FORMAT JSON, VERBOSE) ${text}`);
    const under = (node) => [node, ...(node.Plans ?? []).flatMap(under)];
    return under(rows[0]['QUERY PLAN'][0].Plan);
}

async function scans(query, text) {
    const found = [];
    for (const node of await plan(query, text))
        if (node['Node Type'] === 'Seq Scan' && (await isLarge(query, node.Schema, node['Relation Name'])))
            found.push(node['Relation Name']);
    return found;
}

const check = (who, queries) => {
    for (const [name, text] of Object.entries(queries))
        test(name, () => as(db.owner, who, async (query) => assert.deepEqual(await scans(query, text), [], text)));
};

test('the tables are as large as they are meant to be, and a read from end to end is noticed', async () => {
    for (const table of Object.keys(contract)) {
        const { rows: [{ n }] } = await db.owner.query(`SELECT count(*)::integer AS n FROM public.${table}`);
        assert.equal(n, rowsIn(table), table);
    }
    await as(db.owner, service, async (query) =>
        assert.deepEqual(await scans(query, "SELECT id FROM goals WHERE title = 'x'"), ['goals']));
});

const U = user('user_0007');
const uuid = "'00000000-0000-4000-8000-000000000001'";

describe('as the signed-in user, without WHERE user_id', () =>
    check(U, {
        'getUserContext: daily actions': 'SELECT * FROM daily_actions ORDER BY due_date DESC, created_at DESC, id DESC LIMIT 50',
        'getUserContext: agents': 'SELECT * FROM agent_config ORDER BY enabled DESC NULLS LAST, updated_at DESC, id',
        'getUserContext: subscriptions': "SELECT * FROM user_agent_subscriptions ORDER BY is_active DESC NULLS LAST, (status = 'active') DESC NULLS LAST, updated_at DESC, id",
        'getUserContext: goals': 'SELECT * FROM goals ORDER BY created_at, id',
        'getUserContext: pulse scores': 'SELECT * FROM pulse_scores ORDER BY date DESC LIMIT 30',
        'computePulse: actions': "SELECT count(*), count(*) FILTER (WHERE status = 'completed') FROM daily_actions WHERE created_at >= now() - interval '30 days'",
        'computePulse: active goals': "SELECT count(*) FROM goals WHERE status = 'active'",
        'computeGane: guidelines': 'SELECT count(*) FROM user_guidelines',
        'computeGane: agents': 'SELECT count(*), count(*) FILTER (WHERE enabled) FROM agent_config',
        'computeGane: snapshots': 'SELECT score FROM pulse_engine_snapshots ORDER BY computed_at DESC, created_at DESC, id DESC LIMIT 30',
        'buildGraphContext: latest GANE': 'SELECT * FROM gane_engine_snapshots ORDER BY computed_at DESC, created_at DESC, id DESC LIMIT 1',
        'buildGraphContext: latest MORO': 'SELECT * FROM moro_engine_snapshots ORDER BY computed_at DESC, created_at DESC, id DESC LIMIT 1',
        'getIntegrationContext: services': 'SELECT id, service_name, connection_status FROM external_service_connections ORDER BY created_at, id',
        'getIntegrationContext: CRM': "SELECT id, provider FROM crm_connections WHERE connection_status = 'connected' ORDER BY updated_at DESC, id",
        'generateTodoAnalytics: window': 'SELECT status, priority, category FROM daily_actions WHERE due_date BETWEEN current_date - 29 AND current_date',
        'getUserAutopilotActivity: actions': "SELECT * FROM ai_actions_log WHERE executed_at >= now() - interval '7 days' ORDER BY executed_at DESC, id DESC LIMIT 100",
        'getUserAutopilotActivity: actions by type': "SELECT action_type, count(*) FROM ai_actions_log WHERE executed_at >= now() - interval '7 days' GROUP BY action_type",
        'getUserAutopilotActivity: conversations': "SELECT id FROM ai_agent_conversations WHERE created_at >= now() - interval '7 days' ORDER BY created_at DESC, id DESC LIMIT 50",
        'getUserAutopilotActivity: calls': "SELECT * FROM call_logs WHERE created_at >= now() - interval '7 days' ORDER BY created_at DESC, id DESC LIMIT 50",
        'syncGoalProgressFromCrm: deals': 'SELECT transaction_type, status, commission_amount, metadata FROM transactions ORDER BY created_at, id',
        'activateProductionPlan: annual goals': "SELECT id, title, current_value FROM goals WHERE goal_type = 'annual' ORDER BY created_at, id",
        'getTransactionsTool: page': "SELECT * FROM transactions WHERE status = 'pending' ORDER BY created_at DESC, id DESC LIMIT 21",
        'getTransactionsTool: next page': `SELECT * FROM transactions WHERE (created_at, id) < (now() - interval '100 days', ${uuid}::uuid) ORDER BY created_at DESC, id DESC LIMIT 21`,
        'getTransactionsTool: total': "SELECT count(*) FROM transactions WHERE status = 'pending'",
        'createTransactionTool: duplicate': "SELECT id FROM transactions WHERE lower(trim(property_address)) = '9 elm st' AND status NOT IN ('closed', 'cancelled') ORDER BY created_at DESC LIMIT 1",
        'createTransactionTool: key': "SELECT id FROM transactions WHERE metadata ->> 'idempotency_key' = 'k7'",
        'loftySync: deal': "SELECT id FROM transactions WHERE metadata ->> 'lofty_id' = '10001'",
        'loftySync: contact': "SELECT id FROM contacts WHERE source = 'lofty' AND external_id = '1'",
        'chat: conversation': `SELECT messages FROM ai_agent_conversations WHERE id = ${uuid}`,
        'chat: guidelines': "SELECT guideline_text FROM user_guidelines WHERE agent_type = 'copilot' ORDER BY created_at LIMIT 50",
        'chat: knowledge': "SELECT title FROM user_knowledge WHERE agent_type = 'copilot' ORDER BY updated_at DESC LIMIT 20",
        'chat: open deals': "SELECT id FROM transactions WHERE status NOT IN ('closed', 'cancelled') ORDER BY expected_close_date NULLS LAST LIMIT 10",
        'chat: permissions': 'SELECT permission, allowed FROM autopilot_permissions',
        'manageCredits: ledger': 'SELECT * FROM credit_transactions ORDER BY created_at DESC LIMIT 20',
        'getSignedAudioUrl: call': "SELECT FROM call_logs WHERE recording_url IN ('p', 'audio-recordings/p')",
        'getSignedAudioUrl: session': "SELECT FROM role_play_session_logs WHERE recording_url IN ('p', 'audio-recordings/p')",
        'analyzeRolePlaySession: session': `SELECT * FROM role_play_session_logs WHERE id = ${uuid}`,
        'sendContactsToElevenLabs: voice': 'SELECT settings, eleven_labs_agent_id FROM agent_config ORDER BY updated_at DESC',
        'updateTaskStatus': `UPDATE daily_actions SET status = 'completed' WHERE id = ${uuid}`,
        'manageGoal: delete': `DELETE FROM goals WHERE id = ${uuid}`,
        'referrals, as referrer and as referred': 'SELECT * FROM referrals ORDER BY created_at DESC LIMIT 20',
        'palettes, own and shared': 'SELECT * FROM brand_color_palettes ORDER BY created_at DESC LIMIT 100',
    }));

/* entityOperations adds the owner to the condition, so both forms of every list have to be good. */
const ownTables = Object.keys(contract).filter((table) => ['U', 'R'].includes(contract[table].class) && !perUser(table) && hasColumn(table, 'created_at'));
describe('entityOperations: lists of own rows, newest first', () =>
    check(U, Object.fromEntries(ownTables.flatMap((table) => [
        [`${table}, with the owner`, `SELECT id FROM ${table} WHERE user_id = 'user_0007' ORDER BY created_at DESC, id DESC LIMIT 101`],
        [`${table}, by row security alone`, `SELECT id FROM ${table} ORDER BY created_at DESC, id DESC LIMIT 101`],
        [`${table}, count`, `SELECT count(*) FROM ${table}`],
    ]))));

/* An index hands a user's rows out in order only while nothing but "own rows" stands in the policies. */
describe('the newest few of many are read in order, not sorted', () => {
    const byComputation = ['gane_engine_snapshots', 'moro_engine_snapshots', 'pulse_engine_snapshots'];
    /* Of the first four a user has few, the palettes of others are seen, too, and contacts are looked up by their source. */
    const sorted = [
        'agent_config', 'crm_connections', 'external_service_connections', 'user_agent_subscriptions', 'brand_color_palettes', 'contacts',
    ];
    const order = (table) => (byComputation.includes(table) ? 'computed_at DESC, created_at DESC, id DESC' : 'created_at DESC, id DESC');
    const newest = ownTables
        .filter((table) => !sorted.includes(table))
        .map((table) => [table, `SELECT id FROM ${table} ORDER BY ${order(table)} LIMIT 10`]);
    for (const [name, text] of newest)
        test(name, () =>
            as(db.owner, U, async (query) => {
                const nodes = await plan(query, text);
                assert.deepEqual(nodes.map((node) => node['Node Type']).filter((type) => type === 'Sort'), []);
                const read = nodes.find((node) => node['Relation Name']);
                assert.match(read['Index Cond'] ?? '', /user_id = /, 'somebody else\'s rows are walked through');
            }));
});

describe('as a raised administrator, who looks at one user', () =>
    check(admin('user_0007'), Object.fromEntries(ownTables.map((table) => [table, `SELECT id FROM ${table} WHERE user_id = 'user_0001' ORDER BY created_at DESC, id DESC LIMIT 101`]))));

const catalogue = Object.keys(contract).filter((table) => contract[table].class === 'C');
describe('entityOperations: lists of the catalogue, newest first', () =>
    check(U, Object.fromEntries(catalogue.map((table) => [table, `SELECT id FROM ${table} ORDER BY created_at DESC, id DESC LIMIT 101`]))));

describe('as the service', () =>
    check(service, {
        'credits: key': "SELECT * FROM credit_transactions WHERE user_id = 'user_0007' AND metadata ? 'idempotency_key' AND metadata ->> 'idempotency_key' = 'k7'",
        'credits: newest': "SELECT max(created_at) FROM credit_transactions WHERE user_id = 'user_0007'",
        'tools: key': "SELECT * FROM ai_actions_log WHERE user_id = 'user_0007' AND action_type = 'act_1' AND action_data ->> 'idempotency_key' = 'k7' AND executed_at > now() - interval '1 day' ORDER BY executed_at DESC LIMIT 1",
        'numbers held': "SELECT count(*) FROM ai_actions_log WHERE user_id = 'user_0007' AND action_type = 'purchase_phone_number' AND status = 'success'",
        'CRM connection': "SELECT id, credentials FROM crm_connections WHERE user_id = 'user_0007' AND provider = ANY (ARRAY['lofty']) ORDER BY (connection_status = 'connected') DESC, updated_at DESC LIMIT 1",
        'TOKEN': "SELECT id, credentials FROM external_service_connections WHERE user_id = 'user_0007' AND service_name = 'zoom'",
        'webhooks: profile by address': "SELECT id FROM profiles WHERE lower(email) = 'p7@example.com' ORDER BY created_at LIMIT 1",
        'elevenLabsWebhook: call': "SELECT id FROM call_logs WHERE conversation_id = 'conv_7'",
        'elevenLabsRolePlayWebhook: session': "SELECT id FROM role_play_session_logs WHERE conversation_id = 'conv_7'",
        'role play: session in progress': "SELECT id FROM role_play_session_logs WHERE user_id = 'user_0007' AND status IN ('pending_initiation', 'initiated') AND created_at > now() - interval '10 minutes'",
        'role play: prepayment': `SELECT t.id FROM credit_transactions AS t WHERE t.user_id = 'user_0007' AND t.metadata ->> 'feature' = 'Role-Play' AND t.amount = -10 AND t.created_at > now() - interval '10 minutes'
            AND NOT EXISTS (SELECT FROM role_play_session_logs AS s WHERE s.user_id = t.user_id AND s.metadata ? 'prepaid_transaction_id' AND s.metadata ->> 'prepaid_transaction_id' = t.id::text) ORDER BY t.created_at DESC LIMIT 1`,
        'mail run: page': "SELECT p.user_id FROM user_preferences AS p JOIN profiles AS u ON u.id = p.user_id WHERE p.user_id > 'user_0100' AND p.email_notifications AND p.daily_reminders ORDER BY p.user_id LIMIT 200",
        'daily mail: actions of a page': "SELECT user_id, title FROM daily_actions WHERE user_id = ANY (ARRAY(SELECT 'user_' || lpad(i::text, 4, '0') FROM generate_series(0, 20) AS i)) AND due_date = current_date",
        'weekly mail: completed': "SELECT user_id, count(*) FROM daily_actions WHERE user_id IN ('user_0001', 'user_0002', 'user_0003') AND status = 'completed' AND completed_at BETWEEN now() - interval '7 days' AND now() GROUP BY user_id",
        'sendEmail: hourly limit': "SELECT count(*) FROM email_delivery_logs WHERE user_id = 'user_0007' AND email_type = 'support' AND sent_at > now() - interval '1 hour'",
        'checkIntegrationStatus: connections': "SELECT service_name, connection_status, count(*) FROM external_service_connections WHERE service_name IN ('google_workspace', 'microsoft_365', 'facebook', 'instagram') AND connection_status IN ('connected', 'error') GROUP BY 1, 2",
        'checkIntegrationStatus: newest figures': 'SELECT max(data_date) FROM market_data',
        'getSystemErrors: list': 'SELECT * FROM system_errors ORDER BY last_occurrence_at DESC, id DESC LIMIT 200',
        'reportSystemError: fold': "SELECT id FROM system_errors WHERE function_name = 'function_name 7' AND severity = 'info' AND message = 'slow' AND resolved IS NOT TRUE ORDER BY last_occurrence_at DESC LIMIT 1",
        'adminOperations: subscriptions': 'SELECT * FROM user_agent_subscriptions ORDER BY created_at DESC, id DESC LIMIT 100',
        'getAdminUsers: newest subscription of each': "SELECT p.id, s.id FROM profiles AS p LEFT JOIN LATERAL (SELECT id FROM user_agent_subscriptions AS s WHERE s.user_id = p.id ORDER BY created_at DESC LIMIT 1) AS s ON true ORDER BY p.created_at DESC, p.id DESC LIMIT 50",
        'getPlatformMetrics: conversations of a day': "SELECT count(*) FROM ai_agent_conversations WHERE created_at >= now() - interval '24 hours'",
        'getPlatformMetrics: content of a day': "SELECT count(*) FROM generated_content WHERE created_at >= now() - interval '24 hours'",
        'getPlatformMetrics: role play of a day': "SELECT count(*) FROM role_play_session_logs WHERE created_at >= now() - interval '24 hours'",
        'getPlatformMetrics: goals of a day': "SELECT count(*) FROM goals WHERE created_at >= now() - interval '24 hours'",
        'getPlatformMetrics: actions done in a day': "SELECT count(*) FROM daily_actions WHERE status = 'completed' AND updated_at >= now() - interval '24 hours'",
        'getPlatformMetrics: errors of a day': "SELECT count(*) FROM system_errors WHERE created_at >= now() - interval '24 hours'",
        'getPlatformMetrics: calls of a month': "SELECT status, count(*) FROM call_logs WHERE created_at >= now() - interval '30 days' GROUP BY status",
        'getPlatformMetrics: deals closed in a week': "SELECT count(*) FROM transactions WHERE coalesce(expected_close_date, (updated_at AT TIME ZONE 'utc')::date) BETWEEN current_date AND current_date + 6",
        'syncExternalPlatformData: prune': "DELETE FROM call_logs WHERE metadata ->> 'external_source' = 'platform_sync' AND metadata ->> 'sync_run_id' <> 'run'",
        'oauth: live states': "SELECT state FROM edge.oauth_states WHERE user_id = 'user_0007' AND service_name = 'zoom' ORDER BY created_at DESC OFFSET 4",
        'oauth: expired states': 'SELECT state FROM edge.oauth_states WHERE expires_at <= now() LIMIT 100',
        'idempotency key': "SELECT response FROM edge.idempotency_keys WHERE scope = 's' AND user_id = 'user_0001' AND key = '7'",
        'purge: webhook events': "SELECT ctid FROM edge.webhook_events WHERE received_at < now() - interval '60 days' LIMIT 10",
        'jobs: due': "SELECT id FROM edge.jobs WHERE finished_at IS NULL AND run_at <= now() AND (locked_until IS NULL OR locked_until <= now()) ORDER BY run_at, id LIMIT 10 FOR UPDATE SKIP LOCKED",
    }));
