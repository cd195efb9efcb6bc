/*
 * docs/tutorial.md, gone through: an installed host, an empty directory, and every ```sh block, with what it prints
 * (the ```text behind it). What needs a machine of its own stays on the page: apt, the administrator's commands for
 * PostgreSQL; the places and the port of a machine are put below the test's directory.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { startDatabase, runtimeUrl } from '../support/data.mjs';
import { eventually, freePort } from '../support/host.mjs';
import { agrees, blocks } from '../support/pages.mjs';
import { runProgram } from '../support/program.mjs';

const options = { timeout: 120000 };
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-tutorial-'));
const project = path.join(directory, 'garden'), prefix = path.join(directory, 'prefix');
const environment = { HOME: directory, XDG_RUNTIME_DIR: directory, PATH: `${path.join(prefix, 'bin')}:${process.env.PATH}` };
let database, port, dev, output = '';

/* The page's machine, here. */
const here = (text) =>
    [
        [/^runuser -u postgres -- psql .*$/gm, ''],
        [/runuser -u postgres -- /g, ''],
        [/postgresql:\/\/\/garden/g, `'${database.ownerUrl}'`],
        [/postgresql:\/\/edge_runtime:\S+@localhost\/garden/g, `'${database.url}'`],
        [/\/etc\/edge/g, path.join(directory, 'etc')],
        [/\/usr\/local\/lib\/edge/g, path.join(directory, 'lib')],
        [/127\.0\.0\.1:8000/g, `127.0.0.1:${port}`],
        [/edge serve (.*) > host\.log/g, `edge serve $1 --listen 127.0.0.1:${port} > host.log`],
    ].reduce((so_far, [pattern, value]) => so_far.replace(pattern, value), text);

/* The build that edge dev serves; its words "built in" may be of a directory that was made just before. */
async function generation() {
    const { stdout } = await runProgram('edge', ['functions', '--json'], { cwd: project, env: environment });
    return JSON.parse(stdout).functions[0].generation;
}

async function startDev() {
    dev = spawn('edge', ['dev', '--listen', '127.0.0.1:0'], { cwd: project, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [dev.stdout, dev.stderr]) stream.on('data', (data) => (output += data));
    dev.ended = new Promise((resolve) => dev.on('exit', resolve));
    await eventually(() => /^Started in/m.test(output) || dev.exitCode !== null, 'edge dev', 60000);
    assert.equal(dev.exitCode, null, output);
    assert.match(output, /^Try:\n\n {2}edge invoke wateringPlan$/m);
}

async function stopDev() {
    dev?.kill('SIGTERM');
    await dev?.ended;
    dev = undefined;
}

async function run({ text }, expected) {
    if (text === 'edge dev\n') return startDev();
    if (text.includes('/etc/edge')) await stopDev();
    const { status, stdout } = await runProgram('bash', ['--norc', '-c', `exec 2>&1; set -eu\n${here(text)}`], { cwd: project, env: environment });
    assert.equal(status, 0, text + stdout);
    assert.ok(expected === undefined || agrees(stdout, expected), `${text}\n${stdout}\nis not\n${expected}`);
}

async function save(file, text) {
    fs.mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
    fs.writeFileSync(path.join(project, file), here(text));
}

/* What is saved while edge dev runs is served before the next step. */
async function step(block, next) {
    const compiled = block.file === 'save' || block.file.endsWith('.c'), old = compiled ? await generation() : undefined;
    if (block.language === 'sh') await run(block, next?.language === 'text' && block.text !== 'edge dev\n' ? next.text : undefined);
    else if (block.file) await save(block.file, block.text);
    if (compiled) await eventually(async () => (await generation()) !== old, `a build:\n${output.slice(-2000)}`, 30000);
}

before(async () => {
    execFileSync('cmake', ['--install', buildDirectory, '--prefix', prefix], { stdio: 'ignore' });
    fs.mkdirSync(project);
    port = await freePort();
    database = await startDatabase();
    database.ownerUrl = runtimeUrl(database.name).replace('user=edge_runtime', `user=${(await database.row('SELECT current_user AS name')).name}`);
}, options);

after(async () => {
    await stopDev();
    const pid = path.join(project, 'host.pid');
    if (fs.existsSync(pid)) try { process.kill(Number(fs.readFileSync(pid, 'utf8')), 'SIGKILL'); } catch { /* it has ended */ }
    for (const name of ['postgres', 'test']) {
        const cluster = path.join(project, '.edge', name);
        if (fs.existsSync(cluster)) fs.rmSync(fs.realpathSync(cluster), { recursive: true, force: true });
    }
    await database?.stop();
    fs.rmSync(directory, { recursive: true, force: true });
}, options);

it('tutorial: from nothing to a deployed function', options, async () => {
    const all = blocks('tutorial');
    for (const [i, block] of all.entries()) await step(block, all[i + 1]);
    await eventually(() => fs.readFileSync(path.join(project, 'host.log'), 'utf8').includes('"event":"stopped"'), 'the host to end');
    assert.ok(!/"level":"error"/.test(fs.readFileSync(path.join(project, 'host.log'), 'utf8')));
});
