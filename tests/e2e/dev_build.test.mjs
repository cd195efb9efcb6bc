/*
 * `edge dev` while somebody works: what is saved is served, what does not compile is said, in the terminal and by the
 * function's own answers.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';

import WebSocket from 'ws';

import { buildDirectory, root } from '../support/config.mjs';
import { Project, shared, source } from '../support/dev.mjs';
import { startHost } from '../support/host.mjs';

const options = { timeout: 120000 };
const broken = source('first', 'versoin');
let project, dev;

before(() => {
    project = new Project();
}, options);

after(() => project.end(), options);

test('a first start builds; without a terminal the log is JSON', options, async () => {
    dev = await project.start();
    assert.deepEqual((await dev.call('first')).body, { version: 1, shared: 'old' });
    await dev.says(/^\{"ts":.*"event":"invocation".*"function":"first"/m);
    assert.doesNotMatch(dev.output, /^Keys:/m);
});

test('what is saved is served, and nothing else is built', options, async () => {
    const { body: before } = await dev.call('second');
    project.write('first.c', source('first', 2));
    const { body, stale } = await dev.until('first', (answer) => answer.body.version === 2, 'version 2');
    assert.deepEqual(body, { version: 2, shared: 'old' });
    assert.equal(stale, null);
    await dev.says(/built in \d+ ms/);
    assert.deepEqual((await dev.call('second')).body, before);
    assert.doesNotMatch(dev.output, /generation_live.*"function":"second"/);
});

test('a compile error is shown with its caret; the build before serves, and says that it is stale', options, async () => {
    project.write('first.c', broken);
    const { body } = await dev.until('first', (answer) => answer.stale === 'true', 'a stale answer');
    assert.equal(body.version, 2);
    await dev.says(/first\.c:6:\d+: error: .*versoin/);
    await dev.says(/^ +\| +\^~+/m, 'the caret');
    await dev.says(/first serve the build before/);
    assert.doesNotMatch(dev.output, /FAILED:|ninja: build stopped|-DNDEBUG|-o first/);
    assert.equal((await dev.call('second')).stale, null);
});

/* The opening of a WebSocket session: its answer's head. */
async function handshake(name) {
    const socket = new WebSocket(`${dev.url.replace('http', 'ws')}/functions/v1/${name}`);
    const [{ headers }] = await once(socket, 'upgrade');
    socket.close();
    return headers;
}

test('streams, refusals and WebSocket sessions say that it is stale, too', options, async () => {
    const send = (name, body, method = 'POST') => fetch(`${dev.url}/functions/v1/${name}`, { method, body });
    const answers = {
        stream: [200, 'POST', '{"stream": true}'], invalid_json: [400, 'POST', '{'], method_not_allowed: [405, 'PUT', '{}'],
    };
    for (const [what, [status, method, body]] of Object.entries(answers))
        for (const [name, stale] of [['first', 'true'], ['second', null]]) {
            const answer = await send(name, body, method);
            const text = await answer.text();
            assert.deepEqual([answer.status, answer.headers.get('x-function-stale')], [status, stale], `${name}: ${what}`);
            assert.ok(what !== 'stream' || text.startsWith('event: version\ndata: '), text);
        }
    assert.equal((await handshake('first'))['x-function-stale'], 'true');
    assert.equal((await handshake('second'))['x-function-stale'], undefined);
    if (/asan/.test(buildDirectory)) return; /* a fault is the sanitizers' report there */
    const crashed = await send('first', '{"crash": true}');
    assert.deepEqual([crashed.status, crashed.headers.get('x-function-stale')], [500, 'true']);
});

test('mended, it is served again without the header, also when it is what it was before', options, async () => {
    project.write('first.c', source('first', 2));
    const { body } = await dev.until('first', (answer) => answer.stale === null, 'a fresh answer');
    assert.equal(body.version, 2);
});

test('what functions share is stale in each of them', options, async () => {
    project.write('shared.c', 'int shared_word(void) { return }');
    for (const name of ['first', 'second']) await dev.until(name, (answer) => answer.stale === 'true', `${name} to be stale`);
    project.write('shared.c', shared('new'));
    for (const name of ['first', 'second']) await dev.until(name, (answer) => answer.stale === null && answer.body.shared === 'new', `${name} to be fresh`);
});

test('what compiles and is refused by the gate is stale too', options, async () => {
    project.write('first.c', source('first', 4).replace('EDGE_FUNCTION', 'static int no(void) { return -1; }\nEDGE_FUNCTION').replace('.handle', '.self_test = no, .handle'));
    await dev.until('first', (answer) => answer.stale === 'true' && answer.body.version === 2, 'the refused build to be told');
    project.write('first.c', source('first', 5));
    await dev.until('first', (answer) => answer.stale === null && answer.body.version === 5, 'the next build');
    assert.equal(await dev.stop(), 0);
});

test('--strict: 503 with the compiler\'s text, and every function of a project that has never been built', options, async () => {
    project.write('first.c', broken);
    dev = await project.start('--strict');
    const { status, body } = await dev.until('first', (answer) => answer.status === 503, 'the refusal');
    assert.equal(status, 503);
    assert.equal(body.code, 'function_stale');
    assert.match(body.compiler, /first\.c:6:\d+: error: .*versoin/);
    assert.match(body.requestId, /./);
    assert.equal((await dev.call('second')).status, 200);
    project.write('first.c', source('first', 6));
    await dev.until('first', (answer) => answer.status === 200 && answer.body.version === 6, 'the mended function');
    assert.equal(await dev.stop(), 0);
});

/* Under the sanitizers a fault is their report. */
async function crash() {
    await dev.call('first', { crash: true });
    await dev.says(/function_crashed .*signal=(ILL|TRAP)/);
    await dev.says(/^ +first\.so answer_first first\.c:8/m, 'the line that crashed');
}

test('on a terminal: a line a request, and keys', options, async () => {
    dev = await project.start('terminal');
    await dev.says(/^Keys: r reload, t token, o addresses, q quit/m);
    await dev.call('first');
    await dev.says(/^\d\d:\d\d:\d\d 200 +[\d.]+ ms {2}first [0-9a-f]{12} {2}POST \/functions\/v1\/first$/m);
    assert.ok(dev.coloured);
    await fetch(`${dev.url}/functions/v1/first`, { method: 'POST', body: '{' });
    await dev.says(/ 400 .*first .* invalid_json/);
    project.write('first.c', source('first', 7));
    await dev.until('first', (answer) => answer.body.version === 7, 'version 7');
    await dev.says(/first is live, \d+ ms after it was saved/);
    if (!/asan/.test(buildDirectory)) await crash();
    dev.press('t');
    await dev.says(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/m);
    dev.press('o');
    await dev.says(/http:\S+\/_edge\/openapi\.json/);
    dev.press('r');
    await dev.says(/nothing has changed/);
    dev.press('q');
    assert.equal(await dev.exit, 0);
});

const hasGdb = spawnSync('gdb', ['--version']).status === 0;

test('--gdb stops at the first line of the function, for longer than any limit', { ...options, skip: hasGdb ? false : 'gdb is not installed' }, async () => {
    project.write('first.c', source('first', 8));
    dev = await project.start('--gdb', 'first');
    await dev.says(/Continuing/);
    const answer = dev.call('first');
    await dev.says(/Breakpoint 1, answer_first [^]*?first\.c:5/);
    dev.press('print ctx->timeout_ms\nbacktrace 1\ndetach\n');
    await dev.says(/#0 +answer_first/);
    assert.deepEqual((await answer).body, { version: 8, shared: 'new' });
    dev.press('quit\n');
    assert.equal(await dev.exit, 0);
});

test('--gdb of a function that is not there', options, async () => {
    dev = await project.start('--gdb', 'third');
    assert.equal(await dev.exit, 1);
    assert.match(dev.output, /has no function "third"/);
});

test('--build: another build, whose text is read for the names of files', options, async () => {
    const compiler = `mkdir -p build/functions && cc -I'${root}/sdk/include' -g -fPIC -shared -Wl,--build-id=sha1`;
    dev = await project.start('--build', `${compiler} -o build/functions/first.so first.c shared.c`);
    project.write('first.c', broken);
    await dev.until('first', (answer) => answer.stale === 'true', 'a stale answer');
    assert.equal((await dev.call('second')).stale, null);
    project.write('first.c', source('first', 9));
    await dev.until('first', (answer) => answer.stale === null && answer.body.version === 9, 'version 9');
    assert.equal(await dev.stop(), 0);
});

test('--asan outside the source tree is refused with the reason', options, async () => {
    await assert.rejects(project.start('--asan'), /needs the source tree/);
});

test('a host that users reach is not told that its functions are stale', options, async () => {
    const control = path.join(project.directory, 'control');
    const host = await startHost({
        functions: { hello: { auth: 'public' } }, sandbox: false, readyPath: '/_edge/live', env: { EDGE_CONTROL: control, EDGE_SANDBOX: null, EDGE_STALE: 'refuse' },
        server: { plugins: path.join(buildDirectory, 'tests', 'plugins') },
    });
    try {
        const socket = net.connect(control);
        socket.write('{"command":"stale","function":"hello","text":"x"}\n');
        const [answer] = await once(socket, 'data');
        socket.destroy();
        assert.deepEqual(JSON.parse(answer), { ok: false, error: 'this is no development host' });
        const { headers, status } = await fetch(`${host.url}/functions/v1/hello`, { method: 'POST', body: '{}' });
        assert.deepEqual([status, headers.get('x-function-stale')], [200, null]);
    } finally {
        await host.stop();
    }
});
