/*
 * twilioActions (spec events.md): its examples, each action, and where it differs from the functions behind it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NUMBER, Numbers, OTHER } from '../../support/numbers.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'twilioActions';
const s = suite({ functions: [NAME, 'purchaseTwilioNumber'] });
const numbers = new Numbers(s);
const { twilio, elevenlabs } = numbers;
const act = (user, action, payload, more) => s.call(NAME, user, { action, ...(payload === undefined ? {} : { payload }) }, more);
const purchase = (user, numberToPurchase = NUMBER, more = {}) => act(user, 'purchaseNumber', { numberToPurchase, ...more });

describe(`${NAME}: examples`, options, () => {
    it('searchNumbers: numbers as strings', options, async () => {
        const { status, body } = await act('user_any', 'searchNumbers', { areaCode: '512' });
        assert.equal(status, 200);
        assert.equal(body.numbers.length, 10);
        assert.deepEqual([body.success, body.numbers[0], body.details[0].phoneNumber], [true, NUMBER, NUMBER]);
    });

    it('purchaseNumber twice: bought once', options, async () => {
        const user = await numbers.buyer();
        const first = await purchase(user);
        assert.equal(first.status, 200, JSON.stringify(first.body));
        assert.match(first.body.elevenLabsTwilioNumberId, /^phnum_/);
        const second = await purchase(user);
        assert.deepEqual(second.body, { ...first.body, replayed: true });
        assert.deepEqual(await numbers.orders(), [[NUMBER, `pulse:${user}`]]);
        const [{ data }] = await numbers.audit(user);
        assert.equal(data.idempotency_key, `auto:${NUMBER}`);
    });

    it('sell is no action', options, async () => {
        const answer = await act('user_any', 'sell');
        assertRefused(answer, 400, 'unknown_action', 'action');
        assert.equal(answer.body.success, false);
    });
});

describe(`${NAME}: actions`, options, () => {
    it('getNumber: what the caller has, nothing of others', options, async () => {
        const [user, other] = [await numbers.buyer(), await numbers.buyer()];
        const none = { success: true, phoneNumber: null, sid: null, elevenLabsTwilioNumberId: null };
        assert.deepEqual((await act(user, 'getNumber')).body, none);
        const { body } = await purchase(user);
        assert.deepEqual((await act(user, 'getNumber', {})).body,
            { success: true, phoneNumber: NUMBER, sid: body.sid, elevenLabsTwilioNumberId: body.elevenLabsTwilioNumberId });
        assert.deepEqual((await act(other, 'getNumber')).body, none);
    });

    it('searchNumbers: limit and contains', options, async () => {
        const { body } = await act('user_any', 'searchNumbers', { areaCode: 737, limit: 2, contains: '01' });
        assert.deepEqual(body.numbers, ['+17375550101', '+17375550102']);
    });

    it('a failed import is 502; the repeat imports and buys nothing', options, async () => {
        const user = await numbers.buyer();
        await elevenlabs.order({ status: 500, body: {} });
        const first = await purchase(user);
        assertRefused(first, 502, 'voice_import_failed');
        const { success, phoneNumber, sid, purchased } = first.body;
        assert.deepEqual([success, phoneNumber, purchased], [false, NUMBER, true]);
        assert.equal((await numbers.config(user)).settings.twilio_sid, sid);
        const again = await purchase(user);
        assert.deepEqual([again.status, again.body.sid], [200, sid]);
        assert.equal((await numbers.orders()).length, 1);
    });

    it('a key in header or payload, shared with purchaseTwilioNumber', options, async () => {
        const user = await numbers.buyer();
        const first = await purchase(user, NUMBER, { idempotencyKey: 'k-1' });
        assert.deepEqual((await s.call('purchaseTwilioNumber', user, { phoneNumber: NUMBER, idempotencyKey: 'k-1' })).body, { ...first.body, replayed: true });
        assert.deepEqual((await act(user, 'purchaseNumber', { numberToPurchase: NUMBER }, { headers: { 'idempotency-key': 'k-1' } })).body, { ...first.body, replayed: true });
        assertRefused(await purchase(user, OTHER, { idempotencyKey: 'k-1' }), 409, 'idempotency_conflict');
        assertRefused(await purchase(user), 409, 'number_limit_reached');
        assert.equal((await numbers.orders()).length, 1);
    });

    it('Twilio\'s refusals, as the functions behind it', options, async () => {
        await twilio.order({ status: 404, body: {} }, { status: 400, body: { code: 21422 } });
        assertRefused(await act('user_any', 'searchNumbers', { areaCode: '901' }), 422, 'search_rejected');
        assertRefused(await purchase(await numbers.buyer()), 409, 'number_unavailable');
        assertRefused(await purchase(await numbers.buyer({ subscription_tier: 'Free' })), 402, 'subscription_required');
    });

    it('wrong payloads', options, async () => {
        const user = await numbers.buyer();
        for (const payload of [undefined, {}, { areaCode: '112' }, { areaCode: '112', limit: 99 }])
            assertRefused(await act(user, 'searchNumbers', payload), 400, 'invalid_area_code', 'payload.areaCode');
        assertRefused(await act(user, 'searchNumbers', { areaCode: '512', limit: 31 }), 400, 'invalid_input', 'payload.limit');
        assertRefused(await act(user, 'searchNumbers', { areaCode: '512', contains: 'abc' }), 400, 'invalid_input', 'payload.contains');
        for (const payload of [undefined, {}, { numberToPurchase: '512' }, { numberToPurchase: 7 }])
            assertRefused(await act(user, 'purchaseNumber', payload), 400, 'invalid_phone_number', 'payload.numberToPurchase');
        assertRefused(await purchase(user, NUMBER, { idempotencyKey: 7 }), 400, 'invalid_input', 'payload.idempotencyKey');
        assertRefused(await purchase(user, NUMBER, { idempotencyKey: 'a b' }), 400, 'invalid_input', 'idempotencyKey');
        assert.deepEqual([await twilio.requests(), await numbers.audit(user)], [[], []]);
    });
});

refusals(s, NAME, {
    body: { action: 'getNumber' },
    wrong: { action: [...NOT.text, 'x'.repeat(65)], payload: NOT.object },
    required: ['action'],
    untouched: ['ai_actions_log', 'agent_config'],
});
