/*
 * `edge types` and `edge docs` of this tree's functions: TypeScript that the compiler takes, and that refuses what the
 * functions refuse; pages and a document that say what there is.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Validator } from '@seriousme/openapi-schema-validator';

import { buildDirectory, configText, root } from '../support/config.mjs';

const options = { timeout: 120000 };
const functions = [...fs.readFileSync(path.join(root, 'functions.toml'), 'utf8').matchAll(/^\[functions\.(?!sandbox_)(\w+)\]$/gm)].map(([, name]) => name);
let directory, types;

const edge = (...args) => {
    const plugins = args.includes('--config') ? {} : { EDGE_PLUGINS: path.join(buildDirectory, 'functions') };
    return execFileSync(path.join(buildDirectory, 'edge'), args, { cwd: root, encoding: 'utf8', env: { PATH: process.env.PATH, ...plugins }, maxBuffer: 1 << 26 });
};

/* The compiler's complaints about a program beside functions.ts. */
function check(program) {
    fs.writeFileSync(path.join(directory, 'program.ts'), program);
    const compiler = path.join(root, 'tests', 'node_modules', 'typescript', 'bin', 'tsc');
    const compilerOptions = { noEmit: true, strict: true, skipLibCheck: true, target: 'es2022', lib: ['es2022', 'dom'], module: 'esnext', moduleResolution: 'bundler', types: [] };
    fs.writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, '--pretty', 'false'], { cwd: directory, encoding: 'utf8' });
    assert.ok(stderr === '' && (status !== 0) === (stdout !== ''), stderr);
    return stdout;
}

before(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-types-'));
    types = edge('types', '--typescript');
    fs.writeFileSync(path.join(directory, 'functions.ts'), types);
    fs.symlinkSync(path.join(root, 'tests', 'node_modules'), path.join(directory, 'node_modules'));
}, options);

after(() => fs.rmSync(directory, { recursive: true, force: true }));

describe('edge types', options, () => {
    it('compiles beside supabase-js, and knows requests and answers', options, () => {
        assert.equal(check(`
            import { createClient } from '@supabase/supabase-js';
            import { typed, type Answer, type Request } from './functions';
            const { invoke } = typed(createClient('http://127.0.0.1:8000', 'key').functions);
            export async function score(): Promise<number> {
                const { data, error } = await invoke('computePulse', { persist: false });
                if (error) throw error;
                return data.score;
            }
            export const request: Request<'manageGoal'> = { operation: 'create' };
            export type Pulse = Answer<'computePulse'>;
            export const nothing = invoke('computePulse');
            export const cancelled = invoke('computePulse', {}, { headers: { 'idempotency-key': '1' }, signal: new AbortController().signal });
        `), '');
    });

    it('refuses what the functions refuse', options, () => {
        const wrong = [
            `invoke('computePulze', {})`, `invoke('computePulse', { persist: 'no' })`, `invoke('computePulse', { persits: true })`,
            `invoke('createTask', {})`, `invoke('createTask')`, `invoke('clerkWebhook', {})`, `invoke('getAgentContext', { include: ['everything'] })`,
        ];
        const complaints = check(`import { typed, type Invoker } from './functions';\nconst { invoke } = typed({} as Invoker);\n${wrong.join(';\n')};\n`);
        const lines = [...complaints.matchAll(/^program\.ts\((\d+),/gm)].map(([, line]) => Number(line));
        assert.deepEqual([...new Set(lines)], wrong.map((_, i) => i + 3), complaints);
    });

    it('has every function that a client may call by name', options, () => {
        for (const name of ['computePulse', 'copilotChat', 'whisperSTT']) assert.match(types, new RegExp(`^    ${name}: \\{$`, 'm'));
        assert.doesNotMatch(types, /sandbox_|clerkWebhook/);
        assert.match(types, /FormData/);
        assert.doesNotMatch(types, /\/\*\* \*\//);
    });

    it('says of every function what it answers', options, () => {
        const answers = [...types.matchAll(/^    (\w+): \{$[^]*?^        answer: (.*)$/gm)];
        assert.ok(answers.length > 100, `${answers.length} functions`);
        assert.deepEqual(answers.filter(([, , answer]) => /^unknown|^\{ \[name/.test(answer)).map(([, name]) => name), []);
    });

    it('is called with a language', options, () => {
        const { status, stderr } = spawnSync(path.join(buildDirectory, 'edge'), ['types'], { cwd: root, encoding: 'utf8' });
        assert.equal(status, 2);
        assert.match(stderr, /which language/);
    });
});

describe('edge docs', options, () => {
    it('writes a valid OpenAPI document of every function', options, async () => {
        const document = JSON.parse(edge('docs', '--openapi'));
        const result = await new Validator().validate(document);
        assert.ok(result.valid, JSON.stringify(result.errors, null, 1));
        const operations = Object.values(document.paths).flatMap((item) => Object.values(item).filter((one) => one['x-function']));
        assert.deepEqual([...new Set(operations.map((one) => one['x-function']))].sort(), [...functions].sort());
    });

    it('writes a page a function, and one that leads to them', options, () => {
        const out = path.join(directory, 'pages');
        edge('docs', '--output', out);
        assert.deepEqual(fs.readdirSync(out).sort(), ['README.md', ...functions.map((name) => `${name}.md`)].sort());
        const index = fs.readFileSync(path.join(out, 'README.md'), 'utf8');
        assert.match(index, /^\| \[computePulse\]\(computePulse\.md\) \| `\/functions\/v1\/computePulse` \| Scores/m);
    });

    it('says of one function what it takes, answers and fails with', options, () => {
        const page = edge('docs', 'computePulse');
        assert.match(page, /^# computePulse$/m);
        assert.match(page, /^`POST \/functions\/v1\/computePulse`$/m);
        assert.match(page, /^Limits: 10s a call, 1MiB of body, 60 calls in 60 s per user\.$/m);
        assert.match(page, /^\| `persist` \| boolean \| `true` \| /m);
        assert.match(page, /^\| `score` \| number, 0 to 100 \| /m);
        assert.match(edge('docs', 'openaiChat'), /^\| `\*` \| any \| \| /m);
        assert.match(page, /^\| 429 \| `rate_limited` \|$/m);
    });

    it('a session has no POST; a function that is not there is named', options, () => {
        const config = path.join(directory, 'functions.toml');
        fs.writeFileSync(config, configText({ functions: { wsx_echo: { auth: 'public' } }, sandbox: false, server: { plugins: path.join(buildDirectory, 'tests', 'plugins') } }));
        assert.match(edge('docs', '--config', config, 'wsx_echo'), /^`GET \/functions\/v1\/wsx_echo` opens a WebSocket session$/m);
        assert.doesNotMatch(edge('types', '--typescript', '--config', config), /wsx_echo/);
        const { status, stderr } = spawnSync(path.join(buildDirectory, 'edge'), ['docs', 'nothing'], { cwd: root, encoding: 'utf8', env: { PATH: process.env.PATH, EDGE_PLUGINS: path.join(buildDirectory, 'functions') } });
        assert.deepEqual([status, stderr], [1, 'edge: "functions.toml" has no function "nothing". `edge functions` lists them\n']);
    });
});
