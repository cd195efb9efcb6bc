/*
 * Session tokens as Clerk mints them, under a key made for this test run. Test hosts have the sandbox, which runs beside
 * a development issuer only, so that issuer is who signs here.
 */
import * as jose from 'jose';

export const ISSUER = 'https://dev.pulse-edge.localhost';
const SESSION_CATEGORY = 'cl_B7d4PD111AAA';

const { privateKey } = await jose.generateKeyPair('RS256', { extractable: true });

/* PEM for EDGE_DEVELOPMENT_KEY. */
export const privatePem = await jose.exportPKCS8(privateKey);

/* A token for a user; claims and header members override, null removes. */
export async function mint(sub, { claims = {}, header = {}, key = privateKey } = {}) {
    const now = Math.floor(Date.now() / 1000);
    const payload = { sub, sid: `sess_${sub}`, iss: ISSUER, iat: now, nbf: now, exp: now + 300, ...claims };
    for (const [name, value] of Object.entries(payload)) if (value === null) delete payload[name];
    return new jose.SignJWT(payload)
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'test', cat: SESSION_CATEGORY, ...header })
        .sign(key);
}

/* Signed by a key that the host does not know. */
export async function forge(sub) {
    const other = await jose.generateKeyPair('RS256');
    return mint(sub, { key: other.privateKey });
}

/* What a product's front end sends as its anonymous key: a JWT that names nobody. */
export const anonKey = await new jose.SignJWT({ role: 'anon', iss: 'supabase' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode('not-the-hosts-secret-not-the-hosts-secret'));
