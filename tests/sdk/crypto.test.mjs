/*
 * Sealed credentials through a function: what is stored opens again, on hosts that have the key only.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { it } from 'node:test';

import { call, startPluginHost, workers } from './plugin_host.mjs';

const options = { timeout: 60000 };
const KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=', OTHER = Buffer.alloc(32, 7).toString('base64');
const secret = { access_token: 'at-123', refresh_token: null };

async function withKeys(env, work) {
    const host = await startPluginHost('crypto_seal', { env, settings: { env: ['EDGE_ENCRYPTION_KEY'] } });
    try {
        return await work(host, (body) => call(host, 'crypto_seal', body));
    } finally {
        await host.stop();
    }
}

it('what is sealed opens for the same owner, here and after a rotation', options, async () => {
    const sealed = await withKeys({ EDGE_ENCRYPTION_KEY: KEY }, async (host, seal) => {
        const { body } = await seal({ seal: secret, aad: 'crm_connections:user_a:lofty' });
        assert.deepEqual(Object.keys(body.sealed).sort(), ['alg', 'ct', 'iv', 'kid', 'tag', 'v']);
        assert.equal(body.sealed.kid, '630dcd29');
        assert.deepEqual((await seal({ open: body.sealed, aad: 'crm_connections:user_a:lofty' })).body.opened, secret);
        assert.equal((await seal({ open: body.sealed, aad: 'crm_connections:user_b:lofty' })).body.opened, null);
        assert.equal((await seal({ open: { access_token: 'plain' } })).body.opened, null);
        assert.ok(!host.text().includes('at-123'));
        return body.sealed;
    });
    await withKeys({ EDGE_ENCRYPTION_KEY: OTHER, EDGE_ENCRYPTION_KEY_PREVIOUS: KEY }, async (_, seal) => {
        assert.deepEqual((await seal({ open: sealed, aad: 'crm_connections:user_a:lofty' })).body.opened, secret);
        assert.notEqual((await seal({ seal: secret })).body.sealed.kid, '630dcd29');
    });
});

it('no function sees the key', options, () =>
    withKeys({ EDGE_ENCRYPTION_KEY: KEY }, async (host, seal) => {
        assert.equal((await seal({ seal: 1 })).body.visible, false);
        assert.deepEqual((await seal({ ask: true })).body, { available: true });
        for (const pid of workers(host)) assert.ok(!fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(KEY));
    }));

it('without a key, or with one that is none, it is 503', options, async () => {
    for (const key of [null, '', 'AAEC', KEY.slice(0, -1)])
        await withKeys({ EDGE_ENCRYPTION_KEY: key }, async (_, seal) => {
            for (const body of [{}, { seal: 1 }, { open: {} }]) {
                const answer = await seal(body);
                assert.deepEqual([answer.status, answer.body.code], [503, 'encryption_not_configured']);
            }
            assert.deepEqual(await seal({ ask: true }), { status: 200, body: { available: false } });
        });
});
