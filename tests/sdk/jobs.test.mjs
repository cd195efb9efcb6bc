/*
 * Durable jobs: edge_enqueue, the queue's runner, and `edge jobs`.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { post } from '../support/clients.mjs';
import { buildDirectory } from '../support/config.mjs';
import { eventually, startHost } from '../support/host.mjs';
import { mint } from '../support/tokens.mjs';
import { pluginHost, startTraces } from '../support/traces.mjs';

const options = { timeout: 120000 };
const PATIENCE = 60000;
const sanitized = process.env.ASAN_OPTIONS || /asan/.test(buildDirectory);
const USER = 'user_jobs';
let database, host, token;

const functions = {
    job_add: { auth: 'user' },
    job_work: { auth: 'service', timeout: '60s' },
    refusing: { auth: 'user', plugin: 'job_work' },
};
const start = (more = {}) =>
    startHost({
        ...pluginHost(functions, { server: { job_lease: '5s', drain_timeout: '30s', ...more } }),
        database: database.url,
    });

before(async () => {
    database = await startTraces();
    await database.rows("INSERT INTO profiles (id, email) VALUES ($1, 'jobs@example.com')", [USER]);
    token = await mint(USER);
    host = await start();
}, options);
beforeEach(() => database.rows('TRUNCATE edge.traces; DELETE FROM edge.jobs; DELETE FROM edge.idempotency_keys'), options);
after(async () => {
    await host?.stop();
    await database?.stop();
}, options);

async function add(body, on = host) {
    const answer = await post(on, 'job_add', { token, body: { name: 'job_work', ...body } });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
}

const job = (id) => database.row('SELECT * FROM edge.jobs WHERE id = $1', [id]);
const finished = (id) =>
    eventually(async () => {
        const row = await job(id);
        return row?.finished_at ? row : null;
    }, `job ${id} to finish`, PATIENCE);

function edge(...args) {
    return new Promise((resolve) =>
        execFile(path.join(buildDirectory, 'edge'), ['jobs', ...args, '--config', path.join(host.directory, 'functions.toml')],
            { env: { ...process.env, DATABASE_URL: database.url } },
            (error, out, err) => resolve({ status: error ? error.code : 0, out, err })));
}

test('a job runs once, as the service, with its payload and its acting user', options, async () => {
    const { id } = await add({ payload: { label: 'one', userId: USER } });
    assert.ok(id > 0);
    const row = await finished(id);
    assert.deepEqual([row.attempts, row.last_error, row.locked_by], [1, null, null]);
    const traces = await database.rows('SELECT * FROM edge.traces');
    assert.equal(traces.length, 1);
    assert.deepEqual([traces[0].label, traces[0].caller, traces[0].acting_user], ['one', 2, USER]);
    await host.logged((line) => line.event === 'job_succeeded' && line.job === Number(id));
});

test('in a transaction it is there when that commits, and the role is the caller\'s again', options, async () => {
    const kept = await add({ payload: { label: 'kept' }, tx: 'commit' });
    const undone = await add({ payload: { label: 'undone' }, tx: 'rollback' });
    assert.equal(kept.role, 'authenticated');
    await finished(kept.id);
    assert.equal(await job(undone.id), undefined);
    assert.equal(await database.count("edge.traces WHERE label = 'undone'"), 0);
});

test('a key adds a job once, also in transactions', options, async () => {
    const first = await add({ payload: { label: 'keyed' }, key: 'k/1' });
    assert.ok(first.id > 0);
    assert.equal((await add({ payload: { label: 'keyed' }, key: 'k/1' })).id, 0);
    assert.equal((await add({ payload: { label: 'keyed' }, key: 'k/1', tx: 'commit' })).id, 0);
    const undone = await add({ payload: { label: 'other' }, key: 'k/2', tx: 'rollback' });
    assert.ok(undone.id > 0);
    assert.ok((await add({ payload: { label: 'other' }, key: 'k/2' })).id > 0);
    await finished(first.id);
    assert.equal(await database.count("edge.traces WHERE label = 'keyed'"), 1);
});

test('bad jobs are the function\'s mistake', options, async () => {
    for (const body of [{ payload: [1] }, { key: 'x'.repeat(201) }]) {
        const { status } = await post(host, 'job_add', { token, body: { name: 'job_work', ...body } });
        assert.equal(status, 500);
    }
});

test('a delay is waited for', options, async () => {
    const { id } = await add({ payload: { label: 'late' }, delay: 1500 });
    const row = await finished(id);
    assert.ok(row.finished_at - row.created_at >= 1500);
});

test('a failure is tried again, and its success ends it', options, async () => {
    const { id } = await add({ payload: { label: 'again', fail: 503, failures: 1 } });
    const row = await finished(id);
    assert.deepEqual([row.attempts, row.last_error], [2, null]);
    const [first, second] = await database.rows("SELECT * FROM edge.traces WHERE label = 'again' ORDER BY id");
    assert.ok(second.began_at - first.began_at >= 1400, 'backoff');
});

test('a dead letter keeps its error; list, retry and drop', options, async () => {
    const { id } = await add({ payload: { label: 'dead', fail: 500, failures: 2 }, attempts: 2 });
    const row = await finished(id);
    assert.deepEqual([row.attempts, row.last_error], [2, '500 asked_for: Failing as asked']);
    await host.logged((line) => line.event === 'job_dead' && line.job === Number(id));

    const listed = JSON.parse((await edge('list', '--state', 'dead', '--json')).out);
    assert.deepEqual(listed.map((one) => [one.id, one.function, one.state, one.attempts, one.payload.label]), [[Number(id), 'job_work', 'dead', 2, 'dead']]);
    assert.match((await edge('list', '--state', 'dead')).out, /job_work +dead +2\/2 .*Failing as asked/);

    assert.equal((await edge('retry', id.toString())).out, '1 retried\n');
    await eventually(async () => (await job(id)).last_error === null && (await job(id)).finished_at, 'the retry', PATIENCE);

    const other = await add({ payload: { fail: 422 }, name: 'refusing' });
    const refused = await finished(other.id);
    assert.equal(refused.attempts, 1, 'a refusal is not repeated');
    assert.match(refused.last_error, /^403 forbidden/);
    assert.equal((await edge('drop', '--dead', '--json')).out, '{"dropped": 1}\n');
    assert.equal(await job(other.id), undefined);

    assert.equal((await edge('drop', '999999')).status, 1);
    assert.equal((await edge('drop')).status, 2);
    assert.equal((await edge('retry', 'x')).status, 2);
    assert.equal((await edge('nothing')).status, 2);
    assert.equal((await edge('list', '--state', 'odd')).status, 2);
});

test('a running job can be neither retried nor dropped', options, async () => {
    const { id } = await add({ payload: { label: 'busy', ms: 2000 } });
    await eventually(() => database.count("edge.traces WHERE label = 'busy'"), 'it to begin', PATIENCE);
    assert.equal((await edge('drop', id.toString())).status, 1);
    assert.equal((await edge('retry', id.toString())).status, 1);
    await finished(id);
    assert.equal(await database.count('edge.traces'), 1);
});

test('a function that nobody serves: the job waits, without losing attempts', options, async () => {
    const { id } = await add({ name: 'appears_later', payload: {} });
    const row = await eventually(async () => ((await job(id)).last_error ? job(id) : null), 'a look', PATIENCE);
    assert.deepEqual([row.attempts, row.finished_at, row.locked_by], [0, null, null]);
    assert.match(row.last_error, /function_not_found/);
});

test('a long job keeps its lease: nobody else begins it', options, async () => {
    const other = await start();
    try {
        const { id } = await add({ payload: { label: 'long', ms: 6500 } });
        const row = await finished(id);
        assert.equal(row.attempts, 1);
        assert.equal(await database.count("edge.traces WHERE label = 'long'"), 1);
    } finally {
        await other.stop();
    }
});

test('a worker runs so many at a time', options, async () => {
    await add({ payload: { label: 'many', ms: 300 }, count: 60 });
    await eventually(async () => (await database.count("edge.traces WHERE label = 'many' AND ended_at IS NOT NULL")) === 60, 'all', PATIENCE);
    const { most } = await database.row(`
        SELECT max(n) AS most FROM (SELECT (SELECT count(*) FROM edge.traces AS b
            WHERE b.began_at <= a.began_at AND b.ended_at > a.began_at) AS n FROM edge.traces AS a) AS x`);
    assert.ok(Number(most) <= 8, `${most} at once on two workers of four`);
    assert.equal(await database.count("edge.jobs WHERE finished_at IS NULL OR attempts <> 1"), 0);
});

test('a stop finishes what runs and takes no more', options, async () => {
    const other = await start({ workers: 1, jobs: 1 });
    await host.stop();
    try {
        await add({ payload: { label: 'stop', ms: 1500 }, count: 3 }, other);
        await eventually(() => database.count("edge.traces WHERE label = 'stop'"), 'the first', PATIENCE);
    } finally {
        await other.stop();
    }
    assert.equal(await database.count("edge.traces WHERE ended_at IS NULL"), 0);
    assert.ok((await database.count("edge.jobs WHERE finished_at IS NULL AND locked_by IS NULL")) >= 1);
    host = await start();
    await eventually(async () => (await database.count("edge.traces WHERE ended_at IS NOT NULL")) === 3, 'the rest', PATIENCE);
});

test('a job that outlasts drain_timeout comes back', options, async () => {
    const other = await start({ workers: 1, drain_timeout: '200ms' });
    await host.stop();
    const { id } = await add({ payload: { label: 'cut', ms: 3000 } }, other);
    await eventually(() => database.count("edge.traces WHERE label = 'cut'"), 'it to begin', PATIENCE);
    await other.stop();
    host = await start();
    assert.deepEqual([(await job(id)).finished_at, (await job(id)).attempts], [null, 1]);
    const row = await finished(id);
    assert.deepEqual([row.attempts, row.last_error], [2, null]);
    assert.equal(await database.count("edge.traces WHERE label = 'cut' AND ended_at IS NOT NULL"), 1);
});

test('the jobs of a host that is killed are done by another one', options, async () => {
    const other = await start();
    const ids = [];
    for (let i = 0; i < 12; i++) ids.push((await add({ payload: { label: `k${i}`, ms: 2000 } }, i % 2 ? host : other)).id);
    await eventually(async () => (await database.count('edge.traces')) >= 8, 'them to begin', PATIENCE);
    process.kill(other.child.pid, 'SIGKILL');
    for (const id of ids) await finished(id);
    assert.equal(await database.count("edge.jobs WHERE last_error IS NOT NULL"), 0);
    for (let i = 0; i < 12; i++) assert.equal(await database.count('edge.traces WHERE label = $1 AND ended_at IS NOT NULL', [`k${i}`]), 1);
});

test('a job that crashes its worker is tried again, and not for ever', { ...options, skip: sanitized ? 'the sanitizers report faults' : false }, async () => {
    const other = await startHost({
        ...pluginHost({ ...functions, crash: { auth: 'service' } }, { server: { job_lease: '5s' } }),
        database: database.url,
    });
    try {
        const { id } = await add({ name: 'crash', payload: { how: 'null' }, attempts: 2 }, other);
        const row = await finished(id);
        assert.equal(row.attempts, 2);
        assert.match(row.last_error, /function_crashed|stopped during the last attempt/);
        const { id: next } = await add({ payload: { label: 'after' } }, other);
        assert.equal((await finished(next)).last_error, null);
    } finally {
        await other.stop({ crashes: true });
    }
});

test('counters', options, async () => {
    const { id } = await add({ payload: { label: 'counted' } });
    await finished(id);
    await eventually(async () => {
        const text = await (await fetch(`${host.url}/_edge/metrics`)).text();
        return Number(/^edge_jobs_succeeded_total (\d+)$/m.exec(text)?.[1]) >= 1;
    }, 'the counter', PATIENCE);
});
