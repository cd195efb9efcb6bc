/*
 * How a WebSocket session ends (edge/ws.h): by the client, the function, the host, and what is said about it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { eventually, sleep } from '../support/host.mjs';
import { mint } from '../support/tokens.mjs';
import { descriptors, Session, startPlugins, Wire } from '../support/websocket.mjs';

const options = { timeout: 60000 };
const functions = {
    wsx_echo: { auth: 'public' },
    wsx_keep: { plugin: 'wsx_echo', auth: 'public', on_disconnect: 'finish' },
    wsx_talk: { auth: 'public', timeout: '1s' },
    wsx_mine: { plugin: 'wsx_echo', auth: 'user' },
    wsx_drain: { auth: 'public' },
};
let host;

const entries = (event, rest = {}) =>
    host.log.filter(
        (entry) =>
            entry.event === event && Object.entries(rest).every(([key, value]) => entry[key] === value),
    );

const logged = (event, rest) => eventually(() => entries(event, rest)[0], `${event} in the log`);

before(async () => (host = await startPlugins({ functions })), options);
after(() => host?.stop(), options);

describe('ws: the client', options, () => {
    it('closes with its code; the function hears what came before, and goes on', options, async () => {
        /* One that finishes: whether its echo still finds the client there is a race that another one may lose. */
        const session = await Session.open(host, 'wsx_keep');
        session.send('last');
        assert.deepEqual(await session.close(4000, 'gr\u00fc\u00dfe'), [4000, 'gr\u00fc\u00dfe']);
        const over = await logged('echo_over', { close: 4000 });
        assert.deepEqual([over.reason, over.open], ['gr\u00fc\u00dfe', false]);
        assert.equal((await logged('invocation', { closeCode: 4000 })).status, 200);
    });

    it('is lost: the function ends at once, or hears of it and finishes', options, async () => {
        const [lost, kept] = [await Session.open(host, 'wsx_echo'), await Session.open(host, 'wsx_keep')];
        lost.socket.terminate();
        kept.socket.terminate();
        const line = await logged('invocation', { closeCode: 1006, function: 'wsx_echo' });
        assert.deepEqual([line.status, line.code], [499, 'client_gone']);
        assert.equal((await logged('echo_over', { close: 1006 })).gone, true);
        assert.equal((await logged('invocation', { closeCode: 1006, function: 'wsx_keep' })).status, 200);
        assert.equal(entries('echo_over', { close: 1006 }).length, 1);
    });

    it('closes before all is sent: the sender ends', options, async () => {
        const wire = await Wire.open(host, 'wsx_talk');
        wire.send(1, JSON.stringify({ do: 'flood', messages: 1000, bytes: 30000 }));
        wire.send(8, Buffer.from([0x0f, 0xa1]));
        assert.equal((await logged('invocation', { closeCode: 4001 })).code, 'client_gone');
        wire.destroy();
    });

    it('has gone: what the function still does is bounded by its timeout', options, async () => {
        const session = await Session.open(host, 'wsx_talk?linger=1');
        assert.equal((await session.send({ do: 'nap', ms: 1500 }).json()), 'awake');
        await session.close(4002);
        await logged('talk_over', { close: 4002 });
        assert.deepEqual((await logged('invocation', { closeCode: 4002 })).code, 'timeout');
    });
});

describe('ws: the function', options, () => {
    it('returns: 1000', options, async () => {
        const session = await Session.open(host, 'wsx_talk');
        assert.deepEqual(await session.send({ do: 'return' }).closed, [1000, '']);
    });

    it('closes with a code and a reason, cut at a character', options, async () => {
        for (const [code, reason, said] of [
            [1000, undefined, ''],
            [1008, 'not so', 'not so'],
            [3000, '\u20ac'.repeat(50), '\u20ac'.repeat(41)],
            [4999, 'x'.repeat(200), 'x'.repeat(123)],
        ]) {
            const session = await Session.open(host, 'wsx_talk');
            session.send({ do: 'close', code, reason }).send({ do: 'who' });
            assert.deepEqual(await session.closed, [code, said]);
            assert.deepEqual(session.messages, []);
        }
    });

    it('may linger behind its close, within its timeout', options, async () => {
        const session = await Session.open(host, 'wsx_talk');
        assert.deepEqual(await session.send({ do: 'close', code: 4003, linger: 300 }).closed, [4003, '']);
        await logged('talk_over', { close: 4003 });
        const slow = await Session.open(host, 'wsx_talk');
        assert.deepEqual(await slow.send({ do: 'close', code: 4004, linger: 30000 }).closed, [4004, '']);
        assert.equal((await logged('invocation', { closeCode: 4004 })).code, 'timeout');
    });

    it('fails: a last message, and 1008 or 1011', options, async () => {
        const ends = [
            [{ do: 'fail', status: 403 }, 'told_to', 1008],
            [{ do: 'fail', status: 502 }, 'told_to', 1011],
            [{ do: 'close', code: 1005 }, 'internal_error', 1011],
            [{ do: 'close', code: 2000 }, 'internal_error', 1011],
            [{ do: 'mumble' }, 'internal_error', 1011],
            [{ do: 'answer' }, 'internal_error', 1011],
            [{ do: 'rival' }, 'internal_error', 1011],
        ];
        for (const [message, code, close] of ends) {
            const session = await Session.open(host, 'wsx_talk');
            session.send(message);
            const { event, data } = await session.json();
            assert.deepEqual([event, data.code, typeof data.error], ['error', code, 'string'], message.do);
            assert.deepEqual(await session.closed, [close, code]);
            assert.ok((await logged('invocation', { requestId: data.requestId })).status >= 400);
        }
    });

    const skip = process.env.ASAN_OPTIONS || /asan/.test(buildDirectory) ? 'the sanitizers report faults' : false;

    it('crashes: the session ends with 1011, and others go on elsewhere', { ...options, skip }, async () => {
        const own = await startPlugins({ functions });
        const session = await Session.open(own, 'wsx_talk');
        session.send({ do: 'crash' });
        assert.equal((await session.json()).data.code, 'function_crashed');
        assert.deepEqual(await session.closed, [1011, 'function_crashed']);
        const other = await eventually(() => Session.open(own, 'wsx_echo').catch(() => null), 'a worker');
        assert.equal(await other.send('there').next(), 'there');
        await other.close();
        await own.stop({ crashes: true });
    });
});

describe('ws: the host', options, () => {
    it('ends a session whose token has expired with 4401, whether it speaks or not', options, async () => {
        /* The host allows for 5 s of skew. */
        const claims = { exp: Math.floor(Date.now() / 1000) - 2 };
        const headers = { authorization: `Bearer ${await mint('user_1', { claims })}` };
        const session = await Session.open(host, 'wsx_mine', { headers });
        assert.equal(await session.send('in time').next(), 'in time');
        const { event, data } = await session.json();
        assert.deepEqual([event, data.code], ['error', 'unauthorized']);
        assert.deepEqual(await session.closed, [4401, 'session expired']);
        assert.equal((await logged('echo_over', { close: 4401 })).open, false);
    });

    it('closes a silent session with 1000, and drops one that answers no pings', options, async () => {
        const env = { EDGE_TEST_WEBSOCKET_PING_MS: '500', EDGE_TEST_WEBSOCKET_IDLE_MS: '2500' };
        const own = await startPlugins({ functions, env });
        const silent = await Session.open(own, 'wsx_echo');
        const dead = await Wire.open(own, 'wsx_echo');
        const busy = await Session.open(own, 'wsx_talk');
        const held = await Session.open(own, 'wsx_talk'); /* held back, its pongs are not read */
        for (let i = 0; i < 6; i++) held.send({ do: 'nap', ms: 400 });
        for (let i = 0; i < 100; i++) held.send({ do: 'nap', ms: 0, pad: 'x'.repeat(5000) });
        await dead.raw.closed();
        for (let i = 0; i < 106; i++) assert.equal(await held.json(), 'awake');
        await busy.send({ do: 'who' }).json();
        assert.deepEqual(await silent.closed, [1000, 'idle']);
        await eventually(() => own.log.some((entry) => entry.event === 'echo_over' && entry.reason === 'idle'), 'end');
        dead.destroy();
        await own.stop();
    });

    it('gives every descriptor back', options, async () => {
        const before = descriptors(host);
        for (let i = 0; i < 3; i++) {
            const names = ['wsx_echo', 'wsx_keep', 'wsx_talk', 'wsx_drain'];
            const open = Array.from({ length: 40 }, (_, n) => Session.open(host, names[n % 4]));
            const all = await Promise.all(open);
            for (const [n, session] of all.entries()) n % 3 ? session.socket.terminate() : session.socket.close();
            await Promise.all(all.map((session) => session.closed));
        }
        await eventually(() => descriptors(host) <= before, 'the descriptors');
    });
});

describe('ws: a host that stops', options, () => {
    it('tells who asks for it, waits for the answer, and closes with 1001', options, async () => {
        const own = await startPlugins({ functions });
        const session = await Session.open(own, 'wsx_drain');
        assert.equal(await session.send('hello').next(), 'heard');
        const stopped = own.stop();
        assert.equal(await session.next(), 'bye');
        session.send('bye, too');
        assert.deepEqual(await session.closed, [1001, 'draining']);
        await stopped;
        assert.equal(own.log.find((entry) => entry.event === 'drain_done').heard, 'bye, too');
        assert.equal(own.log.find((entry) => entry.closeCode === 1001).status, 200);
    });

    it('closes the others with 1001 once half of the drain time is over', options, async () => {
        const own = await startPlugins({ functions, server: { drain_timeout: '4s' } });
        const session = await Session.open(own, 'wsx_echo');
        const lingering = await Session.open(own, 'wsx_talk?linger=1');
        const began = Date.now();
        const stopped = own.stop();
        await sleep(500);
        assert.equal(await session.send('still here').next(), 'still here');
        assert.deepEqual(await session.closed, [1001, 'draining']);
        assert.deepEqual(await lingering.closed, [1001, 'draining']);
        assert.ok(Date.now() - began >= 1900);
        await stopped;
        assert.equal(own.log.find((entry) => entry.event === 'echo_over').close, 1001);
        assert.equal(own.log.some((entry) => entry.event === 'worker_died'), false);
    });
});
