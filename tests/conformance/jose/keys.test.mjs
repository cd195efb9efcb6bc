/* The key set: fetched when needed, once, and no more often than forged tokens should be able to make us. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import { Identify } from './identify.mjs';

const now = Math.floor(Date.now() / 1000);
const keys = await generateKeyPair('RS256', { extractable: true });
const otherKeys = await generateKeyPair('RS256', { extractable: true });
const pemKeys = await generateKeyPair('RS256', { extractable: true });
const ellipticKeys = await generateKeyPair('ES256', { extractable: true });

const jwk = async (pair, kid, more = {}) => ({
    ...(await exportJWK(pair.publicKey)),
    kid,
    use: 'sig',
    alg: 'RS256',
    ...more,
});
const mint = (kid, key = keys.privateKey, alg = 'RS256', sub = 'user_a') =>
    new SignJWT({ sub, exp: now + 600 })
        .setProtectedHeader(kid === undefined ? { alg } : { alg, kid })
        .sign(key);

let server, url, identify, requests, answer;
before(async () => {
    server = createServer((request, response) => {
        requests++;
        answer(response);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${server.address().port}/.well-known/jwks.json`;
});
after(() => server.close());

/* A program of its own for every test: what it has fetched stays with it. */
beforeEach(async (t) => {
    identify = new Identify();
    requests = 0;
});
const done = async () => assert.equal(await identify.end(), 0);

const serve = (...set) => {
    answer = (response) =>
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: set }));
};
const ask = (token, auth) => identify.ask({ auth, mode: 'user', headers: { 'x-clerk-auth': token } });
const start = async (token, more = {}) => ask(token, { jwksUrl: url, ...more });

describe('a key set', () => {
    test('is fetched once', async () => {
        serve(await jwk(otherKeys, 'old'), await jwk(keys, 'ins_1'));
        assert.equal((await start(await mint('ins_1'))).user, 'user_a');
        assert.equal((await ask(await mint('old', otherKeys.privateKey))).user, 'user_a');
        assert.equal((await ask(await mint('ins_1', keys.privateKey, 'RS256', 'user_b'))).user, 'user_b');
        assert.equal(requests, 1);
        await done();
    });

    test('is not fetched for kids it does not have', async () => {
        serve(await jwk(keys, 'ins_1'));
        assert.equal((await start(await mint('forged', otherKeys.privateKey))).status, 401);
        for (let i = 0; i < 300; i++)
            assert.equal((await ask(await mint(`forged-${i}`, otherKeys.privateKey))).status, 401);
        assert.equal(requests, 1);
        assert.equal((await ask(await mint('ins_1'))).user, 'user_a');
        await done();
    });

    test('is not fetched for tokens that cannot be sessions', async () => {
        serve(await jwk(keys, 'ins_1'));
        assert.equal((await start(await mint(undefined))).status, 401);
        assert.equal((await ask('a.b.c')).status, 401);
        assert.equal((await ask(await mint('k'.repeat(300)))).status, 401);
        assert.equal((await ask(await mint('ins_1', ellipticKeys.privateKey, 'ES256'))).status, 401);
        assert.equal(requests, 0);
        await done();
    });

    test('needs the kid and the key to belong together', async () => {
        serve(await jwk(keys, 'a'), await jwk(otherKeys, 'b'));
        assert.equal((await start(await mint('b'))).status, 401);
        assert.equal((await ask(await mint('a'))).status, 200);
        await done();
    });

    test('binds a key to its algorithm', async () => {
        serve(await jwk(keys, 'bound'), await jwk(keys, 'free', { alg: undefined }));
        assert.equal((await start(await mint('bound', keys.privateKey, 'RS512'))).status, 401);
        assert.equal((await ask(await mint('free', keys.privateKey, 'RS512'))).status, 200);
        await done();
    });

    test('may hold keys that are not for us', async () => {
        serve(
            await jwk(ellipticKeys, 'ec', { alg: 'ES256' }),
            null,
            'x',
            {},
            { kty: 'oct', kid: 'oct', k: 'AAAA' },
            await jwk(keys, 'enc', { use: 'enc' }),
            await jwk(keys, undefined),
            await jwk(keys, 'ps', { alg: 'PS256' }),
            { kty: 'RSA', kid: 'broken', n: '!', e: 'AQAB' },
            { kty: 'RSA', kid: 'short', n: 'AQAB', e: 'AQAB' },
            { kty: 'RSA', kid: 'half', e: 'AQAB' },
            { kty: 'RSA', kid: 'odd', n: 'A'.repeat(345), e: 'AQAB' },
            await jwk(keys, 'oddExponent', { e: 'AQABA' }),
            await jwk(keys, 'ins_1'),
            await jwk(otherKeys, 'ins_1'),
        );
        assert.equal((await start(await mint('ins_1'))).status, 200);
        for (const kid of ['enc', 'ps', 'broken', 'short', 'half', 'odd', 'oddExponent'])
            assert.equal((await ask(await mint(kid))).status, 401);
        assert.equal(requests, 1);
        await done();
    });

    test('gives way to a PEM key', async () => {
        serve(await jwk(keys, 'ins_1'));
        assert.equal(
            (
                await start(await mint('ins_1', pemKeys.privateKey), {
                    jwtKey: await exportSPKI(pemKeys.publicKey),
                })
            ).status,
            200,
        );
        assert.equal(requests, 0);
        await done();
    });
});

describe('a provider in trouble', () => {
    const troubles = {
        'a 500': (response) => response.writeHead(500).end(),
        'a 404': (response) => response.writeHead(404).end('{}'),
        'a redirect': (response) => response.writeHead(302, { location: url }).end(),
        'no JSON': (response) => response.end('<html>'),
        'an empty set': (response) => response.end('{"keys":[]}'),
        'no set': (response) => response.end('[]'),
        'a broken connection': (response) => response.destroy(),
        'too much': (response) => response.end(JSON.stringify({ keys: [], pad: 'x'.repeat(1 << 20) })),
    };
    for (const [name, trouble] of Object.entries(troubles))
        test(`${name} is not the user's fault`, async () => {
            answer = trouble;
            const token = await mint('ins_1');
            const verdict = await start(token);
            assert.equal(verdict.status, 502);
            assert.equal(verdict.code, 'provider_unreachable');
            const before = requests;
            assert.equal((await ask(token)).status, 502);
            assert.equal(requests, before);

            serve(await jwk(keys, 'ins_1'));
            await sleep(1100);
            assert.equal((await ask(token)).status, 200);
            await done();
        });

    test('nobody listens', async () => {
        assert.equal((await ask(await mint('ins_1'), { jwksUrl: 'http://127.0.0.1:1/jwks' })).status, 502);
        await done();
    });
});
