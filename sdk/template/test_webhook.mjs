/*
 * @NAME@: deliveries, signed and unsigned.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { options, serve } from '@SUPPORT@';

const edge = serve('@NAME@', { secret: '@SECRET@' });

it('takes a signed event', options, async () => {
    assert.deepEqual(await edge.deliver('@PROVIDER@', { type: 'something.happened' }), { received: true, type: 'something.happened' });
});

it('refuses one that nobody signed', options, async () => {
    assert.equal((await edge.call({ type: 'something.happened' })).status, 401);
});
