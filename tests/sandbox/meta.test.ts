import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freshSwitches } from '../../sandbox/meta/switches.js'
import { metaApp, metaLimitedToken, metaToken, type Sandbox, startSandbox } from '../../sandbox/serve.js'
import { click } from '../support/consent.js'

/** The raw protocol, without any client: what the vendor's documents say, and each trap of them. */
let sandbox: Sandbox
let act: string
beforeAll(async () => {
  sandbox = await startSandbox({ people: 60, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
  act = sandbox.meta.adAccounts[0]!
})
afterEach(() => {
  Object.assign(sandbox.meta.switches, freshSwitches(0))
  sandbox.meta.access.requireProof = false
  sandbox.meta.access.grant(['ads_read', 'business_management'])
})
afterAll(() => sandbox.stop())

// biome-ignore lint/suspicious/noExplicitAny: bodies are looked into as they come
type Json = Record<string, any>
interface Given {
  method?: string
  token?: string
  body?: unknown
  version?: string
}
async function call(
  path: string,
  query: Record<string, unknown> = {},
  { method = 'GET', token = metaToken, body, version = 'v26.0' }: Given = {},
) {
  const url = new URL(`/${version}/${path}`, sandbox.url)
  for (const [name, value] of Object.entries(query))
    url.searchParams.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
  const headers = { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) }
  const answer = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Json }
}
const codeOf = ({ body }: { body: Json }) => [body.error?.code, body.error?.error_subcode].filter((one) => one !== undefined).join('/')
const november = { since: '2026-11-10', until: '2026-11-12' }

describe('access', () => {
  it('wants a token that lives and may read, and the right proof', async () => {
    expect(codeOf(await call(act, {}, { token: 'EAABnobody' }))).toBe('190')
    expect(codeOf(await call(act, {}, { token: '' }))).toBe('2500')
    expect(codeOf(await call(`${act}/ads`, {}, { token: metaLimitedToken }))).toBe('200')
    sandbox.meta.access.revoke()
    expect(codeOf(await call(act))).toBe('190/460')
    sandbox.meta.access.grant(['ads_read'])
    sandbox.meta.access.requireProof = true
    expect((await call(act)).body.error.message).toContain('appsecret_proof')
    const proof = createHmac('sha256', metaApp.clientSecret).update(metaToken).digest('hex')
    expect((await call(act, { appsecret_proof: proof })).status).toBe(200)
    expect((await call(act, { appsecret_proof: 'wrong' })).status).toBe(400)
  })

  it('asks a person on a page, gives a token for the code once, and a long one for that', async () => {
    const redirect = 'http://127.0.0.1:9/callback'
    const asked = new URLSearchParams({ client_id: metaApp.clientId, redirect_uri: redirect, state: 's&1', scope: 'ads_read' })
    const back = await click(`${sandbox.url}/v26.0/dialog/oauth?${asked}`)
    expect([back.origin + back.pathname, back.searchParams.get('state')]).toEqual([redirect, 's&1'])
    const client = { client_id: metaApp.clientId, client_secret: metaApp.clientSecret }
    const code = { ...client, redirect_uri: redirect, code: back.searchParams.get('code') }
    const short = (await call('oauth/access_token', code)).body
    expect(short).toMatchObject({ token_type: 'bearer', expires_in: 5_400 })
    expect(codeOf(await call('oauth/access_token', code))).toBe('100/36009')
    const exchange = { ...client, grant_type: 'fb_exchange_token', fb_exchange_token: short.access_token }
    const long = (await call('oauth/access_token', exchange)).body
    expect(long.expires_in).toBe(5_183_944)
    expect((await call(act, {}, { token: long.access_token })).status).toBe(200)
    expect((await call('debug_token', { input_token: long.access_token })).body.data).toMatchObject({
      is_valid: true,
      scopes: expect.arrayContaining(['ads_read']),
    })
    sandbox.meta.access.expireTokens()
    expect(codeOf(await call(act, {}, { token: long.access_token }))).toBe('190/463')
    expect(codeOf(await call('oauth/access_token', exchange))).toBe('190/463')
  })
})

describe('nodes and lists', () => {
  it('show their id alone unless more is named, and refuse what does not exist by name', async () => {
    expect(Object.keys((await call(`${act}/campaigns`)).body.data[0])).toEqual(['id'])
    expect((await call(`${act}/ads`, { fields: 'creative{id},name' })).body.data[0].creative.id).toMatch(/^\d+$/)
    const refused = await call(`${act}/ads`, { fields: 'id,nonsense' })
    expect([refused.status, codeOf(refused)]).toEqual([400, '100'])
    expect(refused.body.error).toMatchObject({
      message: expect.stringContaining('(nonsense) on node type (Ad)'),
      fbtrace_id: expect.any(String),
    })
    expect(codeOf(await call('act_404'))).toBe('100/33')
  })

  it('hide what is deleted or archived until it is asked for by name', async () => {
    const shown = (await call(`${act}/ads`, { fields: 'effective_status', limit: 500 })).body.data as Json[]
    expect(shown.filter(({ effective_status }) => /DELETED|ARCHIVED/.test(effective_status))).toEqual([])
    const filtering = [{ field: 'ad.effective_status', operator: 'IN', value: ['DELETED', 'ARCHIVED'] }]
    expect((await call(`${act}/ads`, { filtering, limit: 500 })).body.data.length).toBeGreaterThan(0)
  })

  it('have cursors on every page and `next` only when more follows; an empty one has neither', async () => {
    const first = (await call(`${act}/ads`, { limit: 20 })).body
    expect(first.paging.next).toContain(`access_token=${metaToken}`)
    const rest = (await call(`${act}/ads`, { limit: 500, after: first.paging.cursors.after })).body
    expect(rest.paging).toEqual({ cursors: { before: expect.any(String), after: expect.any(String) } })
    expect((await call(`${act}/ads`, { limit: 5, after: rest.paging.cursors.after })).body).toEqual({ data: [] })
  })

  it('do not know ids, date_format, or pages that are too large', async () => {
    const ids = await call('', { ids: 'act_1,act_2' })
    expect([ids.status, codeOf(ids)]).toEqual([500, '100'])
    expect(codeOf(await call(act, { date_format: 'U' }))).toBe('100')
    sandbox.meta.switches.cellsMax = 50
    const large = await call(`${act}/ads`, { limit: 100, fields: 'name' })
    expect([large.status, codeOf(large)]).toEqual([500, '1'])
  })

  it('are older versions’ too, with a warning or a refusal', async () => {
    expect((await call(act, {}, { version: 'v23.0' })).headers.get('x-ad-api-version-warning')).toContain('v23.0')
    sandbox.meta.switches.oldVersions = 'fail'
    expect(codeOf(await call(act, {}, { version: 'v23.0' }))).toBe('2635')
  })

  it('come in batches of fifty, each answer with a body of its own', async () => {
    const batch = (count: number) => ({
      batch: Array.from({ length: count }, () => ({ method: 'GET', relative_url: `v26.0/${act}?fields=currency` })),
    })
    const answers = (await call('', {}, { method: 'POST', body: { ...batch(2), access_token: metaToken } })).body as unknown as {
      code: number
      body: string
    }[]
    expect(answers.map(({ code, body }) => [code, JSON.parse(body).currency])).toEqual([
      [200, 'EUR'],
      [200, 'EUR'],
    ])
    expect((await call('', {}, { method: 'POST', body: batch(51) })).body.error.type).toBe('GraphBatchException')
  })
})

describe('reports', () => {
  const at = (query: Json) => call(`${act}/insights`, { level: 'ad', time_range: november, time_increment: 1, limit: 500, ...query })

  it('write numbers as text and leave out what is zero', async () => {
    const rows = (await at({ fields: 'impressions,spend,actions,action_values' })).body.data as Json[]
    expect(rows.every(({ impressions, spend }) => /^\d+$/.test(impressions) && /^\d+(\.\d+)?$/.test(spend))).toBe(true)
    expect(rows.some(({ action_values }) => action_values === undefined)).toBe(true)
  })

  it.each([
    ['dma', '100'],
    ['age,country', '2/1504041'],
  ])('refuse breakdowns %s', async (breakdowns, code) => {
    expect(codeOf(await at({ breakdowns }))).toBe(code)
  })

  it('take dead windows and give nothing for them, give nothing at once where an opt-in is needed, and end at 37 months', async () => {
    const rows = (await at({ fields: 'actions', action_attribution_windows: ['7d_view', '1d_view'] })).body.data as Json[]
    const keys = new Set(rows.flatMap(({ actions }) => (actions ?? []).flatMap(Object.keys)))
    expect(keys).toEqual(new Set(['action_type', 'value', '1d_view']))
    expect((await at({ breakdowns: 'impression_device' })).body).toEqual({ data: [] })
    expect((await at({ time_range: { since: '2023-09-01', until: '2023-09-02' } })).body.error.message).toContain('37 months')
  })

  it('leave reach out with breakdowns of long ago, without a word', async () => {
    const rows = async (since: string) =>
      (await at({ breakdowns: 'age', fields: 'reach,impressions', time_range: { since, until: since } })).body.data as Json[]
    expect((await rows('2026-11-10')).every(({ reach }) => reach !== undefined)).toBe(true)
    const old = await rows('2025-06-10')
    expect([old.length > 0, old.some(({ reach }) => reach !== undefined)]).toEqual([true, false])
  })

  it('are restated for four weeks and then stand still', async () => {
    const own = await startSandbox({ people: 60, now: new Date('2026-11-20T12:00:00Z'), limits: 'off', adsSince: new Date('2026-11-18') })
    try {
      const seen = () =>
        own.truth.meta.ad_insights!()
          .filter(({ date_start }) => date_start === '2026-11-18')
          .map((row) => JSON.stringify(row))
      const fresh = seen()
      own.clock.advance(10 * 86_400_000)
      const later = seen()
      expect(later).not.toEqual(fresh)
      own.clock.advance(20 * 86_400_000)
      const settled = seen()
      expect(settled).not.toEqual(later)
      own.clock.advance(20 * 86_400_000)
      expect(seen()).toEqual(settled)
    } finally {
      await own.stop()
    }
  })

  it('as jobs: percent before the status, not readable before that, forgotten after thirty days', async () => {
    sandbox.meta.switches.jobPolls = 3
    const { report_run_id: id } = (
      await call(`${act}/insights`, {}, { method: 'POST', body: { level: 'ad', time_range: november, time_increment: 1 } })
    ).body
    const poll = async () => {
      const { async_status, async_percent_completion } = (await call(id)).body
      return [async_status, async_percent_completion]
    }
    expect(await poll()).toEqual(['Job Not Started', 0])
    expect(codeOf(await call(`${id}/insights`))).toBe('2601')
    expect([await poll(), await poll(), await poll()]).toEqual([
      ['Job Running', 57],
      ['Job Running', 100],
      ['Job Completed', 100],
    ])
    expect((await call(`${id}/insights`)).body.data.length).toBe(25)
    expect(codeOf(await call(id, {}, { token: metaLimitedToken }))).toBe('100/33')
  })
})

describe('limits', () => {
  it('are told in every answer, good or bad, and refused as 400 with the wait in minutes', async () => {
    const real = await startSandbox({ people: 60, now: new Date('2026-11-20T12:00:00Z'), limits: { meta: { score: 6 } } })
    try {
      const ask = (method: string) => fetch(`${real.url}/v26.0/${act}/insights?access_token=${metaToken}&fields=nonsense`, { method })
      const answers = [await ask('GET'), await ask('POST'), await ask('GET'), await ask('GET'), await ask('GET')]
      const used = answers.map(({ headers }) => JSON.parse(headers.get('x-ad-account-usage')!).acc_id_util_pct)
      expect(used).toEqual([16.67, 66.67, 83.33, 100, 100])
      expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400])
      const last = answers.at(-1)!
      expect(codeOf({ body: (await last.json()) as Json })).toBe('80000/2446079')
      const [entry] = JSON.parse(last.headers.get('x-business-use-case-usage')!)[act.slice(4)]
      expect(entry).toMatchObject({ type: 'ads_insights', estimated_time_to_regain_access: 5, ads_api_access_tier: 'standard_access' })
    } finally {
      await real.stop()
    }
  })
})
