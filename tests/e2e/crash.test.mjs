/*
 * Functions that crash or hang: their caller is told, everybody else is served, another worker takes over, and the
 * log says where it happened. Under the sanitizers faults are reports, so there is nothing to see here.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { eventually, sleep, startHost } from '../support/host.mjs';

const options = { timeout: 60000, skip: process.env.ASAN_OPTIONS || /asan/.test(buildDirectory) ? 'the sanitizers report faults' : false };
let host;

before(async () => {
    if (options.skip) return;
    host = await startHost({
        sandbox: false, readyPath: '/_edge/live',
        server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, cpu_limit: '300ms', drain_timeout: '5s', crash_limit: 0 },
        functions: { hello: { auth: 'public' }, slow: { auth: 'public' }, crash: { auth: 'public' } },
    });
}, options);

after(() => host?.stop({ crashes: true }), options);

const post = (name, body) =>
    fetch(`${host.url}/functions/v1/${name}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });

/* The host answers again; a connection that is refused or broken meanwhile is a failure. */
const alive = async () => assert.equal((await post('hello', {})).status, 200);

async function isTold(answer, code) {
    assert.equal(answer.status, 500);
    const body = await answer.json();
    assert.equal(body.code, code);
    assert.match(body.requestId, /^[0-9a-f-]{36}$/);
    assert.equal(answer.headers.get('x-relay-error'), 'true');
    assert.equal(answer.headers.get('sb-error-code'), code);
    return body.requestId;
}

describe('crash: the caller is told, the others are served', options, () => {
    const signals = { null: 'SEGV', jump: 'SEGV', overflow: 'SEGV', abort: 'ABRT', divide: 'FPE', trap: 'ILL' };
    for (const [how, signal] of Object.entries(signals)) {
        it(how, options, async () => {
            const others = Array.from({ length: 50 }, () => post('slow', { ms: 600 }));
            await sleep(200);
            const requestId = await isTold(await post('crash', { how }), 'function_crashed');
            await alive();
            for (const answer of await Promise.all(others)) assert.equal(answer.status, 200);

            const line = await host.logged((entry) => entry.event === 'function_crashed' && entry.requestId === requestId);
            assert.equal(line.function, 'crash');
            assert.equal(line.signal, signal);
            assert.match(line.generation, /^[0-9a-f]{40}$/);
            assert.equal(line.stackOverflow === true, how === 'overflow');
            if (how !== 'jump') assert.match(line.backtrace, /crash\.so/);
            if (how === 'null') assert.match(line.backtrace, /crash\.so write_to_null crash\.c:\d+\n/);
        });
    }

    it('a double free: nothing may run any more, but everybody gets an answer', options, async () => {
        const others = Array.from({ length: 20 }, () => post('slow', { ms: 1500 }));
        await sleep(300);
        const requestId = await isTold(await post('crash', { how: 'double_free' }), 'function_crashed');
        for (const answer of await Promise.all(others)) {
            assert.equal(answer.status, 503);
            assert.equal((await answer.json()).code, 'worker_lost');
        }
        await eventually(async () => (await post('hello', {}).catch(() => null))?.status === 200, 'another worker');
        await host.logged((entry) => entry.event === 'worker_died' && entry.signal === 'ABRT');
        const said = host.log.filter((entry) => entry.event === 'about_to_crash' && entry.requestId === requestId);
        assert.equal(said.length, 1, 'the worker had not written it when it died');
    });

    it('after the answer has begun: the stream ends with the error', options, async () => {
        const text = await (await post('crash', { how: 'late' })).text();
        assert.match(text, /^data: \{"before":"the crash"\}\n\nevent: error\ndata: \{[^\n]*"code":"function_crashed"[^\n]*\}\n\n$/);
        await alive();
    });

    it('a loop without an end: 500 cpu_limit, where it stood is in the log, the others finish', options, async () => {
        const others = Array.from({ length: 20 }, () => post('slow', { ms: 900 }));
        await sleep(200);
        const answer = await post('crash', { how: 'spin' });
        assert.equal(answer.status, 500);
        assert.equal((await answer.json()).code, 'cpu_limit');
        for (const other of await Promise.all(others)) assert.equal(other.status, 200);
        const line = await host.logged((entry) => entry.event === 'function_hung');
        assert.match(line.backtrace, /crash\.so crash crash\.c:\d+\n/);
        await alive();
    });

    it('crash after crash is counted, and the host goes on', options, async () => {
        for (let i = 0; i < 10; i++) {
            await isTold(await post('crash', { how: 'null' }), 'function_crashed');
            await alive();
        }
        const metrics = await (await fetch(`${host.url}/_edge/metrics`)).text();
        assert.ok(Number(/^edge_function_crashes_total\{function="crash"\} (\d+)$/m.exec(metrics)[1]) >= 16);
    });
});
