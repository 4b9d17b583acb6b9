import { createHash } from 'node:crypto'
import { AdAccount, CustomAudience, FacebookAdsApi } from 'facebook-nodejs-business-sdk'
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
      ({ account_id, effective_status }) =>
        account_id === sandbox.meta.adAccounts[0]!.slice(4) && !/DELETED|ARCHIVED/.test(String(effective_status)),
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

  it('makes an audience, fills it in sessions, and takes people out', async () => {
    const hash = (name: string) => createHash('sha256').update(`${name}@example.test`).digest('hex')
    const made = await account.createCustomAudience([], { name: 'VIP', subtype: 'CUSTOM', customer_file_source: 'USER_PROVIDED_ONLY' })
    const audience = new CustomAudience(String(made.id))
    expect(await audience.get(['name', 'operation_status'])).toMatchObject({ name: 'VIP', operation_status: { code: 200 } })
    const batch = (seq: number, isLast: boolean, ...values: string[]) => ({
      session: { session_id: 9778993, batch_seq: seq, last_batch_flag: isLast, estimated_num_total: 3 },
      payload: { schema: ['EMAIL'], data: values.map((value) => [value]) },
    })
    const first = await audience.createUser([], batch(1, false, hash('ana'), 'nobody'))
    expect(first._data).toMatchObject({ session_id: '9778993', num_received: 2, num_invalid_entries: 1 })
    expect(first._data.invalid_entry_samples).toEqual({ nobody: expect.any(String) })
    // The same batch again is late, and so is nothing at all; what was received counts over the session.
    expect((await audience.createUser([], batch(1, false, hash('cy'))))._data).toMatchObject({ num_received: 2 })
    const last = await audience.createUser([], batch(2, true, hash('ben')))
    expect(last._data).toMatchObject({ num_received: 3, num_invalid_entries: 0, invalid_entry_samples: [] })
    await expect(audience.createUser([], batch(3, true, hash('di')))).rejects.toMatchObject({
      response: { code: 2650, error_subcode: 1_870_159 },
    })
    await expect(
      audience.createUser([], { ...batch(2, true, hash('di')), session: { session_id: 7, batch_seq: 2, last_batch_flag: true } }),
    ).rejects.toMatchObject({ response: { code: 2650, error_subcode: 1_870_147 } })
    await audience.deleteUsers({ payload: { schema: 'EMAIL_SHA256', data: [hash('ana'), hash('ana')] } })
    expect(sandbox.meta.writing.membership(String(made.id)).members()).toEqual([{ EMAIL: hash('ben') }])
    const sessions = await audience.getSessions([], { session_id: 9778993 })
    expect(sessions.map(({ _data }) => _data)).toMatchObject([{ num_received: '3', num_invalid_entries: '1', stage: 'FINISHED' }])
  })

  it('is served with the next version, and told so', async () => {
    await account.get(['name'])
    expect(sandbox.requests('meta').at(-1)?.path).toMatch(/^\/v24\.0\//)
    sandbox.meta.switches.oldVersions = 'fail'
    await expect(account.get(['name'])).rejects.toMatchObject({ response: { code: 2635 } })
  })
})
