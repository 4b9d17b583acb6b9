import {
  ApiKeySession,
  CampaignsApi,
  EventsApi,
  ListsApi,
  MetricsApi,
  ProfilesApi,
  RetryWithExponentialBackoff,
  SegmentsApi,
} from 'klaviyo-api'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'

/** The vendor's own SDK, unmodified, as a client: what it can do with Klaviyo it can do here. */
let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ people: 300, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
})
afterEach(() => sandbox.faults.clear())
afterAll(() => sandbox.stop())

interface Api {
  basePath: string
}
function at<A extends Api>(Kind: new (session: ApiKeySession) => A, key = sandbox.klaviyo.apiKey, numRetries = 3): A {
  const api = new Kind(new ApiKeySession(key, new RetryWithExponentialBackoff({ numRetries })))
  api.basePath = sandbox.klaviyo.url
  return api
}

interface Page {
  body: { data: { id?: string | null | undefined }[]; links?: { next?: string } | undefined }
}
/** Every id, following whole next links as cursors, as the SDK is used. */
async function walk(page: (cursor: string | undefined) => Promise<Page>): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const { body } = await page(cursor)
    ids.push(...body.data.map(({ id }) => String(id)))
    cursor = body.links?.next ?? undefined
  } while (cursor !== undefined)
  return ids
}
const idsOf = (records: { id: string }[]) => records.map(({ id }) => id).sort()
const status = (promise: Promise<unknown>) =>
  promise.then(
    () => 200,
    (error: { response?: { status: number } }) => error.response?.status,
  )

describe('the Klaviyo SDK', () => {
  it('pages through profiles and sees each once', async () => {
    const api = at(ProfilesApi)
    const ids = await walk((pageCursor) => api.getProfiles({ pageSize: 100, sort: 'updated', ...(pageCursor ? { pageCursor } : {}) }))
    expect(ids.sort()).toEqual(idsOf(sandbox.truth.klaviyo.profiles()))
  })

  it('pages through events with the default and the largest size', async () => {
    const api = at(EventsApi)
    const truth = idsOf(sandbox.truth.klaviyo.events())
    expect((await walk((pageCursor) => api.getEvents({ pageSize: 1000, ...(pageCursor ? { pageCursor } : {}) }))).sort()).toEqual(truth)
    expect((await walk((pageCursor) => api.getEvents(pageCursor ? { pageCursor } : {}))).sort()).toEqual(truth)
  })

  it('reads dates, free-form properties and consent out of a profile', async () => {
    const { body } = await at(ProfilesApi).getProfiles({ additionalFieldsProfile: ['subscriptions'], pageSize: 100 })
    const [first] = body.data
    expect(first?.attributes.updated).toBeInstanceOf(Date)
    expect(Object.keys(first?.attributes.properties ?? {})).toContain('Plan')
    expect(first?.attributes.subscriptions?.email?.marketing?.consent).toMatch(/SUBSCRIBED/)
  })

  it('finds the metric and the profile of an event beside it, once each', async () => {
    const { body } = await at(EventsApi).getEvents({ include: ['metric', 'profile'], filter: 'has(metric)' })
    const beside = (body.included ?? []).map(({ type, id }) => `${type} ${id}`)
    expect(new Set(beside).size).toBe(beside.length)
    for (const { relationships } of body.data) {
      expect(beside).toContain(`metric ${relationships?.metric?.data?.id}`)
      expect(beside).toContain(`profile ${relationships?.profile?.data?.id}`)
    }
  })

  it('lists metrics, lists, segments and their members', async () => {
    expect((await at(MetricsApi).getMetrics()).body.data).toHaveLength(sandbox.truth.klaviyo.metrics().length)
    const lists = await walk((pageCursor) => at(ListsApi).getLists(pageCursor ? { pageCursor } : {}))
    expect(lists.sort()).toEqual(idsOf(sandbox.truth.klaviyo.lists()))
    const segments = await walk((pageCursor) => at(SegmentsApi).getSegments(pageCursor ? { pageCursor } : {}))
    expect(segments.sort()).toEqual(idsOf(sandbox.truth.klaviyo.segments()))
    for (const list of lists) {
      const members = await walk((pageCursor) =>
        at(ListsApi).getProfilesForList(list, { pageSize: 100, ...(pageCursor ? { pageCursor } : {}) }),
      )
      expect(members.sort()).toEqual(idsOf(sandbox.truth.klaviyo.listMembers(list)))
    }
  })

  it('reads campaigns by channel, archived ones apart', async () => {
    const api = at(CampaignsApi)
    const ids: string[] = []
    for (const channel of ['email', 'sms'])
      for (const archived of [true, false])
        ids.push(
          ...(await walk((pageCursor) =>
            api.getCampaigns(`equals(messages.channel,'${channel}'),equals(archived,${archived})`, pageCursor ? { pageCursor } : {}),
          )),
        )
    expect(ids.sort()).toEqual(idsOf(sandbox.truth.klaviyo.campaigns()))
  })

  it('waits out a 429 and gets its page', async () => {
    sandbox.faults.add({ fault: { kind: 'throttled', retryAfter: 1 }, path: '/api/metrics' })
    expect((await at(MetricsApi).getMetrics()).body.data.length).toBeGreaterThan(0)
    expect(
      sandbox
        .requests({ path: '/api/metrics' })
        .slice(-2)
        .map((one) => one.status),
    ).toEqual([429, 200])
  })

  it('is told 401 for a wrong key and 403 for a missing scope', async () => {
    expect(await status(at(ProfilesApi, 'pk_nobody').getProfiles())).toBe(401)
    expect(await status(at(EventsApi, sandbox.klaviyo.limitedApiKey).getEvents())).toBe(403)
    expect(await status(at(ProfilesApi, sandbox.klaviyo.limitedApiKey).getProfiles())).toBe(200)
  })
})
