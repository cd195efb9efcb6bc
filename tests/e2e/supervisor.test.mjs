/*
 * The processes of a host: who is replaced when, and how all of it stops.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, describe, it } from 'node:test';

import { buildDirectory, root } from '../support/config.mjs';
import { eventually, sleep } from '../support/host.mjs';

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-supervisor-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const running = new Set();
afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
    running.clear();
});

function configFile(settings) {
    const file = path.join(scratch, 'functions.toml');
    const server = {
        listen: '127.0.0.1:0',
        workers: 2,
        plugins: path.join(buildDirectory, 'tests/plugins'),
        log_format: 'json',
        cpu_limit: '200ms',
        drain_timeout: '10s',
        ...settings,
    };
    const lines = Object.entries(server).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
    const functions = ['hello', 'slow', 'spin'].map((name) => `[functions.${name}]\nauth = "public"`);
    fs.writeFileSync(file, ['[server]', ...lines, ...functions, ''].join('\n'));
    return file;
}

function start(settings = {}) {
    const env = Object.fromEntries(
        Object.entries(process.env).filter(([name]) => /^(PATH|(ASAN|UBSAN|LSAN)_OPTIONS)$/.test(name)),
    );
    const child = spawn(path.join(buildDirectory, 'edge'), ['serve', '--config', configFile(settings)], {
        cwd: root,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    const host = { child, out: '', err: '' };
    child.stdout.on('data', (data) => (host.out += data));
    child.stderr.on('data', (data) => (host.err += data));
    host.exit = new Promise((resolve) =>
        child.on('close', (code, signal) => {
            running.delete(child);
            host.exited = true;
            resolve({ code, signal });
        }),
    );
    return host;
}

async function serve(settings) {
    const host = start(settings);
    await eventually(() => {
        assert.ok(!host.exited, `The host stopped while starting:\n${host.err}`);
        return host.out.includes('\n');
    }, 'the line that names the address', 30000);
    host.url = /^listening on (\S+)\n$/.exec(host.out)[1];
    return host;
}

const events = (host, event) =>
    host.err
        .split('\n')
        .filter((line) => line.includes(`"event":"${event}"`))
        .map((line) => JSON.parse(line));

const logged = (host, event) => eventually(() => events(host, event)[0], `${event} in:\n${host.err}`, 20000);

const call = (host, name, body = {}) =>
    fetch(`${host.url}/functions/v1/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify(body),
    });

const metrics = async (host) => (await fetch(`${host.url}/_edge/metrics`)).text();

const workers = (host) =>
    fs.readFileSync(`/proc/${host.child.pid}/task/${host.child.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

const alive = (pid) => {
    try {
        return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
        return false;
    }
};

const STOPPED = { code: 0, signal: null };

describe('start', { timeout: 120000 }, () => {
    it('prints the address of a free port once every worker accepts', async () => {
        const host = await serve();
        assert.match(host.url, /^http:\/\/127\.0\.0\.1:\d+$/);
        assert.equal(workers(host).length, 2);
        assert.equal((await call(host, 'hello')).status, 200);
        assert.equal((await logged(host, 'listening')).address, host.url.slice('http://'.length));
        host.child.kill('SIGTERM');
        assert.deepEqual(await host.exit, STOPPED, host.err);
    });

    it('says what to change when the address is taken', async () => {
        const taken = net.createServer().listen(0, '127.0.0.1');
        await new Promise((resolve) => taken.once('listening', resolve));
        const host = start({ listen: `127.0.0.1:${taken.address().port}` });
        assert.equal((await host.exit).code, 1);
        assert.match(host.err, /cannot listen on "127\.0\.0\.1:\d+": Address already in use\. .*--listen/);
        taken.close();
    });

    it('listens on a Unix socket and takes its file away again', async () => {
        const socketPath = path.join(scratch, 'socket');
        const host = await serve({ listen: `unix:${socketPath}` });
        assert.equal(host.url, `unix:${socketPath}`);
        const status = await new Promise((resolve, reject) =>
            http.get({ socketPath, path: '/_edge/live' }, (answer) => resolve(answer.resume().statusCode)).on('error', reject),
        );
        assert.equal(status, 200);
        host.child.kill('SIGTERM');
        assert.deepEqual(await host.exit, STOPPED, host.err);
        assert.ok(!fs.existsSync(socketPath));
    });
});

describe('replacement', { timeout: 120000 }, () => {
    it('starts another worker for one that was killed', async () => {
        const host = await serve();
        const before = workers(host);
        process.kill(before[0], 'SIGKILL');
        assert.equal((await logged(host, 'worker_died')).signal, 'KILL');
        await eventually(() => workers(host).filter((pid) => !before.includes(pid)).length === 1, 'a new worker');
        for (let i = 0; i < 20; i++) assert.equal((await call(host, 'hello')).status, 200);
        assert.match(await metrics(host), /^edge_worker_restarts_total 1$/m);
        host.child.kill('SIGTERM');
        assert.deepEqual(await host.exit, STOPPED, host.err);
    });

    for (const how of ['compute', 'block'])
        it(`replaces a worker whose function does not yield (${how}), and names the function`, async () => {
            const host = await serve();
            const before = workers(host);
            assert.equal((await call(host, 'spin', { how })).status, 500);
            const entry = await logged(host, 'worker_hangs');
            assert.equal(entry.function, 'spin');
            assert.match(entry.generation, /^[0-9a-f]{40}$/);
            assert.ok(entry.requestId.length > 8);
            assert.ok(before.includes(entry.pid));
            await eventually(() => workers(host).length === 2 && !workers(host).includes(entry.pid), 'a new worker');
            for (let i = 0; i < 20; i++) assert.equal((await call(host, 'hello')).status, 200);
            const text = await metrics(host);
            assert.match(text, /^edge_worker_kills_total 0$/m);
            assert.match(text, /^edge_function_crashes_total\{function="spin"\} 1$/m);
            host.child.kill('SIGTERM');
            assert.deepEqual(await host.exit, STOPPED, host.err);
        });

    it('takes no function that waits for one that hangs', async () => {
        const host = await serve();
        const answer = await call(host, 'slow', { ms: 2500 });
        assert.equal(answer.status, 200);
        assert.deepEqual(events(host, 'worker_hangs'), []);
        host.child.kill('SIGTERM');
        assert.deepEqual(await host.exit, STOPPED, host.err);
    });
});

describe('stop', { timeout: 120000 }, () => {
    it('finishes what is in flight and takes no more', async () => {
        const host = await serve();
        const slow = Array.from({ length: 8 }, () => call(host, 'slow', { ms: 1500 }));
        await eventually(async () => (await inFlight(host)) >= 8, 'eight calls in flight');
        host.child.kill('SIGTERM');
        await logged(host, 'stopping');
        await eventually(() => refused(host), 'the port to be closed');
        for (const answer of await Promise.all(slow)) {
            assert.equal(answer.status, 200);
            assert.deepEqual(await answer.json(), { done: true });
        }
        assert.deepEqual(await host.exit, STOPPED, host.err);
    });

    it('ends within the drain timeout whatever runs', async () => {
        const host = await serve({ drain_timeout: '500ms' });
        const slow = call(host, 'slow', { ms: 60000 }).catch(() => null);
        await eventually(async () => (await inFlight(host)) >= 1, 'a call in flight');
        const begin = Date.now();
        host.child.kill('SIGTERM');
        assert.deepEqual(await host.exit, STOPPED, host.err);
        assert.ok(Date.now() - begin < 10000);
        await slow;
    });

    it('stops at once at the second Ctrl-C', async () => {
        const host = await serve({ drain_timeout: '60s' });
        const slow = call(host, 'slow', { ms: 60000 }).catch(() => null);
        await eventually(async () => (await inFlight(host)) >= 1, 'a call in flight');
        host.child.kill('SIGINT');
        await logged(host, 'stopping');
        await sleep(500);
        assert.ok(!host.exited);
        host.child.kill('SIGINT');
        assert.deepEqual(await host.exit, { code: 1, signal: null });
        await slow;
    });

    it('takes its workers with it when it is killed', async () => {
        const host = await serve();
        const before = workers(host);
        host.child.kill('SIGKILL');
        await host.exit;
        await eventually(() => !before.some(alive), 'the workers to be gone');
        await eventually(() => refused(host), 'the port to be closed');
    });
});

/* Fibers alive, as all workers have last said. */
async function inFlight(host) {
    const found = (await metrics(host)).matchAll(/^edge_fibers\{worker="\d+"\} (\d+)$/gm);
    return [...found].reduce((sum, [, count]) => sum + Number(count), 0);
}

const refused = (host) =>
    new Promise((resolve) => {
        const socket = net.connect(Number(new URL(host.url).port), '127.0.0.1');
        socket.on('connect', () => resolve(false));
        socket.on('error', () => resolve(true));
        socket.on('connect', () => socket.destroy());
    });
