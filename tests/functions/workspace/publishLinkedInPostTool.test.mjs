/*
 * publishLinkedInPostTool (spec workspace.md), by the UGC API and by the versioned Posts API.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Sandbox } from '../../support/sandbox.mjs';
import { NOT, refusals } from '../../support/refusals.mjs';
import { options, withHost } from '../../support/suite.mjs';
import { providerFailures } from '../../support/tool_failures.mjs';
import { assertFailed, connectionRefusals, idempotency, toolSuite } from '../../support/tools.mjs';

const posts = toolSuite(['publishLinkedInPostTool'], 'linkedin');
const api = () => posts.provider('linkedin_api');
const uploads = () => posts.provider('linkedin_upload');
const images = () => posts.provider('document_fetch');
const connect = { settings: { person_urn: 'urn:li:person:abc' } };
const body = { content: 'Sold!' };
const image = { ...body, imageUrl: 'https://cdn.ex.com/a.jpg' };
const MECHANISM = 'com.linkedin.digitalmedia.uploading.MediaUploadHttpRequest';
const registered = (uploadUrl, asset = 'urn:li:digitalmediaAsset:A1') => ({ body: { value: { asset, uploadMechanism: { [MECHANISM]: { uploadUrl } } } } });
const asked = async (sandbox) => (await sandbox.requests()).map(({ method, path }) => `${method} ${path}`);
const ugc = (media) => ({ 'com.linkedin.ugc.ShareContent': media });

describe('publishLinkedInPostTool: ugc', options, () => {
    it('1: a text', options, async () => {
        const id = await posts.connected(connect);
        await api().order({ status: 201, body: { id: 'urn:li:share:1' } });
        const answer = await posts.run(id, body);
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        const postUrl = 'https://www.linkedin.com/feed/update/urn:li:share:1/';
        assert.deepEqual({ ...answer.body.data, message: 0 }, { postId: 'urn:li:share:1', postUrl, message: 0 });
        const [request, ...others] = await api().requests();
        assert.equal(others.length, 0);
        assert.equal(`${request.method} ${request.path}`, 'POST /v2/ugcPosts');
        assert.equal(request.headers['x-restli-protocol-version'], '2.0.0');
        assert.equal(request.headers['linkedin-version'], undefined);
        assert.equal(request.headers.authorization, `Bearer token-of-${id}`);
        assert.deepEqual(request.body, {
            author: 'urn:li:person:abc',
            lifecycleState: 'PUBLISHED',
            specificContent: ugc({ shareCommentary: { text: 'Sold!' }, shareMediaCategory: 'NONE' }),
            visibility: { 'com.linkedin.ugc.MemberNetworkVisibility': 'PUBLIC' },
        });
        const [row] = await posts.actions(id);
        assert.equal(row.action_type, 'publishLinkedInPost');
        assert.equal(row.resource_url, postUrl);
        assert.deepEqual(row.action_data.request, { contentLength: 5, imageUrl: null, link: null, visibility: 'PUBLIC' });
    });

    it('2: who posts is asked and kept', options, async () => {
        for (const person_urn of [undefined, '', 'urn:li:organization:1', 7]) {
            const id = await posts.connected({ settings: { person_urn, other: true } });
            await api().reset();
            await api().order({ body: { sub: 'q9' } });
            assert.equal((await posts.run(id, body)).status, 200);
            const [who, post] = await api().requests();
            assert.equal(`${who.method} ${who.path}`, 'GET /v2/userinfo');
            assert.equal(post.body.author, 'urn:li:person:q9');
            assert.deepEqual((await posts.connection(id)).settings, { other: true, person_urn: 'urn:li:person:q9' });
        }
        const id = await posts.connected();
        await api().order({ body: { name: 'No sub' } });
        const answer = await posts.run(id, body);
        assertFailed(answer, 409, 'reconnect_required');
        assert.equal(answer.body.error, 'LinkedIn account not properly connected');
    });

    it('3: 401', options, async () => {
        const id = await posts.connected(connect);
        await api().order({ status: 401, body: { status: 401, serviceErrorCode: 65600, message: `Invalid access token token-of-${id}` } });
        const answer = await posts.run(id, body);
        assertFailed(answer, 409, 'reconnect_required');
        assert.equal(answer.body.providerCode, 65600);
        assert.match(answer.body.error, /Invalid access token \*\*\*/);
        assert.equal((await posts.connection(id)).status, 'error');
    });

    it('a link, for connections only; the URN in a header', options, async () => {
        const id = await posts.connected(connect);
        await api().order({ status: 201, headers: { 'x-restli-id': 'urn:li:share:7' }, body: '' });
        const { body: answered } = await posts.run(id, { content: ' Sold! ', link: 'https://ex.com/a', visibility: 'CONNECTIONS', imageUrl: '' });
        assert.equal(answered.data.postId, 'urn:li:share:7');
        const [sent] = await api().bodies();
        assert.deepEqual(sent.specificContent, ugc({
            shareCommentary: { text: 'Sold!' }, shareMediaCategory: 'ARTICLE', media: [{ status: 'READY', originalUrl: 'https://ex.com/a' }],
        }));
        assert.equal(sent.visibility['com.linkedin.ugc.MemberNetworkVisibility'], 'CONNECTIONS');
        await api().order({ status: 201, body: {} });
        assertFailed(await posts.run(id, body), 502, 'provider_bad_response');
    });

    it('a photo: fetched, registered, uploaded, posted', options, async () => {
        const id = await posts.connected(connect);
        const bytes = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from('photo')]);
        await images().order({ base64: bytes.toString('base64') });
        await api().order(registered('https://dms-upload.linkedin.com/up/1?x=a%2Fb'));
        const answer = await posts.run(id, image);
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        assert.deepEqual(await asked(images()), ['GET /a.jpg']);
        const [register, post] = await api().requests();
        assert.equal(register.path, '/v2/assets');
        assert.deepEqual(register.query, { action: 'registerUpload' });
        assert.equal(register.headers['x-restli-protocol-version'], '2.0.0');
        assert.deepEqual(register.body, {
            registerUploadRequest: {
                recipes: ['urn:li:digitalmediaRecipe:feedshare-image'],
                owner: 'urn:li:person:abc',
                serviceRelationships: [{ relationshipType: 'OWNER', identifier: 'urn:li:userGeneratedContent' }],
            },
        });
        const [upload] = await uploads().requests();
        assert.equal(`${upload.method} ${upload.path}`, 'PUT /up/1');
        assert.deepEqual(upload.query, { x: 'a/b' });
        assert.equal(upload.headers.authorization, `Bearer token-of-${id}`);
        assert.deepEqual(upload.body, { base64: bytes.toString('base64') });
        assert.deepEqual(post.body.specificContent, ugc({
            shareCommentary: { text: 'Sold!' }, shareMediaCategory: 'IMAGE', media: [{ status: 'READY', media: 'urn:li:digitalmediaAsset:A1' }],
        }));
    });

    it('photos of each kind, uploaded to the API itself', options, async () => {
        const id = await posts.connected(connect);
        for (const kind of ['png', 'gif', 'jpg']) {
            await api().reset();
            assert.equal((await posts.run(id, { ...body, imageUrl: `https://cdn.ex.com/redirect/2/a.${kind}` })).status, 200);
            assert.deepEqual((await asked(api())).map((line) => line.slice(0, 14)), ['POST /v2/asset', 'PUT /mediaUplo', 'POST /v2/ugcPo']);
        }
        assert.deepEqual(await asked(uploads()), []);
    });

    it('photos that cannot be had: nothing is posted', options, async () => {
        const id = await posts.connected(connect);
        for (const [path, order] of [
            ['a.pdf'], ['a.webp'], ['status/404/a.jpg'], ['status/500/a.jpg'], ['redirect/9/a.jpg'], ['a.jpg?bytes=8388609'], ['a.empty'],
            ['a.jpg', { drop: true, times: 4 }], ['a.jpg', { body: 'x'.repeat(50), truncateAfter: 10 }],
        ]) {
            await images().reset();
            if (order) await images().order(order);
            assertFailed(await posts.run(id, { ...body, imageUrl: `https://cdn.ex.com/${path}` }), 422, 'image_unavailable');
        }
        assertFailed(await posts.run(id, { ...body, imageUrl: 'https://cdn.ex.com:8443/a.jpg' }), 422, 'image_unavailable');
        assert.deepEqual(await api().requests(), []);
        assert.equal((await posts.run(id, { ...body, imageUrl: 'https://cdn.ex.com/a.jpg?bytes=8388608' })).status, 200);
        assert.equal((await posts.actions(id))[0].error_message.split(':')[0], 'image_unavailable');
    });

    it('a photo that takes too long', options, () =>
        withHost({ functions: posts.functions, database: posts.database.url, env: { LINKEDIN_IMAGE_TIMEOUT_MS: '300' } }, async (host) => {
            await new Sandbox(host, 'document_fetch').order({ delayMs: 30000 });
            assertFailed(await posts.run(await posts.connected(connect), image, { host }), 422, 'image_unavailable');
        }));

    it('uploads that would go elsewhere, or fail', options, async () => {
        const id = await posts.connected(connect);
        for (const url of ['https://evil.com/up', 'http://api.linkedin.com/up', 'https://linkedin.com.evil.com/up', 'https://evillinkedin.com/up', 'https://api.linkedin.com@evil.com/up', 'up', '']) {
            await api().order(registered(url));
            assertFailed(await posts.run(id, image), 502, 'provider_bad_response');
        }
        await api().order({ body: { value: { asset: 'urn:a' } } });
        assertFailed(await posts.run(id, image), 502, 'provider_bad_response');
        assert.deepEqual(await uploads().requests(), []);
        await api().order(registered('https://dms-upload.linkedin.com/up'));
        await uploads().order({ status: 400, body: '' });
        assertFailed(await posts.run(id, image), 422, 'provider_rejected');
        assert.ok((await asked(api())).every((line) => line === 'POST /v2/assets'));
    });

    it('limits', options, async () => {
        const id = await posts.connected(connect);
        assert.equal((await posts.run(id, { content: 'é'.repeat(3000) })).status, 200);
        assertFailed(await posts.run(id, { ...image, link: 'https://ex.com' }), 400, 'invalid_input', 'link');
    });
});

describe('publishLinkedInPostTool: rest', options, () => {
    const rest = (env, work) =>
        withHost({ functions: posts.functions, database: posts.database.url, env: { LINKEDIN_POSTS_API: 'rest', ...env } }, work);

    it('a text, a link and a photo', options, () =>
        rest({ LINKEDIN_VERSION: '202601' }, async (host) => {
            const id = await posts.connected(connect);
            const there = new Sandbox(host, 'linkedin_api'), uploaded = new Sandbox(host, 'linkedin_upload');
            const post = {
                author: 'urn:li:person:abc',
                visibility: 'PUBLIC',
                distribution: { feedDistribution: 'MAIN_FEED', targetEntities: [], thirdPartyDistributionChannels: [] },
                lifecycleState: 'PUBLISHED',
                isReshareDisabledByAuthor: false,
            };
            await there.order({ status: 201, headers: { 'x-restli-id': 'urn:li:share:9' }, body: '' });
            const content = 'a\\b|c{d}e@f[g]h(i)j<k>l#m*n_o~p';
            const text = await posts.run(id, { content }, { host });
            assert.equal(text.status, 200, JSON.stringify(text.body));
            assert.equal(text.body.data.postUrl, 'https://www.linkedin.com/feed/update/urn:li:share:9/');
            const [first] = await there.requests();
            assert.equal(`${first.method} ${first.path}`, 'POST /rest/posts');
            assert.equal(first.headers['linkedin-version'], '202601');
            assert.equal(first.headers['x-restli-protocol-version'], '2.0.0');
            assert.deepEqual(first.body, { ...post, commentary: 'a\\\\b\\|c\\{d\\}e\\@f\\[g\\]h\\(i\\)j\\<k\\>l\\#m\\*n\\_o\\~p' });

            await posts.run(id, { ...body, link: 'https://ex.com/a' }, { host });
            assert.deepEqual((await there.bodies())[1], { ...post, commentary: 'Sold!', content: { article: { source: 'https://ex.com/a', title: 'https://ex.com/a' } } });

            await there.reset();
            await there.order({ body: { value: { uploadUrl: 'https://dms.linkedin.com/dms-uploads/1', image: 'urn:li:image:I1' } } });
            assert.equal((await posts.run(id, image, { host })).status, 200);
            const [start, posted] = await there.requests();
            assert.equal(start.path, '/rest/images');
            assert.deepEqual(start.query, { action: 'initializeUpload' });
            assert.deepEqual(start.body, { initializeUploadRequest: { owner: 'urn:li:person:abc' } });
            assert.deepEqual(await asked(uploaded), ['PUT /dms-uploads/1']);
            assert.deepEqual(posted.body.content, { media: { id: 'urn:li:image:I1' } });

            /* The stand-in's own answer names www.linkedin.com, as LinkedIn does. */
            assert.equal((await posts.run(id, image, { host })).status, 200);
            const [upload] = await new Sandbox(host, 'linkedin_oauth').requests();
            assert.match(`${upload.method} ${upload.path}`, /^PUT \/dms-uploads\//);
            assert.equal(upload.headers.authorization, `Bearer token-of-${id}`);
        }));

    it('without a version: before anything is looked up', options, () =>
        rest({ LINKEDIN_VERSION: '' }, async (host) => {
            const answer = await posts.run(await posts.agent(), body, { host });
            assertFailed(answer, 503, 'not_configured');
            assert.match(answer.body.error, /LINKEDIN_VERSION/);
        }));
});

refusals(posts, 'publishLinkedInPostTool', {
    mode: 'user_or_service',
    body,
    required: ['content'],
    wrong: {
        content: [...NOT.text, ' ', 'x'.repeat(3001)],
        imageUrl: [...NOT.text, 'http://cdn.ex.com/a.jpg', 'https://10.0.0.1/a.jpg'],
        link: [...NOT.text, 'ex.com', 'https://localhost/'],
        visibility: [...NOT.text, 'public', 'LOGGED_IN'],
        idempotencyKey: NOT.text,
    },
    untouched: ['ai_actions_log'],
});
connectionRefusals(posts, body);
idempotency(posts, 'linkedin_api', { body, again: { content: 'Other' }, type: 'publishLinkedInPost', path: /ugcPosts/ });
providerFailures(posts, 'linkedin_api', { body, connect, anyAnswer: true });
