/*
 * Every way in which a tool's provider fails (spec workspace.md 0.5), as tests: its answers, the connection, the token.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Sandbox } from './sandbox.mjs';
import { options, withHost } from './suite.mjs';
import { assertFailed } from './tools.mjs';

/* How long a stand-in keeps an impatient host waiting. */
const DELAY_MS = 30000;

const google = (code, status, reason) => ({
    status: code,
    body: { error: { code, message: 'The provider says so', status, errors: [{ reason, domain: 'global' }] } },
});
const microsoft = (status, code) => ({ status, body: { error: { code, message: 'The provider says so' } } });
const meta = (status, code, more = {}) => ({
    status,
    body: { error: { code, message: 'The provider says so', type: 'OAuthException', ...more } },
});
const linkedin = (status, serviceErrorCode, message = 'The provider says so') => ({
    status,
    body: { status, serviceErrorCode, message },
});

/* [order, our status, our code, providerCode] */
const ANSWERS = {
    google: [
        [google(400, 'INVALID_ARGUMENT', 'badRequest'), 422, 'provider_rejected', 'INVALID_ARGUMENT'],
        [google(403, 'PERMISSION_DENIED', 'insufficientPermissions'), 403, 'provider_permission_denied', 'PERMISSION_DENIED'],
        ...['rateLimitExceeded', 'userRateLimitExceeded', 'quotaExceeded', 'dailyLimitExceeded'].map((reason) => [
            google(403, 'PERMISSION_DENIED', reason), 429, 'provider_rate_limited', 'PERMISSION_DENIED']),
        [google(404, 'NOT_FOUND', 'notFound'), 404, 'provider_not_found', 'NOT_FOUND'],
        [google(412, 'FAILED_PRECONDITION', 'conditionNotMet'), 422, 'provider_rejected', 'FAILED_PRECONDITION'],
        [google(500, 'INTERNAL', 'backendError'), 502, 'provider_error', 'INTERNAL'],
    ],
    microsoft: [
        [microsoft(400, 'ErrorInvalidRecipients'), 422, 'provider_rejected', 'ErrorInvalidRecipients'],
        [microsoft(403, 'ErrorAccessDenied'), 403, 'provider_permission_denied', 'ErrorAccessDenied'],
        [microsoft(404, 'ResourceNotFound'), 404, 'provider_not_found', 'ResourceNotFound'],
        [microsoft(413, 'ErrorMessageSizeExceeded'), 422, 'provider_rejected', 'ErrorMessageSizeExceeded'],
        [microsoft(500, 'ErrorInternalServerError'), 502, 'provider_error', 'ErrorInternalServerError'],
    ],
    meta: [
        ...[4, 17, 32, 341, 613].map((code) => [meta(400, code), 429, 'provider_rate_limited', code]),
        [meta(403, 4), 429, 'provider_rate_limited', 4],
        [meta(400, 9), 429, 'publish_limit_reached', 9],
        ...[3, 10, 200, 299].map((code) => [meta(400, code), 403, 'provider_permission_denied', code]),
        [meta(400, 300), 422, 'provider_rejected', 300],
        [meta(400, 506), 409, 'duplicate_post', 506],
        ...[1, 2, -1, -2].map((code) => [meta(400, code), 502, 'provider_error', code]),
        [meta(400, 100, { is_transient: true }), 502, 'provider_error', 100],
        ...[9004, 36000, 36004, 100].map((code) => [meta(400, code), 422, 'provider_rejected', code]),
        [meta(404, 803), 404, 'provider_not_found', 803],
        [meta(403, 368), 403, 'provider_permission_denied', 368],
        [meta(500, 960), 502, 'provider_error', 960],
    ],
    linkedin: [
        [linkedin(400, 100), 422, 'provider_rejected', 100],
        [linkedin(403, 100), 403, 'provider_permission_denied', 100],
        [linkedin(404, 0), 404, 'provider_not_found', 0],
        [linkedin(409, 1), 409, 'duplicate_post', 1],
        [linkedin(422, 2, 'Content is a DUPLICATE of urn:li:share:1'), 409, 'duplicate_post', 2],
        [linkedin(422, 3), 422, 'provider_rejected', 3],
        [linkedin(500, 0), 502, 'provider_error', 0],
    ],
};

/* What refuses the token for good where nothing can be refreshed. */
const REFUSED = {
    google: [[google(401, 'UNAUTHENTICATED', 'authError'), undefined]],
    microsoft: [[microsoft(401, 'InvalidAuthenticationToken'), undefined]],
    meta: [[meta(400, 190), 190], [meta(400, 102), 102], [meta(401, 0), 0]],
    linkedin: [[linkedin(401, 65600), 65600]],
};

const family = (provider) =>
    provider.startsWith('linkedin') ? 'linkedin' : provider.startsWith('meta') ? 'meta' : provider.startsWith('microsoft') ? 'microsoft' : 'google';

/*
 * Registers a test for each way in which the provider's first call of a run fails: what is answered, what is logged, how
 * often it was called.
 *
 * body: a valid request. before: orders for calls that go well first. code: what the function makes of every failure
 * (content_not_inserted). reads: the call changes nothing, so it is repeated. logs: the run is logged. anyAnswer: what a
 * 2xx says does not matter. needsId: an answer without what is looked for is none. connect: the connection's values.
 */
export function providerFailures(
    tools,
    provider,
    { body, before = [], reads = false, logs = true, anyAnswer = false, needsId = true, connect, path },
) {
    const kind = family(provider);
    const calls = async () =>
        (await tools.provider(provider).requests()).filter((request) => !path || path.test(request.path)).length;

    /* What keeps the circuit breaker from opening. */
    async function healthy() {
        await tools.provider(provider).reset();
        const { status, body: answered } = await tools.run(await tools.connected(connect), body);
        assert.equal(status, 200, JSON.stringify(answered));
    }

    async function failing(orders, status, code, more = {}) {
        const id = await tools.connected(connect);
        const sandbox = tools.provider(provider);
        await sandbox.reset();
        await sandbox.order(...before, ...[orders].flat());
        const answer = await tools.run(id, body);
        assertFailed(answer, status, code);
        assert.equal(answer.body.providerStatus, more.providerStatus, JSON.stringify(answer.body));
        assert.deepEqual(answer.body.providerCode, more.providerCode, JSON.stringify(answer.body));
        assert.doesNotMatch(answer.body.error, new RegExp(`token-of-${id}`));
        if (logs) {
            const [row, ...others] = await tools.actions(id);
            assert.equal(others.length, 0);
            assert.equal(row.status, 'failed');
            assert.ok(row.error_message.startsWith(`${code}: `), row.error_message);
        } else assert.equal((await tools.actions(id)).length, 0);
        const made = await calls();
        if (status >= 500) await healthy();
        return { answer, id, made };
    }

    describe(`${tools.functions[0]}: ${provider} fails`, options, () => {
        it('with an answer', options, async () => {
            for (const [order, status, code, providerCode] of ANSWERS[kind]) {
                const { answer, made } = await failing(order, status, code, { providerStatus: order.status, providerCode });
                assert.match(answer.body.error, /The provider says so|DUPLICATE/);
                assert.equal(made, 1, 'it was called once');
            }
        });

        it('with 429, whose Retry-After is passed on', options, async () => {
            const { answer } = await failing({ status: 429, headers: { 'retry-after': '30' }, body: {} }, 429, 'provider_rate_limited', {
                providerStatus: 429,
            });
            assert.equal(answer.headers.get('retry-after'), '30');
        });

        it(`with 502, 503, 504: ${reads ? 'asked once more' : 'called once'}`, options, async () => {
            for (const status of [502, 503, 504]) {
                const { made } = await failing({ status, body: 'Bad gateway', times: 2 }, 502, 'provider_error', { providerStatus: status });
                assert.equal(made, reads ? 2 : 1);
            }
        });

        it('breaking the connection off', options, async () => {
            const { made } = await failing({ drop: true, times: 4 }, 502, 'provider_unreachable');
            if (!reads) assert.equal(made, 1);
        });

        it('taking too long', options, () =>
            tools.impatient(provider, async (host) => {
                const id = await tools.connected(connect);
                const slow = new Sandbox(host, provider);
                await slow.order(...before, { delayMs: DELAY_MS, times: 2 });
                assertFailed(await tools.run(id, body, { host }), 504, 'provider_timeout');
                assert.equal((await slow.requests()).length, before.length + 1, 'it was called once');
                if (logs) assert.match((await tools.actions(id))[0].error_message, /^provider_timeout: /);
            }),
        );

        if (!anyAnswer)
            it('with answers that cannot be used', options, async () => {
                const useless = [{ body: 'no json' }, { body: [1] }, { body: '{"id":', headers: { 'content-type': 'application/json' } }];
                if (needsId) useless.push({ body: {} }, { body: { id: '' } });
                for (const order of useless)
                    await failing({ status: 200, ...order }, 502, 'provider_bad_response', { providerStatus: 200 });
            });

        it('with an answer that is cut off', options, () =>
            failing({ body: { id: 'x'.repeat(100) }, truncateAfter: 20, times: 2 }, 502, 'provider_unreachable'));

        it('refusing the token: the connection is broken', options, async () => {
            for (const [order, providerCode] of REFUSED[kind]) {
                const status = kind === 'google' || kind === 'microsoft' ? undefined : order.status;
                const { answer, id } = await failing(order, 409, 'reconnect_required', { providerStatus: status, providerCode });
                assert.match(answer.body.suggestion, new RegExp(`Reconnect ${tools.label} in Settings > Integrations`));
                const { status: state, settings } = await tools.connection(id);
                assert.equal(state, 'error');
                assert.equal(settings.last_error, 'reconnect_required');
                assert.ok(Date.parse(settings.last_error_at) > 0);
            }
        });
    });
}

/*
 * Registers the tests of a token that Google or Microsoft does not take any more: it is renewed and the call made again,
 * once. login: the stand-in that renews.
 */
export function renewals(tools, provider, login, { body, logs = true }) {
    const refused = (times = 1) => ({ status: 401, body: { error: { code: 401, message: 'Expired', status: 'UNAUTHENTICATED' } }, times });
    const credentials = { refresh_token: 'refresh-1' };

    /* One run against these orders; what was answered, and what the provider and the login were sent. */
    async function run(orders, renewal, more = {}) {
        const id = await tools.connected({ credentials: { ...credentials, ...more } });
        await Promise.all([tools.provider(provider).reset(), tools.provider(login).reset()]);
        await tools.provider(provider).order(...orders);
        await tools.provider(login).order(renewal);
        const answer = await tools.run(id, body);
        const bearers = (await tools.provider(provider).requests()).map(({ headers }) => headers.authorization);
        const rows = await tools.actions(id);
        return { id, answer, bearers, renewed: (await tools.provider(login).requests()).length, rows, connection: await tools.connection(id) };
    }

    describe(`${tools.functions[0]}: ${provider} refuses the token`, options, () => {
        const renewal = { body: { access_token: 'token-renewed', expires_in: 3600 } };

        it('it is renewed, and the call made again', options, async () => {
            const { id, answer, bearers, renewed, connection } = await run([refused()], renewal);
            assert.equal(answer.status, 200, JSON.stringify(answer.body));
            assert.deepEqual(bearers.slice(0, 2), [`Bearer token-of-${id}`, 'Bearer token-renewed']);
            assert.equal(renewed, 1);
            assert.equal(connection.status, 'connected');
            const { credentials: kept } = await tools.database.row(
                'SELECT credentials FROM external_service_connections WHERE user_id = $1', [id]);
            assert.equal(kept.alg, 'A256GCM');
        });

        it('refused again: once is enough', options, async () => {
            const { answer, bearers, renewed, rows, connection } = await run([refused(2)], renewal);
            assertFailed(answer, 409, 'reconnect_required');
            assert.equal(answer.body.providerStatus, 401);
            assert.equal(bearers.length, 2);
            assert.equal(renewed, 1);
            assert.equal(connection.status, 'error');
            assert.equal(connection.settings.last_error, 'reconnect_required');
            assert.deepEqual(rows.map(({ status }) => status), logs ? ['failed'] : []);
        });

        it('the renewal is refused, or fails', options, async () => {
            for (const [order, status, code, state] of [
                [{ status: 400, body: { error: 'invalid_grant' } }, 409, 'reconnect_required', 'error'],
                [{ status: 500, body: {} }, 502, 'provider_error', 'connected'],
                [{ status: 429, headers: { 'retry-after': '9' }, body: {} }, 429, 'provider_rate_limited', 'connected'],
                [{ body: 'no json' }, 502, 'provider_error', 'connected'],
            ]) {
                const { answer, bearers, rows, connection } = await run([refused()], order);
                assertFailed(answer, status, code);
                assert.equal(bearers.length, 1);
                assert.equal(connection.status, state);
                assert.deepEqual(rows.map((row) => row.status), logs ? ['failed'] : []);
                if (status === 429) assert.equal(answer.headers.get('retry-after'), '9');
            }
        });

        it('an expired token is renewed before the call; where that fails, nothing is called', options, async () => {
            const { answer, bearers } = await run([], renewal, { expires_at: 1000 });
            assert.equal(answer.status, 200, JSON.stringify(answer.body));
            assert.ok(bearers.every((bearer) => bearer === 'Bearer token-renewed'));
            for (const [order, status, code] of [
                [{ status: 500, body: {} }, 502, 'provider_error'],
                [{ status: 429, body: {} }, 429, 'provider_rate_limited'],
                [{ status: 400, body: { error: 'invalid_grant' } }, 409, 'reconnect_required'],
            ]) {
                const failed = await run([], order, { expires_at: 1000 });
                assertFailed(failed.answer, status, code);
                assert.deepEqual(failed.bearers, []);
                assert.deepEqual(failed.rows, []);
            }
        });
    });
}

/* Registers the test of a sealed connection on a host that has no key for it. */
export function sealed(tools, provider, login, { body }) {
    it(`${tools.functions[0]}: sealed credentials and no key: 503, and the row stays`, options, async () => {
        const id = await tools.connected({ credentials: { refresh_token: 'refresh-1', expires_at: 1000 } });
        await tools.provider(login).order({ body: { access_token: 'token-renewed', expires_in: 3600 } });
        assert.equal((await tools.run(id, body)).status, 200);
        await withHost(
            { functions: tools.functions, database: tools.database.url, env: { EDGE_ENCRYPTION_KEY: null } },
            async (host) => assertFailed(await tools.run(id, body, { host }), 503, 'encryption_not_configured'),
        );
        assert.equal((await tools.connection(id)).status, 'connected');
        assert.equal((await tools.run(id, body)).status, 200);
    });
}
