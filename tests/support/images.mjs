/*
 * The cases of generateImageTool and generateImage (spec ai.md), which are one core.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from './refusals.mjs';
import { options } from './suite.mjs';

export const PNG = Buffer.from('89504e470d0a1a0a', 'hex');
export const dataUrl = (type, bytes = PNG) => `data:${type};base64,${bytes.toString('base64')}`;

export function imageCases(ai, NAME) {
    const call = async (body, id) => ai.call(NAME, id ?? (await ai.agent()), body);

    describe(`${NAME}: examples`, options, () => {
        it('1: stored under the user, with a URL that anybody can read', options, async () => {
            const id = await ai.agent();
            await ai.gateway.order({ images: [dataUrl('image/png')] });
            const { status, body } = await call({ prompt: 'Craftsman at dusk', style: 'vibrant', aspect_ratio: '1:1' }, id);
            assert.equal(status, 200, JSON.stringify(body));
            assert.deepEqual([body.success, body.url, body.imageUrl], [true, body.data.url, body.data.imageUrl]);
            assert.deepEqual([body.data.style, body.data.aspectRatio, body.data.mimeType, body.data.bucket], ['vibrant', '1:1', 'image/png', 'generated-content']);
            assert.match(body.data.path, new RegExp(`^${id}/images/[0-9a-f-]{36}\\.png$`));
            const picture = await fetch(body.url);
            assert.equal(picture.status, 200);
            assert.deepEqual(Buffer.from(await picture.arrayBuffer()), PNG);
            const { exp, iat, url } = JSON.parse(Buffer.from(new URL(body.url).searchParams.get('token').split('.')[1], 'base64url'));
            assert.deepEqual([exp - iat, url], [7 * 86400, `generated-content/${body.data.path}`]);
            const { messages, ...rest } = (await ai.gateway.bodies())[0];
            assert.deepEqual(rest, { model: 'google/gemini-2.5-flash-image', modalities: ['image', 'text'] });
            assert.equal(messages.length, 1);
            for (const part of ['Craftsman at dusk', 'vibrant', '1:1', 'polished']) assert.ok(messages[0].content.includes(part), part);
        });

        it('2: without style and shape', options, async () => {
            const { body } = await call({ prompt: 'Lake view' });
            assert.deepEqual([body.data.style, body.data.aspectRatio, body.data.prompt], ['default', null, 'Lake view']);
            assert.doesNotMatch((await ai.gateway.bodies())[0].messages[0].content, /Style|ratio/);
        });

        it('3: an answer without images is 502, a refusal 422', options, async () => {
            await ai.gateway.order({ images: [] }, { images: [], finishReason: 'content_filter' });
            const none = await call({ prompt: 'x' });
            assertRefused(none, 502, 'bad_provider_output');
            assert.deepEqual([none.body.success, typeof none.body.suggestion], [false, 'string']);
            assertRefused(await call({ prompt: 'x' }), 422, 'provider_rejected');
        });

        it('other kinds of images; what is none is 502', options, async () => {
            for (const [url, type, ending] of [[dataUrl('image/jpeg'), 'image/jpeg', '.jpg'], [dataUrl('image/webp'), 'image/webp', '.webp']]) {
                await ai.gateway.order({ images: [url] });
                const { body } = await call({ prompt: 'x' });
                assert.deepEqual([body.data.mimeType, body.data.path.slice(-ending.length)], [type, ending]);
            }
            await ai.gateway.order({ images: ['https://cdn.example/a.png'] });
            const { data } = (await call({ prompt: 'x' })).body;
            assert.deepEqual([data.url, data.mimeType, data.bucket, data.path], ['https://cdn.example/a.png', null, null, null]);
            for (const url of ['data:image/png;base64,%%%', 'data:image/svg+xml;base64,AAAA', 'data:image/png;base64,', 'ftp://x', 'data:image/png,AAAA']) {
                await ai.gateway.order({ images: [url] });
                assertRefused(await call({ prompt: 'x' }), 502, 'bad_provider_output');
            }
        });

        for (const [status, ours, code] of [[429, 429, 'provider_rate_limited'], [402, 402, 'out_of_credits'], [400, 422, 'provider_rejected'], [500, 502, 'provider_error']])
            it(`the gateway's ${status} is ${ours} ${code}`, options, async () => {
                await ai.gateway.order({ status, body: {} });
                assertRefused(await call({ prompt: 'x' }), ours, code);
            });
    });

    refusals(ai, NAME, {
        mode: NAME === 'generateImage' ? 'user' : 'user_or_service', body: { prompt: 'Suburban street' }, required: ['prompt'],
        wrong: { prompt: [' ', 'x'.repeat(4001), ...NOT.text], style: ['x'.repeat(101), ...NOT.text], aspect_ratio: ['2:1', ...NOT.text] },
        withoutDatabase: true,
    });
}
