/*
 * What the lint programs share: the files that git tracks, C without its comments and strings, and the report.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

export const tracked = (...patterns) =>
    execFileSync('git', ['ls-files', '-z', '--', ...patterns], { encoding: 'utf8' })
        .split('\0')
        .filter((name) => name && fs.existsSync(name));

export const read = (file) => fs.readFileSync(file, 'utf8');

/* Comments and the contents of literals become blanks, so that line numbers stay. */
export const bare = (source) =>
    source.replace(/\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, (match) =>
        /^["']/.test(match) ? match[0] + match[0] : match.replace(/[^\n]/g, ' '),
    );

/* Line numbers of a pattern's matches. */
export function* matches(text, pattern) {
    for (const match of text.matchAll(pattern))
        yield { line: text.slice(0, match.index).split('\n').length, match };
}

export function report(rule, broken) {
    console.log(`${broken.length === 0 ? 'ok' : 'not ok'} - ${rule}`);
    for (const line of broken.slice(0, 40)) console.log(`    ${line}`);
    if (broken.length > 40) console.log(`    and ${broken.length - 40} more`);
    if (broken.length > 0) process.exitCode = 1;
}
