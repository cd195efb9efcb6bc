/*
 * The load generator against a host of tests/support, for rows that do something to the host meanwhile.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import { buildDirectory } from '../support/config.mjs';

const run = promisify(execFile);

/* As Server.load of bench.mjs, without CPU times. Resolves with { requests, seconds, p50Us, p99Us, p999Us, maxUs }. */
export async function load(bench, host, { requests, expect, connections = 32, seconds, warmup = 1, rate }) {
    const file = bench.scratchFile('requests', requests.join('\0'));
    const options = { port: host.port, requests: file, expect, connections, seconds, warmup, ...(rate ? { rate } : {}) };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const { stdout } = await run(path.join(buildDirectory, 'tests', 'bench', 'bench_load'), args)
        .catch((error) => Promise.reject(new Error(`${error.stderr}\n${host.text().slice(-4000)}`)));
    return JSON.parse(stdout);
}
