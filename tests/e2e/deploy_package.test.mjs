/*
 * The Debian packages: what is in them, what they need, and that somebody who has unpacked one can write a function with it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { runEdge } from '../support/program.mjs';

const options = { timeout: 240000 };
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-package-'));
const project = path.join(directory, 'shop');
const unpacked = path.join(directory, 'root');
const packages = {};

const run = (program, ...args) => execFileSync(program, args, { encoding: 'utf8', maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'pipe'] });
const field = (name, key) => run('dpkg-deb', '-f', packages[name], key).trim();
const files = (name) => run('dpkg-deb', '-c', packages[name]).split('\n').map((line) => line.split(/\s+/)[5]).filter(Boolean);
const edge = (...args) => runEdge(args, { cwd: project, binary: path.join(unpacked, 'usr/bin/edge'), timeout: 200000 });

before(() => {
    run('cpack', '--config', path.join(buildDirectory, 'CPackConfig.cmake'), '-G', 'DEB', '-B', directory);
    for (const file of fs.readdirSync(directory)) {
        const found = /^([a-z-]+)_\d+\.\d+\.\d+_[a-z0-9]+\.deb$/.exec(file);
        if (found) packages[found[1]] = path.join(directory, file);
    }
    run('dpkg-deb', '-x', packages['pulse-edge'], unpacked);
    fs.mkdirSync(project);
}, options);

after(() => {
    /* As root the cluster lies elsewhere, and .edge has a link to it. */
    const cluster = path.join(project, '.edge/test/postgres');
    if (fs.existsSync(cluster)) fs.rmSync(fs.realpathSync(cluster), { recursive: true, force: true });
    fs.rmSync(directory, { recursive: true, force: true });
}, options);

describe('the Debian packages', options, () => {
    it('are the host with its SDK, and this repository\'s functions', options, () => {
        assert.deepEqual(Object.keys(packages).sort(), ['pulse-edge', 'pulse-edge-functions']);
        const host = files('pulse-edge');
        for (const name of ['bin/edge', 'include/edge/edge.h', 'lib/cmake/edge/edge-config.cmake', 'lib/pkgconfig/edge.pc', 'lib/systemd/system/pulse-edge.service',
            'share/edge/sql/migrations/0001_roles_and_claims.sql', 'share/edge/deploy/container/project.Containerfile', 'share/doc/edge/deploying.md'])
            assert.ok(host.includes(`./usr/${name}`), name);
        assert.deepEqual(host.filter((name) => name.endsWith('.so')), []);
        const built = fs.readdirSync(path.join(buildDirectory, 'functions')).filter((name) => name.endsWith('.so'));
        const packed = files('pulse-edge-functions');
        assert.deepEqual(built.filter((name) => !packed.includes(`./usr/lib/edge/functions/${name}`)), []);
        assert.ok(packed.includes('./usr/share/edge/functions.toml'));
    });

    it('depend on what a host needs, and recommend what writing a function does', options, () => {
        const needed = field('pulse-edge', 'Depends');
        for (const name of ['libpq5', 'libjansson4', 'libwebsockets-evlib-ev', 'libssl3', 'ca-certificates']) assert.ok(needed.includes(name), name);
        assert.doesNotMatch(needed, /gcc,|cmake|nodejs|-dev\b/);
        for (const name of ['gcc', 'cmake', 'ninja-build', 'libjansson-dev', 'nodejs', 'postgresql']) assert.ok(field('pulse-edge', 'Recommends').includes(name), name);
        assert.match(field('pulse-edge-functions', 'Depends'), /pulse-edge \(>= \d/);
    });

    it('are enough to write, build and test a function', options, async () => {
        for (const args of [['new', 'greet', '--auth', 'public'], ['test', 'greet']]) {
            const { status, stdout, stderr } = await edge(...args);
            assert.equal(status, 0, stdout + stderr);
            if (args[0] === 'test') assert.match(stdout, /pass 3\b/);
        }
    });

    it('are found by CMake through /lib too, a link to /usr/lib', options, () => {
        fs.symlinkSync('usr/lib', path.join(unpacked, 'lib'));
        const found = run('cmake', '-S', project, '-B', path.join(project, 'again'), '-G', 'Ninja', `-Dedge_DIR=${unpacked}/lib/cmake/edge`);
        assert.match(found, /Configuring done/);
        run('cmake', '--build', path.join(project, 'again'));
        assert.ok(fs.existsSync(path.join(project, 'again/functions/greet.so')));
    });
});
