/*
 * What row security costs: the same query as a signed-in user without a user_id in it, and as the service with one.
 *
 *     EDGE_TEST_PG_URL='postgresql:///postgres?host=/path/to/socket&user=postgres' node tests/bench/rls_cost.mjs
 *
 * 100,000 rows a table, 1,000 users. Both sides run prepared and inside a transaction with SET LOCAL ROLE and claims,
 * as the runtime does it; rounds alternate, each takes the next user, and the medians are compared.
 *
 * Goal: at most 15 % for every query; the exit status is 1 when one is above. docs/decisions.md has the figures.
 */
import { performance } from 'node:perf_hooks';
import { database } from '../database/support.mjs';

const rounds = Number(process.env.ROUNDS ?? 3000);
const goalPercent = 15;

const queries = {
    'latest snapshot': ['SELECT score, computed_at FROM pulse_engine_snapshots', '', 'ORDER BY computed_at DESC, created_at DESC, id DESC LIMIT 1'],
    'actions by due date': ['SELECT * FROM daily_actions', '', 'ORDER BY due_date DESC, created_at DESC, id DESC LIMIT 50'],
    'newest actions': ['SELECT * FROM daily_actions', '', 'ORDER BY created_at DESC, id DESC LIMIT 50'],
    'actions of 30 days, counted': ["SELECT count(*), count(*) FILTER (WHERE status = 'completed') FROM daily_actions", "created_at >= now() - interval '30 days'", ''],
    'active goals': ['SELECT count(*) FROM goals', "status = 'active'", ''],
    'all goals': ['SELECT * FROM goals', '', 'ORDER BY created_at, id'],
};

const fill = {
    profiles: "INSERT INTO profiles (id) SELECT 'user_' || i FROM generate_series(0, 999) AS i",
    daily_actions: `INSERT INTO daily_actions (user_id, title, category, status, due_date, created_at)
        SELECT 'user_' || i % 1000, 'Task ' || i, 'power_hour', CASE WHEN i % 3 = 0 THEN 'completed' ELSE 'pending' END,
            current_date - (i / 1000) % 60, now() - i * interval '1 minute'
        FROM generate_series(0, 99999) AS i`,
    goals: `INSERT INTO goals (user_id, title, goal_type, created_at)
        SELECT 'user_' || i % 1000, 'Goal ' || i, 'custom', now() - i * interval '1 minute' FROM generate_series(0, 99999) AS i`,
    pulse_engine_snapshots: `INSERT INTO pulse_engine_snapshots (user_id, score, computed_at)
        SELECT 'user_' || i % 1000, i % 100, now() - i * interval '1 minute' FROM generate_series(0, 99999) AS i`,
};

const clause = (...conditions) => {
    const given = conditions.filter(Boolean);
    return given.length ? `WHERE ${given.join(' AND ')}` : '';
};

const median = (times) => times.sort((left, right) => left - right)[times.length >> 1];

async function timed(client, role, person, query) {
    await client.query('BEGIN');
    await client.query(`SET LOCAL ROLE ${role}`);
    await client.query({ name: 'claims', text: "SELECT set_config('request.jwt.claims', $1, true)", values: [JSON.stringify({ sub: person })] });
    const start = performance.now();
    await client.query(query);
    const taken = performance.now() - start;
    await client.query('COMMIT');
    return taken * 1000;
}

const db = await database();
try {
    for (const text of Object.values(fill)) await db.owner.query(text);
    await db.owner.query('VACUUM ANALYZE');
    const client = await db.connect('edge_runtime');
    let above = 0;
    console.log('query                          service µs   user µs   over');
    for (const [name, [head, condition, tail]] of Object.entries(queries)) {
        const times = { service: [], user: [] };
        for (let round = 0; round < rounds; round++) {
            const person = `user_${(round * 7) % 1000}`;
            const asService = { name: `${name} s`, text: `${head} ${clause('user_id = $1', condition)} ${tail}`, values: [person] };
            const asUser = { name: `${name} u`, text: `${head} ${clause(condition)} ${tail}` };
            const sides = [['service', 'service_role', asService], ['user', 'authenticated', asUser]];
            if (round % 2) sides.reverse();
            for (const [side, role, query] of sides) {
                const taken = await timed(client, role, person, query);
                if (round > rounds / 10) times[side].push(taken);
            }
        }
        const [serviceMedian, userMedian] = [median(times.service), median(times.user)];
        const over = (userMedian / serviceMedian - 1) * 100;
        const verdict = over <= goalPercent ? '' : '   above the goal';
        if (verdict) above++;
        console.log(`${name.padEnd(30)} ${serviceMedian.toFixed(0).padStart(10)} ${userMedian.toFixed(0).padStart(9)} ${over.toFixed(1).padStart(6)} %${verdict}`);
    }
    console.log(above === 0 ? `all within ${goalPercent} %` : `${above} above ${goalPercent} %`);
    if (above > 0) process.exitCode = 1;
} finally {
    await db.drop();
}
