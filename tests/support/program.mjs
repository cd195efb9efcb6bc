/*
 * The `edge` program as a shell runs it, in a directory of its own.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';

import { buildDirectory } from './config.mjs';

export const binary = path.join(buildDirectory, 'edge');

const sanitizers = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(ASAN|UBSAN|LSAN)_OPTIONS$/.test(name)));

/* Runs a program to its end: { status, stdout, stderr }. The environment is `env` and what any program needs. */
export function runProgram(program, args, { cwd, env = {}, input = '', timeout = 60000 } = {}) {
    return new Promise((resolve) => {
        const settings = { cwd, env: { PATH: process.env.PATH, HOME: cwd, ...sanitizers, ...env }, timeout, maxBuffer: 64 << 20 };
        const child = execFile(program, args, settings, (error, stdout, stderr) =>
            resolve({ status: error ? error.code ?? error.signal : 0, stdout, stderr }));
        child.stdin.on('error', () => {});
        child.stdin.end(input);
    });
}

export const runEdge = (args, settings) => runProgram(settings?.binary ?? binary, args, settings);
