/*
 * entityOperations under random names, operators and values (spec data.md D5): no statement fails, nobody sees or changes
 * somebody else's rows, and no table is added, lost or changed in shape. FUZZ_SEED repeats a run, FUZZ_CALLS makes it
 * longer.
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { options, suite } from '../../support/suite.mjs';

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2147483646) + 1;
const CALLS = Number(process.env.FUZZ_CALLS ?? 800);
const TOGETHER = 8;

let state = seed;
const random = (below) => (state = (state * 48271) % 2147483647) % below;
const pick = (list) => list[random(list.length)];

const entities = suite({ functions: ['entityOperations'] });

const TABLES = [
    ...['profiles', 'goals', 'daily_actions', 'transactions', 'agent_config', 'generated_content', 'ai_agent_conversations'],
    ...['user_credits', 'call_logs', 'crm_connections', 'feature_flags', 'content_topics', 'brand_color_palettes', 'referrals'],
    ...['Goal', 'user_roles', 'pg_catalog.pg_authid', 'goals; DROP TABLE goals', 'goals g, profiles', '"goals"', 'public.goals', 'edge.jobs'],
];
const OPERATIONS = ['list', 'list', 'list', 'filter', 'filter', 'get', 'create', 'update', 'delete', 'bulkCreate', 'count', 'list; --', '__proto__'];
const COLUMNS = [
    ...['id', 'user_id', 'title', 'status', 'created_at', 'updated_at', 'metadata', 'content', 'goal_type', 'target_value'],
    ...['due_date', 'is_active', 'credits_available', 'email', 'full_name', 'personality_traits', 'messages', 'credentials', 'target_users'],
    ...['title"', "title'", 'title)--', '1', 'title; DROP TABLE goals', 'title OR 1=1', 'count(*)', 'ctid', 'xmin', 'tableoid', 'goals.title'],
    ...['metadata->>\'a\'', '$1', '*', '', ' ', 'ti\u200btle', 'TITLE', 'created_date', 'referrer_id', 'user_email', 'constructor', '\\'],
];
const OPERATORS = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin', '$is', '$ilike', '$contains', '$or', '$where', '= 1 OR', '$eq; --', ''];
const TEXTS = [
    ...["'", "''", '"', '\\', "\\'", '%', '_', '$1', '$$', '--', '/*', ';', "' OR '1'='1", "'; DROP TABLE goals; --", "1) OR (1=1", '{}', '[]', 'null'],
    ...['NaN', 'Infinity', '-infinity', 'now', 'epoch', '2025-02-30', '2025-01-01', '2025-01-01T10:00:00Z', '294277-01-01', '09:30', '24:00'],
    ...['00000000-0000-4000-8000-000000000000', '{00000000-0000-4000-8000-000000000000}', 'é', '😀', '\u202e', '\ufffe', 'x'.repeat(300), '1e400', '0x1F'],
];
const NUMBERS = [0, -0, 1, -1, 0.1, 1.005, 1e9, 2147483647, 2147483648, -2147483649, 9007199254740991, 9007199254740993, 1e15, 1e300, -1e300, 5e-324];

function scalar(person) {
    switch (random(7)) {
        case 0:
            return pick(NUMBERS);
        case 1:
            return random(2) === 0;
        case 2:
            return null;
        case 3:
            return pick(person.ids);
        default:
            return pick(TEXTS);
    }
}

function value(person, depth = 0) {
    const kind = random(depth > 2 ? 3 : 8);
    if (kind < 5) return scalar(person);
    if (kind === 5) return Array.from({ length: random(5) }, () => value(person, depth + 1));
    return Object.fromEntries(Array.from({ length: random(4) }, () => [random(2) ? pick(OPERATORS) : pick(COLUMNS), value(person, depth + 1)]));
}

const members = (person, most) => Object.fromEntries(Array.from({ length: random(most) }, () => [pick(COLUMNS), value(person)]));

function filters(person) {
    const made = members(person, 4);
    if (random(3) === 0) made.order = random(4) ? pick(COLUMNS) : value(person);
    if (random(4) === 0) made.ascending = random(4) ? random(2) === 0 : value(person);
    if (random(4) === 0) made.limit = random(3) ? 1 + random(500) : value(person);
    if (random(6) === 0) made.offset = random(3) ? random(100) : value(person);
    if (random(4) === 0)
        made.cursor = Buffer.from(JSON.stringify({ order: made.order ?? 'created_at', ascending: made.ascending ?? false, value: value(person), id: scalar(person) })).toString('base64url');
    return made;
}

function request(person) {
    const body = { table: random(8) ? pick(TABLES) : value(person), operation: random(12) ? pick(OPERATIONS) : value(person) };
    if (random(3)) body.filters = filters(person);
    if (random(3)) body.id = random(3) ? pick(person.ids) : scalar(person);
    if (random(2)) body.data = random(6) ? { title: 'mine', goal_type: 'x', ...members(person, 3) } : Array.from({ length: random(4) }, () => members(person, 4));
    if (random(8) === 0) body.expectedUpdatedAt = scalar(person);
    return body;
}

/* Tables, columns, policies and functions, as one text. */
const shape = async () =>
    JSON.stringify(
        await entities.database.rows(
            `SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns WHERE table_schema IN ('public', 'edge')
             UNION ALL SELECT schemaname, tablename, policyname, coalesce(qual, '') FROM pg_policies
             UNION ALL SELECT pronamespace::regnamespace::text, proname, md5(prosrc), '' FROM pg_proc WHERE pronamespace::regnamespace::text IN ('public', 'edge')
             ORDER BY 1, 2, 3, 4`));

describe(`entityOperations: random requests, FUZZ_SEED=${seed - 1}`, { timeout: 600000 }, () => {
    let me, victim, victims, roles;
    const SECRET = 'nobody-else-may-see-this';

    before(async () => {
        me = await entities.agent();
        victim = await entities.agent({ full_name: SECRET });
        for (const [id, title] of [[me, 'mine'], [victim, SECRET]]) {
            await entities.database.rows(`INSERT INTO goals (user_id, title, goal_type) SELECT $1, $2, 'x' FROM generate_series(1, 3)`, [id, title]);
            await entities.database.rows(`INSERT INTO daily_actions (user_id, title, category, due_date) VALUES ($1, $2, 'x', current_date)`, [id, title]);
            await entities.database.rows(`INSERT INTO generated_content (user_id, content_type, content) VALUES ($1, 'x', $2)`, [id, title]);
            await entities.database.rows(`INSERT INTO call_logs (user_id, call_type, notes) VALUES ($1, 'outbound', $2)`, [id, title]);
            await entities.database.rows(`INSERT INTO user_credits (user_id, credits_available) VALUES ($1, 7)`, [id]);
            await entities.database.rows(`INSERT INTO crm_connections (user_id, provider, credentials) VALUES ($1, 'lofty', jsonb_build_object('key', $2::text))`, [id, SECRET]);
        }
        await entities.database.rows(`INSERT INTO feature_flags (flag_key, flag_name, target_users) VALUES ('k', 'n', jsonb_build_array($1::text))`, [SECRET]);
    }, options);

    /* Every row of the other person, as text. */
    const others = async () => {
        const rows = [await entities.database.rows('SELECT * FROM profiles WHERE id = $1', [victim])];
        for (const table of ['goals', 'daily_actions', 'generated_content', 'call_logs', 'user_credits', 'crm_connections'])
            rows.push(await entities.database.rows(`SELECT * FROM ${table} WHERE user_id = $1 ORDER BY id`, [victim]));
        return JSON.stringify(rows);
    };

    it(`${CALLS} requests find no injection`, { timeout: 600000 }, async () => {
        const ids = (await entities.database.rows('SELECT id FROM goals')).map((row) => row.id).concat(me, victim);
        const person = { ids };
        const catalogue = await shape();
        victims = await others();
        roles = await entities.database.count('user_roles', `role = 'admin'`);
        const seen = new Map();
        for (let done = 0; done < CALLS; done += TOGETHER)
            await Promise.all(
                Array.from({ length: TOGETHER }, async () => {
                    const body = request(person);
                    const answer = await entities.call('entityOperations', me, body);
                    const what = `${JSON.stringify(body)}\n${JSON.stringify(answer.body).slice(0, 400)}`;
                    assert.ok(answer.status < 500, what);
                    assert.ok(!JSON.stringify(answer.body).includes(SECRET), what);
                    seen.set(answer.body.code ?? 'ok', (seen.get(answer.body.code ?? 'ok') ?? 0) + 1);
                }),
            );
        const failed = entities.host.log.filter((entry) => entry.event === 'query_failed');
        assert.deepEqual(failed, [], 'no statement failed');
        assert.equal(await shape(), catalogue, 'tables, policies and functions');
        assert.equal(await others(), victims, "somebody else's rows");
        assert.equal(await entities.database.count('user_roles', `role = 'admin'`), roles);
        assert.equal((await entities.database.row('SELECT credits_available FROM user_credits WHERE user_id = $1', [me]))?.credits_available, 7);
        /* Most requests have to get as far as a statement now and then, or nothing has been tried. */
        for (const code of ['ok', 'unknown_column', 'invalid_input', 'entity_not_allowed'])
            assert.ok((seen.get(code) ?? 0) > 0, `${code}: ${JSON.stringify([...seen])}`);
    });
});
