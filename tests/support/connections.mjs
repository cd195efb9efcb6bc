/*
 * Connections in a test's database: sealed credentials as functions seal them (spec oauth.md S6), rows of both tables,
 * flows under way.
 */
import crypto from 'node:crypto';

import { ENCRYPTION_KEY } from './host.mjs';

const kid = (key) => crypto.createHash('sha256').update(Buffer.from(key, 'base64')).digest('hex').slice(0, 8);
const CRM = ['lofty', 'follow_up_boss', 'followupboss', 'skyslope'];
const isCrm = (service) => CRM.includes(service);
const table = (service) => (isCrm(service) ? 'crm_connections' : 'external_service_connections');
const aad = (user, service) => Buffer.from(`pulse-edge:v1:${table(service)}:${user}:${service}`);

/* The envelope of an object for a user's row. */
export function seal(user, service, values, key = ENCRYPTION_KEY) {
    const iv = crypto.randomBytes(12);
    const cipher = crypto.createCipheriv('aes-256-gcm', Buffer.from(key, 'base64'), iv);
    cipher.setAAD(aad(user, service));
    const ct = Buffer.concat([cipher.update(JSON.stringify(values)), cipher.final()]);
    const base64 = (bytes) => bytes.toString('base64');
    return { v: 1, alg: 'A256GCM', kid: kid(key), iv: base64(iv), ct: base64(ct), tag: base64(cipher.getAuthTag()) };
}

/* What an envelope holds; throws when it is none, of another row, or changed. */
export function unseal(user, service, envelope, key = ENCRYPTION_KEY) {
    if (envelope?.kid !== kid(key)) throw new Error(`No envelope of this key: ${JSON.stringify(envelope)}`);
    const decipher = crypto.createDecipheriv('aes-256-gcm', Buffer.from(key, 'base64'), Buffer.from(envelope.iv, 'base64'));
    decipher.setAAD(aad(user, service));
    decipher.setAuthTag(Buffer.from(envelope.tag, 'base64'));
    return JSON.parse(Buffer.concat([decipher.update(Buffer.from(envelope.ct, 'base64')), decipher.final()]));
}

export const epoch = () => Math.floor(Date.now() / 1000);

/* Credentials of an OAuth service whose token lives for some seconds. */
export const tokens = (seconds, more = {}) => ({
    access_token: 'at-stored',
    refresh_token: 'rt-stored',
    token_type: 'Bearer',
    expires_at: epoch() + seconds,
    refresh_expires_at: null,
    obtained_at: epoch() - 7200,
    scope: '',
    provider_account_id: null,
    ...more,
});

export class Connections {
    constructor(suite) {
        this.suite = suite;
    }

    /* A row; credentials are sealed unless they are plain (a legacy row) or an envelope already. */
    async add(user, service, { status = 'connected', credentials = {}, settings = {}, plain = false } = {}) {
        const name = isCrm(service) ? 'provider' : 'service_name';
        const column = isCrm(service) ? 'sync_settings' : 'settings';
        const stored = plain || credentials.alg || Object.keys(credentials).length === 0 ? credentials : seal(user, service, credentials);
        const { id } = await this.suite.database.row(
            `INSERT INTO ${table(service)} (user_id, ${name}, connection_status, credentials, ${column}) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
            [user, service, status, stored, settings]);
        return id;
    }

    row(user, service) {
        const name = isCrm(service) ? 'provider' : 'service_name';
        return this.suite.database.row(`SELECT * FROM ${table(service)} WHERE user_id = $1 AND ${name} = $2`, [user, service]);
    }

    /* What the row's envelope holds. */
    async opened(user, service) {
        return unseal(user, service, (await this.row(user, service)).credentials);
    }

    states(user) {
        return this.suite.database.rows('SELECT * FROM edge.oauth_states WHERE user_id = $1 ORDER BY created_at', [user]);
    }

    /* A flow under way: its state. age in seconds. */
    async state(user, service, { state = crypto.randomBytes(32).toString('base64url'), verifier = null, slug = service, age = 0, redirect } = {}) {
        await this.suite.database.rows(
            `INSERT INTO edge.oauth_states (state, user_id, service_name, code_verifier, redirect_uri, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, now() - make_interval(secs => $6), now() + interval '10 minutes' - make_interval(secs => $6))`,
            [state, user, service, verifier, redirect ?? `https://pulse.pwru.app/auth/callback/${slug}`, age]);
        return state;
    }
}

/* Follows an authorization URL to its page and answers it; the query that the redirect carries. */
export async function consent(authUrl, { answer = 'allow', ...more } = {}) {
    const page = await fetch(authUrl);
    const html = await page.text();
    if (page.status !== 200 || !html.includes('consent=allow')) throw new Error(`No consent page: ${page.status} ${html}`);
    const extra = new URLSearchParams({ consent: answer, ...more });
    const redirect = await fetch(`${authUrl}&${extra}`, { redirect: 'manual' });
    if (redirect.status !== 302) throw new Error(`No redirect: ${redirect.status} ${await redirect.text()}`);
    const location = new URL(redirect.headers.get('location'));
    return { to: `${location.origin}${location.pathname}`, ...Object.fromEntries(location.searchParams) };
}
