/*
 * @NAME@ over HTTP.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import { options, serve } from '@SUPPORT@';

const edge = serve('@NAME@');
@if private
const caller = () => edge.@CALLER@;

it('needs a caller', options, async () => {
    const { status, body } = await edge.call({});
    assert.equal(status, 401);
    assert.equal(body.code, 'unauthorized');
});
@end
@if !private
const caller = async () => undefined;
@end

it('greets', options, async () => {
    const { status, body } = await edge.call({ name: 'Ann' }, await caller());
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.greeting, 'Hello Ann');
});

it('greets the world by default', options, async () => {
    assert.equal((await edge.call({}, await caller())).body.greeting, 'Hello world');
});

it('names the field that is wrong', options, async () => {
    for (const name of ['x'.repeat(101), 7, []]) {
        const { status, body } = await edge.call({ name }, await caller());
        assert.deepEqual([status, body.code, body.field], [400, 'invalid_input', 'name']);
    }
});
