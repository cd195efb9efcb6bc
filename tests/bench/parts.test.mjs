/*
 * What scripts/bench stands on: the load generator counts, keeps its schedule and notices wrong answers; the page says what
 * was found. No peers are needed.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { root } from '../support/config.mjs';
import { Bench, atLeast, atMost, median, opening, request, table } from './bench.mjs';
import { page } from './report.mjs';
import { HELLO, startEdge, startLimit } from './servers.mjs';

const options = { timeout: 60000 };
const hello = { requests: [request('GET', HELLO)], expect: '"message":"hello"', connections: 4, warmup: 0, seconds: 0.2 };
let bench, limit, edge;

before(async () => {
    bench = new Bench({ rounds: 2, quick: true });
    limit = await startLimit(bench);
    edge = await startEdge({ functions: { hello: { auth: 'public' }, echo: { auth: 'public' }, wsx_echo: { auth: 'public' } } })(bench);
}, options);

after(async () => {
    await Promise.all([limit?.stop(), edge?.stop()]);
    bench?.close();
}, options);

describe('bench: load', options, () => {
    it('counts answers and the CPU time that they took', options, async () => {
        const sample = await edge.load(hello);
        assert.ok(sample.requests >= 4 && sample.seconds >= 0.2);
        assert.ok(Math.abs(sample.perSecond * sample.seconds - sample.requests) < 1);
        assert.ok(sample.cpuUs > 0 && Math.abs(sample.busy - (sample.cpuUs * sample.perSecond) / 1e6) < 1e-6);
        assert.ok(sample.p50Us > 0 && sample.p50Us <= sample.p99Us && sample.p99Us <= sample.p999Us && sample.p999Us <= sample.maxUs);
    });

    it('says what it counted: the host has answered as many, and what was under way', options, async () => {
        const answered = async () => {
            const metrics = await (await fetch(`${edge.url}/_edge/metrics`)).text();
            return Number(/^edge_requests_total\{[^}]*function="echo"[^}]*\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
        };
        const begun = await answered();
        const { requests } = await edge.load({ ...hello, requests: [request('GET', '/functions/v1/echo')], expect: '"method":"GET"' });
        const counted = (await answered()) - begun;
        assert.ok(counted >= requests && counted <= requests + hello.connections, `${counted} answered, ${requests} counted`);
    });

    it('with a rate sends what is due and no more', options, async () => {
        const { requests } = await limit.load({ ...hello, rate: 200, seconds: 0.5 });
        assert.ok(requests >= 50 && requests <= 101, `${requests} of 100`);
    });

    it('sends its requests in turn', options, async () => {
        const requests = ['a', 'b'].map((q) => request('GET', `/functions/v1/echo?q=${q}`));
        await edge.load({ ...hello, requests, expect: '"q":"' });
        await assert.rejects(edge.load({ ...hello, requests, expect: '"q":"a"' }), /does not contain/);
    });

    it('speaks to a WebSocket', options, async () => {
        const said = 'x'.repeat(200);
        const { requests } = await edge.load({ ...hello, requests: [opening('/functions/v1/wsx_echo'), said], expect: said, websocket: true });
        assert.ok(requests >= 4);
    });

    it('fails at another status, and at another answer', options, async () => {
        await assert.rejects(edge.load({ ...hello, requests: [request('GET', '/none')] }), /200 was expected: HTTP\/1.1 404/);
        await assert.rejects(limit.load({ ...hello, expect: 'goodbye' }), /does not contain "goodbye"/);
    });

    it('keeps connections open beside it', options, async () => {
        const open = () => edge.pids().reduce((sum, pid) => sum + fs.readdirSync(`/proc/${pid}/fd`).length, 0);
        const alone = open();
        await edge.withIdle(50, hello.requests, hello.expect, async () => {
            assert.ok(open() >= alone + 50);
            await edge.load(hello);
        });
    });
});

describe('bench: rounds and the page', options, () => {
    it('each second round takes the contenders in the opposite order, and medians are compared', options, async () => {
        const order = [], values = { a: [1, 3], b: [10, 30] };
        const contender = (name) => ({ name, start: async () => ({ stop: async () => {} }) });
        const measured = await bench.compare([contender('a'), contender('b')], async (_, { name }) => (order.push(name), { figure: values[name].shift() }));
        assert.deepEqual(order, ['a', 'b', 'b', 'a']);
        assert.deepEqual(measured, { a: { figure: 2 }, b: { figure: 20 } });
        assert.equal(median([5, 1, 3]), 3);
    });

    it('a goal is met at its bound', options, () => {
        assert.deepEqual(atMost('g', 1.5, 1.5, ' ×'), { goal: 'g', measured: '1.5 ×', met: true });
        assert.equal(atMost('g', 1.51, 1.5).met, false);
        assert.equal(atLeast('g', 1.79, 1.8).met, false);
    });

    it('a table has a line a contender', options, () => {
        const made = table({ a: { x: 1234.5 }, b: { x: 2 } }, [{ title: 'x', of: ({ x }) => x }], 'a');
        assert.deepEqual(made, { columns: ['', 'x'], rows: [['**a**', '1,234.5'], ['b', '2.0']] });
    });

    it('docs/performance.md says what results.json has, and each of its rows is there', options, async () => {
        const results = JSON.parse(fs.readFileSync(path.join(root, 'tests/bench/results.json'), 'utf8'));
        assert.equal(fs.readFileSync(path.join(root, 'docs/performance.md'), 'utf8'), page(Object.values(results)));
        for (const row in results) {
            const { name, goal, run } = await import(path.join(root, 'tests/bench/rows', `${row}.mjs`));
            assert.deepEqual([typeof name, typeof goal, typeof run], ['string', 'string', 'function']);
        }
    });
});
