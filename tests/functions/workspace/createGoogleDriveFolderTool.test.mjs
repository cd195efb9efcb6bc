/*
 * createGoogleDriveFolderTool (spec workspace.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, refusals } from '../../support/refusals.mjs';
import { options } from '../../support/suite.mjs';
import { providerFailures, renewals } from '../../support/tool_failures.mjs';
import { assertFailed, connectionRefusals, idempotency, toolSuite } from '../../support/tools.mjs';

const folders = toolSuite(['createGoogleDriveFolderTool'], 'google_workspace');
const drive = () => folders.provider('google_apis');
const FOLDER = 'application/vnd.google-apps.folder';
const body = { folderName: 'Listings' };

describe('createGoogleDriveFolderTool', options, () => {
    it('1: a folder in a parent', options, async () => {
        const id = await folders.connected();
        await drive().order({ body: { id: 'F1', name: '12 Oak St' } });
        const { status, body } = await folders.run(id, { folderName: '12 Oak St', parentFolderId: 'P9' });
        assert.equal(status, 200, JSON.stringify(body));
        assert.equal(typeof body.data.message, 'string');
        assert.deepEqual({ ...body.data, message: 0 }, {
            folderId: 'F1',
            folderName: '12 Oak St',
            folderUrl: 'https://drive.google.com/drive/folders/F1',
            message: 0,
            reused: false,
        });
        const [request, ...others] = await drive().requests();
        assert.equal(others.length, 0);
        assert.equal(`${request.method} ${request.path}`, 'POST /drive/v3/files');
        assert.deepEqual(request.query, { supportsAllDrives: 'true', fields: 'id,name' });
        assert.deepEqual(request.body, { name: '12 Oak St', mimeType: FOLDER, parents: ['P9'] });
        assert.equal(request.headers.authorization, `Bearer token-of-${id}`);

        const [row] = await folders.actions(id);
        assert.equal(row.action_type, 'createGoogleDriveFolder');
        assert.equal(row.status, 'success');
        assert.equal(row.resource_url, 'https://drive.google.com/drive/folders/F1');
        assert.equal(row.error_message, null);
        assert.deepEqual(row.action_data.request, { folderName: '12 Oak St', parentFolderId: 'P9', reused: false });
        assert.deepEqual(row.action_data.result, body.data);
    });

    it('2: a quote in the name of a folder that is looked for', options, async () => {
        const id = await folders.connected();
        const { body } = await folders.run(id, { folderName: `O'Neil`, ifExists: 'reuse' });
        assert.equal(body.data.reused, false);
        const [list, create] = await drive().requests();
        assert.equal(`${list.method} ${list.path}`, 'GET /drive/v3/files');
        assert.deepEqual(list.query, {
            q: `mimeType = '${FOLDER}' and trashed = false and name = 'O\\'Neil' and 'root' in parents`,
            orderBy: 'createdTime',
            pageSize: '1',
            spaces: 'drive',
            supportsAllDrives: 'true',
            includeItemsFromAllDrives: 'true',
            fields: 'files(id,name)',
        });
        assert.deepEqual(create.body, { name: `O'Neil`, mimeType: FOLDER });
    });

    it('3: an id that would lead elsewhere', options, async () => {
        const id = await folders.connected();
        assertFailed(await folders.run(id, { folderName: 'a', parentFolderId: '../x' }), 400, 'invalid_input', 'parentFolderId');
        assert.deepEqual(await drive().requests(), []);
        assert.deepEqual(await folders.actions(id), []);
    });

    it('reuse finds the folder again, with backslashes and in its parent only', options, async () => {
        const id = await folders.connected();
        const asked = { folderName: ` a\\'b `, parentFolderId: 'root', ifExists: 'reuse' };
        const first = await folders.run(id, asked), second = await folders.run(id, asked);
        assert.equal(first.body.data.reused, false);
        assert.equal(second.body.data.reused, true);
        assert.equal(second.body.data.folderId, first.body.data.folderId);
        assert.equal(second.body.data.folderName, `a\\'b`);
        assert.equal((await folders.run(id, { ...asked, parentFolderId: 'P1' })).body.data.reused, false);
        assert.deepEqual((await folders.actions(id)).map((row) => row.action_data.request.reused), [false, true, false]);
    });

    it('create makes another one of the same name', options, async () => {
        const id = await folders.connected();
        const ids = [];
        for (const more of [{}, { ifExists: 'create' }, { ifExists: '' }, { ifExists: null, parentFolderId: '' }])
            ids.push((await folders.run(id, { ...body, ...more, unknown: 1 })).body.data.folderId);
        assert.equal(new Set(ids).size, 4);
    });

    it('limits', options, async () => {
        const id = await folders.connected();
        for (const folderName of ['x', ` ${'é'.repeat(255)} `])
            assert.equal((await folders.run(id, { folderName, parentFolderId: 'p'.repeat(128) })).status, 200);
        const missing = await folders.run(id, { ...body, parentFolderId: 'missing' });
        assertFailed(missing, 404, 'provider_not_found');
        assert.match(missing.body.error, /File not found: missing\./);
    });
});

refusals(folders, 'createGoogleDriveFolderTool', {
    mode: 'user_or_service',
    body,
    required: ['folderName'],
    wrong: {
        folderName: [...NOT.text, ' ', 'x'.repeat(256), 'a\u0007b', 'a\u0000b', 'a\nb', 'a\u007fb'],
        parentFolderId: [...NOT.text, 'a/b', 'a b', 'é', 'p'.repeat(129), ' a'],
        ifExists: [...NOT.text, 'Reuse', 'skip'],
        idempotencyKey: NOT.text,
    },
    untouched: ['ai_actions_log'],
});
connectionRefusals(folders, body);
idempotency(folders, 'google_apis', { body, again: { folderName: 'Other' }, type: 'createGoogleDriveFolder' });
providerFailures(folders, 'google_apis', { body });

describe('createGoogleDriveFolderTool: looking for a folder fails', options, () => {
    it('twice: nothing is made; once: it goes on', options, async () => {
        const id = await folders.connected();
        await drive().order({ status: 503, body: {}, times: 2 });
        assertFailed(await folders.run(id, { ...body, ifExists: 'reuse' }), 502, 'provider_error');
        assert.deepEqual((await drive().requests()).map(({ method }) => method), ['GET', 'GET']);
        await drive().reset();
        await drive().order({ status: 503, body: {} });
        assert.equal((await folders.run(id, { ...body, ifExists: 'reuse' })).status, 200);
        assert.deepEqual((await drive().requests()).map(({ method }) => method), ['GET', 'GET', 'POST']);
    });
});
renewals(folders, 'google_apis', 'google_oauth', { body });
