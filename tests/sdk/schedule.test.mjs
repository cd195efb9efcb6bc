/*
 * Schedules: every due minute once, over any number of hosts, one of which is killed; by a clock that runs faster.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { eventually, sleep, startHost } from '../support/host.mjs';
import { pluginHost, startTraces } from '../support/traces.mjs';

const options = { timeout: 280000 };
const PATIENCE = 120000;
let database;

before(async () => (database = await startTraces()), options);
beforeEach(() => database.rows('TRUNCATE edge.traces, edge.cron_runs; DELETE FROM edge.jobs'), options);
after(() => database?.stop(), options);

/* A clock that shows start (UTC) now and runs at a rate; the same text for every host. */
const clock = (start, rate) => `${Date.parse(start) / 1000},${Date.now() / 1000},${rate}`;

const start = (schedules, time, more = {}) =>
    startHost({
        ...pluginHost(schedules, { server: { workers: 2, job_lease: '5s', drain_timeout: '30s', ...more } }),
        env: { EDGE_TEST_SCHEDULE_CLOCK: time },
        database: database.url,
    });

const scheduled = (settings) => ({ auth: 'service', plugin: 'schedule_run', ...settings });

const minutes = async (name) =>
    (await database.rows('SELECT scheduled_for FROM edge.cron_runs WHERE function = $1 ORDER BY 1', [name])).map((row) =>
        row.scheduled_for.toISOString().slice(11, 16),
    );

test('three hosts, ten minutes, one host killed: each firing exactly once', options, async () => {
    const schedules = {
        each: scheduled({ schedule: '* * * * *', catch_up: true }),
        odd: scheduled({ schedule: '1-59/2 * * * *', catch_up: true }),
        local: scheduled({ schedule: '5 1 * * *', timezone: 'America/New_York', catch_up: true }),
        never: scheduled({ schedule: '0 0 1 1 *' }),
    };
    /* The clock is set back at 06:00: 01:05 comes twice, 05:05 and 06:05 UTC. */
    const time = clock('2026-11-01T05:58:05Z', 24);
    const hosts = await Promise.all([start(schedules, time), start(schedules, time), start(schedules, time)]);
    try {
        await eventually(async () => (await minutes('each')).length >= 4, 'some firings', PATIENCE);
        process.kill(hosts[0].child.pid, 'SIGKILL');
        await eventually(async () => (await minutes('each')).length >= 12, 'twelve minutes', PATIENCE);
    } finally {
        await Promise.all(hosts.slice(1).map((host) => host.stop()));
    }
    /* What the dead host has left, and what came due while the others stopped. */
    const last = await start({ ...schedules, each: scheduled({}), odd: scheduled({}), local: scheduled({}) }, time);
    try {
        await eventually(async () => (await database.count('edge.jobs WHERE finished_at IS NULL')) === 0, 'no job to be left', PATIENCE);
    } finally {
        await last.stop();
    }

    const each = await minutes('each');
    const from = Date.parse('2026-11-01T05:58:00Z');
    assert.deepEqual(each, each.map((_, i) => new Date(from + i * 60000).toISOString().slice(11, 16)), 'no minute is missing');
    assert.deepEqual(await minutes('odd'), each.filter((minute) => Number(minute.slice(3)) % 2 === 1));
    assert.deepEqual(await minutes('local'), [], 'the first 01:05 was before all this');
    assert.deepEqual(await minutes('never'), []);

    const runs = await database.row(`
        SELECT count(*) AS runs, count(*) FILTER (WHERE outcome = 'succeeded' AND finished_at IS NOT NULL) AS done
        FROM edge.cron_runs`);
    assert.equal(runs.done, runs.runs);
    assert.equal(await database.count('edge.jobs'), Number(runs.runs), 'one job a firing');
    assert.equal(await database.count("edge.jobs WHERE last_error IS NOT NULL"), 0);
    assert.equal(await database.count('edge.traces'), Number(runs.runs), 'each firing ran to its end once');
    assert.equal(await database.count(`edge.traces WHERE caller <> 2 OR body <> '{}' OR acting_user IS NOT NULL`), 0);
});

test('missed minutes are caught up or skipped, as the function says', options, async () => {
    const schedules = {
        late: scheduled({ schedule: '*/10 * * * *', catch_up: true }),
        skips: scheduled({ schedule: '*/10 * * * *' }),
        fresh: scheduled({ schedule: '*/10 * * * *', catch_up: true }),
        floods: scheduled({ schedule: '* * * * *', catch_up: true }),
    };
    for (const name of ['late', 'skips', 'floods'])
        await database.rows(`INSERT INTO edge.cron_runs (function, scheduled_for) VALUES ($1, '2026-05-01T11:00:00Z')`, [name]);
    const host = await start(schedules, clock('2026-05-01T12:34:10Z', 1));
    try {
        await eventually(async () => (await minutes('late')).length === 10, 'the missed ones', PATIENCE);
        assert.deepEqual(await minutes('late'), ['11:00', '11:10', '11:20', '11:30', '11:40', '11:50', '12:00', '12:10', '12:20', '12:30']);
        assert.deepEqual(await minutes('skips'), ['11:00']);
        assert.deepEqual(await minutes('fresh'), [], 'nothing was missed before the first firing');
        await eventually(async () => (await minutes('floods')).length >= 61, 'the newest sixty', PATIENCE);
        assert.equal((await minutes('floods'))[1] >= '11:35', true, 'a catch-up is bounded');
    } finally {
        await host.stop();
    }
});

test('local times over a change of the clock', options, async () => {
    const schedules = {
        skipped: scheduled({ schedule: '30 2 * * *', timezone: 'America/New_York', catch_up: true }),
        hourly: scheduled({ schedule: '30 * * * *', timezone: 'America/New_York', catch_up: true }),
    };
    for (const name of Object.keys(schedules))
        await database.rows(`INSERT INTO edge.cron_runs (function, scheduled_for) VALUES ($1, '2026-03-08T05:00:00Z')`, [name]);
    const host = await start(schedules, clock('2026-03-08T09:10:00Z', 1));
    try {
        await eventually(async () => (await minutes('hourly')).length === 5, 'the hourly ones', PATIENCE);
        assert.deepEqual(await minutes('hourly'), ['05:00', '05:30', '06:30', '07:30', '08:30']);
        await eventually(async () => (await minutes('skipped')).length === 2, 'the skipped one', PATIENCE);
        assert.deepEqual(await minutes('skipped'), ['05:00', '07:00']);
    } finally {
        await host.stop();
    }
});

test('a scheduled run that fails is recorded and not repeated', options, async () => {
    const host = await start({ failing: { auth: 'user', plugin: 'schedule_run', schedule: '* * * * *' } }, clock('2026-05-01T12:00:30Z', 1));
    try {
        const run = await eventually(() => database.row('SELECT * FROM edge.cron_runs WHERE finished_at IS NOT NULL'), 'the run', PATIENCE);
        assert.equal(run.outcome, 'failed');
        assert.match(run.error, /^403 forbidden/);
        await sleep(200);
        assert.equal(await database.count('edge.jobs WHERE attempts = 1'), await database.count('edge.jobs'));
    } finally {
        await host.stop();
    }
});

test('without development there is no other clock', options, async () => {
    const time = clock('2001-01-01T00:00:30Z', 1);
    const host = await startHost({
        ...pluginHost({ each: scheduled({ schedule: '* * * * *' }) }),
        env: { EDGE_TEST_SCHEDULE_CLOCK: time, EDGE_SANDBOX: '0' },
        database: database.url,
    });
    try {
        const run = await eventually(() => database.row('SELECT * FROM edge.cron_runs'), 'a firing', PATIENCE);
        assert.ok(run.scheduled_for.getUTCFullYear() >= 2025);
    } finally {
        await host.stop();
    }
});
