import { afterEach, describe, expect, it } from 'vitest'
import { createAccounts } from '../../../src/http/budget.js'
import { client, failureOf, good, notedClock, reply, type Served, serve } from './support.js'

let server: Served
afterEach(() => server.close())
const waitedMs = (slept: readonly number[]) => slept.reduce((sum, one) => sum + one, 0)
const json = { 'content-type': 'application/json' }

describe('a refusal for the rate', () => {
  it.each([
    ['7', 7_000],
    ['0.5', 500],
    ['Wed, 25 Nov 2026 10:00:09 GMT', 9_000],
    ['Wednesday, 25-Nov-26 10:00:09 GMT', 9_000],
    ['Wed Nov 25 10:00:09 2026', 9_000],
    ['2026-11-25T10:00:09Z', 9_000],
    ['Wed, 25 Nov 2026 09:00:00 GMT', 0],
    ['0', 0],
    // Rubbish: twice the first wait between tries.
    ['-5', 2],
    ['soon', 2],
    ['in 5', 2],
    ['1e9', 2],
    ['', 2],
  ])('with Retry-After %j', async (value, ms) => {
    server = await serve(reply(429, '{}', { ...json, 'retry-after': value }), good)
    const { http, slept } = client({ baseUrl: server.url })
    await http.request({ path: '/x' })
    expect(waitedMs(slept)).toBe(ms)
    expect(http.used).toMatchObject({ requests: 2, retries: 1 })
  })

  it.each([
    ['61', '2026-11-25T10:01:01.000Z'],
    ['Thu, 26 Nov 2026 00:00:00 GMT', '2026-11-26T00:00:00.000Z'],
    // More than an instant can hold.
    ['99999999999999999999', '2027-11-26T10:00:00.000Z'],
  ])('that lasts is handed back, with its end: %s', async (value, waitUntil) => {
    server = await serve(reply(429, '{}', { ...json, 'retry-after': value }))
    const { http, slept } = client({ baseUrl: server.url })
    expect(await failureOf(http.request({ path: '/x' }))).toMatchObject({ reason: 'throttled', where: { waitUntil, status: 429 } })
    expect(slept).toEqual([])
    // Whoever shares the budget does not call before, either.
    expect(await failureOf(http.request({ path: '/x' }))).toMatchObject({ reason: 'throttled', where: { waitUntil } })
    expect(http.used.requests).toBe(1)
  })

  it('uses up no tries, but ends in a wait that is handed back', async () => {
    const storm = Array.from({ length: 6 }, () => reply(429, '{}'))
    server = await serve(...storm, good)
    expect((await client({ baseUrl: server.url, limits: { retries: 0 } }).http.request({ path: '/x' })).body).toEqual({ ok: true })
    server.close()
    server = await serve(reply(429, '{}', { ...json, 'retry-after': '0' }))
    const { http, slept, clock } = client({ baseUrl: server.url, limits: { retryMs: 500 } })
    const failure = await failureOf(http.request({ path: '/x' }))
    expect(failure.reason).toBe('throttled')
    expect(Date.parse(failure.where.waitUntil!) - clock.now().getTime()).toBeGreaterThanOrEqual(15_000)
    // Told "at once" it tries at once, one time; then it waits for longer and longer.
    expect(server.seen).toHaveLength(7)
    expect(slept).toEqual([...slept].sort((a, b) => a - b))
    expect(slept.length).toBeGreaterThanOrEqual(5)
  })

  it('rests all that share the budget', async () => {
    server = await serve(reply(429, '{}', { ...json, 'retry-after': '20' }), good)
    const { http, clock } = client({ baseUrl: server.url })
    const startedAt = clock.now().getTime()
    await http.request({ path: '/x' })
    await http.request({ path: '/x' })
    expect(clock.now().getTime() - startedAt).toBe(20_000)
  })
})

describe('a vendor that is down', () => {
  it('is asked again, then given up for now', async () => {
    server = await serve(reply(500, '{}'), reply(503), good)
    const first = client({ baseUrl: server.url })
    expect((await first.http.request({ path: '/x' })).status).toBe(200)
    expect(first.http.used).toMatchObject({ requests: 3, retries: 2 })
    server.close()
    server = await serve(reply(502, '<html>', { 'content-type': 'text/html' }))
    const second = client({ baseUrl: server.url, limits: { retries: 4 } })
    expect(await failureOf(second.http.request({ path: '/x' }))).toMatchObject({
      reason: 'transient',
      isFinal: false,
      where: { status: 502 },
    })
    expect(second.http.used).toMatchObject({ requests: 5, retries: 4 })
  })

  it('is not called earlier than it says', async () => {
    server = await serve(reply(503, '{}', { ...json, 'retry-after': '30' }), good)
    const short = client({ baseUrl: server.url })
    await short.http.request({ path: '/x' })
    expect(waitedMs(short.slept)).toBe(30_000)
    server.close()
    server = await serve(reply(503, '{}', { ...json, 'retry-after': '3600' }))
    const long = client({ baseUrl: server.url })
    expect(await failureOf(long.http.request({ path: '/x' }))).toMatchObject({
      reason: 'throttled',
      where: { waitUntil: '2026-11-25T11:00:00.000Z' },
    })
    expect(long.http.used.requests).toBe(1)
  })

  it('is left alone after eight failures, tried by one when the rest is over, and then called again', async () => {
    let isDown = true
    server = await serve((request, response) => (isDown ? reply(500, '{}') : good)(request, response))
    const { clock, turn } = notedClock()
    const accounts = createAccounts(clock)
    const { http } = client({ baseUrl: server.url, clock, accounts, limits: { retries: 0 } })
    // Many at once: however many were under way, the first rest is fifteen seconds.
    const failures = await Promise.all(Array.from({ length: 20 }, () => failureOf(http.request({ path: '/x' }))))
    expect(failures.filter(({ reason }) => reason === 'transient').length).toBeGreaterThanOrEqual(8)
    const resting = await failureOf(http.request({ path: '/x' }))
    expect(resting).toMatchObject({ reason: 'throttled', where: { waitUntil: new Date(clock.now().getTime() + 15_000).toISOString() } })
    const before = server.seen.length
    turn(15_000)
    const tried = await Promise.all([1, 2, 3].map(() => failureOf(http.request({ path: '/x' }))))
    expect(tried.map(({ reason }) => reason).sort()).toEqual(['throttled', 'throttled', 'transient'])
    expect(server.seen).toHaveLength(before + 1)
    isDown = false
    turn(30_000)
    await http.request({ path: '/x' })
    await Promise.all([1, 2, 3].map(() => http.request({ path: '/x' })))
  })

  it.each([400, 403, 404, 429])('is not what %i says', async (status) => {
    server = await serve(...Array.from({ length: 12 }, () => reply(status, '{"code":"no"}', { ...json, 'retry-after': '90' })), good)
    const { clock, turn } = notedClock()
    const { http } = client({ baseUrl: server.url, clock })
    for (let i = 0; i < 12; i++) {
      await failureOf(http.request({ path: '/x' }))
      turn(91_000)
    }
    expect((await http.request({ path: '/x' })).status).toBe(200)
  })
})
