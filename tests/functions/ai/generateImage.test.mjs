/*
 * generateImage (spec ai.md): as generateImageTool, for users only.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { imageCases } from '../../support/images.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'generateImage';
const ai = suite({ functions: [NAME] });
imageCases(ai, NAME);

describe(`${NAME}: examples of its own`, options, () => {
    it('1: what the page sends; 3: a shape that there is not', options, async () => {
        const id = await ai.agent();
        const { body } = await ai.call(NAME, id, { prompt: 'Suburban street', style: 'vibrant', aspect_ratio: '1:1' });
        assert.ok(body.url);
        assertRefused(await ai.call(NAME, id, { prompt: 'x', aspect_ratio: '2:1' }), 400, 'invalid_input', 'aspect_ratio');
    });
});
