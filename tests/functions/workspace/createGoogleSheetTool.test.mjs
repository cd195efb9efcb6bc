/*
 * createGoogleSheetTool (spec workspace.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, refusals } from '../../support/refusals.mjs';
import { options } from '../../support/suite.mjs';
import { providerFailures, renewals } from '../../support/tool_failures.mjs';
import { assertFailed, connectionRefusals, idempotency, toolSuite } from '../../support/tools.mjs';

const spreadsheets = toolSuite(['createGoogleSheetTool'], 'google_workspace');
const sheets = () => spreadsheets.provider('google_sheets');
const body = { title: 'Leads', headers: ['Name'], data: [['Ann']] };

const text = (stringValue) => ({ userEnteredValue: { stringValue } });
const head = (stringValue) => ({ ...text(stringValue), userEnteredFormat: { textFormat: { bold: true } } });

async function made(body) {
    const id = await spreadsheets.connected();
    const answer = await spreadsheets.run(id, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const requests = await sheets().requests();
    return { id, data: answer.body.data, sent: requests.at(-1).body, request: requests.at(-1) };
}

const rowsOf = (sent) => sent.sheets[0].data[0].rowData.map(({ values }) => values);

describe('createGoogleSheetTool', options, () => {
    it('1: a header and rows; what looks like a formula is text', options, async () => {
        await sheets().order({ body: { spreadsheetId: 'S1' } });
        const { id, data, sent, request } = await made({
            title: 'Leads',
            headers: ['Name', 'Score'],
            data: [['Ann', 7], ['=1+1', null]],
        });
        assert.equal(`${request.method} ${request.path}`, 'POST /v4/spreadsheets');
        assert.deepEqual(sent, {
            properties: { title: 'Leads' },
            sheets: [
                {
                    properties: { gridProperties: { rowCount: 1000, columnCount: 26, frozenRowCount: 1 } },
                    data: [
                        {
                            startRow: 0,
                            startColumn: 0,
                            rowData: [
                                { values: [head('Name'), head('Score')] },
                                { values: [text('Ann'), { userEnteredValue: { numberValue: 7 } }] },
                                { values: [text('=1+1'), {}] },
                            ],
                        },
                    ],
                },
            ],
        });
        const url = 'https://docs.google.com/spreadsheets/d/S1/edit';
        assert.deepEqual({ ...data, message: 0 }, { spreadsheetId: 'S1', title: 'Leads', url, message: 0, rowsWritten: 3 });
        const [row] = await spreadsheets.actions(id);
        assert.equal(row.action_type, 'createGoogleSheet');
        assert.equal(row.resource_url, url);
        assert.deepEqual(row.action_data.request, { title: 'Leads', rows: 3, columns: 2 });
    });

    it('2: rows that are objects', options, async () => {
        const { data, sent } = await made({ title: 'L', data: [{ a: 1, b: true }, { b: false, c: [1] }] });
        assert.deepEqual(rowsOf(sent), [
            [head('a'), head('b')],
            [{ userEnteredValue: { numberValue: 1 } }, { userEnteredValue: { boolValue: true } }],
            [{}, { userEnteredValue: { boolValue: false } }],
        ]);
        assert.equal(data.rowsWritten, 3);
    });

    it('3: rows that are none', options, async () => {
        const id = await spreadsheets.connected();
        assertFailed(await spreadsheets.run(id, { title: 'L', data: ['x'] }), 400, 'invalid_input', 'data[0]');
        assert.deepEqual(await sheets().requests(), []);
    });

    it('objects under given headers', options, async () => {
        const { sent } = await made({ title: 'L', headers: ['b', 'x'], data: [{ a: {}, b: 1.5 }] });
        assert.deepEqual(rowsOf(sent), [[head('b'), head('x')], [{ userEnteredValue: { numberValue: 1.5 } }, {}]]);
    });

    it('nothing to write, a header alone, rows alone', options, async () => {
        for (const none of [{}, { headers: [], data: [] }, { headers: null, data: null }]) {
            const { data, sent } = await made({ title: 'L', ...none });
            assert.deepEqual(sent, { properties: { title: 'L' } });
            assert.equal(data.rowsWritten, 0);
        }
        const header = await made({ title: 'L', headers: ['a', 7, false, null] });
        assert.equal(header.data.rowsWritten, 1);
        assert.equal(header.sent.sheets[0].properties.gridProperties.frozenRowCount, undefined);
        assert.deepEqual(rowsOf(header.sent)[0][3], { userEnteredFormat: { textFormat: { bold: true } } });
        const rows = await made({ title: 'L', data: [['a'], []] });
        assert.equal(rows.sent.sheets[0].properties.gridProperties.frozenRowCount, undefined);
        assert.deepEqual(rowsOf(rows.sent), [[text('a')], []]);
    });

    it('a folder that is there, and one that is not', options, async () => {
        const moved = await made({ ...body, folderId: 'F1' });
        assert.equal(moved.data.movedToFolder, true);
        const [move] = await spreadsheets.provider('google_apis').requests();
        assert.equal(move.path, `/drive/v3/files/${moved.data.spreadsheetId}`);
        assert.equal(move.query.addParents, 'F1');
        const stays = await made({ ...body, folderId: 'missing' });
        assert.equal(stays.data.movedToFolder, false);
        assert.match(stays.data.warning, /File not found/);
    });

    it('limits', options, async () => {
        const row = Array.from({ length: 10 }, () => 1);
        const many = await made({ title: 'é'.repeat(300), data: Array.from({ length: 10000 }, () => row) });
        assert.equal(many.data.rowsWritten, 10000);
        assert.equal(many.sent.sheets[0].properties.gridProperties.rowCount, 10000);
        const wide = await made({ title: 'L', headers: Array.from({ length: 256 }, (_, i) => `c${i}`), data: [['x'.repeat(50000)]] });
        assert.equal(wide.sent.sheets[0].properties.gridProperties.columnCount, 256);

        const id = await spreadsheets.connected();
        const refused = async (more, field) =>
            assertFailed(await spreadsheets.run(id, { title: 'L', ...more }), 400, 'invalid_input', field);
        await refused({ headers: ['a'], data: Array.from({ length: 10000 }, () => row) }, 'data');
        await refused({ data: Array.from({ length: 10001 }, () => []) }, 'data');
        await refused({ headers: Array.from({ length: 257 }, () => 'c') }, 'headers');
        await refused({ data: [Array.from({ length: 257 }, () => 1)] }, 'data[0]');
        await refused({ data: [['a'], ['b', 'x'.repeat(50001)]] }, 'data[1][1]');
        await refused({ headers: ['a', 'b', []] }, 'headers[2]');
        await refused({ data: [['a'], [{}]] }, 'data[1][0]');
        await refused({ data: [['a'], { a: 1 }] }, 'data[1]');
        await refused({ data: [{ a: 1 }, ['a']] }, 'data[1]');
        await refused({ data: [{ a: 1 }, { a: [] }] }, 'data[1].a');
        await refused({ headers: ['a', 1], data: [{ a: 1 }] }, 'headers[1]');
        await refused({ data: ['x'], folderId: '/' }, 'data[0]');
    });
});

refusals(spreadsheets, 'createGoogleSheetTool', {
    mode: 'user_or_service',
    body,
    required: ['title'],
    wrong: {
        title: [...NOT.text, ' ', 'x'.repeat(301)],
        headers: NOT.array,
        data: NOT.array,
        folderId: [...NOT.text, '../x'],
        idempotencyKey: NOT.text,
    },
    untouched: ['ai_actions_log'],
});
connectionRefusals(spreadsheets, body);
idempotency(spreadsheets, 'google_sheets', { body, again: { ...body, data: [['Bob']] }, type: 'createGoogleSheet' });
providerFailures(spreadsheets, 'google_sheets', { body });
renewals(spreadsheets, 'google_sheets', 'google_oauth', { body });
