/*
 * A host in production's shape, keys from a key set: who is let in through HTTP. No database: a caller who got past
 * the door is told so by another answer than 401.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { SERVICE_KEY, startHost } from '../../support/host.mjs';

const issuer = 'https://clerk.pulse.example';
const party = 'https://pulse.pwru.app';
const keys = await generateKeyPair('RS256', { extractable: true });
const rotated = await generateKeyPair('RS256', { extractable: true });
const now = Math.floor(Date.now() / 1000);

const mint = (sub, { claims = {}, header = {}, key = keys.privateKey } = {}) =>
    new SignJWT({ sub, iss: issuer, azp: party, iat: now, nbf: now, exp: now + 600, ...claims })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'ins_1', cat: 'cl_B7d4PD111AAA', ...header })
        .sign(key);

let provider, host;
let set = [];
let fetches = 0;

before(async () => {
    set = [{ ...(await exportJWK(keys.publicKey)), kid: 'ins_1', use: 'sig', alg: 'RS256' }];
    provider = createServer((request, response) => {
        fetches++;
        setTimeout(() => response.end(JSON.stringify({ keys: set })), 100);
    });
    await new Promise((resolve) => provider.listen(0, '127.0.0.1', resolve));
    host = await startHost({
        functions: { computePulse: {}, clerkWebhook: { rate_limit: '5/min per ip' } },
        sandbox: false,
        auth: { issuer, authorized_parties: [party] },
        readyPath: '/_edge/live',
        env: {
            EDGE_SANDBOX: null,
            EDGE_DEVELOPMENT_KEY: null,
            LOVABLE_AI_BASE_URL: null,
            CLERK_JWKS_URL: `http://127.0.0.1:${provider.address().port}/jwks`,
        },
    });
});
after(async () => {
    provider.close();
    await host?.stop();
});

const call = async (headers, name = 'computePulse') => {
    const response = await fetch(`${host.url}/functions/v1/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{}',
    });
    return { status: response.status, headers: response.headers, ...(await response.json()) };
};
const session = (token) => ({
    apikey: 'sb_publishable_x',
    authorization: 'Bearer sb_publishable_x',
    'x-clerk-auth': token,
});

const letIn = (answer) =>
    assert.ok(![401, 403, 502].includes(answer.status), `${answer.status} ${answer.code}`);
const turnedAway = (answer, status = 401, code = 'unauthorized') => {
    assert.equal(answer.status, status);
    assert.equal(answer.code, code);
    assert.ok(answer.requestId);
};

test('callers who come together cause one fetch a worker', async () => {
    const answers = await Promise.all(
        Array.from({ length: 40 }, async (_, i) => call(session(await mint(`user_${i}`)))),
    );
    answers.forEach(letIn);
    assert.ok(fetches <= 2, `${fetches} fetches`);
});

test('wherever a credential is put', async () => {
    const token = await mint('user_a');
    letIn(await call({ 'x-clerk-auth': token }));
    letIn(await call({ 'x-clerk-auth': `Bearer ${token}` }));
    letIn(await call({ authorization: `Bearer ${token}` }));
    letIn(await call({ authorization: token }));
    turnedAway(await call({ authorization: 'Bearer sb_publishable_x', apikey: 'sb_publishable_x' }));
    turnedAway(await call({}));
    turnedAway(await call(session('x')));
});

test('the service key needs somebody to act for', async () => {
    turnedAway(await call({ authorization: `Bearer ${SERVICE_KEY}` }), 400, 'invalid_input');
    turnedAway(await call({ authorization: `Bearer ${SERVICE_KEY}x` }));
});

test('tokens of other issuers, parties and classes', async () => {
    turnedAway(await call(session(await mint('user_a', { claims: { iss: 'https://clerk.other.example' } }))));
    turnedAway(await call(session(await mint('user_a', { claims: { azp: 'https://other.example' } }))));
    turnedAway(await call(session(await mint('user_a', { claims: { exp: now - 60 } }))));
    turnedAway(await call(session(await mint('user_a', { header: { cat: 'cl_B7d4PD222AAA' } }))));
    turnedAway(await call(session(await mint('user_a', { key: rotated.privateKey }))));
    turnedAway(await call(session((await mint('user_a')).slice(0, -1))));
});

test('the answer does not say which check failed, the log does', async () => {
    const { error, requestId } = await call(
        session(await mint('user_a', { claims: { azp: 'https://other.example' } })),
    );
    assert.equal(error, 'The session is not valid or has expired');
    const line = await host.logged((entry) => JSON.stringify(entry).includes(requestId));
    assert.match(JSON.stringify(line), /party that is not authorized/);
});

test('a rotated key is found, and forged kids are not asked about', async () => {
    const before_ = fetches;
    for (let i = 0; i < 20; i++)
        turnedAway(
            await call(
                session(await mint('user_a', { header: { kid: `forged${i}` }, key: rotated.privateKey })),
            ),
        );
    assert.ok(fetches - before_ <= 2, `${fetches - before_} fetches`);

    set = [...set, { ...(await exportJWK(rotated.publicKey)), kid: 'ins_2', use: 'sig', alg: 'RS256' }];
    const token = await mint('user_a', { header: { kid: 'ins_2' }, key: rotated.privateKey });
    for (const end = Date.now() + 25000; Date.now() < end;) {
        if ((await call(session(token))).status !== 401) break;
        await new Promise((resolve) => setTimeout(resolve, 500));
    }
    letIn(await call(session(token)));
});

test('a rate limit says when to come back', async () => {
    const answers = [];
    for (let i = 0; i < 6; i++) answers.push(await call({ 'svix-id': 'x' }, 'clerkWebhook'));
    const [last] = answers.slice(-1);
    turnedAway(last, 429, 'rate_limited');
    assert.ok(Number(last.headers.get('retry-after')) >= 1);
    assert.ok(last.retryAfter >= 1);
});
