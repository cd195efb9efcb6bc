/*
 * publishInstagramPostTool (spec workspace.md). INSTAGRAM_POLL_MS makes a second of waiting 40 ms long.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, refusals } from '../../support/refusals.mjs';
import { options } from '../../support/suite.mjs';
import { providerFailures } from '../../support/tool_failures.mjs';
import { assertFailed, connectionRefusals, idempotency, toolSuite } from '../../support/tools.mjs';

const POLL_MS = 40;
const posts = toolSuite(['publishInstagramPostTool'], 'instagram', {
    env: { INSTAGRAM_POLL_MS: String(POLL_MS) },
});
const graph = () => posts.provider('meta_graph');
const connect = { settings: { instagram_account_id: '1784' } };
const body = { caption: 'New!', imageUrl: 'https://cdn.ex.com/a.jpg' };
const permalink = 'https://www.instagram.com/p/x/';
const state = (status_code, status) => ({ body: { id: '77', status_code, status } });
const asked = async () => (await graph().requests()).map(({ method, path }) => `${method} ${path}`);

describe('publishInstagramPostTool', options, () => {
    it('1: a photo', options, async () => {
        const id = await posts.connected(connect);
        await graph().order({ body: { id: 'C1' } }, state('FINISHED'), { body: { id: 'M1' } }, { body: { permalink } });
        const answer = await posts.run(id, body);
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        assert.deepEqual({ ...answer.body.data, message: 0 }, { mediaId: 'M1', permalink, containerId: 'C1', message: 0 });
        assert.deepEqual(await asked(), ['POST /v25.0/1784/media', 'GET /v25.0/C1', 'POST /v25.0/1784/media_publish', 'GET /v25.0/M1']);
        const [media, poll, publish, link] = await graph().requests();
        assert.deepEqual(media.body, { image_url: 'https://cdn.ex.com/a.jpg', caption: 'New!' });
        assert.equal(poll.query.fields, 'status_code,status');
        assert.deepEqual(publish.body, { creation_id: 'C1' });
        assert.equal(link.query.fields, 'permalink');
        for (const request of [media, poll, publish, link]) {
            assert.equal(request.headers.authorization, `Bearer token-of-${id}`);
            assert.match(request.query.appsecret_proof, /^[0-9a-f]{64}$/);
            assert.equal(request.query.access_token, undefined);
        }
        const [row] = await posts.actions(id);
        assert.equal(row.action_type, 'publishInstagramPost');
        assert.equal(row.status, 'success');
        assert.equal(row.resource_url, permalink);
        assert.deepEqual(row.action_data.request, {
            accountId: '1784', captionLength: 4, imageUrl: 'https://cdn.ex.com/a.jpg', containerId: 'C1',
        });
    });

    it('2: it is asked until the photo is there, after waits of 0, 1 and 2', options, async () => {
        const id = await posts.connected(connect);
        await graph().order({ body: { id: '77' } }, state('IN_PROGRESS'), state('IN_PROGRESS'), state('FINISHED'));
        const { status } = await posts.run(id, body);
        assert.equal(status, 200);
        const polls = (await graph().requests()).filter(({ path }) => path === '/v25.0/77').map(({ at }) => Date.parse(at));
        assert.equal(polls.length, 3);
        assert.ok(polls[1] - polls[0] >= POLL_MS - 2 && polls[2] - polls[1] >= 2 * POLL_MS - 2, String(polls));
    });

    it('3: an image that is not https', options, async () => {
        const id = await posts.connected(connect);
        assertFailed(await posts.run(id, { ...body, imageUrl: 'http://cdn.ex.com/a.jpg' }), 400, 'invalid_input', 'imageUrl');
        assert.deepEqual(await graph().requests(), []);
    });

    it('still not there after six polls: the container is named, and taken up again', options, async () => {
        const id = await posts.connected(connect);
        await graph().order({ body: { id: '77' } }, { ...state('IN_PROGRESS'), times: 6 });
        const answer = await posts.run(id, body);
        assertFailed(answer, 504, 'media_processing_timeout');
        assert.equal(answer.body.containerId, '77');
        assert.equal((await asked()).length, 7);
        await graph().reset();
        const resumed = await posts.run(id, { containerId: '77' });
        assert.equal(resumed.status, 200, JSON.stringify(resumed.body));
        assert.equal(resumed.body.data.containerId, '77');
        assert.deepEqual((await asked()).slice(0, 2), ['GET /v25.0/77', 'POST /v25.0/1784/media_publish']);
        assert.deepEqual((await posts.actions(id)).map((row) => row.status), ['failed', 'success']);
    });

    it('rejected, expired, published before', options, async () => {
        const id = await posts.connected(connect);
        await graph().order({ body: { id: '77' } }, state('ERROR', 'Error: 2207052'));
        const rejected = await posts.run(id, body);
        assertFailed(rejected, 422, 'media_rejected');
        assert.equal(rejected.body.providerCode, 'Error: 2207052');
        assert.equal(rejected.body.containerId, '77');

        await graph().order(state('EXPIRED'));
        const expired = await posts.run(id, { containerId: '77' });
        assertFailed(expired, 422, 'container_expired');
        assert.equal(expired.body.containerId, '77');

        await graph().order(state('PUBLISHED'));
        const before = await posts.run(id, { containerId: '77' });
        assert.deepEqual({ ...before.body.data, message: 0 }, {
            mediaId: null, permalink: null, containerId: '77', message: 0, alreadyPublished: true,
        });
    });

    it('what fails after the container names it', options, async () => {
        const id = await posts.connected(connect);
        const failure = { status: 400, body: { error: { code: 9, message: 'Too many posts today' } } };
        await graph().order({ body: { id: '77' } }, state('FINISHED'), failure);
        const limited = await posts.run(id, body);
        assertFailed(limited, 429, 'publish_limit_reached');
        assert.equal(limited.body.containerId, '77');
        await graph().reset();
        await graph().order({ body: { id: '77' } }, { status: 500, body: {} });
        const broken = await posts.run(id, body);
        assertFailed(broken, 502, 'provider_error');
        assert.equal(broken.body.containerId, '77');
        await graph().order({ body: { id: '77' } }, { body: {} });
        assertFailed(await posts.run(id, body), 502, 'provider_bad_response');
    });

    it('a link that cannot be read is no failure', options, async () => {
        const id = await posts.connected(connect);
        await graph().order({ body: { id: '77' } }, state('FINISHED'), { body: { id: '88' } }, { status: 400, body: {} });
        const { status, body: answered } = await posts.run(id, body);
        assert.equal(status, 200);
        assert.equal(answered.data.permalink, null);
        assert.equal((await posts.actions(id))[0].resource_url, null);
    });

    it('accounts: asked for, of the old settings, found out', options, async () => {
        const id = await posts.connected({ settings: { instagram_business_account_id: 1799 } });
        await posts.run(id, body);
        assert.equal((await asked())[0], 'POST /v25.0/1799/media');
        await graph().reset();
        await posts.run(id, { ...body, accountId: '42', altText: 'A house' });
        assert.equal((await asked())[0], 'POST /v25.0/42/media');
        assert.equal((await graph().bodies())[0].alt_text, 'A house');

        const other = await posts.connected();
        await graph().reset();
        assert.equal((await posts.run(other, body)).status, 200);
        const [list, media] = await graph().requests();
        assert.equal(list.query.fields, 'id,name,instagram_business_account{id,username}');
        assert.equal(list.query.limit, '100');
        assert.equal(media.path, '/v25.0/1784/media');
        assert.equal((await posts.connection(other)).settings.instagram_account_id, '1784');
    });

    it('accounts: none, several', options, async () => {
        const id = await posts.connected();
        const page = (id, name, account) => ({ id, name, instagram_business_account: account });
        await graph().order({ body: { data: [page('1', 'One')] } });
        const none = await posts.run(id, body);
        assertFailed(none, 409, 'no_instagram_business_account');
        assert.equal(none.body.error, 'No Instagram Business Account connected');
        await graph().order({ body: { data: [page('1', 'One', { id: '11', username: 'one' }), page('2', 'Two'), page('3', 'Three', { id: '33' })] } });
        const several = await posts.run(id, body);
        assertFailed(several, 409, 'account_selection_required');
        assert.deepEqual(several.body.accounts, [
            { id: '11', username: 'one', pageName: 'One' },
            { id: '33', username: null, pageName: 'Three' },
        ]);
    });

    it('limits of the caption', options, async () => {
        const id = await posts.connected(connect);
        const caption = (text) => posts.run(id, { ...body, caption: text });
        for (const text of [
            'é'.repeat(2200), '#a '.repeat(30), `${'#a '.repeat(30)}# # #! ##`, '@a '.repeat(20),
            `${'@a '.repeat(20)}mail@example.com @! @ (@b`, `${'\n@._ '.repeat(20)}`,
        ])
            assert.equal((await caption(text)).status, 200, text.slice(0, 20));
        for (const text of ['#a '.repeat(31), '#é'.repeat(31), '#_#1#B'.repeat(11), '@a '.repeat(21), '@a\t@b\n'.repeat(11)])
            assertFailed(await caption(text), 400, 'invalid_input', 'caption');
        assert.equal((await posts.run(id, { ...body, altText: 'é'.repeat(1000) })).status, 200);
        assertFailed(await posts.run(id, { imageUrl: body.imageUrl }), 400, 'invalid_input', 'caption');
        assertFailed(await posts.run(id, { caption: 'a' }), 400, 'invalid_input', 'imageUrl');
        assertFailed(await posts.run(id, {}), 400, 'invalid_input', 'caption');
    });
});

refusals(posts, 'publishInstagramPostTool', {
    mode: 'user_or_service',
    body,
    required: ['caption', 'imageUrl'],
    wrong: {
        caption: [...NOT.text, 'x'.repeat(2201)],
        imageUrl: [...NOT.text, 'https://10.0.0.1/a.jpg', 'cdn.ex.com/a.jpg'],
        altText: [...NOT.text, 'x'.repeat(1001), ' '.repeat(1001)],
        accountId: [...NOT.text, 'abc', '1'.repeat(33)],
        containerId: [...NOT.text, '../me', '1'.repeat(33)],
        idempotencyKey: NOT.text,
    },
    untouched: ['ai_actions_log'],
});
connectionRefusals(posts, body);
idempotency(posts, 'meta_graph', { body, again: { ...body, caption: 'Other' }, type: 'publishInstagramPost' });
providerFailures(posts, 'meta_graph', { body, connect });
