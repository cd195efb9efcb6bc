/* What a signed token says: its times, its parties, its organisation; and the keys it is measured by. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { exportPKCS8, exportSPKI } from 'jose';
import {
    accepted,
    ask,
    auth,
    bearer,
    claims,
    header,
    issuer,
    jwtKey,
    keys,
    mint,
    now,
    nowMs,
    otherKeys,
    party,
    refused,
    serviceKey,
    signRaw,
} from './cases.mjs';

describe('claims', () => {
    const cases = {
        'no sub': [{ sub: undefined }, /subject/],
        'sub a number': [{ sub: 7 }, /subject/],
        'sub empty': [{ sub: '' }, /subject/],
        'sub too long': [{ sub: 'u'.repeat(256) }, /subject/],
        'a machine': [{ sub: 'mch_1' }, /machine/],
        'no iss': [{ iss: undefined }, /issuer/],
        'another iss': [{ iss: issuer + '/' }, /issuer/],
        'no azp': [{ azp: undefined }, /party/],
        'another azp': [{ azp: 'https://pulse.pwru.app.evil.example' }, /party/],
        'azp a list': [{ azp: [party] }, /party/],
        'no exp': [{ exp: undefined }, /expiry/],
        'exp text': [{ exp: String(now + 50) }, /expiry/],
        'nbf text': [{ nbf: 'x' }, /not valid yet/],
        'iat text': [{ iat: 'x' }, /future/],
        'iat null': [{ iat: null }, /future/],
    };
    for (const [name, [changes, why]] of Object.entries(cases))
        test(name, async () => {
            const token = signRaw(header, JSON.stringify({ ...claims, ...changes }));
            await refused(token, why);
        });

    test('the skew of five seconds, both ways', async () => {
        await accepted(await mint({ exp: now - 4 }));
        await refused(await mint({ exp: now - 5 }), /expired/);
        await accepted(await mint({ nbf: now + 5 }));
        await refused(await mint({ nbf: now + 6 }), /not valid yet/);
        await accepted(await mint({ iat: now + 5 }));
        await refused(await mint({ iat: now + 6 }), /future/);
        await accepted(await mint({ exp: now - 4.999 }));
        await accepted(await mint({ nbf: now + 4.5, iat: now + 4.5 }));
    });

    test('a cached token expires', async () => {
        const token = await mint({ sid: 'sess_short', exp: now + 1 });
        await accepted(token);
        const at = (ms) => ask(bearer(token), 'user', { nowMs: nowMs + ms });
        assert.equal((await at(5999)).status, 200);
        assert.equal((await at(6000)).status, 401);
    });

    test('edge_admin is never taken from a token', async () => {
        const { claims: seen } = await accepted(await mint({ edge_admin: true, '\u0065dge_admin': true }));
        assert.equal('edge_admin' in seen, false);
    });

    test('the payload must be one JSON object', async () => {
        for (const payload of [
            '[]',
            '"x"',
            'null',
            '{',
            '{}{}',
            '{"sub":"a","sub":"b"}',
            '{"sub":"user\\u0000"}',
        ])
            await refused(signRaw(header, payload));
        await refused(signRaw(header, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])));
    });
});

describe('organisations', () => {
    test('version 1', async () => {
        await accepted(
            await mint({
                org_id: 'org_1',
                org_role: 'org:admin',
                org_slug: 'acme',
                org_permissions: ['org:a:b'],
            }),
            { organisation: 'org_1', orgRole: 'org:admin' },
        );
    });

    const second = async (o, fea, extra = {}) =>
        (await accepted(await mint({ v: 2, o, fea, ...extra }))).claims;

    test('version 2', async () => {
        const token = await mint({
            v: 2,
            o: { id: 'org_2', rol: 'member', slg: 'beta', per: 'read,manage', fpm: '3,2' },
            fea: 'o:dashboard,u:mail,o:teams',
        });
        const { claims: seen } = await accepted(token, { organisation: 'org_2', orgRole: 'org:member' });
        assert.equal(seen.org_id, 'org_2');
        assert.equal(seen.org_slug, 'beta');
        assert.deepEqual(seen.org_permissions, [
            'org:dashboard:read',
            'org:dashboard:manage',
            'org:teams:manage',
        ]);
    });

    test('bitmaps wider than 64 bits', async () => {
        const names = Array.from({ length: 90 }, (_, i) => `p${i}`);
        const bits = [0, 1, 52, 53, 63, 64, 89];
        const fpm = bits.reduce((sum, bit) => sum + (1n << BigInt(bit)), 0n).toString();
        const seen = await second({ id: 'o', per: names.join(','), fpm }, 'o:f');
        assert.deepEqual(
            seen.org_permissions,
            bits.map((bit) => `org:f:p${bit}`),
        );
    });

    test('blanks, missing and malformed parts', async () => {
        assert.deepEqual(
            (await second({ id: 'o', per: ' read , manage ', fpm: ' 1 , 2 ' }, ' o:a , o:b ')).org_permissions,
            ['org:a:read', 'org:b:manage'],
        );
        assert.deepEqual((await second({ id: 'o', per: 'read', fpm: '1' }, 'u:a')).org_permissions, []);
        assert.deepEqual((await second({ id: 'o', per: 'read', fpm: '1' }, 'uo:a')).org_permissions, [
            'org:a:read',
        ]);
        assert.deepEqual((await second({ id: 'o' }, 'o:a')).org_permissions, []);
        assert.deepEqual((await second({ id: 'o', per: 'read', fpm: '1' })).org_permissions, []);
        assert.deepEqual((await second({ id: 'o', per: 'read', fpm: 'x,1' }, 'o:a,o:b')).org_permissions, [
            'org:b:read',
        ]);
        assert.deepEqual((await second({ id: 'o', per: 'read', fpm: '-1' }, 'o:a')).org_permissions, []);
        assert.deepEqual((await second({ id: 'o', per: 'read', fpm: '255' }, 'o:a')).org_permissions, [
            'org:a:read',
        ]);
        assert.equal('org_role' in (await second({ id: 'o' }, '')), false);
    });

    test('version 1 names in a version 2 token are not believed', async () => {
        const seen = await second({ id: 'o' }, undefined, {
            org_role: 'org:admin',
            org_permissions: ['org:all:all'],
            org_slug: 'x',
        });
        assert.equal('org_role' in seen, false);
        assert.equal('org_slug' in seen, false);
        assert.deepEqual(seen.org_permissions, []);
        assert.equal('org_id' in (await second(undefined, undefined, { org_id: 'org_x' })), false);
    });
});

describe('configurations', () => {
    const withAuth = async (changed, token, status) => {
        const verdict = await ask(bearer(token), 'user', { auth: { ...auth, ...changed } });
        assert.equal(verdict.status, status, verdict.detail);
        return verdict;
    };
    after(() => ask({}, 'public', { auth }));

    test('PEM as environments have it', async () => {
        const token = await mint();
        const body = jwtKey.replace(/-----[^-]+-----/g, '').replace(/\s/g, '');
        const pkcs1 = generateKeyPairSync('rsa', { modulusLength: 2048 });
        const pkcs1Token = await mint({}, {}, pkcs1.privateKey);
        await withAuth({ jwtKey: jwtKey.replace(/\n/g, '\\n') }, token, 200);
        await withAuth({ jwtKey: jwtKey.replace(/\n/g, '\r\n') }, token, 200);
        await withAuth({ jwtKey: `-----BEGIN PUBLIC KEY-----${body}-----END PUBLIC KEY-----` }, token, 200);
        await withAuth({ jwtKey: jwtKey.replace(/\n/g, ' ') }, token, 200);
        await withAuth({ jwtKey: await exportPKCS8(keys.privateKey) }, token, 200);
        await withAuth({ jwtKey: pkcs1.publicKey.export({ type: 'pkcs1', format: 'pem' }) }, pkcs1Token, 200);
        await withAuth({ jwtKey: pkcs1.privateKey.export({ type: 'pkcs1', format: 'pem' }) }, pkcs1Token, 200);
        await withAuth({ jwtKey: pkcs1.publicKey.export({ type: 'spki', format: 'pem' }) }, token, 401);
    });

    test('a new configuration forgets what the old one accepted', async () => {
        const token = await mint({ sid: 'sess_forget' });
        await withAuth({}, token, 200);
        await withAuth({ authorizedParties: ['https://elsewhere.example'] }, token, 401);
        await withAuth({ authorizedParties: [] }, token, 200);
        await withAuth({ issuer: 'https://elsewhere.example' }, token, 401);
        await withAuth({ jwtKey: await exportSPKI(otherKeys.publicKey) }, token, 401);
    });

    test('no parties and no issuer are not checked', async () => {
        await withAuth(
            { authorizedParties: [], issuer: undefined },
            await mint({ iss: 'x', azp: undefined }),
            200,
        );
    });

    test('the skew is a setting', async () => {
        const token = await mint({ exp: now });
        await withAuth({ clockSkewMs: 0 }, token, 401);
        await withAuth({ clockSkewMs: 1 }, token, 200);
    });

    test('no key, no service key', async () => {
        const verdict = await withAuth({ jwtKey: undefined, serviceKey: undefined }, await mint(), 503);
        assert.equal(verdict.code, 'not_configured');
        assert.match(verdict.message, /CLERK_JWKS_URL/);
        assert.equal((await ask({})).status, 401);
        assert.equal((await ask(bearer(serviceKey))).status, 401);
        assert.equal((await ask({ authorization: 'Bearer ' }, 'service')).status, 401);
    });
});
