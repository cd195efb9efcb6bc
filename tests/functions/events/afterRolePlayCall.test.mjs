/*
 * afterRolePlayCall: the job that has a training call evaluated. How the webhook adds it is elevenLabsRolePlayWebhook.test.mjs.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { NOT, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';

const s = suite({ functions: ['afterRolePlayCall', 'analyzeRolePlaySession'] });
const model = s.provider('lovable_ai');
const run = (sessionId, host = s.host) => post(host, 'afterRolePlayCall', { token: SERVICE_KEY, body: { sessionId } });
const session = async (transcript) => {
    const user = await s.agent();
    const [{ id }] = await s.database.rows('INSERT INTO role_play_session_logs (user_id, transcript) VALUES ($1, $2) RETURNING id', [user, JSON.stringify(transcript)]);
    return id;
};
const error = async (id) => (await s.database.row('SELECT metadata FROM role_play_session_logs WHERE id = $1', [id])).metadata.analysis_error;

describe('afterRolePlayCall', options, () => {
    it('has the call evaluated, once', options, async () => {
        const id = await session(['Hello']);
        await model.order({ content: '{"overall_score": 61}' });
        assert.deepEqual((await run(id)).body, { success: true, evaluated: true });
        assert.deepEqual((await run(id)).body, { success: true, evaluated: true });
        assert.equal((await model.requests()).length, 1);
        assert.deepEqual([await s.database.count('role_play_analysis_reports', 'session_id = $1', [id]), await error(id)], [1, undefined]);
    });

    it('notes what went wrong, and is done', options, async () => {
        const id = await session([]);
        assert.deepEqual((await run(id)).body, { success: true, evaluated: false });
        assert.match(await error(id), /^empty_transcript: /);
    });

    it('without the function that evaluates', options, () =>
        withHost({ functions: ['afterRolePlayCall'], database: s.database.url }, async (host) => {
            const id = await session(['Hello']);
            assert.deepEqual((await run(id, host)).body, { success: true, evaluated: false });
            assert.match(await error(id), /^function_not_found: /);
        }));
});

refusals(s, 'afterRolePlayCall', {
    mode: 'service',
    body: { sessionId: '00000000-0000-4000-8000-000000000001' },
    required: ['sessionId'],
    wrong: { sessionId: NOT.uuid },
    untouched: ['role_play_analysis_reports'],
});
