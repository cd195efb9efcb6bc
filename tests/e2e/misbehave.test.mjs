/*
 * Functions that misbehave while hundreds of others are in flight on their worker: their caller gets the error that
 * names what was wrong, the others finish, and the log says who it was.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { residentBytes, underSanitizers, workers } from '../sdk/plugin_host.mjs';
import { buildDirectory } from '../support/config.mjs';
import { eventually, sleep, startHost } from '../support/host.mjs';

const options = { timeout: 120000 };
const faults = { ...options, skip: underSanitizers || process.env.ASAN_OPTIONS ? 'the sanitizers report faults' : false };
const OTHERS = underSanitizers ? 100 : 500;
const MIB = 1024 * 1024;
const memoryMib = 128;

const start = (server) =>
    startHost({
        sandbox: false,
        readyPath: '/_edge/live',
        server: {
            plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, drain_timeout: '10s', crash_limit: 0, cpu_limit: '400ms',
            worker_memory: `${memoryMib}MiB`, ...server,
        },
        functions: {
            hello: { auth: 'public' }, slow: { auth: 'public' }, crash: { auth: 'public' },
            hoard: { auth: 'public', memory: '4MiB', timeout: '60s' },
        },
    });

/* On a connection of its own, as each of hundreds of callers has one; { status, body }. */
function post(host, name, body, sent = []) {
    const { promise, resolve, reject } = deferred();
    const written = deferred();
    sent.push(written.promise);
    const request = http.request(`${host.url}/functions/v1/${name}`, { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } });
    request.on('error', reject).on('response', async (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece) => (text += piece)).on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode, body: JSON.parse(text) }));
    });
    request.on('finish', written.resolve).on('close', written.resolve);
    request.end(JSON.stringify(body));
    return promise;
}

/* The text of a GET; null when the connection fails, as one to a worker that ends may. */
const get = (url) =>
    new Promise((resolve) =>
        http.get(url, { agent: false }, (answer) => {
            let text = '';
            answer.setEncoding('utf8').on('data', (piece) => (text += piece)).on('end', () => resolve(text)).on('error', () => resolve(null));
        }).on('error', () => resolve(null)));

function deferred() {
    const parts = {};
    parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
    return parts;
}

/* Fibers of all workers, as they were within the last second. */
async function fibers(host) {
    const text = (await get(`${host.url}/_edge/metrics`)) ?? '';
    return [...text.matchAll(/^edge_fibers\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/*
 * Others that wait on the worker, all of them in flight: their answers. Those that are to finish have the two seconds
 * that a worker gives them after a crash; they are sent, and a moment later a request behind them is served.
 */
async function crowd(host, ms = 1000) {
    const sent = [];
    const answers = Array.from({ length: OTHERS }, () => post(host, 'slow', { ms }, sent).catch((error) => ({ status: String(error) })));
    await Promise.all(sent);
    if (ms > 5000) await eventually(async () => (await fibers(host)) >= OTHERS, 'all of them to wait', 30000);
    else await sleep(300);
    return answers;
}

async function allEndWith(answers, status, code) {
    const ended = await Promise.all(answers);
    const tally = {};
    for (const { status: one, body } of ended) {
        const key = `${one} ${body?.code ?? ''}`.trim();
        tally[key] = (tally[key] ?? 0) + 1;
    }
    assert.deepEqual(tally, { [`${status} ${code ?? ''}`.trim()]: OTHERS });
}

describe('misbehave: one of hundreds on a worker', options, () => {
    let host;
    before(async () => (host = await start()), options);
    after(() => host?.stop({ crashes: true }), options);

    /* What the function does, and what its caller is told. */
    const told = async (name, how, status, code) => {
        const answer = await post(host, name, { how });
        assert.equal(answer.status, status);
        assert.equal(answer.body.code, code);
        assert.match(answer.body.requestId, /^[0-9a-f-]{36}$/);
        return answer.body;
    };

    const crashes = { null: 'SEGV', overflow: 'SEGV' };
    for (const [how, signal] of Object.entries(crashes))
        it(`${how}: they all finish`, faults, async () => {
            const others = await crowd(host);
            const { requestId } = await told('crash', how, 500, 'function_crashed');
            await allEndWith(others, 200);
            const line = await host.logged((entry) => entry.event === 'function_crashed' && entry.requestId === requestId);
            assert.equal(line.signal, signal);
            assert.match(line.generation, /^[0-9a-f]{40}$/);
            assert.equal((await post(host, 'hello', {})).status, 200);
        });

    it('a loop without an end: they all finish', faults, async () => {
        const others = await crowd(host);
        const { requestId } = await told('crash', 'spin', 500, 'cpu_limit');
        await allEndWith(others, 200);
        await host.logged((entry) => entry.event === 'function_hung' && entry.requestId === requestId);
    });

    it('a double free: they all get 503 worker_lost', faults, async () => {
        const others = await crowd(host, 20000);
        const { requestId } = await told('crash', 'double_free', 500, 'function_crashed');
        await allEndWith(others, 503, 'worker_lost');
        const line = await host.logged((entry) => entry.event === 'function_crashed' && entry.requestId === requestId);
        assert.equal(line.function, 'crash');
        await eventually(async () => (await post(host, 'hello', {}).catch(() => null))?.status === 200, 'another worker');
    });

    it('its memory, a value and an answer without an end: 500 memory_limit, and they all finish', options, async () => {
        const others = await crowd(host);
        for (const how of ['arena', 'json', 'giant']) {
            const { error, requestId } = await told('hoard', how, 500, 'memory_limit');
            assert.match(error, /bytes used, \d+ more asked for, 4194304 allowed/);
            const line = await host.logged((entry) => entry.event === 'invocation' && entry.requestId === requestId);
            assert.equal(line.code, 'memory_limit');
            assert.match(line.generation, /^[0-9a-f]{40}$/);
        }
        await allEndWith(others, 200);
    });

    it('malloc without an end: it fails at worker_memory, they all finish, another worker takes over', faults, async () => {
        const others = await crowd(host);
        const [pid] = workers(host);
        const { status, body } = await post(host, 'hoard', { how: 'malloc' });
        assert.equal(status, 200);
        assert.ok(body.bytes > memoryMib * MIB * 0.5 && body.bytes <= memoryMib * MIB, `${body.bytes}`);
        assert.ok(residentBytes(pid) < (memoryMib + 100) * MIB);
        const line = await host.logged((entry) => entry.event === 'worker_memory');
        assert.equal(line.limitBytes, memoryMib * MIB);
        assert.ok(line.bytes > memoryMib * MIB * 0.85);
        await allEndWith(others, 200);
        await eventually(() => !workers(host).includes(pid), 'the full worker to end');
        assert.equal((await post(host, 'hello', {})).status, 200);
    });

    it('malloc without an end or a check: it crashes, they all finish', faults, async () => {
        const others = await crowd(host);
        await told('hoard', 'malloc_crash', 500, 'function_crashed');
        await allEndWith(others, 200);
    });
});

describe('misbehave: an answer without an end', options, () => {
    let host;
    before(async () => (host = await start({ write_timeout: '60s' })), options);
    after(() => host?.stop(), options);

    it('a stream of 4 GiB to a reader that stops: the worker keeps little of it, and ends it with the reader', options, async () => {
        const [pid] = workers(host);
        const socket = net.connect(host.port, '127.0.0.1');
        socket.write('POST /functions/v1/hoard HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"how":"stream"}');
        await new Promise((resolve) => socket.once('data', resolve));
        const before = residentBytes(pid);
        let received = 0;
        socket.on('data', (data) => (received += data.length));
        await eventually(() => received > 32 * MIB, 'a part of it', 30000);
        socket.pause();
        await sleep(500);
        assert.ok(residentBytes(pid) - before < 16 * MIB, `${residentBytes(pid) - before}`);
        assert.equal((await post(host, 'hello', {})).status, 200);
        socket.destroy();
        const line = await host.logged((entry) => entry.event === 'invocation' && entry.function === 'hoard');
        assert.equal(line.code, 'client_gone');
        assert.ok(line.bytesOut < 2 ** 30);
    });
});

describe('misbehave: the other workers', faults, () => {
    let host;
    before(async () => (host = await start({ workers: 2 })), faults);
    after(() => host?.stop({ crashes: true }), faults);

    it('serve all along, whatever happens to one of them', faults, async () => {
        let served = 0, over = false;
        const failures = [];
        /* A connection to a worker that ends at once may be gone before its request is; a client makes another. */
        const ask = () => post(host, 'hello', {}).catch((error) => ({ status: error.code }));
        const probe = async () => {
            while (!over) {
                let answer = await ask();
                if (answer.status === 'ECONNRESET' || answer.body?.code === 'worker_lost') answer = await ask();
                if (answer.status === 200) served++;
                else failures.push(answer);
                await sleep(5);
            }
        };
        const probes = Array.from({ length: 4 }, probe);
        for (const how of ['null', 'overflow', 'spin', 'double_free', 'jump', 'abort']) {
            const before = served;
            assert.equal((await post(host, 'crash', { how })).status, 500);
            await eventually(() => served > before + 20, 'the others to serve on');
            await eventually(() => workers(host).length >= 2, 'a new one');
        }
        over = true;
        await Promise.all(probes);
        assert.deepEqual(failures, []);
    });
});
