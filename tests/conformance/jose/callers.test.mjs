/* Where a credential is found, what counts as none, and what each auth mode makes of it. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { ask, base64url, bearer, mint, refused, serviceKey } from './cases.mjs';

describe('where the token is found', () => {
    let token, other;
    before(async () => {
        token = await mint();
        other = await mint({ sub: 'user_b' });
    });

    const finds = (name, headers, user) =>
        test(name, async () => {
            const verdict = await ask(headers());
            assert.equal(verdict.user, user, verdict.detail);
        });
    const finds401 = (name, headers) =>
        test(name, async () => assert.equal((await ask(headers())).status, 401));

    finds('x-clerk-auth, bare', () => ({ 'x-clerk-auth': token }), 'user_a');
    finds('x-clerk-auth, with Bearer', () => ({ 'x-clerk-auth': `Bearer ${token}` }), 'user_a');
    finds('Authorization, bare', () => ({ authorization: token }), 'user_a');
    finds('Authorization, with Bearer', () => ({ authorization: `Bearer ${token}` }), 'user_a');
    finds(
        'x-clerk-auth goes first',
        () => ({ authorization: `Bearer ${other}`, 'x-clerk-auth': token }),
        'user_a',
    );
    finds(
        'an empty x-clerk-auth is none',
        () => ({ authorization: `Bearer ${other}`, 'x-clerk-auth': ' ' }),
        'user_b',
    );
    finds401('a bad x-clerk-auth is not looked past', () => ({
        authorization: `Bearer ${other}`,
        'x-clerk-auth': 'no',
    }));
    finds401('another scheme is ignored', () => ({ authorization: `Basic ${token}` }));
    finds401('the scheme is case-sensitive', () => ({ authorization: `bearer ${token}` }));
    finds401('apikey is no credential', () => ({ apikey: token }));
    finds401('two joined headers', () => ({ authorization: `Bearer ${token}, Bearer ${other}` }));
});

describe('project keys are no identity', () => {
    const legacy = (claims) => {
        const input = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
        return `${input}.${createHmac('sha256', 'their secret').update(input).digest('base64url')}`;
    };
    const anon = legacy({ iss: 'supabase', ref: 'abc', role: 'anon', iat: 1, exp: 4102444800 });
    const projectKeys = {
        anon,
        publishable: 'sb_publishable_abc',
        secret: 'sb_secret_abc',
        temporary: 'sb_temp_abc',
    };

    for (const [name, key] of Object.entries(projectKeys))
        test(name, async () => {
            assert.equal((await ask(bearer(key), 'optional')).caller, 'nobody');
            assert.equal((await ask(bearer(key), 'optional')).caller, 'nobody');
            const verdict = await ask(bearer(key));
            assert.equal(verdict.status, 401);
            assert.equal(verdict.message, 'Sign in to use this function');
            assert.equal((await ask({ ...bearer(key), 'x-clerk-auth': await mint() })).user, 'user_a');
            assert.equal((await ask({ ...bearer(await mint()), 'x-clerk-auth': key })).user, 'user_a');
        });

    test('a service_role key that is not ours is refused', () => refused(legacy({ role: 'service_role' })));
    test('an anon role with a subject is refused', () => refused(legacy({ role: 'anon', sub: 'user_a' })));
});

describe('modes', () => {
    const modes = ['public', 'optional', 'user', 'user_or_service', 'service', 'admin'];
    const expected = {
        nobody: [200, 200, 401, 401, 401, 401],
        bad: [200, 401, 401, 401, 401, 401],
        user: [200, 200, 200, 200, 403, null], // admin asks the database
        service: [200, 200, 403, 200, 200, 403],
    };
    const credentials = {
        nobody: () => ({}),
        bad: () => bearer('x.y.z'),
        user: async () => bearer(await mint()),
        service: () => bearer(serviceKey),
    };
    for (const who of Object.keys(expected))
        modes.forEach((mode, i) => {
            if (expected[who][i] !== null)
                test(`${mode}, ${who}`, async () => {
                    const verdict = await ask(await credentials[who](), mode);
                    assert.equal(verdict.status, expected[who][i]);
                    if (verdict.status === 403)
                        assert.equal(verdict.code, mode === 'admin' ? 'admin_required' : 'forbidden');
                    if (verdict.status === 200)
                        assert.equal(verdict.caller, mode === 'public' ? 'nobody' : who);
                });
        });

    test('the service key in either header', async () => {
        assert.equal((await ask({ 'x-clerk-auth': serviceKey }, 'service')).caller, 'service');
        assert.equal((await ask({ authorization: serviceKey }, 'service')).caller, 'service');
        assert.equal((await ask(bearer(serviceKey.slice(0, -1)), 'service')).status, 401);
        assert.equal((await ask(bearer(serviceKey + 'x'), 'service')).status, 401);
    });
});
