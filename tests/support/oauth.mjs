/*
 * What all initiate functions promise, and all callbacks (spec oauth.md S7 INIT and CB): registered as tests by the file
 * of each of them.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { describe, it } from 'node:test';

import { post } from './clients.mjs';
import { Connections, tokens } from './connections.mjs';
import { credential } from './providers.mjs';
import { assertRefused, refusals } from './refusals.mjs';
import { options, withHost } from './suite.mjs';
import { mint } from './tokens.mjs';

export const s256 = (verifier) => crypto.createHash('sha256').update(verifier).digest('base64url');

/* Takes an authorization URL apart. */
export function authorization(authUrl) {
    const url = new URL(authUrl);
    return { path: url.pathname, ...Object.fromEntries(url.searchParams) };
}

const MINUTES_10 = 10 * 60 * 1000;

/*
 * Tests of an initiate function. service, slug, scopes: as its entry says. pkce: whether it sends a challenge. path: of
 * the authorization page behind /sandbox. client: variable of the client id; secret: of its secret. body: a valid one.
 */
export function initiates(suite, name, { service, slug = service, scopes, pkce, path, client, secret, body = {} }) {
    const connections = new Connections(suite);
    const call = (user, more) => suite.call(name, user, { ...body, ...more });
    const elsewhere = ['https://evil.example', '//evil.example', 'onboarding', '/\\evil', '/a\u0007b', '/a\u0085b', `/${'a'.repeat(512)}`];

    refusals(suite, name, { body, wrong: { redirectPath: [5, true, [], {}, ...elsewhere] }, untouched: ['edge.oauth_states'] });

    describe(`${name}: begins a flow`, options, () => {
        it('a URL, a state, a pending row', options, async () => {
            const user = await suite.agent();
            const answer = await call(user);
            assert.equal(answer.status, 200, JSON.stringify(answer.body));
            assert.equal(answer.headers.get('cache-control'), 'no-store');
            const [row, ...others] = await connections.states(user);
            assert.equal(others.length, 0);
            assert.match(row.state, /^[\w-]{43}$/);
            assert.equal(row.expires_at - row.created_at, MINUTES_10);
            assert.equal(row.service_name, service);
            if (pkce) assert.match(row.code_verifier, /^[\w-]{86}$/);
            else assert.equal(row.code_verifier, null);
            const redirectUri = `https://pulse.pwru.app/auth/callback/${slug}`;
            assert.equal(row.redirect_uri, redirectUri);
            const { authUrl, ...rest } = answer.body;
            assert.deepEqual(rest, {
                service, redirectUri, scopes, expiresAt: row.expires_at.toISOString(), alreadyConnected: false,
            });
            assert.ok(authUrl.startsWith(`${suite.host.url}/sandbox/`));
            const asked = authorization(authUrl);
            assert.equal(asked.path, `/sandbox/${path}`);
            assert.equal(asked.client_id, credential(client));
            assert.deepEqual([asked.redirect_uri, asked.response_type, asked.state], [redirectUri, 'code', row.state]);
            assert.equal(asked.code_challenge, pkce ? s256(row.code_verifier) : undefined);
            assert.equal(asked.code_challenge_method, pkce ? 'S256' : undefined);
            assert.ok(!authUrl.includes('+'), 'a blank is %20');
            const connection = await connections.row(user, service);
            assert.deepEqual([connection.connection_status, connection.credentials], ['pending', {}]);
        });

        it('a connection that works is not touched', options, async () => {
            const user = await suite.agent();
            await connections.add(user, service, { credentials: tokens(3600), settings: { account_email: 'a@x.io' } });
            const before = await connections.row(user, service);
            assert.equal((await call(user)).body.alreadyConnected, true);
            assert.deepEqual(await connections.row(user, service), before);
        });

        it('a broken one becomes pending, its credentials and settings stay', options, async () => {
            const user = await suite.agent();
            await connections.add(user, service, { status: 'error', credentials: tokens(3600), settings: { account_email: 'a@x.io' } });
            const { credentials, settings } = await connections.row(user, service);
            assert.equal((await call(user)).body.alreadyConnected, false);
            const after = await connections.row(user, service);
            assert.deepEqual([after.connection_status, after.credentials, after.settings], ['pending', credentials, settings]);
        });

        it('redirectPath travels in the state', options, async () => {
            const user = await suite.agent();
            for (const where of ['/goals', '/onboarding?step=2#x', `/${'a'.repeat(511)}`, '/grüße']) {
                assert.equal((await call(user, { redirectPath: where })).status, 200, where);
                const rows = await connections.states(user);
                const [, encoded] = rows.at(-1).state.split('.');
                assert.equal(Buffer.from(encoded, 'base64url').toString(), where);
            }
            assert.equal((await call(user, { redirectPath: null })).status, 200);
        });

        it('at most five live states, the oldest go; expired ones too, of anybody', options, async () => {
            const user = await suite.agent(), other = await suite.agent();
            for (let age = 1; age <= 6; age++) await connections.state(user, service, { state: `old-${service}-${age}`, age });
            await connections.state(user, 'sso', { state: `other-${service}`, age: 9 });
            await connections.state(other, service, { state: `expired-${service}`, age: 601 });
            assert.equal((await call(user)).status, 200);
            const left = (await connections.states(user)).filter((row) => row.service_name === service).map((row) => row.state);
            assert.equal(left.length, 5);
            for (const age of [1, 2, 3, 4]) assert.ok(left.includes(`old-${service}-${age}`));
            assert.equal((await connections.states(user)).length, 6, 'other services are not counted');
            assert.equal((await connections.states(other)).length, 0);
        });

        it('eight at once leave five, and one row', options, async () => {
            const user = await suite.agent();
            const answers = await Promise.all(Array.from({ length: 8 }, () => call(user)));
            assert.ok(answers.every(({ status }) => status === 200));
            assert.equal((await connections.states(user)).length, 5);
        });

        it('a user without a profile: 409, nothing written', options, async () => {
            const answer = await call(`user_nobody_${name}`);
            assertRefused(answer, 409, 'profile_missing');
            assert.equal((await connections.states(`user_nobody_${name}`)).length, 0);
        });

        it('what is not configured: 503, in its order', options, async () => {
            const token = await mint(await suite.agent());
            const refused = (env, code, message) =>
                withHost({ functions: [name], database: suite.database.url, env }, async (host) => {
                    const answer = await post(host, name, { token, body });
                    assertRefused(answer, 503, code);
                    assert.match(answer.body.error, message);
                    assertRefused(await post(host, name, { token, body: { ...body, redirectPath: 'x' } }), 400, 'invalid_input', 'redirectPath');
                });
            const before = await suite.database.count('edge.oauth_states');
            await refused({ [client]: null, EDGE_ENCRYPTION_KEY: null }, 'not_configured', new RegExp(client));
            await refused({ [secret]: '' }, 'not_configured', new RegExp(secret));
            await refused({ EDGE_ENCRYPTION_KEY: 'AAEC' }, 'encryption_not_configured', /EDGE_ENCRYPTION_KEY/);
            await refused({ APP_URL: 'http://pulse.example' }, 'not_configured', /APP_URL/);
            assert.equal(await suite.database.count('edge.oauth_states'), before);
        });
    });
}
