/*
 * All functions of functions.toml, with two workers: from the start of the process to ready, the gate's and the loading's
 * share of it, and the memory that is resident when nothing has been asked yet.
 */
import { startDatabase } from '../../support/data.mjs';
import { workers } from '../../support/faults.mjs';
import { atMost, median, proportionalBytes, table } from '../bench.mjs';
import { functions, startProduction } from '../production.mjs';

export const name = `${functions.length} functions loaded`;
export const goal = 'start to ready ≤ 100 ms; ≤ 12 MiB a worker, shared pages by their share; ≤ 30 MiB for supervisor and two workers';

const mib = (pid) => proportionalBytes(pid) / 2 ** 20;

async function oneStart(database) {
    const host = await startProduction(database.url);
    try {
        const events = (event) => host.log.filter((line) => line.event === event);
        await host.logged(() => events('functions_loaded').length === 2, 'both workers to say what they have loaded');
        const loads = events('functions_loaded');
        if (loads.some(({ count, refused }) => count !== functions.length || refused !== 0)) throw new Error(host.text());
        const memory = workers(host).map(mib);
        return {
            readyMs: host.readyMs,
            gateMs: events('functions_gated')[0].us / 1000,
            loadMs: Math.max(...loads.map(({ us }) => us)) / 1000,
            workerMiB: Math.max(...memory),
            allMiB: mib(host.child.pid) + memory.reduce((sum, one) => sum + one),
        };
    } finally {
        await host.stop();
    }
}

export async function run(bench) {
    const database = await startDatabase();
    const starts = [];
    try {
        for (let i = 0; i < bench.rounds * 2; i++) starts.push(await oneStart(database));
    } finally {
        await database.stop();
    }
    const figures = Object.fromEntries(Object.keys(starts[0]).map((figure) => [figure, median(starts.map((start) => start[figure]))]));
    return {
        figures,
        method: 'functions.toml as it is deployed, its log in a pipe, files in the page cache. Ready: the first 200 of `/_edge/ready`, with ' +
            'every worker serving and the database connected. Memory: proportional set size before the first request.',
        tables: [
            table({ 'Pulse Edge': figures }, [
                { title: 'ready after ms', of: ({ readyMs }) => readyMs },
                { title: 'of them the gate', of: ({ gateMs }) => gateMs },
                { title: 'a worker loads', of: ({ loadMs }) => loadMs },
                { title: 'a worker MiB', of: ({ workerMiB }) => workerMiB },
                { title: 'supervisor and 2 workers MiB', of: ({ allMiB }) => allMiB },
            ]),
        ],
        goals: [
            atMost('start to ready ≤ 100 ms', figures.readyMs, 100, ' ms'),
            atMost('a worker ≤ 12 MiB', figures.workerMiB, 12, ' MiB'),
            atMost('supervisor and two workers ≤ 30 MiB', figures.allMiB, 30, ' MiB'),
        ],
    };
}
