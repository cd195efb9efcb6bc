/*
 * generateSocialPostTool (spec ai.md): one post, its hashtags in order.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'generateSocialPostTool';
const ai = suite({ functions: [NAME] });
const call = async (body) => ai.call(NAME, await ai.agent(), body);
const made = (args) => ({ toolCalls: [{ name: 'generate_social_post', arguments: args }] });
const TAGS = ['home staging', '#HomeStaging', 'realestate'];

describe(`${NAME}: examples`, options, () => {
    it('1: hashtags are cleaned, each once, and appended', options, async () => {
        await ai.gateway.order(made({ content: 'Stage it!', hashtags: TAGS }));
        const { status, body } = await call({ topic: 'Staging tips', platform: 'instagram' });
        assert.deepEqual([status, body], [200, {
            success: true, content: 'Stage it!\n\n#homestaging #realestate', hashtags: ['#homestaging', '#realestate'], callToAction: null, platform: 'instagram',
        }]);
        const asked = (await ai.gateway.bodies())[0];
        assert.deepEqual(asked.tool_choice, { type: 'function', function: { name: 'generate_social_post' } });
        assert.equal(asked.tools[0].function.parameters.additionalProperties, false);
        assert.deepEqual(asked.messages.map(({ role }) => role), ['system', 'user']);
        for (const part of ['instagram', 'professional', 'social post']) assert.ok(asked.messages[0].content.includes(part), part);
        assert.doesNotMatch(JSON.stringify(asked), /undefined|null/);
    });

    it('2: without hashtags', options, async () => {
        await ai.gateway.order(made({ content: 'Stage it!', hashtags: TAGS }));
        const { body } = await call({ topic: 'Staging tips', platform: 'instagram', includeHashtags: false });
        assert.deepEqual([body.content, body.hashtags], ['Stage it!', []]);
        assert.match((await ai.gateway.bodies())[0].messages[0].content, /no hashtags/);
    });

    it('3 and 4: no topic, no such platform', options, async () => {
        assertRefused(await call({ platform: 'instagram' }), 400, 'invalid_input', 'topic');
        const { body, status } = await call({ topic: 'x', platform: 'myspace' });
        assert.deepEqual([status, body.field, body.success], [400, 'platform', false]);
        assert.ok(body.suggestion);
    });
});

describe(`${NAME}: posts`, options, () => {
    it('platforms in any case, prompt beside topic or alone', options, async () => {
        await ai.gateway.order(made({ content: ' A ', callToAction: 'Call' }), made({ content: 'B' }));
        const both = await call({ topic: 'Roofs', prompt: 'Mention slate', platform: 'LinkedIn', tone: 'casual', contentType: 'story' });
        assert.deepEqual([both.body.platform, both.body.content, both.body.callToAction], ['linkedin', 'A', 'Call']);
        const alone = await call({ prompt: 'Write about slate' });
        assert.equal(alone.body.platform, 'facebook');
        const [first, second] = (await ai.gateway.bodies()).map(({ messages }) => messages);
        for (const part of ['linkedin', 'casual', 'story']) assert.ok(first[0].content.includes(part));
        assert.ok(first[1].content.includes('Roofs') && first[1].content.includes('Mention slate'));
        assert.equal(second[1].content, 'Write about slate');
    });

    it('hashtags: signs go, accents stay, those in the text are not repeated, 30 at most', options, async () => {
        const many = Array.from({ length: 40 }, (_, i) => `tag${i}`);
        await ai.gateway.order(
            made({ content: 'Buy now #Deal! #dealer', hashtags: ['#deal', ' ##new-listing! ', 'Été_24', '🏠', '', 7, null, '家'] }),
            made({ content: 'X', hashtags: many }),
        );
        const { body } = await call({ topic: 'x' });
        assert.deepEqual(body.hashtags, ['#deal', '#newlisting', '#Été_24', '#家']);
        assert.equal(body.content, 'Buy now #Deal! #dealer\n\n#newlisting #Été_24 #家');
        assert.equal((await call({ topic: 'x' })).body.hashtags.length, 30);
    });

    it('content as JSON instead of a call; what is unusable is 502', options, async () => {
        await ai.gateway.order({ content: '```json\n{"content":"From text"}\n```' }, { content: 'Just text' }, made({ content: '  ' }), made('{'), { content: '{"content":7}' });
        assert.equal((await call({ topic: 'x' })).body.content, 'From text');
        for (let i = 0; i < 4; i++) {
            const answer = await call({ topic: 'x' });
            assertRefused(answer, 502, 'bad_provider_output');
            assert.deepEqual([answer.body.success, typeof answer.body.suggestion], [false, 'string']);
        }
    });

    it('the service acts for the user it names', options, async () => {
        const id = await ai.agent();
        assert.equal((await post(ai.host, NAME, { token: SERVICE_KEY, body: { topic: 'x', userId: id } })).status, 200);
        assertRefused(await post(ai.host, NAME, { token: SERVICE_KEY, body: { topic: 'x' } }), 400, 'invalid_input', 'userId');
    });

    for (const [status, ours, code] of [[429, 429, 'provider_rate_limited'], [402, 402, 'out_of_credits'], [422, 422, 'provider_rejected'], [500, 502, 'provider_error']])
        it(`the gateway's ${status} is ${ours} ${code}`, options, async () => {
            await ai.gateway.order({ status, body: {} });
            assertRefused(await call({ topic: 'x' }), ours, code);
        });
});

refusals(ai, NAME, {
    mode: 'user_or_service',
    body: { topic: 'Roofs' },
    required: ['topic'],
    wrong: {
        topic: ['x'.repeat(2001), ...NOT.text], prompt: ['x'.repeat(4001), ...NOT.text], platform: NOT.text,
        tone: ['rude', ...NOT.text], contentType: ['x'.repeat(65), ...NOT.text], includeHashtags: NOT.boolean,
    },
    withoutDatabase: true,
});
