/*
 * WebSockets under TLS: through the pump between the connection and libwebsockets.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import tls from 'node:tls';

import { buildDirectory, configText, root } from '../support/config.mjs';
import { eventually, freePort, Host, sleep } from '../support/host.mjs';
import { Socket } from '../support/streams.mjs';
import { descriptors, frame, opening, residentBytes, TEXT } from '../support/websocket.mjs';

const options = { timeout: 60000 };
const KIB = 1024;
const ca = { rejectUnauthorized: false };
let host;

function certificate(directory) {
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => path.join(directory, name));
    execFileSync(
        'openssl',
        [
            'req',
            '-x509',
            '-newkey',
            'ec',
            '-pkeyopt',
            'ec_paramgen_curve:P-256',
            '-nodes',
            '-days',
            '2',
            '-subj',
            '/CN=localhost',
            '-keyout',
            key,
            '-out',
            cert,
        ],
        { stdio: 'ignore' },
    );
    return { tls_cert: cert, tls_key: key };
}

/* As startHost does it, but over TLS. */
async function startTls(functions) {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-test-'));
    const port = await freePort();
    const config = path.join(directory, 'functions.toml');
    const plugins = path.join(buildDirectory, 'tests', 'plugins');
    fs.writeFileSync(
        config,
        configText({ functions, sandbox: false, server: { plugins, workers: 1, ...certificate(directory) } }),
    );
    const child = spawn(
        path.join(buildDirectory, 'edge'),
        ['serve', '--config', config, '--listen', `127.0.0.1:${port}`],
        {
            cwd: root,
            env: { PATH: process.env.PATH, HOME: directory },
            stdio: ['ignore', 'pipe', 'pipe'],
        },
    );
    const started = new Host(child, port, directory);
    const live = () =>
        new Promise((resolve) =>
            https
                .get({ port, path: '/_edge/live', ...ca }, (answer) =>
                    resolve(answer.resume().statusCode === 200),
                )
                .on('error', () => resolve(false)),
        );
    await eventually(live, `the host:\n${started.text()}`);
    return started;
}

const open = (name, more = {}) =>
    new Socket(`wss://127.0.0.1:${host.port}/functions/v1/${name}`, [], { ...ca, ...more }).opened();

before(async () => {
    host = await startTls({
        echo: { auth: 'public', memory: '64MiB', max_body: '4MiB' },
        ws_story: { auth: 'public', memory: '2MiB', timeout: '30s' },
        ws_caller: { auth: 'public' },
    });
}, options);

after(() => host?.stop(), options);

describe('websocket: TLS', options, () => {
    for (const perMessageDeflate of [true, false])
        it(
            `messages of any length, permessage-deflate ${perMessageDeflate ? 'on' : 'off'}`,
            options,
            async () => {
                const socket = await open('echo', { perMessageDeflate });
                for (const length of [0, 100, 20000, 300000, 1000000]) {
                    const text = Buffer.alloc(length, 'abcdefghij').toString();
                    socket.send({ text });
                    assert.equal((await socket.next()).data.in.text, text);
                }
                await socket.close();
            },
        );

    it('a message sent with the request', options, async () => {
        const connection = tls.connect({ port: host.port, ...ca });
        await new Promise((resolve) => connection.once('secureConnect', resolve));
        connection.write(
            Buffer.concat([
                Buffer.from(opening('ws_caller')),
                frame(TEXT, '{"id":"1"}'),
                frame(TEXT, '{"id":"2"}'),
            ]),
        );
        let received = '';
        connection.on('data', (data) => (received += data.toString('latin1')));
        await eventually(
            () => received.includes('"id":"1"') && received.includes('"id":"2"'),
            'both answers',
        );
        assert.match(received, /^HTTP\/1.1 101 /);
        connection.destroy();
    });

    it('a slow reader holds the function back, and gets everything in the end', options, async () => {
        const socket = await open('ws_story', { perMessageDeflate: false });
        const began = residentBytes(host);
        socket.socket.pause();
        socket.send({ pieces: 2000, bytes: 16 * KIB });
        await sleep(1000);
        assert.ok(residentBytes(host) - began < 2048 * KIB);
        assert.equal(host.log.filter((entry) => entry.event === 'story_told').length, 0);
        socket.socket.resume();
        assert.equal((await socket.turn()).length, 2002);
        await socket.close();
    });

    it('closes with its code, and abruptly', options, async () => {
        const socket = await open('ws_caller');
        socket.socket.send(Buffer.from('x'));
        assert.equal(await socket.closed, 1003);

        const gone = await open('ws_story');
        gone.send({ pieces: 1000, interval: 20 });
        await gone.next();
        gone.socket.terminate();
        const line = await host.logged((entry) => entry.event === 'invocation' && entry.status === 499);
        assert.equal(line.code, 'client_gone');
    });

    it('gives connections and descriptors back', options, async () => {
        await sleep(100);
        const began = descriptors(host);
        const sockets = await Promise.all(Array.from({ length: 20 }, () => open('ws_caller')));
        assert.ok(descriptors(host) >= began + 60, 'a connection and a pair each');
        for (const [i, socket] of sockets.entries())
            i % 2 ? socket.socket.terminate() : socket.socket.close();
        await eventually(() => descriptors(host) <= began, 'the descriptors');
    });

    it('drains with 1001', options, async () => {
        const own = host;
        host = await startTls({ ws_caller: { auth: 'public' } });
        const [idle, busy] = await Promise.all([open('ws_caller'), open('ws_caller')]);
        busy.send({ ms: 500 });
        await sleep(50);
        const stopped = host.stop();
        host = own;
        assert.equal(await idle.closed, 1001);
        assert.equal((await busy.next()).event, 'final');
        assert.equal(await busy.closed, 1001);
        await stopped;
    });
});
