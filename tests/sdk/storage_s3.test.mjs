/*
 * Object storage in an S3-compatible service: the same calls, signed so that the service can check them.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';

import { call, residentBytes, startPluginHost, underSanitizers, workers } from './plugin_host.mjs';
import { ACCESS_KEY, ObjectStore, REGION, SECRET_KEY } from './storage_s3.mjs';

const options = { timeout: 120000 };
const MiB = 1024 * 1024;
let host, store;

const environment = () => ({
    STORAGE_S3_ENDPOINT: store.url, STORAGE_S3_REGION: REGION, STORAGE_S3_ACCESS_KEY_ID: ACCESS_KEY, STORAGE_S3_SECRET_ACCESS_KEY: SECRET_KEY,
});

before(async () => {
    store = await new ObjectStore().start();
    host = await startPluginHost('storage_ops', { env: environment() });
}, options);

beforeEach(() => {
    store.wrong.length = store.requests.length = store.next.length = 0;
});

after(async () => {
    await host?.stop();
    store?.stop();
}, options);

const ops = (body) => call(host, 'storage_ops', { bucket: 'files', ...body });
async function result(body) {
    const answer = await ops(body);
    assert.deepEqual(store.wrong, []);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.result;
}
async function refused(body, status, code) {
    const answer = await ops(body);
    assert.deepEqual(store.wrong, []);
    assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
}

describe('storage in S3', options, () => {
    it('an object is put, seen, read and removed, whatever its name', options, async () => {
        for (const path of ['user_a/x.txt', "ä b/c&d=e+f%2F(g)'!*~", 'a/b/c']) {
            const etag = createHash('md5').update('Grüße').digest('hex');
            const known = { bucket: 'files', path, type: 'text/plain', etag, size: 7, dated: true };
            assert.deepEqual(await result({ op: 'put', path, text: 'Grüße', type: 'text/plain' }), known);
            assert.ok(store.objects.has(`/files/${path}`));
            assert.deepEqual(await result({ op: 'stat', path }), known);
            assert.equal(await result({ op: 'get', path }), 'Grüße');
            await result({ op: 'put', path, text: '' });
            assert.equal(await result({ op: 'get', path }), '');
            await result({ op: 'delete', path });
            await result({ op: 'delete', path });
            assert.equal(await result({ op: 'stat', path }), null);
            await refused({ op: 'get', path }, 404, 'object_not_found');
        }
        await refused({ op: 'put', path: '../x', text: '' }, 400, 'invalid_input');
        assert.equal(await result({ op: 'available' }), true);
    });

    it('if_absent is the service\'s to decide', options, async () => {
        await result({ op: 'put', path: 'once', text: 'a', absent: true });
        await refused({ op: 'put', path: 'once', text: 'b', absent: true }, 409, 'object_exists');
        assert.equal(await result({ op: 'get', path: 'once' }), 'a');
    });

    it('lists, in pages', options, async () => {
        for (const name of ['a b+c', 'd/ü&1', 'd/2', 'e']) await result({ op: 'put', bucket: 'listed', path: name, text: name });
        const paths = async (more) => (await result({ op: 'list', bucket: 'listed', ...more })).objects.map((object) => object.path);
        assert.deepEqual(await paths({}), ['a b+c', 'd/2', 'd/ü&1', 'e']);
        assert.deepEqual(await paths({ prefix: 'd/' }), ['d/2', 'd/ü&1']);
        const page = await result({ op: 'list', bucket: 'listed', limit: 2 });
        assert.equal(page.next, 'd/2');
        assert.deepEqual(await paths({ after: 'a b+c' }), ['d/2', 'd/ü&1', 'e']);
        assert.deepEqual(page.objects[0], { bucket: 'listed', path: 'a b+c', type: null, etag: null, size: 5, dated: true });
    });

    it('large objects go in parts and come in pieces', options, async () => {
        const [worker] = workers(host), before_ = residentBytes(worker);
        const stored = await result({ op: 'upload', path: 'large', size: 32 * MiB, type: 'audio/mpeg' });
        assert.equal(stored.size, 32 * MiB);
        assert.equal(stored.etag, store.objects.get('/files/large').etag.replaceAll('"', ''));
        assert.equal(store.objects.get('/files/large').type, 'audio/mpeg');
        assert.equal(store.requests.filter((line) => line.includes('partNumber')).length, 7);
        const answer = await fetch(`${host.url}/functions/v1/storage_ops`, { method: 'POST', body: JSON.stringify({ op: 'download', bucket: 'files', path: 'large' }) });
        const hash = createHash('md5');
        let peak = 0;
        for await (const piece of answer.body) {
            hash.update(piece);
            peak = Math.max(peak, residentBytes(worker));
        }
        assert.equal(hash.digest('hex'), stored.etag);
        if (!underSanitizers) assert.ok(peak - before_ < 16 * MiB, `${peak - before_} bytes more`);
        await result({ op: 'upload', path: 'small', size: 3 * MiB });
        assert.equal(store.requests.at(-1), 'PUT /files/small');
    });

    it('a failed part gives the whole upload up', options, async () => {
        store.next.push(undefined, undefined, 500);
        await refused({ op: 'upload', path: 'broken', size: 12 * MiB }, 502, 'storage_failed');
        assert.equal(store.uploads.size, 0);
        assert.equal(store.objects.has('/files/broken'), false);
    });

    it('the service\'s failures are 502, and said in the log', options, async () => {
        for (const op of ['put', 'get', 'stat', 'delete', 'list']) {
            store.next.push(403);
            await refused({ op, path: 'x', text: '' }, 502, 'storage_failed');
        }
        store.next.push(507);
        await refused({ op: 'put', path: 'x', text: '' }, 507, 'storage_full');
        await host.logged((line) => line.event === 'object_store_failed' && line.status === 403 && line.answer === 'AskedFor', 'what the service said');
        assert.ok(!host.text().includes(SECRET_KEY));
    });

    it('signed URLs read from the service, with ranges', options, async () => {
        await result({ op: 'put', path: 'letters', text: 'abcdefghij', type: 'text/plain' });
        const link = await result({ op: 'sign', path: 'letters' });
        const whole = await fetch(link);
        assert.deepEqual([whole.status, whole.headers.get('content-type'), await whole.text()], [200, 'text/plain', 'abcdefghij']);
        const part = await fetch(link, { headers: { range: 'bytes=2-4' } });
        assert.deepEqual([part.status, part.headers.get('content-range'), await part.text()], [206, 'bytes 2-4/10', 'cde']);
        assert.equal((await fetch(link, { headers: { 'if-none-match': whole.headers.get('etag') } })).status, 304);
        assert.equal((await fetch(link, { headers: { range: 'bytes=10-' } })).status, 416);
        assert.deepEqual(store.wrong, []);
    });
});

it('without its keys the service is not configured', options, async () => {
    const bare = await startPluginHost('storage_ops', { env: { ...environment(), STORAGE_S3_ACCESS_KEY_ID: '' } });
    try {
        const answer = await call(bare, 'storage_ops', { op: 'put', bucket: 'a', path: 'b', text: '' });
        assert.deepEqual([answer.status, answer.body.code], [503, 'not_configured']);
        assert.match(answer.body.error, /STORAGE_S3_ACCESS_KEY_ID/);
    } finally {
        await bare.stop();
    }
});
