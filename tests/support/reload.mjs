/*
 * A host whose plugins change while it runs: builds of tests/plugins/reload/hot.c put in place as developers, build
 * tools and hostile hands do, and what the host says of it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { buildDirectory, configText } from './config.mjs';
import { SERVICE_KEY, startHost } from './host.mjs';

const run = promisify(execFile);

/* The file of one of hot.c's builds. */
export const build = (name) => path.join(buildDirectory, 'tests', 'reload', name, 'hot.so');

export class Plugins {
    constructor() {
        this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-hot-'));
        this.count = 0;
    }

    file(name = 'hot') {
        return path.join(this.directory, `${name}.so`);
    }

    /* As a linker or a deployment does it: written beside, renamed into place. */
    put(from, name = 'hot') {
        const beside = path.join(this.directory, `.${name}.${++this.count}`);
        fs.copyFileSync(from, beside);
        fs.renameSync(beside, this.file(name));
    }

    /* As cp does it: the file that is there gets other bytes. */
    overwrite(bytes, name = 'hot') {
        fs.writeFileSync(this.file(name), bytes);
    }

    remove() {
        fs.rmSync(this.directory, { recursive: true, force: true });
    }
}

/*
 * A host that serves "hot" (build v1) and whatever more is asked for. Its functions.toml can be written anew by
 * host.configure(functions, more).
 */
export async function startHot({ functions = { hot: { auth: 'public' } }, server = {}, first = 'v1', ...more } = {}) {
    const plugins = new Plugins();
    if (first) plugins.put(build(first));
    const settings = { sandbox: false, readyPath: '/_edge/live', ...more };
    const host = await startHost({ ...settings, functions, server: { plugins: plugins.directory, ...server } });
    const config = path.join(host.directory, 'functions.toml');
    const text = (nextFunctions, next = {}) =>
        configText({
            ...settings,
            functions: nextFunctions,
            ...next,
            server: { plugins: plugins.directory, ...server, ...next.server },
            database: next.databaseSettings ?? settings.databaseSettings,
        });
    return Object.assign(host, {
        plugins,
        config,
        configure(nextFunctions, next) {
            fs.writeFileSync(`${config}.next`, text(nextFunctions, next));
            fs.renameSync(`${config}.next`, config);
        },
        /* edge COMMAND …, about this host: { code, stdout, stderr }. */
        async edge(...args) {
            const env = { PATH: process.env.PATH, HOME: host.directory };
            const options = { env, timeout: 30000 };
            const binary = path.join(buildDirectory, 'edge');
            return run(binary, [...args, '--config', config], options).then(
                ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
                ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
            );
        },
        call: (body = {}, name = 'hot') =>
            fetch(`${host.url}/functions/v1/${name}`, {
                method: 'POST',
                headers: { 'content-type': 'application/json' },
                body: JSON.stringify(body),
            }),
        async version(body) {
            const answer = await this.call(body);
            assert.equal(answer.status, 200);
            const { version, state } = await answer.json();
            assert.equal(state, version, 'the state is the build\'s own');
            return version;
        },
        /* /_edge/functions about one function. */
        async status(name = 'hot') {
            const answer = await fetch(`${host.url}/_edge/functions`, {
                headers: { authorization: `Bearer ${SERVICE_KEY}` },
            });
            assert.equal(answer.status, 200);
            return (await answer.json()).functions.find((one) => one.name === name);
        },
        live: (count) => host.logged(() => host.log.filter((line) => line.event === 'generation_live').length >= count, `${count} generations`),
        async end(options) {
            await host.stop(options);
            plugins.remove();
        },
    });
}
