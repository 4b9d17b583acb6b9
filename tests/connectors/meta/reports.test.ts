import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { custom, customReport } from '../../../connectors/meta/custom.js'
import { connector } from '../../../connectors/meta/source.js'
import { type Sandbox, startSandbox } from '../../../sandbox/serve.js'
import type { Rec, Resume } from '../../../src/core/types.js'
import { connect, pagesOf, read, recordsOf } from '../vendor.js'

const now = '2026-11-20T12:00:00Z'
const week = { from: '2026-11-14T00:00:00.000Z', to: '2026-11-21T00:00:00.000Z' }

let sandbox: Sandbox
let berlin: string
let newYork: string
beforeAll(async () => {
  sandbox = await startSandbox({ people: 60, now: new Date(now), limits: 'off' })
  ;[berlin, newYork] = sandbox.meta.adAccounts.map((id) => id.replace('act_', '')) as [string, string]
})
beforeEach(() => {
  sandbox.clearRequests()
  Object.assign(sandbox.meta.switches, { jobPolls: 0, jobFates: [], rowsMax: 100_000, cellsMax: 60_000 })
})
afterEach(() => sandbox.faults.clear())
afterAll(() => sandbox.stop())

const open = () =>
  connect(
    connector,
    { access_token: sandbox.meta.token, app_secret: sandbox.meta.app.clientSecret, ad_accounts: sandbox.meta.adAccounts },
    { baseUrl: sandbox.url, budget: 'off' },
  )
const stream = (name: string) => connector.source.streams[name]
const submitted = () => sandbox.requests({ vendor: 'meta', method: 'POST', path: '*/insights' })
const polled = () => sandbox.requests({ vendor: 'meta' }).filter(({ query }) => query.fields?.includes('async_status'))

describe('a report job', () => {
  it('stands in the checkpoint before it is polled, and is found again instead of submitted twice', async () => {
    const { http } = open()
    const slice = { ...week, parent: berlin }
    const reading = read(http, stream('ad_insights'), { slice })[Symbol.asyncIterator]()
    const first = (await reading.next()).value as { records: unknown[]; resume: Resume; isDurable?: true }
    expect(first).toMatchObject({ records: [], resume: { run: expect.stringMatching(/^\d+$/) }, isDurable: true })
    expect(polled()).toEqual([])
    await reading.return?.()

    const again = await recordsOf(open().http, stream('ad_insights'), { slice, resume: JSON.parse(JSON.stringify(first.resume)) })
    expect(again.length).toBeGreaterThan(50)
    expect(submitted()).toHaveLength(1)
    expect(again).toEqual(await recordsOf(open().http, stream('ad_insights'), { slice }))
  })

  it.each(['lagging', 'race'] as const)('that is %s is waited for', async (fate) => {
    sandbox.meta.switches.jobFates = [fate]
    expect((await recordsOf(open().http, stream('ad_insights'), { slice: { ...week, parent: berlin } })).length).toBeGreaterThan(50)
    expect(submitted()).toHaveLength(1)
    expect(polled().length).toBeGreaterThan(1)
  })

  it.each(['failed', 'skipped'] as const)('that %s is submitted once more, and then the slice is cut', async (fate) => {
    sandbox.meta.switches.jobFates = [fate]
    const pages = await pagesOf(open().http, stream('ad_insights'), { slice: { ...week, parent: berlin } })
    expect(pages.filter(({ isDurable }) => isDurable)).toHaveLength(2)
    expect(pages.flatMap(({ records }) => records).length).toBeGreaterThan(50)

    sandbox.meta.switches.jobFates = [fate, fate]
    const failed = recordsOf(open().http, stream('ad_insights'), { slice: { ...week, parent: berlin } })
    await expect(failed).rejects.toMatchObject({ reason: 'too_large', message: expect.stringContaining('in 2 tries') })
    expect(submitted()).toHaveLength(4)
  })

  it('that is too large cuts the slice at once', async () => {
    sandbox.meta.switches.rowsMax = 20
    const failed = recordsOf(open().http, stream('ad_insights'), { slice: { ...week, parent: berlin } })
    await expect(failed).rejects.toMatchObject({ reason: 'too_large', where: { code: '-3/1504045' } })
    expect(submitted()).toHaveLength(1)
  })

  it('that takes long is left to the workflow, and looked at once when it comes back', async () => {
    sandbox.meta.switches.jobPolls = 1_000
    const { http, clock } = open()
    const slice = { ...week, parent: berlin }
    const resumes: Resume[] = []
    const first = (async () => {
      for await (const { resume } of read(http, stream('ad_insights'), { slice })) resumes.push(resume!)
    })()
    await expect(first).rejects.toMatchObject({ reason: 'throttled', where: { waitUntil: expect.any(String) } })
    expect(clock.slept).toEqual([2_000, 4_000, 8_000, 15_000, 30_000, 30_000])
    const before = polled().length
    await expect(recordsOf(open().http, stream('ad_insights'), { slice, resume: resumes[0]! })).rejects.toMatchObject({
      reason: 'throttled',
    })
    expect(polled().length).toBe(before + 1)
    expect(submitted()).toHaveLength(1)
  })
})

describe('a job that never gets ready', () => {
  it('is given up after an hour by Meta’s clock', async () => {
    const late = await startSandbox({ people: 60, now: new Date(now), limits: 'off' })
    try {
      const http = () =>
        connect(connector, { access_token: late.meta.token, ad_accounts: late.meta.adAccounts }, { baseUrl: late.url, budget: 'off' }).http
      late.meta.switches.jobFates = ['never']
      const slice = { ...week, parent: berlin }
      const reading = read(http(), stream('ad_insights'), { slice })[Symbol.asyncIterator]()
      const { resume } = (await reading.next()).value as { resume: Resume }
      late.clock.advance(61 * 60_000)
      const pages = await pagesOf(http(), stream('ad_insights'), { slice, resume })
      expect(pages[0]).toMatchObject({ isDurable: true, resume: { submitted: 2 } })
      expect(pages.flatMap(({ records }) => records).length).toBeGreaterThan(50)
    } finally {
      await late.stop()
    }
  })
})

describe('rows of reports', () => {
  const rowsOf = (name: string, parent: string, slice = week) => recordsOf(open().http, stream(name), { slice: { ...slice, parent } })

  it.each(['account', 'campaign', 'ad_set', 'ad'])('of each %s carry the account’s currency and time zone', async (level) => {
    const rows = await rowsOf(`${level}_insights`, newYork)
    expect(rows.length).toBeGreaterThan(5)
    for (const row of rows)
      expect(row).toMatchObject({ account_id: newYork, account_currency: 'USD', account_timezone_name: 'America/New_York' })
    const days = new Set(rows.map(({ date_start }) => date_start))
    expect([...days].sort()).toEqual(['14', '15', '16', '17', '18', '19', '20'].map((day) => `2026-11-${day}`))
    expect(rows.every(({ date_start, date_stop }) => date_start === date_stop)).toBe(true)
  })

  it('agree from level to level to the cent', async () => {
    const sums = await Promise.all(
      ['account', 'campaign', 'ad_set', 'ad'].map(async (level) =>
        (await rowsOf(`${level}_insights`, berlin)).reduce((sum, { spend }) => sum + Math.round(Number(spend) * 100), 0),
      ),
    )
    expect(new Set(sums).size).toBe(1)
    expect(sums[0]).toBeGreaterThan(10_000)
  })

  it('hold windows beside each action’s own value, and leave out what is zero', async () => {
    const rows = await rowsOf('ad_insights', berlin)
    const actions = rows.flatMap(({ actions }) => (actions ?? []) as Rec[])
    expect(actions.some((one) => one['7d_click'] !== undefined && one['1d_view'] !== undefined)).toBe(true)
    expect(actions.every(({ value }) => typeof value === 'string' && Number(value) > 0)).toBe(true)
    expect(rows.some(({ purchase_roas }) => purchase_roas === undefined)).toBe(true)
  })

  it('end with the account’s own today', async () => {
    const early = await startSandbox({ people: 60, now: new Date('2026-11-20T02:00:00Z'), limits: 'off' })
    try {
      const { http } = connect(
        connector,
        { access_token: early.meta.token, ad_accounts: early.meta.adAccounts },
        { baseUrl: early.url, budget: 'off' },
      )
      const today = { from: '2026-11-20T00:00:00.000Z', to: '2026-11-21T00:00:00.000Z' }
      // In New York the 20th has not begun: nothing is asked for.
      expect(await recordsOf(http, stream('ad_insights'), { slice: { ...today, parent: newYork } })).toEqual([])
      expect(early.requests({ method: 'POST' })).toEqual([])
      const rows = await recordsOf(http, stream('ad_insights'), { slice: { ...today, parent: berlin } })
      expect(new Set(rows.map(({ date_start }) => date_start))).toEqual(new Set(['2026-11-20']))
    } finally {
      await early.stop()
    }
  })

  it('come in smaller pages where a page is too large, each once', async () => {
    const whole = await rowsOf('ad_insights', berlin)
    sandbox.clearRequests()
    sandbox.meta.switches.cellsMax = 2_000
    expect(await rowsOf('ad_insights', berlin)).toEqual(whole)
    const limits = sandbox.requests({ vendor: 'meta', status: 200 }).flatMap(({ query }) => (query.limit ? [query.limit] : []))
    expect(new Set(limits)).toEqual(new Set(['31']))
  })
})

describe('reports that users define', () => {
  const rowsOf = (given: Rec) => recordsOf(open().http, customReport('mine', given), { slice: { ...week, parent: berlin } })

  it('have breakdowns in their key, also where a row lacks one', async () => {
    const stream = customReport('mine', { level: 'ad', breakdowns: ['region'], fields: ['impressions', 'spend'] })
    expect(stream.key).toEqual(['date_start', 'account_id', 'ad_id', 'region'])
    const rows = await rowsOf({ level: 'ad', breakdowns: ['region'], fields: ['impressions', 'spend'] })
    expect(rows.filter(({ region }) => region === '(none)').length).toBeGreaterThan(0)
    expect(new Set(rows.map((row) => JSON.stringify(stream.key.map((field) => row[field])))).size).toBe(rows.length)
    expect(Object.keys(rows[0]!)).not.toContain('actions')
  })

  it('take an asset by its id', async () => {
    const rows = await rowsOf({ level: 'ad', breakdowns: ['image_asset'], fields: ['impressions'] })
    expect(rows[0]).toMatchObject({ image_asset_id: expect.stringMatching(/^img-/), image_asset: { id: expect.any(String) } })
  })

  it('split lists of actions, and not rows, by action breakdowns; windows are those asked for', async () => {
    const given = { level: 'campaign', action_breakdowns: ['action_device'], action_attribution_windows: ['1d_click'], fields: ['actions'] }
    const [row] = await rowsOf(given)
    const [action] = row!.actions as Rec[]
    expect(action).toMatchObject({ action_type: 'link_click', action_device: expect.any(String), '1d_click': expect.any(String) })
    expect(action).not.toHaveProperty('7d_click')
  })

  it('read what needs an opt-in by a job: asked for at once it is empty', async () => {
    expect((await rowsOf({ level: 'account', breakdowns: ['impression_device'], fields: ['impressions'] })).length).toBeGreaterThan(0)
  })

  it('leave it to Meta which breakdowns go together, and say so as a mistake of the file', async () => {
    await expect(rowsOf({ level: 'ad', breakdowns: ['age', 'country'] })).rejects.toMatchObject({
      reason: 'config',
      where: { code: '2/1504041' },
    })
  })

  it.each([
    [{ level: 'ad', breakdowns: ['dma'] }, 'comscore_market'],
    [{ level: 'ad', action_attribution_windows: ['7d_view'] }, ''],
    [{ level: 'adgroup' }, ''],
    [{ level: 'ad', fields: [] }, ''],
  ])('are refused before anything is asked for (%#)', (given, said) => {
    const judged = custom.safeParse(given)
    expect(judged.success).toBe(false)
    expect(JSON.stringify(judged.error)).toContain(said)
  })
})

describe('nodes', () => {
  it('are read with what is archived and deleted, each once', async () => {
    const rows = await recordsOf(open().http, stream('ads'), { slice: { to: week.to, parent: berlin } })
    const statuses = rows.map(({ effective_status }) => effective_status)
    expect(statuses).toEqual(expect.arrayContaining(['ACTIVE', 'DELETED', 'ARCHIVED', 'CAMPAIGN_PAUSED']))
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
  })

  it('that changed since are found, archived ones too, and what lies before is not read', async () => {
    const from = '2026-11-05T00:00:00.000Z'
    const rows = await recordsOf(open().http, stream('ads'), { slice: { from, to: week.to, parent: berlin } })
    const expected = sandbox.truth.meta.ads!().filter(
      ({ account_id, updated_time }) => account_id === berlin && Date.parse(String(updated_time)) >= Date.parse(from),
    )
    expect(rows.map(({ id }) => id).sort()).toEqual(expected.map(({ id }) => id).sort())
    expect(rows.length).toBeGreaterThan(0)
  })

  it('never ask for the address of the next page, which holds the token', async () => {
    await recordsOf(open().http, stream('activities'), { slice: { to: week.to, parent: berlin } })
    const asked = sandbox.requests({ vendor: 'meta' })
    expect(asked.some(({ query }) => query.after !== undefined)).toBe(true)
    expect(asked.filter(({ query }) => query.access_token !== undefined)).toEqual([])
    expect(
      asked.every(({ query }) => query.appsecret_proof?.length === 64 && query.ids === undefined && query.date_format === undefined),
    ).toBe(true)
  })

  it('that refuse their page are read one by one, without what is broken', async () => {
    const refusal = { error: { message: 'Invalid story', type: 'OAuthException', code: 100, error_subcode: 2446211 } }
    const { http } = open()
    const [bad] = await recordsOf(http, stream('ad_creatives'), { slice: { parent: berlin } })
    const upset = {
      ...http,
      request: (request: Parameters<typeof http.request>[0]) =>
        String(request.query?.fields).includes('object_story_spec') &&
        (request.path.endsWith('adcreatives') || request.path.endsWith(String(bad!.id)))
          ? connectFailure(refusal)
          : request.path.includes(`/v26.0/12`)
            ? Promise.resolve({ status: 200, headers: {}, bytes: 0, body: { id: request.path.slice(7), name: request.query!.fields } })
            : http.request(request),
    }
    const rows = await recordsOf(upset, stream('ad_creatives'), { slice: { parent: berlin } })
    expect(rows.length).toBeGreaterThan(10)
    const broken = rows.filter(({ name }) => !String(name).includes('object_story_spec'))
    expect(broken.map(({ id }) => id)).toEqual([bad!.id])
  })
})

async function connectFailure(body: unknown): Promise<never> {
  const { classify } = await import('../../../src/http/classify.js')
  throw classify(connector.api, 'test', 'GET', { status: 400, headers: {}, body })
}
