/*
 * A project of one's own, from an empty directory: edge new, edge test, and what a host that was installed makes of it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { runEdge } from '../support/program.mjs';

const options = { timeout: 300000 };
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-project-'));
const project = path.join(directory, 'shop');
const inProject = (...names) => path.join(project, ...names);

/* Whose PATH does not name the installation. */
const edge = (...args) => runEdge(args, { cwd: project, binary: path.join(directory, 'prefix/bin/edge'), timeout: 200000 });

const edgeWith = (env, ...args) => runEdge(args, { cwd: project, env, binary: path.join(directory, 'prefix/bin/edge'), timeout: 200000 });

before(() => {
    execFileSync('cmake', ['--install', buildDirectory, '--prefix', path.join(directory, 'prefix')], { stdio: 'ignore' });
    fs.mkdirSync(project);
    fs.mkdirSync(inProject('.git'));
}, options);
after(() => {
    /* As root the cluster lies elsewhere, and .edge has a link to it. */
    const cluster = inProject('.edge/test/postgres');
    if (fs.existsSync(cluster)) fs.rmSync(fs.realpathSync(cluster), { recursive: true, force: true });
    fs.rmSync(directory, { recursive: true, force: true });
}, options);

describe('a project of one\'s own', options, () => {
    it('begins with edge new in an empty directory', options, async () => {
        const { status, stdout, stderr } = await edge('new', 'greet');
        assert.equal(status, 0, stderr);
        assert.deepEqual(stdout.split('\n').slice(0, 7), ['CMakeLists.txt', 'functions.toml', '.gitignore', 'README.md', 'functions/greet.c', 'tests/greet.test.mjs', 'tests/support.mjs']);
        assert.match(fs.readFileSync(inProject('.gitignore'), 'utf8'), /^\/build\/$/m);
        assert.match(fs.readFileSync(inProject('CMakeLists.txt'), 'utf8'), /^project\(shop LANGUAGES C\)$/m);
    });

    it('grows, from a directory below, too', options, async () => {
        for (const args of [['tick', '--stream', '--auth', 'public'], ['talk', '--ws'], ['hook', '--auth', 'webhook:svix'], ['boss', '--auth', 'admin', '--dir', 'functions/office'], ['nightly', '--schedule', '0 6 * * *']]) {
            const { status, stderr } = await runEdge(['new', ...args], { cwd: inProject('functions'), binary: path.join(directory, 'prefix/bin/edge') });
            assert.equal(status, 0, stderr);
        }
        assert.ok(fs.existsSync(inProject('functions/office/boss.c')) && fs.existsSync(inProject('tests/boss.test.mjs')));
        assert.equal((await edge('new', 'greet')).status, 1);
    });

    it('edge test builds it, and every test passes', options, async () => {
        const { status, stdout, stderr } = await edge('test');
        assert.equal(status, 0, stdout + stderr);
        assert.match(stdout, /pass 19\b/);
        assert.match(stdout, /fail 0\b/);
        assert.deepEqual(fs.readdirSync(project).sort(), ['.edge', '.git', '.gitignore', 'CMakeLists.txt', 'README.md', 'build', 'functions', 'functions.toml', 'tests']);
    });

    it('several files run at once', options, async () => {
        for (const name of ['one', 'two'])
            fs.writeFileSync(inProject(`tests/${name}.test.mjs`), `import fs from 'node:fs';
import { it } from 'node:test';
it('meets the other', { timeout: 20000 }, async () => {
    fs.writeFileSync('${directory}/${name}', '');
    while (!fs.existsSync('${directory}/${name === 'one' ? 'two' : 'one'}')) await new Promise((resolve) => setTimeout(resolve, 20));
});
`);
        const { status, stdout, stderr } = await edge('test', 'one', 'two', '--no-database', '--no-build');
        assert.equal(status, 0, stdout + stderr);
        for (const name of ['one', 'two']) fs.rmSync(inProject(`tests/${name}.test.mjs`));
    });

    it('edge test NAME runs what is named, on a database that has forgotten the last run', options, async () => {
        fs.writeFileSync(inProject('functions/visit.c'), `#include <edge/edge.h>

static json_t *handle(edge_ctx *ctx, json_t *in)
{
    (void)in;
    edge_service_query(ctx, "INSERT INTO profiles (id) VALUES ('user_visit')");
    edge_rows *rows = edge_service_query(ctx, "SELECT count(*) AS n FROM profiles WHERE id = 'user_visit'");
    return json_pack("{s:I}", "count", (json_int_t)edge_rows_int(rows, 0, "n"));
}

EDGE_FUNCTION(visit, .summary = "Counts", .handle = handle);
`);
        fs.appendFileSync(inProject('functions.toml'), '\n[functions.visit]\nauth = "public"\n');
        fs.writeFileSync(inProject('tests/visit.test.mjs'), `import assert from 'node:assert/strict';
import { it } from 'node:test';
import { options, serve } from './support.mjs';
it('counts from the beginning', options, async () => assert.deepEqual((await serve('visit').call({})).body, { count: 1 }));
`);
        for (let run = 0; run < 2; run++) {
            const { status, stdout, stderr } = await edge('test', 'visit');
            assert.equal(status, 0, stdout + stderr);
            assert.match(stdout, /pass 1\b/);
        }
    });

    it('starts a database only for functions that may use one, and says what is missing', options, async () => {
        const without = { EDGE_POSTGRES_BIN: inProject('nothing') };
        const plain = await edgeWith(without, 'test', 'greet', '--no-build');
        assert.equal(plain.status, 0, plain.stdout + plain.stderr);
        assert.match(plain.stderr, /^ready in [\d.]+ s, without a database$/m);
        for (const names of [['visit'], ['greet', 'visit'], []]) {
            const { status, stdout, stderr } = await edgeWith(without, 'test', ...names, '--no-build');
            assert.deepEqual([status, stdout], [1, '']);
            assert.match(stderr, /^edge: (visit|boss) may use the database, and no PostgreSQL .* is installed\. Install it \(on Debian: apt-get install postgresql\), .*--no-database/m);
        }
        const { status, stdout } = await edgeWith(without, 'test', 'visit', '--no-build', '--no-database');
        assert.equal(status, 1);
        assert.match(stdout, /not_configured/);
        const [bin] = fs.readdirSync('/usr/lib/postgresql').sort().reverse();
        const elsewhere = await edgeWith({ EDGE_POSTGRES_BIN: `/usr/lib/postgresql/${bin}/bin` }, 'test', 'visit', '--no-build');
        assert.equal(elsewhere.status, 0, elsewhere.stdout + elsewhere.stderr);
    });

    it('ends with 1 when a test fails, names the log, and says which function has no test', options, async () => {
        fs.appendFileSync(inProject('tests/greet.test.mjs'), `\nit('fails', () => assert.fail('on purpose'));\n`);
        const failed = await edge('test', 'greet', '--no-database');
        assert.equal(failed.status, 1);
        assert.match(failed.stdout, /on purpose/);
        assert.match(failed.stderr, /the host's log is .*\.edge\/test\/host\.log/);
        assert.equal((await edge('test', 'greet', '--no-database', '--no-build', '--grep', 'needs')).status, 0);
        const none = await edge('test', 'grete');
        assert.deepEqual([none.status, none.stdout], [1, '']);
        assert.match(none.stderr, /there is no test of "grete"/);
    });

    it('ends with 1 and the compiler\'s words when it does not build', options, async () => {
        fs.writeFileSync(inProject('functions/tick.c'), '#include <edge/edge.h>\nint broken(void) { return nothing; }\n');
        const { status, stdout, stderr } = await edge('test', 'greet', '--no-database');
        assert.deepEqual([status, stdout], [1, '']);
        assert.match(stderr, /tick\.c:2:\d+: error: .*nothing/);
        assert.match(stderr, /\^/);
    });
});
