/*
 * getTwilioAvailableNumbers (spec events.md): its examples, the search at Twilio, what is remembered of it, its failures.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { post } from '../../support/clients.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'getTwilioAvailableNumbers';
const s = suite({ functions: [NAME], server: { workers: 1 }, providers: { twilio: { first_byte_timeout: '200ms' } } });
const twilio = s.provider('twilio');
const search = (body) => s.call(NAME, 'user_any', body);

/* Searches are remembered, so each test has an area code of its own. */
let next = 300;
const area = () => String(++next);

const offer = (phone_number, capabilities, more = {}) => ({
    phone_number, friendly_name: phone_number.slice(2), locality: 'Austin', region: 'TX', postal_code: '78701', capabilities, ...more,
});

describe(`${NAME}: examples`, options, () => {
    it('two numbers, the second without voice: one', options, async () => {
        await twilio.order({ status: 200, body: { available_phone_numbers: [
            offer('+15125550101', { voice: true, SMS: true, MMS: false }),
            offer('+15125550102', { voice: false, SMS: true, MMS: true }),
        ] } });
        const { status, body } = await search({ areaCode: '512' });
        assert.equal(status, 200);
        assert.deepEqual(body, {
            success: true,
            numbers: ['+15125550101'],
            details: [{
                phoneNumber: '+15125550101', friendlyName: '5125550101', locality: 'Austin', region: 'TX', postalCode: '78701',
                capabilities: { voice: true, sms: true, mms: false },
            }],
        });
    });

    it('112 is no area code', options, async () => {
        const answer = await search({ areaCode: '112' });
        assertRefused(answer, 400, 'invalid_area_code', 'areaCode');
        assert.equal(answer.body.success, false);
        assert.deepEqual(await twilio.requests(), []);
    });

    it('none: an empty list', options, async () => {
        await twilio.order({ status: 200, body: { available_phone_numbers: [] } });
        assert.deepEqual((await search({ areaCode: area() })).body, { success: true, numbers: [], details: [] });
    });
});

describe(`${NAME}: the search`, options, () => {
    it('asks Twilio in its words', options, async () => {
        const code = area();
        const { body } = await search({ areaCode: Number(code), limit: 3, contains: '5550**1' });
        assert.deepEqual(body.numbers, [`+1${code}5550101`, `+1${code}5550111`]);
        const [{ method, path, query, headers }] = await twilio.requests();
        assert.deepEqual([method, path, query], ['GET', '/2010-04-01/Accounts/test-twilio-account-sid/AvailablePhoneNumbers/US/Local.json',
            { AreaCode: code, VoiceEnabled: 'true', PageSize: '3', Contains: '5550**1' }]);
        assert.equal(headers.authorization, `Basic ${Buffer.from('test-twilio-account-sid:test-twilio-auth-token').toString('base64')}`);
    });

    it('ten numbers unless said otherwise, in Twilio\'s order', options, async () => {
        const code = area();
        const { body } = await search({ areaCode: code });
        assert.deepEqual(body.numbers, Array.from({ length: 10 }, (_, i) => `+1${code}55501${String(i + 1).padStart(2, '0')}`));
        assert.equal(body.details.length, 10);
        assert.equal((await twilio.requests())[0].query.Contains, undefined);
    });

    it('remembers a search by its three inputs, and no failure', options, async () => {
        const areaCode = area();
        await twilio.order({ status: 500, body: {} });
        assertRefused(await search({ areaCode }), 502, 'twilio_failed');
        const first = await search({ areaCode });
        assert.equal(first.status, 200);
        assert.deepEqual((await search({ areaCode: Number(areaCode), limit: 10 })).body, first.body);
        assert.equal((await twilio.requests()).length, 2);
        await search({ areaCode, limit: 9 });
        await search({ areaCode, contains: '01' });
        assert.equal((await twilio.requests()).length, 4);
    });
});

describe(`${NAME}: failures`, options, () => {
    for (const [title, order, status, code] of [
        ['400', { status: 400, body: { code: 21601, message: 'no', status: 400 } }, 422, 'search_rejected'],
        ['404', { status: 404, body: {} }, 422, 'search_rejected'],
        ['401', { status: 401, body: { code: 20003 } }, 503, 'twilio_unauthorized'],
        ['403', { status: 403, body: {} }, 503, 'twilio_unauthorized'],
        ['500', { status: 500, body: {} }, 502, 'twilio_failed'],
        ['no JSON', { status: 200, body: '<html>' }, 502, 'twilio_failed'],
        ['no list', { status: 200, body: { available_phone_numbers: {} } }, 502, 'twilio_failed'],
        ['a broken connection', { drop: true }, 502, 'twilio_failed'],
        ['half an answer', { truncateAfter: 20 }, 502, 'twilio_failed'],
        ['no answer', { delayMs: 2000 }, 504, 'provider_timeout'],
    ])
        it(`Twilio: ${title}`, options, async () => {
            await twilio.order(order);
            const answer = await search({ areaCode: area() });
            assertRefused(answer, status, code);
            assert.equal(answer.body.success, false);
            assert.equal((await twilio.requests()).length, 1);
        });

    it('Twilio: 429, with its Retry-After', options, async () => {
        await twilio.order({ status: 429, headers: { 'retry-after': '7' }, body: { code: 20429 } });
        const answer = await search({ areaCode: area() });
        assertRefused(answer, 429, 'provider_rate_limited');
        assert.equal(answer.headers.get('retry-after'), '7');
    });

    it('without an account: 503, naming the variable', options, async () => {
        for (const name of ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN'])
            await withHost({ functions: [NAME], database: s.database.url, env: { [name]: null } }, async (host) => {
                const answer = await post(host, NAME, { token: await mint('user_any'), body: { areaCode: '512' } });
                assertRefused(answer, 503, 'not_configured');
                assert.match(answer.body.error, new RegExp(name));
            });
    });

    it('wrong area codes', options, async () => {
        for (const areaCode of [undefined, null, '', '51', '5122', '51a', ' 512', 112, 51.2, 1512, true, [], {}, '٥١٢'])
            assertRefused(await search({ areaCode }), 400, 'invalid_area_code', 'areaCode');
        for (const areaCode of ['200', '999', 200, 999]) assert.equal((await search({ areaCode })).status, 200);
    });
});

refusals(s, NAME, {
    body: { areaCode: '512', limit: 30, contains: '55' },
    wrong: { limit: [0, 31, 1.5, '7', true], contains: ['5', '12345678901', '55a', '5 5', 7, true, []] },
    withoutDatabase: true,
    hostOptions: { functions: [NAME] },
});
