/*
 * Output tables: a development host compares answers with them and logs the first difference, a production host does
 * not; the OpenAPI document says what they say.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';

import { post } from '../support/clients.mjs';
import { buildDirectory } from '../support/config.mjs';
import { startHost } from '../support/host.mjs';

const options = { timeout: 60000 };
const settings = {
    sandbox: false, readyPath: '/_edge/live',
    server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1 },
    functions: { output_kinds: { auth: 'public' } },
};
const fits = { name: '', counts: { a: 1, b: 2 } };
const wrong = { name: 'x', counts: { a: 1, b: 'two' } };

async function answersOf(host) {
    for (const body of [fits, wrong]) assert.deepEqual((await post(host, 'output_kinds', { body })).body, body);
    await host.logged((line) => line.event === 'invocation' && line.function === 'output_kinds');
    return host.log.filter((line) => line.event === 'answer_mismatch');
}

describe('output tables', options, () => {
    it('are compared with answers on a development host, which go out all the same', options, async () => {
        const host = await startHost(settings);
        try {
            await answersOf(host);
            const line = await host.logged((entry) => entry.event === 'answer_mismatch');
            assert.equal(line.what, 'counts.b is no number');
            assert.equal(line.function, 'output_kinds');
            assert.equal(line.level, 'warn');
        } finally {
            await host.stop({ mismatches: true });
        }
    });

    it('are not on a production host', options, async () => {
        const host = await startHost({ ...settings, env: { EDGE_DEVELOPMENT_KEY: null, EDGE_SANDBOX: null } });
        try {
            assert.deepEqual(await answersOf(host), []);
        } finally {
            await host.stop();
        }
    });

    it('are in the OpenAPI document, with members of any name', options, async () => {
        const host = await startHost(settings);
        try {
            const document = await (await fetch(`${host.url}/_edge/openapi.json`)).json();
            const { schema } = document.paths['/functions/v1/output_kinds'].post.responses[200].content['application/json'];
            assert.deepEqual(schema.required, ['name']);
            assert.equal(schema.properties.name.minLength, undefined);
            assert.deepEqual(schema.properties.counts.additionalProperties, { type: 'integer' });
        } finally {
            await host.stop();
        }
    });
});
