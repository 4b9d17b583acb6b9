import { createHash } from 'node:crypto'
import { UserRefreshClient } from 'google-auth-library'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { adwords, datamanager } from '../../sandbox/google-ads/access.js'
import { googleAdsOAuth, type Sandbox, startSandbox } from '../../sandbox/serve.js'

/** The Data Manager API as Google's own transport sees it: google-auth-library refreshes its token and sends its requests here. */
const [manager, shop] = ['5555555555', '1111111111'] as const
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const day = 86_400_000

let sandbox: Sandbox
let usual: Sandbox['google_ads']['switches']
beforeAll(async () => {
  sandbox = await startSandbox({ people: 60, now: new Date('2026-11-20T12:00:00Z'), limits: 'off', adsSince: new Date('2026-11-19') })
  usual = { ...sandbox.google_ads.switches }
})
afterEach(() => {
  Object.assign(sandbox.google_ads.switches, usual)
  sandbox.google_ads.access.grant([adwords, datamanager])
})
afterAll(() => sandbox.stop())

const client = () =>
  new UserRefreshClient({
    ...googleAdsOAuth,
    transporterOptions: {
      fetchImplementation: (url, init) => fetch(String(url).replace('https://oauth2.googleapis.com', sandbox.url), init),
    },
  })

interface Answer {
  requestId: string
  id: string
  userLists?: { id: string }[]
  nextPageToken?: string
  requestStatusPerDestination: Record<string, unknown>[]
  error: { code: number; status: string; details?: { reason?: string; fieldViolations?: { field: string; reason: string }[] }[] }
}
async function ask(method: 'GET' | 'POST' | 'PATCH', path: string, data?: object, headers: Record<string, string> = {}) {
  const url = `${sandbox.url}/v1/${path}`
  const answer = await client().request<Answer>({
    url,
    method,
    headers,
    ...(data ? { data } : {}),
    validateStatus: () => true,
    retry: false,
  })
  return { status: answer.status, body: answer.data }
}
const violations = ({ error }: Answer) =>
  error.details?.flatMap((one) => one.fieldViolations ?? []).map(({ field, reason }) => [field, reason])

const lists = `accountTypes/GOOGLE_ADS/accounts/${shop}/userLists`
const through = { 'login-account': `accountTypes/GOOGLE_ADS/accounts/${manager}` }
let made = 0
async function makeList(more: object = {}): Promise<string> {
  const body = { displayName: `List ${++made}`, ingestedUserListInfo: { uploadKeyTypes: ['CONTACT_ID'] }, ...more }
  return (await ask('POST', lists, body, through)).body.id
}
const granted = { adUserData: 'CONSENT_GRANTED', adPersonalization: 'CONSENT_GRANTED' }
const byEmail = (...addresses: string[]) => addresses.map((one) => ({ userData: { userIdentifiers: [{ emailAddress: sha256(one) }] } }))
const goal = (list: string) => ({
  operatingAccount: { accountType: 'GOOGLE_ADS', accountId: shop },
  loginAccount: { accountType: 'GOOGLE_ADS', accountId: manager },
  productDestinationId: list,
})
const upload = (list: string, audienceMembers: object[], more: object = {}) => ({
  destinations: [goal(list)],
  audienceMembers,
  consent: granted,
  termsOfService: { customerMatchTermsOfServiceStatus: 'ACCEPTED' },
  encoding: 'HEX',
  ...more,
})
const ingest = (list: string, members: object[], more: object = {}) => ask('POST', 'audienceMembers:ingest', upload(list, members, more))
const remove = (list: string, audienceMembers: object[]) =>
  ask('POST', 'audienceMembers:remove', { destinations: [goal(list)], audienceMembers, encoding: 'HEX' })
async function ended(requestId: string): Promise<Record<string, unknown>> {
  for (let look = 0; look < 10; look++) {
    const { body } = await ask('GET', `requestStatus:retrieve?requestId=${requestId}`)
    const [status] = body.requestStatusPerDestination
    if (status!.requestStatus !== 'PROCESSING') return status!
  }
  throw new Error('never ends')
}
const held = (id: string) => sandbox.google_ads.dataManager.held(sandbox.google_ads.dataManager.lists.find(shop, id)!)
const counts = (id: string) => Object.fromEntries(sandbox.google_ads.dataManager.pushed.get(id) ?? [])

describe('user lists', () => {
  it('are made, found by name and id, and paged; names are used once, and durations are whole days, 540 at most', async () => {
    const id = await makeList({ displayName: 'A "quoted" one', membershipDuration: '86400s' })
    const found = await ask('GET', `${lists}?filter=${encodeURIComponent('display_name = "A \\"quoted\\" one"')}`, undefined, through)
    expect(found.body.userLists).toMatchObject([{ id, membershipDuration: '86400s', membershipStatus: 'OPEN', accessReason: 'OWNED' }])
    expect((await ask('GET', `${lists}/${id}`, undefined, through)).body).toMatchObject({ id, displayName: 'A "quoted" one' })
    expect((await ask('GET', `${lists}?pageSize=1`, undefined, through)).body).toMatchObject({ nextPageToken: '1' })
    const refused = async (more: object) => {
      const body = { displayName: 'Another', ingestedUserListInfo: { uploadKeyTypes: ['CONTACT_ID'] }, ...more }
      return violations((await ask('POST', lists, body, through)).body)?.[0]?.[1]
    }
    expect(await refused({ displayName: 'High value' })).toBe('DISPLAY_NAME_ALREADY_USED')
    expect(await refused({ membershipDuration: `${541 * 86_400}s` })).toBe('MEMBERSHIP_DURATION_TOO_LONG')
    expect(await refused({ membershipDuration: '5s' })).toBe('INVALID_MEMBERSHIP_DURATION')
  })

  it('of an account below a manager need its login in the header, and the scope of this API', async () => {
    expect((await ask('GET', lists)).status).toBe(403)
    expect((await ask('GET', lists, undefined, { 'login-account': manager })).status).toBe(403)
    sandbox.google_ads.access.grant([adwords])
    const { status, body } = await ask('GET', lists, undefined, through)
    expect([status, body.error.details?.[0]?.reason]).toEqual([403, 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'])
  })
})

describe('members', () => {
  it('are in the list when their request was worked on, each counted once, and go by what they came by', async () => {
    const list = await makeList()
    const first = await ingest(list, byEmail('a@x.example', 'b@x.example', 'b@x.example'))
    expect(held(list)).toEqual([])
    expect(await ended(first.body.requestId)).toMatchObject({
      requestStatus: 'SUCCESS',
      audienceMembersIngestionStatus: {
        userDataIngestionStatus: { recordCount: '3', userIdentifierCount: '3', uploadMatchRateRange: 'MATCH_RATE_RANGE_LESS_THAN_20' },
      },
    })
    await ended((await ingest(list, byEmail('a@x.example'))).body.requestId)
    const gone = await ended((await remove(list, byEmail('b@x.example', 'stranger@x.example'))).body.requestId)
    expect(gone).toMatchObject({ requestStatus: 'SUCCESS', audienceMembersRemovalStatus: { userDataRemovalStatus: { recordCount: '2' } } })
    expect(held(list)).toEqual([`email:${sha256('a@x.example')}`])
    expect(counts(list)).toEqual({
      [`email:${sha256('a@x.example')}`]: { added: 1, removed: 0 },
      [`email:${sha256('b@x.example')}`]: { added: 1, removed: 1 },
    })
  })

  it('are matched by Google’s own rules only: a wrong form is taken and matches nobody', async () => {
    sandbox.google_ads.dataManager.known.know({ email: 'Cloudy.SanFrancisco+x@gmail.com', phone: '+1 800 555 0100' })
    const rate = async (identifier: object) => {
      const sent = await ingest(await makeList(), [{ userData: { userIdentifiers: [identifier] } }])
      return (await ended(sent.body.requestId)).audienceMembersIngestionStatus
    }
    const matched = { userDataIngestionStatus: { uploadMatchRateRange: 'MATCH_RATE_RANGE_91_TO_100' } }
    expect(await rate({ emailAddress: sha256('cloudysanfrancisco@gmail.com') })).toMatchObject(matched)
    expect(await rate({ emailAddress: sha256('cloudy.sanfrancisco@gmail.com') })).not.toMatchObject(matched)
    expect(await rate({ phoneNumber: sha256('+18005550100') })).toMatchObject(matched)
    expect(await rate({ phoneNumber: sha256('18005550100') })).not.toMatchObject(matched)
    const { first, last, country, city } = sandbox.company.people[0]!
    const address = {
      givenName: sha256(first.toLowerCase()),
      familyName: sha256(last.toLowerCase()),
      regionCode: country.code,
      postalCode: city[4],
    }
    expect(await rate({ address })).toMatchObject(matched)
    expect(await rate({ address: { ...address, regionCode: sha256(country.code) } })).not.toMatchObject(matched)
  })

  it('are refused with their whole request: malformed hashes, too many, no terms, no encoding, another list', async () => {
    const list = await makeList()
    const bad = [...byEmail('a@x.example'), { userData: { userIdentifiers: [{ emailAddress: 'a@x.example' }] } }]
    const { status, body } = await ingest(list, bad)
    expect(status).toBe(400)
    expect(violations(body)?.[0]).toEqual(['audience_members.audience_members[1].user_data.user_identifiers', 'INVALID_HEX_ENCODING'])
    const reason = async (members: object[], more: object = {}) => violations((await ingest(list, members, more)).body)?.[0]?.[1]
    expect(await reason([{ userData: { userIdentifiers: [{ emailAddress: 'abcd' }] } }])).toBe('INVALID_SHA256_FORMAT')
    expect(await reason(Array.from({ length: 10_001 }, () => byEmail('a@x.example')[0]!))).toBe('TOO_MANY_AUDIENCE_MEMBERS')
    expect(await reason([{ userData: { userIdentifiers: Array.from({ length: 11 }, () => ({ emailAddress: sha256('a') })) } }])).toBe(
      'TOO_MANY_USER_IDENTIFIERS',
    )
    const some = byEmail('a@x.example')
    expect(await reason(some, { termsOfService: undefined })).toBe('TERMS_AND_CONDITIONS_NOT_SIGNED')
    expect(await reason(some, { encoding: undefined })).toBe('REQUIRED_FIELD_MISSING')
    expect(await reason(some, { destinations: [goal('1')] })).toBe('INVALID_USER_LIST_ID')
    expect(await reason(some, { destinations: [goal('5100')] })).toBe('INVALID_USER_LIST_TYPE')
    const partial = { userData: { userIdentifiers: [{ address: { givenName: sha256('ana'), regionCode: 'DE', postalCode: '10115' } }] } }
    expect(await reason([partial])).toBe('REQUIRED_FIELD_MISSING')
    expect(held(list)).toEqual([])
  })

  it('without consent are counted, not named; a request whose members are all refused has failed', async () => {
    const list = await makeList()
    const denied = { adUserData: 'CONSENT_DENIED', adPersonalization: 'CONSENT_GRANTED' }
    const [a, b] = byEmail('a@x.example', 'b@x.example')
    expect(await ended((await ingest(list, [a!, { ...b, consent: denied }])).body.requestId)).toMatchObject({
      requestStatus: 'PARTIAL_SUCCESS',
      errorInfo: { errorCounts: [{ recordCount: '1', reason: 'PROCESSING_ERROR_REASON_DENIED_CONSENT' }] },
    })
    sandbox.google_ads.switches.needsConsent = true
    expect(await ended((await ingest(list, [b!], { consent: undefined })).body.requestId)).toMatchObject({ requestStatus: 'FAILED' })
    expect(held(list)).toEqual([`email:${sha256('a@x.example')}`])
  })

  it('leave when their time is over, and all at once; what became of a request is known for 50 days', async () => {
    const list = await makeList({ membershipDuration: `${10 * 86_400}s` })
    const { body } = await ingest(list, byEmail('a@x.example', 'b@x.example'))
    await ended(body.requestId)
    sandbox.clock.advance(6 * day)
    await ended((await ingest(list, byEmail('b@x.example'))).body.requestId)
    sandbox.clock.advance(6 * day)
    expect(held(list)).toEqual([`email:${sha256('b@x.example')}`])
    const all = (removeAsOfTime: string) => ask('POST', 'audienceMembers:removeAll', { destinations: [goal(list)], removeAsOfTime })
    expect(violations((await all('2030-01-01T00:00:00Z')).body)?.[0]?.[1]).toBe('INVALID_REMOVE_AS_OF_TIME')
    const cleared = await all(sandbox.clock.now().toISOString())
    expect(await ended(cleared.body.requestId)).toMatchObject({ requestStatus: 'SUCCESS', removeAllAudienceMembersStatus: {} })
    expect(held(list)).toEqual([])
    sandbox.clock.advance(51 * day)
    const late = await ask('GET', `requestStatus:retrieve?requestId=${body.requestId}`)
    expect(violations(late.body)?.[0]?.[1]).toBe('REQUEST_TOO_OLD')
  })

  it('of a request that only validates are not kept, and a quota of a minute is refused with its name', async () => {
    const list = await makeList()
    const { body } = await ingest(list, byEmail('a@x.example'), { validateOnly: true })
    const status = await ask('GET', `requestStatus:retrieve?requestId=${body.requestId}`)
    expect(violations(status.body)?.[0]?.[1]).toBe('INVALID_REQUEST_ID')
    const counted = await startSandbox({ people: 60, now: new Date('2026-11-20T12:00:00Z'), limits: 'real' })
    try {
      const token = await fetch(`${counted.url}/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          client_id: googleAdsOAuth.clientId,
          client_secret: googleAdsOAuth.clientSecret,
          refresh_token: googleAdsOAuth.refreshToken,
          grant_type: 'refresh_token',
        }).toString(),
      })
      const { access_token } = (await token.json()) as { access_token: string }
      const call = () => fetch(`${counted.url}/v1/${lists}`, { headers: { authorization: `Bearer ${access_token}`, ...through } })
      let answer = await call()
      // Windows begin at whole minutes: no more than two of them can be met.
      for (let n = 0; n < 601 && answer.status === 200; n++) answer = await call()
      expect(answer.status).toBe(429)
      expect(JSON.stringify(await answer.json())).toContain('OtherMutateRequestsPerMinutePerProject')
    } finally {
      await counted.stop()
    }
  })
})
