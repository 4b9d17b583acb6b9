import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/klaviyo/source.js'
import { connect, onlyWhatIsWritten, pagesOf, recordsOf, recordsOfParents } from '../vendor.js'

// Bodies as in Klaviyo's OpenAPI description, revision 2026-07-15 (a.klaviyo.com/api), and its guides "Rate limits" and "Errors".
const origin = 'https://a.klaviyo.com'
const { streams } = connector.source
const open = () => connect(connector, { api_key: 'pk_test' })

const profile = (id: string, updated: string) => ({
  type: 'profile',
  id,
  attributes: { email: `${id}@example.test`, updated, location: { latitude: '45.7', longitude: 4.8 } },
  relationships: { lists: { links: { self: `${origin}/api/profiles/${id}/relationships/lists/` } } },
  links: { self: `${origin}/api/profiles/${id}/` },
})
const page = (data: unknown[], next: string | null = null) => ({ data, links: { self: `${origin}/api/x`, next, prev: null } })
const slice = { from: '2026-11-02T08:00:00.000Z', to: '2026-11-03T08:00:00.000Z' }

onlyWhatIsWritten()

describe('what Klaviyo is asked for', () => {
  it('sends the key, the revision and the refusal of falling forward with each request', async () => {
    nock(origin, {
      reqheaders: {
        authorization: 'Klaviyo-API-Key pk_test',
        revision: '2026-07-15',
        accept: 'application/vnd.api+json',
        'x-klaviyo-revision-fall-forward-opt-out': '1',
      },
    })
      .get('/api/metrics')
      .reply(200, page([]))
    expect(await recordsOf(open().http, streams.metrics)).toEqual([])
  })

  it('asks for profiles strictly after one second earlier, since only greater-than is known', async () => {
    nock(origin)
      .get('/api/profiles')
      .query({
        filter: 'and(greater-than(updated,2026-11-02T07:59:59Z),less-than(updated,2026-11-03T08:00:00Z))',
        sort: 'updated',
        'page[size]': '100',
        'additional-fields[profile]': 'subscriptions',
      })
      .reply(200, page([profile('01A', '2026-11-02T08:15:30+00:00')]))
    expect(await recordsOf(open().http, streams.profiles, { slice })).toEqual([
      { id: '01A', email: '01A@example.test', updated: '2026-11-02T08:15:30+00:00', location: { latitude: '45.7', longitude: 4.8 } },
    ])
  })

  it('asks for all profiles up to an instant at first', async () => {
    nock(origin)
      .get('/api/profiles')
      .query((query) => query.filter === 'less-than(updated,2026-11-03T08:00:00Z)')
      .reply(200, page([]))
    await recordsOf(open().http, streams.profiles, { slice: { to: slice.to } })
  })

  it('asks for events from a bound on and before another, with profile and metric beside them', async () => {
    nock(origin)
      .get('/api/events')
      .query({
        filter: 'and(greater-or-equal(datetime,2026-11-02T08:00:00Z),less-than(datetime,2026-11-03T08:00:00Z))',
        sort: 'datetime',
        'page[size]': '1000',
      })
      .reply(
        200,
        page([
          {
            type: 'event',
            id: '4vRp',
            attributes: { timestamp: 1793606400, datetime: '2026-11-02T08:00:00+00:00', uuid: '7b1c', event_properties: { $value: 19.9 } },
            relationships: {
              profile: { data: { type: 'profile', id: '01A' } },
              metric: { data: { type: 'metric', id: 'XyZ123' } },
              attributions: { data: [] },
            },
          },
        ]),
      )
    expect(await recordsOf(open().http, streams.events, { slice })).toEqual([
      {
        id: '4vRp',
        timestamp: 1793606400,
        datetime: '2026-11-02T08:00:00+00:00',
        uuid: '7b1c',
        event_properties: { $value: 19.9 },
        profile_id: '01A',
        metric_id: 'XyZ123',
        attributions: [],
      },
    ])
  })

  it('takes an event whose metric is gone', async () => {
    const event = { type: 'event', id: 'e1', attributes: { datetime: '2026-11-02T08:00:00+00:00' }, relationships: { metric: {} } }
    nock(origin)
      .get('/api/events')
      .query(true)
      .reply(200, page([event]))
    expect((await recordsOf(open().http, streams.events, { slice }))[0]).toMatchObject({ id: 'e1', metric_id: undefined })
  })

  it('asks for campaigns of each channel twice, archived and not', async () => {
    const asked: string[] = []
    nock(origin)
      .get('/api/campaigns')
      .query((query) => asked.push(String(query.filter)) > 0 && query.sort === 'updated_at')
      .times(6)
      .reply(200, page([]))
    await recordsOf(open().http, streams.campaigns, { slice })
    const range = 'greater-or-equal(updated_at,2026-11-02T08:00:00Z),less-than(updated_at,2026-11-03T08:00:00Z)'
    expect([...new Set(asked)]).toEqual(
      ['email', 'sms', 'mobile_push'].flatMap((channel) =>
        [false, true].map((archived) => `and(equals(messages.channel,'${channel}'),equals(archived,${archived}),${range})`),
      ),
    )
  })

  it('looks for suppressions by their own time, without a sort', async () => {
    const field = 'subscriptions.email.marketing.suppression.timestamp'
    nock(origin)
      .get('/api/profiles')
      .query({
        filter: `and(greater-or-equal(${field},2026-11-02T08:00:00Z),less-than(${field},2026-11-03T08:00:00Z))`,
        'page[size]': '100',
        'additional-fields[profile]': 'subscriptions',
      })
      .reply(200, page([profile('01B', '2026-01-01T00:00:00+00:00')]))
    expect(await recordsOf(open().http, streams.profiles, { pass: 'suppressions', slice })).toHaveLength(1)
  })

  it('reads the members of each list, and takes a list that went meanwhile for an empty one', async () => {
    const gone = { errors: [{ id: 'x', status: 404, code: 'not_found', title: 'Not found.', detail: 'No list.', source: {} }] }
    nock(origin)
      .get('/api/lists')
      .reply(
        200,
        page([
          { type: 'list', id: 'L1' },
          { type: 'list', id: 'L2' },
        ]),
      )
      .get('/api/lists/L1/profiles')
      .query((query) => query['page[size]'] === '100')
      .reply(200, page([{ type: 'profile', id: '01A', attributes: { joined_group_at: '2026-05-07T21:19:32+00:00' } }]))
      .get('/api/lists/L2/profiles')
      .query(true)
      .reply(404, gone)
    expect(await recordsOfParents(open().http, streams.list_members)).toEqual([
      { list_id: 'L1', profile_id: '01A', joined_group_at: '2026-05-07T21:19:32+00:00' },
    ])
  })
})

describe('pages of Klaviyo', () => {
  const next = `${origin}/api/profiles?page%5Bcursor%5D=bmV4dDo6&filter=less-than%28updated%2C2026-11-03T08%3A00%3A00Z%29`

  it('sends the next link back untouched', async () => {
    nock(origin)
      .get('/api/profiles')
      .query((query) => query['page[cursor]'] === undefined)
      .reply(200, page([profile('01A', '2026-11-02T08:00:00+00:00')], next))
    const sent: string[] = []
    nock(origin)
      .get((uri) => uri.includes('page%5Bcursor%5D') && sent.push(uri) > 0)
      .reply(200, page([profile('01B', '2026-11-02T09:00:00+00:00')]))
    const pages = await pagesOf(open().http, streams.profiles, { slice: { to: slice.to } })
    expect(`${origin}${sent[0]}`).toBe(next)
    expect(pages.map(({ resume }) => resume)).toEqual([{ at: 0, next }, undefined])
  })

  it('goes on from a stored page', async () => {
    nock(origin)
      .get((uri) => uri.includes('page%5Bcursor%5D=bmV4dDo6'))
      .reply(200, page([profile('01B', '2026-11-02T09:00:00+00:00')]))
    const records = await recordsOf(open().http, streams.profiles, { slice: { to: slice.to }, resume: { at: 0, next } })
    expect(records.map(({ id }) => id)).toEqual(['01B'])
  })

  it('refuses a next link to another host, and calls nobody there', async () => {
    nock(origin).get('/api/profiles').query(true).reply(200, page([], 'https://evil.test/api/profiles?page%5Bcursor%5D=x'))
    const stranger = nock('https://evil.test').get(/.*/).reply(200, page([]))
    await expect(pagesOf(open().http, streams.profiles, { slice })).rejects.toMatchObject({ reason: 'config' })
    expect(stranger.isDone()).toBe(false)
    nock.cleanAll()
  })

  it('begins again from what is read when a page token has expired', async () => {
    const expired = { errors: [{ id: 'x', status: 400, code: 'invalid', title: 'Invalid input.', detail: 'Invalid cursor provided.' }] }
    nock(origin)
      .get((uri) => uri.includes('page%5Bcursor%5D'))
      .reply(400, expired)
      .get('/api/profiles')
      .query((query) => query.filter === 'and(greater-than(updated,2026-11-02T08:59:59Z),less-than(updated,2026-11-03T08:00:00Z))')
      .reply(200, page([profile('01C', '2026-11-02T10:00:00+00:00')]))
    const records = await recordsOf(open().http, streams.profiles, {
      slice,
      resume: { at: 0, next },
      reached: '2026-11-02T09:00:00+00:00',
    })
    expect(records.map(({ id }) => id)).toEqual(['01C'])
  })
})

describe('refusals of Klaviyo', () => {
  it('waits as long as Retry-After says', async () => {
    const { http, clock } = open()
    nock(origin)
      .get('/api/metrics')
      .reply(
        429,
        { errors: [{ code: 'throttled', detail: 'Request was throttled. Expected available in 12 seconds.' }] },
        { 'retry-after': '12' },
      )
      .get('/api/metrics')
      .reply(200, page([]))
    await recordsOf(http, streams.metrics)
    expect(Math.max(...clock.slept)).toBe(12_000)
    expect(http.used.retries).toBe(1)
  })

  it.each([
    [401, 'authentication_failed', 'auth', 'wrong or revoked'],
    [400, 'not_authenticated', 'auth', 'Set api_key'],
    [403, 'permission_denied', 'permission', 'lacks the read scope'],
    [410, 'invalid', 'config', 'upgrade Weir'],
    [400, 'invalid', 'permanent', ''],
  ] as const)('takes %i %s for %s, and says what to do', async (status, code, reason, hint) => {
    nock(origin)
      .get('/api/metrics')
      .reply(status, {
        errors: [{ id: 'x', status, code, title: 'No.', detail: 'You do not have permission.', source: {}, links: {}, meta: {} }],
      })
    const failure = await recordsOf(open().http, streams.metrics).catch((error: Error) => error)
    expect(failure).toMatchObject({ reason, where: { status, code } })
    expect((failure as Error).message).toContain(hint)
    expect((failure as Error).message).not.toContain('pk_test')
  })

  it('repeats what comes from the edge and is no JSON', async () => {
    nock(origin)
      .get('/api/metrics')
      .reply(403, '<html>challenge</html>', { 'content-type': 'text/html', 'cf-mitigated': 'challenge' })
      .get('/api/metrics')
      .reply(200, page([]))
    expect(await recordsOf(open().http, streams.metrics)).toEqual([])
  })
})
