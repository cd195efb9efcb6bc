/* The live catalogue against contract.json, in both directions. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { contract, database } from './support.mjs';

let db;
before(async () => {
    db = await database();
});
after(() => db.drop());

const rows = async (text) => (await db.owner.query(text)).rows;

/* Casts and brackets differ between PostgreSQL versions and ways of writing; what is compared is what they mean. */
const plain = (text) => text?.replace(/::(text|numeric|jsonb|text\[\]|bpchar)\b/g, '').replace(/[()\s]/g, '') ?? null;

const grouped = (list, key, value) => {
    const groups = {};
    for (const item of list) (groups[item[key]] ??= []).push(item[value]);
    return groups;
};

test('the tables are those of the contract', async () => {
    const live = await rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
    assert.deepEqual(live.map((table) => table.name), Object.keys(contract).sort());
    assert.equal(live.length, 55);
});

test('columns: names, order, types, nullability, defaults', async () => {
    const live = await rows(`
        SELECT
            c.relname AS table,
            json_build_object(
                'name', a.attname,
                'type', format_type(a.atttypid, a.atttypmod),
                'not_null', a.attnotnull,
                'default', pg_get_expr(d.adbin, d.adrelid)
            ) AS column
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace
            AND c.relkind = 'r'
        ORDER BY c.relname, a.attnum`);
    const columns = grouped(live, 'table', 'column');
    for (const [table, { columns: wanted }] of Object.entries(contract))
        assert.deepEqual(
            columns[table].map((column) => ({ ...column, default: plain(column.default) })),
            wanted.map((column) => ({ ...column, default: plain(column.default) })),
            table,
        );
});

test('generated columns are exactly two', async () => {
    const live = await rows(`
        SELECT attrelid::regclass::text || '.' || attname AS name
        FROM pg_attribute
        WHERE attgenerated = 's'
        ORDER BY 1`);
    assert.deepEqual(live.map((column) => column.name), [
        'agent_config.eleven_labs_twilio_number_id',
        'agent_config.twilio_phone_number',
    ]);
});

const constraintKinds = { p: 'primary_key', u: 'unique', f: 'foreign_keys', c: 'checks' };

test('constraints: primary keys, uniques, foreign keys, checks', async () => {
    const live = await rows(`
        SELECT conrelid::regclass::text AS table, contype, pg_get_constraintdef(oid) AS text
        FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
            AND contype IN ('p', 'u', 'f', 'c')`);
    for (const [table, wanted] of Object.entries(contract))
        for (const [type, kind] of Object.entries(constraintKinds)) {
            const found = live.filter((one) => one.table === table && one.contype === type).map((one) => plain(one.text));
            const expected = [wanted[kind]].flat().map(plain);
            assert.deepEqual(found.sort(), expected.sort(), `${table}: ${kind}`);
        }
});

const indexes = () =>
    rows(`
        SELECT
            i.indrelid::regclass::text AS table,
            regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX .* USING ', '\\1') AS text,
            i.indisunique AS is_unique
        FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indrelid
        WHERE c.relnamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'))`);

test('every index the contract names exists', async () => {
    const live = grouped(await indexes(), 'table', 'text');
    for (const [table, { indexes: wanted }] of Object.entries(contract))
        for (const index of wanted)
            assert.ok((live[table] ?? []).map(plain).includes(plain(index)), `${table}: ${index}; there: ${live[table]}`);
});

test('no unique index beyond the contract', async () => {
    for (const index of await indexes())
        if (index.is_unique)
            assert.ok(
                contract[index.table].indexes.map(plain).includes(plain(index.text)),
                `${index.table}: ${index.text}`,
            );
});

test('every foreign key can be looked up by an index that begins with its column', async () => {
    const missing = await rows(`
        SELECT k.conrelid::regclass::text AS table, pg_get_constraintdef(k.oid) AS key
        FROM pg_constraint AS k
        WHERE k.contype = 'f'
            AND k.connamespace IN ('public'::regnamespace, 'edge'::regnamespace)
            AND NOT EXISTS (
                SELECT
                FROM pg_index AS i
                WHERE i.indrelid = k.conrelid
                    AND i.indkey[0] = k.conkey[1]
                    AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) LIKE '%IS NOT NULL%')
            )`);
    assert.deepEqual(missing, []);
});

test('the runtime tables have the columns they are specified with', async () => {
    const live = await rows(`
        SELECT table_name AS table, string_agg(column_name, ' ' ORDER BY ordinal_position) AS columns
        FROM information_schema.columns
        WHERE table_schema = 'edge'
        GROUP BY table_name`);
    assert.deepEqual(Object.fromEntries(live.map((one) => [one.table, one.columns])), {
        migrations: 'version name checksum applied_at duration_ms',
        webhook_events: 'provider event_id received_at status attempts',
        oauth_states: 'state user_id service_name code_verifier redirect_uri created_at expires_at',
        idempotency_keys: 'scope user_id key request_hash status response created_at expires_at',
        leases: 'name owner expires_at',
        cron_runs: 'function scheduled_for host started_at finished_at outcome error',
        jobs:
            'id function payload run_at attempts max_attempts last_error locked_by locked_until created_at finished_at',
    });
});

test('app_role is admin, user', async () => {
    const [{ labels }] = await rows('SELECT enum_range(NULL::app_role)::text AS labels');
    assert.equal(labels, '{admin,user}');
});
