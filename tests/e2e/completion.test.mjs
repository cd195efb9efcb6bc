/*
 * edge completion, as somebody at a prompt has it: bash, zsh and fish load the script from where each looks for it, and are
 * asked what they offer for a line.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { binary, runEdge, runProgram } from '../support/program.mjs';

const options = { timeout: 120000 };
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-completion-'));
const inside = (...names) => path.join(home, ...names);
const env = { PATH: `${path.dirname(binary)}:${process.env.PATH}`, XDG_CONFIG_HOME: inside('config'), XDG_DATA_HOME: inside('data'), TERM: 'xterm' };
const shells = { bash: bashComplete, zsh: zshComplete, fish: fishComplete };
const places = { bash: inside('edge.bash'), zsh: inside('fpath', '_edge'), fish: inside('config', 'fish', 'completions', 'edge.fish') };

before(async () => {
    fs.writeFileSync(inside('functions.toml'), '[functions.greet]\n[functions.grow]\n[functions.test]\n[functions.off]\nenabled = false\n');
    fs.mkdirSync(inside('greetings'));
    for (const [shell, place] of Object.entries(places)) {
        fs.mkdirSync(path.dirname(place), { recursive: true });
        const { status, stdout } = await runEdge(['completion', shell], { cwd: home });
        assert.equal(status, 0);
        fs.writeFileSync(place, stdout);
    }
}, options);
after(() => fs.rmSync(home, { recursive: true }));

/* Runs a shell's script; its standard output. */
async function run(shell, ...args) {
    const { status, stdout, stderr } = await runProgram(shell, args, { cwd: home, env });
    assert.deepEqual([status, stderr], [0, ''], `${shell} ${args.join(' ')}: is ${shell} installed?`);
    return stdout;
}

const lines = (text) => text.split('\n').filter((line) => line !== '');
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/* bash hands a completion function the words, which it takes apart at "=" and ":" as well. */
async function bashComplete(line) {
    const words = line.split(/ |(=)/).filter((word) => word !== undefined);
    return lines(await run('bash', '-c', `source ${places.bash}; COMP_WORDS=(${words.map(quoted).join(' ')})
        COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _edge; printf '%s\n' "\${COMPREPLY[@]}"`));
}

/* fish says what it would offer, and "\t" and a description behind it. */
async function fishComplete(line) {
    return lines(await run('fish', '-c', `complete -C ${quoted(line)}`)).map((offer) => offer.split('\t')[0]);
}

/*
 * zsh completes in its line editor only. So a second zsh on a pseudo terminal gets the line and a Tab; there compadd, through
 * which every candidate goes, writes down those that fit.
 */
async function zshComplete(line) {
    fs.writeFileSync(inside('prepare.zsh'), `
        fpath=(${inside('fpath')} $fpath)
        autoload -Uz compinit && compinit -u -D
        compadd() {
            local -a given=("\${@[1,(i)(-|--)]}") fitting
            if (( ! \${given[(I)-[OAD]*]} )); then
                builtin compadd -A fitting "$@"
                print -rl -- $fitting >> ${inside('offers')}
            fi
            builtin compadd "$@"
        }
        offer() { zle expand-or-complete; print END >> ${inside('offers')} }
        zle -N offer && bindkey '^I' offer
        print READY >> ${inside('offers')}`);
    fs.writeFileSync(inside('drive.zsh'), `
        zmodload zsh/zpty
        : > ${inside('offers')}
        await() { local left=1000; while ! grep -qx $1 ${inside('offers')} && (( left-- )); do zpty -r -t shell >/dev/null; sleep 0.02; done }
        zpty shell zsh -f -i
        zpty -w shell source ${inside('prepare.zsh')}
        await READY
        zpty -w -n shell "$1"$'\\t'
        await END
        zpty -d shell`);
    await run('zsh', '-f', inside('drive.zsh'), line);
    const offers = lines(fs.readFileSync(inside('offers'), 'utf8'));
    assert.deepEqual([offers[0], offers.at(-1)], ['READY', 'END']);
    return offers.slice(1, -1);
}

/* A shell offers a directory with or without "/", and an option's value with or without the option before it. */
const plain = (offers) => [...new Set(offers.map((offer) => offer.replace(/\/$/, '').replace(/^--\w+=/, '')))].sort();

const cases = {
    'edge in': ['invoke'],
    'edge --v': ['--version'],
    'edge he': ['help'],
    'edge invoke --s': ['--service', '--stream'],
    'edge invoke --he': ['--header', '--help'],
    'edge invoke gr': ['greet', 'grow'],
    'edge invoke --as user_demo gr': ['greet', 'grow'],
    'edge test greet gr': ['greet', 'grow'],
    'edge reload g': ['greet', 'grow'],
    'edge dev --gdb gr': ['greet', 'grow'],
    'edge logs --function ': ['greet', 'grow', 'test'],
    'edge logs --function=gr': ['greet', 'grow'],
    'edge logs --level w': ['warn'],
    'edge logs --level=w': ['warn'],
    'edge invoke test --no': [],
    'edge new --auth ad': ['admin'],
    'edge new gr': [],
    'edge config pro': ['providers'],
    'edge completion ': ['bash', 'fish', 'zsh'],
    'edge sandbox send sho': ['shopify'],
    'edge sandbox send shopify func': ['functions.toml'],
    'edge serve --config func': ['functions.toml'],
    'edge invoke greet @func': ['@functions.toml'],
    'edge functions --markdown gr': ['greetings'],
    'edge dev gr': ['greetings'],
};

for (const [shell, complete] of Object.entries(shells))
    describe(shell, options, () => {
        it('completes every command', options, async () => {
            const { stdout } = await runEdge(['--help'], { cwd: home });
            const commands = [...stdout.matchAll(/^ {2}(\w+) +\S/gm)].map(([, name]) => name);
            assert.ok(commands.length > 20);
            const offers = await complete('edge ');
            assert.deepEqual(commands.filter((name) => !offers.includes(name)), []);
        });

        for (const [line, wanted] of Object.entries(cases))
            it(`completes "${line}"`, options, async () => {
                const prefix = shell === 'zsh' && line.includes('@') ? '@' : '';
                assert.deepEqual(plain((await complete(line)).map((offer) => prefix + offer)), wanted);
            });
    });

describe('the scripts', options, () => {
    it('source takes zsh\'s as well', options, async () => {
        assert.equal(await run('zsh', '-fc', `autoload -Uz compinit; compinit -u -D; source ${places.zsh}; print $_comps[edge]`), '_edge\n');
    });

    it('are there for no other shell', options, async () => {
        const { status, stderr } = await runEdge(['completion', 'tcsh'], { cwd: home });
        assert.equal(status, 2);
        assert.match(stderr, /bash, zsh or fish/);
    });
});
