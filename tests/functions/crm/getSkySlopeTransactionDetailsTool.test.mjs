/*
 * getSkySlopeTransactionDetailsTool (spec crm.md): its examples, the signed login and its session (S8), both kinds of file,
 * and everything that SkySlope may fail at.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';

import { connect, connectionOf, connectionRefusals, done, limits, providerFailures } from '../../support/crm.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';

const NAME = 'getSkySlopeTransactionDetailsTool';
const GUID = '11111111-2222-3333-4444-555555555555';
const KEYS = { access_key: 'ak-12345678', access_secret: 'as-12345678' };
const valid = { transactionId: '5a1e0000-0001-4000-8000-000000000003' };

const files = suite({ functions: [NAME], env: limits, server: { workers: 1 } });
const sky = files.provider('skyslope');
const call = (id, body, more) => files.call(NAME, id, body, more);
const login = { body: { Session: 's-1', Expiration: '2031-01-01T00:00:00Z' } };

async function agent(credentials = KEYS) {
    const id = await files.agent();
    await connect(files, id, 'skyslope', credentials);
    return id;
}

refusals(files, NAME, {
    mode: 'user_or_service',
    body: valid,
    required: ['transactionId'],
    wrong: {
        transactionId: [...NOT.uuid, `${GUID}/../x`, GUID.slice(1), `${GUID}0`],
        fileType: [...NOT.text, 'purchase', 'Sale'],
        fields: [...NOT.array, Array(31).fill('status')],
    },
});

describe(NAME, options, () => {
    it('example 1: only the wanted keys', options, async () => {
        const id = await agent();
        await sky.order(login, { body: { value: { sale: { saleGuid: GUID, status: 'Pending', salePrice: 750000 } } } });
        const data = await done(call(id, { transactionId: GUID, fields: ['status', 'missing'] }));
        assert.deepEqual(data, { transaction: { status: 'Pending' }, fileType: 'sale', message: 'Transaction details retrieved successfully' });
        const [first, second, ...others] = await sky.requests();
        assert.equal(others.length, 0);
        assert.deepEqual([first.path, second.path], ['/auth/login', `/api/files/sales/${GUID}`]);
        assert.equal(second.headers.session, 's-1');
        assert.equal(second.headers['content-type'], undefined);
    });

    it('names of keys have to be texts', options, async () => {
        assertRefused(await call(await agent(), { ...valid, fields: ['a', 7] }), 400, 'invalid_input', 'fields[1]');
        assert.deepEqual(await sky.requests(), []);
    });

    it('example 2: listings are tried when sales do not have it', options, async () => {
        const id = await agent();
        await sky.order(login, { status: 404, body: {} }, { body: { value: { listing: { listingGuid: GUID, a: [1] } } } });
        const data = await done(call(id, { transactionId: GUID }));
        assert.equal(data.fileType, 'listing');
        assert.deepEqual(data.transaction, { listingGuid: GUID, a: [1] }, 'as SkySlope sent it');
        assert.deepEqual((await sky.requests()).slice(1).map(({ path }) => path), [`/api/files/sales/${GUID}`, `/api/files/listings/${GUID}`]);
    });

    it('example 3: neither has it; and a kind that was named is not searched further', options, async () => {
        const id = await agent();
        assertRefused(await call(id, { transactionId: GUID }), 404, 'not_found');
        assert.equal((await sky.requests()).length, 3);
        for (const fileType of ['sale', 'listing'])
            assertRefused(await call(id, { transactionId: GUID, fileType }), 404, 'not_found');
        assert.deepEqual((await sky.requests()).slice(3).map(({ path }) => path), [`/api/files/sales/${GUID}`, `/api/files/listings/${GUID}`]);
        assert.equal((await done(call(id, { transactionId: '5a1e0000-0002-4000-8000-000000000001' }))).fileType, 'listing');
    });

    it('the login is signed; the secret stays here', options, async () => {
        await done(call(await agent(), valid));
        const [{ headers, body }] = await sky.requests();
        assert.match(headers.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        const signature = createHmac('sha256', KEYS.access_secret)
            .update(`${body.clientID}:${body.clientSecret}:${headers.timestamp}`).digest('base64');
        assert.equal(headers.authorization, `SS ${KEYS.access_key}:${signature}`);
        assert.deepEqual(body, { clientID: 'test-skyslope-client-id', clientSecret: 'test-skyslope-client-secret' });
    });

    it("the user's own integration goes before the host's", options, async () => {
        await done(call(await agent({ ...KEYS, client_id: 'ci-own', client_secret: 'cs-own' }), valid));
        assert.deepEqual((await sky.bodies())[0], { clientID: 'ci-own', clientSecret: 'cs-own' });
    });

    it('no integration anywhere: 503 naming the variable', options, () =>
        withHost({ functions: [NAME], database: files.database.url, env: { ...limits, SKYSLOPE_CLIENT_ID: null } }, async (host) => {
            const id = await agent();
            const answer = await call(id, valid, { host });
            assertRefused(answer, 503, 'not_configured');
            assert.match(answer.body.error, /SKYSLOPE_CLIENT_ID/);
            assert.equal((await connectionOf(files, id)).connection_status, 'connected');
        }));

    it('one login for many calls at once, and for the next ones', options, async () => {
        const id = await agent();
        await Promise.all(Array.from({ length: 8 }, () => done(call(id, valid))));
        await done(call(id, valid));
        const paths = (await sky.requests()).map(({ path }) => path);
        assert.equal(paths.filter((path) => path === '/auth/login').length, 1);
        assert.equal(paths.length, 10);
    });

    it('a session that SkySlope has forgotten is renewed once', options, async () => {
        const id = await agent();
        await done(call(id, valid));
        await sky.reset();
        await sky.order({ status: 401, body: {} });
        await done(call(id, valid));
        assert.deepEqual((await sky.requests()).map(({ path }) => path.split('/')[1]), ['api', 'auth', 'api']);
        await sky.reset();
        await sky.order({ status: 401, body: {} }, login, { status: 401, body: {} });
        assertRefused(await call(id, valid), 409, 'reconnect_required');
        assert.equal((await sky.requests()).length, 3, 'and no further');
    });

    it('a session is kept until shortly before its end, and other credentials have another one', options, async () => {
        const soon = { body: { Session: 'short', Expiration: new Date(Date.now() + 59000).toISOString() } };
        const file = { body: { value: { sale: { saleGuid: GUID } } } };
        const id = await agent();
        await sky.order(soon, file, login, file, file);
        for (let i = 0; i < 3; i++) await done(call(id, { transactionId: GUID }));
        const sessions = (await sky.requests()).map(({ path, headers }) => (path === '/auth/login' ? 'login' : headers.session));
        assert.deepEqual(sessions, ['login', 'short', 'login', 's-1', 's-1']);
        await sky.reset();
        await files.database.rows('UPDATE crm_connections SET credentials = $2 WHERE user_id = $1', [id, { access_key: 'ak-other', access_secret: 'as-other' }]);
        await done(call(id, valid));
        assert.equal((await sky.requests())[0].path, '/auth/login');
    });

    it('a login that fails', options, async () => {
        for (const [order, status, code, connection] of [
            [{ status: 401, body: { message: 'No' } }, 409, 'reconnect_required', 'error'],
            [{ status: 403, body: {} }, 409, 'reconnect_required', 'error'],
            [{ status: 400, body: {} }, 422, 'provider_rejected', 'connected'],
            [{ status: 500, body: {} }, 502, 'provider_error', 'connected'],
            [{ body: { Session: '' } }, 502, 'provider_bad_response', 'connected'],
            [{ body: '<html>' }, 502, 'provider_bad_response', 'connected'],
            [{ status: 429, headers: { 'retry-after': '30' }, body: {} }, 429, 'provider_rate_limited', 'connected'],
        ]) {
            const id = await agent();
            await sky.order(order);
            assertRefused(await call(id, valid), status, code);
            assert.equal((await connectionOf(files, id)).connection_status, connection, JSON.stringify(order));
            await sky.reset();
        }
        assertRefused(await call(await agent({ access_key: 'ak-a', access_secret: 'as-b' }), valid), 409, 'reconnect_required');
    });

    it('a byte order mark and raw control bytes in the answer', options, async () => {
        const id = await agent();
        await sky.order(login, {
            headers: { 'content-type': 'application/json' },
            body: `\ufeff{"value":{"sale":{"note":"a\u0001b\tc\\n","saleGuid":"${GUID}"}}}`.replace('\t', '\\t'),
        });
        const data = await done(call(id, { transactionId: GUID }));
        assert.deepEqual(data.transaction, { note: 'a b\tc\n', saleGuid: GUID });
    });
});

connectionRefusals(files, NAME, {
    provider: 'skyslope',
    service: 'skyslope',
    body: valid,
    credentials: KEYS,
    texts: { error: 'SkySlope not connected', suggestion: 'Please connect your SkySlope account in Settings > Integrations' },
    names: ['skyslope'],
});

providerFailures(files, NAME, {
    provider: 'skyslope',
    body: { ...valid, fileType: 'sale' },
    prefix: 'Failed to fetch transaction',
    agent,
    before: [{}],
    notFound: [404, 'not_found'],
    audited: false,
    secret: KEYS.access_secret,
});
