/*
 * Messages over WebSockets: a session that echoes, and a function that is called once a message.
 */
import { atLeast, opening, table } from '../bench.mjs';
import { DENO, NODE_WS, OURS, startDeno, startEdge, startNode } from '../servers.mjs';

export const name = 'Hello over a WebSocket';
export const goal = 'messages a CPU-second ≥ Deno\'s';

const OURS_CALLS = `${OURS}, a call a message`;
const DENO_CALLS = `${DENO}, JSON`;
const NODE_CALLS = `${NODE_WS}, JSON`;

const edge = startEdge({ functions: { wsx_echo: { auth: 'public' }, hello: { auth: 'public' } } });
const deno = startDeno('websocket.mjs', { path: '/' });
const node = startNode('websocket.mjs', { path: '/' });

const said = '{"text":"hello"}';
const echo = (target) => ({ requests: [opening(target), said], expect: said, websocket: true });
const answer = (target) => ({ requests: [opening(target), said], expect: '"data":{"message":"hello"}', websocket: true });

const contenders = [
    { name: OURS, start: edge, load: echo('/functions/v1/wsx_echo') },
    { name: DENO, start: deno, load: echo('/echo') },
    { name: NODE_WS, start: node, load: echo('/echo') },
    { name: OURS_CALLS, start: edge, load: answer('/functions/v1/hello') },
    { name: DENO_CALLS, start: deno, load: answer('/hello') },
    { name: NODE_CALLS, start: node, load: answer('/hello') },
];

export async function run(bench) {
    const measured = await bench.compare(contenders, async (server, { load }) => {
        const { cpuUs, perSecond } = await server.load(load);
        const { p50Us, p99Us, p999Us } = await server.load({ ...load, rate: 5000 });
        return { cpuUs, perCpuSecond: 1e6 / cpuUs, perSecond, p50Us, p99Us, p999Us };
    });
    const ratio = (ours, theirs) => measured[ours].perCpuSecond / measured[theirs].perCpuSecond;
    return {
        figures: measured,
        method: '32 sockets, a message of 16 bytes and its answer at a time. The first three echo it; of the others each message is JSON ' +
            'that is parsed and answered by an object with hello in it: with us an invocation with its log line, deadline and memory, ' +
            'with the peers `JSON.parse` and `JSON.stringify`. Latency at 5,000 messages a second on a schedule.',
        tables: [
            table(measured, [
                { title: 'CPU µs a message', of: ({ cpuUs }) => cpuUs, digits: 2 },
                { title: 'messages a CPU-second', of: ({ perCpuSecond }) => perCpuSecond, digits: 0 },
                { title: 'messages/s', of: ({ perSecond }) => perSecond, digits: 0 },
                { title: 'p50 µs', of: ({ p50Us }) => p50Us, digits: 0 },
                { title: 'p99 µs', of: ({ p99Us }) => p99Us, digits: 0 },
                { title: 'p99.9 µs', of: ({ p999Us }) => p999Us, digits: 0 },
            ], OURS),
        ],
        goals: [
            atLeast('echoed messages a CPU-second ≥ Deno\'s', ratio(OURS, DENO), 1, ' ×'),
            atLeast('answered messages a CPU-second ≥ Deno\'s', ratio(OURS_CALLS, DENO_CALLS), 1, ' ×'),
        ],
    };
}
