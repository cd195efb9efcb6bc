/*
 * scripts/bench, once everything is installed and built: runs rows, keeps what they found in results.json, and writes
 * docs/performance.md.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { root } from '../support/config.mjs';
import { Bench } from './bench.mjs';
import { machine } from './machine.mjs';
import { page } from './report.mjs';

const here = path.join(root, 'tests', 'bench');
const resultsFile = path.join(here, 'results.json');

/* In the order of the page; a row that is not named here comes behind these. */
const ORDER = ['hello', 'idle', 'websocket', 'pulse', 'workers', 'token', 'start', 'cold', 'reload', 'streams', 'soak', 'save'];
const place = (row) => (ORDER.includes(row) ? ORDER.indexOf(row) : ORDER.length);

const known = fs.readdirSync(path.join(here, 'rows')).filter((file) => file.endsWith('.mjs')).map((file) => file.slice(0, -4))
    .sort((a, b) => place(a) - place(b) || a.localeCompare(b));

function options() {
    const { values, positionals } = parseArgs({
        allowPositionals: true,
        options: { rounds: { type: 'string' }, quick: { type: 'boolean' }, page: { type: 'boolean' } },
    });
    const wrong = positionals.filter((row) => !known.includes(row));
    if (wrong.length) throw new Error(`No row "${wrong[0]}". Rows: ${known.join(' ')}`);
    if (values.rounds !== undefined && !(Number(values.rounds) >= 1)) throw new Error('--rounds takes a number from 1');
    return { ...values, rows: positionals.length ? positionals : known, rounds: values.rounds && Number(values.rounds) };
}

async function runRow(row, bench) {
    const { name, goal, run } = await import(path.join(here, 'rows', `${row}.mjs`));
    bench.say(`${name} (${bench.rounds} round${bench.rounds === 1 ? '' : 's'})`);
    const result = { name, goal, rounds: bench.rounds, ...(await run(bench)), measuredAt: new Date().toISOString(), machine: machine() };
    for (const { goal: text, measured, met } of result.goals) console.log(`${met ? 'met    ' : 'not met'}  ${name}: ${text}: ${measured}`);
    return result;
}

const kept = () => (fs.existsSync(resultsFile) ? JSON.parse(fs.readFileSync(resultsFile, 'utf8')) : {});
const writePage = (results) => fs.writeFileSync(path.join(root, 'docs', 'performance.md'), page(results));

/* A quick run shows that everything works; its figures are not kept. */
function keep(row, result) {
    const all = { ...kept(), [row]: result };
    const results = Object.fromEntries(known.filter((each) => all[each]).map((each) => [each, all[each]]));
    fs.writeFileSync(resultsFile, `${JSON.stringify(results, null, 1)}\n`);
    writePage(Object.values(results));
}

async function runAll({ rows, quick, rounds }) {
    const bench = new Bench({ rounds, quick });
    for (const row of rows) {
        try {
            const result = await runRow(row, bench);
            if (quick) console.log(page([result]));
            else keep(row, result);
        } catch (error) {
            /* An hour of other rows is not to be lost by it. */
            console.error(`${row} failed: ${error.stack}`);
            process.exitCode = 1;
        }
    }
    bench.close();
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const chosen = options();
if (chosen.page) writePage(Object.values(kept()));
else await runAll(chosen);
