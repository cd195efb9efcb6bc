/*
 * computePulse, a function with a database: a token is verified, two questions and a profile are read under row security,
 * a snapshot is written. Against the same statements on Deno and Node with `postgres` and `jose`.
 */
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { buildDirectory } from '../../support/config.mjs';
import { startDatabase } from '../../support/data.mjs';
import { ISSUER, mint, privatePem } from '../../support/tokens.mjs';
import { atMost, request, table } from '../bench.mjs';
import { countRoundTrips } from '../round_trips.mjs';
import { DENO, NODE, OURS, startDeno, startEdge, startNode } from '../servers.mjs';

export const name = 'computePulse';
export const goal = 'CPU a request ≤ 1/8 of Deno\'s and Node\'s for the same statements; ≤ 3 round trips';

const TARGET = '/functions/v1/computePulse';
const USERS = 100;
const DENO_CLAIMS = `${DENO}, verified tokens kept`;
const NODE_CLAIMS = `${NODE}, verified tokens kept`;

/* 40 actions of the month, 23 of them done: a score of 63. */
const SEED = `
    INSERT INTO profiles (id, email, full_name)
    SELECT 'user_' || n, 'user_' || n || '@example.com', 'Person ' || n FROM generate_series(1, ${USERS}) AS n;
    INSERT INTO daily_actions (user_id, title, category, due_date, status, created_at)
    SELECT 'user_' || n, 'Action ' || a, 'calls', current_date, CASE WHEN a <= 23 THEN 'completed' ELSE 'pending' END, now() - interval '240 hours'
    FROM generate_series(1, ${USERS}) AS n, generate_series(1, 40) AS a;
    INSERT INTO goals (user_id, title, goal_type, status)
    SELECT 'user_' || n, 'Goal ' || g, 'production', 'active' FROM generate_series(1, ${USERS}) AS n, generate_series(1, 5) AS g;`;

/* An equal snapshot of the last minute is used again. One that is dated back is not, so every request writes. */
const ALWAYS_WRITE = `
    CREATE FUNCTION date_back() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.computed_at := NEW.computed_at - interval '2 minutes'; RETURN NEW; END $$;
    CREATE TRIGGER date_back BEFORE INSERT ON pulse_engine_snapshots FOR EACH ROW EXECUTE FUNCTION date_back();`;

const publicPem = createPublicKey(privatePem).export({ type: 'spki', format: 'pem' });

/* Everybody against the database behind the socket in a directory. */
function contenders(database, directory) {
    const url = `postgresql:///${database.name}?host=${directory}&user=edge_runtime`;
    const env = { PGHOST: directory, PGPORT: '5432', PGDATABASE: database.name, PGUSER: 'edge_runtime', JWT_KEY: publicPem, JWT_ISSUER: ISSUER };
    const peer = { env, path: '/ready' }, keeping = { env: { ...env, KEEP_CLAIMS: '1' }, path: '/ready' };
    const edge = startEdge({
        functions: { computePulse: { rate_limit: '10000000/min per user' } },
        server: { plugins: path.join(buildDirectory, 'functions') },
        database: { pool: 10 },
        env: { DATABASE_URL: url, CLERK_ISSUER: ISSUER, CLERK_JWT_KEY: publicPem },
        ready: '/_edge/ready',
    });
    return [
        { name: OURS, start: edge },
        { name: DENO, start: startDeno('pulse.mjs', peer) },
        { name: DENO_CLAIMS, start: startDeno('pulse.mjs', keeping) },
        { name: NODE, start: startNode('pulse.mjs', peer) },
        { name: NODE_CLAIMS, start: startNode('pulse.mjs', keeping) },
    ];
}

const socketDirectory = (database) => new URL(database.url.replace('///', '//unset/')).searchParams.get('host');

async function requestsOf() {
    const exp = Math.floor(Date.now() / 1000) + 6 * 3600;
    const tokens = await Promise.all(Array.from({ length: USERS }, (_, i) => mint(`user_${i + 1}`, { claims: { exp } })));
    return { requests: tokens.map((token) => request('POST', TARGET, { authorization: `Bearer ${token}` }, '{}')), expect: '"score":63' };
}

/* Its backends share the core of the load generator, so the server's core is the server's. */
async function movePostgres(database, cpu) {
    const { data_directory: directory } = await database.row('SHOW data_directory');
    const [postmaster] = fs.readFileSync(path.join(directory, 'postmaster.pid'), 'utf8').split('\n');
    execFileSync('taskset', ['-p', '-c', cpu, postmaster], { stdio: 'ignore' });
}

const backends = async (database) =>
    (await database.rows('SELECT pid FROM pg_stat_activity WHERE datname = $1 AND usename = \'edge_runtime\'', [database.name])).map(({ pid }) => pid);

async function measure(server, database, work) {
    await database.rows('TRUNCATE pulse_engine_snapshots');
    await server.load({ ...work, seconds: 0.5 }); /* opens the connections, whose processes are measured */
    const written = () => database.count('pulse_engine_snapshots');
    const before = await written();
    const { cpuUs, perSecond, alsoUs, requests } = await server.load({ ...work, also: { postgres: await backends(database) } });
    if (await written() < before + requests) throw new Error('A request has written nothing');
    const memoryMiB = server.residentBytes() / 2 ** 20;
    const { p50Us, p99Us, p999Us } = await server.load({ ...work, rate: 300 });
    return { cpuUs, perSecond, postgresUs: alsoUs.postgres, p50Us, p99Us, p999Us, memoryMiB };
}

/* Of requests one after the other, once the statements are prepared; the ends of the count cut one in two, hence the rounding. */
async function roundTrips(bench, database, work) {
    const directory = bench.scratchFile('socket');
    fs.rmSync(directory);
    fs.mkdirSync(directory, { mode: 0o755 });
    const counter = await countRoundTrips(directory, socketDirectory(database));
    const trips = {};
    for (const { name: contender, start } of contenders(database, directory)) {
        const server = await start(bench);
        try {
            const one = { ...work, connections: 1, warmup: 0 };
            await server.load({ ...one, seconds: 1 });
            const before = counter.count;
            const { requests } = await server.load({ ...one, seconds: 1 });
            trips[contender] = Math.round((counter.count - before) / requests);
        } finally {
            await server.stop();
        }
    }
    await counter.stop();
    return trips;
}

async function compareAll(bench, database) {
    await database.rows(SEED);
    await database.rows(ALWAYS_WRITE);
    await database.rows('VACUUM ANALYZE');
    await movePostgres(database, bench.cpus.generator);
    const work = await requestsOf();
    const measured = await bench.compare(contenders(database, socketDirectory(database)), (server) => measure(server, database, work));
    const trips = await roundTrips(bench, database, work);
    for (const contender in measured) measured[contender].roundTrips = trips[contender];
    return measured;
}

export async function run(bench) {
    const database = await startDatabase();
    const measured = await compareAll(bench, database).finally(() => database.stop());
    const share = (peer) => measured[OURS].cpuUs / measured[peer].cpuUs;
    return {
        figures: measured,
        method: `${USERS} users with a token each in turn on 32 connections, 10 connections to PostgreSQL, which shares the load generator's ` +
            'core and keeps nothing (`fsync` off). The same statements in the same two transactions everywhere, and every request writes a ' +
            'row. CPU a request is without PostgreSQL\'s, which stands beside it. The host remembers a token that it has verified; jose ' +
            'verifies each time, so both peers also run with a map of verified tokens before it. Latency at 300 requests a second on a schedule.',
        tables: [
            table(measured, [
                { title: 'CPU µs a request', of: ({ cpuUs }) => cpuUs, digits: 0 },
                { title: '× ours', of: ({ cpuUs }) => cpuUs / measured[OURS].cpuUs },
                { title: 'PostgreSQL\'s µs', of: ({ postgresUs }) => postgresUs, digits: 0 },
                { title: 'round trips', of: ({ roundTrips: trips }) => trips, digits: 0 },
                { title: 'requests/s', of: ({ perSecond }) => perSecond, digits: 0 },
                { title: 'p50 µs', of: ({ p50Us }) => p50Us, digits: 0 },
                { title: 'p99 µs', of: ({ p99Us }) => p99Us, digits: 0 },
                { title: 'p99.9 µs', of: ({ p999Us }) => p999Us, digits: 0 },
                { title: 'memory MiB', of: ({ memoryMiB }) => memoryMiB },
            ], OURS),
        ],
        goals: [
            atMost('CPU a request ≤ 1/8 of Deno\'s', share(DENO), 1 / 8, ' ×'),
            atMost('CPU a request ≤ 1/8 of Node\'s', share(NODE), 1 / 8, ' ×'),
            atMost('≤ 3 round trips', measured[OURS].roundTrips, 3),
        ],
    };
}
