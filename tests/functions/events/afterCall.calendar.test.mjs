/*
 * afterCall with the function that it calls: an appointment made on the phone is in the owner's Google calendar, once.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Caller, nextConversation } from '../../support/calls.mjs';
import { eventually } from '../../support/host.mjs';
import { ELEVENLABS } from '../../support/senders.mjs';
import { options } from '../../support/suite.mjs';
import { toolSuite } from '../../support/tools.mjs';

const s = toolSuite(['elevenLabsWebhook', 'afterCall', 'scheduleGoogleCalendarEventTool'], 'google_workspace', {
    env: { ELEVENLABS_WEBHOOK_SECRET: ELEVENLABS.secret },
});
const caller = new Caller(s, 'elevenLabsWebhook');
const google = s.provider('google_apis');

async function appointment(user, startTime, form_data = {}) {
    const conversation = nextConversation();
    const [{ id }] = await s.database.rows(
        `INSERT INTO call_logs (user_id, conversation_id, call_type, contact_name, form_data, status) VALUES ($1, $2, 'New Seller Lead', $3, $4, 'initiated') RETURNING id`,
        [user, conversation, 'Pat '.repeat(100), form_data],
    );
    const { status } = await caller.send(caller.ended(conversation, { metadata: { appointment_set: true, startTime, address: '1 Elm St' } }));
    assert.equal(status, 200);
    return eventually(
        async () => (await s.database.row('SELECT metadata FROM call_logs WHERE id = $1', [id])).metadata.side_effects?.calendar,
        'the outcome',
    );
}

describe('afterCall: the real calendar function', options, () => {
    it('an event of 45 minutes, with the contact invited', options, async () => {
        const user = await s.connected();
        assert.equal(await appointment(user, '2031-03-12T15:00:00Z', { email: 'pat@example.com' }), 'ok');
        const [request] = await google.requests();
        assert.match(request.body.summary, /^Listing consultation with Pat Pat/);
        assert.deepEqual(
            [request.body.start.dateTime, request.body.end.dateTime, request.body.location, request.body.attendees],
            ['2031-03-12T15:00:00Z', '2031-03-12T15:45:00Z', '1 Elm St', [{ email: 'pat@example.com' }]],
        );
    });

    it('nobody\'s calendar: what the function says', options, async () => {
        assert.match(await appointment(await s.agent(), '2031-03-12 15:00'), /^not_connected: /);
        assert.deepEqual(await google.requests(), []);
    });
});
