/*
 * Fault loops: a request again and again with its 1st, 2nd, 3rd … allocation refused (runtime/plugin/test_fault.h),
 * and a look at what its worker holds.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

import { eventually, sleep } from './host.mjs';

/* A loop that comes to no end is a defect as well. */
const ALLOCATIONS_MAX = 20000;

export const workers = (host) =>
    execFileSync('pgrep', ['-P', String(host.child.pid)]).toString().trim().split('\n').map(Number);

/* Descriptors of a process by what they are: files and pipes by name, sockets by their number. */
function descriptors(pid) {
    const open = { sockets: 0, others: [] };
    for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
        let target;
        try {
            target = fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
        } catch {
            continue;
        }
        if (target.startsWith('socket:')) open.sockets++;
        else open.others.push(target);
    }
    open.others.sort();
    return open;
}

const resident = (pid) => Number(/^RssAnon:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

export async function gauges(host, ...names) {
    const text = await (await fetch(`${host.url}/_edge/metrics`)).text();
    return names.map((name) =>
        [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce((sum, [, value]) => sum + Number(value), 0));
}

/* What a host with one worker holds. */
export function holdings(host) {
    const [pid] = workers(host);
    return { pid, resident: resident(pid), ...descriptors(pid) };
}

/*
 * The worker is the same one and has let go of everything: no connection of the pool is busy, no call is under way,
 * no file is open that was not before. Sockets that clients and providers keep alive come and go.
 */
export async function assertNothingHeld(host, before) {
    await eventually(async () => (await gauges(host, 'edge_db_busy', 'edge_db_waiting', 'edge_provider_active', 'edge_provider_queued')).every((value) => value === 0),
        'connections and calls to be given back', 20000);
    await eventually(() => holdings(host).sockets <= before.sockets + 8, 'sockets to be closed', 20000);
    const after = holdings(host);
    assert.equal(after.pid, before.pid, 'the worker is another one');
    assert.deepEqual(after.others, before.others, 'descriptors');
    assert.ok(!host.log.some(({ event }) => ['worker_died', 'worker_hangs', 'function_crashed', 'descriptors_leaked'].includes(event)), host.text());
    return after;
}

/* Whether the request came to the allocation that was to be refused; known once all of it has been released. */
async function happened(host, requestId, from) {
    const end = Date.now() + 30000;
    for (;;) {
        for (let i = from; i < host.log.length; i++)
            if (host.log[i].event === 'test_fault' && host.log[i].requestId === requestId) return host.log[i].happened;
        if (Date.now() > end) throw new Error(`The invocation ${requestId} was not released:\n${host.log.slice(from).map((line) => JSON.stringify(line)).join('\n')}`);
        await sleep(1);
    }
}

/*
 * Calls send(headers, n) with the n-th allocation refused, n = 1, 2, …, until one is not reached any more. send answers
 * { status, body, headers }; check(answer, n) looks at what was left behind. lasting: the n-th and all after it.
 * Returns the number of calls whose allocation was refused.
 */
export async function refuseEachAllocation(host, { send, check, lasting = false }) {
    for (let n = 1; n <= ALLOCATIONS_MAX; n++) {
        const from = host.log.length;
        const answer = await send({ 'x-test-fault': `${n}${lasting ? '-' : ''}` }, n);
        const requestId = answer.headers.get('x-request-id');
        /* The first is the invocation itself: where there is none, nothing is released. */
        const reached = n === 1 || (await happened(host, requestId, from));
        try {
            await check(answer, n, reached);
        } catch (error) {
            const lines = host.log.slice(from).map((line) => JSON.stringify(line)).join('\n');
            throw new Error(`allocation ${n}${lasting ? ' and all after it' : ''} refused: ${error.message}\n${JSON.stringify(answer.body)}\n${lines}`);
        }
        if (!reached) return n - 1;
    }
    throw new Error(`After ${ALLOCATIONS_MAX} allocations there were still more`);
}

/* An answer to a call whose memory was refused: the function's own when it could do without, else one of these. */
export function assertCleanAnswer({ status, body }) {
    if (status < 400) return true;
    assert.ok((status === 500 && body.code === 'memory_limit') || (status === 503 && body.code === 'overloaded'), `${status} ${body.code}`);
    assert.equal(typeof body.error, 'string');
    assert.equal(typeof body.requestId, 'string');
    return false;
}
