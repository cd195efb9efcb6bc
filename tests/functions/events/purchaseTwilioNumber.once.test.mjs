/*
 * purchaseTwilioNumber never buys twice: answers that get lost, requests that race on two hosts, workers that are killed, writes
 * that fail. What counts is what Twilio's stand-in has sold.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { workers } from '../../support/faults.mjs';
import { eventually, startHost } from '../../support/host.mjs';
import { NUMBER, Numbers, OTHER } from '../../support/numbers.mjs';
import { assertRefused } from '../../support/refusals.mjs';
import { options, suite } from '../../support/suite.mjs';

const NAME = 'purchaseTwilioNumber';
const limits = { twilio: { first_byte_timeout: '300ms' } };
const s = suite({ functions: [NAME, 'twilioActions'], providers: limits });
const numbers = new Numbers(s);
const { twilio, elevenlabs } = numbers;
let second;
const ours = () => ({ TWILIO_BASE_URL: `${s.host.url}/sandbox/twilio`, ELEVENLABS_BASE_URL: `${s.host.url}/sandbox/elevenlabs` });
const buy = (user, phoneNumber = NUMBER, idempotencyKey = 'k-1', more = {}) => s.call(NAME, user, { phoneNumber, idempotencyKey }, more);

describe(`${NAME}: once`, options, () => {
    before(async () => {
        second = await startHost({ functions: [NAME, 'twilioActions'], database: s.database.url, env: ours() });
    }, options);
    after(() => second?.stop(), options);

    async function assertSold(user, expected = [NUMBER]) {
        assert.deepEqual((await numbers.owned()).filter(({ friendly_name: name }) => name === `pulse:${user}`).map(({ phone_number: number }) => number), expected);
    }

    for (const [title, order] of [['is lost', { truncateAfter: 0 }], ['is cut short', { truncateAfter: 30 }]])
        it(`bought, and the answer ${title}: the number is found`, options, async () => {
            const user = await numbers.buyer();
            await twilio.order(order);
            const { status, body } = await buy(user);
            assert.equal(status, 200, JSON.stringify(body));
            await assertSold(user);
            assert.equal(body.sid, (await numbers.owned())[0].sid);
            assert.equal((await numbers.orders()).length, 1);
        });

    it('bought, and Twilio is away: in doubt, then in progress, then found', options, async () => {
        const user = await numbers.buyer();
        await twilio.order({ truncateAfter: 0 }, { status: 503, body: {} });
        const answer = await buy(user);
        assertRefused(answer, 502, 'purchase_in_doubt');
        assert.equal(answer.body.success, false);
        assert.equal((await numbers.audit(user))[0].status, 'pending');
        assertRefused(await buy(user), 409, 'in_progress');
        assertRefused(await buy(user, OTHER, 'k-2'), 409, 'in_progress');

        await numbers.age(user);
        await twilio.order({ drop: true });
        assertRefused(await buy(user), 502, 'purchase_in_doubt');
        assertRefused(await buy(user), 409, 'in_progress');
        await numbers.age(user);
        const { status, body } = await buy(user);
        assert.equal(status, 200, JSON.stringify(body));
        await assertSold(user);
        assert.equal((await numbers.orders()).length, 1);
        assert.equal((await numbers.audit(user))[0].status, 'success');
    });

    it('cut off before Twilio had sold it: bought by the repeat', options, async () => {
        const user = await numbers.buyer();
        await twilio.order({ status: 503, body: {} }, { status: 503, body: {} });
        assertRefused(await buy(user), 502, 'purchase_in_doubt');
        await numbers.age(user);
        assert.equal((await buy(user)).status, 200);
        await assertSold(user);
    });

    it('pending for almost two minutes is in progress', options, async () => {
        const user = await numbers.buyer();
        await twilio.order({ status: 503, body: {} }, { status: 503, body: {} });
        await buy(user);
        await numbers.age(user, 110);
        const answer = await buy(user);
        assertRefused(answer, 409, 'in_progress');
        assert.equal(answer.headers.get('retry-after'), '120');
    });

    it('called failed, and sold after all: the repeat finds its own number', options, async () => {
        const user = await numbers.buyer();
        await twilio.order({ truncateAfter: 0 }, { status: 200, body: { incoming_phone_numbers: [] } });
        assertRefused(await buy(user), 502, 'twilio_failed');
        assert.equal((await buy(user)).status, 200);
        await assertSold(user);
    });

    it('another key while one is in doubt: that one is settled first', options, async () => {
        const user = await numbers.buyer();
        await twilio.order({ truncateAfter: 0 }, { status: 503, body: {} });
        assertRefused(await buy(user), 502, 'purchase_in_doubt');
        await numbers.age(user);
        const answer = await buy(user, OTHER, 'k-2');
        assertRefused(answer, 409, 'number_limit_reached');
        assert.equal(answer.body.phoneNumber, NUMBER);
        await assertSold(user);
        const [row, ...others] = await numbers.audit(user);
        assert.deepEqual([row.status, others], ['success', []]);
        assert.match((await numbers.config(user)).line, /^phnum_/);

        const free = await numbers.buyer();
        await twilio.order({ status: 503, body: {} }, { status: 503, body: {} });
        assertRefused(await buy(free, OTHER), 502, 'purchase_in_doubt');
        await numbers.age(free);
        assert.equal((await buy(free, '+15125550103', 'k-2')).status, 200);
        await assertSold(free, ['+15125550103']);
        assert.deepEqual((await numbers.audit(free)).map(({ status }) => status), ['failed', 'success']);
        assertRefused(await buy(free, OTHER), 409, 'number_limit_reached');
    });

    it('twenty at once, one key, two hosts', options, async () => {
        const user = await numbers.buyer();
        await twilio.order({ delayMs: 200 });
        const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => buy(user, NUMBER, 'k-1', { host: i % 2 ? second : s.host })));
        for (const { status, body } of answers) assert.ok(status === 200 || body.code === 'in_progress', JSON.stringify(body));
        assert.equal(answers.filter(({ status, body }) => status === 200 && !body.replayed).length, 1);
        assert.equal((await buy(user)).body.replayed, true);
        assert.equal((await numbers.orders()).length, 1);
    });

    it('twenty at once, twenty keys and numbers, two hosts, two functions', options, async () => {
        const user = await numbers.buyer();
        await twilio.order({ delayMs: 200 });
        const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => {
            const [number, host] = [`+151255501${String(i + 1).padStart(2, '0')}`, i % 2 ? second : s.host];
            return i % 3 ? buy(user, number, `k-${i}`, { host }) : s.call('twilioActions', user, { action: 'purchaseNumber', payload: { numberToPurchase: number } }, { host });
        }));
        assert.equal(answers.filter(({ status }) => status === 200).length, 1);
        for (const { status, body } of answers) assert.ok(status === 200 || ['in_progress', 'number_limit_reached'].includes(body.code), JSON.stringify(body));
        assert.equal((await numbers.orders()).length, 1);
        assert.equal((await numbers.audit(user)).length, 1);
    });

    it('imports repeated at once: one at a time', options, async () => {
        const user = await numbers.buyer();
        await elevenlabs.order({ status: 500, body: {} });
        assert.equal((await buy(user)).body.elevenLabsTwilioNumberId, null);
        await elevenlabs.reset();
        await elevenlabs.order({ delayMs: 200 });
        const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => buy(user, NUMBER, 'k-1', { host: i % 2 ? second : s.host })));
        assert.equal(answers.filter(({ status, body }) => status === 200 && !body.replayed).length, 1);
        assert.equal((await elevenlabs.requests()).filter(({ method }) => method === 'POST').length, 1);
    });

    for (const [title, provider, order] of [
        ['while Twilio is asked', 'twilio', { delayMs: 1500 }],
        ['while the import runs', 'elevenlabs', { delayMs: 1500 }],
    ])
        it(`a worker killed ${title}: resumed, bought once`, options, async () => {
            const user = await numbers.buyer();
            const host = await startHost({ functions: [NAME], database: s.database.url, server: { workers: 1 }, env: ours() });
            try {
                await s.provider(provider).order(order);
                const broken = buy(user, NUMBER, 'k-1', { host }).catch(() => 'broken');
                await s.provider(provider).arrived(1);
                const [pid] = workers(host);
                process.kill(pid, 'SIGKILL');
                assert.equal(await broken, 'broken');
                assert.equal((await numbers.audit(user))[0].status, 'pending');
                assertRefused(await buy(user), 409, 'in_progress');
                await numbers.age(user);
                /* What the killed worker had asked for is sold meanwhile, or not: either way there is one in the end. */
                const { status, body } = await buy(user);
                assert.equal(status, 200, JSON.stringify(body));
                await eventually(async () => (await twilio.requests()).every(({ ended }) => ended), 'Twilio to be done');
                await assertSold(user);
            } finally {
                await host.stop({ crashes: true });
            }
        });

    it('nothing can be written: told as critical, then resumed without buying', options, async () => {
        const user = await numbers.buyer();
        await s.database.rows(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`);
        await s.database.rows('CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON agent_config FOR EACH ROW EXECUTE FUNCTION refuse()');
        const answer = await buy(user);
        await s.database.rows('DROP FUNCTION refuse CASCADE');
        assertRefused(answer, 500, 'config_write_failed');
        const { success, phoneNumber, sid } = answer.body;
        assert.deepEqual([success, phoneNumber, sid], [false, NUMBER, (await numbers.owned())[0].sid]);
        const [error, ...others] = await s.database.rows(`SELECT severity, function_name AS name, metadata FROM system_errors WHERE user_id = $1`, [user]);
        assert.deepEqual([error, others], [{ severity: 'critical', name: NAME, metadata: { phoneNumber, sid } }, []]);
        assert.equal((await numbers.audit(user))[0].status, 'pending');
        await numbers.age(user);
        const again = await buy(user);
        assert.deepEqual([again.status, again.body.sid], [200, sid]);
        assert.equal((await numbers.orders()).length, 1);
    });

    it('a write that fails twice is repeated', options, async () => {
        const user = await numbers.buyer();
        await s.database.rows('CREATE SEQUENCE refusals; GRANT USAGE ON SEQUENCE refusals TO PUBLIC');
        await s.database.rows(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN IF nextval('refusals') < 3 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$`);
        await s.database.rows('CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON agent_config FOR EACH ROW EXECUTE FUNCTION refuse()');
        const { status, body } = await buy(user);
        await s.database.rows('DROP FUNCTION refuse CASCADE; DROP SEQUENCE refusals');
        assert.equal(status, 200, JSON.stringify(body));
        assert.equal((await numbers.config(user)).settings.twilio_sid, body.sid);
    });
});
