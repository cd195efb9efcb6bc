/*
 * purchaseTwilioNumber (spec events.md S7): its examples, who may buy and how many, what Twilio and ElevenLabs may answer, what
 * is written. That it buys once is purchaseTwilioNumber.once.test.mjs.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { NUMBER, Numbers, OTHER } from '../../support/numbers.mjs';
import { assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'purchaseTwilioNumber';
const limits = { twilio: { first_byte_timeout: '300ms' }, elevenlabs: { first_byte_timeout: '300ms' } };
const s = suite({ functions: [NAME], providers: limits });
const numbers = new Numbers(s);
const { twilio, elevenlabs } = numbers;
const buy = (user, phoneNumber = NUMBER, idempotencyKey = 'k-1', more = {}) => s.call(NAME, user, { phoneNumber, idempotencyKey }, more);

describe(`${NAME}: examples`, options, () => {
    it('bought, imported, written; then the same again', options, async () => {
        await s.database.person('user_a', { subscription_tier: 'Subscriber' });
        await twilio.order({ status: 201, body: { sid: 'PN1', phone_number: NUMBER } });
        await elevenlabs.order({ status: 200, body: { phone_number_id: 'phnum_1' } });
        const { status, body } = await buy('user_a');
        assert.equal(status, 200, JSON.stringify(body));
        const expected = { success: true, phoneNumber: NUMBER, sid: 'PN1', phoneNumberSid: 'PN1', elevenLabsTwilioNumberId: 'phnum_1' };
        assert.deepEqual(body, expected);
        const { settings, line } = await numbers.config('user_a');
        assert.deepEqual([settings, line], [{ twilio_phone_number: NUMBER, twilio_sid: 'PN1' }, 'phnum_1']);
        const [row, ...others] = await numbers.audit('user_a');
        assert.deepEqual([row.id, row.status, row.data.response, others], ['19d63ce0-a037-1528-c2ae-ba5b00bc1eb2', 'success', expected, []]);

        const asked = [(await twilio.requests()).length, (await elevenlabs.requests()).length];
        assert.deepEqual((await buy('user_a')).body, { ...expected, replayed: true });
        assert.deepEqual([(await twilio.requests()).length, (await elevenlabs.requests()).length], asked);

        const answer = await buy('user_a', OTHER);
        assertRefused(answer, 409, 'idempotency_conflict');
        assert.equal(answer.body.success, false);
        assert.equal((await numbers.orders()).length, 1);
    });

    it('Twilio: not available any more', options, async () => {
        const user = await numbers.buyer();
        await twilio.order({ status: 400, body: { code: 21422, message: 'PhoneNumber +15125550101 is not available', status: 400 } });
        assertRefused(await buy(user), 409, 'number_unavailable');
        const [{ status, error_message: error }] = await numbers.audit(user);
        assert.equal(status, 'failed');
        assert.match(error, /not available/);
        assert.equal(await numbers.config(user), undefined);
        assert.equal((await twilio.requests()).length, 1);
    });
});

describe(`${NAME}: what is asked`, options, () => {
    it('of Twilio and ElevenLabs', options, async () => {
        const user = await numbers.buyer();
        const { body } = await buy(user, { phone_number: NUMBER });
        const [{ path, headers, body: form }] = await twilio.requests();
        assert.equal(path, '/2010-04-01/Accounts/test-twilio-account-sid/IncomingPhoneNumbers.json');
        assert.equal(headers['content-type'], 'application/x-www-form-urlencoded');
        assert.deepEqual(Object.fromEntries(new URLSearchParams(form)), { PhoneNumber: NUMBER, FriendlyName: `pulse:${user}` });
        const [imported, assigned] = await elevenlabs.requests();
        assert.deepEqual([imported.path, imported.headers['xi-api-key'], imported.body], ['/v1/convai/phone-numbers', 'test-elevenlabs-api-key', {
            provider: 'twilio', phone_number: NUMBER, label: `Pulse ${user}`, sid: 'test-twilio-account-sid', token: 'test-twilio-auth-token',
        }]);
        assert.deepEqual([assigned.method, assigned.path, assigned.body],
            ['PATCH', `/v1/convai/phone-numbers/${body.elevenLabsTwilioNumberId}`, { agent_id: 'test-eleven-labs-default-agent-id' }]);
    });

    it('the URLs of calls and messages when there are any; a long id is cut; the user\'s own agent; the key in the header', options, async () => {
        const user = `user_${'x'.repeat(80)}`;
        await s.database.person(user, { subscription_tier: 'Owner' });
        await s.database.rows(
            `INSERT INTO agent_config (user_id, agent_type, settings, eleven_labs_agent_id) VALUES ($1, 'sales_agent', '{"kept": 1}', 'ag_own')`, [user]);
        const env = { TWILIO_VOICE_URL: 'https://a.example/voice?x=1&y=2', TWILIO_SMS_URL: 'https://a.example/sms' };
        const ours = { TWILIO_BASE_URL: `${s.host.url}/sandbox/twilio`, ELEVENLABS_BASE_URL: `${s.host.url}/sandbox/elevenlabs` };
        await withHost({ functions: [NAME], database: s.database.url, env: { ...env, ...ours } }, async (host) => {
            const { status, body } = await s.call(NAME, user, { phoneNumber: { phoneNumber: NUMBER } }, { host, headers: { 'idempotency-key': 'k-9' } });
            assert.equal(status, 200, JSON.stringify(body));
        });
        const form = new URLSearchParams((await twilio.requests())[0].body);
        assert.deepEqual([form.get('VoiceUrl'), form.get('SmsUrl'), form.get('FriendlyName')],
            [env.TWILIO_VOICE_URL, env.TWILIO_SMS_URL, `pulse:${user}`.slice(0, 64)]);
        assert.deepEqual((await elevenlabs.bodies())[1], { agent_id: 'ag_own' });
        const { settings, agent } = await numbers.config(user);
        assert.deepEqual([settings.kept, settings.twilio_phone_number, agent], [1, NUMBER, 'ag_own']);
    });
});

describe(`${NAME}: who may buy`, options, () => {
    it('paid tiers and active subscriptions', options, async () => {
        for (const subscription_tier of ['Admin', 'Owner', 'Investor']) {
            await twilio.reset();
            assert.equal((await buy(await numbers.buyer({ subscription_tier }))).status, 200);
        }
        const subscribe = (user, is_active, status) => s.database.rows(
            `INSERT INTO user_agent_subscriptions (user_id, agent_type, is_active, status) VALUES ($1, 'core', $2, $3)`, [user, is_active, status]);
        await twilio.reset();
        const subscriber = await numbers.buyer({ subscription_tier: 'Free' });
        await subscribe(subscriber, true, 'active');
        assert.equal((await buy(subscriber)).status, 200);

        await twilio.reset();
        for (const [active, status] of [[false, 'active'], [true, 'inactive']]) {
            const user = await numbers.buyer({ subscription_tier: 'Free' });
            await subscribe(user, active, status);
            assertRefused(await buy(user), 402, 'subscription_required');
        }
        for (const subscription_tier of ['Free', 'free', 'Starter', null])
            assertRefused(await buy(await numbers.buyer({ subscription_tier })), 402, 'subscription_required');
        assertRefused(await buy('user_without_profile'), 402, 'subscription_required');
        assert.deepEqual(await twilio.requests(), []);
    });

    it('one number: bought here, or in the config already', options, async () => {
        const user = await numbers.buyer();
        assert.equal((await buy(user)).status, 200);
        const answer = await buy(user, OTHER, 'k-2');
        assertRefused(answer, 409, 'number_limit_reached');
        assert.equal(answer.body.phoneNumber, NUMBER);
        assert.equal((await numbers.audit(user)).length, 1);

        const holder = await numbers.buyer();
        await s.database.rows(
            `INSERT INTO agent_config (user_id, agent_type, settings) VALUES ($1, 'other', '{"twilio_sid": "PN0", "twilio_phone_number": "+15125550199"}')`, [holder]);
        const held = await buy(holder, OTHER);
        assertRefused(held, 409, 'number_limit_reached');
        assert.equal(held.body.phoneNumber, '+15125550199');
        assert.deepEqual(await numbers.audit(holder), []);
        assert.equal((await numbers.orders()).length, 1);
    });

    it('as many as the setting says', options, async () => {
        const ours = { TWILIO_BASE_URL: `${s.host.url}/sandbox/twilio`, ELEVENLABS_BASE_URL: `${s.host.url}/sandbox/elevenlabs` };
        await withHost({ functions: [NAME], database: s.database.url, env: { TWILIO_MAX_NUMBERS_PER_USER: '2', ...ours } }, async (host) => {
            const user = await numbers.buyer();
            assert.equal((await buy(user, NUMBER, 'k-1', { host })).status, 200);
            assert.equal((await buy(user, OTHER, 'k-2', { host })).status, 200);
            assertRefused(await buy(user, '+15125550103', 'k-3', { host }), 409, 'number_limit_reached');
            assert.equal((await numbers.orders()).length, 2);
        });
    });
});

describe(`${NAME}: Twilio fails`, options, () => {
    for (const [title, order, status, code] of [
        ['another 400', { status: 400, body: { code: 21421, message: 'invalid' } }, 422, 'number_rejected'],
        ['401', { status: 401, body: { code: 20003 } }, 503, 'twilio_unauthorized'],
        ['403', { status: 403, body: {} }, 503, 'twilio_unauthorized'],
        ['404', { status: 404, body: {} }, 503, 'twilio_unauthorized'],
        ['402', { status: 402, body: {} }, 502, 'twilio_failed'],
    ])
        it(`${title}: nothing is bought, and the key may try again`, options, async () => {
            const user = await numbers.buyer();
            await twilio.order(order);
            const answer = await buy(user);
            assertRefused(answer, status, code);
            assert.equal(answer.body.success, false);
            assert.equal((await twilio.requests()).length, 1);
            const [row] = await numbers.audit(user);
            assert.deepEqual([row.status, typeof row.error_message], ['failed', 'string']);
            const again = await buy(user);
            assert.equal(again.status, 200, JSON.stringify(again.body));
            assert.equal(again.body.replayed, undefined);
            assert.deepEqual((await numbers.audit(user)).map((one) => [one.status, one.error_message]), [['success', null]]);
        });

    it('429, with its Retry-After', options, async () => {
        const user = await numbers.buyer();
        await twilio.order({ status: 429, headers: { 'retry-after': '9' }, body: { code: 20429 } });
        const answer = await buy(user);
        assertRefused(answer, 429, 'provider_rate_limited');
        assert.equal(answer.headers.get('retry-after'), '9');
        assert.equal((await numbers.audit(user))[0].status, 'failed');
    });

    for (const [title, order] of [
        ['500', { status: 500, body: {} }],
        ['a broken connection', { drop: true }],
        ['no answer', { delayMs: 3000 }],
        ['an answer that is none', { status: 201, body: '<html>' }],
        ['an answer without a sid', { status: 201, body: {} }],
    ])
        it(`${title}, and the number is not in the account: failed`, options, async () => {
            const user = await numbers.buyer();
            /* Same number, somebody else's label: not ours. */
            await twilio.order(order, { status: 200, body: { incoming_phone_numbers: [{ sid: 'PN7', phone_number: NUMBER, friendly_name: 'pulse:other' }] } });
            assertRefused(await buy(user), 502, 'twilio_failed');
            const [, lookup, ...others] = await twilio.requests();
            assert.deepEqual([lookup.method, lookup.query, others], ['GET', { PhoneNumber: NUMBER }, []]);
            assert.equal((await numbers.audit(user))[0].status, 'failed');
            assert.equal(await numbers.config(user), undefined);
        });
});

describe(`${NAME}: ElevenLabs fails`, options, () => {
    for (const [title, order] of [
        ['500', { status: 500, body: {} }],
        ['401', { status: 401, body: { detail: { status: 'invalid_api_key' } } }],
        ['422', { status: 422, body: {} }],
        ['no JSON', { status: 200, body: 'ok' }],
        ['no id', { status: 200, body: { phone_number_id: '' } }],
        ['a broken connection', { drop: true }],
        ['half an answer', { truncateAfter: 5 }],
        ['no answer', { delayMs: 3000 }],
    ])
        it(`${title}: 200 with a warning; the same key repeats the import only`, options, async () => {
            const user = await numbers.buyer();
            await elevenlabs.order(order);
            const first = await buy(user);
            assert.equal(first.status, 200, JSON.stringify(first.body));
            assert.deepEqual([first.body.success, first.body.elevenLabsTwilioNumberId, typeof first.body.warning], [true, null, 'string']);
            const config = await numbers.config(user);
            assert.deepEqual([config.settings.twilio_sid, config.line], [first.body.sid, null]);
            const again = await buy(user);
            assert.deepEqual([again.status, again.body.sid, again.body.warning, again.body.replayed], [200, first.body.sid, undefined, undefined]);
            assert.match(again.body.elevenLabsTwilioNumberId, /^phnum_/);
            assert.equal((await numbers.config(user)).line, again.body.elevenLabsTwilioNumberId);
            assert.deepEqual((await buy(user)).body, { ...again.body, replayed: true });
            assert.equal((await twilio.requests()).length, 1);
        });

    it('the agent cannot be assigned: no matter', options, async () => {
        const user = await numbers.buyer();
        await elevenlabs.order({}, { status: 500, body: {} });
        const { status, body } = await buy(user);
        assert.deepEqual([status, body.warning], [200, undefined]);
        await s.host.logged(({ event }) => event === 'number_agent_failed');
    });

    it('no key of ElevenLabs: a warning; a line that is there stays', options, async () => {
        const user = await numbers.buyer();
        await s.database.rows(`INSERT INTO agent_config (user_id, agent_type, eleven_labs_phone_number_id) VALUES ($1, 'sales_agent', 'phnum_old')`, [user]);
        const env = { ELEVENLABS_API_KEY: null, TWILIO_BASE_URL: `${s.host.url}/sandbox/twilio` };
        await withHost({ functions: [NAME], database: s.database.url, env }, async (host) => {
            const { status, body } = await buy(user, NUMBER, 'k-1', { host });
            assert.deepEqual([status, body.elevenLabsTwilioNumberId], [200, null]);
        });
        assert.equal((await numbers.config(user)).line, 'phnum_old');
    });
});

describe(`${NAME}: refused`, options, () => {
    it('numbers and keys that are none', options, async () => {
        const user = await numbers.buyer();
        for (const phoneNumber of [undefined, null, '', '5125550101', '+15125550', '+151255501012', '+11125550101', '+15121550101', '+445125550101', ' +15125550101',
            7, true, [], {}, { phoneNumber: 7 }, '+1512555010a', [NUMBER]])
            assertRefused(await s.call(NAME, user, { phoneNumber, idempotencyKey: 'k' }), 400, 'invalid_phone_number', 'phoneNumber');
        for (const phoneNumber of ['+12002000000', '+19999999999']) {
            const answer = await s.call(NAME, user, { phoneNumber });
            assertRefused(answer, 400, 'missing_idempotency_key', 'idempotencyKey');
        }
        assertRefused(await buy(user, NUMBER, 'a/b'), 400, 'invalid_input', 'idempotencyKey');
        assertRefused(await s.call(NAME, user, { phoneNumber: NUMBER, idempotencyKey: 'a' }, { headers: { 'idempotency-key': 'b' } }), 400, 'invalid_input', 'idempotencyKey');
        assert.deepEqual([await twilio.requests(), await numbers.audit(user)], [[], []]);
    });

    it('without an account: 503, naming the variable, before anything is read', options, async () => {
        for (const name of ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN'])
            await withHost({ functions: [NAME], database: s.database.url, env: { [name]: null } }, async (host) => {
                const answer = await post(host, NAME, { token: await mint('user_none'), body: { phoneNumber: NUMBER, idempotencyKey: 'k' } });
                assertRefused(answer, 503, 'not_configured');
                assert.match(answer.body.error, new RegExp(name));
            });
    });
});

refusals(s, NAME, {
    body: { phoneNumber: NUMBER, idempotencyKey: 'k-refusals' },
    wrong: { idempotencyKey: [7, true, [], {}, 'a b', 'x'.repeat(129)] },
    untouched: ['ai_actions_log', 'agent_config'],
    caller: () => numbers.buyer(),
});
