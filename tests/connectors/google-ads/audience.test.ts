import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/google-ads/source.js'
import { adwords, datamanager } from '../../../sandbox/google-ads/access.js'
import { googleAdsOAuth, type Sandbox, startSandbox } from '../../../sandbox/serve.js'
import type { Answer, ChangeAction, Outgoing, Target, Wanted } from '../../../src/core/audience.js'
import type { Http } from '../../../src/core/types.js'
import { writeIdentifiers } from '../../../src/identity/write.js'
import { connect } from '../vendor.js'

const { destination } = connector.destinations!.list!
const shop = '1111111111'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

let sandbox: Sandbox
let usual: Sandbox['google_ads']['switches']
beforeAll(async () => {
  sandbox = await startSandbox({ people: 60, now: new Date('2026-11-20T12:00:00Z'), limits: 'off', adsSince: new Date('2026-11-19') })
  usual = { ...sandbox.google_ads.switches }
})
afterEach(() => {
  Object.assign(sandbox.google_ads.switches, usual)
  sandbox.google_ads.access.grant([adwords, datamanager])
  sandbox.faults.clear()
})
afterAll(() => sandbox.stop())

function client(more: Record<string, unknown> = {}): Http {
  const { clientId, clientSecret, refreshToken } = googleAdsOAuth
  const settings = {
    client_id: clientId,
    client_secret: clientSecret,
    refresh_token: refreshToken,
    oauth_base_url: sandbox.url,
    login_customer_id: '555-555-5555',
    customer_ids: [shop],
    ...more,
  }
  return connect(connector, settings, { baseUrl: sandbox.url, budget: 'off' }).http
}
let named = 0
const wanted = (more: Partial<Wanted> = {}): Wanted => ({
  target: `List ${++named}`,
  create: true,
  mode: 'mirror',
  map: {},
  settings: { status_after_seconds: 1 },
  ...more,
})
const person = (ref: string, given: Parameters<typeof writeIdentifiers>[1]): Outgoing => {
  const written = writeIdentifiers(destination, given, {})
  if ('excluded' in written) throw new Error(written.why)
  return { ref, identifiers: written.identifiers, fields: {} }
}
const people = (...addresses: string[]) => addresses.map((email, at) => person(String(at + 1), { email }))
const heldBy = ({ id }: Target) => sandbox.google_ads.dataManager.held(sandbox.google_ads.dataManager.lists.find(shop, id)!)

/** As the engine asks: until there is no job left. */
async function ended(http: Http, target: Target, action: ChangeAction, members: readonly Outgoing[]): Promise<Answer & { looks: number }> {
  let answer = await (action === 'remove' ? destination.remove! : destination.add)(http, target, members)
  const outcomes = [...answer.outcomes]
  let looks = 0
  for (; answer.job; looks++) answer = await destination.poll!(http, target, answer.job, action, members)
  return { ...answer, outcomes: [...outcomes, ...answer.outcomes], looks }
}

describe('whom Google takes', () => {
  it.each([
    [{ email: 'Cloudy.SanFrancisco+x@gmail.com' }, { email: 'cloudysanfrancisco@gmail.com' }],
    [{ email: 'user.name+NYC@Example.com' }, { email: 'user.name+nyc@example.com' }],
    [{ phone: '(800) 555-0100', country: 'us' }, { phone: '+18005550100' }],
  ])('%j is written as Google publishes it', (given, plain) => {
    const written = writeIdentifiers(destination, given, {})
    expect(written).toMatchObject({ identifiers: Object.fromEntries(Object.entries(plain).map(([kind, text]) => [kind, sha256(text!)])) })
  })

  it('the published hash, and an address with post code and country in clear', () => {
    expect(person('1', { email: 'dana@example.com' }).identifiers.email).toMatch(/^07e2f1394b0ea80e/)
    const given = { first_name: ' Ana', last_name: "O'Neil ", postal_code: ' 10115', country: 'de' }
    expect(person('1', given).identifiers).toEqual({
      first_name: sha256('ana'),
      last_name: sha256("o'neil"),
      postal_code: '10115',
      country: 'DE',
    })
    expect(writeIdentifiers(destination, { first_name: 'Ana', postal_code: '1', country: 'DE' }, {})).toMatchObject({
      excluded: 'no_identifier',
    })
  })
})

describe('the list', () => {
  it('is made with its duration, found by name and by id, and half of its duration renews', async () => {
    const http = client()
    const want = wanted({ settings: { membership_days: 30 } })
    const made = await destination.open(http, want)
    expect(made).toMatchObject({ isNew: true, renewAfterMs: 15 * 86_400_000, with: { customer: shop, login: '5555555555' } })
    expect(await destination.open(http, { ...want, create: false })).toMatchObject({ id: made.id, name: want.target })
    expect(await destination.open(http, { ...want, create: false, target: made.id })).toMatchObject({ id: made.id, name: want.target })
  })

  it('that is missing, takes no contact data, or may be in several accounts is one clear failure', async () => {
    const http = client()
    const failed = (more: Partial<Wanted>, through = http) => destination.open(through, wanted({ create: false, ...more }))
    await expect(failed({ target: 'Nobody' })).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining('has no user list "Nobody"'),
    })
    await expect(failed({ target: 'All visitors' })).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining('takes no contact data'),
    })
    await expect(failed({}, client({ customer_ids: undefined }))).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining('set customer_id'),
    })
    sandbox.google_ads.access.grant([adwords])
    await expect(failed({}, client())).rejects.toMatchObject({ reason: 'auth', message: expect.stringContaining('auth/datamanager') })
  })
})

describe('a page of something in between', () => {
  it('says nothing of a list: one that it hides is not made again', async () => {
    const http = client()
    const { id } = await destination.open(http, wanted())
    const fault = { kind: 'status', status: 404, body: 'html' } as const
    sandbox.faults.add({ fault, method: 'GET', path: `*/userLists/${id}`, count: null })
    await expect(destination.open(http, wanted({ target: id }))).rejects.toMatchObject({ reason: 'transient' })
    sandbox.faults.clear()
    await expect(destination.open(http, wanted({ target: '123', create: false }))).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining('has no user list "123"'),
    })
    expect(await destination.open(http, wanted({ target: id }))).toMatchObject({ id })
  })
})

describe('members', () => {
  it('come and go by the same identifiers, each once, however often a request is repeated', async () => {
    const http = client()
    const target = await destination.open(http, wanted())
    const members = [
      ...people('a@x.example', 'b@x.example'),
      person('3', { email: 'c@x.example', first_name: 'Ana', last_name: 'Weiß', postal_code: '1', country: 'DE' }),
    ]
    expect(await ended(http, target, 'add', members)).toMatchObject({ outcomes: [], looks: 2 })
    await ended(http, target, 'add', members)
    expect(heldBy(target)).toEqual([
      ...['a', 'b', 'c'].map((name) => `email:${sha256(`${name}@x.example`)}`),
      `address:${sha256('ana')}:${sha256('weiß')}:DE:1`,
    ])
    expect([...sandbox.google_ads.dataManager.pushed.get(target.id)!.values()]).toEqual(
      heldBy(target).map(() => ({ added: 1, removed: 0 })),
    )
    await ended(http, target, 'remove', members.slice(1))
    await ended(http, target, 'remove', members.slice(1))
    expect(heldBy(target)).toEqual([`email:${sha256('a@x.example')}`])
  })

  it('whose hash is malformed are left out by name, and the others go', async () => {
    const http = client()
    const target = await destination.open(http, wanted())
    const [a, b, c] = people('a@x.example', 'b@x.example', 'c@x.example') as [Outgoing, Outgoing, Outgoing]
    const members = [a, { ...b, identifiers: { email: 'b@x' } }, c]
    const { outcomes } = await ended(http, target, 'add', members)
    expect(outcomes).toMatchObject([{ ref: '2', refused: { reason: 'record', message: expect.stringContaining('INVALID_HEX_ENCODING') } }])
    expect(JSON.stringify(outcomes)).not.toContain('b@x')
    expect(heldBy(target)).toHaveLength(2)
  })

  it('that are refused later are counted, of a removal all are removed again, and of a whole upload all are named', async () => {
    const http = client()
    const target = await destination.open(http, wanted())
    const members = people('a@x.example', 'b@x.example')
    const refuse = (reason: string, ...addresses: string[]) => {
      sandbox.google_ads.switches.lateRefusals = new Map(addresses.map((one) => [sha256(one), reason]))
    }
    refuse('DENIED_CONSENT', 'b@x.example')
    expect(await ended(http, target, 'add', members)).toMatchObject({
      outcomes: [],
      unnamed: { members: 1, message: expect.stringContaining('DENIED_CONSENT (1)') },
    })
    expect((await ended(http, target, 'remove', members)).outcomes).toMatchObject([{ ref: '1' }, { ref: '2' }])
    refuse('DENIED_CONSENT', 'a@x.example', 'b@x.example')
    const { outcomes } = await ended(http, target, 'add', members)
    expect(outcomes).toMatchObject([{ refused: { message: expect.stringContaining('refused all of 2') } }, { ref: '2' }])
  })

  it('in which Google failed by itself are sent again, twice at most', async () => {
    const http = client()
    const target = await destination.open(http, wanted())
    sandbox.google_ads.switches.lateRefusals = new Map([[sha256('a@x.example'), 'INTERNAL_ERROR']])
    sandbox.clearRequests()
    expect(await ended(http, target, 'add', people('a@x.example', 'b@x.example'))).toMatchObject({ unnamed: { members: 1 } })
    expect(sandbox.requests({ vendor: 'google_ads', path: '/v1/audienceMembers:ingest' })).toHaveLength(3)
  })

  it('that a repetition refuses are told, and what became of the others is asked of the repetition', async () => {
    const http = client()
    const target = await destination.open(http, wanted())
    const [a, b, c] = people('a@x.example', 'b@x.example', 'c@x.example') as [Outgoing, Outgoing, Outgoing]
    // What Google took the first time it refuses the second time.
    const spoilt = (one: Outgoing): Outgoing => ({ ...one, identifiers: { email: 'b@x' } })
    const later = async (sent: Outgoing[], members: Outgoing[]) => {
      sandbox.google_ads.switches.lateRefusals = new Map([[a.identifiers.email!, 'INTERNAL_ERROR']])
      let answer = await destination.add(http, target, sent)
      while (answer.job) {
        answer = await destination.poll!(http, target, answer.job, 'add', members)
        if (sandbox.requests({ vendor: 'google_ads', path: '/v1/audienceMembers:ingest' }).length > 1)
          sandbox.google_ads.switches.lateRefusals = new Map()
      }
      return answer
    }
    sandbox.clearRequests()
    const refused = { reason: 'record', message: expect.stringContaining('INVALID_HEX_ENCODING') }
    expect(await later([a, b, c], [a, spoilt(b), c])).toEqual({ outcomes: [{ ref: '2', refused }] })
    expect(heldBy(target)).toHaveLength(3)
    sandbox.clearRequests()
    expect(await later([a], [spoilt(a)])).toEqual({ outcomes: [{ ref: '1', refused }] })
  })

  it('are given up after a day of looks, later each time; a list that is gone is a matter of configuration', async () => {
    const http = client()
    const target = await destination.open(http, wanted({ settings: {} }))
    sandbox.google_ads.switches.statusPolls = 1_000
    let { job } = await destination.add(http, target, people('a@x.example'))
    const waits: number[] = []
    const look = async () => {
      for (; job; { job } = await destination.poll!(http, target, job, 'add', people('a@x.example'))) waits.push(job.askAgainMs / 60_000)
    }
    await expect(look()).rejects.toMatchObject({ reason: 'permanent', message: expect.stringContaining('24 hours') })
    expect(waits.slice(0, 4).map(Math.round)).toEqual([30, 39, 51, 60])
    await expect(destination.add(http, { ...target, id: '1' }, people('a@x.example'))).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining('INVALID_USER_LIST_ID'),
    })
  })

  it('leave in requests of 10,000, with consent and terms on the way in and without them on the way out', async () => {
    const http = client()
    const target = await destination.open(http, wanted())
    const many = people(...Array.from({ length: 10_001 }, (_, n) => `p${n}@x.example`))
    sandbox.clearRequests()
    await ended(http, target, 'add', many)
    expect(sandbox.requests({ vendor: 'google_ads', path: '/v1/audienceMembers:ingest' })).toHaveLength(2)
    expect(heldBy(target)).toHaveLength(10_001)
    await ended(http, target, 'remove', many)
    expect(heldBy(target)).toEqual([])
  })
})
