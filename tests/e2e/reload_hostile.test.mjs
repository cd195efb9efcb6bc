/*
 * Files that must not be served: what was served goes on, and the reason is in the log, in `edge functions` and in
 * /_edge/functions. A file that is put right is taken at once.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { eventually } from '../support/host.mjs';
import { build, startHot } from '../support/reload.mjs';

const options = { timeout: 60000 };
/* A crash of the gate's child is a report under the sanitizers, not a signal. */
const sanitized = /asan/.test(process.env.EDGE_BUILD ?? '');
let host;

const becomes = (version) => eventually(async () => (await host.version()) === version, `version ${version}`);

/* The file has been looked at and refused: everybody says why, and what was served is. */
async function isRefused(reason) {
    const line = await host.logged((entry) => entry.event === 'generation_refused' && reason.test(entry.reason), `refusal ${reason}`);
    assert.equal(line.function, 'hot');
    await eventually(async () => reason.test((await host.status()).problem?.reason ?? ''), 'the admin answer');
    const status = await host.status();
    assert.equal(status.state, 'serving');
    assert.ok(status.problem.at);
    assert.match((await host.edge('functions')).stdout, reason);
    assert.equal(await host.version(), 1);
}

describe('reload: files that must not be served', options, () => {
    before(async () => (host = await startHot({ server: { gate_timeout: '700ms' } })), options);
    after(() => host?.end(), options);

    const whole = () => fs.readFileSync(build('v2'));
    const files = {
        'cut short in the middle of a copy': [() => whole().subarray(0, 9000), /cut short/],
        'empty': [() => Buffer.alloc(0), /no ELF header/],
        'no shared object': [() => Buffer.from('#!/bin/sh\necho hello\n'.repeat(40)), /no ELF header/],
        'a program': [() => fs.readFileSync('/bin/true'), /exports no edge_plugin|no shared object/],
        'for another processor': [() => Object.assign(whole(), { 18: 0xb7 }), /another processor/],
    };
    for (const [name, [bytes, reason]] of Object.entries(files))
        it(name, options, async () => {
            host.plugins.overwrite(bytes());
            await isRefused(reason);
        });

    const builds = {
        wrong_abi: /ABI 99\.\d+; this host has SDK ABI \d+\.\d+\. Upgrade the host .*, or rebuild it/,
        wrong_name: /declares function "cold"/,
        missing_symbol: /undefined symbol: nothing_has_this/,
        banned_import: /imports exit/,
        constructor_crashes: /crashed with SIGSEGV in being loaded/,
        init_fails: /init answered -1/,
        init_exits: /ended the process with status 3 in init/,
        init_blocks: /did not come back from init within 0\.7 s/,
        init_spins: /did not come back from init within 0\.7 s/,
        thread: /starts threads/,
        self_test_fails: /self_test answered 7/,
    };
    for (const [name, reason] of Object.entries(builds))
        it(name, { ...options, skip: sanitized && /thread|crashes/.test(name) ? 'the sanitizers report it themselves' : false }, async () => {
            host.plugins.put(build(name));
            await isRefused(reason);
        });

    it('is looked at once, not every second', options, async () => {
        const refusals = () => host.log.filter((entry) => entry.event === 'generation_refused').length;
        const before = refusals();
        fs.utimesSync(host.plugins.file(), new Date(), new Date());
        await new Promise((resolve) => setTimeout(resolve, 2500));
        assert.equal(refusals(), before);
        const { code, stderr } = await host.edge('reload');
        assert.equal(code, 1, 'asked for, it is looked at again');
        assert.match(stderr, /hot stays as it was: .*self_test answered 7/);
        assert.equal(refusals(), before + 1);
    });

    it('a file that disappears, and its directory with it, changes nothing until one is there again', options, async () => {
        fs.rmSync(host.plugins.directory, { recursive: true });
        await isRefused(/is not there/);
        fs.mkdirSync(host.plugins.directory);
        host.plugins.put(build('v2'));
        await becomes(2);
        assert.equal((await host.status()).problem, undefined);
    });

    it('a link higher up that leads elsewhere', options, async () => {
        const { directory } = host.plugins;
        fs.renameSync(directory, `${directory}-first`);
        fs.mkdirSync(`${directory}-second`);
        fs.copyFileSync(build('v3'), `${directory}-second/hot.so`);
        fs.symlinkSync(`${directory}-second`, directory);
        await becomes(3);
        fs.unlinkSync(directory);
        fs.symlinkSync(`${directory}-first`, directory);
        await becomes(2);
        fs.rmSync(`${directory}-first`, { recursive: true });
        fs.rmSync(`${directory}-second`, { recursive: true });
    });
});

describe('reload: at the start', options, () => {
    it('a plugin that ends every process that loads it is refused, the others are served', options, async () => {
        host = await startHot({ first: 'init_exits', functions: { hot: { auth: 'public' }, cold: { auth: 'public' } } });
        try {
            const answer = await host.call();
            assert.equal(answer.status, 503);
            assert.equal((await answer.json()).code, 'function_not_loaded');
            assert.equal((await host.status()).state, 'not_loaded');
            host.plugins.put(build('v1'));
            await eventually(async () => (await host.call()).status === 200, 'the mended plugin');
        } finally {
            await host.end();
        }
    });

    it('edge serve --check says what would be refused, and opens no socket', options, async () => {
        host = await startHot();
        try {
            const { execFileSync } = await import('node:child_process');
            const { buildDirectory } = await import('../support/config.mjs');
            const check = () =>
                execFileSync(`${buildDirectory}/edge`, ['serve', '--check', '--config', host.config], {
                    env: { PATH: process.env.PATH },
                    stdio: 'pipe',
                    encoding: 'utf8',
                });
            assert.match(check(), /^nothing is wrong: \d+ functions? would be served$/m);
            host.plugins.put(build('self_test_fails'));
            assert.throws(check, ({ status, stderr }) => status === 1 && /self_test answered 7/.test(stderr));
        } finally {
            await host.end();
        }
    });
});
