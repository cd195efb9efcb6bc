/*
 * sendOutlookEmailTool (spec workspace.md).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, refusals } from '../../support/refusals.mjs';
import { options } from '../../support/suite.mjs';
import { providerFailures, renewals, sealed } from '../../support/tool_failures.mjs';
import { assertFailed, connectionRefusals, idempotency, toolSuite } from '../../support/tools.mjs';

const mails = toolSuite(['sendOutlookEmailTool'], 'microsoft_365');
const graph = () => mails.provider('microsoft_graph');
const body = { to: 'ann@example.com', subject: 'Offer', body: 'Line 1\nLine 2' };

describe('sendOutlookEmailTool', options, () => {
    it('1: a text to two people', options, async () => {
        const id = await mails.connected();
        const asked = { to: 'Ann Lee <ann@example.com>, bob@example.com', cc: '', subject: ' Offer ', body: 'Line 1\nLine 2' };
        const answer = await mails.run(id, asked);
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        assert.deepEqual({ ...answer.body.data, message: 0 }, { message: 0, to: asked.to, subject: 'Offer' });
        const [request, ...others] = await graph().requests();
        assert.equal(others.length, 0);
        assert.equal(`${request.method} ${request.path}`, 'POST /v1.0/me/sendMail');
        assert.equal(request.headers.authorization, `Bearer token-of-${id}`);
        assert.deepEqual(request.body, {
            message: {
                subject: 'Offer',
                body: { contentType: 'Text', content: 'Line 1\nLine 2' },
                toRecipients: [
                    { emailAddress: { address: 'ann@example.com', name: 'Ann Lee' } },
                    { emailAddress: { address: 'bob@example.com' } },
                ],
            },
            saveToSentItems: true,
        });
        const [row] = await mails.actions(id);
        assert.equal(row.action_type, 'sendOutlookEmail');
        assert.deepEqual(row.action_data.request, {
            to: ['ann@example.com', 'bob@example.com'],
            cc: [],
            bcc: [],
            subject: 'Offer',
            bodyBytes: 13,
        });
    });

    it('2: a domain of one label', options, async () => {
        const id = await mails.connected();
        assertFailed(await mails.run(id, { to: 'ann@example', subject: 'x', body: 'y' }), 400, 'invalid_input', 'to');
        assert.deepEqual(await graph().requests(), []);
    });

    it('3: Graph wants fewer calls', options, async () => {
        const id = await mails.connected();
        await graph().order({
            status: 429,
            headers: { 'retry-after': '30' },
            body: { error: { code: 'ApplicationThrottled', message: 'Too many requests' } },
        });
        const answer = await mails.run(id, body);
        assertFailed(answer, 429, 'provider_rate_limited');
        assert.equal(answer.headers.get('retry-after'), '30');
        assert.equal(answer.body.retryAfter, 30);
        assert.equal(answer.body.providerCode, 'ApplicationThrottled');
        assert.equal((await mails.actions(id))[0].status, 'failed');
    });

    it('HTML, with copies', options, async () => {
        const id = await mails.connected();
        await mails.run(id, { ...body, body: '<p>Hi</p>\r\n', cc: ['c@example.com'], bcc: 'Zoë <z@example.com>' });
        const [{ message }] = await graph().bodies();
        assert.deepEqual(message.body, { contentType: 'HTML', content: '<p>Hi</p>\r\n' });
        assert.deepEqual(message.ccRecipients, [{ emailAddress: { address: 'c@example.com' } }]);
        assert.deepEqual(message.bccRecipients, [{ emailAddress: { address: 'z@example.com', name: 'Zoë' } }]);
    });

    it('any 2xx is success, whatever is in it', options, async () => {
        const id = await mails.connected();
        for (const order of [{ status: 200, body: 'no json' }, { status: 201, body: {} }]) {
            await graph().order(order);
            assert.equal((await mails.run(id, body)).status, 200);
        }
    });

    it('a dry run shows the request', options, async () => {
        const id = await mails.connected();
        const { body: answered } = await mails.run(id, { ...body, dryRun: true });
        assert.deepEqual({ ...answered.data, message: 0 }, {
            dryRun: true,
            to: 'ann@example.com',
            subject: 'Offer',
            wouldSend: {
                message: {
                    subject: 'Offer',
                    body: { contentType: 'Text', content: 'Line 1\nLine 2' },
                    toRecipients: [{ emailAddress: { address: 'ann@example.com' } }],
                },
                saveToSentItems: true,
            },
            message: 0,
        });
        assert.deepEqual(await graph().requests(), []);
        assert.deepEqual(await mails.actions(id), []);
    });
});

refusals(mails, 'sendOutlookEmailTool', {
    mode: 'user_or_service',
    body,
    required: ['to', 'subject', 'body'],
    wrong: {
        to: [7, {}, [], 'ann', 'a@b.co\n'],
        subject: [...NOT.text, 'x'.repeat(256), 'a\r\nb'],
        body: NOT.text,
        cc: [7, 'x'],
        bcc: [7, 'x'],
        contentType: ['Text'],
        dryRun: NOT.boolean,
    },
    untouched: ['ai_actions_log'],
});
connectionRefusals(mails, body);
idempotency(mails, 'microsoft_graph', { body, again: { ...body, to: 'bob@example.com' }, type: 'sendOutlookEmail' });
providerFailures(mails, 'microsoft_graph', { body, anyAnswer: true });
renewals(mails, 'microsoft_graph', 'microsoft_login', { body });
sealed(mails, 'microsoft_graph', 'microsoft_login', { body });
