/*
 * What a figure was measured on: the machine and the versions of everybody.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { buildDirectory, root } from '../support/config.mjs';
import { deno, nginx } from './servers.mjs';

/* The first number with dots in what a program says of itself; null when it is not here. */
function version(file, ...args) {
    try {
        return /\d+\.\d[\w.]*/.exec(execFileSync('sh', ['-c', '"$@" 2>&1', 'sh', file, ...args], { encoding: 'utf8' }))[0];
    } catch {
        return null;
    }
}

const postgres = () => {
    const directory = '/usr/lib/postgresql';
    const newest = fs.existsSync(directory) ? fs.readdirSync(directory).sort((a, b) => a - b).at(-1) : null;
    return version(newest ? path.join(directory, newest, 'bin', 'postgres') : 'postgres', '--version');
};

const debian = () => fs.readFileSync('/etc/debian_version', 'utf8').trim();

/* Of a package of peers/, as its lock file has it. */
const locked = (name) => JSON.parse(fs.readFileSync(path.join(root, 'tests/bench/peers/package-lock.json'))).packages[`node_modules/${name}`].version;

export function machine() {
    return {
        cpu: `${os.cpus()[0].model.trim()}, ${os.cpus().length} cores`,
        memory: `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB`,
        kernel: os.release(),
        debian: debian(),
        build: /^CMAKE_BUILD_TYPE:\w+=(.*)$/m.exec(fs.readFileSync(path.join(buildDirectory, 'CMakeCache.txt'), 'utf8'))[1],
        gcc: version('gcc', '-dumpfullversion'),
        postgres: postgres(),
        nginx: version(nginx, '-v'),
        deno: version(deno, '--version'),
        node: process.versions.node,
        fastify: locked('fastify'),
        'postgres (npm)': locked('postgres'),
        jose: locked('jose'),
        ws: locked('ws'),
        workerd: locked('workerd'),
    };
}
