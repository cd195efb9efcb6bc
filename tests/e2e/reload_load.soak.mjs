/*
 * 1,000 reloads under load: keep-alive and fresh connections, 200 event streams, 200 WebSockets. Zero failed requests;
 * memory, mappings and descriptors flat between reload 100 and reload 1,000.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { startHot } from '../support/reload.mjs';
import { assertFlat, reloadUnderLoad } from '../support/reload_load.mjs';

const options = { timeout: 880000 };

describe('1,000 reloads under load', options, () => {
    it('lose nothing, and nothing grows', options, async () => {
        const host = await startHot({ server: { workers: 2, log_level: 'info' } });
        try {
            const result = await reloadUnderLoad(host, { reloads: 1000, first: 100, streams: 200, sockets: 200, pace: 10 });
            console.log(`${result.done} requests; ${JSON.stringify(result.before)} -> ${JSON.stringify(result.after)}`);
            const visible = host.log.filter((line) => line.event === 'generation_live').map((line) => line.visibleUs).sort((a, b) => a - b);
            console.log(`visible after the gate's yes: median ${visible[500]} us, p99 ${visible[990]} us`);
            assert.deepEqual(result.failures.slice(0, 5), []);
            assertFlat(result);
        } finally {
            await host.end();
        }
    });
});
