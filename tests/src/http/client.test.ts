import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import nock from 'nock'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ConnectionDefinition } from '../../../src/core/definition.js'
import type { Failure } from '../../../src/core/failure.js'
import type { StoredToken, TokenStore } from '../../../src/core/ports.js'
import type { Api } from '../../../src/http/api.js'
import { createAccounts } from '../../../src/http/budget.js'
import { type ClientDeps, createHttp } from '../../../src/http/client.js'

const origin = 'https://api.vendor.example'
const secret = 'sk_live_canary_0123456789'

const api: Api = {
  name: 'Vendor',
  origin,
  versions: [{ name: '1' }],
  headers: (version) => ({ 'x-version': version }),
  auth: (given) =>
    given.refresh === undefined
      ? { kind: 'header', headers: { authorization: `Key ${String(given.key)}` } }
      : { kind: 'oauth', tokenUrl: '/token', clientId: 'id', clientSecret: secret, refreshToken: String(given.refresh), basic: false },
  budgets: { calls: { windows: [{ count: 1_000, perMs: 1_000 }], concurrency: 4 } },
  account: (given) => String(given.key),
  errorCode: (body) => (body as { code?: string }).code,
  errorMessage: (body) => (body as { message?: string }).message,
  failures: [{ status: 400, code: 'locked', reason: 'transient', hint: 'Wait a moment.' }],
}

/** Waits are noted and not waited for. */
function fake() {
  let now = Date.parse('2026-11-25T10:00:00Z')
  const slept: number[] = []
  return {
    slept,
    clock: {
      now: () => new Date(now),
      sleep: async (ms: number) => {
        slept.push(ms)
        now += ms
      },
    },
  }
}

const quiet = () => undefined
function client(settings: Record<string, unknown> = { key: secret }, more: Partial<ClientDeps> & Partial<ConnectionDefinition> = {}) {
  const { clock, slept } = fake()
  const { baseUrl, budget, ...deps } = more
  const http = createHttp(
    api,
    { name: 'c', type: 'vendor', settings, ...(baseUrl ? { baseUrl } : {}), ...(budget ? { budget } : {}) },
    {
      clock,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      accounts: createAccounts(clock),
      random: () => 0.5,
      ...deps,
      limits: { retryMs: 1, ...deps.limits },
    },
  )
  return { http, slept }
}

beforeAll(() => nock.disableNetConnect())
afterEach(() => nock.cleanAll())
afterAll(() => nock.enableNetConnect())
const get = (path = '/things') => nock(origin).get(path)
const failureOf = async (work: Promise<unknown>): Promise<Failure> =>
  work.then(() => expect.fail('it should have failed')).catch((error: Failure) => error)

describe('a client', () => {
  it('sends version and credential, and brings the parsed body', async () => {
    nock(origin, { reqheaders: { authorization: `Key ${secret}`, 'x-version': '1', 'user-agent': 'weir' } })
      .get('/things')
      .query({ 'page[size]': '2', filter: 'a,b' })
      .reply(200, '{"id": 9007199254740993}', { 'content-type': 'application/json' })
    const { http } = client()
    const { status, body } = await http.request({ path: '/things', query: { 'page[size]': 2, filter: 'a,b', none: undefined } })
    expect({ status, body }).toEqual({ status: 200, body: { id: 9007199254740993n } })
    expect(http.used).toMatchObject({ requests: 1, retries: 0, bytes: 24 })
    expect(http.settings).toEqual({ apiVersion: '1' })
  })

  it.each([
    ['500', () => get().reply(500, { message: 'broken' })],
    ['HTML with 200', () => get().reply(200, '<html></html>', { 'content-type': 'text/html' })],
    ['nothing with 200', () => get().reply(200, '')],
    ['JSON cut', () => get().reply(200, '{"a":[1,2', { 'content-type': 'application/json' })],
    ['JSON that is called HTML', () => get().reply(200, '{}', { 'content-type': 'text/html' })],
    ['a lost connection', () => get().replyWithError(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }))],
    ['HTML with 403', () => get().reply(403, '<html></html>', { 'content-type': 'text/html' })],
    ['a code that a line of the vendor calls transient', () => get().reply(400, { code: 'locked' })],
  ])('tries again after %s', async (_, trouble) => {
    trouble()
    get().reply(200, { ok: true })
    const { http } = client()
    expect((await http.request({ path: '/things' })).body).toEqual({ ok: true })
    expect(http.used).toMatchObject({ requests: 2, retries: 1 })
  })

  it.each([
    [400, 'permanent'],
    [401, 'auth'],
    [403, 'permission'],
    [404, 'permanent'],
    [413, 'too_large'],
  ])('does not repeat %i: %s', async (status, reason) => {
    get().reply(status, { code: 'no', message: 'No, ana@example.test +33123456789 may not.' })
    const { http } = client()
    const failure = await failureOf(http.request({ path: '/things' }))
    expect(failure).toMatchObject({ reason, where: { status, code: 'no', connection: 'c' } })
    expect(failure.message).toContain('Vendor answered GET /things with')
    expect(failure.message).not.toMatch(/ana@|33123456789/)
    expect(http.used.requests).toBe(1)
  })

  it.each([
    ['seconds', '7', 7_000],
    ['a date', new Date(Date.parse('2026-11-25T10:00:09Z')).toUTCString(), 9_000],
    ['0', '0', 0],
    ['a negative number', '-5', 2],
    ['rubbish', 'soon', 2],
    ['nothing', undefined, 2],
  ])('waits when 429 says %s', async (_, retryAfter, ms) => {
    get().reply(429, {}, retryAfter === undefined ? {} : { 'retry-after': retryAfter })
    get().reply(200, { ok: true })
    const { http, slept } = client()
    await http.request({ path: '/things' })
    expect(slept.reduce((sum, one) => sum + one, 0)).toBe(ms)
    expect(http.used.retries).toBe(1)
  })

  it('hands a wait of more than a minute back', async () => {
    get().reply(429, {}, { 'retry-after': '3600' })
    const failure = await failureOf(client().http.request({ path: '/things' }))
    expect(failure).toMatchObject({ reason: 'throttled', where: { waitUntil: '2026-11-25T11:00:00.000Z' } })
  })

  it('does not ask for ever when it is refused for ever', async () => {
    get().times(20).reply(429, {}, { 'retry-after': '0' })
    const { http } = client()
    expect(await failureOf(http.request({ path: '/things' }))).toMatchObject({
      reason: 'throttled',
      where: { waitUntil: expect.any(String) },
    })
    expect(http.used.requests).toBeLessThan(10)
  })

  it('stops calling an account that fails again and again', async () => {
    get().times(50).reply(500, {})
    const { clock } = fake()
    const accounts = createAccounts(clock)
    const first = client({ key: secret }, { accounts, clock })
    await failureOf(first.http.request({ path: '/things' }))
    const second = client({ key: secret }, { accounts, clock })
    const failure = await failureOf(second.http.request({ path: '/things' }))
    expect(failure).toMatchObject({ reason: 'throttled', where: { waitUntil: expect.any(String) } })
    expect(failure.message).toContain('in a row')
    expect(first.http.used.requests + second.http.used.requests).toBe(8)
  })

  it.each(['https://evil.example/things', '//evil.example/things', 'http://api.vendor.example/things', 'https://169.254.169.254/latest'])(
    'sends nothing to %s',
    async (path) => {
      const failure = await failureOf(client().http.request({ path }))
      expect(failure.reason).toBe('config')
    },
  )

  it('follows a redirect at home and none abroad', async () => {
    get('/old').reply(301, '', { location: '/things' })
    get().reply(200, { ok: true })
    expect((await client().http.request({ path: '/old' })).body).toEqual({ ok: true })
    get('/old').reply(302, '', { location: 'https://evil.example/things' })
    expect(await failureOf(client().http.request({ path: '/old' }))).toMatchObject({ reason: 'config' })
    get('/loop').times(9).reply(302, '', { location: '/loop' })
    expect(await failureOf(client(undefined, { limits: { retries: 0 } }).http.request({ path: '/loop' }))).toMatchObject({
      reason: 'transient',
    })
  })

  it('keeps a prefix of base_url, and its port is part of the origin', async () => {
    nock('http://vendor.test:8787').get('/vendor/things').reply(200, { ok: true })
    const { http } = client(undefined, { baseUrl: 'http://vendor.test:8787/vendor/' })
    expect((await http.request({ path: '/things' })).body).toEqual({ ok: true })
    expect((await failureOf(http.request({ path: 'http://vendor.test:9999/things' }))).reason).toBe('config')
  })

  it('says nothing of its credential when things go wrong', async () => {
    const troubles = [
      () => get().replyWithError(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })),
      () => get().reply(401, { message: 'who?' }),
      () => get().reply(200, '<html>', { 'content-type': 'text/html' }),
    ]
    for (const trouble of troubles) {
      trouble()
      const failure = await failureOf(client(undefined, { limits: { retries: 0 } }).http.request({ path: '/things' }))
      const { inspect } = await import('node:util')
      expect(inspect(failure, { depth: 10 }) + JSON.stringify(failure)).not.toContain(secret.slice(0, 12))
    }
  })

  it('stops at once when it is told to', async () => {
    get().delay(5_000).reply(200, {})
    const abort = new AbortController()
    const { http } = client(undefined, { signal: abort.signal })
    const asked = http.request({ path: '/things' })
    setTimeout(() => abort.abort(new Error('stop')), 20)
    await expect(asked).rejects.toThrow('stop')
  })

  it('spends the day’s quota that the user set, over all endpoints', async () => {
    get('/a').reply(200, {})
    get('/b').reply(200, {})
    const { http } = client(undefined, { budget: { perDay: 2 } })
    await http.request({ path: '/a' })
    await http.request({ path: '/b' })
    expect(await failureOf(http.request({ path: '/a' }))).toMatchObject({
      reason: 'throttled',
      where: { waitUntil: expect.stringContaining('2026-11-26') },
    })
  })
})

describe('time-outs', () => {
  it.each([
    ['a server that says nothing', { silentMs: 60, totalMs: 5_000 }, () => undefined],
    [
      'a body that drips',
      { silentMs: 5_000, totalMs: 120 },
      (write: (text: string) => void) => {
        setInterval(() => write(' '), 20).unref()
      },
    ],
  ])('give up on %s', async (_, limits, drip) => {
    const server = createServer((__, response) => {
      if (_.includes('drips')) response.writeHead(200, { 'content-type': 'application/json' })
      drip((text) => void response.write(text))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    nock.enableNetConnect('127.0.0.1')
    const startedAt = Date.now()
    const failure = await failureOf(client(undefined, { baseUrl, limits: { ...limits, retries: 0 } }).http.request({ path: '/' }))
    expect(failure.reason).toBe('transient')
    expect(Date.now() - startedAt).toBeLessThan(10_000)
    server.closeAllConnections()
    server.close()
    nock.disableNetConnect()
  })
})

describe('OAuth', () => {
  const grant = (access: string, refresh?: string) =>
    ({ access_token: access, ...(refresh ? { refresh_token: refresh } : {}), expires_in: 1_000 }) as const
  function store(): TokenStore & { kept: StoredToken | undefined } {
    const held: TokenStore & { kept: StoredToken | undefined } = {
      kept: undefined,
      read: () => Promise.resolve(held.kept),
      update: async (_, refresh) => {
        held.kept = await refresh(held.kept)
        return held.kept
      },
    }
    return held
  }
  const things = (token: string) => nock(origin, { reqheaders: { authorization: `Bearer ${token}` } }).get('/things')

  it('refreshes once for many requests, and keeps the rotated token', async () => {
    nock(origin)
      .post('/token', { grant_type: 'refresh_token', refresh_token: 'first', client_id: 'id', client_secret: secret })
      .once()
      .reply(200, grant('A', 'second'))
    things('A').times(3).reply(200, {})
    const tokens = store()
    const { http } = client({ key: 'k', refresh: 'first' }, { tokens })
    await Promise.all([1, 2, 3].map(() => http.request({ path: '/things' })))
    expect(tokens.kept).toMatchObject({ accessToken: 'A', refreshToken: 'second', expiresAt: '2026-11-25T10:13:20.000Z' })
  })

  it('renews once on a 401, with the token that was kept', async () => {
    const tokens = store()
    nock(origin)
      .post('/token', /refresh_token=first/)
      .reply(200, grant('A', 'second'))
    things('A').times(2).reply(401, { code: 'expired' })
    nock(origin)
      .post('/token', /refresh_token=second/)
      .once()
      .reply(200, grant('B', 'third'))
    things('B').times(2).reply(200, { ok: true })
    const { http } = client({ key: 'k', refresh: 'first' }, { tokens })
    const answers = await Promise.all([1, 2].map(() => http.request({ path: '/things' })))
    expect(answers.map(({ body }) => body)).toEqual([{ ok: true }, { ok: true }])
    expect(tokens.kept?.refreshToken).toBe('third')
  })

  it('gives up when the new token is refused, too', async () => {
    nock(origin).post('/token').times(2).reply(200, grant('A'))
    things('A').times(5).reply(401, {})
    const failure = await failureOf(client({ key: 'k', refresh: 'first' }).http.request({ path: '/things' }))
    expect(failure.reason).toBe('auth')
  })

  it('asks the token endpoint again when that is down, and stops when it refuses', async () => {
    nock(origin).post('/token').times(2).reply(503, {})
    nock(origin).post('/token').reply(200, grant('A'))
    things('A').reply(200, { ok: true })
    expect((await client({ key: 'k', refresh: 'first' }).http.request({ path: '/things' })).body).toEqual({ ok: true })
    nock(origin).post('/token').reply(400, { error: 'invalid_grant' })
    const failure = await failureOf(client({ key: 'k', refresh: 'first' }).http.request({ path: '/things' }))
    expect(failure).toMatchObject({ reason: 'auth', isFinal: true })
    expect(failure.message).toContain('Authorize Weir again')
  })

  it('starts anew when the configured token has changed', async () => {
    const tokens = store()
    tokens.kept = { accessToken: 'old', refreshToken: 'old', expiresAt: '2026-11-25T12:00:00.000Z', origin: 'another' }
    nock(origin)
      .post('/token', /refresh_token=first/)
      .reply(200, grant('A'))
    things('A').reply(200, { ok: true })
    await client({ key: 'k', refresh: 'first' }, { tokens }).http.request({ path: '/things' })
    expect(tokens.kept.accessToken).toBe('A')
  })
})
