/*
 * The `edge` program as a shell sees it: what it prints where, and with which status it ends.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';

import { jwtVerify } from 'jose';

import { buildDirectory, root } from '../support/config.mjs';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-cli-'));
after(() => fs.rmSync(directory, { recursive: true }));

/* Runs a command in a directory that holds nothing but what a test wrote. */
function edge(...args) {
    const env = { PATH: process.env.PATH, HOME: directory };
    for (const name of ['ASAN_OPTIONS', 'UBSAN_OPTIONS']) if (process.env[name]) env[name] = process.env[name];
    return spawnSync(path.join(buildDirectory, 'edge'), args, { cwd: directory, env, encoding: 'utf8', timeout: 30000 });
}

function write(name, text) {
    fs.writeFileSync(path.join(directory, name), text);
    return name;
}

const COMMANDS = ['dev', 'serve', 'migrate', 'token', 'functions', 'sandbox', 'config'];

test('without a command, or with an unknown one, it lists the commands and ends with 2', () => {
    for (const args of [[], ['serv']]) {
        const run = edge(...args);
        assert.equal(run.status, 2);
        assert.equal(run.stdout, '');
        for (const command of COMMANDS) assert.match(run.stderr, new RegExp(`^  ${command} `, 'm'));
    }
    assert.match(edge('serv').stderr, /"serv" is no command; did you mean "serve"/);
    assert.equal(edge('--help').status, 0);
});

test('every command explains itself, with examples', () => {
    for (const command of COMMANDS) {
        const run = edge(command, '--help');
        assert.equal(run.status, 0);
        assert.match(run.stdout, new RegExp(`^usage: edge ${command}`));
        assert.match(run.stdout, new RegExp(`^examples:\n(  .*\n)*  .*edge ${command}`, 'm'));
    }
});

test('wrong options end with 2 and say what is meant', () => {
    const cases = [
        [['serve', '--lisen', 'x'], /"--lisen" is no option; did you mean "--listen"/],
        [['serve', '--listen'], /"--listen" needs a value/],
        [['serve', '--workers', 'many'], /--workers is "many", not a whole number from 1 to 512/],
        [['serve', '--sandbox=yes'], /is no option/],
        [['serve', 'extra'], /"extra" is no option or operand/],
        [['token'], /--user is needed/],
        [['token', '--user', 'u', '--role', 'root'], /--role is "root", neither admin nor user/],
        [['token', '--user', 'u', '--expires', '1m'], /--expires is "1m", not a duration/],
        [['migrate', '--status', '--seed'], /--seed changes the database/],
        [['config', 'chek'], /say what to do: check, keys or providers/],
    ];
    for (const [args, message] of cases) {
        const run = edge(...args);
        assert.equal(run.status, 2, args.join(' '));
        assert.match(run.stderr, message);
    }
});

test('config check tells file, line and key', () => {
    const file = write('bad.toml', '[functions.a]\n\ntimout = "5s"\n');
    const run = edge('config', 'check', '--config', file);
    assert.equal(run.status, 1);
    assert.equal(run.stderr, 'edge: bad.toml:3: functions.a.timout: is no known key; did you mean "timeout"\n');
    assert.match(edge('serve', '--config', file).stderr, /^edge: bad\.toml:3: /);
    assert.equal(edge('serve', '--config', 'none.toml').stderr, 'edge: none.toml: cannot be read: No such file or directory\n');
});

test('the repository\'s functions.toml is valid, with all its plugins', () => {
    const file = path.join(root, 'functions.toml');
    assert.match(edge('config', 'check', '--config', file).stdout, /is valid: \d+ functions/);
    const keys = edge('config', 'keys').stdout;
    for (const key of ['server.listen', 'database.migrate_url', 'functions.<name>.route', 'providers.<name>.base_url'])
        assert.match(keys, new RegExp(`^${key.replaceAll('.', '\\.')} `, 'm'));
    assert.match(edge('config', 'providers', '--config', file).stdout, /^openai +https:\/\/api\.openai\.com +OPENAI_API_KEY +no$/m);
});

test('functions shows routes, limits and builds, and ends with 1 when a plugin is missing', () => {
    const plugins = path.join(buildDirectory, 'functions');
    const text = `[server]\nplugins = "${plugins}"\n[functions.computePulse]\nrate_limit = "5/s per ip"\nschedule = "0 6 * * *"\n`;
    const run = edge('functions', '--config', write('one.toml', text));
    assert.equal(run.status, 0);
    assert.match(run.stdout, /^computePulse +- +user +30s +32MiB +5\/s per ip +0 6 \* \* \* +on +[0-9a-f]{12}$/m);

    write('notes.so', 'not an ELF file');
    const other = `[server]\nplugins = "."\n[functions.gone]\n[functions.notes]\n[functions.off]\nenabled = false\n`;
    const missing = edge('functions', '--config', write('two.toml', other));
    assert.equal(missing.status, 1);
    assert.match(missing.stdout, /^gone .* on +missing$/m);
    assert.match(missing.stdout, /^notes .* on +unreadable/m);
    assert.match(missing.stdout, /^off .* off +missing$/m);
});

test('functions --markdown: a table a directory, by name, with what the plugins declare', () => {
    const plugins = path.join(buildDirectory, 'functions'), sources = path.join(root, 'functions');
    const of = (sections) => write('page.toml', `[server]\nplugins = "${plugins}"\n${sections}`);
    const file = of(`[functions.updateTaskStatus]\n[functions.computePulse]\nmax_body = "2MiB"\nrate_limit = "5/s per ip"
[functions.createTask]\nauth = "admin"\nschedule = "0 6 * * *"\n`);
    const run = edge('functions', '--config', file, '--markdown', sources);
    assert.equal(run.status, 0, run.stderr);
    const lines = run.stdout.split('\n').filter((line) => /^(##|\| [a-z])/.test(line) && !/^\| function /.test(line));
    assert.deepEqual(lines.map((line) => line.replace(/ [^|]* \|$/, ' … |')), [
        '## data',
        '| createTask | /functions/v1/createTask | admin | 30s | 32MiB | 1MiB | - | 0 6 * * * | … |',
        '| updateTaskStatus | /functions/v1/updateTaskStatus | user | 30s | 32MiB | 1MiB | - | - | … |',
        '## engines',
        '| computePulse | /functions/v1/computePulse | user | 30s | 32MiB | 2MiB | 5/s per ip | - | … |',
    ]);
    assert.ok(run.stdout.includes("| Changes a task's status |\n"));
    assert.ok(run.stdout.endsWith('|\n'));

    const gone = edge('functions', '--config', of('[functions.gone]\n'), '--markdown', sources);
    assert.equal(gone.status, 1);
    assert.match(gone.stderr, /\/functions\/\*\/gone\.c is not there/);
    const elsewhere = edge('functions', '--config', write('none.toml', '[server]\nplugins = "."\n[functions.createTask]\n'), '--markdown', sources);
    assert.equal(elsewhere.status, 1);
    assert.match(elsewhere.stderr, /createTask\.so is not there/);
});

test('the sandbox needs a development issuer', () => {
    const run = edge('serve', '--sandbox', '--config', write('plain.toml', ''));
    assert.equal(run.status, 1);
    assert.match(run.stderr, /EDGE_SANDBOX: the sandbox runs beside a development issuer only/);
});

test('token is made by the development issuer, and by no other', async () => {
    const refused = edge('token', '--user', 'user_a', '--config', write('plain.toml', '[auth]\nissuer = "https://a.example"\n'));
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /has no development issuer/);

    const file = write('development.toml', '[auth]\ndevelopment_key = "key.pem"\nauthorized_parties = ["https://app.example"]\n');
    const run = edge('token', '--user', 'user_a', '--expires', '10min', '--config', file);
    assert.equal(run.status, 0, run.stderr);
    assert.equal(fs.statSync(path.join(directory, 'key.pem')).mode & 0o777, 0o600);

    const key = createPublicKey(fs.readFileSync(path.join(directory, 'key.pem')));
    const { payload, protectedHeader } = await jwtVerify(run.stdout.trim(), key, { issuer: 'https://dev.pulse-edge.localhost' });
    assert.equal(protectedHeader.alg, 'RS256');
    assert.equal(payload.sub, 'user_a');
    assert.equal(payload.azp, 'https://app.example');
    assert.match(payload.sid, /^sess_[0-9a-f]{24}$/);
    assert.equal(payload.exp - payload.iat, 600);
    assert.equal(payload.v, undefined);
});

test('migrate says when there is no database', () => {
    const run = edge('migrate', '--config', write('plain.toml', ''));
    assert.equal(run.status, 1);
    assert.match(run.stderr, /no database is configured in "plain\.toml"/);
});
