/*
 * Instructions of a worker a request, counted by callgrind: of hello, and of computePulse with a token that has been seen
 * before. Unlike times they are the same on a busy machine and on another one: runs differ by 1 to 2 %, by where malloc finds room.
 *
 *     EDGE_TEST_PG_URL=... node tests/bench/instructions.mjs             compares with the record
 *     EDGE_TEST_PG_URL=... node tests/bench/instructions.mjs --record    writes the record, instructions.json
 *
 * Requests go one after the other over one connection to one worker. Callgrind writes its counts and begins again at zero
 * whenever endpoint_live is entered, so GET /_edge/live ends a batch; two of them in a row say what it costs itself.
 */
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { activeAgent } from '../support/activity.mjs';
import { buildDirectory } from '../support/config.mjs';
import { startDatabase } from '../support/data.mjs';
import { workers } from '../support/faults.mjs';
import { startHost } from '../support/host.mjs';
import { mint } from '../support/tokens.mjs';

export const TOLERANCE = 0.05;
const BATCHES = 9, REQUESTS = 60, WARM = 60, RECORD_RUNS = 5;

const recordFile = path.join(path.dirname(fileURLToPath(import.meta.url)), 'instructions.json');
export const recorded = () => JSON.parse(fs.readFileSync(recordFile, 'utf8'));

export const RECORD_COMMAND = 'scripts/build && node tests/bench/instructions.mjs --record';

/*
 * Libraries choose code by the processor. Valgrind shows one with AVX2 where there is one and a lesser one elsewhere;
 * without these extensions the choice is the same everywhere.
 */
const BASELINE = {
    GLIBC_TUNABLES: 'glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-BMI2,-ERMS,-FSRM',
    OPENSSL_ia32cap: '0x7ffaf3bfffebffff:0x0',
};

/* The functions' builds in one directory. */
function plugins(directory) {
    for (const file of ['tests/plugins/hello.so', 'functions/computePulse.so'])
        fs.copyFileSync(path.join(buildDirectory, file), path.join(directory, path.basename(file)));
    return directory;
}

/* Sends requests over one connection, each after the answer to the one before. */
function client(host) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (where, { method = 'GET', headers = {}, body } = {}) =>
        new Promise((resolve, reject) =>
            http.request(host.url + where, { method, agent, headers }, (answer) => {
                let text = '';
                answer.on('data', (piece) => (text += piece)).on('error', reject);
                answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(`${where}: ${answer.statusCode} ${text}`))));
            }).on('error', reject).end(body));
    return { ask, close: () => agent.destroy() };
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/* Counts of the worker between one GET /_edge/live and the next, oldest first. */
function counts(directory, pid) {
    const count = (number) => Number(/^totals: (\d+)$/m.exec(fs.readFileSync(path.join(directory, `${pid}.${number}`), 'utf8'))[1]);
    const numbers = fs.readdirSync(directory).filter((name) => name.startsWith(`${pid}.`)).map((name) => Number(name.split('.')[1]));
    return numbers.sort((a, b) => a - b).map(count).slice(1); /* the first one is the start */
}

async function send(host, requests) {
    const { ask, close } = client(host);
    const repeat = async (count, [where, how]) => {
        for (let i = 0; i < count; i++) await ask(where, how);
    };
    const end = ['/_edge/live'];
    for (const request of requests) await repeat(WARM, request);
    await repeat(1 + BATCHES, end); /* a batch of nothing */
    for (const request of requests)
        for (let i = 0; i < BATCHES; i++) {
            await repeat(REQUESTS, request);
            await repeat(1, end);
        }
    close();
}

/* { hello, computePulse }: instructions a request. */
export async function measure() {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-callgrind-'));
    const database = await startDatabase();
    try {
        const id = await activeAgent({ database, agent: () => database.person('user_counted').then(() => 'user_counted') }, { total: 40, completed: 23, recent: 4, goals: 2 });
        const token = await mint(id);
        const host = await startHost({
            under: ['valgrind', '--quiet', '--tool=callgrind', `--callgrind-out-file=${directory}/%p`, '--combine-dumps=no', '--dump-before=endpoint_live'],
            sandbox: false, functions: { hello: { auth: 'public' }, computePulse: {} }, database: database.url,
            server: { plugins: plugins(directory), workers: 1, log_level: 'info' }, env: BASELINE,
        });
        const [worker] = workers(host);
        await send(host, [
            ['/functions/v1/hello'],
            ['/functions/v1/computePulse', { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': 2 }, body: '{}' }],
        ]);
        await host.stop();
        const batches = counts(directory, worker);
        const live = median(batches.slice(0, BATCHES));
        const of = (index) => batches.slice(BATCHES * index, BATCHES * (index + 1)).map((count) => Math.round((count - live) / REQUESTS));
        return { hello: median(of(1)), computePulse: median(of(2)) };
    } finally {
        await database.stop();
        fs.rmSync(directory, { recursive: true, force: true });
    }
}

/* What is measured against what is recorded: { name, recorded, measured, change } each, change as a share. */
export const compare = (record, measured) =>
    Object.entries(measured).map(([name, count]) => ({ name, recorded: record[name], measured: count, change: count / record[name] - 1 }));

export const describe = ({ name, recorded, measured, change }) =>
    `${name}: ${measured} instructions a request, recorded are ${recorded} (${change > 0 ? '+' : ''}${(100 * change).toFixed(1)} %)`;

/* Medians of several runs, so that the record lies in the middle of what runs differ by. */
async function record() {
    const runs = [];
    for (let i = 0; i < RECORD_RUNS; i++) runs.push(await measure());
    const measured = Object.fromEntries(Object.keys(runs[0]).map((name) => [name, median(runs.map((run) => run[name]))]));
    fs.writeFileSync(recordFile, `${JSON.stringify(measured, null, 4)}\n`);
    return measured;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const before = recorded();
    const measured = process.argv[2] === '--record' ? await record() : await measure();
    for (const one of compare(before, measured)) console.log(describe(one));
}
