/*
 * WebSocket sessions in one fiber (edge/ws.h): opening, messages of every kind, several senders.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { eventually, sleep } from '../support/host.mjs';
import { mint } from '../support/tokens.mjs';
import {
    BINARY,
    CLOSE,
    CONTINUATION,
    frame,
    PING,
    PONG,
    Session,
    startPlugins,
    TEXT,
    Wire,
} from '../support/websocket.mjs';

const options = { timeout: 60000 };
const MIB = 1024 * 1024;
let host;

before(async () => {
    host = await startPlugins({
        functions: {
            wsx_echo: { auth: 'public', max_body: '2MiB' },
            wsx_talk: { auth: 'public', memory: '1MiB', timeout: '1s' },
            wsx_small: { plugin: 'wsx_echo', auth: 'public', max_body: '1KiB' },
            wsx_mine: { plugin: 'wsx_talk', auth: 'user' },
            wsx_twice: { plugin: 'wsx_echo', auth: 'public', rate_limit: '2/day per ip' },
        },
    });
}, options);

after(() => host?.stop(), options);

describe('ws: opening', options, () => {
    it('shows the opening request and its caller', options, async () => {
        const headers = { authorization: `Bearer ${await mint('user_1')}`, 'x-test': 'yes' };
        const session = await Session.open(host, 'wsx_mine?q=a%20b', { headers });
        assert.deepEqual(await session.send({ do: 'who' }).json(), {
            user: 'user_1',
            method: 'GET',
            q: 'a b',
            header: 'yes',
            subprotocol: null,
            websocket: true,
        });
        await session.close();
    });

    it('is refused with a status to callers who may not', options, async () => {
        await assert.rejects(Session.open(host, 'wsx_mine'), { status: 401 });
        const session = await Session.open(host, 'wsx_twice');
        await (await Session.open(host, 'wsx_twice')).close();
        await assert.rejects(Session.open(host, 'wsx_twice'), { status: 429 });
        for (let i = 0; i < 5; i++) assert.equal(await session.send(`${i}`).next(), `${i}`);
        await session.close();
    });

    it('agrees on the first subprotocol of the function; a token is none', options, async () => {
        const agreed = async (target, protocols) => {
            const session = await Session.open(host, target, { protocols });
            await session.close();
            return session.socket.protocol;
        };
        assert.equal(await agreed('wsx_echo', ['chat.v1', 'chat.v2']), 'chat.v2');
        assert.equal(await agreed('wsx_echo', ['chat.v1']), 'chat.v1');
        const token = await mint('user_1');
        assert.equal(await agreed('wsx_echo', ['bearer', token, 'chat.v1']), 'chat.v1');
        assert.equal(await agreed('wsx_mine', ['bearer', token]), 'bearer');
        const wire = await Wire.open(host, 'wsx_echo', { 'Sec-WebSocket-Protocol': 'chat.v3' });
        assert.equal(wire.answer.headers['sec-websocket-protocol'], undefined);
        wire.destroy();
    });

    it('without .handle other requests are 426; calls of a session outside of one are 500', options, async () => {
        const post = async (name) => {
            const target = `http://127.0.0.1:${host.port}/functions/v1/${name}`;
            const answer = await fetch(target, { method: 'POST', body: '{}' });
            return [answer.status, (await answer.json()).code];
        };
        assert.deepEqual(await post('wsx_echo'), [426, 'upgrade_required']);
        assert.deepEqual(await post('wsx_talk'), [500, 'internal_error']);
    });
});

describe('ws: messages', options, () => {
    for (const perMessageDeflate of [true, false])
        it(`text and bytes of any length come back, compression ${perMessageDeflate}`, options, async () => {
            const session = await Session.open(host, 'wsx_echo', { perMessageDeflate });
            for (const length of [0, 1, 125, 126, 1023, 1024, 65535, 65536, 300000, 2 * MIB]) {
                const bytes = Buffer.alloc(length, 'a\u00e4\u20ac');
                const text = 'x'.repeat(length);
                assert.ok(bytes.equals(await session.send(bytes).next()));
                assert.equal(await session.send(text).next(), text);
            }
            assert.deepEqual(await session.close(3000, 'enough'), [3000, 'enough']);
        });

    it('fragments are put together, with pings in between; the opening may bring the first', options, async () => {
        const wire = await Wire.open(host, 'wsx_echo', {}, frame(TEXT, 'early'));
        assert.equal((await wire.next()).payload.toString(), 'early');
        wire.send(BINARY, 'ab', { fin: false });
        wire.send(CONTINUATION, '', { fin: false }).send(PING, 'now').send(CONTINUATION, 'cd');
        const [message, pong] = [await wire.next(), await wire.next()].sort((a, b) => a.opcode - b.opcode);
        assert.deepEqual([pong.opcode, pong.payload.toString()], [PONG, 'now']);
        assert.deepEqual([message.opcode, message.payload.toString(), message.fin], [BINARY, 'abcd', true]);
        const euro = Buffer.from('\u20ac');
        wire.send(TEXT, euro.subarray(0, 1), { fin: false }).send(CONTINUATION, euro.subarray(1));
        assert.deepEqual((await wire.next()).payload, euro);
        wire.destroy();
    });

    it('a thousand each way, in order, whoever is faster', options, async () => {
        const session = await Session.open(host, 'wsx_echo');
        for (let i = 0; i < 1000; i++) session.send(i % 2 ? `${i}` : Buffer.from(`${i}`));
        for (let i = 0; i < 1000; i++) assert.equal((await session.next()).toString(), `${i}`);
        await session.close();
        const over = await eventually(
            () => host.log.find((entry) => entry.method === 'WS' && entry.messagesIn === 1000),
            'the line of the session',
        );
        assert.equal(over.messagesOut, 1000);
        assert.deepEqual([over.bytesIn, over.bytesOut, over.closeCode, over.status], [2890, 2890, 1005, 200]);
        assert.ok(over.durationMs > 0);
    });

    it('received while the function is busy: held back above 64 KiB, and none is lost', options, async () => {
        const session = await Session.open(host, 'wsx_talk');
        session.send({ do: 'nap', ms: 500 });
        for (let i = 0; i < 500; i++) session.send({ do: 'who', pad: 'x'.repeat(5000) });
        session.send({ do: 'return' });
        assert.equal(await session.json(), 'awake');
        for (let i = 0; i < 500; i++) assert.equal((await session.json()).method, 'GET');
        assert.deepEqual(await session.closed, [1000, '']);
    });

    it('waits with a limit, and goes on behind it', options, async () => {
        const session = await Session.open(host, 'wsx_talk');
        const began = Date.now();
        assert.deepEqual(await session.send({ do: 'wait', ms: 300 }).json(), { heard: null, open: true });
        assert.ok(Date.now() - began >= 290);
        session.send({ do: 'wait', ms: 30000 }).send('quick');
        assert.deepEqual(await session.json(), { heard: 'quick', open: true });
        await session.close();
    });

    it('of several fibers stay whole, and one goes on receiving', options, async () => {
        const session = await Session.open(host, 'wsx_talk');
        session.socket.pause();
        session.send({ do: 'choir', voices: 8, pad: 'x'.repeat(8000) }).send({ do: 'who' });
        await sleep(300);
        session.socket.resume();
        const heard = [];
        while (heard.length < 161) heard.push(await session.next());
        for (let i = 0; i < 8; i++)
            assert.equal(heard.filter((text) => text === `${i}${'x'.repeat(8000)}`).length, 20);
        assert.equal(heard.filter((text) => text.startsWith('{')).length, 1);
        await session.close();
    });

    it('take no memory of the invocation, however many', options, async () => {
        const session = await Session.open(host, 'wsx_talk');
        const pad = 'x'.repeat(20000);
        for (let i = 0; i < 300; i++) assert.equal((await session.send({ do: 'who', pad }).json()).q, null);
        await session.close();
        const over = await eventually(
            () => host.log.find((entry) => entry.method === 'WS' && entry.messagesIn === 300),
            'the line of the session',
        );
        assert.ok(over.memoryBytes < 128 * 1024, `${over.memoryBytes} bytes`);
    });

    it('that are too long close with 1009, text that is no UTF-8 with 1007', options, async () => {
        const small = await Session.open(host, 'wsx_small');
        assert.equal((await small.send('x'.repeat(1024)).next()).length, 1024);
        assert.deepEqual(await small.send('x'.repeat(1025)).closed, [1009, 'message over 1024 bytes']);
        const packed = await Session.open(host, 'wsx_small', { perMessageDeflate: { threshold: 0 } });
        assert.equal((await packed.send('x'.repeat(3000)).closed)[0], 1009);
        const wire = await Wire.open(host, 'wsx_echo');
        wire.send(BINARY, Buffer.from([0xff]));
        assert.deepEqual((await wire.next()).payload, Buffer.from([0xff]));
        assert.equal(await wire.send(TEXT, Buffer.from([0xff])).closeCode(), 1007);
        wire.destroy();
    });

    it('frames that no client may send end the session', options, async () => {
        for (const bytes of [frame(3, 'x'), frame(CONTINUATION, 'x'), frame(TEXT, 'x', { rsv1: true })]) {
            const wire = await Wire.open(host, 'wsx_echo');
            wire.raw.send(bytes);
            assert.equal(await wire.closeCode(), 1002);
            wire.destroy();
        }
        const wire = await Wire.open(host, 'wsx_echo');
        assert.equal((await wire.send(TEXT, 'still there').next()).payload.toString(), 'still there');
        wire.send(CLOSE, Buffer.from([0x03, 0xe8]));
        assert.equal(await wire.closeCode(), 1000);
        wire.destroy();
    });
});
