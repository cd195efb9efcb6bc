/*
 * Clerk's deliveries: signed by the svix library itself, and the vector of the specification.
 */
import { Webhook } from 'svix';

import { post } from './clients.mjs';

/* spec events.md S3.1 */
export const VECTOR = {
    secret: 'whsec_cHVsc2UtZWRnZS1jbGVyay10ZXN0LWtleS0wMQ==',
    at: 1773144000,
    body: '{"type":"user.created","data":{"id":"user_vec","first_name":"Vera","last_name":"Example","email_addresses":[{"id":"idn_1","email_address":"vera@example.com"}],"primary_email_address_id":"idn_1"}}',
    headers: {
        'svix-id': 'msg_2pulseVector0001',
        'svix-timestamp': '1773144000',
        'svix-signature': 'v1,uaSKnQSHqhjrPWYGIT0j6HNWHdZc7oBlMpF/+Bn4KyQ=',
    },
};
/* For rotation: both are configured at once. */
export const SECOND_SECRET = 'whsec_c2Vjb25kLWtleS1mb3ItdGhlLXJvdGF0aW9uLXRlc3Q=';

let deliveries = 0;

/* An id that no delivery of this file has had. */
export const nextId = () => `msg_${++deliveries}`;

/* The headers of a delivery as Svix sends it. */
export function signed(body, { id = nextId(), at = Date.now(), secret = VECTOR.secret, family = 'svix' } = {}) {
    const time = new Date(at);
    return {
        [`${family}-id`]: id,
        [`${family}-timestamp`]: String(Math.floor(time / 1000)),
        [`${family}-signature`]: new Webhook(secret).sign(id, time, body),
    };
}

/* A user as Clerk describes it. */
export const user = (id, more = {}) => ({
    id,
    first_name: 'Ann',
    last_name: 'Example',
    image_url: 'https://img.example.com/a.png',
    primary_email_address_id: 'idn_1',
    email_addresses: [{ id: 'idn_1', email_address: `${id}@example.com` }],
    ...more,
});

/* Delivers to the suite's host: a body as it is with headers, or an event that is signed first. */
export class Sender {
    constructor(suite) {
        this.suite = suite;
    }

    send(body, headers, host = this.suite.host) {
        return post(host, 'clerkWebhook', { raw: body, headers });
    }

    deliver(event, more) {
        const body = JSON.stringify(event);
        return this.send(body, signed(body, more));
    }

    recorded(id) {
        return this.suite.database.count('edge.webhook_events', 'provider = $1 AND event_id = $2', ['clerk', id]);
    }
}
