import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ people: 100, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
})
afterEach(() => {
  sandbox.faults.clear()
  sandbox.drift.clear()
  sandbox.clearRequests()
})
afterAll(() => sandbox.stop())

const headers = () => ({ authorization: `Klaviyo-API-Key ${sandbox.klaviyo.apiKey}`, revision: '2026-07-15' })
const get = (path = '/api/profiles') => fetch(sandbox.url + path, { headers: headers(), redirect: 'manual' })
const page = async (path?: string) =>
  (await (await get(path)).json()) as { data: { id: string; attributes: Record<string, unknown> }[]; links: { next: string | null } }
const admin = (path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') =>
  fetch(`${sandbox.url}/_sandbox${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })

describe('a fault', () => {
  it('touches as many fitting requests as it says, after those that it lets pass', async () => {
    const id = sandbox.faults.add({
      fault: { kind: 'status', status: 503 },
      vendor: 'klaviyo',
      path: '/api/prof*',
      query: { 'page[size]': '5' },
      skip: 1,
      count: 2,
    })
    const statuses = []
    for (const path of ['/api/profiles', ...Array.from({ length: 4 }, () => '/api/profiles?page[size]=5')])
      statuses.push((await get(path)).status)
    expect(statuses).toEqual([200, 200, 503, 503, 200])
    expect(sandbox.faults.list().find((rule) => rule.id === id)?.hits).toBe(2)
    expect(sandbox.requests({ status: 503 }).map(({ fault }) => fault)).toEqual(['status', 'status'])
  })

  it('429 carries the given Retry-After, or none', async () => {
    sandbox.faults.add({ fault: { kind: 'throttled', retryAfter: 'Fri, 20 Nov 2026 12:00:30 GMT' } })
    sandbox.faults.add({ fault: { kind: 'throttled' } })
    expect((await get()).headers.get('retry-after')).toBe('Fri, 20 Nov 2026 12:00:30 GMT')
    expect((await get()).headers.get('retry-after')).toBeNull()
  })

  it.each([
    { kind: 'reset', when: 'before' },
    { kind: 'reset', when: 'during' },
    { kind: 'cut', how: 'length' },
    { kind: 'cut', how: 'chunk' },
    { kind: 'broken-gzip' },
  ] as const)('$kind $when$how never gives a whole body', async (fault) => {
    sandbox.faults.add({ fault })
    await expect(get().then((response) => response.text())).rejects.toThrow()
    expect((await page()).data).toHaveLength(20)
  })

  it('a clean cut, HTML and nothing at all come with status 200', async () => {
    for (const fault of [{ kind: 'cut', how: 'clean' }, { kind: 'html' }, { kind: 'empty' }] as const) {
      sandbox.faults.add({ fault })
      const response = await get()
      expect(response.status).toBe(200)
      await expect(response.json()).rejects.toThrow()
    }
  })

  it('a slow answer is late, a dripping one later, a hanging one never comes', async () => {
    sandbox.faults.add({ fault: { kind: 'slow', ms: 120 } })
    const started = performance.now()
    await page()
    expect(performance.now() - started).toBeGreaterThan(115)
    sandbox.faults.add({ fault: { kind: 'hang' } })
    await expect(fetch(`${sandbox.url}/api/profiles`, { headers: headers(), signal: AbortSignal.timeout(100) })).rejects.toThrow()
    sandbox.faults.add({ fault: { kind: 'slow', ms: 20, drip: true } })
    await expect(
      fetch(`${sandbox.url}/api/profiles`, { headers: headers(), signal: AbortSignal.timeout(200) }).then((response) => response.text()),
    ).rejects.toThrow()
  })

  it('leads elsewhere by redirect or next link', async () => {
    sandbox.faults.add({ fault: { kind: 'redirect', origin: 'http://evil.example' } })
    expect((await get()).headers.get('location')).toBe('http://evil.example/api/profiles')
    sandbox.faults.add({ fault: { kind: 'next-host', origin: 'http://evil.example' } })
    expect((await page()).links.next).toMatch(/^http:\/\/evil\.example\/api\/profiles\/\?page/)
  })

  it('an empty or a doubled page leads to the same page again, a short one on from where it ends', async () => {
    const whole = await page()
    for (const what of ['empty', 'duplicate'] as const) {
      sandbox.faults.add({ fault: { kind: 'page', what } })
      const { data, links } = await page()
      expect(data).toHaveLength(what === 'empty' ? 0 : 20)
      expect((await page(new URL(links.next!).pathname)).data).toEqual(whole.data)
    }
    sandbox.faults.add({ fault: { kind: 'page', what: 'short' } })
    const short = await page()
    const { pathname, search } = new URL(short.links.next!)
    expect([...short.data, ...(await page(pathname + search)).data].slice(0, 20)).toEqual(whole.data)
    sandbox.faults.add({ fault: { kind: 'page', what: 'shuffled' } })
    expect((await page()).data.map(({ id }) => id).sort()).toEqual(whole.data.map(({ id }) => id).sort())
  })

  it('expired tokens and cursors are worded as the vendor words them', async () => {
    const errors = async (response: Response) => ((await response.json()) as { errors: { code: string; detail: string }[] }).errors[0]
    sandbox.faults.add({ fault: { kind: 'expired-token' } })
    expect((await errors(await get()))?.code).toBe('authentication_failed')
    sandbox.faults.add({ fault: { kind: 'expired-cursor' } })
    expect((await errors(await get()))?.detail).toBe('Invalid cursor provided.')
  })

  it('can put text into a body that no JSON writer would write', async () => {
    sandbox.faults.add({ fault: { kind: 'rewrite', find: '"image":null', put: '"image":9007199254740993' } })
    expect(await (await get()).text()).toContain('"image":9007199254740993')
  })
})

describe('drift', () => {
  it('adds, retypes, renames and removes below dots, for a share of the records, and leaves the store alone', async () => {
    const before = (await page()).data[0]?.attributes
    sandbox.drift.add({ vendor: 'klaviyo', of: 'profile', key: 'properties.tier', change: 'add', value: { level: 3 }, share: 0.5 })
    sandbox.drift.add({ vendor: 'klaviyo', of: 'profile', key: 'properties.Plan', change: 'retype', to: 'json' })
    sandbox.drift.add({ vendor: 'klaviyo', of: 'profile', key: 'first_name', change: 'rename', to: 'given_name' })
    sandbox.drift.add({ vendor: 'klaviyo', of: 'profile', key: 'location', change: 'remove' })
    sandbox.drift.add({ vendor: 'klaviyo', of: 'profile', key: ['properties', '__proto__'], change: 'add', value: 1 })
    const { data } = await page()
    const tiers = data.filter(({ attributes }) => 'tier' in (attributes.properties as object)).length
    expect(tiers).toBeGreaterThan(3)
    expect(tiers).toBeLessThan(17)
    expect(data[0]?.attributes).toMatchObject({ given_name: before?.first_name, properties: { Plan: { value: expect.any(String) } } })
    expect(data[0]?.attributes).not.toHaveProperty('location')
    expect(await (await get()).text()).toContain('"__proto__":1')
    sandbox.drift.clear()
    expect((await page()).data[0]?.attributes).toEqual(before)
  })
})

describe('from another process', () => {
  it('faults, drift, clock, requests, truth and the company can be driven over HTTP', async () => {
    const { id } = (await (await admin('/faults', { fault: { kind: 'status', status: 502, body: 'html' }, count: null })).json()) as {
      id: number
    }
    expect((await get()).status).toBe(502)
    expect((await admin(`/faults/${id}`, undefined, 'DELETE')).status).toBe(204)
    expect((await get()).status).toBe(200)
    expect(((await (await admin('/requests?vendor=klaviyo&status=502')).json()) as unknown[]).length).toBe(1)
    expect(await (await admin('/clock', { advanceMs: 3_600_000 })).json()).toEqual({ now: '2026-11-20T13:00:00.000Z' })
    expect((await admin('/clock', { set: '2020-01-01T00:00:00Z' })).status).toBe(400)
    const count = async () => ((await (await admin('/truth/klaviyo/profiles')).json()) as unknown[]).length
    const before = await count()
    await admin('/company/importPeople', { count: 20 })
    expect(await count()).toBeGreaterThan(before + 10)
    expect(await (await admin('/switches/hubspot', { lagMs: 5 })).json()).toMatchObject({ lagMs: 5 })
    await admin('/access/klaviyo/grant', { scopes: ['lists:read'] })
    expect((await get()).status).toBe(403)
    sandbox.klaviyo.access.grant(['profiles:read', 'lists:read'])
    expect((await get()).status).toBe(200)
    expect((await admin('/nothing')).status).toBe(404)
  })
})

it('stops at once, whatever is still open', async () => {
  const own = await startSandbox({ people: 50 })
  own.faults.add({ fault: { kind: 'hang' }, count: null })
  const open = Promise.allSettled(Array.from({ length: 5 }, () => fetch(`${own.url}/api/profiles`)))
  while (own.requests().length < 5) await new Promise((resolve) => setTimeout(resolve, 5))
  const started = performance.now()
  await own.stop()
  await open
  expect(performance.now() - started).toBeLessThan(5_000)
})
