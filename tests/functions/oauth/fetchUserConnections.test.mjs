/*
 * fetchUserConnections (spec oauth.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Connections, tokens } from '../../support/connections.mjs';
import { refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'fetchUserConnections';
const pages = suite({ functions: [NAME] });
const connections = new Connections(pages);
const list = async (user, body = {}) => {
    const answer = await pages.call(NAME, user, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.data;
};

refusals(pages, NAME, { wrong: { kind: ['other', 7, true, [], {}], service: [7, true, [], {}, 'dropbox', 'meta', 'Zoom'] } });

describe('fetchUserConnections', options, () => {
    it('1: both kinds, without what opens them', options, async () => {
        const user = await pages.agent();
        await connections.add(user, 'lofty', {
            credentials: { api_key: 'SECRET-1' },
            settings: { syncCallLogs: true, account_name: 'Ann', apiKey: 'SECRET-2', api_key: 'SECRET-3', refresh_Token: 'SECRET-4', clientSecret: 'SECRET-5', dbPassword: 'SECRET-6', webhookToken: 'SECRET-7' },
        });
        await connections.add(user, 'zoom', { credentials: tokens(3600, { access_token: 'SECRET-8' }), settings: { oauth_state: 'x', account_email: 'a@x.io' } });
        const answer = await pages.call(NAME, user, {});
        assert.doesNotMatch(JSON.stringify(answer.body), /SECRET|credentials|oauth_state/);
        assert.equal(answer.body.success, true);
        const { crm, external, crmConnections, externalConnections } = answer.body.data;
        assert.deepEqual(Object.keys(crm[0]).sort(), ['connection_status', 'created_at', 'id', 'last_sync_at', 'needs_reconnect', 'provider', 'sync_settings', 'updated_at', 'user_id']);
        assert.deepEqual(Object.keys(external[0]).sort(), ['connection_status', 'created_at', 'id', 'last_sync_at', 'needs_reconnect', 'service_name', 'settings', 'updated_at', 'user_id']);
        assert.deepEqual([crm[0].provider, crm[0].needs_reconnect, crm[0].sync_settings], ['lofty', false, { syncCallLogs: true, account_name: 'Ann' }]);
        assert.deepEqual([external[0].service_name, external[0].settings], ['zoom', { account_email: 'a@x.io' }]);
        assert.deepEqual(crmConnections, [{ id: crm[0].id, serviceName: 'lofty', connectionStatus: 'connected', lastSyncAt: null }]);
        assert.deepEqual(externalConnections, [{ id: external[0].id, serviceName: 'zoom', connectionStatus: 'connected', lastSyncAt: null }]);
    });

    it('all that connecting writes is shown; an error asks to reconnect', options, async () => {
        const user = await pages.agent();
        const settings = {
            account_id: '1', account_email: 'a', account_name: 'A', scopes: ['s'], missing_scopes: ['m'], connected_at: '2026-05-01T08:00:00.000Z', person_urn: 'u', page_id: '9', page_name: 'P',
            pages: [{ id: '9', name: 'P' }], instagram_account_id: '17', instagram_username: 'ann', last_error: 'reconnect_required', last_error_at: '2026-05-02T08:00:00.000Z',
        };
        await connections.add(user, 'facebook', { status: 'error', settings: { ...settings, page_access_token: 'SECRET', other: 1 } });
        const { external } = await list(user);
        assert.deepEqual([external[0].settings, external[0].needs_reconnect], [settings, true]);
    });

    it('2: by kind; by service, its aliases and old names included', options, async () => {
        const user = await pages.agent();
        for (const service of ['lofty', 'followupboss', 'zoom', 'google_workspace']) await connections.add(user, service);
        const names = async (body) => {
            const { crm, external, crmConnections, externalConnections } = await list(user, body);
            assert.deepEqual([crmConnections.length, externalConnections.length], [crm.length, external.length]);
            return [crm.map((row) => row.provider), external.map((row) => row.service_name)];
        };
        assert.deepEqual(await names({}), [['lofty', 'followupboss'], ['zoom', 'google_workspace']], 'in the order they were made');
        assert.deepEqual(await names({ kind: 'crm' }), [['lofty', 'followupboss'], []]);
        assert.deepEqual(await names({ kind: 'external' }), [[], ['zoom', 'google_workspace']]);
        assert.deepEqual(await names({ service: 'follow_up_boss' }), [['followupboss'], []]);
        assert.deepEqual(await names({ service: 'google_calendar' }), [[], ['google_workspace']]);
        assert.deepEqual(await names({ service: 'zoom', kind: 'crm' }), [[], []]);
        assert.deepEqual(await names({ kind: null, service: '' }), await names({}));
    });

    it("3: empty tables; other users' rows never appear", options, async () => {
        const [user, other] = [await pages.agent(), await pages.agent()];
        await connections.add(other, 'zoom');
        await connections.add(other, 'lofty');
        const nothing = { crm: [], external: [], crmConnections: [], externalConnections: [] };
        assert.deepEqual(await list(user), nothing);
        const admin = await pages.admin();
        assert.deepEqual(await list(admin), nothing, "an administrator's own page");
    });

    it('settings that are none', options, async () => {
        const user = await pages.agent();
        await connections.add(user, 'zoom', { settings: null });
        await connections.add(user, 'lofty', { settings: null });
        const { crm, external } = await list(user);
        assert.deepEqual([crm[0].sync_settings, external[0].settings], [{}, {}]);
    });
});
