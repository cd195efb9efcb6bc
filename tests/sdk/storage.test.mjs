/*
 * Object storage in a directory: what a function sees, and what is on the disk when something goes wrong.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { eventually } from '../support/host.mjs';
import { call, residentBytes, startPluginHost, underSanitizers, workers } from './plugin_host.mjs';

const options = { timeout: 120000 };
const MiB = 1024 * 1024;
let host, directory;

before(async () => {
    directory = fs.mkdtempSync('/tmp/edge-storage-');
    host = await startPluginHost('storage_ops', { env: { STORAGE_DIR: path.join(directory, 'a', 'b') }, server: { workers: 2 } });
}, options);

after(async () => {
    await host?.stop();
    fs.rmSync(directory, { recursive: true, force: true });
}, options);

const root = () => path.join(directory, 'a', 'b');
const ops = (body) => call(host, 'storage_ops', { bucket: 'files', ...body });
const result = async (body) => {
    const answer = await ops(body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.result;
};
const refused = async (body, status, code, field) => {
    const answer = await ops(body);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.equal(answer.body.code, code);
    if (field) assert.equal(answer.body.field, field);
};
const pending = () => fs.readdirSync(path.join(root(), '.pending'));

describe('storage in a directory', options, () => {
    it('an object is put, seen, read, replaced and removed', options, async () => {
        const etag = createHash('sha256').update('Grüße').digest('hex').slice(0, 32);
        const known = { bucket: 'files', path: 'user_a/x.txt', type: 'text/plain', etag, size: 7, dated: true };
        assert.deepEqual(await result({ op: 'put', path: 'user_a/x.txt', text: 'Grüße', type: 'text/plain' }), known);
        assert.deepEqual(await result({ op: 'stat', path: 'user_a/x.txt' }), known);
        assert.equal(await result({ op: 'get', path: 'user_a/x.txt' }), 'Grüße');

        await result({ op: 'put', path: 'user_a/x.txt', text: '' });
        assert.equal(await result({ op: 'get', path: 'user_a/x.txt' }), '');
        const empty = await result({ op: 'stat', path: 'user_a/x.txt' });
        assert.deepEqual([empty.size, empty.type], [0, 'application/octet-stream']);

        await result({ op: 'delete', path: 'user_a/x.txt' });
        await result({ op: 'delete', path: 'user_a/x.txt' });
        assert.equal(await result({ op: 'stat', path: 'user_a/x.txt' }), null);
        await refused({ op: 'get', path: 'user_a/x.txt' }, 404, 'object_not_found');
        await refused({ op: 'get', bucket: 'none', path: 'x' }, 404, 'object_not_found');
        assert.deepEqual(pending(), []);
    });

    it('an object and a directory may have one name, and bytes may look like a footer', options, async () => {
        await result({ op: 'put', path: 'twin', text: 'above' });
        await result({ op: 'put', path: 'twin/below', text: 'below' });
        assert.equal(await result({ op: 'get', path: 'twin' }), 'above');
        assert.equal(await result({ op: 'get', path: 'twin/below' }), 'below');
        const footer = `${'0'.repeat(32)}\ntext/html\n0000002bedge-object\n`;
        await result({ op: 'put', path: 'fake', text: footer });
        assert.equal(await result({ op: 'get', path: 'fake' }), footer);
    });

    it('if_absent lets the first one win', options, async () => {
        const answers = await Promise.all(
            Array.from({ length: 8 }, (_, i) => ops({ op: 'put', path: 'once', text: `${i}`, absent: true })),
        );
        assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(7).fill(409)]);
        assert.equal(answers.find(({ status }) => status === 409).body.code, 'object_exists');
        assert.deepEqual(await result({ op: 'try_put', path: 'once', text: 'x', absent: true }), { status: 409, code: 'object_exists' });
        assert.deepEqual(pending(), []);
    });

    it('names that lead elsewhere are refused', options, async () => {
        const paths = ['', '/x', 'x/', 'a//b', '.', '..', '../x', 'a/../b', 'a/./b', 'a\\b', 'a\nb', 'a\u007fb',
            'x.object', 'x.object/y', 'a'.repeat(201), 'a/'.repeat(40) + 'b', 'abc/'.repeat(300)];
        for (const op of ['put', 'get', 'stat', 'delete', 'sign', 'upload', 'download'])
            for (const name of op === 'put' ? paths : paths.slice(0, 8)) {
                const answer = await ops({ op, path: name });
                assert.equal(answer.status, 400, `${op} ${name}: ${JSON.stringify(answer.body)}`);
            }
        for (const bucket of ['', '.', '..', '.pending', 'a/b', 'a b', 'ä', 'a'.repeat(64)])
            await refused({ op: 'put', bucket, path: 'x', text: '' }, 400, 'invalid_input', 'bucket');
        await refused({ op: 'put', path: '../x', text: '' }, 400, 'invalid_input', 'path');
        await refused({ op: 'put', path: 'x', text: '', type: 'a/b\r\nset-cookie: x' }, 400, 'invalid_input', 'content_type');
        for (const odd of ['ä b&c?d#e%2f', '...', 'a'.repeat(200)]) {
            await result({ op: 'put', path: `odd/${odd}`, text: odd });
            assert.equal(await result({ op: 'get', path: `odd/${odd}` }), odd);
        }
    });

    it('links in the tree are not followed', options, async () => {
        const outside = path.join(directory, 'outside');
        fs.mkdirSync(outside);
        await result({ op: 'put', path: 'real/secret', text: 'secret' });
        fs.copyFileSync(path.join(root(), 'files', 'real', 'secret.object'), path.join(outside, 'secret.object'));
        fs.symlinkSync(outside, path.join(root(), 'files', 'link'));
        fs.symlinkSync(path.join(outside, 'secret.object'), path.join(root(), 'files', 'leaf.object'));
        fs.symlinkSync(outside, path.join(root(), 'bucket'));
        await refused({ op: 'get', path: 'link/secret' }, 404, 'object_not_found');
        await refused({ op: 'get', bucket: 'bucket', path: 'secret' }, 404, 'object_not_found');
        await refused({ op: 'get', path: 'leaf' }, 502, 'storage_failed');
        await refused({ op: 'put', path: 'link/new', text: 'x' }, 502, 'storage_failed');
        assert.deepEqual(fs.readdirSync(outside), ['secret.object']);
        assert.deepEqual((await result({ op: 'list', prefix: 'l' })).objects, []);
        await result({ op: 'put', path: 'leaf', text: 'own' }); /* the rename replaces the link itself */
        assert.equal(await result({ op: 'get', path: 'leaf' }), 'own');
        assert.equal(fs.readdirSync(outside).length, 1);
        assert.deepEqual(pending(), []);
    });

    it('lists in the order of paths, by prefix and in pages', options, async () => {
        const names = ['a', 'a-b', 'a/b', 'a/b/c', 'a/d', 'a0', 'b/x', 'ü'];
        for (const name of names) await result({ op: 'put', bucket: 'listed', path: name, text: name });
        fs.writeFileSync(path.join(root(), 'listed', 'foreign'), 'not ours');
        fs.writeFileSync(path.join(root(), 'listed', 'broken.object'), 'not ours');
        const sorted = [...names].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
        const paths = async (more) => (await result({ op: 'list', bucket: 'listed', ...more })).objects.map((object) => object.path);
        assert.deepEqual(await paths({}), sorted);
        assert.deepEqual(await paths({ prefix: 'a/' }), ['a/b', 'a/b/c', 'a/d']);
        assert.deepEqual(await paths({ prefix: 'a/b' }), ['a/b', 'a/b/c']);
        assert.deepEqual(await paths({ after: 'a/b/c' }), ['a/d', 'a0', 'b/x', 'ü']);
        assert.deepEqual(await paths({ bucket: 'none' }), []);

        const seen = [];
        for (let after; ; ) {
            const page = await result({ op: 'list', bucket: 'listed', limit: 3, after });
            seen.push(...page.objects.map((object) => object.path));
            if (page.next === undefined || page.next === null) break;
            after = page.next;
        }
        assert.deepEqual(seen, sorted);
    });

    it('64 MiB go in and out with little memory', options, async () => {
        const pids = workers(host);
        const before_ = Math.max(...pids.map(residentBytes));
        const stored = await result({ op: 'upload', path: 'large', size: 64 * MiB, type: 'audio/mpeg' });
        assert.equal(stored.size, 64 * MiB);
        const answer = await fetch(`${host.url}/functions/v1/storage_ops`, {
            method: 'POST', body: JSON.stringify({ op: 'download', bucket: 'files', path: 'large' }),
        });
        const hash = createHash('sha256');
        let peak = 0;
        for await (const piece of answer.body) {
            hash.update(piece);
            peak = Math.max(peak, ...pids.map(residentBytes));
        }
        assert.equal(hash.digest('hex').slice(0, 32), stored.etag);
        if (!underSanitizers) assert.ok(peak - before_ < 8 * MiB, `${peak - before_} bytes more`);
        await refused({ op: 'get', path: 'large' }, 500, 'memory_limit');

        const part = await fetch(`${host.url}/functions/v1/storage_ops`, {
            method: 'POST', body: JSON.stringify({ op: 'download', bucket: 'files', path: 'large', offset: 99998, length: 4 }),
        });
        assert.equal(await part.text(), 'aabb');
    });

    it('an upload that is cancelled or fails leaves nothing', options, async () => {
        const controller = new AbortController();
        const gone = call(host, 'storage_ops', { op: 'upload', bucket: 'files', path: 'gone', size: 3 * MiB, pause: 60000 }, { signal: controller.signal });
        await eventually(() => pending().length === 1, 'a pending file');
        controller.abort();
        await assert.rejects(gone);
        await eventually(() => pending().length === 0, 'the pending file to go');
        assert.equal(await result({ op: 'stat', path: 'gone' }), null);
        await refused({ op: 'upload', path: 'once', size: 1000, absent: true }, 409, 'object_exists');
        assert.deepEqual(pending(), []);
    });

    it('a full disk is 507, leaves nothing, and is over when there is room', options, async () => {
        const limit = (bytes) => {
            for (const pid of workers(host)) assert.equal(spawnSync('prlimit', ['--pid', pid, `--fsize=${bytes}`]).status, 0);
        };
        await result({ op: 'put', path: 'kept', text: 'as it was' });
        limit(`${MiB}:`);
        try {
            await refused({ op: 'upload', path: 'kept', size: 2 * MiB }, 507, 'storage_full');
            await refused({ op: 'upload', path: 'other', size: MiB }, 507, 'storage_full'); /* the footer is too much */
            assert.deepEqual(pending(), []);
            assert.equal(await result({ op: 'get', path: 'kept' }), 'as it was');
        } finally {
            limit('unlimited:');
        }
        await result({ op: 'upload', path: 'kept', size: 2 * MiB });
    });

    it('a file of somebody else is no object', options, async () => {
        for (const text of ['', 'short', 'x'.repeat(100), 'zzzzzzzzedge-object\n', `\n\n\n00000003edge-object\n`, `ffffffffedge-object\n`]) {
            fs.writeFileSync(path.join(root(), 'files', 'foreign.object'), text);
            await refused({ op: 'get', path: 'foreign' }, 502, 'storage_failed');
        }
        assert.equal(spawnSync('mkfifo', [path.join(root(), 'files', 'pipe.object')]).status, 0);
        await refused({ op: 'get', path: 'pipe' }, 502, 'storage_failed');
    });
});

it('a directory that cannot be used is 503, and the host runs', options, () =>
    withPlugin({ STORAGE_DIR: '/proc/none' }, async (broken) => {
        const answer = await call(broken, 'storage_ops', { op: 'put', bucket: 'a', path: 'b', text: '' });
        assert.deepEqual([answer.status, answer.body.code], [503, 'not_configured']);
        assert.match(answer.body.error, /STORAGE_DIR/);
        assert.equal((await call(broken, 'storage_ops', { op: 'available' })).body.result, false);
        const tried = await call(broken, 'storage_ops', { op: 'try_put', bucket: 'a', path: 'b', text: '' });
        assert.deepEqual(tried.body.result, { status: 503, code: 'not_configured' });
    }));

async function withPlugin(env, work) {
    const one = await startPluginHost('storage_ops', { env });
    try {
        await work(one);
    } finally {
        await one.stop();
    }
}
