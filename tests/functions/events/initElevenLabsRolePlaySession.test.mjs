/*
 * initElevenLabsRolePlaySession (spec events.md S4, S8, S10): its examples, whom it refuses, what ElevenLabs is sent, and what
 * becomes of the session when it fails.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { Stage } from '../../support/role_play.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';

const s = suite({
    functions: ['initElevenLabsRolePlaySession'],
    providers: { elevenlabs: { first_byte_timeout: '200ms' } },
});
const elevenlabs = s.provider('elevenlabs');
const stage = new Stage(s);
const start = (user, scenarioId, more = {}) => s.call('initElevenLabsRolePlaySession', user, { scenarioId, ...more });
const accepted = { body: { success: true, message: 'Success', conversation_id: 'conv_9', callSid: 'CA9' } };
const ok = (answer) => assert.equal(answer.status, 200, JSON.stringify(answer.body));

describe('initElevenLabsRolePlaySession: examples', options, () => {
    it('a call to the user\'s own phone', options, async () => {
        const [user, scenario] = [await stage.trainee({ credits: 5, full_name: 'Ann Lee' }), await stage.scenario({ first_message_override: 'Hi!' })];
        await elevenlabs.order(accepted);
        const { status, body } = await start(user, scenario);
        assert.equal(status, 200, JSON.stringify(body));
        assert.deepEqual(body, {
            success: true, sessionId: body.sessionId, session_id: body.sessionId, conversationId: 'conv_9', callSid: 'CA9', message: 'Success',
        });
        const [request] = await elevenlabs.requests();
        const { dynamic_variables, conversation_config_override, ...rest } = request.body.conversation_initiation_client_data;
        assert.deepEqual(rest, {});
        assert.deepEqual(
            [request.method, request.path, request.headers['xi-api-key'], request.body.agent_id, request.body.agent_phone_number_id, request.body.to_number],
            ['POST', '/v1/convai/twilio/outbound-call', 'test-elevenlabs-api-key', 'ag_1', 'pn_1', '+15125550101'],
        );
        assert.match(dynamic_variables.started_at, /^\d{4}-\d\d-\d\dT.*Z$/);
        assert.deepEqual(dynamic_variables, {
            user_id: user, user_email: `${user}@example.com`, session_id: body.sessionId, scenario_id: scenario,
            scenario_name: 'Price objection', client_persona: 'Doubtful seller', initial_context: 'A seller wants more than the market gives',
            agent_full_name: 'Ann Lee', started_at: dynamic_variables.started_at,
        });
        assert.deepEqual(conversation_config_override, {
            agent: { language: 'en', first_message: 'Hi!' }, tts: { voice_id: 'test-eleven-labs-default-voice-id' },
        });
        const row = await stage.session(body.sessionId);
        assert.deepEqual([row.status, row.conversation_id, row.call_sid, row.scenario_id, row.user_id], ['initiated', 'conv_9', 'CA9', scenario, user]);
        assert.deepEqual(row.metadata, {
            scenario_name: 'Price objection', client_persona: 'Doubtful seller', initial_context: 'A seller wants more than the market gives',
            prepaid_credits: 0, dynamic_variables, conversation_override: conversation_config_override,
        });
        assert.deepEqual(await stage.credits(user), { available: 5, used: 0 });
        assert.deepEqual(await stage.ledger(user), []);
    });

    it('four credits: 402, no row, no call', options, async () => {
        const user = await stage.trainee({ credits: 4 });
        const answer = await start(user, await stage.scenario());
        assertRefused(answer, 402, 'insufficient_credits');
        assert.deepEqual([answer.body.success, answer.body.currentBalance, answer.body.required], [false, 4, 5]);
        assert.deepEqual([await stage.sessions(user), await elevenlabs.requests()], [[], []]);
    });

    it('ElevenLabs answers 500: 502, the session has failed', options, async () => {
        const user = await stage.trainee({ credits: 5 });
        await elevenlabs.order({ status: 500, body: { detail: { message: 'overloaded' } } });
        const answer = await start(user, await stage.scenario());
        assertRefused(answer, 502, 'voice_provider_failed');
        assert.equal(answer.body.success, false);
        const [row] = await stage.sessions(user);
        assert.deepEqual([row.status, row.metadata.last_error, row.conversation_id], ['failed', 'HTTP 500: overloaded', null]);
        assert.deepEqual([await stage.credits(user), await stage.ledger(user)], [{ available: 5, used: 0 }, []]);
    });
});

describe('initElevenLabsRolePlaySession: who may', options, () => {
    it('no row of credits: 402; paid tiers need none', options, async () => {
        const scenario = await stage.scenario();
        assertRefused(await start(await stage.trainee(), scenario), 402, 'insufficient_credits');
        for (const subscription_tier of ['Subscriber', 'Admin', 'Owner', 'Investor'])
            ok(await start(await stage.trainee({ subscription_tier }), scenario));
        for (const subscription_tier of ['Professional', 'subscriber', null])
            assertRefused(await start(await stage.trainee({ subscription_tier }), scenario), 402, 'insufficient_credits');
    });

    it('premium scenarios are for paid tiers', options, async () => {
        const scenario = await stage.scenario({ is_premium: true });
        assertRefused(await start(await stage.trainee({ credits: 90 }), scenario), 402, 'premium_required');
        ok(await start(await stage.trainee({ subscription_tier: 'Subscriber' }), scenario));
    });

    it('scenarios that are not there or not active: 404', options, async () => {
        const user = await stage.trainee({ credits: 5 });
        assertRefused(await start(user, '00000000-0000-4000-8000-000000000001'), 404, 'scenario_not_found');
        assertRefused(await start(user, await stage.scenario({ is_active: false })), 404, 'scenario_not_found');
    });

    for (const [phone, expected] of [
        ['5125550101', '+15125550101'],
        ['1 (512) 555.0101', '+15125550101'],
        ['+1 512 555 0101', '+15125550101'],
        ['+44 20 7946 0958', null],
        ['15125550101', '+15125550101'],
        ['25125550101', null],
        ['512555010', null],
        ['+123456789', null],
        ['+1234567890123456', null],
        ['', null],
        ['none', null],
        [null, null],
    ])
        it(`the phone ${phone}: ${expected ?? '422'}`, options, async () => {
            const answer = await start(await stage.trainee({ credits: 5, phone }), await stage.scenario());
            if (expected === null) return assertRefused(answer, 422, 'phone_required');
            ok(answer);
            assert.equal((await elevenlabs.bodies())[0].to_number, expected);
        });

    it('countries are a setting; agents and voices may be missing', options, async () => {
        const env = { OUTBOUND_ALLOWED_COUNTRY_CODES: ' 44, +49', ELEVEN_LABS_DEFAULT_AGENT_ID: null, ELEVEN_LABS_DEFAULT_VOICE_ID: '', ELEVENLABS_API_KEY: null, ELEVEN_LABS_API_KEY: 'test-elevenlabs-api-key' };
        await withHost({ functions: ['initElevenLabsRolePlaySession'], database: s.database.url, env }, async (host) => {
            const call = (user, scenario) => s.call('initElevenLabsRolePlaySession', user, { scenarioId: scenario }, { host });
            const bare = await stage.scenario({ eleven_labs_agent_id: null });
            assertRefused(await call(await stage.trainee({ credits: 5 }), bare), 422, 'phone_required');
            const british = await stage.trainee({ credits: 5, phone: '+442079460958' });
            assertRefused(await call(british, bare), 409, 'voice_agent_missing');
            ok(await call(british, await stage.scenario()));
            const [{ metadata }] = await stage.sessions(british);
            assert.deepEqual(metadata.conversation_override, { agent: { language: 'en' } });
        });
    });

    it('without a key: 503, and nothing is read', options, () =>
        withHost({ functions: ['initElevenLabsRolePlaySession'], database: s.database.url, env: { ELEVENLABS_API_KEY: '' } }, async (host) => {
            const answer = await s.call('initElevenLabsRolePlaySession', 'user_none', { scenarioId: '00000000-0000-4000-8000-000000000001' }, { host });
            assertRefused(answer, 503, 'not_configured');
            assert.match(answer.body.error, /ELEVENLABS_API_KEY/);
        }));

    it('line, agent and voice: the scenario\'s, else the user\'s, value by value', options, async () => {
        const bare = await stage.scenario({ eleven_labs_phone_number_id: null, eleven_labs_agent_id: '' });
        const user = await stage.trainee({ subscription_tier: 'Owner' });
        const config = (type, values) =>
            s.database.rows(
                `INSERT INTO agent_config (user_id, agent_type, eleven_labs_phone_number_id, eleven_labs_agent_id, eleven_labs_voice_id, voice_id, settings) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
                [user, type, ...['line', 'agent', 'voice', 'own'].map((name) => values[name] ?? null), values.settings ?? {}],
            );
        const dialled = async () => {
            await elevenlabs.reset();
            await s.database.rows('DELETE FROM role_play_session_logs WHERE user_id = $1', [user]);
            ok(await start(user, bare));
            const [body] = await elevenlabs.bodies();
            return [body.agent_phone_number_id, body.agent_id, body.conversation_initiation_client_data.conversation_config_override.tts.voice_id];
        };
        assertRefused(await start(user, bare), 409, 'voice_line_missing');
        await config('executive_assistant', { settings: { eleven_labs_twilio_number_id: 'pn_repaired' }, own: 'not_mine' });
        assert.deepEqual(await dialled(), ['pn_repaired', 'test-eleven-labs-default-agent-id', 'test-eleven-labs-default-voice-id']);
        await config('other', { line: 'pn_other', agent: 'ag_other' });
        assert.deepEqual(await dialled(), ['pn_other', 'ag_other', 'test-eleven-labs-default-voice-id']);
        await config('sales_agent', { line: 'pn_sales', own: 'voice_sales' });
        assert.deepEqual(await dialled(), ['pn_sales', 'ag_other', 'voice_sales']);
        await s.database.rows(`UPDATE agent_config SET eleven_labs_voice_id = 'voice_line' WHERE user_id = $1 AND agent_type = 'sales_agent'`, [user]);
        assert.deepEqual(await dialled(), ['pn_sales', 'ag_other', 'voice_line']);
    });

    it('other people\'s lines are not used', options, async () => {
        const [one, other] = [await stage.trainee({ credits: 5 }), await stage.trainee({ credits: 5 })];
        await s.database.rows(`INSERT INTO agent_config (user_id, agent_type, eleven_labs_phone_number_id) VALUES ($1, 'sales_agent', 'pn_x')`, [other]);
        assertRefused(await start(one, await stage.scenario({ eleven_labs_phone_number_id: null })), 409, 'voice_line_missing');
    });
});

describe('initElevenLabsRolePlaySession: one at a time', options, () => {
    it('a second call within ten minutes: 409 with the first one\'s id', options, async () => {
        const [user, scenario] = [await stage.trainee({ credits: 50 }), await stage.scenario()];
        const first = await start(user, scenario);
        const second = await start(user, scenario);
        assertRefused(second, 409, 'session_in_progress');
        assert.equal(second.body.sessionId, first.body.sessionId);
        await s.database.rows(`UPDATE role_play_session_logs SET created_at = now() - interval '10 minutes 1 second' WHERE user_id = $1`, [user]);
        ok(await start(user, scenario));
        await s.database.rows(`UPDATE role_play_session_logs SET status = 'completed' WHERE user_id = $1`, [user]);
        ok(await start(user, scenario));
        assert.equal((await stage.sessions(user)).length, 3);
    });

    it('eight at once: one call', options, async () => {
        const [user, scenario] = [await stage.trainee({ credits: 50 }), await stage.scenario()];
        const answers = await Promise.all(Array.from({ length: 8 }, () => start(user, scenario)));
        assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(7).fill(409)]);
        assert.equal((await elevenlabs.requests()).length, 1);
    });

    it('an idempotency key answers the first one\'s session, before other checks', options, async () => {
        const [user, scenario] = [await stage.trainee({ credits: 5 }), await stage.scenario()];
        await elevenlabs.order(accepted);
        const first = await start(user, scenario, { idempotencyKey: 'k-1' });
        await s.database.rows('UPDATE user_credits SET credits_available = 0 WHERE user_id = $1', [user]);
        const again = await start(user, scenario, { idempotencyKey: 'k-1' });
        const { message: _, ...rest } = first.body;
        const { message: __, ...repeated } = again.body;
        assert.deepEqual([again.status, repeated], [200, { ...rest, replayed: true }]);
        const [{ id }] = await s.database.rows(`SELECT md5('roleplay:' || $1 || ':k-1')::uuid AS id`, [user]);
        assert.equal(first.body.sessionId, id);
        assert.equal((await elevenlabs.requests()).length, 1);
        const other = await stage.trainee({ credits: 5 });
        assert.notEqual((await start(other, scenario, { idempotencyKey: 'k-1' })).body.sessionId, id);
    });

    it('a replay of a call that failed says so', options, async () => {
        const [user, scenario] = [await stage.trainee({ credits: 5 }), await stage.scenario()];
        await elevenlabs.order({ status: 500, body: {} });
        await start(user, scenario, { idempotencyKey: 'k-2' });
        const { status, body } = await start(user, scenario, { idempotencyKey: 'k-2' });
        assert.deepEqual([status, body.success, body.replayed, body.conversationId], [200, false, true, null]);
        assert.equal(typeof body.error, 'string');
    });
});

describe('initElevenLabsRolePlaySession: ElevenLabs fails', options, () => {
    for (const [name, order, status, code, error] of [
        ['400', { status: 400, body: { detail: { message: 'no such agent' } } }, 422, 'call_rejected', 'HTTP 400: no such agent'],
        ['404', { status: 404, body: { detail: 'Not Found' } }, 422, 'call_rejected', 'HTTP 404: Not Found'],
        ['422', { status: 422, body: { detail: [{ msg: 'bad number' }] } }, 422, 'call_rejected', 'HTTP 422: bad number'],
        ['401', { status: 401, body: {} }, 503, 'voice_provider_unauthorized', 'HTTP 401'],
        ['403', { status: 403, body: {} }, 503, 'voice_provider_unauthorized', 'HTTP 403'],
        ['429', { status: 429, headers: { 'retry-after': '9' }, body: {} }, 429, 'provider_rate_limited', 'HTTP 429'],
        ['503', { status: 503, body: 'x'.repeat(900) }, 502, 'voice_provider_failed', 'HTTP 503'],
        ['success false', { body: { success: false, message: 'm'.repeat(600), conversation_id: 'c' } }, 502, 'voice_provider_failed', 'm'.repeat(500)],
        ['no conversation', { body: { success: true, message: null } }, 502, 'voice_provider_failed', 'ElevenLabs named no conversation'],
        ['garbage', { body: '<html>' }, 502, 'voice_provider_failed', 'ElevenLabs named no conversation'],
        ['a broken connection', { drop: true }, 502, 'voice_provider_failed', 'ElevenLabs could not be reached'],
        ['half an answer', { ...accepted, status: 200, truncateAfter: 20 }, 502, 'voice_provider_failed', 'ElevenLabs could not be reached'],
    ])
        it(`${name}: ${status} ${code}`, options, async () => {
            const [user, scenario] = [await stage.trainee({ credits: 5 }), await stage.scenario()];
            await elevenlabs.order(order);
            const answer = await start(user, scenario);
            assertRefused(answer, status, code);
            assert.equal(answer.body.success, false);
            assert.equal(answer.headers.get('retry-after'), status === 429 ? '9' : null);
            const [row] = await stage.sessions(user);
            assert.deepEqual([row.status, row.metadata.last_error], ['failed', error]);
            assert.equal((await elevenlabs.requests()).length, 1, 'calls are never repeated');
            ok(await start(user, scenario));
        });

    it('no answer in time: 504, and the session stays open', options, async () => {
        const [user, scenario] = [await stage.trainee({ credits: 5 }), await stage.scenario()];
        await elevenlabs.order({ delayMs: 5000 });
        assertRefused(await start(user, scenario), 504, 'voice_provider_timeout');
        const [row] = await stage.sessions(user);
        assert.deepEqual([row.status, row.metadata.last_error], ['pending_initiation', 'ElevenLabs did not answer in time']);
    });

    it('a webhook that overtakes the answer: what it has written stays', options, async () => {
        const [user, scenario] = [await stage.trainee({ credits: 5 }), await stage.scenario()];
        await elevenlabs.order({ delayMs: 100, ...accepted });
        const starting = start(user, scenario);
        await elevenlabs.arrived(1);
        await s.database.rows(`UPDATE role_play_session_logs SET status = 'completed' WHERE user_id = $1`, [user]);
        ok(await starting);
        const [row] = await stage.sessions(user);
        assert.deepEqual([row.status, row.conversation_id], ['completed', 'conv_9']);
    });
});

refusals(s, 'initElevenLabsRolePlaySession', {
    body: { scenarioId: '00000000-0000-4000-8000-000000000001' },
    required: ['scenarioId'],
    wrong: { scenarioId: NOT.uuid, idempotencyKey: [7, 'a b', 'a/b', 'k'.repeat(129)] },
    untouched: ['role_play_session_logs', 'credit_transactions'],
});
