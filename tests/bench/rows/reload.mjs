/*
 * How long requests to a function wait while it is reloaded: builds take turns without a pause, so that every request
 * of the window is one during a reload.
 */
import { eventually } from '../../support/host.mjs';
import { build, startHot } from '../../support/reload.mjs';
import { atMost, median, request, table } from '../bench.mjs';
import { load } from '../generator.mjs';

export const name = 'Reload of one function under load';
export const goal = 'p99.9 of requests during it ≤ 2 × p99.9 without';

const RATE = 2000;

const WITHOUT = 'without reloads', DURING = 'during reloads';

const live = (host) => host.log.filter(({ event }) => event === 'generation_live');

/* Reloads until the work has ended, well or badly. */
async function reloading(host, work) {
    let ended = false;
    const reload = async () => {
        for (let i = live(host).length; !ended; i++) {
            host.plugins.put(build(i % 2 ? 'v1' : 'v2'));
            await eventually(() => live(host).length > i, 'a reload', 30000);
        }
    };
    const [result] = await Promise.all([work.finally(() => (ended = true)), reload()]);
    return result;
}

export async function run(bench) {
    const samples = { [WITHOUT]: [], [DURING]: [] };
    const host = await startHot({ server: { workers: 2, log_level: 'info' } });
    const sample = () => load(bench, host, {
        requests: [request('POST', '/functions/v1/hot', {}, '{}')], expect: '"version"', rate: RATE, seconds: bench.quick ? 2 : 10,
    });
    let reloads;
    try {
        for (let round = 0; round < bench.rounds; round++) {
            samples[WITHOUT].push(await sample());
            samples[DURING].push(await reloading(host, sample()));
            bench.say(`  round ${round + 1}: p99.9 ${samples[WITHOUT].at(-1).p999Us} µs without, ${samples[DURING].at(-1).p999Us} µs during`);
        }
        reloads = live(host);
    } finally {
        await host.end();
    }
    return report(samples, reloads);
}

function report(samples, reloads) {
    const latencies = Object.fromEntries(Object.entries(samples).map(([which, all]) =>
        [which, Object.fromEntries(['p50Us', 'p99Us', 'p999Us', 'maxUs'].map((figure) => [figure, median(all.map((one) => one[figure]))]))]));
    const ms = (figure) => median(reloads.map((line) => line[figure])) / 1000;
    const figures = { ...latencies, reloads: reloads.length, gateMs: ms('gateUs'), visibleMs: ms('visibleUs') };
    return {
        figures,
        method: `${RATE.toLocaleString('en-US')} requests a second on 32 connections to two workers, on the same cores as the generator; latency counts from when a request was due. Builds ` +
            `take turns without a pause: ${figures.reloads} reloads, each ${figures.gateMs.toFixed(1)} ms in the gate and ${figures.visibleMs.toFixed(2)} ms ` +
            'from its yes until every worker serves the build (medians).',
        tables: [
            table(latencies, [
                { title: 'p50 µs', of: ({ p50Us }) => p50Us, digits: 0 },
                { title: 'p99 µs', of: ({ p99Us }) => p99Us, digits: 0 },
                { title: 'p99.9 µs', of: ({ p999Us }) => p999Us, digits: 0 },
                { title: 'longest µs', of: ({ maxUs }) => maxUs, digits: 0 },
            ]),
        ],
        goals: [atMost('p99.9 during reloads ≤ 2 × without', latencies[DURING].p999Us / latencies[WITHOUT].p999Us, 2, ' ×')],
    };
}
