/*
 * What loading and reloading cost: every function of functions.toml at the start, one build in place of another while the
 * host serves, and how long requests wait meanwhile.
 */
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import { buildDirectory } from '../support/config.mjs';
import { eventually, sleep } from '../support/host.mjs';
import { startHost } from '../support/host.mjs';
import { build, startHot } from '../support/reload.mjs';

const RELOADS = 300;
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
const rising = (values) => [...values].sort((a, b) => a - b);

async function everyFunction() {
    const names = fs
        .readdirSync(path.join(buildDirectory, 'functions'))
        .filter((name) => name.endsWith('.so') && !name.startsWith('sandbox_'))
        .map((name) => name.slice(0, -3));
    const rounds = [];
    for (let i = 0; i < 5; i++) {
        const begun = performance.now();
        const host = await startHost({ functions: names, sandbox: false, readyPath: '/_edge/live', server: { log_level: 'info', max_body: '1GiB' } });
        const readyMs = performance.now() - begun;
        const loads = host.log.filter((line) => line.event === 'functions_loaded').map((line) => line.us);
        rounds.push({ readyMs, loadUs: Math.max(...loads), loaded: host.log.find((line) => line.event === 'functions_loaded').count });
        await host.stop();
    }
    const loadUs = rising(rounds.map((round) => round.loadUs));
    const readyMs = rising(rounds.map((round) => round.readyMs));
    console.log(`all ${rounds[0].loaded} functions: a worker loads them in ${(at(loadUs, 0.5) / 1000).toFixed(1)} ms` +
        ` (${(at(loadUs, 0.5) / rounds[0].loaded).toFixed(0)} us each); process start to first answer ${at(readyMs, 0.5).toFixed(0)} ms` +
        ` (medians of 5; 2 workers, the gate included)`);
}

/* Latencies of a client that asks all the time. */
async function latencies(host, work) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    const took = [];
    let stop = false;
    const ask = () =>
        new Promise((resolve, reject) => {
            const begun = performance.now();
            const request = http.request({ host: '127.0.0.1', port: host.port, path: '/functions/v1/hot', method: 'POST', agent }, (answer) => {
                answer.resume();
                answer.on('end', () => took.push(performance.now() - begun));
                answer.on('end', resolve);
            });
            request.on('error', reject);
            request.end('{}');
        });
    const clients = Array.from({ length: 4 }, async () => {
        while (!stop) await ask();
    });
    await work();
    stop = true;
    await Promise.all(clients);
    agent.destroy();
    return rising(took);
}

async function oneFunction() {
    const host = await startHot({ server: { log_level: 'info' } });
    const live = () => host.log.filter((line) => line.event === 'generation_live');
    const without = await latencies(host, () => sleep(4000));
    const during = await latencies(host, async () => {
        for (let i = 1; i <= RELOADS; i++) {
            const count = live().length;
            host.plugins.put(build(i % 2 ? 'v2' : 'v1'));
            await eventually(() => live().length > count, 'a reload', 30000);
        }
    });
    const visible = rising(live().map((line) => line.visibleUs));
    const gate = rising(live().map((line) => line.gateUs));
    console.log(`${RELOADS} reloads of one function under load: gate median ${(at(gate, 0.5) / 1000).toFixed(1)} ms;` +
        ` served by all workers after its yes: median ${(at(visible, 0.5) / 1000).toFixed(2)} ms, p99 ${(at(visible, 0.99) / 1000).toFixed(2)} ms`);
    for (const [name, took] of [['without', without], ['during', during]])
        console.log(`  requests ${name} reloads: p50 ${at(took, 0.5).toFixed(2)} ms, p99 ${at(took, 0.99).toFixed(2)} ms, p99.9 ${at(took, 0.999).toFixed(2)} ms (${took.length})`);
    await host.end();
}

await everyFunction();
await oneFunction();
