/*
 * The pages of docs/ that tell how to do something, done: the first function from an empty directory with an installed
 * host, and then every command of the other pages in that project, beside a host that runs.
 *
 * ```sh blocks are run, and a ```json block behind one is what they print (… stands for anything). ```c and ```toml
 * blocks with a file's name are written to it; ```ts is compiled. Indented commands need another machine.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory, root } from '../support/config.mjs';
import { eventually } from '../support/host.mjs';
import { agrees, blocks, page } from '../support/pages.mjs';
import { runProgram } from '../support/program.mjs';

const options = { timeout: 240000 };
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-docs-'));
const project = path.join(directory, 'shop');
const prefix = path.join(directory, 'prefix');
const environment = { HOME: directory, PATH: `${path.join(prefix, 'bin')}:${process.env.PATH}` };
let dev = null, output = '';

const count = (pattern) => (output.match(pattern) ?? []).length;

async function startDev() {
    dev = spawn('edge', ['dev', '--listen', '127.0.0.1:0', '--workers', '1'], { cwd: project, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [dev.stdout, dev.stderr]) stream.on('data', (data) => (output += data));
    dev.ended = new Promise((resolve) => dev.on('exit', resolve));
    await eventually(() => /^Started in/m.test(output) || dev.exitCode !== null, 'edge dev', 120000);
    assert.equal(dev.exitCode, null, output);
    environment.EDGE_URL = /runs at (\S+)/.exec(output)[1];
    const variables = fs.readFileSync(path.join(project, '.edge', 'dev', 'environment'), 'utf8');
    environment.DATABASE_MIGRATE_URL = /DATABASE_MIGRATE_URL='?([^'\n]*)/.exec(variables)[1];
}

async function shell(text) {
    return runProgram('bash', ['--norc', '-euo', 'pipefail', '-c', text], { cwd: project, env: environment });
}

async function run(text, expected) {
    text = text.replaceAll('/usr/share/edge', path.join(prefix, 'share/edge'));
    if (/^edge dev$/m.test(text)) return startDev();
    let last;
    await eventually(async () => {
        last = await shell(text);
        return expected === undefined || agrees(last.stdout, expected);
    }, 'the output', 15000).catch(() => assert.equal(last.stdout, expected, `${text}${last.stderr}\n${output.slice(-2000)}`));
    assert.equal(last.status, 0, `${text}${last.stderr}${last.stdout}`);
}

/* A file is saved; whoever has edge dev running sees it built. */
async function save({ file, text }) {
    const before = count(/^built in/gm), target = path.join(project, file);
    if (file === 'functions.toml') fs.appendFileSync(target, `\n${text}`);
    else fs.writeFileSync(target, text);
    if (dev && file.endsWith('.c')) await eventually(() => count(/^built in/gm) > before, `${file} to be built:\n${output.slice(-3000)}`, 60000);
}

async function follow(name) {
    const all = blocks(name);
    for (const [i, block] of all.entries()) {
        if (block.language === 'sh') await run(block.text, all[i + 1]?.language === 'json' ? all[i + 1].text : undefined);
        else if (block.file) await save(block);
    }
}

before(() => {
    execFileSync('cmake', ['--install', buildDirectory, '--prefix', prefix], { stdio: 'ignore' });
    fs.mkdirSync(project);
}, options);

after(async () => {
    dev?.kill('SIGTERM');
    await dev?.ended;
    const postgres = path.join(project, '.edge', 'postgres');
    if (fs.existsSync(postgres)) fs.rmSync(fs.realpathSync(postgres), { recursive: true, force: true });
    fs.rmSync(directory, { recursive: true, force: true });
}, options);

describe('docs', options, () => {
    it('first-function: from an empty directory', options, () => follow('first-function'));

    it('from-supabase: the plugin does what the TypeScript beside it does', options, () => follow('from-supabase'));

    it('limits', options, () => follow('limits'));

    it('security', options, () => follow('security'));

    it('operating', options, () => follow('operating'));

    it('deploying', options, () => follow('deploying'));
});

describe('docs: what they show', options, () => {
    it('limits are the keys of functions.toml with their defaults', options, async () => {
        const { stdout } = await shell('edge config keys');
        const defaults = Object.fromEntries([...stdout.matchAll(/^(\S+) {2,}(\S*)(?: {2,}|$)/gm)].map(([, key, value]) => [key, value]));
        const sections = page('limits').split(/^## /m);
        for (const [title, section] of [['A function', 'defaults.'], ['The host', 'server.'], ['The database', '']]) {
            const rows = [...sections.find((text) => text.startsWith(title)).matchAll(/^\| `([\w.<>]+)` \| (?:`(\w+)`|none) \|/gm)];
            assert.ok(rows.length >= 5, title);
            for (const [, key, value] of rows) if (value) assert.equal(defaults[section + key], value, section + key);
        }
    });

    it('errors of limits are those of the host', options, () => {
        const sources = execFileSync('grep', ['-rhoE', '"[a-z]+(_[a-z]+)*"', path.join(root, 'runtime'), path.join(root, 'sdk', 'src'), '--include=*.c'], { encoding: 'utf8', maxBuffer: 1 << 26 });
        const known = new Set(sources.split('\n'));
        for (const [, code] of page('limits').matchAll(/\b[45]\d\d `(\w+)`/g)) assert.ok(known.has(`"${code}"`), code);
    });

    it('the TypeScript compiles', options, () => {
        const [{ text }] = blocks('from-supabase').filter((block) => block.language === 'ts');
        fs.writeFileSync(path.join(directory, 'function.ts'), text);
        fs.writeFileSync(path.join(directory, 'deno.d.ts'), `declare module 'npm:@supabase/supabase-js@2' { export * from '@supabase/supabase-js'; }
declare const Deno: { serve(handler: (request: Request) => Promise<Response>): void; env: { get(name: string): string | undefined } };\n`);
        fs.symlinkSync(path.join(root, 'tests', 'node_modules'), path.join(directory, 'node_modules'));
        const compilerOptions = { noEmit: true, strict: true, skipLibCheck: true, target: 'es2022', lib: ['es2022', 'dom'], module: 'esnext', moduleResolution: 'bundler', types: [] };
        fs.writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['deno.d.ts', 'function.ts'] }));
        const { stdout } = spawnSync(process.execPath, [path.join(root, 'tests/node_modules/typescript/bin/tsc'), '--pretty', 'false'], { cwd: directory, encoding: 'utf8' });
        assert.equal(stdout, '');
    });

    it('every SDK call that the pages name exists', options, () => {
        const headers = execFileSync('grep', ['-rhoE', 'edge_[a-z0-9_]+', path.join(root, 'sdk', 'include')], { encoding: 'utf8', maxBuffer: 1 << 26 });
        const known = new Set(headers.split('\n'));
        for (const name of ['first-function', 'from-supabase', 'security']) {
            for (const [, call] of page(name).matchAll(/`(edge_\w+)/g)) assert.ok(known.has(call) || /^edge_(runtime|admin)$/.test(call), `${name}: ${call}`);
        }
    });
});
