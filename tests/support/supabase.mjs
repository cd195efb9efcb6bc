/*
 * Supabase's clients that call a host: supabase-js at its newest, and functions-js 2.80.0 as in the product's lock file.
 * Apart from clients.mjs because they take longer to load than many a file's tests take.
 */
import { createClient } from '@supabase/supabase-js';
import { FunctionsClient } from 'functions-js-2.80';
import WebSocket from 'ws';

import { anonKey } from './tokens.mjs';

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
