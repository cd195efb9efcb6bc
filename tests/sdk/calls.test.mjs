/*
 * Calls of the SDK that functions use every day, over HTTP: rows in every way, the caller, encodings.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { startDatabase } from '../support/data.mjs';
import { startPluginHost } from './plugin_host.mjs';
import { mint } from '../support/tokens.mjs';

const options = { timeout: 60000 };
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-calls-'));
let database, host;

before(async () => {
    database = await startDatabase();
    for (const id of ['user_a', 'user_b', 'user_root']) await database.person(id);
    await database.rows("INSERT INTO user_roles (user_id, role) VALUES ('user_root', 'admin')");
    for (const [id, title] of [['user_a', 'One'], ['user_a', 'Two'], ['user_b', 'Three']])
        await database.rows("INSERT INTO goals (user_id, title, goal_type) VALUES ($1, $2, 'production')", [id, title]);
    host = await startPluginHost('calls_rows', {
        database: database.url,
        functions: { calls_rows: { auth: 'user' }, calls_auth: { auth: 'user' }, calls_encode: { auth: 'public' }, calls_bulk: { auth: 'user' } },
        env: { EDGE_ENCRYPTION_KEY: crypto.randomBytes(32).toString('base64'), STORAGE_DIR: path.join(directory, 'storage') },
    });
}, options);

after(async () => {
    await host?.stop();
    await database?.stop();
    fs.rmSync(directory, { recursive: true, force: true });
}, options);

async function call(name, body, token) {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const answer = await fetch(`${host.url}/functions/v1/${name}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
}

test('rows: typed, in batches, attempted, by cursor, in a transaction', options, async () => {
    const { status, body } = await call('calls_rows', {}, await mint('user_a'));
    assert.equal(status, 200, JSON.stringify(body));
    const { row, ...typed } = body.typed;
    assert.deepEqual(typed, { isNull: true, truth: true, sum: 3.75, whole: 3, part: 4.5, isNow: true, document: { a: 1 }, ids: 2 });
    assert.equal(row.nothing, null);
    assert.deepEqual(row.numbers, [1.5, 2.25]);
    assert.deepEqual(body.batches, { own: 2, id: 'user_a', all: 3, role: 'service_role' });
    assert.deepEqual(body.attempts, { sqlstate: '22012', json: '[{"title":"One"},{"title":"Two"}]', first: 2, changed: 3 });
    assert.equal((await database.row("SELECT count(*)::int AS n FROM goals WHERE title LIKE '%!'")).n, 0);
});

test('the caller: session, organisation and role of both kinds of claims', options, async () => {
    const old = await call('calls_auth', {}, await mint('user_a', { claims: { org_id: 'org_1', org_role: 'org:admin' } }));
    assert.equal(old.status, 200, JSON.stringify(old.body));
    assert.deepEqual({ ...old.body, claims: null },
        { caller: 'user', user: 'user_a', session: 'sess_user_a', organisation: 'org_1', role: 'org:admin', claims: null, seen: 1 });
    assert.equal(old.body.claims.sub, 'user_a');
    const now = await call('calls_auth', {}, await mint('user_a', { claims: { v: 2, o: { id: 'org_2', rol: 'member' } } }));
    assert.equal(now.body.organisation, 'org_2');
    assert.equal(now.body.role, 'org:member');
});

test('a role is required: administrators go on and see all, others are refused', options, async () => {
    const refused = await call('calls_auth', { asAdmin: true }, await mint('user_a'));
    assert.equal(refused.status, 403);
    assert.equal(refused.body.code, 'admin_required');
    const admin = await mint('user_root');
    assert.equal((await call('calls_auth', {}, admin)).body.seen, 1);
    assert.ok((await call('calls_auth', { asAdmin: true }, admin)).body.seen >= 3);
});

test('encodings, digests and signatures agree with node\'s', options, async () => {
    const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519');
    const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    for (const text of ['', 'a', 'Größe & Maß/?', 'x'.repeat(999)]) {
        const signature = crypto.sign(null, Buffer.from(text), privateKey).toString('base64');
        const { status, body } = await call('calls_encode', { text, key: 'secret', publicKey: spki, signature });
        assert.equal(status, 200, JSON.stringify(body));
        assert.equal(body.base64, Buffer.from(text).toString('base64'));
        assert.equal(body.base64url, Buffer.from(text).toString('base64url'));
        assert.equal(body.sha256, crypto.createHash('sha256').update(text).digest('hex'));
        assert.equal(body.hmac, crypto.createHmac('sha256', 'secret').update(text).digest('hex'));
        assert.equal(body.url, encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`));
        assert.match(body.v4, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        assert.match(body.v5, /^[0-9a-f]{8}-[0-9a-f]{4}-5/);
        assert.deepEqual([body.survives, body.signed, body.random, body.malformedIsNull], [true, true, true, true]);
        const forged = await call('calls_encode', { text: `${text}!`, key: 'secret', publicKey: spki, signature });
        assert.equal(forged.body.signed, false);
    }
});

test('rows in bulk, sealed and stored bytes, URLs', options, async () => {
    const { status, body } = await call('calls_bulk', {}, await mint('user_a'));
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(body.bulk, { copied: 2, kept: 1, read: 3, bytes: 'user_a\nuser_b\nuser_root\n'.length });
    assert.deepEqual({ ...body.sealed, publicUrl: false }, { opened: true, stored: true, missing: true, publicUrl: false, privateUrl: false });
    const refused = await call('calls_bulk', { straight: true }, await mint('user_a'));
    assert.equal(refused.status, 500);
    assert.equal(refused.body.code, 'internal_error');

    const file = async (name) => (await call('calls_bulk', { directory, path: name }, await mint('user_a'))).body;
    fs.writeFileSync(path.join(directory, 'lines.csv'), 'a,b\r\n"c\nd",e\n\nf');
    fs.writeFileSync(path.join(directory, 'empty.csv'), '');
    assert.deepEqual(await file('lines.csv'), { file: 'a,b\r\n"c\nd",e\n\nf', offsets: [4, 13, 15] });
    assert.deepEqual(await file('empty.csv'), { file: '', offsets: [] });
    for (const name of ['none.csv', '../../etc/passwd', '/etc/passwd', '.'])
        assert.deepEqual(await file(name), { file: null }, name);

    const tried = async (deadline) => (await call('calls_bulk', { deadline }, await mint('user_b'))).body;
    assert.deepEqual(await tried('no day'), { done: false, sqlstate: '22007', updated: 0, kept: 1 });
    assert.deepEqual(await tried('2026-01-02'), { done: true, sqlstate: '', updated: 3, kept: 3 });
});
