/*
 * edge invoke: calls of the running host as somebody types them; what goes to standard output and to standard error, and
 * with which status it ends.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { SERVICE_KEY, eventually, startHost } from '../support/host.mjs';
import { binary, runEdge, runProgram } from '../support/program.mjs';
import { certificate } from '../support/secure.mjs';
import { mint } from '../support/tokens.mjs';
import { startPlugins } from '../support/websocket.mjs';

const options = { timeout: 60000 };
let host;

const functions = {
    hello: { auth: 'public' },
    echo: { auth: 'user' },
    slow: { auth: 'public' },
    wsx_echo: { auth: 'user' },
    service_hello: { auth: 'service', plugin: 'hello' },
    admin_hello: { auth: 'admin', plugin: 'hello' },
    patterned: { auth: 'public', plugin: 'echo', route: '/things/{id}' },
};

const environment = (of = host) => ({
    EDGE_DEVELOPMENT_KEY: path.join(of.directory, 'development.pem'), EDGE_SERVICE_KEY: SERVICE_KEY, EDGE_SANDBOX: '1',
});

const invoke = (args, { input, env = environment() } = {}) =>
    runEdge(['invoke', ...args, '--config', path.join(host.directory, 'functions.toml')], { cwd: host.directory, env, input });

before(async () => (host = await startPlugins({ functions, env: { EDGE_SERVICE_KEY: SERVICE_KEY } })), options);
after(() => host?.stop(), options);

describe('edge invoke', options, () => {
    it('prints the body, and beside it how it went', options, async () => {
        const { status, stdout, stderr } = await invoke(['hello']);
        assert.equal(status, 0, stderr);
        assert.equal(stdout, '{"message":"hello"}\n');
        assert.match(stderr, /^200  \d+ ms  generation [0-9a-f]{12}  request [0-9a-f-]{36}\n$/);
    });

    it('sends JSON, a file, and standard input', options, async () => {
        fs.writeFileSync(path.join(host.directory, 'body.json'), '{"from":"file"}');
        for (const [args, input, wanted] of [
            [['{"from":"argument"}'], '', 'argument'],
            [['@body.json'], '', 'file'],
            [['-'], '{"from":"input"}', 'input'],
        ]) {
            const { stdout, stderr } = await invoke(['echo', ...args], { input });
            assert.equal(JSON.parse(stdout).in.from, wanted, stderr);
        }
        assert.deepEqual(JSON.parse((await invoke(['echo'])).stdout).in, {});
        assert.match((await invoke(['echo', '@none.json'])).stderr, /"none\.json" cannot be read: No such file/);
    });

    it('sends a body of a megabyte, of any type', options, async () => {
        fs.writeFileSync(path.join(host.directory, 'sound.bin'), Buffer.alloc(1000000, 7));
        const { stdout } = await invoke(['echo', '@sound.bin', '--header', 'Content-Type: audio/wav', '--header=X-Test: yes']);
        const seen = JSON.parse(stdout);
        assert.equal(seen.length, 1000000);
        assert.deepEqual([seen.headers['content-type'], seen.headers['x-test']], ['audio/wav', 'yes']);
    });

    it('calls as whom it is told, and as whom the function is there for', options, async () => {
        const as = async (...args) => {
            const { status, stdout, stderr } = await invoke(args);
            return [status, JSON.parse(stdout).code, /as (\w+)/.exec(stderr)?.[1]];
        };
        assert.deepEqual(await as('echo'), [0, undefined, 'user_demo']);
        assert.deepEqual(await as('echo', '--as', 'user_ann'), [0, undefined, undefined]);
        assert.deepEqual(await as('echo', '--anonymous'), [1, 'unauthorized', undefined]);
        assert.deepEqual(await as('echo', '--header', 'Authorization: Bearer nonsense'), [1, 'unauthorized', undefined]);
        assert.deepEqual(await as('echo', '--header', `Authorization: Bearer ${await mint('user_own')}`), [0, undefined, undefined]);
        assert.deepEqual(await as('service_hello'), [0, undefined, undefined]);
        assert.deepEqual(await as('service_hello', '--as', 'user_ann'), [1, 'forbidden', undefined]);
    });

    it('--json is one object', options, async () => {
        const { status, stdout, stderr } = await invoke(['slow', '{"fail":409}', '--json']);
        const answer = JSON.parse(stdout);
        assert.equal(status, 1);
        assert.equal(stderr, '');
        assert.deepEqual([answer.status, answer.body.code, answer.headers['content-type']], [409, 'asked_for', 'application/json']);
        assert.equal(answer.requestId, answer.body.requestId);
        assert.match(answer.generation, /^[0-9a-f]{40}$/);
        assert.ok(answer.durationMs >= 0);
    });

    it('numbers are as the function said them, also on a terminal', options, async () => {
        assert.match((await invoke(['echo', '{"score":33.3,"list":[]}', '--json'])).stdout, /"in":\{"score":33\.3,"list":\[\]\}/);
        const command = [binary, 'invoke', 'echo', `'{"score":33.3,"list":[],"say":"\\"{,:"}'`, '--config', path.join(host.directory, 'functions.toml')].join(' ');
        const { stdout } = await runProgram('script', ['-qec', command, '/dev/null'], { cwd: host.directory, env: { ...environment(), TERM: 'dumb' } });
        assert.match(stdout.replace(/\r/g, ''), /^ {2}"in": \{\n {4}"score": 33\.3,\n {4}"list": \[\],\n {4}"say": "\\"\{,:"\n {2}\}\n\}$/m);
    });

    it('--include prints the head', options, async () => {
        assert.match((await invoke(['hello', '--include'])).stdout, /^HTTP\/1\.1 200 [^]*\r\nx-request-id: [^]*\r\n\r\n\{"message":"hello"\}\n$/i);
    });

    it('calls paths, with other methods', options, async () => {
        const { status, stdout } = await invoke(['/_edge/live', '--method', 'GET']);
        assert.equal(status, 0, stdout);
        const thing = JSON.parse((await invoke(['/things/7?q=8', '--method', 'PUT', '--anonymous'])).stdout);
        assert.deepEqual([thing.method, thing.id, thing.q], ['PUT', '7', '8']);
        assert.match((await invoke(['patterned'])).stderr, /"patterned" is served at "\/things\/{id}"\. Say a path of it/);
    });

    it('--stream prints an event a line, and ends with 1 behind an error', options, async () => {
        const { status, stdout, stderr } = await invoke(['slow', '{"events":2,"bytes":1}', '--stream']);
        assert.equal(status, 0, stderr);
        assert.equal(stdout, 'message {"n":0,"text":"x"}\nmessage {"n":1,"text":"x"}\nfinal {"done":true}\n');
        const failed = await invoke(['slow', '{"events":1,"bytes":1,"fail":409}', '--stream', '--json']);
        assert.equal(failed.status, 1);
        const lines = failed.stdout.trim().split('\n').map((line) => JSON.parse(line));
        assert.deepEqual(lines.map(({ event }) => event), ['message', 'error']);
        assert.equal(lines[1].data.code, 'asked_for');
        const refused = await invoke(['slow', '{"events":"many"}', '--stream']);
        assert.deepEqual([refused.status, JSON.parse(refused.stdout).field], [1, 'events']);
    });

    it('--ws talks line by line', options, async () => {
        const { status, stdout, stderr } = await invoke(['wsx_echo', '--ws', '--count', '3'], { input: 'one\ntwo\nthree' });
        assert.equal(status, 0, stderr);
        assert.equal(stdout, 'one\ntwo\nthree\n');
        assert.match(stderr, /closed with 1000 .* 3 messages\n$/);
        assert.equal((await invoke(['wsx_echo', 'a message', '--ws'])).stdout, 'a message\n', 'a second of silence ends it');
        const long = 'x'.repeat(70000);
        assert.equal((await invoke(['wsx_echo', '--ws', '--count', '1'], { input: long })).stdout, `${long}\n`);
    });

    it('--ws says why it was refused', options, async () => {
        const { status, stdout, stderr } = await invoke(['wsx_echo', '--ws', '--anonymous']);
        assert.deepEqual([status, stdout], [1, '']);
        assert.match(stderr, /the WebSocket was refused with 401: .*"code":"unauthorized"/);
    });

    it('refuses what makes no sense', options, async () => {
        for (const [args, wanted, message] of [
            [[], 2, /say which function/],
            [['hello', '{}', 'more'], 2, /"more" is one too many/],
            [['hello', '--service', '--anonymous'], 2, /choose one/],
            [['hello', '--stream', '--ws'], 2, /choose one/],
            [['hello', '--header', 'nonsense'], 2, /not NAME:VALUE/],
            [['hello', '--header', 'a: b\r\nc: d'], 2, /not NAME:VALUE/],
            [['hello', '--count', 'few'], 2, /--count is "few"/],
            [['helo'], 1, /has no function "helo"; did you mean "hello"/],
            [['hello', '--url', 'http://127.0.0.1:1'], 1, /connect/i],
        ]) {
            const { status, stderr } = await invoke(args);
            assert.equal(status, wanted, args.join(' '));
            assert.match(stderr, message);
        }
        const none = await invoke(['hello'], { env: { ...environment(), EDGE_CONTROL: '/nonexistent/socket' } });
        assert.equal(none.status, 1);
        assert.match(none.stderr, /no host serves .*`edge dev` starts one; --url names another/);
    });

    it('needs no configuration with --url', options, async () => {
        const { status, stdout } = await runEdge(['invoke', 'hello', '--url', `${host.url}/`], { cwd: '/' });
        assert.deepEqual([status, stdout], [0, '{"message":"hello"}\n']);
    });
});

describe('edge invoke over TLS', options, () => {
    let secrets, other;
    before(async () => {
        secrets = certificate();
        other = await startHost({ functions: { hello: { auth: 'public' }, slow: { auth: 'public' }, wsx_echo: { auth: 'public' } }, sandbox: false, readyPath: '/_edge/live',
            server: { plugins: path.join(buildDirectory, 'tests/plugins'), workers: 1, ...secrets.server }, tls: true });
    }, options);
    after(async () => {
        await other?.stop();
        secrets.remove();
    }, options);

    const secure = (...args) => runEdge(['invoke', ...args, '--config', path.join(other.directory, 'functions.toml')], { cwd: other.directory, env: environment(other), input: 'hello\n' });
    const localhost = () => `https://localhost:${other.port}`;
    const trusted = () => ['--url', localhost(), '--cacert', secrets.server.tls_cert];

    for (const [what, args] of [['a call', ['hello']], ['a stream', ['slow', '--stream']], ['a WebSocket', ['wsx_echo', '--ws', '--count', '1']]])
        it(`${what}: does not trust a certificate that nobody has signed, and says what helps`, options, async () => {
            const refused = await secure(...args);
            assert.deepEqual([refused.status, refused.stdout], [1, '']);
            assert.match(refused.stderr, /^edge: https:\/\/127\.0\.0\.1:\d+\/\S+: SSL certificate problem: self.signed certificate\. --cacert FILE trusts the certificates in a file, --insecure any\n$/m);
            assert.equal((await secure(...args, '--insecure')).status, 0);
            const { status, stderr } = await secure(...args, ...trusted());
            assert.equal(status, 0, stderr);
        });

    it('--cacert still wants the host that the certificate names', options, async () => {
        const { status, stderr } = await secure('hello', '--cacert', secrets.server.tls_cert);
        assert.equal(status, 1);
        assert.match(stderr, /certificate subject name|no alternative certificate/);
        assert.match((await secure('hello', '--cacert', '/etc/hostname')).stderr, /--cacert wants certificates in PEM/);
    });
});

describe('edge invoke over a Unix socket', options, () => {
    it('calls, streams and speaks with the running host, or one that is named', options, async () => {
        const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-unix-'));
        const socket = path.join(directory, 'host.sock');
        fs.writeFileSync(path.join(directory, 'functions.toml'), `[server]\nplugins = "${path.join(buildDirectory, 'tests/plugins')}"\nlisten = "unix:${socket}"\nworkers = 1
[functions.hello]\nauth = "public"\n[functions.ws_story]\nauth = "public"\n[functions.wsx_echo]\nauth = "public"\n`);
        const env = { EDGE_CONTROL: path.join(directory, 'control') };
        const at = (...args) => runEdge(['invoke', ...args], { cwd: directory, env, input: 'hello\n' });
        const nobody = await at('hello');
        assert.deepEqual([nobody.status, nobody.stdout], [1, '']);
        assert.match((await at('hello', '--url', `unix:${socket}`)).stderr, /host\.sock\/functions\/v1\/hello: .*\. Is the host running\?/);
        const sanitizers = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.endsWith('SAN_OPTIONS')));
        const child = spawn(binary, ['serve'], { cwd: directory, env: { PATH: process.env.PATH, ...sanitizers, ...env }, stdio: 'ignore' });
        try {
            await eventually(() => fs.existsSync(socket), 'the socket');
            for (const url of [[], ['--url', `unix:${socket}`]]) {
                await eventually(async () => (await at('hello', ...url)).stdout === '{"message":"hello"}\n', 'the host to answer');
                assert.match((await at('ws_story', '{"pieces":2}', '--stream', ...url)).stdout, /"piece":1/);
                const spoken = await at('wsx_echo', '--ws', '--count', '1', ...url);
                assert.deepEqual([spoken.status, spoken.stdout], [0, 'hello\n'], spoken.stderr);
            }
        } finally {
            child.kill();
            await once(child, 'exit');
            fs.rmSync(directory, { recursive: true });
        }
    });
});
