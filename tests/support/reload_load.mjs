/*
 * Reload after reload while all kinds of clients are busy: keep-alive and fresh connections, event streams, WebSockets.
 * No request may fail, every answer is of exactly one build, and nothing grows.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';

import { allEvents, connect } from './streams.mjs';
import { workers } from './faults.mjs';
import { eventually, sleep } from './host.mjs';
import { build } from './reload.mjs';
import { residentBytesOf } from './websocket.mjs';

/* One request over an agent's connection, or a fresh one. Rejects when anything is lost. */
function ask(host, agent) {
    return new Promise((resolve, reject) => {
        const request = http.request(
            { host: '127.0.0.1', port: host.port, path: '/functions/v1/hot', method: 'POST', agent },
            (answer) => {
                let text = '';
                answer.on('data', (piece) => (text += piece));
                answer.on('error', reject);
                answer.on('end', () =>
                    answer.statusCode === 200
                        ? resolve({ ...JSON.parse(text), id: answer.headers['x-function-version'] })
                        : reject(new Error(`${answer.statusCode} ${text}`)),
                );
            },
        );
        request.on('error', reject);
        request.end('{}');
    });
}

/* Work that goes on until told to stop; what failed, and how often it went well. */
class Clients {
    constructor() {
        this.running = [];
        this.failures = [];
        this.done = 0;
        this.stopped = false;
    }

    add(count, work) {
        for (let i = 0; i < count; i++)
            this.running.push(
                (async () => {
                    while (!this.stopped) {
                        await work(i).catch((error) => this.failures.push(String(error?.stack ?? error).slice(0, 300)));
                        this.done++;
                    }
                })(),
            );
    }

    async stop() {
        this.stopped = true;
        await Promise.all(this.running);
    }
}

/* Each id belongs to one version, for good: an answer of two builds would break that. */
class Versions {
    constructor() {
        this.ids = new Map();
    }

    note({ version, state, id }) {
        assert.equal(state, version);
        if (!this.ids.has(id)) this.ids.set(id, version);
        assert.equal(this.ids.get(id), version, 'an answer names another build than the one that made it');
    }
}

export function holdings(host) {
    const pids = [host.child.pid, ...workers(host)];
    const lines = (file) => fs.readFileSync(file, 'utf8').split('\n').length;
    const sum = (of) => pids.reduce((total, pid) => total + of(pid), 0);
    return {
        processes: pids.length,
        mappings: sum((pid) => lines(`/proc/${pid}/maps`)),
        descriptors: sum((pid) => fs.readdirSync(`/proc/${pid}/fd`).length),
        residentKib: sum((pid) => residentBytesOf(pid) / 1024),
        files: fs.readdirSync('/var/tmp').filter((name) => name.startsWith(`edge-plugins-${host.child.pid}-`)).length,
    };
}

async function oneTurn(socket, versions) {
    socket.send({});
    const { event, data } = await socket.next(30000);
    assert.equal(event, 'final');
    versions.note({ ...data, id: `ws ${data.version}` });
    await sleep(200);
}

async function oneStream(host) {
    const answer = await host.call({ events: 20, interval: 50 });
    assert.equal(answer.status, 200);
    const events = await allEvents(answer);
    assert.equal(events.length, 21);
    const versions = new Set(events.map((event) => event.data.version));
    assert.equal(versions.size, 1, 'a stream is of one build');
    assert.equal(events.at(-1).event, 'final');
}

/* Reloads so many times; at the `first`th and the last one it is measured what the host holds. */
export async function reloadUnderLoad(host, { reloads, first, streams, sockets, keepAlive = 8, fresh = 2, pace = 0 }) {
    const clients = new Clients();
    const versions = new Versions();
    const agent = new http.Agent({ keepAlive: true, maxSockets: keepAlive });
    const connected = await Promise.all(Array.from({ length: sockets }, () => connect(host, 'hot').opened(30000)));
    const paced = (work) => async (i) => {
        await work(i);
        if (pace > 0) await sleep(pace);
    };
    clients.add(keepAlive, paced(async () => versions.note(await ask(host, agent))));
    clients.add(fresh, paced(async () => versions.note(await ask(host, new http.Agent({ keepAlive: false })))));
    clients.add(streams, () => oneStream(host));
    clients.add(sockets, (i) => oneTurn(connected[i], versions));

    let before = null;
    const live = () => host.log.filter((line) => line.event === 'generation_live').length;
    for (let i = 1; i <= reloads; i++) {
        const count = live();
        host.plugins.put(build(i % 2 ? 'v2' : 'v1'));
        await eventually(() => live() > count, `reload ${i}`, 30000);
        if (i === first) before = holdings(host);
    }
    const after = holdings(host);
    await clients.stop();
    agent.destroy();
    await Promise.all(connected.map((socket) => socket.close()));
    return { before, after, failures: clients.failures, done: clients.done, builds: versions.ids.size };
}

/* Nothing has grown but by what caches and allocators do. */
export function assertFlat({ before, after }) {
    assert.equal(after.processes, before.processes);
    assert.ok(after.mappings <= before.mappings + 20, JSON.stringify({ before, after }));
    assert.ok(after.descriptors <= before.descriptors + 60, JSON.stringify({ before, after }));
    assert.ok(after.residentKib <= before.residentKib * 1.15 + 4096, JSON.stringify({ before, after }));
    assert.equal(after.files, 1);
}
