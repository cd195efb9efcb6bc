/*
 * Hello beside ten thousand connections that have been used once and wait.
 */
import { atMost, table } from '../bench.mjs';
import { DENO, NGINX, OURS, hellos } from '../servers.mjs';
import { hello } from './hello.mjs';

export const name = 'Hello with 10,000 idle connections';
export const goal = 'CPU a request ≤ 1.1 × without them; ≤ 6 KiB an idle connection';

const IDLE = 10000;

export async function run(bench) {
    const contenders = hellos.filter((contender) => [NGINX, OURS, DENO].includes(contender.name));
    const measured = await bench.compare(contenders, async (server) => {
        const alone = await server.load(hello);
        const before = server.residentBytes();
        return server.withIdle(IDLE, hello.requests, hello.expect, async () => {
            const idleBytes = (server.residentBytes() - before) / IDLE;
            const among = await server.load(hello);
            return { cpuUs: among.cpuUs, aloneCpuUs: alone.cpuUs, ratio: among.cpuUs / alone.cpuUs, idleBytes };
        });
    });
    return {
        figures: measured,
        method: 'As hello, in the same process before and after 10,000 more connections were opened and had an answer each. Memory is ' +
            'resident, what processes share counted by its share; the kernel\'s part of a socket is not in it.',
        tables: [
            table(measured, [
                { title: 'CPU µs without', of: ({ aloneCpuUs }) => aloneCpuUs, digits: 2 },
                { title: 'CPU µs with', of: ({ cpuUs }) => cpuUs, digits: 2 },
                { title: 'ratio', of: ({ ratio }) => ratio, digits: 2 },
                { title: 'bytes an idle connection', of: ({ idleBytes }) => idleBytes, digits: 0 },
            ], OURS),
        ],
        goals: [
            atMost('CPU a request ≤ 1.1 × without idle connections', measured[OURS].ratio, 1.1, ' ×'),
            atMost('≤ 6 KiB an idle connection', measured[OURS].idleBytes / 1024, 6, ' KiB'),
        ],
    };
}
