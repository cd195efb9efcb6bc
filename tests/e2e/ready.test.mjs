/*
 * /_edge/ready: whether a host can serve, and for who has its service key what configuration it lacks; names, never values.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { SERVICE_KEY } from '../support/host.mjs';
import { runEdge } from '../support/program.mjs';
import { mint } from '../support/tokens.mjs';
import { startPlugins } from '../support/websocket.mjs';

const options = { timeout: 60000 };
const env = { EDGE_SERVICE_KEY: SERVICE_KEY, HOOK_SECRET: 'whsec_dmlzaWJsZQ==', GREETING: null, TWILIO_AUTH_TOKEN: null, ENV_NEEDS_KEY: 'a visible value' };
let host;

before(async () => {
    host = await startPlugins({
        env,
        functions: {
            hello: { auth: 'public', env: ['GREETING', 'TWILIO_AUTH_TOKEN'] }, crypto_seal: { auth: 'service' },
            env_needs: { auth: 'public', env: ['ENV_NEEDS_KEY'] }, echo: { auth: 'webhook:svix', webhook_secret: 'HOOK_SECRET' },
        },
    });
}, options);
after(() => host?.stop(), options);

const ready = async (query = '', authorization) => {
    const answer = await fetch(`${host.url}/_edge/ready${query}`, { headers: authorization === undefined ? {} : { authorization: `Bearer ${authorization}` } });
    return { status: answer.status, text: await answer.text() };
};

describe('/_edge/ready', options, () => {
    it('tells everybody whether, and nobody more', options, async () => {
        for (const query of ['', '?verbosely', '?x=verbose']) {
            const { status, text } = await ready(query);
            assert.deepEqual([status, JSON.parse(text)], [200, { status: 'ready', database: 'not_configured', functionsNotLoaded: [] }]);
        }
    });

    it('?verbose wants the service key', options, async () => {
        for (const token of [undefined, 'x'.repeat(40), await mint('user_demo')]) {
            const { status, text } = await ready('?verbose', token);
            assert.deepEqual([status, JSON.parse(text).code], [401, 'unauthorized']);
        }
    });

    it('?verbose lists what is missing and who needs it, as edge env --check does', options, async () => {
        const { status, text } = await ready('?verbose', SERVICE_KEY);
        assert.equal(status, 200);
        const missing = Object.fromEntries(JSON.parse(text).missingConfiguration.map(({ variable, ...more }) => [variable, more]));
        assert.deepEqual(missing.GREETING, { need: 'optional', required: false, set: false, users: ['hello'] });
        assert.deepEqual(missing.TWILIO_AUTH_TOKEN, { need: 'feature', required: false, set: false, users: ['hello'] });
        assert.deepEqual(missing.DATABASE_URL, { need: 'feature', required: false, set: false, users: ['the database'] });
        assert.equal(missing.HOOK_SECRET ?? missing.ENV_NEEDS_KEY ?? missing.EDGE_SERVICE_KEY, undefined);
        const said = await runEdge(['env', '--check', '--json', '--config', path.join(host.directory, 'functions.toml')],
            { cwd: host.directory, env: Object.fromEntries(fs.readFileSync(`/proc/${host.child.pid}/environ`, 'utf8').split('\0').map((line) => /^(\w+)=([^]*)$/.exec(line)?.slice(1) ?? ['_', ''])) });
        const names = (list) => list.map(({ variable }) => variable).sort();
        assert.deepEqual(names(JSON.parse(text).missingConfiguration), names(JSON.parse(said.stdout)));
    });

    it('holds no value', options, async () => {
        const { text } = await ready('?x=1&verbose=1', SERVICE_KEY);
        assert.ok(text.includes('missingConfiguration'));
        for (const value of Object.values(env)) assert.ok(value === null || !text.includes(value));
    });

    it('?verbose knows whether anything can be sealed', options, async () => {
        const sealing = async (key) => {
            const other = await startPlugins({ env: { ...env, EDGE_ENCRYPTION_KEY: key }, functions: { crypto_seal: { auth: 'service' } } });
            try {
                const answer = await fetch(`${other.url}/_edge/ready?verbose`, { headers: { authorization: `Bearer ${SERVICE_KEY}` } });
                return (await answer.json()).missingConfiguration.find(({ variable }) => variable === 'EDGE_ENCRYPTION_KEY')?.users;
            } finally {
                await other.stop();
            }
        };
        assert.equal(await sealing(Buffer.alloc(32, 7).toString('base64')), undefined);
        assert.deepEqual(await sealing(null), ['crypto_seal']);
    });
});
