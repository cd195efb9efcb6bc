/*
 * bulkImportData (spec data.md): progress, long files in little memory, and a client that leaves in the middle. A million
 * rows: tests/e2e/import.soak.mjs.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { badGoals, goalsFile, postLines, residentBytes } from '../../support/files.mjs';
import { eventually, sleep } from '../../support/host.mjs';
import { options, suite } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const MIB = 1024 * 1024;
const ROWS = 20000;
/* What a million rows may take (64 MiB) has a part that grows with the file, by what the kernel and libpq hold back. */
const GROWTH_MAX = 24 * MIB;

const imports = suite({ functions: ['bulkImportData'], server: { max_body: '1GiB', workers: 1 } });
const send = async (id, pieces, { lines = true, query = '', onLine } = {}) =>
    postLines(
        `${imports.host.url}/functions/v1/bulkImportData?entityType=goals${query}`,
        {
            authorization: `Bearer ${await mint(id)}`,
            'content-type': 'text/csv',
            ...(lines ? { accept: 'application/x-ndjson' } : {}),
        },
        pieces,
        onLine,
    );
const goals = (id) => imports.database.count('goals', 'user_id = $1', [id]);

describe('bulkImportData: long files', options, () => {
    it('progress comes every 50,000 rows or each second, and the result last', options, async () => {
        const id = await imports.agent();
        const { status, lines } = await send(id, goalsFile(60000), { query: '&dryRun=true' });
        assert.equal(status, 200);
        const result = lines.at(-1);
        const progress = lines.slice(0, -1);
        assert.ok(progress.every((line) => line.type === 'progress'));
        assert.deepEqual(progress.filter((line) => line.rows === 50000 && line.errors === 50).length >= 1, true);
        assert.ok(progress.every((line, i) => i === 0 || (line.rows >= progress[i - 1].rows && line.bytes >= progress[i - 1].bytes)));
        assert.equal(result.type, 'result');
        assert.deepEqual([result.success, result.dryRun, result.total, result.imported, result.errorCount], [true, true, 60000, 59940, 60]);
        assert.deepEqual(result.errors[0], {
            line: 1001,
            row: 1000,
            column: 'target_value',
            code: 'invalid_number',
            error: 'target_value "many" must be a number',
            batch: 1,
            rows: '1001',
        });
        assert.equal(await goals(id), 0);
    });

    it('20,000 rows take a proportion of the memory of a million', options, async () => {
        const id = await imports.agent();
        await send(id, goalsFile(100), { lines: false });
        const idle = residentBytes(imports.host);
        let most = 0,
            done = false;
        const watch = (async () => {
            for (; !done; await sleep(5)) most = Math.max(most, residentBytes(imports.host));
        })();
        const { text } = await send(id, goalsFile(ROWS), { lines: false });
        done = true;
        await watch;
        const body = JSON.parse(text);
        assert.deepEqual([body.total, body.imported, body.errorCount], [ROWS, ROWS - badGoals(ROWS), badGoals(ROWS)]);
        assert.equal(await goals(id), ROWS - badGoals(ROWS) + 100);
        if (!process.env.ASAN_OPTIONS) assert.ok(most - idle < GROWTH_MAX, `${((most - idle) / MIB).toFixed(1)} MiB`);
    });

    it('at most 1,000 errors are kept', options, async () => {
        const id = await imports.agent();
        const bad = 'title,goal_type\n' + 'x\n'.repeat(1500);
        const { text } = await send(id, [bad], { lines: false });
        const body = JSON.parse(text);
        assert.deepEqual([body.errorCount, body.errors.length, body.errorsTruncated, body.errors[999].line, body.errors[999].batch], [1500, 1000, true, 1001, 1]);
    });

    it('what a file as a whole does wrong is the last line', options, async () => {
        const id = await imports.agent();
        const { status, lines } = await send(id, ['title,goal_type\nx,y\n"open']);
        assert.equal(status, 200);
        const { error, requestId, ...rest } = lines.at(-1);
        assert.deepEqual(rest, { type: 'error', status: 400, code: 'malformed_csv', line: 3 });
        assert.equal(typeof error, 'string');
        assert.equal(typeof requestId, 'string');
        const aborted = (await send(id, ['title,goal_type\nx,y\nz\n'], { query: '&onError=abort' })).lines.at(-1);
        assert.deepEqual([aborted.type, aborted.status, aborted.code, aborted.success, aborted.total], ['error', 422, 'import_aborted', false, 2]);
        assert.equal(await goals(id), 0);
    });

    it('a client that leaves in the middle leaves nothing behind', options, async () => {
        const id = await imports.agent();
        const ended = () => imports.host.log.filter((entry) => entry.event === 'invocation' && entry.code === 'client_gone').length;
        const before = ended();
        const { lines } = await send(id, goalsFile(150000), { onLine: (line, request) => request.destroy() });
        assert.equal(lines[0].type, 'progress');
        assert.ok(!lines.some((line) => line.type === 'result'));
        await eventually(
            async () =>
                (await imports.database.count('pg_stat_activity', `datname = current_database() AND query ~ 'import_stage' AND state <> 'idle' AND pid <> pg_backend_pid()`)) === 0,
            'the transaction to end',
        );
        await eventually(() => ended() > before, 'the invocation to end');
        assert.equal(await goals(id), 0);
        assert.equal(await imports.database.count('pg_class', `relname = 'import_stage'`), 0);
        assert.equal(JSON.parse((await send(id, goalsFile(10), { lines: false })).text).imported, 10, 'the next one goes on');
    });
});
