/*
 * The mails in a browser: what people wrote stands there as they wrote it, nothing of it runs, and nothing is wider than a phone.
 * With a Chromium only (in the PATH, or CHROMIUM says where). MAIL_PICTURES=<directory> keeps pictures to be looked at.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { before, describe, it } from 'node:test';

import { post } from '../../support/clients.mjs';
import { SERVICE_KEY } from '../../support/host.mjs';
import { Mails, TRIGGERS, functions, quick } from '../../support/mail.mjs';
import { options, suite } from '../../support/suite.mjs';

function find() {
    for (const name of [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'].filter(Boolean))
        try {
            execFileSync(name, ['--version'], { stdio: 'ignore' });
            return name;
        } catch {
            /* The next one. */
        }
    return null;
}

const chromium = find();
const EVIL = `<img src=x onerror="document.title='ran'"> & "quotes" <script>document.title='ran'</script>`;
const LONG = 'word'.repeat(60);
const s = chromium && suite({ functions: { ...functions, sendEmail: {} }, env: { ...quick, EMAIL_POSTAL_ADDRESS: '1 Main Street\nAustin, TX 78701' } });
const mails = chromium && new Mails(s);
const directory = process.env.MAIL_PICTURES ?? fs.mkdtempSync(path.join(os.tmpdir(), 'edge-mail-'));

async function browse(file, more) {
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-chromium-'));
    try {
        const settings = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--disable-dev-shm-usage', `--user-data-dir=${profile}`];
        return (await promisify(execFile)(chromium, [...settings, ...more, `file://${file}`], { timeout: 50000, maxBuffer: 16 << 20 })).stdout;
    } finally {
        fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    }
}

/* What a reader sees: the text, whether anything ran, how wide it is. Images are not there for it. */
async function look(name, html) {
    const file = path.join(directory, `${name}.html`);
    const report = `<script>document.documentElement.dataset.report = JSON.stringify({ title: document.title, text: document.body.innerText,
        over: document.documentElement.scrollWidth - document.documentElement.clientWidth, active: document.querySelectorAll('img, script:not(:last-of-type), iframe, form').length })</script>`;
    fs.writeFileSync(file, html + report);
    const dom = await browse(file, ['--window-size=500,900', '--dump-dom']);
    if (process.env.MAIL_PICTURES) await browse(file, ['--window-size=700,1100', `--screenshot=${path.join(directory, `${name}.png`)}`]);
    const attribute = /data-report="([^"]*)"/.exec(dom)[1];
    return JSON.parse(attribute.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&nbsp;', '\u00a0').replaceAll('&amp;', '&'));
}

describe('mails in a browser', { ...options, skip: chromium === null && 'there is no Chromium' }, () => {
    const html = {};
    before(async () => {
        const user = await mails.reader({}, { full_name: 'Ann Lee', email: 'ann@example.com' });
        await s.database.rows(`INSERT INTO market_config (user_id, market_name, state, city, average_price, median_dom, inventory_level) VALUES ($1, $2, 'TX', 'Austin', 425000, 31, 'balanced')`, [user, `Austin ${EVIL}`]);
        for (const [title, scheduled_time] of [['Call five past clients', '09:00'], [EVIL, '10:30'], [LONG, null]]) await mails.action(user, { title, scheduled_time });
        await mails.action(user, { title: 'old', due_date: '2026-03-01' });
        await mails.goal(user, { title: `Close ${EVIL}`, target_value: 20, current_value: 7 });
        await mails.goal(user, { title: 'Thirty listings' });
        for (const [date, score] of [['2026-03-02', 60], ['2026-03-08', 66], ['2026-03-10', 74]]) await mails.score(user, date, score);
        for (const name of TRIGGERS) {
            const now = { triggerWeeklyEmails: '2026-03-09T13:00:00Z', triggerMarketUpdateEmails: '2026-03-12T14:00:00Z' }[name] ?? '2026-03-10T11:30:00Z';
            assert.equal((await mails.run({ now }, s.host, name)).body.sent, 1, name);
        }
        const body = { to: 'ann@example.com', subject: 'Hello', body: `First line\n${EVIL}\n\n${LONG}` };
        assert.equal((await post(s.host, 'sendEmail', { token: SERVICE_KEY, body })).status, 200);
        const all = await mails.resend.bodies();
        [...TRIGGERS, 'sendEmail'].forEach((name, i) => (html[name] = all[i].html));
    }, options);

    for (const [name, ...lines] of [
        ['triggerDailyEmails', 'Hi Ann,', '74, trend: up', '• 9:00 AM – Call five past clients (calls)', `• 10:30 AM – ${EVIL} (calls)`, `• ${LONG} (calls)`, '1 action is overdue.', `Close ${EVIL}: 35% complete`, 'Thirty listings', "Open today's plan", '1 Main Street'],
        ['triggerWeeklyEmails', 'Hi Ann,', '66, trend: up', '0 actions completed', `Close ${EVIL}: 35% complete`, 'Open your dashboard'],
        ['triggerMarketUpdateEmails', `Austin ${EVIL} in figures`, 'Median price: $425,000', 'Homes for sale: balanced', 'Days on market: 31', 'Open your market'],
        ['sendEmail', 'First line', EVIL, LONG],
    ])
        it(name, options, async () => {
            const { title, text, over, active } = await look(name, html[name]);
            const shown = text.split('\n').map((line) => line.trim());
            for (const line of lines) assert.ok(shown.includes(line), `${line}\nis not in\n${text}`);
            assert.notEqual(title, 'ran');
            assert.equal(active, 0);
            if (name !== 'sendEmail') assert.ok(over <= 0, `${over} pixels too wide`);
        });
});
