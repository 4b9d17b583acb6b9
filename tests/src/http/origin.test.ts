import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { atOrigin, homeOf } from '../../../src/http/origin.js'
import { api, client, failureOf, good, reply, type Served, secret, serve } from './support.js'

/** Where a client may not go: it listens, and nobody must ever call. */
let evil: Served
let home: Served
let target = ''
beforeAll(async () => {
  evil = await serve(good)
  home = await serve(({ url = '' }, response) => {
    if (url.includes('/to-evil')) response.writeHead(302, { location: target }).end()
    else if (url.includes('/hop/')) {
      const left = Number(url.split('/').at(-1))
      response.writeHead(307, { location: left > 1 ? `../hop/${left - 1}` : '/done?x=1' }).end()
    } else response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
  })
})
afterAll(() => {
  evil.close()
  home.close()
})
const hostOf = (url: string) => new URL(url).host

describe('a credential', () => {
  const ways: Record<string, () => string> = {
    'another host': () => `${evil.url}/x`,
    'another host without a scheme': () => `//${hostOf(evil.url)}/x`,
    'another host after backslashes': () => `\\\\${hostOf(evil.url)}\\x`,
    'another host after a slash and a backslash': () => `/\\${hostOf(evil.url)}/x`,
    'another host after a tab': () => `/\t/${hostOf(evil.url)}/x`,
    'another host after white space': () => ` \n${evil.url}/x`,
    'another host after the origin as a name': () => `http://${hostOf(home.url)}@${hostOf(evil.url)}/`,
    'another host in capitals': () => evil.url.toUpperCase(),
    'another port by name': () => home.url.replace('127.0.0.1', 'localhost'),
    'https where the origin is http': () => home.url.replace('http:', 'https:'),
    'a file': () => 'file:///etc/passwd',
    'a script': () => 'javascript:alert(1)',
    'no address': () => 'http://',
    'no port': () => 'http://127.0.0.1:99999/',
  }

  it.each(Object.entries(ways))('never leaves for %s, be it a link or a redirect', async (_, way) => {
    target = way()
    const before = home.seen.length
    const failure = await failureOf(client({ baseUrl: home.url }).http.request({ path: target }))
    expect(failure).toMatchObject({ name: 'Failure', reason: 'config', isFinal: true })
    expect(home.seen).toHaveLength(before)
    if (!/[\n\t]/.test(target)) {
      const { http } = client({ baseUrl: home.url })
      expect(await failureOf(http.request({ path: '/to-evil' }))).toMatchObject({ reason: 'config', isFinal: true })
      expect(http.used.requests).toBe(1)
    }
    expect(evil.seen).toEqual([])
  })

  it.each(['/api/../admin', '/api/lists/%2E%2e/x', '/api/..', '/a\\..\\b', '..', '/lists/../../x?q=1'])(
    'is not sent to %s',
    async (path) => {
      const before = home.seen.length
      expect(await failureOf(client({ baseUrl: `${home.url}/base` }).http.request({ path }))).toMatchObject({ reason: 'config' })
      expect(home.seen).toHaveLength(before)
    },
  )

  it.each(['/api/a..b', '/api/...', '/api/x?filter=..%2F&b=../\\', '/v1/x:search', 'x'])('is sent to %s', async (path) => {
    expect((await client({ baseUrl: `${home.url}/base` }).http.request({ path })).body).toEqual({ ok: true })
    expect(home.seen.at(-1)?.url).toMatch(/^\/base\//)
  })

  it('is not sent over plain http to a vendor of https', async () => {
    expect(await failureOf(client().http.request({ path: 'http://api.vendor.example/x' }))).toMatchObject({ reason: 'config' })
  })

  it('is not replaced by a name in a link', async () => {
    await client({ baseUrl: home.url }).http.request({ path: home.url.replace('//', '//somebody:else@') })
    expect(home.seen.at(-1)?.authorization).toBe(`Key ${secret}`)
  })

  it('goes along with three redirects at home, and no more', async () => {
    expect((await client({ baseUrl: home.url }).http.request({ path: '/a/hop/3' })).body).toEqual({ ok: true })
    expect(home.seen.at(-1)).toEqual({ url: '/done?x=1', authorization: `Key ${secret}` })
    const { http } = client({ baseUrl: home.url, limits: { retries: 0 } })
    expect(await failureOf(http.request({ path: '/a/hop/4' }))).toMatchObject({ reason: 'transient' })
    expect(http.used.requests).toBe(4)
  })

  it('goes to the token endpoint at the connection’s own origin, whatever it redirects to', async () => {
    const token = await serve((__, response) => response.writeHead(307, { location: `${evil.url}/token` }).end())
    const { http } = client({ baseUrl: token.url, settings: { refresh: 'first refresh token' } })
    expect(await failureOf(http.request({ path: '/x' }))).toMatchObject({ reason: 'config', where: { status: 307 } })
    expect(token.seen.map(({ url }) => url)).toEqual(['/token'])
    expect(evil.seen).toEqual([])
    token.close()
  })

  it('meets a body that is no redirect as any other refusal', async () => {
    const server = await serve(reply(304))
    expect(await failureOf(client({ baseUrl: server.url }).http.request({ path: '/x' }))).toMatchObject({ where: { status: 304 } })
    server.close()
  })
})

describe('where a vendor says that its API is', () => {
  const vendor = new URL('https://login.vendor.example')
  it.each(['https://eu7.vendor.example', 'https://eu7.vendor.example/base'])('may be %s', (url) => {
    expect(homeOf(url, vendor, api).href).toContain(url)
  })
  it.each([
    'http://eu7.vendor.example',
    'https://127.0.0.1',
    'https://localhost:8443',
    'https://10.0.0.1',
    'https://[::1]',
    'ftp://x',
    'x',
  ])('may not be %s', (url) => expect(() => homeOf(url, vendor, api)).toThrow('credentials do not go there'))
  it('is the connection’s own origin without a word', () => expect(homeOf(undefined, vendor, api)).toBe(vendor))
})

describe('a base_url', () => {
  const auth = { kind: 'oauth', tokenUrl: 'https://tokens.example/token', clientId: '', clientSecret: '', basic: false } as const
  it('moves a token endpoint that has a host of its own, too', () => {
    expect(atOrigin(auth, api, new URL('http://127.0.0.1:9'))).toMatchObject({ tokenUrl: 'http://127.0.0.1:9/token' })
    expect(atOrigin(auth, api, new URL(api.origin))).toBe(auth)
  })
})
