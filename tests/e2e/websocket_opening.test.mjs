/*
 * Opening a WebSocket: the handshake's rules, who calls, and where it is refused before there is a socket.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { SERVICE_KEY, sleep } from '../support/host.mjs';
import { Raw } from '../support/raw.mjs';
import { anonKey, forge, mint } from '../support/tokens.mjs';
import { ACCEPT, frame, KEY, open, opening, startPlugins, TEXT, Wire } from '../support/websocket.mjs';

const options = { timeout: 60000 };
let host;

before(async () => {
    host = await startPlugins({
        functions: {
            mine: { plugin: 'ws_caller', auth: 'user' },
            maybe: { plugin: 'ws_caller', auth: 'optional' },
            either: { plugin: 'ws_caller', auth: 'user_or_service' },
            hello: { auth: 'public' },
        },
        server: { cors_origins: ['https://app.example.com'] },
    });
}, options);

after(() => host?.stop(), options);

/* Sends an opening request; the answer to it, as raw.mjs reads one. */
async function answerTo(target, headers, body = '') {
    const connection = await Raw.open(host.port);
    try {
        return await connection.send(opening(target, headers) + body).answer();
    } finally {
        connection.destroy();
    }
}

function isRefusal(answer, status, code) {
    assert.equal(answer.status, status);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.json.code, code);
    assert.match(answer.json.requestId, /^[0-9a-f-]{36}$/);
}

/* The first answer of an open session to an empty message, its data. */
async function ask(socket, message = {}) {
    socket.send(message);
    const answer = await socket.next();
    return answer.data;
}

describe('websocket: handshake', options, () => {
    it('101 with the accept key and the version of the function', options, async () => {
        const wire = await Wire.open(host, 'hello');
        assert.equal(wire.answer.status, 101);
        assert.equal(wire.answer.headers['sec-websocket-accept'], ACCEPT);
        assert.match(wire.answer.headers['x-function-version'], /^[0-9a-f]{40}$/);
        assert.equal('sec-websocket-protocol' in wire.answer.headers, false);
        assert.equal('sec-websocket-extensions' in wire.answer.headers, false);
        wire.destroy();
    });

    it('messages sent right behind the request are answered', options, async () => {
        for (const target of ['hello', 'mine']) {
            const headers = { Authorization: `Bearer ${await mint('user_1')}` };
            const wire = await Wire.open(
                host,
                target,
                headers,
                Buffer.concat([frame(TEXT, '{"id":"1"}'), frame(TEXT, '{"id":"2"}')]),
            );
            assert.deepEqual([(await wire.message()).id, (await wire.message()).id], ['1', '2']);
            wire.destroy();
        }
    });

    it('much behind the request, and the rest later', options, async () => {
        const text = JSON.stringify({ id: 'big', text: 'x'.repeat(100000) });
        const bytes = frame(TEXT, text);
        const wire = await Wire.open(host, 'hello', {}, bytes.subarray(0, 50000));
        wire.raw.send(bytes.subarray(50000));
        assert.equal((await wire.message()).id, 'big');
        wire.destroy();
    });

    it('a request in pieces of one byte', options, async () => {
        const wire = new Wire(await Raw.open(host.port));
        for (const byte of opening('hello')) {
            wire.raw.send(byte);
            await new Promise(setImmediate);
        }
        assert.equal((await wire.head()).status, 101);
        assert.equal((await wire.send(TEXT, '{"id":"1"}').message()).id, '1');
        wire.destroy();
    });

    it('another version is 426 and says which one there is', options, async () => {
        for (const version of ['8', '14', null]) {
            const answer = await answerTo('hello', { 'Sec-WebSocket-Version': version });
            isRefusal(answer, 426, 'upgrade_required');
            assert.equal(answer.headers['sec-websocket-version'], '13');
        }
    });

    it('a missing or ill-formed key is 400', options, async () => {
        for (const key of [
            null,
            '',
            'short',
            'x'.repeat(24),
            `${KEY}=`,
            `${KEY.slice(0, 20)}====`,
            `====${KEY.slice(4)}`,
        ])
            isRefusal(await answerTo('hello', { 'Sec-WebSocket-Key': key }), 400, 'bad_request');
        isRefusal(
            await answerTo('hello', { 'Sec-WebSocket-Key': `${KEY}\r\nSec-WebSocket-Key: ${KEY}` }),
            400,
            'bad_request',
        );
    });

    it('a body is 400', options, async () => {
        isRefusal(await answerTo('hello', { 'Content-Length': '2' }, '{}'), 400, 'bad_request');
    });

    it(
        'an unknown function is 404, and a key without an upgrade is no way around the methods',
        options,
        async () => {
            isRefusal(await answerTo('none'), 404, 'function_not_found');
            isRefusal(await answerTo('mine', { Upgrade: null, Connection: null }), 405, 'method_not_allowed');
            isRefusal(await answerTo('mine', { Upgrade: 'h2c' }), 405, 'method_not_allowed');
        },
    );

    it('an origin that is not on the list is 403; one that is, or none, is not', options, async () => {
        isRefusal(await answerTo('hello', { Origin: 'https://evil.example.com' }), 403, 'forbidden');
        isRefusal(await answerTo('hello', { Origin: 'null' }), 403, 'forbidden');
        for (const headers of [{ Origin: 'https://app.example.com' }, {}]) {
            const wire = await Wire.open(host, 'hello', headers);
            assert.equal(wire.answer.status, 101);
            wire.destroy();
        }
    });

    it('a refused upgrade does no harm to what else comes on its connection', options, async () => {
        const connection = await Raw.open(host.port);
        connection.send(opening('mine'));
        isRefusal(await connection.answer(), 401, 'unauthorized');
        connection.send('\r\n');
        await connection.closed();
        const admin = await Raw.open(host.port);
        admin.send(opening('mine').replace('/functions/v1/mine', '/_edge/live'));
        assert.equal((await admin.answer()).status, 200);
        admin.send('\r\n');
        admin.send('GET /_edge/live HTTP/1.1\r\nHost: test\r\n\r\n');
        assert.equal((await admin.answer()).status, 200);
        admin.destroy();
    });

    it('a client that leaves at once leaves nothing behind', options, async () => {
        for (let i = 0; i < 20; i++) {
            const connection = await Raw.open(host.port);
            connection.send(
                opening(i % 2 ? 'hello' : 'mine', { Authorization: `Bearer ${await mint('user_1')}` }),
            );
            if (i % 3 > 0) await new Promise(setImmediate);
            connection.destroy();
        }
        await sleep(100);
        assert.equal((await fetch(`${host.url}/_edge/live`)).status, 200);
    });
});

describe('websocket: who calls', options, () => {
    it('a token in Authorization or x-clerk-auth', options, async () => {
        const token = await mint('user_1');
        for (const headers of [{ authorization: `Bearer ${token}` }, { 'x-clerk-auth': token }]) {
            const socket = await open(host, 'mine', { headers });
            const data = await ask(socket);
            assert.deepEqual([data.user, data.session, data.sub], ['user_1', 'sess_user_1', 'user_1']);
            await socket.close();
        }
    });

    it('a token as subprotocol, answered bearer; the function does not see it as one', options, async () => {
        const socket = await open(host, 'mine', { protocols: ['bearer', await mint('user_2')] });
        assert.equal(socket.socket.protocol, 'bearer');
        const data = await ask(socket);
        assert.deepEqual([data.user, data.protocol], ['user_2', null]);
        await socket.close();
    });

    it('a header goes before the subprotocol', options, async () => {
        const socket = await open(host, 'mine', {
            protocols: ['bearer', await forge('user_3')],
            headers: { authorization: `Bearer ${await mint('user_3')}` },
        });
        assert.equal((await ask(socket)).user, 'user_3');
        await socket.close();
    });

    it('other subprotocols are declined: the socket opens without one', options, async () => {
        const wire = await Wire.open(host, 'hello', { 'Sec-WebSocket-Protocol': 'chat, edge' });
        assert.equal(wire.answer.status, 101);
        assert.equal('sec-websocket-protocol' in wire.answer.headers, false);
        wire.destroy();
    });

    it('no token and a bad one are 401 before the upgrade', options, async () => {
        isRefusal(await answerTo('mine'), 401, 'unauthorized');
        for (const token of [
            await forge('user_1'),
            await mint('user_1', { claims: { exp: 1 } }),
            'nonsense',
            anonKey,
        ]) {
            isRefusal(await answerTo('mine', { Authorization: `Bearer ${token}` }), 401, 'unauthorized');
            isRefusal(
                await answerTo('mine', { 'Sec-WebSocket-Protocol': `bearer, ${token}` }),
                401,
                'unauthorized',
            );
        }
        isRefusal(await answerTo('mine', { 'Sec-WebSocket-Protocol': 'bearer' }), 401, 'unauthorized');
        await assert.rejects(open(host, 'mine', { protocols: ['bearer', await forge('user_1')] }), {
            status: 401,
        });
    });

    it('optional: nobody passes, a bad token does not', options, async () => {
        const socket = await open(host, 'maybe');
        assert.equal((await ask(socket)).user, null);
        await socket.close();
        isRefusal(
            await answerTo('maybe', { Authorization: `Bearer ${await forge('user_1')}` }),
            401,
            'unauthorized',
        );
    });

    it('the service key acts for the user that each message names', options, async () => {
        const socket = await open(host, 'either', { headers: { authorization: `Bearer ${SERVICE_KEY}` } });
        for (const userId of ['user_a', 'user_b']) {
            const data = await ask(socket, { userId });
            assert.deepEqual([data.service, data.user], [true, userId]);
        }
        await socket.close();
    });

    it("a message may not name another user than the token's", options, async () => {
        const socket = await open(host, 'mine', {
            headers: { authorization: `Bearer ${await mint('user_1')}` },
        });
        assert.equal((await ask(socket, { userId: 'user_2' })).code, 'user_mismatch');
        assert.equal((await ask(socket, { userId: 'user_1' })).user, 'user_1');
        await socket.close();
    });

    it(
        'behind its expiry a token starts no call: unauthorized, then 4401 once the running ones are done',
        options,
        async () => {
            /* The host allows for 5 s of skew. */
            const claims = { exp: Math.floor(Date.now() / 1000) - 3 };
            const socket = await open(host, 'mine', {
                headers: { authorization: `Bearer ${await mint('user_1', { claims })}` },
            });
            socket.send({ id: 'slow', ms: 4000 });
            await sleep(3000);
            socket.send({ id: 'late' });
            socket.send({ id: 'later' });
            const answers = [await socket.next(), await socket.next(), await socket.next()];
            assert.deepEqual(
                answers.map(({ event, id, data }) => [event, id, data.code]),
                [
                    ['error', 'late', 'unauthorized'],
                    ['error', 'later', 'unauthorized'],
                    ['final', 'slow', undefined],
                ],
            );
            assert.equal(await socket.closed, 4401);
        },
    );
});
