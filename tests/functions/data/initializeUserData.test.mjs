/*
 * initializeUserData (spec data.md): its examples, people without a profile, credits that are there already.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { assertLedgerAgrees, balanceOf, giveCredits, ledgerOf } from '../../support/credits.mjs';
import { assertRefused, refusals } from '../../support/refusals.mjs';
import { options, suite, withHost } from '../../support/suite.mjs';
import { mint } from '../../support/tokens.mjs';

const start = suite({ functions: ['initializeUserData'] });
const call = (id, body) => start.call('initializeUserData', id, body);
const SEEDED = ['user_onboarding', 'market_config', 'user_preferences', 'business_plans', 'user_credits'];
const row = (table, id) => start.database.row(`SELECT * FROM ${table} WHERE user_id = $1`, [id]);
const answer = (tables) => ({ success: true, seededTables: tables, message: `Initialized ${tables.length} default records` });

describe('initializeUserData', options, () => {
    it('example: everything once, then nothing', options, async () => {
        const id = await start.agent();
        const first = await call(id);
        assert.equal(first.status, 200);
        assert.deepEqual(first.body, answer(SEEDED));
        assert.deepEqual((await call(id, {})).body, answer([]));
        assert.equal(await balanceOf(start.database, id), 100);
        assert.deepEqual(await ledgerOf(start.database, id), [['initial_grant', 100, 100]]);
        await assertLedgerAgrees(start.database, id);
    });

    it('the rows it makes', options, async () => {
        const id = await start.agent();
        await call(id);
        const onboarding = await row('user_onboarding', id);
        assert.deepEqual([onboarding.onboarding_completed, onboarding.completed_steps], [false, []]);
        const market = await row('market_config', id);
        assert.deepEqual([market.market_name, market.state, market.city, market.average_price], ['Primary Market', null, null, null]);
        const preferences = await row('user_preferences', id);
        assert.deepEqual([preferences.email_notifications, preferences.market_updates, preferences.weekly_reports], [true, true, true]);
        const plan = await row('business_plans', id);
        assert.deepEqual([plan.annual_gci_goal, plan.transactions_needed, plan.average_commission], ['100000.00', 12, '8333.33']);
        const [grant] = await start.database.rows('SELECT description FROM credit_transactions WHERE user_id = $1', [id]);
        assert.equal(grant.description, 'Signup credits');
    });

    it('a new user without a profile gets one from the token', options, async () => {
        const as = (id, claims) => mint(id, { claims }).then((token) => post(start.host, 'initializeUserData', { token }));
        assert.deepEqual((await as('user_fresh', { email: 'fresh@example.com', name: 'Fresh Face' })).body, answer(['profiles', ...SEEDED]));
        const profile = await start.database.row(`SELECT * FROM profiles WHERE id = 'user_fresh'`);
        assert.deepEqual([profile.email, profile.full_name, profile.subscription_tier], ['fresh@example.com', 'Fresh Face', 'Free']);
        assert.equal((await as('user_bare', {})).status, 200);
        const bare = await start.database.row(`SELECT * FROM profiles WHERE id = 'user_bare'`);
        assert.deepEqual([bare.email, bare.full_name], [null, null]);
    });

    it('a profile and rows that are there stay as they are', options, async () => {
        const id = await start.agent({ full_name: 'Own Name' });
        await start.database.rows(`INSERT INTO market_config (user_id, market_name) VALUES ($1, 'Austin')`, [id]);
        const token = await mint(id, { claims: { email: 'other@example.com', name: 'Other' } });
        const { body } = await post(start.host, 'initializeUserData', { token });
        assert.deepEqual(body.seededTables, SEEDED.filter((table) => table !== 'market_config'));
        assert.equal((await row('market_config', id)).market_name, 'Austin');
        assert.equal((await start.database.row('SELECT full_name FROM profiles WHERE id = $1', [id])).full_name, 'Own Name');
    });

    it('a balance that is there gets no grant; a ledger without its balance gets the balance', options, async () => {
        const spent = await start.agent();
        await giveCredits(start.database, spent, 0, { ledger: false });
        assert.ok(!(await call(spent)).body.seededTables.includes('user_credits'));
        assert.equal(await balanceOf(start.database, spent), 0);

        for (const [amounts, balance] of [[[70, -30], 40], [[5, -9], 0]]) {
            const id = await start.agent();
            for (const amount of amounts)
                await start.database.rows(
                    `INSERT INTO credit_transactions (user_id, transaction_type, amount, balance_after) VALUES ($1, 'x', $2, 0)`, [id, amount]);
            assert.ok((await call(id)).body.seededTables.includes('user_credits'));
            assert.equal(await balanceOf(start.database, id), balance);
            assert.equal((await ledgerOf(start.database, id)).length, 2, 'no new ledger row');
        }
    });

    it('from several tabs at once: one of everything', options, async () => {
        const id = await start.agent();
        const answers = await Promise.all(Array.from({ length: 10 }, () => call(id)));
        for (const { status } of answers) assert.equal(status, 200);
        assert.deepEqual(answers.flatMap(({ body }) => body.seededTables).sort(), [...SEEDED].sort());
        assert.equal(await balanceOf(start.database, id), 100);
        await assertLedgerAgrees(start.database, id);
    });

    it('FREE_SIGNUP_CREDITS: another number, none, and what is no number', options, async () => {
        for (const [value, expected] of [['25', 25], ['0', 0]])
            await withHost({ functions: ['initializeUserData'], database: start.database.url, env: { FREE_SIGNUP_CREDITS: value } }, async (host) => {
                const id = await start.agent();
                const { body } = await start.call('initializeUserData', id, undefined, { host });
                assert.deepEqual(body.seededTables, SEEDED);
                assert.equal(await balanceOf(start.database, id), expected);
                assert.equal((await ledgerOf(start.database, id)).length, expected > 0 ? 1 : 0);
            });
        await withHost({ functions: ['initializeUserData'], database: start.database.url, env: { FREE_SIGNUP_CREDITS: '-5' } }, async (host) => {
            const id = await start.agent();
            assertRefused(await start.call('initializeUserData', id, undefined, { host }), 503, 'not_configured');
            assert.equal(await row('user_onboarding', id), undefined);
        });
    });

    it('a failure seeds nothing', options, async () => {
        const id = await start.agent();
        await start.database.rows(`ALTER TABLE business_plans ADD CONSTRAINT broken CHECK (user_id <> '${id}')`);
        assertRefused(await call(id), 500, 'internal_error');
        for (const table of SEEDED) assert.equal(await row(table, id), undefined, table);
        await start.database.rows('ALTER TABLE business_plans DROP CONSTRAINT broken');
        assert.deepEqual((await call(id)).body.seededTables, SEEDED);
    });
});

refusals(start, 'initializeUserData', { untouched: SEEDED });
