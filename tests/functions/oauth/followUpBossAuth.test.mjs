/*
 * followUpBossAuth (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { forgets, keys } from '../../support/api_keys.mjs';
import { post } from '../../support/clients.mjs';
import { TIMEOUT } from '../../support/oauth_callbacks.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'followUpBossAuth', SERVICE = 'follow_up_boss';
const boss = suite({ functions: [NAME], env: TIMEOUT });
const me = (body) => ({ status: 200, body: { apiKey: 'fka_SECRET_0123456789', ...body } });
const ANN = { id: 2, name: 'Ann Lee', email: 'ann@example.com' };
const stand = () => boss.provider('followupboss');

const { connections, call, keepsSecrets } = keys(boss, NAME, {
    service: SERVICE, provider: 'followupboss', body: { apiKey: 'fka_SECRET_0123456789' }, fields: ['apiKey'], accepted: me(ANN),
    stored: { api_key: 'fka_SECRET_0123456789' }, missing: 'Follow Up Boss API key is required',
    invalid: [
        ['401', { status: 401, body: { errorMessage: 'SECRET' } }, /^Invalid Follow Up Boss API key$/],
        ['403', { status: 403, body: {} }, /locked/],
    ],
});
forgets(boss, NAME, { service: SERVICE, connections, message: 'Follow Up Boss disconnected', stored: { api_key: 'k-SECRET' } });

describe('followUpBossAuth: examples', options, () => {
    it('1: the key is the user of HTTP Basic', options, async () => {
        const user = await boss.agent();
        await stand().order(me(ANN));
        assert.deepEqual((await call(user, { action: 'connect' })).body, {
            success: true, message: 'Follow Up Boss connected', accountInfo: { name: 'Ann Lee', email: 'ann@example.com' },
        });
        const [asked] = await stand().requests();
        assert.deepEqual([asked.path, asked.headers.authorization, asked.headers['x-system']], [
            '/v1/me', `Basic ${Buffer.from('fka_SECRET_0123456789:').toString('base64')}`, undefined,
        ]);
    });

    it('names in two parts; an answer with one of id and email', options, async () => {
        for (const [body, name] of [[{ id: 2, firstName: 'Ann', lastName: 'Lee' }, 'Ann Lee'], [{ email: 'a@x.io', name: '' }, null]]) {
            await stand().order({ status: 200, body });
            assert.equal((await call(await boss.agent())).body.accountInfo.name, name);
        }
    });

    it('3: {"action":"connect"} alone: 400', options, async () =>
        assertRefused(await boss.call(NAME, await boss.agent(), { action: 'connect' }), 400, 'invalid_input', 'apiKey'));

    it('the system headers, when both are configured', options, async () => {
        const token = await mint(await boss.agent());
        for (const [env, system] of [
            [{ FOLLOWUPBOSS_SYSTEM: 'Pulse', FOLLOWUPBOSS_SYSTEM_KEY: 'system-SECRET' }, 'Pulse'], [{ FOLLOWUPBOSS_SYSTEM: 'Pulse' }, undefined],
        ])
            await withHost({ functions: [NAME], database: boss.database.url, env }, async (host) => {
                await post(host, NAME, { token, body: { apiKey: 'fka_SECRET_0123456789' } });
                const { requests } = await (await fetch(`${host.url}/sandbox/_requests?provider=followupboss`)).json();
                assert.equal(requests[0].headers['x-system'], system);
                assert.equal(requests[0].headers['x-system-key'], system && 'system-SECRET');
            });
    });

    it("rows under the old name: the newest becomes the canonical one, the others go", options, async () => {
        const user = await boss.agent();
        await connections.add(user, SERVICE, { settings: { older: true } });
        await connections.add(user, 'followupboss', { plain: true, credentials: { api_key: 'k-SECRET' }, settings: { syncCallLogs: true } });
        await boss.database.rows(`ALTER TABLE crm_connections DISABLE TRIGGER USER`);
        await boss.database.rows(`UPDATE crm_connections SET updated_at = now() - interval '1 day' WHERE user_id = $1 AND provider = $2`, [user, SERVICE]);
        await boss.database.rows(`ALTER TABLE crm_connections ENABLE TRIGGER USER`);
        await stand().order(me(ANN));
        assert.equal((await call(user)).status, 200);
        const rows = await boss.database.rows('SELECT * FROM crm_connections WHERE user_id = $1', [user]);
        assert.deepEqual(rows.map(({ provider, sync_settings }) => [provider, sync_settings.syncCallLogs, sync_settings.older]), [[SERVICE, true, undefined]]);
        assert.equal((await connections.opened(user, SERVICE)).api_key, 'fka_SECRET_0123456789');
    });

    it('disconnect reaches a row under the old name', options, async () => {
        const user = await boss.agent();
        await connections.add(user, 'followupboss', { plain: true, credentials: { api_key: 'k-SECRET' } });
        assert.equal((await boss.call(NAME, user, { action: 'disconnect' })).status, 200);
        assert.deepEqual((await connections.row(user, 'followupboss')).credentials, {});
    });
});

keepsSecrets();
