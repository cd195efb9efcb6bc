/*
 * Projects of their own, and `edge dev` in them: two small functions, a build of CMake and Ninja, a database of the
 * test's.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { buildDirectory, root } from './config.mjs';
import { startDatabase } from './data.mjs';
import { eventually } from './host.mjs';

const cmake = `cmake_minimum_required(VERSION 3.25)
project(shop C)
add_library(edge_sdk INTERFACE)
target_include_directories(edge_sdk INTERFACE "${root}/sdk/include")
add_library(edge::sdk ALIAS edge_sdk)
include("${root}/cmake/edge_add_function.cmake")
add_compile_options(-g)
foreach(name first second)
    edge_add_function(\${name} \${name}.c shared.c OUTPUT_DIRECTORY \${CMAKE_BINARY_DIR}/functions)
endforeach()
`;

/* A function that answers {"version": …, "shared": …}, or streams its version, or crashes. */
export const source = (name, version) => `#include <edge/edge.h>
const char *shared_word(void);
static json_t *answer_${name}(edge_ctx *ctx, json_t *in)
{
    if (edge_json_bool(in, "stream", false))
        edge_stream_event(ctx, "version", json_integer(${version}));
    if (edge_json_bool(in, "crash", false))
        __builtin_trap();
    return json_pack("{s:i, s:s}", "version", ${version}, "shared", shared_word());
}
EDGE_FUNCTION(${name}, .summary = "Answers its version", .streams = true, .handle = answer_${name});
`;

export const shared = (word) => `const char *shared_word(void);
const char *shared_word(void)
{
    return "${word}";
}
`;

/* Runs a command as a job, then what it is told (fg, bg) until the end of input, saying the status of each. */
const job = (command) => `
tty > terminal
stty cols 400
set -m
sh -c 'echo $$ > pid; exec "$@"' - ${command}
echo "status $?"
while read order; do
    $order
    echo "status $?"
done
`;

export class Project {
    constructor(settings = '') {
        this.devs = [];
        this.directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'edge shop ')));
        this.write('CMakeLists.txt', cmake);
        this.write('first.c', source('first', 1));
        this.write('second.c', source('second', 1));
        this.write('shared.c', shared('old'));
        this.write('functions.toml', `[server]\nplugins = "build/functions"\n${settings}
[database]\nmigrations = "${root}/sql/migrations"\n
[functions.first]\nauth = "public"\n
[functions.second]\nauth = "public"\n`);
    }

    /* As an editor does it: written beside, renamed into place. */
    write(name, text) {
        const file = path.join(this.directory, name);
        fs.writeFileSync(`${file}.tmp`, text);
        fs.renameSync(`${file}.tmp`, file);
    }

    async start(...args) {
        this.database ??= await startDatabase();
        const owner = new URL(process.env.EDGE_TEST_PG_URL.replace(/^postgres(ql)?:\/\/\//, 'postgresql://unset/'));
        owner.pathname = `/${this.database.name}`;
        return new Dev(this, args, {
            DATABASE_URL: this.database.url,
            DATABASE_MIGRATE_URL: String(owner).replace('//unset/', '///'),
        }).ready();
    }

    async end() {
        for (const dev of this.devs) if (!dev.exited) await dev.stop('SIGKILL');
        await this.database?.stop();
        fs.rmSync(this.directory, { recursive: true, force: true });
    }
}

class Dev {
    /* terminal: in a terminal of its own (script(1)); shell: there as a job of a shell. */
    constructor(project, args, variables) {
        project.devs.push(this);
        const shell = args[0] === 'shell', terminal = args[0] === 'terminal' || shell;
        const words = [path.join(buildDirectory, 'edge'), 'dev', '--listen', '127.0.0.1:0', '--workers', '1', ...args.slice(terminal ? 1 : 0)];
        const env = { PATH: process.env.PATH, HOME: project.directory, TERM: 'xterm', ...variables };
        for (const name of ['ASAN_OPTIONS', 'UBSAN_OPTIONS']) if (process.env[name]) env[name] = process.env[name];
        const quoted = words.map((word) => `'${word}'`).join(' ');
        if (shell) project.write('shell.sh', job(quoted));
        const command = terminal ? ['script', '-qfec', shell ? 'exec sh shell.sh' : `stty cols 400; exec ${quoted}`, '/dev/null'] : words;
        this.output = '';
        this.child = spawn(command[0], command.slice(1), { cwd: project.directory, env, stdio: ['pipe', 'pipe', 'pipe'] });
        for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (data) => {
            this.coloured ||= String(data).includes('\u001b[3');
            this.output += String(data).replace(/\r|\u001b\[\d*m/g, '');
        });
        this.exit = new Promise((resolve) => this.child.on('exit', (code, signal) => resolve(code ?? signal)));
        this.exit.then(() => (this.exited = true));
    }

    async ready() {
        await eventually(() => this.exited || /^Started in/m.test(this.output), 'edge dev to be ready', 60000);
        if (this.exited && !/^Started in/m.test(this.output)) throw new Error(`edge dev has ended:\n${this.output}`);
        this.url = /runs at (\S+)/.exec(this.output)[1];
        return this;
    }

    async says(pattern, what = String(pattern)) {
        await eventually(() => pattern.test(this.output), what, 20000).catch((error) => {
            throw new Error(`${error.message} in:\n${this.told}`);
        });
    }

    async call(name, body = {}) {
        const answer = await fetch(`${this.url}/functions/v1/${name}`, { method: 'POST', body: JSON.stringify(body) });
        return { status: answer.status, stale: answer.headers.get('x-function-stale'), body: await answer.json() };
    }

    /* Polls a function until its answer is as wanted. */
    async until(name, wanted, what) {
        let last;
        await eventually(async () => wanted((last = await this.call(name))), what, 20000).catch((error) => {
            throw new Error(`${error.message}; last: ${JSON.stringify(last)}\n${this.told}`);
        });
        return last;
    }

    /* The output without the JSON of requests. */
    get told() {
        return this.output.replace(/^\{.*"event":"invocation".*\n/gm, '');
    }

    press(keys) {
        this.child.stdin.write(keys);
    }

    stop(signal = 'SIGTERM') {
        this.child.kill(signal);
        return this.exit;
    }
}
