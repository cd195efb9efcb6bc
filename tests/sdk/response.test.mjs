/*
 * Answers that are more than returned JSON: files with ranges and conditions, cookies, ready JSON, many bytes.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { eventually, sleep } from '../support/host.mjs';
import { Raw } from '../support/raw.mjs';
import { connect2, request2, startBoth } from '../support/secure.mjs';

const options = { timeout: 120000 };
const LARGE_BYTES = 24 * 1024 * 1024;
let both, host, secureHost, session, directory, large;

const settings = (server = {}) => ({
    sandbox: false, readyPath: '/_edge/live', env: { FILES_DIRECTORY: directory },
    server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, ...server },
    functions: {
        response_file: { auth: 'public', env: ['FILES_DIRECTORY'], memory: '1MiB', timeout: '60s' },
        response_kinds: { auth: 'public', memory: '24MiB', timeout: '60s' },
    },
});

before(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-files-'));
    large = Buffer.alloc(LARGE_BYTES);
    for (let i = 0; i < LARGE_BYTES; i += 4) large.writeUInt32LE(i, i);
    fs.writeFileSync(path.join(directory, 'large.bin'), large);
    fs.writeFileSync(path.join(directory, 'small.txt'), '0123456789');
    fs.writeFileSync(path.join(directory, 'empty'), '');
    fs.mkdirSync(path.join(directory, 'sub'));
    fs.symlinkSync('/etc/hostname', path.join(directory, 'outside'));
    fs.utimesSync(path.join(directory, 'small.txt'), 784111777, 784111777);
    both = await startBoth(settings);
    ({ host, secureHost, session } = both);
}, options);

after(async () => {
    await both?.stop();
    fs.rmSync(directory, { recursive: true, force: true });
}, options);

const MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT';
const target = (query) => `/functions/v1/response_file?${query}`;

async function request1(requestPath, { method = 'GET', headers = {} } = {}) {
    const answer = await fetch(host.url + requestPath, { method, headers });
    const body = Buffer.from(await answer.arrayBuffer());
    const isJson = answer.headers.get('content-type') === 'application/json' && body.length > 0;
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body, text: body.toString(), json: isJson ? JSON.parse(body) : undefined };
}

const transports = { 'HTTP/1.1': request1, 'HTTP/2': (...args) => request2(session, ...args) };
for (const [transport, request] of Object.entries(transports)) {
    const get = (query, headers, method) => request(target(query), { headers, method });

    describe(`response: files over ${transport}`, options, () => {
        it('whole, with what a client needs for the next request', options, async () => {
            const answer = await get('name=small.txt&type=text/plain');
            assert.equal(answer.status, 200);
            assert.equal(answer.text, '0123456789');
            assert.equal(answer.headers['content-type'], 'text/plain');
            assert.equal(answer.headers['content-length'], '10');
            assert.equal(answer.headers['accept-ranges'], 'bytes');
            assert.equal(answer.headers['last-modified'], MODIFIED);
            assert.match(answer.headers.etag, /^"[0-9a-f]+-[0-9a-f]+"$/);
        });

        it('a large one, by name and by descriptor', options, async () => {
            for (const query of ['name=large.bin', 'name=large.bin&open']) {
                const answer = await get(query);
                assert.equal(answer.status, 200);
                assert.ok(answer.body.equals(large));
            }
        });

        it('ranges', options, async () => {
            for (const [range, text, contentRange] of [['bytes=2-4', '234', 'bytes 2-4/10'], ['bytes=7-', '789', 'bytes 7-9/10'], ['bytes=-1', '9', 'bytes 9-9/10']]) {
                const answer = await get('name=small.txt', { range });
                assert.equal(answer.status, 206);
                assert.equal(answer.text, text);
                assert.equal(answer.headers['content-range'], contentRange);
            }
            const middle = await get('name=large.bin', { range: 'bytes=1000000-20000000' });
            assert.ok(middle.body.equals(large.subarray(1000000, 20000001)));
        });

        it('a range outside is 416 and says how large the file is', options, async () => {
            const answer = await get('name=small.txt', { range: 'bytes=10-' });
            assert.equal(answer.status, 416);
            assert.equal(answer.headers['content-range'], 'bytes */10');
            assert.equal(answer.json.code, 'range_not_satisfiable');
        });

        it('conditions: If-Range, If-None-Match, If-Modified-Since, If-Match', options, async () => {
            const { etag } = (await get('name=small.txt')).headers;
            const range = 'bytes=0-0';
            assert.equal((await get('name=small.txt', { range, 'if-range': etag })).status, 206);
            assert.equal((await get('name=small.txt', { range, 'if-range': '"other"' })).status, 200);
            for (const headers of [{ 'if-none-match': etag }, { 'if-modified-since': MODIFIED }]) {
                const answer = await get('name=small.txt', headers);
                assert.equal(answer.status, 304);
                assert.equal(answer.body.length, 0);
                assert.equal(answer.headers.etag, etag);
            }
            const failed = await get('name=small.txt', { 'if-match': '"other"' });
            assert.equal(failed.status, 412);
            assert.equal(failed.json.code, 'precondition_failed');
        });

        it('a HEAD request has the head and no body; other methods get the whole', options, async () => {
            const head = await get('name=small.txt', { range: 'bytes=0-4' }, 'HEAD');
            assert.equal(head.status, 200);
            assert.equal(head.headers['content-length'], '10');
            assert.equal(head.body.length, 0);
            const posted = await get('name=small.txt', { range: 'bytes=0-4' }, 'POST');
            assert.equal(posted.status, 200);
            assert.equal(posted.text, '0123456789');
        });

        it('an empty file', options, async () => {
            const answer = await get('name=empty');
            assert.equal(answer.status, 200);
            assert.equal(answer.headers['content-length'], '0');
        });

        it('what is not there, no file, or outside of its directory is 404', options, async () => {
            for (const name of ['missing', 'sub', '', '../' + path.basename(directory) + '/small.txt', '/etc/hostname', 'outside', 'sub/../../x']) {
                const answer = await get(`name=${encodeURIComponent(name)}`);
                assert.equal(answer.status, 404, name);
                assert.equal(answer.json.code, 'file_not_found');
            }
            assert.equal((await get('name=sub/../small.txt')).status, 200);
        });

        it('binary types, names to save as, tags of one\'s own', options, async () => {
            assert.equal((await get('name=small.txt&type=image/png')).headers['content-type'], 'application/octet-stream');
            assert.equal((await get('name=small.txt&type=image/png', { accept: 'image/png' })).headers['content-type'], 'image/png');
            const saved = await get(`name=small.txt&as=${encodeURIComponent('Größe.txt')}`);
            assert.equal(saved.headers['content-disposition'], "attachment; filename=\"Gr____e.txt\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.txt");
            assert.equal((await get('name=small.txt&etag="v1"', { 'if-none-match': 'W/"v1"' })).status, 304);
            assert.equal((await get('name=small.txt&etag=v1')).status, 500);
        });

        it('many bytes at once are sent in pieces', options, async () => {
            const answer = await (transport === 'HTTP/2'
                ? request2(session, '/functions/v1/response_kinds', { method: 'POST', body: '{"bytes":9000000}' })
                : fetch(`${host.url}/functions/v1/response_kinds`, { method: 'POST', body: '{"bytes":9000000}' }).then(async (got) => ({ body: Buffer.from(await got.arrayBuffer()) })));
            assert.equal(answer.body.length, 9000000);
            assert.ok(answer.body.every((byte, i) => byte === i % 251));
        });
    });
}

describe('response: connections', options, () => {
    it('a connection goes on after files, conditions and HEAD', options, async () => {
        const connection = await Raw.open(host.port);
        const ask = (method, query, headers = '') => connection.send(`${method} ${target(query)} HTTP/1.1\r\nHost: t\r\n${headers}\r\n`);
        ask('GET', 'name=large.bin');
        ask('GET', 'name=small.txt', 'Range: bytes=0-1\r\n');
        ask('GET', 'name=small.txt', 'Range: bytes=99-\r\n');
        assert.ok((await connection.answer(30000)).body.equals(large));
        assert.equal((await connection.answer()).text, '01');
        assert.equal((await connection.answer()).status, 416);
        connection.destroy();
    });

    it('304 and answers to HEAD have no body on the wire', options, async () => {
        const connection = await Raw.open(host.port);
        connection.send(`GET ${target('name=small.txt')} HTTP/1.1\r\nHost: t\r\nIf-None-Match: *\r\n\r\nHEAD ${target('name=small.txt')} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n`);
        await connection.closed(10000);
        const heads = connection.received.toString('latin1').split('\r\n\r\n');
        assert.equal(heads.length, 3);
        assert.match(heads[0], /^HTTP\/1\.1 304 /);
        assert.doesNotMatch(heads[0], /content-length|transfer-encoding/);
        assert.match(heads[1], /^HTTP\/1\.1 200 /);
        assert.match(heads[1], /content-length: 10/);
        assert.equal(heads[2], '');
        connection.destroy();
    });

    it('over HTTP/2 pieces follow each other without an event between them', options, async () => {
        const wide = connect2(secureHost, { settings: { initialWindowSize: 32 * 1024 * 1024 } });
        await new Promise((resolve) => wide.once('remoteSettings', resolve));
        wide.setLocalWindowSize(32 * 1024 * 1024);
        const start = Date.now();
        assert.ok((await request2(wide, target('name=large.bin'))).body.equals(large));
        assert.ok(Date.now() - start < 30000, 'each piece waited for the loop');
        wide.destroy();
    });

    it('a reader that leaves, or stops, does not hold the worker', options, async () => {
        const connections = await Promise.all(Array.from({ length: 8 }, () => Raw.open(host.port)));
        for (const connection of connections) {
            connection.socket.pause();
            connection.send(`GET ${target('name=large.bin')} HTTP/1.1\r\nHost: t\r\n\r\n`);
        }
        await sleep(200);
        assert.equal((await request1(target('name=small.txt'))).text, '0123456789');
        for (const connection of connections) connection.destroy();
        await eventually(() => host.log.filter((line) => line.status === 499 || line.code === 'client_gone').length >= 8, 'eight log lines of clients that left', 30000);
    });
});

const kinds = async (body) => {
    const answer = await fetch(`${host.url}/functions/v1/response_kinds`, { method: 'POST', body: JSON.stringify(body) });
    return { status: answer.status, cookies: answer.headers.getSetCookie?.() ?? [answer.headers.get('set-cookie')], type: answer.headers.get('content-type'), text: await answer.text() };
};

describe('response: cookies and bodies', options, () => {
    it('cookies are safe unless the function says otherwise', options, async () => {
        const one = async (cookie) => (await kinds({ cookies: [cookie] })).cookies[0];
        assert.equal(await one({ name: 'a', value: 'b' }), 'a=b; Path=/; SameSite=Lax; Secure; HttpOnly');
        assert.equal(await one({ name: 'a', path: '/x', domain: 'example.com', maxAge: 60, sameSite: 'none' }), 'a=; Path=/x; Domain=example.com; Max-Age=60; SameSite=None; Secure; HttpOnly');
        assert.equal(await one({ name: 'a', maxAge: -1, insecure: true, scripts: true, sameSite: 'Strict' }), 'a=; Path=/; Max-Age=0; SameSite=Strict');
        assert.equal(await one({ name: '__Host-a', value: 'b' }), '__Host-a=b; Path=/; SameSite=Lax; Secure; HttpOnly');
    });

    it('several cookies are several headers, over HTTP/2 too', options, async () => {
        const cookies = [{ name: 'a', value: '1' }, { name: 'b', value: '2' }];
        const answer = await request2(session, '/functions/v1/response_kinds', { method: 'POST', body: JSON.stringify({ cookies }) });
        assert.deepEqual(answer.headers['set-cookie'].map((cookie) => cookie.split(';')[0]), ['a=1', 'b=2']);
    });

    it('what a browser would refuse is the function\'s mistake', options, async () => {
        for (const cookie of [
            { name: 'a b' }, { name: 'a', value: 'x;y' }, { name: 'a', value: 'é' }, { name: 'a', value: 'x y' }, { name: 'a', value: 'v'.repeat(4096) },
            { name: 'a', path: 'x' }, { name: 'a', path: '/;x' }, { name: 'a', domain: 'a;b' }, { name: 'a', sameSite: 'Some' },
            { name: 'a', sameSite: 'None', insecure: true }, { name: '__Secure-a', insecure: true }, { name: '__Host-a', domain: 'a.b' }, { name: '__Host-a', path: '/x' },
        ])
            assert.equal((await kinds({ cookies: [cookie] })).status, 500, JSON.stringify(cookie));
    });

    it('JSON text goes out as it is; an empty one is refused', options, async () => {
        const answer = await kinds({ json: '{"a": 1.10,  "b":[]}', status: 201 });
        assert.deepEqual([answer.status, answer.type, answer.text], [201, 'application/json', '{"a": 1.10,  "b":[]}']);
        assert.equal((await kinds({ json: 'empty' })).status, 500);
    });

    it('statuses without a body are refused', options, async () => {
        for (const status of [204, 304, 199, 600]) assert.equal((await kinds({ status })).status, 500);
        assert.equal((await kinds({ bytes: 0 })).text, '');
    });
});
