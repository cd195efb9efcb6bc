/* Tokens of a made-up Clerk instance, and the program that says who they are. */
import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { after, before } from 'node:test';
import { SignJWT, exportSPKI, generateKeyPair } from 'jose';
import { Identify } from './identify.mjs';

export const now = 1773144000;
export const nowMs = now * 1000;
export const issuer = 'https://clerk.pulse.example';
export const party = 'https://pulse.pwru.app';
export const serviceKey = 'service-key-0123456789abcdef0123456789abcdef';

export const keys = await generateKeyPair('RS256', { extractable: true });
export const otherKeys = await generateKeyPair('RS256', { extractable: true });
export const jwtKey = await exportSPKI(keys.publicKey);
export const auth = { issuer, jwtKey, authorizedParties: ['http://localhost:5173', party], serviceKey };

export const claims = {
    sub: 'user_a',
    sid: 'sess_1',
    iss: issuer,
    azp: party,
    iat: now - 10,
    nbf: now - 20,
    exp: now + 50,
};
export const header = { alg: 'RS256', typ: 'JWT', kid: 'ins_1', cat: 'cl_B7d4PD111AAA' };

/* A member that is undefined is left out. */
const merged = (object, changes) =>
    Object.fromEntries(Object.entries({ ...object, ...changes }).filter(([, value]) => value !== undefined));

export const mint = (changes = {}, headerChanges = {}, key = keys.privateKey) =>
    new SignJWT(merged(claims, changes)).setProtectedHeader(merged(header, headerChanges)).sign(key);

export const base64url = (value) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/* Signs whatever is given, sense or nonsense. */
export const signRaw = (head, payload) => {
    const encoded = payload instanceof Buffer ? payload.toString('base64url') : base64url(payload);
    const input = `${base64url(head)}.${encoded}`;
    return `${input}.${sign('RSA-SHA256', Buffer.from(input), keys.privateKey).toString('base64url')}`;
};

let identify;
before(async () => {
    identify = new Identify();
    await identify.ask({ auth, mode: 'public', headers: {} });
});
after(async () => assert.equal(await identify.end(), 0));

export const ask = (headers, mode = 'user', more = {}) => identify.ask({ mode, headers, nowMs, ...more });
export const bearer = (token) => ({ authorization: `Bearer ${token}` });

export const accepted = async (token, expected = {}) => {
    const verdict = await ask(bearer(token));
    assert.equal(verdict.status, 200, verdict.detail);
    assert.equal(verdict.caller, 'user');
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(verdict[name], value, name);
    return verdict;
};

export const refused = async (token, why) => {
    const verdict = await ask(bearer(token));
    assert.equal(verdict.status, 401, `accepted: ${token}`);
    assert.equal(verdict.code, 'unauthorized');
    assert.equal(verdict.message, 'The session is not valid or has expired');
    if (why) assert.match(verdict.detail, why);
};
