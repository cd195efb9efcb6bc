/*
 * From saving a function's source to the first answer of its new build, with `edge dev` in a project of two functions.
 */
import { Project, source } from '../../support/dev.mjs';
import { sleep } from '../../support/host.mjs';
import { atMost, median } from '../bench.mjs';

export const name = 'edge dev: from save to live';
export const goal = 'under 500 ms for one function';

const SAVES = 10, ASK_EACH_MS = 2;

async function save(project, dev, version) {
    const begun = performance.now();
    project.write('first.c', source('first', version));
    while ((await dev.call('first')).body.version !== version) {
        if (performance.now() - begun > 20000) throw new Error(`Version ${version} is not served:\n${dev.told}`);
        await sleep(ASK_EACH_MS);
    }
    return performance.now() - begun;
}

export async function run() {
    const project = new Project();
    const tookMs = [];
    let told;
    try {
        const dev = await project.start();
        for (let i = 0; i < SAVES; i++) tookMs.push(await save(project, dev, 100 + i));
        told = dev.told;
    } finally {
        await project.end();
    }
    const builds = [...told.matchAll(/built in (\d+) ms/g)].map(([, ms]) => Number(ms)).slice(-SAVES);
    const figures = { medianMs: median(tookMs), longestMs: Math.max(...tookMs), buildMs: median(builds) };
    return {
        figures,
        rounds: 1,
        method: `${SAVES} saves, one after the other has become live; the function is asked each ${ASK_EACH_MS} ms. The build is Ninja and gcc alone, with -g.`,
        tables: [{
            columns: ['from save to the first answer', 'ms'],
            rows: [['median', figures.medianMs.toFixed(0)], ['longest', figures.longestMs.toFixed(0)], ['of the median the build', figures.buildMs.toFixed(0)]],
        }],
        goals: [atMost('median < 500 ms', figures.medianMs, 500, ' ms')],
    };
}
