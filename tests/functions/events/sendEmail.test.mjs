/*
 * sendEmail (spec events.md S5): its examples, who may write to whom and how often, what a mail looks like, what Resend may
 * answer, and that a key sends once.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const NAME = 'sendEmail';
const SUPPORT = 'support@pulseai.com';
const s = suite({ functions: [NAME], server: { workers: 1 }, env: { EMAIL_RETRY_BASE_MS: '1' }, providers: { resend: { first_byte_timeout: '300ms' } } });
const resend = s.provider('resend');
const letter = { to: SUPPORT, subject: 'Help', body: 'It does not work' };
const send = (user, more = {}, options_) => s.call(NAME, user, { ...letter, ...more }, options_);
const serve = (more = {}, host = s.host) => post(host, NAME, { token: SERVICE_KEY, body: { ...letter, to: 'x@y.z', ...more } });
/* An answer, so that failures in a row do not open the circuit breaker. */
const answered = async () => assert.equal((await serve()).status, 200);
const logs = (user) => s.database.rows(
    'SELECT id, email_type AS type, template_key, sent_at, metadata FROM email_delivery_logs WHERE user_id IS NOT DISTINCT FROM $1 ORDER BY sent_at', [user]);

describe(`${NAME}: examples`, options, () => {
    it('user_a to support', options, async () => {
        await s.database.person('user_a', { email: 'a@example.com', full_name: 'Ann Lee' });
        const { status, body } = await send('user_a');
        assert.equal(status, 200, JSON.stringify(body));
        const [{ path, headers, body: mail }, ...others] = await resend.requests();
        assert.deepEqual([path, others], ['/emails', []]);
        assert.deepEqual([mail.to, mail.reply_to, mail.subject, mail.from], [[SUPPORT], 'a@example.com', 'Help', 'Pulse AI <alerts@pulse.pwru.app>']);
        assert.deepEqual([headers.authorization, headers['idempotency-key']], ['Bearer test-resend-api-key', body.id]);
        const [row, ...rest] = await logs('user_a');
        assert.deepEqual([row.id, row.type, row.metadata.status, row.metadata.to, row.metadata.subject, row.metadata.providerMessageId, rest],
            [body.id, 'support', 'sent', [SUPPORT], 'Help', body.messageId, []]);
        assert.ok(row.sent_at);
    });

    it('user_a to anybody: 403, no call', options, async () => {
        const user = await s.agent();
        assertRefused(await send(user, { to: 'x@y.z' }), 403, 'recipient_not_allowed');
        assert.deepEqual([await resend.requests(), await logs(user)], [[], []]);
    });

    it('the service to anybody', options, async () => {
        const { status, body } = await serve();
        assert.equal(status, 200, JSON.stringify(body));
        const [mail] = await resend.bodies();
        assert.deepEqual([mail.to, mail.reply_to, mail.html, mail.text], [['x@y.z'], undefined, '<p>It does not work</p>', 'It does not work']);
        const row = (await logs(null)).find(({ id }) => id === body.id);
        assert.equal(row.type, 'transactional');
    });

    it('the sixth within the hour: 429', options, async () => {
        const user = await s.agent();
        for (let i = 0; i < 5; i++) assert.equal((await send(user)).status, 200);
        await s.database.rows(`UPDATE email_delivery_logs SET sent_at = sent_at - interval '50 minutes' WHERE user_id = $1`, [user]);
        const answer = await send(user);
        assertRefused(answer, 429, 'rate_limited');
        const wait = Number(answer.headers.get('retry-after'));
        assert.ok(wait > 540 && wait <= 600, `${wait}`);
        assert.equal((await resend.requests()).length, 5);
        await s.database.rows(`UPDATE email_delivery_logs SET sent_at = sent_at - interval '11 minutes' WHERE user_id = $1`, [user]);
        assert.equal((await send(user)).status, 200);
    });
});

describe(`${NAME}: a mail`, options, () => {
    it('is text and HTML, escaped, its lines kept; who wrote stands below', options, async () => {
        const user = await s.agent({ full_name: '<b>Ann & "Co"</b>', email: 'ann@example.com' });
        const body = `<script>alert('1')</script>\nsecond & "last"\r\nthird\n\nfifth`;
        await send(user, { subject: '  Re: <x> & y  ', body: `\n ${body} \n` });
        const [mail] = await resend.bodies();
        assert.equal(mail.subject, 'Re: <x> & y');
        assert.equal(mail.text, `${body}\n\n-- \nFrom: <b>Ann & "Co"</b>\nE-mail: ann@example.com\nUser: ${user}\n`);
        assert.equal(mail.html,
            '<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;<br>second &amp; &quot;last&quot;<br>third<br><br>fifth</p>' +
            `<hr><p>From: &lt;b&gt;Ann &amp; &quot;Co&quot;&lt;/b&gt;<br>E-mail: ann@example.com<br>User: ${user}</p>`);
    });

    it('has no line breaks in its header lines', options, async () => {
        await serve({ subject: 'a\r\nBcc: victim@example.com\nb' });
        assert.equal((await resend.bodies())[0].subject, 'aBcc: victim@example.comb');
    });

    it('to the caller\'s own address, whatever its case; of somebody without one to support only', options, async () => {
        const user = await s.agent({ email: 'Own@Example.com' });
        assert.equal((await send(user, { to: ' own@example.COM ' })).status, 200);
        assert.equal((await send(user, { to: 'SUPPORT@pulseai.com' })).status, 200);
        const nobody = await s.agent({ email: null, full_name: null });
        assert.equal((await send(nobody)).status, 200);
        const mail = (await resend.bodies()).at(-1);
        assert.deepEqual([mail.reply_to, mail.text], [undefined, `It does not work\n\n-- \nUser: ${nobody}\n`]);
    });

    it('of the service: many recipients, where answers go, whose it is', options, async () => {
        const user = await s.agent();
        const to = Array.from({ length: 50 }, (_, i) => `p${i}@example.com`);
        assert.equal((await serve({ to, replyTo: 'desk@example.com', userId: user })).status, 200);
        const [mail] = await resend.bodies();
        assert.deepEqual([mail.to, mail.reply_to], [to, 'desk@example.com']);
        assert.deepEqual((await logs(user)).map(({ type }) => type), ['transactional']);
        for (const wrong of [[], [...to, 'one@more.com'], ['a@b.c', 'x'], [7]]) assertRefused(await serve({ to: wrong }), 400, 'invalid_input', 'to');
        assertRefused(await serve({ userId: 'user_unknown' }), 404, 'user_not_found');
        assertRefused(await serve({ replyTo: 'nobody' }), 400, 'invalid_input', 'replyTo');
        /* The limit is for people. */
        for (let i = 0; i < 6; i++) assert.equal((await serve({ userId: user })).status, 200);
    });

    it('support is who the setting says, and the sender too', options, async () => {
        const env = { SUPPORT_EMAILS: ' desk@example.com, Help@example.com', RESEND_FROM_EMAIL: 'Desk <desk@pulse.example>', RESEND_BASE_URL: `${s.host.url}/sandbox/resend` };
        const user = await s.agent();
        await withHost({ functions: [NAME], database: s.database.url, env }, async (host) => {
            assert.equal((await send(user, { to: 'help@example.com' }, { host })).status, 200);
            assert.equal((await send(user, { to: 'desk@example.com' }, { host })).status, 200);
            assertRefused(await send(user, {}, { host }), 403, 'recipient_not_allowed');
            assertRefused(await send(user, { to: 'desk@example.com, help@example.com' }, { host }), 400, 'invalid_input', 'to');
        });
        assert.equal((await resend.bodies())[0].from, 'Desk <desk@pulse.example>');
    });
});

describe(`${NAME}: a key`, options, () => {
    it('sends once, one after the other and at once', options, async () => {
        const user = await s.agent();
        const first = await send(user, { idempotencyKey: 'k-1' });
        assert.equal(first.status, 200);
        assert.deepEqual((await send(user, {}, { headers: { 'idempotency-key': 'k-1' } })).body, { success: true, id: first.body.id, replayed: true });
        const [{ id }] = await s.database.rows('SELECT md5($1)::uuid AS id', [`email:${user}:k-1`]);
        assert.equal(first.body.id, id);

        await resend.order({ delayMs: 150 });
        const answers = await Promise.all(Array.from({ length: 8 }, () => serve({ idempotencyKey: 'k-1' })));
        for (const { status, body } of answers) assert.ok(status === 200 || body.code === 'in_progress', JSON.stringify(body));
        assert.equal(answers.filter(({ status, body }) => status === 200 && !body.replayed).length, 1);
        assert.equal((await resend.requests()).length, 2);
    });

    it('is the sender\'s own', options, async () => {
        const ids = await Promise.all([1, 2].map(async () => (await send(await s.agent(), { idempotencyKey: 'k-2' })).body.id));
        assert.equal(new Set([...ids, (await serve({ idempotencyKey: 'k-2' })).body.id]).size, 3);
        assert.equal((await resend.requests()).length, 3);
    });

    it('replays beyond the limit, and may try again what failed', options, async () => {
        const user = await s.agent();
        await resend.order(...Array(4).fill({ status: 500, body: {} }));
        assertRefused(await send(user, { idempotencyKey: 'k' }), 502, 'email_failed');
        const again = await send(user, { idempotencyKey: 'k' });
        assert.equal(again.status, 200);
        const [{ metadata }] = await logs(user);
        assert.deepEqual([metadata.attempts, metadata.status, metadata.lastError], [2, 'sent', undefined]);
        for (let i = 0; i < 4; i++) await send(user);
        assertRefused(await send(user), 429, 'rate_limited');
        assert.equal((await send(user, { idempotencyKey: 'k' })).body.replayed, true);
    });

    it('whose mail was refused, or failed five times, is over', options, async () => {
        await resend.order({ status: 422, body: { statusCode: 422, name: 'validation_error', message: 'Invalid `to` field' } });
        assertRefused(await serve({ idempotencyKey: 'bad' }), 422, 'email_rejected');
        const again = await serve({ idempotencyKey: 'bad' });
        assertRefused(again, 422, 'email_rejected');
        assert.equal(again.body.details, 'Invalid `to` field');
        assert.equal((await resend.requests()).length, 1);

        for (let i = 0; i < 6; i++) {
            if (i < 5) await resend.order(...Array(4).fill({ status: 500, body: { message: 'no' } }));
            assertRefused(await serve({ idempotencyKey: 'unlucky' }), 502, 'email_failed');
            await answered();
        }
        assert.equal((await resend.requests()).length, 1 + 20 + 6);
    });
});

describe(`${NAME}: the limit`, options, () => {
    it('twenty at once are five', options, async () => {
        const user = await s.agent();
        await resend.order({ delayMs: 50, times: 0 });
        const answers = await Promise.all(Array.from({ length: 20 }, () => send(user)));
        assert.deepEqual(answers.map(({ status }) => status).sort(), [...Array(5).fill(200), ...Array(15).fill(429)]);
        assert.equal((await resend.requests()).length, 5);
    });

    it('counts what went out, not what failed, and nobody else\'s', options, async () => {
        const [user, other] = [await s.agent(), await s.agent()];
        for (let i = 0; i < 5; i++) assert.equal((await send(other)).status, 200);
        await resend.order(...Array(5).fill({ status: 422, body: {} }));
        for (let i = 0; i < 5; i++) assertRefused(await send(user), 422, 'email_rejected');
        for (let i = 0; i < 5; i++) assert.equal((await send(user)).status, 200);
        assertRefused(await send(user), 429, 'rate_limited');
    });
});

describe(`${NAME}: Resend fails`, options, () => {
    for (const [title, order, status, code, details] of [
        ['422', { status: 422, body: { statusCode: 422, name: 'validation_error', message: 'Invalid `to`' } }, 422, 'email_rejected', 'Invalid `to`'],
        ['400', { status: 400, body: {} }, 422, 'email_rejected', 'HTTP 400'],
        ['401', { status: 401, body: { message: 'Missing API key' } }, 503, 'email_unauthorized', 'Missing API key'],
        ['403', { status: 403, body: { message: 'API key is invalid' } }, 503, 'email_unauthorized', 'API key is invalid'],
    ])
        it(`${title}: not tried again`, options, async () => {
            const user = await s.agent();
            await resend.order(order);
            const answer = await send(user);
            assertRefused(answer, status, code);
            assert.equal(answer.body.details, details);
            assert.equal((await resend.requests()).length, 1);
            const [{ sent_at: sent, metadata }] = await logs(user);
            assert.deepEqual([sent, metadata.status, metadata.permanent, metadata.lastError], [null, 'failed', true, details]);
        });

    for (const [title, order, status, code] of [
        ['500', { status: 500, body: { message: 'broken' } }, 502, 'email_failed'],
        ['429', { status: 429, body: { name: 'rate_limit_exceeded', message: 'Too many requests' } }, 429, 'provider_rate_limited'],
        ['a broken connection', { drop: true }, 502, 'email_failed'],
        ['half an answer', { truncateAfter: 5, status: 200, body: { id: 'x' } }, 502, 'email_failed'],
        ['no JSON', { status: 200, body: 'ok' }, 502, 'email_failed'],
        ['no answer', { delayMs: 600 }, 502, 'email_failed'],
        ['the same key is under way', { status: 409, body: { name: 'concurrent_idempotent_requests', message: 'x' } }, 502, 'email_failed'],
    ])
        it(`${title}: four attempts with one key, then told`, options, async () => {
            const user = await s.agent();
            await resend.order(...Array(4).fill(order));
            const answer = await send(user);
            assertRefused(answer, status, code);
            assert.equal(typeof answer.body.details, 'string');
            const asked = await resend.requests();
            assert.deepEqual([asked.length, new Set(asked.map(({ headers }) => headers['idempotency-key'])).size], [4, 1]);
            const [{ sent_at: sent, metadata }] = await logs(user);
            assert.deepEqual([sent, metadata.status, metadata.permanent], [null, 'failed', false]);
            await answered();
        });

    it('three times, and takes the fourth', options, async () => {
        await resend.order({ status: 503, body: {} }, { drop: true }, { status: 429, headers: { 'retry-after': '1' }, body: {} });
        assert.equal((await serve()).status, 200);
        const at = (await resend.requests()).map((request) => Date.parse(request.at));
        assert.equal(at.length, 4);
        assert.ok(at[3] - at[2] >= 1000, 'waited as Resend asked');
    });

    it('an answer that was lost: the repeat delivers nothing twice', options, async () => {
        await resend.order({ truncateAfter: 3 });
        const { status, body } = await serve();
        assert.equal(status, 200);
        const asked = await resend.requests();
        assert.equal(asked.length, 2);
        assert.equal(asked[0].headers['idempotency-key'], asked[1].headers['idempotency-key']);
        assert.equal(typeof body.messageId, 'string');
    });

    it('no key of Resend: 503 before anything is read', options, async () => {
        await withHost({ functions: [NAME], database: s.database.url, env: { RESEND_API_KEY: null } }, async (host) => {
            const answer = await post(host, NAME, { token: await mint('user_none'), body: letter });
            assertRefused(answer, 503, 'not_configured');
            assert.match(answer.body.error, /RESEND_API_KEY/);
        });
    });
});

refusals(s, NAME, {
    mode: 'user_or_service',
    body: letter,
    wrong: {
        to: ['', ' ', 'x', 'a@example.com,b@example.com', 'Ann <a@example.com>', ['a@example.com'], 7, true, {}],
        subject: [...NOT.text, ' ', 'x'.repeat(201)],
        body: [...NOT.text, '\n', 'x'.repeat(20001)],
        idempotencyKey: [7, 'a b'],
    },
    required: ['to', 'subject', 'body'],
    untouched: ['email_delivery_logs'],
});
