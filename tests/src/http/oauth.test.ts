import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import type { StoredToken, TokenStore } from '../../../src/core/ports.js'
import { client, failureOf, notedClock, type Served, serve } from './support.js'

/** A store that notes what happens, and takes its time as a database does. */
function store(kept?: StoredToken) {
  const events: string[] = []
  let lock = Promise.resolve()
  const rest = () => new Promise((resolve) => setTimeout(resolve, 5))
  const tokens: TokenStore = {
    async read() {
      await rest()
      return held.kept
    },
    update(_, refresh) {
      const turn = lock.then(async () => {
        const fresh = await refresh(held.kept)
        await rest()
        held.kept = fresh
        events.push(`stored ${fresh.accessToken}`)
        return fresh
      })
      lock = turn.then(
        () => undefined,
        () => undefined,
      )
      return turn
    },
  }
  const held = { kept, events, tokens }
  return held
}

/** A vendor whose tokens are good until it says otherwise; each refresh rotates, and an old refresh token is refused. */
async function vendor(
  events: string[],
  { lifeSeconds = 1_000, refuse = () => 0 }: { lifeSeconds?: number; refuse?: (count: number) => number } = {},
) {
  let given = 0
  let good = ''
  let refresh = 'first'
  const asked = { tokens: 0, things: 0 }
  const reply = (response: ServerResponse, status: number, body: unknown) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const read = async (request: IncomingMessage) => {
    let text = ''
    for await (const part of request) text += String(part)
    return new URLSearchParams(text)
  }
  const server: Served = await serve(async (request, response) => {
    if (request.url === '/token') {
      const status = refuse(++asked.tokens)
      const token = (await read(request)).get('refresh_token')
      if (status) return reply(response, status, { error: 'no' })
      if (token !== refresh) return reply(response, 400, { error: 'invalid_grant' })
      good = `access-${++given}`
      refresh = `refresh-${given}`
      return reply(response, 200, { access_token: good, refresh_token: refresh, expires_in: lifeSeconds })
    }
    asked.things++
    const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
    if (!events.includes(`used ${token}`)) events.push(`used ${token}`)
    return reply(response, token === good ? 200 : 401, token === good ? { ok: true } : { code: 'expired' })
  })
  return { url: server.url, close: server.close, asked, expire: () => (good = '') }
}

const settings = { refresh: 'first' }
let close: () => void = () => undefined
afterEach(() => close())

describe('OAuth', () => {
  it('refreshes once for twenty requests at once, and stores the token before it is used', async () => {
    const { tokens, events } = store()
    const { url, asked, expire, ...server } = await vendor(events)
    close = server.close
    const { http } = client({ baseUrl: url, settings, tokens })
    await Promise.all(Array.from({ length: 20 }, () => http.request({ path: '/x' })))
    expect(asked).toEqual({ tokens: 1, things: 20 })
    expire()
    await Promise.all(Array.from({ length: 20 }, () => http.request({ path: '/x' })))
    expect(asked).toEqual({ tokens: 2, things: 60 })
    expect(events).toEqual(['stored access-1', 'used access-1', 'stored access-2', 'used access-2'])
  })

  it('refreshes once for two workers, who find the token under the store’s lock', async () => {
    const { tokens, events } = store()
    const { url, asked, expire, ...server } = await vendor(events)
    close = server.close
    const workers = [1, 2, 3].map(() => client({ baseUrl: url, settings, tokens }).http)
    const all = () => Promise.all(workers.flatMap((http) => [http.request({ path: '/x' }), http.request({ path: '/y' })]))
    await all()
    expect(asked.tokens).toBe(1)
    expire()
    await all()
    expect(asked.tokens).toBe(2)
  })

  it('refreshes when four fifths of a token’s life are over', async () => {
    const { tokens, events } = store()
    const { url, asked, ...server } = await vendor(events)
    close = server.close
    const { clock, turn } = notedClock()
    const { http } = client({ baseUrl: url, settings, tokens, clock })
    await http.request({ path: '/x' })
    turn(799_000)
    await http.request({ path: '/x' })
    expect(asked.tokens).toBe(1)
    turn(1_000)
    await http.request({ path: '/x' })
    expect(asked.tokens).toBe(2)
  })

  it.each([500, 503, 429])('asks again when the token endpoint answers %i', async (status) => {
    const { tokens, events } = store()
    const { url, asked, ...server } = await vendor(events, { refuse: (count) => (count < 3 ? status : 0) })
    close = server.close
    expect((await client({ baseUrl: url, settings, tokens }).http.request({ path: '/x' })).status).toBe(200)
    expect(asked).toEqual({ tokens: 3, things: 1 })
  })

  it('names the connection when the token is refused for good, and asks once', async () => {
    const { tokens, events } = store()
    const { url, asked, ...server } = await vendor(events, { refuse: () => 400 })
    close = server.close
    const failure = await failureOf(client({ baseUrl: url, settings, tokens }).http.request({ path: '/x' }))
    expect(failure).toMatchObject({ reason: 'auth', isFinal: true, where: { connection: 'c', status: 400 } })
    expect(failure.message).toContain('connection c')
    expect(asked).toEqual({ tokens: 1, things: 0 })
  })

  it.each([404, 403])('does not take %i without a word of the vendor for a refusal', async (status) => {
    const server = await serve((_, response) => void response.writeHead(status, { 'content-type': 'text/html' }).end('<html>'))
    close = server.close
    expect((await failureOf(client({ baseUrl: server.url, settings }).http.request({ path: '/x' }))).reason).toBe('transient')
  })

  it('gives a second refusal to whoever must act', async () => {
    const { tokens, events } = store()
    const server = await serve(({ url }, response) => {
      const isToken = url === '/token'
      const body = isToken ? { access_token: `a-${Math.random()}`, expires_in: 1_000 } : { code: 'no' }
      response.writeHead(isToken ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    close = server.close
    expect((await failureOf(client({ baseUrl: server.url, settings, tokens }).http.request({ path: '/x' }))).reason).toBe('auth')
    expect(server.seen.map(({ url }) => url)).toEqual(['/token', '/x', '/token', '/x'])
    expect(events.filter((event) => event.startsWith('stored'))).toHaveLength(2)
  })

  it('starts anew from a first token that was changed, and not from one that was not', async () => {
    const { tokens, events } = store({
      accessToken: 'x',
      refreshToken: 'stale',
      expiresAt: '2027-01-01T00:00:00Z',
      origin: 'of another token',
    })
    const { url, asked, ...server } = await vendor(events)
    close = server.close
    await client({ baseUrl: url, settings, tokens }).http.request({ path: '/x' })
    await client({ baseUrl: url, settings, tokens }).http.request({ path: '/x' })
    expect(asked.tokens).toBe(1)
  })

  it.each([undefined, null, 'soon', -1, 0, '1e400', 1e300])('takes a token for half an hour whose life is said to be %j', async (life) => {
    const { tokens, ...held } = store()
    const server = await serve(({ url }, response) => {
      const body = url === '/token' ? `{"access_token":"a","expires_in":${life === '1e400' ? life : JSON.stringify(life ?? null)}}` : '{}'
      response.writeHead(200, { 'content-type': 'application/json' }).end(body)
    })
    close = server.close
    await client({ baseUrl: server.url, settings, tokens }).http.request({ path: '/x' })
    await tokens.update('c', (kept) => {
      expect(kept?.expiresAt).toBe('2026-11-25T10:24:00.000Z')
      return Promise.resolve(kept!)
    })
    expect(held.events[0]).toBe('stored a')
  })
})
