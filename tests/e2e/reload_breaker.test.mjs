/*
 * Builds that crash again and again are withdrawn: for the build before them, or for nobody. A canary gets its share of
 * the callers, and only that.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { eventually } from '../support/host.mjs';
import { build, startHot } from '../support/reload.mjs';
import { mint } from '../support/tokens.mjs';

const options = {
    timeout: 60000,
    skip: /asan/.test(process.env.EDGE_BUILD ?? '') || process.env.ASAN_OPTIONS ? 'the sanitizers report faults' : false,
};
const server = { crash_limit: 3, crash_window: '20s', cpu_limit: '300ms', workers: 2 };

async function crash(host, how = 'null') {
    const answer = await host.call({ how });
    assert.equal(answer.status, 500);
    await answer.arrayBuffer();
    await eventually(async () => (await host.call().catch(() => null)) !== null, 'a worker');
}

describe('reload: crash after crash', options, () => {
    it('the build before serves again, by itself, and everybody is told', options, async () => {
        const host = await startHot({ server });
        try {
            host.plugins.put(build('v2'));
            await eventually(async () => (await host.version()) === 2, 'version 2');
            const bad = (await host.status()).generation;
            for (let i = 0; i < 3; i++) await crash(host);
            const line = await host.logged((entry) => entry.event === 'generation_quarantined');
            assert.equal(line.generation, bad);
            assert.equal(line.crashes, 3);
            await eventually(async () => (await host.version()) === 1, 'version 1');
            const status = await host.status();
            assert.equal(status.generation, line.restored);
            assert.match(status.problem.reason, /crashed 3 times/);
            assert.match((await host.edge('functions')).stdout, /crashed 3 times/);
            await host.logged((entry) => entry.event === 'generation_live' && entry.cause === 'crashes');

            host.plugins.put(build('v2'));
            await host.edge('reload', 'somebody-else');
            assert.equal(await host.version(), 1, 'what was withdrawn is not loaded again by itself');
            host.plugins.put(build('v3'));
            await eventually(async () => (await host.version()) === 3, 'a build that is another');
        } finally {
            await host.end({ crashes: true });
        }
    });

    it('hangs count as crashes', options, async () => {
        const host = await startHot({ server });
        try {
            host.plugins.put(build('v2'));
            await eventually(async () => (await host.version()) === 2, 'version 2');
            for (let i = 0; i < 3; i++) await crash(host, 'loop');
            await eventually(async () => (await host.version()) === 1, 'version 1');
        } finally {
            await host.end({ crashes: true });
        }
    });

    it('without an earlier build: 503 function_quarantined, others are served, and a probe ends it', options, async () => {
        const host = await startHot({
            server,
            functions: { hot: { auth: 'public' }, other: { auth: 'public', plugin: 'hot' } },
        });
        try {
            for (let i = 0; i < 3; i++) await crash(host);
            const refused = await eventually(async () => {
                const answer = await host.call();
                return answer.status === 503 && answer;
            }, 'the quarantine');
            assert.equal((await refused.json()).code, 'function_quarantined');
            const seconds = Number(refused.headers.get('retry-after'));
            assert.ok(seconds >= 1 && seconds <= 10, `${seconds}`);
            assert.equal((await host.status()).state, 'quarantined');
            assert.equal((await host.call({}, 'other')).status, 200);
            await eventually(async () => (await host.call()).status === 200, 'the probe', 20000);
            assert.equal((await host.call()).status, 200);
            assert.equal((await host.status()).state, 'serving');
            await host.logged((entry) => entry.event === 'generation_recovered');

            host.plugins.put(build('v2'));
            await eventually(async () => (await host.version()) === 2, 'another build');
        } finally {
            await host.end({ crashes: true });
        }
    });
});

describe('reload: canary', options, () => {
    const canary = (percent) => ({ hot: { auth: 'user', canary: percent } });

    /* The version that each of a hundred users gets, asked twice. */
    async function share(host) {
        const versions = await Promise.all(
            Array.from({ length: 100 }, async (_, i) => {
                const token = await mint(`user_${i}`);
                const ask = async () => {
                    const answer = await fetch(`${host.url}/functions/v1/hot`, {
                        method: 'POST',
                        headers: { authorization: `Bearer ${token}` },
                    });
                    assert.equal(answer.status, 200);
                    const { version, state } = await answer.json();
                    assert.equal(version, state);
                    return version;
                };
                const first = await ask();
                assert.equal(await ask(), first, 'always the same for a user');
                return first;
            }),
        );
        return versions.filter((version) => version === 2).length;
    }

    it('a share of the callers, always the same ones; promoted, or rolled back', options, async () => {
        const host = await startHot({ functions: canary(20) });
        try {
            host.plugins.put(build('v2'));
            const line = await host.logged((entry) => entry.event === 'canary_live');
            assert.equal(line.percent, 20);
            const tried = await share(host);
            assert.ok(tried >= 8 && tried <= 35, `${tried} of 100`);
            assert.equal((await host.status()).canary, line.generation);

            assert.equal((await host.edge('rollback', 'hot')).code, 0);
            assert.equal(await share(host), 0);
            assert.equal((await host.status()).canary, undefined);

            assert.equal((await host.edge('reload', 'hot')).code, 0);
            assert.equal(await share(host), tried, 'the same users');
            assert.equal((await host.edge('promote', 'hot')).code, 0);
            assert.equal(await share(host), 100);
            assert.equal((await host.edge('promote', 'hot')).code, 1, 'there is none any more');
        } finally {
            await host.end();
        }
    });

    it('a canary that functions.toml does not ask for any more serves everybody', options, async () => {
        const host = await startHot({ functions: canary(10) });
        try {
            host.plugins.put(build('v2'));
            await host.logged((entry) => entry.event === 'canary_live');
            host.configure(canary(0));
            await host.live(1);
            assert.equal(await share(host), 100);
        } finally {
            await host.end();
        }
    });
});
