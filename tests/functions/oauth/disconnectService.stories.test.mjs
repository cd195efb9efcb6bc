/*
 * A connection's whole life, one test a provider: connect on its page, use a tool, the token expires and is renewed,
 * disconnect, and the provider takes the old token no more. On two hosts, whose logs, metrics, answers and files are looked
 * through at the end for everything that was secret on the way.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { root } from '../../support/config.mjs';
import { Connections, consent } from '../../support/connections.mjs';
import { workers } from '../../support/faults.mjs';
import { ENCRYPTION_KEY, SERVICE_KEY, startHost } from '../../support/host.mjs';
import { credential } from '../../support/providers.mjs';
import { options, suite } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const FUNCTIONS = [
    'initiateGoogleWorkspaceOAuth', 'handleGoogleWorkspaceCallback', 'initiateMicrosoftOAuth', 'microsoftOAuthCallback', 'initiateMetaOAuth', 'metaOAuthCallback',
    'instagramOAuthCallback', 'initiateLinkedInOAuth', 'linkedinOAuthCallback', 'initiateZoomOAuth', 'zoomOAuthCallback', 'googleCalendarAuth', 'disconnectService',
    'fetchUserConnections', 'sendGoogleEmailTool', 'sendOutlookEmailTool', 'publishFacebookPostTool', 'publishInstagramPostTool', 'publishLinkedInPostTool',
    'findAvailableTimeSlotsTool',
];
const STANDS = ['google_oauth', 'gmail', 'google_apis', 'microsoft_login', 'microsoft_graph', 'meta_graph', 'meta_dialog', 'linkedin_oauth', 'linkedin_api', 'zoom'];
const ADDRESSES = [...STANDS, 'google_accounts', 'google_docs', 'google_sheets', 'linkedin_upload', 'document_fetch'];
const life = suite({ functions: FUNCTIONS, env: { INSTAGRAM_POLL_MS: '20' } });
const connections = new Connections(life);
const secrets = new Set([ENCRYPTION_KEY, SERVICE_KEY]);
const answers = [];
let other;

/* One story: the steps of a person with one service, on either host. */
class Story {
    static async begin(service) {
        const story = new Story();
        story.service = service;
        story.user = await life.agent();
        story.token = await mint(story.user);
        secrets.add(story.token);
        return story;
    }

    async call(name, body, { host = life.host, status = 200 } = {}) {
        const answer = await post(host, name, { token: this.token, body });
        assert.equal(answer.status, status, `${name}: ${JSON.stringify(answer.body)}`);
        if (!name.startsWith('initiate')) answers.push(JSON.stringify(answer.body));
        return answer.body;
    }

    /* The first access token lives a minute, so the next use is due to renew it. stand: whose token endpoint. */
    async connect(initiate, callback, { body = {}, stand, orders = [{ expiresIn: 60 }] }) {
        const { authUrl } = await this.call(initiate, body);
        const back = await consent(authUrl);
        for (const { code_verifier, state } of await connections.states(this.user)) for (const secret of [code_verifier, state]) if (secret) secrets.add(secret);
        secrets.add(back.code);
        await life.provider(stand).reset();
        await life.provider(stand).order(...orders);
        const answer = await this.call(callback, { code: back.code, state: back.state }, { host: other });
        assert.equal(answer.success, true);
        this.first = await this.opened();
        return answer;
    }

    async opened() {
        const opened = await connections.opened(this.user, this.service);
        for (const name of ['access_token', 'refresh_token', 'page_access_token']) if (opened[name]?.startsWith('sbx.')) secrets.add(opened[name]);
        return opened;
    }

    /* The token that the provider saw is the renewed one. */
    async renewed(stand, { token = 'access_token' } = {}) {
        const opened = await this.opened();
        assert.notEqual(opened.access_token, this.first.access_token, 'the token was renewed');
        const seen = JSON.stringify(await life.provider(stand).requests());
        assert.ok(seen.includes(opened[token]), 'and is what the tool used');
        return opened;
    }

    async disconnect(revocation) {
        const { access_token } = await this.opened();
        const answer = await this.call('disconnectService', { serviceName: this.service }, { host: other });
        assert.equal(answer.revocation, revocation);
        const { data } = await this.call('fetchUserConnections', {});
        assert.deepEqual(data.external.map((row) => [row.service_name, row.connection_status]), [[this.service, 'disconnected']]);
        return access_token;
    }
}

/* What a host has left behind; the stand-ins' own records are the providers'. */
const files = (directory) =>
    fs.readdirSync(directory, { withFileTypes: true }).filter(({ name }) => name !== 'sandbox')
        .flatMap((entry) => (entry.isDirectory() ? files(path.join(directory, entry.name)) : [path.join(directory, entry.name)]));

const asks = (stand, where, token) => fetch(`${life.host.url}/sandbox/${stand}${where}`, { headers: { authorization: `Bearer ${token}` } });

before(() => STANDS.forEach((name) => life.provider(name)), options);

describe("a connection's life", options, () => {
    before(async () => {
        const env = Object.fromEntries(ADDRESSES.map((name) => [`${name.toUpperCase()}_BASE_URL`, `${life.host.url}/sandbox/${name}`]));
        other = await startHost({ functions: FUNCTIONS, database: life.database.url, env });
    }, options);
    after(() => other?.stop(), options);

    it('Google', options, async () => {
        const story = await Story.begin('google_workspace');
        await story.connect('initiateGoogleWorkspaceOAuth', 'handleGoogleWorkspaceCallback', { stand: 'google_oauth' });
        await story.call('sendGoogleEmailTool', { to: 'jane@example.com', subject: 'Hello', body: 'Hi' });
        const second = await story.renewed('gmail');
        assert.equal(second.refresh_token, story.first.refresh_token);
        assert.equal((await story.call('googleCalendarAuth', { action: 'check_token' }, { host: other })).hasToken, true);
        const old = await story.disconnect('revoked');
        assert.equal((await asks('google_apis', '/oauth2/v3/userinfo', old)).status, 401);
        await story.call('sendGoogleEmailTool', { to: 'jane@example.com', subject: 'Hello', body: 'Hi' }, { status: 409 });
    });

    it('Microsoft', options, async () => {
        const story = await Story.begin('microsoft_365');
        await story.connect('initiateMicrosoftOAuth', 'microsoftOAuthCallback', { stand: 'microsoft_login' });
        await story.call('sendOutlookEmailTool', { to: 'jane@example.com', subject: 'Hello', body: 'Hi' });
        const second = await story.renewed('microsoft_graph');
        assert.notEqual(second.refresh_token, story.first.refresh_token, 'a new refresh token is kept');
        await story.disconnect('not_supported');
        await story.call('sendOutlookEmailTool', { to: 'jane@example.com', subject: 'Hello', body: 'Hi' }, { status: 409 });
    });

    it('Facebook', options, async () => {
        const story = await Story.begin('facebook');
        const { pageId } = await story.connect('initiateMetaOAuth', 'metaOAuthCallback', { stand: 'meta_graph', orders: [{}, { expiresIn: 60 }] });
        assert.equal(pageId, '111', 'the Page that can be published to');
        await story.call('publishFacebookPostTool', { content: 'Open house on Sunday' });
        const second = await story.opened();
        assert.notEqual(second.access_token, story.first.access_token, 'a long-lived token is exchanged for another');
        await story.call('metaOAuthCallback', { action: 'selectPage', service: 'facebook', pageId: '900' });
        const old = await story.disconnect('revoked');
        assert.equal((await (await asks('meta_graph', '/v25.0/me', old)).json()).error.code, 190);
    });

    it('Instagram', options, async () => {
        const story = await Story.begin('instagram');
        const { instagramAccountId } = await story.connect('initiateMetaOAuth', 'instagramOAuthCallback', {
            body: { service: 'instagram' }, stand: 'meta_graph', orders: [{}, { expiresIn: 60 }],
        });
        assert.equal(instagramAccountId, '1784');
        await story.call('publishInstagramPostTool', { caption: 'Open house', imageUrl: 'https://images.example.com/house.jpg' });
        assert.notEqual((await story.opened()).access_token, story.first.access_token);
        await story.disconnect('revoked');
    });

    it('LinkedIn, as a partner', options, async () => {
        const story = await Story.begin('linkedin');
        await story.connect('initiateLinkedInOAuth', 'linkedinOAuthCallback', { stand: 'linkedin_oauth', orders: [{ expiresIn: 60, refreshTokens: true }] });
        await story.call('publishLinkedInPostTool', { content: 'Open house on Sunday' });
        await story.renewed('linkedin_api');
        const old = await story.disconnect('revoked');
        assert.equal((await asks('linkedin_api', '/v2/userinfo', old)).status, 401);
    });

    it('Zoom, whose refresh tokens work once', options, async () => {
        const story = await Story.begin('zoom');
        await story.connect('initiateZoomOAuth', 'zoomOAuthCallback', { stand: 'zoom', orders: [{ expiresIn: 20 }] });
        await story.disconnect('revoked');
        const paths = (await life.provider('zoom').requests()).map((request) => request.path);
        assert.deepEqual(paths, ['/oauth/token', '/oauth/token', '/oauth/revoke'], 'renewed to be revoked');
    });

    it('nothing of all this is to be read anywhere', options, async () => {
        for (const name of ['GOOGLE_WORKSPACE', 'MICROSOFT', 'LINKEDIN', 'ZOOM']) secrets.add(credential(`${name}_CLIENT_SECRET`));
        secrets.add(credential('META_APP_SECRET'));
        const texts = { answers: answers.join('\n') };
        for (const [i, host] of [life.host, other].entries()) {
            texts[`log ${i}`] = host.text();
            texts[`metrics ${i}`] = await (await fetch(`${host.url}/_edge/metrics`)).text();
            for (const file of files(host.directory)) texts[file] = fs.readFileSync(file, 'latin1');
        }
        const log = JSON.stringify(await life.database.rows('SELECT * FROM ai_actions_log'));
        const errors = JSON.stringify(await life.database.rows('SELECT * FROM system_errors'));
        const rows = JSON.stringify(await life.database.rows('SELECT * FROM external_service_connections'));
        Object.assign(texts, { 'actions log': log, 'system errors': errors, connections: rows });
        assert.ok(secrets.size > 40 && answers.length > 20, 'there was something to look for');
        for (const [where, text] of Object.entries(texts))
            for (const secret of secrets) assert.ok(!text.includes(secret), `${secret.slice(0, 30)} in ${where}`);
        for (const [where, text] of Object.entries(texts)) assert.doesNotMatch(text, /sbx\./, where);
        for (const pid of [...workers(life.host), ...workers(other)])
            assert.match(fs.readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +[01] /m, 'no core file can be written');
        assert.deepEqual(fs.readdirSync(root).filter((name) => /^core(\.|$)/.test(name)), [], 'core files');
    });
});
