/*
 * openaiRolePlay (spec ai.md): the simulated client's line and the coaching beside it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { allEvents, connect, streamedText } from '../../support/streams.mjs';
import { options, suite } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'openaiRolePlay';
const ai = suite({ functions: [NAME] });
const call = async (body) => ai.call(NAME, await ai.agent(), body);
const SCENE = { scenario: 'Cold call', clientPersona: 'Busy seller' };
const lines = async () => (await ai.gateway.bodies()).find(({ tools }) => !tools).messages;

describe(`${NAME}: examples`, options, () => {
    it('1: without lines the client is asked to open', options, async () => {
        await ai.gateway.order({ content: 'Who is this?' });
        const { status, body } = await call(SCENE);
        assert.deepEqual([status, body], [200, { clientResponse: 'Who is this?', generatedText: 'Who is this?', analysis: null, conversation_ended: false }]);
        const messages = await lines();
        assert.deepEqual(messages.map(({ role }) => role), ['system', 'user']);
        for (const part of ['Cold call', 'Busy seller', '[[END]]']) assert.ok(messages[0].content.includes(part), part);
    });

    it('2: the marker ends the conversation and is not shown', options, async () => {
        await ai.gateway.order({ content: 'Fine, goodbye. [[END]]' }, { content: '[[END]]' });
        const { body } = await call({ ...SCENE, agentResponse: 'Goodbye' });
        assert.deepEqual([body.clientResponse, body.conversation_ended], ['Fine, goodbye.', true]);
        const silent = await call(SCENE);
        assert.deepEqual([silent.status, silent.body.clientResponse, silent.body.conversation_ended], [200, '', true]);
    });

    it("3: the agent's line that is in the history already is not said twice", options, async () => {
        const history = [{ speaker: 'AI', text: 'Hello?' }, { speaker: 'Agent', text: 'Hi, Kim here.', analysis: {} }];
        await call({ ...SCENE, history, agentResponse: ' Hi, Kim here. ' });
        assert.deepEqual((await lines()).slice(1), [{ role: 'assistant', content: 'Hello?' }, { role: 'user', content: 'Hi, Kim here.' }]);
    });
});

describe(`${NAME}: lines`, options, () => {
    it('older names, empty lines and strangers, the last 30', options, async () => {
        const messages = [...Array.from({ length: 40 }, (_, i) => ({ role: i % 2 ? 'user' : 'assistant', content: `m${i}` })), { role: 'user', content: '  ' }, { role: 'system', content: 'x' }];
        const { status } = await call({ scenarioContext: 'Open house', persona: 'Buyer', messages });
        assert.equal(status, 200);
        const asked = await lines();
        assert.equal(asked.length, 31);
        assert.deepEqual([asked[1].content, asked[30].content], ['m10', 'm39']);
        assert.ok(asked[0].content.includes('Open house'));
    });

    it('history goes before messages', options, async () => {
        await call({ ...SCENE, history: [{ speaker: 'Agent', text: 'A' }], messages: [{ role: 'user', content: 'B' }] });
        assert.deepEqual((await lines()).slice(1), [{ role: 'user', content: 'A' }]);
    });

    it("the client's line at the end needs the agent's", options, async () => {
        assertRefused(await call({ ...SCENE, history: [{ speaker: 'AI', text: 'Hello?' }] }), 400, 'invalid_input', 'agentResponse');
    });

    it('a stored scenario goes before what the body says; none, or an inactive one, is 404', options, async () => {
        const scenario = (active) => ai.database.row(
            `INSERT INTO role_play_scenarios (name, category, difficulty_level, initial_context, client_persona, is_active)
             VALUES ('S', 'c', 'easy', 'Stored situation', 'Stored person', $1) RETURNING id`, [active]);
        const { id } = await scenario(true), { id: inactive } = await scenario(false);
        assert.equal((await call({ scenarioId: id, scenario: 'Ignored' })).status, 200);
        const [{ content }] = await lines();
        assert.ok(content.includes('Stored situation') && content.includes('Stored person') && !content.includes('Ignored'));
        for (const missing of [inactive, '00000000-0000-4000-8000-000000000000'])
            assertRefused(await call({ scenarioId: missing }), 404, 'scenario_not_found');
    });
});

describe(`${NAME}: coaching`, options, () => {
    const report = { strengths: ['Warm'], improvements: ['Ask'], coaching_tip: 'Listen' };
    const always = (order) => ai.gateway.order({ times: 0, ...order });

    it("is made at the same time, of the agent's last line", options, async () => {
        await always({ content: 'Hm.', toolCalls: [{ name: 'submit_coaching', arguments: report }], delayMs: 300 });
        const { body } = await call({ ...SCENE, agentResponse: 'Hi', analysisRequested: true });
        assert.deepEqual([body.clientResponse, body.analysis], ['Hm.', report]);
        const requests = await ai.gateway.requests();
        assert.equal(requests.length, 2);
        assert.ok(Math.abs(Date.parse(requests[0].at) - Date.parse(requests[1].at)) < 250, 'not one after the other');
        const coach = requests.map((request) => request.body).find(({ tools }) => tools);
        assert.deepEqual(coach.tool_choice, { type: 'function', function: { name: 'submit_coaching' } });
        assert.deepEqual(coach.tools[0].function.parameters.required, ['strengths', 'improvements', 'coaching_tip']);
        assert.match(coach.messages.at(-1).content, /Agent: Hi/);
    });

    for (const [name, toolCalls] of [
        ['no JSON', [{ name: 'submit_coaching', arguments: '{' }]],
        ['a list that is missing', [{ name: 'submit_coaching', arguments: { strengths: ['a'], coaching_tip: 'x' } }]],
        ['no call', undefined],
    ])
        it(`${name}: analysis is null, and no error`, options, async () => {
            await always({ content: 'Hm.', toolCalls });
            const { status, body } = await call({ ...SCENE, agentResponse: 'Hi', analysisRequested: true });
            assert.deepEqual([status, body.clientResponse, body.analysis], [200, 'Hm.', null]);
        });

    it('is not made before the agent has said anything', options, async () => {
        const { body } = await call({ ...SCENE, analysisRequested: true });
        assert.equal(body.analysis, null);
        assert.equal((await ai.gateway.requests()).length, 1);
    });
});

describe(`${NAME}: streams`, options, () => {
    const tokens = ['Fine', ', [', 'brackets] ', 'bye. ', '[[E', 'ND]', ']'];
    const check = (all) => {
        assert.equal(streamedText(all.slice(0, -1)), 'Fine, [brackets] bye. ');
        const { event, data } = all.at(-1);
        assert.equal(event, 'final');
        assert.deepEqual([data.response, data.clientResponse, data.conversation_ended, data.conversationId, data.toolCalls], ['Fine, [brackets] bye.', 'Fine, [brackets] bye.', true, null, []]);
    };

    it('hold back what may be the marker, over server-sent events and over WebSocket', options, async () => {
        await ai.gateway.order({ tokens }, { tokens }, { tokens: ['So [[E'] });
        const token = await mint(await ai.agent());
        const stream = () => fetch(`${ai.host.url}/functions/v1/${NAME}`, {
            method: 'POST', headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' }, body: JSON.stringify(SCENE),
        });
        check(await allEvents(await stream()));
        const socket = await connect(ai.host, NAME, { token }).opened();
        socket.send(SCENE);
        check(await socket.turn());
        await socket.close();
        const unfinished = await allEvents(await stream());
        assert.equal(streamedText(unfinished.slice(0, -1)), 'So [[E', 'what was no marker comes in the end');
    });

    it('that break off end with an error event', options, async () => {
        await ai.gateway.order({ tokens, truncateAfter: 2 });
        const answer = await fetch(`${ai.host.url}/functions/v1/${NAME}`, {
            method: 'POST', headers: { authorization: `Bearer ${await mint('user_a')}`, accept: 'text/event-stream' }, body: JSON.stringify(SCENE),
        });
        const { event, data } = (await allEvents(answer)).at(-1);
        assert.deepEqual([event, data.code], ['error', 'provider_error']);
    });
});

describe(`${NAME}: the gateway's failures`, options, () => {
    for (const [order, status, code] of [
        [{ status: 429, body: {} }, 429, 'provider_rate_limited'], [{ status: 402, body: {} }, 402, 'out_of_credits'],
        [{ status: 500 }, 502, 'provider_error'], [{ content: '  ' }, 502, 'bad_provider_output'], [{ status: 200, body: 'x' }, 502, 'bad_provider_output'],
    ])
        it(`${JSON.stringify(order)}: ${status} ${code}`, options, async () => {
            await ai.gateway.order(order);
            assertRefused(await call(SCENE), status, code);
        });
});

refusals(ai, NAME, {
    body: { scenarioId: '00000000-0000-4000-8000-000000000000' },
    wrong: {
        scenarioId: NOT.uuid, scenario: ['x'.repeat(8001), ...NOT.text], clientPersona: ['x'.repeat(4001), ...NOT.text],
        history: [Array(201).fill({}), ...NOT.array], messages: [Array(201).fill({}), ...NOT.array],
        agentResponse: ['x'.repeat(8001), ...NOT.text], analysisRequested: NOT.boolean, stream: NOT.boolean,
    },
});

describe(`${NAME}: the scene`, options, () => {
    it('is required without a scenarioId', options, async () => {
        assertRefused(await call({ clientPersona: 'x' }), 400, 'invalid_input', 'scenario');
        assertRefused(await call({ scenario: 'x', clientPersona: ' ' }), 400, 'invalid_input', 'clientPersona');
    });
});
