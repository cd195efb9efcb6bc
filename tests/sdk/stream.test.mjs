/*
 * Streams (edge/stream.h) that several fibers of one function write.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { sleep, startHost } from '../support/host.mjs';
import { allEvents } from '../support/streams.mjs';
import { options } from '../support/suite.mjs';

let host;

before(async () => {
    host = await startHost({
        sandbox: false,
        readyPath: '/_edge/live',
        server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1 },
        functions: { slow: { auth: 'public' } },
    });
}, options);
after(() => host?.stop(), options);

it('a slow reader holds all of them back, and each goes on to its end', options, async () => {
    const answer = await fetch(`${host.url}/functions/v1/slow`, {
        method: 'POST',
        body: JSON.stringify({ events: 200, bytes: 20000, fibers: 4 }),
    });
    await sleep(300); /* more than the sockets hold is waiting by now */
    const all = await allEvents(answer);
    assert.equal(all.at(-1).event, 'final');
    const counts = new Map();
    for (const { data } of all.slice(0, -1)) counts.set(data.n, (counts.get(data.n) ?? 0) + 1);
    assert.deepEqual([...counts.values()], Array(200).fill(4));
});
