/*
 * Thousands of chats that stream at once: what each takes of the host's memory, its connection to the gateway included,
 * and whether any of them starves.
 *
 *     EDGE_TEST_PG_URL=... node tests/bench/streams.mjs [streams] [milliseconds between tokens] [tokens]
 *
 * The gateway's stand-in runs in a host of its own, so that its memory is not counted. Memory is read each second; what
 * counts is the reading at which most streams were running. A stream lasts 90 s at most (the gateway's limit), so the
 * machine has to be able to open all of them within that.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';

import { startDatabase } from '../support/data.mjs';
import { startHost } from '../support/host.mjs';
import { Sandbox } from '../support/sandbox.mjs';
import { mint } from '../support/tokens.mjs';

const [COUNT = 5000, INTERVAL = 2000, TOKENS = 40] = process.argv.slice(2).map(Number);
const RAMP = 1000; /* streams opened at a time */

const workers = (host) => execFileSync('pgrep', ['-P', String(host.child.pid)]).toString().trim().split('\n').map(Number);

/* Resident memory of all workers; a page that several share counts by its share. */
const resident = (host) =>
    workers(host).reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]) * 1024, 0);

/* One chat: when its tokens came, and how it ended. */
class Chat {
    constructor(host, token) {
        this.tokens = 0;
        this.longestGap = 0;
        this.text = '';
        this.begun = new Promise((resolve) => (this.onBegin = resolve));
        this.ended = new Promise((resolve) => (this.onEnd = resolve));
        const body = JSON.stringify({ userPrompt: 'How do I win listings?' });
        const request = http.request(`${host.url}/functions/v1/copilotChat`, {
            method: 'POST', agent: false,
            headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        }, (response) => response.on('data', (data) => this.read(data.toString())).on('end', () => this.end()).on('error', () => this.end()));
        request.on('error', () => this.end()).end(body);
    }

    read(data) {
        this.text = (this.text + data).slice(-600);
        for (let at = -1; (at = data.indexOf('"delta":{"content"', at + 1)) >= 0;) {
            const now = performance.now();
            if (this.tokens++ > 0) this.longestGap = Math.max(this.longestGap, now - this.last);
            this.last = now;
            this.onBegin();
        }
    }

    end() {
        this.whole = this.tokens === TOKENS && /event: final\n/.test(this.text);
        this.onBegin();
        this.onEnd();
    }
}

async function open(host, token, count, chats = []) {
    while (chats.length < count) {
        const some = Array.from({ length: Math.min(RAMP, count - chats.length) }, () => new Chat(host, token));
        chats.push(...some);
        await Promise.all(some.map(({ begun }) => begun));
    }
    return chats;
}

const database = await startDatabase();
const gatewayHost = await startHost({ functions: [], readyPath: '/_edge/live', server: { workers: 2, log_level: 'warn', max_connections: 20000 } });
const host = await startHost({
    functions: { copilotChat: { timeout: '600s' } }, database: database.url, databaseSettings: { pool: 8, acquire_timeout: '90s' },
    server: { workers: 2, log_level: 'warn', max_connections: 20000 }, providers: { lovable_ai: { timeout: '600s', max_concurrency: 10000 } },
    env: { LOVABLE_AI_BASE_URL: `${gatewayHost.url}/sandbox/lovable_ai` },
});
try {
    await database.person('user_bench');
    const token = await mint('user_bench', { claims: { exp: Math.floor(Date.now() / 1000) + 3600 } });
    const gateway = new Sandbox(gatewayHost, 'lovable_ai');
    const words = Array.from({ length: TOKENS }, (_, i) => `word${i} `);
    await gateway.order({ times: 0, tokens: words, tokenIntervalMs: 5 });
    await Promise.all((await open(host, token, 50)).map(({ ended }) => ended)); /* what a worker needs once */
    await gateway.reset();
    await gateway.order({ times: 0, tokens: words, tokenIntervalMs: INTERVAL });

    const before = resident(host), began = performance.now(), chats = [], most = { running: 0, bytes: 0 };
    const running = () => chats.filter(({ tokens, whole }) => tokens > 0 && whole === undefined).length;
    const sampling = setInterval(() => {
        const now = running();
        if (now > most.running) Object.assign(most, { running: now, bytes: resident(host) - before });
    }, 1000);
    await open(host, token, COUNT, chats);
    const opened = performance.now() - began;
    await Promise.all(chats.map(({ ended }) => ended));
    clearInterval(sampling);

    const gaps = chats.map(({ longestGap }) => longestGap).sort((a, b) => a - b);
    console.log(`${COUNT} streams on 2 workers, a token each ${INTERVAL} ms, ${TOKENS} tokens`);
    console.log(`opened in ${(opened / 1000).toFixed(1)} s; ${most.running} at once; ${chats.filter(({ whole }) => whole).length} came whole`);
    console.log(`resident bytes a stream, with ${most.running} running: ${Math.round(most.bytes / most.running)}`);
    console.log(`longest gap of a stream, ms: median ${gaps[gaps.length >> 1].toFixed(0)}, worst ${gaps.at(-1).toFixed(0)} (${(gaps.at(-1) / INTERVAL).toFixed(1)} intervals)`);
} finally {
    await host.stop();
    await gatewayHost.stop();
    await database.stop();
}
