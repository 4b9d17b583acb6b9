import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { destinations } from '../../../connectors/salesforce/audience.js'
import { type Sandbox, startSandbox } from '../../../sandbox/serve.js'
import type { Answer, ChangeAction, Destination, Outcome, Outgoing, Target, Wanted } from '../../../src/core/audience.js'
import type { Http } from '../../../src/core/types.js'
import { open as connect } from './org.js'

let sandbox: Sandbox
let http: Http
beforeAll(async () => {
  sandbox = await startSandbox({ people: 100, now: new Date('2026-11-20T12:00:00Z'), limits: 'off', adsSince: new Date('2026-11-19') })
  http = connect(sandbox)
})
afterEach(() => {
  sandbox.faults.clear()
  sandbox.clearRequests()
  Object.assign(sandbox.salesforce.switches.ingest, { polls: 2, failAfter: undefined, forgets: false })
  sandbox.salesforce.switches.saving.locked = 0
})
afterAll(() => sandbox.stop())

const wanted = (overrides: Partial<Wanted> = {}): Wanted => ({
  target: 'Contact',
  create: false,
  mode: 'upsert',
  map: { LastName: { column: 'last' }, Seats__c: { column: 'seats' } },
  settings: { match: 'Audience_Key__c' },
  ...overrides,
})
const member = (n: number, fields: Record<string, unknown> = {}, key = `k${n}`): Outgoing => ({
  ref: `r${n}`,
  identifiers: { external_id: key },
  fields: { LastName: `Name ${n}`, Seats__c: n, ...fields } as Outgoing['fields'],
})
const members = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => member(from + at))
const object = destinations.object.destination
const campaign = destinations.campaign.destination

/** As the engine does it: a job's name is kept, and asked about until it has ended. */
async function settled(destination: Destination, target: Target, action: ChangeAction, some: readonly Outgoing[]): Promise<Answer> {
  const first = await (action === 'remove' ? destination.remove! : destination.add)(http, target, some)
  const outcomes = [...first.outcomes]
  for (let { job } = first; job; ) {
    const answer: Answer = await destination.poll!(http, target, job, action, some)
    outcomes.push(...answer.outcomes)
    job = answer.job
  }
  return { outcomes }
}
const refusals = (outcomes: readonly Outcome[]) =>
  Object.fromEntries(outcomes.flatMap((one) => ('refused' in one ? [[one.ref, one.refused.message]] : [])))
const contact = (key: string) =>
  [...sandbox.salesforce.store.table('Contact').values()].find(({ cells }) => cells.Audience_Key__c === key)?.cells
const asked = (method: string, path: string) => sandbox.requests({ vendor: 'salesforce', method, path }).length

describe('records of an object', () => {
  it('are made and updated 200 at a time; each refusal is of its member, and quotes nobody', async () => {
    const target = await object.open(http, wanted({ map: { LastName: { column: 'l' }, Email: { column: 'e' }, Plan__c: { column: 'p' } } }))
    const some = [
      ...members(0, 450).map((one) => ({ ...one, fields: { LastName: 'X' } })),
      { ...member(900), fields: { LastName: null, Email: 'a@b.test' } },
      { ...member(901), fields: { LastName: 'Y', Email: 'secret@nowhere' } },
      { ...member(902), fields: { LastName: 'Y', Plan__c: 'wooden' } },
    ]
    const { outcomes } = await settled(object, target, 'add', some)
    expect(asked('PATCH', '*/composite/sobjects/*')).toBe(3)
    expect(outcomes).toHaveLength(453)
    expect(refusals(outcomes)).toEqual({
      r900: 'REQUIRED_FIELD_MISSING: Required fields are missing: [LastName] (LastName)',
      r901: 'INVALID_EMAIL_ADDRESS: Email: invalid email address: … (Email)',
      r902: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: Plan__c: bad value for restricted picklist field: … (Plan__c)',
    })
    expect(contact('k449')).toMatchObject({ LastName: 'X' })
    await settled(object, target, 'update', [{ ...member(3), fields: { LastName: 'Z', Plan__c: 'gold' } }])
    expect(contact('k3')).toMatchObject({ LastName: 'Z', Plan__c: 'gold' })
    await settled(object, target, 'update', [{ ...member(3), fields: { Plan__c: null } }])
    expect(contact('k3')).toMatchObject({ LastName: 'Z', Plan__c: null })
  })

  it('of keys that are one without case the last is sent, the others are told', async () => {
    const target = await object.open(http, wanted())
    const { outcomes } = await settled(object, target, 'add', [
      member(1, { LastName: 'First' }, 'SAME'),
      member(2, { LastName: 'Last' }, 'same'),
    ])
    expect(refusals(outcomes)).toEqual({ r1: 'Another member has the same Audience_Key__c, and was sent.' })
    expect(contact('same')).toMatchObject({ LastName: 'Last' })
  })

  it('finds people by e-mail, and refuses an address that two have', async () => {
    const target = await object.open(
      http,
      wanted({ settings: { match: 'Email' }, map: { LastName: { column: 'l' }, Seats__c: { column: 's' } } }),
    )
    const { store } = sandbox.salesforce
    const [one, other] = [...store.table('Contact').values()].filter(({ deletedMs, cells }) => deletedMs === null && cells.Email)
    store.put('Contact', { ...other!, cells: { ...other!.cells, Email: one!.cells.Email! } })
    const twice = { ref: 'r1', identifiers: { email: String(one!.cells.Email).toLowerCase() }, fields: { LastName: 'A', Seats__c: 1 } }
    const made = { ref: 'r2', identifiers: { email: 'new@people.test' }, fields: { LastName: 'B', Seats__c: 2 } }
    const { outcomes } = await settled(object, target, 'add', [twice, made, member(5)])
    expect(refusals(outcomes)).toEqual({
      r1: expect.stringMatching(/^DUPLICATE_EXTERNAL_ID: Email: more than one record found/),
      r5: 'It has no identity.email, which fills Contact.Email.',
    })
    store.put('Contact', other!)
  })

  it('leads to parents by their external id', async () => {
    const { store } = sandbox.salesforce
    const account = [...store.table('Account').values()].find(({ deletedMs }) => deletedMs === null)!
    store.put('Account', { ...account, cells: { ...account.cells, Ext_Key__c: 'acme' } })
    const map = { LastName: { column: 'l' }, Account: { Ext_Key__c: { column: 'c' } } }
    const target = await object.open(http, wanted({ map }))
    const { outcomes } = await settled(object, target, 'add', [
      { ...member(700), fields: { LastName: 'P', Account: { Ext_Key__c: 'ACME' } } },
      { ...member(701), fields: { LastName: 'P', Account: { Ext_Key__c: 'nobody' } } },
      { ...member(702), fields: { LastName: 'P', Account: { Ext_Key__c: null } } },
    ])
    expect(refusals(outcomes)).toEqual({ r701: expect.stringMatching(/^INVALID_FIELD: Foreign key external ID: … not found/) })
    expect(contact('k700')).toMatchObject({ AccountId: account.id })
  })

  it('tries rows that met a lock again', async () => {
    const target = await object.open(http, wanted())
    sandbox.salesforce.switches.saving.locked = 3
    const { outcomes } = await settled(object, target, 'add', members(0, 5))
    expect(refusals(outcomes)).toEqual({})
    expect(asked('PATCH', '*/composite/sobjects/*')).toBe(2)
  })

  it.each([
    ['an unknown field', { map: { Seats: { column: 'a' } } }, /^map\.Seats: Contact has no field Seats, or it is hidden/],
    ['another case', { map: { lastname: { column: 'a' } } }, /There is LastName: write it so/],
    ['a formula', { map: { Email_Domain__c: { column: 'a' } } }, /^map\.Email_Domain__c: .* cannot be written: Salesforce works it out/],
    ['what is read-only', { map: { CreatedDate: { column: 'a' } } }, /read-only/],
    ['a key in the map', { map: { Audience_Key__c: { column: 'a' } } }, /identity fills/],
    ['a key that finds nobody', { settings: { match: 'Title' } }, /^match: no record can be found by Contact\.Title/],
    ['a parent without a key', { map: { Account: { Name: { column: 'a' } } } }, /Account\.Name/],
    ['an object that is not there', { target: 'Contract__c' }, /no object Contract__c/],
    ['what cannot be made', { create: true }, /makes no objects/],
  ])('a mapping with %s is refused before anything is sent', async (_, overrides, message) => {
    await expect(object.open(http, wanted(overrides as Partial<Wanted>))).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringMatching(message),
    })
    await expect(
      object.open(http, wanted({ target: 'CampaignMember', map: { CampaignId: { column: 'a' } }, settings: { match: 'Id' } })),
    ).rejects.toThrow(/set when a record is made/)
  })

  it('a field that is closed to the user stops the push', async () => {
    const target = await object.open(http, wanted())
    sandbox.salesforce.access.close(['Contact.Seats__c'])
    try {
      await expect(object.add(http, target, members(0, 2))).rejects.toMatchObject({ reason: 'permission' })
    } finally {
      sandbox.salesforce.access.close([])
    }
  })
})

describe('records by a bulk job', () => {
  const bulk = (from: number) => [
    ...members(from, from + 2_000),
    { ...member(from + 5_000), fields: { LastName: null, Seats__c: 1 } },
    { ...member(from + 5_001), fields: { LastName: 'Quo"ted, and\nbroken', Seats__c: null } },
  ]

  it('runs only when its id is known, and answers for each row by its key', async () => {
    const target = await object.open(http, wanted())
    const some = bulk(10_000)
    const { job, outcomes: none } = await object.add(http, target, some)
    expect(none).toEqual([])
    expect(contact('k10000')).toBeUndefined()
    const { outcomes } = await settled({ ...object, add: async () => ({ outcomes: [], job: job! }) }, target, 'add', some)
    expect(outcomes).toHaveLength(2_002)
    expect(refusals(outcomes)).toEqual({ r15000: expect.stringMatching(/^REQUIRED_FIELD_MISSING: .* \(LastName\)$/) })
    expect(contact('k11999')).toMatchObject({ LastName: 'Name 11999', Seats__c: 11_999 })
    expect(contact('k15001')).toMatchObject({ LastName: 'Quo"ted, and\nbroken', Seats__c: null })
    // Asked again it says the same.
    expect((await object.poll!(http, target, job!, 'add', some)).outcomes).toEqual(outcomes)
    expect(asked('PATCH', '*/composite/sobjects/*')).toBe(0)
    await object.poll!(http, target, { ...job!, id: '7500000000000000AA' }, 'add', some.slice(0, 300))
    expect(asked('PATCH', '*/composite/sobjects/*')).toBe(2)
  })

  it('an upload whose answer is lost is given up for another job; nothing is sent twice', async () => {
    const target = await object.open(http, wanted())
    sandbox.faults.add({ vendor: 'salesforce', method: 'PUT', path: '*/batches', fault: { kind: 'status', status: 503 } })
    await expect(object.add(http, target, bulk(20_000))).rejects.toMatchObject({ reason: 'transient' })
    expect(asked('PUT', '*/batches')).toBe(1)
    expect(asked('PATCH', '*/jobs/ingest/*')).toBe(1)
    expect(contact('k20000')).toBeUndefined()
    expect((await settled(object, target, 'add', bulk(20_000))).outcomes).toHaveLength(2_002)
  })

  it('what a failed job left, and what met a lock, is sent without one', async () => {
    const target = await object.open(http, wanted())
    sandbox.salesforce.switches.ingest.failAfter = 1_900
    sandbox.salesforce.switches.saving.locked = 7
    const { outcomes } = await settled(object, target, 'add', bulk(30_000))
    expect(Object.keys(refusals(outcomes))).toEqual(['r35000'])
    expect(outcomes).toHaveLength(2_002)
    expect(contact('k31999')).toMatchObject({ Seats__c: 31_999 })
    expect(contact('k30000')).toMatchObject({ Seats__c: 30_000 })
  })

  it('files that do not add up are no success', async () => {
    const target = await object.open(http, wanted())
    sandbox.salesforce.switches.ingest.forgets = true
    await expect(settled(object, target, 'add', bulk(40_000))).rejects.toMatchObject({
      reason: 'transient',
      message: expect.stringMatching(/2001 rows taken, 0 refused and 0 left of 2002/),
    })
  })
})

describe('a page of something in between', () => {
  const foreign = { kind: 'status', status: 404, body: 'html' } as const

  it('says nothing of an object', async () => {
    sandbox.faults.add({ fault: foreign, method: 'GET', path: '*/sobjects/Contact/describe', count: null })
    await expect(object.open(http, wanted())).rejects.toMatchObject({ reason: 'transient' })
    sandbox.faults.clear()
    await expect(object.open(http, wanted({ target: 'Nobody__c' }))).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining('no object Nobody__c'),
    })
  })

  it('nor of a job: its rows are sent again only where Salesforce itself knows it no more', async () => {
    const target = await object.open(http, wanted())
    const job = { id: '750000000000000AAA', askAgainMs: 1_000 }
    const look = () => object.poll!(http, target, job, 'add', members(0, 3))
    sandbox.faults.add({ fault: foreign, method: 'GET', path: '*/jobs/ingest/*', count: null })
    await expect(look()).rejects.toMatchObject({ reason: 'transient' })
    expect(asked('PATCH', '*/composite/sobjects/*')).toBe(0)
    sandbox.faults.clear()
    expect((await look()).outcomes).toHaveLength(3)
    expect(asked('PATCH', '*/composite/sobjects/*')).toBe(1)
  })
})

describe('members of a campaign', () => {
  const living = (name: 'Contact' | 'Lead') =>
    [...sandbox.salesforce.store.table(name).values()].filter(
      ({ deletedMs, cells }) => deletedMs === null && cells.Email != null && cells.IsConverted !== true,
    )
  const known = (n: number, email: unknown): Outgoing => ({ ref: `r${n}`, identifiers: { email: String(email).toLowerCase() }, fields: {} })
  const held = (id: string) =>
    [...sandbox.salesforce.store.table('CampaignMember').values()]
      .filter(({ deletedMs, cells }) => deletedMs === null && cells.CampaignId === id)
      .map(({ cells }) => String(cells.ContactId ?? cells.LeadId))
      .sort()
  const goal = (overrides: Partial<Wanted> = {}) =>
    wanted({ target: 'VIP', create: true, mode: 'mirror', map: {}, settings: { match: 'Contact.Email' }, ...overrides })

  it('are added once, and taken out by who they are', async () => {
    const target = await campaign.open(http, goal({ settings: { match: 'Contact.Email', status: 'Sent' } }))
    expect(target).toMatchObject({ name: 'VIP', isNew: true })
    expect(await campaign.open(http, goal())).toMatchObject({ id: target.id })
    expect(await campaign.open(http, goal({ target: target.id, create: false }))).toMatchObject({ id: target.id, name: 'VIP' })
    const people = living('Contact').slice(0, 12)
    const some = [...people.map(({ cells }, n) => known(n, cells.Email)), known(99, "o'nobody@people.test")]
    const first = await settled(campaign, target, 'add', some)
    expect(refusals(first.outcomes)).toEqual({ r99: 'No Contact has this Email.' })
    expect(held(target.id)).toEqual(people.map(({ id }) => id).sort())
    const second = await settled(campaign, target, 'add', some.slice(0, 12))
    expect(second.outcomes).toEqual(people.map(({ id }, n) => ({ ref: `r${n}`, vendorId: id })))
    const out = [{ ref: 'r0', identifiers: {}, fields: {}, vendorId: people[0]!.id }, some[1]!, some[12]!]
    expect(await settled(campaign, target, 'remove', out)).toEqual({ outcomes: [] })
    expect(await settled(campaign, target, 'remove', out)).toEqual({ outcomes: [] })
    expect(held(target.id)).toEqual(
      people
        .slice(2)
        .map(({ id }) => id)
        .sort(),
    )
    expect(sandbox.salesforce.pushed.get(target.id)!.get(people[0]!.id)).toEqual({ added: 1, updated: 0, removed: 1 })
    expect(sandbox.salesforce.pushed.get(target.id)!.get(people[2]!.id)).toEqual({ added: 1, updated: 0, removed: 0 })
  })

  it('may be leads; an address that two have is nobody’s', async () => {
    const target = await campaign.open(http, goal({ target: 'Leads', settings: { match: 'Lead.Email' } }))
    const [one, other, third] = living('Lead')
    sandbox.salesforce.store.put('Lead', { ...other!, cells: { ...other!.cells, Email: one!.cells.Email! } })
    const { outcomes } = await settled(campaign, target, 'add', [known(1, one!.cells.Email), known(2, third!.cells.Email)])
    sandbox.salesforce.store.put('Lead', other!)
    expect(refusals(outcomes)).toEqual({ r1: '2 Leads have this Email: merge them.' })
    expect(held(target.id)).toEqual([third!.id])
  })

  it.each([
    ['a campaign that is not there', { create: false, target: 'Nowhere' }, /no campaign "Nowhere"/],
    ['a status it has not', { settings: { match: 'Contact.Email', status: 'Won' } }, /no member status "Won"; it has Sent, Responded/],
    ['a field by which nobody is found', { settings: { match: 'Contact.Title' } }, /Contact\.Title/],
  ])('%s is refused', async (_, overrides, message) => {
    await expect(campaign.open(http, goal(overrides as Partial<Wanted>))).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringMatching(message),
    })
  })

  it('a campaign whose making was answered by nobody is looked for, and not made twice', async () => {
    sandbox.faults.add({ vendor: 'salesforce', method: 'POST', path: '*/sobjects/Campaign', fault: { kind: 'cut', how: 'length' } })
    await expect(campaign.open(http, goal({ target: 'Once' }))).rejects.toMatchObject({ reason: 'transient' })
    const target = await campaign.open(http, goal({ target: 'Once' }))
    expect(target.isNew).toBeUndefined()
    expect([...sandbox.salesforce.store.table('Campaign').values()].filter(({ cells }) => cells.Name === 'Once')).toHaveLength(1)
  })
})
