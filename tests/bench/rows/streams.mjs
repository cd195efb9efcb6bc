/*
 * Thousands of event streams at once: what each takes of the host's memory, and whether all of them come whole. A function
 * that streams of itself, and a chat that is streamed through from the AI gateway: there a stream is two connections. The
 * gateway's stand-in runs in a host of its own, so that its memory is not counted.
 */
import net from 'node:net';

import { startDatabase } from '../../support/data.mjs';
import { workers } from '../../support/faults.mjs';
import { startHost } from '../../support/host.mjs';
import { startHot } from '../../support/reload.mjs';
import { Sandbox } from '../../support/sandbox.mjs';
import { mint } from '../../support/tokens.mjs';
import { atLeast, atMost, proportionalBytes, request, table } from '../bench.mjs';

export const name = '10,000 concurrent SSE streams';
export const goal = '≤ 24 KiB each, all delivered';

const RAMP = 250; /* streams that wait for their first event at a time */

/* A chat lasts 90 s at most (the gateway's limit); all have to be open before the first one ends. */
const CHAT = { events: 20, intervalMs: 4000 }, PLAIN = { events: 15, intervalMs: 4000 };

const server = { workers: 2, log_level: 'warn', max_connections: 20000 };

/* One stream: how many events came, when the longest gap was, and how it ended. */
class Stream {
    constructor(port, text, marker, events) {
        Object.assign(this, { marker, events, count: 0, longestGapMs: 0, text: '' });
        this.begun = new Promise((resolve) => (this.onBegin = resolve));
        this.ended = new Promise((resolve) => (this.onEnd = resolve));
        this.socket = net.connect(port, '127.0.0.1', () => this.socket.write(text));
        this.socket.on('data', (data) => this.read(data.toString('latin1'))).on('error', () => {}).on('close', () => this.end());
    }

    /* A marker is never torn: the host writes an event at once. The end of the text is kept for the last event. */
    read(data) {
        this.text = (this.text + data).slice(-1000);
        for (let at = -1; (at = data.indexOf(this.marker, at + 1)) >= 0;) {
            const now = performance.now();
            if (this.count++ > 0) this.longestGapMs = Math.max(this.longestGapMs, now - this.last);
            this.last = now;
            this.onBegin();
        }
        if (this.text.endsWith('0\r\n\r\n')) this.end();
    }

    end() {
        this.whole ??= this.count === this.events && this.text.includes('event: final\n') && this.text.endsWith('0\r\n\r\n');
        this.socket.destroy();
        this.onBegin();
        this.onEnd();
    }

    get running() {
        return this.count > 0 && this.whole === undefined;
    }
}

async function open(count, start, streams = []) {
    await Promise.all(Array.from({ length: Math.min(RAMP, count) }, async () => {
        while (streams.length < count) {
            const stream = start();
            streams.push(stream);
            await stream.begun;
        }
    }));
    return streams;
}

const resident = (host) => workers(host).reduce((sum, pid) => sum + proportionalBytes(pid), 0);

/* Opens count streams and reads memory each second; what counts is the reading with most of them running. */
async function hold(host, count, start, intervalMs) {
    const before = resident(host), begun = performance.now(), streams = [], most = { running: 0, bytes: 0 };
    const sampling = setInterval(() => {
        const running = streams.filter((stream) => stream.running).length;
        if (running > most.running) Object.assign(most, { running, bytes: resident(host) - before });
    }, 1000);
    try {
        await open(count, start, streams);
        const openedS = (performance.now() - begun) / 1000;
        await Promise.all(streams.map(({ ended }) => ended));
        const gaps = streams.map(({ longestGapMs }) => longestGapMs).sort((a, b) => a - b);
        return {
            atOnce: most.running, whole: streams.filter(({ whole }) => whole).length, bytes: most.bytes / most.running,
            openedS, longestGaps: gaps.at(-1) / intervalMs,
        };
    } finally {
        clearInterval(sampling);
        for (const { socket } of streams) socket.destroy();
    }
}

async function plain(count, { events, intervalMs }) {
    const host = await startHot({ functions: { hot: { auth: 'public', timeout: '600s' } }, server });
    const start = (body) => () => new Stream(host.port, request('POST', '/functions/v1/hot', { accept: 'text/event-stream' }, JSON.stringify(body)), '\ndata: ', body.events + 1);
    try {
        await Promise.all((await open(100, start({ events: 2, interval: 5 }))).map(({ ended }) => ended)); /* what a worker needs once */
        return await hold(host, count, start({ events, interval: intervalMs }), intervalMs);
    } finally {
        await host.end();
    }
}

async function chats(count, { events, intervalMs }) {
    const database = await startDatabase();
    const gatewayHost = await startHost({ functions: [], readyPath: '/_edge/live', server });
    const host = await startHost({
        functions: { copilotChat: { timeout: '600s' } }, database: database.url, databaseSettings: { pool: 8, acquire_timeout: '90s' },
        server, providers: { lovable_ai: { timeout: '600s', max_concurrency: 10000 } },
        env: { LOVABLE_AI_BASE_URL: `${gatewayHost.url}/sandbox/lovable_ai` },
    });
    try {
        await database.person('user_bench');
        const token = await mint('user_bench', { claims: { exp: Math.floor(Date.now() / 1000) + 3600 } });
        const gateway = new Sandbox(gatewayHost, 'lovable_ai');
        const tokens = Array.from({ length: events }, (_, i) => `word${i} `);
        const text = request('POST', '/functions/v1/copilotChat', { authorization: `Bearer ${token}`, accept: 'text/event-stream' }, JSON.stringify({ userPrompt: 'How do I win listings?' }));
        const start = () => new Stream(host.port, text, '"delta":{"content"', events);
        await gateway.order({ times: 0, tokens, tokenIntervalMs: 5 });
        await Promise.all((await open(100, start)).map(({ ended }) => ended));
        await gateway.reset();
        await gateway.order({ times: 0, tokens, tokenIntervalMs: intervalMs });
        return await hold(host, count, start, intervalMs);
    } finally {
        await host.stop();
        await gatewayHost.stop();
        await database.stop();
    }
}

export async function run(bench) {
    const count = bench.quick ? 500 : 10000, soon = { events: 10, intervalMs: 500 };
    const measured = {};
    measured['a function\'s own events'] = await plain(count, bench.quick ? soon : PLAIN);
    bench.say(`  ${JSON.stringify(measured)}`);
    measured['copilotChat, through the gateway\'s stand-in'] = await chats(count, bench.quick ? soon : CHAT);
    const [own, chat] = Object.values(measured);
    const delivered = Math.min(own.whole, chat.whole), atOnce = Math.min(own.atOnce, chat.atOnce);
    return {
        figures: measured,
        rounds: 1,
        method: `${count.toLocaleString('en-US')} streams to two workers, an event each ${(bench.quick ? soon : CHAT).intervalMs / 1000} s, without TLS. Bytes: what the ` +
            'workers have more of resident memory than before, shared pages by their share, when most streams run. The longest gap between two events of any stream is in intervals.',
        tables: [
            table(measured, [
                { title: 'at once', of: (one) => one.atOnce, digits: 0 },
                { title: 'came whole', of: ({ whole }) => whole, digits: 0 },
                { title: 'KiB a stream', of: ({ bytes }) => bytes / 1024 },
                { title: 'all opened after s', of: ({ openedS }) => openedS },
                { title: 'longest gap', of: ({ longestGaps }) => longestGaps },
            ]),
        ],
        goals: [
            atMost('a function\'s own events: ≤ 24 KiB a stream', own.bytes / 1024, 24, ' KiB'),
            atMost('a chat, both connections: ≤ 24 KiB a stream', chat.bytes / 1024, 24, ' KiB'),
            atLeast('all at once', atOnce, count),
            atLeast('all delivered', delivered, count),
        ],
    };
}
