/*
 * Signed URLs: who may read what until when, and how much of it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { eventually, SERVICE_KEY } from '../support/host.mjs';
import { Raw } from '../support/raw.mjs';
import { call, residentBytes, startPluginHost, underSanitizers, workers } from './plugin_host.mjs';

const options = { timeout: 120000 };
const MiB = 1024 * 1024;
const KEY = 'signing-key-of-the-test-0123456789';
const TEXT = 'abcdefghijklmnopqrstuvwxyz';
let host, directory;

before(async () => {
    directory = fs.mkdtempSync('/tmp/edge-storage-');
    host = await startPluginHost('storage_ops', { env: { STORAGE_DIR: directory, STORAGE_SIGNING_KEY: KEY } });
    await ops({ op: 'put', path: 'user_a/calls/c 1.txt', text: TEXT, type: 'text/plain' });
    await ops({ op: 'put', path: 'empty', text: '' });
    await ops({ op: 'upload', path: 'large', size: 64 * MiB, type: 'audio/mpeg' });
}, options);

after(async () => {
    await host?.stop();
    fs.rmSync(directory, { recursive: true, force: true });
}, options);

const ops = (body) => call(host, 'storage_ops', { bucket: 'audio', ...body });
const signed = async (path, ttl = 60) => (await ops({ op: 'sign', path, ttl })).body.result;

const part = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
function token(payload, key = KEY, header = { alg: 'HS256', typ: 'JWT' }) {
    const input = `${part(header)}.${part(payload)}`;
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}
const now = () => Math.floor(Date.now() / 1000);
const url = (name, jwt) => `${host.url}/storage/v1/object/sign/${name}${jwt === undefined ? '' : `?token=${jwt}`}`;

async function refused(answer, status, code) {
    const body = await answer.json();
    assert.deepEqual([answer.status, body.code, answer.headers.get('sb-error-code')], [status, code, code], JSON.stringify(body));
    assert.equal(body.requestId, answer.headers.get('x-request-id'));
}

describe('signed URLs', options, () => {
    it('lead to the object, with what a browser wants to know', options, async () => {
        const link = await signed('user_a/calls/c 1.txt', 3600);
        assert.ok(link.startsWith(`${host.url}/storage/v1/object/sign/audio/user_a/calls/c%201.txt?token=`), link);
        const payload = JSON.parse(Buffer.from(new URL(link).searchParams.get('token').split('.')[1], 'base64url'));
        assert.equal(payload.url, 'audio/user_a/calls/c 1.txt');
        assert.equal(payload.exp - payload.iat, 3600);

        const answer = await fetch(link);
        assert.equal(await answer.text(), TEXT);
        assert.equal(answer.status, 200);
        const headers = Object.fromEntries(answer.headers);
        assert.equal(headers['content-type'], 'text/plain');
        assert.equal(headers['content-length'], '26');
        assert.equal(headers['accept-ranges'], 'bytes');
        assert.equal(headers['x-content-type-options'], 'nosniff');
        assert.match(headers['content-security-policy'], /^sandbox/);
        assert.match(headers['cache-control'], /^private, max-age=3[56]\d\d$/);
        assert.match(headers.etag, /^"[0-9a-f]{32}"$/);
        assert.ok(Math.abs(Date.parse(headers['last-modified']) - Date.now()) < 100000);
        assert.equal(headers['access-control-allow-origin'], '*');
        assert.equal(headers['content-disposition'], undefined);

        const named = await fetch(`${link}&download=my%20file%22.txt`);
        assert.equal(named.headers.get('content-disposition'), `attachment; filename*=UTF-8''my%20file%22.txt`);
        assert.equal(await named.text(), TEXT);
        const own = await fetch(`${link}&download=`);
        assert.equal(own.headers.get('content-disposition'), `attachment; filename*=UTF-8''c%201.txt`);
        await own.text();
    });

    it('HEAD says the same without the bytes, OPTIONS is a preflight, POST is 405', options, async () => {
        const link = await signed('user_a/calls/c 1.txt');
        const head = await fetch(link, { method: 'HEAD' });
        assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '26', '']);
        assert.equal((await fetch(link, { method: 'OPTIONS' })).status, 200);
        const post = await fetch(link, { method: 'POST', body: '{}' });
        assert.equal(post.headers.get('allow'), 'GET, HEAD');
        await refused(post, 405, 'method_not_allowed');
        const empty = await fetch(await signed('empty'));
        assert.deepEqual([empty.status, await empty.text()], [200, '']);
    });

    it('forged, foreign and expired tokens are refused', options, async () => {
        const name = 'audio/user_a/calls/c%201.txt', good = { url: 'audio/user_a/calls/c 1.txt', iat: now(), exp: now() + 60 };
        const get = (jwt, to = name) => fetch(url(to, jwt));
        assert.equal(await (await get(token(good))).text(), TEXT);
        await refused(await get(undefined), 400, 'invalid_token');
        for (const bad of ['', 'x', 'a.b.c', token(good, 'another key'), token(good, ''), `${token(good)}x`,
            token(good).slice(0, -1), token(good, KEY, { alg: 'none' }), token(good, KEY, { alg: 'HS512' }),
            token(good, KEY, { alg: 'HS256', crit: ['exp'] }), `${part({ alg: 'none' })}.${part(good)}.`,
            token({ ...good, url: 'audio/user_b/x' }), token({ ...good, url: undefined }), token({ ...good, exp: undefined }),
            token({ ...good, exp: `${now() + 60}` }), token([good])])
            await refused(await get(bad), 400, 'invalid_token');
        await refused(await get(token({ ...good, exp: now() - 1 })), 400, 'token_expired');
        await refused(await get(token(good), 'audio/user_a/calls/c%201.tx'), 400, 'invalid_token');
        await refused(await get(await signed('user_a/none').then((link) => new URL(link).searchParams.get('token')), 'audio/user_a/none'),
            404, 'object_not_found');
        const short = await signed('empty', 1);
        await eventually(async () => (await fetch(short)).status === 400, 'the URL to expire');
    });

    it('no token leads out of a bucket', options, async () => {
        for (const name of ['audio/../audio/empty', '.pending/x', 'audio/', 'audio', '/etc/passwd', 'audio//empty', 'audio/empty.object/x', '']) {
            const connection = await Raw.open(host.port);
            const target = `/storage/v1/object/sign/${name}?token=${token({ url: name, iat: now(), exp: now() + 60 })}`;
            const answer = await connection.send(`GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n`).answer();
            assert.deepEqual([answer.status, answer.json.code], [400, 'invalid_token'], name);
            connection.destroy();
        }
        for (const name of ['audio/empty%00', 'audio/%', 'audio/%zz'])
            await refused(await fetch(url(name, token({ url: 'audio/empty', exp: now() + 60 }))), 400, 'invalid_token');
    });

    it('ranges', options, async () => {
        const link = await signed('user_a/calls/c 1.txt');
        const get = (range, headers = {}) => fetch(link, { headers: { range, ...headers } });
        for (const [range, text, shown] of [['bytes=0-3', 'abcd', '0-3'], ['bytes=24-', 'yz', '24-25'], ['bytes=-3', 'xyz', '23-25'], ['bytes=20-99', 'uvwxyz', '20-25']]) {
            const answer = await get(range);
            assert.deepEqual([answer.status, answer.headers.get('content-range'), await answer.text()], [206, `bytes ${shown}/26`, text]);
            assert.equal(answer.headers.get('content-length'), String(text.length));
        }
        for (const range of ['bytes=0-1,3-4', 'lines=1-2', 'bytes=x']) {
            const answer = await get(range);
            assert.deepEqual([answer.status, await answer.text()], [200, TEXT]);
        }
        const behind = await get('bytes=26-');
        assert.equal(behind.headers.get('content-range'), 'bytes */26');
        await refused(behind, 416, 'range_not_satisfiable');

        const { etag, 'last-modified': modified } = Object.fromEntries((await fetch(link)).headers);
        for (const [value, status] of [[etag, 206], ['"other"', 200], [modified, 206], ['Tue, 10 Mar 2020 12:00:00 GMT', 200]]) {
            const answer = await get('bytes=0-3', { 'if-range': value });
            assert.equal(answer.status, status, value);
            await answer.text();
        }
        for (const headers of [{ 'if-none-match': etag }, { 'if-modified-since': modified }]) {
            const answer = await fetch(link, { headers });
            assert.deepEqual([answer.status, await answer.text(), answer.headers.get('etag')], [304, '', etag]);
        }
        assert.equal((await fetch(link, { headers: { 'if-none-match': '"other"', 'if-modified-since': modified } })).status, 200);
    });

    it('64 MiB to eight readers with little memory, and a reader that stops holds up nobody', options, async () => {
        const link = await signed('large'), [worker] = workers(host), before_ = residentBytes(worker);
        const lazy = await Raw.open(host.port);
        lazy.socket.pause();
        lazy.socket.write(`GET ${new URL(link).pathname}${new URL(link).search} HTTP/1.1\r\nHost: test\r\n\r\n`);
        let peak = 0;
        await Promise.all(Array.from({ length: 8 }, async () => {
            let length = 0;
            for await (const piece of (await fetch(link)).body) length += piece.length;
            peak = Math.max(peak, residentBytes(worker));
            assert.equal(length, 64 * MiB);
        }));
        if (!underSanitizers) assert.ok(peak - before_ < 8 * MiB, `${peak - before_} bytes more`);
        lazy.destroy();
        const tail = await fetch(link, { headers: { range: 'bytes=-5' } });
        assert.equal((await tail.text()).length, 5);
    });
});

it('without a key of its own the service key signs, and STORAGE_PUBLIC_URL is the base', options, async () => {
    const other = await startPluginHost('storage_ops', { env: { STORAGE_DIR: directory, STORAGE_PUBLIC_URL: 'https://files.example.com/', SUPABASE_URL: 'https://x.supabase.co' } });
    try {
        const link = new URL((await call(other, 'storage_ops', { op: 'sign', bucket: 'audio', path: 'empty' })).body.result);
        assert.equal(link.origin, 'https://files.example.com');
        const [head, payload, mac] = link.searchParams.get('token').split('.');
        const key = createHmac('sha256', SERVICE_KEY).update('storage-signing-v1').digest();
        assert.equal(createHmac('sha256', key).update(`${head}.${payload}`).digest('base64url'), mac);
        assert.equal((await fetch(other.url + link.pathname + link.search)).status, 200);
    } finally {
        await other.stop();
    }
});

it('HTTP/2 and TLS get the same bytes', options, async () => {
    const key = path.join(directory, 'key.pem'), cert = path.join(directory, 'cert.pem');
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const secure = await startPluginHost('storage_ops', {
        tls: true, env: { STORAGE_DIR: directory, STORAGE_SIGNING_KEY: KEY }, server: { tls_cert: cert, tls_key: key },
    });
    try {
        const target = `/storage/v1/object/sign/audio/large?token=${token({ url: 'audio/large', iat: now(), exp: now() + 60 })}`;
        const session = http2.connect(secure.url, { rejectUnauthorized: false });
        const request = session.request({ ':path': target, range: `bytes=1000-${5 * MiB}` });
        const headers = await new Promise((resolve, reject) => request.on('response', resolve).on('error', reject));
        let length = 0;
        for await (const piece of request) length += piece.length;
        assert.deepEqual([headers[':status'], length], [206, 5 * MiB - 999]);
        const head = session.request({ ':path': target, ':method': 'HEAD' });
        assert.equal((await new Promise((resolve) => head.on('response', resolve)))['content-length'], String(64 * MiB));
        session.close();

        const answer = await new Promise((resolve, reject) =>
            https.get(secure.url + target, { rejectUnauthorized: false, agent: false }, resolve).on('error', reject));
        length = 0;
        for await (const piece of answer) length += piece.length;
        assert.deepEqual([answer.statusCode, length], [200, 64 * MiB]);
    } finally {
        await secure.stop();
    }
});
