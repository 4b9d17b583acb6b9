import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/serve.js'

const now = new Date('2026-11-20T12:00:00Z')
let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ people: 300, now, limits: 'off', extraProperties: 600 })
})
afterEach(() => {
  sandbox.faults.clear()
  sandbox.drift.clear()
})
afterAll(() => sandbox.stop())

interface Body {
  total: number
  results: { id: string; properties: Record<string, string | null>; archived: boolean }[]
  paging?: { next: { after: string } }
  category?: string
  message?: string
}
async function ask(path: string, body?: unknown, from = sandbox, token = from.hubspot.token) {
  const response = await fetch(from.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body & Record<string, unknown> }
}
const search = (body: unknown, from = sandbox) => ask('/crm/objects/2026-09/contacts/search', body, from)
const where = (propertyName: string, operator: string, more: object = {}) => ({
  filterGroups: [{ filters: [{ propertyName, operator, ...more }] }],
})
async function within(options: SandboxOptions, run: (sandbox: Sandbox) => Promise<void> | void): Promise<void> {
  const own = await startSandbox({ people: 60, now, limits: 'off', ...options })
  try {
    await run(own)
  } finally {
    await own.stop()
  }
}

describe('search', () => {
  const group = (count: number) => ({ filters: Array.from({ length: count }, () => ({ propertyName: 'email', operator: 'HAS_PROPERTY' })) })
  it.each([
    ['a page of 201', { limit: 201 }],
    ['six groups', { filterGroups: Array.from({ length: 6 }, () => group(1)) }],
    ['seven filters in a group', { filterGroups: [group(7)] }],
    ['nineteen filters', { filterGroups: [group(6), group(6), group(6), group(1)] }],
    ['two sorts', { sorts: ['createdate', 'hs_object_id'] }],
    ['an unknown operator', where('email', 'LIKE', { value: 'a' })],
    ['an unknown property', where('shoe_size', 'EQ', { value: '1' })],
    ['BETWEEN with one end', where('createdate', 'BETWEEN', { value: '1' })],
    ['a page that reaches past ten thousand', { limit: 200, after: '9801' }],
    ['a body of more than 3,000 characters', { properties: Array.from({ length: 300 }, (_, i) => `property_${i}`) }],
  ])('refuses %s', async (_, body) => {
    const { status, body: answer } = await search(body)
    expect([status, answer.category]).toEqual([400, 'VALIDATION_ERROR'])
  })

  it('offers a way past ten thousand that leads nowhere, and tells the true total', async () => {
    await within({ people: 16_000, activitiesPerPerson: 0 }, async (big) => {
      const standing = big.truth.hubspot.contacts().filter(({ archived }) => !archived).length
      expect(standing).toBeGreaterThan(10_200)
      const last = await search({ limit: 200, after: '9800', sorts: ['hs_object_id'] }, big)
      expect([last.status, last.body.total, last.body.paging?.next.after]).toEqual([200, standing, '10000'])
      expect((await search({ limit: 200, after: '10000', sorts: ['hs_object_id'] }, big)).status).toBe(400)
    })
  })

  it('compares numbers and dates by size, in milliseconds or ISO', async () => {
    const all = sandbox.truth.hubspot.contacts().filter(({ archived }) => !archived)
    const bound = all[120]!.id
    const behind = await search({ ...where('hs_object_id', 'GT', { value: bound }), limit: 200 })
    expect(behind.body.total).toBe(all.filter(({ id }) => Number(id) > Number(bound)).length)
    const seats = await search(where('seats', 'GTE', { value: '9' }))
    expect(seats.body.total).toBe(all.filter(({ properties }) => properties.seats !== '' && Number(properties.seats) >= 9).length)
    const from = '2026-06-01T00:00:00.000Z'
    const [iso, ms] = [
      await search(where('lastmodifieddate', 'GTE', { value: from })),
      await search(where('lastmodifieddate', 'GTE', { value: String(Date.parse(from)) })),
    ]
    expect(iso.body.total).toBe(ms.body.total)
    expect(iso.body.total).toBe(all.filter(({ properties }) => properties.lastmodifieddate! >= from).length)
  })

  it('takes text without regard to case, enumerations with it, and tokens with stars', async () => {
    const count = async (...filter: [string, string, object?]) => (await search(where(...filter))).body.total
    expect(await count('firstname', 'EQ', { value: 'MIA' })).toBe(await count('firstname', 'EQ', { value: 'mia' }))
    expect(await count('firstname', 'EQ', { value: 'mia' })).toBeGreaterThan(0)
    expect(await count('plan', 'EQ', { value: 'gold' })).toBeGreaterThan(0)
    expect(await count('plan', 'EQ', { value: 'GOLD' })).toBe(0)
    expect(await count('email', 'CONTAINS_TOKEN', { value: '*example' })).toBeGreaterThan(100)
    expect(await count('plan', 'IN', { values: ['gold', 'silver'] })).toBe(
      (await count('plan', 'EQ', { value: 'gold' })) + (await count('plan', 'EQ', { value: 'silver' })),
    )
    expect((await count('plan', 'HAS_PROPERTY')) + (await count('plan', 'NOT_HAS_PROPERTY'))).toBe((await search({})).body.total)
  })

  it('sees changes late and not in their order, never an older state after a newer', async () => {
    await within({ lagMs: 60_000 }, async (lagging) => {
      lagging.clock.advance(120_000)
      const edited = lagging.company.editMany(40, 'crm')
      const since = where('lastmodifieddate', 'GTE', { value: lagging.clock.now().toISOString() })
      const visible = async () => new Set((await search({ ...since, limit: 200 }, lagging)).body.results.map(({ id }) => id))
      expect((await visible()).size).toBe(0)
      let before = new Set<string>()
      const sizes: number[] = []
      for (let i = 0; i < 4; i++) {
        lagging.clock.advance(15_000)
        const found = await visible()
        for (const id of before) expect(found).toContain(id)
        before = found
        sizes.push(found.size)
      }
      expect(sizes[0]).toBeGreaterThan(0)
      expect(sizes[0]).toBeLessThan(sizes[3]!)
      expect(sizes[3]).toBe(
        lagging.truth.hubspot.contacts().filter(({ archived, updatedAt }) => !archived && updatedAt === '2026-11-20T12:02:00.000Z').length,
      )
      expect(edited.length).toBe(40)
      // Reading by id is never late.
      const [one] = lagging.truth.hubspot.contacts()
      expect((await ask(`/crm/v3/objects/contacts/${one!.id}`, undefined, lagging)).status).toBe(one!.archived ? 404 : 200)
    })
  })

  it('holds eleven thousand edits of one instant', async () => {
    await within({ people: 16_000, activitiesPerPerson: 0 }, async (big) => {
      big.clock.advance(1000)
      big.company.editMany(16_000, 'crm')
      const at = String(big.clock.now().getTime())
      const { body } = await search({ ...where('lastmodifieddate', 'BETWEEN', { value: at, highValue: at }), limit: 1 }, big)
      expect(body.total).toBeGreaterThan(10_900)
    })
  })
})

describe('records', () => {
  it.each(['limit=0', 'limit=101', 'limit=51&propertiesWithHistory=plan', 'after=abc'])('a list with %s is refused', async (query) => {
    expect((await ask(`/crm/v3/objects/contacts?${query}`)).status).toBe(400)
  })

  it('a URL of more than 16,000 characters is answered with 414', async () => {
    const { body } = await ask('/crm/v3/properties/contacts')
    const properties = body.results.map((property) => (property as unknown as { name: string }).name).join(',')
    expect((await ask(`/crm/v3/objects/contacts?properties=${properties}`)).status).toBe(414)
    expect((await ask(`/crm/v3/objects/contacts?properties=${properties.slice(0, 15_000)}`)).status).toBe(200)
  })

  it('commas and repeated parameters name the same properties', async () => {
    const commas = await ask('/crm/v3/objects/contacts?properties=plan,seats')
    expect(commas.body).toMatchObject(
      (await ask('/crm/v3/objects/contacts?properties=plan&properties=seats')).body.results === undefined
        ? {}
        : { results: commas.body.results },
    )
    expect(Object.keys(commas.body.results[0]!.properties)).toContain('seats')
  })

  it('archiving moves a record from one list to the other and out of searches', async () => {
    await within({}, async (own) => {
      const total = (await search({}, own)).body.total
      own.clock.advance(1000)
      own.company.archiveMany(4)
      expect((await search({}, own)).body.total).toBe(total - 4)
      const gone = await ask('/crm/v3/objects/contacts?archived=true&limit=100', undefined, own)
      expect(gone.body.results.length).toBeGreaterThanOrEqual(4)
      expect(gone.body.results.every((record) => record.archived && 'archivedAt' in record)).toBe(true)
    })
  })

  it('erasing leaves no trace in any tool', async () => {
    await within({}, (own) => {
      const count = () => own.truth.hubspot.contacts().length + own.truth.klaviyo.profiles().length
      const before = count()
      own.company.eraseMany(5)
      expect(count()).toBeLessThanOrEqual(before - 5)
    })
  })

  it('ids differ in length, and a number may hold a word', () => {
    const contacts = sandbox.truth.hubspot.contacts()
    expect(new Set(contacts.map(({ id }) => id.length))).toEqual(new Set([1, 2, 3, 5, 11]))
    expect(contacts.some(({ properties }) => properties.seats === 'N/A')).toBe(true)
  })

  it('associations in a list are read by type, doubled when primary', async () => {
    const { body } = await ask('/crm/v3/objects/contacts?associations=companies&limit=100')
    const employed = body.results.find((record) => 'associations' in record) as unknown as {
      associations: { companies: { results: { id: string; type: string }[] } }
    }
    expect(employed.associations.companies.results.map(({ type }) => type)).toEqual(['contact_to_company', 'contact_to_company_unlabeled'])
  })
})

describe('lists', () => {
  it('are paged by cursor under 2026-09 only, and a cursor keeps its filter', async () => {
    const first = await ask('/crm/lists/2026-09/all', { count: 2 })
    const second = await ask('/crm/lists/2026-09/all', { count: 2, after: first.body.paging!.next.after })
    expect([...first.body.results, ...second.body.results].map((list) => (list as unknown as { listId: string }).listId)).toEqual([
      '8',
      '9',
      '102',
      '103',
    ])
    const bent = await ask('/crm/lists/2026-09/all', { count: 2, after: first.body.paging!.next.after, processingTypes: ['MANUAL'] })
    expect([bent.status, bent.body.subCategory]).toEqual([400, 'INVALID_CURSOR'])
    expect((await ask('/crm/lists/2026-09/all', { processingTypes: ['SECRET'] })).body.subCategory).toBe('INVALID_PROCESSING_TYPE')
    expect((await ask('/crm/v3/lists/all', {})).status).toBe(405)
  })

  it('searched by offset they end at ten thousand; members come 250 at most', async () => {
    expect((await ask('/crm/v3/lists/search', { offset: 10_001 })).status).toBe(400)
    expect((await ask('/crm/v3/lists/8/memberships?limit=251')).status).toBe(400)
    expect((await ask('/crm/v3/lists/77/memberships')).status).toBe(404)
  })
})

describe('budgets', () => {
  it('ten seconds roll for each token, with headers; the refusal says so in the words that clients match', async () => {
    await within({ limits: { hubspot: { tenSecondly: 3 } } }, async (strict) => {
      const list = (token?: string) => ask('/crm/v3/objects/contacts', undefined, strict, token)
      const first = await list()
      expect(first.headers.get('x-hubspot-ratelimit-max')).toBe('3')
      expect(first.headers.get('x-hubspot-ratelimit-remaining')).toBe('2')
      await list()
      await list()
      const refused = await list()
      expect(refused.status).toBe(429)
      expect(refused.body).toMatchObject({
        errorType: 'RATE_LIMIT',
        policyName: 'TEN_SECONDLY_ROLLING',
        message: 'You have reached your ten_secondly_rolling limit.',
      })
      expect(refused.headers.get('retry-after')).toBeNull()
      expect((await list(strict.hubspot.limitedToken)).status).toBe(200)
    })
  })

  it('searches share five a second over all tokens, and tell nothing of it', async () => {
    await within({ limits: 'real' }, async (strict) => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          ask('/crm/v3/objects/contacts/search', {}, strict, i % 2 ? strict.hubspot.limitedToken : undefined),
        ),
      )
      expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(5)
      const refused = answers.find(({ status }) => status === 429)
      expect(refused?.body).toMatchObject({ message: 'You have reached your secondly limit.' })
      expect(refused?.body).not.toHaveProperty('policyName')
      expect([...answers[0]!.headers.keys()].filter((name) => name.startsWith('x-hubspot'))).toEqual([])
    })
  })

  it('a day has its end, too', async () => {
    await within({ limits: { hubspot: { daily: 2 } } }, async (strict) => {
      const statuses = []
      for (let i = 0; i < 3; i++) statuses.push((await ask('/crm/v3/owners', undefined, strict)).status)
      expect(statuses).toEqual([200, 200, 429])
      strict.clock.advance(12 * 3_600_000)
      expect((await ask('/crm/v3/owners', undefined, strict)).status).toBe(200)
    })
  })
})

describe('schema changes', () => {
  it('a property that is added can be found, asked for and is shown; one that is removed vanishes', async () => {
    sandbox.drift.add({ vendor: 'hubspot', of: 'contacts', key: 'loyalty_tier', change: 'add', value: 'ruby' })
    const names = async () =>
      (await ask('/crm/v3/properties/contacts')).body.results.map((property) => (property as unknown as { name: string }).name)
    expect(await names()).toContain('loyalty_tier')
    expect((await ask('/crm/v3/objects/contacts?properties=loyalty_tier')).body.results[0]?.properties.loyalty_tier).toBe('ruby')
    sandbox.drift.add({ vendor: 'hubspot', of: 'contacts', key: 'birthday', change: 'remove' })
    expect(await names()).not.toContain('birthday')
    expect((await ask('/crm/v3/objects/contacts?properties=birthday')).body.results[0]?.properties).not.toHaveProperty('birthday')
    expect((await search(where('birthday', 'HAS_PROPERTY'))).status).toBe(400)
  })
})
