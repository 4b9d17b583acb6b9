import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { createMask } from '../../../src/http/secrets.js'
import { client, failureOf, reply, type Served, secret, serve } from './support.js'

const base64 = Buffer.from(secret).toString('base64')
const forms = [secret, encodeURIComponent(secret), base64, Buffer.from(secret).toString('base64url')]
const told = (failure: Error) =>
  `${failure.message}\n${failure.stack}\n${JSON.stringify(failure)}\n${inspect(failure, { depth: 10, showHidden: true })}`

function expectClean(failure: Error) {
  for (const form of forms) expect(told(failure)).not.toContain(form.slice(0, 12))
}

/** A vendor's words that quote what it was sent. */
const quoting = [secret, `Bearer ${secret}`, encodeURIComponent(secret), base64, `${secret.slice(0, 14)}…`].map(
  (key) => `The key "${key}" is wrong.`,
)
const body = (message: string) => JSON.stringify({ code: `invalid_${secret}`, message })

let server: Served
afterEach(() => server.close())

describe('a failure says nothing of the credential', () => {
  it.each([400, 401, 403, 404, 413, 429, 500])('when the vendor quotes it with %i', async (status) => {
    server = await serve(
      ...quoting.map((message) => reply(status, body(message), { 'content-type': 'application/json', 'retry-after': '90' })),
    )
    for (const message of quoting) {
      const { http } = client({ baseUrl: server.url, limits: { retries: 0 } })
      const failure = await failureOf(http.request({ path: '/x' }))
      expectClean(failure)
      expect(failure.name).toBe('Failure')
      expect(failure.message, message).toContain('is wrong')
    }
  })

  it.each([
    ['is lost', (request: { socket: { destroy: () => void } }) => request.socket.destroy()],
    ['is no JSON', reply(200, `{"key":"${secret}"`)],
    ['is HTML', reply(200, `<p>${secret}</p>`, { 'content-type': `text/html; key=${secret}` })],
    ['leads elsewhere', reply(302, '', { location: `http://127.0.0.1:1/?key=${secret}` })],
    ['leads nowhere', reply(302, '', { location: `http://` })],
    ['is too large', reply(200, `{"key":"${secret.repeat(500)}"}`)],
  ])('when the answer %s', async (_, answer) => {
    server = await serve(answer)
    expectClean(await failureOf(client({ baseUrl: server.url, limits: { retries: 0, maxBytes: 5_000 } }).http.request({ path: '/x' })))
  })

  it('when there is no server, or no time', async () => {
    server = await serve(() => undefined)
    const slow = client({ baseUrl: server.url, limits: { retries: 0, silentMs: 50 } })
    expectClean(await failureOf(slow.http.request({ path: '/x' })))
    const none = client({ baseUrl: 'http://127.0.0.1:1', limits: { retries: 0 } })
    expectClean(await failureOf(none.http.request({ path: '/x', query: { q: 1 } })))
  })

  it.each([400, 403, 500])('when the token endpoint quotes it with %i', async (status) => {
    server = await serve(reply(status, body(quoting[0]!)))
    const { http } = client({ baseUrl: server.url, settings: { refresh: secret }, limits: { retries: 0 } })
    expectClean(await failureOf(http.request({ path: '/x' })))
  })

  it('when the vendor quotes a token that it gave a moment ago', async () => {
    const grant = reply(200, JSON.stringify({ access_token: secret, refresh_token: `next ${secret}`, expires_in: 60 }))
    server = await serve(grant, reply(400, body(quoting[1]!)))
    expectClean(await failureOf(client({ baseUrl: server.url, settings: { refresh: 'x' } }).http.request({ path: '/x' })))
  })
})

describe('a mask', () => {
  it('leaves all other words alone, and short ones even where they are secret', () => {
    const mask = createMask()
    expect(mask.of('nothing is known')).toBe('nothing is known')
    mask.learn('Bearer abc', 'Key one.two(three)+four$five', '')
    expect(mask.of('abc one.two three one-two(three)+four')).toBe('abc one.two three one-two(three)+four')
    expect(mask.of('key=one.two(three)+four$five!')).not.toContain('one.two(three')
  })
})
