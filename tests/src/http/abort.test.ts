import { afterEach, describe, expect, it, vi } from 'vitest'
import { createAccounts } from '../../../src/http/budget.js'
import { client, good, reply, type Served, serve, timerClock } from './support.js'

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
const json = { 'content-type': 'application/json' }
let server: Served
afterEach(() => server.close())

describe('a signal', () => {
  it.each<[string, Parameters<typeof serve>[0]]>([
    ['waits for its answer', () => undefined],
    ['waits for the rest of its answer', (_, response) => void response.writeHead(200, json).write('{"a":')],
    ['waits before it tries again', reply(500, '{}')],
    ['waits for as long as the vendor said', reply(429, '{}', { ...json, 'retry-after': '30' })],
  ])('ends a request that %s, with its reason', { timeout: 15_000 }, async (_, answer) => {
    server = await serve(answer)
    const abort = new AbortController()
    const { http } = client({ baseUrl: server.url, clock: timerClock, signal: abort.signal, limits: { retryMs: 20_000 } })
    const reason = new Error('shutting down')
    const asked = http.request({ path: '/x' })
    asked.catch(() => undefined)
    await vi.waitFor(() => expect(server.seen).toHaveLength(1), 10_000)
    // The answer, where there is one, is in and judged: what is left is the wait.
    await new Promise((resolve) => setTimeout(resolve, 60))
    abort.abort(reason)
    // Without the abort it would hang, or wait for twenty seconds and more: the test's own time-out is shorter.
    await expect(asked).rejects.toBe(reason)
    await expect(http.request({ path: '/x' })).rejects.toBe(reason)
    expect(server.seen).toHaveLength(1)
  })

  it('ends those that wait for their turn, too, and leaves the account to others', async () => {
    const { promise: arrived, resolve: arrive } = withResolvers()
    // The first one is never answered, so the others wait for its place.
    server = await serve(() => arrive(), good)
    const accounts = createAccounts(timerClock)
    const abort = new AbortController()
    const shared = { baseUrl: server.url, budget: { requests: { count: 2, perMs: 50 }, concurrency: 1 }, clock: timerClock, accounts }
    const { http } = client({ ...shared, signal: abort.signal })
    const all = Promise.allSettled(Array.from({ length: 30 }, () => http.request({ path: '/x' })))
    await arrived
    const reason = new Error('shutting down')
    abort.abort(reason)
    expect((await all).filter((one) => one.status === 'rejected' && one.reason === reason)).toHaveLength(30)
    await client(shared).http.request({ path: '/other' })
    expect(server.seen.map(({ url }) => url)).toEqual(['/x', '/other'])
  })

  it('is not listened to any more when a request is over', async () => {
    server = await serve(good)
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      listeners++
      add(...given)
    }
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      listeners--
      remove(...given)
    }
    const { http } = client({ baseUrl: server.url, signal })
    await Promise.all(Array.from({ length: 40 }, () => http.request({ path: '/x' })))
    expect(listeners).toBe(0)
  })
})
