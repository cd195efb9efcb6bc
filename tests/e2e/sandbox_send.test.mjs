/*
 * edge sandbox send: events of every provider arrive at a running host as if they were real, and the senders' own libraries
 * agree with how they are signed.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { ElevenLabsClient } from '@elevenlabs/elevenlabs-js';
import '@shopify/shopify-api/adapters/node';
import { ApiVersion, shopifyApi } from '@shopify/shopify-api';
import { Webhook } from 'svix';

import { buildDirectory, root } from '../support/config.mjs';
import { VECTOR } from '../support/deliveries.mjs';
import { ELEVENLABS, GOHIGHLEVEL, SHOPIFY } from '../support/senders.mjs';
import { options, suite } from '../support/suite.mjs';

const secrets = {
    CLERK_WEBHOOK_SECRET: VECTOR.secret,
    ELEVENLABS_WEBHOOK_SECRET: ` ${ELEVENLABS.secret} , wsec_old`,
    SHOPIFY_WEBHOOK_SECRET: SHOPIFY.secret,
    GOHIGHLEVEL_WEBHOOK_SECRET: GOHIGHLEVEL.secret,
};
const functions = ['clerkWebhook', 'elevenLabsWebhook', 'elevenLabsRolePlayWebhook', 'shopifyWebhook', 'goHighLevelWebhook'];
const s = suite({ functions, env: secrets });
const event = (provider) => path.join(root, 'functions/sandbox/events', `${provider}.json`);

/* Runs the command beside the host's functions.toml. */
async function edge(args, { env = secrets, input } = {}) {
    const more = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(ASAN|UBSAN|LSAN)_OPTIONS$/.test(name)));
    const child = spawn(path.join(buildDirectory, 'edge'), ['sandbox', ...args], {
        cwd: s.host.directory,
        env: { PATH: process.env.PATH, HOME: s.host.directory, ...more, ...env },
    });
    let [out, error] = ['', ''];
    child.stdout.on('data', (piece) => (out += piece));
    child.stderr.on('data', (piece) => (error += piece));
    child.stdin.end(input);
    const status = await new Promise((resolve) => child.on('close', resolve));
    return { status, out, error };
}
const send = async (provider, file, args = [], more) => edge(['send', provider, file, '--url', s.host.url, ...args], more);

describe('edge sandbox send: the running host', options, () => {
    before(() => s.database.person('user_demo', { email: 'demo@example.com' }), options);

    for (const [provider, answer] of [
        ['clerk', { success: true }],
        ['shopify', { success: true, userId: 'user_demo', plan: 'Professional', topic: 'orders/paid' }],
        ['gohighlevel', { success: true, userId: 'user_demo', plan: 'Professional', action: 'activate' }],
        ['elevenlabs', { success: true, ignored: true, reason: 'unknown_conversation' }],
    ])
        it(`${provider}: taken, and its answer printed`, options, async () => {
            const { status, out, error } = await send(provider, event(provider));
            assert.equal(status, 0, error);
            assert.deepEqual(JSON.parse(out), answer);
        });

    it('a topic, an id, another function, standard input', options, async () => {
        const cancelled = await send('shopify', event('shopify'), ['--topic', 'orders/cancelled', '--id', 'wh_once']);
        assert.equal(JSON.parse(cancelled.out).topic, 'orders/cancelled');
        const again = await send('shopify', event('shopify'), ['--topic', 'orders/cancelled', '--id', 'wh_once']);
        assert.equal(JSON.parse(again.out).duplicate, true);
        const input = JSON.stringify({ type: 'conversation_update' });
        const ignored = await send('elevenlabs', '-', ['--function', 'elevenLabsRolePlayWebhook'], { input });
        assert.equal(JSON.parse(ignored.out).reason, 'unhandled_type', ignored.error);
    });

    it('an answer that is an error: printed, status 1', options, async () => {
        const { status, out, error } = await send('clerk', '-', [], { input: '[]' });
        assert.equal(JSON.parse(out).code, 'invalid_json');
        assert.equal(status, 1);
        assert.match(error, /clerkWebhook answered 400/);
        const other = await send('shopify', event('shopify'), [], { env: { ...secrets, SHOPIFY_WEBHOOK_SECRET: 'other' } });
        assert.deepEqual([other.status, JSON.parse(other.out).code], [1, 'invalid_signature']);
    });

    it('what cannot be sent: said, with what helps', options, async () => {
        for (const [run, status, expected] of [
            [edge([]), 2, /say what to send/],
            [edge(['send']), 2, /say what to send/],
            [edge(['send', 'shopify']), 2, /say what to send/],
            [edge(['send', 'twilio', 'x.json']), 2, /"twilio" sends no events/],
            [send('shopify', 'missing.json'), 1, /"missing.json" cannot be read/],
            [send('shopify', event('shopify'), [], { env: {} }), 1, /SHOPIFY_WEBHOOK_SECRET is not set/],
            [send('clerk', event('clerk'), [], { env: { CLERK_WEBHOOK_SECRET: 'whsec_%%' } }), 1, /CLERK_WEBHOOK_SECRET is no secret/],
            [send('shopify', event('shopify'), ['--function', 'clerkWebhook']), 1, /takes events of shopify/],
            [edge(['send', 'shopify', event('shopify'), '--url', 'http://127.0.0.1:1']), 1, /Is the host running/],
        ]) {
            const result = await run;
            assert.equal(result.status, status, result.error);
            assert.match(result.error, expected);
        }
    });

    it('explains itself', options, async () => {
        const { status, out } = await edge(['--help']);
        assert.equal(status, 0);
        assert.match(out, /^usage: edge sandbox[^\n]*send PROVIDER FILE/);
        assert.match(out, /edge sandbox send shopify order\.json --topic orders\/cancelled/);
    });
});

describe('edge sandbox send: the senders\' own libraries', options, () => {
    let server, received;
    before(async () => {
        server = http.createServer((request, answer) => {
            const pieces = [];
            request.on('data', (piece) => pieces.push(piece)).on('end', () => {
                received = { headers: request.headers, body: Buffer.concat(pieces).toString() };
                answer.end('{}');
            });
        });
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    }, options);
    after(() => server.close());
    const capture = async (provider) => {
        const { status, error } = await edge(['send', provider, event(provider), '--url', `http://127.0.0.1:${server.address().port}`]);
        assert.equal(status, 0, error);
        assert.equal(received.body, fs.readFileSync(event(provider), 'utf8'));
        return received;
    };

    it('svix', options, async () => {
        const { headers, body } = await capture('clerk');
        assert.deepEqual(new Webhook(VECTOR.secret).verify(body, headers), JSON.parse(body));
    });

    it('ElevenLabs', options, async () => {
        const { headers, body } = await capture('elevenlabs');
        const { webhooks } = new ElevenLabsClient({ apiKey: 'none' });
        assert.deepEqual(await webhooks.constructEvent(body, headers['elevenlabs-signature'], ELEVENLABS.secret), JSON.parse(body));
    });

    it('Shopify', options, async () => {
        const { headers, body } = await capture('shopify');
        const shopify = shopifyApi({ apiKey: 'key', apiSecretKey: SHOPIFY.secret, apiVersion: ApiVersion.January25, hostName: 'localhost', isEmbeddedApp: false, logger: { log: () => {} } });
        const { valid } = await shopify.webhooks.validate({ rawBody: body, rawRequest: { method: 'POST', url: '/', headers: { 'x-shopify-api-version': '2025-01', ...headers } }, rawResponse: {} });
        assert.equal(valid, true);
    });
});
