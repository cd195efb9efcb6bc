/*
 * consumeSSOToken (spec oauth.md).
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { before, describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { LATE, TIMEOUT } from '../../support/oauth_callbacks.mjs';
import { assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'consumeSSOToken';
const sso = suite({ functions: [NAME], env: TIMEOUT });
const clerk = () => sso.provider('clerk');
const TOKEN = `sso_${'A'.repeat(43)}`;
const planted = [];
const random = () => `sso_${crypto.randomBytes(32).toString('base64url')}`;
const hash = (token) => `sso:${crypto.createHash('sha256').update(token).digest('hex')}`;
const anonymous = (body) => post(sso.host, NAME, { body });
const service = (body, more = {}) => post(sso.host, NAME, { token: SERVICE_KEY, body: { action: 'issue', ...body }, ...more });
const rows = (user) => sso.database.rows(`SELECT * FROM edge.oauth_states WHERE user_id = $1 AND service_name = 'sso'`, [user]);

async function link(user, { token = random(), seconds = 60, path = null } = {}) {
    planted.push(token);
    await sso.database.rows(
        `INSERT INTO edge.oauth_states (state, user_id, service_name, redirect_uri, expires_at) VALUES ($1, $2, 'sso', $3, now() + make_interval(secs => $4))`,
        [hash(token), user, path, seconds]);
    return token;
}
const ticket = (value = 'sit-SECRET') => clerk().order({ status: 200, body: { object: 'sign_in_token', id: 'sit_x', token: value, status: 'pending' } });

before(() => clerk(), options);
refusals(sso, NAME, {
    mode: 'optional', body: { token: TOKEN }, required: ['token'], untouched: ['edge.oauth_states'],
    wrong: {
        action: ['other', 7, true, [], {}],
        token: [7, true, [], {}, '', 'sso_', `sso_${'A'.repeat(42)}`, `sso_${'A'.repeat(44)}`, `SSO_${'A'.repeat(43)}`, `sso_${'A'.repeat(42)}+`, ` ${TOKEN}`],
    },
});

describe('consumeSSOToken: consume', options, () => {
    it('1, 2: a ticket for a person who is not signed in, once', options, async () => {
        const user = await sso.agent();
        assert.equal(hash(TOKEN), 'sso:a97a5554b8d87a89329f47f7cce98d9ca3b22eb396738fda1a3a67b74984f42f');
        await link(user, { token: TOKEN });
        await ticket('sit_1');
        const answer = await anonymous({ token: TOKEN });
        assert.deepEqual([answer.status, answer.body], [200, { success: true, userId: user, ticket: 'sit_1', alreadySignedIn: false, redirectTo: '/dashboard' }]);
        assert.equal(answer.headers.get('cache-control'), 'no-store');
        assert.equal((await rows(user)).length, 0);
        const [asked] = await clerk().requests();
        assert.deepEqual([asked.method, asked.path, asked.body], ['POST', '/v1/sign_in_tokens', { user_id: user, expires_in_seconds: 60 }]);
        assert.equal(asked.headers.authorization, 'Bearer test-clerk-secret-key');
        const again = await anonymous({ token: TOKEN });
        assertRefused(again, 401, 'invalid_sso_token');
        assert.deepEqual([again.body.success, again.headers.get('cache-control')], [false, 'no-store']);
    });

    it('an absent token has its own sentence', options, async () =>
        assert.equal((await anonymous({})).body.error, 'No authentication token provided'));

    it('3: another person is signed in: 403, and the link is gone', options, async () => {
        const [user, other] = [await sso.agent(), await sso.agent()];
        const token = await link(user);
        assertRefused(await sso.call(NAME, other, { token }), 403, 'user_mismatch');
        assert.equal((await rows(user)).length, 0);
        assert.equal((await clerk().requests()).length, 0);
    });

    it('the same person is signed in: no ticket is needed', options, async () => {
        const user = await sso.agent();
        const token = await link(user, { path: '/goals?x=1' });
        assert.deepEqual((await sso.call(NAME, user, { token })).body, { success: true, userId: user, ticket: null, alreadySignedIn: true, redirectTo: '/goals?x=1' });
        assert.equal((await clerk().requests()).length, 0);
    });

    it('too late: 401, and the row is gone', options, async () => {
        const user = await sso.agent();
        assertRefused(await anonymous({ token: await link(user, { seconds: -1 }) }), 401, 'sso_token_expired');
        assert.equal((await rows(user)).length, 0);
    });

    it('of several at once one is signed in', options, async () => {
        const token = await link(await sso.agent());
        await ticket();
        const answers = await Promise.all(Array.from({ length: 5 }, () => anonymous({ token })));
        assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401, 401, 401, 401]);
    });

    for (const [title, order, status, code] of [
        ['404', { status: 404, body: { errors: [] } }, 404, 'user_not_found'],
        ['422', { status: 422, body: {} }, 404, 'user_not_found'],
        ['401', { status: 401, body: { secret: 'body-SECRET' } }, 502, 'provider_error'],
        ['429', { status: 429, body: {} }, 502, 'provider_error'],
        ['500', { status: 500, body: 'body-SECRET' }, 502, 'provider_error'],
        ['no ticket in it', { status: 200, body: {} }, 502, 'provider_error'],
        ['no JSON', { status: 200, body: 'sit-SECRET' }, 502, 'provider_error'],
        ['a connection that breaks', { drop: true }, 502, 'provider_error'],
        ['too late', LATE, 504, 'provider_timeout'],
    ])
        it(`Clerk: ${title}: ${status} ${code}, and the link is used`, options, async () => {
            const token = await link(await sso.agent());
            await clerk().order(order);
            const answer = await anonymous({ token });
            assertRefused(answer, status, code);
            assert.equal(answer.body.success, false);
            assertRefused(await anonymous({ token }), 401, 'invalid_sso_token');
        });

    it("without Clerk's key: 503 before the link is used, and only when it is needed", options, async () => {
        const user = await sso.agent();
        const token = await link(user);
        await withHost({ functions: [NAME], database: sso.database.url, env: { CLERK_SECRET_KEY: null } }, async (host) => {
            assertRefused(await post(host, NAME, { body: { token } }), 503, 'not_configured');
            assert.equal((await post(host, NAME, { token: await mint(user), body: { token } })).status, 200);
        });
    });

    it("a flow's state is no link", options, async () => {
        const user = await sso.agent(), token = random();
        await sso.database.rows(`INSERT INTO edge.oauth_states (state, user_id, service_name) VALUES ($1, $2, 'zoom')`, [hash(token), user]);
        assertRefused(await anonymous({ token }), 401, 'invalid_sso_token');
        assert.equal(await sso.database.count('edge.oauth_states', 'user_id = $1', [user]), 1);
    });
});

describe('consumeSSOToken: issue', options, () => {
    it('4: by address, in any case; the hash alone is kept', options, async () => {
        const user = await sso.agent({ email: 'Ann.Case@example.com' });
        const answer = await service({ email: 'aNN.cASE@Example.com' });
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        assert.equal(answer.headers.get('cache-control'), 'no-store');
        const { token, loginUrl, userId, expiresAt, success } = answer.body;
        planted.push(token);
        assert.match(token, /^sso_[\w-]{43}$/);
        assert.deepEqual([success, userId, loginUrl], [true, user, `https://pulse.pwru.app/sso-login?token=${token}`]);
        const [row, ...more] = await rows(user);
        assert.equal(more.length, 0);
        assert.deepEqual([row.state, row.code_verifier, row.redirect_uri, row.expires_at.toISOString()], [hash(token), null, null, expiresAt]);
        assert.equal(row.expires_at - row.created_at, 120000);
        await ticket();
        assert.equal((await anonymous({ token })).body.userId, user);
    });

    it('by id, with a life and a path; a new link ends the one before', options, async () => {
        const user = await sso.agent();
        const first = (await service({ userId: user })).body.token;
        const { body } = await service({ userId: user, ttlSeconds: 30, redirectPath: '/goals' });
        planted.push(first, body.token);
        const [row, ...more] = await rows(user);
        assert.equal(more.length, 0);
        assert.deepEqual([row.expires_at - row.created_at, row.redirect_uri], [30000, '/goals']);
        assertRefused(await anonymous({ token: first }), 401, 'invalid_sso_token');
        assert.equal((await sso.call(NAME, user, { token: body.token })).body.redirectTo, '/goals');
        assert.equal((await service({ userId: user, ttlSeconds: 300 })).status, 200);
        const links = await Promise.all(Array.from({ length: 6 }, () => service({ userId: user })));
        assert.ok(links.every(({ status }) => status === 200));
        assert.equal((await rows(user)).length, 1);
    });

    it('whom nobody knows, and whom several are', options, async () => {
        assertRefused(await service({ userId: 'user_nobody' }), 404, 'user_not_found');
        assertRefused(await service({ email: 'nobody@example.com' }), 404, 'user_not_found');
        await sso.agent({ email: 'two@example.com' });
        await sso.agent({ email: 'TWO@example.com' });
        assertRefused(await service({ email: 'Two@example.com' }), 409, 'ambiguous_email');
    });

    it('by nobody else than the service', options, async () => {
        const user = await sso.agent();
        assertRefused(await anonymous({ action: 'issue', userId: user }), 401, 'unauthorized');
        assertRefused(await sso.call(NAME, user, { action: 'issue', userId: user }), 403, 'forbidden');
        assertRefused(await sso.call(NAME, await sso.admin(), { action: 'issue', email: `${user}@example.com` }), 403, 'forbidden');
        assert.equal((await rows(user)).length, 0);
    });

    it('fields', options, async () => {
        const user = await sso.agent();
        for (const [field, values, body] of [
            ['userId', [7, true, [], {}, '', 'u'.repeat(256)], {}],
            ['userId', [undefined, null], {}],
            ['email', [7, true, [], {}, 'e'.repeat(321)], {}],
            ['email', ['a@x.io'], { userId: user }],
            ['ttlSeconds', [29, 301, 60.5, '60', true, [], {}], { userId: user }],
            ['redirectPath', ['//evil.example', 'x', 7, true, [], {}], { userId: user }],
        ])
            for (const value of values) assertRefused(await service({ ...body, [field]: value }), 400, 'invalid_input', field);
        assert.equal((await rows(user)).length, 0);
        assert.equal((await service({ userId: null, email: 'e'.repeat(320) })).status, 404);
    });

    it('APP_URL is the application; what is no URL is 503', options, async () => {
        const user = await sso.agent();
        for (const [APP_URL, status] of [['https://app.example/', 200], ['ftp://app.example', 503]])
            await withHost({ functions: [NAME], database: sso.database.url, env: { APP_URL } }, async (host) => {
                const answer = await post(host, NAME, { token: SERVICE_KEY, body: { action: 'issue', userId: user } });
                assert.equal(answer.status, status);
                if (status === 200) assert.ok(answer.body.loginUrl.startsWith('https://app.example/sso-login?token=sso_'));
            });
    });
});

it('consumeSSOToken: no token, ticket or hash in the log', options, () => {
    const log = sso.host.text();
    assert.doesNotMatch(log, /SECRET|sso_[\w-]{43}/);
    assert.ok(planted.length > 5);
    for (const token of planted) assert.ok(!log.includes(hash(token)));
});
