/*
 * The host's own binary replaced under load: no request is lost, the process stays the same, and a binary that is no
 * good changes nothing.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { eventually } from '../support/host.mjs';
import { startHot } from '../support/reload.mjs';

const options = { timeout: 90000 };

/* Clients that ask for as long as work goes on; what did not answer 200. */
async function underLoad(host, count, work) {
    let stop = false;
    let answered = 0;
    const failures = [];
    const clients = Array.from({ length: count }, async () => {
        while (!stop) {
            const answer = await host.call({ ms: 5 }).catch((error) => ({ status: String(error.cause ?? error) }));
            if (answer.status !== 200) failures.push(answer.status);
            else await answer.arrayBuffer();
            answered++;
        }
    });
    try {
        await work();
    } finally {
        stop = true;
        await Promise.all(clients);
    }
    assert.deepEqual(failures, []);
    assert.ok(answered > count);
}

describe('upgrade', options, () => {
    it('another binary takes over: same process, no request lost, what ran is finished', options, async () => {
        const binary = path.join(fs.mkdtempSync(path.join(buildDirectory, 'upgrade-')), 'edge');
        fs.copyFileSync(path.join(buildDirectory, 'edge'), binary);
        const host = await startHot({ server: { drain_timeout: '12s' } });
        try {
            const running = host.version({ ms: 2500 });
            await underLoad(host, 6, async () => {
                const { code, stderr } = await host.edge('upgrade', binary);
                assert.equal(code, 0, stderr);
                await host.logged((entry) => entry.event === 'upgraded');
            });
            assert.equal(await running, 1);
            assert.equal(fs.realpathSync(`/proc/${host.child.pid}/exe`), fs.realpathSync(binary));
            assert.equal(await host.version(), 1);

            await underLoad(host, 4, async () => {
                assert.equal((await host.edge('upgrade', path.join(buildDirectory, 'edge'))).code, 0, 'and back');
                await eventually(() => host.log.filter((entry) => entry.event === 'upgraded').length === 2, 'the second');
            });
        } finally {
            await host.end();
            fs.rmSync(path.dirname(binary), { recursive: true });
        }
    });

    it('a binary that is none, or refuses the configuration, changes nothing', options, async () => {
        const host = await startHot();
        try {
            const missing = await host.edge('upgrade', '/nonexistent/edge');
            assert.equal(missing.code, 1);
            assert.equal((await host.edge('upgrade', '/bin/false')).code, 0, 'the rehearsal tells, in the log');
            const line = await host.logged((entry) => entry.event === 'upgrade_refused');
            assert.equal(line.exitStatus, 1);
            assert.equal(await host.version(), 1);
        } finally {
            await host.end();
        }
    });
});
