import { afterEach, describe, expect, it } from 'vitest'
import type { StoredToken, TokenStore } from '../../../src/core/ports.js'
import type { Api, Auth } from '../../../src/http/api.js'
import { createAccounts } from '../../../src/http/budget.js'
import { addressOf, type Consent, redeem } from '../../../src/http/consent.js'
import { proofOf } from '../../../src/http/kept.js'
import { pageAt } from '../../../src/http/origin.js'
import { isGranted } from '../../../src/http/scopes.js'
import { whence } from '../../../src/http/whence.js'
import { api, client, failureOf, notedClock, reply, type Served, secret, serve } from './support.js'

const holding = (token: StoredToken | undefined): TokenStore & { kept: StoredToken | undefined } => {
  const held: TokenStore & { kept: StoredToken | undefined } = {
    kept: token,
    read: () => Promise.resolve(held.kept),
    update: async (_, refresh) => {
      held.kept = await refresh(held.kept)
      return held.kept
    },
  }
  return held
}
const oauth = (more: Partial<Extract<Auth, { kind: 'oauth' }>> = {}): Extract<Auth, { kind: 'oauth' }> => ({
  kind: 'oauth',
  tokenUrl: '/token',
  clientId: 'app',
  clientSecret: secret,
  basic: false,
  ...more,
})
const vendor = (auth: Auth): Api => ({ ...api, auth: () => auth })
const now = new Date('2026-11-25T10:00:00Z')
const { origin, app } = proofOf(oauth())
const consented: StoredToken = {
  accessToken: 'A',
  refreshToken: 'R',
  expiresAt: '2026-11-25T11:00:00.000Z',
  origin,
  since: '2026-11-01T00:00:00.000Z',
  consentedTo: app,
}

let server: Served | undefined
afterEach(() => server?.close())
const quiet = () => undefined
const deps = () => {
  const { clock } = notedClock()
  return { clock, log: { debug: quiet, info: quiet, warn: quiet, error: quiet }, accounts: createAccounts(clock) }
}

describe('a credential of a person’s consent', () => {
  const used = async (auth: Auth, token: StoredToken | undefined): Promise<string | undefined> => {
    server = await serve((request, response) => reply(200, request.url === '/token' ? '{"access_token":"new"}' : '{}')(request, response))
    await client({ api: vendor(auth), baseUrl: server.url, tokens: holding(token) }).http.request({ path: '/x' })
    server.close()
    return server.seen.at(-1)?.authorization
  }

  it.each<[string, Auth, string]>([
    ['is used', oauth(), 'Bearer A'],
    ['outlives another client secret', oauth({ clientSecret: 'another' }), 'Bearer A'],
    ['gives way to a first token that came into the settings since', oauth({ refreshToken: 'other' }), 'Bearer new'],
    ['goes before what the app would get alone', oauth({ grant: (token) => ({ grant_type: token ?? 'client_credentials' }) }), 'Bearer A'],
  ])('%s', async (_, auth, authorization) => {
    expect(await used(auth, consented)).toBe(authorization)
  })

  it('goes before the first token beside which it was made, and outlives it', async () => {
    const given = oauth({ refreshToken: 'first' })
    const beside = { ...consented, origin: proofOf(given).origin }
    expect(await used(given, beside)).toBe('Bearer A')
    expect(await used(oauth(), beside)).toBe('Bearer A')
  })

  it.each<[string, Auth]>([
    ['another app', oauth({ clientId: 'another' })],
    ['another app’s long-lived token', { kind: 'token', clientId: 'another', clientSecret: secret, credential: () => ({ headers: {} }) }],
  ])('does not hold for %s, which is told to connect', async (_, auth) => {
    const failure = await failureOf(client({ api: vendor(auth), tokens: holding(consented) }).http.request({ path: '/x' }))
    expect(failure).toMatchObject({ reason: 'auth', message: expect.stringContaining('weir connect c') })
  })

  it('is asked for where the app’s own grant has nothing to ask with: no other form takes its place', async () => {
    server = await serve(reply(200, '{"access_token":"B"}'))
    const auth = oauth({ refreshToken: 'first', grant: () => undefined })
    const { http } = client({ api: vendor(auth), baseUrl: server.url, tokens: holding(undefined) })
    expect(await failureOf(http.request({ path: '/x' }))).toMatchObject({
      reason: 'auth',
      message: expect.stringContaining('weir connect c'),
    })
    expect(server.seen).toEqual([])
  })

  it('is renewed without forgetting whose it is and since when', async () => {
    server = await serve(reply(200, '{"access_token":"B","refresh_token":"S","expires_in":100}'))
    const tokens = holding({ ...consented, expiresAt: '2026-11-25T09:00:00.000Z' })
    await client({ api: vendor(oauth()), baseUrl: server.url, tokens }).http.request({ path: '/x' })
    expect(tokens.kept).toMatchObject({ accessToken: 'B', refreshToken: 'S', since: consented.since, consentedTo: app })
  })
})

describe('a long-lived token', () => {
  const auth: Auth = {
    kind: 'token',
    clientId: 'app',
    clientSecret: secret,
    credential: (token) => ({ headers: { authorization: `Bearer ${token}` }, query: { proof: `of-${token}` } }),
  }

  it('is looked up again when it is refused, since a person may have given the next one', async () => {
    server = await serve(
      (request, response) => {
        tokens.kept = { ...consented, accessToken: 'next' }
        reply(401, '{}')(request, response)
      },
      reply(200, '{}'),
    )
    const tokens = holding(consented)
    await client({ api: vendor(auth), baseUrl: server.url, tokens }).http.request({ path: '/x' })
    expect(server.seen.map(({ url, authorization }) => [url, authorization])).toEqual([
      ['/x?proof=of-A', 'Bearer A'],
      ['/x?proof=of-next', 'Bearer next'],
    ])
  })

  it('says when it has ended, and asks nobody', async () => {
    const tokens = holding({ ...consented, expiresAt: '2026-11-25T10:00:00.000Z' })
    const failure = await failureOf(client({ api: vendor(auth), tokens }).http.request({ path: '/x' }))
    expect(failure.message).toContain('ended on 2026-11-25T10:00:00.000Z: run `weir connect c`')
  })

  it('is worth a word from two weeks before its end', async () => {
    const told = (expiresAt: string) => whence(auth, 'c', holding({ ...consented, expiresAt }), now)
    expect(await told('2026-12-20T00:00:00.000Z')).toMatchObject({
      ok: true,
      message: 'token by `weir connect` since 2026-11-01T00:00:00.000Z',
    })
    expect(await told('2026-12-01T00:00:00.000Z')).toMatchObject({ ok: false, hint: expect.stringContaining('weir connect c') })
  })
})

describe('where a credential comes from', () => {
  it.each<[Auth, StoredToken | undefined, string | undefined]>([
    [{ kind: 'header', headers: {} }, undefined, undefined],
    [oauth({ refreshToken: 'first' }), undefined, 'refresh token of the settings'],
    [oauth({ refreshToken: 'other' }), consented, 'refresh token of the settings'],
    [oauth(), consented, 'refresh token by `weir connect` since 2026-11-01T00:00:00.000Z'],
    [oauth({ grant: () => ({ grant_type: 'client_credentials' }) }), undefined, undefined],
  ])('is told (%#)', async (auth, token, message) => {
    expect((await whence(auth, 'c', holding(token), now))?.message).toBe(message)
  })

  it('is a failure where there is none', async () => {
    expect((await failureOf(whence(oauth(), 'c', holding(undefined), now))).reason).toBe('auth')
  })
})

describe('the exchange of a code', () => {
  const consent: Consent = {
    page: () => 'https://login.vendor.example/authorize?tenant=1',
    query: { prompt: 'consent' },
    pkce: true,
    keeps: 'refresh_token',
    loopback: { host: 'localhost', anyPort: false },
    always: [['read', 'all']],
    isDue: () => true,
  }
  const connection = (baseUrl?: string) => ({ name: 'c', type: 'vendor', settings: {}, ...(baseUrl ? { baseUrl } : {}) })
  const code = 'code-canary-0123456789'
  const given = { code, redirect: 'http://localhost:1/callback', verifier: 'v' }

  it('the page has what the vendor must know, and no secret; the sandbox plays it, a proxy does not', () => {
    const address = new URL(addressOf(vendor(oauth()), connection(), consent, consent.always))
    expect(address.origin + address.pathname).toBe('https://login.vendor.example/authorize')
    expect(Object.fromEntries(address.searchParams)).toEqual({
      tenant: '1',
      response_type: 'code',
      client_id: 'app',
      scope: 'read',
      prompt: 'consent',
    })
    expect(pageAt('https://login.vendor.example/a?b=1', new URL('http://127.0.0.1:9')).href).toBe('http://127.0.0.1:9/a?b=1')
    expect(pageAt('https://login.vendor.example/a', new URL('https://proxy.example')).origin).toBe('https://login.vendor.example')
  })

  it('tokens and scopes come back; a list and a text of scopes are the same', async () => {
    for (const scopes of ['"scope":"read write"', '"scopes":["read","write"]']) {
      server = await serve(reply(200, `{"access_token":"A","refresh_token":"R","expires_in":100,${scopes}}`))
      const granted = await redeem(vendor(oauth()), connection(server.url), consent, given, deps())
      expect(granted).toMatchObject({ token: { accessToken: 'A', refreshToken: 'R' }, scopes: ['read', 'write'] })
      server.close()
    }
    expect([isGranted(['read', 'all'], ['all']), isGranted('read', ['all'])]).toEqual([true, false])
  })

  it('is repeated while the endpoint is down, and a refusal quotes neither code nor secret', async () => {
    server = await serve(reply(503), reply(400, JSON.stringify({ error: 'invalid_grant', error_description: `${code} ${secret}` })))
    const failure = await failureOf(redeem(vendor(oauth()), connection(server.url), consent, given, deps()))
    expect(server.seen).toHaveLength(2)
    expect(failure).toMatchObject({ reason: 'auth', message: expect.stringContaining('400 invalid_grant') })
    expect(JSON.stringify([failure.message, failure.stack, failure.where])).not.toMatch(/canary/)
  })

  it('a vendor’s own exchange cannot give away what it was told, either', async () => {
    server = await serve(
      reply(200, '{"t":"token-canary-0123456789"}'),
      reply(400, JSON.stringify({ code: 'bad', message: `token-canary-0123456789 ${code} ${secret}` })),
    )
    const own: Consent = {
      ...consent,
      redeem: async (http, _, __, { learn }) => {
        const { body } = await http.request({ path: '/one' })
        learn(String(body.t))
        await http.request({ path: '/two' })
        throw new Error('not reached')
      },
    }
    const failure = await failureOf(redeem(vendor(oauth()), connection(server.url), own, given, deps()))
    expect(failure.reason).toBe('auth')
    expect(JSON.stringify([failure.message, failure.stack, String(failure.cause)])).not.toMatch(/canary/)
  })
})
