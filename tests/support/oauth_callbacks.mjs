/*
 * What all OAuth callbacks promise (spec oauth.md S7 CB): registered as tests by the file of each of them.
 *
 * Secrets that these tests plant have SECRET in them, and what the stand-ins issue begins with "sbx.": neither may appear
 * in an answer, a log line or a metric.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from './clients.mjs';
import { Connections, consent, tokens } from './connections.mjs';
import { assertRefused, refusals } from './refusals.mjs';
import { options, withHost } from './suite.mjs';
import { mint } from './tokens.mjs';

/* For hosts of these files: a provider that takes longer has timed out. */
export const TIMEOUT = { OAUTH_TIMEOUT_MS: '1000' };
export const LATE = { delayMs: 4000 };

export const TOKEN = { access_token: 'at-SECRET', refresh_token: 'rt-SECRET', expires_in: 3600, token_type: 'Bearer' };

/* Ways in which an answer of any endpoint is no use: [name, order, status, code]. */
export const useless = [
    ['500', { status: 500, body: { error: 'server_error', secret: 'body-SECRET' } }, 502, 'provider_error'],
    ['503', { status: 503, body: 'busy' }, 502, 'provider_error'],
    ['404', { status: 404, body: { error: 'nothing' } }, 502, 'provider_error'],
    ['a redirect', { status: 302, headers: { location: 'https://evil.example/' }, body: {} }, 502, 'provider_error'],
    ['no JSON', { status: 200, body: 'access_token=at-SECRET' }, 502, 'provider_error'],
    ['broken JSON', { status: 200, headers: { 'content-type': 'application/json' }, body: '{"access_token":"at-SECRET' }, 502, 'provider_error'],
    ['a list', { status: 200, body: ['at-SECRET'] }, 502, 'provider_error'],
    ['a connection that breaks', { drop: true }, 502, 'provider_error'],
    ['half an answer', { status: 200, body: { ...TOKEN, filler: 'x'.repeat(2000) }, truncateAfter: 100 }, 502, 'provider_error'],
    ['429', { status: 429, headers: { 'retry-after': '7' }, body: {} }, 429, 'provider_rate_limited'],
    ['too late', LATE, 504, 'provider_timeout'],
];

const client = (error) => ({ error, error_description: 'words-SECRET' });

/* What a token endpoint may say of a code. */
export const rejections = [
    ['400', { status: 400, body: client('invalid_grant') }, 422, 'code_rejected'],
    ['400 of another kind', { status: 400, body: client('invalid_request') }, 422, 'code_rejected'],
    ['401', { status: 401, body: client('invalid_grant') }, 422, 'code_rejected'],
    ['403', { status: 403, body: client('access_denied') }, 422, 'code_rejected'],
    ['invalid_client', { status: 401, body: client('invalid_client') }, 502, 'provider_error'],
    ['unauthorized_client', { status: 400, body: client('unauthorized_client') }, 502, 'provider_error'],
    ['no access token', { status: 200, body: { token_type: 'Bearer' } }, 502, 'provider_error'],
    ['an empty access token', { status: 200, body: { ...TOKEN, access_token: '' } }, 502, 'provider_error'],
    ['an access token that is none', { status: 200, body: { ...TOKEN, access_token: 7 } }, 502, 'provider_error'],
    ['an endless access token', { status: 200, body: { ...TOKEN, access_token: 'a'.repeat(8193) } }, 502, 'provider_error'],
];

/* A callback's surroundings: how to begin a flow, call, and look. */
export class Callback {
    constructor(suite, name, { service, provider, wrap = (body) => body }) {
        Object.assign(this, { suite, name, service, provider, wrap, connections: new Connections(suite), states: [], answers: [] });
    }

    get tokens() {
        return this.suite.provider(this.provider);
    }

    async post(user, body, more = {}) {
        const answer = await this.suite.call(this.name, user, this.wrap(body), more);
        this.answers.push(answer);
        return answer;
    }

    /* A flow under way of a person: { user, state }. */
    async begun(more = {}, user = undefined) {
        user ??= await this.suite.agent();
        const state = await this.connections.state(user, more.service ?? this.service, more);
        this.states.push(state);
        return { user, state };
    }

    /* The same with the pending row that initiating makes. */
    async pending(more = {}) {
        const flow = await this.begun(more);
        await this.connections.add(flow.user, this.service, { status: 'pending' });
        return flow;
    }

    finish({ user, state }, more = {}) {
        return this.post(user, { code: 'code-SECRET', state, ...more });
    }

    row(user) {
        return this.connections.row(user, this.service);
    }

    async assertFailed(flow, answer, status, code) {
        assertRefused(answer, status, code);
        assert.equal(answer.body.success, false);
        const { connection_status, settings, credentials } = await this.row(flow.user);
        assert.deepEqual([connection_status, settings.last_error, credentials], ['error', code, {}]);
        assert.ok(Math.abs(Date.parse(settings.last_error_at) - Date.now()) < 60000);
    }
}

function states(callback) {
    const { name } = callback;
    const calls = async () => (await callback.tokens.requests()).length;
    const refusedState = (title, code, status, make) =>
        it(title, options, async () => {
            const { user, state, gone } = await make();
            const answer = await callback.post(user, { code: 'code-SECRET', state });
            assertRefused(answer, status, code);
            assert.equal(answer.body.success, false);
            assert.equal(answer.headers.get('cache-control'), 'no-store');
            assert.equal(await calls(), 0, 'the provider is not asked');
            if (gone) assert.equal(await callback.suite.database.count('edge.oauth_states', 'state = $1', [state]), 0);
        });
    describe(`${name}: states`, options, () => {
        refusedState('an unknown one', 'invalid_state', 400, async () => ({ user: await callback.suite.agent(), state: 'nobody-knows' }));
        refusedState('of another user, and it is gone', 'user_mismatch', 403, async () => ({
            ...(await callback.begun()), user: await callback.suite.agent(), gone: true,
        }));
        refusedState('of another service, and it is gone', 'invalid_state', 400, async () => ({
            ...(await callback.begun({ service: callback.service === 'zoom' ? 'google_workspace' : 'zoom' })), gone: true,
        }));
        refusedState('after ten minutes, and it is gone', 'state_expired', 400, async () => ({ ...(await callback.begun({ age: 601 })), gone: true }));
        it('a sign-in link is no state, and stays', options, async () => {
            const { user, state } = await callback.begun({ service: 'sso', state: `sso:${name}` });
            assertRefused(await callback.post(user, { code: 'c', state }), 400, 'invalid_state');
            assert.equal(await callback.suite.database.count('edge.oauth_states', 'state = $1', [state]), 1);
        });
    });
}

function denials(callback) {
    describe(`${callback.name}: refusals at the provider`, options, () => {
        for (const error of ['access_denied', 'user_cancelled_login', 'user_cancelled_authorize', 'user_denied'])
            it(error, options, async () => {
                const flow = await callback.pending();
                const answer = await callback.finish(flow, { error, error_description: 'description-SECRET' });
                assertRefused(answer, 400, 'access_denied');
                assert.equal((await callback.row(flow.user)).connection_status, 'disconnected');
                assert.equal((await callback.tokens.requests()).length, 0, 'error wins over code');
                assertRefused(await callback.finish(flow), 400, 'invalid_state');
            });
        it('access_denied without a code; a connection that works is left alone', options, async () => {
            const flow = await callback.begun();
            await callback.connections.add(flow.user, callback.service, { credentials: tokens(3600) });
            const before = await callback.row(flow.user);
            assertRefused(await callback.post(flow.user, { error: 'access_denied', state: flow.state }), 400, 'access_denied');
            assert.deepEqual(await callback.row(flow.user), before);
        });
        it('any other error: 502', options, async () => {
            const flow = await callback.pending();
            assertRefused(await callback.finish(flow, { error: 'temporarily_unavailable' }), 502, 'provider_error');
        });
    });
}

/* One code, however it is posted. */
function once(callback) {
    it(`${callback.name}: two at once: one gets on`, options, async () => {
        const flow = await callback.begun();
        const answers = await Promise.all([callback.finish(flow), callback.finish(flow), callback.finish(flow)]);
        const codes = answers.map(({ body }) => body.code).sort();
        assert.equal(codes.filter((code) => code === 'invalid_state').length, 2, JSON.stringify(codes));
        assert.equal((await callback.tokens.requests()).length, 1);
    });
}

/*
 * What the token endpoint does; more: [name, order, status, code] beside what holds for everybody. unless: names that do
 * not hold for this one.
 */
export function exchangeFailures(callback, { more = [], unless = [] } = {}) {
    describe(`${callback.name}: what the token endpoint does`, options, () => {
        for (const [title, order, status, code] of [...rejections, ...useless, ...more].filter(([title]) => !unless.includes(title)))
            it(`${title}: ${status} ${code}`, options, async () => {
                const flow = await callback.pending();
                await callback.tokens.order(order);
                const answer = await callback.finish(flow);
                await callback.assertFailed(flow, answer, status, code);
                if (status === 429) assert.equal(answer.headers.get('retry-after'), '7');
                assert.equal((await callback.tokens.requests()).length, 1, 'asked once');
            });
        it('a connection that works is left alone', options, async () => {
            const flow = await callback.begun();
            await callback.connections.add(flow.user, callback.service, { credentials: tokens(3600), settings: { account_email: 'a@x.io' } });
            const before = await callback.row(flow.user);
            await callback.tokens.order({ status: 500, body: {} });
            assertRefused(await callback.finish(flow), 502, 'provider_error');
            assert.deepEqual(await callback.row(flow.user), before);
        });
    });
}

function configuration(callback, variables) {
    it(`${callback.name}: without configuration 503, and the state is still good`, options, async () => {
        const flow = await callback.begun();
        const token = await mint(flow.user);
        for (const [env, code] of [
            ...variables.map((variable) => [{ [variable]: null }, 'not_configured']),
            [{ EDGE_ENCRYPTION_KEY: null }, 'encryption_not_configured'],
        ])
            await withHost({ functions: [callback.name], database: callback.suite.database.url, env }, async (host) => {
                const answer = await post(host, callback.name, { token, body: callback.wrap({ code: 'c', state: flow.state }) });
                assertRefused(answer, 503, code);
            });
        assert.equal(await callback.suite.database.count('edge.oauth_states', 'state = $1', [flow.state]), 1);
    });
}

/* Last in its file: nothing of what was planted has come out anywhere. */
export function keepsSecrets(callback) {
    it(`${callback.name}: no secret in answers, log lines and metrics`, options, async () => {
        const metrics = await (await fetch(`${callback.suite.host.url}/_edge/metrics`)).text();
        const answers = callback.answers.map(({ body }) => JSON.stringify(body)).join('\n');
        const log = callback.suite.host.text();
        assert.ok(callback.answers.length > 5 && log.length > 1000, 'there was something to look through');
        for (const [what, text] of Object.entries({ metrics, answers, log })) {
            assert.doesNotMatch(text, /SECRET|sbx\./, what);
            for (const state of callback.states) assert.ok(!text.includes(state), `a state in ${what}`);
        }
    });
}

/* All that callbacks have in common. begin: the initiate function; variables: without which it is 503. */
export function callbacks(callback, { body = {}, prefix = '', variables, begin }) {
    const long = (length) => 'a'.repeat(length + 1);
    const wrong = {
        [`${prefix}code`]: [7, true, [], {}, long(4096)],
        [`${prefix}state`]: [7, true, [], {}, long(1024)],
        [`${prefix}error`]: [7, true, [], {}, long(200)],
        [`${prefix}error_description`]: [7, true, [], {}, long(2000)],
    };
    if (prefix === '')
        refusals(callback.suite, callback.name, { body: { ...body, code: 'c', state: 's' }, required: ['code', 'state'], wrong, untouched: ['edge.oauth_states'] });
    states(callback);
    denials(callback);
    once(callback);
    configuration(callback, variables);

    it(`${callback.name}: through the provider's page and back`, options, async () => {
        const user = await callback.suite.agent();
        const asked = (await callback.suite.call(begin.name, user, { ...begin.body, redirectPath: '/onboarding' })).body;
        const [{ code_verifier: verifier }] = await callback.connections.states(user);
        const back = await consent(asked.authUrl);
        assert.equal(back.to, asked.redirectUri);
        callback.states.push(back.state);
        const answer = await callback.post(user, { code: back.code, state: back.state });
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        assert.equal(answer.body.redirectPath, '/onboarding');
        assert.equal(answer.headers.get('cache-control'), 'no-store');
        const sent = (await callback.tokens.requests()).find(({ body }) => String(body).includes('authorization_code'));
        if (sent) assert.equal(new URLSearchParams(sent.body).get('code_verifier'), verifier);
        const row = await callback.row(user);
        assert.equal(row.connection_status, 'connected');
        const opened = await callback.connections.opened(user, callback.service);
        assert.match(opened.access_token, /^sbx\./);
        assert.ok(!JSON.stringify(row).includes('sbx.'), 'nothing in clear');
        assert.equal((await callback.connections.states(user)).length, 0);
        const again = await callback.post(user, { code: back.code, state: back.state });
        assertRefused(again, 400, 'invalid_state');
    });

    it(`${callback.name}: a person who says no`, options, async () => {
        const user = await callback.suite.agent();
        const { body } = await callback.suite.call(begin.name, user, begin.body ?? {});
        const { error, state } = await consent(body.authUrl, { answer: 'deny' });
        assertRefused(await callback.post(user, { error, state }), 400, 'access_denied');
        assert.equal((await callback.row(user)).connection_status, 'disconnected');
    });
}
