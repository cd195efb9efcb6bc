/*
 * loftyAuth (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { keys } from '../../support/api_keys.mjs';
import { TIMEOUT } from '../../support/oauth_callbacks.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'loftyAuth';
const lofty = suite({ functions: [NAME], env: TIMEOUT });
const me = (body) => ({ status: 200, body });
const ANN = { id: 11, email: 'ann@example.com', firstName: 'Ann', lastName: 'Lee' };

const { connections, call, keepsSecrets } = keys(lofty, NAME, {
    service: 'lofty', provider: 'lofty', body: { apiKey: 'lofty-SECRET' }, fields: ['apiKey'], accepted: me(ANN), stored: { api_key: 'lofty-SECRET' },
    missing: 'Lofty API key is required',
    invalid: [
        ['401', { status: 401, headers: { 'content-type': 'application/json' }, body: '"Unauthorized"' }, /^Invalid Lofty API key$/],
        ['403', { status: 403, body: {} }, /^Invalid Lofty API key$/],
        ['400 of a bad token', { status: 400, body: { code: 200058 } }, /^Invalid Lofty API key$/],
    ],
});

describe('loftyAuth: examples', options, () => {
    it('1: who the key belongs to', options, async () => {
        const user = await lofty.agent();
        await lofty.provider('lofty').order(me(ANN));
        assert.deepEqual((await call(user)).body, {
            success: true, message: 'Lofty connected successfully', accountInfo: { name: 'Ann Lee', email: 'ann@example.com' },
        });
        assert.deepEqual((await connections.row(user, 'lofty')).sync_settings, { account_name: 'Ann Lee', account_email: 'ann@example.com', account_id: '11' });
        const [asked] = await lofty.provider('lofty').requests();
        assert.deepEqual([asked.method, asked.path, asked.headers.authorization, asked.headers.accept], ['GET', '/v1.0/me', 'token lofty-SECRET', 'application/json']);
        assert.match(asked.headers['user-agent'], /^PulseEdge\//);
    });

    it('any of id, userId and email will do; names as far as they are there', options, async () => {
        for (const [body, name, email, id] of [
            [{ userId: '563172647619608' }, null, null, '563172647619608'],
            [{ email: 'a@x.io', firstName: ' Ann ', lastName: '' }, 'Ann', 'a@x.io', null],
            [{ id: 563172647619608, lastName: 'Lee' }, 'Lee', null, '563172647619608'],
        ]) {
            const user = await lofty.agent();
            await lofty.provider('lofty').order(me(body));
            assert.deepEqual((await call(user)).body.accountInfo, { name, email });
            assert.equal((await connections.row(user, 'lofty')).sync_settings.account_id, id);
        }
    });

    it('another 400: 502', options, async () => {
        await lofty.provider('lofty').order({ status: 400, body: { code: 1 } });
        assertRefused(await call(await lofty.agent()), 502, 'provider_error');
    });
});

keepsSecrets();
