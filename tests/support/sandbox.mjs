/*
 * Telling a host's stand-ins for providers what to do, and asking what they were sent. lib/sandbox.h has the orders.
 */
import assert from 'node:assert/strict';

import { eventually } from './host.mjs';

export class Sandbox {
    constructor(host, provider) {
        this.host = host;
        this.provider = provider;
    }

    async #control(body) {
        const answer = await fetch(`${this.host.url}/sandbox/_control`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ provider: this.provider, ...body }),
        });
        assert.equal(answer.status, 200, await answer.text());
    }

    /* Forgets orders and requests. */
    reset() {
        return this.#control({ reset: true });
    }

    /* Orders for the next requests, after whatever is queued. */
    order(...answers) {
        return this.#control({ answers });
    }

    async requests() {
        const answer = await fetch(`${this.host.url}/sandbox/_requests?provider=${this.provider}`);
        assert.equal(answer.status, 200);
        return (await answer.json()).requests;
    }

    /* The bodies of the requests so far. */
    async bodies() {
        return (await this.requests()).map((request) => request.body);
    }

    /* Waits until some number of requests has come in. */
    arrived(count) {
        return eventually(async () => {
            const requests = await this.requests();
            return requests.length >= count && requests;
        }, `${count} requests at ${this.provider}`);
    }
}
