import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/hubspot/source.js'
import { type Sandbox, startSandbox } from '../../../sandbox/serve.js'
import type { Destination, Outcome, Outgoing, Target, Wanted } from '../../../src/core/audience.js'
import { connect } from '../vendor.js'

/** HubSpot's two destinations before the sandbox, over real HTTP, under both styles of path. */
const { object, list } = { object: connector.destinations!.object!.destination, list: connector.destinations!.list!.destination }
let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ people: 60, activitiesPerPerson: 0, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
})
afterEach(() =>
  Object.assign(sandbox.hubspot.writing.switches, {
    isAllOrNothing: false,
    isPartialPlain: false,
    unnamed: new Set(),
    demanded: [],
    unknownToLists: new Set(),
  }),
)
afterAll(() => sandbox.stop())

const open = (apiVersion = '2026-09') =>
  connect(connector, { access_token: sandbox.hubspot.token }, { baseUrl: sandbox.url, budget: 'off', apiVersion }).http
const wanted = (target: string, more: Partial<Wanted> = {}): Wanted => ({
  target,
  create: true,
  mode: 'mirror',
  map: {},
  settings: {},
  ...more,
})
const member = (ref: string, email: string, more: Partial<Outgoing> = {}): Outgoing => ({
  ref,
  identifiers: { email },
  fields: {},
  ...more,
})
const people = (from: number, to: number, word = 'p') =>
  Array.from({ length: to - from + 1 }, (_, at) => member(String(from + at), `${word}${from + at}@example.test`))
const contact = (email: string) => [...sandbox.hubspot.store.objects.contacts.values()].find(({ properties }) => properties.email === email)
const held = (id: string) =>
  sandbox.truth.hubspot.members(id).map(({ recordId }) => sandbox.hubspot.store.objects.contacts.get(recordId)!.properties.email!)
const idsOf = (outcomes: readonly Outcome[]) =>
  Object.fromEntries(outcomes.map((one) => [one.ref, 'refused' in one ? one.refused.message : one.vendorId]))
const without = (members: readonly Outgoing[], outcomes: readonly Outcome[]) =>
  members.map(({ ref }) => ({ ref, identifiers: {}, fields: {}, vendorId: String(idsOf(outcomes)[ref]) }))

describe.each(['2026-09', 'v3'])('a manual list under %s', (version) => {
  it('is made once, takes contacts by their ids, and loses them by these alone', async () => {
    const http = open(version)
    const name = `High value ${version}`
    const made = await list.open(http, wanted(name, { map: { firstname: { value: 'Friend' }, seats: { column: 'seats' } } }))
    expect(made).toMatchObject({ name, isNew: true })
    const again = await list.open(http, wanted(made.id))
    expect(again).toMatchObject({ id: made.id, name })
    const old = sandbox.truth.hubspot.contacts().find(({ archived, properties }) => !archived && properties.email)!
    const members = [
      ...people(1, 3, version.slice(0, 2)),
      member('4', old.properties.email!.toLowerCase(), { fields: { firstname: 'Friend', seats: null } }),
    ]
    const { outcomes } = await list.add(http, made, members)
    expect(outcomes.every((one) => 'vendorId' in one)).toBe(true)
    expect(idsOf(outcomes)['4']).toBe(old.id)
    expect(sandbox.hubspot.store.objects.contacts.get(old.id)!.properties).toMatchObject({ firstname: 'Friend', seats: null })
    // Once more, as after a kill: nothing changes.
    await list.add(http, made, members)
    expect(held(made.id).sort()).toEqual(members.map(({ identifiers }) => identifiers.email).sort())
    const counts = () => [...sandbox.hubspot.writing.pushed.lists.get(made.id)!.values()]
    expect(counts()).toEqual(Array(4).fill({ added: 1, removed: 0 }))
    const leaving = without(members.slice(0, 2), outcomes)
    await list.remove!(http, made, leaving)
    await list.remove!(http, made, leaving)
    expect(held(made.id).sort()).toEqual([members[2]!.identifiers.email, members[3]!.identifiers.email].sort())
    expect(
      counts()
        .map(({ removed }) => removed)
        .sort(),
    ).toEqual([0, 0, 1, 1])
    // Of whom only the address is known: looked up; who is nowhere is no failure.
    await list.remove!(http, made, [member('3', members[2]!.identifiers.email!), member('9', 'nowhere@example.test')])
    expect(held(made.id)).toEqual([old.properties.email!.toLowerCase()])
  })
})

describe('a list that is there', () => {
  it.each([
    ['Customers', /"Customers" is dynamic, its filters say who is on it: name a manual one/],
    ['No such list', /no list "No such list" of contacts: create it there, or set "create: true"/],
  ])('%s is refused', async (name, message) => {
    const asked = wanted(name, { create: false })
    await expect(list.open(open(), asked)).rejects.toMatchObject({ reason: 'config', message: expect.stringMatching(message) })
  })

  it('takes people on a snapshot list, found by its name', async () => {
    expect(await list.open(open(), wanted('Trade fair 2026', { create: false }))).toMatchObject({ id: '102', name: 'Trade fair 2026' })
  })

  it('a contact that lists do not know yet is refused for now, the others are on it', async () => {
    const http = open()
    const target = await list.open(http, wanted('Slow'))
    const { outcomes } = await object.add(http, target, people(1, 2, 'slow'))
    sandbox.hubspot.writing.switches.unknownToLists = new Set([String(idsOf(outcomes)['1'])])
    const answer = await list.add(http, target, people(1, 2, 'slow'))
    expect(answer.outcomes[0]).toMatchObject({ ref: '1', refused: { message: /do not know it yet/ } })
    expect(answer.outcomes[0]).not.toHaveProperty('isFinal')
    expect(held(target.id)).toEqual(['slow2@example.test'])
  })
})

describe('a mapping', () => {
  const refused = async (destination: Destination, asked: Wanted) =>
    destination.open(open(), asked).then(
      () => 'nothing',
      ({ reason, message }: { reason: string; message: string }) => `${reason}: ${message}`,
    )

  it('is held against the properties that the account has now, each field named', async () => {
    const map = {
      plan: { value: 'Diamond' },
      total_revenue: { column: 'ltv' },
      shoe_size: { column: 'shoes' },
      email: { column: 'email' },
      address: { city: { column: 'city' } },
      city: { of: { column: 'city' } },
      seats: { column: 'seats' },
    }
    const message = await refused(object, wanted('contacts', { mode: 'upsert', map }))
    expect(message).toMatch(/^config: HubSpot's contacts and the destination do not fit: map\.plan: "Diamond" is none of its choices \(/)
    for (const part of [
      'map.total_revenue: the property is read-only',
      'map.shoe_size: contacts have no such property',
      'map.email: it tells records apart, and is sent by itself',
      'map.address: contacts have no such property',
      'map.city: a property holds no fields of its own',
    ])
      expect(message).toContain(part)
    expect(message).not.toContain('map.seats')
    const findings = []
    for await (const finding of list.check!(open(), wanted('Brand new', { map }))) findings.push(finding)
    expect(findings[0]).toEqual({ name: 'list', ok: true, message: 'it will be made' })
    expect(findings.filter(({ ok }) => !ok).length).toBeGreaterThanOrEqual(6)
    expect([...sandbox.hubspot.store.lists.values()].some(({ name }) => name === 'Brand new')).toBe(false)
  })

  it.each([
    ['companies', undefined, /match: companies have no property that always tells them apart/],
    ['companies', 'domain', /match: values of domain are not unique/],
    ['contacts', 'hs_object_id', /match: hs_object_id is read-only/],
    ['contacts', 'nothing', /match: contacts have no property "nothing"/],
    ['unicorns', undefined, /HubSpot has no object "unicorns"/],
  ])('of %s by %s is refused', async (target, match, message) => {
    expect(await refused(object, wanted(target, { mode: 'upsert', settings: match ? { match } : {} }))).toMatch(message)
  })
})

describe('records of an object', () => {
  const contacts = async (map: Wanted['map'], match?: string, version?: string): Promise<[ReturnType<typeof open>, Target]> => {
    const http = open(version)
    return [http, await object.open(http, wanted('contacts', { mode: 'upsert', map, settings: match ? { match } : {} }))]
  }

  it.each(['207', '200'])('who is refused within a %s is named by trace id, in words that quote no value', async (status) => {
    sandbox.hubspot.writing.switches.isPartialPlain = status === '200'
    const [http, target] = await contacts({ seats: { column: 'seats' } })
    const members = people(1, 100, `s${status}-`).map((one) => ({ ...one, fields: { seats: one.ref === '7' ? 'many' : Number(one.ref) } }))
    const said = idsOf((await object.add(http, target, members)).outcomes)
    expect(said['7']).toBe('seats: INVALID_NUMBER.')
    expect(said['8']).toBe(contact(`s${status}-8@example.test`)!.id)
    expect(contact(`s${status}-100@example.test`)!.properties.seats).toBe('100')
    expect(contact(`s${status}-7@example.test`)).toBeUndefined()
  })

  it('a batch that is refused whole is a failure of records, so that it is halved', async () => {
    sandbox.hubspot.writing.switches.isAllOrNothing = true
    const [http, target] = await contacts({ seats: { column: 'seats' } })
    const members = people(1, 3, 'whole').map((one) => ({ ...one, fields: { seats: one.ref === '2' ? 'many' : 1 } }))
    await expect(object.add(http, target, members)).rejects.toMatchObject({
      reason: 'record',
      message: 'HubSpot refused to write contacts: seats: INVALID_NUMBER.',
    })
    expect(contact('whole1@example.test')).toBeUndefined()
  })

  it('two members of one address are one input: the last speaks for both', async () => {
    const [http, target] = await contacts({ plan: { column: 'plan' } })
    const plans = sandbox.hubspot.store.properties
      .get('contacts')!
      .get('plan')!
      .options.map(({ value }) => value)
    const twins = ['1', '2'].map((ref, at) => member(ref, 'twin@example.test', { fields: { plan: plans[at]! } }))
    const said = idsOf((await object.add(http, target, twins)).outcomes)
    const { id, properties } = contact('twin@example.test')!
    expect([said['1'], said['2'], properties.plan]).toEqual([id, id, plans[1]])
  })

  it('two addresses of one record refuse the batch, which is then halved', async () => {
    const [http, target] = await contacts({})
    await object.add(http, target, [member('1', 'first@example.test')])
    const row = contact('first@example.test')!
    sandbox.hubspot.store.put('contacts', { ...row, properties: { ...row.properties, hs_additional_emails: 'second@example.test' } }, 0)
    const both = [member('1', 'first@example.test'), member('2', 'second@example.test')]
    await expect(object.add(http, target, both)).rejects.toMatchObject({ reason: 'record', message: /Duplicate IDs found in batch input/ })
    expect(idsOf((await object.add(http, target, both.slice(1))).outcomes)).toEqual({ 2: row.id })
  })

  it('a choice that is none never leaves; one that is fits to the letter', async () => {
    const [http, target] = await contacts({ interests: { column: 'i' } })
    const options = sandbox.hubspot.store.properties
      .get('contacts')!
      .get('interests')!
      .options.map(({ value }) => value)
    const members = [options.slice(0, 2), [options[0]!.toUpperCase()], null].map((interests, at) =>
      member(String(at), `choice${at}@example.test`, { fields: { interests } }),
    )
    sandbox.clearRequests()
    const { outcomes } = await object.add(http, target, members)
    expect(outcomes.find(({ ref }) => ref === '1')).toEqual({
      ref: '1',
      refused: { reason: 'record', message: "interests: the value is none of the property's choices." },
    })
    expect(contact('choice0@example.test')!.properties.interests).toBe(options.slice(0, 2).join(';'))
    expect(contact('choice1@example.test')).toBeUndefined()
    expect(sandbox.requests({ path: '*/batch/upsert' })).toHaveLength(1)
  })

  it('who is written and not named is not taken for written', async () => {
    sandbox.hubspot.writing.switches.unnamed = new Set(['merged@example.test'])
    const [http, target] = await contacts({})
    const { outcomes } = await object.add(http, target, [member('1', 'merged@example.test'), member('2', 'other@example.test')])
    expect(idsOf(outcomes)).toEqual({ 1: expect.stringMatching(/neither among the written nor/), 2: contact('other@example.test')!.id })
  })

  it('what an administrator demands is told in HubSpot’s words, and 2026-09 alone demands it', async () => {
    sandbox.hubspot.writing.switches.demanded = ['company']
    const [dated, target] = await contacts({ firstname: { column: 'f' } })
    const said = idsOf((await object.add(dated, target, [member('1', 'rule@example.test', { fields: { firstname: 'A' } })])).outcomes)
    expect(said['1']).toMatch(/^VALIDATION_ERROR: .*required properties were not set: company\.$/)
    expect(idsOf((await object.add(open('v3'), target, [member('1', 'rule@example.test')])).outcomes)['1']).toMatch(/^\d+$/)
  })

  it('a unique property tells contacts apart as well; an address that another has is that member’s refusal', async () => {
    const [http, target] = await contacts({ email: { column: 'email' } }, 'external_id')
    const known = sandbox.truth.hubspot.contacts().find(({ archived, properties }) => !archived && properties.external_id)!
    const taken = sandbox.truth.hubspot
      .contacts()
      .find(({ archived, id, properties }) => !archived && id !== known.id && /^[a-z0-9.]+@[a-z.]+$/.test(properties.email ?? ''))!
    const of = (ref: string, id: string | undefined, email: string) => ({
      ref,
      identifiers: id === undefined ? { email } : { external_id: id },
      fields: { email },
    })
    const { outcomes } = await object.add(http, target, [
      of('1', known.properties.external_id!, 'moved@example.test'),
      of('2', 'u-new', taken.properties.email!),
      of('3', undefined, 'none@example.test'),
    ])
    const said = idsOf(outcomes)
    expect(said['1']).toBe(known.id)
    expect(contact('moved@example.test')?.id).toBe(known.id)
    expect(said['2']).toBe(`CONFLICT: Contact already exists. Existing ID: ${taken.id}.`)
    expect(said['3']).toMatch(/told apart by external_id, and the member has no external_id/)
  })

  it('custom objects are written as well', async () => {
    const http = open()
    const target = await object.open(http, wanted('p999_machines', { settings: { match: 'serial' }, map: { model: { value: 'M1' } } }))
    const machine = { ref: '1', identifiers: { external_id: 'X-1' }, fields: { model: 'M1' } }
    const said = idsOf((await object.add(http, target, [machine])).outcomes)
    expect(sandbox.hubspot.store.objects.p999_machines.get(said['1']!)!.properties).toMatchObject({ serial: 'X-1', model: 'M1' })
  })
})
