/*
 * The request as functions see it: headers, query parameters and cookies as lists, and input tables.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { buildDirectory } from '../support/config.mjs';
import { Raw } from '../support/raw.mjs';
import { request2, startBoth } from '../support/secure.mjs';

const options = { timeout: 120000 };
const settings = (server = {}) => ({
    sandbox: false, readyPath: '/_edge/live',
    server: { plugins: path.join(buildDirectory, 'tests', 'plugins'), workers: 1, ...server },
    functions: { request_lists: { auth: 'public' }, request_strict: { auth: 'public' }, echo: { auth: 'public' } },
});
let both, host, session;

before(async () => {
    both = await startBoth(settings);
    ({ host, session } = both);
}, options);

after(async () => {
    await both?.stop();
}, options);

const lists = (query, headers = {}) => fetch(`${host.url}/functions/v1/request_lists${query}`, { headers });

describe('request: lists', options, () => {
    it('query parameters in order, decoded, repeated ones apart', options, async () => {
        const answer = await (await lists('?a=1&b=%C3%A9+x&a=2&flag&=nameless&&c=%zz&bad=%ff&forceFunctionRegion=eu-west-1')).json();
        assert.deepEqual(answer.queries, [
            ['a', '1'], ['b', 'é x'], ['a', '2'], ['flag', ''], ['', 'nameless'], ['c', '%zz'], ['bad', '\ufffd'],
        ]);
        assert.equal(answer.a, '1');
        assert.equal(answer.region, null);
    });

    it('U+0000 in the query is refused', options, async () => {
        const answer = await lists('?a=1&b=x%00y');
        assert.equal(answer.status, 400);
        assert.equal((await answer.json()).code, 'invalid_input');
    });

    it('headers in order, in lower case, repeated ones apart', options, async () => {
        const connection = await Raw.open(host.port);
        connection.send('GET /functions/v1/request_lists HTTP/1.1\r\nHost: t\r\nX-One:  a \r\nx-two: b\r\nX-ONE: c\r\n\r\n');
        assert.deepEqual((await connection.answer()).json.headers, [['host', 't'], ['x-one', 'a'], ['x-two', 'b'], ['x-one', 'c']]);
        connection.destroy();
    });

    it('cookies: quotes go, the first of a name counts, no decoding', options, async () => {
        const answer = await (await lists('', { cookie: 'session="abc"; theme=dark%20blue;bad; session=second; empty=; a=b=c' })).json();
        assert.deepEqual(answer.cookies, [['session', 'abc'], ['theme', 'dark%20blue'], ['session', 'second'], ['empty', ''], ['a', 'b=c']]);
        assert.equal(answer.session, 'abc');
    });

    it('the same over HTTP/2, with a line a cookie', options, async () => {
        const { json } = await request2(session, '/functions/v1/request_lists?a=1', { headers: { cookie: ['x=1', 'session=two'], 'x-one': 'a' } });
        assert.deepEqual(json.cookies, [['x', '1'], ['session', 'two']]);
        assert.equal(json.session, 'two');
        assert.ok(json.headers.some(([name, value]) => name === 'x-one' && value === 'a'));
    });
});

const takes = async (body) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(`${host.url}/functions/v1/request_strict`, { method: 'POST', body: text });
    return { status: answer.status, json: await answer.json() };
};

async function refuses(body, field, code = 'invalid_input') {
    const { status, json } = await takes(body);
    assert.equal(status, 400, JSON.stringify(json));
    assert.equal(json.code, code);
    assert.equal(json.field, field);
    return json;
}

describe('request: input tables', options, () => {
    it('takes what the table describes and fills in the rest', options, async () => {
        const { status, json } = await takes({ name: 'abc', items: [{ price: 1.5 }, { price: 2, count: 3 }] });
        assert.equal(status, 200);
        assert.deepEqual(json, { name: 'abc', colour: 'red', gift: false, items: [{ price: 1.5, count: 1 }, { price: 2, count: 3 }] });
    });

    it('members that no table names are refused, at any depth, after the fields', options, async () => {
        await refuses({ name: 'abc', extra: 1 }, 'extra');
        await refuses({ name: 'abc', items: [{ price: 1 }, { price: 1, discount: 2 }] }, 'items[1].discount');
        await refuses({ extra: 1, name: 'a' }, 'name');
        assert.equal((await takes({ title: 'abc' })).json.name, 'abc');
        assert.equal((await takes({ name: 'abc', any: { extra: [1] } })).status, 200);
    });

    it('paths of nested violations', options, async () => {
        assert.match((await refuses({ name: 'abc', items: [{ price: 1 }, { price: 1001 }] }, 'items[1].price')).error, /between 0 and 1000/);
        await refuses({ name: 'abc', items: [{ price: 1 }, 'x'] }, 'items[1]');
        await refuses({ name: 'abc', items: [] }, 'items');
        await refuses({ name: 'abc', items: [{}] }, 'items[0].price');
    });

    it('strings are measured in code points without the white space around them', options, async () => {
        assert.equal((await takes({ name: '😀😀😀😀😀' })).status, 200);
        await refuses({ name: '😀😀😀😀😀😀' }, 'name');
        assert.equal((await takes({ name: '\u00a0\u2003 ab \u3000\ufeff' })).json.name, '\u00a0\u2003 ab \u3000\ufeff');
        await refuses({ name: '\u2003 a \u00a0\ufeff' }, 'name');
    });

    it('U+0000 is refused wherever it stands', options, async () => {
        await refuses('{"name":"ab\\u0000"}', 'name');
        await refuses('{"name":"abc","any":{"deep":["x",{"y":"\\u0000"}]}}', 'any.deep[1].y');
        const key = await takes('{"name":"abc","any":{"k\\u0000":1}}');
        assert.equal(key.status, 400);
    });

    it('whole numbers are exact', options, async () => {
        const answer = await fetch(`${host.url}/functions/v1/request_strict`, { method: 'POST', body: '{"name":"abc","big":9007199254740991}' });
        assert.match(await answer.text(), /"big":9007199254740991/);
        await refuses('{"name":"abc","big":9007199254740993}', 'big');
        await refuses('{"name":"abc","big":-9007199254740993}', 'big');
        await refuses('{"name":"abc","big":1.5}', 'big');
        await refuses('{"name":"abc","big":"1"}', 'big');
        assert.equal((await takes('{"name":"abc","big":1e3}')).json.big, 1000);
    });

    it('an error body has the function\'s own members beside the usual ones', options, async () => {
        const { json } = await takes({});
        assert.deepEqual(json.items, []);
        assert.equal(json.code, 'invalid_input');
    });

    it('json values are bounded by their size', options, async () => {
        await refuses({ name: 'abc', any: 1 }, 'any');
        await refuses({ name: 'abc', any: 'x'.repeat(80) }, 'any');
        assert.deepEqual((await takes({ name: 'abc', any: [1, 2] })).json.any, [1, 2]);
    });

    it('the same over HTTP/2', options, async () => {
        const { status, json } = await request2(session, '/functions/v1/request_strict', { method: 'POST', body: '{"name":"abc","extra":1}' });
        assert.equal(status, 400);
        assert.equal(json.field, 'extra');
    });
});

describe('request: bodies that are JSON or of certain types', options, () => {
    const send = async (type, body) => {
        const answer = await fetch(`${host.url}/functions/v1/echo`, {
            method: 'POST', headers: type ? { 'content-type': type } : {}, body,
        });
        return { status: answer.status, ...(await answer.json()) };
    };

    it("bodies of the function's types are left to it", options, async () => {
        for (const type of ['audio/webm', 'AUDIO/x-y; codecs=opus', 'video/webm;a=b']) {
            const answer = await send(type, '{"a":1}');
            assert.deepEqual([answer.status, answer.in, answer.length], [200, null, 7], type);
        }
    });

    it('all others are JSON, or refused', options, async () => {
        for (const type of ['application/json', 'text/plain', 'audiobook/x'])
            assert.deepEqual((await send(type, '{"a":1}')).in, { a: 1 }, type);
        for (const type of ['video/mp4', 'video/webmx', 'image/png']) {
            const answer = await send(type, 'bytes');
            assert.deepEqual([answer.status, answer.code], [415, 'unsupported_media_type'], type);
        }
    });
});
