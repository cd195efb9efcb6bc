/*
 * What it costs to say whose a session token is: the host's verifier without a host.
 */
import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import path from 'node:path';

import { buildDirectory } from '../../support/config.mjs';
import { ISSUER, mint, privatePem } from '../../support/tokens.mjs';
import { atMost, median } from '../bench.mjs';

export const name = 'Token verification';
export const goal = '< 1 µs for a token that was seen before, < 60 µs for a new one';

const TOKENS = 300;

export async function run(bench) {
    const tokens = [];
    for (let i = 0; i < TOKENS; i++) tokens.push(await mint(`user_${i}`, { claims: { exp: Math.floor(Date.now() / 1000) + 3600 } }));
    const key = bench.scratchFile('key.pem', createPublicKey(privatePem).export({ type: 'spki', format: 'pem' }));
    const samples = Array.from({ length: bench.rounds }, () => {
        const { status, stdout, stderr } = spawnSync('taskset', ['-c', bench.cpus.server, path.join(buildDirectory, 'tests/bench/bench_token'), key, ISSUER],
            { input: `${tokens.join('\n')}\n`, encoding: 'utf8' });
        if (status !== 0) throw new Error(stderr);
        return JSON.parse(stdout);
    });
    const us = (figure) => median(samples.map((sample) => sample[figure])) / 1000;
    const figures = { knownUs: us('knownNs'), newUs: us('newNs'), rsaUs: us('rsaNs') };
    return {
        figures,
        method: `CPU time of the host's verifier (\`http/token_system.c\`), the best of nine repetitions with ${TOKENS} RS256 tokens of ${samples[0].bytes} bytes under a key of ` +
            '2048 bits. New: the cache has been emptied before.',
        tables: [{
            columns: ['token', 'µs'],
            rows: [['seen before', figures.knownUs.toFixed(2)], ['new', figures.newUs.toFixed(1)], ['of it the RSA operation, by OpenSSL alone', figures.rsaUs.toFixed(1)]],
        }],
        goals: [atMost('seen before < 1 µs', figures.knownUs, 1, ' µs'), atMost('new < 60 µs', figures.newUs, 60, ' µs')],
    };
}
