/*
 * edge_provider_url: addresses of a provider for a browser.
 */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';

import { call, startPluginHost } from './plugin_host.mjs';

const options = { timeout: 60000 };
let host;

before(async () => {
    host = await startPluginHost('http_address', {
        env: { PLACES_BASE_URL: 'http://127.0.0.1:9/base/', EXTERNAL_BACKEND_BASE_URL: null, EXTERNAL_BACKEND_URL: null },
        providers: { peer: { base_url: 'https://peer.example' }, places: { base_url: 'https://places.example' } },
    });
}, options);
after(() => host?.stop());

const address = (provider, path) => call(host, 'http_address', { provider, path });

it('is the base URL with the path behind it', options, async () => {
    assert.deepEqual(await address('peer', '/o/auth?scope=a%20b&state=x.y'), { status: 200, body: { url: 'https://peer.example/o/auth?scope=a%20b&state=x.y' } });
});

it('follows the provider where its variable points', options, async () => {
    assert.equal((await address('places', '/v25.0/dialog/oauth')).body.url, 'http://127.0.0.1:9/base/v25.0/dialog/oauth');
});

it('a provider without an address is not configured', options, async () => {
    const { status, body } = await address('external_backend', '/rest/v1/');
    assert.deepEqual([status, body.code], [503, 'not_configured']);
});

it('refuses paths that are not encoded or leave the base', options, async () => {
    for (const path of ['/a b', '/../b', '/a\\b', '@evil.example/']) {
        const { status, body } = await address('peer', path);
        assert.deepEqual([status, body.code], [500, 'internal_error'], path);
    }
});
