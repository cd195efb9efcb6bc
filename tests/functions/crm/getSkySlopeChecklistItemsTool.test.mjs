/*
 * getSkySlopeChecklistItemsTool (spec crm.md): its examples, what counts as missing, and what SkySlope may fail at.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { connect, done, limits, providerFailures } from '../../support/crm.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'getSkySlopeChecklistItemsTool';
const GUID = '11111111-2222-3333-4444-555555555555';
const valid = { transactionId: '5a1e0000-0001-4000-8000-000000000003' };

const files = suite({ functions: [NAME], env: limits });
const sky = files.provider('skyslope');
const call = (id, body) => files.call(NAME, id, body);

async function agent() {
    const id = await files.agent();
    await connect(files, id, 'skyslope', { access_key: 'ak-1', access_secret: 'as-1' });
    return id;
}

/* What is answered for a file with this checklist. */
async function checklist(file, body = {}) {
    const id = await agent();
    await sky.order({}, { body: { value: { sale: file } } });
    return done(call(id, { transactionId: GUID, ...body }));
}

refusals(files, NAME, {
    mode: 'user_or_service',
    body: valid,
    required: ['transactionId'],
    wrong: { transactionId: NOT.uuid, fileType: [...NOT.text, 'any'], onlyMissing: NOT.boolean },
});

describe(NAME, options, () => {
    const doc = (id) => ({ id, fileName: `${id}.pdf` });
    const file = { checklist: { activities: [
        { activityId: 1, activityName: ' A ', typeName: 'Contract', status: 'REQUIRED', checklistDocs: [] },
        { activityId: 2, activityName: 'B', typeName: 'Other', status: 'Required', checklistDocs: [doc('d1')] },
        { activityId: 3, activityName: 'C', status: 'Optional' },
    ] } };

    it('example: required, missing and optional', options, async () => {
        const data = await checklist(file);
        assert.deepEqual(data.summary, { total: 3, required: 2, missing: 1 });
        assert.deepEqual(data.checklistItems, [
            { id: 1, name: 'A', type: 'Contract', status: 'REQUIRED', required: true, documentCount: 0, documents: [], missing: true },
            { id: 2, name: 'B', type: 'Other', status: 'Required', required: true, documentCount: 1, documents: [{ id: 'd1', name: 'd1.pdf' }], missing: false },
            { id: 3, name: 'C', type: null, status: 'Optional', required: false, documentCount: 0, documents: [], missing: false },
        ]);
        assert.deepEqual([data.transactionId, data.fileType, data.message], [GUID, 'sale', 'Checklist items retrieved successfully']);
    });

    it('example: only what is missing; the summary stays over all', options, async () => {
        const data = await checklist(file, { onlyMissing: true });
        assert.deepEqual(data.checklistItems.map(({ name }) => name), ['A']);
        assert.deepEqual(data.summary, { total: 3, required: 2, missing: 1 });
    });

    it('example: no checklist', options, async () => {
        for (const empty of [{}, { checklist: null }, { checklist: {} }, { checklist: { activities: [] } }]) {
            const data = await checklist(empty);
            assert.deepEqual([data.checklistItems, data.summary], [[], { total: 0, required: 0, missing: 0 }]);
        }
    });

    it("a document's own name goes before its file's", options, async () => {
        const data = await checklist({ checklist: { activities: [{ checklistDocs: [{ id: 5, name: 'N', fileName: 'F' }, {}] }] } });
        assert.deepEqual(data.checklistItems[0].documents, [{ id: 5, name: 'N' }, { id: null, name: null }]);
    });

    it('a listing is found, a file that is nowhere is not', options, async () => {
        const id = await agent();
        assert.equal((await done(call(id, { transactionId: '5a1e0000-0002-4000-8000-000000000001' }))).fileType, 'listing');
        assertRefused(await call(id, { transactionId: GUID }), 404, 'not_found');
    });

    it('no connection', options, async () => {
        const answer = await call(await files.agent(), valid);
        assertRefused(answer, 409, 'not_connected');
        assert.equal(answer.body.error, 'SkySlope not connected');
    });
});

providerFailures(files, NAME, {
    provider: 'skyslope', body: { ...valid, fileType: 'sale' }, prefix: 'Failed to fetch checklist', agent, before: [{}],
    notFound: [404, 'not_found'], audited: false, secret: 'as-1',
});
