/* Who sees and changes whose rows: every table of every class, each command, each audience. */
import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import {
    admin, as, contract, database, DENIED, hasColumn, insertOf, noClaims, nobody, outcome, ownerColumn, sampleRow,
    service, tablesOf, user,
} from './support.mjs';

const people = ['user_a', 'user_b', 'user_adm'];
const a = user('user_a');
const adm = admin('user_adm');
let db;
let client;

before(async () => {
    db = await database();
    client = db.owner;
    for (const id of [...people, 'user_c', 'user_d'])
        await client.query('INSERT INTO public.profiles (id, email) VALUES ($1, $2)', [id, `${id}@example.com`]);
    await client.query("INSERT INTO public.user_roles (user_id, role) VALUES ('user_adm', 'admin')");
    for (const table of Object.keys(contract)) await fill(table);
});
after(() => db.drop());

/* One row for each person; of a catalogue one active and one inactive row. */
async function fill(table) {
    if (table === 'profiles' || table === 'user_roles') return;
    if (contract[table].class === 'C' || contract[table].class === 'A') {
        const activity = hasColumn(table, 'is_active') ? [true, false] : [undefined];
        for (const active of activity)
            await client.query(
                ...insertOf(table, sampleRow(table, table === 'agent_voices' ? 'user_adm' : null, active === undefined ? {} : { is_active: active })),
            );
        return;
    }
    for (const owner of ['user_a', 'user_b']) await client.query(...insertOf(table, sampleRow(table, owner)));
}

const ownersSeen = async (query, table) =>
    [...new Set((await query(`SELECT ${ownerColumn(table)} AS owner FROM public.${table}`)).rows.map((row) => row.owner))].sort();

const count = async (query, table) => Number((await query(`SELECT count(*) AS n FROM public.${table}`)).rows[0].n);

/* A column every client role may update, to prove that it is the row and not the column that is refused. */
const neutral = (table) => ['updated_at', 'created_at', 'last_checked', 'sent_at'].find((name) => hasColumn(table, name));
const touch = (table, owner) =>
    [`UPDATE public.${table} SET ${neutral(table)} = ${neutral(table)} WHERE ${ownerColumn(table)} = $1`, [owner]];
const remove = (table, owner) => [`DELETE FROM public.${table} WHERE ${ownerColumn(table)} = $1`, [owner]];
const affected = async (query, [text, values]) => (await query(text, values)).rowCount;

/* Role, claim and the row in user_roles together make an administrator; who lacks one of them is an ordinary user. */
const almost = {
    'the claim without the role edge_admin': { role: 'authenticated', claims: { sub: 'user_adm', edge_admin: true } },
    'the role edge_admin without the claim': { role: 'edge_admin', claims: { sub: 'user_adm' } },
    'role and claim without the row in user_roles': admin('user_a'),
    'role and claim of nobody': { role: 'edge_admin', claims: { edge_admin: true } },
};

/* Rows that a statement returns or changes, or the SQLSTATE that it fails with; undone. */
async function effect(query, text, values) {
    await query('SAVEPOINT effect');
    try {
        return (await query(text, values)).rowCount;
    } catch (error) {
        return error.code;
    } finally {
        await query('ROLLBACK TO SAVEPOINT effect');
    }
}

/* What somebody sees and can do, table by table. */
const reach = (who) =>
    as(client, who, async (query) => {
        const found = {};
        for (const table of Object.keys(contract))
            found[table] = [
                await effect(query, `SELECT id FROM public.${table}`),
                neutral(table) && (await effect(query, `UPDATE public.${table} SET ${neutral(table)} = ${neutral(table)}`)),
                await effect(query, `DELETE FROM public.${table}`),
                await effect(query, ...insertOf(table, sampleRow(table, 'user_b'))),
            ];
        return found;
    });

describe('who is not quite an administrator reaches what an ordinary user does', () => {
    for (const [name, who] of Object.entries(almost))
        test(name, async () => {
            const { sub } = who.claims;
            assert.deepEqual(await reach(who), await reach(sub ? user(sub) : noClaims));
        });
});

describe('class U: owned by a user', () => {
    for (const table of tablesOf('U')) {
        test(`${table}: a user reads, adds, changes and removes own rows only`, () =>
            as(client, a, async (query) => {
                assert.deepEqual(await ownersSeen(query, table), ['user_a']);
                assert.equal(await affected(query, touch(table, 'user_b')), 0);
                assert.equal(await affected(query, touch(table, 'user_a')), 1);
                assert.equal(await affected(query, remove(table, 'user_b')), 0);
                assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_b'))), DENIED);
                assert.equal(
                    await outcome(query, `UPDATE public.${table} SET user_id = 'user_b' WHERE user_id = 'user_a'`),
                    DENIED,
                );
                assert.equal(await affected(query, remove(table, 'user_a')), 1);
                assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_a'))), 'ok');
            }));

        test(`${table}: a row without an owner becomes the caller's`, () =>
            as(client, a, async (query) => {
                await query(...remove(table, 'user_a'));
                const { user_id: omitted, ...row } = sampleRow(table, 'user_a');
                const inserted = await query(...insertOf(table, row, 'RETURNING user_id'));
                assert.equal(inserted.rows[0].user_id, 'user_a');
            }));

        test(`${table}: an upsert never takes over somebody else's row`, async () => {
            const { rows } = await client.query(`SELECT id FROM public.${table} WHERE user_id = 'user_b'`);
            await as(client, a, async (query) => {
                await query(...remove(table, 'user_a'));
                const upsert = (row, target) =>
                    insertOf(table, row, `ON CONFLICT (${target}) DO UPDATE SET user_id = excluded.user_id`);
                assert.equal(await outcome(query, ...upsert(sampleRow(table, 'user_a', { id: rows[0].id }), 'id')), DENIED);
                assert.equal(await outcome(query, ...upsert(sampleRow(table, 'user_b', { id: rows[0].id }), 'id')), DENIED);
                const mine = sampleRow(table, 'user_a', { id: '00000000-0000-4000-8000-000000000001' });
                assert.equal(await outcome(query, ...upsert(mine, 'id')), 'ok');
                assert.equal(await outcome(query, ...upsert(mine, 'id')), 'ok');
            });
        });

        test(`${table}: visitors and sessions without claims get nothing`, async () => {
            await as(client, nobody, async (query) => {
                assert.equal(await outcome(query, `SELECT count(*) FROM public.${table}`), DENIED);
                assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_a'))), DENIED);
                assert.equal(await outcome(query, ...remove(table, 'user_a')), DENIED);
            });
            await as(client, noClaims, async (query) => {
                assert.equal(await count(query, table), 0);
                assert.equal(await affected(query, touch(table, 'user_a')), 0);
                assert.equal(await affected(query, remove(table, 'user_a')), 0);
                assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_a'))), DENIED);
            });
        });

        test(`${table}: an administrator sees own rows, in a raised session all of them`, async () => {
            await as(client, user('user_adm'), async (query) => {
                assert.deepEqual(await ownersSeen(query, table), []);
                assert.equal(await affected(query, remove(table, 'user_a')), 0);
            });
            await as(client, adm, async (query) => {
                assert.deepEqual(await ownersSeen(query, table), ['user_a', 'user_b']);
                assert.equal(await affected(query, touch(table, 'user_a')), 1);
                assert.equal(await affected(query, remove(table, 'user_a')), 1);
                assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_a'))), 'ok');
            });
        });

        test(`${table}: the service may do everything`, () => serviceDoes(table));
    }
});

async function serviceDoes(table) {
    await as(client, service, async (query) => {
        assert.ok((await ownersSeen(query, table)).length >= 2);
        if (neutral(table)) assert.ok((await affected(query, touch(table, 'user_b'))) >= 1);
        assert.ok((await affected(query, remove(table, 'user_b'))) >= 1);
        assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_b'))), 'ok');
    });
}

describe('class R: a user reads, the service writes', () => {
    for (const table of tablesOf('R')) {
        test(`${table}: a user reads own rows and writes none`, () =>
            as(client, a, async (query) => {
                assert.deepEqual(await ownersSeen(query, table), ['user_a']);
                assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_b'))), DENIED);
                if (table !== 'ai_actions_log')
                    assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_a'))), DENIED);
                if (neutral(table)) assert.equal(await outcome(query, ...touch(table, 'user_a')), DENIED);
                assert.equal(await outcome(query, ...remove(table, 'user_a')), DENIED);
            }));

        test(`${table}: visitors and sessions without claims get nothing`, async () => {
            await as(client, nobody, async (query) =>
                assert.equal(await outcome(query, `SELECT count(*) FROM public.${table}`), DENIED));
            await as(client, noClaims, async (query) => assert.equal(await count(query, table), 0));
        });

        test(`${table}: a raised administrator reads all and writes none`, async () => {
            await as(client, user('user_adm'), async (query) =>
                assert.deepEqual((await ownersSeen(query, table)).filter((owner) => owner !== 'user_adm'), []));
            await as(client, adm, async (query) => {
                const seen = await ownersSeen(query, table);
                assert.ok(seen.includes('user_a') && seen.includes('user_b'));
                assert.equal(await outcome(query, ...remove(table, 'user_a')), DENIED);
                assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_a'))), DENIED);
            });
        });

        test(`${table}: the service may do everything`, () => serviceDoes(table));
    }

    test('ai_actions_log: a user appends own rows', () =>
        as(client, a, async (query) => {
            const { user_id: omitted, ...row } = sampleRow('ai_actions_log', 'user_a');
            assert.equal((await query(...insertOf('ai_actions_log', row, 'RETURNING user_id'))).rows[0].user_id, 'user_a');
        }));

    test('email_delivery_logs: an administrator also sees mails without a user', async () => {
        await client.query("INSERT INTO public.email_delivery_logs (email_type) VALUES ('transactional')");
        await as(client, adm, async (query) => assert.equal(await count(query, 'email_delivery_logs'), 3));
        await as(client, a, async (query) => assert.equal(await count(query, 'email_delivery_logs'), 1));
    });
});

describe('class C: catalogue', () => {
    for (const table of tablesOf('C')) {
        const all = hasColumn(table, 'is_active') ? 2 : 1;
        test(`${table}: signed-in users read what is active and change nothing`, () =>
            as(client, a, async (query) => {
                assert.equal(await count(query, table), 1);
                assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_b'))), DENIED);
                assert.equal((await query(`UPDATE public.${table} SET updated_at = now()`)).rowCount, 0);
                assert.equal((await query(`DELETE FROM public.${table}`)).rowCount, 0);
            }));

        test(`${table}: visitors get nothing but legal texts, sessions without claims nothing`, async () => {
            await as(client, nobody, async (query) => {
                if (table === 'legal_documents') assert.equal(await count(query, table), 1);
                else assert.equal(await outcome(query, `SELECT count(*) FROM public.${table}`), DENIED);
                assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_a'))), DENIED);
            });
            await as(client, noClaims, async (query) => assert.equal(await count(query, table), 0));
        });

        test(`${table}: a raised administrator maintains all of it`, async () => {
            await as(client, user('user_adm'), async (query) => assert.equal(await count(query, table), 1));
            await as(client, adm, async (query) => {
                assert.equal(await count(query, table), all);
                assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_adm'))), 'ok');
                assert.equal((await query(`UPDATE public.${table} SET updated_at = now()`)).rowCount, all + 1);
                assert.equal((await query(`DELETE FROM public.${table}`)).rowCount, all + 1);
            });
        });

        test(`${table}: the service may do everything`, () =>
            as(client, service, async (query) => {
                assert.equal(await count(query, table), all);
                assert.equal(await outcome(query, ...insertOf(table, sampleRow(table, 'user_adm'))), 'ok');
                assert.equal((await query(`DELETE FROM public.${table}`)).rowCount, all + 1);
            }));
    }

    test('content_topics: own drafts are private until an administrator publishes them', async () => {
        const { user_id: omitted, ...row } = sampleRow('content_topics', 'user_a');
        await as(client, a, async (query) => {
            const draft = (await query(...insertOf('content_topics', row, 'RETURNING id, user_id'))).rows[0];
            assert.equal(draft.user_id, 'user_a');
            assert.equal((await query('UPDATE public.content_topics SET topic_name = $1 WHERE id = $2', ['x', draft.id])).rowCount, 1);
            assert.equal(await outcome(query, 'UPDATE public.content_topics SET is_public = true WHERE id = $1', [draft.id]), DENIED);
            assert.equal((await query('DELETE FROM public.content_topics WHERE id = $1', [draft.id])).rowCount, 0);
            const published = { ...sampleRow('content_topics', 'user_a'), is_public: true };
            assert.equal(await outcome(query, ...insertOf('content_topics', published)), DENIED);
            await query("SELECT set_config('request.jwt.claims', '{\"sub\": \"user_b\"}', true)");
            assert.equal((await query('SELECT id FROM public.content_topics WHERE id = $1', [draft.id])).rowCount, 0);
            await query('RESET ROLE');
            await query('UPDATE public.content_topics SET is_public = true WHERE id = $1', [draft.id]);
            await query('SET LOCAL ROLE authenticated');
            assert.equal((await query('SELECT id FROM public.content_topics WHERE id = $1', [draft.id])).rowCount, 1);
            await query("SELECT set_config('request.jwt.claims', '{\"sub\": \"user_a\"}', true)");
            assert.equal((await query('UPDATE public.content_topics SET topic_name = $1 WHERE id = $2', ['y', draft.id])).rowCount, 0);
        });
        await as(client, adm, async (query) => {
            const topic = (await query(...insertOf('content_topics', row, 'RETURNING user_id'))).rows[0];
            assert.equal(topic.user_id, null, "an administrator's topic is the platform's");
        });
    });

    test('agent_voices: owners change their own', async () => {
        await client.query(...insertOf('agent_voices', sampleRow('agent_voices', 'user_a')));
        try {
            await as(client, a, async (query) => {
                assert.equal((await query('UPDATE public.agent_voices SET is_default = true')).rowCount, 1);
                assert.equal(await outcome(query, "UPDATE public.agent_voices SET user_id = 'user_b' WHERE user_id = 'user_a'"), DENIED);
            });
        } finally {
            await client.query("DELETE FROM public.agent_voices WHERE user_id = 'user_a'");
        }
    });
});

describe('class A: administrators only', () => {
    for (const table of tablesOf('A'))
        test(`${table}: only raised administrators and the service`, async () => {
            for (const who of [a, user('user_adm'), noClaims])
                await as(client, who, async (query) => {
                    assert.equal(await count(query, table), 0);
                    assert.equal(await outcome(query, ...insertOf(table, sampleRow(table))), DENIED);
                    assert.equal((await query(`DELETE FROM public.${table}`)).rowCount, 0);
                });
            await as(client, nobody, async (query) =>
                assert.equal(await outcome(query, `SELECT count(*) FROM public.${table}`), DENIED));
            for (const who of [adm, service])
                await as(client, who, async (query) => {
                    assert.equal(await count(query, table), 1);
                    assert.equal(await outcome(query, ...insertOf(table, sampleRow(table))), 'ok');
                    assert.equal((await query(`DELETE FROM public.${table}`)).rowCount, 2);
                });
        });
});

describe('class P: special', () => {
    test('profiles: own row; administrators all', async () => {
        await as(client, a, async (query) => {
            assert.deepEqual(await ownersSeen(query, 'profiles'), ['user_a']);
            assert.equal((await query("UPDATE public.profiles SET full_name = 'Ann'")).rowCount, 1);
            assert.equal((await query('DELETE FROM public.profiles')).rowCount, 0);
            assert.equal(await outcome(query, "INSERT INTO public.profiles (id) VALUES ('user_x')"), DENIED);
            assert.equal(await outcome(query, "UPDATE public.profiles SET id = 'user_x'"), DENIED);
            const upsert = (id) =>
                `INSERT INTO public.profiles (id, full_name) VALUES ('${id}', 'Ann')
                 ON CONFLICT (id) DO UPDATE SET full_name = excluded.full_name`;
            assert.equal(await outcome(query, upsert('user_b')), DENIED);
            assert.equal(await outcome(query, upsert('user_a')), 'ok');
        });
        await as(client, user('user_new'), async (query) => {
            await query("INSERT INTO public.profiles (id, email) VALUES ('user_new', 'new@example.com')");
            const roles = await query('SELECT role FROM public.user_roles');
            assert.deepEqual(roles.rows, [{ role: 'user' }], 'the trigger adds the default role');
        });
        await as(client, adm, async (query) => {
            assert.equal((await ownersSeen(query, 'profiles')).length, 5);
            const added = await query("INSERT INTO public.profiles (id) VALUES ('zz_last') RETURNING id");
            assert.equal(added.rowCount, 1);
            assert.equal((await query("DELETE FROM public.profiles WHERE id = 'user_d'")).rowCount, 1);
        });
        await as(client, noClaims, async (query) => assert.equal(await count(query, 'profiles'), 0));
        await as(client, nobody, async (query) =>
            assert.equal(await outcome(query, 'SELECT id FROM public.profiles'), DENIED));
    });

    test('referrals: the referrer adds and reads, the referred person reads, nobody else', async () => {
        await client.query("UPDATE public.referrals SET referred_user_id = 'user_c' WHERE referrer_user_id = 'user_a'");
        await as(client, a, async (query) => {
            assert.deepEqual(await ownersSeen(query, 'referrals'), ['user_a']);
            const add = (owner) => [
                'INSERT INTO public.referrals (referrer_user_id, referred_email) VALUES ($1, $2)',
                [owner, 'friend@example.com'],
            ];
            assert.equal(await outcome(query, ...add('user_a')), 'ok');
            assert.equal(await outcome(query, ...add('user_b')), DENIED);
            assert.equal((await query("UPDATE public.referrals SET referred_email = 'x@example.com'")).rowCount, 0);
            assert.equal((await query('DELETE FROM public.referrals')).rowCount, 0);
        });
        await as(client, user('user_c'), async (query) => assert.deepEqual(await ownersSeen(query, 'referrals'), ['user_a']));
        await as(client, user('user_d'), async (query) => assert.deepEqual(await ownersSeen(query, 'referrals'), []));
        await as(client, adm, async (query) => {
            assert.deepEqual(await ownersSeen(query, 'referrals'), ['user_a', 'user_b']);
            assert.equal((await query('DELETE FROM public.referrals')).rowCount, 2);
        });
        await as(client, noClaims, async (query) => assert.equal(await count(query, 'referrals'), 0));
        await serviceDoes('referrals');
    });

    test('brand_color_palettes: active palettes of administrators and of the system profile are for everybody', async () => {
        await client.query("INSERT INTO public.profiles (id, email) VALUES ('sys_1', 'System@pulse.ai')");
        const add = (owner, active) =>
            client.query(...insertOf('brand_color_palettes', sampleRow('brand_color_palettes', owner, { is_active: active })));
        for (const owner of ['sys_1', 'user_adm', 'user_b']) {
            await add(owner, true);
            await add(owner, false);
        }
        await as(client, a, async (query) => {
            assert.deepEqual(await ownersSeen(query, 'brand_color_palettes'), ['sys_1', 'user_a', 'user_adm']);
            assert.equal(await count(query, 'brand_color_palettes'), 3);
            assert.equal((await query("UPDATE public.brand_color_palettes SET is_active = false WHERE user_id = 'sys_1'")).rowCount, 0);
        });
        await as(client, noClaims, async (query) => assert.equal(await count(query, 'brand_color_palettes'), 0));
    });
});
