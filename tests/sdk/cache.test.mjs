/*
 * The cache through functions: single flight, and deletes that reach every worker of every host of one database.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startDatabase } from '../support/data.mjs';
import { eventually } from '../support/host.mjs';
import { call, startPluginHost } from './plugin_host.mjs';

const options = { timeout: 120000 };
let database, one, two;

before(async () => {
    database = await startDatabase();
    [one, two] = await Promise.all([startPair(), startPair()]);
}, options);

after(async () => {
    await Promise.all([one?.stop(), two?.stop()]);
    await database?.stop();
}, options);

function startPair(env = {}) {
    return startPluginHost('cache_ops', { database: database.url, server: { workers: 2 }, env });
}

const ops = (host, body) => call(host, 'cache_ops', body, { headers: { connection: 'close' } });
async function ask(host, body) {
    const answer = await ops(host, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
}

/* Asks until each of the host's two workers has answered; by worker. */
async function everywhere(host, body) {
    const found = new Map();
    await eventually(async () => {
        const { worker, result } = await ask(host, body);
        found.set(worker, result);
        return found.size === 2;
    }, 'both workers to answer');
    return [...found.values()];
}

/* Puts until both workers of both hosts hold it: a worker keeps nothing before it can hear. */
const spread = (key, value) =>
    eventually(async () => {
        for (const host of [one, two]) await everywhere(host, { op: 'put', key, value, ttl: 600000 });
        const held = (await Promise.all([one, two].map((host) => everywhere(host, { op: 'get', key })))).flat();
        return held.every((found) => JSON.stringify(found) === JSON.stringify(value));
    }, 'all workers to hold the value');

const gone = (key, ms) =>
    eventually(async () => {
        const held = (await Promise.all([one, two].map((host) => everywhere(host, { op: 'get', key })))).flat();
        return held.every((found) => found === null);
    }, `${key} to be gone everywhere`, ms);

describe('cache', options, () => {
    it('a delete reaches all workers of all hosts', options, async () => {
        await spread('a', { n: 1 });
        await ask(one, { op: 'delete', key: 'a' });
        await gone('a');
    });

    it('a pattern, a common key, and SQL delete as well', options, async () => {
        await spread('user_a:x', [1]);
        await spread('/common', 'c');
        await spread('user_b:x', [2]);
        await ask(two, { op: 'delete', key: 'user_a:*' });
        await gone('user_a:x');
        await database.rows("SELECT pg_notify('edge_cache', '/common')");
        await gone('/common');
        assert.deepEqual((await everywhere(one, { op: 'get', key: 'user_b:x' }))[0], [2]);
        await database.rows("SELECT pg_notify('edge_cache', 'another:user_b:x')");
        await database.rows("SELECT pg_notify('edge_cache', 'cache_ops:user_b:' || '*')");
        await gone('user_b:x');
    });

    it('a worker that is cut off drops what others could delete, and hears again', options, async () => {
        await spread('b', 1);
        for (const host of [one, two]) await everywhere(host, { op: 'put', key: 'mine', value: 2, ttl: 600000, local: true });
        const { n } = await database.row("SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity WHERE application_name = 'edge cache' AND datname = current_database()");
        assert.equal(Number(n), 4);
        await gone('b');
        assert.deepEqual(await everywhere(one, { op: 'get', key: 'mine' }), [2, 2]);
        await spread('b', 2);
        await ask(one, { op: 'delete', key: 'b' });
        await gone('b');
    });

    it('one fiber makes the value, all others get it', options, async () => {
        const answers = await Promise.all(Array.from({ length: 40 }, () => ask(one, { op: 'claim', key: 'flight', value: { n: 7 }, ms: 500 })));
        for (const { result } of answers) assert.deepEqual(result.value, { n: 7 });
        const makers = answers.filter(({ result }) => result.made).map(({ worker }) => worker);
        assert.equal(makers.length, new Set(makers).size, 'a worker made it twice');
        const twins = await ask(one, { op: 'twins', key: 'twins', value: 1, ms: 50 });
        assert.equal(twins.result.filter(({ made }) => made).length, 1);
    });

    it('a maker that fails or goes away hands over', options, async () => {
        const failing = Array.from({ length: 6 }, () => ops(one, { op: 'claim', key: 'failing', value: 1, ms: 30, fail: true }));
        for (const { status } of await Promise.all(failing)) assert.equal(status, 409);

        const controllers = Array.from({ length: 6 }, () => new AbortController());
        const leaving = controllers.map(({ signal }) => call(one, 'cache_ops', { op: 'claim', key: 'leaving', value: 1, ms: 60000 }, { signal }).catch(() => 'gone'));
        await new Promise((resolve) => setTimeout(resolve, 300));
        const waiting = Array.from({ length: 6 }, () => ask(one, { op: 'claim', key: 'leaving', value: 2, ms: 10 }));
        for (const controller of controllers) controller.abort();
        for (const { result } of await Promise.all(waiting)) assert.equal(result.value, 2);
        assert.deepEqual(await Promise.all(leaving), Array(6).fill('gone'));
        await ask(one, { op: 'release', key: 'given up' });
        assert.equal((await ask(one, { op: 'claim', key: 'given up', value: 3 })).result.value, 3);
    });

    it('what is deleted while it is made is not kept', options, async () => {
        const made = await Promise.all([...Array(8)].map(() => ask(one, { op: 'claim', key: 'outdated', value: 1, ms: 1500 })).concat(
            new Promise((resolve) => setTimeout(resolve, 500)).then(() => ask(two, { op: 'delete', key: 'outdated' }))));
        assert.equal(made[0].result.value, 1);
        assert.deepEqual(await everywhere(one, { op: 'get', key: 'outdated' }), [null, null]);
    });

    it('values end with their time; large ones and bytes come back as they were', options, async () => {
        const value = { text: 'x'.repeat(100000), list: [1, 2.5, null, 'ü'] };
        await spread('large', value);
        await everywhere(one, { op: 'put', key: 'short', value: 1, ttl: 50 });
        await eventually(async () => (await everywhere(one, { op: 'get', key: 'short' })).every((found) => found === null), 'the value to end');
        const { result } = await ask(one, { op: 'bytes', key: 'bytes' });
        assert.deepEqual(result, { first: true, same: true, json: false });
        for (const key of ['', 'a*', 'x'.repeat(513), 'a\nb'])
            assert.equal((await ops(one, { op: 'get', key })).body.code, 'internal_error', key);
    });
});

it('the budget holds, whatever is put', options, async () => {
    const small = await startPair({ EDGE_CACHE_BYTES: '200000' });
    try {
        await eventually(async () => {
            await everywhere(small, { op: 'put', key: 'first', value: 1 });
            return (await everywhere(small, { op: 'get', key: 'first' })).every((found) => found === 1);
        }, 'the cache to be in use');
        const noise = (n) => Array.from({ length: 300 }, (_, i) => Math.sin(n * 1000 + i));
        for (let i = 0; i < 150; i++) await ask(small, { op: 'put', key: `k${i}`, value: noise(i) });
        assert.deepEqual(await everywhere(small, { op: 'get', key: 'k0' }), [null, null]);
        await ask(small, { op: 'put', key: 'too large', value: Array.from({ length: 10000 }, Math.random) });
        assert.deepEqual(await everywhere(small, { op: 'get', key: 'too large' }), [null, null]);
    } finally {
        await small.stop();
    }
});
