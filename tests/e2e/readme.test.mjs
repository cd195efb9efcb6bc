/*
 * The function in README.md is what a newcomer copies: it compiles under the project's warnings, is served with the
 * settings beside it, and answers as the text says.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';

import { root } from '../support/config.mjs';
import { startDatabase } from '../support/data.mjs';
import { startHost } from '../support/host.mjs';
import { mint } from '../support/tokens.mjs';

const options = { timeout: 60000 };
const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
const block = (language) => new RegExp('```' + language + '\\n([^]*?)```').exec(readme)[1];
let database, directory, host;

before(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-readme-'));
    const source = path.join(directory, 'recentWins.c');
    fs.writeFileSync(source, block('c'));
    execFileSync(process.env.CC ?? 'cc', ['-std=gnu17', '-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wmissing-prototypes', '-Wvla',
        '-Wno-missing-field-initializers', '-O2', '-fPIC', '-shared', '-fvisibility=hidden', '-Wl,--build-id=sha1',
        `-I${path.join(root, 'sdk', 'include')}`, '-o', path.join(directory, 'recentWins.so'), source, '-ljansson']);
    database = await startDatabase();
    const settings = Object.fromEntries([...block('toml').matchAll(/^(\w+) = "(.*)"$/gm)].map(([, key, value]) => [key, value]));
    assert.deepEqual(settings, { auth: 'user', rate_limit: '60/min per user' });
    host = await startHost({ sandbox: false, database: database.url, server: { plugins: directory }, functions: { recentWins: settings } });
}, options);

after(async () => {
    await host?.stop();
    await database?.stop();
    fs.rmSync(directory, { recursive: true, force: true });
}, options);

const call = async (user, body) => {
    const headers = user ? { authorization: `Bearer ${await mint(user)}` } : {};
    const answer = await fetch(`${host.url}/functions/v1/recentWins`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
};

it('the first function answers with the caller\'s rows, and only those', options, async () => {
    for (const [id, title] of [['user_a', 'Called five owners'], ['user_b', 'Sent an offer']]) {
        await database.person(id);
        await database.rows(
            `INSERT INTO daily_actions (user_id, title, category, status, due_date, completed_at) VALUES ($1, $2, 'prospecting', 'completed', current_date, now())`, [id, title]);
    }
    const { status, body } = await call('user_a', {});
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.count, 1);
    assert.equal(body.wins[0].title, 'Called five owners');
});

it('a bad field is named, a caller without a session is refused', options, async () => {
    const { status, body } = await call('user_a', { days: 900 });
    assert.equal(status, 400);
    assert.equal(body.field, 'days');
    assert.equal((await call(null, {})).status, 401);
});
