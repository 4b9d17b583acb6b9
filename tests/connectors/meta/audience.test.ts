import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/meta/source.js'
import { type Sandbox, startSandbox } from '../../../sandbox/serve.js'
import type { IdentifierKind, Outgoing, Target, Wanted } from '../../../src/core/audience.js'
import type { Http } from '../../../src/core/types.js'
import { writeIdentifiers } from '../../../src/identity/write.js'
import { connect } from '../vendor.js'

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex')
const { destination } = connector.destinations!.custom_audience!
const wanted = (target: string, more: Partial<Wanted> = {}): Wanted => ({
  target,
  create: true,
  mode: 'mirror',
  map: {},
  settings: {},
  ...more,
})

describe('custom audiences, against the sandbox', () => {
  let sandbox: Sandbox
  let http: Http
  let target: Target
  let audiences = 0

  beforeAll(async () => {
    sandbox = await startSandbox({ people: 200, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
  })
  afterAll(() => sandbox.stop())
  beforeEach(async () => {
    const settings = {
      access_token: sandbox.meta.token,
      app_secret: sandbox.meta.app.clientSecret,
      ad_accounts: sandbox.meta.adAccounts.slice(0, 1),
    }
    ;({ http } = connect(connector, settings, { baseUrl: sandbox.url, budget: 'off' }))
    target = await destination.open(http, wanted(`Audience ${++audiences}`))
  })
  const written = (ref: number, given: Partial<Record<IdentifierKind, string>>): Outgoing => {
    const answer = writeIdentifiers(destination, given, { country: 'DE' })
    if ('excluded' in answer) throw new Error(answer.why)
    return { ref: `${ref}`, identifiers: answer.identifiers, fields: {} }
  }
  const people = (count: number, from = 0): Outgoing[] =>
    Array.from({ length: count }, (_, at) => written(from + at, { email: `p${from + at}@example.test` }))
  const membership = () => sandbox.meta.writing.membership(target.id)
  const held = () =>
    membership()
      .members()
      .map(({ EMAIL }) => EMAIL)
      .sort()

  it('is made once, found by name and by id, in the ad account that is chosen', async () => {
    expect(target.isNew).toBe(true)
    const name = `Audience ${audiences}`
    const again = { id: target.id, name, with: target.with }
    expect(await destination.open(http, wanted(name))).toEqual(again)
    expect(await destination.open(http, wanted(target.id, { create: false }))).toEqual(again)
    expect(sandbox.truth.meta.custom_audiences!().filter((one) => one.name === name)).toMatchObject([{ id: target.id, subtype: 'CUSTOM' }])
    await expect(destination.open(http, wanted('Lookalike (1%), customers'))).rejects.toMatchObject({ reason: 'config' })
  })

  it('is made once, also where the answer is lost: who asks anew finds it', async () => {
    sandbox.faults.add({ fault: { kind: 'reset', when: 'during' }, method: 'POST', path: '*/customaudiences', count: 1 })
    await expect(destination.open(http, wanted('Once'))).rejects.toMatchObject({ reason: 'transient' })
    expect(await destination.open(http, wanted('Once'))).toMatchObject({ name: 'Once' })
    expect(sandbox.truth.meta.custom_audiences!().filter(({ name }) => name === 'Once')).toHaveLength(1)
  })

  it('a batch sent twice adds everybody once, and a removal takes back once', async () => {
    const all = people(50)
    await destination.add(http, target, all)
    await destination.add(http, target, all)
    expect(held()).toEqual(all.map(({ identifiers }) => identifiers.email).sort())
    await destination.remove!(http, target, [...all.slice(0, 20), ...people(1, 999)])
    await destination.remove!(http, target, all.slice(0, 20))
    expect(held()).toEqual(
      all
        .slice(20)
        .map(({ identifiers }) => identifiers.email)
        .sort(),
    )
    const counts = [...membership().pushed.values()]
    expect(counts.filter(({ added, removed }) => added === 1 && removed === 1)).toHaveLength(20)
    expect(counts.filter(({ added, removed }) => added === 1 && removed === 0)).toHaveLength(30)
  })

  it('the full batch that Meta takes goes in one call, and of more refused than are named each is found', async () => {
    const all = people(destination.batch)
    const bad = all.filter((_, at) => at % 40 === 0)
    for (const { identifiers } of bad) sandbox.meta.switches.invalidValues.set(identifiers.email!, 'Invalid value')
    const before = sandbox.requests('meta').length
    const { outcomes } = await destination.add(http, target, all)
    sandbox.meta.switches.invalidValues.clear()
    expect(sandbox.requests('meta').length - before).toBe(3)
    expect(outcomes.map(({ ref }) => ref)).toEqual(bad.map(({ ref }) => ref))
    expect(held()).toHaveLength(all.length - bad.length)
    expect([...membership().pushed.values()].every(({ added }) => added === 1)).toBe(true)
  })

  it('people are matched by the hashes of their addresses and numbers, and counts follow a day later', async () => {
    const company = sandbox.company.people.filter(({ email }) => email !== null).slice(0, 120)
    await destination.add(
      http,
      target,
      company.map(({ email, n }) => written(n, { email: `  ${email!.toUpperCase()} ` })),
    )
    expect(membership().matches(membership().members())).toBe(company.length)
    const delivery = async () =>
      (await http.request({ path: `/v26.0/${target.id}`, query: { fields: 'delivery_status' } })).body.delivery_status
    expect(await delivery()).toMatchObject({ code: 300 })
    sandbox.clock.advance(25 * 3_600_000)
    expect(await delivery()).toMatchObject({ code: 200 })
  })

  it('whom only an id of a device matched is taken back by it', async () => {
    const one = written(1, { mobile_id: 'ABCDEF01-2345-6789-ABCD-EF0123456789' })
    await destination.add(http, target, [one])
    expect(membership().members()).toMatchObject([{ MADID: 'abcdef01-2345-6789-abcd-ef0123456789' }])
    await destination.remove!(http, target, [one])
    expect(membership().members()).toEqual([])
  })

  it('terms that nobody accepted, a flag, and a token without ads_management say who must act', async () => {
    const { switches, access, token } = sandbox.meta
    switches.areTermsAccepted = false
    await expect(destination.add(http, target, people(1))).rejects.toMatchObject({
      reason: 'permission',
      message: expect.stringMatching(/Terms/),
    })
    switches.areTermsAccepted = true
    switches.flaggedAudiences = [target.id]
    await expect(destination.add(http, target, people(1))).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringMatching(/flagged/),
    })
    await expect(destination.open(http, wanted(target.id))).rejects.toMatchObject({ reason: 'config' })
    switches.flaggedAudiences = []
    access.grant(['ads_read'])
    await expect(destination.add(http, target, people(1))).rejects.toMatchObject({
      reason: 'permission',
      message: expect.stringMatching(/ads_management/),
    })
    access.grant(['ads_read', 'ads_management'], token)
    expect(held()).toEqual([])
  })

  it('a plain value where a hash is due is refused by Meta itself', async () => {
    const plain = { ref: '1', identifiers: { email: 'ana' }, fields: {} }
    const { outcomes } = await destination.add(http, target, [plain, ...people(1)])
    expect(outcomes).toEqual([
      { ref: '1', refused: { reason: 'record', message: 'Meta refused its EMAIL: Invalid EMAIL: expected SHA-256' } },
    ])
    expect(held()).toEqual([sha256('p0@example.test')])
  })
})
