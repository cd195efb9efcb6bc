/*
 * sendContactsToElevenLabs (spec events.md): its example, contacts of all kinds, what ElevenLabs is sent, calls that fail, and
 * nobody called twice.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';

const s = suite({ functions: ['sendContactsToElevenLabs'], providers: { elevenlabs: { first_byte_timeout: '300ms' } } });
const elevenlabs = s.provider('elevenlabs');
const send = (user, contacts, more = {}) => s.call('sendContactsToElevenLabs', user, { contacts, callType: 'New Seller Lead', ...more });
const logs = (user) => s.database.rows('SELECT * FROM call_logs WHERE user_id = $1 ORDER BY contact_name', [user]);
const accepted = (n) => ({ body: { success: true, message: 'Success', conversation_id: `conv_${n}`, callSid: `CA${n}` } });
const phone = (i) => `512555${String(1000 + i)}`;

/* Somebody with a phone line. */
async function caller({ minutes, config = {}, ...values } = {}) {
    const user = await s.agent(values);
    const row = { agent_type: 'sales_agent', eleven_labs_phone_number_id: 'pn_1', eleven_labs_agent_id: 'ag_1', ...config };
    const names = Object.keys(row);
    await s.database.rows(
        `INSERT INTO agent_config (user_id, ${names.join(', ')}) VALUES ($1, ${names.map((_, i) => `$${i + 2}`).join(', ')})`,
        [user, ...Object.values(row)],
    );
    for (const [agent_type, allocated, used, overage] of minutes ?? [])
        await s.database.rows(
            'INSERT INTO user_agent_subscriptions (user_id, agent_type, minutes_allocated, current_minutes_used, overage_rate) VALUES ($1, $2, $3, $4, $5)',
            [user, agent_type, allocated, used, overage],
        );
    return user;
}

describe('sendContactsToElevenLabs: example', options, () => {
    it('one of three is called', options, async () => {
        const user = await caller();
        await elevenlabs.order(accepted(1));
        const { status, body } = await send(user, [{ firstName: 'Pat', phone: '5125550101' }, { name: 'Lee', phone: '12' }, { name: 'Pat 2', phone: '+1 (512) 555-0101' }]);
        assert.equal(status, 200, JSON.stringify(body));
        const [row, ...rest] = await logs(user);
        assert.deepEqual(rest, []);
        assert.deepEqual(body, {
            success: true, campaignId: row.metadata.campaign_id, totalContacts: 3, successCount: 1, failureCount: 2,
            results: [
                { success: true, contact: 'Pat', callLogId: row.id, conversationId: 'conv_1' },
                { success: false, contact: 'Lee', error: 'Invalid phone number' },
                { success: false, contact: 'Pat 2', error: 'Duplicate phone number' },
            ],
            message: '1 of 3 calls were started',
        });
        assert.deepEqual(
            [row.status, row.conversation_id, row.call_sid, row.call_type, row.contact_name, row.phone_number, row.form_data],
            ['initiated', 'conv_1', 'CA1', 'New Seller Lead', 'Pat', '+15125550101', { firstName: 'Pat', phone: '5125550101' }],
        );
    });
});

describe('sendContactsToElevenLabs: what ElevenLabs is sent', options, () => {
    const variables = async () => (await elevenlabs.bodies())[0].conversation_initiation_client_data.dynamic_variables;

    it('everything there is', options, async () => {
        const user = await caller({ config: { eleven_labs_voice_id: 'voice_1', settings: { twilio_phone_number: '+15125559999' } } });
        const contact = {
            'First Name': 'Pat', LAST_NAME: ' Doe ', Phone: 5125550101, 'Property Address': '1 Elm St', 'Lead-Source': 'Zillow', Meeting_Location: 'Cafe',
            Beds: 3, Pool: true, 'List Price': 'x'.repeat(600), nested: { a: 1 }, list: [1], nothing: null, blank: ' ', '!!!': 'no key',
        };
        await send(user, [contact], {
            callType: 'Expired Listing', campaignName: 'Spring',
            agentData: { agent_name: 'Ann', agent_last_name: 'Lee', agent_full_name: null, brokerage: 'Oak', area: 'Austin' },
        });
        const [request] = await elevenlabs.requests();
        const { conversation_initiation_client_data: data, ...rest } = request.body;
        assert.deepEqual(rest, { agent_id: 'ag_1', agent_phone_number_id: 'pn_1', to_number: '+15125550101' });
        assert.deepEqual(data.conversation_config_override, { tts: { voice_id: 'voice_1' } });
        const [row] = await logs(user);
        const { triggered_at, ...told } = data.dynamic_variables;
        assert.match(triggered_at, /^\d{4}-.*Z$/);
        assert.deepEqual(told, {
            call_log_id: row.id, user_id: user, user_email: `${user}@example.com`, agent_full_name: 'Ann Lee', agent_phone_number: '+15125559999',
            brokerage: 'Oak', primary_market: 'Austin', contact_name: 'Pat Doe', contact_phone: '+15125550101', call_type: 'Expired Listing',
            campaign_name: 'Spring', property_address: '1 Elm St', lead_source: 'Zillow', meeting_location: 'Cafe', call_focus: 'expired_listing',
            contact_beds: 3, contact_pool: true, contact_listprice: 'x'.repeat(500),
        });
        assert.deepEqual(row.metadata, { campaign_id: row.metadata.campaign_id, campaign_name: 'Spring', dynamic_variables: data.dynamic_variables });
        assert.deepEqual(row.form_data, contact);
    });

    it('as little as there is', options, async () => {
        const user = await caller({ email: null });
        await send(user, [{ contactPhone: phone(1) }], { callType: 'Hello', agentData: { agent_phone: '+15125550000', agent_full_name: 'Full' } });
        const [request] = await elevenlabs.requests();
        assert.deepEqual(request.body.conversation_initiation_client_data.conversation_config_override, {});
        const { call_log_id: _, triggered_at: __, ...told } = await variables();
        assert.deepEqual(told, { user_id: user, agent_full_name: 'Full', agent_phone_number: '+15125550000', contact_name: 'Prospect', contact_phone: '+15125551001', call_type: 'Hello' });
    });

    it('thirty further fields at most', options, async () => {
        const contact = Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`field ${i}`, i]));
        await send(await caller(), [{ ...contact, phone: phone(2) }]);
        assert.equal(Object.keys(await variables()).filter((name) => name.startsWith('contact_field')).length, 30);
    });

    for (const [callType, agent, focus] of [
        ['New Buyer Lead', 'test-eleven-labs-buyer-agent-id', 'buyer_lead'],
        ['new SELLER lead', 'test-eleven-labs-seller-agent-id', 'seller_lead'],
        ['Seller or Buyer', 'test-eleven-labs-buyer-agent-id', 'seller_lead'],
        ['Expired Listing', 'ag_1', 'expired_listing'],
        ['FSBO', 'ag_1', 'for_sale_by_owner'],
        ['For Sale By Owner', 'ag_1', 'for_sale_by_owner'],
        ['Follow up', 'ag_1', undefined],
    ])
        it(`${callType}: ${agent}, ${focus}`, options, async () => {
            await send(await caller(), [{ phone: phone(3) }], { callType });
            assert.equal((await elevenlabs.bodies())[0].agent_id, agent);
            assert.equal((await variables()).call_focus, focus);
        });
});

describe('sendContactsToElevenLabs: who may', options, () => {
    it('no phone line: 200, and what to do', options, async () => {
        const { status, body } = await send(await s.agent(), [{ phone: phone(1) }]);
        const { error, ...rest } = body;
        assert.deepEqual([status, typeof error, rest], [200, 'string', { success: false, requiresOnboarding: true, code: 'requires_onboarding' }]);
    });

    for (const [name, minutes, status] of [
        ['none left', [['core', 100, 100, 0]], 402],
        ['none left, no rate', [['core', 100, 101, null]], 402],
        ['none left of the sales agent\'s', [['core', 100, 0, 0], ['sales_agent', 10, 10, 0]], 402],
        ['one left', [['core', 100, 99, 0]], 200],
        ['overage is paid', [['core', 100, 100, 0.25]], 200],
        ['unlimited', [['core', null, 999, 0]], 200],
        ['the sales agent\'s count', [['core', 100, 100, 0], ['sales_agent', 10, 9, 0]], 200],
        ['other agents\' do not', [['voice', 0, 0, 0]], 200],
    ])
        it(`minutes: ${name}: ${status}`, options, async () => {
            const user = await caller({ minutes });
            const answer = await send(user, [{ phone: phone(1) }]);
            if (status === 402) assertRefused(answer, 402, 'minutes_exhausted');
            assert.equal(answer.status, status);
            assert.equal((await logs(user)).length, status === 200 ? 1 : 0);
        });

    it('no agent, no key', options, async () => {
        const env = { ELEVEN_LABS_DEFAULT_AGENT_ID: null, ELEVEN_LABS_SELLER_AGENT_ID: '' };
        const user = await caller({ config: { eleven_labs_agent_id: null } });
        const call = (host) => s.call('sendContactsToElevenLabs', user, { contacts: [{ phone: phone(1) }], callType: 'Seller' }, { host });
        await withHost({ functions: ['sendContactsToElevenLabs'], database: s.database.url, env }, async (host) =>
            assertRefused(await call(host), 409, 'voice_agent_missing'));
        await withHost({ functions: ['sendContactsToElevenLabs'], database: s.database.url, env: { ELEVENLABS_API_KEY: null } }, async (host) =>
            assertRefused(await call(host), 503, 'not_configured'));
    });

    it('200 contacts are called, 201 are not', options, async () => {
        const user = await caller();
        const contacts = Array.from({ length: 201 }, (_, i) => ({ name: `N${i}`, phone: phone(i) }));
        const answer = await send(user, contacts);
        assertRefused(answer, 413, 'too_many_contacts', 'contacts');
        assert.deepEqual(await logs(user), []);
        const { body } = await send(user, contacts.slice(0, 200));
        assert.deepEqual([body.successCount, body.results.map(({ contact }) => contact)], [200, contacts.slice(0, 200).map(({ name }) => name)]);
        assert.equal(await s.database.count('call_logs', `user_id = $1 AND status = 'initiated'`, [user]), 200);
    });

    it('contacts that are no objects: 400', options, async () => {
        const user = await caller();
        for (const bad of ['x', 7, null, []])
            assertRefused(await send(user, [{ phone: phone(1) }, bad]), 400, 'invalid_input', 'contacts[1]');
        assert.deepEqual(await logs(user), []);
    });

    it('50 keys of a contact are taken, 51 are not', options, async () => {
        const keys = (n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i]));
        assertRefused(await send(await caller(), [{}, keys(51)]), 400, 'invalid_input', 'contacts[1]');
        assert.equal((await send(await caller(), [keys(50)])).status, 200);
    });
});

describe('sendContactsToElevenLabs: calls that fail', options, () => {
    it('each in its row, and the others go on', options, async () => {
        const user = await caller();
        const contacts = [{ name: 'a', phone: phone(1) }, { name: 'b', phone: '+442079460958' }];
        await elevenlabs.order({ status: 400, body: { detail: { message: 'bad '.repeat(200) } } });
        const { status, body } = await send(user, contacts);
        assert.deepEqual([status, body.success, body.error], [200, false, 'ElevenLabs API error']);
        assert.deepEqual(body.results.map(({ error }) => error), ['ElevenLabs API error', 'Country not allowed']);
        const [row] = await logs(user);
        assert.deepEqual([row.status, row.metadata.error.length, row.metadata.campaign_id], ['failed', 500, body.campaignId]);
        assert.ok(row.metadata.dynamic_variables);
    });

    for (const [name, order, error] of [
        ['success false', { body: { success: false, message: 'busy' } }, 'ElevenLabs API error'],
        ['500', { status: 500, body: {} }, 'ElevenLabs API error'],
        ['garbage', { body: 'x' }, 'ElevenLabs API error'],
        ['a broken connection', { drop: true }, 'Network error'],
        ['no answer in time', { delayMs: 5000 }, 'Network error'],
    ])
        it(`${name}: ${error}`, options, async () => {
            const user = await caller();
            await elevenlabs.order(order);
            const { body } = await send(user, [{ phone: phone(1) }]);
            assert.deepEqual([body.success, body.error, body.successCount, body.failureCount], [false, error, 0, 1]);
            assert.equal((await logs(user))[0].status, 'failed');
            assert.equal((await elevenlabs.requests()).length, 1);
        });

    it('429: twice more, then it has failed; a long wait is none', options, async () => {
        const busy = (seconds) => ({ status: 429, headers: { 'retry-after': String(seconds) }, body: {} });
        await elevenlabs.order(busy(1), accepted(7));
        assert.equal((await send(await caller(), [{ phone: phone(1) }])).body.results[0].conversationId, 'conv_7');
        assert.equal((await elevenlabs.requests()).length, 2);
        await elevenlabs.reset();
        await elevenlabs.order(busy(6));
        assert.equal((await send(await caller(), [{ phone: phone(1) }])).body.error, 'ElevenLabs API error');
        assert.equal((await elevenlabs.requests()).length, 1);
    });

    it('five in flight at most, whatever one of them does', options, async () => {
        await elevenlabs.order({ delayMs: 60, times: 12, ...accepted(1) });
        const contacts = Array.from({ length: 12 }, (_, i) => ({ phone: phone(i) }));
        const sending = send(await caller(), contacts);
        let most = 0;
        for (let done = false; !done; ) {
            const requests = await elevenlabs.requests();
            most = Math.max(most, requests.filter(({ ended }) => !ended).length);
            done = requests.length === 12 && requests.every(({ ended }) => ended);
        }
        assert.equal((await sending).body.successCount, 12);
        assert.ok(most > 1 && most <= 5, `${most} at once`);
    });
});

describe('sendContactsToElevenLabs: nobody twice', options, () => {
    it('an idempotency key: the same campaign and rows, nobody is dialled again', options, async () => {
        const user = await caller();
        await elevenlabs.order(accepted(1), { status: 400, body: {} });
        const contacts = [{ name: 'a', phone: phone(1) }];
        const first = await send(user, contacts, { idempotencyKey: 'k-1' });
        const more = await send(user, [...contacts, { name: 'b', phone: phone(2) }], { idempotencyKey: 'k-1' });
        const again = await send(user, [...contacts, { name: 'b', phone: phone(2) }], { idempotencyKey: 'k-1' });
        assert.deepEqual(again.body, more.body);
        assert.deepEqual([more.body.results[0], more.body.results[1].error], [first.body.results[0], 'ElevenLabs API error']);
        assert.equal(more.body.campaignId, first.body.campaignId);
        const [{ campaign, call }] = await s.database.rows(`SELECT md5('campaign:' || $1 || ':k-1')::uuid AS campaign, md5('call:' || $1 || ':k-1:+15125551001')::uuid AS call`, [user]);
        assert.deepEqual([first.body.campaignId, first.body.results[0].callLogId], [campaign, call]);
        assert.equal((await elevenlabs.requests()).length, 2);
    });

    it('six requests with one key at once: one call', options, async () => {
        const user = await caller();
        await Promise.all(Array.from({ length: 6 }, () => send(user, [{ phone: phone(1) }], { idempotencyKey: 'click' })));
        assert.deepEqual([(await elevenlabs.requests()).length, (await logs(user)).length], [1, 1]);
    });

    it('a row of somebody else with that id is neither dialled nor shown', options, async () => {
        const [user, other] = [await caller(), await caller()];
        await s.database.rows(
            `INSERT INTO call_logs (id, user_id, call_type, conversation_id) VALUES (md5('call:' || $1 || ':k-2:+15125551001')::uuid, $2, 'x', 'conv_secret')`,
            [user, other],
        );
        const { body } = await send(user, [{ phone: phone(1) }], { idempotencyKey: 'k-2' });
        assert.doesNotMatch(JSON.stringify(body), /conv_secret/);
        assert.equal(body.success, false);
        assert.deepEqual(await elevenlabs.requests(), []);
    });
});

refusals(s, 'sendContactsToElevenLabs', {
    body: { contacts: [{ phone: '5125550101' }], callType: 'x' },
    required: ['contacts', 'callType'],
    wrong: {
        contacts: [[], ...NOT.array],
        callType: ['', ' ', 'x'.repeat(81), ...NOT.text],
        agentData: NOT.object,
        'agentData.brokerage': [{ brokerage: 'x'.repeat(201) }, { brokerage: 7 }],
        campaignName: ['x'.repeat(121), ...NOT.text],
        idempotencyKey: ['a b', 'k'.repeat(129), 7],
    },
    untouched: ['call_logs'],
});
