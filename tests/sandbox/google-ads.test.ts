import { createHash } from 'node:crypto'
import { UserRefreshClient } from 'google-auth-library'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { googleAdsOAuth, type Sandbox, startSandbox } from '../../sandbox/serve.js'
import { click } from '../support/consent.js'

/**
 * The sandbox as Google's own client sees it: google-auth-library refreshes its token and sends its requests here. The one public client
 * of the Ads API for Node (google-ads-api) speaks gRPC, asks for Node 22 and cannot be pointed at this machine over HTTP.
 */
const [manager, shop, closed, second] = ['5555555555', '1111111111', '3333333333', '6666666666'] as const
interface Refusal {
  error: {
    code: number
    status: string
    details?: {
      '@type': string
      errors?: { errorCode: Record<string, string>; message: string; details?: unknown }[]
      requestId?: string
    }[]
  }
}
type Row = Record<string, Record<string, unknown>>

let sandbox: Sandbox
let usual: Sandbox['google_ads']['switches']
beforeAll(async () => {
  sandbox = await startSandbox({ people: 60, now: new Date('2026-11-20T12:00:00Z'), limits: 'off', adsSince: new Date('2026-11-10') })
  usual = { ...sandbox.google_ads.switches }
})
afterEach(() => {
  Object.assign(sandbox.google_ads.switches, usual)
  sandbox.drift.clear()
})
afterAll(() => sandbox.stop())

/** Google's client, told where the token endpoint is: its transport takes any address, its options do not. */
function client(): UserRefreshClient {
  return new UserRefreshClient({
    clientId: googleAdsOAuth.clientId,
    clientSecret: googleAdsOAuth.clientSecret,
    refreshToken: googleAdsOAuth.refreshToken,
    transporterOptions: {
      fetchImplementation: (url, init) => fetch(String(url).replace('https://oauth2.googleapis.com', sandbox.url), init),
    },
  })
}

interface Ask {
  customer?: string
  login?: string | undefined
  version?: string
  method?: string
  body?: object
  headers?: Record<string, string>
}
async function ask(
  query: string | undefined,
  { customer = shop, login = manager, version = 'v26', method = 'search', body = {}, headers = {} }: Ask = {},
) {
  const answer = await client().request<Record<string, unknown>>({
    url: `${sandbox.url}/${version}/customers/${customer}/googleAds:${method}`,
    method: 'POST',
    headers: { ...(login === '' ? {} : { 'login-customer-id': login }), ...headers },
    data: { ...(query === undefined ? {} : { query }), ...body },
    validateStatus: () => true,
    retry: false,
  })
  return { status: answer.status, body: answer.data }
}
async function refusal(query: string | undefined, given: Ask = {}): Promise<[status: number, code: string]> {
  const { status, body } = await ask(query, given)
  const { error } = (Array.isArray(body) ? body[0] : body) as unknown as Refusal
  return [status, Object.entries(error.details?.[0]?.errors?.[0]?.errorCode ?? {})[0]?.join('.') ?? error.status]
}
const rowsOf = async (query: string, given: Ask = {}) => ((await ask(query, given)).body.results ?? []) as Row[]

describe('OAuth', () => {
  const token = (form: Record<string, string>, type = 'application/x-www-form-urlencoded') =>
    fetch(`${sandbox.url}/token`, { method: 'POST', headers: { 'content-type': type }, body: new URLSearchParams(form).toString() })
  const app = { client_id: googleAdsOAuth.clientId, client_secret: googleAdsOAuth.clientSecret }

  it('a refresh gives an access token and no new refresh token', async () => {
    const answer = (await (
      await token({ ...app, grant_type: 'refresh_token', refresh_token: googleAdsOAuth.refreshToken })
    ).json()) as object
    const scope = 'https://www.googleapis.com/auth/adwords https://www.googleapis.com/auth/datamanager'
    expect(answer).toMatchObject({ token_type: 'Bearer', expires_in: 3599, scope })
    expect(answer).not.toHaveProperty('refresh_token')
  })

  it.each([
    [{ refresh_token: '1//revoked' }, 400, 'invalid_grant'],
    [{ client_secret: 'wrong' }, 401, 'invalid_client'],
    [{ grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ])('%j is refused with %i', async (wrong, status, error) => {
    const answer = await token({ ...app, grant_type: 'refresh_token', refresh_token: googleAdsOAuth.refreshToken, ...wrong })
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([status, error])
  })

  it('consent leads back to this machine with a code and the state, and the code buys a refresh token once', async () => {
    const redirect = 'http://127.0.0.1:53682/callback'
    const verifier = 'a-verifier-of-forty-three-letters-or-more-012345'
    const query = new URLSearchParams({
      client_id: app.client_id,
      redirect_uri: redirect,
      response_type: 'code',
      state: 'xyz',
      access_type: 'offline',
      prompt: 'consent',
      scope: 'https://www.googleapis.com/auth/adwords',
      code_challenge_method: 'S256',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    })
    const back = await click(`${sandbox.url}/o/oauth2/v2/auth?${query}`)
    expect([back.origin + back.pathname, back.searchParams.get('state')]).toEqual([redirect, 'xyz'])
    const exchange = () =>
      token({
        ...app,
        grant_type: 'authorization_code',
        code: back.searchParams.get('code')!,
        redirect_uri: redirect,
        code_verifier: verifier,
      })
    const first = (await (await exchange()).json()) as { refresh_token: string }
    expect(first.refresh_token).toMatch(/^1\/\//)
    expect((await exchange()).status).toBe(400)
    query.set('redirect_uri', 'https://elsewhere.example/')
    expect((await fetch(`${sandbox.url}/o/oauth2/v2/auth?${query}`)).status).toBe(400)
  })
})

describe('who reaches what', () => {
  it('direct roots are listed, and the hierarchy is told from any of them', async () => {
    const list = await client().request<{ resourceNames: string[] }>({ url: `${sandbox.url}/v26/customers:listAccessibleCustomers` })
    expect(list.data.resourceNames).toEqual([`customers/${manager}`, 'customers/2222222222'])
    const query =
      'SELECT customer_client.id, customer_client.level, customer_client.manager FROM customer_client WHERE customer_client.level <= 1'
    const found = (await rowsOf(query, { customer: second, login: manager })).map(({ customerClient }) => customerClient)
    expect(found.map((one) => [one?.id, one?.level, one?.manager])).toEqual([
      [second, '0', true],
      [shop, '1', false],
    ])
  })

  it.each<[string, Ask, [number, string]]>([
    ['a child without its manager', { login: '' }, [403, 'authorizationError.USER_PERMISSION_DENIED']],
    ['a child of another', { login: '2222222222' }, [403, 'authorizationError.USER_PERMISSION_DENIED']],
    ['a login with dashes', { login: '555-555-5555' }, [400, 'headerError.INVALID_LOGIN_CUSTOMER_ID']],
    ['a closed account', { customer: closed }, [403, 'authorizationError.CUSTOMER_NOT_ENABLED']],
    ['nobody’s account', { customer: '9999999999' }, [401, 'authenticationError.CUSTOMER_NOT_FOUND']],
    ['a version that has ended', { version: 'v22' }, [400, 'requestError.UNSUPPORTED_VERSION']],
    ['a version that is not yet', { version: 'v27' }, [404, 'NOT_FOUND']],
  ])('%s is refused', async (_, given, expected) => {
    expect(await refusal('SELECT customer.id FROM customer', given)).toEqual(expected)
  })

  it('a developer token is not needed, unless the old times are switched on', async () => {
    sandbox.google_ads.switches.needsDeveloperToken = true
    expect(await refusal('SELECT customer.id FROM customer')).toEqual([401, 'authenticationError.DEVELOPER_TOKEN_PARAMETER_MISSING'])
    expect((await ask('SELECT customer.id FROM customer', { headers: { 'developer-token': 'x' } })).status).toBe(200)
  })
})

describe('GAQL', () => {
  const days = "segments.date BETWEEN '2026-11-10' AND '2026-11-19'"

  it.each([
    ['SELECT campaign.start_date FROM campaign', 'queryError.UNRECOGNIZED_FIELD'],
    ['SELECT campaign.id FROM nowhere', 'queryError.BAD_RESOURCE_TYPE_IN_FROM_CLAUSE'],
    ['SELECT campaign.id', 'queryError.EXPECTED_FROM'],
    ['SELECT campaign.id FROM campaign WHERE campaign.id', 'queryError.UNEXPECTED_END_OF_QUERY'],
    ['SELECT segments.date, metrics.clicks FROM campaign', 'queryError.EXPECTED_FILTERS_ON_DATE_RANGE'],
    ["SELECT segments.date, metrics.clicks FROM campaign WHERE segments.date >= '2026-11-01'", 'queryError.EXPECTED_FILTERS_ON_DATE_RANGE'],
    ["SELECT metrics.clicks FROM campaign WHERE segments.device = 'MOBILE'", 'queryError.EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE'],
    [
      `SELECT segments.conversion_action, metrics.clicks FROM campaign WHERE ${days}`,
      'queryError.PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE',
    ],
    ['SELECT metrics.clicks FROM label', 'queryError.PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE'],
    [
      "SELECT segments.date, metrics.clicks FROM campaign WHERE segments.date BETWEEN '2023-10-01' AND '2023-10-02'",
      'dateRangeError.REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED',
    ],
    [`SELECT click_view.gclid FROM click_view WHERE ${days}`, 'clickViewError.EXPECTED_FILTER_ON_A_SINGLE_DAY'],
    ["SELECT click_view.gclid FROM click_view WHERE segments.date = '2026-07-01'", 'clickViewError.DATE_TOO_OLD'],
    ['SELECT change_status.resource_name FROM change_status LIMIT 5', 'changeStatusError.CHANGE_DATE_RANGE_INFINITE'],
    [
      "SELECT change_event.resource_name FROM change_event WHERE change_event.change_date_time BETWEEN '2026-11-01' AND '2026-11-02'",
      'changeEventError.LIMIT_NOT_SPECIFIED',
    ],
    [
      "SELECT change_event.resource_name FROM change_event WHERE change_event.change_date_time BETWEEN '2026-10-01' AND '2026-11-02' LIMIT 5",
      'changeEventError.START_DATE_TOO_OLD',
    ],
    [
      "SELECT change_event.resource_name FROM change_event WHERE change_event.change_date_time BETWEEN '2026-11-01' AND '2026-11-02' LIMIT 10001",
      'changeEventError.INVALID_LIMIT_CLAUSE',
    ],
  ])('%s → %s', async (query, code) => {
    expect(await refusal(query)).toEqual([400, code])
    // From searchStream the same stands in an array.
    const { body } = await ask(query, { method: 'searchStream' })
    expect(Array.isArray(body)).toBe(true)
  })

  it('managers have no metrics; v23 words an old day in its own way', async () => {
    expect(await refusal('SELECT metrics.clicks FROM customer', { customer: manager })).toEqual([
      400,
      'queryError.REQUESTED_METRICS_FOR_MANAGER',
    ])
    const old = "SELECT segments.date, metrics.clicks FROM campaign WHERE segments.date BETWEEN '2023-10-01' AND '2023-10-02'"
    expect(await refusal(old, { version: 'v23' })).toEqual([400, 'dateRangeError.INVALID_DATE'])
  })

  it('rows without traffic show only where nothing is cut by a segment', async () => {
    const all = await rowsOf('SELECT campaign.id, campaign.status FROM campaign')
    const total = await rowsOf(`SELECT campaign.id, metrics.clicks FROM campaign WHERE ${days}`)
    const daily = await rowsOf(`SELECT campaign.id, segments.date, metrics.clicks FROM campaign WHERE ${days}`)
    expect(total).toHaveLength(all.length)
    expect(total.filter(({ metrics }) => metrics?.clicks === '0').length).toBeGreaterThan(0)
    expect(daily.filter(({ metrics }) => metrics?.clicks === '0')).toEqual([])
    const sum = (rows: Row[]) => rows.reduce((clicks, { metrics }) => clicks + Number(metrics?.clicks), 0)
    expect(sum(daily)).toBe(sum(total))
  })

  it('int64 is text, a fraction a number, what is unset not there, and resource names come along unless they are declined', async () => {
    const query = 'SELECT ad_group_ad.ad.id, ad_group_ad.ad.name FROM ad_group_ad ORDER BY ad_group_ad.ad.id LIMIT 1'
    const [row] = await rowsOf(query)
    expect(row).toEqual({
      adGroupAd: { resourceName: expect.stringMatching(/^customers\/1111111111\/adGroupAds\//), ad: { id: '9007199254740993' } },
    })
    expect(await rowsOf(`${query} PARAMETERS omit_unselected_resource_names = true`)).toEqual([
      { adGroupAd: { ad: { id: '9007199254740993' } } },
    ])
    const [money] = await rowsOf(`SELECT segments.date, metrics.cost_micros, metrics.conversions FROM customer WHERE ${days} LIMIT 1`)
    expect([typeof money?.metrics?.costMicros, typeof money?.metrics?.conversions]).toEqual(['string', 'number'])
  })

  it('filters, order and limit are kept', async () => {
    const names = (rows: Row[]) => rows.map(({ campaign }) => campaign?.name)
    expect(names(await rowsOf("SELECT campaign.name FROM campaign WHERE campaign.name LIKE 'Shopping%'"))).toEqual([
      'Shopping – all products',
    ])
    expect(names(await rowsOf("SELECT campaign.name FROM campaign WHERE campaign.status IN ('REMOVED')"))).toEqual([
      'Wettbewerber – Größen & Preise',
    ])
    expect(names(await rowsOf('SELECT campaign.name FROM campaign ORDER BY campaign.name DESC LIMIT 2'))).toEqual([
      'Wettbewerber – Größen & Preise',
      'Shopping – all products',
    ])
  })

  it('today is the account’s: nothing of tomorrow, and part of a day', async () => {
    const query =
      "SELECT segments.date, metrics.cost_micros FROM customer WHERE segments.date BETWEEN '2026-11-19' AND '2026-11-30' ORDER BY segments.date"
    const [yesterday, today, ...more] = await rowsOf(query)
    expect([yesterday?.segments?.date, today?.segments?.date, more]).toEqual(['2026-11-19', '2026-11-20', []])
    expect(Number(today?.metrics?.costMicros)).toBeLessThan(Number(yesterday?.metrics?.costMicros))
  })
})

describe('pages and streams', () => {
  const query = 'SELECT ad_group_ad.ad.id FROM ad_group_ad ORDER BY ad_group_ad.ad.id'

  it('pages lead on by a token that belongs to the query; their size cannot be set', async () => {
    sandbox.google_ads.switches.pageRows = 10
    const ids: unknown[] = []
    let pageToken: unknown
    do {
      const { body } = await ask(query, {
        body: { ...(pageToken ? { pageToken } : {}), searchSettings: { returnTotalResultsCount: true } },
      })
      ids.push(...(body.results as Row[]).map(({ adGroupAd }) => (adGroupAd?.ad as { id: string } | undefined)?.id))
      expect(body.totalResultsCount).toBe('36')
      pageToken = body.nextPageToken
    } while (pageToken)
    expect(new Set(ids).size).toBe(36)
    const { body } = await ask(query)
    expect(await refusal('SELECT campaign.id FROM campaign', { body: { pageToken: body.nextPageToken } })).toEqual([
      400,
      'requestError.INVALID_PAGE_TOKEN',
    ])
    expect(await refusal(query, { body: { pageSize: 100 } })).toEqual([400, 'requestError.PAGE_SIZE_NOT_SUPPORTED'])
    sandbox.google_ads.switches.tokenLifeMs = -1
    expect(await refusal(query, { body: { pageToken: body.nextPageToken } })).toEqual([400, 'requestError.EXPIRED_PAGE_TOKEN'])
  })

  it('streams come in chunks, consumption with the last; nothing is an empty array, and an error comes as the last element', async () => {
    sandbox.google_ads.switches.chunkRows = 15
    const chunks = async (text: string) => (await ask(text, { method: 'searchStream' })).body as unknown as Record<string, unknown[]>[]
    const found = await chunks(query)
    expect(found.map(({ results, queryResourceConsumption }) => [results?.length, queryResourceConsumption !== undefined])).toEqual([
      [15, false],
      [15, false],
      [6, true],
    ])
    expect(found[0]?.fieldMask).toBe('adGroupAd.ad.id')
    expect(await chunks("SELECT campaign.id FROM campaign WHERE campaign.name = 'none'")).toEqual([])
    sandbox.google_ads.switches.streamErrorAfter = 1
    expect((await chunks(query)).map((one) => Object.keys(one)[0])).toEqual(['results', 'error'])
    expect(await refusal(query, { method: 'searchStream', body: { pageToken: 'x' } })).toEqual([400, 'requestError.UNKNOWN'])
  })

  it('fields drift and go within one version', async () => {
    sandbox.drift.add({ vendor: 'google_ads', of: 'campaign', key: 'campaign.status', change: 'rename', to: 'statusOfTomorrow' })
    expect((await rowsOf('SELECT campaign.status FROM campaign LIMIT 1'))[0]?.campaign).toHaveProperty('statusOfTomorrow')
    sandbox.google_ads.switches.removedFields = ['campaign.name']
    expect(await refusal('SELECT campaign.name FROM campaign')).toEqual([400, 'queryError.UNRECOGNIZED_FIELD'])
  })

  it('the field service tells types, without FROM and with a page’s size', async () => {
    const answer = await client().request<{ results: object[] }>({
      url: `${sandbox.url}/v26/googleAdsFields:search`,
      method: 'POST',
      data: { query: "SELECT name, data_type, is_repeated WHERE name IN ('campaign.labels', 'metrics.clicks')", pageSize: 5 },
    })
    expect(answer.data.results).toEqual([
      { resourceName: 'googleAdsFields/campaign.labels', name: 'campaign.labels', dataType: 'RESOURCE_NAME', isRepeated: true },
      { resourceName: 'googleAdsFields/metrics.clicks', name: 'metrics.clicks', dataType: 'INT64' },
    ])
  })
})

describe('quotas', () => {
  it('a bucket that is empty says when, a day that is spent does not; pages that follow are free', async () => {
    const strict = await startSandbox({
      people: 60,
      now: new Date('2026-11-20T12:00:00Z'),
      limits: { google_ads: { operations: 6, perSecond: 2 } },
    })
    const before = sandbox
    sandbox = strict
    try {
      strict.google_ads.switches.pageRows = 5
      const query = 'SELECT campaign.id FROM campaign ORDER BY campaign.id'
      const codes: unknown[] = []
      for (let n = 0; n < 8; n++) {
        const { body } = await ask(query)
        const error = (body as unknown as Partial<Refusal>).error
        codes.push(error === undefined ? 'ok' : error.details?.[0]?.errors?.[0])
      }
      expect(codes.slice(0, 4)).toEqual(['ok', 'ok', 'ok', 'ok'])
      expect(codes[4]).toMatchObject({
        errorCode: { quotaError: 'RESOURCE_TEMPORARILY_EXHAUSTED' },
        details: { quotaErrorDetails: { rateScope: 'ACCOUNT', retryDelay: expect.stringMatching(/^[\d.]+s$/) } },
      })
      expect(codes[7]).toEqual({
        errorCode: { quotaError: 'RESOURCE_EXHAUSTED' },
        message: 'Resource has been exhausted (e.g. check quota).',
      })
    } finally {
      sandbox = before
      await strict.stop()
    }
  })
})
