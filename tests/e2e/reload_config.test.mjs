/*
 * functions.toml changed while the host serves: validated whole, applied whole, or not at all.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { eventually } from '../support/host.mjs';
import { build, startHot } from '../support/reload.mjs';
import { startTraces } from '../support/traces.mjs';

const options = { timeout: 60000 };
const open = { auth: 'public' };
let host;

const status = async (path, body = {}) =>
    (await fetch(host.url + path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })).status;
const answers = (path, wanted, body) => eventually(async () => (await status(path, body)) === wanted, `${path} to answer ${wanted}`);

describe('reload: functions.toml', options, () => {
    before(async () => (host = await startHot()), options);
    after(() => host?.end(), options);

    it('a function is added, moved to another route, and removed', options, async () => {
        host.configure({ hot: { ...open, route: '/elsewhere/{id}' } });
        await answers('/elsewhere/7', 200);
        assert.equal(await status('/functions/v1/hot'), 404);
        host.configure({ hot: open, again: { ...open, plugin: 'hot', route: '/again' } });
        await answers('/again', 200);
        assert.equal(await status('/functions/v1/hot'), 200);
        assert.equal(await status('/elsewhere/7'), 404);
        host.configure({ hot: open });
        await answers('/again', 404);
        assert.equal(await status('/functions/v1/hot'), 200);
        const line = await host.logged((entry) => entry.event === 'configuration_live' && entry.removed === 1);
        assert.equal(line.added, 0);
    });

    it('limits, auth and methods of use', options, async () => {
        host.configure({ hot: { ...open, timeout: '100ms' } });
        await answers('/functions/v1/hot', 504, { ms: 400 });
        host.configure({ hot: { auth: 'user' } });
        await answers('/functions/v1/hot', 401);
        host.configure({ hot: { ...open, rate_limit: '2/h' } });
        await answers('/functions/v1/hot', 429);
        host.configure({ hot: { ...open, enabled: false } });
        await answers('/functions/v1/hot', 404);
        host.configure({ hot: open });
        await answers('/functions/v1/hot', 200);
        assert.equal(await host.version(), 1);
    });

    it('what runs keeps the limits it began with', options, async () => {
        const running = host.version({ ms: 1200 });
        await new Promise((resolve) => setTimeout(resolve, 100));
        host.configure({ hot: { ...open, timeout: '200ms' } });
        await answers('/functions/v1/hot', 504, { ms: 500 });
        assert.equal(await running, 1);
        host.configure({ hot: open });
        await answers('/functions/v1/hot', 200, { ms: 500 });
    });

    const bad = {
        'a mistake in the syntax': ['[functions.hot', /functions\.toml:\d+/],
        'a key that there is not': ['[functions.hot]\nauht = "public"\n', /functions\.toml:\d+: functions\.hot\.auht/],
        'a value that is none': ['[functions.hot]\nauth = "publik"\n', /functions\.hot\.auth/],
        'two functions on one route': [
            '[functions.hot]\nauth = "public"\n[functions.other]\nplugin = "hot"\nroute = "/functions/v1/hot"\n',
            /takes the same paths/,
        ],
    };
    for (const [name, [text, reason]] of Object.entries(bad))
        it(`${name}: nothing changes, and the line is named`, options, async () => {
            const before = fs.readFileSync(host.config);
            fs.writeFileSync(host.config, text);
            const { code, stderr } = await host.edge('reload');
            assert.equal(code, 1);
            assert.match(stderr, /functions\.toml stays as it was/);
            assert.match(stderr, reason);
            await host.logged((entry) => entry.event === 'configuration_refused' && reason.test(entry.reason));
            assert.equal(await status('/functions/v1/hot'), 200);
            fs.writeFileSync(host.config, before);
            assert.equal((await host.edge('reload')).code, 0);
        });

    it('a removed file changes nothing', options, async () => {
        const before = fs.readFileSync(host.config);
        fs.unlinkSync(host.config);
        await host.logged((entry) => entry.event === 'configuration_refused' && /cannot be read/.test(entry.reason));
        assert.equal(await status('/functions/v1/hot'), 200);
        fs.writeFileSync(host.config, before);
        assert.equal((await host.edge('reload')).code, 0);
    });

    it('a plugin and its configuration together', options, async () => {
        host.plugins.put(build('v2'));
        host.configure({ hot: { ...open, route: '/two' } });
        await answers('/two', 200);
        await eventually(async () => {
            const answer = await fetch(`${host.url}/two`, { method: 'POST' });
            return (await answer.json()).version === 2;
        }, 'both');
        host.configure({ hot: open });
        await answers('/functions/v1/hot', 200);
    });
});

describe('reload: what workers stand on', options, () => {
    before(async () => (host = await startHot({ server: { drain_timeout: '3s' } })), options);
    after(() => host?.end({ crashes: true }), options); /* workers that could not start are reported as dead */

    it('[server]: other workers take over, and no request is lost', options, async () => {
        let stop = false;
        const failures = [];
        const clients = Array.from({ length: 8 }, async () => {
            while (!stop) {
                const answer = await host.call().catch((error) => ({ status: String(error.cause ?? error) }));
                if (answer.status !== 200) failures.push(answer.status);
                else await answer.arrayBuffer();
            }
        });
        const long = host.version({ ms: 1500 });
        host.configure({ hot: open }, { server: { plugins: host.plugins.directory, workers: 3, max_url: '300B' } });
        await eventually(async () => (await status(`/functions/v1/hot?${'x'.repeat(600)}`)) === 414, 'the new limit');
        assert.equal(await long, 1);
        stop = true;
        await Promise.all(clients);
        assert.deepEqual(failures, []);
    });

    it('an address that is taken is refused, and everything stays', options, async () => {
        const { port } = new URL(host.url);
        const net = await import('node:net');
        const other = net.createServer();
        await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
        host.configure({ hot: open }, { server: { listen: `127.0.0.1:${other.address().port}` } });
        const { code } = await host.edge('reload');
        assert.equal(code, 0, '--listen goes before it');
        assert.equal(await status('/functions/v1/hot'), 200);
        assert.ok(port);
        await new Promise((resolve) => other.close(resolve));
    });

    it('workers that cannot start with it are sent away, and everything stays', options, async () => {
        host.configure({ hot: open }, { server: { tls_cert: '/nonexistent.pem', tls_key: '/nonexistent.pem' } });
        const { code, stderr } = await host.edge('reload');
        assert.equal(code, 1);
        assert.match(stderr, /functions\.toml stays as it was/);
        assert.equal(await status('/functions/v1/hot'), 200);
        host.configure({ hot: open });
        assert.equal((await host.edge('reload')).code, 0);
        assert.equal(await host.version(), 1);
    });
});

describe('reload: schedules and providers', options, () => {
    it('a schedule that is added fires, one that is removed does not', options, async () => {
        const database = await startTraces();
        /* Five minutes a second. */
        const time = `${Date.parse('2026-11-22T10:00:10Z') / 1000},${Date.now() / 1000},300`;
        host = await startHot({ database: database.url, env: { EDGE_TEST_SCHEDULE_CLOCK: time, EDGE_SANDBOX: '1' } });
        try {
            fs.copyFileSync(path.join(buildDirectory, 'tests', 'plugins', 'schedule_run.so'), host.plugins.file('schedule_run'));
            const runs = () => database.count('edge.cron_runs');
            assert.equal(await runs(), 0);
            host.configure({ hot: open, each: { auth: 'service', plugin: 'schedule_run', schedule: '* * * * *' } });
            await eventually(async () => (await runs()) >= 2, 'firings', 30000);
            host.configure({ hot: open });
            await host.logged((entry) => entry.event === 'configuration_live' && entry.removed === 1);
            await new Promise((resolve) => setTimeout(resolve, 300));
            const after = await runs();
            await new Promise((resolve) => setTimeout(resolve, 1200));
            assert.equal(await runs(), after);
        } finally {
            await host.end();
            await database.stop();
        }
    });

    it("a provider's other address is used from then on", options, async () => {
        const peer = () =>
            new Promise((resolve) => {
                const server = http.createServer((request, answer) => {
                    server.asked++;
                    answer.setHeader('content-type', 'application/json');
                    answer.end('{}');
                });
                server.asked = 0;
                server.listen(0, '127.0.0.1', () => resolve(server));
            });
        const [first, second] = [await peer(), await peer()];
        const providers = (server) => ({ providers: { peer: { base_url: `http://127.0.0.1:${server.address().port}` } } });
        const functions = { hot: open, http_together: open };
        host = await startHot({ server: { drain_timeout: '2s' }, ...providers(first) });
        try {
            fs.copyFileSync(path.join(buildDirectory, 'tests', 'plugins', 'http_together.so'), host.plugins.file('http_together'));
            host.configure(functions, providers(first));
            await answers('/functions/v1/http_together', 200);
            assert.ok(first.asked >= 3);
            assert.equal(second.asked, 0);
            host.configure(functions, providers(second));
            await eventually(async () => {
                await status('/functions/v1/http_together');
                return second.asked > 0;
            }, 'the other address');
        } finally {
            await host.end();
            first.close();
            second.close();
        }
    });
});
