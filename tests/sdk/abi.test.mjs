/*
 * What the host takes for a plugin and what it refuses, each refusal with a reason in the log and without harm to the
 * other functions; and that it exports what the headers declare.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { post } from '../support/clients.mjs';
import { buildDirectory, root } from '../support/config.mjs';
import { startHost } from '../support/host.mjs';

const options = { timeout: 120000 };
const built = path.join(buildDirectory, 'tests', 'plugins');
const headers = path.join(root, 'sdk', 'include');

const minor = Number(/^#define EDGE_ABI_MINOR (\d+)$/m.exec(fs.readFileSync(path.join(headers, 'edge/function.h'), 'utf8'))[1]);

let directory, host;

const file = (name) => path.join(directory, `${name}.so`);
const write = (name, bytes) => fs.writeFileSync(file(name), bytes);

/* Plugins whose bytes are spoilt, made of one that is well. */
const spoilt = {
    bytes_empty: () => Buffer.alloc(0),
    bytes_text: () => Buffer.from('#!/bin/sh\necho no plugin\n'.repeat(100)),
    bytes_head: (whole) => whole.subarray(0, 40),
    bytes_half: (whole) => whole.subarray(0, whole.length / 2),
    bytes_tail: (whole) => whole.subarray(0, whole.length - 1),
    bytes_zeros: (whole) => Buffer.concat([whole.subarray(0, 64), Buffer.alloc(whole.length - 64)]),
    bytes_machine: (whole) => patched(whole, 18, 0xf3), /* e_machine: RISC-V */
    bytes_class: (whole) => patched(whole, 4, 1), /* EI_CLASS: 32 bits */
    bytes_type: (whole) => patched(whole, 16, 2), /* e_type: a program */
};

function patched(whole, at, value) {
    const copy = Buffer.from(whole);
    copy[at] = value;
    return copy;
}

/* Name: what the log has to say of it. */
const refused = {
    abi_major: [/abi_major\.so was built for SDK ABI 2\.\d+; this host has SDK ABI 1\.\d+\./, /scripts\/build abi_major/],
    abi_minor: [new RegExp(`was built for SDK ABI 1\\.${minor + 1}; this host has SDK ABI 1\\.${minor}\\. Upgrade the host \\(edge upgrade\\), or rebuild it: `), /pkg-config --cflags edge/],
    abi_longer: [/descriptor of 4096 bytes/, /scripts\/build abi_longer/],
    abi_symbol: [/undefined symbol: edge_no_such_call/],
    abi_name: [/declares function "somebody_else", functions\.toml expects "abi_name"/],
    abi_nothing: [/exports no edge_plugin/, /EDGE_FUNCTION/],
    abi_init: [/init answered -7/],
    missing: [/missing\.so is not there/, /scripts\/build missing/],
    a_directory: [/no regular file/],
    bytes_empty: [/no ELF header/],
    bytes_text: [/no ELF header/],
    bytes_head: [/no ELF header/],
    bytes_half: [/is cut short/],
    bytes_tail: [/is cut short/],
    bytes_zeros: [/bytes_zeros\.so/],
    bytes_machine: [/another processor/],
    bytes_class: [/another processor/],
    bytes_type: [/link it with -shared/],
};

before(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-abi-'));
    for (const name of fs.readdirSync(built).filter((entry) => /^(abi_\w+|hello)\.so$/.test(entry)))
        fs.copyFileSync(path.join(built, name), path.join(directory, name));
    const whole = fs.readFileSync(file('hello'));
    for (const [name, spoil] of Object.entries(spoilt)) write(name, spoil(whole));
    fs.mkdirSync(file('a_directory'));
    const names = ['hello', 'abi_shorter', 'abi_older', ...Object.keys(refused)];
    host = await startHost({
        sandbox: false, readyPath: '/_edge/live',
        functions: Object.fromEntries(names.map((name) => [name, { auth: 'public' }])),
        server: { plugins: directory, workers: 1 },
    });
}, options);

after(async () => {
    await host?.stop();
    fs.rmSync(directory, { recursive: true });
}, options);

describe('plugins that are refused', options, () => {
    for (const [name, words] of Object.entries(refused))
        it(`${name}`, options, async () => {
            const { reason, level } = await host.logged((line) => line.event === 'function_not_loaded' && line.function === name);
            assert.equal(level, 'error');
            assert.ok(reason.includes(directory) || words.length === 1, reason);
            for (const word of words) assert.match(reason, word);
            const { status, body } = await post(host, name);
            assert.ok(status >= 500, `${status}`);
            assert.equal(typeof body.code, 'string');
        });

    it('the others are served, and /_edge/ready says which are missing', options, async () => {
        assert.deepEqual((await post(host, 'hello')).body, { message: 'hello' });
        const answer = await fetch(`${host.url}/_edge/ready`);
        assert.equal(answer.status, 503);
        const { status, functionsNotLoaded } = await answer.json();
        assert.equal(status, 'not_ready');
        assert.deepEqual(functionsNotLoaded.sort(), Object.keys(refused).sort());
    });

    it('no worker was lost over it', options, () => {
        assert.ok(!host.log.some(({ event }) => event === 'worker_died'), host.text());
    });
});

describe('an older minor version', options, () => {
    it('is served', options, async () => {
        const { status, body } = await post(host, 'abi_older', { body: { name: 'Ann' } });
        assert.deepEqual([status, body], [200, { hello: 'Ann' }]);
        assert.equal((await post(host, 'abi_older')).body.field, 'name');
    });

    it('has a shorter descriptor, completed with zeros', options, async () => {
        const { status, body, headers: sent } = await post(host, 'abi_shorter');
        assert.equal(status, 200);
        assert.deepEqual(body, { method: 'POST' });
        assert.match(sent.get('x-function-version'), /^[0-9a-f]{40}$/);
        assert.equal((await post(host, 'abi_shorter', { method: 'PUT' })).status, 405);
    });
});

describe('the exported calls', options, () => {
    const run = (...command) => execFileSync(command[0], command.slice(1), { encoding: 'utf8', maxBuffer: 1 << 26 });
    const files = () => fs.readdirSync(path.join(headers, 'edge')).filter((name) => name.endsWith('.h'));

    /* Behind the preprocessor a name before a parenthesis is a declaration: of the SDK's macros nothing is left. */
    function declared() {
        const source = path.join(directory, 'headers.c');
        fs.writeFileSync(source, files().map((name) => `#include <edge/${name}>\n`).join(''));
        const text = run('cc', '-std=gnu17', '-E', '-P', `-I${headers}`, source).replace(/static inline[^;{]*\{[^}]*\}/g, '');
        return new Set([...text.matchAll(/\b(edge_\w+)\s*\(/g)].map(([, name]) => name));
    }

    const exported = () =>
        new Set(run('nm', '-D', '--defined-only', '--format=posix', path.join(buildDirectory, 'edge'))
            .split('\n').map((line) => line.split(' ')[0]).filter((name) => name.startsWith('edge_')));

    it('are those that the headers declare, and edge__* for the macros', options, () => {
        const there = exported(), wanted = declared();
        assert.ok(wanted.size > 100, `${wanted.size} declarations were found`);
        assert.deepEqual([...wanted].filter((name) => !there.has(name)), [], 'declared, not exported');
        assert.deepEqual([...there].filter((name) => !wanted.has(name) && !name.startsWith('edge__')), [], 'exported, not declared');
    });

    /* Sizes of the structs that plugins see whole, and the last value of each enum. */
    function measured() {
        const text = files().map((name) => fs.readFileSync(path.join(headers, 'edge', name), 'utf8').replace(/\/\*[^]*?\*\//g, '')).join('\n');
        const structs = [...text.matchAll(/^typedef struct (edge_\w+) \{/gm)].map(([, name]) => name);
        const enums = [...text.matchAll(/^typedef enum \w+ \{([^}]*)\} (edge_\w+);/gm)].map(([, values, name]) => [name, values.match(/\bEDGE_\w+/g).at(-1)]);
        const source = path.join(directory, 'measure.c'), program = path.join(directory, 'measure');
        fs.writeFileSync(source, `#include <edge/edge.h>\n#include <stdio.h>\nint main(void) {\n${[
            ...structs.map((name) => `printf("struct ${name} %zu\\n", sizeof(${name}));`),
            ...enums.map(([name, last]) => `printf("enum ${name} %d\\n", (int)${last});`),
        ].join('\n')}\n}\n`);
        run('cc', '-std=gnu17', `-I${headers}`, '-o', program, source);
        return run(program).trim().split('\n');
    }

    it('and what else plugins depend on, are recorded in sdk/abi.txt with the version that brought them', options, () => {
        const lines = fs.readFileSync(path.join(root, 'sdk/abi.txt'), 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
        const recorded = lines.map((line) => /^1\.(\d+) (\w+ \w+(?: \d+)?)$/.exec(line) ?? assert.fail(line));
        const there = [...[...exported()].map((name) => `call ${name}`), ...measured()];
        const what = recorded.map((found) => found[2]);
        const help = 'see EDGE_ABI_MINOR in sdk/include/edge/function.h';
        assert.deepEqual(there.filter((line) => !what.includes(line)), [], `new: ${help}`);
        assert.deepEqual(what.filter((line) => !there.includes(line)), [], `gone, which only a major version may do: ${help}`);
        assert.equal(Math.max(...recorded.map((found) => Number(found[1]))), minor, help);
    });

    it('are all in docs/calls.md, but for those that macros call', options, () => {
        const page = fs.readFileSync(path.join(root, 'docs/calls.md'), 'utf8');
        const macros = files().flatMap((name) => fs.readFileSync(path.join(headers, 'edge', name), 'utf8').match(/^#define (?:.*\\\n)*.*/gm) ?? []).map((text) => text.replace(/^#define \w+/, ''));
        const inside = new Set(macros.flatMap((text) => text.match(/\bedge_\w+(?=\(|\))/g) ?? []));
        const missing = [...exported()].filter((name) => !name.startsWith('edge__') && !inside.has(name) && !page.includes(`\`${name}\``));
        assert.deepEqual(missing, []);
    });

    it('every header is in edge.h and in docs/sdk.md, and can be included alone', options, () => {
        const all = fs.readFileSync(path.join(headers, 'edge', 'edge.h'), 'utf8');
        const page = fs.readFileSync(path.join(root, 'docs', 'sdk.md'), 'utf8');
        for (const name of files()) {
            if (name !== 'edge.h') assert.ok(all.includes(`#include <edge/${name}>`), `edge.h includes no ${name}`);
            assert.ok(page.includes(`\`${name}\``), `docs/sdk.md does not say what ${name} is for`);
            const source = path.join(directory, 'alone.c');
            fs.writeFileSync(source, `#include <edge/${name}>\n`);
            run('cc', '-std=gnu17', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', `-I${headers}`, source);
        }
    });
});
