/*
 * `edge dev` in a project of its own: from nothing to calls that work when pasted, again, after a kill, and gone.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { buildDirectory, root } from '../support/config.mjs';
import { eventually } from '../support/host.mjs';

const options = { timeout: 120000 };
const project = fs.mkdtempSync(path.join(os.tmpdir(), 'edge dev '));
let running = null;

class Dev {
    constructor(environment = {}) {
        const env = { PATH: process.env.PATH, HOME: project, ...environment };
        for (const name of ['ASAN_OPTIONS', 'UBSAN_OPTIONS']) if (process.env[name]) env[name] = process.env[name];
        this.output = '';
        this.child = spawn(path.join(buildDirectory, 'edge'), ['dev', '--listen', '127.0.0.1:0', '--workers', '1'], {
            cwd: project,
            env,
            stdio: ['ignore', 'pipe', 'pipe'],
        });
        for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (data) => (this.output += data));
        this.exit = new Promise((resolve) => this.child.on('exit', (code, signal) => resolve(code ?? signal)));
        this.exit.then(() => (this.exited = true));
        running = this;
    }

    async ready() {
        await eventually(() => this.exited || /^Started in/m.test(this.output), 'edge dev to be ready', 60000);
        if (this.exited) throw new Error(`edge dev has ended:\n${this.output}`);
        return this;
    }

    /* The lines that one is told to paste. */
    get calls() {
        return this.output.split('\n').filter((line) => line.startsWith('  curl '));
    }

    get seconds() {
        return Number(/^Started in ([\d.]+) s/m.exec(this.output)[1]);
    }

    stop(signal = 'SIGTERM') {
        this.child.kill(signal);
        return this.exit;
    }
}

const shell = (line) => execFileSync('bash', ['-c', line], { encoding: 'utf8', timeout: 20000 });

const startedAt = (pid) => fs.statSync(`/proc/${pid}`).ctimeMs;

/* Processes whose directory is the project or its cluster. */
function leftovers() {
    const cluster = fs.realpathSync(path.join(project, '.edge', 'postgres'));
    return fs.readdirSync('/proc').filter((pid) => {
        if (!/^\d+$/.test(pid)) return false;
        try {
            const directory = fs.readlinkSync(`/proc/${pid}/cwd`);
            return directory === project || directory.startsWith(cluster);
        } catch {
            return false;
        }
    });
}

before(() => {
    fs.cpSync(path.join(root, 'functions.toml'), path.join(project, 'functions.toml'));
    fs.cpSync(path.join(root, 'sql'), path.join(project, 'sql'), { recursive: true });
    fs.mkdirSync(path.join(project, 'build'));
    fs.symlinkSync(path.join(buildDirectory, 'functions'), path.join(project, 'build', 'functions'));
});

after(async () => {
    if (running && !running.exited) await running.stop('SIGKILL');
    const postgres = path.join(project, '.edge', 'postgres');
    const cluster = fs.existsSync(postgres) ? fs.realpathSync(postgres) : null;
    if (cluster) await eventually(() => leftovers().length === 0, 'everything to end');
    for (const directory of [cluster, project]) if (directory) fs.rmSync(directory, { recursive: true, force: true });
}, options);

test('the first start prints three calls, and they work when pasted', options, async () => {
    const dev = await new Dev().ready();
    assert.match(dev.output, /Pulse Edge runs at http:\/\/127\.0\.0\.1:\d+/);
    assert.equal(dev.calls.length, 3);

    const [pulse, chat, webhook] = dev.calls.map(shell);
    assert.equal(typeof JSON.parse(pulse).score, 'number');
    assert.match(chat, /^data: \{"id":"chatcmpl-.*\n\n(.*\n)*event: final\ndata: \{"response":/);
    assert.deepEqual(JSON.parse(webhook), { success: true });
    assert.deepEqual(JSON.parse(shell(dev.calls[2])), { success: true, duplicate: true });
    assert.equal(await dev.stop(), 0);
    assert.deepEqual(leftovers(), []);
});

test('the second start takes less than two seconds and finds the data again', options, async () => {
    const dev = await new Dev().ready();
    assert.doesNotMatch(dev.output, /applied/);
    assert.ok(dev.seconds < 2, `${dev.seconds} s`);

    const token = execFileSync(path.join(buildDirectory, 'edge'), ['token', '--user', 'user_webhook'], {
        cwd: project,
        encoding: 'utf8',
        env: { PATH: process.env.PATH },
    }).trim();
    const call = dev.calls[0].replace(/x-clerk-auth: [^']*/, `x-clerk-auth: ${token}`);
    assert.equal(typeof JSON.parse(shell(call)).score, 'number');
    assert.equal(await dev.stop('SIGINT'), 0);
});

test('what it keeps is closed to others', options, () => {
    const mode = (name) => fs.statSync(path.join(project, '.edge', name)).mode & 0o777;
    assert.equal(mode('dev'), 0o700);
    assert.equal(mode('dev/environment'), 0o600);
    assert.equal(mode('dev/jwt_key.pem'), 0o600);
    assert.equal(mode('postgres/data'), 0o700);
    if (fs.existsSync(path.join(project, '.edge/postgres/run'))) assert.equal(mode('postgres/run'), 0o700); /* a long path's lies elsewhere */
    if (process.getuid() === 0) assert.notEqual(fs.statSync(path.join(project, '.edge/postgres/data')).uid, 0);
});

test('killed, it takes everything with it, and the next start works', options, async () => {
    const killed = await new Dev().ready();
    assert.equal(await killed.stop('SIGKILL'), 'SIGKILL');
    const dev = await new Dev().ready();
    assert.equal(typeof JSON.parse(shell(dev.calls[0])).score, 'number');

    const second = new Dev();
    assert.equal(await second.exit, 1);
    assert.match(second.output, /edge dev already runs in this directory/);
    running = dev;

    const [pid] = fs.readFileSync(path.join(project, '.edge/postgres/data/postmaster.pid'), 'utf8').split('\n');
    /* One that ends within five seconds of its start is not started again. */
    await eventually(() => Date.now() - startedAt(pid) > 5500, 'Postgres to be old enough');
    process.kill(Number(pid), 'SIGKILL');
    await eventually(() => shell(dev.calls[0]).includes('"score"'), 'Postgres to come back');
    assert.match(dev.output, /Postgres has ended and is started again/);
    assert.equal(await dev.stop(), 0);
    assert.deepEqual(leftovers(), []);
});

test('a database that does not answer is named', options, async () => {
    const dev = new Dev({ DATABASE_URL: 'postgresql:///none?host=/nonexistent' });
    assert.equal(await dev.exit, 1);
    assert.match(dev.output, /cannot be reached/);
});
