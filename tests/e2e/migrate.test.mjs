/*
 * edge migrate as an operator runs it: on a database of its own, with a directory of migrations of its own.
 *
 * To stop a migration in the middle, one of its files waits for a lock that the test holds (a gate).
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after, afterEach, beforeEach, describe } from 'node:test';

import { connect, migrations as repository } from '../database/support.mjs';
import { buildDirectory, root } from '../support/config.mjs';
import { runtimeUrl } from '../support/data.mjs';
import { eventually } from '../support/host.mjs';

const options = { timeout: 60000 };
const GATE = 'SELECT pg_advisory_xact_lock(4711);';

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-migrate-'));
const directory = path.join(scratch, 'migrations');
/* Away from its tree: no migrations of the runtime come before those of the directory. */
const alone = path.join(scratch, 'bin', 'edge');
fs.mkdirSync(path.dirname(alone));
fs.copyFileSync(path.join(buildDirectory, 'edge'), alone);
const admin = await connect('postgres');
const superuser = (await admin.query('SELECT current_user AS name')).rows[0].name;
const running = new Set();
let name; /* of the test's database */
let owner; /* a session in it */

const urlFor = (login) => runtimeUrl(name).replace('user=edge_runtime', `user=${login}`);

async function createDatabase(as = superuser) {
    name = `edge_test_migrate_${process.pid}_${crypto.randomBytes(4).toString('hex')}`;
    await admin.query(`CREATE DATABASE ${name} OWNER ${as}`);
    owner = await connect(name);
}

async function dropDatabase() {
    await owner.end();
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
}

const put = (files) => {
    for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(directory, file), text);
};

const remove = (file) => fs.rmSync(path.join(directory, file));

function configure(settings = { migrations: directory }) {
    const lines = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
    fs.writeFileSync(path.join(scratch, 'functions.toml'), ['[database]', ...lines, ''].join('\n'));
}

/* Runs the command; answers when it has ended. What it has printed so far is in the child's out and err. */
function start(args = [], env = { DATABASE_MIGRATE_URL: urlFor(superuser) }, program = alone) {
    const child = spawn(program, ['migrate', ...args], {
        cwd: scratch,
        env: { PATH: process.env.PATH, HOME: scratch, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    child.out = '';
    child.err = '';
    child.stdout.on('data', (data) => (child.out += data));
    child.stderr.on('data', (data) => (child.err += data));
    child.ended = new Promise((resolve) =>
        child.on('close', (code, signal) => {
            running.delete(child);
            resolve({ code, signal, out: child.out, err: child.err });
        }),
    );
    return child;
}

const migrate = (...args) => start(args).ended;

const one = async (text) => Object.values((await owner.query(text)).rows[0])[0];
const exists = (relation) => one(`SELECT to_regclass('${relation}') IS NOT NULL`);
const applied = async () =>
    (await exists('edge.migrations'))
        ? (await owner.query('SELECT version, name FROM edge.migrations ORDER BY version')).rows.map((row) => `${row.version}_${row.name}`)
        : [];

/* Sessions that wait for an advisory lock: at the gate, or for another migration to end. */
const waiting = () =>
    one(`SELECT count(*)::integer FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
         WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted`);

const waits = (count) => eventually(async () => (await waiting()) === count, `${count} sessions that wait`);

function assertDone(result, out) {
    assert.deepEqual({ code: result.code, err: result.err }, { code: 0, err: '' });
    assert.equal(result.out, out);
}

function assertRefused(result, ...words) {
    assert.equal(result.code, 1, result.err);
    for (const word of words) assert.ok(result.err.includes(word), `"${word}" is not in: ${result.err}`);
}

beforeEach(async () => {
    fs.mkdirSync(directory);
    configure();
    await createDatabase();
}, options);

afterEach(async () => {
    for (const child of running) child.kill('SIGKILL');
    fs.rmSync(directory, { recursive: true });
    await dropDatabase();
}, options);

after(async () => {
    await admin.end();
    fs.rmSync(scratch, { recursive: true });
}, options);

const three = {
    '0001_first.sql': 'CREATE TABLE log (at serial, what text);\nINSERT INTO log (what) VALUES (\'first\');\n',
    '0002_second.sql': "SET search_path = pg_catalog;\nINSERT INTO public.log (what) VALUES ('second');\n",
    '0010_third.sql': "INSERT INTO log (what) VALUES ('third');\n",
};

describe('a run', () => {
    test('applies in order, once, and says so', options, async () => {
        put({ ...three, 'README.md': 'no SQL' });
        assertDone(await migrate(), 'applied 0001_first\napplied 0002_second\napplied 0010_third\n');
        assert.deepEqual(
            (await owner.query('SELECT what FROM log ORDER BY at')).rows.map((row) => row.what),
            ['first', 'second', 'third'],
        );
        const { rows } = await owner.query('SELECT version, checksum FROM edge.migrations ORDER BY version');
        const sums = Object.values(three).map((text) => crypto.createHash('sha256').update(text).digest('hex'));
        assert.deepEqual(rows, ['0001', '0002', '0010'].map((version, i) => ({ version, checksum: sums[i] })));

        assertDone(await migrate(), 'Nothing to do: 3 migrations are applied\n');
        put({ '0011_fourth.sql': "INSERT INTO log (what) VALUES ('fourth')" });
        assertDone(await migrate(), 'applied 0011_fourth\n');
        assert.equal(await one('SELECT count(*)::integer FROM log'), 4);
    });

    test('ten at the same time: one works, nine wait and then find nothing to do', options, async () => {
        put({ ...three, '0003_slow.sql': `${GATE}\nINSERT INTO log (what) VALUES ('slow');` });
        await owner.query('SELECT pg_advisory_lock(4711)');
        const all = [start()];
        await waits(1);
        for (let i = 1; i < 10; i++) all.push(start());
        await waits(10);
        await owner.query('SELECT pg_advisory_unlock(4711)');
        const [worker, ...others] = await Promise.all(all.map((child) => child.ended));
        assertDone(worker, 'applied 0001_first\napplied 0002_second\napplied 0003_slow\napplied 0010_third\n');
        for (const other of others)
            assert.deepEqual(other, {
                code: 0,
                signal: null,
                out: 'Nothing to do: 4 migrations are applied\n',
                err: 'Another migration of this database is running, waiting for it\n',
            });
        assert.equal(await one('SELECT count(*)::integer FROM log'), 4);
    });

    test('that is killed leaves nothing half done, and the next one carries on', options, async () => {
        put({ ...three, '0003_slow.sql': `CREATE TABLE half (id int);\n${GATE}` });
        await owner.query('SELECT pg_advisory_lock(4711)');
        const child = start();
        await waits(1);
        child.kill('SIGKILL');
        assert.equal((await child.ended).signal, 'SIGKILL');
        await owner.query('SELECT pg_advisory_unlock(4711)');
        const next = await migrate();
        assert.equal(next.code, 0, next.err);
        assert.equal(next.out, 'applied 0003_slow\napplied 0010_third\n');
        assert.deepEqual(await applied(), ['0001_first', '0002_second', '0003_slow', '0010_third']);
    });
});

describe('what cannot be applied is named, and nothing of it is done', () => {
    const failures = {
        'an error of syntax': ['CREATE TABLE half (a int);\n\nSELEC 1;', '0003_bad.sql:3: syntax error'],
        'an unknown column': ["CREATE TABLE half (a int);\nSELECT 'ü', nope\nFROM half;", '0003_bad.sql:2: column "nope"'],
        'a violated constraint': [
            'CREATE TABLE half (a int PRIMARY KEY);\nINSERT INTO half VALUES (1);\nINSERT INTO half VALUES (1);',
            '0003_bad.sql:3: duplicate key',
            'detail: Key (a)=(1) already exists.',
        ],
        'an error in a function': [
            "CREATE TABLE half (a int);\n\nDO $$\nBEGIN\n    RAISE 'no way' USING HINT = 'another';\nEND\n$$;",
            '0003_bad.sql:3: no way',
            'hint: another',
        ],
        'a constraint that is checked at the end': [
            'CREATE TABLE half (a int UNIQUE DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO half VALUES (1), (1);',
            'duplicate key',
            '0003_bad.sql',
        ],
        'a transaction of its own': ['CREATE TABLE half (a int);\nCOMMIT;', '0003_bad.sql:2: "commit" has no place'],
        'what runs outside of transactions only': [
            'CREATE TABLE half (a int);\nCREATE INDEX CONCURRENTLY ON half (a);',
            '0003_bad.sql:2: CREATE INDEX CONCURRENTLY cannot run inside a transaction block',
        ],
    };
    for (const [what, [text, ...words]] of Object.entries(failures))
        test(what, options, async () => {
            put({ ...three, '0003_bad.sql': text });
            const result = await migrate();
            assertRefused(result, ...words, 'has been rolled back');
            assert.equal(result.out, 'applied 0001_first\napplied 0002_second\n');
            assert.deepEqual(await applied(), ['0001_first', '0002_second']);
            assert.equal(await exists('half'), false);
            put({ '0003_bad.sql': 'CREATE TABLE half (a int);' });
            assertDone(await migrate(), 'applied 0003_bad\napplied 0010_third\n');
        });

    const history = {
        'an applied file that was edited': [() => put({ '0002_second.sql': '-- edited\n' }), '0002_second.sql: has changed since it was applied'],
        'an applied file that is missing': [() => remove('0002_second.sql'), '0002_second.sql is missing'],
        'a new file with an old number': [() => put({ '0003_late.sql': 'CREATE TABLE half ();' }), '0003_late.sql: is older than 0010'],
        'a number that comes twice': [() => put({ '0010_twin.sql': 'SELECT 1;' }), '0010_twin.sql: has the number of'],
        'a name without a number': [() => put({ 'goals.sql': 'SELECT 1;' }), 'goals.sql: the name of a migration is NNNN_name.sql'],
    };
    for (const [what, [change, words]] of Object.entries(history))
        test(what, options, async () => {
            put(three);
            assert.equal((await migrate()).code, 0);
            change();
            put({ '0011_next.sql': 'CREATE TABLE half (a int);' });
            for (const args of [[], ['--dry-run'], ['--status']]) assertRefused(await migrate(...args), words);
            assert.equal(await exists('half'), false);
            assert.deepEqual(await applied(), ['0001_first', '0002_second', '0010_third']);
        });
});

describe('options and exit statuses, as edge migrate --help has them', () => {
    test('--status and --dry-run print what there is and what would be done, and change nothing', options, async () => {
        put(three);
        const status = await migrate('--status');
        assert.equal(status.code, 0, status.err);
        assert.match(status.out, /^VERSION +NAME +APPLIED \(UTC\) +MS\n0001 +first +no *\n0002 +second +no *\n0010 +third +no *\n$/);
        assertDone(await migrate('--dry-run'), 'would apply 0001_first\nwould apply 0002_second\nwould apply 0010_third\n');
        assert.equal(await one("SELECT count(*)::integer FROM pg_namespace WHERE nspname = 'edge'"), 0);

        assert.equal((await migrate()).code, 0);
        put({ '0011_next.sql': 'CREATE TABLE half (a int);' });
        const after = await migrate('--status');
        assert.match(after.out, /\n0010 +third +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d+\n0011 +next +no *\n$/);
        assertDone(await migrate('--dry-run'), 'would apply 0011_next\n');
        assert.equal(await exists('half'), false);
        assert.equal((await migrate()).code, 0);
        assertDone(await migrate('--dry-run'), 'Nothing to do: 4 migrations are applied\n');
    });

    test('neither waits for a migration that is running', options, async () => {
        put({ ...three, '0011_slow.sql': GATE });
        await owner.query('SELECT pg_advisory_lock(4711)');
        const slow = start();
        await waits(1);
        assertDone(await migrate('--dry-run'), 'would apply 0011_slow\n');
        assert.match((await migrate('--status')).out, /\n0010 +third +\d{4}.*\n0011 +slow +no/);
        await owner.query('SELECT pg_advisory_unlock(4711)');
        assert.equal((await slow.ended).code, 0);
    });

    test('0 when done, 1 when it failed, 2 when it was called wrongly', options, async () => {
        put(three);
        assert.equal((await migrate('--help')).code, 0);
        for (const args of [['--bogus'], ['operand'], ['--seed', '--status'], ['--seed', '--dry-run']]) {
            const result = await migrate(...args);
            assert.equal(result.code, 2, args.join(' '));
            assert.match(result.err, /Try: edge migrate --help/);
        }
        assertRefused(await start([], {}).ended, 'no database is configured', 'DATABASE_MIGRATE_URL');
        assertRefused(await migrate('--config', 'nowhere.toml'), 'nowhere.toml');
        const away = { DATABASE_MIGRATE_URL: `postgresql:///${name}?host=/nonexistent&user=nobody` };
        assertRefused(await start([], away).ended, 'The database cannot be reached', '/nonexistent');
        configure({ migrations: path.join(scratch, 'nowhere') });
        assertRefused(await migrate(), 'nowhere: No such file or directory');
        assert.equal(await exists('log'), false);
    });

    test('DATABASE_URL serves when there is no DATABASE_MIGRATE_URL, which comes first', options, async () => {
        put(three);
        assert.equal((await start([], { DATABASE_URL: urlFor(superuser) }).ended).code, 0);
        const both = { DATABASE_URL: 'postgresql:///none?host=/nonexistent', DATABASE_MIGRATE_URL: urlFor(superuser) };
        assertDone(await start([], both).ended, 'Nothing to do: 3 migrations are applied\n');
    });
});

describe("a project's migrations", () => {
    const installation = path.join(scratch, 'installation');
    const runtimes = path.join(installation, 'share/edge/sql/migrations');
    const inProject = (...args) => start(args, undefined, path.join(installation, 'bin/edge')).ended;
    const before = "CREATE TABLE log (what text);";

    beforeEach(() => {
        for (const part of [path.join(installation, 'bin'), runtimes]) fs.mkdirSync(part, { recursive: true });
        fs.linkSync(alone, path.join(installation, 'bin/edge'));
        fs.writeFileSync(path.join(runtimes, '0001_roles_and_claims.sql'), before);
    });

    afterEach(() => fs.rmSync(installation, { recursive: true }));

    test('come after those of the installation, which go on by themselves', options, async () => {
        put({ '1000_plants.sql': "INSERT INTO log VALUES ('plants')" });
        assertDone(await inProject(), 'applied 0001_roles_and_claims\napplied 1000_plants\n');
        fs.writeFileSync(path.join(runtimes, '0002_more.sql'), "INSERT INTO log VALUES ('more')");
        put({ '1001_pots.sql': "INSERT INTO log VALUES ('pots')" });
        assertDone(await inProject(), 'applied 0002_more\napplied 1001_pots\n');
        assertDone(await inProject(), 'Nothing to do: 4 migrations are applied\n');
        put({ '1002_soil.sql': '', '1000_plants.sql': "INSERT INTO log VALUES ('plants')" });
        assertDone(await inProject(), 'applied 1002_soil\n');
        put({ '1000_before.sql': '' });
        remove('1000_plants.sql');
        assertRefused(await inProject(), '1000_before.sql: has changed since it was applied');
    });

    test('need not be there', options, async () => {
        configure({ migrations: path.join(scratch, 'nowhere') });
        assertDone(await inProject(), 'applied 0001_roles_and_claims\n');
    });

    test('have numbers from 1000 on', options, async () => {
        put({ '0002_plants.sql': '' });
        assertRefused(await inProject(), "0002_plants.sql: numbers below 1000 are for the runtime's own migrations", 'begin with 1000_plants.sql');
        assert.deepEqual(await applied(), []);
    });

    test('are looked for first: a directory with the runtime\'s is whole', options, async () => {
        put({ '0001_roles_and_claims.sql': before, '0002_plants.sql': '' });
        assertDone(await inProject(), 'applied 0001_roles_and_claims\napplied 0002_plants\n');
    });
});

describe("the product's own migrations", () => {
    const real = { migrations: path.join(root, 'sql/migrations'), seed: path.join(root, 'sql/seed') };
    const expected = repository.map((file) => file.name.replace('.sql', ''));

    test('apply to an empty database, and the seed loads any number of times', options, async () => {
        configure(real);
        assertDone(await migrate('--seed'), expected.map((file) => `applied ${file}\n`).join(''));
        const people = await one('SELECT count(*)::integer FROM profiles');
        assert.ok(people > 0);
        assertDone(await migrate('--seed'), `Nothing to do: ${expected.length} migrations are applied\n`);
        assert.equal(await one('SELECT count(*)::integer FROM profiles'), people);
    });

    test('need no superuser where the roles exist and the owner is a member of service_role', options, async () => {
        configure(real);
        assert.equal((await migrate()).code, 0, 'makes the roles');
        const login = `edge_test_owner_${process.pid}`;
        await admin.query(`CREATE ROLE ${login} LOGIN`);
        try {
            await admin.query(`GRANT service_role TO ${login}`);
            await dropDatabase();
            await createDatabase(login);
            const result = await start(['--seed'], { DATABASE_MIGRATE_URL: urlFor(login) }).ended;
            assertDone(result, expected.map((file) => `applied ${file}\n`).join(''));
        } finally {
            await admin.query(`ALTER DATABASE ${name} OWNER TO ${superuser}`);
            await owner.query(`REASSIGN OWNED BY ${login} TO ${superuser}; DROP OWNED BY ${login}`);
            await admin.query(`DROP ROLE ${login}`);
        }
    });

    test("are refused to the runtime's login, which owns nothing", options, async () => {
        configure(real);
        assertRefused(await start([], { DATABASE_URL: urlFor('edge_runtime') }).ended, 'permission denied');
        assert.deepEqual(await applied(), []);
    });
});
