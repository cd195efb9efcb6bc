/* Columns that no client role may read or write, whatever the row: credentials, and what would raise one's own rank. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { admin, as, contract, database, DENIED, outcome, service, user } from './support.mjs';

let db;
before(async () => {
    db = await database();
    await db.owner.query("INSERT INTO public.profiles (id) VALUES ('user_a'), ('user_adm')");
    await db.owner.query("INSERT INTO public.user_roles (user_id, role) VALUES ('user_adm', 'admin')");
    await db.owner.query("INSERT INTO public.crm_connections (user_id, provider) VALUES ('user_a', 'lofty')");
    await db.owner.query("INSERT INTO public.external_service_connections (user_id, service_name) VALUES ('user_a', 'zoom')");
    await db.owner.query("INSERT INTO public.agent_config (user_id, agent_type) VALUES ('user_a', 'sales_agent')");
    await db.owner.query("INSERT INTO public.user_credits (user_id, credits_available) VALUES ('user_a', 5)");
});
after(() => db.drop());

const protectedColumns = {
    external_service_connections: { hidden: ['credentials'], fixed: ['credentials'] },
    crm_connections: { hidden: ['credentials'], fixed: ['credentials'] },
    agent_config: {
        hidden: [],
        fixed: ['settings', 'eleven_labs_agent_id', 'eleven_labs_phone_number_id', 'eleven_labs_voice_id',
            'twilio_phone_number', 'eleven_labs_twilio_number_id'],
    },
    profiles: { hidden: [], fixed: ['role', 'subscription_tier', 'subscription_status'] },
    referrals: { hidden: [], fixed: ['status', 'reward_granted', 'referred_user_id'] },
};
/* Nobody needs to move a referral to another referrer. */
const neverUpdated = { referrals: ['id', 'referrer_user_id', 'created_at'] };

test('column rights of the client roles are exactly the specified ones', async () => {
    const { rows } = await db.owner.query(`
        SELECT
            c.relname AS table, a.attname AS column,
            has_column_privilege('authenticated', c.oid, a.attnum, 'SELECT') AS may_select,
            has_column_privilege('authenticated', c.oid, a.attnum, 'INSERT') AS may_insert,
            has_column_privilege('authenticated', c.oid, a.attnum, 'UPDATE') AS may_update,
            has_column_privilege('anon', c.oid, a.attnum, 'SELECT') AS anon_may_select,
            has_column_privilege('anon', c.oid, a.attnum, 'INSERT, UPDATE') AS anon_may_write
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'public'::regnamespace
            AND c.relkind = 'r'`);
    for (const row of rows) {
        const readOnly = contract[row.table].class === 'R';
        const { hidden = [], fixed = [] } = protectedColumns[row.table] ?? {};
        const writable = !readOnly && !fixed.includes(row.column);
        assert.deepEqual(
            row,
            {
                table: row.table,
                column: row.column,
                may_select: !hidden.includes(row.column),
                may_insert: writable || row.table === 'ai_actions_log',
                may_update: writable && !(neverUpdated[row.table] ?? []).includes(row.column),
                anon_may_select: row.table === 'legal_documents',
                anon_may_write: false,
            },
            `${row.table}.${row.column}`,
        );
    }
});

test('an administrator has the grants of a user, no more and no less', async () => {
    const { rows } = await db.owner.query(`
        SELECT c.oid::regclass::text AS relation, a.attname AS column, p.privilege
        FROM pg_class AS c
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS p (privilege)
        WHERE c.relnamespace IN ('public'::regnamespace, 'edge'::regnamespace)
            AND c.relkind = 'r'
            AND has_column_privilege('edge_admin', c.oid, a.attnum, p.privilege)
                <> has_column_privilege('authenticated', c.oid, a.attnum, p.privilege)
        UNION ALL
        SELECT c.oid::regclass::text, NULL, p.privilege
        FROM pg_class AS c
        CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS p (privilege)
        WHERE c.relnamespace IN ('public'::regnamespace, 'edge'::regnamespace)
            AND c.relkind = 'r'
            AND has_table_privilege('edge_admin', c.oid, p.privilege)
                <> has_table_privilege('authenticated', c.oid, p.privilege)
        UNION ALL
        SELECT f.oid::regprocedure::text, NULL, 'EXECUTE'
        FROM pg_proc AS f
        WHERE f.pronamespace IN ('public'::regnamespace, 'edge'::regnamespace)
            AND has_function_privilege('edge_admin', f.oid, 'EXECUTE')
                <> has_function_privilege('authenticated', f.oid, 'EXECUTE')`);
    assert.deepEqual(rows, []);
    await as(db.owner, admin('user_adm'), async (query) => {
        assert.equal((await query('SELECT user_id FROM public.user_credits')).rowCount, 1);
        assert.equal((await query("UPDATE public.agent_config SET voice_id = 'v'")).rowCount, 1);
        assert.equal(await outcome(query, 'CREATE TEMPORARY TABLE staged (row text)'), 'ok');
        for (const text of [
            "UPDATE public.profiles SET role = 'admin'",
            'UPDATE public.user_credits SET credits_available = 1000',
            "UPDATE public.agent_config SET settings = '{}'",
            "SELECT grant_credits('user_adm', 1)",
            'SELECT name FROM edge.leases',
        ])
            assert.equal(await outcome(query, text), DENIED, text);
    });
});

test('credentials can be neither read nor planted, not even by an administrator', async () => {
    for (const who of [user('user_a'), admin('user_adm')])
        await as(db.owner, who, async (query) => {
            for (const table of ['crm_connections', 'external_service_connections']) {
                const key = table === 'crm_connections' ? 'provider' : 'service_name';
                for (const text of [
                    `SELECT credentials FROM public.${table}`,
                    `SELECT * FROM public.${table}`,
                    `SELECT to_jsonb(t) FROM public.${table} AS t`,
                    `SELECT count(*) FROM public.${table} WHERE credentials ? 'api_key'`,
                    `UPDATE public.${table} SET credentials = '{"api_key": "mine"}'`,
                    `UPDATE public.${table} SET connection_status = credentials::text`,
                    `UPDATE public.${table} SET connection_status = 'error' RETURNING credentials`,
                    `INSERT INTO public.${table} (user_id, ${key}, credentials) VALUES ('user_a', 'other', '{}')`,
                ])
                    assert.equal(await outcome(query, text), DENIED, text);
                const named = await query(`SELECT id, connection_status FROM public.${table}`);
                assert.equal(named.rowCount, 1);
            }
        });
    await as(db.owner, service, async (query) =>
        assert.equal((await query("UPDATE public.crm_connections SET credentials = '{}' RETURNING credentials")).rowCount, 1));
});

test('nobody raises his own rank, plan or balance', () =>
    as(db.owner, user('user_a'), async (query) => {
        for (const text of [
            "UPDATE public.profiles SET role = 'admin'",
            "UPDATE public.profiles SET subscription_tier = 'Owner'",
            "UPDATE public.profiles SET subscription_status = 'active'",
            "INSERT INTO public.profiles (id, subscription_tier) VALUES ('user_a', 'Owner')",
            "INSERT INTO public.user_roles (user_id, role) VALUES ('user_a', 'admin')",
            'UPDATE public.user_credits SET credits_available = 1000',
            "INSERT INTO public.credit_transactions (user_id, transaction_type, amount, balance_after) VALUES ('user_a', 'x', 1, 1)",
            "INSERT INTO public.user_agent_subscriptions (user_id, agent_type) VALUES ('user_a', 'core')",
            "SELECT spend_credits('user_a', 1)",
            "SELECT grant_credits('user_a', 1)",
            "SELECT edge.book_credits('user_a', 'add', 1, NULL, NULL, NULL, NULL)",
            "SELECT admin_set_user_role('user_a', 'admin')",
            "SELECT claim_jobs('me')",
            'SELECT purge_expired()',
            'SELECT * FROM edge.oauth_states',
        ])
            assert.equal(await outcome(query, text), DENIED, text);
    }));

test('a user cannot point an agent at another phone line', () =>
    as(db.owner, user('user_a'), async (query) => {
        for (const column of protectedColumns.agent_config.fixed.slice(0, 4)) {
            const value = column === 'settings' ? "'{}'" : "'line_x'";
            assert.equal(await outcome(query, `UPDATE public.agent_config SET ${column} = ${value}`), DENIED, column);
            assert.equal(
                await outcome(query, `INSERT INTO public.agent_config (user_id, agent_type, ${column}) VALUES ('user_a', 'x', ${value})`),
                DENIED,
                column,
            );
        }
        assert.equal(await outcome(query, "UPDATE public.agent_config SET voice_id = 'v'"), 'ok');
        assert.equal(await outcome(query, 'SELECT * FROM public.agent_config'), 'ok');
    }));

test('a referrer cannot grant himself the reward', () =>
    as(db.owner, user('user_a'), async (query) => {
        for (const [column, value] of [['status', "'completed'"], ['reward_granted', 'true'], ['referred_user_id', "'user_adm'"]])
            assert.equal(
                await outcome(
                    query,
                    `INSERT INTO public.referrals (referrer_user_id, referred_email, ${column}) VALUES ('user_a', 'x@example.com', ${value})`,
                ),
                DENIED,
                column,
            );
    }));
