/*
 * What a second worker is worth, with a function that computes for a quarter of a millisecond.
 *
 * On two cores the load generator takes some of the second worker's. A request costs it a few microseconds whatever the
 * function does, so beside 250 µs of the function it takes 2 to 4 % of one core, and the most that can be measured is 1.96 to
 * 1.98. The table says how much it was. With a third core it has that.
 *
 * Where other work takes the cores, requests a second say nothing. CPU a request still does: what two workers do to each
 * other (caches, the kernel's locks, our shared memory) is in it, and 1.1 × as much leaves 1.8 × of two cores.
 */
import { atLeast, atMost, request, table } from '../bench.mjs';
import { startEdge } from '../servers.mjs';

export const name = 'One worker and two';
export const goal = 'two workers on two cores answer ≥ 1.8 × as many requests as one';

const TARGET = '/functions/v1/compute';
const ONE = 'one worker';
const TWO = 'two workers';

const contender = (title, workers) => ({
    name: title,
    start: (bench) => startEdge({ functions: { compute: { auth: 'public' } }, server: { workers }, cpus: bench.cpus.pair })(bench),
});

export async function run(bench) {
    const measured = await bench.compare([contender(ONE, 1), contender(TWO, 2)], async (server) => {
        const { perSecond, cpuUs, busy, generatorCpuUs, p50Us, p99Us } =
            await server.load({ requests: [request('GET', TARGET)], expect: '"result"' });
        return { perSecond, cpuUs, busy, generatorBusy: (generatorCpuUs * perSecond) / 1e6, p50Us, p99Us };
    });
    const ratio = (figure) => measured[TWO][figure] / measured[ONE][figure];
    return {
        figures: measured,
        method: 'A function that computes for about 250 µs, on 32 connections; the host\'s processes may use two cores in both cases. Where ' +
            'the machine has only these two, the load generator runs on the second one, and takes the share of a core that is shown.',
        tables: [
            table(measured, [
                { title: 'requests/s', of: ({ perSecond }) => perSecond, digits: 0 },
                { title: 'CPU µs a request', of: ({ cpuUs }) => cpuUs },
                { title: 'cores used', of: ({ busy }) => busy, digits: 2 },
                { title: 'by the generator', of: ({ generatorBusy }) => generatorBusy, digits: 2 },
                { title: 'p50 µs', of: ({ p50Us }) => p50Us, digits: 0 },
                { title: 'p99 µs', of: ({ p99Us }) => p99Us, digits: 0 },
            ]),
        ],
        goals: [
            atLeast('requests a second of two workers ≥ 1.8 × those of one', ratio('perSecond'), 1.8, ' ×'),
            atMost('CPU a request of two workers ≤ 1.1 × that of one', ratio('cpuUs'), 1.1, ' ×'),
        ],
    };
}
