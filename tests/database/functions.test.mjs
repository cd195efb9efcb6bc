/* Functions and triggers, one by one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { after, before } from 'node:test';
import { admin, as, commitAs, contract, database, DENIED, hasColumn, insertOf, outcome, sampleRow, service, user } from './support.mjs';

let db;
before(async () => {
    db = await database();
    await rows("INSERT INTO public.profiles (id) VALUES ('user_a'), ('user_b'), ('user_adm'), ('user_adm2')");
    await rows("INSERT INTO public.user_roles (user_id, role) VALUES ('user_adm', 'admin')");
});
after(() => db.drop());

const rows = async (text, values) => (await db.owner.query(text, values)).rows;

test('claims and user_id: absent, empty and present', async () => {
    const client = await db.connect();
    const read = async () =>
        (await client.query('SELECT edge.claims() AS claims, edge.user_id() AS id, edge.is_admin() AS admin')).rows[0];
    assert.deepEqual(await read(), { claims: null, id: null, admin: false });
    await client.query("SELECT set_config('request.jwt.claims', '', false)");
    assert.deepEqual(await read(), { claims: null, id: null, admin: false });
    await client.query("SELECT set_config('request.jwt.claims', '{\"sub\": \"user_a\", \"org\": 1}', false)");
    assert.deepEqual(await read(), { claims: { sub: 'user_a', org: 1 }, id: 'user_a', admin: false });
    await client.query("SELECT set_config('request.jwt.claims', '{\"sub\": \"\"}', false)");
    assert.equal((await read()).id, null);
});

test('claims end with their transaction', async () => {
    await as(db.owner, user('user_a'), async (query) =>
        assert.equal((await query('SELECT edge.user_id() AS id')).rows[0].id, 'user_a'));
    assert.equal((await rows('SELECT edge.user_id() AS id'))[0].id, null);
});

test('is_admin needs the claim, as the boolean true, and the role', async () => {
    const cases = [
        [{ sub: 'user_adm', edge_admin: true }, true],
        [{ sub: 'user_adm' }, false],
        [{ sub: 'user_adm', edge_admin: 'true' }, false],
        [{ sub: 'user_adm', edge_admin: false }, false],
        [{ sub: 'user_a', edge_admin: true }, false],
        [{ edge_admin: true }, false],
    ];
    for (const [claims, expected] of cases)
        for (const role of ['authenticated', 'edge_admin'])
            await as(db.owner, { role, claims }, async (query) =>
                assert.equal((await query('SELECT edge.is_admin() AS yes')).rows[0].yes, expected, JSON.stringify(claims)));
});

test('has_role looks past row security', () =>
    as(db.owner, user('user_a'), async (query) => {
        const { rows: [found] } = await query("SELECT has_role('user_adm', 'admin') AS a, has_role('user_b', 'admin') AS b, has_role(NULL, 'admin') AS c");
        assert.deepEqual(found, { a: true, b: false, c: false });
    }));

test('admin_set_user_role: administrators only, never the last one', async () => {
    const set = (target, role) => [`SELECT admin_set_user_role($1, $2)`, [target, role]];
    await as(db.owner, user('user_a'), async (query) => assert.equal(await outcome(query, ...set('user_a', 'admin')), DENIED));
    await as(db.owner, service, async (query) => assert.equal(await outcome(query, ...set('user_a', 'admin')), DENIED));
    await as(db.owner, admin('user_adm'), async (query) => {
        assert.equal(await outcome(query, ...set('user_adm', 'user')), '55000');
        assert.equal(await outcome(query, ...set('nobody', 'admin')), '23503');
        assert.equal(await outcome(query, ...set('user_a', 'admin')), 'ok');
        assert.equal(await outcome(query, ...set('user_a', 'admin')), 'ok');
        const { rows: [copy] } = await query("SELECT role FROM public.profiles WHERE id = 'user_a'");
        assert.equal(copy.role, 'admin');
        assert.equal(await outcome(query, ...set('user_adm', 'user')), 'ok');
        const { rows: left } = await query("SELECT role FROM public.user_roles WHERE user_id = 'user_adm'");
        assert.deepEqual(left, [{ role: 'user' }]);
    });
});

test('two administrators who demote each other at once: one stays', async () => {
    await rows("INSERT INTO public.user_roles (user_id, role) VALUES ('user_adm2', 'admin') ON CONFLICT DO NOTHING");
    const demote = async (who, target) => {
        const client = await db.connect();
        return commitAs(client, user(who), (query) => query("SELECT admin_set_user_role($1, 'user')", [target]));
    };
    const results = await Promise.allSettled([demote('user_adm', 'user_adm2'), demote('user_adm2', 'user_adm')]);
    assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
    const left = await rows("SELECT user_id FROM public.user_roles WHERE role = 'admin'");
    assert.equal(left.length, 1);
    await rows("INSERT INTO public.user_roles (user_id, role) VALUES ('user_adm', 'admin') ON CONFLICT DO NOTHING");
});

test('handle_new_profile gives the default role once', async () => {
    await rows("INSERT INTO public.profiles (id) VALUES ('user_n') ON CONFLICT DO NOTHING");
    await rows("INSERT INTO public.profiles (id) VALUES ('user_n') ON CONFLICT (id) DO UPDATE SET full_name = 'N'");
    assert.deepEqual(await rows("SELECT role FROM public.user_roles WHERE user_id = 'user_n'"), [{ role: 'user' }]);
    await rows("DELETE FROM public.profiles WHERE id = 'user_n'");
    assert.deepEqual(await rows("SELECT role FROM public.user_roles WHERE user_id = 'user_n'"), []);
});

for (const table of Object.keys(contract).filter((name) => hasColumn(name, 'updated_at')))
    test(`set_updated_at: ${table} keeps the date it is inserted with and moves it on update`, async () => {
        await db.owner.query('BEGIN');
        try {
            const key = contract[table].primary_key.includes('permission') ? 'permission' : 'id';
            const row = { ...sampleRow(table, 'user_adm2'), updated_at: '2020-01-01T00:00:00Z' };
            if (table === 'profiles') row.id = 'user_trigger';
            await db.owner.query(...insertOf(table, row));
            const where = `WHERE updated_at = '2020-01-01'`;
            const { rowCount } = await db.owner.query(`SELECT FROM public.${table} ${where}`);
            assert.equal(rowCount, 1);
            const { rows: [moved] } = await db.owner.query(
                `UPDATE public.${table} SET ${key} = ${key} ${where} RETURNING updated_at = now() AS yes`);
            assert.ok(moved.yes);
        } finally {
            await db.owner.query('ROLLBACK');
        }
    });

test('set_user_id leaves a given owner alone, and the service without claims gets an error', async () => {
    await as(db.owner, service, async (query) => {
        assert.equal(await outcome(query, "INSERT INTO public.goals (title, goal_type) VALUES ('x', 'custom')"), '23502');
        const { rows: [row] } = await query("INSERT INTO public.goals (user_id, title, goal_type) VALUES ('user_b', 'x', 'custom') RETURNING user_id");
        assert.equal(row.user_id, 'user_b');
    });
});

test('notify_change: inserts and updates of scores and contexts are heard after commit', async () => {
    const listener = await db.connect();
    await listener.query('LISTEN edge_changes');
    const heard = [];
    listener.on('notification', (message) => heard.push(JSON.parse(message.payload)));
    const expected = [];
    for (const table of ['pulse_engine_snapshots', 'gane_engine_snapshots', 'moro_engine_snapshots', 'graph_context_cache']) {
        const { rows: [row] } = await db.owner.query(...insertOf(table, sampleRow(table, 'user_a'), 'RETURNING id'));
        expected.push({ table, user_id: 'user_a', id: row.id });
    }
    await rows('UPDATE public.graph_context_cache SET expires_at = now()');
    expected.push(expected.at(-1));
    while (heard.length < expected.length) await once(listener, 'notification');
    assert.deepEqual(heard, expected);
});

const enqueue = async (count, more = {}) => {
    const job = { function: 'loftySync', payload: '{}', ...more };
    const names = Object.keys(job);
    const marks = names.map((_, index) => `$${index + 1}`);
    await rows(
        `INSERT INTO edge.jobs (${names.join(', ')}) SELECT ${marks.join(', ')} FROM generate_series(1, ${count})`,
        Object.values(job),
    );
};

test('claim_jobs: due jobs, oldest first, each to one worker', async () => {
    await rows('TRUNCATE edge.jobs');
    await enqueue(200);
    await enqueue(5, { run_at: new Date(Date.now() + 3_600_000) });
    const workers = await Promise.all(Array.from({ length: 8 }, () => db.connect()));
    const claimed = await Promise.all(
        workers.map(async (client, number) => {
            const mine = [];
            for (;;) {
                const { rows: jobs } = await client.query('SELECT * FROM claim_jobs($1, 7)', [`worker-${number}`]);
                if (jobs.length === 0) return mine;
                assert.ok(jobs.every((job) => job.locked_by === `worker-${number}` && job.attempts === 1));
                mine.push(...jobs.map((job) => job.id));
            }
        }),
    );
    assert.equal(claimed.flat().length, 200);
    assert.equal(new Set(claimed.flat()).size, 200);
});

test('claim_jobs: a lease that ran out brings the job back until its attempts are used up', async () => {
    await rows('TRUNCATE edge.jobs');
    await enqueue(1, { max_attempts: 2 });
    const claim = () => rows("SELECT attempts FROM claim_jobs('w', 1, '1 hour')");
    const expire = () => rows("UPDATE edge.jobs SET locked_until = now() - interval '1 second'");
    assert.deepEqual(await claim(), [{ attempts: 1 }]);
    assert.deepEqual(await claim(), []);
    await expire();
    assert.deepEqual(await claim(), [{ attempts: 2 }]);
    await expire();
    assert.deepEqual(await claim(), []);
    const [job] = await rows('SELECT finished_at IS NOT NULL AS finished, last_error FROM edge.jobs');
    assert.deepEqual(job, { finished: true, last_error: 'worker "w" stopped during the last attempt' });
});

test('claim_jobs: a finished job stays finished', async () => {
    await rows('TRUNCATE edge.jobs');
    await enqueue(1, { finished_at: new Date() });
    assert.deepEqual(await rows("SELECT id FROM claim_jobs('w')"), []);
});

test('purge_expired removes what has had its time and nothing else', async () => {
    await rows('TRUNCATE edge.jobs, edge.webhook_events, edge.oauth_states, edge.idempotency_keys, edge.leases, edge.cron_runs');
    await rows('DELETE FROM public.graph_context_cache');
    await rows(`INSERT INTO edge.oauth_states (state, user_id, service_name, expires_at)
        VALUES ('old', 'user_a', 'zoom', now() - interval '1 minute'), ('live', 'user_a', 'zoom', now() + interval '1 minute')`);
    await rows(`INSERT INTO edge.webhook_events (provider, event_id, received_at)
        VALUES ('clerk', 'old', now() - interval '31 days'), ('clerk', 'recent', now() - interval '29 days')`);
    await rows(`INSERT INTO edge.idempotency_keys (scope, user_id, key, request_hash, expires_at)
        VALUES ('s', 'user_a', 'old', '', now() - interval '1 second'), ('s', 'user_a', 'live', '', now() + interval '1 hour')`);
    await rows(`INSERT INTO edge.leases VALUES ('old', 'h', now() - interval '2 days'), ('live', 'h', now())`);
    await rows(`INSERT INTO edge.cron_runs (function, scheduled_for)
        VALUES ('f', now() - interval '31 days'), ('f', now())`);
    await rows(`INSERT INTO edge.jobs (function, finished_at) VALUES ('f', now() - interval '8 days'), ('f', now()), ('f', NULL)`);
    await rows(`INSERT INTO public.graph_context_cache (user_id, context, expires_at)
        VALUES ('user_a', '{}', now() - interval '31 days'), ('user_b', '{}', now() - interval '1 hour')`);
    await as(db.owner, service, async (query) => {
        const first = (await query('SELECT * FROM purge_expired()')).rows;
        assert.equal(first.length, 7);
        for (const { purged_table: table, deleted } of first) assert.equal(Number(deleted), 1, table);
        assert.ok((await query('SELECT deleted FROM purge_expired()')).rows.every((row) => Number(row.deleted) === 0));
        assert.equal((await query("SELECT FROM public.graph_context_cache WHERE user_id = 'user_b'")).rowCount, 1);
    });
});

test('purge_expired deletes at most as many rows a table as it is told', async () => {
    await rows('TRUNCATE edge.webhook_events');
    await rows(`INSERT INTO edge.webhook_events (provider, event_id, received_at)
        SELECT 'clerk', i::text, now() - interval '60 days' FROM generate_series(1, 25) AS i`);
    const purge = async () =>
        Number((await rows('SELECT * FROM purge_expired(10)')).find((row) => row.purged_table === 'edge.webhook_events').deleted);
    assert.deepEqual([await purge(), await purge(), await purge(), await purge()], [10, 10, 5, 0]);
});

test('a deleted profile takes its rows and its open sign-in flows with it', async () => {
    await rows("INSERT INTO public.profiles (id) VALUES ('user_gone')");
    await rows("INSERT INTO public.goals (user_id, title, goal_type) VALUES ('user_gone', 'g', 'custom')");
    await rows("INSERT INTO edge.oauth_states (state, user_id, service_name) VALUES ('gone', 'user_gone', 'zoom')");
    await rows("DELETE FROM public.profiles WHERE id = 'user_gone'");
    const [left] = await rows(`SELECT
        (SELECT count(*)::integer FROM public.goals WHERE user_id = 'user_gone') AS goals,
        (SELECT count(*)::integer FROM edge.oauth_states WHERE user_id = 'user_gone') AS states`);
    assert.deepEqual(left, { goals: 0, states: 0 });
});

test('two webhooks with one event id: one is new', async () => {
    const insert = `INSERT INTO edge.webhook_events (provider, event_id) VALUES ('clerk', 'once')
        ON CONFLICT DO NOTHING RETURNING status, attempts`;
    assert.deepEqual(await rows(insert), [{ status: 'processed', attempts: 1 }]);
    assert.deepEqual(await rows(insert), []);
});

test('idempotency keys: the caller\'s own, once, and replayed', async () => {
    const claim = (query, hash = 'a', owner = 'user_b') =>
        query('SELECT outcome, status, response FROM edge.claim_idempotency_key($1, $2, $3, $4)', ['create', owner, 'key-1', Buffer.from(hash)])
            .then((result) => result.rows[0]);
    const keep = (query) => query(`SELECT edge.keep_idempotent_response('create', 'user_b', 'key-1', 200, '{"id": 1}')`);
    const fresh = { outcome: 'new', status: null, response: null };
    const kept = { outcome: 'replay', status: 200, response: { id: 1 } };

    await as(db.owner, user('user_a'), async (query) => assert.deepEqual(await claim(query), fresh, 'rolled back'));
    await commitAs(db.owner, user('user_a'), async (query) => {
        assert.deepEqual(await claim(query), fresh);
        await keep(query);
    });
    await as(db.owner, user('user_a'), async (query) => {
        assert.deepEqual(await claim(query), kept);
        assert.equal((await claim(query, 'b')).outcome, 'conflict');
        await query(`SELECT edge.keep_idempotent_response('create', 'user_a', 'key-1', 500, '{}')`);
        assert.deepEqual(await claim(query), kept, 'what was answered stays');
    });
    await as(db.owner, user('user_b'), async (query) => assert.deepEqual(await claim(query, 'a', 'user_a'), fresh, 'the owner is the caller'));
    await commitAs(db.owner, service, async (query) => assert.deepEqual(await claim(query), fresh, 'the service names the owner'));
    await rows("UPDATE edge.idempotency_keys SET expires_at = now() WHERE user_id = 'user_a'");
    await as(db.owner, user('user_a'), async (query) => assert.deepEqual(await claim(query, 'b'), fresh, 'expired'));
});
