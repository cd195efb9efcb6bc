/*
 * updateUserPermissions (spec data.md): its examples, partial changes, and who made them.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { NOT, assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const admin = suite({ functions: ['updateUserPermissions'] });
let made;
const caller = () => (made ??= admin.admin());
const call = async (userId, permissions, as) =>
    admin.call('updateUserPermissions', as ?? (await caller()), { userId, permissions });
const stored = (id) =>
    admin.database.rows('SELECT permission, allowed, updated_by, updated_at FROM autopilot_permissions WHERE user_id = $1 ORDER BY permission', [id]);
const ALL = [
    'copilot.send_email', 'copilot.schedule_appointment', 'copilot.research', 'copilot.create_document',
    'copilot.analyze_performance', 'executive_assistant.send_email', 'executive_assistant.schedule_appointment',
    'executive_assistant.create_task', 'content_agent.generate_content', 'content_agent.schedule_content',
    'transaction_coordinator.create_task', 'transaction_coordinator.send_reminder',
];
const none = Object.fromEntries(ALL.map((key) => [key, false]));

describe('updateUserPermissions', options, () => {
    it('example: two given, the other ten are false; again changes nothing', options, async () => {
        const id = await admin.agent();
        const given = { 'copilot.send_email': true, 'copilot.research': false };
        const { status, body } = await call(id, given);
        assert.equal(status, 200);
        const { updatedAt, ...rest } = body;
        assert.deepEqual(rest, { success: true, userId: id, permissions: { ...none, 'copilot.send_email': true }, changed: 2 });
        const rows = await stored(id);
        assert.deepEqual(
            rows.map((row) => [row.permission, row.allowed, row.updated_by]),
            [['copilot.research', false, await caller()], ['copilot.send_email', true, await caller()]]);
        assert.equal(new Date(updatedAt).getTime(), rows[0].updated_at.getTime());

        const again = (await call(id, given)).body;
        assert.deepEqual(again, { ...body, changed: 0 });
    });

    it('what is not given stays, with who decided it', options, async () => {
        const id = await admin.agent(), other = await admin.admin();
        const first = (await call(id, { 'copilot.send_email': true, 'copilot.research': true })).body;
        const { body } = await call(id, { 'copilot.research': false, 'copilot.send_email': true }, other);
        assert.equal(body.changed, 1);
        assert.deepEqual(body.permissions, { ...none, 'copilot.send_email': true });
        assert.ok(Date.parse(body.updatedAt) >= Date.parse(first.updatedAt));
        assert.deepEqual((await stored(id)).map((row) => row.updated_by), [other, await caller()]);
    });

    it('all twelve', options, async () => {
        const id = await admin.agent();
        const { body } = await call(id, Object.fromEntries(ALL.map((key) => [key, true])));
        assert.equal(body.changed, 12);
        assert.deepEqual(Object.keys(body.permissions), ALL);
        assert.ok(Object.values(body.permissions).every((allowed) => allowed));
    });

    it('example: an unknown key; values that are no booleans; none at all', options, async () => {
        const id = await admin.agent();
        assertRefused(await call(id, { 'copilot.fly': true }), 400, 'invalid_input', 'permissions.copilot.fly');
        for (const value of ['true', 1, null, {}, []])
            assertRefused(
                await call(id, { 'copilot.research': true, 'copilot.send_email': value }),
                400, 'invalid_input', 'permissions.copilot.send_email');
        assertRefused(await call(id, {}), 400, 'invalid_input', 'permissions');
        assert.deepEqual(await stored(id), []);
    });

    it('a user that is not there', options, async () => {
        assertRefused(await call('user_nobody', { 'copilot.research': true }), 404, 'user_not_found');
        assert.deepEqual(await stored('user_nobody'), []);
    });

    it('example: a user calling for himself', options, async () => {
        const id = await admin.agent();
        assertRefused(await call(id, { 'copilot.research': true }, id), 403, 'admin_required');
    });
});

refusals(admin, 'updateUserPermissions', {
    mode: 'admin',
    caller,
    body: { userId: 'user_x', permissions: { 'copilot.research': true } },
    required: ['userId', 'permissions'],
    wrong: { userId: [...NOT.text, '', 'x'.repeat(256)], permissions: NOT.object },
    untouched: ['autopilot_permissions'],
});
