/*
 * edge_invoke: functions that call functions in process.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { post } from '../support/clients.mjs';
import { buildDirectory } from '../support/config.mjs';
import { eventually, SERVICE_KEY, startHost } from '../support/host.mjs';
import { options } from '../support/suite.mjs';
import { mint } from '../support/tokens.mjs';
import { pluginHost, startTraces } from '../support/traces.mjs';

const sanitized = process.env.ASAN_OPTIONS || /asan/.test(buildDirectory);
const USER = 'user_invoke';
let database, host, token;

before(async () => {
    database = await startTraces();
    await database.rows("INSERT INTO profiles (id, email) VALUES ($1, 'invoke@example.com')", [USER]);
    token = await mint(USER, { claims: { o: { id: 'org_1', rol: 'admin' }, v: 2, shape: 'kept' } });
    host = await startHost({
        ...pluginHost({
            invoke_call: { auth: 'optional' },
            invoke_callee: { auth: 'optional', timeout: '20s' },
            for_users: { auth: 'user', plugin: 'invoke_callee' },
            for_service: { auth: 'service', plugin: 'invoke_callee' },
            for_admins: { auth: 'admin', plugin: 'invoke_callee' },
            for_all: { auth: 'public', plugin: 'invoke_callee' },
            hasty: { auth: 'optional', plugin: 'invoke_call', timeout: '1s' },
            finishing: { auth: 'optional', plugin: 'invoke_callee', on_disconnect: 'finish' },
            brief: { auth: 'optional', plugin: 'invoke_callee', timeout: '200ms' },
            seldom: { auth: 'optional', plugin: 'invoke_callee', rate_limit: '2/day per user' },
            small: { auth: 'optional', plugin: 'invoke_callee', max_body: '1KiB' },
            missing: { auth: 'public', plugin: 'no_such_plugin' },
            off: { auth: 'public', plugin: 'invoke_callee', enabled: false },
            hello: { auth: 'public' },
        }),
        database: database.url,
        readyPath: '/_edge/live',
    });
}, options);

after(async () => {
    await host?.stop();
    await database?.stop();
}, options);

async function call(name, body = {}, more = {}, as = { token }) {
    const { status, body: answer } = await post(host, 'invoke_call', { ...as, body: { name, body, ...more } });
    assert.equal(status, 200, JSON.stringify(answer));
    return answer.answers;
}

test('the callee sees the same caller, its own body, and no header of the request', options, async () => {
    const [answer] = await call('for_users', { how: 'json' }, {}, { token, headers: { 'idempotency-key': 'k1' } });
    assert.equal(answer.status, 200);
    assert.equal(answer.code, null);
    assert.deepEqual(answer.headers, { 'x-callee': 'here' });
    const { body } = answer;
    assert.equal(body.caller, 'user');
    assert.equal(body.user, USER);
    assert.equal(body.organisation, 'org_1');
    assert.equal(body.claims.shape, 'kept');
    assert.equal(body.key, null);
    assert.equal(body.ip, '127.0.0.1');
    assert.equal(body.method, 'POST');
    assert.equal(body.in.how, 'json');
    await host.logged((line) => line.event === 'invocation' && line.method === 'CALL' && line.function === 'for_users');
});

test('auth modes hold as over HTTP', options, async () => {
    const status = async (...args) => (await call(...args)).map((one) => [one.status, one.code])[0];
    assert.deepEqual(await status('for_admins'), [403, 'admin_required']);
    assert.deepEqual(await status('for_service'), [403, 'forbidden']);
    assert.deepEqual(await status('for_service', {}, { service: true }), [200, null]);
    assert.deepEqual(await status('for_users', {}, {}, {}), [401, 'unauthorized']);
    assert.deepEqual(await status('for_users', {}, {}, { token: SERVICE_KEY }), [403, 'forbidden']);
    assert.deepEqual(await status('for_users', { userId: 'user_other' }), [403, 'user_mismatch']);
    await database.rows("INSERT INTO user_roles (user_id, role) VALUES ($1, 'admin')", [USER]);
    const other = await startHost({ ...pluginHost({ invoke_call: {}, for_admins: { auth: 'admin', plugin: 'invoke_callee' } }), database: database.url });
    try {
        const { body } = await post(other, 'invoke_call', { token, body: { name: 'for_admins' } });
        assert.equal(body.answers[0].status, 200);
    } finally {
        await other.stop();
        await database.rows('DELETE FROM user_roles WHERE user_id = $1', [USER]);
    }
    const [open] = await call('for_all');
    assert.equal(open.body.caller, 'nobody');
});

test('failures are values with the envelope, and the caller goes on', options, async () => {
    const [failed] = await call('invoke_callee', { how: 'fail' });
    assert.equal(failed.status, 409);
    assert.equal(failed.code, 'not_connected');
    const { requestId, ...envelope } = failed.body;
    assert.ok(requestId);
    assert.deepEqual(envelope, { error: 'Nothing is connected', code: 'not_connected', field: 'how', suggestion: 'Connect it' });

    const [invalid] = await call('invoke_callee', { how: 'never' });
    assert.deepEqual([invalid.status, invalid.code, invalid.body.field], [400, 'invalid_input', 'how']);
    const [broken] = await call('invoke_callee', [1]);
    assert.deepEqual([broken.status, broken.code], [400, 'invalid_json']);
    const [aborted] = await call('invoke_callee', { how: 'abort' });
    assert.deepEqual([aborted.status, aborted.code], [499, 'aborted']);
    const [large] = await call('small', { text: 'x'.repeat(2000) });
    assert.deepEqual([large.status, large.code], [413, 'body_too_large']);
    for (const name of ['nothing', 'missing', 'off', '']) {
        if (!name) continue;
        const [unknown] = await call(name);
        assert.deepEqual([unknown.status, unknown.code, unknown.body.code], [404, 'function_not_found', 'function_not_found']);
    }
});

test('time limits: the function\'s own, and the call\'s', options, async () => {
    const [own] = await call('brief', { ms: 20000 });
    assert.deepEqual([own.status, own.code], [504, 'timeout']);
    const [given] = await call('invoke_callee', { ms: 15000 }, { timeout: 100 });
    assert.deepEqual([given.status, given.code], [504, 'timeout']);
    const [enough] = await call('invoke_callee', { ms: 10 }, { timeout: 10000 });
    assert.equal(enough.status, 200);
});

test('a caller that leaves takes its callees along', options, async () => {
    const gone = new AbortController();
    const before = host.log.length;
    const body = JSON.stringify({ name: 'invoke_callee', body: { ms: 15000 } });
    const answer = fetch(`${host.url}/functions/v1/invoke_call`, { method: 'POST', body, headers: { authorization: `Bearer ${token}` }, signal: gone.signal }).catch(() => null);
    await eventually(() => host.log.slice(before).find((line) => line.event === 'callee_waits'), 'the callee to begin');
    gone.abort();
    await answer;
    await eventually(
        () => host.log.slice(before).find((line) => line.event === 'invocation' && line.function === 'invoke_callee' && line.status === 499),
        'the callee to be cancelled',
    );
});

test('a caller\'s deadline cancels its callees, but for those that finish on disconnect', options, async () => {
    for (const [name, status] of [['invoke_callee', 499], ['finishing', 200]]) {
        const before = host.log.length;
        const answer = await post(host, 'hasty', { token, body: { name, body: { ms: 4000 }, times: 3 } });
        assert.deepEqual([answer.status, answer.body.code], [504, 'timeout']);
        await eventually(
            () => host.log.slice(before).filter((line) => line.event === 'invocation' && line.function === name && line.status === status).length === 3,
            `${name} to end with ${status}`,
        );
    }
});

test('a callee that crashes is a failed call', { ...options, skip: sanitized ? 'the sanitizers report faults' : false }, async () => {
    const other = await startHost({
        ...pluginHost({ invoke_call: { auth: 'public' }, crash: { auth: 'public' } }, { server: { workers: 1 } }),
        readyPath: '/_edge/live',
    });
    try {
        const { status, body } = await post(other, 'invoke_call', { body: { name: 'crash', body: { how: 'null' } } });
        assert.deepEqual([status, body.answers[0].status, body.answers[0].code], [200, 500, 'function_crashed']);
    } finally {
        await other.stop({ crashes: true });
    }
});

test('a function may call itself eight deep, and no deeper', options, async () => {
    const [eight] = await call('invoke_callee', { depth: 7 });
    assert.deepEqual([eight.status, eight.body.reached], [200, 7]);
    const [nine] = await call('invoke_callee', { depth: 8 });
    assert.deepEqual([nine.status, nine.code], [508, 'invocation_loop']);
});

test('several at once run at once', options, async () => {
    const began = Date.now();
    const answers = await call('invoke_callee', { ms: 1500 }, { times: 12 });
    assert.equal(answers.length, 12);
    assert.ok(answers.every((one) => one.status === 200));
    assert.equal(new Set(answers.map((one) => one.body.requestId)).size, 12);
    assert.ok(Date.now() - began < 12 * 1500, 'one after the other');
});

test('a stream\'s final event is the body; bytes are base64, JSON text is JSON', options, async () => {
    const [streamed] = await call('invoke_callee', { how: 'stream' });
    assert.equal(streamed.status, 200);
    assert.equal(streamed.body.user, USER);
    const [bytes] = await call('invoke_callee', { how: 'bytes' });
    assert.deepEqual(bytes.body, { mediaType: 'application/octet-stream', base64: 'AAEC' });
    const [text] = await call('invoke_callee', { how: 'text' });
    assert.deepEqual(text.body, [1, 2]);
});

test('the target\'s rate limit counts', options, async () => {
    const answers = [await call('seldom'), await call('seldom'), await call('seldom')];
    assert.deepEqual(answers.map(([one]) => one.status), [200, 200, 429]);
    assert.equal(answers[2][0].code, 'rate_limited');
});

test('under the service key the acting user goes along', options, async () => {
    const [named] = await call('invoke_callee', { userId: USER }, {}, { token: SERVICE_KEY });
    assert.deepEqual([named.body.caller, named.body.user], ['service', USER]);
    const [unnamed] = await call('invoke_callee', {}, {}, { token: SERVICE_KEY });
    assert.deepEqual([unnamed.body.caller, unnamed.body.user], ['service', null]);
    /* invoke_callee acts for USER by its own body, and so does what it calls. */
    const [nested] = await call('invoke_callee', { userId: USER, depth: 1 }, {}, { token: SERVICE_KEY });
    assert.deepEqual([nested.status, nested.body.reached, nested.body.user], [200, 1, USER]);
});

test('work behind the answer goes on after caller and callee have ended', options, async () => {
    const before = host.log.length;
    const [answer] = await call('invoke_callee', { after: 500 });
    assert.equal(answer.status, 200);
    const done = await eventually(() => host.log.slice(before).find((line) => line.event === 'callee_background_done'), 'background work');
    assert.equal(done.user, USER);
});

test('a stop waits for edge_wait_until', options, async () => {
    const other = await startHost({ ...pluginHost({ slow: { auth: 'public' } }, { server: { drain_timeout: '30s' } }), readyPath: '/_edge/live' });
    const { status } = await post(other, 'slow', { body: { background: 2000 } });
    assert.equal(status, 200);
    await other.stop();
    assert.ok(other.log.some((line) => line.event === 'background_done'), other.text());
    assert.ok(!other.log.some((line) => line.event === 'drain_timeout'), other.text());
});

test('a stop does not wait longer than drain_timeout', options, async () => {
    const other = await startHost({ ...pluginHost({ slow: { auth: 'public', timeout: '60s' } }, { server: { drain_timeout: '500ms' } }), readyPath: '/_edge/live' });
    await post(other, 'slow', { body: { background: 50000 } });
    const began = Date.now();
    await other.stop();
    assert.ok(Date.now() - began < 15000);
    assert.ok(other.log.some((line) => line.event === 'drain_timeout'), other.text());
});
