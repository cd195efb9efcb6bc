/*
 * clerkWebhook (spec events.md S3, S3.1): signatures, refusals, configuration, and the clients that call everything.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { SECOND_SECRET, Sender, VECTOR, signed, user } from '../../support/deliveries.mjs';
import { UNREACHABLE, options, suite, withHost } from '../../support/suite.mjs';
import { supabaseClients } from '../../support/supabase.mjs';

const hook = suite({ functions: ['clerkWebhook'], env: { CLERK_WEBHOOK_SECRET: `${VECTOR.secret},${SECOND_SECRET}` } });
const sender = new Sender(hook);
const profile = (id) => hook.database.row('SELECT * FROM profiles WHERE id = $1', [id]);

describe('clerkWebhook: signatures', options, () => {
    const event = JSON.stringify({ type: 'user.updated', data: user('user_signed') });

    it('the second secret, the other header family, several signatures', options, async () => {
        assert.equal((await sender.send(event, signed(event, { secret: SECOND_SECRET }))).status, 200);
        assert.equal((await sender.send(event, signed(event, { family: 'webhook' }))).status, 200);
        const headers = signed(event);
        headers['svix-signature'] = `v1,AAAA v1a,${'b'.repeat(88)} nonsense ${headers['svix-signature']}`;
        assert.equal((await sender.send(event, headers)).status, 200);
        const mixed = {
            ...signed(event, { id: 'msg_family', family: 'webhook' }),
            'svix-id': 'msg_other',
            'svix-timestamp': '1',
        };
        assert.equal((await sender.send(event, mixed)).status, 200, 'an incomplete first family');
        assert.deepEqual([await sender.recorded('msg_family'), await sender.recorded('msg_other')], [1, 0]);
    });

    it('any Content-Type, or none', options, async () => {
        for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/octet-stream'])
            assert.equal((await sender.send(event, { ...signed(event), 'content-type': type })).status, 200);
        assert.equal((await sender.send(Buffer.from(event), { ...signed(event), 'content-type': '' })).status, 200);
    });

    const refused = (name, status, code, make) =>
        it(name, options, async () => {
            const before = await hook.database.count('edge.webhook_events');
            const { body = event, headers } = make();
            const { status: actual, body: answer } = await sender.send(body, headers);
            assert.deepEqual([actual, answer.code], [status, code]);
            assert.equal(typeof answer.requestId, 'string');
            assert.equal(await hook.database.count('edge.webhook_events'), before, 'nothing is recorded');
        });
    const without = (name) => () => {
        const headers = signed(event);
        delete headers[name];
        return { headers };
    };
    for (const name of ['svix-id', 'svix-timestamp', 'svix-signature'])
        refused(`no ${name}: 401`, 401, 'missing_signature', without(name));
    refused('no header at all: 401', 401, 'missing_signature', () => ({ headers: {} }));
    refused('families mixed: 401', 401, 'missing_signature', () => {
        const { 'svix-id': id, 'svix-timestamp': at, 'svix-signature': signature } = signed(event);
        return { headers: { 'svix-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } };
    });
    refused('another secret: 401', 401, 'invalid_signature', () => ({
        headers: signed(event, { secret: 'whsec_b3RoZXItc2VjcmV0LW90aGVyLXNlY3JldA==' }),
    }));
    refused('another body: 401', 401, 'invalid_signature', () => ({
        headers: signed(event),
        body: event.replace('Ann', 'Eve'),
    }));
    refused('one blank more: 401', 401, 'invalid_signature', () => ({ headers: signed(event), body: `${event} ` }));
    refused('another id: 401', 401, 'invalid_signature', () => ({ headers: { ...signed(event), 'svix-id': 'msg_x' } }));
    refused('half a signature: 401', 401, 'invalid_signature', () => {
        const headers = signed(event);
        return { headers: { ...headers, 'svix-signature': headers['svix-signature'].slice(0, -8) } };
    });
    refused('only version 2: 401', 401, 'invalid_signature', () => {
        const headers = signed(event);
        return { headers: { ...headers, 'svix-signature': headers['svix-signature'].replace('v1,', 'v2,') } };
    });
    refused('a timestamp that is no number: 401', 401, 'invalid_signature', () => ({
        headers: { ...signed(event), 'svix-timestamp': 'noon' },
    }));
    refused('six minutes old: 401', 401, 'stale_timestamp', () => ({
        headers: signed(event, { at: Date.now() - 360000 }),
    }));
    refused('six minutes ahead: 401', 401, 'stale_timestamp', () => ({
        headers: signed(event, { at: Date.now() + 360000 }),
    }));

    const asSent = (body) => () => ({ body, headers: signed(body) });
    for (const body of ['', '{"type":', '[]', '"text"', 'null', '7'])
        refused(`the body ${JSON.stringify(body)}: 400`, 400, 'invalid_json', asSent(body));
    for (const payload of [
        {},
        { type: null, data: user('user_x') },
        { type: 7, data: user('user_x') },
        { type: '', data: user('user_x') },
        { type: 'user.created' },
        { type: 'user.created', data: null },
        { type: 'user.created', data: 'x' },
        { type: 'user.updated', data: {} },
        { type: 'user.created', data: user(null) },
        { type: 'user.created', data: user(7) },
        { type: 'user.created', data: user('') },
        { type: 'user.created', data: user('u'.repeat(256)) },
        { type: 'user.deleted', data: { deleted: true } },
    ])
        refused(
            `the payload ${JSON.stringify(payload).slice(0, 60)}: 400`,
            400,
            'invalid_payload',
            asSent(JSON.stringify(payload)),
        );

    refused('more than 1 MiB: 413', 413, 'body_too_large', () =>
        asSent(JSON.stringify({ type: 'x', filler: 'x'.repeat(1100000) }))(),
    );

    it('255 characters of an id are fine', options, async () => {
        const id = 'ü'.repeat(255);
        assert.equal((await sender.deliver({ type: 'user.created', data: user(id) })).status, 200);
        assert.ok(await profile(id));
    });

    it('GET: 405', options, async () => {
        const { status, body } = await post(hook.host, 'clerkWebhook', { method: 'GET' });
        assert.deepEqual([status, body.code], [405, 'method_not_allowed']);
    });
});

describe('clerkWebhook: configuration', options, () => {
    for (const [name, secret] of [
        ['no secret', null],
        ['an empty one', ''],
        ['one that is no base64', 'whsec_%%%'],
    ])
        it(`${name}: 503 not_configured, naming the variable`, options, async () => {
            await withHost(
                { functions: ['clerkWebhook'], database: hook.database.url, env: { CLERK_WEBHOOK_SECRET: secret } },
                async (bare) => {
                    const { status, body } = await sender.send(VECTOR.body, VECTOR.headers, bare);
                    assert.deepEqual([status, body.code], [503, 'not_configured']);
                    assert.match(body.error, /CLERK_WEBHOOK_SECRET/);
                },
            );
        });

    it('the database away: 503 after the signature, 401 before it', options, async () => {
        await withHost(
            {
                functions: ['clerkWebhook'],
                ...UNREACHABLE,
                env: { CLERK_WEBHOOK_SECRET: VECTOR.secret },
            },
            async (lonely) => {
                const body = JSON.stringify({ type: 'user.created', data: user('user_x') });
                const unavailable = await sender.send(body, signed(body), lonely);
                assert.deepEqual([unavailable.status, unavailable.body.code], [503, 'database_unavailable']);
                assert.equal((await sender.send(body, {}, lonely)).status, 401);
            },
        );
    });
});

describe('clerkWebhook: called by real clients', options, () => {
    for (const [name, client] of Object.entries(supabaseClients))
        it(`${name} can deliver, and is refused without a signature`, options, async () => {
            const body = JSON.stringify({ type: 'user.updated', data: user('user_client') });
            const { data, error } = await client(hook.host).invoke('clerkWebhook', {
                body,
                headers: { ...signed(body), 'content-type': 'application/json' },
            });
            assert.equal(error, null);
            assert.deepEqual(data, { success: true });
            const refused = await client(hook.host).invoke('clerkWebhook', { body: JSON.parse(body) });
            assert.equal((await refused.error.context.json()).code, 'missing_signature');
        });
});
