/*
 * Many at once in one worker: chats that wait on a slow provider, idle connections, and a database that goes
 * away under load and comes back.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { startDatabase } from '../support/data.mjs';
import { eventually, sleep, startHost } from '../support/host.mjs';
import { Raw } from '../support/raw.mjs';
import { mint } from '../support/tokens.mjs';

const options = { timeout: 180000 };
const sanitized = /asan/.test(buildDirectory);
const CHATS = sanitized ? 200 : 2000;
const STREAMS = sanitized ? 50 : 1000;
const IDLE = sanitized ? 500 : 10000;

/* A gateway that takes every request and answers none before it is told to. */
class StallingGateway {
    constructor() {
        this.waiting = [];
        this.server = http.createServer((request, response) => request.resume().on('end', () => this.waiting.push(response)));
        this.server.keepAliveTimeout = 60000;
    }

    async start() {
        await new Promise((resolve) => this.server.listen(0, '127.0.0.1', 4096, resolve));
        return `http://127.0.0.1:${this.server.address().port}`;
    }

    answerAll(text) {
        const body = JSON.stringify({ id: 'x', object: 'chat.completion', model: 'test', choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: text } }] });
        for (const response of this.waiting.splice(0)) response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    }

    /* A piece of a stream to everybody; without text the streams' end. */
    sayAll(text) {
        for (const response of this.waiting) {
            if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
            if (text === undefined) response.end('data: [DONE]\n\n');
            else response.write(`data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', model: 'test', choices: [{ index: 0, delta: { content: text }, finish_reason: null }] })}\n\n`);
        }
        if (text === undefined) this.waiting = [];
    }

    stop() {
        this.server.closeAllConnections?.();
        return new Promise((resolve) => this.server.close(resolve));
    }
}

const workers = (host) => execFileSync('pgrep', ['-P', String(host.child.pid)]).toString().trim().split('\n').map(Number);

/* What the worker's memory really takes: its private and shared pages, each counted by its share. */
function resident(pid) {
    return Number(/^Pss:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]) * 1024;
}

function chat(host, token, { accept = 'application/json', onData = () => {} } = {}) {
    return new Promise((resolve, reject) => {
        const body = JSON.stringify({ userPrompt: 'How do I win listings?' });
        const request = http.request(`${host.url}/functions/v1/copilotChat`, {
            method: 'POST', agent: false,
            headers: { authorization: `Bearer ${token}`, accept, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        }, (response) => {
            let text = '';
            response.on('data', (data) => onData(text += data)).on('end', () => resolve({ status: response.statusCode, text }));
        });
        request.on('error', reject).end(body);
    });
}

async function milliseconds(work) {
    const began = performance.now();
    await work();
    return performance.now() - began;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

describe('load: chats that wait', options, () => {
    let database, gateway, host;

    before(async () => {
        database = await startDatabase();
        gateway = new StallingGateway();
        host = await startHost({
            functions: ['copilotChat'], database: database.url, server: { workers: 1, log_level: 'info' },
            databaseSettings: { pool: 8, acquire_timeout: '90s' }, /* two thousand at once wait their turn, on a busy machine too */
            env: { LOVABLE_AI_BASE_URL: await gateway.start() },
        });
    }, options);

    after(async () => {
        await gateway?.stop();
        await host?.stop();
        await database?.stop();
    }, options);

    it(`${CHATS} in one worker, each in less than 32 KiB, and the host still answers in milliseconds`, options, async () => {
        const id = 'user_load';
        await database.person(id);
        const token = await mint(id);
        const first = chat(host, token); /* what one worker needs once is not what each chat needs */
        await eventually(() => gateway.waiting.length === 1, 'the first chat');
        const [pid] = workers(host);
        const before = resident(pid);

        const chats = Array.from({ length: CHATS }, () => chat(host, token));
        await eventually(() => gateway.waiting.length === CHATS + 1, `${CHATS} chats at the gateway`, 90000);
        const each = (resident(pid) - before) / CHATS;
        console.log(`    resident bytes a waiting chat: ${Math.round(each)}`);

        const times = [];
        for (let i = 0; i < 50; i++) times.push(await milliseconds(async () => (await fetch(`${host.url}/_edge/live`)).text()));
        console.log(`    /_edge/live meanwhile, median: ${median(times).toFixed(2)} ms`);

        gateway.answerAll('Call five owners.');
        for (const answer of await Promise.all([first, ...chats])) {
            assert.equal(answer.status, 200, answer.text);
            assert.equal(JSON.parse(answer.text).response, 'Call five owners.');
        }
        assert.equal((await database.rows('SELECT count(*)::int AS n FROM ai_agent_conversations WHERE user_id = $1', [id]))[0].n, CHATS + 1);
        assert.ok(median(times) < 50, `live took ${median(times)} ms`);
        if (!sanitized) assert.ok(each < 32 * 1024, `${each} bytes each`);
    });
});

describe('load: chats that stream', options, () => {
    let database, gateway, host;

    before(async () => {
        database = await startDatabase();
        gateway = new StallingGateway();
        host = await startHost({
            functions: ['copilotChat'], database: database.url, server: { workers: 1, log_level: 'warn' },
            databaseSettings: { pool: 8, acquire_timeout: '90s' },
            env: { LOVABLE_AI_BASE_URL: await gateway.start() },
        });
    }, options);

    after(async () => {
        await gateway?.stop();
        await host?.stop();
        await database?.stop();
    }, options);

    it(`${STREAMS} in one worker, each in less than 32 KiB between two tokens`, options, async () => {
        const id = 'user_stream';
        await database.person(id);
        const token = await mint(id);
        const [pid] = workers(host);
        let heard = [];
        const start = (i) => chat(host, token, { accept: 'text/event-stream', onData: (text) => (heard[i] = text) });
        const say = async (word) => {
            gateway.sayAll(word);
            await eventually(() => heard.every((text) => text.includes(word)), word, 60000);
        };

        heard = Array(STREAMS + 1).fill('');
        const first = start(STREAMS);
        await eventually(() => gateway.waiting.length === 1, 'the first chat');
        const memory = resident(pid);
        const chats = Array.from({ length: STREAMS }, (_, i) => start(i));
        await eventually(() => gateway.waiting.length === STREAMS + 1, `${STREAMS} chats at the gateway`, 90000);
        for (const word of ['Call ', 'five ', 'owners.']) await say(word);
        const each = (resident(pid) - memory) / STREAMS;
        console.log(`    resident bytes a streaming chat: ${Math.round(each)}`);

        gateway.sayAll();
        for (const answer of await Promise.all([first, ...chats])) assert.match(answer.text, /"response":"Call five owners\."/);
        if (!sanitized) assert.ok(each < 32 * 1024, `${each} bytes each`);
    });
});

describe('load: idle connections', options, () => {
    let host;

    before(async () => {
        host = await startHost({
            sandbox: false, readyPath: '/_edge/live', functions: { hello: { auth: 'public' } },
            server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, log_level: 'warn', max_connections: 20000, idle_timeout: '120s' },
        });
    }, options);

    after(() => host?.stop(), options);

    /* CPU ticks of the worker for a number of requests on one connection. */
    async function cost(pid, count) {
        const ticks = () => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ').slice(13, 15).reduce((sum, n) => sum + Number(n), 0);
        const connection = await Raw.open(host.port);
        const before = ticks();
        for (let i = 0; i < count; i++) await connection.send('GET /functions/v1/hello HTTP/1.1\r\nHost: a\r\n\r\n').answer();
        connection.destroy();
        return ticks() - before;
    }

    it(`${IDLE} of them cost a new request nothing measurable`, options, async () => {
        const [pid] = workers(host);
        const memory = resident(pid);
        const alone = await cost(pid, 3000);
        const idle = [];
        for (let i = 0; i < IDLE; i += 500) {
            const batch = await Promise.all(Array.from({ length: 500 }, () => Raw.open(host.port)));
            await Promise.all(batch.map((connection) => connection.send('GET /functions/v1/hello HTTP/1.1\r\nHost: a\r\n\r\n').answer()));
            idle.push(...batch);
        }
        const each = (resident(pid) - memory) / IDLE;
        const among = await cost(pid, 3000);
        console.log(`    ticks for 3,000 requests: ${alone} alone, ${among} among ${IDLE} idle; ${Math.round(each)} bytes an idle connection`);
        assert.ok(among <= alone * 2 + 10);
        if (!sanitized) assert.ok(each < 6 * 1024, `${each} bytes each`);
        for (const connection of idle) connection.destroy();
        await sleep(500);
    });
});
