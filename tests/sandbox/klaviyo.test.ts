import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ people: 300, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
})
afterEach(() => {
  sandbox.faults.clear()
  sandbox.drift.clear()
})
afterAll(() => sandbox.stop())

interface Found {
  id: string
  attributes: Record<string, unknown>
}
interface Body {
  data: Found[]
  links: { next: string | null }
  errors?: { code: string; detail: string; status: number; source: { parameter?: string } }[]
}
async function get(path: string, headers: Record<string, string> = {}, from = sandbox) {
  const response = await fetch(path.startsWith('http') ? path : `${from.url}/api/${path}`, {
    headers: { authorization: `Klaviyo-API-Key ${from.klaviyo.apiKey}`, revision: '2026-07-15', ...headers },
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: (text.startsWith('{') ? JSON.parse(text) : {}) as Body }
}
async function all(path: string): Promise<Found[]> {
  const found: Found[] = []
  for (let next: string | null = path; next !== null; ) {
    const { body } = await get(next)
    found.push(...body.data)
    next = body.links.next
  }
  return found
}
const when = (record: Found, key = 'updated') => Date.parse(String(record.attributes[key]))

describe('filters', () => {
  it.each([
    ['profiles', 'greater-or-equal(updated,2026-01-01T00:00:00Z)'],
    ['profiles', "greater-than(updated,'2026-01-01T00:00:00Z')"],
    ['profiles', 'equals(email,ana@example.test)'],
    ['profiles', 'any(email,"ana@example.test")'],
    ['profiles', 'equals(plan,"gold")'],
    ['profiles', 'or(greater-than(updated,2026-01-01),less-than(created,2026-01-01))'],
    ['profiles', 'greater-than(updated,2026-01-01T00:00:00Z'],
    ['lists', 'less-than(updated,2026-01-01T00:00:00Z)'],
    ['lists', 'equals(name,"VIP")'],
    ['events', 'equals(timestamp,1)'],
    ['metrics', 'equals(name,"Placed Order")'],
    ['campaigns', 'equals(archived,false)'],
  ])('%s refuses %s', async (path, filter) => {
    const { status, body } = await get(`${path}?filter=${encodeURIComponent(filter)}`)
    expect(status).toBe(400)
    expect(body.errors?.[0]).toMatchObject({ status: 400, code: 'invalid', source: { parameter: 'filter' } })
  })

  it('greater-than leaves the bound out, unless the oddity is switched on', async () => {
    const bound = String(sandbox.truth.klaviyo.profiles()[40]!.attributes.updated)
    const path = `profiles?page[size]=100&filter=${encodeURIComponent(`greater-than(updated,${bound})`)}`
    expect((await all(path)).every((record) => when(record) > Date.parse(bound))).toBe(true)
    sandbox.klaviyo.switches.boundIncluded = true
    expect((await all(path)).some((record) => when(record) === Date.parse(bound))).toBe(true)
    sandbox.klaviyo.switches.boundIncluded = false
  })

  it('a date filter without sort pages by that date, and no filter by id', async () => {
    const dated = (await all('profiles?page[size]=50&filter=greater-than(updated,2025-01-01)')).map((record) => when(record))
    expect(dated).toEqual([...dated].sort((a, b) => a - b))
    const ids = (await all('profiles?page[size]=50')).map(({ id }) => id)
    expect(ids).toEqual([...ids].sort())
  })

  it('a window of events holds exactly those between its ends', async () => {
    const [from, to] = ['2026-03-01T00:00:00Z', '2026-09-01T00:00:00Z']
    const found = await all(`events?sort=-datetime&filter=greater-or-equal(datetime,${from}),less-than(datetime,${to})`)
    const inside = sandbox.truth.klaviyo
      .events()
      .filter((event) => when(event, 'datetime') >= Date.parse(from) && when(event, 'datetime') < Date.parse(to))
    expect(found.map(({ id }) => id).sort()).toEqual(inside.map(({ id }) => id).sort())
    expect(found.length).toBeGreaterThan(200)
  })

  it('suppressions are found by their time, but not together with sort', async () => {
    const filter = `filter=greater-than(subscriptions.email.marketing.suppression.timestamp,2025-06-01T00:00:00Z)`
    const found = await all(`profiles?page[size]=100&additional-fields[profile]=subscriptions&${filter}`)
    const suppressed = sandbox.truth.klaviyo.profiles().filter(({ attributes }) => {
      const { email } = attributes.subscriptions as { email: { marketing: { suppression: { timestamp: string }[] } } }
      return email.marketing.suppression.some(({ timestamp }) => timestamp > '2025-06-01')
    })
    expect(found.length).toBe(suppressed.length)
    expect(found.length).toBeGreaterThan(0)
    expect((await get(`profiles?sort=updated&${filter}`)).status).toBe(400)
  })

  it('members cannot be asked for by updated', async () => {
    const [list] = sandbox.truth.klaviyo.lists()
    expect((await get(`lists/${list!.id}/profiles?filter=greater-than(updated,2026-01-01)`)).status).toBe(400)
    expect((await get(`lists/${list!.id}/profiles?filter=greater-than(joined_group_at,2026-01-01)`)).status).toBe(200)
    expect((await get('lists/nobody/profiles')).status).toBe(404)
  })
})

describe('parameters', () => {
  it.each([
    ['profiles?page[size]=101', 'page[size]'],
    ['lists?page[size]=11', 'page[size]'],
    ['metrics?page[size]=10', 'page[size]'],
    ['metrics?sort=name', 'sort'],
    ['profiles?sort=first_name', 'sort'],
    ['profiles?page[cursor]=nonsense', 'page[cursor]'],
    ['profiles?fields[profile]=shoe_size', 'fields[profile]'],
    ['lists?additional-fields[list]=profile_count', 'additional-fields[list]'],
    ['profiles?limit=5', 'limit'],
  ])('%s is refused with the parameter named', async (path, parameter) => {
    const { status, body } = await get(path)
    expect(status).toBe(400)
    expect(body.errors?.[0]?.source.parameter).toBe(parameter)
  })

  it('sparse fieldsets leave only what was asked for, below dots too', async () => {
    const { body } = await get(
      'profiles?page[size]=1&additional-fields[profile]=subscriptions&fields[profile]=email,subscriptions.email.marketing.consent',
    )
    expect(body.data[0]?.attributes).toEqual({
      email: expect.anything(),
      subscriptions: { email: { marketing: { consent: expect.any(String) } } },
    })
  })

  it('a cursor is good for its own question only, and may be a whole link', async () => {
    const { body } = await get('profiles?page[size]=20&sort=updated')
    const cursor = new URL(body.links.next!).searchParams.get('page[cursor]')!
    expect((await get(`profiles?page[size]=20&sort=created&page[cursor]=${cursor}`)).body.errors?.[0]?.detail).toBe(
      'Invalid cursor provided.',
    )
    const again = await get(`profiles?page[size]=20&sort=updated&page[cursor]=${encodeURIComponent(body.links.next!)}`)
    expect(again.body.data).toEqual((await get(body.links.next!)).body.data)
  })

  it('cursors can be made to grow old', async () => {
    const { body } = await get('profiles')
    sandbox.klaviyo.switches.cursorLifeMs = -1
    expect((await get(body.links.next!)).status).toBe(400)
    sandbox.klaviyo.switches.cursorLifeMs = null
    expect((await get(body.links.next!)).status).toBe(200)
  })
})

describe('revisions', () => {
  it('are required, must exist, and fall forward when retired unless refused', async () => {
    expect((await get('profiles', { revision: '' })).status).toBe(400)
    expect((await get('profiles', { revision: '2026-07-16' })).status).toBe(400)
    expect((await get('profiles', { revision: '2027-01-15' })).status).toBe(400)
    const fallen = await get('profiles', { revision: '2024-10-15' })
    expect(fallen.status).toBe(200)
    expect(fallen.body.data[0]?.attributes).toHaveProperty('anonymous_id')
    expect((await get('profiles', { revision: '2024-10-15', 'x-klaviyo-revision-fall-forward-opt-out': '1' })).status).toBe(410)
  })

  it('decide what a campaign is', async () => {
    const { body } = await get('campaigns', { revision: '2026-10-15' })
    expect(Object.keys(body.data[0]!.attributes).sort()).toEqual(['created_at', 'definition', 'updated_at'])
    expect((await get("campaigns?filter=equals(messages.channel,'email')", { revision: '2026-10-15' })).status).toBe(400)
  })

  it('decide whether events without a metric are shown', async () => {
    const count = async (revision: string) => {
      let found = 0
      for (let next: string | null = `events`; next !== null; ) {
        const { body } = await get(next, { revision })
        found += body.data.length
        next = body.links.next
      }
      return found
    }
    const withoutMetric = sandbox.truth.klaviyo
      .events()
      .filter((event) => (event.relationships!.metric as { data?: unknown }).data === undefined).length
    expect(withoutMetric).toBeGreaterThan(0)
    expect((await count('2026-07-15')) - (await count('2026-04-15'))).toBe(withoutMetric)
  })
})

describe('what happens over time', () => {
  it('an edit moves updated; unsubscribing and joining a list do not', async () => {
    const changing = await startSandbox({ people: 60, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
    try {
      const byId = () => new Map(changing.truth.klaviyo.profiles().map((profile) => [profile.id, profile]))
      const before = byId()
      changing.clock.advance(60_000)
      changing.company.unsubscribeMany(3)
      const unsubscribed = [...byId().values()].filter((profile) => JSON.stringify(profile) !== JSON.stringify(before.get(profile.id)))
      expect(unsubscribed).toHaveLength(3)
      for (const profile of unsubscribed) expect(profile.attributes.updated).toBe(before.get(profile.id)!.attributes.updated)
      changing.company.editMany(5, 'email-tool')
      const at = '2026-11-20T12:01:00+00:00'
      expect([...byId().values()].filter(({ attributes }) => attributes.updated === at).length).toBeGreaterThanOrEqual(4)
      const { body } = await get('profiles?sort=-updated', {}, changing)
      expect(body.data[0]?.attributes.updated).toBe(at)
    } finally {
      await changing.stop()
    }
  })

  it('a profile edited while it is being walked past comes twice, none is missed', async () => {
    const changing = await startSandbox({ people: 200, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
    try {
      const seen: string[] = []
      for (let next: string | null = 'profiles?page[size]=40&filter=greater-than(updated,2020-01-01)'; next !== null; ) {
        const { body }: { body: Body } = await get(next, {}, changing)
        seen.push(...body.data.map(({ id }) => id))
        next = body.links.next
        if (seen.length === 40) {
          changing.clock.advance(1000)
          changing.company.editMany(200, 'email-tool')
        }
      }
      const truth = changing.truth.klaviyo.profiles().map(({ id }) => id)
      expect([...new Set(seen)].sort()).toEqual(truth.sort())
      expect(seen.length).toBe(truth.length + 40)
    } finally {
      await changing.stop()
    }
  })
})

describe('quotas', () => {
  it('are counted for each endpoint in two windows, told on good answers and enforced', async () => {
    const strict = await startSandbox({ people: 50, limits: { klaviyo: { tiers: { M: { burst: 3, steady: 5 } } } } })
    try {
      const first = await get('metrics', {}, strict)
      expect(first.headers.get('ratelimit-limit')).toBe('3, 3;w=1, 5;w=60')
      expect(first.headers.get('ratelimit-remaining')).toBe('4')
      const later = await Promise.all(Array.from({ length: 8 }, () => get('metrics', {}, strict)))
      const refused = later.filter(({ status }) => status === 429)
      expect(refused.length).toBeGreaterThanOrEqual(3)
      expect(refused[0]?.headers.get('retry-after')).toMatch(/^\d+$/)
      expect(refused[0]?.headers.get('ratelimit-limit')).toBeNull()
      expect(refused[0]?.body.errors?.[0]).toMatchObject({ code: 'throttled', status: 429 })
      expect((await get('lists', {}, strict)).status).toBe(200)
    } finally {
      await strict.stop()
    }
  })

  it('slow parameters spend from a counter of their own, too', async () => {
    const strict = await startSandbox({ people: 50, limits: { klaviyo: { tiers: { M: { burst: 2, steady: 2 } } } } })
    try {
      const slow = 'profiles?additional-fields[profile]=predictive_analytics'
      const statuses = []
      for (const path of [slow, slow, slow, 'profiles']) statuses.push((await get(path, {}, strict)).status)
      expect(statuses).toEqual([200, 200, 429, 200])
    } finally {
      await strict.stop()
    }
  })
})

describe('credentials', () => {
  it('an OAuth token lasts until it expires, and its refresh token is used up', async () => {
    const { clientId, clientSecret } = sandbox.klaviyo.oauth
    const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
    const refresh = (token: string) =>
      fetch(`${sandbox.url}/oauth/token`, {
        method: 'POST',
        headers: { authorization: basic },
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
      })
    const old = sandbox.klaviyo.access.currentRefreshToken()
    const given = (await (await refresh(old)).json()) as { access_token: string; refresh_token: string }
    expect(given.refresh_token).not.toBe(old)
    expect((await refresh(old)).status).toBe(400)
    const bearer = { authorization: `Bearer ${given.access_token}` }
    expect((await get('profiles', bearer)).status).toBe(200)
    sandbox.klaviyo.access.expireTokens()
    expect((await get('profiles', bearer)).status).toBe(401)
  })

  it('a key behind the wrong scheme is not accepted', async () => {
    expect((await get('profiles', { authorization: `Bearer ${sandbox.klaviyo.apiKey}` })).status).toBe(401)
    expect((await get('profiles', { authorization: '' })).body.errors?.[0]?.code).toBe('not_authenticated')
  })
})
