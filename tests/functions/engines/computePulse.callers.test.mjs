/*
 * computePulse (spec engines.md): who may call it and how it refuses, real clients, and the database away.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { activeAgent } from '../../support/activity.mjs';
import { bareInvoke, post } from '../../support/clients.mjs';
import { SERVICE_KEY, eventually } from '../../support/host.mjs';
import { UNREACHABLE, options, suite, withHost } from '../../support/suite.mjs';
import { supabaseClients } from '../../support/supabase.mjs';
import { forge, mint } from '../../support/tokens.mjs';

const pulse = suite({ functions: ['computePulse'] });
const agent = (activity) => activeAgent(pulse, activity);
const call = (id, body = {}, more = {}) => pulse.call('computePulse', id, body, more);
const snapshots = (id) =>
    pulse.database.rows('SELECT * FROM pulse_engine_snapshots WHERE user_id = $1 ORDER BY computed_at', [id]);

describe('computePulse: who may call', options, () => {
    it('the service, for the user it names', options, async () => {
        const id = await agent({ total: 40, completed: 23 });
        const { status, body } = await post(pulse.host, 'computePulse', { token: SERVICE_KEY, body: { userId: id } });
        assert.equal(status, 200);
        assert.equal(body.score, 63);
        assert.equal((await snapshots(id)).length, 1);
    });

    it('a user who names himself', options, async () => {
        const id = await agent();
        assert.equal((await call(id, { userId: id })).status, 200);
        assert.equal((await call(id, undefined, { body: undefined })).status, 200, 'no body at all');
        assert.equal((await call(id, { unknown: 1 })).status, 200, 'unknown fields');
    });

    const refused = (name, status, code, field, send) =>
        it(name, options, async () => {
            const before = await pulse.database.count('pulse_engine_snapshots');
            const { status: actual, body } = await send();
            assert.equal(actual, status, JSON.stringify(body));
            assert.equal(body.code, code);
            assert.equal(body.field, field);
            assert.equal(typeof body.error, 'string');
            assert.equal(typeof body.requestId, 'string');
            assert.ok(!('score' in body));
            assert.equal(await pulse.database.count('pulse_engine_snapshots'), before, 'nothing is written');
        });
    const asService = (body) => () => post(pulse.host, 'computePulse', { token: SERVICE_KEY, body });
    const asUser = (body) => async () => call(await agent(), body);

    refused('nobody: 401', 401, 'unauthorized', undefined, () => post(pulse.host, 'computePulse', { body: {} }));
    refused('a forged token: 401', 401, 'unauthorized', undefined, async () =>
        post(pulse.host, 'computePulse', { token: await forge('user_a'), body: {} }),
    );
    refused('an expired token: 401', 401, 'unauthorized', undefined, async () =>
        post(pulse.host, 'computePulse', {
            token: await mint('user_a', { claims: { exp: Math.floor(Date.now() / 1000) - 60 } }),
            body: {},
        }),
    );
    refused("another user's id: 403", 403, 'user_mismatch', undefined, asUser({ userId: 'user_somebody_else' }));
    refused('a user without a profile: 404', 404, 'user_not_found', undefined, () => call('user_pulse_nobody'));
    refused(
        'the service for a user who does not exist: 404',
        404,
        'user_not_found',
        undefined,
        asService({ userId: 'user_pulse_nobody' }),
    );
    refused('the service without userId: 400', 400, 'invalid_input', 'userId', asService({}));
    refused('the service with an empty userId: 400', 400, 'invalid_input', 'userId', asService({ userId: '' }));
    refused('the service with a blank in userId: 400', 400, 'invalid_input', 'userId', asService({ userId: 'user a' }));
    refused(
        'the service with 256 characters: 400',
        400,
        'invalid_input',
        'userId',
        asService({ userId: 'u'.repeat(256) }),
    );
    for (const wrong of [7, true, [], {}])
        refused(
            `the service with userId ${JSON.stringify(wrong)}: 400`,
            400,
            'invalid_input',
            'userId',
            asService({ userId: wrong }),
        );
    for (const wrong of ['yes', 1, 0, [], {}])
        refused(`persist ${JSON.stringify(wrong)}: 400`, 400, 'invalid_input', 'persist', asUser({ persist: wrong }));
    refused('a body that is no JSON: 400', 400, 'invalid_json', undefined, async () =>
        call(await agent(), undefined, { body: undefined, raw: '{"persist":' }),
    );
    refused('a body that is no object: 400', 400, 'invalid_json', undefined, async () =>
        call(await agent(), undefined, { body: undefined, raw: '[1]' }),
    );
    refused('GET: 405', 405, 'method_not_allowed', undefined, async () =>
        post(pulse.host, 'computePulse', { token: await mint('user_a'), method: 'GET' }),
    );
});

describe('computePulse: real clients', options, () => {
    for (const [name, client] of Object.entries(supabaseClients))
        it(name, options, async () => {
            const id = await agent({ total: 40, completed: 23 });
            const { data, error } = await client(pulse.host, await mint(id)).invoke('computePulse', {
                body: { persist: false },
            });
            assert.equal(error, null);
            assert.equal(data.score, 63);

            const refused = await client(pulse.host, await mint(id)).invoke('computePulse', {
                body: { persist: 'yes' },
            });
            assert.equal(refused.error.message, 'Edge Function returned a non-2xx status code');
            assert.equal((await refused.error.context.json()).field, 'persist');
        });

    it("the product's own: session in x-clerk-auth, anonymous key in Authorization", options, async () => {
        const id = await agent({ total: 40, completed: 23 });
        assert.equal((await bareInvoke(pulse.host, 'computePulse', await mint(id), {})).score, 63);
        await assert.rejects(bareInvoke(pulse.host, 'computePulse', null, {}), { status: 401 });
    });
});

describe('computePulse: the database away', options, () => {
    it('is 503, and no score', options, async () => {
        await withHost(
            {
                functions: ['computePulse'],
                ...UNREACHABLE,
            },
            async (lonely) => {
                const { status, body } = await post(lonely, 'computePulse', { token: await mint('user_a'), body: {} });
                assert.equal(status, 503);
                assert.equal(body.code, 'database_unavailable');
                assert.ok(!('score' in body));
            },
        );
    });

    it('connections that break are replaced', options, async () => {
        const id = await agent({ total: 1 });
        assert.equal((await call(id)).status, 200);
        await pulse.database.rows(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'edge_runtime' AND datname = current_database()`,
        );
        const answers = [];
        await eventually(
            async () => {
                answers.push(await call(id));
                return answers.at(-1).status === 200;
            },
            'the database to be used again',
            3000,
        );
        for (const { status, body } of answers)
            assert.ok(status === 200 || body.code === 'database_unavailable', JSON.stringify(body));
    });
});
