/*
 * Calls over a WebSocket: what a message is answered by, several at a time, cancelling, and what the function sees.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { sleep } from '../support/host.mjs';
import { open, startPlugins } from '../support/websocket.mjs';

const options = { timeout: 60000 };
let host;

before(async () => {
    host = await startPlugins({
        functions: {
            ws_caller: { auth: 'public' },
            small: { auth: 'public', plugin: 'echo', max_body: '1KiB' },
            slow: { auth: 'public', timeout: '2s', memory: '1MiB' },
            ws_bytes: { auth: 'public' },
            ws_story: { auth: 'public', memory: '1MiB', timeout: '20s' },
            ws_saga: { plugin: 'ws_story', auth: 'public', on_disconnect: 'finish', timeout: '20s' },
            webhook: { plugin: 'echo', auth: 'public', route: '/hooks/{id}' },
        },
    });
}, options);

after(() => host?.stop(), options);

/* Runs work with an open session on a function, and closes it. */
async function session(name, work, more) {
    const socket = await open(host, name, more);
    try {
        return await work(socket);
    } finally {
        await socket.close();
    }
}

const call = (name, message) =>
    session(name, (socket) => {
        socket.send(message);
        return socket.turn();
    });

function isError(message, code, id) {
    assert.equal(message.event, 'error');
    assert.equal(message.data.code, code);
    assert.equal(typeof message.data.error, 'string');
    assert.match(message.data.requestId, /^[0-9a-f-]{36}$/);
    assert.equal(message.id, id);
}

describe('websocket: answers', options, () => {
    it('a function that does not stream answers final with its status', options, async () => {
        const [answer] = await call('ws_caller', { status: 201 });
        assert.deepEqual(Object.keys(answer), ['event', 'status', 'data']);
        assert.deepEqual([answer.event, answer.status, answer.data.websocket], ['final', 201, true]);
    });

    it(
        'the id of a message is in every message about it, and nowhere when there was none',
        options,
        async () => {
            const told = await call('ws_story', { id: 'a "quoted" ü', pieces: 2 });
            assert.deepEqual(
                told.map(({ event, id }) => [event, id]),
                ['tool', 'delta', 'delta', 'final'].map((event) => [event, 'a "quoted" ü']),
            );
            for (const message of await call('ws_story', { pieces: 2 })) assert.equal('id' in message, false);
        },
    );

    it('named events keep their name, the own final of a stream is passed on as it is', options, async () => {
        const told = await call('ws_story', { pieces: 1 });
        assert.deepEqual(told, [
            { event: 'tool', data: { status: 'started' } },
            { event: 'delta', data: { piece: 0, text: 'xxxxxxxxxx' } },
            { event: 'final', data: { told: 1, partial: false } },
        ]);
    });

    it(
        'a stream without a last event is ended with what the function returned, or null',
        options,
        async () => {
            const returned = await call('ws_story', { pieces: 1, ending: 'returns' });
            assert.deepEqual(returned.at(-1), {
                event: 'final',
                status: 200,
                data: { told: 1, partial: false },
            });
            const nothing = await call('ws_story', { pieces: 1, ending: 'nothing' });
            assert.deepEqual(nothing.at(-1), { event: 'final', status: 200, data: null });
        },
    );

    it('failures are errors, before a stream and in it, and the socket stays open', options, async () => {
        await session('ws_story', async (socket) => {
            socket.send({ id: 'x', pieces: -1 });
            const [refused] = await socket.turn();
            isError(refused, 'invalid_input', 'x');
            assert.equal(refused.data.field, 'pieces');
            socket.send({ id: 'y', pieces: 1, ending: 'fails' });
            const told = await socket.turn();
            assert.deepEqual(
                told.map(({ event }) => event),
                ['tool', 'delta', 'error'],
            );
            isError(told[2], 'story_failed', 'y');
            socket.send({ pieces: 0 });
            assert.equal((await socket.turn()).at(-1).event, 'final');
        });
    });

    it('time and memory limits of the function hold', options, async () => {
        isError((await call('slow', { ms: 5000 }))[0], 'timeout');
        isError((await call('slow', { allocate: 8 * 1024 * 1024 }))[0], 'memory_limit');
    });

    it(
        'bytes are base64: whole as final, in pieces as deltas with the media type behind',
        options,
        async () => {
            const base64 = (bytes) => Buffer.from(bytes, 'latin1').toString('base64');
            assert.deepEqual(await call('ws_bytes', { how: 'whole' }), [
                {
                    event: 'final',
                    status: 200,
                    data: { mediaType: 'application/pdf', base64: base64('%PDF\x00\xff') },
                },
            ]);
            assert.deepEqual(await call('ws_bytes', { how: 'pieces' }), [
                { event: 'delta', data: { base64: base64('one') } },
                { event: 'delta', data: { base64: base64('\x00\xff') } },
                { event: 'final', status: 200, data: { mediaType: 'audio/mpeg' } },
            ]);
        },
    );

    it(
        'JSON in bytes and redirects are final, a broken-off answer and none at all are errors',
        options,
        async () => {
            assert.deepEqual(await call('ws_bytes', { how: 'json' }), [
                { event: 'final', status: 200, data: { made: 'by hand' } },
            ]);
            assert.deepEqual(await call('ws_bytes', { how: 'redirect' }), [
                { event: 'final', status: 302, data: { redirected: true } },
            ]);
            isError((await call('ws_bytes', { how: 'abort' })).at(-1), 'aborted');
            isError((await call('ws_bytes', { how: 'nothing' }))[0], 'internal_error');
        },
    );
});

describe('websocket: what the function sees', options, () => {
    it('a POST with the headers, path and query of the opening request', options, async () => {
        await session(
            'ws_caller?q=1',
            async (socket) => {
                socket.send({});
                const [{ data }] = await socket.turn();
                assert.deepEqual(data, {
                    user: null,
                    session: null,
                    sub: null,
                    method: 'POST',
                    path: '/functions/v1/ws_caller',
                    q: '1',
                    header: 'value',
                    upgrade: null,
                    protocol: null,
                    service: false,
                    websocket: true,
                });
            },
            { headers: { 'X-Test': 'value' } },
        );
    });

    it('parameters of the route', options, async () => {
        await session('../../hooks/a%20b', async (socket) => {
            socket.send({ some: 'body' });
            const [{ data }] = await socket.turn();
            assert.deepEqual([data.id, data.in, data.method], ['a b', { some: 'body' }, 'POST']);
        });
    });

    it('each call has its line in the log', options, async () => {
        await call('ws_caller', { status: 404 });
        const line = await host.logged(
            (entry) => entry.event === 'invocation' && entry.method === 'WS' && entry.status === 404,
        );
        assert.equal(line.function, 'ws_caller');
        const opened = await host.logged((entry) => entry.event === 'invocation' && entry.status === 101);
        assert.equal(opened.method, 'GET');
        const metrics = await (await fetch(`${host.url}/_edge/metrics`)).text();
        assert.match(metrics, /function="ws_caller"[^\n]*status="404"[^\n]* 1\n/);
    });
});

describe('websocket: several messages', options, () => {
    it('16 with ids of their own run at the same time, the 17th is rate_limited', options, async () => {
        await session('ws_caller', async (socket) => {
            const began = Date.now();
            for (let i = 0; i < 17; i++) socket.send({ id: `${i}`, ms: 300 });
            isError(await socket.next(), 'rate_limited', '16');
            const answered = [];
            for (let i = 0; i < 16; i++) answered.push(await socket.next());
            assert.deepEqual(
                answered.map(({ id }) => Number(id)).sort((a, b) => a - b),
                [...Array(16).keys()],
            );
            assert.ok(Date.now() - began < 2000, 'they waited for each other');
            socket.send({ id: '17' });
            assert.equal((await socket.next()).event, 'final');
        });
    });

    it('an id that runs, and a second message without one, are turn_in_progress', options, async () => {
        await session('ws_caller', async (socket) => {
            for (const message of [{ ms: 200 }, {}, { id: 'a', ms: 200 }, { id: 'a' }]) socket.send(message);
            isError(await socket.next(), 'turn_in_progress');
            isError(await socket.next(), 'turn_in_progress', 'a');
            assert.deepEqual([(await socket.next()).event, (await socket.next()).event], ['final', 'final']);
            socket.send({ id: 'a' });
            assert.equal((await socket.next()).event, 'final');
        });
    });

    it(
        'what is no JSON object, and an id that is no string, is refused; the socket stays open',
        options,
        async () => {
            await session('ws_caller', async (socket) => {
                for (const text of ['{', '', '[1]', '"text"', 'null', `${'['.repeat(100000)}`]) {
                    socket.send(text);
                    isError(await socket.next(), 'invalid_json');
                }
                for (const id of [1, {}, 'x'.repeat(129)]) {
                    socket.send({ id });
                    const refused = await socket.next();
                    isError(refused, 'invalid_input');
                    assert.equal(refused.data.field, 'id');
                }
                socket.send({ id: null });
                assert.equal((await socket.next()).event, 'final');
            });
        },
    );

    it("a message over the function's own limit is refused", options, async () => {
        await session('small', async (socket) => {
            socket.send({ id: 'big', text: 'x'.repeat(2000) });
            isError(await socket.next(), 'body_too_large', 'big');
            socket.send({ text: 'small' });
            assert.equal((await socket.next()).event, 'final');
        });
    });
});

describe('websocket: cancelling', options, () => {
    it(
        'a function that does not finish is broken off, and answered final with partial',
        options,
        async () => {
            await session('ws_story', async (socket) => {
                socket.send({ id: 'a', pieces: 1000, interval: 20 });
                await socket.next();
                await socket.next();
                socket.send({ type: 'cancel', id: 'a' });
                const told = await socket.turn();
                const { requestId, ...data } = told.at(-1).data;
                assert.deepEqual(
                    { ...told.at(-1), data },
                    { event: 'final', id: 'a', status: 499, data: { partial: true } },
                );
                await sleep(100);
                assert.deepEqual(socket.messages, []);
                const line = await host.logged(
                    (entry) => entry.event === 'invocation' && entry.requestId === requestId,
                );
                assert.deepEqual([line.status, line.code], [499, 'client_gone']);
            });
        },
    );

    for (const ending of ['sends', 'returns']) {
        it(`a function that finishes has the last word: it ${ending} it`, options, async () => {
            await session('ws_saga', async (socket) => {
                socket.send({ pieces: 1000, interval: 20, ending });
                await socket.next();
                await socket.next();
                socket.send({ type: 'cancel' });
                const last = (await socket.turn()).at(-1);
                assert.deepEqual([last.event, last.data.partial], ['final', true]);
                assert.ok(last.data.told < 1000);
            });
        });
    }

    for (const ending of ['nothing', 'fails']) {
        it(
            `a function that finishes and says ${ending} is answered final with partial`,
            options,
            async () => {
                await session('ws_saga', async (socket) => {
                    socket.send({ pieces: 1000, interval: 20, ending });
                    await socket.next();
                    socket.send({ type: 'cancel' });
                    socket.send({ type: 'cancel' });
                    const last = (await socket.turn()).at(-1);
                    assert.deepEqual([last.event, last.status, last.data.partial], ['final', 499, true]);
                });
            },
        );
    }

    it(
        'only the named call is cancelled; an unknown one and a late cancel are ignored',
        options,
        async () => {
            await session('ws_caller', async (socket) => {
                socket.send({ id: 'a', ms: 300 });
                socket.send({ id: 'b', ms: 300 });
                socket.send({ type: 'cancel', id: 'none' });
                socket.send({ type: 'cancel' });
                socket.send({ type: 'cancel', id: 'a' });
                const [first, second] = [await socket.next(), await socket.next()];
                assert.deepEqual([first.id, first.status, second.id, second.status], ['a', 499, 'b', 200]);
                socket.send({ type: 'cancel', id: 'b' });
                socket.send({ id: 'b' });
                assert.equal((await socket.next()).status, 200);
                assert.deepEqual(socket.messages, []);
            });
        },
    );

    it('an object with more members than type and id is a request', options, async () => {
        await session('small', async (socket) => {
            socket.send({ type: 'cancel', reason: 'mine' });
            assert.deepEqual((await socket.next()).data.in, { type: 'cancel', reason: 'mine' });
        });
    });

    it(
        'a client that leaves cancels its calls; one that finishes on disconnect goes on',
        options,
        async () => {
            for (const [name, code] of [
                ['ws_story', 'client_gone'],
                ['ws_saga', undefined],
            ]) {
                const socket = await open(host, name);
                socket.send({ pieces: 20, interval: 20 });
                /* Lines of calls before this one come up to 5 ms late, and an event every 20 ms. */
                for (let i = 0; i < 3; i++) await socket.next();
                const before = new Set(host.log);
                socket.socket.terminate();
                const line = await host.logged(
                    (entry) => !before.has(entry) && entry.event === 'invocation' && entry.function === name,
                );
                assert.equal(line.code, code, name);
            }
            const told = await host.logged(
                (entry) => entry.event === 'story_told' && entry.clientGone === true && entry.pieces > 0,
            );
            assert.ok(told.pieces < 20);
        },
    );
});
