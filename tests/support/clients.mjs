/*
 * Calls to a host: as tests make them, and by the product's own bare client, which parses every answer as JSON before it
 * looks at the status. Other people's clients are in supabase.mjs.
 */
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
