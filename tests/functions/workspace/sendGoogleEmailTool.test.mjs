/*
 * sendGoogleEmailTool (spec workspace.md). Messages are read by a mail parser as well as compared by the octet.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import PostalMime from 'postal-mime';

import { NOT, refusals } from '../../support/refusals.mjs';
import { options } from '../../support/suite.mjs';
import { providerFailures, renewals, sealed } from '../../support/tool_failures.mjs';
import { assertFailed, connectionRefusals, idempotency, toolSuite } from '../../support/tools.mjs';

const mails = toolSuite(['sendGoogleEmailTool'], 'google_workspace');
const gmail = () => mails.provider('gmail');
const body = { to: 'jane@example.com', subject: 'Hello', body: 'Hi Jane,\nSee you at 3.' };

const decode = (raw) => {
    assert.match(raw, /^[A-Za-z0-9_-]+$/);
    return Buffer.from(raw, 'base64url').toString();
};

/* What a dry run would send: the octets, and what a mail program reads in them. */
async function written(more) {
    const id = await mails.connected();
    const answer = await mails.run(id, { ...body, ...more, dryRun: true });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const message = decode(answer.body.data.wouldSend.raw);
    for (const line of message.split('\r\n')) assert.ok(Buffer.byteLength(line) <= 998, 'RFC 5322 2.1.1');
    assert.doesNotMatch(message.replaceAll('\r\n', ''), /[\r\n]/);
    return { message, parsed: await PostalMime.parse(message), data: answer.body.data };
}

const header = (message, name) => {
    const found = new RegExp(`^${name}: ((?:.|\r\n )*)`, 'm').exec(message.split('\r\n\r\n')[0]);
    return found?.[1].replace(/\r$/, '');
};

describe('sendGoogleEmailTool', options, () => {
    it('1: a text, to the octet', options, async () => {
        const id = await mails.connected();
        await gmail().order({ body: { id: 'M1', threadId: 'T1', labelIds: ['SENT'] } });
        const answer = await mails.run(id, body);
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        assert.equal(typeof answer.body.data.message, 'string');
        assert.deepEqual({ ...answer.body.data, message: 0 }, {
            messageId: 'M1',
            threadId: 'T1',
            to: 'jane@example.com',
            subject: 'Hello',
            message: 0,
        });
        const [request] = await gmail().requests();
        assert.equal(`${request.method} ${request.path}`, 'POST /gmail/v1/users/me/messages/send');
        assert.equal(request.headers.authorization, `Bearer token-of-${id}`);
        assert.deepEqual(request.body, {
            raw: 'VG86IGphbmVAZXhhbXBsZS5jb20NClN1YmplY3Q6IEhlbGxvDQpNSU1FLVZlcnNpb246IDEuMA0KQ29udGVudC1UeXBlOiB0ZXh0L3BsYWluOyBjaGFyc2V0PXV0Zi04DQpDb250ZW50LVRyYW5zZmVyLUVuY29kaW5nOiBiYXNlNjQNCg0KU0drZ1NtRnVaU3dOQ2xObFpTQjViM1VnWVhRZ015ND0NCg',
        });
        assert.equal(
            decode(request.body.raw),
            'To: jane@example.com\r\nSubject: Hello\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n' +
                'Content-Transfer-Encoding: base64\r\n\r\nSGkgSmFuZSwNClNlZSB5b3UgYXQgMy4=\r\n',
        );
        const [row] = await mails.actions(id);
        assert.equal(row.action_type, 'sendGoogleEmail');
        assert.equal(row.status, 'success');
        assert.equal(row.resource_url, null);
        assert.deepEqual(row.action_data.request, { to: ['jane@example.com'], cc: [], bcc: [], subject: 'Hello', bodyBytes: 22 });
        assert.doesNotMatch(JSON.stringify(row), /See you/);
    });

    it('2: a subject of one encoded word, and HTML', options, async () => {
        const { message, parsed } = await written({ subject: 'Contract – 12 Élan Ct 🏡', body: '<p>Hi</p>' });
        assert.equal(header(message, 'Subject'), '=?UTF-8?B?Q29udHJhY3Qg4oCTIDEyIMOJbGFuIEN0IPCfj6E=?=');
        assert.match(message, /^Content-Type: text\/html; charset=utf-8\r$/m);
        assert.equal(parsed.subject, 'Contract – 12 Élan Ct 🏡');
        assert.equal(parsed.html.trim(), '<p>Hi</p>');
    });

    it('3: a long subject in three words', options, async () => {
        const subject = 'Résumé of the offers we received for the property at 1450 Cañon Drive, Málaga Heights';
        const { message, parsed } = await written({ subject });
        assert.equal(
            header(message, 'Subject'),
            '=?UTF-8?B?UsOpc3Vtw6kgb2YgdGhlIG9mZmVycyB3ZSByZWNlaXZlZCBmb3Ig?=\r\n' +
                ' =?UTF-8?B?dGhlIHByb3BlcnR5IGF0IDE0NTAgQ2HDsW9uIERyaXZlLCBNw6FsYWdhIEhl?=\r\n =?UTF-8?B?aWdodHM=?=',
        );
        assert.equal(parsed.subject, subject);
    });

    it('4: a quoted name', options, async () => {
        const { message, parsed, data } = await written({ to: 'Jane "JD" Doe <jane@example.com>, bob@example.com' });
        assert.equal(header(message, 'To'), '"Jane \\"JD\\" Doe" <jane@example.com>,\r\n bob@example.com');
        assert.deepEqual(parsed.to, [
            { name: 'Jane "JD" Doe', address: 'jane@example.com' },
            { name: '', address: 'bob@example.com' },
        ]);
        assert.equal(data.to, 'Jane "JD" Doe <jane@example.com>, bob@example.com');
        const quoted = await written({ to: '"Jane \\"JD\\", Doe" <jane@example.com>' });
        assert.equal(quoted.parsed.to[0].name, 'Jane "JD", Doe');
    });

    it('5: a header in the subject', options, async () => {
        const id = await mails.connected();
        assertFailed(await mails.run(id, { ...body, subject: 'Hi\r\nBcc: x@evil.com' }), 400, 'invalid_input', 'subject');
        assert.deepEqual(await gmail().requests(), []);
    });

    it('headers in their order, lists as arrays, names in other scripts', options, async () => {
        const { message, parsed, data } = await written({
            to: ['Ann Lee <ann@example.com>', ' ', 'ANN@example.com', '"Doe, Bob" <bob@example.com>'],
            cc: ' Zoë Müller <zoe@example.com> ,, <plain@example.com>',
            bcc: ['東京都渋谷区代々木のとても長い名前の不動産会社です <tokyo@xn--wgv71a.example>'],
            subject: '  =?not an encoded word?=  ',
        });
        assert.deepEqual(
            [...message.split('\r\n\r\n')[0].matchAll(/^([A-Za-z-]+):/gm)].map(([, name]) => name),
            ['To', 'Cc', 'Bcc', 'Subject', 'MIME-Version', 'Content-Type', 'Content-Transfer-Encoding'],
        );
        assert.equal(header(message, 'To'), '"Ann Lee" <ann@example.com>,\r\n "Doe, Bob" <bob@example.com>');
        assert.equal(header(message, 'Cc'), '=?UTF-8?B?Wm/DqyBNw7xsbGVy?= <zoe@example.com>,\r\n plain@example.com');
        for (const line of header(message, 'Bcc').split('\r\n ')) {
            const [, word] = /^=\?UTF-8\?B\?([^?]*)\?=/.exec(line);
            const bytes = Buffer.from(word, 'base64');
            assert.ok(bytes.length <= 45);
            assert.equal(Buffer.from(bytes.toString()).compare(bytes), 0, 'whole code points');
        }
        assert.equal(parsed.bcc[0].name, '東京都渋谷区代々木のとても長い名前の不動産会社です');
        assert.equal(parsed.bcc[0].address, 'tokyo@xn--wgv71a.example');
        assert.equal(parsed.subject, '=?not an encoded word?=');
        assert.equal(data.subject, '=?not an encoded word?=');
        assert.equal(data.to, 'Ann Lee <ann@example.com>,  , ANN@example.com, "Doe, Bob" <bob@example.com>');
    });

    it('lines of a subject have at most 76 characters whatever the text', options, async () => {
        for (const subject of ['é'.repeat(255), '🏡'.repeat(255), `a${'🏡'.repeat(100)}`, `ab${'–'.repeat(100)}`, 'x'.repeat(254) + 'é']) {
            const { message, parsed } = await written({ subject });
            for (const line of message.split('\r\nMIME-Version')[0].split('\r\n')) assert.ok(line.length <= 76, line);
            assert.equal(parsed.subject, subject);
        }
    });

    it('what is HTML', options, async () => {
        const kind = async (more) => /text\/(html|plain)/.exec((await written(more)).message)[1];
        for (const html of ['<b>x', 'a</p>b', '<!doctype html>', '1 < 2 <i> 3', '<a\n>'])
            assert.equal(await kind({ body: html }), html.includes('>') ? 'html' : 'plain', html);
        for (const text of ['1 < 2 > 0', 'a <1>', '<b', '> <b', 'I <3 you', '<é>'])
            assert.equal(await kind({ body: text }), 'plain', text);
        assert.equal(await kind({ body: '<b>x</b>', contentType: 'text' }), 'plain');
        assert.equal(await kind({ body: 'x', contentType: 'html' }), 'html');
    });

    it('line ends of the body, and lines of 76 characters', options, async () => {
        const { message } = await written({ body: 'a\rb\nc\r\nd\n\re\r\r\nf\n' });
        const encoded = message.split('\r\n\r\n')[1];
        assert.equal(Buffer.from(encoded, 'base64').toString(), 'a\r\nb\r\nc\r\nd\r\n\r\ne\r\n\r\nf\r\n');
        for (const length of [56, 57, 58, 114]) {
            const lines = (await written({ body: 'x'.repeat(length) })).message.split('\r\n\r\n')[1];
            assert.match(lines, /^(?:[A-Za-z0-9+/=]{76}\r\n)*[A-Za-z0-9+/=]{1,76}\r\n$/);
            assert.equal(Buffer.from(lines, 'base64').length, length);
        }
    });

    it('a dry run sends nothing and logs nothing, and needs a connection', options, async () => {
        const id = await mails.connected();
        const { status, body: answered } = await mails.run(id, { ...body, dryRun: true, idempotencyKey: 'k' });
        assert.equal(status, 200);
        assert.deepEqual(Object.keys(answered.data), ['dryRun', 'to', 'subject', 'wouldSend', 'message']);
        assert.equal(answered.data.dryRun, true);
        assert.deepEqual(await gmail().requests(), []);
        assert.deepEqual(await mails.actions(id), []);
        assertFailed(await mails.run(await mails.agent(), { ...body, dryRun: true }), 409, 'not_connected');
    });

    it('limits', options, async () => {
        const id = await mails.connected();
        const people = (count, prefix) => Array.from({ length: count }, (_, i) => `${prefix}${i}@example.com`);
        const full = { to: people(98, 'to'), cc: people(1, 'cc'), bcc: people(1, 'bcc') };
        const domain = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(59)}.ex`;
        assert.equal(domain.length, 254);
        for (const more of [full, { body: 'é'.repeat(524288) }, { subject: 'x'.repeat(255) }, { to: `${'l'.repeat(64)}@e.co` }, { to: `a@${domain}f` }, { to: "o'neil+x!#$%&*/=?^_`{|}~-@a-b.c1" }])
            assert.equal((await mails.run(id, { ...body, ...more })).status, 200, JSON.stringify(more).slice(0, 80));
        assertFailed(await mails.run(id, { ...body, ...full, bcc: people(2, 'bcc') }), 400, 'invalid_input', 'to');
        assert.equal((await mails.run(id, { ...body, ...full, bcc: ['bcc@example.com', 'BCC@example.com'] })).status, 200);
    });
});

const bad = [
    'jane', '@example.com', 'jane@', 'jane@example', 'ann@exa_mple.com', 'ann@-a.com', 'ann@a-.com', 'ann@a..com', '.ann@a.com',
    'ann.@a.com', 'an..n@a.com', 'an n@a.com', 'ann@a.com x', 'Ann <ann@a.com> x', 'Ann <ann@a>', 'Ann <ann@a.com', '"Ann <ann@a.com>',
    'é@a.com', 'ann@é.com', 'a@b.co;c@d.co', `${'l'.repeat(65)}@a.com`, `a@${'b'.repeat(64)}.com`, `a@${'bbbb.'.repeat(51)}co`,
    'a@b.co\nBcc: c@d.co', 'a@b.co\u007f', 'a\tb@c.co', 'a@b.co, x', '"a" b <a@b.co>', 'a@b@c.co',
];
refusals(mails, 'sendGoogleEmailTool', {
    mode: 'user_or_service',
    body,
    required: ['to', 'subject', 'body'],
    wrong: {
        to: [7, true, {}, [], '', ' , ', [''], [7], ['a@b.co, c@d.co'], [['a@b.co']], ...bad],
        subject: [...NOT.text, ' ', 'x'.repeat(256), 'a\n', '\ta', 'a\u007f', 'a\u0000'],
        body: [...NOT.text, '', 'x'.repeat(1048577), `é${'x'.repeat(1048575)}`],
        cc: [7, {}, 'x', ['a@b.co\r\n']],
        bcc: [7, {}, 'x', [null]],
        contentType: [...NOT.text, 'HTML', 'plain'],
        dryRun: NOT.boolean,
        idempotencyKey: NOT.text,
    },
    untouched: ['ai_actions_log'],
});
connectionRefusals(mails, body);
idempotency(mails, 'gmail', { body, again: { ...body, body: 'Other' }, type: 'sendGoogleEmail' });
providerFailures(mails, 'gmail', { body });
renewals(mails, 'gmail', 'google_oauth', { body });
sealed(mails, 'gmail', 'google_oauth', { body });
