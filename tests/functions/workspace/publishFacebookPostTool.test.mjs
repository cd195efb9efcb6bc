/*
 * publishFacebookPostTool (spec workspace.md).
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { describe, it } from 'node:test';

import { credential } from '../../support/providers.mjs';
import { NOT, refusals } from '../../support/refusals.mjs';
import { options } from '../../support/suite.mjs';
import { providerFailures } from '../../support/tool_failures.mjs';
import { assertFailed, connectionRefusals, idempotency, toolSuite } from '../../support/tools.mjs';

const posts = toolSuite(['publishFacebookPostTool'], 'facebook');
const graph = () => posts.provider('meta_graph');
const body = { content: 'Open house' };
const connect = { settings: { page_id: '111' } };
const proof = (token) => crypto.createHmac('sha256', credential('META_APP_SECRET')).update(token).digest('hex');
const asked = async () => (await graph().requests()).map(({ method, path }) => `${method} ${path}`);

describe('publishFacebookPostTool', options, () => {
    it('1: a text on the connected Page, with its own token', options, async () => {
        const id = await posts.connected(connect);
        await graph().order({ body: { access_token: 'PT', id: '111' } }, { body: { id: '111_9' } });
        const answer = await posts.run(id, body);
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        const postUrl = 'https://www.facebook.com/111_9';
        assert.deepEqual({ ...answer.body.data, message: 0 }, { postId: '111_9', postUrl, message: 0, pageId: '111', scheduled: false });
        const [token, post] = await graph().requests();
        assert.deepEqual(await asked(), ['GET /v25.0/111', 'POST /v25.0/111/feed']);
        assert.deepEqual(token.query, { fields: 'access_token', appsecret_proof: proof(`token-of-${id}`) });
        assert.equal(token.headers.authorization, `Bearer token-of-${id}`);
        assert.deepEqual(post.query, { appsecret_proof: proof('PT') });
        assert.equal(post.headers.authorization, 'Bearer PT');
        assert.deepEqual(post.body, { message: 'Open house' });
        const [row] = await posts.actions(id);
        assert.equal(row.action_type, 'publishFacebookPost');
        assert.equal(row.resource_url, postUrl);
        assert.deepEqual(row.action_data.request, {
            pageId: '111', contentLength: 10, link: null, imageUrl: null, scheduledTime: null,
        });
        assert.doesNotMatch(JSON.stringify(row), /Open house|token-of|"PT"/);
    });

    it('2: a photo with a link', options, async () => {
        const id = await posts.connected(connect);
        await graph().order({ body: { access_token: 'PT' } }, { body: { id: '5', post_id: '111_6' } });
        const { body: answered } = await posts.run(id, { ...body, imageUrl: 'https://cdn.example.com/a.jpg', link: 'https://ex.com/a' });
        assert.equal(answered.data.postId, '111_6');
        const [, post] = await graph().requests();
        assert.equal(post.path, '/v25.0/111/photos');
        assert.deepEqual(post.body, { url: 'https://cdn.example.com/a.jpg', caption: 'Open house\n\nhttps://ex.com/a' });
    });

    it('3: two Pages to choose from', options, async () => {
        const id = await posts.connected();
        const pages = [{ id: '1', name: 'One', access_token: 'P1' }, { id: '2', name: 'Two', access_token: 'P2' }];
        await graph().order({ body: { data: pages } });
        const answer = await posts.run(id, body);
        assertFailed(answer, 409, 'page_selection_required');
        assert.deepEqual(answer.body.pages, [{ id: '1', name: 'One' }, { id: '2', name: 'Two' }]);
        assert.doesNotMatch(JSON.stringify(answer.body), /P1|P2/);
        assert.deepEqual(await asked(), ['GET /v25.0/me/accounts']);
        assert.equal((await posts.actions(id))[0].status, 'failed');
        assert.equal((await posts.connection(id)).settings.page_id, undefined);
    });

    it('4: the token has expired', options, async () => {
        const id = await posts.connected(connect);
        await graph().order({ status: 400, body: { error: { code: 190, message: 'Error validating access token' } } });
        const answer = await posts.run(id, body);
        assertFailed(answer, 409, 'reconnect_required');
        assert.equal(answer.body.providerStatus, 400);
        assert.equal(answer.body.providerCode, 190);
        assert.equal((await posts.connection(id)).status, 'error');
    });

    it('the only Page is found, used and kept; none is said', options, async () => {
        const id = await posts.connected({ settings: { other: 1 } });
        const { body: answered } = await posts.run(id, body);
        assert.equal(answered.data.pageId, '111');
        const [list, post] = await graph().requests();
        assert.deepEqual({ ...list.query, appsecret_proof: 0 }, { fields: 'id,name,access_token', limit: '100', appsecret_proof: 0 });
        assert.equal(post.headers.authorization, 'Bearer page-token-111');
        assert.deepEqual((await posts.connection(id)).settings, { other: 1, page_id: '111' });

        const nobody = await posts.connected();
        await graph().order({ body: { data: [] } });
        const answer = await posts.run(nobody, body);
        assertFailed(answer, 409, 'no_page_connected');
        assert.equal(answer.body.error, 'No Facebook Page connected');
    });

    it('the stored Page token serves the connected Page alone', options, async () => {
        const id = await posts.connected({ ...connect, credentials: { page_access_token: 'page-token-stored' } });
        await posts.run(id, body);
        assert.deepEqual(await asked(), ['POST /v25.0/111/feed']);
        assert.equal((await graph().requests())[0].headers.authorization, 'Bearer page-token-stored');
        await graph().reset();
        await posts.run(id, { ...body, pageId: '222' });
        assert.deepEqual(await asked(), ['GET /v25.0/222', 'POST /v25.0/222/feed']);
    });

    it('a Page without a token, and one whose id is a number', options, async () => {
        const id = await posts.connected({ settings: { page_id: 333 } });
        await graph().order({ body: { id: '333' } });
        assertFailed(await posts.run(id, body), 403, 'provider_permission_denied');
        assert.deepEqual(await asked(), ['GET /v25.0/333']);
        assert.equal((await posts.connection(id)).status, 'connected');
    });

    it('a link alone, and a photo alone', options, async () => {
        const id = await posts.connected(connect);
        await posts.run(id, { ...body, link: 'http://ex.com:8080/ä?b=1#c' });
        await posts.run(id, { content: ' Text ', imageUrl: 'https://1.1.1.1/a.jpg', link: null });
        const [, link, , photo] = await graph().requests();
        assert.deepEqual(link.body, { message: 'Open house', link: 'http://ex.com:8080/ä?b=1#c' });
        assert.deepEqual(photo.body, { url: 'https://1.1.1.1/a.jpg', caption: 'Text' });
    });

    it('scheduled: with an offset, in the time zone asked for, in the one preferred', options, async () => {
        const id = await posts.connected(connect);
        const at = Math.floor(Date.now() / 1000) + 86400;
        const wall = (zone) =>
            new Date(at * 1000).toLocaleString('sv-SE', { timeZone: zone }).replace(' ', 'T');
        await posts.database.rows(`INSERT INTO user_preferences (user_id, timezone) VALUES ($1, 'Asia/Kolkata')`, [id]);
        for (const more of [
            { scheduledTime: new Date(at * 1000).toISOString() },
            { scheduledTime: wall('Europe/Berlin'), timeZone: 'Europe/Berlin' },
            { scheduledTime: wall('Asia/Kolkata') },
        ]) {
            await graph().reset();
            const { body: answered } = await posts.run(id, { ...body, ...more });
            assert.equal(answered.data.scheduled, true, JSON.stringify(answered));
            assert.deepEqual((await graph().bodies())[1], {
                message: 'Open house', published: false, scheduled_publish_time: at,
            });
        }
    });

    it('how far ahead', options, async () => {
        const id = await posts.connected(connect);
        const ahead = (seconds) => ({ ...body, scheduledTime: new Date(Date.now() + seconds * 1000).toISOString() });
        for (const seconds of [-86400, 598, 30 * 86400 + 5])
            assertFailed(await posts.run(id, ahead(seconds)), 400, 'invalid_input', 'scheduledTime');
        for (const seconds of [605, 30 * 86400 - 2]) assert.equal((await posts.run(id, ahead(seconds))).status, 200);
        assertFailed(await posts.run(id, { ...body, timeZone: 'Mars/Olympus' }), 400, 'invalid_input', 'timeZone');
        assertFailed(await posts.run(id, { ...body, timeZone: 'EST5FOO' }), 400, 'invalid_input', 'timeZone');
    });

    it('limits', options, async () => {
        const id = await posts.connected(connect);
        const link = `https://ex.com/${'a'.repeat(2033)}`;
        assert.equal(link.length, 2048);
        assert.equal((await posts.run(id, { content: ` ${'é'.repeat(63206)} `, link, pageId: '1'.repeat(32) })).status, 200);
    });
});

const urls = [
    '', 'ex.com/a', '/a', 'ftp://ex.com/a', 'javascript:alert(1)', 'http:ex.com', 'https://', 'https://localhost/a', 'https://LOCALHOST./a', 'https://intranet/a',
    'https://a.local/x', 'https://db.internal', 'https://a.localhost:8080/', 'https://127.0.0.1/', 'https://10.1.2.3/', 'https://172.16.0.1',
    'https://172.31.255.255/', 'https://192.168.1.1/', 'https://169.254.169.254/latest', 'https://100.64.0.1/', 'https://100.127.255.255/',
    'https://224.0.0.1/', 'https://240.0.0.1/', 'https://255.255.255.255/', 'https://0.0.0.0/', 'https://198.18.0.1/', 'https://[::1]/',
    'https://[::ffff:127.0.0.1]/', 'https://[fe80::1]/', 'https://[fc00::1]/', 'https://127.1/', 'https://0x7f.0.0.1/', 'https://0177.0.0.1/', 'https://2130706433/',
    'https://user@ex.com/', 'https://user:pw@ex.com/', 'https://ex.com /', 'https://ex.com/a b', 'https://ex.com/\u0007', 'https://ex.com\n/',
    'https://ex.com:port/', 'https://ex.com:70000/', 'https://ex..com/', 'https://.com/', 'https://ex%2ecom.a/', 'https://ex.com\\@10.0.0.1/',
    `https://ex.com/${'a'.repeat(2034)}`,
].slice(1);
refusals(posts, 'publishFacebookPostTool', {
    mode: 'user_or_service',
    body,
    required: ['content'],
    wrong: {
        content: [...NOT.text, ' ', 'x'.repeat(63207)],
        link: [...NOT.text, ...urls],
        imageUrl: [...NOT.text, 'http://ex.com/a.jpg', ...urls],
        pageId: [...NOT.text, '1a', '1/2', '1'.repeat(33), '-1'],
        scheduledTime: [7, true, 'tomorrow', '2031-02-29', '2031-13-01', '2031-01-01T24:00', '2031-01-01T10:60', '2031-01-01T10:00:60',
            '2031-01-01t10:00', '2031-01-01  10:00', '2031-01-01T10', '2031-01-01T10:00+14:01', '2031-01-01T10:00+1:00', '2031-01-01T10:00+0160',
            '2031-1-1', '2031-01-01T10:00:00.', '2031-01-01T10:00Zx', '0000-01-01', '2031-01-01T', ' 2031-01-01'],
        timeZone: [...NOT.text, '../etc/passwd', '/UTC', 'America/New York', 'x'.repeat(65), 'é'],
        idempotencyKey: NOT.text,
    },
    untouched: ['ai_actions_log'],
});
connectionRefusals(posts, body);
idempotency(posts, 'meta_graph', { body, again: { content: 'Other' }, type: 'publishFacebookPost' });
/* The Page's token is there, so that publishing is the first call. */
providerFailures(posts, 'meta_graph', {
    body,
    connect: { ...connect, credentials: { page_access_token: 'page-token-stored' } },
});
