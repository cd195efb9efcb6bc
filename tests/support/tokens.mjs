/*
 * Session tokens as Clerk mints them, under a key made for this build. Test hosts have the sandbox, which runs beside
 * a development issuer only, so that issuer is who signs here.
 */
import fs from 'node:fs';
import path from 'node:path';

import * as jose from 'jose';

import { buildDirectory } from './config.mjs';

export const ISSUER = 'https://dev.pulse-edge.localhost';
const SESSION_CATEGORY = 'cl_B7d4PD111AAA';

/*
 * An RSA key as PEM, made once and kept in the build directory: making one takes a quarter of a second of processor time,
 * which every test file would spend again. Of files that make it at the same time one wins, and each goes on with its own.
 */
async function keptPem(name) {
    const file = path.join(buildDirectory, `test-key-${name}.pem`);
    if (fs.existsSync(file)) return fs.readFileSync(file, 'utf8');
    const { privateKey } = await jose.generateKeyPair('RS256', { extractable: true });
    const pem = await jose.exportPKCS8(privateKey);
    fs.writeFileSync(`${file}.${process.pid}`, pem, { mode: 0o600 });
    fs.renameSync(`${file}.${process.pid}`, file);
    return pem;
}

/* PEM for EDGE_DEVELOPMENT_KEY. */
export const privatePem = await keptPem('issuer');
const privateKey = await jose.importPKCS8(privatePem, 'RS256');

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
    return mint(sub, { key: await jose.importPKCS8(await keptPem('stranger'), 'RS256') });
}

/* What a product's front end sends as its anonymous key: a JWT that names nobody. */
export const anonKey = await new jose.SignJWT({ role: 'anon', iss: 'supabase' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode('not-the-hosts-secret-not-the-hosts-secret'));
