/*
 * An import of a million rows (spec data.md D9): under 64 MiB resident above idle, and within 60 s on a machine that does
 * nothing else. By `scripts/check --full`, or alone: node --test tests/e2e/import.soak.mjs
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { badGoals, goalsFile, postLines, residentBytes } from '../support/files.mjs';
import { sleep } from '../support/host.mjs';
import { suite } from '../support/suite.mjs';
import { mint } from '../support/tokens.mjs';

const MIB = 1024 * 1024;
const ROWS = 1000000;
const options = { timeout: 600000 };

const imports = suite({ functions: ['bulkImportData'], server: { max_body: '1GiB', workers: 1, body_timeout: '300s' } });

it('a million rows', options, async () => {
    const id = await imports.agent();
    const send = async (rows) =>
        postLines(
            `${imports.host.url}/functions/v1/bulkImportData?entityType=goals`,
            { authorization: `Bearer ${await mint(id)}`, 'content-type': 'text/csv', accept: 'application/x-ndjson' },
            goalsFile(rows),
        );
    await send(100);
    const idle = residentBytes(imports.host);
    let most = 0,
        done = false;
    const watch = (async () => {
        for (; !done; await sleep(20)) most = Math.max(most, residentBytes(imports.host));
    })();
    const { lines } = await send(ROWS);
    done = true;
    await watch;
    const result = lines.at(-1);
    console.log(`${result.durationMs} ms, ${((most - idle) / MIB).toFixed(1)} MiB above idle, ${lines.length - 1} progress lines`);
    assert.deepEqual([result.type, result.total, result.imported, result.errorCount], ['result', ROWS, ROWS - badGoals(ROWS), badGoals(ROWS)]);
    assert.ok(most - idle < 64 * MIB);
    assert.equal(await imports.database.count('goals'), ROWS - badGoals(ROWS) + 100);
});
