/*
 * createSkySlopeTransactionTool (spec crm.md): its examples, addresses, the set-up that is looked up once, warnings, and what
 * SkySlope may fail at.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { actionsOf, auditTrail, connect, connectionOf, done, limits, providerFailures } from '../../support/crm.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'createSkySlopeTransactionTool';
const GUID = '11111111-2222-3333-4444-555555555555';
const valid = { propertyAddress: '142 Maple St, Sacramento, CA 95814', transactionType: 'buyer' };
const setup = { skyslope_office_guid: 'o-1', skyslope_agent_guid: 'a-1', skyslope_checklist_type_id_sale: 12, skyslope_checklist_type_id_listing: 13 };

const files = suite({ functions: [NAME], env: limits });
const sky = files.provider('skyslope');
const call = (id, body) => files.call(NAME, id, body);

async function agent(settings = setup, values = {}) {
    const id = await files.agent(values);
    await connect(files, id, 'skyslope', { access_key: 'ak-1', access_secret: 'as-1' }, { settings });
    return id;
}
const made = (kind = 'sale') => ({ body: { value: { [`${kind}Guid`]: GUID } } });

refusals(files, NAME, {
    mode: 'user_or_service',
    body: valid,
    required: ['propertyAddress', 'transactionType'],
    wrong: {
        propertyAddress: [...NOT.text, 'short', 'a'.repeat(301), 'Maple Street house', 'Maple St 1, Sacramento, CA 95814',
            '142, Sacramento, CA 95814', '12345678901 Maple St, Sacramento, CA 95814', '142 Maple St, Sacramento, California 95814',
            '142 Maple St, Sacramento, CA 9581', '142 Maple St, Sacramento, CA 95814-12', '142 Maple St, Sacramento, CA',
            '142 Maple St, Unit 1, Floor 2, Sacramento, CA 95814', '142 Maple St,, Sacramento, CA 95814', '142 Maple St, Sacramento CA 95814'],
        transactionType: [...NOT.text, 'swap'],
        clientName: [...NOT.text, 'a'.repeat(201)],
        expectedCloseDate: NOT.date,
    },
    untouched: ['ai_actions_log'],
});

describe(NAME, options, () => {
    it('example 1: a sale with everything known', options, async () => {
        const id = await agent();
        await sky.order({}, made());
        const data = await done(call(id, { ...valid, expectedCloseDate: '2026-05-01' }));
        assert.deepEqual(data, { transactionId: GUID, fileType: 'sale', address: valid.propertyAddress, message: 'SkySlope transaction created successfully' });
        const [login, create, ...others] = await sky.requests();
        assert.equal(others.length, 0);
        assert.deepEqual([login.path, create.method, create.path], ['/auth/login', 'POST', '/api/files/sales']);
        assert.deepEqual(create.body, { officeGuid: 'o-1', agentGuid: 'a-1', checklistTypeId: 12, escrowClosingDate: '2026-05-01',
            property: { streetNumber: '142', streetAddress: 'Maple St', city: 'Sacramento', state: 'CA', zip: '95814' } });
    });

    it('example 2: no address; no login', options, async () => {
        const answer = await call(await agent(), { ...valid, propertyAddress: 'Maple Street house' });
        assertRefused(answer, 400, 'invalid_input', 'propertyAddress');
        assert.match(answer.body.suggestion, /142 Maple St, Sacramento, CA 95814/);
        assert.deepEqual(await sky.requests(), []);
    });

    it('a listing with a unit; its date is ignored with a warning; types in any case', options, async () => {
        const id = await agent();
        await sky.order({}, made('listing'));
        const data = await done(call(id, { propertyAddress: ' 7b Elm  Rd , Unit 5, San José,ca  95814-1234', transactionType: 'SELLER', expectedCloseDate: '2026-05-01' }));
        assert.deepEqual([data.fileType, data.warnings], ['listing', ['expected_close_date_ignored']]);
        const { path, body } = (await sky.requests())[1];
        assert.deepEqual([path, body.checklistTypeId, body.escrowClosingDate], ['/api/files/listings', 13, undefined]);
        assert.deepEqual(body.property, { streetNumber: '7b', streetAddress: 'Elm  Rd', unit: 'Unit 5', city: 'San José', state: 'CA', zip: '95814-1234' });
        for (const [type, kind] of [['Purchase', 'sales'], ['sale', 'sales'], ['DUAL', 'sales'], ['lease', 'sales'], ['Listing', 'listings']]) {
            await sky.reset();
            await done(call(id, { ...valid, transactionType: type }));
            assert.equal((await sky.requests()).at(-1).path, `/api/files/${kind}`, type);
        }
    });

    it('the set-up is looked up once and kept beside what was there', options, async () => {
        const id = await agent({ account_name: 'x' }, { email: 'ANN@example.com' });
        await done(call(id, valid));
        const paths = (await sky.requests()).map(({ path }) => path);
        assert.deepEqual(paths.slice(0, 2), ['/auth/login', '/api/offices']);
        assert.deepEqual(paths.slice(2, 4).sort(), ['/api/offices/o-1/checklisttypes', '/api/users']);
        assert.deepEqual((await connectionOf(files, id)).sync_settings, {
            account_name: 'x', skyslope_office_guid: 'o-1', skyslope_agent_guid: 'a-1', skyslope_checklist_type_id_sale: 12 });
        await sky.reset();
        await done(call(id, valid));
        assert.deepEqual((await sky.requests()).map(({ path }) => path), ['/api/files/sales']);
        await done(call(id, { ...valid, transactionType: 'listing' }));
        assert.deepEqual((await sky.requests()).slice(1).map(({ path }) => path), ['/api/offices/o-1/checklisttypes', '/api/files/listings']);
    });

    it('the agent is who has the user’s address, else the only one', options, async () => {
        const known = { skyslope_office_guid: 'o-1', skyslope_checklist_type_id_sale: 12 };
        const users = (...list) => ({ body: { value: { users: list } } });
        const chosen = async (answer) => {
            const id = await agent(known, { email: 'Zoe@Example.com' });
            await sky.reset();
            await sky.order({}, answer);
            const result = await call(id, valid);
            return result.status === 200 ? (await sky.bodies()).at(-1).agentGuid : [result.status, result.body.code, result.body.error];
        };
        assert.equal(await chosen(users({ userGuid: 'u-1', email: 'bob@example.com' }, { userGuid: 'u-2', email: 'zoe@EXAMPLE.com' })), 'u-2');
        assert.equal(await chosen(users({ userGuid: 'u-1', email: 'bob@example.com' })), 'u-1');
        const none = await chosen(users({ userGuid: 'u-1', email: 'a@b.c' }, { userGuid: 'u-2' }));
        assert.deepEqual(none.slice(0, 2), [422, 'skyslope_setup_incomplete']);
        assert.match(none[2], /agent/);
    });

    it('what SkySlope lacks is named, and nothing is made', options, async () => {
        for (const [settings, answer, missing] of [
            [{}, { body: { value: { offices: [] } } }, /office/],
            [{ skyslope_office_guid: 'o-1', skyslope_agent_guid: 'a-1' }, { body: { value: { checklistTypes: [] } } }, /checklist/],
        ]) {
            const id = await agent(settings);
            await sky.reset();
            await sky.order({}, answer);
            const refused = await call(id, valid);
            assertRefused(refused, 422, 'skyslope_setup_incomplete');
            assert.match(refused.body.error, missing);
            assert.equal((await actionsOf(files, id)).length, 0);
        }
    });

    it('the client becomes a contact; when that fails the file stands', options, async () => {
        for (const [type, clientName, contact, path] of [
            ['buyer', 'Ann Marie Lee', { firstName: 'Ann Marie', lastName: 'Lee' }, 'sales'],
            ['seller', 'Cher', { lastName: 'Cher' }, 'listings'],
        ]) {
            const id = await agent();
            await sky.reset();
            const data = await done(call(id, { ...valid, transactionType: type, clientName }));
            assert.equal('warnings' in data, false);
            const request = (await sky.requests()).at(-1);
            assert.deepEqual(request.body, contact);
            assert.equal(request.path, `/api/files/${path}/${data.transactionId}/${type === 'buyer' ? 'buyerContact' : 'sellerContact'}`);
        }
        const id = await agent();
        await sky.reset();
        await sky.order({}, made(), { status: 500, body: {} });
        const data = await done(call(id, { ...valid, clientName: 'Ann' }));
        assert.deepEqual([data.transactionId, data.warnings], [GUID, ['client_not_added']]);
    });
});

providerFailures(files, NAME, {
    provider: 'skyslope', body: valid, prefix: 'Failed to create transaction', agent: () => agent(), before: [{}], secret: 'as-1',
});

auditTrail(files, NAME, {
    provider: 'skyslope', body: valid, changed: { transactionType: 'lease' }, agent: () => agent(), action: 'createSkySlopeTransaction',
    writes: (requests) => requests.filter(({ method, path }) => method === 'POST' && path === '/api/files/sales').length,
});
