/*
 * finalizeAgentOnboarding (spec data.md): its examples, a request that comes again, limits.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const wizard = suite({ functions: ['finalizeAgentOnboarding'] });
const call = (id, onboardingData) => wizard.call('finalizeAgentOnboarding', id, { onboardingData });
const rows = (table, id) => wizard.database.rows(`SELECT * FROM ${table} WHERE user_id = $1 ORDER BY created_at, id`, [id]);
const GUIDELINES = [{ type: 'do', category: 'tone', text: 'Be brief' }, { guidelineType: 'dont', guidelineCategory: 'tone', guidelineText: 'No jargon' }];

describe('finalizeAgentOnboarding', options, () => {
    it('example: no body', options, async () => {
        const id = await wizard.agent();
        const { status, body } = await post(wizard.host, 'finalizeAgentOnboarding', { token: await mint(id) });
        assert.equal(status, 200);
        const { agentConfig, ...rest } = body;
        assert.deepEqual(rest, { success: true, message: 'Agent onboarding completed', guidelinesSaved: 0, knowledgeSaved: 0 });
        assert.deepEqual(
            [agentConfig.user_id, agentConfig.agent_type, agentConfig.response_style, agentConfig.personality_traits, agentConfig.enabled],
            [id, 'executive_assistant', 'professional', [], true]);
        assert.equal((await rows('user_onboarding', id))[0].agent_onboarding_completed, true);
    });

    it('example: two guidelines, twice', options, async () => {
        const id = await wizard.agent();
        assert.equal((await call(id, { guidelines: GUIDELINES })).body.guidelinesSaved, 2);
        assert.equal((await call(id, { guidelines: GUIDELINES })).body.guidelinesSaved, 0);
        assert.deepEqual(
            (await rows('user_guidelines', id)).map((row) => [row.agent_type, row.guideline_type, row.guideline_category, row.guideline_text]).sort(),
            [['executive_assistant', 'do', 'tone', 'Be brief'], ['executive_assistant', 'dont', 'tone', 'No jargon']]);
        assert.equal((await call(id, { agentType: 'copilot', guidelines: [GUIDELINES[0], GUIDELINES[0]] })).body.guidelinesSaved, 1, 'another agent, one of two alike');
    });

    it('a configuration that is there: only what is given changes', options, async () => {
        const id = await wizard.agent();
        await wizard.database.rows(
            `INSERT INTO agent_config (user_id, agent_type, enabled, response_style, personality_traits, voice_id) VALUES ($1, 'sdr', false, 'warm', '{kind}', 'v1')`, [id]);
        let { agentConfig } = (await call(id, { agentType: 'sdr' })).body;
        assert.deepEqual([agentConfig.enabled, agentConfig.response_style, agentConfig.personality_traits, agentConfig.voice_id], [true, 'warm', ['kind'], 'v1']);
        ({ agentConfig } = (await call(id, { agentType: 'sdr', responseStyle: 'curt', personalityTraits: [] })).body);
        assert.deepEqual([agentConfig.response_style, agentConfig.personality_traits], ['curt', []]);
        ({ agentConfig } = (await call(id, { agentType: 'sdr', personalityTraits: ['calm', 'exact'] })).body);
        assert.deepEqual([agentConfig.response_style, agentConfig.personality_traits], ['curt', ['calm', 'exact']]);
        assert.equal((await rows('agent_config', id)).length, 1);
    });

    it('knowledge: stored under type and title, later content replaces earlier', options, async () => {
        const id = await wizard.agent();
        const first = [{ title: 'Fees', content: '6 %' }, { type: 'faq', title: 'Fees', content: 'See above', metadata: { page: 3 } }, { title: 'Area', content: 'old' }, { title: 'Area', content: 'new' }];
        assert.equal((await call(id, { knowledge: first })).body.knowledgeSaved, 3);
        const stored = async () =>
            (await rows('user_knowledge', id)).map((row) => [row.knowledge_type, row.title, row.content, row.metadata]).sort();
        assert.deepEqual(await stored(), [['faq', 'Fees', 'See above', { page: 3 }], ['note', 'Area', 'new', {}], ['note', 'Fees', '6 %', {}]]);
        assert.equal((await call(id, { knowledge: [{ title: 'Fees', content: '5 %' }, { title: 'Hours', content: '9 to 5' }] })).body.knowledgeSaved, 2);
        assert.deepEqual(await stored(), [['faq', 'Fees', 'See above', { page: 3 }], ['note', 'Area', 'new', {}], ['note', 'Fees', '5 %', {}], ['note', 'Hours', '9 to 5', {}]]);
    });

    it('the same request several times at once stores everything once', options, async () => {
        const id = await wizard.agent(), data = { guidelines: GUIDELINES, knowledge: [{ title: 'Fees', content: '6 %' }] };
        const answers = await Promise.all(Array.from({ length: 6 }, () => call(id, data)));
        for (const { status } of answers) assert.equal(status, 200);
        assert.equal(answers.reduce((sum, { body }) => sum + body.guidelinesSaved, 0), 2);
        assert.deepEqual([(await rows('user_guidelines', id)).length, (await rows('user_knowledge', id)).length], [2, 1]);
    });

    it('other users keep theirs', options, async () => {
        const id = await wizard.agent(), other = await wizard.agent();
        await call(other, { knowledge: [{ title: 'Fees', content: 'theirs' }], guidelines: GUIDELINES });
        assert.equal((await call(id, { knowledge: [{ title: 'Fees', content: 'mine' }], guidelines: GUIDELINES })).body.guidelinesSaved, 2);
        assert.equal((await rows('user_knowledge', other))[0].content, 'theirs');
    });

    it('limits, at their bounds', options, async () => {
        const id = await wizard.agent();
        const most = {
            agentType: `a${'_'.repeat(49)}`, responseStyle: 'r'.repeat(50), personalityTraits: Array(20).fill('t'.repeat(100)),
            guidelines: Array.from({ length: 100 }, (_, i) => ({ type: 't'.repeat(50), category: 'c'.repeat(100), text: `${i}`.padEnd(5000, 'x') })),
            knowledge: [{ type: 'k'.repeat(50), title: 'é'.repeat(255), content: 'x'.repeat(100000) }],
        };
        const { body } = await call(id, most);
        assert.deepEqual([body.guidelinesSaved, body.knowledgeSaved], [100, 1]);
        const refused = async (data, field) => {
            const answer = await call(id, data);
            assertRefused(answer, 400, 'invalid_input', `onboardingData.${field}`);
            assert.equal(answer.body.success, false);
        };
        const [guideline] = GUIDELINES, note = { title: 'a', content: 'b' };
        for (const agentType of ['A', '1a', 'a-b', `a${'_'.repeat(50)}`, 7]) await refused({ agentType }, 'agentType');
        await refused({ responseStyle: 'r'.repeat(51) }, 'responseStyle');
        await refused({ personalityTraits: Array(21).fill('t') }, 'personalityTraits');
        await refused({ personalityTraits: ['a', 't'.repeat(101)] }, 'personalityTraits[1]');
        await refused({ guidelines: Array(101).fill(guideline) }, 'guidelines');
        await refused({ guidelines: [guideline, guideline, { ...guideline, text: '' }] }, 'guidelines[2].text');
        await refused({ guidelines: [{ ...guideline, text: 'x'.repeat(5001) }] }, 'guidelines[0].text');
        await refused({ guidelines: [{ ...guideline, type: 'x'.repeat(51) }] }, 'guidelines[0].type');
        await refused({ guidelines: [{ text: 'a', type: 'b' }] }, 'guidelines[0].category');
        await refused({ knowledge: Array(101).fill(note) }, 'knowledge');
        await refused({ knowledge: [note, { ...note, title: 'é'.repeat(256) }] }, 'knowledge[1].title');
        await refused({ knowledge: [{ title: 'a' }] }, 'knowledge[0].content');
        await refused({ knowledge: [{ ...note, content: 'x'.repeat(100001) }] }, 'knowledge[0].content');
        await refused({ knowledge: [{ ...note, metadata: [] }] }, 'knowledge[0].metadata');
        assert.equal((await rows('user_knowledge', id)).length, 1);
    });

    it('a caller without a profile; an error says success: false', options, async () => {
        const answer = await call('user_without_profile', {});
        assertRefused(answer, 404, 'user_not_found');
        assert.equal(answer.body.success, false);
        assert.equal((await post(wizard.host, 'finalizeAgentOnboarding', {})).body.success, false);
    });

    it('a failure stores nothing', options, async () => {
        const id = await wizard.agent();
        await wizard.database.rows(`ALTER TABLE user_knowledge ADD CONSTRAINT broken CHECK (user_id <> '${id}')`);
        assertRefused(await call(id, { guidelines: GUIDELINES, knowledge: [{ title: 'a', content: 'b' }] }), 500, 'internal_error');
        for (const table of ['agent_config', 'user_guidelines', 'user_onboarding']) assert.deepEqual(await rows(table, id), [], table);
        await wizard.database.rows('ALTER TABLE user_knowledge DROP CONSTRAINT broken');
    });
});

refusals(wizard, 'finalizeAgentOnboarding', {
    body: {},
    wrong: {
        onboardingData: NOT.object,
        'onboardingData.guidelines': NOT.array.map((guidelines) => ({ guidelines })),
        'onboardingData.guidelines[0]': NOT.object.map((guideline) => ({ guidelines: [guideline] })),
        'onboardingData.knowledge': NOT.array.map((knowledge) => ({ knowledge })),
        'onboardingData.personalityTraits[0]': NOT.text.map((trait) => ({ personalityTraits: [trait] })),
    },
    untouched: ['agent_config', 'user_guidelines', 'user_knowledge', 'user_onboarding'],
});
