/*
 * Functions that leave descriptors and transactions open: the host finds them when the invocation ends, closes them,
 * and says whose they were. Functions that do as they should are not blamed.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';

import { call, startPluginHost, workers } from '../sdk/plugin_host.mjs';
import { startDatabase } from '../support/data.mjs';
import { eventually } from '../support/host.mjs';

const options = { timeout: 60000 };

const connect = (port) =>
    new Promise((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1', () => resolve(socket)).on('error', reject);
    });

/* The status of a request over an open connection, "" when it is broken. */
const statusOver = (socket) =>
    new Promise((resolve) => {
        socket.once('data', (data) => resolve(/^HTTP\/1.1 (\d+)/.exec(data.toString())[1])).once('close', () => resolve(''));
        socket.write('GET /_edge/live HTTP/1.1\r\nHost: a\r\n\r\n');
    });

describe('leaks', options, () => {
    let database, host;

    before(async () => {
        database = await startDatabase();
        await database.rows('CREATE TABLE leak_rows (name text); GRANT ALL ON leak_rows TO service_role');
        host = await startPluginHost('leak', { database: database.url, databaseSettings: { pool: 2 } });
    }, options);
    after(async () => {
        await host?.stop();
        await database?.stop();
    }, options);

    const leak = (body, init) => call(host, 'leak', body, init);
    const lines = (event) => host.log.filter((line) => line.event === event);
    /* How many descriptors of the worker are of this file. */
    const holds = (path) => {
        const directory = `/proc/${workers(host)[0]}/fd`;
        return fs.readdirSync(directory).filter((fd) => {
            try {
                return fs.readlinkSync(`${directory}/${fd}`) === path;
            } catch {
                return false;
            }
        }).length;
    };
    const defects = async () => {
        const text = await (await fetch(`${host.url}/_edge/metrics`)).text();
        return Number(/^edge_function_defects_total\{function="leak"\} (\d+)$/m.exec(text)?.[1] ?? 0);
    };

    /* Runs the call; the lines of the event that it has led to, once it is over. */
    async function found(event, body, status = 200) {
        const before = host.log.length, counted = await defects();
        const answer = await leak(body);
        assert.equal(answer.status, status);
        const ours = () => host.log.slice(before).filter((line) => line.event === event);
        await eventually(() => ours().length > 0, event);
        await eventually(async () => (await defects()) > counted, 'the defect to be counted');
        return { answer, lines: ours(), counted: (await defects()) - counted };
    }

    describe('descriptors', options, () => {
        const paths = {
            file: /^\/dev\/full$/, stream: /^\/dev\/zero$/, directory: /^\/proc$/, socket: /^socket:/,
            eventfd: /^anon_inode:/, fdopen: /^\/dev\/full$/,
        };
        for (const [what, path] of Object.entries(paths))
            it(`${what}: closed, and the log says whose it was`, options, async () => {
                const eventfds = holds('anon_inode:[eventfd]');
                const { answer, lines: [line, ...more], counted } = await found('descriptor_left_open', { what });
                assert.deepEqual(more, []);
                assert.equal(counted, 1);
                assert.equal(line.function, 'leak');
                assert.equal(line.level, 'warn');
                assert.match(line.generation, /^[0-9a-f]{40}$/);
                assert.match(line.requestId, /^[0-9a-f-]{36}$/);
                assert.equal(line.fd, answer.body.fd);
                assert.match(line.path, path);
                assert.equal(holds(line.path), what === 'eventfd' ? eventfds : 0);
            });

        it('a copy and what it was made of are two', options, async () => {
            assert.equal((await found('descriptor_left_open', { what: 'copy' })).lines.length, 2);
        });

        it('hundreds are closed, and do not fill the log', options, async () => {
            const { lines: each, counted } = await found('descriptor_left_open', { what: 'file', count: 300 });
            assert.equal(each.length, 8);
            assert.equal(counted, 300);
            assert.equal(lines('descriptors_left_open').at(-1).count, 300);
            assert.equal(holds('/dev/full'), 0);
        });

        it('an invocation that fails is to have registered what it opened', options, async () => {
            await found('descriptor_left_open', { what: 'file', then: 'fail' }, 409);
        });

        it('background work may use what the handler has opened; it is closed behind it', options, async () => {
            const { lines: [line] } = await found('descriptor_left_open', { what: 'file', then: 'background' });
            const used = host.log.findIndex((one) => one.event === 'used_behind' && one.requestId === line.requestId);
            assert.equal(host.log[used].got, 1);
            assert.ok(host.log.indexOf(line) > used);
        });

        it('what is closed, at once or by a defer, is not found', options, async () => {
            const before = lines('descriptor_left_open').length, counted = await defects();
            for (const body of [{ what: 'nothing' }, { what: 'file', then: 'close' }, { what: 'file', then: 'defer' }, { what: 'stream', then: 'close' }])
                assert.equal((await leak(body)).status, 200);
            assert.deepEqual((await leak({ what: 'nothing' })).body, { result: 0, got: 1 });
            await leak({ what: 'file' });
            await eventually(() => lines('descriptor_left_open').length > before, 'the one that is left');
            assert.equal(lines('descriptor_left_open').length, before + 1);
            assert.equal(await defects(), counted + 1);
        });

        it('closed twice: what has the number by then stays open', options, async () => {
            const twice = leak({ what: 'twice', ms: 1000 });
            const other = leak({ what: 'file', ms: 1500, then: 'close' });
            const sockets = await Promise.all(Array.from({ length: 10 }, () => connect(host.port)));
            for (const socket of sockets) assert.equal(await statusOver(socket), '200');
            const { body } = await twice;
            assert.deepEqual({ ...body, fd: 0 }, { fd: 0, first: 0, second: -1, refused: true });
            const line = await host.logged((one) => one.event === 'descriptor_closed_twice');
            assert.equal(line.fd, body.fd);
            assert.match(line.now, /^(socket:|\/dev\/full)/);
            for (const socket of sockets) {
                assert.equal(await statusOver(socket), '200');
                socket.destroy();
            }
            assert.equal((await other).status, 200);
        });
    });

    describe('transactions', options, () => {
        const names = async () => (await database.rows('SELECT name FROM leak_rows')).map(({ name }) => name);
        const idle = () =>
            eventually(async () => {
                const { n } = await database.row(
                    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'edge_runtime' AND datname = current_database() AND state <> 'idle'");
                return n === 0;
            }, 'connections to be idle');

        const kinds = { 'by hand': 'transaction', queued: 'transaction', behind: 'transaction', task: 'transaction', cursor: 'cursor', unread: 'cursor', 'copy in': 'copy' };
        for (const [what, of] of Object.entries(kinds))
            it(`${what}: rolled back, and the log says so`, options, async () => {
                const { lines: [line, ...more], counted } = await found('transaction_left_open', { what });
                assert.deepEqual(more, []);
                assert.equal(counted, 1);
                assert.equal(line.function, 'leak');
                assert.match(line.generation, /^[0-9a-f]{40}$/);
                assert.equal(line.of, of);
                await idle();
                assert.deepEqual(await names(), []);
            });

        it('the pool has its connections back, however often', options, async () => {
            const answers = await Promise.all(Array.from({ length: 20 }, () => leak({ what: 'cursor' })));
            for (const answer of answers) assert.equal(answer.status, 200);
            await idle();
        });

        it('leaving a block, and failing within one, are ways to roll back', options, async () => {
            const before = lines('transaction_left_open').length;
            assert.equal((await leak({ what: 'block' })).status, 200);
            assert.equal((await leak({ what: 'by hand', then: 'fail' })).status, 409);
            assert.equal((await leak({ what: 'cursor', then: 'fail' })).status, 409);
            await leak({ what: 'unread' });
            await eventually(() => lines('transaction_left_open').length > before, 'the one that is left');
            assert.equal(lines('transaction_left_open').length, before + 1);
            assert.deepEqual(await names(), []);
        });
    });
});
