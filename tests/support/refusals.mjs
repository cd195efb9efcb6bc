/*
 * What every function refuses in the same way, as tests: who may not call it, bodies that are none, fields of the wrong
 * kind, a database that is away. A function's own file says which mode, body and values.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from './clients.mjs';
import { SERVICE_KEY } from './host.mjs';
import { UNREACHABLE, options, withHost } from './suite.mjs';
import { forge, mint } from './tokens.mjs';

/* The envelope of an error: status, code, and for input errors the field; a sentence and the request's id. */
export function assertRefused({ status, body }, expected, code, field) {
    assert.equal(status, expected, JSON.stringify(body));
    assert.equal(body.code, code, JSON.stringify(body));
    assert.equal(body.field, field, JSON.stringify(body));
    assert.equal(typeof body.error, 'string');
    assert.notEqual(body.error, '');
    assert.equal(typeof body.requestId, 'string');
}

/* Values that are no text, number, boolean, array, object, UUID, time, date: for `wrong`. */
export const NOT = {
    text: [7, true, [], {}],
    number: ['7', true, [], {}],
    integer: [1.5, '7', true, [], {}],
    boolean: ['true', 1, 0, [], {}],
    array: ['a', 7, true, {}],
    object: ['a', 7, true, []],
    uuid: ['no-uuid', 7, true, [], {}],
    time: ['yesterday', true, [], {}],
    date: ['2026-02-30', '01/02/2026', 7, true, [], {}],
};

const USERS = ['user', 'optional', 'user_or_service'];

async function refusedCallers(suite, name, mode, body) {
    const call = (more) => post(suite.host, name, { body, ...more });
    if (mode !== 'public' && mode !== 'optional') assertRefused(await call({}), 401, 'unauthorized');
    if (mode !== 'public') assertRefused(await call({ token: await forge('user_a') }), 401, 'unauthorized');
    const token = await mint(await suite.agent());
    if (mode === 'service') assertRefused(await call({ token }), 403, 'forbidden');
    if (mode === 'admin') assertRefused(await call({ token }), 403, 'admin_required');
    if (mode === 'user') assertRefused(await call({ token: SERVICE_KEY }), 403, 'forbidden');
    if (USERS.includes(mode))
        assertRefused(await call({ token, body: { ...body, userId: 'user_other' } }), 403, 'user_mismatch');
}

/*
 * Registers the tests. suite as suite.mjs makes it, with suite.call's user being `caller` (default: any person; admin
 * functions need an administrator's id).
 *
 * mode: user, optional, user_or_service, service, admin or public. body: a valid one. wrong: { field: [values], … }, each
 * to be refused with 400 naming the field; a dotted name is a field's path in the answer, its value replaces the top-level
 * member. required: fields without which it is 400. untouched: tables in which nothing may have changed after all of it.
 * withoutDatabase: the function needs none, and this body gets its answer. hostOptions: further options of the host without a database.
 */
export function refusals(
    suite,
    name,
    { mode = 'user', body = {}, wrong = {}, required = [], untouched = [], caller, hostOptions = {}, withoutDatabase = false },
) {
    const token = async () => (mode === 'service' ? SERVICE_KEY : mint(caller ? await caller() : await suite.agent()));
    const counts = () => Promise.all(untouched.map((table) => suite.database.count(table)));
    const refused = (title, check) =>
        it(title, options, async () => {
            const before = await counts();
            await check();
            assert.deepEqual(await counts(), before, `rows of ${untouched.join(', ')}`);
        });

    describe(`${name}: refusals`, options, () => {
        refused(`callers who may not (${mode})`, () => refusedCallers(suite, name, mode, body));
        refused('methods and bodies that are none', async () => {
            const as = { token: await token() };
            assertRefused(await post(suite.host, name, { ...as, method: 'PUT', body }), 405, 'method_not_allowed');
            assertRefused(await post(suite.host, name, { ...as, raw: '{"a":' }), 400, 'invalid_json');
            assertRefused(await post(suite.host, name, { ...as, raw: '[1]' }), 400, 'invalid_json');
        });
        for (const field of required)
            refused(`without ${field}`, async () => {
                const { [field]: _, ...rest } = body;
                assertRefused(
                    await post(suite.host, name, { token: await token(), body: rest }), 400, 'invalid_input', field);
            });
        for (const [field, values] of Object.entries(wrong))
            refused(`wrong values of ${field}`, async () => {
                const as = await token();
                for (const value of values) {
                    const answer = await post(suite.host, name, {
                        token: as,
                        body: { ...body, [field.split(/[.[]/)[0]]: value },
                    });
                    try {
                        assertRefused(answer, 400, 'invalid_input', field);
                    } catch (error) {
                        error.message = `${field} = ${JSON.stringify(value).slice(0, 200)}: ${error.message}`;
                        throw error;
                    }
                }
            });
        it(withoutDatabase ? 'the database away: no matter' : 'the database away: 503, and nothing of an answer', options, () =>
            withHost({ functions: suite.functions ?? [name], ...UNREACHABLE, ...hostOptions }, async (host) => {
                const answer = await post(host, name, { token: await token(), body });
                if (withoutDatabase) assert.equal(answer.status, 200, JSON.stringify(answer.body));
                else assertRefused(answer, 503, 'database_unavailable');
            }),
        );
    });
}
