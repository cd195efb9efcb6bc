/*
 * WebSockets over time: slow readers, silence, idle sockets, and a host that stops.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { eventually, sleep } from '../support/host.mjs';
import {
    CLOSE,
    descriptors,
    frame,
    open,
    PING,
    PONG,
    residentBytes,
    startPlugins,
    TEXT,
    Wire,
} from '../support/websocket.mjs';

const options = { timeout: 60000 };
const KIB = 1024,
    MIB = 1024 * KIB;

const functions = {
    ws_story: { auth: 'public', memory: '2MiB', timeout: '30s' },
    ws_caller: { auth: 'public', timeout: '30s' },
    ws_saga: { plugin: 'ws_story', auth: 'public', memory: '2MiB', timeout: '30s', on_disconnect: 'finish' },
    slow: { auth: 'public' },
};

describe('websocket: slow readers', options, () => {
    let host;
    before(async () => (host = await startPlugins({ functions, server: { write_timeout: '2s' } })), options);
    after(() => host?.stop(), options);

    it(
        'hold the function back instead of filling memory, and get everything in the end',
        options,
        async () => {
            const socket = await open(host, 'ws_story', { perMessageDeflate: false });
            const before = residentBytes(host);
            socket.socket.pause();
            for (let i = 0; i < 4; i++) socket.send({ id: `${i}`, pieces: 1000, bytes: 16 * KIB });
            await sleep(1000);
            const grown = residentBytes(host) - before;
            assert.ok(grown < 4 * MIB, `${grown} bytes more are resident`);
            assert.equal(host.log.filter((entry) => entry.event === 'story_told').length, 0);
            socket.socket.resume();
            const told = { 0: 0, 1: 0, 2: 0, 3: 0 };
            for (let ended = 0; ended < 4;) {
                const { event, id, data } = await socket.next();
                if (event === 'delta') assert.equal(data.piece, told[id]++);
                ended += event === 'final';
            }
            assert.deepEqual(Object.values(told), [1000, 1000, 1000, 1000]);
            await socket.close();
        },
    );

    it('can cancel what they do not read', options, async () => {
        const socket = await open(host, 'ws_saga', { perMessageDeflate: false });
        socket.socket.pause();
        socket.send({ pieces: 10000, bytes: 16 * KIB });
        await sleep(300);
        const before = host.log.length;
        socket.send({ type: 'cancel' });
        const told = await host.logged(
            (entry) => host.log.indexOf(entry) >= before && entry.event === 'story_told',
        );
        assert.ok(told.pieces < 1000);
        socket.socket.resume();
        const last = (await socket.turn()).at(-1);
        assert.deepEqual([last.event, last.data.partial], ['final', true]);
        await socket.close();
    });

    it(
        'that send without reading are not read any more, and dropped when they take nothing',
        options,
        async () => {
            const wire = await Wire.open(host, 'ws_story');
            const before = residentBytes(host),
                block = Buffer.concat(Array.from({ length: 1000 }, () => frame(TEXT, '{"id":1}')));
            wire.raw.socket.pause();
            const more = setInterval(() => wire.raw.socket.writableLength < MIB && wire.raw.send(block), 1);
            let most = 0;
            const watch = setInterval(() => (most = Math.max(most, residentBytes(host) - before)), 200);
            await wire.raw.closed(20000).finally(() => [more, watch].forEach(clearInterval));
            assert.ok(most < 4 * MIB, `${most} bytes more were resident`);
        },
    );

    it('that are only idle cost little: a thousand of them', options, async () => {
        const warm = await Promise.all(Array.from({ length: 100 }, () => open(host, 'ws_caller')));
        const before = residentBytes(host);
        const sockets = await Promise.all(Array.from({ length: 1000 }, () => open(host, 'ws_caller')));
        for (const socket of sockets) socket.send({});
        await Promise.all(sockets.map((socket) => socket.next()));
        const each = (residentBytes(host) - before) / sockets.length;
        assert.ok(each < 6 * KIB, `${each} bytes each`);
        for (const socket of [...warm, ...sockets]) socket.socket.terminate();
    });

    it('other sockets are answered meanwhile', options, async () => {
        const slow = await open(host, 'ws_story', { perMessageDeflate: false });
        slow.socket.pause();
        slow.send({ pieces: 1000, bytes: 16 * KIB });
        const socket = await open(host, 'ws_caller');
        for (let i = 0; i < 50; i++) {
            const began = performance.now();
            socket.send({});
            assert.equal((await socket.next()).event, 'final');
            assert.ok(performance.now() - began < 500);
        }
        slow.socket.terminate();
        await socket.close();
    });
});

describe('websocket: silence', options, () => {
    let host;
    const env = { EDGE_TEST_WEBSOCKET_PING_MS: '500', EDGE_TEST_WEBSOCKET_IDLE_MS: '2500' };
    before(async () => (host = await startPlugins({ functions, env })), options);
    after(() => host?.stop(), options);

    it('is asked about with pings; two that go unanswered end it', options, async () => {
        const wire = await Wire.open(host, 'ws_caller');
        assert.equal((await wire.next()).opcode, PING);
        assert.equal((await wire.next()).opcode, PING);
        await wire.raw.closed();
        assert.equal(wire.raw.received.length, 0);
        wire.destroy();
    });

    it('with pongs lasts until the socket is idle', options, async () => {
        const wire = await Wire.open(host, 'ws_caller');
        const began = Date.now();
        for (let got = await wire.next(); got.opcode !== CLOSE; got = await wire.next()) {
            if (got.opcode === PING) wire.send(PONG, got.payload);
            else assert.fail(`Frame of type ${got.opcode}`);
        }
        assert.ok(Date.now() - began >= 2400);
        wire.destroy();
    });

    it('closes with 1000 once idle; pings are no messages, and a running call is none', options, async () => {
        const socket = await open(host, 'ws_caller');
        const pings = [];
        socket.socket.on('ping', () => pings.push(Date.now()));
        socket.send({ ms: 4000 });
        assert.equal((await socket.next()).event, 'final');
        const answered = Date.now();
        assert.equal(await socket.closed, 1000);
        assert.ok(Date.now() - answered >= 2400);
        assert.ok(pings.length >= 6);
    });
});

describe('websocket: a host that stops', options, () => {
    it('closes idle sockets with 1001, lets calls end, starts no more', options, async () => {
        const host = await startPlugins({ functions });
        const [idle, busy, saga] = await Promise.all(
            ['ws_caller', 'ws_caller', 'ws_saga'].map((name) => open(host, name)),
        );
        busy.send({ id: 'long', ms: 1500 });
        saga.send({ pieces: 50, interval: 20 });
        await saga.next();
        const stopped = host.stop();
        assert.equal(await idle.closed, 1001);
        busy.send({ id: 'late' });
        const refused = await busy.next();
        assert.deepEqual([refused.event, refused.id, refused.data.code], ['error', 'late', 'draining']);
        const answer = await busy.next();
        assert.deepEqual([answer.event, answer.id], ['final', 'long']);
        assert.equal((await saga.turn()).at(-1).data.told, 50);
        assert.deepEqual(await Promise.all([busy.closed, saga.closed]), [1001, 1001]);
        await stopped;
    });

    it('waits for what a call does after its answer', options, async () => {
        const host = await startPlugins({ functions });
        const socket = await open(host, 'slow');
        socket.send({ background: 1000 });
        assert.equal((await socket.next()).event, 'final');
        socket.socket.terminate();
        await sleep(50);
        await host.stop();
        assert.ok(host.log.some((entry) => entry.event === 'background_done'));
    });

    it('breaks off what is not done in time', options, async () => {
        const host = await startPlugins({ functions, server: { drain_timeout: '1s' } });
        const socket = await open(host, 'ws_caller');
        socket.send({ ms: 10000 });
        await sleep(100);
        const began = Date.now();
        await host.stop();
        assert.ok(Date.now() - began < 5000);
        assert.equal(await socket.closed, 1006);
    });

    it('gives every descriptor and byte back', options, async () => {
        const host = await startPlugins({ functions });
        const round = async () => {
            const sockets = await Promise.all(Array.from({ length: 50 }, () => open(host, 'ws_story')));
            for (const socket of sockets) socket.send({ pieces: 3, interval: 5, bytes: 3000 });
            await Promise.all(sockets.slice(0, 40).map((socket) => socket.turn()));
            for (const [i, socket] of sockets.entries())
                i % 2 ? socket.socket.terminate() : socket.socket.close();
            await Promise.all(sockets.map((socket) => socket.closed));
        };
        try {
            const before = descriptors(host);
            for (let i = 0; i < 4; i++) await round();
            const resident = residentBytes(host);
            for (let i = 0; i < 10; i++) await round();
            await eventually(() => descriptors(host) <= before, 'the descriptors');
            assert.ok(residentBytes(host) - resident < 512 * KIB);
        } finally {
            await host.stop();
        }
    });
});
