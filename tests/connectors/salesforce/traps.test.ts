import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connector, streamsOf } from '../../../connectors/salesforce/source.js'
import { type Sandbox, salesforceOAuth, startSandbox } from '../../../sandbox/serve.js'
import type { Http } from '../../../src/core/types.js'
import { byBulk, byId, byRest, fieldsOf, open, read, recordsIn } from './org.js'

/** What breaks a naive connector, one after another, against the sandbox's org. */
const now = '2026-11-20T12:00:00.000Z'
let sandbox: Sandbox
let http: Http
beforeAll(async () => {
  sandbox = await startSandbox({ people: 300, now: new Date(now), limits: 'off' })
  http = open(sandbox)
})
afterEach(() => {
  sandbox.faults.clear()
  sandbox.clearRequests()
  Object.assign(sandbox.salesforce.switches, { pageMost: 2_000, slowAbove: Number.POSITIVE_INFINITY })
  Object.assign(sandbox.salesforce.switches.bulk, { polls: 2, pageSize: 50_000, failing: 0, slowAbove: Number.POSITIVE_INFINITY })
  sandbox.salesforce.access.close([])
})
afterAll(() => sandbox.stop())

const calls = (method: string, path: string) => sandbox.requests({ vendor: 'salesforce', method, path })
/** Behind all that has happened so far. */
const later = () => new Date(sandbox.clock.now().getTime() + 1_000).toISOString()
const contacts = () => sandbox.truth.salesforce.contacts()

describe('reading everything', () => {
  it.each([
    ['REST', byRest],
    ['Bulk', byBulk],
  ] as const)('goes through every page by %s, whatever their size', async (_, streams) => {
    sandbox.salesforce.switches.pageMost = 7
    sandbox.salesforce.switches.bulk.pageSize = 7
    const pages = await read(http, streams.contacts!, { to: now })
    expect(pages.filter(({ records }) => records.length > 0).length).toBeGreaterThan(10)
    expect(recordsIn(pages, streams.contacts!)).toHaveLength(contacts().length)
  })

  it('gives the same records by both ways, to the last cell', async () => {
    for (const name of Object.keys(byRest)) {
      const [rest, bulk] = await Promise.all(
        [byRest[name]!, byBulk[name]!].map(async (stream) => byId(recordsIn(await read(http, stream, { to: now }), stream))),
      )
      expect(bulk, name).toEqual(rest)
    }
  })

  it('sees archived tasks, what is in the bin and who was merged away', async () => {
    const [winner, loser] = [...sandbox.salesforce.store.table('Account').values()]
    sandbox.salesforce.store.merge(winner!.id, loser!.id, sandbox.clock.now().getTime() - 3_600_000)
    const accounts = byId(recordsIn(await read(http, byRest.accounts!, { to: now }), byRest.accounts!))
    expect(accounts.get(loser!.id)).toMatchObject({ IsDeleted: true, MasterRecordId: winner!.id, DeletedDate: '2026-11-20T11:00:00.000Z' })
    const tasks = recordsIn(await read(http, byRest.tasks!, { to: now }), byRest.tasks!)
    expect(tasks.some(({ IsArchived }) => IsArchived === true)).toBe(true)
  })

  it('chooses by the number of records, which costs one request', async () => {
    const few = streamsOf(contacts().length + 1).contacts!
    const many = streamsOf(contacts().length).contacts!
    await read(http, few, { to: now })
    expect(calls('POST', '*/jobs/query')).toHaveLength(0)
    await read(http, many, { to: now })
    expect(calls('POST', '*/jobs/query')).toHaveLength(1)
  })

  it('reads an object whose statement fits no URL by a job, even a small one', async () => {
    const surveys = connector.source.custom!('surveys', { object: 'Survey__c' })
    const fields = await fieldsOf(http, surveys)
    expect(Object.keys(fields).length).toBeGreaterThan(600)
    expect(recordsIn(await read(http, surveys, { to: now }, { fields }), surveys)).toHaveLength(40)
    expect(calls('POST', '*/jobs/query')).toHaveLength(1)
    expect(sandbox.requests({ vendor: 'salesforce', status: 414 })).toEqual([])
  })

  it('reads by REST what the Bulk API does not serve', async () => {
    const attachments = connector.source.custom!('attachments', { object: 'Attachment' })
    // As many as a job would be made for.
    const one = { ...attachments, passes: [{ ...attachments.passes[0] }] as const }
    const records = recordsIn(await read(http, one, { to: now }), one)
    expect(records).toHaveLength(10)
    expect(Object.keys(records[0]!)).not.toContain('Body')
  })
})

describe('changes', () => {
  it('neighbouring slices give each record once, though thousands share a second', async () => {
    sandbox.clock.advance(60_000)
    sandbox.company.editMany(200, 'crm')
    const at = sandbox.clock.now().toISOString()
    const before = await read(http, byRest.contacts!, { from: now, to: at })
    const after = await read(http, byRest.contacts!, { from: at, to: new Date(Date.parse(at) + 1_000).toISOString() })
    const ids = [...recordsIn(before, byRest.contacts!), ...recordsIn(after, byRest.contacts!)].map(({ Id }) => Id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(recordsIn(after, byRest.contacts!).length).toBeGreaterThan(50)
  })

  it('brings back a record that was taken out of the bin', async () => {
    const id = String(contacts().find(({ IsDeleted }) => IsDeleted === false)?.Id)
    const { store } = sandbox.salesforce
    sandbox.clock.advance(60_000)
    store.remove('Contact', id, sandbox.clock.now().getTime())
    sandbox.clock.advance(60_000)
    store.restore('Contact', id, sandbox.clock.now().getTime())
    const to = new Date(sandbox.clock.now().getTime() + 1_000).toISOString()
    const found = byId(recordsIn(await read(http, byRest.contacts!, { from: now, to }), byRest.contacts!)).get(id)
    expect(found).toMatchObject({ IsDeleted: false, DeletedDate: null })
  })

  it('sees what is gone for good by the log of deletions, and only that', async () => {
    const living = contacts().filter(({ IsDeleted }) => IsDeleted === false)
    const [inBin, purged] = living.map(({ Id }) => String(Id))
    sandbox.clock.advance(3_600_000)
    const { store } = sandbox.salesforce
    store.remove('Contact', inBin!, sandbox.clock.now().getTime())
    store.erase('Contact', purged!, sandbox.clock.now().getTime())
    sandbox.clock.advance(3_600_000)
    const to = sandbox.clock.now().toISOString()
    const records = recordsIn(await read(http, byRest.contacts!, { pass: 'purged', from: now, to }), byRest.contacts!)
    expect(records.map(({ Id }) => Id)).toEqual([purged])
    expect(records[0]).toMatchObject({ IsDeleted: true, DeletedDate: expect.stringMatching(/Z$/) })
  })
})

describe('rights', () => {
  it('a hidden field is no column, and hides between look and query without a failure', async () => {
    const fields = await fieldsOf(http, byRest.contacts!)
    sandbox.salesforce.access.close(['Contact.Phone'])
    expect(Object.keys(await fieldsOf(http, byRest.contacts!))).not.toContain('Phone')
    for (const streams of [byRest, byBulk]) {
      const records = recordsIn(await read(http, streams.contacts!, { to: later() }, { fields }), streams.contacts!)
      expect(records.length).toBeGreaterThan(0)
      expect(Object.keys(records[0]!)).not.toContain('Phone')
    }
  })

  it('a closed object fails its own stream and no other, and says who must act', async () => {
    const fields = await fieldsOf(http, byRest.opportunities!)
    sandbox.salesforce.access.close(['Opportunity'])
    const closed = { reason: 'permission', message: expect.stringMatching(/administrator.*leave it out/s) }
    await expect(fieldsOf(http, byRest.opportunities!)).rejects.toMatchObject(closed)
    await expect(read(http, byRest.opportunities!, { to: later() }, { fields })).rejects.toMatchObject(closed)
    await expect(read(http, byRest.leads!, { to: later() })).resolves.toBeDefined()
    const findings = []
    for await (const finding of connector.source.check(http)) findings.push(finding)
    expect(findings.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['object of opportunities'])
  })
})

describe('bulk jobs', () => {
  it('go on after a kill at any place, without a second job', async () => {
    sandbox.salesforce.switches.bulk.pageSize = 40
    const stream = byBulk.contacts!
    const fields = await fieldsOf(http, stream)
    const whole = await read(http, stream, { to: later() }, { fields })
    for (let at = 0; at < whole.length - 1; at++) {
      sandbox.clearRequests()
      const kept: Awaited<ReturnType<typeof read>> = []
      const pass = stream.passes[0]
      // Killed after so many pages: what is known is the last page's place.
      try {
        for await (const page of pass.read({ http, slice: { pass: 'main', to: later() }, fields })) if (kept.push(page) > at) break
      } catch {
        // It rests while the job is worked on.
      }
      const rest = await read(http, stream, { to: later() }, { fields, resume: JSON.parse(JSON.stringify(kept.at(-1)!.resume)) })
      expect(recordsIn([...kept, ...rest], stream).map(({ Id }) => Id)).toEqual(recordsIn(whole, stream).map(({ Id }) => Id))
      expect(calls('POST', '*/jobs/query')).toHaveLength(1)
    }
    expect(sandbox.salesforce.jobs.standing).toEqual([])
  })

  it('that take too long are for smaller slices, and one that cannot be smaller is read by REST', async () => {
    sandbox.salesforce.switches.bulk.failing = 1
    await expect(read(http, byBulk.contacts!, { from: '2024-01-01T00:00:00.000Z', to: later() })).rejects.toMatchObject({
      reason: 'too_large',
      where: { code: 'QUERY_TIMEOUT' },
    })
    sandbox.salesforce.switches.bulk.failing = 1
    const pages = await read(http, byBulk.contacts!, { from: new Date(sandbox.clock.now().getTime() - 300_000).toISOString(), to: later() })
    expect(pages.length).toBeGreaterThan(0)
  })

  it('of another version are not read: results belong to the version that made them', async () => {
    const { job, polls } = { job: '7505g0000000000AAA', polls: 0 }
    const pages = await read(http, byBulk.contacts!, { to: later() }, { resume: { job, polls, read: 0, version: '62.0' } })
    expect(recordsIn(pages, byBulk.contacts!)).toHaveLength(contacts().length)
    expect(sandbox.requests({ vendor: 'salesforce', status: 409 })).toEqual([])
  })

  it('survive a cut CSV, with its own length or a promised one', async () => {
    for (const how of ['clean', 'length', 'chunk'] as const) {
      sandbox.faults.add({ vendor: 'salesforce', path: '*/results', fault: { kind: 'cut', how }, count: 1 })
      const stream = byBulk.contacts!
      // What the client cannot see is cut, the reader sees; the engine goes on from the last page.
      const first = await read(http, stream, { to: later() }).catch((error: { reason: string }) => error.reason)
      const pages = typeof first === 'string' ? await read(http, stream, { to: later() }) : first
      if (typeof first === 'string') expect(first).toBe('transient')
      expect(recordsIn(pages, stream)).toHaveLength(contacts().length)
    }
  })

  it('cost what they cost: a count, a job, looks, pages and a deletion', async () => {
    const fields = await fieldsOf(http, byBulk.contacts!)
    sandbox.clearRequests()
    await read(http, byBulk.contacts!, { to: later() }, { fields })
    expect(
      sandbox
        .requests('salesforce')
        .map(({ method, path }) => `${method} ${path.replace(/750\w+/, 'ID').replace('/services/data/v68.0', '')}`),
    ).toEqual([
      'GET /queryAll',
      'POST /jobs/query',
      'GET /jobs/query/ID',
      'GET /jobs/query/ID',
      'GET /jobs/query/ID/results',
      'DELETE /jobs/query/ID',
    ])
  })
})

describe('sessions', () => {
  const app = { client_id: salesforceOAuth.clientId, client_secret: salesforceOAuth.clientSecret }
  const ask = (client: Http) => client.request({ path: '/services/data/v68.0/limits' })
  const grants = () => calls('POST', '/services/oauth2/token')

  it('rotated refresh tokens are each spent once, through any number of expiries', async () => {
    const client = open(sandbox, { ...app, refresh_token: sandbox.salesforce.access.currentRefreshToken() })
    for (let i = 0; i < 4; i++) {
      await Promise.all([ask(client), ask(client), ask(client)])
      sandbox.salesforce.access.expireTokens()
    }
    expect(grants().map(({ status }) => status)).toEqual([200, 200, 200, 200])
  })

  it('an org that answers 401 for ever is asked for one new session, not for ever', async () => {
    sandbox.faults.add({ vendor: 'salesforce', path: '*/limits', fault: { kind: 'expired-token' }, count: null })
    const client = open(sandbox, { ...app, refresh_token: sandbox.salesforce.access.currentRefreshToken() })
    await expect(ask(client)).rejects.toMatchObject({ reason: 'auth' })
    expect(grants()).toHaveLength(2)
  })

  it('work by a signed statement and by the client alone, which at the shared login host waits for a person', async () => {
    await ask(
      open(sandbox, { client_id: app.client_id, private_key: sandbox.salesforce.access.privateKey, username: salesforceOAuth.username }),
    )
    await ask(open(sandbox, { ...app, login_url: sandbox.url }))
    const at = (settings: Record<string, unknown>) => open(sandbox, settings, sandbox.url.replace('127.0.0.1', 'localhost'))
    await expect(ask(at(app))).rejects.toMatchObject({ reason: 'auth', message: expect.stringContaining('weir connect sf') })
    // By the shared host a token names the org's own.
    await ask(at({ ...app, refresh_token: sandbox.salesforce.access.currentRefreshToken() }))
    expect(sandbox.requests({ vendor: 'salesforce', path: '*/limits' }).at(-1)?.headers.host).toContain('127.0.0.1')
  })
})
