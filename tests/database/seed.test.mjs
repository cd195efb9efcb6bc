/* The seed: loads twice without change, is consistent, and leaves no table empty. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { admin, applyFiles, as, contract, database, seeds, user } from './support.mjs';

let db;
before(async () => {
    db = await database();
    await applyFiles(db.owner, seeds);
});
after(() => db.drop());

const rows = async (text, values) => (await db.owner.query(text, values)).rows;

async function contents() {
    const all = {};
    for (const table of Object.keys(contract)) {
        const [row] = await rows(`SELECT count(*)::integer AS n, md5(string_agg(t::text, '' ORDER BY t::text)) AS hash FROM public.${table} AS t`);
        all[table] = row;
    }
    return all;
}

test('every table has rows', async () => {
    for (const [table, { n }] of Object.entries(await contents())) assert.ok(n > 0, table);
});

test('loading it again changes nothing', async () => {
    const first = await contents();
    await applyFiles(db.owner, seeds);
    assert.deepEqual(await contents(), first);
});

test("everybody's ledger sums to the balance", async () => {
    const wrong = await rows(`
        SELECT c.user_id
        FROM public.user_credits AS c
        JOIN LATERAL (
            SELECT sum(amount) AS total, (array_agg(balance_after ORDER BY created_at DESC))[1] AS newest
            FROM public.credit_transactions AS t
            WHERE t.user_id = c.user_id
        ) AS l ON true
        WHERE l.total <> c.credits_available
            OR l.newest <> c.credits_available`);
    assert.deepEqual(wrong, []);
});

test('the demo agent finds something everywhere', () =>
    as(db.owner, user('user_demo'), async (query) => {
        const skipped = ['referrals', 'system_errors', 'integration_status'];
        for (const table of Object.keys(contract)) {
            if (skipped.includes(table)) continue;
            assert.ok(Number((await query(`SELECT count(*) AS n FROM public.${table}`)).rows[0].n) > 0, table);
        }
        const { rows: [plan] } = await query(`
            SELECT
                count(*) FILTER (WHERE due_date < current_date - 35)::integer AS old,
                count(*) FILTER (WHERE due_date = current_date)::integer AS today,
                count(*) FILTER (WHERE due_date > current_date)::integer AS ahead
            FROM public.daily_actions`);
        assert.ok(plan.old > 0 && plan.today > 0 && plan.ahead > 0);
    }));

test('user_admin is an administrator, user_demo a Subscriber, the system profile exists', async () => {
    await as(db.owner, admin('user_admin'), async (query) =>
        assert.ok((await query('SELECT id FROM public.profiles')).rowCount > 5));
    const [demo] = await rows("SELECT subscription_tier AS tier FROM public.profiles WHERE id = 'user_demo'");
    assert.equal(demo.tier, 'Subscriber');
    assert.equal((await rows("SELECT FROM public.profiles WHERE email = 'system@pulse.ai'")).length, 1);
});

test('addresses and numbers are invented', async () => {
    const people = await rows(`
        SELECT email, phone FROM public.profiles WHERE id <> 'system'
        UNION ALL
        SELECT email, phone FROM public.contacts
        UNION ALL
        SELECT NULL, phone_number FROM public.call_logs`);
    for (const { email, phone } of people) {
        if (email) assert.match(email, /@example\.com$/);
        /* 555-0100 to 555-0199 are set aside for fiction. */
        if (phone) assert.match(phone, /^\+1\d{3}55501\d\d$/);
    }
});
