/*
 * @NAME@ over a WebSocket.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { options, serve } from '@SUPPORT@';

const edge = serve('@NAME@');
@if private
const caller = () => edge.@CALLER@;

it('needs a caller', options, async () => {
    assert.equal((await edge.talk(['{}'])).refused, 401);
});
@end
@if !private
const caller = async () => undefined;
@end

it('answers each message', options, async () => {
    const { messages } = await edge.talk(['{"say":"one"}', '{"say":"two"}'], await caller());
    assert.deepEqual(messages.map((message) => JSON.parse(message)), [
        { number: 1, heard: { say: 'one' } },
        { number: 2, heard: { say: 'two' } },
    ]);
});

it('ends at a message that is not JSON', options, async () => {
    const { messages } = await edge.talk(['hello'], await caller());
    assert.equal(JSON.parse(messages[0]).data.code, 'invalid_message');
});
