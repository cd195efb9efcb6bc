/*
 * A host of one's own for a test file: `edge serve` on a free port, its log lines, and a clean stop.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

import { buildDirectory, configText, root } from './config.mjs';
import { providerEnvironment } from './providers.mjs';
import { privatePem } from './tokens.mjs';

export const SERVICE_KEY = 'test-service-key-0123456789abcdef0123456789abcdef';
/* 32 bytes, base64. */
export const ENCRYPTION_KEY = Buffer.alloc(32, 'test-encryption-key-').toString('base64');

const READY_MS = 20000;
const STOP_MS = 20000;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* Polls until the condition answers something true, and returns that. */
export async function eventually(condition, what, ms = 10000) {
    const end = Date.now() + ms;
    for (;;) {
        const value = await condition();
        if (value) return value;
        if (Date.now() > end) throw new Error(`Waited ${ms} ms in vain for ${what}`);
        await sleep(20);
    }
}

export async function freePort() {
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

function environment(directory, port, database, standIns, overrides) {
    const env = {
        PATH: process.env.PATH,
        HOME: directory,
        EDGE_SERVICE_KEY: SERVICE_KEY,
        /* The sandbox, and EDGE_TEST_CLOCK, exist beside a development issuer only. */
        EDGE_SANDBOX: '1',
        EDGE_DEVELOPMENT_KEY: path.join(directory, 'development.pem'),
        EDGE_ENCRYPTION_KEY: ENCRYPTION_KEY,
        ...providerEnvironment(port, standIns),
        SANDBOX_DIR: path.join(directory, 'sandbox'),
        SANDBOX_TOKEN_INTERVAL_MS: '1',
        ...(database ? { DATABASE_URL: database } : {}),
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(ASAN|UBSAN|LSAN)_OPTIONS$/.test(name))),
        ...overrides,
    };
    for (const [name, value] of Object.entries(env)) if (value === null) delete env[name];
    return env;
}

function follow(stream, lines) {
    readline.createInterface({ input: stream }).on('line', (line) => {
        try {
            lines.push(JSON.parse(line));
        } catch {
            lines.push({ text: line });
        }
    });
}

/* The status of a GET, null when nobody answers; any certificate will do. */
function status(url) {
    const get = url.startsWith('https') ? https.get : http.get;
    return new Promise((resolve) =>
        get(url, { rejectUnauthorized: false, agent: false }, (answer) => answer.resume() && resolve(answer.statusCode)).on('error', () => resolve(null)));
}

export class Host {
    constructor(child, port, directory, tls = false) {
        this.child = child;
        this.port = port;
        this.url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
        this.directory = directory;
        this.log = []; /* every line so far, parsed when it is JSON */
        this.exit = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
        this.exited = false;
        this.exit.then(() => (this.exited = true));
        follow(child.stdout, this.log);
        follow(child.stderr, this.log);
    }

    /* The request line of the function's call, or any log line that fits. */
    logged(fits, what = 'a log line') {
        return eventually(() => this.log.find(fits), what);
    }

    text() {
        return this.log.map((entry) => entry.text ?? JSON.stringify(entry)).join('\n');
    }

    async ready(path_) {
        const end = Date.now() + READY_MS;
        for (;;) {
            if (this.exited) throw new Error(`The host stopped while starting:\n${this.text()}`);
            if ((await status(this.url + path_)) === 200) return;
            if (Date.now() > end) throw new Error(`${path_} did not answer 200 in ${READY_MS} ms:\n${this.text()}`);
            await sleep(50);
        }
    }

    /* SIGTERM; the host has to finish what runs and exit with 0, and must not have reported a memory error or a crash. */
    async stop({ crashes = false, mismatches = false } = {}) {
        if (!this.exited) this.child.kill('SIGTERM');
        const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
        const { code, signal } = await this.exit;
        clearTimeout(timer);
        const log = this.text();
        fs.rmSync(this.directory, { recursive: true, force: true });
        assert.deepEqual({ code, signal }, { code: 0, signal: null }, `The host did not stop cleanly:\n${log}`);
        assert.doesNotMatch(log, /AddressSanitizer|LeakSanitizer|runtime error:/);
        const differences = this.log.filter((line) => line.event === 'answer_mismatch').map((line) => `${line.function}: ${line.what}`);
        if (!mismatches) assert.deepEqual([...new Set(differences)], [], 'answers differ from their output tables');
        if (!crashes) assert.doesNotMatch(log, /function_crashed|function_hung|worker_died|worker_hangs/);
    }
}

/*
 * Starts a host. options: those of config.mjs, tls (the server settings name a certificate), database (a URL, see people.mjs), env (null removes a variable),
 * readyPath (default /_edge/ready, which wants the database), binary (default the build's edge), under (a command that runs
 * the host: ['taskset', '-c', '0']; it has to go on as the same process).
 */
export async function startHost(options) {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-test-'));
    const port = await freePort();
    const config = path.join(directory, 'functions.toml');
    fs.writeFileSync(path.join(directory, 'development.pem'), privatePem, { mode: 0o600 });
    fs.writeFileSync(config, configText({ ...options, database: options.databaseSettings }));

    const [command, ...words] = [...(options.under ?? []), options.binary ?? path.join(buildDirectory, 'edge'), 'serve'];
    const child = spawn(
        command,
        [...words, '--config', config, '--listen', `127.0.0.1:${port}`],
        {
            cwd: root,
            env: environment(directory, port, options.database, options.sandbox !== false, options.env ?? {}),
            stdio: ['ignore', 'pipe', 'pipe'],
        },
    );
    const host = new Host(child, port, directory, options.tls);
    try {
        await host.ready(options.readyPath ?? '/_edge/ready');
    } catch (error) {
        child.kill('SIGKILL');
        throw error;
    }
    return host;
}
