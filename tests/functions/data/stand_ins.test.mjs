/*
 * The stand-ins for Resend, for the former database and for Clerk (functions/sandbox): what functions will meet there.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { credential } from '../../support/providers.mjs';
import { options, suite } from '../../support/suite.mjs';

const host = suite({ functions: [] });
const ask = async (path, { method = 'GET', headers = {}, body } = {}) => {
    const answer = await fetch(`${host.host.url}/sandbox/${path}`, {
        method,
        headers: { ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
        body: body && JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json(), headers: answer.headers };
};

describe('stand-in for Resend', options, () => {
    const mail = { from: 'a@example.com', to: ['b@example.com'], subject: 'Hi', html: '<p>Hi</p>' };
    const send = (body, headers = {}) =>
        ask('resend/emails', { method: 'POST', body, headers: { authorization: `Bearer ${credential('RESEND_API_KEY')}`, ...headers } });

    it('takes a mail, and the same one once under a key', options, async () => {
        host.provider('resend');
        const { status, body } = await send(mail);
        assert.equal(status, 200);
        assert.match(body.id, /^[0-9a-f-]{36}$/);
        const first = await send(mail, { 'idempotency-key': 'daily/user_a/1' });
        assert.deepEqual((await send(mail, { 'idempotency-key': 'daily/user_a/1' })).body, first.body);
        assert.notEqual((await send(mail, { 'idempotency-key': 'daily/user_a/2' })).body.id, first.body.id);
        const other = await send({ ...mail, subject: 'Ho' }, { 'idempotency-key': 'daily/user_a/1' });
        assert.deepEqual([other.status, other.body.name, other.body.statusCode], [409, 'invalid_idempotent_request', 409]);
        assert.equal((await send(mail, { 'idempotency-key': 'x'.repeat(257) })).body.name, 'invalid_idempotency_key');
    });

    it('checks key and fields', options, async () => {
        assert.equal((await send(mail, { authorization: '' })).status, 401);
        assert.deepEqual((await send(mail, { authorization: 'Bearer other' })).body.name, 'invalid_api_key');
        for (const [change, name] of [[{ from: undefined }, 'missing_required_field'], [{ to: undefined }, 'missing_required_field'], [{ subject: undefined }, 'missing_required_field'], [{ to: [] }, 'validation_error'], [{ to: Array(51).fill('b@example.com') }, 'validation_error'], [{ subject: 'a\nb' }, 'validation_error'], [{ html: '' }, 'validation_error']]) {
            const { status, body } = await send({ ...mail, ...change });
            assert.deepEqual([status, body.name], [422, name], JSON.stringify(change));
        }
    });
});

describe('stand-ins that the health page asks', options, () => {
    const resend = { authorization: `Bearer ${credential('RESEND_API_KEY')}` }, elevenlabs = { 'xi-api-key': credential('ELEVENLABS_API_KEY') };

    it('Resend lists domains', options, async () => {
        host.provider('resend');
        const { status, body } = await ask('resend/domains', { headers: resend });
        assert.deepEqual([status, body.object, body.has_more], [200, 'list', false]);
        assert.deepEqual(body.data.map(({ name, status: state }) => [name, state]), [['mail.example.com', 'verified']]);
        assert.deepEqual([(await ask('resend/domains')).status, (await ask('resend/other', { headers: resend })).status], [401, 404]);
        assert.equal((await ask('resend/emails', { headers: resend })).status, 404);
    });

    it('ElevenLabs lists voices', options, async () => {
        host.provider('elevenlabs');
        const { status, body } = await ask('elevenlabs/v1/voices', { headers: elevenlabs });
        assert.equal(status, 200);
        for (const voice of body.voices) assert.deepEqual(Object.keys(voice), ['voice_id', 'name', 'category', 'labels']);
        assert.equal(body.voices.length, 2);
        assert.equal((await ask('elevenlabs/v1/voices')).status, 401);
    });
});

describe('stand-in for the former database', options, () => {
    const key = credential('EXTERNAL_BACKEND_SERVICE_ROLE_KEY');
    const read = (query, headers = {}) =>
        ask(`external_backend/rest/v1/${query}`, { headers: { apikey: key, authorization: `Bearer ${key}`, ...headers } });

    it('pages by key, and counts when asked', options, async () => {
        await host.provider('external_backend').order({ rows: 1200 }, { rows: 1200 }, { rows: 1200 });
        const first = await read('client_personas?select=*&order=id.asc&limit=500', { prefer: 'count=exact' });
        assert.deepEqual([first.status, first.body.length, first.headers.get('content-range')], [200, 500, '0-499/1200']);
        const ids = first.body.map((row) => row.id);
        assert.deepEqual([...ids].sort(), ids);
        const next = await read(`client_personas?select=*&order=id.asc&limit=500&id=gt.${ids.at(-1)}`);
        assert.equal(next.body[0].personaKey, 'persona_500');
        assert.equal(next.headers.get('content-range'), '0-499/*');
        const last = await read(`client_personas?select=id&order=id.asc&limit=1000&id=gt.${next.body.at(-1).id}`);
        assert.equal(last.body.length, 200);
        assert.deepEqual(Object.keys(last.body[0]), ['id']);
    });

    it('all five tables, and none else', options, async () => {
        for (const table of ['task_templates', 'client_personas', 'agent_voices', 'call_logs', 'featured_content_packs']) {
            const { body } = await read(`${table}?select=*&order=id.asc&limit=500`);
            assert.equal(body.length, 3, table);
        }
        const { status, body } = await read('profiles?select=*&order=id.asc');
        assert.deepEqual([status, body.code], [404, 'PGRST205']);
        assert.equal((await read('call_logs?order=id.asc&id=eq.1')).status, 400);
        assert.equal((await read('call_logs?order=id.asc', { apikey: 'other' })).status, 401);
    });
});

describe('stand-in for Clerk', options, () => {
    const key = credential('CLERK_SECRET_KEY');
    const clerk = (path, more = {}) => ask(`clerk${path}`, { ...more, headers: { authorization: `Bearer ${key}`, ...more.headers } });

    it('refuses other keys, once', options, async () => {
        host.provider('clerk');
        for (const [authorization, code] of [['', 'authorization_header_format_invalid'], ['Bearer other', 'clerk_key_invalid']]) {
            const { status, body } = await clerk('/v1/users/user_a', { headers: { authorization } });
            assert.deepEqual([status, body.errors[0].code], [401, code]);
        }
    });

    it('makes sign-in tokens, and deletes whom it knows', options, async () => {
        const made = await clerk('/v1/sign_in_tokens', { method: 'POST', body: { user_id: 'user_a', expires_in_seconds: 60 } });
        assert.deepEqual([made.status, made.body.object, made.body.status, made.body.user_id], [200, 'sign_in_token', 'pending', 'user_a']);
        assert.match(made.body.token, /^ticket_/);
        assert.equal((await clerk('/v1/sign_in_tokens', { method: 'POST', body: {} })).status, 422);
        assert.equal((await clerk('/v1/sign_in_tokens', { method: 'POST', body: { user_id: 'user_unknown' } })).status, 404);
        assert.deepEqual((await clerk('/v1/users/user_b', { method: 'DELETE' })).body, { object: 'user', id: 'user_b', deleted: true });
        assert.equal((await clerk('/v1/users/user_unknown', { method: 'DELETE' })).status, 404);
    });
});
