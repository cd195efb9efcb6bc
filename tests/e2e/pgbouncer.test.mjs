/*
 * Behind PgBouncer in transaction mode: a session of the host has a server connection for the length of a transaction
 * only, shared with everybody else. 32 sessions share 4 here, so whatever of a caller stayed on a connection, or was
 * expected to stay, would be somebody else's at once.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import pg from 'pg';

import { activeAgent } from '../support/activity.mjs';
import { post } from '../support/clients.mjs';
import { startDatabase } from '../support/data.mjs';
import { VECTOR, nextId, signed, user } from '../support/deliveries.mjs';
import { eventually, startHost } from '../support/host.mjs';
import { mint } from '../support/tokens.mjs';

const options = { timeout: 60000 };
const AT_ONCE = 32;
const SERVERS = 4;
const PORT = 6432; /* names the socket; nothing listens on TCP */

const here = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-pgbouncer-'));
const log = [];
let bouncer;
let database;
let host;

/* PgBouncer refuses to run as root: then it runs as whoever owns the server's socket, or as nobody. */
function account(serverHost) {
    if (process.getuid() !== 0) return {};
    if (serverHost.startsWith('/')) {
        const { uid, gid } = fs.statSync(serverHost);
        if (uid !== 0) return { uid, gid };
    }
    return { uid: Number(execFileSync('id', ['-u', 'nobody'])), gid: Number(execFileSync('id', ['-g', 'nobody'])) };
}

function configure(server, owner) {
    const settings = {
        listen_addr: '',
        listen_port: PORT,
        unix_socket_dir: here,
        auth_type: 'trust',
        auth_file: path.join(here, 'users'),
        admin_users: 'operator',
        pool_mode: 'transaction',
        default_pool_size: SERVERS,
        max_client_conn: 200,
    };
    const file = path.join(here, 'pgbouncer.ini');
    const port = server.get('port') ? ` port=${server.get('port')}` : '';
    fs.writeFileSync(
        file,
        `[databases]\n* = host=${server.get('host')}${port}\n[pgbouncer]\n${Object.entries(settings)
            .map(([key, value]) => `${key} = ${value}`)
            .join('\n')}\n`,
    );
    fs.writeFileSync(path.join(here, 'users'), '"edge_runtime" ""\n"operator" ""\n');
    if (owner.uid !== undefined) fs.chownSync(here, owner.uid, owner.gid);
    fs.chmodSync(here, 0o755);
    return file;
}

async function startBouncer(url) {
    const server = new URL(url.replace('postgresql:///', 'postgresql://unset/')).searchParams;
    const owner = account(server.get('host'));
    const child = spawn('pgbouncer', [configure(server, owner)], {
        ...owner,
        env: { PATH: `${process.env.PATH}:/usr/sbin` },
        stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.on('error', (error) => log.push(`pgbouncer cannot be started: ${error.message}. Run scripts/setup --tests\n`));
    child.stderr.on('data', (data) => log.push(String(data)));
    child.exited = new Promise((resolve) => child.on('close', resolve));
    await eventually(() => {
        if (child.exitCode !== null || child.pid === undefined) throw new Error(log.join(''));
        return fs.existsSync(path.join(here, `.s.PGSQL.${PORT}`));
    }, "PgBouncer's socket");
    return child;
}

async function session(name, login) {
    const client = new pg.Client({ host: here, port: PORT, database: name, user: login });
    await client.connect();
    return client;
}

/* The pool of the test's database as PgBouncer counts it. */
async function counted(what) {
    const operator = await session('pgbouncer', 'operator');
    try {
        return (await operator.query(`SHOW ${what}`)).rows.find((row) => row.database === database.name);
    } finally {
        await operator.end();
    }
}

before(async () => {
    database = await startDatabase();
    bouncer = await startBouncer(database.url);
    host = await startHost({
        functions: ['computePulse', 'clerkWebhook'],
        database: `postgresql:///${database.name}?host=${here}&port=${PORT}&user=edge_runtime`,
        databaseSettings: { pgbouncer: true, pool: AT_ONCE / 2 },
        env: { CLERK_WEBHOOK_SECRET: VECTOR.secret },
    });
}, options);

after(async () => {
    await host?.stop();
    bouncer?.kill('SIGINT');
    await bouncer?.exited;
    await database?.stop();
    fs.rmSync(here, { recursive: true });
}, options);

/* A person with so many actions that no two of them have the same figures. */
async function people(prefix) {
    const all = [];
    for (let i = 0; i < AT_ONCE; i++) {
        const id = `${prefix}_${i}`;
        const agent = async () => {
            await database.person(id);
            return id;
        };
        await activeAgent({ database, agent }, { total: i + 1, completed: i >> 1, goals: i % 5 });
        all.push({ id, token: await mint(id), total: i + 1, completed: i >> 1, goals: i % 5 });
    }
    return all;
}

const pulse = (person) => post(host, 'computePulse', { token: person.token, body: {} });

function assertOwn({ status, body }, person) {
    assert.equal(status, 200, JSON.stringify(body));
    const { totalActions, completedActions, activeGoals } = body.metrics;
    assert.deepEqual([totalActions, completedActions, activeGoals], [person.total, person.completed, person.goals], person.id);
}

function deliver(event, id = nextId()) {
    const body = JSON.stringify(event);
    return post(host, 'clerkWebhook', { raw: body, headers: signed(body, { id }) });
}

async function expectCreated(id) {
    const event = { type: 'user.created', data: user(id) };
    const delivery = nextId();
    const both = await Promise.all([deliver(event, delivery), deliver(event, delivery)]);
    assert.deepEqual(both.map(({ status }) => status), [200, 200], JSON.stringify(both));
    assert.equal(both.filter(({ body }) => body.duplicate).length, 1, 'each delivery counts once');
    assert.equal((await database.row('SELECT email FROM profiles WHERE id = $1', [id])).email, `${id}@example.com`);
}

describe('PgBouncer in transaction mode', options, () => {
    it('everybody gets own figures, 32 at once over 4 connections', options, async () => {
        const all = await people('user_pulse');
        for (let round = 0; round < 10; round++)
            await Promise.all(all.map(async (person) => assertOwn(await pulse(person), person)));
        for (const person of all)
            assert.equal(await database.count('pulse_engine_snapshots', 'user_id = $1', [person.id]), 1, person.id);
    });

    it('reads as users and transactions as the service, mixed', options, async () => {
        const all = await people('user_mixed');
        await Promise.all(
            all.flatMap((person, i) => [
                pulse(person).then((answer) => assertOwn(answer, person)),
                expectCreated(`user_clerk_${i}`),
            ]),
        );
        assert.equal(await database.count('profiles', "id LIKE 'user_clerk_%'"), AT_ONCE);
        assert.equal(await database.count('edge.webhook_events'), AT_ONCE);
    });

    it('callers that are refused or hang up leave nothing behind', options, async () => {
        const all = await people('user_gone');
        const stranger = await mint('user_without_a_profile');
        await Promise.all(
            all.map(async (person, i) => {
                if (i % 3 === 0) return assertOwn(await pulse(person), person);
                if (i % 3 === 1) return assert.equal((await post(host, 'computePulse', { token: stranger, body: {} })).status, 404);
                const hangsUp = new AbortController();
                setTimeout(() => hangsUp.abort(), i % 7);
                const headers = { authorization: `Bearer ${person.token}`, 'content-type': 'application/json' };
                const url = `${host.url}/functions/v1/computePulse`;
                return fetch(url, { method: 'POST', headers, body: '{}', signal: hangsUp.signal })
                    .then((answer) => answer.arrayBuffer())
                    .catch((error) => assert.equal(error.name, 'AbortError'));
            }),
        );
        await Promise.all(all.map(async (person) => assertOwn(await pulse(person), person)));
    });

    it('the server connections were shared, and carry no role, claims, transaction or prepared statement', options, async () => {
        const all = await people('user_shared');
        await Promise.all(all.map(pulse));
        const pool = await eventually(async () => {
            const now = await counted('POOLS');
            return Number(now.sv_active) === 0 && now;
        }, 'the pool to rest');
        assert.ok(Number(pool.cl_active) > SERVERS, `${pool.cl_active} sessions of the host`);
        const { n } = await database.row(
            "SELECT count(*)::integer AS n FROM pg_stat_activity WHERE datname = current_database() AND usename = 'edge_runtime'",
        );
        assert.ok(n <= SERVERS, `${n} server connections`);

        const sessions = await Promise.all(Array.from({ length: SERVERS }, () => session(database.name, 'edge_runtime')));
        const pids = new Set();
        try {
            await Promise.all(sessions.map((client) => client.query('BEGIN')));
            for (const client of sessions) {
                const { rows: [{ pid, ...left }] } = await client.query(`
                    SELECT pg_backend_pid() AS pid, current_user::text AS login,
                        coalesce(current_setting('request.jwt.claims', true), '') AS claims,
                        current_setting('statement_timeout') AS timeout,
                        (SELECT count(*)::integer FROM pg_prepared_statements) AS statements,
                        (SELECT count(*)::integer FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory') AS locks`);
                pids.add(pid);
                assert.deepEqual(left, { login: 'edge_runtime', claims: '', timeout: '0', statements: 0, locks: 0 });
            }
        } finally {
            await Promise.all(sessions.map((client) => client.query('ROLLBACK').then(() => client.end())));
        }
        assert.equal(pids.size, SERVERS, 'each of them was looked at');
    });

    it('nobody complained: not the host, not PgBouncer', options, () => {
        assert.doesNotMatch(host.text(), /prepared statement|26000|42P05|"level":"error"|database_busy|database_unavailable/);
        assert.doesNotMatch(log.join(''), /prepared statement|unclean server|ERROR|FATAL/);
    });
});
