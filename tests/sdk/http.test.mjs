/*
 * The HTTP client as functions see it: calls at once, bodies that do not fit into memory, forms, and documents at URLs
 * that come from anybody. The provider is a server of the test's own.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { post } from '../support/clients.mjs';
import { buildDirectory } from '../support/config.mjs';
import { startHost } from '../support/host.mjs';

const options = { timeout: 120000 };
const sanitized = /asan/.test(buildDirectory);
const MIB = 1024 * 1024;
const LARGE = sanitized ? 32 * MIB : 200 * MIB;

let host, peer, directory, requests;

/* What the provider does with a path; request.body is there when it was kept. */
const answers = {
    '/slow': (request, answer) => setTimeout(() => answer.end('slow'), 200),
    '/broken': (request) => request.socket.destroy(),
    '/quick': (request, answer) => answer.end(request.body),
    '/store': (request, answer) => json(answer, { bytes: request.bytes, sha256: request.sha256, headers: request.headers, method: request.method }),
    '/form': async (request, answer) => json(answer, await readForm(request)),
    '/document': (request, answer) => answer.end(`document ${request.url}`),
    '/inside': (request, answer) => answer.writeHead(302, { location: 'https://169.254.169.254/latest' }).end(),
    '/loopback': (request, answer) => answer.writeHead(307, { location: `https://127.0.0.1:${peer.address().port}/document` }).end(),
    '/plain': (request, answer) => answer.writeHead(301, { location: 'http://documents.example/document' }).end(),
    '/elsewhere': (request, answer) => answer.writeHead(308, { location: '//other.example/document?moved' }).end(),
    '/circle': (request, answer) => answer.writeHead(302, { location: '/circle' }).end(),
};

const json = (answer, value) => answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/* By the platform's own parser (WHATWG). */
async function readForm(request) {
    const form = await new Response(request.body, { headers: { 'content-type': request.headers['content-type'] } }).formData();
    const file = form.get('file');
    return {
        length: request.headers['content-length'], fields: [...form.keys()], model: form.get('model'), language: form.get('language'),
        name: file.name, type: file.type, sha256: sha256(await file.text()),
    };
}

/* Bodies are counted, and kept while they are small. */
function serve(request, answer) {
    const url = new URL(request.url, 'http://peer');
    const kept = [], hash = createHash('sha256');
    request.bytes = 0;
    requests.push(request);
    request.on('data', (piece) => {
        request.bytes += piece.length;
        hash.update(piece);
        if (request.bytes < MIB) kept.push(piece);
    });
    request.on('end', () => {
        request.body = Buffer.concat(kept);
        request.sha256 = hash.digest('hex');
        (answers[url.pathname] ?? answers['/document'])(request, answer);
    });
}

const functions = Object.fromEntries(
    ['http_together', 'http_upload', 'http_form', 'http_relay', 'http_document'].map((name) => [name, { auth: 'public', timeout: '120s', memory: '1MiB' }]),
);

/* Without a stand-in for document_fetch unless env names one: names are looked up then. */
function start(env = {}) {
    return startHost({
        sandbox: false, readyPath: '/_edge/live', functions, env: { DOCUMENT_FETCH_BASE_URL: null, ...env },
        server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, body_memory: '64KiB' },
        providers: { peer: { base_url: `http://127.0.0.1:${peer.address().port}`, timeout: '60s' } },
    });
}

before(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-http-'));
    requests = [];
    peer = http.createServer(serve);
    await new Promise((resolve) => peer.listen(0, '127.0.0.1', resolve));
    host = await start();
}, options);

after(async () => {
    await host?.stop();
    peer?.close();
    fs.rmSync(directory, { recursive: true, force: true });
}, options);

/* The one worker of a host. */
function workerOf({ child }) {
    const isWorker = (pid) => {
        try {
            return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1] === String(child.pid);
        } catch {
            return false; /* it has ended meanwhile */
        }
    };
    return fs.readdirSync('/proc').find((name) => /^\d+$/.test(name) && isWorker(name));
}

const residentKiB = (pid, field) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

/* What the worker's memory grew by at its highest while work ran, in KiB. */
async function grownBy(work) {
    const pid = workerOf(host);
    fs.writeFileSync(`/proc/${pid}/clear_refs`, '5'); /* the highest so far is forgotten */
    const before = residentKiB(pid, 'VmRSS');
    await work();
    return residentKiB(pid, 'VmHWM') - before;
}

describe('http: calls at once', options, () => {
    it('are answered in order, and one that fails leaves the others alone', options, async () => {
        const answer = await post(host, 'http_together', { body: {} });
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        const [slow, broken, quick] = answer.body.replies;
        assert.deepEqual(slow, { failure: 0, status: 200, body: 'slow' });
        assert.equal(broken.failure, 1);
        assert.deepEqual(quick, { failure: 0, status: 200, body: '{"n":3}' });
    });
});

describe('http: large bodies', options, () => {
    const upload = async (body) => {
        const answer = await post(host, 'http_upload', { body });
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        return answer.body;
    };

    it('are written piece by piece, with and without a length', options, async () => {
        const chunked = await upload({ bytes: 123456 });
        assert.equal(chunked.bytes, 123456);
        assert.equal(chunked.method, 'PUT');
        assert.equal(chunked.headers['transfer-encoding'], 'chunked');
        assert.equal(chunked.sha256, sha256('p'.repeat(123456)));
        const announced = await upload({ bytes: 123456, announce: true });
        assert.equal(announced.headers['content-length'], '123456');
        assert.equal(announced.sha256, chunked.sha256);
        assert.equal((await upload({ bytes: 0 })).bytes, 0);
    });

    it('take the same memory whatever their size', options, async () => {
        await upload({ bytes: MIB });
        const grown = await grownBy(async () => assert.equal((await upload({ bytes: LARGE })).bytes, LARGE));
        if (!sanitized) assert.ok(grown < 512, `the worker grew by ${grown} KiB`);
    });

    it('come from files', options, async () => {
        const file = path.join(directory, 'large');
        fs.writeFileSync(file, 'q'.repeat(MIB));
        const small = await upload({ file });
        assert.equal(small.headers['content-length'], String(MIB));
        assert.equal(small.sha256, sha256('q'.repeat(MIB)));
        fs.truncateSync(file, LARGE);
        const grown = await grownBy(async () => assert.equal((await upload({ file })).bytes, LARGE));
        if (!sanitized) assert.ok(grown < 512, `the worker grew by ${grown} KiB`);
        fs.rmSync(file);
        assert.equal((await post(host, 'http_upload', { body: { file } })).status, 500);
    });
});

describe('http: forms', options, () => {
    it('are multipart/form-data that others read', options, async () => {
        const file = path.join(directory, 'call');
        fs.writeFileSync(file, 'bytes of a call');
        const answer = await post(host, 'http_form', { body: { file, filename: 'call "äöü".webm' } });
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        const { length, name, fields, ...rest } = answer.body;
        assert.deepEqual([...fields].sort(), ['file', 'language', 'model']); /* node 18 tells files last */
        assert.ok(Number(length) > 100);
        assert.match(name, /^call ("|%22)äöü("|%22)\.webm$/); /* the platform's parser keeps the escape, WHATWG's undoes it */
        assert.deepEqual(rest, { model: 'whisper-1', language: 'en', type: 'audio/webm', sha256: sha256('bytes of a call') });
    });

    it('carry files that were received, in memory or not', options, async () => {
        for (const length of [0, 1000, 900000]) {
            const form = new FormData();
            form.set('note', 'before the file');
            form.set('file', new Blob(['r'.repeat(length)], { type: 'text/csv' }), 'rows.csv');
            const answer = await fetch(`${host.url}/functions/v1/http_relay`, { method: 'POST', body: form });
            const body = await answer.json();
            assert.equal(answer.status, 200, JSON.stringify(body));
            assert.equal(body.form.sha256, sha256('r'.repeat(length)));
            assert.equal(body.form.name, 'rows.csv');
            assert.equal(body.form.type, 'text/csv');
            assert.equal(body.store.sha256, body.form.sha256);
        }
    });

    it('stream their files', options, async () => {
        const file = path.join(directory, 'long');
        fs.writeFileSync(file, '');
        fs.truncateSync(file, LARGE);
        answers['/form'] = (request, answer) => json(answer, { bytes: request.bytes });
        const grown = await grownBy(async () => {
            const answer = await post(host, 'http_form', { body: { file, filename: 'long.webm' } });
            assert.ok(answer.body.bytes > LARGE && answer.body.bytes < LARGE + 1024);
        });
        if (!sanitized) assert.ok(grown < 512, `the worker grew by ${grown} KiB`);
    });
});

describe("http: anybody's URLs", options, () => {
    const refused = async (at, url) => {
        const answer = await post(at, 'http_document', { body: { url } });
        assert.equal(answer.status, 400, `${url}: ${JSON.stringify(answer.body)}`);
        assert.equal(answer.body.code, 'url_not_allowed', url);
    };

    it('may not lead inside, however they are spelled', options, async () => {
        const { port } = peer.address();
        const urls = [
            'https://127.0.0.1/', 'https://2130706433/', 'https://0x7f000001/', 'https://0177.0.0.1/', 'https://127.1/', 'https://[::1]/',
            'https://[::ffff:169.254.169.254]/', 'https://169.254.169.254/latest', 'https://10.0.0.1/', 'https://localhost/',
            `http://127.0.0.1:${port}/document`, `https://documents.example:${port}/`, 'https://user:pw@documents.example/', 'file:///etc/passwd',
        ];
        const before = requests.length;
        for (const url of urls) await refused(host, url);
        assert.equal(requests.length, before);
    });

    it('may not lead inside by their names', options, async (t) => {
        const hosts = fs.readFileSync('/etc/hosts', 'utf8').split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/));
        const names = hosts.filter(([address]) => /^(127|10|172|192)\.|^(fe00|ff02)?::\d*$/.test(address)).flatMap(([, ...rest]) => rest);
        const name = names.find((candidate) => !candidate.startsWith('localhost'));
        if (!name) return t.skip('this machine has no name of its own');
        await refused(host, `https://${name}/`);
    });

    it('are answered by the stand-in where there is one, which may not lead inside either', options, async () => {
        const standIn = await start({ DOCUMENT_FETCH_BASE_URL: `http://127.0.0.1:${peer.address().port}/` });
        try {
            const get = async (url, more) => (await post(standIn, 'http_document', { body: { url, ...more } })).body;
            assert.deepEqual(await get('https://documents.example/document?v=1'), { status: 200, length: 22, body: 'document /document?v=1' });
            assert.equal((await get('https://documents.example/elsewhere')).body, 'document /document?moved');
            for (const to of ['inside', 'loopback', 'plain']) await refused(standIn, `https://documents.example/${to}`);
            await refused(standIn, 'https://169.254.169.254/document');

            requests.length = 0;
            assert.equal((await get('https://documents.example/circle')).code, 'provider_error');
            assert.equal(requests.length, 6);
            await get('https://documents.example/circle', { redirects: -1 });
            assert.equal(requests.length, 7);
        } finally {
            await standIn.stop();
        }
    });
});
