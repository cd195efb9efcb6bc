/*
 * docs/performance.md, written from results.json: what each row found when it was last run.
 */
const line = (cells) => `| ${cells.join(' | ')} |`;

function tableText({ columns, rows, title }) {
    const alignment = columns.map((_, i) => (i === 0 ? '---|' : '---:|')).join('');
    return [...(title ? [title, ''] : []), line(columns), `|${alignment}`, ...rows.map(line), ''].join('\n');
}

const verdict = (met) => (met ? 'yes' : '**no**');

const machineText = (machine) => Object.entries(machine).map(([name, value]) => line([name, value])).join('\n');

/* Where a row was measured on something else than what stands above. */
function difference(machine, newest) {
    const other = Object.entries(machine).filter(([name, value]) => newest[name] !== value);
    return other.length ? ` Measured on: ${other.map(([name, value]) => `${name} ${value}`).join(', ')}.` : '';
}

function section({ name, method, tables, measuredAt, rounds, machine }, newest) {
    const when = `${measuredAt.slice(0, 10)}, medians of ${rounds} round${rounds === 1 ? '' : 's'}.${difference(machine, newest)}`;
    return [`## ${name}`, '', method, '', when, '', ...tables.map(tableText)].join('\n');
}

/* results: [{ row, name, goal, method, tables, goals, measuredAt, rounds, machine }] in the page's order. */
export function page(results) {
    const newest = results.reduce((latest, result) => (result.measuredAt > latest.measuredAt ? result : latest)).machine;
    const goals = results.flatMap(({ name, goals: of }) => of.map(({ goal, measured, met }) => line([name, goal, measured, verdict(met)])));
    return `# Performance

Written by \`scripts/bench\`; \`tests/bench/README.md\` says how it measures. Everything runs on one machine in one run, each server
alone on one core, the load generator on another. CPU time is that of all the server's processes. Only ratios within a table carry
over to other machines.

## Goals

| work | goal | measured | met |
|---|---|---:|---|
${goals.join('\n')}

## Machine and versions

| | |
|---|---|
${machineText(newest)}

${results.map((result) => section(result, newest)).join('\n')}`;
}
