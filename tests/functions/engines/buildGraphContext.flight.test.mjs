/*
 * buildGraphContext: one rebuild at a time for a user, in whatever worker and host; what those who wait are answered.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { CONTEXT } from '../../support/engines.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const functions = ['buildGraphContext', 'computePulse', 'computeGane', 'computeMoro'];
const graph = suite({ functions });
const rows = (...query) => graph.database.rows(...query);
const call = (id, body = {}, host = graph.host) => graph.call('buildGraphContext', id, body, { host });
const requests = async () => (await graph.gateway.requests()).length;
const lease = (id, seconds) =>
    rows(`INSERT INTO edge.leases (name, owner, expires_at) VALUES ('buildGraphContext:' || $1, 'somebody', now() + make_interval(secs => $2))`, [id, seconds]);
const cache = (id, expires) =>
    rows(`INSERT INTO graph_context_cache (user_id, context, expires_at) VALUES ($1, $3, now() + $2::interval)`, [id, expires, CONTEXT]);

describe('buildGraphContext: single flight', options, () => {
    it('many callers at two hosts on one database cause one rebuild', options, async () => {
        const id = await graph.agent();
        await graph.gateway.order({ delayMs: 300, content: '{"message": "One for all"}' });
        const env = { LOVABLE_AI_BASE_URL: `${graph.host.url}/sandbox/lovable_ai` };
        await withHost({ functions, database: graph.database.url, env }, async (other) => {
            const answers = await Promise.all(
                Array.from({ length: 24 }, (_, i) => call(id, {}, i % 2 ? other : graph.host)),
            );
            for (const { status, body } of answers) {
                assert.equal(status, 200);
                assert.equal(body.insights.message, 'One for all');
            }
            assert.equal(new Set(answers.map(({ body }) => body.timestamp)).size, 1, 'all have the same context');
            assert.equal(answers.filter(({ body }) => !body.cache.hit).length, 1);
        });
        assert.equal(await requests(), 1);
        for (const engine of ['pulse', 'gane', 'moro'])
            assert.equal(await graph.database.count(`${engine}_engine_snapshots`, 'user_id = $1', [id]), 1);
        assert.equal(await graph.database.count('edge.leases'), 0);
    });

    it('a fresh caller who waited takes what was written since; one who recomputes does not', options, async () => {
        const id = await graph.agent();
        await cache(id, '1 hour');
        await graph.gateway.order({ delayMs: 400 });
        const first = call(id, { fresh: true });
        await graph.gateway.arrived(1);
        const [waited, anew] = await Promise.all([call(id, { fresh: true }), call(id, { recompute: true }), first]);
        assert.notEqual(waited.body.timestamp, CONTEXT.timestamp);
        assert.equal(waited.body.cache.hit, true);
        assert.equal(anew.body.cache.hit, false);
        assert.equal(await requests(), 2);
    });

    it('users do not wait for one another', options, async () => {
        const id = await graph.agent();
        await lease(await graph.agent(), 60);
        assert.equal((await call(id)).body.cache.hit, false);
        await rows('DELETE FROM edge.leases');
    });

    it('a lease whose host died runs out', options, async () => {
        const id = await graph.agent();
        await lease(id, 0.5);
        const { status, body } = await call(id);
        assert.equal(status, 200);
        assert.equal(body.cache.hit, false);
        assert.equal(await graph.database.count('edge.leases'), 0);
    });

    it('after 12 seconds, or fewer as set: the old context, or 504', options, async () => {
        const id = await graph.agent(), other = await graph.agent();
        for (const user of [id, other]) await lease(user, 60);
        await cache(id, '-1 day');
        const settings = { functions, database: graph.database.url, env: { GRAPH_CONTEXT_WAIT_MS: '400' } };
        const [old, none] = await withHost(settings, (host) => Promise.all([call(id, {}, host), call(other, {}, host)]));
        await rows('DELETE FROM edge.leases');
        assert.equal(old.status, 200);
        assert.equal(old.body.timestamp, CONTEXT.timestamp);
        assert.equal(old.body.cache.stale, true);
        assertRefused(none, 504, 'timeout');
        assert.equal(none.body.type, 'timeout');
        assert.equal(await requests(), 0);
    });

    it('a caller who leaves has the context built all the same', options, async () => {
        const id = await graph.agent();
        await graph.gateway.order({ delayMs: 300 });
        const leaving = new AbortController();
        const gone = fetch(`${graph.host.url}/functions/v1/buildGraphContext`, {
            method: 'POST',
            headers: { authorization: `Bearer ${await mint(id)}` },
            signal: leaving.signal,
        });
        await graph.gateway.arrived(1);
        leaving.abort();
        await assert.rejects(gone);
        const { body } = await call(id);
        assert.equal(body.cache.hit, true);
        assert.equal(await requests(), 1);
    });
});
