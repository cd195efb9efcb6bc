/*
 * Prints docs/calls.md: every call of the SDK by header, with the first sentence of its comment. A declaration's comment is
 * the one behind it on its line, else the one above it, which those below it share. A macro stands for the call it makes.
 */
import fs from 'node:fs';

const directory = 'sdk/include/edge';

/* A comment's words on one line. */
const words = (comment) => comment.replace(/^\/\*|\*\/$/g, '').replace(/^ *\* ?/gm, '').replace(/\s+/g, ' ').trim();

/* Up to the full stop that ends it. */
const sentence = (text) => (/^(?:[^.(]|\([^)]*\)|\.(?=[\w."*]))+/.exec(text)?.[0] ?? text).replace(/[\s:;,]+$/, '');

/* A header's statements in their order: { comment } or { code, behind }. Bodies of typedefs are left out. */
function* statements(text) {
    const token = /(\/\*[^]*?\*\/)|^#define (?:.*\\\n)*.*|^#.*|(?:[^;{/#]|\{[^{}]*\}|\/(?!\*))+;(?:[ \t]*(\/\*[^]*?\*\/))?|\s+|./gm;
    for (const [code, comment, behind] of text.matchAll(token))
        if (comment !== undefined) yield { comment: words(comment) };
        else if (code.trim() !== '') yield { code: code.replace(/\/\*[^]*?\*\//g, ''), behind: behind && words(behind) };
}

/* What a statement declares, or undefined. */
function declared(code) {
    const macro = /^#define (edge_[a-z]\w*|EDGE_TRANSACTION|EDGE_FUNCTION)\(/.exec(code);
    if (macro !== null) return macro[1];
    if (/^\s*(#|typedef|extern)/.test(code)) return undefined;
    return /\b(edge_[a-z]\w*)\s*\(/.exec(code)?.[1];
}

/* Rows of a table: calls that share a sentence share a row. */
function rows(text) {
    const list = [], inside = new Set();
    let above = '';
    for (const { comment, code, behind } of statements(text)) {
        if (comment !== undefined) {
            above = comment;
            continue;
        }
        const name = declared(code), said = sentence(behind ?? above);
        if (code.startsWith('#define')) for (const called of code.slice(8).match(/\bedge_\w+(?=\()/g) ?? []) if (called !== name) inside.add(called);
        if (name === undefined || inside.has(name) || list.some((row) => row.names.includes(name))) continue;
        if (list.at(-1)?.said === said) list.at(-1).names.push(name);
        else list.push({ names: [name], said });
    }
    return list;
}

console.log(`# The SDK's calls

Written by \`scripts/docs\` from the headers in \`${directory}\`, which say the rest: arguments, ownership, errors, what parks.
\`docs/sdk.md\` is the way in.`);
for (const [, header] of fs.readFileSync(`${directory}/edge.h`, 'utf8').matchAll(/#include <edge\/(\w+\.h)>/g)) {
    const text = fs.readFileSync(`${directory}/${header}`, 'utf8');
    console.log(`\n## ${header}\n\n${sentence(words(/^\/\*[^]*?\*\//.exec(text)[0]))}.\n\n| call | |\n|---|---|`);
    for (const { names, said } of rows(text.replace(/^\/\*[^]*?\*\//, '')))
        console.log(`| ${names.map((name) => `\`${name}\``).join(', ')} | ${said.replaceAll('|', '\\|')} |`);
}
