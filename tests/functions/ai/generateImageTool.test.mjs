/*
 * generateImageTool (spec ai.md): its cases, who may call it, and where images are kept.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { PNG, dataUrl, imageCases } from '../../support/images.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { Sandbox } from '../../support/sandbox.mjs';
import { UNREACHABLE, options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'generateImageTool';
const ai = suite({ functions: [NAME] });
imageCases(ai, NAME);

describe('images: callers and stores', options, () => {
    it('aspectRatio is another name of it; the service acts for the user it names', options, async () => {
        const id = await ai.agent();
        const { body } = await post(ai.host, 'generateImageTool', { token: SERVICE_KEY, body: { prompt: 'x', aspectRatio: '16:9', userId: id } });
        assert.equal(body.data.aspectRatio, '16:9');
        assert.ok(body.data.path.startsWith(`${id}/images/`));
        assertRefused(await post(ai.host, 'generateImageTool', { token: SERVICE_KEY, body: { prompt: 'x' } }), 400, 'invalid_input', 'userId');
    });

    it('where the table is, the object is listed', options, async () => {
        await ai.database.rows(`CREATE SCHEMA storage; CREATE TABLE storage.objects (bucket_id text, name text, metadata jsonb, PRIMARY KEY (bucket_id, name));
            GRANT USAGE ON SCHEMA storage TO service_role; GRANT ALL ON storage.objects TO service_role`);
        try {
            await ai.gateway.order({ images: [dataUrl('image/png')] });
            const { body } = await ai.call(NAME, await ai.agent(), { prompt: 'x' });
            const row = await ai.database.row('SELECT * FROM storage.objects');
            assert.deepEqual(row, { bucket_id: 'generated-content', name: body.data.path, metadata: { mimetype: 'image/png', size: PNG.length } });
        } finally {
            await ai.database.rows('DROP SCHEMA storage CASCADE');
        }
    });

    it('without a store the data URL is the answer', options, () =>
        withHost({ functions: [NAME], ...UNREACHABLE, env: { STORAGE_DIR: '/proc/nowhere' } }, async (host) => {
            await new Sandbox(host, 'lovable_ai').order({ images: [dataUrl('image/png')] });
            const { status, body } = await post(host, NAME, { token: await mint('user_a'), body: { prompt: 'x' } });
            assert.equal(status, 200, JSON.stringify(body));
            assert.deepEqual([body.url, body.data.bucket, body.data.mimeType], [dataUrl('image/png'), null, 'image/png']);
        }));
});
