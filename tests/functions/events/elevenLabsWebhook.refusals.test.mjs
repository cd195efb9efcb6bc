/*
 * elevenLabsWebhook and elevenLabsRolePlayWebhook (spec events.md S3, S3.2): what both refuse, bodies at their limits, and
 * failures after which the sender's retry takes effect.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, it } from 'node:test';

import { Caller, nextConversation } from '../../support/calls.mjs';
import { post } from '../../support/clients.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { ELEVENLABS, elevenLabsSignature } from '../../support/senders.mjs';
import { UNREACHABLE, options, suite, withHost } from '../../support/suite.mjs';

const names = ['elevenLabsWebhook', 'elevenLabsRolePlayWebhook'];
const env = { ELEVENLABS_WEBHOOK_SECRET: ELEVENLABS.secret };
const s = suite({ functions: names, env });
const LIMIT = 64 << 20;

/* Begins a body of some length, announced or chunked, and answers what the host says before it has all of it. */
function upload(name, headers, length) {
    return new Promise((resolve, reject) => {
        const request = http.request(`${s.host.url}/functions/v1/${name}`, { method: 'POST', headers, agent: false });
        const chunk = Buffer.alloc(1 << 20, 'x');
        let sent = 0;
        request.on('response', (answer) => {
            let text = '';
            answer.on('data', (piece) => (text += piece)).on('end', () => {
                request.destroy();
                resolve({ status: answer.statusCode, body: JSON.parse(text) });
            });
        });
        request.on('error', (error) => (error.code === 'EPIPE' || error.code === 'ECONNRESET' ? undefined : reject(error)));
        const write = () => {
            while (sent < length && !request.destroyed) {
                sent += chunk.length;
                if (!request.write(chunk)) return request.once('drain', write);
            }
            request.end();
        };
        write();
    });
}

for (const name of names)
    describe(`${name}: refusals`, options, () => {
        const caller = new Caller(s, name);
        const good = JSON.stringify(caller.ended('conv_refused'));
        const refused = (title, status, code, body, more) =>
            it(`${title}: ${status} ${code}`, options, async () => {
                const before = await caller.recorded();
                assertRefused(await caller.send(body, more), status, code);
                assert.equal(await caller.recorded(), before);
            });

        refused('no signature', 401, 'missing_signature', good, { headers: { 'elevenlabs-signature': '' } });
        refused('a malformed one', 401, 'invalid_signature', good, { headers: { 'elevenlabs-signature': 'v0=x' } });
        refused('another body', 401, 'invalid_signature', good, { headers: { 'elevenlabs-signature': elevenLabsSignature(`${good} `) } });
        refused('another secret', 401, 'invalid_signature', good, { secret: 'wsec_other' });
        refused('five minutes and more ago', 401, 'stale_timestamp', good, { at: Math.floor(Date.now() / 1000) - 400 });
        refused('as far ahead', 401, 'stale_timestamp', good, { at: Math.floor(Date.now() / 1000) + 400 });
        for (const body of ['', good.slice(0, -1), `${good}x`, '[]', 'null', '"x"'])
            refused(`the signed body ${body.slice(0, 20)}`, 400, 'invalid_json', body);
        for (const body of [{}, { type: 7 }, { type: '', event_type: null }, { data: {} }, { type: 'post_call_transcription' }, { type: 'post_call_audio', data: { conversation_id: 7 } }, { type: 'call_initiation_failure', data: { conversation_id: '' } }])
            refused(`the payload ${JSON.stringify(body)}`, 400, 'invalid_payload', body);

        it('GET: 405', options, async () => assertRefused(await post(s.host, name, { method: 'GET' }), 405, 'method_not_allowed'));

        it('64 MiB and more, announced or chunked: 413', options, async () => {
            const announced = await upload(name, { 'content-length': LIMIT + 1 }, 1 << 20);
            assertRefused(announced, 413, 'body_too_large');
            const chunked = await upload(name, { 'transfer-encoding': 'chunked' }, LIMIT + (1 << 20));
            assertRefused(chunked, 413, 'body_too_large');
        });

        it('10 MB in chunks, and not JSON to its end: 400', options, async () => {
            const body = Buffer.from(`{"type":"post_call_audio","data":{"full_audio":"${'A'.repeat(10000000)}`);
            assertRefused(await caller.send(body), 400, 'invalid_json');
        });

        it('no secret: 503, naming the variable', options, () =>
            withHost({ functions: [name], database: s.database.url, env: { ELEVENLABS_WEBHOOK_SECRET: null } }, async (host) => {
                const answer = await caller.send(good, { host });
                assertRefused(answer, 503, 'not_configured');
                assert.match(answer.body.error, /ELEVENLABS_/);
            }));

        it('the database away: 503 after the signature, 401 before it', options, () =>
            withHost({ functions: [name], ...UNREACHABLE, env }, async (host) => {
                assertRefused(await caller.send(good, { host }), 503, 'database_unavailable');
                assertRefused(await caller.send(good, { host, secret: 'x' }), 401, 'invalid_signature');
            }));

        it('a write that fails leaves no record; the retry takes effect', options, async () => {
            const conversation = nextConversation();
            const table = name === 'elevenLabsWebhook' ? 'call_logs' : 'role_play_session_logs';
            const user = await s.agent();
            const columns = table === 'call_logs' ? `(user_id, conversation_id, status, call_type)` : '(user_id, conversation_id, status)';
            const [{ id }] = await s.database.rows(
                `INSERT INTO ${table} ${columns} VALUES ($1, $2, 'initiated'${table === 'call_logs' ? `, 'x'` : ''}) RETURNING id`,
                [user, conversation],
            );
            await s.database.rows(`ALTER TABLE ${table} ADD CONSTRAINT refuse CHECK (status <> 'completed' OR id <> '${id}')`);
            assertRefused(await caller.send(caller.ended(conversation, { transcript: [] })), 500, 'internal_error');
            assert.equal(await caller.recorded(`post_call_transcription:${conversation}`), 0);
            await s.database.rows(`ALTER TABLE ${table} DROP CONSTRAINT refuse`);
            assert.deepEqual((await caller.send(caller.ended(conversation, { transcript: [] }))).body, { success: true });
        });
    });
