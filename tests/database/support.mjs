/*
 * Databases for tests: a fresh copy of a migrated template for every file.
 *
 * EDGE_TEST_PG_URL is a superuser on a cluster that may be written to. The template's name holds a hash of the
 * migrations, so a changed file makes a new one and parallel test files share one.
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const here = path.dirname(fileURLToPath(import.meta.url));
const sql = path.join(here, '..', '..', 'sql');

export const contract = JSON.parse(fs.readFileSync(path.join(here, 'contract.json'), 'utf8')).tables;

/* SQLSTATE 42501: no right, or a row that a policy does not allow. */
export const DENIED = '42501';

const sqlFiles = (directory) =>
    fs
        .readdirSync(path.join(sql, directory))
        .filter((name) => /^\d+_.*\.sql$/.test(name))
        .sort()
        .map((name) => ({ name, text: fs.readFileSync(path.join(sql, directory, name), 'utf8') }));

export const migrations = sqlFiles('migrations');
export const seeds = sqlFiles('seed');

const urlOf = (database, user) => {
    if (!process.env.EDGE_TEST_PG_URL) throw new Error('EDGE_TEST_PG_URL is not set. See tests/database/README.md');
    const url = new URL(process.env.EDGE_TEST_PG_URL.replace(/^postgres(ql)?:\/\/\//, 'postgresql://unset/'));
    url.pathname = `/${database}`;
    if (user) {
        url.username = user;
        url.searchParams.delete('user');
    }
    const options = { database, user: user ?? (url.searchParams.get('user') || decodeURIComponent(url.username)) };
    options.host = url.searchParams.get('host') ?? url.hostname;
    if (url.port || url.searchParams.get('port')) options.port = Number(url.port || url.searchParams.get('port'));
    if (url.password) options.password = decodeURIComponent(url.password);
    return options;
};

export async function connect(database, user) {
    const client = new pg.Client(urlOf(database, user));
    await client.connect();
    return client;
}

/* What `edge migrate` does, as far as tests need it: in order, each file in a transaction. */
export async function applyFiles(client, files, record = false) {
    for (const file of files) {
        await client.query('BEGIN');
        try {
            await client.query(file.text);
            if (record)
                await client.query(
                    'INSERT INTO edge.migrations (version, name, checksum, duration_ms) VALUES ($1, $2, $3, 0)',
                    [file.name.slice(0, 4), file.name, crypto.createHash('sha256').update(file.text).digest('hex')],
                );
            await client.query('COMMIT');
        } catch (error) {
            await client.query('ROLLBACK');
            error.message = `${file.name}: ${error.message}`;
            throw error;
        }
    }
}

async function template(admin) {
    const hash = crypto.createHash('sha256');
    for (const file of migrations) hash.update(file.name).update(file.text);
    const name = `edge_test_template_${hash.digest('hex').slice(0, 16)}`;

    await admin.query("SELECT pg_advisory_lock(hashtextextended('edge_test_template', 0))");
    try {
        const found = await admin.query('SELECT FROM pg_database WHERE datname = $1', [name]);
        if (found.rowCount === 0) {
            await admin.query(`DROP DATABASE IF EXISTS ${name}_building`);
            await admin.query(`CREATE DATABASE ${name}_building`);
            const client = await connect(`${name}_building`);
            try {
                await applyFiles(client, migrations, true);
            } finally {
                await client.end();
            }
            await admin.query(`ALTER DATABASE ${name}_building RENAME TO ${name}`);
        }
    } finally {
        await admin.query("SELECT pg_advisory_unlock(hashtextextended('edge_test_template', 0))");
    }
    return name;
}

/*
 * A migrated database of its own. `owner` is a superuser's session in it; connect() opens more (as another login when
 * one is named); drop() closes all and removes it.
 */
export async function database() {
    const admin = await connect('postgres');
    const name = `edge_test_${process.pid}_${crypto.randomBytes(4).toString('hex')}`;
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${await template(admin)}`);
    const open = [];
    const more = async (user) => {
        const client = await connect(name, user);
        open.push(client);
        return client;
    };
    return {
        name,
        owner: await more(),
        connect: more,
        async drop() {
            await Promise.all(open.map((client) => client.end()));
            await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
            await admin.end();
        },
    };
}

export const nobody = { role: 'anon' };
export const service = { role: 'service_role' };
export const user = (sub) => ({ role: 'authenticated', claims: { sub } });
/* A raised session, as the runtime makes it: role and claim. What it may do depends on the row in user_roles, too. */
export const admin = (sub) => ({ role: 'edge_admin', claims: { sub, edge_admin: true } });
export const noClaims = { role: 'authenticated' };

async function begin(client, who) {
    await client.query('BEGIN');
    await client.query(`SET LOCAL ROLE ${who.role}`);
    if (who.claims)
        await client.query("SELECT set_config('request.jwt.claims', $1, true)", [JSON.stringify(who.claims)]);
}

/* Runs `work(query)` as `who` and rolls back, so that cases do not see each other. */
export async function as(client, who, work) {
    await begin(client, who);
    try {
        return await work((text, values) => client.query(text, values));
    } finally {
        await client.query('ROLLBACK');
    }
}

/* As `as`, but commits. */
export async function commitAs(client, who, work) {
    await begin(client, who);
    try {
        const result = await work((text, values) => client.query(text, values));
        await client.query('COMMIT');
        return result;
    } catch (error) {
        await client.query('ROLLBACK');
        throw error;
    }
}

/* The SQLSTATE a statement fails with, or 'ok'; inside a savepoint, so the transaction goes on. */
export async function outcome(query, text, values) {
    await query('SAVEPOINT attempt');
    try {
        await query(text, values);
        await query('RELEASE SAVEPOINT attempt');
        return 'ok';
    } catch (error) {
        await query('ROLLBACK TO SAVEPOINT attempt');
        return error.code;
    }
}

/* The column that says whose a row is, or null. */
export const ownerColumn = (table) =>
    table === 'profiles' ? 'id' : table === 'referrals' ? 'referrer_user_id' : hasColumn(table, 'user_id') ? 'user_id' : null;

export const hasColumn = (table, name) => contract[table].columns.some((column) => column.name === name);

export const tablesOf = (...classes) => Object.keys(contract).filter((table) => classes.includes(contract[table].class));

const byType = {
    text: (column) => `${column}-${crypto.randomBytes(4).toString('hex')}`,
    uuid: () => crypto.randomUUID(),
    integer: () => 1,
    bigint: () => 1,
    boolean: () => true,
    jsonb: () => '{}',
    date: () => '2026-01-15',
    'timestamp with time zone': () => '2026-01-15T12:00:00Z',
};
const byName = { status: 'pending', severity: 'info' };

/* The least row a table takes: a value for every required column without a default. */
export function sampleRow(table, owner, more = {}) {
    const row = {};
    for (const column of contract[table].columns) {
        if (!column.not_null || column.default !== null) continue;
        const make = byType[column.type] ?? (() => 1);
        row[column.name] = byName[column.name] ?? make(column.name);
    }
    if (ownerColumn(table) && owner) row[ownerColumn(table)] = owner;
    return { ...row, ...more };
}

export function insertOf(table, row, tail = '') {
    const names = Object.keys(row);
    if (names.length === 0) return [`INSERT INTO public.${table} DEFAULT VALUES ${tail}`, []];
    const marks = names.map((_, index) => `$${index + 1}`);
    return [`INSERT INTO public.${table} (${names.join(', ')}) VALUES (${marks.join(', ')}) ${tail}`, Object.values(row)];
}
