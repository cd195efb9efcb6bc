/*
 * TLS and HTTP/2: the same functions, their identity header, streams, limits, and certificates that change.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { eventually, sleep, startHost } from '../support/host.mjs';

const options = { timeout: 60000 };
let host, directory, client;

function certificate(name) {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`,
        '-addext', 'subjectAltName=DNS:localhost', '-keyout', path.join(directory, 'new.key'), '-out', path.join(directory, 'new.pem')], { stdio: 'ignore' });
    fs.renameSync(path.join(directory, 'new.key'), path.join(directory, 'key.pem'));
    fs.renameSync(path.join(directory, 'new.pem'), path.join(directory, 'cert.pem'));
}

before(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-tls-'));
    certificate('first');
    host = await startHost({
        sandbox: false, tls: true, readyPath: '/_edge/live',
        server: {
            plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, body_timeout: '1s', header_timeout: '1s',
            tls_cert: path.join(directory, 'cert.pem'), tls_key: path.join(directory, 'key.pem'),
        },
        functions: { hello: { auth: 'public' }, echo: { auth: 'public', max_body: '4MiB' }, slow: { auth: 'public', timeout: '3s' } },
    });
    client = http2.connect(`https://127.0.0.1:${host.port}`, { rejectUnauthorized: false });
}, options);

after(async () => {
    client?.destroy();
    await host?.stop();
    fs.rmSync(directory, { recursive: true, force: true });
}, options);

function request(headers, body, session = client) {
    return new Promise((resolve, reject) => {
        const stream = session.request({ ':method': body === undefined ? 'GET' : 'POST', ...headers });
        const answer = { headers: {}, text: '', times: [] };
        stream.on('response', (head) => (answer.headers = head));
        stream.on('data', (data) => {
            answer.text += data;
            answer.times.push(Date.now());
        });
        stream.on('end', () => resolve(answer)).on('error', reject);
        stream.end(body);
    });
}

const path_ = (name) => ({ ':path': `/functions/v1/${name}` });

describe('HTTP/2', options, () => {
    it('serves functions, with headers nobody has heard of', options, async () => {
        const answer = await request({ ...path_('echo/rest?q=1'), 'x-clerk-auth': 'token', 'x-test': 'a' }, '{"a":1}');
        assert.equal(answer.headers[':status'], 200);
        const body = JSON.parse(answer.text);
        assert.equal(body.headers['x-clerk-auth'], 'token');
        assert.equal(body.headers.host, `127.0.0.1:${host.port}`);
        assert.equal(body.rest, '/rest');
        assert.equal(body.origin, `https://127.0.0.1:${host.port}`);
        assert.deepEqual(body.in, { a: 1 });
    });

    it('a hundred streams at a time on one connection', options, async () => {
        const began = Date.now();
        const answers = await Promise.all(Array.from({ length: 100 }, () => request(path_('slow'), '{"ms":300}')));
        assert.ok(answers.every((answer) => answer.text === '{"done":true}'));
        assert.ok(Date.now() - began < 2500);
    });

    it('streams events as they come', options, async () => {
        const answer = await request(path_('slow'), '{"events":4,"interval":150}');
        assert.equal(answer.headers['content-type'], 'text/event-stream');
        assert.equal(answer.text.match(/^data: /gm).length, 5);
        assert.ok(answer.times.at(-1) - answer.times[0] > 300);
    });

    it('a large answer passes a small window, a large body is spooled', options, async () => {
        const small = http2.connect(`https://127.0.0.1:${host.port}`, { rejectUnauthorized: false, settings: { initialWindowSize: 4096 } });
        const text = 'x'.repeat(3000000);
        const answer = await request(path_('echo'), JSON.stringify({ text }), small);
        assert.equal(JSON.parse(answer.text).in.text.length, text.length);
        small.destroy();
    });

    it('a body beyond its limit: 413, and the connection lives on', options, async () => {
        const answer = await request(path_('echo'), 'x'.repeat(5 << 20)).catch((error) => error);
        assert.equal(answer.headers?.[':status'], 413, String(answer));
        assert.equal(JSON.parse(answer.text).code, 'body_too_large');
        assert.equal((await request(path_('hello'), '{}')).headers[':status'], 200);
    });

    it('headers beyond their limit, methods and paths that are not there', options, async () => {
        assert.equal((await request({ ':path': '/nope' })).headers[':status'], 404);
        assert.equal((await request({ ...path_('slow') })).headers[':status'], 405);
        assert.equal((await request({ ':path': '/functions/v1/%00' })).headers[':status'], 400);
        assert.equal((await request({ ':path': `/${'a'.repeat(9000)}` })).headers[':status'], 414);
    });

    it('a stream that is reset cancels its function', options, async () => {
        const stream = client.request({ ':method': 'POST', ...path_('slow') });
        stream.on('error', () => {});
        stream.end('{"ms":2500}');
        await sleep(200);
        stream.close(http2.constants.NGHTTP2_CANCEL);
        await host.logged((line) => line.event === 'invocation' && line.code === 'client_gone');
    });

    it('a body that does not come: 408', options, async () => {
        const stream = client.request({ ':method': 'POST', ...path_('echo') });
        const status = await new Promise((resolve) => stream.on('response', (head) => resolve(head[':status'])).on('error', () => {}));
        assert.equal(status, 408);
        stream.close();
    });
});

describe('TLS', options, () => {
    it('HTTP/1.1 for who does not speak HTTP/2, TLS 1.2 and 1.3', options, async () => {
        for (const version of ['TLSv1.2', 'TLSv1.3']) {
            const text = await new Promise((resolve, reject) => {
                https.get(`https://127.0.0.1:${host.port}/functions/v1/hello`, { rejectUnauthorized: false, agent: false, minVersion: version, maxVersion: version }, (answer) => {
                    let body = '';
                    answer.on('data', (data) => (body += data)).on('end', () => resolve(`${answer.httpVersion} ${body}`));
                }).on('error', reject);
            });
            assert.equal(text, '1.1 {"message":"hello"}');
        }
    });

    it('refuses TLS 1.1', options, async () => {
        const error = await new Promise((resolve) => {
            tls.connect({ port: host.port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, () => resolve(null)).on('error', resolve);
        });
        assert.ok(error);
    });

    it('plain HTTP on the port is closed, and harms nobody', options, async () => {
        await assert.rejects(fetch(`http://127.0.0.1:${host.port}/_edge/live`));
        assert.equal((await request(path_('hello'), '{}')).headers[':status'], 200);
    });

    it('a new certificate is served without a restart; one that does not load changes nothing', options, async () => {
        const subject = () => new Promise((resolve, reject) => {
            const socket = tls.connect({ port: host.port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
                resolve(socket.getPeerCertificate().subject.CN);
                socket.destroy();
            }).on('error', reject);
        });
        assert.equal(await subject(), 'first');
        certificate('second');
        await eventually(async () => (await subject()) === 'second', 'the new certificate');
        fs.writeFileSync(path.join(directory, 'cert.pem'), 'nonsense');
        await host.logged((line) => line.event === 'tls_certificate_refused');
        assert.equal(await subject(), 'second');
    });
});
