/*
 * A host of one SDK plugin that anybody may call, and its processes.
 */
import fs from 'node:fs';
import path from 'node:path';

import { buildDirectory } from '../support/config.mjs';
import { startHost } from '../support/host.mjs';

/* As startHost, for one of tests/plugins/; settings: of its section. */
export const startPluginHost = (plugin, { settings = {}, server = {}, ...more } = {}) =>
    startHost({
        sandbox: false,
        readyPath: more.database ? '/_edge/ready' : '/_edge/live',
        functions: { [plugin]: { auth: 'public', ...settings } },
        server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, ...server },
        ...more,
    });

/* Calls the plugin; { status, body }. */
export async function call(host, plugin, body, init = {}) {
    const answer = await fetch(`${host.url}/functions/v1/${plugin}`, { method: 'POST', body: JSON.stringify(body), ...init });
    return { status: answer.status, body: await answer.json() };
}

export function workers(host) {
    const pid = host.child.pid;
    return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).map(Number);
}

/* Resident memory of a process, bytes. */
export const residentBytes = (pid) =>
    1024 * Number(/RssAnon:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

export const underSanitizers = /asan/.test(process.env.EDGE_BUILD ?? '');
