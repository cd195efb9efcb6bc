/*
 * A function's first request against its next ones, in a worker that serves others already: every function that a signed-in
 * user or anybody may call is asked on fresh hosts, with an input made from its description. Those whose first request has
 * asked the database did some of their work; the others refused the input, or want a provider that is not configured.
 */
import net from 'node:net';

import { startDatabase } from '../../support/data.mjs';
import { eventually } from '../../support/host.mjs';
import { mint } from '../../support/tokens.mjs';
import { atMost, median, table } from '../bench.mjs';
import { functions, startProduction } from '../production.mjs';
import { sampleInputs } from '../sample_input.mjs';

export const name = 'First request to a function never called';
export const goal = '≤ 1 ms over a warm one';

const WARM_REQUESTS = 7;

/* What a person or anybody may call; */
const asked = functions.filter(({ auth }) => ['user', 'user_or_service', 'optional', 'public'].includes(auth)).map((one) => one.name).filter((one) => one !== 'computePulse');

/* What the worker needs once: its connections to the database, the token's verification, the path of an invocation. */
const WARMED_WITH = 'computePulse';

/* An answer of HTTP/1.1, of a length or in chunks. */
function isWhole(text) {
    const end = text.indexOf('\r\n\r\n') + 4, length = /^content-length: (\d+)\r$/m.exec(text)?.[1];
    return end > 3 && (length !== undefined ? Buffer.byteLength(text) >= end + Number(length) : text.endsWith('0\r\n\r\n'));
}

/* Requests over one connection; ask answers { status, ms }. */
async function connect(host, token) {
    const inputs = await sampleInputs(host);
    const socket = net.connect({ port: host.port, host: '127.0.0.1', noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const ask = (name) => {
        const body = JSON.stringify(inputs[name]);
        const head = `POST /functions/v1/${name} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
        const begun = performance.now();
        socket.write(head);
        return new Promise((resolve, reject) => {
            let text = '';
            const read = (data) => {
                const ms = performance.now() - begun;
                text += data;
                if (!isWhole(text)) return;
                socket.off('data', read);
                resolve({ status: Number(text.split(' ')[1]), ms });
            };
            socket.on('data', read).once('close', () => reject(new Error(`${name}: the connection was closed`)));
        });
    };
    socket.setMaxListeners(0);
    return { ask, close: () => socket.destroy() };
}

/* Every connection to the database is another one afterwards, and has served WARMED_WITH only, as before the first pass. */
async function reconnect(database, ask) {
    await database.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'edge_runtime' AND datname = current_database()`);
    await eventually(async () => (await ask(WARMED_WITH)).status === 200, 'new connections to the database');
    await warm(ask);
}

async function warm(ask) {
    for (let i = 0; i < 50; i++) await ask(WARMED_WITH);
}

/* Of one fresh host: { name: { coldMs, warmMs, preparedMs, status, queries } }. */
async function oneHost(database, token) {
    const host = await startProduction(database.url, { workers: 1, replace: (text) => text.replace(/^rate_limit = .*\n/gm, '') });
    const { ask, close } = await connect(host, token);
    const found = {};
    try {
        await warm(ask);
        for (const name of asked) {
            const first = await ask(name), next = [];
            for (let i = 0; i < WARM_REQUESTS; i++) next.push((await ask(name)).ms);
            found[name] = { coldMs: first.ms, warmMs: median(next), status: first.status };
        }
        await reconnect(database, ask);
        for (const name of asked) found[name].preparedMs = (await ask(name)).ms;
        for (const name of asked) found[name].queries = (await host.logged((line) => line.event === 'invocation' && line.function === name, name)).queries;
        return found;
    } finally {
        close();
        await host.stop();
    }
}

const share = (values, at) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * at))];

/* A function's figures: medians of its hosts'. */
function one([name, hosts]) {
    const of = (figure) => median(hosts.map(figure));
    return {
        name, status: hosts[0].status, queries: hosts[0].queries, warmMs: of(({ warmMs }) => warmMs), overMs: of(({ coldMs, warmMs }) => coldMs - warmMs),
        databaseMs: of(({ preparedMs, warmMs }) => preparedMs - warmMs),
    };
}

function group(some) {
    const of = (figure, at) => share(some.map((each) => each[figure]), at);
    return { functions: some.length, warmMs: of('warmMs', 0.5), medianMs: of('overMs', 0.5), p90Ms: of('overMs', 0.9), worstMs: of('overMs', 1), databaseMs: of('databaseMs', 0.5) };
}

function report(found) {
    const each = Object.entries(found).map(one);
    const figures = {
        'all that were asked': group(each),
        'asked the database': group(each.filter(({ queries }) => queries > 0)),
        'answered without it': group(each.filter(({ queries }) => queries === 0)),
    };
    const worst = [...each].sort((a, b) => b.overMs - a.overMs).slice(0, 5);
    return {
        figures: { ...figures, worst },
        method: 'Every function that a signed-in user or anybody may call, with an input made from its description, on fresh hosts of one worker that has served ' +
            `${WARMED_WITH} 50 times. Over warm: the first request's time less the median of the next ${WARM_REQUESTS}; a function's is the median of its ` +
            'hosts. A connection\'s first: the same of a warm function over a new connection to the database, which prepares and plans its statements.',
        tables: [
            table(figures, [
                { title: 'functions', of: ({ functions: count }) => count, digits: 0 },
                { title: 'warm, ms', of: ({ warmMs }) => warmMs, digits: 2 },
                { title: 'over warm, ms: median', of: ({ medianMs }) => medianMs, digits: 2 },
                { title: 'p90', of: ({ p90Ms }) => p90Ms, digits: 2 },
                { title: 'worst', of: ({ worstMs }) => worstMs, digits: 2 },
                { title: 'a connection\'s first, median', of: ({ databaseMs }) => databaseMs, digits: 2 },
            ]),
            {
                columns: ['longest over warm', 'status', 'queries', 'ms', 'a connection\'s first'],
                rows: worst.map(({ name: function_, status, queries, overMs, databaseMs }) => [function_, String(status), String(queries), overMs.toFixed(2), databaseMs.toFixed(2)]),
            },
        ],
        goals: [
            atMost('over a warm one ≤ 1 ms, median of the functions', figures['all that were asked'].medianMs, 1, ' ms'),
            atMost('the same of those that asked the database', figures['asked the database'].medianMs, 1, ' ms'),
        ],
    };
}

export async function run(bench) {
    const database = await startDatabase();
    const found = {}; /* name: what oneHost says of it, one a host */
    try {
        await database.person('user_cold');
        const token = await mint('user_cold');
        for (let i = 0; i < bench.rounds; i++)
            for (const [name, one] of Object.entries(await oneHost(database, token))) (found[name] ??= []).push(one);
    } finally {
        await database.stop();
    }
    return report(found);
}
