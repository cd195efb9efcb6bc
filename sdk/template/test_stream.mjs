/*
 * @NAME@ over HTTP: its events, and what is refused before the first one.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { options, serve } from '@SUPPORT@';

const edge = serve('@NAME@');
@if private
const caller = () => edge.@CALLER@;

it('needs a caller', options, async () => {
    assert.equal((await edge.call({})).status, 401);
});
@end
@if !private
const caller = async () => undefined;
@end

it('counts down', options, async () => {
    const { status, events } = await edge.events({ from: 3 }, await caller());
    assert.equal(status, 200);
    assert.deepEqual(events, [
        { event: 'tick', data: { left: 3 } },
        { event: 'tick', data: { left: 2 } },
        { event: 'tick', data: { left: 1 } },
        { event: 'done', data: {} },
    ]);
});

it('refuses what it cannot count from', options, async () => {
    for (const from of [0, 1001, 'three']) {
        const { status, body } = await edge.call({ from }, await caller());
        assert.deepEqual([status, body.code, body.field], [400, 'invalid_input', 'from']);
    }
});
