/*
 * computePulse as one writes it with `postgres` and `jose`: the same statements in the same two transactions under the same
 * roles and claims as functions/engines/computePulse.c, what goes together sent together.
 *
 *     PGHOST, PGPORT, PGDATABASE, PGUSER   the database
 *     JWT_KEY, JWT_ISSUER                  the issuer's public key in PEM, and its name
 *     KEEP_CLAIMS=1                        a token that has been verified once is believed until it expires; jose itself
 *                                          verifies every time
 *
 * usage: deno run --allow-all pulse.mjs PORT | node pulse.mjs PORT
 */
import { env } from 'node:process';

import { importSPKI, jwtVerify } from 'jose';
import postgres from 'postgres';

const sql = postgres({ max: 10, onnotice() {} });
const key = await importSPKI(env.JWT_KEY, 'RS256');

const verified = new Map();

async function claimsOf(authorization = '') {
    const token = authorization.replace(/^Bearer /, '');
    const known = verified.get(token);
    if (known && known.exp * 1000 > Date.now()) return known;
    const { payload } = await jwtVerify(token, key, { issuer: env.JWT_ISSUER, algorithms: ['RS256'] });
    if (env.KEEP_CLAIMS) verified.set(token, payload);
    return payload;
}

/* One transaction: postgres.js sends BEGIN and COMMIT each for itself, and what is between them in one go. */
const as = (role, claims, statements) =>
    sql.begin((tx) => {
        const caller = tx`SELECT set_config('role', ${role}, true), set_config('request.jwt.claims', ${JSON.stringify(claims)}, true),
            set_config('statement_timeout', '10000', true)`;
        return Promise.all([caller, ...statements(tx)]);
    });

async function readActivity(claims, now) {
    const [, profiles, [actions], [goals]] = await as('authenticated', claims, (tx) => [
        tx`SELECT id FROM profiles`,
        tx`SELECT count(*) AS total, count(*) FILTER (WHERE status = 'completed') AS completed,
            count(*) FILTER (WHERE created_at >= ${now}::timestamptz - interval '168 hours') AS last_7_days
            FROM daily_actions WHERE created_at >= ${now}::timestamptz - interval '720 hours'`,
        tx`SELECT count(*) AS active FROM goals WHERE status = 'active'`,
    ]);
    if (profiles.length === 0) throw new Error('no such user');
    return { total: Number(actions.total), completed: Number(actions.completed), recent: Number(actions.last_7_days), goals: Number(goals.active) };
}

function compute({ total, completed, recent, goals }) {
    const completionRate = total > 0 ? (completed / total) * 100 : 0;
    const volumeScore = Math.min(40, (total / 30) * 40);
    const completionScore = (completionRate / 100) * 40;
    const consistencyScore = Math.min(20, (recent / 7) * 20);
    const metrics = {
        totalActions: total, completedActions: completed, completionRate, last7DaysActions: recent,
        volumeScore, completionScore, consistencyScore, activeGoals: goals,
    };
    for (const name in metrics) metrics[name] = Math.round(metrics[name]);
    return { score: Math.round(volumeScore + completionScore + consistencyScore), metrics };
}

async function keep(user, { score, metrics }, now) {
    const [, , [kept]] = await as('service_role', {}, (tx) => [
        tx`SELECT pg_advisory_xact_lock(hashtextextended('computePulse' || ':' || ${user}, 0))`,
        tx`WITH latest AS (
            SELECT computed_at, score = ${score} AND metrics = ${tx.json(metrics)} AS same FROM pulse_engine_snapshots
            WHERE user_id = ${user} ORDER BY computed_at DESC, created_at DESC, id DESC LIMIT 1
        ), reused AS (
            SELECT computed_at FROM latest WHERE same AND computed_at > ${now}::timestamptz - interval '60 seconds'
        ), inserted AS (
            INSERT INTO pulse_engine_snapshots (user_id, score, metrics, computed_at)
            SELECT ${user}, ${score}, ${tx.json(metrics)}, ${now}::timestamptz WHERE NOT EXISTS (SELECT FROM reused)
            RETURNING computed_at
        ), outdated AS (
            UPDATE graph_context_cache SET expires_at = ${now}::timestamptz
            WHERE user_id = ${user} AND expires_at > ${now}::timestamptz AND NOT EXISTS (SELECT FROM latest WHERE same)
        )
        SELECT computed_at FROM reused UNION ALL SELECT computed_at FROM inserted`,
    ]);
    return kept.computed_at;
}

const band = (score) => (score < 40 ? 'Critical' : score < 60 ? 'At Risk' : score < 80 ? 'Healthy' : 'Optimized');

async function computePulse(authorization) {
    const claims = await claimsOf(authorization);
    const now = new Date();
    const { score, metrics } = compute(await readActivity(claims, now));
    const computedAt = await keep(claims.sub, { score, metrics }, now);
    return { score, metrics, band: band(score), computedAt, persisted: true };
}

async function serveNode(port) {
    const { default: fastify } = await import('fastify');
    const app = fastify();
    app.get('/ready', async () => 'ready');
    app.post('/functions/v1/computePulse', ({ headers }) => computePulse(headers.authorization));
    await app.listen({ host: '127.0.0.1', port });
}

function serveDeno(port) {
    Deno.serve({ hostname: '127.0.0.1', port, onListen() {} }, async (request) => {
        if (request.method === 'GET') return new Response('ready');
        await request.json();
        return Response.json(await computePulse(request.headers.get('authorization')));
    });
}

if (globalThis.Deno) serveDeno(Number(Deno.args[0]));
else await serveNode(Number(process.argv[2]));
