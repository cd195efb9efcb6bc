/*
 * Pages of docs/ as tests follow them: their blocks, and whether a program printed what a page says.
 */
import fs from 'node:fs';
import path from 'node:path';

import { root } from './config.mjs';

export const page = (name) => fs.readFileSync(path.join(root, 'docs', `${name}.md`), 'utf8');

/* The fenced blocks of a page: { language, file, text }; the file is the word behind the language, or "". */
export const blocks = (name) =>
    [...page(name).matchAll(/^```(\w+) ?(\S*)\n([^]*?)^```$/gm)].map(([, language, file, text]) => ({ language, file, text }));

const trimmed = (text) => text.trim().split('\n').map((line) => line.trimEnd());
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/* The lines of one output against those of a page: … is anything in a line, and alone on a line any number of lines. */
export function agrees(printed, expected) {
    const pattern = trimmed(expected).map((line) => (line === '…' ? '(?:.*\\n)*' : `${line.split('…').map(escaped).join('.*?')}\\n`));
    return new RegExp(`^${pattern.join('')}$`).test(`${trimmed(printed).join('\n')}\n`);
}
