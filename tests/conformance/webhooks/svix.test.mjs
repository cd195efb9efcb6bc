/* Svix and Standard Webhooks: what the svix package signs, its own cases, and the specification's vector. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Webhook } from 'svix';
import { Identify } from '../jose/identify.mjs';

const now = 1773144000;
const variable = 'CLERK_WEBHOOK_SECRET';
const secret = 'whsec_cHVsc2UtZWRnZS1jbGVyay10ZXN0LWtleS0wMQ==';
const other = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const body =
    '{"type":"user.created","data":{"id":"user_vec","first_name":"Vera","last_name":"Example","email_addresses":[{"id":"idn_1","email_address":"vera@example.com"}],"primary_email_address_id":"idn_1"}}';
const id = 'msg_2pulseVector0001';
const vector = 'v1,uaSKnQSHqhjrPWYGIT0j6HNWHdZc7oBlMpF/+Bn4KyQ=';

let identify;
before(() => {
    identify = new Identify();
});
after(async () => assert.equal(await identify.end(), 0));

const signature = (key = secret, at = now, text = body, name = id) =>
    new Webhook(key).sign(name, new Date(at * 1000), text);
const svix = (more = {}) => ({
    'svix-id': id,
    'svix-timestamp': String(now),
    'svix-signature': vector,
    ...more,
});
const standard = (more = {}) => ({
    'webhook-id': id,
    'webhook-timestamp': String(now),
    'webhook-signature': vector,
    ...more,
});
const without = (headers, name) => Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));

const deliver = (headers, { env = { [variable]: secret }, text = body, at = now } = {}) =>
    identify.ask({
        mode: 'webhook:svix',
        secretVariable: variable,
        env,
        headers,
        body: text,
        nowMs: at * 1000,
    });
const accepted = async (...delivery) => {
    const verdict = await deliver(...delivery);
    assert.equal(verdict.status, 200, `${verdict.code}: ${verdict.detail}`);
    assert.equal(verdict.caller, 'webhook');
    assert.equal(verdict.user, null);
};
const refused = async (code, ...delivery) => {
    const verdict = await deliver(...delivery);
    assert.equal(verdict.code, code, verdict.detail);
    assert.equal(verdict.status, code === 'not_configured' ? 503 : 401);
    return verdict;
};

describe('signatures', () => {
    test('the vector', () => accepted(svix()));
    test('what svix signs', async () => {
        assert.equal(signature(), vector);
        for (const text of ['{}', '', 'é€🎈', '{"a":"\\u0000"}', 'x'.repeat(100000)])
            await accepted(svix({ 'svix-signature': signature(secret, now, text) }), { text });
    });
    test('the standard family', () => accepted(standard()));
    test('a secret without its prefix', () => accepted(svix(), { env: { [variable]: secret.slice(6) } }));
    test('another body, id or time', async () => {
        await refused('invalid_signature', svix(), { text: body + ' ' });
        await refused('invalid_signature', svix(), { text: body.replace('Vera', 'Vara') });
        await refused('invalid_signature', svix({ 'svix-id': id + '2' }));
        await refused('invalid_signature', svix({ 'svix-timestamp': String(now + 1) }));
    });
    test('another secret', () => refused('invalid_signature', svix({ 'svix-signature': signature(other) })));
    test('several entries', async () => {
        await accepted(
            svix({
                'svix-signature': `v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= ${vector}`,
            }),
        );
        await accepted(
            svix({
                'svix-signature': `v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== ${vector}`,
            }),
        );
        await accepted(svix({ 'svix-signature': `nonsense v1 v1, ${vector} ` }));
    });
    test('malformed lists', async () => {
        const [, mac] = vector.split(',');
        const bad = [
            'v1',
            'v1,',
            mac,
            `v2,${mac}`,
            `v1a,${mac}`,
            `V1,${mac}`,
            vector.slice(0, -1),
            vector.slice(0, 20),
            `${vector}=`,
            `v1,${mac},`,
            `v1;${mac}`,
            `v1 ,${mac}`,
            `v1,${mac.toLowerCase()}`,
            `v1,${Buffer.from(mac, 'base64').toString('hex')}`,
        ];
        for (const list of bad) await refused('invalid_signature', svix({ 'svix-signature': list }));
    });
});

describe('headers', () => {
    for (const name of ['svix-id', 'svix-timestamp', 'svix-signature'])
        test(`without ${name}`, async () => {
            await refused('missing_signature', without(svix(), name));
            await refused('missing_signature', svix({ [name]: '' }));
            await refused('missing_signature', svix({ [name]: '   ' }));
        });
    test('none at all', () => refused('missing_signature', {}));
    test('families are not mixed', async () => {
        for (const part of ['id', 'timestamp', 'signature'])
            await refused('missing_signature', {
                ...without(svix(), `svix-${part}`),
                [`webhook-${part}`]: svix()[`svix-${part}`],
            });
    });
    test('an incomplete svix family leaves the standard one', () =>
        accepted({ ...standard(), 'svix-id': 'msg_other' }));
    test('a complete svix family decides alone', () =>
        refused('invalid_signature', { ...standard(), ...svix({ 'svix-signature': signature(other) }) }));
    test('names in any case, values trimmed', () =>
        accepted({ 'Svix-Id': ` ${id} `, 'SVIX-TIMESTAMP': ` ${now}`, 'svix-Signature': vector }));
});

describe('time', () => {
    const at = (seconds) =>
        svix({ 'svix-timestamp': String(seconds), 'svix-signature': signature(secret, seconds) });

    test('five minutes either way', async () => {
        await accepted(at(now - 300));
        await refused('stale_timestamp', at(now - 301));
        await accepted(at(now + 300));
        await refused('stale_timestamp', at(now + 301));
    });
    test('the tolerance is a setting', async () => {
        const env = (value) => ({ env: { [variable]: secret, WEBHOOK_TOLERANCE_SECONDS: value } });
        await accepted(at(now - 3600), env('3600'));
        await refused('stale_timestamp', at(now - 3601), env('3600'));
        await accepted(at(now), env('0'));
        await refused('stale_timestamp', at(now - 1), env('0'));
        for (const nonsense of ['', '-1', 'x', '1e9', '999999999999999999']) {
            await accepted(at(now - 300), env(nonsense));
            await refused('stale_timestamp', at(now - 301), env(nonsense));
        }
    });
    test('a time that is no number', async () => {
        for (const time of [
            'x',
            '-1',
            '+1773144000',
            '1773144000.0',
            '1773144000x',
            '0x69B00AC0',
            '99999999999999999999',
        ])
            await refused('invalid_signature', svix({ 'svix-timestamp': time }));
    });
    test('a time written another way does not verify as sent', async () => {
        const key = Buffer.from(secret.slice(6), 'base64');
        const sign = (time) =>
            `v1,${createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')}`;
        await refused(
            'invalid_signature',
            svix({ 'svix-timestamp': `0${now}`, 'svix-signature': sign(`0${now}`) }),
        );
        await accepted(svix({ 'svix-timestamp': String(now), 'svix-signature': sign(now) }));
    });
    test('staleness is found before the signature', () =>
        refused('stale_timestamp', svix({ 'svix-timestamp': '1' })));
});

describe('secrets', () => {
    const set = (value) => ({ env: { [variable]: value } });

    test('unset or undecodable', async () => {
        for (const bad of [
            '',
            ' ',
            ',',
            'whsec_',
            'whsec_!!!!',
            'whsec_abc',
            'not base64',
            'whsec_cHVsc2UtZWRnZS1jbGVyay10ZXN0LWtleS0wMQ',
            '_-_-',
        ]) {
            const verdict = await refused('not_configured', svix(), set(bad));
            assert.match(verdict.message, /CLERK_WEBHOOK_SECRET/);
        }
        await refused('not_configured', svix(), { env: {} });
        await refused('not_configured', {}, { env: {} });
    });
    test('rotation', async () => {
        await accepted(svix(), set(`${other},${secret}`));
        await accepted(svix(), set(`${secret} , ${other}`));
        await accepted(svix({ 'svix-signature': signature(other) }), set(`${secret},${other}`));
        await refused('invalid_signature', svix(), set(`${other},${other}`));
    });
    test('one that cannot be decoded leaves the others', () => accepted(svix(), set(`whsec_oops!,${secret}`)));
});
