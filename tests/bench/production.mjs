/*
 * The host as it is deployed: functions.toml as it stands with all its functions, the release's plugins, a database, and
 * no stand-ins of providers.
 */
import { spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { buildDirectory, root } from '../support/config.mjs';
import { ENCRYPTION_KEY, Host, SERVICE_KEY, freePort } from '../support/host.mjs';
import { ISSUER, privatePem } from '../support/tokens.mjs';

const deployed = fs.readFileSync(path.join(root, 'functions.toml'), 'utf8');

/* Functions of functions.toml, the stand-ins aside: { name, auth }. */
export const functions = [...deployed.matchAll(/^\[functions\.(\w+)\]\n((?:.+\n)*)/gm)]
    .map(([, name, settings]) => ({ name, auth: /^auth = "([^"]+)"/m.exec(settings)?.[1] ?? 'user' }))
    .filter(({ name }) => !name.startsWith('sandbox_'));

/*
 * Starts it; the Host, and readyMs: from the start of the process to the first 200 of /_edge/ready, which wants every worker
 * to serve and the database to answer. replace: what is to be other in the text of functions.toml.
 */
export async function startProduction(databaseUrl, { workers = 2, replace = (text) => text } = {}) {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-bench-'));
    const port = await freePort();
    const config = path.join(directory, 'functions.toml');
    fs.writeFileSync(config, replace(deployed.replace('plugins = "build/functions"', `plugins = "${buildDirectory}/functions"`)));
    const env = {
        PATH: process.env.PATH, HOME: directory, DATABASE_URL: databaseUrl, EDGE_SERVICE_KEY: SERVICE_KEY,
        EDGE_ENCRYPTION_KEY: ENCRYPTION_KEY, CLERK_ISSUER: ISSUER, CLERK_JWT_KEY: createPublicKey(privatePem).export({ type: 'spki', format: 'pem' }),
    };
    const begun = performance.now();
    const child = spawn(path.join(buildDirectory, 'edge'), ['serve', '--config', config, '--listen', `127.0.0.1:${port}`, '--workers', String(workers)],
        { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const host = new Host(child, port, directory);
    const listening = new Promise((resolve) => child.stdout.on('data', (data) => String(data).includes('listening on') && resolve()));
    try {
        await Promise.race([listening, host.exit]); /* not Host's log, which is looked at each 20 ms */
        if (host.exited) throw new Error(host.text());
        while ((await fetch(`${host.url}/_edge/ready`)).status !== 200) if (performance.now() - begun > 20000) throw new Error(host.text());
    } catch (error) {
        child.kill('SIGKILL');
        throw error;
    }
    return Object.assign(host, { readyMs: performance.now() - begun });
}
