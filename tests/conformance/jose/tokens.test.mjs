// Session tokens: what jose signs, and every way in which a token can be wrong.
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { SignJWT, exportJWK, exportPKCS8, exportSPKI, generateKeyPair } from 'jose'
import { Identify } from './identify.mjs'

const now = 1773144000
const nowMs = now * 1000
const issuer = 'https://clerk.pulse.example'
const party = 'https://pulse.pwru.app'
const serviceKey = 'service-key-0123456789abcdef0123456789abcdef'

const keys = await generateKeyPair('RS256', { extractable: true })
const otherKeys = await generateKeyPair('RS256', { extractable: true })
const jwtKey = await exportSPKI(keys.publicKey)
const auth = { issuer, jwtKey, authorizedParties: ['http://localhost:5173', party], serviceKey }

const claims = { sub: 'user_a', sid: 'sess_1', iss: issuer, azp: party, iat: now - 10, nbf: now - 20, exp: now + 50 }
const header = { alg: 'RS256', typ: 'JWT', kid: 'ins_1', cat: 'cl_B7d4PD111AAA' }

const omit = (object, key) => Object.fromEntries(Object.entries(object).filter(([name]) => name !== key))
const mint = (changes = {}, headerChanges = {}, key = keys.privateKey) => {
  const head = Object.fromEntries(Object.entries({ ...header, ...headerChanges }).filter(([, v]) => v !== undefined))
  const body = Object.fromEntries(Object.entries({ ...claims, ...changes }).filter(([, v]) => v !== undefined))
  return new SignJWT(body).setProtectedHeader(head).sign(key)
}

const base64url = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const signRaw = (head, payload) => {
  const input = `${base64url(head)}.${base64url(payload)}`
  return `${input}.${sign('RSA-SHA256', Buffer.from(input), keys.privateKey).toString('base64url')}`
}

let identify
before(async () => {
  identify = new Identify()
  await identify.ask({ auth, mode: 'public', headers: {} })
})
after(async () => assert.equal(await identify.end(), 0))

const ask = (headers, mode = 'user') => identify.ask({ mode, headers, nowMs })
const bearer = (token) => ({ authorization: `Bearer ${token}` })

const accepted = async (token, expected = {}) => {
  const verdict = await ask(bearer(token))
  assert.equal(verdict.status, 200, verdict.detail)
  assert.equal(verdict.caller, 'user')
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(verdict[name], value, name)
  return verdict
}

const refused = async (token, why) => {
  const verdict = await ask(bearer(token))
  assert.equal(verdict.status, 401, `accepted: ${token}`)
  assert.equal(verdict.code, 'unauthorized')
  assert.equal(verdict.message, 'The session is not valid or has expired')
  if (why) assert.match(verdict.detail, why)
}

describe('valid tokens', () => {
  test('identify the user', async () => {
    const verdict = await accepted(await mint({ name: 'Zoë "Z"' }), { user: 'user_a', session: 'sess_1' })
    assert.deepEqual(verdict.claims, { ...claims, name: 'Zoë "Z"' })
  })

  for (const alg of ['RS256', 'RS384', 'RS512'])
    test(alg, async () => accepted(await new SignJWT(claims).setProtectedHeader({ alg }).sign(keys.privateKey)))

  test('without typ, cat and kid', async () => accepted(await mint({}, { typ: undefined, cat: undefined, kid: undefined })))
  test('of the opt-out category', async () => accepted(await mint({}, { cat: 'cl_I7d4PD111III' })))
  test('padded base64url', async () => {
    const parts = (await mint({ a: 'x' })).split('.')
    await accepted([...parts.slice(0, 2), parts[2].padEnd(Math.ceil(parts[2].length / 4) * 4, '=')].join('.'))
  })
  test('without nbf and iat', async () => accepted(await mint({ nbf: undefined, iat: undefined })))
  test('with an audience nobody asked about', async () => accepted(await mint({ aud: 'anything' })))
  test('seen again from the cache', async () => {
    const token = await mint({ sid: 'sess_cached' })
    const first = await accepted(token)
    assert.deepEqual(await accepted(token), first)
  })
})

describe('where the token is found', () => {
  let token, other
  before(async () => {
    token = await mint()
    other = await mint({ sub: 'user_b' })
  })

  const finds = (name, headers, user) =>
    test(name, async () => {
      const verdict = await ask(headers())
      assert.equal(verdict.user, user, verdict.detail)
    })
  const finds401 = (name, headers) => test(name, async () => assert.equal((await ask(headers())).status, 401))

  finds('x-clerk-auth, bare', () => ({ 'x-clerk-auth': token }), 'user_a')
  finds('x-clerk-auth, with Bearer', () => ({ 'x-clerk-auth': `Bearer ${token}` }), 'user_a')
  finds('Authorization, bare', () => ({ authorization: token }), 'user_a')
  finds('Authorization, with Bearer', () => ({ authorization: `Bearer ${token}` }), 'user_a')
  finds('x-clerk-auth goes first', () => ({ authorization: `Bearer ${other}`, 'x-clerk-auth': token }), 'user_a')
  finds('an empty x-clerk-auth is none', () => ({ authorization: `Bearer ${other}`, 'x-clerk-auth': ' ' }), 'user_b')
  finds401('a bad x-clerk-auth is not looked past', () => ({ authorization: `Bearer ${other}`, 'x-clerk-auth': 'no' }))
  finds401('another scheme is ignored', () => ({ authorization: `Basic ${token}` }))
  finds401('the scheme is case-sensitive', () => ({ authorization: `bearer ${token}` }))
  finds401('apikey is no credential', () => ({ apikey: token }))
  finds401('two joined headers', () => ({ authorization: `Bearer ${token}, Bearer ${other}` }))
})

describe('project keys are no identity', () => {
  const legacy = (claims) => {
    const input = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`
    return `${input}.${createHmac('sha256', 'their secret').update(input).digest('base64url')}`
  }
  const anon = legacy({ iss: 'supabase', ref: 'abc', role: 'anon', iat: 1, exp: 4102444800 })
  const projectKeys = { anon, publishable: 'sb_publishable_abc', secret: 'sb_secret_abc', temporary: 'sb_temp_abc' }

  for (const [name, key] of Object.entries(projectKeys))
    test(name, async () => {
      assert.equal((await ask(bearer(key), 'optional')).caller, 'nobody')
      assert.equal((await ask(bearer(key), 'optional')).caller, 'nobody')
      const verdict = await ask(bearer(key))
      assert.equal(verdict.status, 401)
      assert.equal(verdict.message, 'Sign in to use this function')
      assert.equal((await ask({ ...bearer(key), 'x-clerk-auth': await mint() })).user, 'user_a')
      assert.equal((await ask({ ...bearer(await mint()), 'x-clerk-auth': key })).user, 'user_a')
    })

  test('a service_role key that is not ours is refused', () => refused(legacy({ role: 'service_role' })))
  test('an anon role with a subject is refused', () => refused(legacy({ role: 'anon', sub: 'user_a' })))
})

describe('modes', () => {
  const modes = ['public', 'optional', 'user', 'user_or_service', 'service', 'admin']
  const expected = {
    nobody: [200, 200, 401, 401, 401, 401],
    bad: [200, 401, 401, 401, 401, 401],
    user: [200, 200, 200, 200, 403, null], // admin asks the database
    service: [200, 200, 403, 200, 200, 403],
  }
  const credentials = {
    nobody: () => ({}),
    bad: () => bearer('x.y.z'),
    user: async () => bearer(await mint()),
    service: () => bearer(serviceKey),
  }
  for (const who of Object.keys(expected))
    modes.forEach((mode, i) => {
      if (expected[who][i] !== null)
        test(`${mode}, ${who}`, async () => {
          const verdict = await ask(await credentials[who](), mode)
          assert.equal(verdict.status, expected[who][i])
          if (verdict.status === 403) assert.equal(verdict.code, mode === 'admin' ? 'admin_required' : 'forbidden')
          if (verdict.status === 200) assert.equal(verdict.caller, mode === 'public' ? 'nobody' : who)
        })
    })

  test('the service key in either header', async () => {
    assert.equal((await ask({ 'x-clerk-auth': serviceKey }, 'service')).caller, 'service')
    assert.equal((await ask({ authorization: serviceKey }, 'service')).caller, 'service')
    assert.equal((await ask(bearer(serviceKey.slice(0, -1)), 'service')).status, 401)
    assert.equal((await ask(bearer(serviceKey + 'x'), 'service')).status, 401)
  })
})

describe('claims', () => {
  const cases = {
    'no sub': [{ sub: undefined }, /subject/],
    'sub a number': [{ sub: 7 }, /subject/],
    'sub empty': [{ sub: '' }, /subject/],
    'sub too long': [{ sub: 'u'.repeat(256) }, /subject/],
    'a machine': [{ sub: 'mch_1' }, /machine/],
    'no iss': [{ iss: undefined }, /issuer/],
    'another iss': [{ iss: issuer + '/' }, /issuer/],
    'no azp': [{ azp: undefined }, /party/],
    'another azp': [{ azp: 'https://pulse.pwru.app.evil.example' }, /party/],
    'azp a list': [{ azp: [party] }, /party/],
    'no exp': [{ exp: undefined }, /expiry/],
    'exp text': [{ exp: String(now + 50) }, /expiry/],
    'nbf text': [{ nbf: 'x' }, /not valid yet/],
    'iat text': [{ iat: 'x' }, /future/],
    'iat null': [{ iat: null }, /future/],
  }
  for (const [name, [changes, why]] of Object.entries(cases))
    test(name, async () => {
      const token = signRaw(header, Object.fromEntries(Object.entries({ ...claims, ...changes }).filter(([, v]) => v !== undefined)))
      await refused(token, why)
    })

  test('the skew of five seconds, both ways', async () => {
    await accepted(await mint({ exp: now - 4 }))
    await refused(await mint({ exp: now - 5 }), /expired/)
    await accepted(await mint({ nbf: now + 5 }))
    await refused(await mint({ nbf: now + 6 }), /not valid yet/)
    await accepted(await mint({ iat: now + 5 }))
    await refused(await mint({ iat: now + 6 }), /future/)
    await accepted(await mint({ exp: now - 4.999 }))
    await accepted(await mint({ nbf: now + 4.5, iat: now + 4.5 }))
  })

  test('a cached token expires', async () => {
    const token = await mint({ sid: 'sess_short', exp: now + 1 })
    await accepted(token)
    const at = (ms) => identify.ask({ mode: 'user', headers: bearer(token), nowMs: nowMs + ms })
    assert.equal((await at(5999)).status, 200)
    assert.equal((await at(6000)).status, 401)
  })

  test('edge_admin is never taken from a token', async () => {
    const { claims: seen } = await accepted(await mint({ edge_admin: true, '\u0065dge_admin': true }))
    assert.equal('edge_admin' in seen, false)
  })

  test('the payload must be one JSON object', async () => {
    for (const payload of ['[]', '"x"', 'null', '{', '{}{}', '{"sub":"a","sub":"b"}', '{"sub":"user\\u0000"}'])
      await refused(signRaw(header, payload))
    const input = `${base64url(header)}.${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]).toString('base64url')}`
    await refused(`${input}.${sign('RSA-SHA256', Buffer.from(input), keys.privateKey).toString('base64url')}`)
  })
})

describe('classes', () => {
  test('template and machine categories', async () => {
    for (const cat of ['cl_B7d4PD222AAA', 'cl_B7d4PD333AAA', 'cl_B7d4PD111AAB', '', 7, null])
      await refused(signRaw({ ...header, cat }, claims), /category/)
  })
  test('types', async () => {
    for (const typ of ['at+jwt', 'application/at+jwt', 'jwt', 'JOSE', 7, null]) await refused(signRaw({ ...header, typ }, claims), /type/)
  })
  test('opaque machine tokens', async () => {
    for (const token of ['mt_abc', 'oat_abc', 'ak_abc']) await refused(token, /opaque/)
  })
  test('critical header parameters', async () => {
    for (const crit of [['b64'], ['exp'], []]) await refused(signRaw({ ...header, b64: false, crit }, claims))
  })
})

describe('signatures', () => {
  test('another key', async () => refused(await mint({}, {}, otherKeys.privateKey), /signature/))
  test('a changed payload', async () => {
    const [head, , signature] = (await mint()).split('.')
    await refused(`${head}.${base64url({ ...claims, sub: 'user_b' })}.${signature}`, /signature/)
  })
  test('a changed header', async () => {
    const [, payload, signature] = (await mint()).split('.')
    await refused(`${base64url({ ...header, kid: 'x' })}.${payload}.${signature}`, /signature/)
  })
  test('none', async () => {
    for (const alg of ['none', 'None', 'NONE']) {
      await refused(`${base64url({ ...header, alg })}.${base64url(claims)}.`)
      await refused(`${base64url({ ...header, alg })}.${base64url(claims)}.AAAA`)
    }
  })
  test('HMAC with the public key for a secret', async () => {
    const jwk = JSON.stringify(await exportJWK(keys.publicKey))
    for (const secret of [jwtKey, jwtKey.trim(), jwk, '']) {
      const input = `${base64url({ ...header, alg: 'HS256' })}.${base64url(claims)}`
      await refused(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`)
    }
  })
  test('algorithms that are not RS', async () => {
    for (const alg of ['ES256', 'PS256', 'EdDSA', 'HS512', 'RS1', 'rs256', '', 7, null]) await refused(signRaw({ ...header, alg }, claims))
    await refused(signRaw(omit(header, 'alg'), claims))
    const ps = await generateKeyPair('PS256', { extractable: true })
    await refused(await mint({}, { alg: 'PS256' }, ps.privateKey))
  })
  test('RS384 announced for an RS256 signature', async () => refused(signRaw({ ...header, alg: 'RS384' }, claims), /signature/))
  test('cut and empty signatures', async () => {
    const token = await mint()
    for (const length of [1, 2, 3, 4, 100]) await refused(token.slice(0, -length))
    await refused(token.slice(0, token.lastIndexOf('.') + 1))
    await refused(token + 'AAAA')
  })
})

describe('shapes', () => {
  test('not three parts', async () => {
    const token = await mint()
    const [head, payload, signature] = token.split('.')
    for (const bad of ['x', '.', '..', 'a.b', `${head}.${payload}`, `${token}.`, `.${token}`, `${token}.x`,
      `${head}..${signature}`, `.${payload}.${signature}`]) await refused(bad)
  })
  test('bad base64url', async () => {
    const token = await mint()
    const [head, payload, signature] = token.split('.')
    for (const bad of [`${head}+.${payload}.${signature}`, `${head}.${payload}/.${signature}`, `${head}.${payload}.${signature}==A`,
      `${head}.${payload}=x.${signature}`, `${head}.${payload}.${signature}===`, `${head}.${payload}.====`, `${head}A.${payload}.${signature}`,
      `"${token}"`, `${token}\u00e9`]) await refused(bad)
  })
  test('a header that is no object', async () => {
    for (const head of ['[]', '"RS256"', 'null', '{', 'RS256']) await refused(signRaw(head, claims))
  })
  test('very long', async () => {
    await refused(await mint({ pad: 'x'.repeat(20000) }), /too long/)
    await refused('a.'.repeat(40000) + 'a')
    await accepted(await mint({ pad: 'x'.repeat(5000) }))
  })
  test('deeply nested', async () => {
    await refused(signRaw(header, '['.repeat(5000)))
    await refused(signRaw('['.repeat(5000), claims))
  })
})

describe('organisations', () => {
  test('version 1', async () => {
    await accepted(await mint({ org_id: 'org_1', org_role: 'org:admin', org_slug: 'acme', org_permissions: ['org:a:b'] }),
      { organisation: 'org_1', orgRole: 'org:admin' })
  })

  const second = async (o, fea, extra = {}) => (await accepted(await mint({ v: 2, o, fea, ...extra }))).claims

  test('version 2', async () => {
    const token = await mint({ v: 2, o: { id: 'org_2', rol: 'member', slg: 'beta', per: 'read,manage', fpm: '3,2' }, fea: 'o:dashboard,u:mail,o:teams' })
    const { claims: seen } = await accepted(token, { organisation: 'org_2', orgRole: 'org:member' })
    assert.equal(seen.org_id, 'org_2')
    assert.equal(seen.org_slug, 'beta')
    assert.deepEqual(seen.org_permissions, ['org:dashboard:read', 'org:dashboard:manage', 'org:teams:manage'])
  })

  test('bitmaps wider than 64 bits', async () => {
    const names = Array.from({ length: 90 }, (_, i) => `p${i}`)
    const bits = [0, 1, 52, 53, 63, 64, 89]
    const fpm = bits.reduce((sum, bit) => sum + (1n << BigInt(bit)), 0n).toString()
    const seen = await second({ id: 'o', per: names.join(','), fpm }, 'o:f')
    assert.deepEqual(seen.org_permissions, bits.map((bit) => `org:f:p${bit}`))
  })

  test('blanks, missing and malformed parts', async () => {
    assert.deepEqual((await second({ id: 'o', per: ' read , manage ', fpm: ' 1 , 2 ' }, ' o:a , o:b ')).org_permissions, ['org:a:read', 'org:b:manage'])
    assert.deepEqual((await second({ id: 'o', per: 'read', fpm: '1' }, 'u:a')).org_permissions, [])
    assert.deepEqual((await second({ id: 'o', per: 'read', fpm: '1' }, 'uo:a')).org_permissions, ['org:a:read'])
    assert.deepEqual((await second({ id: 'o' }, 'o:a')).org_permissions, [])
    assert.deepEqual((await second({ id: 'o', per: 'read', fpm: '1' })).org_permissions, [])
    assert.deepEqual((await second({ id: 'o', per: 'read', fpm: 'x,1' }, 'o:a,o:b')).org_permissions, ['org:b:read'])
    assert.deepEqual((await second({ id: 'o', per: 'read', fpm: '-1' }, 'o:a')).org_permissions, [])
    assert.deepEqual((await second({ id: 'o', per: 'read', fpm: '255' }, 'o:a')).org_permissions, ['org:a:read'])
    assert.equal('org_role' in (await second({ id: 'o' }, '')), false)
  })

  test('version 1 names in a version 2 token are not believed', async () => {
    const seen = await second({ id: 'o' }, undefined, { org_role: 'org:admin', org_permissions: ['org:all:all'], org_slug: 'x' })
    assert.equal('org_role' in seen, false)
    assert.equal('org_slug' in seen, false)
    assert.deepEqual(seen.org_permissions, [])
    assert.equal('org_id' in (await second(undefined, undefined, { org_id: 'org_x' })), false)
  })
})

describe('configurations', () => {
  const withAuth = async (changed, token, status) => {
    const verdict = await identify.ask({ auth: { ...auth, ...changed }, mode: 'user', headers: bearer(token), nowMs })
    assert.equal(verdict.status, status, verdict.detail)
    return verdict
  }
  after(() => identify.ask({ auth, mode: 'public', headers: {} }))

  test('PEM as environments have it', async () => {
    const token = await mint()
    const body = jwtKey.replace(/-----[^-]+-----/g, '').replace(/\s/g, '')
    const pkcs1 = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pkcs1Token = await mint({}, {}, pkcs1.privateKey)
    await withAuth({ jwtKey: jwtKey.replace(/\n/g, '\\n') }, token, 200)
    await withAuth({ jwtKey: jwtKey.replace(/\n/g, '\r\n') }, token, 200)
    await withAuth({ jwtKey: `-----BEGIN PUBLIC KEY-----${body}-----END PUBLIC KEY-----` }, token, 200)
    await withAuth({ jwtKey: jwtKey.replace(/\n/g, ' ') }, token, 200)
    await withAuth({ jwtKey: await exportPKCS8(keys.privateKey) }, token, 200)
    await withAuth({ jwtKey: pkcs1.publicKey.export({ type: 'pkcs1', format: 'pem' }) }, pkcs1Token, 200)
    await withAuth({ jwtKey: pkcs1.privateKey.export({ type: 'pkcs1', format: 'pem' }) }, pkcs1Token, 200)
    await withAuth({ jwtKey: pkcs1.publicKey.export({ type: 'spki', format: 'pem' }) }, token, 401)
  })

  test('a new configuration forgets what the old one accepted', async () => {
    const token = await mint({ sid: 'sess_forget' })
    await withAuth({}, token, 200)
    await withAuth({ authorizedParties: ['https://elsewhere.example'] }, token, 401)
    await withAuth({ authorizedParties: [] }, token, 200)
    await withAuth({ issuer: 'https://elsewhere.example' }, token, 401)
    await withAuth({ jwtKey: await exportSPKI(otherKeys.publicKey) }, token, 401)
  })

  test('no parties and no issuer are not checked', async () => {
    await withAuth({ authorizedParties: [], issuer: undefined }, await mint({ iss: 'x', azp: undefined }), 200)
  })

  test('the skew is a setting', async () => {
    const token = await mint({ exp: now })
    await withAuth({ clockSkewMs: 0 }, token, 401)
    await withAuth({ clockSkewMs: 1 }, token, 200)
  })

  test('no key, no service key', async () => {
    const verdict = await withAuth({ jwtKey: undefined, serviceKey: undefined }, await mint(), 503)
    assert.equal(verdict.code, 'not_configured')
    assert.match(verdict.message, /CLERK_JWKS_URL/)
    assert.equal((await ask({})).status, 401)
    assert.equal((await ask(bearer(serviceKey))).status, 401)
    assert.equal((await ask({ authorization: 'Bearer ' }, 'service')).status, 401)
  })
})
