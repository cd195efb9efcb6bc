/*
 * Readers of scheduled mails, runs that send them, and what has come in at Resend's stand-in.
 */
import { post } from './clients.mjs';
import { SERVICE_KEY } from './host.mjs';

export const TRIGGERS = ['triggerDailyEmails', 'triggerWeeklyEmails', 'triggerMarketUpdateEmails'];

/* Not by the clock: tests start runs themselves. */
export const functions = Object.fromEntries(TRIGGERS.map((name) => [name, { schedule: null }]));

/* As fast as Resend's stand-in takes them. */
export const quick = { RESEND_MAX_RPS: '100000', EMAIL_RETRY_BASE_MS: '1' };

export class Mails {
    constructor(suite, name) {
        this.suite = suite;
        this.name = name;
        this.resend = suite.provider('resend');
    }

    /* A run, answered as clients.mjs's post. */
    run(body = {}, host = this.suite.host, name = this.name) {
        return post(host, name, { token: SERVICE_KEY, body });
    }

    /* A person who wants all mails; preferences, profile: columns that are otherwise. */
    async reader(preferences = {}, profile = {}, id) {
        const user = id ?? (await this.suite.agent(profile));
        if (id) await this.suite.database.person(id, profile);
        const row = { user_id: user, timezone: 'America/New_York', ...preferences };
        const names = Object.keys(row);
        await this.suite.database.rows(
            `INSERT INTO user_preferences (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`, Object.values(row));
        return user;
    }

    log(user) {
        return this.suite.database.rows('SELECT id, email_type AS type, template_key AS template, sent_at, metadata FROM email_delivery_logs WHERE user_id = $1', [user]);
    }

    /* Nobody is left over from another test. */
    clear() {
        return this.suite.database.rows('DELETE FROM profiles; DELETE FROM email_templates; DELETE FROM edge.leases');
    }

    template(key, subject, body_html, body_text = null, is_active = true) {
        return this.suite.database.rows(
            `INSERT INTO email_templates (template_key, template_name, subject, body_html, body_text, category, is_active) VALUES ($1, $1, $2, $3, $4, 'scheduled', $5)`,
            [key, subject, body_html, body_text, is_active]);
    }

    /* The mails, as [address, subject]. */
    async subjects() {
        return (await this.resend.bodies()).map(({ to: [address], subject }) => [address, subject]).sort();
    }

    action(user, values) {
        const row = { user_id: user, title: 'Call', category: 'calls', due_date: '2026-03-10', ...values };
        const names = Object.keys(row);
        return this.suite.database.rows(
            `INSERT INTO daily_actions (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`, Object.values(row));
    }

    goal(user, values) {
        const row = { user_id: user, goal_type: 'count', ...values };
        const names = Object.keys(row);
        return this.suite.database.rows(`INSERT INTO goals (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`, Object.values(row));
    }

    score(user, date, overall_score) {
        return this.suite.database.rows('INSERT INTO pulse_scores (user_id, date, overall_score) VALUES ($1, $2, $3)', [user, date, overall_score]);
    }
}
