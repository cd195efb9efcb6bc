/*
 * Meta's side of a callback, as orders for its stand-in.
 */
import crypto from 'node:crypto';

import { credential } from './providers.mjs';

export const SHORT = { status: 200, body: { access_token: 'short-SECRET', token_type: 'bearer', expires_in: 5183 } };
export const LONG = { status: 200, body: { access_token: 'long-SECRET', token_type: 'bearer', expires_in: 5183944 } };

export const GRANTED = ['pages_show_list', 'pages_manage_posts', 'pages_read_engagement'];

/* The person of the specification's first example. */
export const ME = {
    id: '55',
    name: 'Ann',
    permissions: {
        data: [...GRANTED.map((permission) => ({ permission, status: 'granted' })), { permission: 'read_insights', status: 'declined' }],
    },
    accounts: {
        data: [
            { id: '900', name: 'Team', tasks: ['ANALYZE'], access_token: 'P900-SECRET' },
            { id: '901', name: 'Ann Realty', tasks: ['CREATE_CONTENT', 'ANALYZE'], access_token: 'P901-SECRET' },
        ],
    },
};

/* appsecret_proof of a token (https://developers.facebook.com/docs/graph-api/guides/secure-requests). */
export const proof = (token) => crypto.createHmac('sha256', credential('META_APP_SECRET')).update(token).digest('hex');

const error = (code) => ({ error: { message: 'words-SECRET', type: 'OAuthException', code, fbtrace_id: 'x' } });

/* What Meta says of a code beside what everybody does. */
export const FAILURES = [
    ['a used code', { status: 400, body: error(100) }, 422, 'code_rejected'],
    ['a bad app id', { status: 400, body: error(101) }, 502, 'provider_error'],
];

/* Finishes a flow with this person at Meta. */
export async function connectMeta(callback, flow, me = ME, more = {}) {
    await callback.tokens.order(SHORT, LONG, { status: 200, body: me });
    return callback.finish(flow, more);
}
