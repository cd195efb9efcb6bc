/*
 * What most test files of functions need: a database and a host of their own, the sandbox's orders forgotten before each
 * test, and people to act as.
 */
import { after, before, beforeEach } from 'node:test';

import { post } from './clients.mjs';
import { startDatabase } from './data.mjs';
import { startHost } from './host.mjs';
import { Sandbox } from './sandbox.mjs';
import { mint } from './tokens.mjs';

/*
 * For every hook, suite and test: one that hangs fails instead of holding up the run. It is for all tests of a suite
 * together, on a slow machine and under sanitizers.
 */
export const options = { timeout: 150000 };

/*
 * Registers the hooks and returns an object that they fill: database, host, gateway (the AI gateway's stand-in).
 * hostOptions as startHost takes them, the database aside.
 */
export function suite(hostOptions) {
    let people = 0;
    const used = new Map();
    const suite = {
        functions: hostOptions.functions,
        /* A new person with a profile; its id. */
        async agent(values) {
            const id = `user_test_${++people}`;
            await suite.database.person(id, values);
            return id;
        },
        /* A new administrator; its id. */
        async admin(values) {
            const id = await suite.agent(values);
            await suite.database.rows(`INSERT INTO user_roles (user_id, role) VALUES ($1, 'admin')`, [id]);
            return id;
        },
        /* The stand-in of a provider; its orders and requests are forgotten before the next test. */
        provider(name) {
            /* The host may be there later. */
            const host = { get url() { return suite.host.url; } };
            if (!used.has(name)) used.set(name, new Sandbox(host, name));
            return used.get(name);
        },
        /* Calls a function as a user; answers as clients.mjs's post. */
        call: async (name, id, body, more = {}) =>
            post(more.host ?? suite.host, name, { token: await mint(id), body, ...more }),
    };
    before(async () => {
        suite.database = await startDatabase();
        suite.host = await startHost({ ...hostOptions, database: suite.database.url });
        suite.gateway = suite.provider('lovable_ai');
    }, options);
    beforeEach(() => Promise.all([...used.values()].map((provider) => provider.reset())), options);
    after(async () => {
        try {
            await suite.host?.stop();
        } finally {
            await suite.database?.stop();
        }
    }, options);
    return suite;
}

/* Of a host whose database cannot be reached. */
export const UNREACHABLE = {
    database: 'postgresql:///none?host=/nonexistent&user=edge_runtime',
    readyPath: '/_edge/live',
};

/* A host for one test beside the file's own; stopped when work has ended. */
export async function withHost(hostOptions, work) {
    const host = await startHost(hostOptions);
    try {
        return await work(host);
    } finally {
        await host.stop();
    }
}
