/*
 * The catalogue of entities (functions/lib/entity_*.c) against a migrated database: each table with all of its columns,
 * their types, what may be NULL, and its unique key.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { root } from '../../support/config.mjs';
import { startDatabase } from '../../support/data.mjs';
import { options } from '../../support/suite.mjs';

const TYPES = {
    TEXT: 'text',
    LONG: 'text',
    URL: 'text',
    ENUM: 'text',
    COLOUR: 'text',
    TIMEZONE: 'text',
    INTEGER: 'integer',
    PERCENT: 'integer',
    BIGINT: 'bigint',
    NUMERIC: 'numeric',
    RATE: 'numeric(6,2)',
    BOOLEAN: 'boolean',
    DATE: 'date',
    TIME: 'time without time zone',
    TIMESTAMP: 'timestamp with time zone',
    UUID: 'uuid',
    TEXTS: 'text[]',
    JSON: 'jsonb',
    BIG_JSON: 'jsonb',
};

const sources = ['people', 'accounts', 'work', 'records', 'content'].map((name) =>
    fs.readFileSync(path.join(root, 'functions', 'lib', `entity_${name}.c`), 'utf8'),
);

function catalogue() {
    const columns = new Map(),
        entities = [];
    for (const source of sources) {
        for (const [, table, body] of source.matchAll(/struct entity_column (\w+)\[\] = \{([^]*?)\n\};/g))
            columns.set(
                table,
                [...body.matchAll(/\{\s*"(\w+)",\s*COLUMN_(\w+)([^}]*)\}/g)].map(([, name, type, rest]) => ({
                    name,
                    type: TYPES[type],
                    notNull: /COLUMN_NOT_NULL/.test(rest),
                    writable: /COLUMN_(WRITABLE|REQUIRED)/.test(rest),
                    hidden: /COLUMN_HIDDEN/.test(rest),
                })),
            );
        for (const [, body] of source.matchAll(/\n    \{\n(\s+\.name = [^]*?)\n    \},/g)) {
            const value = (key) => new RegExp(`\\.${key} = "([^"]*)"`).exec(body)?.[1];
            entities.push({ name: value('name'), table: value('table'), unique: value('unique'), owner: value('owner'), service: /service_writes = true/.test(body) });
        }
    }
    return { columns, entities };
}

describe('the catalogue of entities', options, () => {
    const { columns, entities } = catalogue();
    let database;
    before(async () => (database = await startDatabase()), options);
    after(() => database?.stop(), options);

    it('names 45 entities, each once', options, () => {
        assert.equal(entities.length, 45);
        for (const key of ['name', 'table']) assert.equal(new Set(entities.map((entity) => entity[key])).size, 45);
        assert.deepEqual([...columns.keys()].sort(), entities.map((entity) => entity.table).sort());
    });

    it('has every column as the database has it, in its order', options, async () => {
        const live = await database.rows(
            `SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull"
             FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
             WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
             ORDER BY a.attnum`);
        for (const { table } of entities) {
            const expected = live
                .filter((column) => column.table === table)
                .map(({ name, type, notNull }) => ({ name, type: type === 'numeric(6,2)' ? type : type.replace(/^numeric.*/, 'numeric'), notNull }));
            assert.deepEqual(columns.get(table).map(({ name, type, notNull }) => ({ name, type, notNull })), expected, table);
        }
    });

    it('has the unique keys, and says who writes', options, async () => {
        const live = await database.rows(
            `SELECT conrelid::regclass::text AS table, pg_get_constraintdef(oid) AS definition
             FROM pg_constraint WHERE contype = 'u' AND connamespace = 'public'::regnamespace`);
        for (const { table, unique, owner, service } of entities) {
            const keys = live.filter((key) => key.table === table).map((key) => /\((.*)\)/.exec(key.definition)[1]);
            assert.deepEqual(unique ? [unique] : [], keys, table);
            if (owner) assert.ok(columns.get(table).some((column) => column.name === owner), table);
            const [{ may }] = await database.rows(`SELECT has_table_privilege('authenticated', $1, 'DELETE') AS may`, [table]);
            assert.equal(service, !may, `${table}: service_writes`);
        }
    });

    it('lets users write nothing that grants them something', options, () => {
        const writable = (table) => columns.get(table).filter((column) => column.writable).map((column) => column.name);
        for (const table of ['user_credits', 'credit_transactions', 'pulse_scores', 'external_service_connections', 'graph_context_cache'])
            assert.deepEqual(writable(table), [], table);
        for (const name of ['role', 'subscription_tier', 'subscription_status', 'email', 'id']) assert.ok(!writable('profiles').includes(name), name);
        for (const { table } of entities)
            for (const name of writable(table)) assert.ok(!['id', 'user_id', 'credentials', 'created_at', 'updated_at'].includes(name), `${table}.${name}`);
        assert.deepEqual(
            entities.flatMap(({ table }) => columns.get(table).filter((column) => column.hidden).map((column) => `${table}.${column.name}`)).sort(),
            ['crm_connections.credentials', 'external_service_connections.credentials'],
        );
    });
});
