/*
 * uploadSkySlopeDocumentTool (spec crm.md): its examples, documents by URL and inline, names, types, limits, and what
 * SkySlope and the document's host may fail at.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { actionsOf, auditTrail, connect, done, limits, providerFailures } from '../../support/crm.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';

const NAME = 'uploadSkySlopeDocumentTool';
const FILE = '5a1e0000-0001-4000-8000-000000000003';
const PDF = 'JVBERi0xLjcKJQ==';
const valid = { transactionId: FILE, documentName: 'Offer', documentBase64: PDF };
const MIB25 = 25 << 20;

const files = suite({ functions: [NAME], env: limits });
const sky = files.provider('skyslope');
const host = files.provider('document_fetch');
const call = (id, body) => files.call(NAME, id, body);

async function agent() {
    const id = await files.agent();
    await connect(files, id, 'skyslope', { access_key: 'ak-1', access_secret: 'as-1' });
    return id;
}
const upload = async (id, more) => done(call(id, { transactionId: FILE, fileType: 'sale', ...more }));
const byUrl = (path, more = {}) => ({ documentUrl: `https://files.example.com${path}`, ...more });
const inline = (bytes) => ({ documentBase64: Buffer.from(bytes, 'latin1').toString('base64') });

refusals(files, NAME, {
    mode: 'user_or_service',
    body: valid,
    required: ['transactionId'],
    wrong: {
        transactionId: NOT.uuid,
        documentUrl: ['no url', 'ftp://example.com/a.pdf', `https://example.com/${'a'.repeat(2048)}`, 7],
        documentBase64: [...NOT.text, 'no base64!', 'JVBERi0xLjcKJQ'],
        documentName: [...NOT.text, 'a'.repeat(151)],
        documentType: [...NOT.text, 'a'.repeat(101)],
        fileType: [...NOT.text, 'any'],
        checklistItemId: [0, -1, 'x', 1.5, true],
    },
    untouched: ['ai_actions_log'],
});

describe(NAME, options, () => {
    it('example 1: inline, its name made fit', options, async () => {
        const id = await agent();
        await sky.order({}, { body: { value: { documentGuid: 'd-1' } } });
        const data = await done(call(id, { transactionId: '11111111-2222-3333-4444-555555555555', documentName: 'Offer, signed', documentBase64: PDF }));
        assert.deepEqual(data, { documentId: 'd-1', transactionId: '11111111-2222-3333-4444-555555555555', fileType: 'sale', fileName: 'Offer signed.pdf',
            size: 10, documentType: 'Other', message: 'Document uploaded to SkySlope successfully' });
        const request = (await sky.requests())[1];
        assert.deepEqual([request.path, request.body], ['/api/files/sales/11111111-2222-3333-4444-555555555555/documents', { fileName: 'Offer signed.pdf', base64Content: PDF }]);
        const [row] = await actionsOf(files, id);
        assert.equal('documentBase64' in row.action_data.request, false, 'no bytes in the trail');
    });

    it('example 2: addresses that are not public; no call at all', options, async () => {
        const id = await agent();
        for (const url of ['https://169.254.169.254/latest', 'http://files.example.com/a.pdf', 'https://localhost/a.pdf', 'https://127.0.0.1/a.pdf',
            'https://[::1]/a.pdf', 'https://10.0.0.1/a.pdf', 'https://files.example.com:8443/a.pdf', 'https://user@files.example.com/a.pdf',
            'https://[::ffff:192.168.0.1]/a.pdf', 'https://224.0.0.1/a.pdf'])
            assertRefused(await call(id, { transactionId: FILE, documentUrl: url }), 400, 'url_not_allowed');
        assert.deepEqual([await sky.requests(), await host.requests(), await actionsOf(files, id)], [[], [], []]);
    });

    it('one of the two sources', options, async () => {
        const id = await agent();
        assertRefused(await call(id, { transactionId: FILE }), 400, 'invalid_input', 'documentUrl');
        assertRefused(await call(id, { ...valid, documentUrl: 'https://files.example.com/a.pdf' }), 400, 'invalid_input', 'documentBase64');
    });

    it('by URL: the bytes go to SkySlope, redirects are followed three times', options, async () => {
        const id = await agent();
        const data = await upload(id, byUrl('/deals/Purchase%20Offer.pdf?x=1#y'));
        assert.deepEqual([data.fileName, (await host.requests())[0].path], ['Purchase Offer.pdf', '/deals/Purchase Offer.pdf']);
        const { base64Content } = (await sky.bodies()).at(-1);
        assert.match(Buffer.from(base64Content, 'base64').toString('latin1'), /^%PDF-1\.7/);
        assert.equal(data.size, Buffer.from(base64Content, 'base64').length);
        assert.equal((await upload(id, byUrl('/redirect/3/photo.png', { documentName: 'Photo' }))).fileName, 'Photo.png');
        assertRefused(await call(id, { transactionId: FILE, ...byUrl('/redirect/4/a.pdf') }), 422, 'document_unreachable');
        assertRefused(await call(id, { transactionId: FILE, ...byUrl(`/away?to=${encodeURIComponent('https://10.0.0.1/a.pdf')}`) }), 400, 'url_not_allowed');
    });

    it('documents that cannot be had: the trail says why, nothing is uploaded', options, async () => {
        for (const [source, status, code] of [
            [byUrl('/status/404/a.pdf'), 422, 'document_unreachable'],
            [byUrl('/nothing.empty'), 422, 'document_empty'],
            [byUrl('/page.html'), 415, 'unsupported_document'],
            [byUrl('/a.zip'), 415, 'unsupported_document'],
            [inline('GIF89a'), 415, 'unsupported_document'],
        ]) {
            const id = await agent();
            assertRefused(await call(id, { transactionId: FILE, ...source }), status, code);
            const [row] = await actionsOf(files, id);
            assert.equal(row.status, 'failed');
            assert.match(row.error_message, new RegExp(`^${code}: `));
        }
        for (const order of [{ drop: true, times: 2 }, { status: 500 }, { delayMs: 8000 }]) {
            await host.order(order);
            assertRefused(await call(await agent(), { transactionId: FILE, ...byUrl('/a.pdf') }), 422, 'document_unreachable');
            await host.reset();
        }
        assert.ok((await sky.requests()).every(({ path }) => path === '/auth/login'));
    });

    it('types by their first bytes, Office files by their name too', options, async () => {
        const id = await agent();
        const named = async (bytes, documentName) => (await upload(id, { ...inline(bytes), documentName })).fileName;
        assert.equal(await named('\x89PNG', 'a.pdf'), 'a.pdf', 'an extension of its own stays');
        assert.equal(await named('\xff\xd8\xff', 'a'), 'a.jpg');
        assert.equal(await named('PK\x03\x04', 'a.DOCX'), 'a.DOCX');
        assert.equal(await named('PK\x03\x04', 'a.xlsx'), 'a.xlsx');
        assert.equal(await named('\xd0\xcf\x11\xe0', 'a.doc'), 'a.doc');
        for (const [bytes, documentName] of [['PK\x03\x04', 'a'], ['PK\x03\x04', 'a.doc'], ['\xd0\xcf\x11\xe0', 'a.docx'], ['%PDF', 'a.pdf']])
            assertRefused(await call(id, { transactionId: FILE, ...inline(bytes), documentName }), 415, 'unsupported_document');
    });

    it('names', options, async () => {
        const id = await agent();
        const named = async (more) => (await upload(id, more)).fileName;
        assert.equal(await named({ documentBase64: PDF }), 'Document.pdf');
        assert.equal(await named({ documentBase64: PDF, documentName: '#,;%{}/\\' }), 'Document.pdf');
        assert.equal(await named({ documentBase64: PDF, documentName: 'a  b\u0001 / c' }), 'a b c.pdf');
        assert.equal(await named({ documentBase64: PDF, documentName: 'Offer v1.2' }), 'Offer v1.2.pdf');
        assert.equal(await named({ documentBase64: PDF, documentName: 'ü'.repeat(150) }), `${'ü'.repeat(146)}.pdf`);
        assert.equal(await named({ documentBase64: PDF, documentName: `${'a'.repeat(146)}.PDF` }), `${'a'.repeat(146)}.PDF`);
        assert.equal(await named(byUrl('/a/b%2Fc%23d.pdf')), 'bcd.pdf');
    });

    it('25 MiB exactly, inline and by URL; a byte more is refused', options, () =>
        /* The stand-in parses 35 MB twice, which takes sanitizers some seconds; the other host's calls have one. */
        withHost({ functions: [NAME], database: files.database.url, server: { cpu_limit: '30s' } }, async (patient) => {
            const id = await agent();
            const bytes = Buffer.alloc(MIB25 + 1);
            bytes.write('%PDF-1.7');
            const send = (more) => files.call(NAME, id, { transactionId: FILE, fileType: 'sale', documentName: 'Big', ...more }, { host: patient });
            const body = (length) => ({ documentBase64: bytes.subarray(0, length).toString('base64') });
            assert.equal((await done(send(body(MIB25)))).size, MIB25);
            assert.equal((await done(send(byUrl(`/big.pdf?bytes=${MIB25}`)))).size, MIB25);
            assertRefused(await send(body(MIB25 + 1)), 400, 'invalid_input', 'documentBase64');
            assertRefused(await send(byUrl(`/big.pdf?bytes=${MIB25 + 1}`)), 413, 'document_too_large');
            const [row] = (await actionsOf(files, id)).filter(({ status }) => status === 'failed');
            assert.match(row.error_message, /^document_too_large: /);
        }));

    it('onto a checklist item; when that fails the document stands', options, async () => {
        const id = await agent();
        const data = await upload(id, { ...valid, checklistItemId: '12' });
        assert.equal('warnings' in data, false);
        const request = (await sky.requests()).at(-1);
        assert.deepEqual([request.path, request.body], [`/api/files/sales/${FILE}/checklist-items/12`, { documentGuid: data.documentId }]);
        await sky.order({ body: { id: 77 } }, { status: 404, body: {} });
        const warned = await upload(id, { ...valid, checklistItemId: 12, documentType: 'Offer' });
        assert.deepEqual([warned.documentId, warned.documentType, warned.warnings], ['77', 'Offer', ['not_attached']]);
        assert.equal((await actionsOf(files, id))[1].status, 'success');
    });

    it('a listing is found', options, async () => {
        const data = await done(call(await agent(), { ...valid, transactionId: '5a1e0000-0002-4000-8000-000000000001' }));
        assert.equal(data.fileType, 'listing');
    });
});

providerFailures(files, NAME, {
    provider: 'skyslope', body: { ...valid, fileType: 'sale' }, prefix: 'Failed to upload document', agent, before: [{}],
    notFound: [404, 'not_found'], secret: 'as-1',
});

const { documentBase64, ...logged } = valid;
auditTrail(files, NAME, {
    provider: 'skyslope', body: valid, changed: { documentName: 'Other' }, agent, action: 'uploadSkySlopeDocument', logged,
    writes: (requests) => requests.filter(({ path }) => path.endsWith('/documents')).length,
});
