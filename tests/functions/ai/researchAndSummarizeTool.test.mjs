/*
 * researchAndSummarizeTool (spec ai.md): a digest of a topic.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'researchAndSummarizeTool';
const ai = suite({ functions: [NAME] });
const call = async (body) => ai.call(NAME, await ai.agent(), body);

describe(`${NAME}: examples`, options, () => {
    it('1: with a focus', options, async () => {
        await ai.gateway.order({ content: ' Summary…\n' });
        const { status, body } = await call({ query: 'FHA limits', focus: 'Ohio' });
        assert.equal(status, 200);
        const { message, ...data } = body.data;
        assert.deepEqual([body.success, data], [true, { query: 'FHA limits', summary: 'Summary…', focus: 'Ohio', grounded: false }]);
        assert.ok(message);
        const { messages, ...rest } = (await ai.gateway.bodies())[0];
        assert.deepEqual(rest, { model: 'google/gemini-2.5-flash' });
        assert.deepEqual(messages.map(({ role }) => role), ['system', 'user']);
        assert.ok(messages[1].content.startsWith('FHA limits') && messages[1].content.includes('Ohio'));
    });

    it('2: without one', options, async () => {
        const { body } = await call({ query: 'FHA limits' });
        assert.equal(body.data.focus, 'general');
        assert.doesNotMatch((await ai.gateway.bodies())[0].messages[1].content, /angle/);
    });

    it('3: no query', options, async () => {
        const answer = await call({});
        assertRefused(answer, 400, 'invalid_input', 'query');
        assert.deepEqual([answer.body.success, typeof answer.body.suggestion], [false, 'string']);
    });

    for (const [order, ours, code] of [
        [{ status: 402, body: {} }, 402, 'out_of_credits'], [{ status: 429, body: {}, headers: { 'retry-after': '7' } }, 429, 'provider_rate_limited'],
        [{ status: 400, body: {} }, 422, 'provider_rejected'], [{ status: 500 }, 502, 'provider_error'], [{ content: ' ' }, 502, 'bad_provider_output'],
        [{ status: 200, body: 'x' }, 502, 'bad_provider_output'], [{ content: 'abc', truncateAfter: 9 }, 502, 'provider_error'],
    ])
        it(`4: the gateway's ${JSON.stringify(order)} is ${ours} ${code}`, options, async () => {
            await ai.gateway.order(order);
            const answer = await call({ query: 'x' });
            assertRefused(answer, ours, code);
            assert.equal(answer.body.success, false);
            if (ours === 429) assert.equal(answer.headers.get('retry-after'), '7');
        });
});

describe(`${NAME}: callers`, options, () => {
    it('the service acts for the user it names', options, async () => {
        assert.equal((await post(ai.host, NAME, { token: SERVICE_KEY, body: { query: 'x', userId: await ai.agent() } })).status, 200);
        assertRefused(await post(ai.host, NAME, { token: SERVICE_KEY, body: { query: 'x' } }), 400, 'invalid_input', 'userId');
    });
});

refusals(ai, NAME, {
    mode: 'user_or_service', body: { query: 'x' }, required: ['query'],
    wrong: { query: [' ', 'x'.repeat(2001), ...NOT.text], focus: ['x'.repeat(501), ...NOT.text] },
    withoutDatabase: true,
});
