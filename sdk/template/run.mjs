/*
 * What `edge test` runs tests with: node's own runner, several files at once. Arguments: how many, a pattern of names
 * ("" for all), the files.
 */
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const [atOnce, pattern, ...files] = process.argv.slice(2);
const settings = { files, concurrency: Number(atOnce), ...(pattern ? { testNamePatterns: [pattern] } : {}) };

run(settings)
    .on('test:fail', ({ todo }) => (process.exitCode = todo === undefined ? 1 : process.exitCode))
    .compose(new spec())
    .pipe(process.stdout);
