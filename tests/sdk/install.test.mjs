/*
 * The SDK as it is installed: a plugin built outside the tree against it, by CMake and by the compiler alone, is served by
 * the installed host.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { post } from '../support/clients.mjs';
import { buildDirectory } from '../support/config.mjs';
import { startHost } from '../support/host.mjs';

const options = { timeout: 240000 };

const source = (name) => `#include <edge/edge.h>

static const edge_field input[] = {
    { "name", EDGE_TEXT, .min = 1, .max = 50, .required = true, .help = "Whom to greet" },
    { 0 },
};

static json_t *greet(edge_ctx *ctx, json_t *in)
{
    const char *text = edge_format(ctx, "Hello %s, this is ${name}", edge_json_text(in, "name"));
    return json_pack("{s:s}", "greeting", text);
}

EDGE_FUNCTION(${name},
    .summary = "Greets from outside the tree",
    .input = input,
    .handle = greet);
`;

const CMAKE = `cmake_minimum_required(VERSION 3.25)
project(outside LANGUAGES C)
find_package(edge 0.1 REQUIRED)
edge_add_function(by_cmake by_cmake.c)
`;

let directory, prefix, plugins, host;

/* Without the variables with which a build of this tree may have been configured. */
function run(command, ...args) {
    const env = { PATH: process.env.PATH, HOME: directory, PKG_CONFIG_PATH: path.join(prefix, 'lib', 'pkgconfig') };
    return execFileSync(command, args, { cwd: path.join(directory, 'outside'), env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

before(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-install-'));
    prefix = path.join(directory, 'prefix');
    plugins = path.join(directory, 'plugins');
    fs.mkdirSync(path.join(directory, 'outside'));
    fs.mkdirSync(plugins);
    run('cmake', '--install', buildDirectory, '--prefix', prefix);
    for (const name of ['by_cmake', 'by_compiler']) fs.writeFileSync(path.join(directory, 'outside', `${name}.c`), source(name));
    fs.writeFileSync(path.join(directory, 'outside', 'CMakeLists.txt'), CMAKE);
}, options);

after(async () => {
    await host?.stop();
    fs.rmSync(directory, { recursive: true });
}, options);

describe('the installed SDK', options, () => {
    it('has the host, the headers, and what build systems ask for', options, () => {
        for (const name of ['bin/edge', 'include/edge/edge.h', 'include/edge/db.h', 'lib/pkgconfig/edge.pc', 'share/edge/libedge.map',
            'lib/cmake/edge/edge-config.cmake', 'lib/cmake/edge/edge-config-version.cmake', 'lib/cmake/edge/edge_add_function.cmake',
            'share/edge/sql/migrations/0001_roles_and_claims.sql', 'share/doc/edge/sdk.md'])
            assert.ok(fs.existsSync(path.join(prefix, name)), name);
        const headers = fs.readdirSync(path.join(prefix, 'include'));
        assert.deepEqual(headers, ['edge'], 'nothing of the host is visible');
    });

    it('builds a plugin by CMake', options, () => {
        run('cmake', '-S', '.', '-B', 'build', '-G', 'Ninja', '-DCMAKE_C_FLAGS=-Wall -Wextra -Werror -Wno-missing-field-initializers', `-DCMAKE_PREFIX_PATH=${prefix}`);
        run('cmake', '--build', 'build');
        fs.copyFileSync(path.join(directory, 'outside', 'build', 'by_cmake.so'), path.join(plugins, 'by_cmake.so'));
    });

    it('builds a plugin by the compiler alone', options, () => {
        const flags = run('pkg-config', '--cflags', 'edge').trim().split(/\s+/);
        assert.match(run('pkg-config', '--variable=abi', 'edge').trim(), /^1\.\d+$/);
        run('cc', ...flags, '-shared', '-o', path.join(plugins, 'by_compiler.so'), 'by_compiler.c');
        assert.doesNotMatch(run('readelf', '-d', path.join(plugins, 'by_compiler.so')), /NEEDED.*edge/);
    });

    it('serves both', options, async () => {
        host = await startHost({
            binary: path.join(prefix, 'bin', 'edge'), sandbox: false, readyPath: '/_edge/ready',
            functions: { by_cmake: { auth: 'public' }, by_compiler: { auth: 'public' } },
            server: { plugins, workers: 1 },
        });
        for (const name of ['by_cmake', 'by_compiler']) {
            const { status, body, headers } = await post(host, name, { body: { name: 'Ann' } });
            assert.equal(status, 200);
            assert.deepEqual(body, { greeting: `Hello Ann, this is ${name}` });
            assert.match(headers.get('x-function-version'), /^[0-9a-f]{40}$/);
            assert.equal((await post(host, name, { body: {} })).body.field, 'name');
        }
    });
});
