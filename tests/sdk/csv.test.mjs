/*
 * CSV through functions: what RFC 4180 allows, what it does not, limits, lines, and files larger than memory.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { request2, startBoth } from '../support/secure.mjs';

const options = { timeout: 120000 };
const settings = (server = {}) => ({
    sandbox: false, readyPath: '/_edge/live',
    server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, cpu_limit: '60s', ...server },
    functions: {
        csv_rows: { auth: 'public', max_body: '64MiB', memory: '512KiB', timeout: '60s' },
        csv_file: { auth: 'public', memory: '512KiB', timeout: '60s' },
    },
});
let both, host, session;

before(async () => {
    both = await startBoth(settings);
    ({ host, session } = both);
}, options);

after(async () => {
    await both?.stop();
}, options);

async function read(body, query = '') {
    const answer = await fetch(`${host.url}/functions/v1/csv_rows?${query}`, { method: 'POST', body });
    return { status: answer.status, ...(await answer.json()) };
}

/* [line, fields or problem] of each row, the same whatever the pieces. */
async function rows(body, query = '') {
    const whole = await read(body, query);
    for (const piece of [3, 5, 64]) assert.deepEqual(await read(body, `${query}&piece=${piece}`), whole, `pieces of ${piece}`);
    return whole.rows.map((row) => [row.line, row.problem === 'ok' ? row.fields : row.problem]);
}

describe('csv: reading', options, () => {
    it('fields, quotes, separators and line ends of every kind', options, async () => {
        assert.deepEqual(await rows('a,b\r\n1,2\n3,4\r5,6'), [[1, ['a', 'b']], [2, ['1', '2']], [3, ['3', '4']], [4, ['5', '6']]]);
        assert.deepEqual(await rows('"a ""b"", c",,"" , x \n'), [[1, 'malformed']]);
        assert.deepEqual(await rows('"a ""b"", c",,"", x \n'), [[1, ['a "b", c', '', '', ' x ']]]);
        assert.deepEqual(await rows('a;"b;c";d,e', 'separator=;'), [[1, ['a', 'b;c', 'd,e']]]);
        assert.deepEqual(await rows('a\t b \t"c\td"', 'separator=%09'), [[1, ['a', ' b ', 'c\td']]]);
        assert.deepEqual(await rows(',\n'), [[1, ['', '']]]);
        assert.deepEqual(await rows(''), []);
    });

    it('a byte order mark goes, blank records go, letters stay', options, async () => {
        assert.deepEqual(await rows('\ufeffä,€\n\r\n\n😀,\ufeff'), [[1, ['ä', '€']], [4, ['😀', '\ufeff']]]);
        const wide = await read(Buffer.from('\ufeffa,b', 'utf16le'));
        assert.equal(wide.status, 415);
        assert.equal(wide.code, 'unsupported_encoding');
    });

    it('a row\'s line is where it starts; line ends between quotes count', options, async () => {
        assert.deepEqual(await rows('h\r\n"one\r\ntwo\nthree\rfour"\r\nlast\r\n'), [[1, ['h']], [2, ['one\r\ntwo\nthree\rfour']], [6, ['last']]]);
    });

    it('a malformed record is reported, and reading goes on', options, async () => {
        assert.deepEqual(await rows('a,b\n"x"y,1\nc"d,2\n"q" ,3\n5,6\n'), [[1, ['a', 'b']], [2, 'malformed'], [3, 'malformed'], [4, 'malformed'], [5, ['5', '6']]]);
        assert.deepEqual(await rows('a\n"b\nc"d,"\ne,f\n'), [[1, ['a']], [2, 'malformed'], [4, ['e', 'f']]]);
        assert.deepEqual(await rows('a"'), [[1, 'malformed']]);
    });

    it('a quote that stays open is the file\'s end', options, async () => {
        assert.deepEqual(await rows('a\nb,"c\nd\n'), [[1, ['a']], [2, 'unfinished']]);
    });

    it('what is no text is said', options, async () => {
        assert.deepEqual(await rows(Buffer.from('a\nb\xff\nc\0d\ne', 'latin1')), [[1, ['a']], [2, 'encoding'], [3, 'encoding'], [4, ['e']]]);
    });

    it('limits of records, fields and bytes', options, async () => {
        assert.deepEqual((await rows('a\nb\nc\nd', 'recordsMax=2')).map(([, what]) => what), [['a'], ['b'], 'too_large']);
        assert.deepEqual((await rows('1,2,3\n1,2,3,4\n5', 'fieldsMax=3')).map(([, what]) => what), [['1', '2', '3'], 'too_large']);
        assert.deepEqual((await rows(`${'x'.repeat(20)}\n${'y'.repeat(21)}\nz`, 'recordMax=21')).map(([, what]) => what), [['x'.repeat(20)], ['y'.repeat(21)], ['z']]);
        assert.deepEqual((await rows(`a\n"${'y\n'.repeat(20)}"`, 'recordMax=21')).map(([, what]) => what), [['a'], 'too_large']);
        assert.equal((await read('x'.repeat(2 * 1024 * 1024))).rows[0].problem, 'too_large');
        assert.deepEqual(await rows(`a${'\n'.repeat(50)}b`, 'recordMax=21'), [[1, ['a']], [51, ['b']]]);
        assert.deepEqual(await rows('a\rbcd\ne\n'), [[1, ['a']], [2, ['bcd']], [3, ['e']]]);
        assert.equal((await read('a', 'separator=x')).status, 500);
    });

    it('a file much larger than the function\'s memory', options, async () => {
        const line = '12345,"Ein Name, mit Komma",2026-01-01,"mehr ""Text"" dahinter und noch ein wenig davon"\r\n';
        const { count } = await read(line.repeat(300000), 'count');
        assert.equal(count, 300000);
        const other = await request2(session, '/functions/v1/csv_rows?count', { method: 'POST', body: '1,2\r'.repeat(200000) });
        assert.equal(other.json.count, 200000);
    });
});

async function write(body) {
    const answer = await fetch(`${host.url}/functions/v1/csv_file`, { method: 'POST', body: JSON.stringify(body) });
    return { status: answer.status, headers: answer.headers, text: Buffer.from(await answer.arrayBuffer()).toString() };
}

describe('csv: writing', options, () => {
    it('values of every type', options, async () => {
        const { headers, text } = await write({});
        assert.equal(headers.get('content-type'), 'text/csv; charset=utf-8');
        assert.equal(headers.get('content-disposition'), "attachment; filename=\"t__st.csv\"; filename*=UTF-8''t%C3%A4st.csv");
        assert.equal(text, '-5,0.1,3,true,,,"",1970-01-01T00:00:00.001Z,"{""key"":""value, with \\""quotes\\""""}",AP8=,"a||b""c",11111111-1111-4111-8111-111111111111,12.50,2026-03-10,1|-2,"1.10|2"\r\n');
    });

    it('what is written reads back the same', options, async () => {
        const texts = ['plain', 'a,b', 'a;b', 'say "x"', '"', 'line\r\nend', ' blanks ', 'é😀', '=1+1', 'long '.repeat(5000)];
        for (const separator of [',', ';', '\t']) {
            const { text } = await write({ texts, separator });
            const back = await read(text, `separator=${encodeURIComponent(separator)}`);
            assert.deepEqual(back.rows.slice(1).map((row) => row.fields), texts.map((one) => [one, '-']));
        }
    });

    it('formulas are guarded and a mark is written when asked', options, async () => {
        const { text } = await write({ texts: ['=SUM(A1)', '+1', '@x', 'a=b'], guard: true, mark: true });
        assert.ok(text.startsWith('\ufeff-5,'));
        assert.deepEqual(text.split('\r\n').slice(1, 5), ['"\'=SUM(A1)","\'-"', '"\'+1","\'-"', '"\'@x","\'-"', 'a=b,"\'-"']);
    });

    it('a file much larger than the function\'s memory, over both protocols', options, async () => {
        const { status, text } = await write({ rows: 100000 });
        assert.equal(status, 200);
        assert.equal(text.split('\r\n').length, 100002);
        assert.ok(text.endsWith('99999,1970-01-02T03:46:39.000Z,12499.875,"some text, quoted"\r\n'));
        const other = await request2(session, '/functions/v1/csv_file', { method: 'POST', body: '{"rows":100000}' });
        assert.equal(other.text, text);
    });

    it('to a function of one\'s own', options, async () => {
        const { text } = await write({ own: true, rows: 1000 });
        assert.ok(JSON.parse(text).bytes > 40000);
    });
});
