/*
 * A million requests and a thousand reloads: what the host holds after a tenth of them and at the end.
 */
import { gauges } from '../../support/faults.mjs';
import { SERVICE_KEY, eventually } from '../../support/host.mjs';
import { build, startHot } from '../../support/reload.mjs';
import { holdings } from '../../support/reload_load.mjs';
import { atMost, request } from '../bench.mjs';
import { load } from '../generator.mjs';

export const name = '1,000,000 requests, 1,000 reloads';
export const goal = 'resident memory and descriptors flat';

/* What allocators and caches may still take is no growth a request: 2 % over nine tenths of the work. */
const GROWTH_MAX = 1.02;

const hot = request('POST', '/functions/v1/hot', {}, '{}');

async function revision(host) {
    const answer = await fetch(`${host.url}/_edge/functions`, { headers: { authorization: `Bearer ${SERVICE_KEY}` } });
    return (await answer.json()).revision;
}

async function reload(host, count) {
    for (let i = 0; i < count; i++) {
        const before = await revision(host);
        host.plugins.put(build(before % 2 ? 'v2' : 'v1'));
        await eventually(async () => (await revision(host)) > before, 'a reload', 30000);
    }
}

/* So many requests and reloads beside each other; answers how many requests there were. */
async function work(bench, host, requests, reloads) {
    let reloaded = false, done = 0;
    const reloading = reload(host, reloads).then(() => (reloaded = true));
    const loading = (async () => {
        while (done < requests || !reloaded) {
            const sample = await load(bench, host, { requests: [hot], expect: '"version"', warmup: 0, seconds: bench.quick ? 1 : 5 });
            done += sample.requests;
        }
    })();
    await Promise.all([reloading, loading]);
    return done;
}

/* At rest: the only connection left is the one that asks. */
async function atRest(host) {
    await eventually(async () => (await gauges(host, 'edge_connections'))[0] <= 1, 'connections to be closed', 20000);
    return holdings(host);
}

export async function run(bench) {
    const [requests, reloads] = bench.quick ? [20000, 20] : [1000000, 1000];
    const host = await startHot({ server: { workers: 2, log_level: 'warn' } });
    try {
        const first = await work(bench, host, requests / 10, reloads / 10);
        const before = await atRest(host);
        const rest = await work(bench, host, requests - first, reloads - reloads / 10);
        return report({ requests: first + rest, reloads, before, after: await atRest(host) });
    } finally {
        await host.end();
    }
}

function report(figures) {
    const { requests, reloads, before, after } = figures;
    const line = (what, of) => [what, of(before), of(after)];
    return {
        figures,
        rounds: 1,
        method: `${requests.toLocaleString('en-US')} requests on 32 connections and ${reloads.toLocaleString('en-US')} reloads beside them, two workers. Read ` +
            'at rest, after the first tenth and at the end; sums of the supervisor and the workers.',
        tables: [{
            columns: ['', 'after a tenth', 'at the end'],
            rows: [
                line('private resident memory, KiB', ({ residentKib }) => residentKib.toLocaleString('en-US')),
                line('descriptors', ({ descriptors }) => String(descriptors)),
                line('mappings', ({ mappings }) => String(mappings)),
                line('processes', ({ processes }) => String(processes)),
                line('kept plugin files', ({ files }) => String(files)),
            ],
        }],
        goals: [
            atMost(`resident memory ≤ ${GROWTH_MAX} × that after a tenth`, after.residentKib / before.residentKib, GROWTH_MAX, ' ×'),
            atMost('descriptors: no more than after a tenth', after.descriptors - before.descriptors, 0),
        ],
    };
}
