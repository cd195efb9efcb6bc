/*
 * What a row of the benchmark stands on: servers that run one at a time on a core of their own, load from another core, and
 * rounds whose medians are kept. README.md says how a row is written.
 */
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { buildDirectory } from '../support/config.mjs';
import { eventually, freePort } from '../support/host.mjs';

const run = promisify(execFile);
const program = (name) => path.join(buildDirectory, 'tests', 'bench', name);

export const median = (values) => {
    const rising = [...values].sort((a, b) => a - b);
    return (rising[(rising.length - 1) >> 1] + rising[rising.length >> 1]) / 2;
};

/* A process and all that it has started, itself first. */
function family(pid) {
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean);
    return [pid, ...children.flatMap((child) => family(Number(child)))];
}

/* Bytes of a process in memory; a page that several processes share counts by its share. */
export const proportionalBytes = (pid) =>
    1024 * Number(/^Pss:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);

const status = (url) =>
    new Promise((resolve) =>
        http.get(url, { agent: false }, (answer) => answer.resume() && resolve(answer.statusCode)).on('error', () => resolve(null)));

/* A request of HTTP/1.1 as the load generator sends it. */
export function request(method, target, headers = {}, body = '') {
    const ofBody = body ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } : {};
    const all = { host: '127.0.0.1', accept: 'application/json', ...ofBody, ...headers };
    return `${method} ${target} HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

/* The request that opens a WebSocket. */
export const opening = (target) =>
    request('GET', target, {
        upgrade: 'websocket',
        connection: 'Upgrade',
        'sec-websocket-version': 13,
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    });

const groups = (processes) => Object.entries(processes).flatMap(([name, pids]) => ['--cpu', `${name}=${pids.join(',')}`]);

/* A server that runs, its log in a file. */
class Server {
    constructor(bench, child, port, log) {
        Object.assign(this, { bench, child, port, log });
        this.url = `http://127.0.0.1:${port}`;
        this.exited = new Promise((resolve) => child.on('exit', resolve));
        this.exited.then(() => (this.gone = true));
    }

    pids() {
        return family(this.child.pid);
    }

    residentBytes() {
        return this.pids().reduce((sum, pid) => sum + proportionalBytes(pid), 0);
    }

    /*
     * Load from the other core. requests: texts sent in turn; expect: text in every answer; connections; seconds and
     * warmup; rate: requests a second (without it all that the server can do); websocket: requests[0] is the opening, the
     * others are messages; also: { name: [pid] } of processes whose CPU time is measured beside the server's own.
     *
     * Answers { requests, seconds, perSecond, cpuUs (of all the server's processes, a request), busy (share of a core), p50Us,
     * p99Us, p999Us, maxUs, generatorCpuUs, alsoUs: { name: a request } }.
     */
    async load({ requests, expect, websocket = false, also = {}, ...more }) {
        const { connections = 32, seconds = this.bench.seconds, warmup = this.bench.warmup, rate } = more;
        const file = this.bench.scratchFile('requests', requests.join('\0'));
        const sample = await this.#measure(
            { port: this.port, requests: file, expect, connections, seconds, warmup, ...(rate ? { rate } : {}) },
            [...(websocket ? ['--websocket'] : []), ...groups({ server: this.pids(), ...also })],
        );
        const { server, ...alsoUs } = Object.fromEntries(Object.entries(sample.cpuUs).map(([name, us]) => [name, us / sample.requests]));
        return {
            ...sample,
            cpuUs: server,
            alsoUs,
            perSecond: sample.requests / sample.seconds,
            busy: sample.cpuUs.server / 1e6 / sample.seconds,
            generatorCpuUs: sample.generatorCpuUs / sample.requests,
        };
    }

    async #measure(options, more) {
        const args = [...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]), ...more];
        try {
            const { stdout } = await run('taskset', ['-c', this.bench.cpus.generator, program('bench_load'), ...args]);
            return JSON.parse(stdout);
        } catch (error) {
            throw new Error(`${error.message}\n${this.tail()}`);
        }
    }

    /* Keeps so many connections open that have each had an answer, while work runs. */
    async withIdle(connections, requests, expect, work) {
        const file = this.bench.scratchFile('idle', requests.join('\0'));
        const args = ['--hold', '--port', this.port, '--requests', file, '--expect', expect, '--connections', connections].map(String);
        const holder = spawn('taskset', ['-c', this.bench.cpus.generator, program('bench_load'), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
        try {
            await new Promise((resolve, reject) => {
                holder.stdout.on('data', resolve);
                holder.on('exit', () => reject(new Error(`The idle connections were not kept:\n${this.tail()}`)));
            });
            return await work();
        } finally {
            const ended = new Promise((resolve) => (holder.exitCode === null ? holder.on('exit', resolve) : resolve()));
            holder.stdin.end();
            await ended;
        }
    }

    tail() {
        return fs.readFileSync(this.log, 'utf8').slice(-4000);
    }

    async stop() {
        if (!this.gone) this.child.kill('SIGTERM');
        const timer = setTimeout(() => this.child.kill('SIGKILL'), 15000);
        await this.exited;
        clearTimeout(timer);
        fs.rmSync(this.log, { force: true });
    }
}

export class Bench {
    /* rounds of each measurement, seconds of load a sample; quick: as short as it still says something. */
    constructor({ rounds, quick = false }) {
        const cpus = allowedCpus();
        this.rounds = rounds ?? (quick ? 1 : 5);
        this.seconds = quick ? 1 : 3;
        this.warmup = quick ? 0.5 : 2;
        this.quick = quick;
        /* A core a side. Two workers have two, and where there is no third the generator shares them. */
        this.cpus = { server: cpus.at(-2) ?? cpus[0], generator: cpus.at(-1), pair: cpus.slice(-3).slice(0, 2).join(',') };
        this.scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-bench-'));
        fs.chmodSync(this.scratch, 0o755);
        this.files = 0;
        /* Whatever ends this process ends what it has started. */
        this.running = new Set();
        process.once('exit', () => {
            this.running.forEach((child) => child.kill('SIGTERM'));
            this.close();
        });
    }

    scratchFile(name, text = '') {
        const file = path.join(this.scratch, `${name}-${this.files++}`);
        fs.writeFileSync(file, text);
        return file;
    }

    say(text) {
        console.error(text);
    }

    /*
     * Starts a server pinned to the server's core and waits until it answers. argv: of its port; path: one that answers 200
     * once it is ready. Whoever starts it stops it.
     */
    async start(argv, { path: readyPath = '/', env = {}, cpus = this.cpus.server } = {}) {
        const port = await freePort(), log = this.scratchFile('log'), output = fs.openSync(log, 'a');
        const child = spawn('taskset', ['-c', cpus, ...argv(port).map(String)], {
            env: { PATH: process.env.PATH, HOME: this.scratch, ...env }, stdio: ['ignore', output, output], cwd: this.scratch,
        });
        fs.closeSync(output);
        this.running.add(child);
        child.on('exit', () => this.running.delete(child));
        const server = new Server(this, child, port, log);
        try {
            await eventually(async () => {
                if (server.gone) throw new Error(`${argv(port)[0]} ended at its start:\n${server.tail()}`);
                return (await status(server.url + readyPath)) === 200;
            }, `an answer of ${argv(port)[0]}`, 30000);
            return server;
        } catch (error) {
            await server.stop();
            throw error;
        }
    }

    /*
     * Measures each contender once a round, each round in the order opposite to the last. A contender is { name, start(bench) };
     * measure(server) answers an object of numbers. Returns { name: the same object, of medians }.
     */
    async compare(contenders, measure) {
        const samples = Object.fromEntries(contenders.map(({ name }) => [name, []]));
        for (let round = 0; round < this.rounds; round++)
            for (const contender of round % 2 ? [...contenders].reverse() : contenders) {
                const server = await contender.start(this);
                try {
                    samples[contender.name].push(await measure(server, contender));
                } finally {
                    await server.stop();
                }
                const [figure, value] = Object.entries(samples[contender.name].at(-1))[0];
                this.say(`  round ${round + 1}: ${contender.name}: ${figure} ${value.toFixed(2)}`);
            }
        return Object.fromEntries(Object.entries(samples).map(([name, all]) => [name, medians(all)]));
    }

    close() {
        fs.rmSync(this.scratch, { recursive: true, force: true });
    }
}

const medians = (samples) =>
    Object.fromEntries(Object.keys(samples[0]).map((figure) => [figure, median(samples.map((sample) => sample[figure]))]));

/* Cores that this process may run on, as text. */
function allowedCpus() {
    const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1];
    return list.split(',').flatMap((range) => {
        const [first, last = first] = range.split('-').map(Number);
        return Array.from({ length: last - first + 1 }, (_, i) => String(first + i));
    });
}

/*
 * A table of what compare has measured: columns [{ title, of(figures): number, digits }], a line a contender; the one that
 * `bold` names stands out.
 */
export function table(measured, columns, bold) {
    const cell = (figures, { of, digits = 1 }) =>
        of(figures).toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return {
        columns: ['', ...columns.map(({ title }) => title)],
        rows: Object.entries(measured).map(([name, figures]) => [
            name === bold ? `**${name}**` : name,
            ...columns.map((column) => cell(figures, column)),
        ]),
    };
}

/* A goal and what came of it: value is at most, or at least, the bound. */
export const atMost = (goal, value, bound, unit = '') => ({ goal, measured: `${round3(value)}${unit}`, met: value <= bound });
export const atLeast = (goal, value, bound, unit = '') => ({ goal, measured: `${round3(value)}${unit}`, met: value >= bound });

const round3 = (value) => Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 3 });
