/*
 * Rules of the sources: lengths, banned calls, comments on what is public, one name for one function, and the
 * examples of the documentation.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bare, matches, read, report, tracked } from './lint-report.mjs';

const FILE_LINES = 400;
const FUNCTION_LINES = 50;

const cFiles = tracked('*.c', '*.h', '*.cc');

/* The sandbox stands in for providers on a developer's machine and keeps its switches in files. */
const pluginSources = tracked('functions/*.[ch]').filter((file) => !file.includes('sandbox'));

function fileLengths() {
    return [...cFiles, ...tracked('*.mjs', 'scripts/*')]
        .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
        .filter(({ lines }) => lines > FILE_LINES)
        .map(({ file, lines }) => `${file}: ${lines} lines, ${FILE_LINES} are allowed`);
}

/* clang-format puts a function's braces, and nothing else's, alone in the first column. */
function functionLengths() {
    const broken = [];
    for (const file of cFiles) {
        let start = 0;
        read(file)
            .split('\n')
            .forEach((line, index) => {
                if (line === '{') start = index + 1;
                if (line !== '}' || start === 0) return;
                const length = index - start;
                if (length > FUNCTION_LINES)
                    broken.push(`${file}:${start}: ${length} lines, ${FUNCTION_LINES} are allowed`);
                start = 0;
            });
    }
    return broken;
}

function calls(files, names) {
    const pattern = new RegExp(`(?<![\\w.>])(?:${names.join('|')})\\s*\\(`, 'g');
    return files.flatMap((file) =>
        [...matches(bare(read(file)), pattern)].map(
            ({ line, match }) => `${file}:${line}: ${match[0].replace(/\s*\($/, '')}`,
        ),
    );
}

/* Never right in C of ours: no bound, or a state of the process that others share. */
const BANNED = ['gets', 'strcpy', 'strcat', 'sprintf', 'vsprintf', 'strtok', 'tmpnam', 'alloca', 'atof', 'asctime', 'ctime'];

/* What a plugin has the SDK for: it blocks the worker, or belongs to the process. */
const BANNED_IN_PLUGINS = [
    ...['sleep', 'usleep', 'nanosleep', 'poll', 'select', 'getaddrinfo', 'gethostbyname', 'socket', 'connect'],
    ...['system', 'popen', 'v?fork', 'exec[lv]p?e?', 'posix_spawnp?', 'wait', 'waitpid', 'kill', 'raise'],
    ...['exit', '_exit', 'abort', 'atexit', 'signal', 'sigaction', 'setjmp', 'longjmp', 'pthread_\\w+'],
    ...['getenv', 'secure_getenv', 'setenv', 'putenv', 'unsetenv', 'setlocale', 'dlopen', 'dlsym', 'mmap'],
    ...['malloc', 'calloc', 'realloc', 'free', 'strdup', 'strndup', 'v?asprintf', 'getline', 'open_memstream'],
    ...['localtime(_r)?', 'gmtime', 'mktime', 'time', 'gettimeofday', 'clock_gettime', 'clock'],
    ...['s?rand', 'rand_r', 's?random', '[dlm]rand48', 'getrandom', 'v?f?printf', 'puts', 'putchar', 'perror'],
    ...['fopen', 'open', 'read', 'write', 'close', 'strerror', 'strtod_l'],
];

/*
 * What a header declares is documented by a comment in its paragraph, or by its name in any comment of that
 * header. What only a documented macro calls (edge_fetch_with under edge_fetch) needs no words of its own.
 */
function undocumented() {
    return tracked('sdk/include/edge/*.h').flatMap((file) => {
        const text = read(file);
        const comments = (text.match(/\/\*[^]*?\*\//g) ?? []).join('\n');
        const expansions = (bare(text).match(/^#define (?:.*\\\n)*.*$/gm) ?? []).join('\n');
        const named = (words, name) => new RegExp(`\\b${name}\\b`).test(words);
        const broken = [];
        let line = 1;
        for (const paragraph of text.split(/\n[ \t]*\n/)) {
            const declared = bare(paragraph).matchAll(/#define +(edge_\w+)|^[\w* ]*\b(edge_\w+)\(/gm);
            for (const [, macro, call] of paragraph.includes('/*') ? [] : declared) {
                const name = macro ?? call;
                if (!named(comments, name) && !(call && named(expansions, name)))
                    broken.push(`${file}:${line}: ${name}`);
            }
            line += paragraph.split('\n').length + 1;
        }
        return broken;
    });
}

function typedefs() {
    return tracked('runtime/*.[ch]', 'sdk/src/*.[ch]', 'sdk/host/*.h').flatMap((file) =>
        [...matches(bare(read(file)), /^\s*typedef\b/gm)].map(({ line }) => `${file}:${line}`),
    );
}

/* "//" that is no part of a block comment or a string. */
function lineComments() {
    return cFiles.flatMap((file) => {
        const text = read(file).replace(/\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"/g, (match) => match.replace(/[^\n]/g, ' '));
        return [...matches(text, /\/\//g)].map(({ line }) => `${file}:${line}`);
    });
}

const DOMAINS = ['ai', 'engines', 'oauth', 'workspace', 'crm', 'events', 'data'];

function functionNames() {
    const toml = fs.existsSync('functions.toml') ? read('functions.toml') : '';
    return tracked(...DOMAINS.map((domain) => `functions/${domain}/*.c`)).flatMap((file) => {
        const name = path.basename(file, '.c');
        const domain = path.basename(path.dirname(file));
        const test = `tests/functions/${domain}/${name}.test.mjs`;
        return [
            new RegExp(`^EDGE_FUNCTION\\(${name},`, 'm').test(read(file)) || `${file}: no EDGE_FUNCTION(${name}, ...)`,
            new RegExp(`^\\[functions\\."?${name}"?\\]`, 'm').test(toml) || `functions.toml: no [functions.${name}]`,
            fs.existsSync(test) || `${test} is missing`,
        ].filter((found) => found !== true);
    });
}

/* C blocks of the documentation that are whole files: those that include <edge/edge.h>. */
function examples() {
    const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-examples-'));
    const broken = [];
    for (const file of tracked('*.md')) {
        for (const { line, match } of matches(read(file), /^```c\n([^]*?)^```/gm)) {
            if (!match[1].includes('#include <edge/edge.h>')) continue;
            const source = path.join(scratch, 'example.c');
            fs.writeFileSync(source, match[1]);
            const flags = '-std=gnu17 -Wall -Wextra -Werror -Wshadow -Wno-missing-field-initializers -fsyntax-only';
            try {
                const includes = ['-Isdk/include', '-Ifunctions'];
                execFileSync('gcc', [...flags.split(' '), ...includes, source], { stdio: 'pipe' });
            } catch (error) {
                broken.push(`${file}:${line}: ${String(error.stderr).split('\n')[0]}`);
            }
        }
    }
    fs.rmSync(scratch, { recursive: true });
    return broken;
}

report(`no file over ${FILE_LINES} lines`, fileLengths());
report(`no function over ${FUNCTION_LINES} lines`, functionLengths());
report('no banned calls', calls(tracked('sdk/*.[ch]', 'runtime/*.[ch]', 'functions/*.[ch]'), BANNED));
report('no calls in plugins that the SDK is there for', calls(pluginSources, BANNED_IN_PLUGINS));
report('every public SDK symbol has a comment', undocumented());
report('no typedefs of our own in the host', typedefs());
report('comments are /* */', lineComments());
report('one function, one file, one name', functionNames());
report('examples of the documentation compile', examples());
