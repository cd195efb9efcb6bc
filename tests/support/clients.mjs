/*
 * The clients that call a host: supabase-js at its newest, functions-js 2.80.0 as in the product's lock file, and the
 * product's own bare client, which parses every answer as JSON before it looks at the status.
 */
import { createClient } from '@supabase/supabase-js';
import { FunctionsClient } from 'functions-js-2.80';
import WebSocket from 'ws';

import { anonKey } from './tokens.mjs';

/* Answers { status, body, headers } whatever the status. */
export async function post(host, name, { token, body, headers = {}, raw, method = 'POST' } = {}) {
    const answer = await fetch(`${host.url}/functions/v1/${name}`, {
        method,
        headers: {
            ...(body === undefined && raw === undefined ? {} : { 'content-type': 'application/json' }),
            ...(token ? { authorization: `Bearer ${token}` } : {}),
            ...headers,
        },
        body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
    });
    return { status: answer.status, body: await answer.json(), headers: answer.headers };
}

/* The product's client: anonymous key in apikey and Authorization, the bare session token in x-clerk-auth. */
export async function bareInvoke(host, name, token, body) {
    const answer = await fetch(`${host.url}/functions/v1/${name}`, {
        method: 'POST',
        headers: {
            'content-type': 'application/json',
            apikey: anonKey,
            authorization: `Bearer ${anonKey}`,
            ...(token ? { 'x-clerk-auth': token } : {}),
        },
        body: JSON.stringify(body ?? {}),
    });
    const data = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(data.error), { data, status: answer.status });
    return data;
}

/* supabase.functions of the newest supabase-js, for a signed-in user or for nobody. */
export function newestClient(host, token) {
    const supabase = createClient(host.url, anonKey, {
        ...(token ? { accessToken: async () => token } : {}),
        realtime: { transport: WebSocket },
    });
    return supabase.functions;
}

export function oldClient(host, token) {
    return new FunctionsClient(`${host.url}/functions/v1`, {
        headers: { apikey: anonKey, ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    });
}

/* Both, by name, for tests that every version has to pass. */
export const supabaseClients = { 'supabase-js (newest)': newestClient, 'functions-js 2.80.0': oldClient };
