/*
 * HTTP/1.1 on the wire: framing, pipelining, limits, slow clients, and that every answer of the host is JSON.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { sleep, startHost } from '../support/host.mjs';
import { Raw } from '../support/raw.mjs';

const options = { timeout: 60000 };
const HOST = 'Host: test\r\n';
let host;

before(async () => {
    host = await startHost({
        sandbox: false,
        readyPath: '/_edge/live',
        server: {
            plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, header_timeout: '1s', body_timeout: '1s',
            idle_timeout: '2s', body_memory: '64KiB',
        },
        functions: {
            hello: { auth: 'public' }, echo: { auth: 'public', max_body: '4MiB' }, slow: { auth: 'public', timeout: '2s', memory: '1MiB' },
            item: { auth: 'public', plugin: 'echo', route: '/api/items/{id}' }, files: { auth: 'public', plugin: 'echo', route: '/files/*' },
        },
    });
}, options);

after(() => host?.stop(), options);

const open = () => Raw.open(host.port);
const url = (name) => `${host.url}/functions/v1/${name}`;
const post = (name, body, headers = {}) => fetch(url(name), { method: 'POST', headers, body });

async function exchange(text, ms) {
    const connection = await open();
    try {
        return await connection.send(text).answer(ms);
    } finally {
        connection.destroy();
    }
}

function isEnvelope(answer, status, code) {
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.json.code, code);
    assert.equal(typeof answer.json.error, 'string');
    assert.match(answer.json.requestId, /^[0-9a-f-]{36}$/);
    assert.equal(answer.headers['sb-error-code'], code);
    assert.equal(answer.headers['x-request-id'], answer.json.requestId);
}

describe('http: requests', options, () => {
    it('three pipelined requests are answered in order on one connection', options, async () => {
        const connection = await open();
        const echo = (n) => `POST /functions/v1/echo?q=${n} HTTP/1.1\r\n${HOST}content-length: 2\r\n\r\n{}`;
        connection.send(echo(1) + echo(2) + echo(3));
        for (const n of ['1', '2', '3']) assert.equal((await connection.answer()).json.q, n);
        connection.destroy();
    });

    it('a pipelined request waits for a slow one before it', options, async () => {
        const connection = await open();
        connection.send(`POST /functions/v1/slow HTTP/1.1\r\n${HOST}content-length: 10\r\n\r\n{"ms":200}GET /functions/v1/hello HTTP/1.1\r\n${HOST}\r\n`);
        assert.deepEqual((await connection.answer()).json, { done: true });
        assert.deepEqual((await connection.answer()).json, { message: 'hello' });
        connection.destroy();
    });

    it('a request in pieces of one byte', options, async () => {
        const connection = await open();
        for (const byte of `POST /functions/v1/echo HTTP/1.1\r\n${HOST}x-test: value \r\ncontent-length: 9\r\n\r\n{"a":"b"}`) {
            connection.send(byte);
            await new Promise(setImmediate);
        }
        const { json } = await connection.answer();
        assert.deepEqual(json.in, { a: 'b' });
        assert.equal(json.headers['x-test'], 'value');
        connection.destroy();
    });

    it('chunked bodies with extensions and trailers', options, async () => {
        const answer = await exchange(`POST /functions/v1/echo HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n4;x=y\r\n{"a"\r\n3\r\n:1}\r\n0\r\nx-test: trailer\r\n\r\n`);
        assert.deepEqual(answer.json.in, { a: 1 });
        assert.equal(answer.json.headers['x-test'], undefined);
    });

    it('a body beyond memory is spooled to disk and comes back whole', options, async () => {
        const text = 'ä'.repeat(1000000);
        const answer = await (await post('echo', JSON.stringify({ text }), { 'content-type': 'application/json' })).json();
        assert.equal(answer.in.text, text);
    });

    it('Expect: 100-continue', options, async () => {
        const connection = await open();
        connection.send(`POST /functions/v1/echo HTTP/1.1\r\n${HOST}expect: 100-continue\r\ncontent-length: 2\r\n\r\n`);
        assert.equal((await connection.answer()).status, 100);
        assert.equal((await connection.send('{}').answer()).status, 200);
        connection.destroy();
    });

    it('HTTP/1.0 and Connection: close end the connection, streams included', options, async () => {
        for (const head of ['HTTP/1.0\r\n', `HTTP/1.1\r\n${HOST}connection: close\r\n`]) {
            const connection = await open();
            const answer = await connection.send(`POST /functions/v1/slow ${head}content-length: 12\r\n\r\n{"events":2}`).answer();
            assert.equal(answer.text.match(/^data: /gm).length, 3);
            await connection.closed();
        }
    });

    it('HEAD has headers and no body', options, async () => {
        const connection = await open();
        connection.send(`HEAD /_edge/live HTTP/1.1\r\n${HOST}\r\nGET /_edge/live HTTP/1.1\r\n${HOST}\r\n`);
        await sleep(200);
        const text = connection.received.toString();
        assert.equal(text.match(/HTTP\/1.1 200/g).length, 2);
        assert.equal(text.match(/"status":"ok"/g).length, 1);
        connection.destroy();
    });

    it('Upgrade to something else than a WebSocket is ignored', options, async () => {
        const answer = await exchange(`GET /functions/v1/hello HTTP/1.1\r\n${HOST}connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n`);
        assert.deepEqual(answer.json, { message: 'hello' });
    });
});

describe('http: routes', options, () => {
    it('the first segment routes, the rest is the function\'s', options, async () => {
        const answer = await (await post('echo/sub/x%20y?q=a+b%26&forceFunctionRegion=us-east-1', '{}')).json();
        assert.equal(answer.rest, '/sub/x y');
        assert.equal(answer.q, 'a b&');
    });

    it('parameters and wildcards', options, async () => {
        assert.equal((await (await fetch(`${host.url}/api/items/a%2Fb`)).json()).id, 'a/b');
        assert.equal((await (await fetch(`${host.url}/files/a/b.txt`)).json()).rest, '/a/b.txt');
        assert.equal((await fetch(`${host.url}/api/items`)).status, 404);
    });

    it('unknown paths are 404 and the host\'s fault', options, async () => {
        const answer = await exchange(`POST /functions/v1/nobody HTTP/1.1\r\n${HOST}content-length: 2\r\n\r\n{}`);
        isEnvelope(answer, 404, 'function_not_found');
        assert.equal(answer.headers['x-relay-error'], 'true');
    });

    it('405 names the methods there are', options, async () => {
        const answer = await exchange(`DELETE /functions/v1/hello HTTP/1.1\r\n${HOST}\r\n`);
        isEnvelope(answer, 405, 'method_not_allowed');
        assert.equal(answer.headers.allow, 'GET POST');
    });

    for (const target of ['/functions/v1/%00', '/functions/v1/../hello', '/functions/v1/%zz', '/functions/v1/%2e%2e/hello'])
        it(`${target} is malformed`, options, async () => isEnvelope(await exchange(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`), 400, 'bad_request'));
});

describe('http: what is no request', options, () => {
    const cases = {
        'an unknown method': ['BREW / HTTP/1.1\r\n\r\n', 501, 'not_implemented'],
        'bytes of another protocol': ['\x16\x03\x01\x02\x00\x01\r\n\r\n', 501, 'not_implemented'],
        'no Host': ['GET /_edge/live HTTP/1.1\r\n\r\n', 400, 'bad_request'],
        'two Hosts': [`GET /_edge/live HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400, 'bad_request'],
        'both lengths (request smuggling)': [`POST /functions/v1/echo HTTP/1.1\r\n${HOST}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400, 'bad_request'],
        'two lengths': [`POST /functions/v1/echo HTTP/1.1\r\n${HOST}content-length: 3\r\ncontent-length: 4\r\n\r\nabc`, 400, 'bad_request'],
        'a coding other than chunked': [`POST /functions/v1/echo HTTP/1.1\r\n${HOST}transfer-encoding: gzip\r\n\r\n`, 400, 'bad_request'],
        'a blank in a header\'s name': [`GET /_edge/live HTTP/1.1\r\n${HOST}x y: a\r\n\r\n`, 400, 'bad_request'],
        'a blank before the colon': [`GET /_edge/live HTTP/1.1\r\n${HOST}x : a\r\n\r\n`, 400, 'bad_request'],
        'an absolute target': [`GET http://x/_edge/live HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_request'],
        'a bad chunk size': [`POST /functions/v1/echo HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\nxyz\r\n`, 400, 'bad_request'],
        'HTTP/2.0 in the clear': [`GET /_edge/live HTTP/2.0\r\n${HOST}\r\n`, 505, 'http_version_not_supported'],
        'a target beyond its limit': [`GET /${'a'.repeat(20000)} HTTP/1.1\r\n${HOST}\r\n`, 414, 'uri_too_long'],
        'headers beyond their limit': [`GET /_edge/live HTTP/1.1\r\n${HOST}x: ${'a'.repeat(100000)}\r\n\r\n`, 431, 'headers_too_large'],
        'a thousand headers': [`GET /_edge/live HTTP/1.1\r\n${HOST}${'x: y\r\n'.repeat(1000)}\r\n`, 431, 'headers_too_large'],
        'an announced body beyond its limit': [`POST /functions/v1/echo HTTP/1.1\r\n${HOST}content-length: 99999999\r\n\r\n{`, 413, 'body_too_large'],
    };
    for (const [name, [text, status, code]] of Object.entries(cases))
        it(`${name}: ${status}`, options, async () => isEnvelope(await exchange(text), status, code));

    it('a chunked body that grows beyond its limit: 413', options, async () => {
        const connection = await open();
        connection.send(`POST /functions/v1/echo HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n`);
        const chunk = `10000\r\n${'a'.repeat(65536)}\r\n`;
        for (let i = 0; i < 70; i++) connection.send(chunk);
        isEnvelope(await connection.answer(), 413, 'body_too_large');
        connection.destroy();
    });

    it('a client that sends all of a refused body still gets its answer', options, async () => {
        const answer = await post('echo', 'x'.repeat(6 << 20));
        assert.equal(answer.status, 413);
        assert.equal((await answer.json()).code, 'body_too_large');
    });
});

describe('http: slow clients', options, () => {
    it('headers that do not come: 408', options, async () => {
        const connection = await open();
        connection.send('GET /functions/v1/hello HTTP/1.1\r\nHost');
        isEnvelope(await connection.answer(), 408, 'request_timeout');
        await connection.closed();
    });

    it('headers that drip: 408 all the same', options, async () => {
        const connection = await open();
        connection.send(`GET /functions/v1/hello HTTP/1.1\r\n${HOST}`);
        const timer = setInterval(() => connection.send('x: y\r\n'), 100);
        isEnvelope(await connection.answer(), 408, 'request_timeout');
        clearInterval(timer);
    });

    it('a body that drips: 408', options, async () => {
        const connection = await open();
        connection.send(`POST /functions/v1/echo HTTP/1.1\r\n${HOST}content-length: 1000\r\n\r\n`);
        const timer = setInterval(() => connection.send('x'), 100);
        isEnvelope(await connection.answer(), 408, 'request_timeout');
        clearInterval(timer);
    });

    it('a connection that never says anything, and an idle one, are closed', options, async () => {
        const silent = await open(), idle = await open();
        await idle.send(`GET /functions/v1/hello HTTP/1.1\r\n${HOST}\r\n`).answer();
        await silent.closed();
        await idle.closed();
        assert.equal(silent.received.length, 0);
    });
});

describe('http: functions', options, () => {
    it('a function past its timeout: 504', options, async () => {
        const answer = await post('slow', '{"ms":5000}');
        assert.equal(answer.status, 504);
        assert.equal((await answer.json()).code, 'timeout');
    });

    it('a function past its memory: 500 that says how much', options, async () => {
        const answer = await post('slow', '{"allocate":8000000}');
        assert.equal(answer.status, 500);
        assert.equal(answer.headers.get('x-relay-error'), 'true');
        const body = await answer.json();
        assert.equal(body.code, 'memory_limit');
        assert.match(body.error, /1048576 allowed/);
    });

    it('a client that leaves cancels its function', options, async () => {
        const connection = await open();
        connection.send(`POST /functions/v1/slow HTTP/1.1\r\n${HOST}content-length: 11\r\nx-mark: 1\r\n\r\n{"ms":1500}`);
        await sleep(200);
        connection.destroy();
        const line = await host.logged((entry) => entry.event === 'invocation' && entry.code === 'client_gone');
        assert.equal(line.status, 499);
        assert.ok(line.durationMs < 1400);
    });

    it('a failure after the first event is the last event', options, async () => {
        const text = await (await post('slow', '{"events":2,"fail":503}')).text();
        assert.match(text, /^data: .*\n\ndata: .*\n\nevent: error\ndata: \{"error":"Failing with 503 as asked","code":"asked_for","requestId":"[^"]+"\}\n\n$/);
    });

    it('work after the answer does not hold the answer up, and is done', options, async () => {
        const began = Date.now();
        assert.equal((await post('slow', '{"background":700}')).status, 200);
        assert.ok(Date.now() - began < 600);
        await host.logged((entry) => entry.event === 'background_done' && entry.ms === 700);
    });

    it('a reader that stops reading parks the function; memory stays bounded; its deadline ends it', options, async () => {
        const before = await resident();
        const connections = [];
        for (let i = 0; i < 20; i++) {
            const connection = await open();
            connection.socket.pause();
            connection.send(`POST /functions/v1/slow HTTP/1.1\r\n${HOST}content-length: 32\r\n\r\n{"events":100000,"bytes":100000}`);
            connections.push(connection);
        }
        await sleep(1000);
        assert.ok((await resident()) - before < 64 << 20);
        await host.logged((entry) => entry.event === 'invocation' && entry.status === 200 && entry.code === 'timeout');
        for (const connection of connections) connection.destroy();
    });

    it('JSON is taken whatever its type; a form that is none is 415; nonsense is 400', options, async () => {
        for (const type of ['application/json', 'text/plain', 'application/octet-stream', 'application/json, application/x-www-form-urlencoded'])
            assert.equal((await post('slow', '{}', { 'content-type': type })).status, 200, type);
        assert.equal((await post('slow', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })).status, 415);
        assert.equal((await (await post('slow', '{"a":', { 'content-type': 'application/json' })).json()).code, 'invalid_json');
        assert.equal((await (await post('slow', '[]', { 'content-type': 'application/json' })).json()).code, 'invalid_json');
        assert.equal((await post('slow', '')).status, 200);
    });
});

/* Resident bytes of the worker, from its own metrics. */
async function resident() {
    await sleep(1100); /* it samples once a second */
    const text = (await exchange(`GET /_edge/metrics HTTP/1.1\r\n${HOST}connection: close\r\n\r\n`)).text;
    const line = /^edge_worker_resident_bytes\S* (\S+)$/m.exec(text);
    assert.ok(line, text);
    return Number(line[1]);
}
