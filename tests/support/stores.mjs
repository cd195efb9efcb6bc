/*
 * What the tests of the two stores' webhooks share: a delivery, and what a buyer has afterwards.
 */
import { post } from './clients.mjs';
import { GOHIGHLEVEL, shopifySignature } from './senders.mjs';

let deliveries = 0;

export class Store {
    constructor(suite, name) {
        this.suite = suite;
        this.name = name;
        this.provider = name === 'shopifyWebhook' ? 'shopify' : 'gohighlevel';
    }

    /* A delivery with these headers, signed as the store does; body an object, or text as it is. */
    send(body, headers = {}, host = this.suite.host) {
        const raw = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
        const auth =
            this.provider === 'shopify'
                ? { 'x-shopify-hmac-sha256': shopifySignature(raw), 'x-shopify-webhook-id': `wh_${++deliveries}` }
                : { 'x-webhook-secret': GOHIGHLEVEL.secret };
        return post(host, this.name, { raw, headers: { ...auth, ...headers } });
    }

    profile(id) {
        return this.suite.database.row('SELECT * FROM profiles WHERE id = $1', [id]);
    }

    subscription(id, agent = 'core') {
        return this.suite.database.row('SELECT * FROM user_agent_subscriptions WHERE user_id = $1 AND agent_type = $2', [id, agent]);
    }

    health() {
        return this.suite.database.row('SELECT * FROM integration_status WHERE service = $1', [this.provider]);
    }

    recorded() {
        return this.suite.database.count('edge.webhook_events', 'provider = $1', [this.provider]);
    }

    /* Everything that a delivery may change, to see that one has not. */
    async everything() {
        const tables = ['profiles', 'user_agent_subscriptions', 'user_onboarding', 'edge.webhook_events'];
        return Promise.all(tables.map((table) => this.suite.database.rows(`SELECT * FROM ${table} ORDER BY 1, 2`)));
    }
}
