/*
 * The least a function can do, asked for over keep-alive connections: what the host itself costs.
 */
import { atMost, request, table } from '../bench.mjs';
import { DENO, HELLO, LIMIT, NGINX, OURS, QUIET, hellos } from '../servers.mjs';

export const name = 'Hello as JSON';
export const goal = 'CPU a request ≤ Deno\'s and nginx\'s in the same run, ≤ 1.5 × the bare epoll limit; a log line a request ≤ 5 %';

/* Of the paced samples, requests a second: what the slowest peer still does easily. */
const RATE = 5000;

export const hello = { requests: [request('GET', HELLO)], expect: '{"message":"hello"}' };

export async function run(bench) {
    const measured = await bench.compare(hellos, async (server) => {
        const most = await server.load(hello);
        const memoryMiB = server.residentBytes() / 2 ** 20;
        const paced = await server.load({ ...hello, rate: RATE });
        const { p50Us, p99Us, p999Us } = paced;
        return { cpuUs: most.cpuUs, perSecond: most.perSecond, busy: most.busy, pacedCpuUs: paced.cpuUs, p50Us, p99Us, p999Us, memoryMiB };
    });
    const ratio = (other) => measured[OURS].cpuUs / measured[other].cpuUs;
    return {
        figures: measured,
        method: 'A GET on 32 keep-alive connections. CPU a request and requests a second: as many as the server answers. Latency and the ' +
            `last CPU column: ${RATE.toLocaleString('en-US')} requests a second on a schedule, latency counted from when each was due.`,
        tables: [
            table(measured, [
                { title: 'CPU µs a request', of: ({ cpuUs }) => cpuUs, digits: 2 },
                { title: '× limit', of: ({ cpuUs }) => cpuUs / measured[LIMIT].cpuUs, digits: 2 },
                { title: 'requests/s', of: ({ perSecond }) => perSecond, digits: 0 },
                { title: 'core busy %', of: ({ busy }) => busy * 100, digits: 0 },
                { title: 'p50 µs', of: ({ p50Us }) => p50Us, digits: 0 },
                { title: 'p99 µs', of: ({ p99Us }) => p99Us, digits: 0 },
                { title: 'p99.9 µs', of: ({ p999Us }) => p999Us, digits: 0 },
                { title: 'CPU µs, paced', of: ({ pacedCpuUs }) => pacedCpuUs, digits: 2 },
                { title: 'memory MiB', of: ({ memoryMiB }) => memoryMiB },
            ], OURS),
        ],
        goals: [
            atMost('CPU a request ≤ Deno\'s', ratio(DENO), 1, ' ×'),
            atMost('CPU a request ≤ nginx\'s, which writes no access log', ratio(NGINX), 1, ' ×'),
            atMost('CPU a request ≤ 1.5 × the bare epoll limit', ratio(LIMIT), 1.5, ' ×'),
            atMost('a log line a request ≤ 5 %', (ratio(QUIET) - 1) * 100, 5, ' %'),
        ],
    };
}
