/*
 * Rules of the built plugins: what they import, and that they keep no state of their own; and what the host
 * shows them.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { read, report } from './lint-report.mjs';

const BUILD = process.env.EDGE_BUILD ?? 'build';
const directory = path.join(BUILD, 'functions');

const plugins = fs.existsSync(directory)
    ? fs.readdirSync(directory).filter((name) => name.endsWith('.so')).map((name) => path.join(directory, name))
    : [];

const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });

/* Lines of lint-symbols.txt: names, or prefixes that end in "*". */
const allowed = read(new URL('lint-symbols.txt', import.meta.url).pathname)
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter(Boolean)
    .flatMap((line) => line.split(/\s+/));
const names = new Set(allowed.filter((name) => !name.endsWith('*')));
const prefixes = allowed.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
const isAllowed = (name) => names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));

/* The sandbox's stand-ins keep their switches in files. */
const FILES = new Set(['open', 'open64', 'read', 'write', 'close', 'stat', 'mkdir', 'unlink', 'rename', 'opendir', 'readdir', 'closedir']);
const isSandbox = (plugin) => path.basename(plugin).startsWith('sandbox_');

function imports() {
    return plugins.flatMap((plugin) =>
        run('nm', '-D', '--undefined-only', '--format=posix', plugin)
            .split('\n')
            .map((line) => line.split(/[ @]/)[0])
            .filter((name) => name && !isAllowed(name) && !(isSandbox(plugin) && FILES.has(name)))
            .map((name) => `${plugin}: ${name}`),
    );
}

/* Objects in .data and .bss; const tables that hold pointers are in .data.rel.ro and welcome. */
function mutableState() {
    return plugins.flatMap((plugin) =>
        [...run('objdump', '-t', plugin).matchAll(/^\w+ .{5} ?O \.(?:data|bss)\t(\w+)\s+(?:\.hidden )?(\S+)$/gm)]
            .filter(([, size, name]) => parseInt(size, 16) > 0 && !/^(completed\.\d+|__dso_handle)$/.test(name))
            .map(([, , name]) => `${plugin}: ${name}`),
    );
}

/* The host's own names stay hidden, whatever a plugin calls its functions. */
function exports() {
    const host = path.join(BUILD, 'edge');
    if (!fs.existsSync(host)) return [`${host} is missing. Run scripts/build`];
    return run('nm', '-D', '--defined-only', '--format=posix', host)
        .split('\n')
        .map((line) => line.split(' ')[0])
        /*
         * With a version they are the C library's own, copied here by the linker (stderr). Templates of libstdc++
         * that the TOML parser's file holds too are merged with the library's by name, so they have to show. The
         * allocator is put in front of the C library's (runtime/worker/allocator.c).
         */
        .filter((name) => name && !/@|^_ZNK?S|^edge_|^_edata$|^_end$|^__bss_start$|^(malloc|calloc|realloc|free)$/.test(name));
}

report('plugins are built', plugins.length > 0 ? [] : [`no plugin in ${directory}. Run scripts/build`]);
report('plugins import what is allowed', imports());
report('plugins keep no mutable state', mutableState());
report('the host exports edge_* only', exports());
