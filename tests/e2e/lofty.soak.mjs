/*
 * A hundred thousand contacts from Lofty's stand-in, 25 a page as the real one may send them, streamed; the worker is
 * killed twice in the middle. None is lost, none is there twice, and memory stays that of a page. Part of
 * `scripts/check --full`.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { connect, connectionOf } from '../support/crm.mjs';
import { startDatabase } from '../support/data.mjs';
import { workers } from '../support/faults.mjs';
import { eventually, sleep, startHost } from '../support/host.mjs';
import { mint } from '../support/tokens.mjs';

const CONTACTS = 100000;
const KILLS_AT = [30000, 70000];
const MEMORY_LIMIT = 64 << 20; /* the function's own */
const RESIDENT_LIMIT = 200 << 20;
const options = { timeout: 900000 };

describe('loftySync: a hundred thousand contacts', options, () => {
    const world = { rows: async (...query) => world.database.rows(...query) };
    const user = 'user_soak';
    before(async () => {
        world.database = await startDatabase();
        world.host = await startHost({ functions: ['loftySync'], database: world.database.url, server: { workers: 1, log_level: 'info' } });
        await world.database.person(user);
        await connect(world, user, 'lofty', { api_key: `lk-leads-${CONTACTS}-page-25` });
    }, options);
    after(async () => {
        await world.host?.stop({ crashes: true });
        await world.database?.stop();
    }, options);

    const count = () => world.database.count('contacts', 'user_id = $1', [user]);

    /* One streamed run; hands each event over as it comes. */
    async function run(onEvent) {
        const answer = await fetch(`${world.host.url}/functions/v1/loftySync`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${await mint(user)}` },
            body: '{}',
        });
        assert.equal(answer.status, 200);
        let text = '', last;
        try {
            for await (const piece of answer.body) {
                text += Buffer.from(piece).toString();
                for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
                    const block = text.slice(0, end);
                    if (!block.includes('event:')) continue;
                    last = { event: /^event: ?(.*)$/m.exec(block)[1], data: JSON.parse(/^data: ?(.*)$/m.exec(block)[1]) };
                    onEvent(last);
                }
            }
        } catch {
            return { event: 'broken' };
        }
        return last;
    }

    it('all of them, once each, whatever dies', options, async () => {
        let resident = 0, fetched = 0, created = 0;
        const kills = [...KILLS_AT];
        for (;;) {
            const [pid] = await eventually(() => workers(world.host), 'a worker');
            let seen = 0;
            const last = await run(({ event, data }) => {
                if (event !== 'progress') return;
                assert.ok(data.fetched > fetched - 25, 'it goes on where it was');
                fetched = data.fetched;
                if (++seen % 100 === 0)
                    resident = Math.max(resident, Number(/RssAnon:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024);
                if (kills.length > 0 && fetched >= kills[0]) {
                    kills.shift();
                    process.kill(pid, 'SIGKILL');
                }
            });
            const stored = await count();
            if (last?.event === 'done') {
                created = last.data.created;
                if (last.data.complete) break;
            } else {
                const { sync } = (await connectionOf(world, user)).sync_settings;
                assert.equal(sync.contacts.cursor.fetched, stored, 'pages and cursor are one transaction');
                await world.rows(
                    `UPDATE crm_connections SET sync_settings = jsonb_set(sync_settings, '{sync,lease,expires_at}', to_jsonb(now() - interval '1 second'))`);
                await eventually(async () => workers(world.host).some((other) => other !== pid), 'another worker');
                await sleep(1000);
            }
        }
        assert.equal(kills.length, 0);
        assert.ok(created < CONTACTS);
        assert.equal(await count(), CONTACTS);
        assert.equal(Number((await world.rows('SELECT count(DISTINCT external_id) AS n FROM contacts WHERE user_id = $1', [user]))[0].n), CONTACTS);
        const used = world.host.log.filter((line) => line.event === 'invocation' && line.function === 'loftySync').map((line) => line.memoryBytes);
        console.log(`resident at most ${resident >> 20} MiB, invocations ${used.map((bytes) => (bytes / 1048576).toFixed(1)).join(', ')} MiB`);
        assert.ok(Math.max(...used) < MEMORY_LIMIT);
        assert.ok(resident < RESIDENT_LIMIT, `${resident >> 20} MiB`);
    });
});
