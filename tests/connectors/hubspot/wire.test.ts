import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/hubspot/source.js'
import type { Finding, Http, Rec } from '../../../src/core/types.js'
import { connect, onlyWhatIsWritten, recordsOf, recordsOfParents } from '../vendor.js'

// Bodies as in HubSpot's reference of 2026-09 and its guides "Usage details" and "Error handling", read 2026-11-23.
const origin = 'https://api.hubapi.com'
const { streams, check } = connector.source
const open = (apiVersion?: string) => connect(connector, { access_token: 'pat-na1-test' }, apiVersion ? { apiVersion } : {})
const page = (results: unknown[], after?: string) => ({ results, ...(after === undefined ? {} : { paging: { next: { after } } }) })
const owners = '/crm/owners/2026-09'
/** A request that costs little: both halves of the owners. */
const ask = ({ http }: { http: Http }) => recordsOf(http, streams.owners)
const answered = () => nock(origin).get(owners).query(true).times(2).reply(200, page([]))

onlyWhatIsWritten()

describe('what stands beside the records', () => {
  it('owners are asked for twice, active and archived', async () => {
    const owner = (id: string, archived: boolean) => ({ id, email: null, type: 'PERSON', userId: archived ? null : 7, archived })
    nock(origin)
      .get(owners)
      .query({ limit: '500', archived: 'false' })
      .reply(200, page([owner('1', false)], 'MQ'))
      .get(owners)
      .query({ limit: '500', archived: 'false', after: 'MQ' })
      .reply(200, page([owner('2', false)]))
      .get(owners)
      .query({ limit: '500', archived: 'true' })
      .reply(200, page([owner('3', true)]))
    expect((await ask(open())).map(({ id, archived }) => [id, archived])).toEqual([
      ['1', false],
      ['2', false],
      ['3', true],
    ])
  })

  it.each([
    ['2026-09', '/crm/pipelines/2026-09'],
    ['v3', '/crm/v3/pipelines'],
  ])('pipelines of %s say whose they are, since two objects may use one id', async (version, path) => {
    const pipeline = { id: 'default', label: 'Sales', displayOrder: 0, stages: [{ id: 's1' }], archived: false }
    nock(origin)
      .get(`${path}/deals`)
      .reply(200, page([pipeline]))
      .get(`${path}/tickets`)
      .reply(200, page([pipeline]))
    const records = await recordsOfParents(open(version).http, streams.pipelines)
    expect(records.map(({ objectType, id, stages }) => [objectType, id, stages])).toEqual([
      ['deals', 'default', [{ id: 's1' }]],
      ['tickets', 'default', [{ id: 's1' }]],
    ])
  })

  it('lists of 2026-09 come by a cursor', async () => {
    nock(origin)
      .post('/crm/lists/2026-09/all', (body: Rec) => body.after === undefined && body.count === 500)
      .reply(200, page([{ listId: '5', name: 'A', additionalProperties: { hs_list_size: '612' } }], 'NQ'))
      .post('/crm/lists/2026-09/all', (body: Rec) => body.after === 'NQ')
      .reply(200, page([{ listId: '6', name: 'B' }]))
    expect((await recordsOf(open().http, streams.lists)).map(({ listId }) => listId)).toEqual(['5', '6'])
  })

  it('lists of v3 come by offsets, as long as there are more', async () => {
    nock(origin)
      .post('/crm/v3/lists/search', { listIds: [], processingTypes: [], additionalProperties: ['hs_list_size'], offset: 0, count: 500 })
      .reply(200, { offset: 500, hasMore: true, lists: [{ listId: '5' }], total: 501 })
      .post('/crm/v3/lists/search', (body: Rec) => body.offset === 500)
      .reply(200, { offset: 501, hasMore: false, lists: [{ listId: '6' }], total: 501 })
    expect((await recordsOf(open('v3').http, streams.lists)).map(({ listId }) => listId)).toEqual(['5', '6'])
  })

  it('lists of v3 beyond the 10,000th cannot be read, and that is said', async () => {
    nock(origin)
      .post('/crm/v3/lists/search')
      .reply(200, { offset: 10_000, hasMore: true, lists: [{ listId: '5' }], total: 10_001 })
    await expect(recordsOf(open('v3').http, streams.lists)).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining('2026-09'),
    })
  })

  it('memberships are read list by list; one that went meanwhile has none', async () => {
    nock(origin)
      .post('/crm/lists/2026-09/all')
      .reply(200, page([{ listId: '5' }, { listId: '6' }]))
      .get('/crm/lists/2026-09/5/memberships')
      .query({ limit: '250' })
      .reply(200, { ...page([{ recordId: '151', membershipTimestamp: '2026-11-01T10:00:00.000Z' }], 'MTUx'), total: 2 })
      .get('/crm/lists/2026-09/5/memberships')
      .query({ limit: '250', after: 'MTUx' })
      .reply(200, page([{ recordId: '9', membershipTimestamp: '2026-11-02T10:00:00.000Z' }]))
      .get('/crm/lists/2026-09/6/memberships')
      .query(true)
      .reply(404, { status: 'error', category: 'OBJECT_NOT_FOUND', message: 'List does not exist.' })
    const records = await recordsOfParents(open().http, streams.list_memberships)
    expect(records.map(({ list_id, record_id }) => [list_id, record_id])).toEqual([
      ['5', '151'],
      ['5', '9'],
    ])
  })
})

describe('refusals of HubSpot', () => {
  const expired = {
    status: 'error',
    message: 'The OAuth token used to make this call expired 5 second(s) ago.',
    category: 'EXPIRED_AUTHENTICATION',
    context: { 'expire time': ['2026-11-20T07:00:00Z'] },
  }
  const scopes = {
    status: 'error',
    message: "This app hasn't been granted all required scopes to make this call.",
    errors: [
      {
        message: 'One or more of the following scopes are required.',
        context: { requiredGranularScopes: ['crm.objects.owners.read'] },
      },
    ],
    category: 'MISSING_SCOPES',
  }

  it.each([
    [401, { status: 'error', message: 'Authentication credentials not found.', category: 'INVALID_AUTHENTICATION' }, 'auth', 'token'],
    [401, expired, 'auth', 'token'],
    [403, scopes, 'permission', 'crm.objects.owners.read'],
    [404, { status: 'error', category: 'OBJECT_NOT_FOUND', message: 'resource not found' }, 'permanent', 'resource not found'],
    [400, { status: 'error', category: 'VALIDATION_ERROR', message: 'Invalid input.' }, 'permanent', 'Invalid input.'],
    [530, { message: 'Origin DNS error' }, 'config', ''],
  ] as const)('takes %i for its reason, and says what to do', async (status, body, reason, words) => {
    nock(origin).get(owners).query(true).reply(status, body)
    const failure = (await ask(open()).catch((error: Error) => error)) as Error
    expect(failure).toMatchObject({ reason, where: { status } })
    expect(failure.message).toContain(words)
    expect(failure.message).not.toContain('pat-na1')
  })

  const refused = (policyName?: string, message = 'You have reached your secondly limit.') => ({
    status: 'error',
    message,
    errorType: 'RATE_LIMIT',
    correlationId: '0190aaaa-bbbb-7ccc-8ddd-eeeeffff0001',
    ...(policyName ? { policyName } : {}),
  })
  it.each([
    ['TEN_SECONDLY_ROLLING', refused('TEN_SECONDLY_ROLLING', 'You have reached your ten_secondly_rolling limit.'), {}, 10_000],
    ['SECONDLY', refused('SECONDLY'), {}, 1_000],
    ['no policy, as on searches', refused(), {}, 1_000],
    ['another body that has been seen', { status: 'error', category: 'RATE_LIMITS', message: 'No.' }, {}, 1_000],
    ['Retry-After, which counts most', refused('TEN_SECONDLY_ROLLING'), { 'retry-after': '3' }, 3_000],
  ])('waits out a 429 with %s', async (_, body, headers, waitMs) => {
    const opened = open()
    nock(origin).get(owners).query(true).reply(429, body, headers)
    answered()
    await ask(opened)
    expect(Math.max(...opened.clock.slept)).toBe(waitMs)
  })

  it('hands the wait for the next day to whoever can wait long', async () => {
    nock(origin).get(owners).query(true).reply(429, refused('DAILY', 'You have reached your daily limit.'))
    const failure = await ask(open()).catch((error: Error) => error)
    expect(failure).toMatchObject({ reason: 'throttled', where: { status: 429, waitUntil: '2026-11-23T12:15:00.000Z' } })
  })

  it('waits for a move to another data centre as long as it is told', async () => {
    nock(origin).get(owners).query(true).reply(477, { status: 'error', message: 'Migration in progress.' }, { 'retry-after': '86400' })
    const failure = await ask(open()).catch((error: Error) => error)
    expect(failure).toMatchObject({ reason: 'throttled', where: { waitUntil: '2026-11-24T12:00:00.000Z' } })
  })

  it.each([423, 500, 502, 504, 521])('repeats what may pass: %i', async (status) => {
    nock(origin).get(owners).query(true).reply(status, { status: 'error', message: 'Locked.' })
    answered()
    expect(await ask(open())).toEqual([])
  })
})

describe('the budget of an account', () => {
  const told = (remaining: string, more: Record<string, string> = {}) => ({
    'x-hubspot-ratelimit-max': '190',
    'x-hubspot-ratelimit-interval-milliseconds': '10000',
    'x-hubspot-ratelimit-remaining': remaining,
    ...more,
  })

  it('rests for the interval when nothing is left, whoever spent it', async () => {
    const opened = open()
    nock(origin).get(owners).query(true).reply(200, page([], 'MQ'), told('1'))
    answered()
    await ask(opened)
    expect(Math.max(...opened.clock.slept)).toBe(10_000)
  })

  it('rests when the day is spent', async () => {
    nock(origin)
      .get(owners)
      .query(true)
      .reply(200, page([], 'MQ'), told('100', { 'x-hubspot-ratelimit-daily-remaining': '0' }))
    const failure = await ask(open()).catch((error: Error) => error)
    expect(failure).toMatchObject({ reason: 'throttled', where: { waitUntil: '2026-11-23T12:15:00.000Z' } })
  })

  it('keeps searches within five a second', async () => {
    const opened = open()
    let lastId = 0
    nock(origin)
      .post(/search$/)
      .times(20)
      .reply(200, () => page([{ id: String(++lastId), properties: {} }], lastId < 20 ? '200' : undefined))
    const started = opened.clock.now().getTime()
    await recordsOf(opened.http, streams.contacts, { slice: { from: '2026-11-20T07:00:00.000Z', to: '2026-11-20T08:00:00.000Z' } })
    expect(opened.clock.now().getTime() - started).toBeGreaterThanOrEqual(3_000)
  })
})

describe('access to HubSpot', () => {
  it('by OAuth asks the dated endpoint, with the client in the form, and once more when a token is refused', async () => {
    const form = (refresh: string) => ({ grant_type: 'refresh_token', client_id: 'app', client_secret: 'secret', refresh_token: refresh })
    nock(origin)
      .post('/oauth/2026-09/token', form('first'))
      .reply(200, { access_token: 'one', refresh_token: 'second', expires_in: 1800, token_type: 'bearer' })
      .post('/oauth/2026-09/token', form('second'))
      .reply(200, { access_token: 'two', refresh_token: 'second', expires_in: 1800, token_type: 'bearer' })
    nock(origin, { reqheaders: { authorization: 'Bearer one' } })
      .get(owners)
      .query(true)
      .reply(401, { status: 'error', category: 'EXPIRED_AUTHENTICATION', message: 'Expired.' })
    nock(origin, { reqheaders: { authorization: 'Bearer two' } })
      .get(owners)
      .query(true)
      .times(2)
      .reply(200, page([]))
    const opened = connect(connector, { client_id: 'app', client_secret: 'secret', refresh_token: 'first' })
    expect(await ask(opened)).toEqual([])
  })

  it.each([
    ['2026-09', '/account-info/2026-09/details', '/crm/objects/2026-09/', '/crm/lists/2026-09/all'],
    ['v3', '/account-info/v3/details', '/crm/v3/objects/', '/crm/v3/lists/search'],
  ])('is checked by %s, scope by scope', async (version, account, objects, lists) => {
    nock(origin)
      .get(account)
      .reply(200, { portalId: 999, timeZone: 'Europe/Paris' })
      .get((uri) => uri.startsWith(`${objects}deals`))
      .reply(403, { status: 'error', category: 'MISSING_SCOPES', message: 'No.' })
      // Eleven other objects, owners, pipelines, and four kinds of marketing.
      .get((uri) => !uri.startsWith('/account-info'))
      .times(17)
      .reply(200, page([]))
      .post(lists)
      .reply(200, { results: [], lists: [], hasMore: false })
    const findings: Finding[] = []
    for await (const finding of check(open(version).http)) findings.push(finding)
    expect(findings[0]).toMatchObject({ ok: true, message: 'account 999, time zone Europe/Paris' })
    expect(findings.filter(({ ok }) => !ok).map(({ name, hint }) => [name, hint])).toEqual([
      ['scope of deals', 'Grant crm.objects.deals.read, or leave deals out.'],
    ])
  })

  it('needs a token, or an app: its refresh token may be had by a person’s consent', () => {
    expect(connector.settings.safeParse({ access_token: 'x' }).success).toBe(true)
    expect(connector.settings.safeParse({ client_id: 'a', client_secret: 'b', refresh_token: 'c' }).success).toBe(true)
    expect(connector.settings.safeParse({ client_id: 'a', client_secret: 'b' }).success).toBe(true)
    expect(connector.settings.safeParse({ client_id: 'a', refresh_token: 'c' }).success).toBe(false)
    expect(connector.settings.safeParse({}).success).toBe(false)
  })
})
