/*
 * The terminal of `edge dev`: keys arrive one by one while it runs, and whatever ends or stops it, the shell behind it has lines
 * and echo again. That shell is sh, which does not put terminals right by itself, as bash and zsh do.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Project } from '../support/dev.mjs';
import { eventually } from '../support/host.mjs';

const options = { timeout: 60000 };
let project;

before(() => {
    project = new Project();
}, options);
after(() => project.end(), options);

/* `edge dev` in a job of a shell; on the line "fg" the shell continues it. */
async function start() {
    const dev = await project.start('shell');
    await dev.says(/^Keys:/m);
    const read = (name) => fs.readFileSync(path.join(project.directory, name), 'utf8').trim();
    return Object.assign(dev, { pid: Number(read('pid')), terminal: read('terminal') });
}

/* Whether keys arrive one by one and unseen: 'keys', or as lines with an echo: 'lines'. */
function mode({ terminal }) {
    const words = execFileSync('stty', ['-a', '-F', terminal], { encoding: 'utf8' }).split(/[\s;]+/);
    assert.equal(words.includes('icanon'), words.includes('echo'));
    return words.includes('icanon') ? 'lines' : 'keys';
}

const becomes = (dev, wanted) => eventually(() => mode(dev) === wanted, `the terminal to give ${wanted}`, 10000);

describe('the terminal', options, () => {
    for (const [what, status, end] of [
        ['q', 0, (dev) => dev.press('q')],
        ['Ctrl-C', 0, (dev) => dev.press('\u0003')],
        ['Ctrl-\\', 131, (dev) => dev.press('\u001c')],
        ['SIGTERM', 0, (dev) => process.kill(dev.pid, 'SIGTERM')],
        ['SIGHUP', 0, (dev) => process.kill(dev.pid, 'SIGHUP')],
        ['SIGKILL', 137, (dev) => process.kill(dev.pid, 'SIGKILL')],
    ])
        it(`is as before after ${what}`, options, async () => {
            const dev = await start();
            await becomes(dev, 'keys');
            end(dev);
            await dev.says(new RegExp(`^status ${status}$`, 'm'));
            await becomes(dev, 'lines');
            /* No Ctrl-D: Linux loses it when the shell has begun to read before the guard has put the terminal right. */
            dev.press('exit\n');
            assert.equal(await dev.exit, 0);
        });

    it('is the shell\'s after Ctrl-Z, and ours again after fg', options, async () => {
        const dev = await start();
        await becomes(dev, 'keys');
        for (let round = 0; round < 2; round++) {
            dev.press('\u001a');
            await dev.says(new RegExp(`(^status 14[78]$[^]*){${round + 1}}`, 'm'));
            assert.equal(mode(dev), 'lines');
            dev.press('fg\n');
            await becomes(dev, 'keys');
            assert.equal((await dev.call('first')).status, 200);
        }
        dev.press('q');
        await dev.says(/^status 0$/m);
        assert.equal(mode(dev), 'lines');
        dev.press('exit\n');
        assert.equal(await dev.exit, 0);
    });

    it('is left alone from the background, and taken when it comes to the fore', options, async () => {
        const dev = await start();
        await becomes(dev, 'keys');
        dev.press('\u001a');
        await dev.says(/^status 14[78]$/m);
        dev.press('bg\n');
        await eventually(async () => (await dev.call('first')).status === 200, 'the host to go on');
        assert.equal(mode(dev), 'lines');
        dev.press('fg\n');
        await becomes(dev, 'keys');
        dev.press('q');
        await dev.says(/(^status 0$[^]*){2}/m, 'the ends of bg and of edge dev');
        dev.press('exit\n');
        assert.equal(await dev.exit, 0);
    });
});
