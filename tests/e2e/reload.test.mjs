/*
 * Plugins and functions.toml replaced while the host serves: what is served when, and that going back is possible.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { eventually } from '../support/host.mjs';
import { build, startHot } from '../support/reload.mjs';

const options = { timeout: 60000 };
let host;

const becomes = (version) => eventually(async () => (await host.version()) === version, `version ${version}`);

describe('reload: one plugin', options, () => {
    before(async () => (host = await startHot()), options);
    after(() => host?.end(), options);

    it('serves what was there at the start', options, async () => {
        assert.equal(await host.version(), 1);
        const status = await host.status();
        assert.equal(status.state, 'serving');
        assert.match(status.generation, /^[0-9a-f]{40}$/);
        assert.deepEqual(status.previous, []);
    });

    it('serves a file that is renamed into place, by itself, and names its build', options, async () => {
        const before = (await host.call()).headers.get('x-function-version');
        host.plugins.put(build('v2'));
        await becomes(2);
        const answer = await host.call();
        const now = answer.headers.get('x-function-version');
        assert.notEqual(now, before);
        const line = await host.logged((entry) => entry.event === 'generation_live' && entry.generation === now);
        assert.equal(line.previous, before);
        assert.equal(line.cause, 'file');
        assert.deepEqual((await host.status()).previous, [before]);
        const requestLine = await host.logged((entry) => entry.function === 'hot' && entry.generation === now);
        assert.ok(requestLine);
    });

    it('serves a file that is written over in place, and one that is linked there', options, async () => {
        host.plugins.overwrite(fs.readFileSync(build('v3')));
        await becomes(3);
        fs.unlinkSync(host.plugins.file());
        fs.symlinkSync(build('v4'), host.plugins.file());
        await becomes(4);
        fs.unlinkSync(host.plugins.file());
        host.plugins.put(build('v1'));
        await becomes(1);
    });

    it('takes no notice of a file that is touched, or the same again', options, async () => {
        const { revision } = JSON.parse((await host.edge('reload', '--json')).stdout);
        fs.utimesSync(host.plugins.file(), new Date(), new Date());
        host.plugins.put(build('v1'));
        const { stdout, code } = await host.edge('reload', '--json');
        assert.equal(code, 0);
        const report = JSON.parse(stdout);
        assert.deepEqual(report.changed, []);
        assert.equal(report.revision, revision);
    });

    it('the last of several files within a millisecond counts', options, async () => {
        for (const name of ['v2', 'v3', 'v2', 'v3', 'v4']) host.plugins.put(build(name));
        await becomes(4);
        assert.equal(await host.version(), 4);
    });

    it('what runs finishes as the build it began with; a reader of its stream sees one build', options, async () => {
        host.plugins.put(build('v1'));
        await becomes(1);
        const waiting = host.version({ ms: 1500 });
        const stream = host.call({ events: 30, interval: 50 }).then((answer) => answer.text());
        await eventually(async () => (await host.version()) === 1, 'both to run');
        host.plugins.put(build('v2'));
        await becomes(2);
        assert.equal(await waiting, 1);
        const versions = [...(await stream).matchAll(/"version":(\d)/g)].map(([, version]) => version);
        assert.equal(versions.length, 31);
        assert.deepEqual(new Set(versions), new Set(['1']));
    });
});

describe('reload: going back', options, () => {
    before(async () => (host = await startHot()), options);
    after(() => host?.end(), options);

    it('edge rollback returns to the build before, again and again, and says when there is none', options, async () => {
        host.plugins.put(build('v2'));
        await becomes(2);
        host.plugins.put(build('v3'));
        await becomes(3);
        const { code, stdout } = await host.edge('rollback', 'hot');
        assert.equal(code, 0);
        assert.match(stdout, /^hot serves [0-9a-f]{12} \(before: [0-9a-f]{12}\)\n$/);
        assert.equal(await host.version(), 2);
        await host.edge('rollback', 'hot');
        assert.equal(await host.version(), 1);
        const none = await host.edge('rollback', 'hot');
        assert.equal(none.code, 1);
        assert.match(none.stderr, /no earlier build/);
        assert.equal(await host.version(), 1);
    });

    it('what was left stays away until somebody asks for it', options, async () => {
        fs.utimesSync(host.plugins.file(), new Date(), new Date());
        const other = await host.edge('reload', 'nobody');
        assert.equal(other.code, 1);
        assert.match(other.stderr, /has no function "nobody"/);
        assert.equal(await host.version(), 1);
        assert.equal((await host.edge('reload', 'hot')).code, 0);
        assert.equal(await host.version(), 3);
    });

    it('a command for a function that is not there is refused', options, async () => {
        const { code, stderr } = await host.edge('rollback', 'cold');
        assert.equal(code, 1);
        assert.match(stderr, /no function "cold"/);
        assert.equal((await host.edge('rollback')).code, 2);
    });

    it('SIGHUP looks at everything once more', options, async () => {
        fs.writeFileSync(host.plugins.file(), fs.readFileSync(build('v4')));
        host.child.kill('SIGHUP');
        await becomes(4);
    });
});
