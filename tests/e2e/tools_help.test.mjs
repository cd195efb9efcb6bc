/*
 * What the program says of itself: --help of every command and docs/cli.md, examples that are calls it understands, exit
 * statuses, and colours on terminals only.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';

import { root } from '../support/config.mjs';
import { binary, runEdge, runProgram } from '../support/program.mjs';

const options = { timeout: 120000 };
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-help-'));
after(() => fs.rmSync(directory, { recursive: true }));

const edge = (...args) => runEdge(args, { cwd: directory });
const { stdout: overview } = await edge('--help');
const commands = [...overview.matchAll(/^ {2}(\w+) +\S/gm)].map(([, name]) => name);

/* The lines of a --help below "examples:", split as a shell would, up to a pipe or a redirection. */
function examples(help) {
    return help.split('\nexamples:\n')[1].split('\n').filter((line) => line !== '').map((line) => {
        const words = line.slice(line.indexOf('edge ')).match(/"(?:\\.|[^"])*"|'[^']*'|\S+/g);
        const end = words.findIndex((word) => /^[|>)]|^\)$/.test(word));
        return (end < 0 ? words : words.slice(0, end)).slice(1).map((word) => word.replace(/^(['"])(.*)\1$/, '$2').replace(/\)$/, ''));
    });
}

describe('--help', options, () => {
    it('lists the commands, and says the exit statuses and the version', options, async () => {
        for (const name of ['new', 'dev', 'test', 'invoke', 'logs', 'routes', 'env', 'doctor', 'completion', 'functions', 'serve'])
            assert.ok(commands.includes(name), name);
        assert.match(overview, /Exit statuses: 0 done,\s+1 failed \(standard error says why\), 2 called wrongly/);
        assert.match((await edge('--version')).stdout, /^edge \d+\.\d+\.\d+, ABI \d+\.\d+\n$/);
    });

    for (const command of commands)
        it(`of ${command}: usage, options, examples that it understands`, options, async () => {
            const { status, stdout, stderr } = await edge(command, '--help');
            assert.equal(status, 0);
            assert.equal(stderr, '');
            assert.match(stdout, new RegExp(`^usage: edge ${command}\\b[^]*\n\noptions:\n[^]*  --help +this text\n\nexamples:\n`));
            assert.doesNotMatch(stdout, /\u001b/);
            const calls = examples(stdout);
            assert.ok(calls.length > 0);
            for (const call of calls) {
                assert.ok(commands.includes(call[0]), call.join(' '));
                /* Whatever stands before --help is read first, so a wrong option would be refused. */
                const read = await edge(...call, '--help');
                assert.equal(read.status, 0, `edge ${call.join(' ')}: ${read.stderr}`);
            }
            for (const line of stdout.split('\n').slice(1)) assert.ok([...line].length <= 132, line);
        });

    it('is what docs/cli.md says', options, async () => {
        const { stdout } = await edge('help', '--markdown');
        assert.equal(stdout, fs.readFileSync(path.join(root, 'docs/cli.md'), 'utf8'), 'scripts/docs writes it');
        for (const command of commands) assert.ok(stdout.includes(`\n## edge ${command}\n`), command);
    });
});

/* What a command must be given before it looks at its configuration. */
const operands = {
    config: ['check'], dev: [], invoke: ['hello', '{}'], jobs: ['list'], new: ['greet', '--dir', 'functions'], promote: ['hello'], rollback: ['hello'],
    sandbox: ['send', 'shopify', 'event.json'], token: ['--user', 'user_demo'], types: ['--typescript'], completion: ['bash'],
};

describe('exit statuses', options, () => {
    for (const command of commands) {
        it(`${command}: 2 for an option it does not have, naming the one that was meant, and for a value that is missing`, options, async () => {
            const { stdout: help } = await edge(command, '--help');
            const known = [...help.matchAll(/^ {2}(?:-\w, )?--([\w-]+)( \S+)?/gm)].filter(([, name]) => name !== 'help');
            await Promise.all(known.map(async ([, name, value]) => {
                const typo = await edge(command, `--${name}z`);
                assert.deepEqual([typo.status, typo.stdout], [2, ''], name);
                assert.match(typo.stderr, new RegExp(`^edge ${command}: "--\\S+" is no option; did you mean "--[\\w-]+"\nTry: edge ${command} --help\n$`), name);
                if (value === undefined) return;
                const bare = await edge(command, `--${name}`);
                assert.deepEqual([bare.status, bare.stdout], [2, ''], name);
                assert.match(bare.stderr, /needs a value/);
            }));
            const far = await edge(command, '--qqqqqqqq');
            assert.deepEqual([far.status, far.stdout], [2, '']);
            assert.match(far.stderr, /"--qqqqqqqq" is no option/);
        });

        it(`${command}: 1 when what it works on is not there, and why`, options, async () => {
            const { stdout: help } = await edge(command, '--help');
            if (!help.includes('--config FILE')) return assert.equal(command, 'completion');
            const { status, stdout, stderr } = await edge(command, ...(operands[command] ?? []), '--config', 'nowhere/none.toml');
            assert.deepEqual([status, command === 'doctor' ? '' : stdout], [1, ''], stderr);
            if (command !== 'doctor') assert.match(stderr, /^edge: .*(none\.toml|no host runs)/m);
        });
    }

    it('2 for a command that there is not, naming the one that was meant', options, async () => {
        const { status, stdout, stderr } = await edge('invok');
        assert.deepEqual([status, stdout], [2, '']);
        assert.match(stderr, /^edge: "invok" is no command; did you mean "invoke"$/m);
        assert.equal((await edge()).status, 2);
        assert.equal((await edge('help', 'invok')).status, 2);
    });

    it('0 for help, of a command as well', options, async () => {
        const [asked, said] = [await edge('help', 'logs'), await edge('logs', '--help')];
        assert.deepEqual([asked.status, asked.stdout], [0, said.stdout]);
        assert.equal((await edge('help')).status, 0);
    });
});

describe('output', options, () => {
    const onTerminal = (command, env) => runProgram('script', ['-qec', command, '/dev/null'], { cwd: directory, env: { TERM: 'xterm', ...env } });

    it('has colours on a terminal only, and none with NO_COLOR', options, async () => {
        const doctor = `${binary} doctor --config none.toml`;
        assert.match((await onTerminal(doctor)).stdout, /\u001b\[3[12]m/);
        assert.doesNotMatch((await onTerminal(doctor, { NO_COLOR: '1' })).stdout, /\u001b/);
        assert.match((await onTerminal(doctor, { NO_COLOR: '' })).stdout, /\u001b/, 'empty is as unset');
        assert.doesNotMatch((await onTerminal(doctor, { TERM: 'dumb' })).stdout, /\u001b/);
        assert.doesNotMatch((await edge('doctor', '--config', 'none.toml')).stdout, /\u001b/);
    });

    it('is JSON where it is asked for', options, async () => {
        const file = path.join(root, 'functions.toml');
        for (const args of [['functions'], ['routes'], ['env'], ['doctor'], ['config', 'check'], ['config', 'keys'], ['config', 'providers']]) {
            const { stdout, stderr } = await edge(...args, '--json', '--config', file);
            assert.ok(JSON.parse(stdout), args.join(' '));
            assert.doesNotMatch(stderr, /Sanitizer/);
        }
        fs.writeFileSync(path.join(directory, 'bad.toml'), '[server]\nport = 1\n');
        const bad = await edge('config', 'check', '--json', '--config', 'bad.toml');
        assert.deepEqual([bad.status, JSON.parse(bad.stdout).valid], [1, false]);
    });
});
