/*
 * saveOnboardingProgress (spec data.md): its examples, flags that follow from others, steps from two devices.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const wizard = suite({ functions: ['saveOnboardingProgress'] });
const call = (id, progressData) => wizard.call('saveOnboardingProgress', id, { progressData });
const save = async (id, progressData) => {
    const { status, body } = await call(id, progressData);
    assert.equal(status, 200, JSON.stringify(body));
    return body.data;
};
const started = async (columns = {}) => {
    const id = await wizard.agent(), row = { user_id: id, ...columns };
    const names = Object.keys(row);
    await wizard.database.rows(
        `INSERT INTO user_onboarding (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
        Object.values(row),
    );
    return id;
};
const row = (id) => wizard.database.row('SELECT * FROM user_onboarding WHERE user_id = $1', [id]);
const isNow = (time) => assert.ok(Math.abs(Date.parse(time) - Date.now()) < 20000, time);
const DAY = '2026-01-02T03:04:05+00:00';

describe('saveOnboardingProgress: examples', options, () => {
    it('steps are added to those that are there', options, async () => {
        const id = await started({ completed_steps: ['market'] });
        assert.deepEqual((await save(id, { completed_steps: ['market', 'brand'] })).completed_steps, ['market', 'brand']);
        assert.deepEqual((await row(id)).completed_steps, ['market', 'brand']);
    });

    it('what is no column is named', options, async () => {
        const { body } = await call(await wizard.agent(), { onboarding_completed: true, foo: 1 });
        assert.equal(body.success, true);
        assert.equal(body.data.onboarding_completed, true);
        assert.deepEqual(body.ignoredFields, ['foo']);
    });

    it('"yes" is no boolean', options, async () => {
        assertRefused(
            await call(await wizard.agent(), { onboarding_completed: 'yes' }), 400, 'invalid_input', 'progressData.onboarding_completed');
    });
});

describe('saveOnboardingProgress: columns', options, () => {
    it('an empty object makes sure that the row is there', options, async () => {
        const id = await wizard.agent();
        const { body } = await call(id, {});
        assert.deepEqual(body.ignoredFields, []);
        assert.deepEqual(
            [body.data.user_id, body.data.onboarding_completed, body.data.completed_steps, body.data.onboarding_completion_date],
            [id, false, [], null]);
        assert.equal((await save(id, {})).id, body.data.id);
    });

    it('both spellings, and ignored names in their order', options, async () => {
        const { body } = await call(await wizard.agent(), {
            zip: 1, agentOnboardingCompleted: true, user_id: 'user_other', call_center_onboarding_completed: true,
            agentIntelligenceCompleted: true, agent_intelligence_completion_date: DAY, disclosureAccepted: true,
            disclosureAcceptanceTimestamp: '2026-01-02T03:04:05', completedSteps: ['a'], highlevel_webhook_sent: true,
        });
        assert.deepEqual(body.ignoredFields, ['zip', 'user_id', 'highlevel_webhook_sent']);
        const { data } = body;
        assert.deepEqual(
            [data.agent_onboarding_completed, data.call_center_onboarding_completed, data.agent_intelligence_completed, data.agent_intelligence_completion_date, data.disclosure_accepted, data.disclosure_acceptance_timestamp, data.completed_steps, data.highlevel_webhook_sent],
            [true, true, true, DAY, true, DAY, ['a'], false]);
    });

    it('what is absent stays, null clears a time', options, async () => {
        const id = await started({ agent_intelligence_completed: true, agent_intelligence_completion_date: DAY, disclosure_acceptance_timestamp: DAY });
        const data = await save(id, { disclosure_acceptance_timestamp: null, agent_intelligence_completed: null });
        assert.deepEqual(
            [data.agent_intelligence_completed, data.agent_intelligence_completion_date, data.disclosure_acceptance_timestamp], [true, DAY, null]);
    });

    it('steps: each once, in their order, 100 at most, of 100 characters at most', options, async () => {
        const id = await started({ completed_steps: ['b'] });
        assert.deepEqual((await save(id, { completed_steps: ['z', 'a', 'b', 'z', 'c'] })).completed_steps, ['b', 'z', 'a', 'c']);
        assert.deepEqual((await save(id, { completed_steps: [] })).completed_steps, ['b', 'z', 'a', 'c']);
        const many = Array.from({ length: 101 }, (_, i) => `s${i}`), wide = 'é'.repeat(100);
        assertRefused(await call(id, { completed_steps: many }), 400, 'invalid_input', 'progressData.completed_steps');
        assertRefused(await call(id, { completed_steps: ['x', ''] }), 400, 'invalid_input', 'progressData.completed_steps[1]');
        assertRefused(await call(id, { completed_steps: [`${wide}x`] }), 400, 'invalid_input', 'progressData.completed_steps[0]');
        assert.equal((await save(id, { completed_steps: [...many.slice(2), wide] })).completed_steps.length, 104);
    });
});

describe('saveOnboardingProgress: what follows from what', options, () => {
    it('a completion date completes', options, async () => {
        const data = await save(await wizard.agent(), { onboarding_completion_date: DAY });
        assert.deepEqual([data.onboarding_completed, data.onboarding_completion_date], [true, DAY]);
    });

    it('completed without a date: now, or the date that is there', options, async () => {
        isNow((await save(await wizard.agent(), { onboarding_completed: true })).onboarding_completion_date);
        isNow((await save(await started(), { onboarding_completed: true, onboarding_completion_date: null })).onboarding_completion_date);
        const id = await started({ onboarding_completed: true, onboarding_completion_date: DAY });
        assert.equal((await save(id, { onboarding_completed: true })).onboarding_completion_date, DAY);
        assert.equal((await save(id, { onboarding_completed: true, onboardingCompletionDate: '2026-05-05' + 'T00:00Z' })).onboarding_completion_date, '2026-05-05T00:00:00+00:00');
    });

    it('not completed: no date, also not the one that is sent along', options, async () => {
        const id = await started({ onboarding_completed: true, onboarding_completion_date: DAY });
        let data = await save(id, { onboarding_completed: false });
        assert.deepEqual([data.onboarding_completed, data.onboarding_completion_date], [false, null]);
        data = await save(id, { onboarding_completed: false, onboarding_completion_date: DAY });
        assert.deepEqual([data.onboarding_completed, data.onboarding_completion_date], [false, null]);
    });

    it('a date that is cleared leaves the flag', options, async () => {
        const id = await started({ onboarding_completed: true, onboarding_completion_date: DAY });
        const data = await save(id, { onboarding_completion_date: null });
        assert.deepEqual([data.onboarding_completed, data.onboarding_completion_date], [true, null]);
    });

    it('the five steps of the call centre complete it, over several requests', options, async () => {
        const id = await wizard.agent();
        const four = await save(id, { completed_steps: ['phone', 'voice', 'identity', 'workspace'] });
        assert.equal(four.call_center_onboarding_completed, false);
        const five = await save(id, { completed_steps: ['call-confirm'], call_center_onboarding_completed: false });
        assert.equal(five.call_center_onboarding_completed, true);
    });

    it('two devices at once lose no step', options, async () => {
        const id = await wizard.agent();
        await Promise.all(Array.from({ length: 12 }, (_, i) => save(id, { completed_steps: [`step-${i}`, 'shared'] })));
        const { completed_steps: steps } = await row(id);
        assert.deepEqual([...steps].sort(), [...Array.from({ length: 12 }, (_, i) => `step-${i}`), 'shared'].sort());
    });

    it('a caller without a profile', options, async () => {
        assertRefused(await call('user_without_profile', {}), 404, 'user_not_found');
    });
});

refusals(wizard, 'saveOnboardingProgress', {
    body: { progressData: { completed_steps: ['a'] } },
    required: ['progressData'],
    wrong: {
        progressData: NOT.object,
        'progressData.disclosure_accepted': NOT.boolean.map((value) => ({ disclosure_accepted: value })),
        'progressData.agent_onboarding_completed': NOT.boolean.map((value) => ({ agentOnboardingCompleted: value })),
        'progressData.completed_steps': NOT.array.map((value) => ({ completed_steps: value })),
        'progressData.completed_steps[0]': NOT.text.map((value) => ({ completed_steps: [value] })),
        'progressData.onboarding_completion_date': NOT.time.map((value) => ({ onboarding_completion_date: value })),
    },
    untouched: ['user_onboarding'],
});
