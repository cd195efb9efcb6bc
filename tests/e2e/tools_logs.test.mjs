/*
 * edge logs: what the host's log has, filtered; followed over a crash and an upgrade; and that a reader that does not read
 * is nobody's trouble.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { after, before, describe, it } from 'node:test';

import { post } from '../support/clients.mjs';
import { eventually } from '../support/host.mjs';
import { binary, runEdge } from '../support/program.mjs';
import { startPlugins } from '../support/websocket.mjs';

const options = { timeout: 60000 };
const functions = { hello: { auth: 'public' }, slow: { auth: 'public' }, crash: { auth: 'public' } };
let host;

const at = () => ['--config', path.join(host.directory, 'functions.toml')];
const logs = (...args) => runEdge(['logs', ...args, ...at()], { cwd: host.directory });

/* Lines as objects. */
async function lines(...args) {
    const { status, stdout, stderr } = await logs('--json', ...args);
    assert.equal(status, 0, stderr);
    return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
}

const invocations = async (...args) => (await lines(...args)).filter(({ event }) => event === 'invocation');

/* A follower: { seen, stop }. */
function follow(...args) {
    const child = spawn(binary, ['logs', '-f', '--json', ...args, ...at()], { stdio: ['ignore', 'pipe', 'inherit'] });
    const seen = [];
    readline.createInterface({ input: child.stdout }).on('line', (line) => seen.push(JSON.parse(line)));
    const ended = new Promise((resolve) => child.on('exit', resolve));
    return { seen, ended, stop: () => (child.kill(), ended) };
}

before(async () => (host = await startPlugins({ functions, server: { workers: 2 } })), options);
after(() => host?.stop({ crashes: true }), options);

describe('edge logs', options, () => {
    it('has what the host has said, of all its processes, as it was said', options, async () => {
        const { headers } = await post(host, 'hello');
        await host.logged(({ requestId }) => requestId === headers.get('x-request-id'));
        const all = await lines();
        assert.deepEqual(all.filter(({ event }) => event === 'listening').length, 1);
        assert.ok(all.some(({ source }) => source === 'supervisor') && all.some(({ source }) => source.startsWith('worker')));
        const mine = all.find(({ requestId }) => requestId === headers.get('x-request-id'));
        assert.deepEqual(mine, host.log.find(({ requestId }) => requestId === headers.get('x-request-id')));
    });

    it('filters by function, level, request and time', options, async () => {
        const { headers } = await post(host, 'slow', { body: { fail: 500 } });
        const id = headers.get('x-request-id');
        await host.logged(({ requestId, event }) => requestId === id && event === 'invocation');
        assert.deepEqual((await lines('--request', id)).map(({ requestId }) => requestId), [id]);
        assert.deepEqual(new Set((await lines('--function', 'slow')).map((line) => line.function)), new Set(['slow']));
        const bad = await lines('--level', 'error');
        assert.ok(bad.some(({ requestId }) => requestId === id) && bad.every(({ level }) => level === 'error'));
        assert.ok((await lines('--since', '5m')).length >= 2);
        assert.equal((await lines('--lines', '1')).length, 1);
    });

    it('is readable without --json, and safe for a terminal', options, async () => {
        await post(host, 'slow', { body: { ['ms\u001b[31m']: 1 } });
        await fetch(`${host.url}/functions/v1/slow?x=%1b%5b31m`, { method: 'POST', body: '{}' });
        const { stdout } = await logs('--function', 'slow');
        assert.match(stdout, /^\d\d:\d\d:\d\d\.\d{3} (INFO |ERROR) worker \d invocation requestId=[0-9a-f-]{36} function=slow method=POST path=\/functions\/v1\/slow status=\d+/m);
        assert.doesNotMatch(stdout, /\u001b/);
    });

    it('has numbers with no more digits than they need', options, async () => {
        for (let i = 0; i < 20; i++) await post(host, 'hello');
        const { stdout } = await logs('--function', 'hello', '--lines', '20');
        const durations = [...stdout.matchAll(/ durationMs=(\S+)/g)].map(([, text]) => text);
        assert.equal(durations.length, 20);
        for (const text of durations) assert.match(text, /^\d+(\.\d{1,3})?$/);
    });

    it('follows', options, async () => {
        const follower = follow('--function', 'hello');
        await eventually(() => follower.seen.length > 0, 'the past');
        for (let i = 0; i < 50; i++) await post(host, 'hello');
        await eventually(() => follower.seen.length >= 51, '50 lines more');
        assert.ok(follower.seen.every((line) => line.function === 'hello'));
        await follower.stop();
    });

    it('follows over the crash of a worker', options, async () => {
        const follower = follow('--level', 'error');
        await post(host, 'crash', { body: { how: 'abort' } }).catch(() => {});
        const died = await eventually(() => follower.seen.find(({ event }) => event === 'function_crashed' || event === 'worker_died'), 'the crash');
        assert.ok(died);
        await follower.stop();
    });

    it('keeps the newest lines, whole, while many are written', options, async () => {
        const count = 3000;
        for (let i = 0; i < count; i += 50) await Promise.all(Array.from({ length: 50 }, () => post(host, 'hello')));
        const seen = await invocations('--function', 'hello', '--lines', '100000');
        assert.ok(seen.length >= count, `${seen.length}`);
        assert.equal(new Set(seen.map(({ requestId }) => requestId)).size, seen.length);
    });

    it('refuses what makes no sense', options, async () => {
        for (const [args, wanted, message] of [
            [['--level', 'loud'], 2, /--level is "loud"/],
            [['--since', 'yesterday'], 2, /--since is "yesterday"/],
            [['--lines', '0'], 2, /--lines is "0"/],
        ]) {
            const { status, stderr } = await logs(...args);
            assert.equal(status, wanted);
            assert.match(stderr, message);
        }
        const none = await runEdge(['logs', '--config', 'none.toml'], { cwd: '/' });
        assert.deepEqual([none.status, none.stdout], [1, '']);
        assert.match(none.stderr, /^edge: no host serves "none\.toml"/);
    });

    it('follows over an upgrade, and ends with the host', options, async () => {
        const follower = follow('--lines', '1');
        const upgraded = await runEdge(['upgrade', ...at()], { cwd: host.directory });
        assert.equal(upgraded.status, 0, upgraded.stderr);
        await eventually(() => host.log.filter(({ event }) => event === 'listening').length === 2, 'the upgraded host', 30000);
        const { headers } = await post(host, 'hello');
        await eventually(() => follower.seen.some(({ requestId }) => requestId === headers.get('x-request-id')), 'a line of the upgraded host');
        host.child.kill('SIGTERM');
        assert.equal(await follower.ended, 0);
    });
});
