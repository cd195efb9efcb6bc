/*
 * Connections are spread over the workers: keep-alive connections stay where they were accepted, so a worker that has more of
 * them than another leaves it the next ones.
 */
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { workers } from '../support/faults.mjs';
import { startHost } from '../support/host.mjs';

const options = { timeout: 60000 };
const FIRST = 60, MOST = 300, EVEN = 10;
let host;
const sockets = [];

before(async () => {
    host = await startHost({
        sandbox: false, readyPath: '/_edge/live', functions: { hello: { auth: 'public' } },
        server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 2 },
    });
}, options);

after(async () => {
    for (const socket of sockets) socket.destroy();
    await host?.stop();
}, options);

/* A connection that has had an answer, and stays. */
function connect() {
    const socket = net.connect(host.port, '127.0.0.1');
    sockets.push(socket);
    return new Promise((resolve, reject) => {
        socket.once('data', resolve).on('error', reject);
        socket.write('GET /functions/v1/hello HTTP/1.1\r\nhost: x\r\n\r\n');
    });
}

async function connections() {
    const text = await (await fetch(`${host.url}/_edge/metrics`)).text();
    return [...text.matchAll(/^edge_connections\{worker="\d"\} (\d+)$/gm)].map(([, count]) => Number(count));
}

describe('connections', options, () => {
    it('go to the worker that has fewer, until both have as many', options, async () => {
        const [, stopped] = workers(host);
        process.kill(stopped, 'SIGSTOP');
        try {
            for (let i = 0; i < FIRST; i++) await connect();
        } finally {
            process.kill(stopped, 'SIGCONT');
        }
        let counts = [FIRST, 0];
        while (Math.abs(counts[0] - counts[1]) > EVEN && sockets.length < MOST) {
            for (let i = 0; i < 5; i++) await connect();
            counts = await connections();
        }
        assert.equal(counts.length, 2);
        assert.ok(Math.abs(counts[0] - counts[1]) <= EVEN, `${counts} of ${sockets.length}`);
    });
});
