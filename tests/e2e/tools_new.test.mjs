/*
 * edge new: every kind of function that it writes compiles without a warning and passes its own test; nothing is
 * overwritten, and what cannot be is refused.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory, root } from '../support/config.mjs';
import { runEdge, runProgram } from '../support/program.mjs';

const options = { timeout: 240000 };
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-new-'));
const tree = path.join(directory, 'tree');
const inTree = (...names) => path.join(tree, ...names);

const KINDS = [
    ['greetUser'],
    ['greetAnybody', '--auth', 'public'],
    ['greetPerhaps', '--auth', 'optional'],
    ['greetAdmin', '--auth', 'admin'],
    ['greetService', '--auth', 'service'],
    ['greetEither', '--auth', 'user_or_service'],
    ['greetNightly', '--schedule', '0 6 * * *'],
    ['countUser', '--stream'],
    ['countAnybody', '--stream', '--auth', 'public'],
    ['talkUser', '--ws'],
    ['talkAnybody', '--ws', '--auth', 'public'],
    ['hookSvix', '--auth', 'webhook:svix', '--dir', 'functions/events'],
    ['hookShopify', '--auth', 'webhook:shopify', '--dir', 'functions/events'],
    ['hookElevenLabs', '--auth', 'webhook:elevenlabs', '--dir', 'functions/events'],
    ['hookGoHighLevel', '--auth', 'webhook:gohighlevel', '--dir', 'functions/events'],
];

/* A copy of what of this tree `edge new` and the tests of functions look at. */
function copyTree() {
    for (const name of ['sdk', 'tests/functions', 'functions/data', 'functions/events', 'build/functions'])
        fs.mkdirSync(inTree(name), { recursive: true });
    fs.cpSync(path.join(root, 'sdk/template'), inTree('sdk/template'), { recursive: true });
    fs.cpSync(path.join(root, 'tests/support'), inTree('tests/support'), { recursive: true });
    fs.copyFileSync(path.join(root, 'functions.toml'), inTree('functions.toml'));
    fs.cpSync(path.join(root, 'tests/database'), inTree('tests/database'), { recursive: true });
    fs.symlinkSync(path.join(root, 'tests/node_modules'), inTree('tests/node_modules'));
    fs.symlinkSync(path.join(root, 'sql'), inTree('sql'));
    fs.symlinkSync(path.join(buildDirectory, 'edge'), inTree('build/edge'));
    for (const name of fs.readdirSync(path.join(buildDirectory, 'functions')).filter((one) => /^sandbox_.*\.so$/.test(one)))
        fs.symlinkSync(path.join(buildDirectory, 'functions', name), inTree('build/functions', name));
}

/* One of each kind of test and caller; the others differ in a line. */
const RUN = ['greetPerhaps', 'greetAdmin', 'greetNightly', 'greetEither', 'countUser', 'talkUser', 'hookSvix', 'hookGoHighLevel'];

const create = (args, cwd = tree) => runEdge(['new', ...args], { cwd });
const domain = (args) => (args.includes('functions/events') ? 'events' : 'data');

before(copyTree, options);
after(() => fs.rmSync(directory, { recursive: true }));

describe('edge new in this tree', options, () => {
    it('writes each kind', options, async () => {
        for (const args of KINDS) {
            const { status, stdout, stderr } = await create(args);
            assert.equal(status, 0, stderr);
            assert.match(stdout, new RegExp(`^functions/${domain(args)}/${args[0]}\\.c\ntests/functions/${domain(args)}/${args[0]}\\.test\\.mjs\n`));
        }
        assert.equal((await runEdge(['config', 'check'], { cwd: tree })).status, 0);
        const toml = fs.readFileSync(inTree('functions.toml'), 'utf8');
        const part = (heading) => toml.slice(toml.indexOf(`# --- ${heading} `)).split('\n# --- ')[0];
        assert.match(part('Data'), /\[functions\.greetNightly\]\nauth = "service"\nschedule = "0 6 \* \* \*"\n/);
        assert.match(part('Events'), /\[functions\.hookSvix\]\nauth = "webhook:svix"\nwebhook_secret = "HOOK_SVIX_SECRET"/);
        assert.deepEqual(fs.readdirSync(tree).filter((name) => name.includes('.new-')), []);
    });

    for (const [compiler, ...more] of [['gcc', '-shared', '-Wl,--build-id=sha1'], ['clang', '-fsyntax-only']])
        it(`what it has written compiles with ${compiler}`, options, async (t) => {
            if ((await runProgram(compiler, ['--version'])).status !== 0) return t.skip(`${compiler} is not installed`);
            for (const args of KINDS) {
                const source = inTree('functions', domain(args), `${args[0]}.c`);
                const { status, stderr } = await runProgram(compiler, ['-std=gnu17', '-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wmissing-prototypes',
                    '-fPIC', '-fvisibility=hidden', '-ffp-contract=off', `-I${path.join(root, 'sdk/include')}`,
                    ...more, '-o', inTree('build/functions', `${args[0]}.so`), source]);
                assert.equal(status, 0, stderr);
                assert.equal(stderr, '');
            }
        });

    it('what it has written passes its test', options, async () => {
        const files = KINDS.filter(([name]) => RUN.includes(name)).map((args) => inTree('tests/functions', domain(args), `${args[0]}.test.mjs`));
        const env = { EDGE_TEST_PG_URL: process.env.EDGE_TEST_PG_URL, EDGE_BUILD: inTree('build') };
        const { status, stdout, stderr } = await runProgram(process.execPath, ['--test', '--test-reporter=spec', ...files], { cwd: tree, env, timeout: 200000 });
        assert.equal(status, 0, stdout + stderr);
        assert.match(stdout, /pass 2\d\b/);
        assert.match(stdout, /fail 0\b/);
    });

    it('its sources are formatted as the others', options, async (t) => {
        if ((await runProgram('clang-format', ['--version'])).status !== 0) return t.skip('clang-format is not installed');
        fs.copyFileSync(path.join(root, '.clang-format'), inTree('.clang-format'));
        const sources = KINDS.map((args) => inTree('functions', domain(args), `${args[0]}.c`));
        const { status, stderr } = await runProgram('clang-format', ['--dry-run', '--Werror', ...sources], { cwd: tree });
        assert.equal(status, 0, stderr);
    });
});

describe('edge new refuses', options, () => {
    const REFUSED = [
        [['createTask'], 1, /functions\.toml:\d+: there is a function "createTask" already/],
        [['createtask'], 1, /there is a function "createTask" already/],
        [[], 2, /say how the function is called/],
        [['2fast'], 2, /"2fast" does not begin with a letter/],
        [['_hidden'], 2, /does not begin with a letter/],
        [['to-do'], 2, /"to-do" is no C identifier/],
        [['überall'], 2, /does not begin with a letter|is no C identifier/],
        [['../escape'], 2, /does not begin with a letter|is no C identifier/],
        [['while'], 2, /is a word of C/],
        [['test'], 2, /the build has for something else/],
        [['x'.repeat(64)], 2, /has not 1 to 63 characters/],
        [['fine', '--auth', 'root'], 2, /--auth is "root", not user, public/],
        [['fine', '--stream', '--ws'], 2, /choose one/],
        [['fine', '--ws', '--schedule', '* * * * *'], 2, /leave --schedule out/],
        [['fine', '--schedule', 'daily'], 1, /functions\.fine\.schedule: /],
        [['fine', '--schedule', '* * * * *"\nauth = "public'], 1, /functions/],
        [['fine', '--dir', '../functions/data'], 2, /--dir is/],
        [['fine', '--dir', 'functions/none'], 2, /there is no "functions\/none"/],
    ];
    for (const [args, wanted, message] of REFUSED)
        it(JSON.stringify(args), options, async () => {
            const before_ = fs.readFileSync(inTree('functions.toml'), 'utf8');
            const { status, stdout, stderr } = await create(args);
            assert.equal(status, wanted, stdout + stderr);
            assert.match(stderr, message);
            assert.equal(stdout, '');
            assert.equal(fs.readFileSync(inTree('functions.toml'), 'utf8'), before_);
            assert.equal(fs.existsSync(inTree('functions/data/fine.c')), false);
        });

    it('a file that is there, even when no section names it', options, async () => {
        fs.writeFileSync(inTree('functions/data/kept.c'), '/* mine */\n');
        const { status, stderr } = await create(['kept']);
        assert.equal(status, 1);
        assert.match(stderr, /"functions\/data\/kept\.c" is there already, and nothing is overwritten/);
        assert.equal(fs.readFileSync(inTree('functions/data/kept.c'), 'utf8'), '/* mine */\n');
        assert.equal(fs.existsSync(inTree('tests/functions/data/kept.test.mjs')), false);
    });

    it('a directory with something else in it', options, async () => {
        const other = path.join(directory, 'other');
        fs.mkdirSync(other);
        fs.writeFileSync(path.join(other, 'letter.txt'), 'Dear Ann');
        const { status, stderr } = await create(['fine'], other);
        assert.equal(status, 1);
        assert.match(stderr, /no functions\.toml here or above, and the directory is not empty/);
        assert.deepEqual(fs.readdirSync(other), ['letter.txt']);
    });
});
