/*
 * copilotChat (spec ai.md S2): every way in which the gateway, its key or the database can be missing.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { Conversations } from '../../support/conversations.mjs';
import { freePort } from '../../support/host.mjs';
import { Sandbox } from '../../support/sandbox.mjs';
import { UNREACHABLE, options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const chat = suite({ functions: ['copilotChat'] });
const conversations = new Conversations(chat, 'copilot');
const call = (id, body, more) => chat.call('copilotChat', id, body, more);

describe('copilotChat: what the gateway does', options, () => {
    const error = (status) => ({ status, body: { error: { message: 'internal words of the provider' } } });
    for (const [status, ours, code] of [
        [429, 429, 'provider_rate_limited'],
        [402, 402, 'out_of_credits'],
        [400, 422, 'provider_rejected'],
        [413, 422, 'provider_rejected'],
        [422, 422, 'provider_rejected'],
        [401, 502, 'provider_error'],
        [403, 502, 'provider_error'],
        [404, 502, 'provider_error'],
        [418, 502, 'provider_error'],
        [500, 502, 'provider_error'],
        [502, 502, 'provider_error'],
        [503, 502, 'provider_error'],
    ])
        it(`${status} becomes ${ours} ${code}, asked once`, options, async () => {
            const id = await chat.agent();
            await chat.gateway.order(error(status));
            const { status: actual, body } = await call(id, { userPrompt: 'Hello' });
            assert.deepEqual([actual, body.code], [ours, code]);
            assert.doesNotMatch(JSON.stringify(body), /internal words/);
            if (status === 402) assert.match(body.error, /credits/);
            assert.equal((await chat.gateway.requests()).length, 1);
            assert.equal((await conversations.of(id)).length, 0);
        });

    for (const [name, order] of [
        ['no JSON', { status: 200, body: '<html>busy</html>', headers: { 'content-type': 'text/html' } }],
        [
            'JSON announced, none sent',
            { status: 200, body: '{"choices":', headers: { 'content-type': 'application/json' } },
        ],
        ['no choices', { status: 200, body: { choices: [] } }],
        ['no message', { status: 200, body: { choices: [{}] } }],
        ['an array', { status: 200, body: [1] }],
        ['null content', { status: 200, body: { choices: [{ message: { role: 'assistant', content: null } }] } }],
        ['empty content', { content: '' }],
    ])
        it(`${name}: 502 bad_provider_output`, options, async () => {
            const id = await chat.agent();
            await chat.gateway.order(order);
            const { status, body } = await call(id, { userPrompt: 'Hello' });
            assert.deepEqual([status, body.code], [502, 'bad_provider_output']);
            assert.equal((await conversations.of(id)).length, 0);
        });

    it('a connection that breaks before an answer is tried once more', options, async () => {
        const id = await chat.agent();
        await chat.gateway.order({ drop: true }, { content: 'Second try.' });
        assert.equal((await call(id, { userPrompt: 'Hello' })).body.response, 'Second try.');
        await chat.gateway.order({ drop: true }, { drop: true }, { content: 'Third.' });
        const { status, body } = await call(id, { userPrompt: 'Hello' });
        assert.deepEqual([status, body.code], [502, 'provider_error']);
        assert.equal((await chat.gateway.requests()).length, 4);
    });

    it('an answer cut short is 502 provider_error', options, async () => {
        await chat.gateway.order({ content: 'A long answer that is cut.', truncateAfter: 60 });
        const { status, body } = await call(await chat.agent(), { userPrompt: 'Hello' });
        assert.deepEqual([status, body.code], [502, 'provider_error']);
    });

    it('silence is 504 provider_timeout, before and within an answer', options, async () => {
        await withHost(
            {
                functions: ['copilotChat'],
                database: chat.database.url,
                providers: { lovable_ai: { first_byte_timeout: '400ms', silence_timeout: '400ms' } },
            },
            async (impatient) => {
                const stalled = new Sandbox(impatient, 'lovable_ai');
                for (const order of [{ delayMs: 5000 }, { content: 'A long answer that stops.', stallAfter: 60 }]) {
                    await stalled.order(order);
                    const { status, body } = await post(impatient, 'copilotChat', {
                        token: await mint(await chat.agent()),
                        body: { userPrompt: 'Hello' },
                    });
                    assert.deepEqual([status, body.code], [504, 'provider_timeout'], JSON.stringify(order));
                }
            },
        );
    });

    it('nobody listening is 502; ten failures open the breaker', options, async () => {
        await withHost(
            {
                functions: ['copilotChat'],
                database: chat.database.url,
                server: { workers: 1 },
                env: { LOVABLE_AI_BASE_URL: `http://127.0.0.1:${await freePort()}` },
            },
            async (alone) => {
                const token = await mint(await chat.agent());
                const ask = () => post(alone, 'copilotChat', { token, body: { userPrompt: 'Hello' } });
                const first = await ask();
                assert.deepEqual([first.status, first.body.code], [502, 'provider_error']);
                for (let i = 0; i < 9; i++) await ask();
                const open = await ask();
                assert.deepEqual([open.status, open.body.code], [502, 'provider_unreachable']);
                assert.ok(Number(open.headers.get('retry-after')) >= 1);
            },
        );
    });

    it('without a key it is 503, and names the variable', options, async () => {
        await withHost(
            { functions: ['copilotChat'], database: chat.database.url, env: { LOVABLE_API_KEY: null } },
            async (keyless) => {
                const id = await chat.agent();
                const { status, body } = await post(keyless, 'copilotChat', {
                    token: await mint(id),
                    body: { userPrompt: 'Hello', conversationId: crypto.randomUUID() },
                });
                assert.deepEqual([status, body.code], [503, 'not_configured']);
                assert.match(body.error, /LOVABLE_API_KEY/);
                const bad = await post(keyless, 'copilotChat', { token: await mint(id), body: {} });
                assert.equal(bad.status, 400, 'fields come first');
            },
        );
    });

    it('with the database away it is 503 and nothing is asked', options, async () => {
        await withHost(
            {
                functions: ['copilotChat'],
                ...UNREACHABLE,
            },
            async (lonely) => {
                const { status, body } = await post(lonely, 'copilotChat', {
                    token: await mint('user_a'),
                    body: { userPrompt: 'Hello' },
                });
                assert.deepEqual([status, body.code], [503, 'database_unavailable']);
                assert.equal((await new Sandbox(lonely, 'lovable_ai').requests()).length, 0);
            },
        );
    });
});
