/*
 * edge functions, routes, env, doctor: what they say of a configuration, of the host that serves it, and of the machine.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { post } from '../support/clients.mjs';
import { buildDirectory, root } from '../support/config.mjs';
import { startDatabase } from '../support/data.mjs';
import { runEdge } from '../support/program.mjs';
import { startPlugins } from '../support/websocket.mjs';

const options = { timeout: 60000 };
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-inspect-'));
const plugins = path.join(buildDirectory, 'tests/plugins');
const functions = {
    hello: { auth: 'public' }, slow: { auth: 'public' }, item: { auth: 'user', plugin: 'echo', route: '/items/{id}' },
    below: { auth: 'public', plugin: 'echo', route: '/files/*' }, talk: { auth: 'public', plugin: 'wsx_echo' },
};
let host, database;

const at = () => ['--config', path.join(host.directory, 'functions.toml')];
const edge = (args, env = {}) => runEdge(args, { cwd: directory, env });

function write(name, text) {
    fs.writeFileSync(path.join(directory, name), `[server]\nplugins = "${plugins}"\nlisten = "127.0.0.1:0"\n${text}`);
    return ['--config', name];
}

before(async () => {
    [host, database] = await Promise.all([startPlugins({ functions }), startDatabase()]);
}, options);
after(async () => {
    await host?.stop();
    await database?.stop();
    fs.rmSync(directory, { recursive: true });
}, options);

describe('edge functions', options, () => {
    it('counts calls and errors of the running host, and how long they took', options, async () => {
        for (let i = 0; i < 20; i++) await post(host, 'hello');
        await post(host, 'slow', { body: { ms: 300 } });
        await post(host, 'slow', { body: { fail: 503 } });
        await post(host, 'slow', { body: { fail: 404 } });
        const { status, stdout } = await edge(['functions', '--json', ...at()]);
        assert.equal(status, 0);
        const answer = JSON.parse(stdout);
        assert.equal(answer.running, true);
        const of = (name) => answer.functions.find((one) => one.name === name);
        assert.deepEqual([of('hello').calls, of('hello').errors, of('slow').calls, of('slow').errors], [20, 0, 3, 1]);
        assert.deepEqual([of('item').calls, of('item').p50Ms], [0, null]);
        assert.ok(of('hello').p50Ms > 0 && of('hello').p50Ms < 100, `${of('hello').p50Ms}`);
        assert.ok(of('slow').p99Ms > 250 && of('slow').p99Ms <= 500, `${of('slow').p99Ms}`);
        assert.ok(of('hello').p50Ms <= of('hello').p99Ms);
        assert.deepEqual([of('hello').state, of('hello').auth, of('hello').timeoutMs], ['serving', 'public', 30000]);

        /* A shell need not have the host's EDGE_PLUGINS. */
        const elsewhere = await edge(['functions', ...at()], { EDGE_PLUGINS: '/nowhere' });
        assert.deepEqual([elsewhere.status, elsewhere.stderr], [0, '']);
        assert.equal((await edge(['functions', '--json', ...at()], { EDGE_PLUGINS: '/nowhere' })).status, 0);
        assert.match((await edge(['config', 'check', ...write('single.toml', '[functions.hello]\n')])).stdout, /: 1 function, 1 of them on$/m);

        const table = (await edge(['functions', ...at()])).stdout;
        assert.match(table, /^FUNCTION +ROUTE +AUTH +STATE +BUILD +CALLS +ERRORS +P50 +P99$/m);
        assert.match(table, /^hello +- +public +serving/m);
        assert.match(table, /^item +\/items\/\{id\} +user +serving/m);
        assert.match((await edge(['functions', '--limits', ...at()])).stdout, /^FUNCTION +ROUTE +AUTH +TIMEOUT +MEMORY +RATE LIMIT +SCHEDULE +STATE +BUILD\n[^]*^hello +- +public +30s +\d+MiB +\S.* +serving +[0-9a-f]{12}$/m);
        assert.match(table, /^slow .* serving +[0-9a-f]{12} +3 +1 +[\d.]+ms +\d+ms$/m);
        assert.match(table, /^item .* 0 +0 +- +-$/m);
    });

    it('leaves them out when no host runs', options, async () => {
        const { stdout } = await edge(['functions', ...write('one.toml', '[functions.hello]\n')]);
        assert.match(stdout, /BUILD$/m);
        assert.equal(JSON.parse((await edge(['functions', '--json', '--config', 'one.toml'])).stdout).running, false);
    });
});

describe('a function that there is not', options, () => {
    it('is said to be none, with the one that was meant', options, async () => {
        for (const [command, wanted] of [['invoke', 1], ['docs', 1], ['reload', 1], ['rollback', 1], ['promote', 1], ['logs', 0]]) {
            const { status, stderr } = await edge([command, ...(command === 'logs' ? ['--function'] : []), 'helo', ...at()]);
            assert.equal(status, wanted, command);
            assert.match(stderr, /^edge: ".*functions\.toml" has no function "helo"; did you mean "hello"$/m, command);
        }
    });
});

describe('edge routes', options, () => {
    it('lists paths with methods', options, async () => {
        const { stdout } = await edge(['routes', ...at()]);
        assert.match(stdout, /^\/functions\/v1\/hello +GET POST +public +hello$/m);
        assert.match(stdout, /^\/functions\/v1\/talk +WS +public +talk$/m);
        assert.match(stdout, /^\/items\/\{id\} +GET POST PUT PATCH DELETE +user +item$/m);
        assert.equal(JSON.parse((await edge(['routes', '--json', ...at()])).stdout).length, 5);
    });

    it('finds who serves a path', options, async () => {
        const found = async (target) => (await edge(['routes', target, ...at()])).stdout;
        assert.equal(await found('/items/7?x=1'), 'item  /items/{id}  id=7\n');
        assert.equal(await found('/files/a/b'), 'below  /files/*  rest=/a/b\n');
        assert.deepEqual(JSON.parse((await edge(['routes', '/items/7', '--json', ...at()])).stdout), { function: 'item', route: '/items/{id}', rest: '', params: { id: '7' } });
        const none = await edge(['routes', '/nowhere', ...at()]);
        assert.deepEqual([none.status, none.stdout], [1, '']);
        assert.match(none.stderr, /no function is served at "\/nowhere"/);
    });
});

describe('edge env', options, () => {
    const file = () => write('env.toml', '[functions.hello]\nauth = "public"\nenv = ["GREETING"]\n[functions.echo]\nauth = "webhook:svix"\nwebhook_secret = "HOOK_SECRET"\n[functions.slow]\nauth = "service"\n');
    const missing = async (env) => {
        const { status, stdout } = await edge(['env', '--check', '--json', ...file()], env);
        return [status, JSON.parse(stdout).filter(({ required }) => required).map(({ variable }) => variable)];
    };

    it('--check ends with 1 until all that is required is there', options, async () => {
        assert.deepEqual(await missing({}), [1, ['HOOK_SECRET', 'EDGE_SERVICE_KEY']]);
        const env = { HOOK_SECRET: 'whsec_c2VjcmV0', EDGE_SERVICE_KEY: 'x'.repeat(40) };
        assert.deepEqual(await missing(env), [0, []]);
        const { status, stdout } = await edge(['env', '--check', ...file()], env);
        assert.equal(status, 0);
        assert.match(stdout, /^GREETING +no +optional +hello$/m);
    });

    it('never shows a value', options, async () => {
        const { stdout } = await edge(['env', ...file()], { HOOK_SECRET: 'whsec_visible' });
        assert.match(stdout, /^HOOK_SECRET +yes +required +echo$/m);
        assert.doesNotMatch(stdout, /visible/);
    });

    it('knows what plugins declare and do, what the file names, and providers\' keys', options, async () => {
        const at = write('declares.toml', `cors_origins = ["\${APP_ORIGIN:-https://app.test}"]
[database]\nurl = "\${SHOP_DATABASE}"\n[providers.openai]\n[providers.own]\nbase_url = "https://own.test"\nkey = "\${OWN_KEY}"
[functions.env_needs]\nauth = "public"\n[functions.crypto_seal]\nauth = "public"
[functions.hello]\nauth = "public"\nenv = ["ELEVEN_LABS_API_KEY", "TWILIO_AUTH_TOKEN", "GREETING"]\n`);
        const { status, stdout } = await edge(['env', '--check', '--json', ...at], { ELEVENLABS_API_KEY: 'the first of two names' });
        assert.equal(status, 1);
        const found = Object.fromEntries(JSON.parse(stdout).map(({ variable, need, users }) => [variable, [need, ...users]]));
        assert.deepEqual(found, {
            ENV_NEEDS_KEY: ['required', 'env_needs'],
            DATABASE_URL: ['feature', 'the database'],
            TWILIO_AUTH_TOKEN: ['feature', 'hello'],
            OPENAI_API_KEY: ['feature', 'provider openai'],
            OWN_KEY: ['feature', 'provider own', 'providers.own.key'],
            SHOP_DATABASE: ['feature', 'database.url'],
            EDGE_ENCRYPTION_KEY: ['feature', 'crypto_seal'],
            DATABASE_MIGRATE_URL: ['optional', 'edge migrate'],
            GREETING: ['optional', 'hello'],
            APP_ORIGIN: ['optional', 'server.cors_origins[0]'],
        });
        assert.ok(!('ELEVENLABS_API_KEY' in found), 'one name of two is enough');
        const needs = JSON.parse(stdout).map(({ need }) => need);
        assert.deepEqual(needs, [...needs].sort((a, b) => ['required', 'feature', 'optional'].indexOf(a) - ['required', 'feature', 'optional'].indexOf(b)));
    });
});

describe('edge doctor', options, () => {
    const findings = async (args, env) => {
        const { status, stdout, stderr } = await edge(['doctor', '--json', ...args], env);
        return { status, found: JSON.parse(stdout || '[]'), stderr };
    };
    const of = ({ found }, check) => found.filter((one) => one.check === check);

    it('is content with a machine that has everything', options, async (t) => {
        const key = path.join(directory, 'key.pem');
        const name = `edge_doctor_${process.pid}`;
        await database.rows(`CREATE DATABASE ${name}`);
        t.after(() => database.rows(`DROP DATABASE ${name} WITH (FORCE)`));
        const owner = process.env.EDGE_TEST_PG_URL.replace(/^(postgres(?:ql)?:\/\/[^/]*)\/[^?]*/, `$1/${name}`);
        const runtime = database.url.replace(/^(postgres(?:ql)?:\/\/[^/]*)\/[^?]*/, `$1/${name}`);
        const config = write('well.toml', `[auth]\ndevelopment_key = "${key}"\n[database]\nmigrations = "${root}/sql/migrations"\n[functions.hello]\n`);
        const env = { DATABASE_URL: runtime, DATABASE_MIGRATE_URL: owner };
        const before_ = await findings(config, env);
        assert.deepEqual([before_.status, of(before_, 'migrations')[0].result], [1, 'failure']);
        assert.equal((await edge(['migrate', ...config], env)).status, 0);
        const all = await findings(config, env);
        assert.deepEqual(all.found.filter(({ result }) => result === 'failure'), []);
        assert.equal(all.status, 0, all.stderr);
        assert.match(of(all, 'migrations')[0].found, /^all \d+ are applied$/);
        assert.match(of(all, 'clock')[0].found, /^within \d+ ms/);
        assert.match(of(all, 'roles')[0].found, /has the runtime's roles/);
    });

    it('says what is wrong and what to do', options, async () => {
        const broken = await findings(write('broken.toml', '[functions.gone]\nauth = "public"\n'), { DATABASE_URL: 'postgresql:///none?host=/nonexistent' });
        assert.equal(broken.status, 1);
        assert.match(of(broken, 'plugins')[0].found, /1 of 1 cannot be loaded; .*gone\.so is not there/);
        assert.match(of(broken, 'database')[0].found, /cannot be reached/);
        for (const one of broken.found) if (one.result === 'failure') assert.ok(one.fix, one.check);
        const text = await edge(['doctor', '--config', 'broken.toml']);
        assert.match(text.stdout, /^FAIL {2}plugins .*\n {19}Build them: /m);
        assert.doesNotMatch(text.stdout, /\u001b/);
    });

    it('sees a host that runs, an address that is taken, and a file that is wrong', options, async () => {
        assert.match(of(await findings(at()), 'address')[0].found, new RegExp(`the host runs at 127\\.0\\.0\\.1:${host.port}`));
        const taken = path.join(directory, 'taken.toml');
        fs.writeFileSync(taken, `[server]\nplugins = "${plugins}"\nlisten = "127.0.0.1:${host.port}"\n`);
        assert.equal(of(await findings(['--config', taken]), 'address')[0].result, 'failure');
        fs.writeFileSync(taken, '[sever]\n');
        const wrong = await findings(['--config', taken]);
        assert.deepEqual([wrong.status, of(wrong, 'config')[0].result], [1, 'failure']);
    });
});
