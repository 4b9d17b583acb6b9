import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/hubspot/source.js'
import { type Sandbox, startSandbox } from '../../../sandbox/serve.js'
import type { Http, Page } from '../../../src/core/types.js'
import { createAccounts } from '../../../src/http/budget.js'
import { createHttp } from '../../../src/http/client.js'

/** An account of the size at which HubSpot's limits bite: 10,000 results a search, 3,000 characters a question, 16,000 an address. */
const now = new Date('2026-11-20T12:00:00.000Z')
const clock = { now: () => now, sleep: () => Promise.resolve() }
const quiet = () => undefined
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
const stream = connector.source.streams.contacts!
const main = stream.passes[0]

let many: Sandbox
let wide: Sandbox
beforeAll(async () => {
  many = await startSandbox({ people: 15_500, activitiesPerPerson: 0, now, limits: 'off' })
  wide = await startSandbox({ people: 300, activitiesPerPerson: 0, now, limits: 'off', extraProperties: 900 })
})
afterAll(() => Promise.all([many.stop(), wide.stop()]))

const open = (sandbox: Sandbox): Http => {
  const settings = { access_token: sandbox.hubspot.token }
  const connection = { name: 'h', type: 'hubspot', baseUrl: sandbox.url, budget: 'off', settings } as const
  return createHttp(connector.api, connection, { clock, log, accounts: createAccounts(clock) })
}
async function read(pages: AsyncIterable<Page>) {
  const records = []
  for await (const page of pages) records.push(...page.records.map(stream.record))
  return records
}

describe('a large account', () => {
  it('loses none of 11,000 contacts that changed at one instant, in bounded requests', async () => {
    many.company.editMany(15_500, 'crm')
    const from = new Date(now.getTime() - 60_000).toISOString()
    const to = new Date(now.getTime() + 60_000).toISOString()
    const truth = many.truth.hubspot.contacts().filter(({ archived, updatedAt }) => !archived && updatedAt >= from && updatedAt < to)
    many.clearRequests()
    const records = await read(main.read({ http: open(many), slice: { pass: 'main', from, to }, fields: stream.fields }))
    expect(new Set(records.map(({ id }) => id))).toEqual(new Set(truth.map(({ id }) => id)))
    expect(records).toHaveLength(truth.length)
    expect(truth.length).toBeGreaterThan(10_000)
    expect(many.requests('hubspot').length).toBeLessThanOrEqual(Math.ceil((truth.length / 200) * 1.2))
  })

  it('shows 900 properties that no address and no search can name', async () => {
    wide.company.editMany(300, 'crm')
    const http = open(wide)
    const fields = { ...(await stream.discover!(http)), ...stream.fields }
    expect(Object.keys(fields).length).toBeGreaterThan(900)
    const from = new Date(now.getTime() - 60_000).toISOString()
    const to = new Date(now.getTime() + 60_000).toISOString()
    for (const slice of [
      { pass: 'main', to },
      { pass: 'main', from, to },
    ]) {
      const pages = main.read({ http, slice, fields })[Symbol.asyncIterator]()
      const { value } = (await pages.next()) as { value: Page }
      await pages.return?.()
      const record = stream.record(value.records[0]!)
      expect(Object.keys(fields).filter((field) => field !== 'archivedAt' && !(field in record))).toEqual([])
    }
    expect(wide.requests({ vendor: 'hubspot' }).filter(({ status }) => status >= 400)).toEqual([])
  })
})
