/*
 * WebSockets across a reload: sockets of messages stay, and the next message is served by the new build; a session
 * keeps the build that speaks for it until its time is over.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { eventually } from '../support/host.mjs';
import { build, startHot } from '../support/reload.mjs';
import { Session, open } from '../support/websocket.mjs';
import { mint } from '../support/tokens.mjs';

const options = { timeout: 60000 };
const isPublic = { hot: { auth: 'public' } };

/* The one message that answers. */
async function ask(socket, body = {}) {
    socket.send(body);
    const message = await socket.next();
    return message.event === 'final' ? message.data.version : message.data.code;
}

describe('reload: sockets of messages', options, () => {
    let host;
    before(async () => (host = await startHot()), options);
    after(() => host?.end(), options);
    const becomes = (version) => eventually(async () => (await host.version()) === version, `version ${version}`);
    const inUse = async (count) => {
        host.configure(...count);
        await host.edge('reload');
    };

    it('stay, and their next message is served by the new build', options, async () => {
        const sockets = await Promise.all(Array.from({ length: 50 }, () => open(host, 'hot')));
        for (const version of [2, 3, 4, 1]) {
            host.plugins.put(build(`v${version}`));
            await becomes(version);
            assert.deepEqual([...new Set(await Promise.all(sockets.map((socket) => ask(socket))))], [version]);
        }
        for (const socket of sockets) socket.socket.close();
    });

    it('what a message has begun, its build finishes', options, async () => {
        const socket = await open(host, 'hot');
        socket.send({ id: 'long', events: 20, interval: 50 });
        await socket.next();
        host.plugins.put(build('v2'));
        await becomes(2);
        socket.send({ id: 'new' });
        const messages = [];
        while (messages.filter(({ event }) => event === 'final').length < 2) messages.push(await socket.next());
        for (const { id, data } of messages) assert.equal(data.version, id === 'long' ? 1 : 2);
        assert.equal(messages.filter(({ id }) => id === 'long').length, 20);
        socket.socket.close();
    });

    it('limits and auth of functions.toml are those of now', options, async () => {
        const anonymous = await open(host, 'hot');
        assert.equal(await ask(anonymous), 2);
        await inUse([{ hot: { auth: 'public', max_body: '20B' } }]);
        assert.equal(await ask(anonymous, { how: '', interval: 1 }), 'body_too_large');
        assert.equal(await ask(anonymous), 2);
        await inUse([{ hot: { auth: 'user' } }]);
        assert.equal(await ask(anonymous), 'unauthorized');
        const headers = { authorization: `Bearer ${await mint('user_1')}` };
        const signedIn = await open(host, 'hot', { headers });
        assert.equal(await ask(signedIn), 2);
        await inUse([isPublic]);
        assert.equal(await ask(anonymous), 2);
        anonymous.socket.close();
        signedIn.socket.close();
    });

    it('of a function that is taken away get function_not_found for each message, until it is back', options, async () => {
        const socket = await open(host, 'hot');
        await inUse([{ other: { auth: 'public', plugin: 'hot' } }]);
        for (let i = 0; i < 3; i++) assert.equal(await ask(socket), 'function_not_found');
        await inUse([isPublic]);
        assert.equal(await ask(socket), 2);
        socket.socket.close();
    });
});

describe('reload: sessions', options, () => {
    let host;
    before(async () => (host = await startHot({ first: 'session1', server: { drain_timeout: '2s' } })), options);
    after(() => host?.end(), options);
    const version = async (session) => (await session.send('x').json()).version;

    it('keep their build until the drain timeout, and are asked to finish then', options, async () => {
        const before = await Session.open(host, 'hot');
        assert.equal(await version(before), 1);
        host.plugins.put(build('session2'));
        await eventually(async () => (await host.version()) === 2, 'version 2');
        const changed = Date.now();
        const later = await Session.open(host, 'hot');
        assert.deepEqual(await before.send('x').json(), { version: 1, state: 1 });
        assert.deepEqual(await later.send('x').json(), { version: 2, state: 2 });

        assert.deepEqual(await before.json(), { version: 1, bye: true });
        assert.ok(Date.now() - changed > 1000, 'not at once');
        assert.deepEqual(await before.closed, [1001, 'draining']);
        assert.equal(await version(later), 2);
        await later.close(1000);
    });

    it('of a function that becomes one of messages stay what they are; new sockets are of messages', options, async () => {
        const session = await Session.open(host, 'hot');
        host.plugins.put(build('v3'));
        await eventually(async () => (await host.version()) === 3, 'version 3');
        assert.equal(await version(session), 2);
        const socket = await open(host, 'hot');
        assert.equal(await ask(socket), 3);
        assert.deepEqual(await session.json(), { version: 2, bye: true });
        assert.deepEqual(await session.closed, [1001, 'draining']);
        socket.socket.close();
    });

    it('of a function that is taken away are asked to finish, too', options, async () => {
        host.plugins.put(build('session1'));
        await eventually(async () => (await host.version()) === 1, 'version 1');
        const session = await Session.open(host, 'hot');
        assert.equal(await version(session), 1);
        host.configure({ other: { auth: 'public', plugin: 'hot' } });
        await host.edge('reload');
        assert.equal(await version(session), 1);
        assert.deepEqual(await session.json(), { version: 1, bye: true });
        assert.deepEqual(await session.closed, [1001, 'draining']);
    });
});
