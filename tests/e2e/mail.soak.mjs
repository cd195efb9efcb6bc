/*
 * The morning mail of ten thousand users: two hosts fire at the same second, a worker is killed in the middle, the other host goes
 * on. Each user has one mail, and memory stays that of its mails. Part of `scripts/check --full`.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { after, before, describe, it } from 'node:test';

import { post } from '../support/clients.mjs';
import { startDatabase } from '../support/data.mjs';
import { workers } from '../support/faults.mjs';
import { SERVICE_KEY, eventually, startHost } from '../support/host.mjs';
import { functions, quick } from '../support/mail.mjs';

const NAME = 'triggerDailyEmails';
const USERS = 10000;
const KILL_AT = 3000;
const MEMORY_LIMIT = 256 << 20; /* the function's own */
const options = { timeout: 900000 };

describe('the mail of ten thousand users', options, () => {
    let database, first, second, provider;
    const host = (more = {}) => startHost({
        functions: { [NAME]: { ...functions[NAME], timeout: '600s' } }, database: database.url, server: { workers: 1, log_level: 'info' },
        env: { ...quick, EMAIL_RUN_BUDGET_MS: '500000', ...more },
    });
    before(async () => {
        database = await startDatabase();
        /* Mails come in at a host of their own, which nobody kills. */
        provider = await host();
        [first, second] = await Promise.all([1, 2].map(() => host({ RESEND_BASE_URL: `${provider.url}/sandbox/resend` })));
        await database.rows(`INSERT INTO profiles (id, email, full_name) SELECT 'user_' || i, 'user_' || i || '@example.com', 'Person ' || i FROM generate_series(1, $1::int) AS i`, [USERS]);
        await database.rows(`INSERT INTO user_preferences (user_id) SELECT id FROM profiles`);
        await database.rows(`INSERT INTO daily_actions (user_id, title, category, due_date) SELECT p.id, 'Task ' || i, 'calls', '2026-03-10' FROM profiles AS p, generate_series(1, 8) AS i`);
        await database.rows(`INSERT INTO goals (user_id, title, goal_type, target_value, current_value) SELECT id, 'Deals', 'count', 12, 3 FROM profiles`);
        await database.rows('ANALYZE');
    }, options);
    after(async () => {
        await first?.stop({ crashes: true });
        await second?.stop({ crashes: true });
        await provider?.stop();
        await database?.stop();
    }, options);

    const run = (one) => post(one, NAME, { token: SERVICE_KEY, body: { now: '2026-03-10T11:30:00Z' } }).catch(() => null);
    const sent = () => database.count('email_delivery_logs', `metadata ->> 'status' = 'sent'`);

    /* How often each key came in. */
    async function keys() {
        const seen = new Map();
        const lines = readline.createInterface({ input: fs.createReadStream(path.join(provider.directory, 'sandbox', 'resend', 'requests.jsonl')) });
        for await (const line of lines) {
            const key = JSON.parse(line).headers?.['idempotency-key'];
            if (key) seen.set(key, (seen.get(key) ?? 0) + 1);
        }
        return seen;
    }

    it('each user once, whatever dies', options, async () => {
        const begun = Date.now();
        const runs = [run(first), run(second)];
        await eventually(async () => (await sent()) >= KILL_AT, 'a third of them', 300000);
        const racing = Promise.race(runs.map((one, i) => one.then((answer) => answer?.body.status === 'already_running' && i)));
        const busy = (await racing) === 0 ? second : first;
        process.kill(workers(busy)[0], 'SIGKILL');
        await Promise.all(runs);
        await database.rows(`UPDATE edge.leases SET expires_at = now() - interval '1 second'`);
        await database.rows(`UPDATE email_delivery_logs SET metadata = metadata || jsonb_build_object('claimedAt', now() - interval '16 minutes') WHERE metadata ->> 'status' = 'sending'`);

        const other = busy === first ? second : first;
        const { status, body } = await run(other);
        assert.deepEqual([status, body.status, body.considered, body.sent + body.alreadySent], [200, 'completed', USERS, USERS]);
        assert.ok(body.alreadySent >= KILL_AT);
        assert.equal(await sent(), USERS);
        const seen = await keys();
        assert.equal(seen.size, USERS);
        /* At most what was in flight was asked for again, under the same key, which Resend takes once. */
        assert.ok([...seen.values()].filter((count) => count > 1).length <= 4);

        const used = other.log.filter((line) => line.event === 'invocation' && line.function === NAME).map((line) => line.memoryBytes ?? 0);
        console.log(`${((Date.now() - begun) / 1000).toFixed(1)} s, ${(Math.max(...used) / 1048576).toFixed(1)} MiB for ${body.sent} mails`);
        assert.ok(Math.max(...used) < MEMORY_LIMIT);
    });
});
