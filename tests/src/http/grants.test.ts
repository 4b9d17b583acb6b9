import { createVerify, generateKeyPairSync } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import type { StoredToken, TokenStore } from '../../../src/core/ports.js'
import type { Auth } from '../../../src/http/api.js'
import { jwtBearer, signedJwt } from '../../../src/http/jwt.js'
import { api, client, failureOf, type Served, serve } from './support.js'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const servers: Served[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

const oauth = { kind: 'oauth', tokenUrl: '/token', clientId: 'id', clientSecret: 'client-secret-0123456789', basic: false } as const
const withAuth = (auth: Partial<Extract<Auth, { kind: 'oauth' }>>) => ({ ...api, auth: () => ({ ...oauth, ...auth }) })

const formOf = async (request: IncomingMessage) => {
  let text = ''
  for await (const part of request) text += String(part)
  return Object.fromEntries(new URLSearchParams(text))
}

/** A token endpoint; the n-th request is answered by what `answer` makes of n. */
async function tokens(answer: (count: number) => { status?: number; body: object }) {
  const forms: Record<string, string>[] = []
  const server = await serve(async (request, response) => {
    forms.push(await formOf(request))
    const { status = 200, body } = answer(forms.length)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  servers.push(server)
  return { url: server.url, forms }
}

async function home(isGood: (authorization: string | undefined) => boolean = () => true) {
  const server = await serve(({ headers }, response) => {
    const good = isGood(headers.authorization)
    response.writeHead(good ? 200 : 401, { 'content-type': 'application/json' }).end(good ? '{"ok":true}' : '{"code":"expired"}')
  })
  servers.push(server)
  return server
}

function store() {
  const held: { token?: StoredToken } = {}
  const kept: TokenStore = {
    read: () => Promise.resolve(held.token),
    update: async (_, refresh) => {
      held.token = await refresh(held.token)
      return held.token
    },
  }
  return { held, kept }
}

describe('a grant of the connector’s own', () => {
  it('may be a signed statement, made anew for each token', async () => {
    const grant = (_: string | undefined, now: Date) => ({
      grant_type: jwtBearer,
      assertion: signedJwt({ iss: 'id', sub: 'somebody', exp: Math.floor(now.getTime() / 1_000) + 180 }, pem.replaceAll('\n', '\\n')),
    })
    const { url, forms } = await tokens((count) => ({ body: { access_token: `access-${count}`, instance_url: at.url } }))
    const at = await home((authorization) => authorization === 'Bearer access-2')
    const { held, kept } = store()
    const { http } = client({ baseUrl: url, api: withAuth({ grant, secrets: [pem], originField: 'instance_url' }), tokens: kept })
    expect((await http.request({ path: '/x' })).body).toEqual({ ok: true })
    expect(forms).toHaveLength(2)
    expect(Object.keys(forms[0]!)).toEqual(['grant_type', 'assertion'])
    const [header, claims, signature] = forms[1]!.assertion!.split('.')
    expect(JSON.parse(Buffer.from(header!, 'base64url').toString())).toEqual({ alg: 'RS256', typ: 'JWT' })
    expect(JSON.parse(Buffer.from(claims!, 'base64url').toString())).toEqual({ iss: 'id', sub: 'somebody', exp: 1_795_600_980 })
    expect(createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, signature!, 'base64url')).toBe(true)
    expect(held.token).toMatchObject({ accessToken: 'access-2', apiUrl: at.url })
    expect(held.token).not.toHaveProperty('refreshToken')
  })

  it('may be the client alone', async () => {
    const { url, forms } = await tokens(() => ({ body: { access_token: 'access', instance_url: at.url } }))
    const at = await home()
    const grant = () => ({ grant_type: 'client_credentials', client_id: 'id', client_secret: oauth.clientSecret })
    await client({ baseUrl: url, api: withAuth({ grant, originField: 'instance_url' }) }).http.request({ path: '/x' })
    expect(forms).toEqual([{ grant_type: 'client_credentials', client_id: 'id', client_secret: oauth.clientSecret }])
  })

  it('is asked with the refresh token that the vendor rotated last', async () => {
    const { url, forms } = await tokens((count) => ({
      body: { access_token: `access-${count}`, refresh_token: `refresh-${count}`, instance_url: at.url },
    }))
    const at = await home((authorization) => authorization === 'Bearer access-2')
    const grant = (refreshToken = '') => ({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'id' })
    await client({ baseUrl: url, api: withAuth({ grant, refreshToken: 'first', originField: 'instance_url' }) }).http.request({
      path: '/x',
    })
    expect(forms.map((form) => form.refresh_token)).toEqual(['first', 'refresh-1'])
  })

  it('starts anew from another key', async () => {
    const { url, forms } = await tokens((count) => ({ body: { access_token: `access-${count}`, instance_url: at.url } }))
    const at = await home()
    const { kept } = store()
    const ask = (key: string) => {
      const own = withAuth({ grant: () => ({ grant_type: jwtBearer }), secrets: [key], originField: 'instance_url' })
      return client({ baseUrl: url, api: own, tokens: kept }).http.request({ path: '/x' })
    }
    await ask('key one')
    await ask('key one')
    expect(forms).toHaveLength(1)
    await ask('key two')
    expect(forms).toHaveLength(2)
  })

  it('that is refused names the vendor’s code and the connection', async () => {
    const { url } = await tokens(() => ({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'ana@example.test is inactive' },
    }))
    const failure = await failureOf(
      client({ baseUrl: url, api: withAuth({ grant: () => ({ grant_type: jwtBearer }), secrets: [pem] }) }).http.request({ path: '/x' }),
    )
    expect(failure).toMatchObject({ reason: 'auth', where: { code: 'invalid_grant', connection: 'c' } })
    expect(failure.message).not.toContain('ana@')
  })

  it.each(['no key', pem.slice(0, 200)])('with a key that cannot be read says so, and not the key', async (key) => {
    const grant = () => ({ assertion: signedJwt({}, key) })
    const failure = await failureOf(client({ api: withAuth({ grant }) }).http.request({ path: '/x' }))
    expect(failure.reason).toBe('config')
    expect(failure.message).not.toContain(key.slice(0, 30))
    expect(failure.cause).toBeUndefined()
  })
})

describe('the place that a token’s answer names', () => {
  it('takes every request, whole links included, and no other place does', async () => {
    const { url, forms } = await tokens(() => ({ body: { access_token: 'access', instance_url: at.url } }))
    const at = await home()
    const { http } = client({ baseUrl: url, api: withAuth({ refreshToken: 'first', originField: 'instance_url' }) })
    await http.request({ path: '/x' })
    await http.request({ path: `${at.url}/next` })
    expect(await failureOf(http.request({ path: `${url}/token` }))).toMatchObject({ reason: 'config' })
    expect(at.seen.map((one) => one.url)).toEqual(['/x', '/next'])
    expect(forms).toHaveLength(1)
  })

  it('may change with the token', async () => {
    const { url } = await tokens((count) => ({ body: { access_token: `access-${count}`, instance_url: (count === 1 ? old : at).url } }))
    const old = await home(() => false)
    const at = await home()
    await client({ baseUrl: url, api: withAuth({ refreshToken: 'first', originField: 'instance_url' }) }).http.request({ path: '/x' })
    expect([old.seen, at.seen].map((seen) => seen.map(({ authorization }) => authorization))).toEqual([
      ['Bearer access-1'],
      ['Bearer access-2'],
    ])
  })

  it.each(['https://evil.example', 'http://10.0.0.1', 'http://169.254.169.254', 'file:///etc/passwd', 'nowhere', ''])(
    'is not %s for a connection to this machine',
    async (instance_url) => {
      const { url } = await tokens(() => ({ body: { access_token: 'access', instance_url } }))
      const { http } = client({ baseUrl: url, api: withAuth({ refreshToken: 'first', originField: 'instance_url' }) })
      expect(await failureOf(http.request({ path: '/x' }))).toMatchObject({ reason: 'config', isFinal: true })
      expect(http.used.requests).toBe(1)
    },
  )
})
