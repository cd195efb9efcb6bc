/*
 * WebSocket sessions over time (edge/ws.h): slow readers, many idle ones, and TLS.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { eventually, sleep } from '../support/host.mjs';
import { residentBytes, Session, startPlugins } from '../support/websocket.mjs';

const options = { timeout: 120000 };
const KIB = 1024,
    MIB = 1024 * KIB;
const functions = {
    wsx_echo: { auth: 'public' },
    wsx_talk: { auth: 'public', memory: '2MiB', timeout: '2s' },
};

/* One fiber that floods, and as many others as there are voices, against a client that reads nothing. */
async function heldBack(host, open) {
    const session = await open('wsx_talk');
    session.send({ do: 'flood', messages: 10, bytes: 16 * KIB });
    for (let i = 0; i < 10; i++) await session.next();
    const before = residentBytes(host);
    const logged = () => host.log.filter((entry) => entry.event === 'flooded').length;
    const done = logged();
    session.socket.pause();
    session.send({ do: 'choir', voices: 10, pad: 'x'.repeat(20000) });
    session.send({ do: 'flood', messages: 2000, bytes: 16 * KIB });
    await sleep(1500);
    const grown = residentBytes(host) - before;
    assert.ok(grown < 3 * MIB, `${grown} bytes more are resident`);
    assert.equal(logged(), done);
    session.socket.resume();
    let bytes = 0,
        words = 0;
    for (let i = 0; i < 2200; i++) {
        const message = await session.next();
        if (Buffer.isBuffer(message)) assert.equal(message[0], 97 + (bytes++ % 26));
        else words++;
    }
    assert.deepEqual([bytes, words], [2000, 200]);
    assert.deepEqual(await session.close(4010), [4010, '']);
}

describe('ws: slow readers', options, () => {
    let host;
    before(async () => (host = await startPlugins({ functions, server: { write_timeout: '4s' } })), options);
    after(() => host?.stop(), options);

    it('hold all senders back instead of filling memory, and get everything in the end', options, () =>
        heldBack(host, (name) => Session.open(host, name)));

    it('that take nothing for [server].write_timeout are dropped', options, async () => {
        const session = await Session.open(host, 'wsx_talk');
        session.socket.pause();
        session.send({ do: 'flood', messages: 100000, bytes: 16 * KIB });
        const line = await eventually(
            () => host.log.find((entry) => entry.closeCode === 1006),
            'the end of the session',
            30000,
        );
        assert.equal(line.code, 'client_gone');
        session.socket.terminate();
    });
});

describe('ws: idle sessions', options, () => {
    it('cost less than 32 KiB each', options, async () => {
        const host = await startPlugins({ functions, server: { max_connections: 2000 } });
        const count = 1000;
        const round = async () => {
            const sessions = [];
            while (sessions.length < count) {
                const more = Array.from({ length: 50 }, () => Session.open(host, 'wsx_echo'));
                for (const session of await Promise.all(more)) sessions.push(session);
            }
            await Promise.all(sessions.map(async (session) => assert.equal(await session.send('hi').next(), 'hi')));
            return sessions;
        };
        const before = residentBytes(host);
        const sessions = await round();
        const each = (residentBytes(host) - before) / count;
        assert.ok(each < 32 * KIB, `${each} bytes each`);
        console.log(`# ${(each / KIB).toFixed(1)} KiB resident for each of ${count} idle sessions`);
        await Promise.all(sessions.map((session) => session.close()));
        await host.stop();
    });
});

describe('ws: TLS', options, () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-ws-'));
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => path.join(directory, name));
    let host;

    const open = (name, more) =>
        new Session(`wss://127.0.0.1:${host.port}/functions/v1/${name}`, [], {
            rejectUnauthorized: false,
            ...more,
        }).opened();

    before(async () => {
        const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
        const names = ['-days', '2', '-subj', '/CN=localhost', '-keyout', key, '-out', cert];
        execFileSync('openssl', [...made, ...names], { stdio: 'ignore' });
        host = await startPlugins({ functions, tls: true, server: { tls_cert: cert, tls_key: key } });
    }, options);

    after(async () => {
        await host?.stop();
        fs.rmSync(directory, { recursive: true });
    }, options);

    for (const perMessageDeflate of [true, false])
        it(`text and bytes of any length, compression ${perMessageDeflate}`, options, async () => {
            const session = await open('wsx_echo', { perMessageDeflate });
            for (const length of [0, 1, 20000, MIB]) {
                const bytes = Buffer.alloc(length, 'abcdefghij');
                assert.ok(bytes.equals(await session.send(bytes).next()));
                assert.equal(await session.send(bytes.toString()).next(), bytes.toString());
            }
            assert.deepEqual(await session.close(3001, 'enough'), [3001, 'enough']);
        });

    it('slow readers hold all senders back', options, () => heldBack(host, open));

    it('codes of the function; lost clients', options, async () => {
        const closed = await open('wsx_talk');
        assert.deepEqual(await closed.send({ do: 'close', code: 4011, reason: 'so' }).closed, [4011, 'so']);
        const lost = await open('wsx_echo');
        lost.socket.terminate();
        await eventually(() => host.log.some((entry) => entry.closeCode === 1006), 'the end of the session');
    });
});
