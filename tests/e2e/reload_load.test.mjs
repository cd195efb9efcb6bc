/*
 * Reloads under load; reload_load.soak.mjs does the same a thousand times with more clients.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { startHot } from '../support/reload.mjs';
import { assertFlat, reloadUnderLoad } from '../support/reload_load.mjs';

const options = { timeout: 120000 };

describe('reload under load', options, () => {
    it('60 reloads: nothing is lost, each answer is of one build, nothing grows', options, async () => {
        const host = await startHot({ server: { workers: 2, log_level: 'info' } });
        try {
            const result = await reloadUnderLoad(host, { reloads: 60, first: 20, streams: 10, sockets: 10, pace: 5 });
            assert.deepEqual(result.failures, []);
            assert.ok(result.done > 60, `${result.done} requests`);
            assert.equal(result.builds, 4, 'two builds, as answers and as messages');
            assertFlat(result);
        } finally {
            await host.end();
        }
    });
});
