import { AdAccount, FacebookAdsApi } from 'facebook-nodejs-business-sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'

/**
 * The vendor's own SDK, unmodified, as a client. It takes its origin from a constant of its class, which is redefined here, and its
 * newest release speaks v24.0, whose Marketing endpoints have expired: the sandbox serves it as the vendor does, with a warning.
 */
let sandbox: Sandbox
let account: AdAccount
beforeAll(async () => {
  sandbox = await startSandbox({ people: 60, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
  Object.defineProperty(FacebookAdsApi, 'GRAPH', { get: () => sandbox.url })
  FacebookAdsApi.init(sandbox.meta.token, 'en_US', false)
  account = new AdAccount(sandbox.meta.adAccounts[0]!)
})
afterAll(() => sandbox.stop())

describe('the Meta SDK', () => {
  it('reads an account and pages through its ads by the address of the next page', async () => {
    const read = await account.get(['currency', 'timezone_name'])
    expect(read).toMatchObject({ currency: 'EUR', timezone_name: 'Europe/Berlin' })
    const ids: string[] = []
    let cursor = await account.getAds(['name', 'effective_status'], { limit: 10 })
    for (;;) {
      ids.push(...cursor.map(({ id }) => String(id)))
      if (!cursor.hasNext()) break
      cursor = await cursor.next()
    }
    const standing = sandbox.truth.meta.ads!().filter(
      ({ account_id, effective_status }) => account_id === sandbox.meta.adAccounts[0]!.slice(4) && !/DELETED|ARCHIVED/.test(String(effective_status)),
    )
    expect(ids.sort()).toEqual(standing.map(({ id }) => String(id)).sort())
    expect(ids.length).toBeGreaterThan(20)
  })

  it('runs a report as a job and reads its rows', async () => {
    const parameters = { level: 'ad', time_range: { since: '2026-11-10', until: '2026-11-12' }, time_increment: 1 }
    const job = await account.getInsightsAsync(['ad_id', 'spend', 'actions'], parameters)
    const run = await job.get(['async_status', 'async_percent_completion'])
    expect(run).toMatchObject({ async_status: 'Job Completed', async_percent_completion: 100 })
    const rows = await run.getInsights([], { limit: 500 })
    const atOnce = await account.getInsights(['ad_id', 'spend', 'actions'], { ...parameters, limit: 500 })
    expect(rows.map(({ _data }) => _data)).toEqual(atOnce.map(({ _data }) => _data))
    expect(rows.length).toBeGreaterThan(20)
  })

  it('hears Graph’s refusals', async () => {
    const failed = await account.getCampaigns(['wish_bid'], {}).catch((error: unknown) => error)
    expect(failed).toMatchObject({
      status: 400,
      response: { code: 100, message: '(#100) Tried accessing nonexisting field (wish_bid) on node type (Campaign)' },
    })
  })

  it('is served with the next version, and told so', async () => {
    await account.get(['name'])
    expect(sandbox.requests('meta').at(-1)?.path).toMatch(/^\/v24\.0\//)
    sandbox.meta.switches.oldVersions = 'fail'
    await expect(account.get(['name'])).rejects.toMatchObject({ response: { code: 2635 } })
  })
})
