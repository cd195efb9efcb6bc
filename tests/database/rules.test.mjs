/* Rules that hold for every table, policy, function and role, whatever is added later. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { applyFiles, connect, contract, database, migrations } from './support.mjs';

let db;
before(async () => {
    db = await database();
});
after(() => db.drop());

const rows = async (text) => (await db.owner.query(text)).rows;

test('row security is enabled and forced on every table', async () => {
    const open = await rows(`
        SELECT relname
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
            AND relkind IN ('r', 'p')
            AND NOT (relrowsecurity AND relforcerowsecurity)`);
    assert.deepEqual(open, []);
});

test('policies: at least 161, one command each, named <table>_<command>_<audience>', async () => {
    const policies = await rows("SELECT * FROM pg_policies WHERE schemaname = 'public'");
    assert.ok(policies.length >= 161, `${policies.length} policies`);
    for (const policy of policies) {
        assert.notEqual(policy.cmd, 'ALL', policy.policyname);
        assert.match(policy.policyname, new RegExp(`^${policy.tablename}_${policy.cmd.toLowerCase()}_[a-z]+$`));
        assert.equal(policy.permissive, 'PERMISSIVE', policy.policyname);
    }
});

test('policies: administrators have a role of their own, so that no OR makes everybody pay for theirs', async () => {
    const policies = await rows("SELECT policyname, roles::text[], qual, with_check FROM pg_policies WHERE schemaname = 'public'");
    for (const { policyname, roles, qual, with_check: check } of policies) {
        const audience = policyname.split('_').at(-1);
        assert.deepEqual(roles, [{ admin: 'edge_admin', anon: 'anon' }[audience] ?? 'authenticated'], policyname);
        for (const condition of [qual, check].filter(Boolean))
            assert.equal(/edge\.is_admin\(\)/.test(condition), audience === 'admin', policyname);
    }
});

test('policies call functions as sub-selects only, so that they run once a query', async () => {
    for (const policy of await rows("SELECT policyname, concat_ws(' ', qual, with_check) AS text FROM pg_policies")) {
        const outside = policy.text.replace(/\( ?SELECT [^=<>]*? AS \w+\)/g, '');
        assert.doesNotMatch(outside, /edge\.|has_role/, policy.policyname);
    }
});

test('each class has its policies', async () => {
    const policies = await rows("SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public'");
    const classes = {
        U: ['select_own', 'insert_own', 'update_own', 'delete_own', 'select_admin', 'insert_admin', 'update_admin', 'delete_admin'],
        R: ['select_own', 'select_admin'],
        C: ['select_authenticated', 'select_admin', 'insert_admin', 'update_admin', 'delete_admin'],
        A: ['select_admin', 'insert_admin', 'update_admin', 'delete_admin'],
    };
    const extra = {
        brand_color_palettes: ['select_authenticated'],
        ai_actions_log: ['insert_own'],
        legal_documents: ['select_anon'],
        content_topics: ['select_own', 'insert_own', 'update_own'],
        agent_voices: ['update_own'],
        profiles: ['select_own', 'insert_own', 'update_own', 'select_admin', 'insert_admin', 'update_admin', 'delete_admin'],
        referrals: [
            'select_referrer', 'select_referred', 'insert_referrer',
            'select_admin', 'insert_admin', 'update_admin', 'delete_admin',
        ],
    };
    for (const [table, { class: kind }] of Object.entries(contract)) {
        const there = policies.filter((one) => one.tablename === table).map((one) => one.policyname);
        const wanted = [...(classes[kind] ?? []), ...(extra[table] ?? [])].map((suffix) => `${table}_${suffix}`);
        assert.deepEqual(there.sort(), wanted.sort(), table);
    }
});

test('functions: fixed name look-up, no right for PUBLIC', async () => {
    const functions = await rows(`
        SELECT
            p.oid::regprocedure::text AS name,
            p.prosqlbody IS NOT NULL OR 'search_path=""' = ANY (p.proconfig) AS names_are_fixed,
            EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0) AS public,
            p.prosecdef AND p.proowner <> 'service_role'::regrole AS definer_is_not_service
        FROM pg_proc AS p
        WHERE p.pronamespace IN ('public'::regnamespace, 'edge'::regnamespace)`);
    for (const one of functions) {
        assert.ok(one.names_are_fixed, one.name);
        assert.ok(!one.public, one.name);
        assert.ok(!one.definer_is_not_service, one.name);
    }
    const names = functions.map((one) => one.name.replace(/\(.*/, ''));
    for (const wanted of [
        'edge.user_id', 'edge.claims', 'edge.is_admin', 'has_role', 'admin_set_user_role', 'set_updated_at', 'set_user_id',
        'handle_new_profile', 'spend_credits', 'grant_credits', 'claim_jobs', 'notify_change', 'purge_expired',
    ])
        assert.ok(names.includes(wanted), wanted);
});

test('only the service may book credits, claim jobs and purge', async () => {
    const allowed = await rows(`
        SELECT p.proname AS name, r.rolname AS role
        FROM pg_proc AS p
        CROSS JOIN (VALUES ('anon'), ('authenticated'), ('edge_admin'), ('edge_runtime')) AS r (rolname)
        WHERE p.proname IN ('spend_credits', 'grant_credits', 'book_credits', 'claim_jobs', 'purge_expired')
            AND has_function_privilege(r.rolname, p.oid, 'EXECUTE')`);
    assert.deepEqual(allowed, []);
});

test('set_updated_at is on every table that has the column, before update only', async () => {
    const live = await rows(`
        SELECT tgrelid::regclass::text AS table
        FROM pg_trigger
        WHERE tgfoid = 'set_updated_at()'::regprocedure
            AND pg_get_triggerdef(oid) LIKE '%BEFORE UPDATE ON %'
        ORDER BY 1`);
    const wanted = Object.keys(contract).filter((table) =>
        contract[table].columns.some((column) => column.name === 'updated_at'));
    assert.deepEqual(live.map((one) => one.table), wanted.sort());
});

test('no client role has a right on a table of schema edge', async () => {
    const rights = await rows(`
        SELECT t.tablename, r.rolname
        FROM pg_tables AS t
        CROSS JOIN (VALUES ('anon'), ('authenticated'), ('edge_admin'), ('edge_runtime')) AS r (rolname)
        WHERE t.schemaname = 'edge'
            AND has_table_privilege(r.rolname, 'edge.' || t.tablename, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')`);
    assert.deepEqual(rights, []);
});

test('roles: the service bypasses row security, the login owns nothing and inherits nothing', async () => {
    const roles = await rows(`
        SELECT rolname, rolcanlogin, rolinherit, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb
        FROM pg_roles
        WHERE rolname IN ('anon', 'authenticated', 'edge_admin', 'service_role', 'edge_runtime')
        ORDER BY 1`);
    const none = { rolsuper: false, rolcreaterole: false, rolcreatedb: false, rolinherit: false };
    assert.deepEqual(roles, [
        { rolname: 'anon', rolcanlogin: false, rolbypassrls: false, ...none },
        { rolname: 'authenticated', rolcanlogin: false, rolbypassrls: false, ...none },
        { rolname: 'edge_admin', rolcanlogin: false, rolbypassrls: false, ...none, rolinherit: true },
        { rolname: 'edge_runtime', rolcanlogin: true, rolbypassrls: false, ...none },
        { rolname: 'service_role', rolcanlogin: false, rolbypassrls: true, ...none },
    ]);
    const owned = await rows(`
        SELECT classid::regclass, objid
        FROM pg_shdepend
        WHERE refobjid IN ('edge_runtime'::regrole, 'edge_admin'::regrole)
            AND deptype = 'o'`);
    assert.deepEqual(owned, []);
});

test('roles: who may become whom', async () => {
    const members = await rows(`
        SELECT member::regrole::text AS member, array_agg(roleid::regrole::text ORDER BY roleid::regrole::text) AS roles
        FROM pg_auth_members
        WHERE member::regrole::text IN ('anon', 'authenticated', 'edge_admin', 'service_role', 'edge_runtime')
        GROUP BY member
        ORDER BY 1`);
    assert.deepEqual(members, [
        { member: 'edge_admin', roles: ['authenticated'] },
        { member: 'edge_runtime', roles: ['anon', 'authenticated', 'edge_admin', 'service_role'] },
    ]);
    const session = await db.connect();
    for (const role of ['anon', 'authenticated']) {
        await session.query(`SET SESSION AUTHORIZATION ${role}`);
        for (const other of ['edge_admin', 'service_role', 'edge_runtime'])
            await assert.rejects(session.query(`SET ROLE ${other}`), { code: '42501' }, `${role} became ${other}`);
        await session.query('RESET SESSION AUTHORIZATION');
    }
    for (const role of ['anon', 'authenticated', 'edge_admin', 'service_role'])
        await assert.rejects(connect(db.name, role), { code: '28000' }, `${role} logged in`);
});

test('the login can do nothing before SET ROLE, and everything a request needs after it', async () => {
    const login = await db.connect('edge_runtime');
    await assert.rejects(login.query('SELECT id FROM public.profiles'), { code: '42501' });
    await assert.rejects(login.query('SELECT name FROM edge.leases'), { code: '42501' });
    await assert.rejects(login.query("SELECT has_role('x', 'admin')"), { code: '42501' });
    await assert.rejects(login.query('CREATE TABLE public.mine (id integer)'), { code: '42501' });
    for (const role of ['anon', 'authenticated', 'edge_admin', 'service_role']) {
        await login.query(`SET ROLE ${role}`);
        await login.query('RESET ROLE');
    }
    await assert.rejects(login.query('SET ROLE postgres'), { code: '42501' });
    await login.query('SET ROLE service_role');
    assert.equal((await login.query('SELECT id FROM public.profiles')).rowCount, 0);
});

test('databases migrated at the same moment share the cluster', async () => {
    const admin = await connect('postgres');
    const names = [1, 2, 3].map((number) => `edge_test_${process.pid}_parallel_${number}`);
    for (const name of names) await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`);
    try {
        await Promise.all(
            names.map(async (name) => {
                const client = await connect(name);
                try {
                    await applyFiles(client, migrations, true);
                } finally {
                    await client.end();
                }
            }),
        );
    } finally {
        for (const name of names) await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
        await admin.end();
    }
});
