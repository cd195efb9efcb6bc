/*
 * updateSkySlopeTransactionTool (spec crm.md): its examples, what may be written, read-merge-write, and what SkySlope may fail at.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { actionsOf, auditTrail, connect, done, limits, providerFailures } from '../../support/crm.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'updateSkySlopeTransactionTool';
const GUID = '11111111-2222-3333-4444-555555555555';
const valid = { transactionId: '5a1e0000-0001-4000-8000-000000000003', updates: { salePrice: 510000 } };

const files = suite({ functions: [NAME], env: limits });
const sky = files.provider('skyslope');
const call = (id, body) => files.call(NAME, id, body);

async function agent() {
    const id = await files.agent();
    await connect(files, id, 'skyslope', { access_key: 'ak-1', access_secret: 'as-1' });
    return id;
}
const sale = (file) => ({ body: { value: { sale: { saleGuid: GUID, ...file } } } });

/* The answer's data and the form that was put, when SkySlope has this file. */
async function update(file, updates, more = {}) {
    const id = await agent();
    await sky.reset();
    await sky.order({}, file, { body: { value: {} } });
    const data = await done(call(id, { transactionId: GUID, updates, ...more }));
    const puts = (await sky.requests()).filter(({ method }) => method === 'PUT');
    assert.ok(puts.length <= 1);
    return { data, put: puts[0]?.body, path: puts[0]?.path };
}

refusals(files, NAME, {
    mode: 'user_or_service',
    body: valid,
    required: ['transactionId', 'updates'],
    wrong: {
        transactionId: NOT.uuid,
        updates: [...NOT.object, {}, { mlsNumber: '' }, { salePrice: null }],
        'updates.status': [{ status: 'Closed' }],
        'updates.salePrice': [{ salePrice: '1' }, { salePrice: -1 }, { salePrice: 10000000001 }],
        'updates.escrowClosingDate': [{ escrowClosingDate: '2026-02-30' }, { escrowClosingDate: 7 }],
        'updates.expectedCloseDate': [{ expectedCloseDate: 'soon' }, { expectedCloseDate: '2026-01-01', escrowClosingDate: '2026-01-01' }],
        'updates.mlsNumber': [{ mlsNumber: 7 }, { mlsNumber: 'a'.repeat(101) }],
        'updates.isOfficeLead': [{ isOfficeLead: 'true' }],
        'updates.sourceId': [{ sourceId: -1 }, { sourceId: 1.5 }, { sourceId: '1' }],
        fileType: [...NOT.text, 'purchase'],
        ifModifiedOn: NOT.text,
    },
    untouched: ['ai_actions_log'],
});

describe(NAME, options, () => {
    const file = sale({ salePrice: 500000, mlsNumber: 'M1', status: 'Pending' });

    it('example 1: what is not changed is sent again, what cannot be written is not', options, async () => {
        const { data, put, path } = await update(file, { salePrice: 510000 });
        assert.deepEqual(put, { salePrice: 510000, mlsNumber: 'M1' });
        assert.equal(path, `/api/files/sales/${GUID}`);
        assert.deepEqual(data, { transactionId: GUID, fileType: 'sale', updatedFields: ['salePrice'], message: 'Transaction updated successfully' });
    });

    it('example 2: a field that cannot be written; no call', options, async () => {
        assertRefused(await call(await agent(), { ...valid, updates: { status: 'Closed' } }), 400, 'invalid_input', 'updates.status');
        assert.deepEqual(await sky.requests(), []);
    });

    it('example 3: nothing to change, nothing is written', options, async () => {
        const { data, put } = await update(file, { mlsNumber: 'M1' });
        assert.deepEqual([data.updatedFields, data.message, put], [[], 'Nothing to change', undefined]);
    });

    it('the order of the request, dates by their day, null clears, the alias', options, async () => {
        const full = sale({ escrowClosingDate: '2026-05-01T00:00:00', actualClosingDate: '2026-05-02', otherSource: 'Web', isOfficeLead: false, sourceId: 3, apn: null });
        const { data, put } = await update(full, {
            sourceId: 4.0, expectedCloseDate: '2026-05-01', actualClosingDate: null, otherSource: ' Web ', isOfficeLead: true, apn: null, fileId: null, mlsNumber: ' M2 ',
        });
        assert.deepEqual(data.updatedFields, ['sourceId', 'actualClosingDate', 'isOfficeLead', 'mlsNumber']);
        assert.deepEqual(put, { escrowClosingDate: '2026-05-01T00:00:00', actualClosingDate: null, otherSource: 'Web', isOfficeLead: true, sourceId: 4, apn: null, mlsNumber: 'M2' });
        assert.deepEqual((await update(full, { expectedCloseDate: '2026-06-01' })).data.updatedFields, ['escrowClosingDate']);
    });

    it('a listing has other fields', options, async () => {
        const id = await agent();
        const listing = '5a1e0000-0002-4000-8000-000000000001';
        const data = await done(call(id, { transactionId: listing, updates: { expirationDate: '2026-12-31', listingPrice: 1 } }));
        assert.deepEqual([data.fileType, data.updatedFields], ['listing', ['expirationDate', 'listingPrice']]);
        assertRefused(await call(id, { transactionId: listing, updates: { salePrice: 1 } }), 400, 'invalid_input', 'updates.salePrice');
        const [, failed] = await actionsOf(files, id);
        assert.equal(failed.status, 'failed');
        assert.equal((await sky.requests()).filter(({ method }) => method === 'PUT').length, 1);
        assertRefused(await call(id, { transactionId: listing, fileType: 'listing', updates: { salePrice: 1 } }), 400, 'invalid_input', 'updates.salePrice');
        assert.equal((await actionsOf(files, id)).length, 2, 'known beforehand: no action was begun');
    });

    it('only while it is as it was seen', options, async () => {
        const id = await agent();
        const seen = sale({ modifiedOn: '2026-03-01T10:00:00Z', salePrice: 1 });
        await sky.order({}, seen);
        const answer = await call(id, { ...valid, transactionId: GUID, ifModifiedOn: '2026-03-01T09:00:00Z' });
        assertRefused(answer, 409, 'conflict');
        assert.equal((await actionsOf(files, id))[0].status, 'failed');
        await sky.order(seen, { body: { value: {} } });
        assert.deepEqual((await done(call(id, { ...valid, transactionId: GUID, ifModifiedOn: '2026-03-01T10:00:00Z' }))).updatedFields, ['salePrice']);
    });

    it('a file that is nowhere, a write that fails', options, async () => {
        const id = await agent();
        assertRefused(await call(id, { ...valid, transactionId: GUID }), 404, 'not_found');
        await sky.order(file, { status: 422, body: { message: 'Closed file' } });
        const answer = await call(id, { ...valid, transactionId: GUID });
        assertRefused(answer, 422, 'provider_rejected');
        assert.equal(answer.body.error, 'Failed to update transaction: Closed file');
    });
});

providerFailures(files, NAME, {
    provider: 'skyslope', body: { ...valid, fileType: 'sale' }, prefix: 'Failed to update transaction', agent, before: [{}],
    notFound: [404, 'not_found'], secret: 'as-1',
});

auditTrail(files, NAME, {
    provider: 'skyslope', body: valid, changed: { updates: { salePrice: 1 } }, agent, action: 'updateSkySlopeTransaction',
    writes: (requests) => requests.filter(({ method, path }) => method === 'GET' && path.startsWith('/api/files')).length,
});
