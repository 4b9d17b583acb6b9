import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/klaviyo/source.js'
import { type Sandbox, startSandbox } from '../../../sandbox/serve.js'
import type { Answer, Outgoing, Target, Wanted } from '../../../src/core/audience.js'
import type { Http } from '../../../src/core/types.js'
import { connect } from '../vendor.js'

const { destination } = connector.destinations!.list!
const wanted = (target: string, more: Partial<Wanted> = {}): Wanted => ({
  target,
  create: true,
  mode: 'mirror',
  map: {},
  settings: {},
  ...more,
})

describe('lists, against the sandbox', () => {
  let sandbox: Sandbox
  let http: Http

  beforeAll(async () => {
    sandbox = await startSandbox({ people: 60, now: new Date('2026-11-20T12:00:00Z'), limits: 'off', adsSince: new Date('2026-11-19') })
    ;({ http } = connect(connector, { api_key: sandbox.klaviyo.apiKey }, { baseUrl: sandbox.url, budget: 'off' }))
  })
  afterEach(() => sandbox.faults.clear())
  afterAll(() => sandbox.stop())

  const people = (...names: string[]): Outgoing[] =>
    names.map((name, at) => ({ ref: `${at}`, identifiers: { email: `${name}@example.test` }, fields: {} }))
  const held = ({ id }: Target) => [...sandbox.klaviyo.store.members.get(id)!.values()].map((member) => member.id).sort()
  const listsNamed = (name: string) => [...sandbox.klaviyo.store.lists.values()].filter((one) => one.name === name)
  /** As the engine asks: until there is no job left. */
  async function added(target: Target, members: readonly Outgoing[]): Promise<Answer> {
    let answer = await destination.add(http, target, members)
    while (answer.job) answer = await destination.poll!(http, target, answer.job, 'add', members)
    return answer
  }
  const idsOf = ({ outcomes }: Answer) => outcomes.map((one) => ('vendorId' in one ? one.vendorId! : ''))
  const known = (ids: readonly string[]): Outgoing[] => ids.map((vendorId, at) => ({ ref: `${at}`, identifiers: {}, fields: {}, vendorId }))
  /** What something between Weir and Klaviyo answers. */
  const foreign = { kind: 'status', status: 404, body: 'html' } as const

  it('take people by page, name each, and give back those whom an id or an address names', async () => {
    const target = await destination.open(http, wanted('Pages'))
    const members = people(...Array.from({ length: 250 }, (_, n) => `page${n}`))
    const ids = idsOf(await added(target, members))
    expect([...ids].sort()).toEqual(held(target))
    await destination.remove!(http, target, [...known(ids.slice(0, 100)), ...members.slice(100, 249)])
    expect(held(target)).toEqual([ids[249]])
  })

  it('a profile that is gone is no failure of a removal, and the others leave', async () => {
    const target = await destination.open(http, wanted('Gone'))
    const ids = idsOf(await added(target, people('gone1', 'gone2', 'gone3')))
    await destination.remove!(http, target, known([...ids.slice(0, 2), '01GONE']))
    expect(held(target)).toEqual([ids[2]])
  })

  it('a page of something in between is no word of Klaviyo’s: whom it keeps from leaving is not counted as removed', async () => {
    const target = await destination.open(http, wanted('Between'))
    const ids = idsOf(await added(target, people('between')))
    sandbox.faults.add({ fault: foreign, method: 'DELETE', path: '/api/lists/*', count: null })
    await expect(destination.remove!(http, target, known(ids))).rejects.toMatchObject({ reason: 'transient' })
    expect(held(target)).toEqual(ids)
  })

  it('nor is a list that it hides missing: none is made in its place', async () => {
    const { id } = await destination.open(http, wanted('Hidden'))
    sandbox.faults.add({ fault: foreign, method: 'GET', path: `/api/lists/${id}`, count: null })
    await expect(destination.open(http, wanted(id))).rejects.toMatchObject({ reason: 'transient' })
    expect(listsNamed(id)).toEqual([])
    sandbox.faults.clear()
    expect(await destination.open(http, wanted(id))).toEqual({ id, name: 'Hidden' })
    await expect(destination.open(http, wanted('Abc123', { create: false }))).rejects.toMatchObject({ reason: 'config' })
  })

  it('a list is made once, also where the answer is lost: who asks anew finds it', async () => {
    sandbox.faults.add({ fault: { kind: 'reset', when: 'during' }, method: 'POST', path: '/api/lists', count: 1 })
    await expect(destination.open(http, wanted('Once'))).rejects.toMatchObject({ reason: 'transient' })
    expect(await destination.open(http, wanted('Once'))).toMatchObject({ name: 'Once' })
    expect(listsNamed('Once')).toHaveLength(1)
  })
})
