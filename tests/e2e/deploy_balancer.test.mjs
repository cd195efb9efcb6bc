/*
 * The load balancers of deploy/, as they are shipped but for addresses and the certificate, before two hosts on one
 * Postgres: calls, callers' addresses, streams, WebSockets, and a host that is drained while calls go on.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import WebSocket from 'ws';

import { buildDirectory, root } from '../support/config.mjs';
import { startDatabase } from '../support/data.mjs';
import { eventually, freePort, startHost } from '../support/host.mjs';
import { runProgram } from '../support/program.mjs';

const options = { timeout: 120000 };
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-balancer-'));
const inDirectory = (name) => path.join(directory, name);
const environment = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const NAME = 'api.example.com';
let database;

const shipped = (name) => fs.readFileSync(path.join(root, 'deploy', name), 'utf8');

/* Replaces every text of the list, each of which has to be there. */
function replaced(text, ...pairs) {
    for (const [from, to] of pairs) {
        assert.ok(text.includes(from), from);
        text = text.replaceAll(from, to);
    }
    return text;
}

const addresses = (hosts) => hosts.map((host, i) => [`10.0.0.1${i + 1}:8000`, `127.0.0.1:${host.port}`]);

/* What runs, and how its configuration is checked; both in the foreground and as whoever runs the test. */
const balancers = {
    nginx(hosts, port, plainPort) {
        const site = replaced(shipped('nginx/pulse-edge.conf'), ...addresses(hosts),
            ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`], ['listen 80', `listen 127.0.0.1:${plainPort}`],
            ['    listen [::]:443 ssl http2;\n', ''], ['    listen [::]:80;\n', ''], ['/etc/nginx/tls', directory]);
        fs.writeFileSync(inDirectory('site.conf'), site);
        const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/${name};`);
        fs.writeFileSync(inDirectory('nginx.conf'),
            `daemon off; worker_processes 2; pid ${directory}/nginx.pid; error_log stderr warn; ${process.getuid() === 0 ? 'user root;' : ''}
             events { worker_connections 512; } http { access_log off; ${paths.join(' ')} include ${directory}/site.conf; }`);
        return { command: ['nginx', '-p', directory, '-c', inDirectory('nginx.conf')], check: ['-t'] };
    },
    haproxy(hosts, port, plainPort) {
        const settings = replaced(shipped('haproxy/haproxy.cfg'), ...addresses(hosts),
            ['bind :443', `bind 127.0.0.1:${port}`], ['bind :80', `bind 127.0.0.1:${plainPort}`],
            ['/etc/haproxy/pulse-edge.pem', inDirectory('both.pem')]);
        fs.writeFileSync(inDirectory('haproxy.cfg'), settings);
        return { command: ['haproxy', '-db', '-f', inDirectory('haproxy.cfg')], check: ['-c'] };
    },
};

/* Over TLS, from an address of one's own: { status, text, headers }, or the answer itself as it begins. */
function request(port, target, { body, headers = {}, method = 'POST', agent, streamed = false, localAddress } = {}) {
    return new Promise((resolve, reject) => {
        const outgoing = https.request({ host: '127.0.0.1', port, path: target, method, agent, localAddress, servername: NAME, rejectUnauthorized: false,
            headers: { host: NAME, 'content-type': 'application/json', ...headers } }, (answer) => {
            if (streamed) return resolve(answer);
            let text = '';
            answer.on('data', (data) => (text += data)).on('error', reject);
            answer.on('end', () => resolve({ status: answer.statusCode, text, headers: answer.headers }));
        });
        outgoing.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
}

const call = (port, name, body, more) => request(port, `/functions/v1/${name}`, { body, ...more });

const startOne = () =>
    startHost({
        functions: Object.fromEntries(['echo', 'slow', 'wsx_echo', 'job_add', 'job_work'].map((name) => [name, { auth: 'public' }])),
        server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, trusted_proxies: ['127.0.0.1'], drain_linger: '3s' },
        sandbox: false,
        database: database.url,
    });

async function startBalancer(name, hosts) {
    const port = await freePort(), plainPort = await freePort();
    const { command: [program, ...args], check } = balancers[name](hosts, port, plainPort);
    const checked = await runProgram(program, [...args, ...check], { cwd: directory, env: environment });
    assert.equal(checked.status, 0, `${checked.stderr} Run scripts/setup --tests`);
    const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const balancer = { child, port, plainPort, output: '' };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (balancer.output += data));
    child.exited = new Promise((resolve) => child.on('close', resolve));
    await eventually(() => {
        assert.equal(child.exitCode, null, balancer.output);
        return call(port, 'echo', {}).then(({ status }) => status === 200, () => false);
    }, 'an answer');
    return balancer;
}

before(async () => {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${NAME}`,
        '-keyout', inDirectory('key.pem'), '-out', inDirectory('cert.pem')], { stdio: 'ignore' });
    fs.writeFileSync(inDirectory('both.pem'), ['cert.pem', 'key.pem'].map((file) => fs.readFileSync(inDirectory(file), 'utf8')).join(''), { mode: 0o600 });
    database = await startDatabase();
}, options);

after(async () => {
    await database?.stop();
    fs.rmSync(directory, { recursive: true, force: true });
}, options);

for (const name of Object.keys(balancers)) {
    describe(name, options, () => {
        let hosts = [], balancer;

        before(async () => {
            hosts = await Promise.all([startOne(), startOne()]);
            balancer = await startBalancer(name, hosts);
        }, options);

        after(async () => {
            balancer?.child.kill('SIGTERM');
            await balancer?.child.exited;
            for (const host of hosts) await host.stop();
        }, options);

        it('calls reach both hosts, with the caller\'s address and the address that was called', options, async () => {
            const answers = await Promise.all(Array.from({ length: 8 }, () =>
                call(balancer.port, 'echo', {}, { localAddress: '127.0.0.9', headers: { 'x-forwarded-for': '192.0.2.1' } })));
            for (const { status, text } of answers) {
                assert.equal(status, 200, text);
                const { ip, origin } = JSON.parse(text);
                assert.deepEqual({ ip, origin }, { ip: '127.0.0.9', origin: `https://${NAME}` });
            }
            for (const host of hosts) await host.logged((line) => line.event === 'invocation' && line.function === 'echo');
        });

        it('the hosts\' own pages are not to be had, and plain HTTP leads to TLS', options, async () => {
            for (const target of ['/_edge/ready', '/_edge/metrics', '/_internal/health', '/sandbox/openai/v1/models'])
                assert.equal((await request(balancer.port, target, { method: 'GET' })).status, 404, target);
            const { status, headers } = await fetch(`http://127.0.0.1:${balancer.plainPort}/functions/v1/echo?a=1`, { redirect: 'manual' });
            assert.equal(status, 308);
            assert.match(headers.get('location'), /^https:\/\/.*\/functions\/v1\/echo\?a=1$/);
        });

        it('events come while the function still runs, and a caller that leaves ends it', options, async () => {
            const answer = await call(balancer.port, 'slow', { events: 100, interval: 300 }, { streamed: true });
            assert.match(answer.headers['content-type'], /^text\/event-stream/);
            const [first] = await new Promise((resolve) => answer.once('data', (...data) => resolve(data)));
            assert.match(first.toString(), /^(event: .*\n)?data: \{"n":0/);
            const running = (line) => line.event === 'invocation' && line.function === 'slow';
            assert.ok(!hosts.some((host) => host.log.some(running)));
            answer.destroy();
            await eventually(() => hosts.some((host) => host.log.some(running)), 'the end of the function', 8000);
        });

        it('a WebSocket says and hears', options, async () => {
            const socket = new WebSocket(`wss://127.0.0.1:${balancer.port}/functions/v1/wsx_echo`, { rejectUnauthorized: false, headers: { host: NAME } });
            const heard = [];
            socket.on('message', (data) => heard.push(data.toString()));
            await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
            for (const text of ['one', 'two']) socket.send(text);
            await eventually(() => heard.length === 2, 'two messages');
            assert.deepEqual(heard, ['one', 'two']);
            const closed = new Promise((resolve) => socket.on('close', resolve));
            socket.close(1000);
            assert.equal(await closed, 1000);
        });

        it('a host is drained while calls go on, and none is lost or made twice', options, async () => {
            const agent = new https.Agent({ keepAlive: true, maxSockets: 8 });
            const answers = [];
            let going = true;
            const caller = async () => {
                while (going) answers.push(await call(balancer.port, 'job_add', { name: 'job_work', delay: 3600000 }, { agent }).catch((error) => ({ status: 0, text: String(error) })));
            };
            const before = await database.count('edge.jobs');
            const callers = Array.from({ length: 8 }, caller);
            const made = (host) => host.log.filter((line) => line.event === 'invocation' && line.function === 'job_add').length;
            await eventually(() => hosts.every((host) => made(host) > 20), 'calls at both hosts');
            const drained = hosts.pop(), last = made(hosts[0]);
            await drained.stop();
            await eventually(() => made(hosts[0]) > last + 20, 'calls at the host that is left');
            going = false;
            await Promise.all(callers);
            agent.destroy();
            const lost = answers.filter(({ status }) => status !== 200);
            assert.deepEqual(lost, [], `${lost.length} of ${answers.length} calls\n${balancer.output.slice(-2000)}`);
            assert.equal((await database.count('edge.jobs')) - before, answers.length);
        });
    });
}
