/*
 * ElevenLabs, Shopify and GoHighLevel: the specification's vectors, what the senders' own libraries make of the same
 * deliveries, and every part of them changed.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { ElevenLabsClient } from '@elevenlabs/elevenlabs-js';
import '@shopify/shopify-api/adapters/node';
import { ApiVersion, shopifyApi } from '@shopify/shopify-api';

import {
    ELEVENLABS,
    GOHIGHLEVEL,
    SHOPIFY,
    elevenLabsSignature,
    goHighLevelSignature,
    shopifySignature,
} from '../../support/senders.mjs';
import { Identify } from '../jose/identify.mjs';

let identify;
before(() => {
    identify = new Identify();
});
after(async () => assert.equal(await identify.end(), 0));

const now = ELEVENLABS.at;
const texts = ['{}', '', 'é€🎈', '{"a":"\\u0000"}', 'x'.repeat(100000)];

/* Asks a scheme's verifier; env.SECRET is the secret's variable. */
const ask = (scheme, { env = {}, headers = {}, body = '{}', at = now, fallback } = {}) =>
    identify.ask({
        mode: `webhook:${scheme}`,
        secretVariable: 'SECRET',
        ...(fallback ? { fallbackVariable: fallback } : {}),
        env,
        headers,
        body,
        nowMs: at * 1000,
    });
async function accepted(scheme, delivery) {
    const verdict = await ask(scheme, delivery);
    assert.equal(verdict.status, 200, `${verdict.code}: ${verdict.detail}`);
    assert.deepEqual([verdict.caller, verdict.user], ['webhook', null]);
}
async function refused(code, scheme, delivery) {
    const verdict = await ask(scheme, delivery);
    assert.equal(verdict.code, code, verdict.detail);
    assert.equal(verdict.status, code === 'not_configured' ? 503 : 401);
}

/* What holds for any scheme whose secret is one of several in a variable. */
function secrets(scheme, secret, delivery) {
    test('no secret', async () => {
        for (const value of ['', ' ', ',', ' , '])
            await refused('not_configured', scheme, { ...delivery, env: { SECRET: value } });
        await refused('not_configured', scheme, { ...delivery, env: {} });
        await refused('not_configured', scheme, { ...delivery, headers: {}, env: {} });
    });
    test('rotation', async () => {
        await accepted(scheme, { ...delivery, env: { SECRET: `other,${secret}` } });
        await accepted(scheme, { ...delivery, env: { SECRET: ` ${secret} , other` } });
        await refused('invalid_signature', scheme, { ...delivery, env: { SECRET: 'other,another' } });
        await refused('invalid_signature', scheme, { ...delivery, env: { SECRET: `${secret}x` } });
    });
    test('a second variable counts while the first is unset', async () => {
        const fallback = 'SECOND';
        await accepted(scheme, { ...delivery, fallback, env: { SECRET: '', SECOND: secret } });
        await refused('invalid_signature', scheme, { ...delivery, fallback, env: { SECRET: 'other', SECOND: secret } });
    });
}

describe('elevenlabs', () => {
    const env = { SECRET: ELEVENLABS.secret };
    const deliver = (header, more = {}) => ({
        env,
        body: ELEVENLABS.body,
        headers: header === null ? {} : { 'elevenlabs-signature': header },
        ...more,
    });
    const [, mac] = ELEVENLABS.header.split('v0=');

    test('the vector', () => accepted('elevenlabs', deliver(ELEVENLABS.header)));
    test('what the sender\'s library accepts', async () => {
        const { webhooks } = new ElevenLabsClient({ apiKey: 'none' });
        const at = Math.floor(Date.now() / 1000);
        for (const body of ['{}', '{"type":"x","data":{"é":"🎈"}}', ELEVENLABS.body]) {
            const header = elevenLabsSignature(body, { at });
            assert.deepEqual(await webhooks.constructEvent(body, header, ELEVENLABS.secret), JSON.parse(body));
            await accepted('elevenlabs', deliver(header, { body, at }));
            await assert.rejects(webhooks.constructEvent(`${body} `, header, ELEVENLABS.secret));
            await refused('invalid_signature', 'elevenlabs', deliver(header, { body: `${body} `, at }));
        }
    });
    test('any bytes', async () => {
        for (const body of texts)
            await accepted('elevenlabs', deliver(elevenLabsSignature(body, { at: now }), { body }));
    });
    test('any order, blanks, several signatures, unknown members', async () => {
        for (const header of [
            `v0=${mac},t=${now}`,
            ` t=${now} , v0=${mac} `,
            `t=${now},v0=${'a'.repeat(64)},v0=${mac}`,
            `t=${now},v0=${mac},v0=`,
            `t=${now},v1=zzz,v0=${mac},x`,
        ])
            await accepted('elevenlabs', deliver(header));
    });
    test('malformed or another', async () => {
        for (const header of [
            'nonsense',
            `t=${now}`,
            `v0=${mac}`,
            `t=,v0=${mac}`,
            `t=noon,v0=${mac}`,
            `t=-1,v0=${mac}`,
            `t=${now}.0,v0=${mac}`,
            `t=99999999999999999999,v0=${mac}`,
            `t=${now};v0=${mac}`,
            `t=${now},v0=${mac.slice(0, -1)}`,
            `t=${now},v0=${mac}0`,
            `t=${now},v0=${mac.toUpperCase()}`,
            `t=${now},v1=${mac}`,
            `t=${now},v0=${Buffer.from(mac, 'hex').toString('base64')}`,
            `t=0${now},v0=${mac}`,
            `t=${now + 1},v0=${mac}`,
            `t=${now},t=${now + 1},v0=${elevenLabsSignature(ELEVENLABS.body, { at: now + 1 }).split('v0=')[1]}`,
        ])
            await refused('invalid_signature', 'elevenlabs', deliver(header));
        await refused('invalid_signature', 'elevenlabs', deliver(ELEVENLABS.header, { body: ELEVENLABS.body.replace('61', '62') }));
        await refused('invalid_signature', 'elevenlabs', deliver(elevenLabsSignature(ELEVENLABS.body, { at: now, secret: 'pulse_edge_vector' })));
    });
    test('no header', async () => {
        await refused('missing_signature', 'elevenlabs', deliver(null));
        await refused('missing_signature', 'elevenlabs', deliver('  '));
    });
    test('five minutes either way, and a setting', async () => {
        const at = (seconds, more) => deliver(elevenLabsSignature(ELEVENLABS.body, { at: seconds }), more);
        for (const seconds of [now - 300, now + 300]) await accepted('elevenlabs', at(seconds));
        for (const seconds of [now - 301, now + 301, 0]) await refused('stale_timestamp', 'elevenlabs', at(seconds));
        const wide = { env: { ...env, WEBHOOK_TOLERANCE_SECONDS: '1800' } };
        await accepted('elevenlabs', at(now - 1800, wide));
        await refused('stale_timestamp', 'elevenlabs', at(now - 1801, wide));
    });
    secrets('elevenlabs', ELEVENLABS.secret, deliver(ELEVENLABS.header));
});

describe('shopify', () => {
    const env = { SECRET: SHOPIFY.secret };
    const deliver = (header, more = {}) => ({
        env,
        body: SHOPIFY.body,
        headers: header === null ? {} : { 'x-shopify-hmac-sha256': header },
        ...more,
    });

    test('the vector', () => accepted('shopify', deliver(SHOPIFY.header)));
    test('what the sender\'s library accepts', async () => {
        const shopify = shopifyApi({
            apiKey: 'key',
            apiSecretKey: SHOPIFY.secret,
            apiVersion: ApiVersion.January25,
            hostName: 'localhost',
            isEmbeddedApp: false,
            logger: { log: () => {} },
        });
        const validate = (body, header) =>
            shopify.webhooks.validate({
                rawBody: body,
                rawRequest: {
                    method: 'POST',
                    url: '/',
                    headers: {
                        'x-shopify-hmac-sha256': header,
                        'x-shopify-topic': 'orders/paid',
                        'x-shopify-api-version': '2025-01',
                        'x-shopify-shop-domain': 'pulse-edge.myshopify.com',
                        'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
                    },
                },
                rawResponse: {},
            });
        for (const body of ['{}', '{"id":1,"note":"é🎈"}', SHOPIFY.body]) {
            const header = shopifySignature(body);
            assert.equal((await validate(body, header)).valid, true);
            await accepted('shopify', deliver(header, { body }));
            assert.equal((await validate(`${body} `, header)).valid, false);
            await refused('invalid_signature', 'shopify', deliver(header, { body: `${body} ` }));
        }
    });
    test('any bytes', async () => {
        for (const body of texts) await accepted('shopify', deliver(shopifySignature(body), { body }));
    });
    test('malformed or another', async () => {
        const raw = Buffer.from(SHOPIFY.header, 'base64');
        for (const header of [
            'nonsense',
            '%%%%',
            SHOPIFY.header.slice(0, -1),
            raw.toString('hex'),
            raw.subarray(0, 31).toString('base64'),
            Buffer.concat([raw, Buffer.alloc(1)]).toString('base64'),
            SHOPIFY.header.toLowerCase(),
            shopifySignature(SHOPIFY.body, 'other'),
            shopifySignature(`${SHOPIFY.body} `),
        ])
            await refused('invalid_signature', 'shopify', deliver(header));
    });
    test('no header', async () => {
        await refused('missing_signature', 'shopify', deliver(null));
        await refused('missing_signature', 'shopify', deliver(' '));
    });
    secrets('shopify', SHOPIFY.secret, deliver(SHOPIFY.header));
});

describe('gohighlevel: workflows', () => {
    const env = { SECRET: GOHIGHLEVEL.secret };
    const names = ['x-gohighlevel-secret', 'x-webhook-secret', 'x-api-key'];
    const deliver = (headers, more = {}) => ({ env, headers, body: GOHIGHLEVEL.body, ...more });

    test('the vector: any of three headers', async () => {
        for (const name of names) {
            await accepted('gohighlevel', deliver({ [name]: GOHIGHLEVEL.secret }));
            await accepted('gohighlevel', deliver({ [name]: ` ${GOHIGHLEVEL.secret} ` }));
            for (const wrong of ['ghl-shared-secret-2', 'ghl-shared', 'GHL-SHARED-SECRET-1', `${GOHIGHLEVEL.secret}1`])
                await refused('invalid_signature', 'gohighlevel', deliver({ [name]: wrong }));
        }
    });
    test('the first of them decides', async () => {
        const [first, second] = names;
        await accepted('gohighlevel', deliver({ [second]: 'x', [first]: GOHIGHLEVEL.secret }));
        await refused('invalid_signature', 'gohighlevel', deliver({ [second]: GOHIGHLEVEL.secret, [first]: 'x' }));
        await accepted('gohighlevel', deliver({ [second]: GOHIGHLEVEL.secret, [first]: ' ' }));
    });
    test('none, and the header that was withdrawn', async () => {
        await refused('missing_signature', 'gohighlevel', deliver({}));
        await refused('missing_signature', 'gohighlevel', deliver({ 'x-wh-signature': 'AAAA' }));
        await refused('missing_signature', 'gohighlevel', deliver({ 'x-ghl-signature': 'N/A' }));
    });
    test('N/A is no signature', () =>
        accepted('gohighlevel', deliver({ 'x-ghl-signature': 'N/A', 'x-api-key': GOHIGHLEVEL.secret })));
    secrets('gohighlevel', GOHIGHLEVEL.secret, deliver({ 'x-api-key': GOHIGHLEVEL.secret }));
});

describe('gohighlevel: marketplace apps', () => {
    const env = {
        GOHIGHLEVEL_PUBLIC_KEY: GOHIGHLEVEL.publicKey,
        GOHIGHLEVEL_LOCATION_IDS: 'loc_other, loc_ours',
    };
    const body = '{"type":"OrderStatusUpdate","locationId":"loc_ours"}';
    const deliver = (text = body, more = {}) => ({
        env,
        body: text,
        headers: { 'x-ghl-signature': goHighLevelSignature(text) },
        ...more,
    });

    test('the vector verifies, and is refused for its location', async () => {
        assert.equal(goHighLevelSignature(GOHIGHLEVEL.body), GOHIGHLEVEL.header);
        await refused('invalid_signature', 'gohighlevel', deliver(GOHIGHLEVEL.body));
    });
    test('a listed location', async () => {
        await accepted('gohighlevel', deliver());
        await accepted('gohighlevel', deliver('{"location":{"id":"loc_other"}}'));
        for (const text of [
            '{"locationId":"loc_theirs"}',
            '{"locationId":"loc"}',
            '{"locationId":""}',
            '{"locationId":7}',
            '{"locationId":"loc_other, loc_ours"}',
            '{"location":"loc_ours"}',
            '{}',
            '[]',
            '{"locationId":"loc_ours"',
            '',
        ])
            await refused('invalid_signature', 'gohighlevel', deliver(text));
    });
    test('another body, key or form of the signature', async () => {
        const signature = Buffer.from(goHighLevelSignature(body), 'base64');
        for (const header of [
            'nonsense',
            signature.toString('hex'),
            signature.subarray(0, 63).toString('base64'),
            goHighLevelSignature(`${body} `),
        ])
            await refused('invalid_signature', 'gohighlevel', deliver(body, { headers: { 'x-ghl-signature': header } }));
        await refused('invalid_signature', 'gohighlevel', deliver(body, { env: { ...env, GOHIGHLEVEL_PUBLIC_KEY: '' } }));
        const pem = `-----BEGIN PUBLIC KEY-----\n${GOHIGHLEVEL.publicKey}\n-----END PUBLIC KEY-----\n`;
        await accepted('gohighlevel', deliver(body, { env: { ...env, GOHIGHLEVEL_PUBLIC_KEY: pem } }));
    });
    test('a signature decides alone, whatever the shared secret', async () => {
        const both = { ...env, SECRET: GOHIGHLEVEL.secret };
        const secret = { 'x-api-key': GOHIGHLEVEL.secret };
        await accepted('gohighlevel', deliver(body, { env: both }));
        await refused('invalid_signature', 'gohighlevel', deliver(body, { env: both, headers: { ...secret, 'x-ghl-signature': 'AAAA' } }));
        await accepted('gohighlevel', deliver(body, { env: both, headers: secret }));
    });
    test('without listed locations nothing of theirs is believed', async () => {
        const { GOHIGHLEVEL_LOCATION_IDS: _, ...without } = env;
        await refused('not_configured', 'gohighlevel', deliver(body, { env: without }));
        await refused('invalid_signature', 'gohighlevel', deliver(body, { env: { ...without, SECRET: 's' } }));
    });
    test('an unsigned event where only apps are configured', () =>
        refused('missing_signature', 'gohighlevel', deliver(body, { headers: { 'x-api-key': 'x' } })));
});
