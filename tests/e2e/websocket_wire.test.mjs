/*
 * WebSockets on the wire: frames, limits, compression, and what is closed with which code.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import zlib from 'node:zlib';

import { sleep } from '../support/host.mjs';
import {
    BINARY,
    CLOSE,
    CONTINUATION,
    frame,
    open,
    PING,
    PONG,
    startPlugins,
    TEXT,
    Wire,
} from '../support/websocket.mjs';

const options = { timeout: 60000 };
const MIB = 1024 * 1024;
const DEFLATE = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };
let host;

before(async () => {
    host = await startPlugins({
        functions: {
            echo: { auth: 'public', memory: '64MiB', max_body: '4MiB' },
            hello: { auth: 'public' },
            ws_story: { auth: 'public', memory: '8MiB' },
        },
    });
}, options);

after(() => host?.stop(), options);

async function withWire(target, work, headers) {
    const wire = await Wire.open(host, target, headers);
    try {
        return await work(wire);
    } finally {
        wire.destroy();
    }
}

const closesWith = (code, target, send, headers) =>
    withWire(
        target,
        async (wire) => {
            await send(wire);
            assert.equal(await wire.closeCode(), code);
        },
        headers,
    );

/* As a client compresses a message: raw deflate with the flush's tail left out (RFC 7692 7.2.1). */
const deflate = (text) =>
    zlib.deflateRawSync(text, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
const inflate = (data) =>
    zlib.inflateRawSync(Buffer.concat([data, Buffer.from([0, 0, 0xff, 0xff])]), {
        finishFlush: zlib.constants.Z_SYNC_FLUSH,
    });

describe('websocket: frames', options, () => {
    it('a message in fragments, with pings between them', options, async () => {
        await withWire('echo', async (wire) => {
            const text = '{"id":"1","text":"üöä and more"}';
            const bytes = Buffer.from(text);
            wire.send(TEXT, '', { fin: false });
            for (let i = 0; i < bytes.length; i += 3) {
                wire.send(CONTINUATION, bytes.subarray(i, i + 3), { fin: false });
                wire.send(PING, `${i}`);
                await sleep(1);
            }
            wire.send(CONTINUATION, '');
            const frames = [];
            while (frames.at(-1)?.opcode !== TEXT) frames.push(await wire.next());
            assert.ok(frames.some(({ opcode, payload }) => opcode === PONG && payload.toString() === '0'));
            assert.deepEqual(JSON.parse(frames.at(-1).payload.toString()).data.in.text, 'üöä and more');
        });
    });

    it('a frame in pieces of one byte, and many frames at once', options, async () => {
        await withWire('hello', async (wire) => {
            for (const byte of frame(TEXT, '{"id":"slow"}')) {
                wire.raw.send(Buffer.from([byte]));
                await new Promise(setImmediate);
            }
            assert.equal((await wire.message()).id, 'slow');
            wire.raw.send(Buffer.concat([...Array(200).keys()].map((i) => frame(TEXT, `{"id":"${i}"}`))));
            for (let i = 0; i < 200; i++) assert.equal((await wire.message()).id, `${i}`);
        });
    });

    it('a long answer leaves in fragments and arrives whole', options, async () => {
        await withWire('ws_story', async (wire) => {
            wire.send(TEXT, JSON.stringify({ pieces: 1, bytes: 200000 }));
            assert.equal((await wire.message()).event, 'tool');
            const pieces = [];
            while (!pieces.at(-1)?.fin) pieces.push(await wire.next());
            assert.deepEqual([pieces[0].opcode, pieces[1].opcode], [TEXT, CONTINUATION]);
            assert.ok(pieces.every(({ payload }) => payload.length <= 16384));
            assert.equal(
                JSON.parse(Buffer.concat(pieces.map(({ payload }) => payload))).data.text.length,
                200000,
            );
        });
    });

    it('a close is answered with its code', options, async () => {
        await closesWith(1000, 'hello', (wire) => wire.send(CLOSE, Buffer.from([3, 232])));
        await closesWith(4000, 'hello', (wire) => wire.send(CLOSE, Buffer.from([0x0f, 0xa0, 0x6f, 0x6b])));
    });

    it('answers go out before the close frame that follows a message', options, async () => {
        await withWire('hello', async (wire) => {
            wire.raw.send(Buffer.concat([frame(TEXT, '{"id":"1"}'), frame(BINARY, 'x')]));
            assert.equal((await wire.message()).id, '1');
            assert.equal(await wire.closeCode(), 1003);
        });
    });
});

describe('websocket: limits', options, () => {
    it('a message of 1 MiB is taken, one byte more closes with 1009', options, async () => {
        const text = (bytes) => `{"id":"1","text":"${'x'.repeat(bytes - 20)}"}`;
        assert.equal(text(MIB).length, MIB);
        await withWire('echo', async (wire) => {
            wire.send(TEXT, text(MIB));
            const pieces = [];
            while (!pieces.at(-1)?.fin) pieces.push(await wire.next());
            assert.equal(JSON.parse(Buffer.concat(pieces.map(({ payload }) => payload))).data.length, MIB);
        });
        await closesWith(1009, 'echo', (wire) => wire.send(TEXT, text(MIB + 1)));
    });

    it('fragments count together, while they arrive', options, async () => {
        await closesWith(1009, 'echo', async (wire) => {
            wire.send(TEXT, '', { fin: false });
            for (let i = 0; i < 20; i++)
                wire.send(CONTINUATION, Buffer.alloc(64 * 1024, 'x'), { fin: false });
        });
    });

    it('a frame that announces more than can ever come', options, async () => {
        await withWire('echo', async (wire) => {
            wire.raw.send(
                Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
            );
            wire.raw.send(Buffer.alloc(2 * MIB));
            assert.equal(await wire.closeCode(), 1009);
        });
    });

    it('binary messages close with 1003, invalid UTF-8 with 1007', options, async () => {
        await closesWith(1003, 'hello', (wire) => wire.send(BINARY, '{}'));
        for (const bytes of [
            [0x7b, 0xff, 0x7d],
            [0x22, 0xc3, 0x22],
            [0x22, 0xed, 0xa0, 0x80, 0x22],
        ])
            await closesWith(1007, 'hello', (wire) => wire.send(TEXT, Buffer.from(bytes)));
        await closesWith(1007, 'hello', (wire) =>
            wire.send(TEXT, Buffer.from([...Buffer.from('{"a":"'), 0xc3, 0x28, 0x22, 0x7d])),
        );
    });

    it('broken framing closes the socket and nothing else', options, async () => {
        const broken = [
            frame(CONTINUATION, 'x'),
            frame(3, 'x'),
            frame(11, 'x'),
            frame(PING, 'x', { fin: false }),
            frame(TEXT, '{}', { rsv1: true }),
            Buffer.concat([frame(TEXT, '{', { fin: false }), frame(TEXT, '}')]),
            Buffer.from([0x89, 0xfe, 0, 126, 0, 0, 0, 0]),
            Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ];
        /* This client answers no close frame, which the host waits for 5 s. */
        await Promise.all(
            broken.map((bytes) =>
                withWire('hello', async (wire) => {
                    wire.raw.send(bytes);
                    await wire.raw
                        .closed(10000)
                        .catch(() => assert.fail(`Still open behind ${bytes.toString('hex')}`));
                }),
            ),
        );
        for (let i = 0; i < 50; i++)
            await withWire('hello', async (wire) => {
                wire.raw.send(randomBytes(1 + ((i * 37) % 2000)));
                await sleep(2);
            });
        assert.equal((await fetch(`${host.url}/_edge/live`)).status, 200);
    });
});

describe('websocket: compression', options, () => {
    it(
        'is negotiated without context takeover, and declined when it demands a window of ours',
        options,
        async () => {
            const agreed = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
            for (const [offer, answer] of [
                ['permessage-deflate', agreed],
                ['x-other, permessage-deflate; client_max_window_bits=9', agreed],
                ['permessage-deflate; server_max_window_bits=10', undefined],
                ['permessage-deflate; server_max_window_bits=10, permessage-deflate', agreed],
                ['x-webkit-deflate-frame', undefined],
            ])
                await withWire(
                    'hello',
                    ({ answer: { headers } }) => {
                        assert.equal(headers['sec-websocket-extensions'], answer, offer);
                    },
                    { 'Sec-WebSocket-Extensions': offer },
                );
        },
    );

    it('long messages are compressed both ways, short ones are not', options, async () => {
        await withWire(
            'echo',
            async (wire) => {
                wire.send(TEXT, deflate(JSON.stringify({ id: '1', text: 'x'.repeat(5000) })), { rsv1: true });
                const { rsv1, payload } = await wire.next();
                assert.equal(rsv1, true);
                assert.ok(payload.length < 500);
                assert.equal(JSON.parse(inflate(payload)).data.in.text.length, 5000);
                wire.send(TEXT, deflate('{"id":"2"}'), { rsv1: true });
                assert.equal((await wire.next()).rsv1, false);
                wire.send(TEXT, '{"id":"3"}');
                assert.equal((await wire.message()).id, '3');
            },
            DEFLATE,
        );
    });

    it('a compressed message in fragments', options, async () => {
        await withWire(
            'echo',
            async (wire) => {
                const data = deflate(JSON.stringify({ text: randomBytes(1000).toString('hex') }));
                wire.send(TEXT, data.subarray(0, 100), { fin: false, rsv1: true });
                for (let i = 100; i < data.length; i += 100) {
                    wire.send(CONTINUATION, data.subarray(i, i + 100), { fin: false });
                    wire.send(PING, 'x');
                }
                wire.send(CONTINUATION, '');
                let answer;
                do answer = await wire.next();
                while (answer.opcode === PONG);
                assert.equal(JSON.parse(inflate(answer.payload)).data.in.text.length, 2000);
            },
            DEFLATE,
        );
    });

    it('real clients with and without it, any length of message', options, async () => {
        for (const perMessageDeflate of [true, false]) {
            const socket = await open(host, 'echo', { perMessageDeflate });
            assert.equal(socket.socket.extensions.includes('permessage-deflate'), perMessageDeflate);
            for (const length of [0, 1, 1000, 1024, 1025, 4096, 65535, 65536, 300000, 900000]) {
                const text = randomBytes(Math.ceil(length / 2))
                    .toString('base64')
                    .slice(0, length);
                socket.send({ text });
                assert.equal((await socket.next()).data.in.text, text);
            }
            await socket.close();
        }
    });

    it('what ends in an odd place behind every buffer', options, async () => {
        const socket = await open(host, 'echo', { perMessageDeflate: { threshold: 0 } });
        /* 3,096 letters ended libwebsockets' own extension. */
        for (let length = 900; length < 3200; length += length === 1200 ? 1800 : 1) {
            socket.send({ text: 'x'.repeat(length) });
            assert.equal((await socket.next()).data.in.text.length, length);
            if (length < 3000) continue;
            socket.send('x'.repeat(length));
            assert.equal((await socket.next()).data.code, 'invalid_json');
        }
        await socket.close();
    });

    it('a message that is larger than 1 MiB only when uncompressed closes with 1009', options, async () => {
        for (const bytes of [MIB + 1, 100 * MIB])
            await closesWith(
                1009,
                'echo',
                (wire) => wire.send(TEXT, deflate(Buffer.alloc(bytes, ' ')), { rsv1: true }),
                DEFLATE,
            );
    });

    it('data that is not compressed as it says closes with 1002', options, async () => {
        await closesWith(
            1002,
            'echo',
            (wire) => wire.send(TEXT, '\xff\xff\xff\xff', { rsv1: true }),
            DEFLATE,
        );
    });

    it('a last block is no end: what follows it belongs to the message', options, async () => {
        await withWire(
            'echo',
            async (wire) => {
                const finished = zlib.deflateRawSync('{"id":"last"}');
                wire.send(TEXT, Buffer.concat([finished, Buffer.from([0])]), { rsv1: true });
                assert.equal((await wire.message()).id, 'last');
                wire.send(
                    TEXT,
                    Buffer.concat([finished, finished.subarray(0, 3), Buffer.alloc(2000, 0xff)]),
                    { rsv1: true },
                );
                assert.equal(await wire.closeCode(), 1002);
            },
            DEFLATE,
        );
    });
});
