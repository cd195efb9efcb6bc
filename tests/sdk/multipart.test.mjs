/*
 * Forms: parts in memory and in a spooled body, names as clients write them, limits, malformed bodies.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { request2, startBoth } from '../support/secure.mjs';

const options = { timeout: 120000 };
const MEMORY_MAX_BYTES = 64 * 1024;
const settings = (server = {}) => ({
    sandbox: false, readyPath: '/_edge/live',
    server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, body_memory: '64KiB', ...server },
    functions: { multipart_parts: { auth: 'public', max_body: '40MiB', memory: '1MiB', timeout: '60s' } },
});
const route = '/functions/v1/multipart_parts';
let both, host, session;

before(async () => {
    both = await startBoth(settings);
    ({ host, session } = both);
}, options);

after(async () => {
    await both?.stop();
}, options);

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const TYPE = 'multipart/form-data; boundary=xyz';

async function send(body, type = TYPE, query = '') {
    const headers = type ? { 'content-type': type } : {};
    const answer = await fetch(host.url + route + query, { method: 'POST', headers, body });
    return { status: answer.status, json: await answer.json() };
}

/* Parts as written: [header lines, content]. */
const form = (...parts) => parts.map(([head, content]) => `--xyz\r\n${head}\r\n\r\n${content}\r\n`).join('') + '--xyz--\r\n';
const named = (name, content = 'x') => [`Content-Disposition: form-data; name="${name}"`, content];

async function refused(body, pattern) {
    const { status, json } = await send(body);
    assert.equal(status, 400, JSON.stringify(json));
    assert.equal(json.code, 'invalid_input');
    assert.match(json.error, pattern);
}

describe('multipart: parts', options, () => {
    it('fields and files as fetch sends them, in memory', options, async () => {
        const data = new FormData();
        const bytes = new Uint8Array(1000).map((_, i) => i);
        data.append('title', 'Größe "x"\r\n--xyz');
        data.append('file', new Blob([bytes], { type: 'image/png' }), 'photo "1" é.png');
        data.append('title', '');
        const { status, json } = await send(data, null);
        assert.equal(status, 200);
        assert.deepEqual(json.parts.map((part) => [part.name, part.filename, part.mediaType, part.length, part.inFile]), [
            ['title', null, 'text/plain', 18, null],
            ['file', 'photo "1" é.png', 'image/png', 1000, null],
            ['title', null, 'text/plain', 0, null],
        ]);
        assert.equal(json.parts[0].text, 'Größe "x"\r\n--xyz');
        assert.equal(json.parts[1].sha256, sha256(bytes));
        assert.equal(json.file, 'photo "1" é.png');
    });

    it('a large body lies in a file, and its parts are ranges of it', options, async () => {
        const large = Buffer.alloc(20 * 1024 * 1024, 'The quick brown fox\r\n--xy');
        const data = new FormData();
        data.append('file', new Blob([large]), 'large.bin');
        data.append('note', 'behind');
        data.append('none', new Blob([]), '');
        const { status, json } = await send(data, null);
        assert.equal(status, 200, JSON.stringify(json));
        assert.deepEqual(json.parts.map((part) => [part.name, part.length, part.inFile]), [['file', large.length, true], ['note', 6, true], ['none', 0, null]]);
        assert.equal(json.parts[0].sha256, sha256(large));
    });

    it('bodies just around the limit of memory', options, async () => {
        for (const size of [MEMORY_MAX_BYTES - 200, MEMORY_MAX_BYTES, MEMORY_MAX_BYTES + 200]) {
            const content = 'z'.repeat(size);
            const { json } = await send(form(named('file', content)));
            assert.equal(json.parts[0].sha256, sha256(content));
        }
    });

    it('the same over HTTP/2', options, async () => {
        const content = 'é'.repeat(100000);
        const { status, json } = await request2(session, route, { method: 'POST', headers: { 'content-type': TYPE }, body: form(named('a', content), named('b')) });
        assert.equal(status, 200);
        assert.deepEqual(json.parts.map((part) => [part.name, part.length, part.inFile]), [['a', 200000, true], ['b', 1, true]]);
        assert.equal(json.parts[0].text, content);
    });

    it('quoting, directories and oddities that clients send', options, async () => {
        const cases = [
            ['Content-Disposition: form-data; name="a%22b"; filename="C:\\Users\\x\\pic.jpg"', 'a"b', 'pic.jpg'],
            ['content-disposition:form-data;name=plain;filename="../../etc/passwd"', 'plain', 'passwd'],
            ['Content-Disposition: form-data; filename=".."; name="n\\"q"', 'n"q', ''],
            ['Content-Disposition: form-data; NAME="up"; filename*=UTF-8\'\'x.txt', 'up', null],
            ['Content-Disposition: form-data; name=""', '', null],
        ];
        for (const [head, name, filename] of cases) {
            const { status, json } = await send(form([head, 'x']));
            assert.equal(status, 200, `${head}: ${JSON.stringify(json)}`);
            assert.deepEqual([json.parts[0].name, json.parts[0].filename], [name, filename], head);
        }
    });

    it('preamble, epilogue, padding, quoted boundary, no parts at all', options, async () => {
        const framed = `preamble\r\n--x y\r\n${named('a')[0]}\r\n\r\n1\r\n--x y \t\r\n${named('b')[0]}\r\n\r\n\r\n--x y--epilogue`;
        const { json } = await send(framed, 'Multipart/Form-Data; charset=utf-8; boundary="x y"');
        assert.deepEqual(json.parts.map((part) => [part.name, part.length]), [['a', 1], ['b', 0]]);
        assert.deepEqual((await send('--xyz--')).json.parts, []);
        assert.deepEqual((await send(form(), 'multipart/form-data; boundary=xyz, text/plain')).json.parts, []);
    });
});

describe('multipart: refusals', options, () => {
    it('malformed bodies are 400', options, async () => {
        await refused('', /no boundary line/);
        await refused('nothing of the kind', /no boundary line/);
        await refused('--xyzzy\r\n\r\n', /malformed boundary/);
        await refused(`--xyz\r\n${named('a')[0]}\r\n\r\nopen end`, /ends within a part/);
        await refused(form(['Content-Type: text/plain', 'x']), /no name/);
        await refused(form(['Content-Disposition: attachment; name="a"', 'x']), /no name/);
        await refused(form(['Content-Disposition: form-data; name="a', 'x']), /no name/);
        await refused(form(['no header', 'x']), /header is malformed/);
        await refused(form([`${named('a')[0]}\r\n folded: x`, 'x']), /header is malformed/);
        await refused(Buffer.from(form(named('a\xff')), 'latin1'), /UTF-8/);
        await refused(Buffer.from(form(named('text', '\xff')), 'latin1'), /text must be UTF-8/);
        await refused(form(named('text', 'a\0b')), /text must be UTF-8 without U\+0000/);
    });

    it('limits: 256 parts, 16 header lines, 8 KiB of header', options, async () => {
        assert.equal((await send(form(...Array.from({ length: 256 }, (_, i) => named(`p${i}`))))).json.parts.length, 256);
        await refused(form(...Array.from({ length: 257 }, (_, i) => named(`p${i}`))), /more than 256 parts/);
        await refused(form([`${named('a')[0]}\r\n${'x: y\r\n'.repeat(16)}z: y`, 'x']), /more than 16 lines/);
        await refused(form([`${named('a')[0]}\r\nx: ${'y'.repeat(8200)}`, 'x']), /larger than 8 KiB/);
    });

    it('another type, or none, or no boundary, is 415', options, async () => {
        for (const type of ['application/json', 'multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-database; boundary=x', `multipart/form-data; boundary=${'b'.repeat(71)}`]) {
            const { status, json } = await send('{}', type);
            assert.equal(status, 415, type);
            assert.equal(json.code, 'unsupported_media_type');
        }
        assert.deepEqual((await send('{}', 'application/json', '?optional')).json, { parts: false });
    });
});
