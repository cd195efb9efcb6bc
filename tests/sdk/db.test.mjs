/*
 * Postgres from a function, over HTTP: COPY, cursors, rows as text, exact values, NOTIFY, and answers that do not fit.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';

import WebSocket from 'ws';

import { startDatabase } from '../support/data.mjs';
import { eventually } from '../support/host.mjs';
import { call, residentBytes, startPluginHost, underSanitizers, workers } from './plugin_host.mjs';

const options = { timeout: 120000 };
const MIB = 1024 * 1024;

describe('db.h', options, () => {
    let database, host;
    const bulk = (body, init) => call(host, 'db_bulk', body, init);

    before(async () => {
        database = await startDatabase();
        await database.rows(
            'CREATE TABLE bulk (id int, name text, tags text[]); GRANT ALL ON bulk TO service_role');
        host = await startPluginHost('db_bulk', { database: database.url, settings: { timeout: '60s', memory: '4MiB' } });
    }, options);
    beforeEach(() => database.rows('TRUNCATE bulk'), options);
    after(async () => {
        await host?.stop();
        await database?.stop();
    }, options);

    /* Nothing of a function is in a transaction, or holds a connection. */
    const clean = () =>
        eventually(async () => {
            const { n } = await database.row(
                "SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'edge_runtime' AND datname = current_database() AND state <> 'idle'");
            return n === 0;
        }, 'connections to be idle');

    it('copies rows in', options, async () => {
        assert.deepEqual(await bulk({ op: 'import', rows: 20000 }), { status: 200, body: { copied: 20000 } });
        assert.deepEqual(await database.row('SELECT count(*)::int, sum(id)::int, min(name) AS name, min(tags) AS tags FROM bulk'),
            { count: 20000, sum: 200010000, name: 'tab\tand\nline', tags: ['a', null] });
    });

    it('keeps nothing of a copy with a malformed row', options, async () => {
        const answer = await bulk({ op: 'import', rows: 20000, bad: 15000 });
        assert.equal(answer.status, 500);
        assert.equal(answer.body.code, 'internal_error');
        assert.equal(await database.count('bulk'), 0);
        await clean();
    });

    it('copies out more than its memory, as fast as it is read', options, async () => {
        const pid = workers(host)[0];
        const before = residentBytes(pid);
        const answer = await fetch(`${host.url}/functions/v1/db_bulk`, {
            method: 'POST',
            body: JSON.stringify({ op: 'export', rows: 300000 }),
        });
        let bytes = 0,
            lines = 0,
            most = 0;
        for await (const piece of answer.body) {
            bytes += piece.length;
            lines += piece.reduce((sum, byte) => sum + (byte === 10), 0);
            if (lines % 7 === 0) most = Math.max(most, residentBytes(pid));
        }
        assert.equal(lines, 300001);
        assert.ok(bytes > 30 * 1000 * 1000);
        if (!underSanitizers) assert.ok(most - before < 8 * MIB, `${most - before} bytes more were resident`);
        await clean();
    });

    it('lets go of a copy whose reader has left', options, async () => {
        const controller = new AbortController();
        const answer = await fetch(`${host.url}/functions/v1/db_bulk`, {
            method: 'POST',
            body: JSON.stringify({ op: 'export', rows: 1000000 }),
            signal: controller.signal,
        });
        await answer.body.getReader().read();
        controller.abort();
        await clean();
        assert.equal((await bulk({ op: 'values' })).status, 200);
    });

    it('reads a large result in batches, as the caller', options, async () => {
        assert.deepEqual(await bulk({ op: 'pages', rows: 50000 }),
            { status: 200, body: { sum: 1250025000, pages: 100, role: 'anon' } });
        await clean();
    });

    it('answers with rows as text', options, async () => {
        const answer = await fetch(`${host.url}/functions/v1/db_bulk`, { method: 'POST', body: JSON.stringify({ op: 'list', rows: 2 }) });
        assert.equal(answer.headers.get('content-type')?.split(';')[0], 'application/json');
        assert.equal(answer.headers.get('x-rows'), '2');
        const row = (id) =>
            `{"id":${id},"price":1.5,"data":{"exact":92233720368547758080.10},"tags":["a",null],"at":"2026-03-10T12:00:00+00:00"}`;
        assert.equal(await answer.text(), `{"success":true,"data":[${row(1)},${row(2)}]}`);
        assert.deepEqual((await bulk({ op: 'list', rows: 0 })).body, { success: true, data: [] });
    });

    it('answers with rows over a WebSocket, too', options, async () => {
        const socket = new WebSocket(`${host.url.replace('http', 'ws')}/functions/v1/db_bulk`);
        await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
        const answer = new Promise((resolve) => socket.once('message', (text) => resolve(JSON.parse(text))));
        socket.send(JSON.stringify({ id: '7', op: 'list', rows: 1 }));
        const { event, id, data } = await answer;
        socket.close();
        assert.deepEqual({ event, id, ids: data.data.map((row) => row.id) }, { event: 'final', id: '7', ids: [1] });
    });

    it('keeps every digit', options, async () => {
        assert.deepEqual((await bulk({ op: 'values' })).body, {
            found: [2, 3],
            prices: ['0.10', '12345678901234567890.5'],
            day: '2026-03-01',
            price: '1.10',
            lastByte: 255,
        });
    });

    it('undoes a statement whose answer is too large, in a transaction', options, async () => {
        const answer = await bulk({ op: 'too_large_in_block' });
        assert.equal(answer.status, 500);
        assert.equal(answer.body.code, 'memory_limit');
        await clean();
        assert.equal(await database.count('bulk'), 0);
        assert.equal((await bulk({ op: 'too_large' })).body.code, 'memory_limit');
        await clean();
    });

    it('hears what others notify, also after its connection was lost', options, async () => {
        const answer = await fetch(`${host.url}/functions/v1/db_bulk`, { method: 'POST', body: JSON.stringify({ op: 'listen', events: 2 }) });
        let text = '';
        const reading = (async () => {
            const decoder = new TextDecoder();
            for await (const piece of answer.body) text += decoder.decode(piece, { stream: true });
        })();
        await eventually(() => text.includes('event: listening'), 'the listener');
        await database.rows("SELECT pg_notify('db_bulk', 'first')");
        await eventually(() => text.includes('"first"'), 'the first notification');
        await database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()");
        await eventually(() => text.includes('event: missed'), 'word of what was missed');
        await database.rows("SELECT pg_notify('db_bulk', 'second')");
        await reading;
        assert.match(text, /event: notified\s+data: \{"payload":"second"\}/);
    });
});
