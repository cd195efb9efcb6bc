/*
 * createGoogleDocTool (spec workspace.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options } from '../../support/suite.mjs';
import { providerFailures, renewals } from '../../support/tool_failures.mjs';
import { assertFailed, connectionRefusals, idempotency, toolSuite } from '../../support/tools.mjs';

const documents = toolSuite(['createGoogleDocTool'], 'google_workspace');
const docs = () => documents.provider('google_docs');
const drive = () => documents.provider('google_apis');
const body = { title: 'Plan', content: 'Text' };
const url = 'https://docs.google.com/document/d/D1/edit';

describe('createGoogleDocTool', options, () => {
    it('1: a document with two lines', options, async () => {
        const id = await documents.connected();
        await docs().order({ body: { documentId: 'D1' } });
        const { status, body } = await documents.run(id, { title: ' Listing plan ', content: 'Hello\r\nWorld' });
        assert.equal(status, 200, JSON.stringify(body));
        assert.deepEqual(Object.keys(body.data), ['documentId', 'title', 'url', 'message', 'contentInserted']);
        assert.equal(body.data.documentId, 'D1');
        assert.equal(body.data.title, 'Listing plan');
        assert.equal(body.data.url, url);
        assert.equal(body.data.contentInserted, true);
        const [create, insert, ...others] = await docs().requests();
        assert.equal(others.length, 0);
        assert.equal(`${create.method} ${create.path}`, 'POST /v1/documents');
        assert.deepEqual(create.body, { title: 'Listing plan' });
        assert.equal(`${insert.method} ${insert.path}`, 'POST /v1/documents/D1:batchUpdate');
        assert.deepEqual(insert.body, {
            requests: [{ insertText: { location: { index: 1 }, text: 'Hello\nWorld' } }],
        });
        assert.deepEqual(await drive().requests(), []);
        const [row, ...more] = await documents.actions(id);
        assert.equal(more.length, 0);
        assert.equal(row.action_type, 'createGoogleDoc');
        assert.equal(row.status, 'success');
        assert.equal(row.resource_url, url);
        assert.deepEqual(row.action_data.request, { title: 'Listing plan', contentLength: 11, folderId: null });
        assert.doesNotMatch(JSON.stringify(row), /Hello/);
    });

    it('2: the text cannot be inserted', options, async () => {
        const id = await documents.connected();
        await docs().order({ body: { documentId: 'D1' } }, { status: 503, body: {} });
        const answer = await documents.run(id, { title: 'Listing plan', content: 'Hello' });
        assertFailed(answer, 502, 'content_not_inserted');
        assert.deepEqual(answer.body.data, { documentId: 'D1', title: 'Listing plan', url });
        assert.equal(answer.body.providerStatus, 503);
        const [row] = await documents.actions(id);
        assert.equal(row.status, 'failed');
        assert.equal(row.resource_url, url);
        assert.match(row.error_message, /^content_not_inserted: /);
        assert.equal((await docs().requests()).length, 2);
    });

    it('3: without a title', options, async () => {
        const id = await documents.connected();
        assertFailed(await documents.run(id, { content: 'x' }), 400, 'invalid_input', 'title');
        assert.deepEqual(await docs().requests(), []);
    });

    it('without content', options, async () => {
        const id = await documents.connected();
        for (const content of [undefined, null, '', '\u0001\u001f']) {
            await docs().reset();
            const { status, body } = await documents.run(id, { title: 'Plan', content });
            assert.equal(status, 200);
            assert.equal(body.data.contentInserted, false);
            assert.equal((await docs().requests()).length, 1);
        }
    });

    it('line ends and control characters', options, async () => {
        const id = await documents.connected();
        await documents.run(id, { title: 'Plan', content: 'a\rb\r\nc\n\rd\te\u0007\u001bf\u007f é🏡' });
        assert.equal((await docs().bodies())[1].requests[0].insertText.text, 'a\nb\nc\n\nd\tef\u007f é🏡');
    });

    it('moved to a folder while the text goes in', options, async () => {
        const id = await documents.connected();
        await docs().order({ body: { documentId: 'D1' } }, { delayMs: 300, body: {} });
        const answering = documents.run(id, { ...body, folderId: 'F-9_x' });
        const [move] = await drive().arrived(1);
        assert.equal((await docs().requests())[1].ended, false, 'both at once');
        assert.equal(`${move.method} ${move.path}`, 'PATCH /drive/v3/files/D1');
        assert.deepEqual(move.query, { addParents: 'F-9_x', supportsAllDrives: 'true', fields: 'id,parents' });
        assert.deepEqual(move.body, {});
        const { body: answered } = await answering;
        assert.equal(answered.data.movedToFolder, true);
        assert.equal(answered.data.warning, undefined);
        const [, left, ...more] = await drive().requests();
        assert.deepEqual(left.query, { ...move.query, removeParents: 'root' }, 'a file has one parent');
        assert.deepEqual(more, []);
    });

    it('a move that is refused for anything else is not tried again', options, async () => {
        const id = await documents.connected();
        const errors = [{ domain: 'global', reason: 'insufficientFilePermissions', message: 'No' }];
        await drive().order({ status: 403, body: { error: { code: 403, message: 'No', errors } } });
        const { body: answered } = await documents.run(id, { title: 'Plan', folderId: 'F1' });
        assert.equal(answered.data.movedToFolder, false);
        assert.equal((await drive().requests()).length, 1);
    });

    it('the move fails: the document stays, with a warning', options, async () => {
        const id = await documents.connected();
        const { status, body } = await documents.run(id, { title: 'Plan', folderId: 'missing' });
        assert.equal(status, 200);
        assert.equal(body.data.movedToFolder, false);
        assert.match(body.data.warning, /File not found: missing\./);
        assert.equal((await documents.actions(id))[0].status, 'success');
    });

    it('the text and the move fail', options, async () => {
        const id = await documents.connected();
        await docs().order({ body: { documentId: 'D1' } }, { status: 400, body: {} });
        const answer = await documents.run(id, { ...body, folderId: 'missing' });
        assertFailed(answer, 502, 'content_not_inserted');
    });

    it('limits', options, async () => {
        const id = await documents.connected();
        const { status } = await documents.run(id, { title: 'é'.repeat(300), content: 'é'.repeat(500000), folderId: 'f'.repeat(128) });
        assert.equal(status, 200);
        assert.equal((await docs().bodies())[1].requests[0].insertText.text.length, 500000);
        assert.equal((await documents.actions(id))[0].action_data.request.contentLength, 500000);
        assertFailed(await documents.run(id, { ...body, content: ' '.repeat(500001) }), 400, 'invalid_input', 'content');
        assertRefused(await documents.run(id, { ...body, content: 'x'.repeat(4 << 20) }), 413, 'body_too_large');
    });
});

refusals(documents, 'createGoogleDocTool', {
    mode: 'user_or_service',
    body,
    required: ['title'],
    wrong: {
        title: [...NOT.text, ' \n', 'x'.repeat(301), 'a\u0000'],
        content: [...NOT.text, 'x'.repeat(500001), 'a\u0000'],
        folderId: [...NOT.text, 'a/b', 'f'.repeat(129)],
        idempotencyKey: NOT.text,
    },
    untouched: ['ai_actions_log'],
});
connectionRefusals(documents, body);
idempotency(documents, 'google_docs', { body, again: { ...body, content: 'Other' }, type: 'createGoogleDoc' });
providerFailures(documents, 'google_docs', { body });
renewals(documents, 'google_docs', 'google_oauth', { body });
