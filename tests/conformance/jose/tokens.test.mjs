/* Session tokens: what jose signs, and every way in which one can be no such token. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import {
    accepted,
    base64url,
    claims,
    header,
    jwtKey,
    keys,
    mint,
    otherKeys,
    refused,
    signRaw,
} from './cases.mjs';

describe('valid tokens', () => {
    test('identify the user', async () => {
        const verdict = await accepted(await mint({ name: 'Zoë "Z"' }), { user: 'user_a', session: 'sess_1' });
        assert.deepEqual(verdict.claims, { ...claims, name: 'Zoë "Z"' });
    });

    for (const alg of ['RS256', 'RS384', 'RS512'])
        test(alg, async () =>
            accepted(await new SignJWT(claims).setProtectedHeader({ alg }).sign(keys.privateKey)),
        );

    test('without typ, cat and kid', async () =>
        accepted(await mint({}, { typ: undefined, cat: undefined, kid: undefined })));
    test('of the opt-out category', async () => accepted(await mint({}, { cat: 'cl_I7d4PD111III' })));
    test('padded base64url', async () => {
        const parts = (await mint({ a: 'x' })).split('.');
        await accepted(
            [...parts.slice(0, 2), parts[2].padEnd(Math.ceil(parts[2].length / 4) * 4, '=')].join('.'),
        );
    });
    test('without nbf and iat', async () => accepted(await mint({ nbf: undefined, iat: undefined })));
    test('with an audience nobody asked about', async () => accepted(await mint({ aud: 'anything' })));
    test('seen again from the cache', async () => {
        const token = await mint({ sid: 'sess_cached' });
        const first = await accepted(token);
        assert.deepEqual(await accepted(token), first);
    });
});

describe('classes', () => {
    test('template and machine categories', async () => {
        for (const cat of ['cl_B7d4PD222AAA', 'cl_B7d4PD333AAA', 'cl_B7d4PD111AAB', '', 7, null])
            await refused(signRaw({ ...header, cat }, claims), /category/);
    });
    test('types', async () => {
        for (const typ of ['at+jwt', 'application/at+jwt', 'jwt', 'JOSE', 7, null])
            await refused(signRaw({ ...header, typ }, claims), /type/);
    });
    test('opaque machine tokens', async () => {
        for (const token of ['mt_abc', 'oat_abc', 'ak_abc']) await refused(token, /opaque/);
    });
    test('critical header parameters', async () => {
        for (const crit of [['b64'], ['exp'], []])
            await refused(signRaw({ ...header, b64: false, crit }, claims));
    });
});

describe('signatures', () => {
    test('another key', async () => refused(await mint({}, {}, otherKeys.privateKey), /signature/));
    test('a changed payload', async () => {
        const [head, , signature] = (await mint()).split('.');
        await refused(`${head}.${base64url({ ...claims, sub: 'user_b' })}.${signature}`, /signature/);
    });
    test('a changed header', async () => {
        const [, payload, signature] = (await mint()).split('.');
        await refused(`${base64url({ ...header, kid: 'x' })}.${payload}.${signature}`, /signature/);
    });
    test('none', async () => {
        for (const alg of ['none', 'None', 'NONE']) {
            await refused(`${base64url({ ...header, alg })}.${base64url(claims)}.`);
            await refused(`${base64url({ ...header, alg })}.${base64url(claims)}.AAAA`);
        }
    });
    test('HMAC with the public key for a secret', async () => {
        const jwk = JSON.stringify(await exportJWK(keys.publicKey));
        for (const secret of [jwtKey, jwtKey.trim(), jwk, '']) {
            const input = `${base64url({ ...header, alg: 'HS256' })}.${base64url(claims)}`;
            await refused(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`);
        }
    });
    test('algorithms that are not RS', async () => {
        for (const alg of ['ES256', 'PS256', 'EdDSA', 'HS512', 'RS1', 'rs256', '', 7, null])
            await refused(signRaw({ ...header, alg }, claims));
        await refused(signRaw({ ...header, alg: undefined }, claims));
        const ps = await generateKeyPair('PS256', { extractable: true });
        await refused(await mint({}, { alg: 'PS256' }, ps.privateKey));
    });
    test('RS384 announced for an RS256 signature', async () =>
        refused(signRaw({ ...header, alg: 'RS384' }, claims), /signature/));
    test('cut and empty signatures', async () => {
        const token = await mint();
        for (const length of [1, 2, 3, 4, 100]) await refused(token.slice(0, -length));
        await refused(token.slice(0, token.lastIndexOf('.') + 1));
        await refused(token + 'AAAA');
    });
});

describe('shapes', () => {
    test('not three parts', async () => {
        const token = await mint();
        const [head, payload, signature] = token.split('.');
        for (const bad of [
            'x',
            '.',
            '..',
            'a.b',
            `${head}.${payload}`,
            `${token}.`,
            `.${token}`,
            `${token}.x`,
            `${head}..${signature}`,
            `.${payload}.${signature}`,
        ])
            await refused(bad);
    });
    test('bad base64url', async () => {
        const token = await mint();
        const [head, payload, signature] = token.split('.');
        for (const bad of [
            `${head}+.${payload}.${signature}`,
            `${head}.${payload}/.${signature}`,
            `${head}.${payload}.${signature}==A`,
            `${head}.${payload}=x.${signature}`,
            `${head}.${payload}.${signature}===`,
            `${head}.${payload}.====`,
            `${head}A.${payload}.${signature}`,
            `"${token}"`,
            `${token}\u00e9`,
        ])
            await refused(bad);
    });
    test('parts one character longer than base64 can be', async () => {
        const parts = (await mint()).split('.');
        const odd = (part) => part.slice(0, part.length - ((part.length + 3) % 4));
        for (let i = 0; i < 3; i++)
            await refused(parts.map((part, at) => (at === i ? odd(part) : part)).join('.'));
        await refused('A.A.A');
        await refused('AAAAA.AAAAA.AAAAA=');
    });
    test('a header that is no object', async () => {
        for (const head of ['[]', '"RS256"', 'null', '{', 'RS256']) await refused(signRaw(head, claims));
    });
    test('very long', async () => {
        await refused(await mint({ pad: 'x'.repeat(20000) }), /too long/);
        await refused('a.'.repeat(40000) + 'a');
        await accepted(await mint({ pad: 'x'.repeat(5000) }));
    });
    test('deeply nested', async () => {
        await refused(signRaw(header, '['.repeat(5000)));
        await refused(signRaw('['.repeat(5000), claims));
    });
});
