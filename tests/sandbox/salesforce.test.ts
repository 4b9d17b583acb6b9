import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adCampaigns, broughtBy } from '../../sandbox/company/ads.js'
import { withCheck } from '../../sandbox/salesforce/ids.js'
import { type Sandbox, salesforceOAuth, startSandbox } from '../../sandbox/serve.js'
import { click } from '../support/consent.js'

/** The org's data and its doors; how clients read it stands in salesforce-jsforce.test.ts. */
let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ people: 300, now: new Date('2026-11-20T12:00:00Z'), limits: { salesforce: { daily: 400, queryJobs: 2 } } })
})
afterAll(() => sandbox.stop())

const bearer = () => ({ authorization: `Bearer ${sandbox.salesforce.token}` })
const get = (path: string, headers: Record<string, string> = bearer()) => fetch(`${sandbox.url}${path}`, { headers, redirect: 'manual' })
const token = (form: Record<string, string>, origin = sandbox.url) =>
  fetch(`${origin}/services/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) }).then(
    async (answer) => [answer.status, (await answer.json()) as Record<string, string>] as const,
  )
const app = { client_id: salesforceOAuth.clientId, client_secret: salesforceOAuth.clientSecret }

describe('the org', () => {
  it('knows people, firms and deals of the company, with the campaigns that brought them', () => {
    const { leads, contacts, opportunities, accounts, campaigns, campaign_members: members } = sandbox.truth.salesforce
    const slugs = new Set(adCampaigns.map(({ slug }) => slug))
    const brought = [...leads(), ...contacts(), ...opportunities()].filter(({ UTM_Campaign__c: slug }) => slug !== null)
    expect(brought.length).toBeGreaterThan(40)
    for (const { UTM_Campaign__c: slug } of brought) expect(slugs).toContain(slug)
    expect(campaigns().map(({ UTM_Campaign__c }) => UTM_Campaign__c)).toEqual(adCampaigns.map(({ slug }) => slug))
    const ids = new Set([...leads(), ...contacts()].map(({ Id }) => Id))
    for (const { LeadOrContactId } of members()) expect(ids).toContain(LeadOrContactId)
    expect(accounts()).toHaveLength(sandbox.company.firms)
    const first = sandbox.company.deals.find(({ person }) => broughtBy(sandbox.company.times, sandbox.company.people[person]!))
    expect(opportunities()[first!.n]).toMatchObject({
      UTM_Campaign__c: broughtBy(sandbox.company.times, sandbox.company.people[first!.person]!)!.slug,
    })
  })

  it('spells addresses in its own way, which fold to the company’s', () => {
    const fold = (email: unknown) => String(email).toLowerCase().replace('+sf@', '@')
    const known = new Set(sandbox.company.people.map(({ email }) => email?.toLowerCase()))
    const emails = [...sandbox.truth.salesforce.leads(), ...sandbox.truth.salesforce.contacts()]
      .map(({ Email }) => Email)
      .filter((email) => email !== null)
    for (const email of emails) expect(known).toContain(fold(email))
    expect(emails.filter((email) => email !== fold(email)).length).toBeGreaterThan(emails.length / 5)
  })

  it('is the same for the same seed, and grows with the clock', async () => {
    const other = await startSandbox({ people: 300, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
    expect(other.truth.salesforce.contacts()).toEqual(sandbox.truth.salesforce.contacts())
    const before = other.truth.salesforce.opportunity_history().length
    other.clock.advance(20 * 86_400_000)
    expect(other.truth.salesforce.opportunity_history().length).toBeGreaterThan(before)
    // Formulas move, stamps stay.
    const [was, is] = [sandbox, other].map((one) => one.truth.salesforce.contacts())
    const same = was!.filter(({ Id, SystemModstamp }) => is!.some((row) => row.Id === Id && row.SystemModstamp === SystemModstamp))
    expect(same.length).toBeGreaterThan(0)
    for (const { Id, Days_as_Customer__c: days } of same)
      expect(is!.find((row) => row.Id === Id)?.Days_as_Customer__c).toBe(Number(days) + 20)
    await other.stop()
  })

  it('gives ids whose last three letters tell the case of the others', () => {
    expect(withCheck('001D000000IqhSL')).toBe('001D000000IqhSLIAZ')
  })

  it('empties its bin after fifteen days', async () => {
    const other = await startSandbox({ people: 100, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
    const { store } = other.salesforce
    const id = String(other.truth.salesforce.leads()[0]!.Id)
    store.remove('Lead', id, other.clock.now().getTime())
    const sees = () => other.truth.salesforce.leads().some((row) => row.Id === id)
    expect(sees()).toBe(true)
    other.clock.advance(16 * 86_400_000)
    expect(sees()).toBe(false)
    await other.stop()
  })
})

describe('its doors', () => {
  it('a person’s consent leads to the loopback with a code, which its verifier alone turns into tokens', async () => {
    const verifier = 'v'.repeat(64)
    const redirect_uri = 'http://127.0.0.1:9/callback'
    const asked = {
      response_type: 'code',
      client_id: app.client_id,
      redirect_uri,
      state: 's&1',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    }
    const authorize = (more: Record<string, string>) => get(`/services/oauth2/authorize?${new URLSearchParams({ ...asked, ...more })}`, {})
    const page = `${sandbox.url}/services/oauth2/authorize?${new URLSearchParams(asked)}`
    const allowed = await click(page)
    expect(allowed.searchParams.get('state')).toBe('s&1')
    const exchange = (code_verifier: string, code = allowed.searchParams.get('code')!) =>
      token({ ...app, grant_type: 'authorization_code', code, redirect_uri, code_verifier })
    const [status, answer] = await exchange(verifier)
    expect([status, Object.keys(answer).sort()]).toEqual([
      200,
      ['access_token', 'id', 'instance_url', 'issued_at', 'refresh_token', 'scope', 'signature', 'token_type'],
    ])
    expect(await exchange(verifier)).toMatchObject([400, { error: 'invalid_grant' }])
    expect(await token({ ...app, grant_type: 'refresh_token', refresh_token: answer.refresh_token! })).toMatchObject([
      200,
      { refresh_token: expect.any(String) },
    ])
    expect((await click(page, { decision: 'deny' })).search).toContain('error=access_denied')
    expect((await authorize({ code_challenge_method: 'plain' })).headers.get('location')).toContain('error=invalid_request')
    expect((await authorize({ redirect_uri: 'https://evil.example/' })).status).toBe(400)
  })

  it('an app has five grants of a user: a sixth takes the first away', async () => {
    const other = await startSandbox({ people: 60, limits: 'off' })
    const { access } = other.salesforce
    const consented = { query: new URLSearchParams({ redirect_uri: 'x' }), scopes: ['api', 'refresh_token'] }
    const first = access.currentRefreshToken()
    for (let i = 0; i < 5; i++) access.exchange(access.codes.issue(consented), 'x', '')
    expect(access.refresh(first)).toBeUndefined()
    await other.stop()
  })

  it.each([
    [{ grant_type: 'refresh_token', refresh_token: 'x' }, 'invalid_grant'],
    [{ grant_type: 'refresh_token', client_secret: 'x' }, 'invalid_client'],
    [{ grant_type: 'refresh_token', client_id: 'x' }, 'invalid_client_id'],
    [{ grant_type: 'magic' }, 'unsupported_grant_type'],
  ])('refuses %j in the vendor’s words', async (form, error) => {
    expect(await token({ ...app, ...form } as unknown as Record<string, string>)).toMatchObject([400, { error }])
  })

  it('gives no client credentials at the shared login host', async () => {
    expect(await token({ ...app, grant_type: 'client_credentials' }, sandbox.url.replace('127.0.0.1', 'localhost'))).toMatchObject([
      400,
      { error: 'invalid_grant', error_description: 'request not supported on this domain' },
    ])
  })

  it('says 304 to whom nothing has changed for, until a field comes or goes', async () => {
    const path = '/services/data/v68.0/sobjects/Lead/describe'
    const since = (await get(path)).headers.get('last-modified')!
    expect((await get(path, { ...bearer(), 'if-modified-since': since })).status).toBe(304)
    sandbox.drift.add({ vendor: 'salesforce', of: 'Lead', key: 'Region__c', change: 'add', value: 'EMEA' })
    const changed = await get(path, { ...bearer(), 'if-modified-since': since })
    expect(((await changed.json()) as { fields: { name: string }[] }).fields.map(({ name }) => name)).toContain('Region__c')
    sandbox.drift.clear()
  })

  it('counts requests, and refuses in its own way when a day’s are spent', async () => {
    const path = '/services/data/v68.0/limits'
    const made = await fetch(`${sandbox.url}/services/data/v68.0/jobs/query`, {
      method: 'POST',
      headers: bearer(),
      body: '{"operation":"query","query":"SELECT Id FROM Lead"}',
    })
    expect(made.headers.get('sforce-limit-info')).toMatch(/^api-usage=\d+\/400$/)
    const job = async () =>
      (
        await fetch(`${sandbox.url}/services/data/v68.0/jobs/query`, {
          method: 'POST',
          headers: bearer(),
          body: '{"operation":"query","query":"SELECT Id FROM Lead"}',
        })
      ).json()
    await job()
    expect(await job()).toMatchObject([{ errorCode: 'LIMIT_EXCEEDED', message: 'Max bulk v2 query jobs (2) per 24 hrs has been reached' }])
    let last = await get(path)
    for (let i = 0; i < 420 && last.status === 200; i++) last = await get(path)
    expect([last.status, await last.json(), last.headers.get('retry-after')]).toEqual([
      403,
      [{ message: 'TotalRequests Limit exceeded.', errorCode: 'REQUEST_LIMIT_EXCEEDED' }],
      null,
    ])
    sandbox.clock.advance(25 * 3_600_000)
    expect((await get(path)).status).toBe(200)
  })
})
