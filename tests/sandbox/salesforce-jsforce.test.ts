import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Connection as JsforceConnection } from 'jsforce'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Sandbox, salesforceOAuth, startSandbox } from '../../sandbox/serve.js'

/** jsforce, unmodified, as a client that knows nothing of us. It reads proxies from the environment when it is loaded, and ignores NO_PROXY. */
for (const name of ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']) delete process.env[name]
const require = createRequire(import.meta.url)
const jsforce = require('jsforce') as typeof import('jsforce')
const { HttpApi } = require('jsforce/lib/http-api') as { HttpApi: new (conn: unknown, options: object) => HttpApiLike }
interface HttpApiLike {
  on(event: 'response', listen: (response: { headers: Record<string, string> }) => void): void
  request(request: object): Promise<string>
}

let sandbox: Sandbox
let conn: JsforceConnection
const version = '68.0'
beforeAll(async () => {
  sandbox = await startSandbox({ people: 200, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' })
  conn = new jsforce.Connection({ instanceUrl: sandbox.url, accessToken: sandbox.salesforce.token, version })
})
afterEach(() => {
  sandbox.faults.clear()
  sandbox.clearRequests()
  Object.assign(sandbox.salesforce.switches, { pageMost: 2_000 })
  Object.assign(sandbox.salesforce.switches.bulk, { polls: 2, pageSize: 50_000, failing: 0 })
})
afterAll(() => sandbox.stop())

const living = () => sandbox.truth.salesforce.contacts().filter(({ IsDeleted }) => IsDeleted === false)
const app = { clientId: salesforceOAuth.clientId, clientSecret: salesforceOAuth.clientSecret }
const oauth2 = () => ({ ...app, loginUrl: sandbox.url })

describe('jsforce reads the sandbox', () => {
  it('lists and describes objects, tells limits and who it is', async () => {
    const { sobjects } = await conn.describeGlobal()
    expect(sobjects.map(({ name }) => name)).toEqual(expect.arrayContaining(['Account', 'Contact', 'Lead', 'Opportunity', 'Shipment__c']))
    const contact = await conn.describe('Contact')
    expect(contact.fields.find(({ name }) => name === 'MailingCity')).toMatchObject({
      compoundFieldName: 'MailingAddress',
      filterable: true,
    })
    expect(contact.fields.find(({ name }) => name === 'Email_Domain__c')).toMatchObject({ calculated: true, createable: false })
    expect((await conn.limits()).DailyApiRequests).toMatchObject({ Max: expect.any(Number), Remaining: expect.any(Number) })
    expect(await conn.identity()).toMatchObject({ username: salesforceOAuth.username, organization_id: expect.stringMatching(/^00D/) })
    expect(conn.limitInfo.apiUsage?.limit).toBe(5_000_000)
  })

  it('queries page by page, and sees the bin only by scanAll', async () => {
    sandbox.salesforce.switches.pageMost = 20
    let page = await conn.query<{ Id: string }>('SELECT Id, Name, Account.Name FROM Contact')
    const ids = page.records.map(({ Id }) => Id)
    while (!page.done) {
      page = await conn.queryMore<{ Id: string }>(page.nextRecordsUrl!)
      ids.push(...page.records.map(({ Id }) => Id))
    }
    expect(ids).toEqual(living().map(({ Id }) => Id))
    const all = await conn.query('SELECT COUNT() FROM Contact', { scanAll: true })
    expect(all.totalSize).toBe(sandbox.truth.salesforce.contacts().length)
  })

  it('finds by its own query builder: texts, dates, lists and orders', async () => {
    const some = living()
      .slice(0, 3)
      .map(({ Id }) => String(Id))
    const found = await conn
      .sobject('Contact')
      .find({ Id: { $in: some }, SystemModstamp: { $lt: jsforce.SfDate.toDateTimeLiteral('2027-01-01T00:00:00Z') } }, ['Id', 'Email'])
      .sort({ Id: -1 })
      .limit(2)
    expect(found.map(({ Id }) => Id)).toEqual([...some].sort().reverse().slice(0, 2))
    const [one] = living().filter(({ Email }) => Email !== null)
    const email = String(one?.Email)
    expect((await conn.sobject('Contact').find({ Email: email.toUpperCase() }, ['Id'])).map(({ Id }) => Id)).toContain(one?.Id)
  })

  it.each([
    ['SELECT Bacon__c FROM Account', 'INVALID_FIELD', "No such column 'Bacon__c' on entity 'Account'"],
    ['SELECT Id FROM Bacon__c', 'INVALID_TYPE', "sObject type 'Bacon__c' is not supported"],
    ['SELECT * FROM Account', 'MALFORMED_QUERY', "unexpected token: '*'"],
    ["SELECT Id FROM Account WHERE SystemModstamp > '2026-01-01T00:00:00Z'", 'INVALID_FIELD', 'should not be enclosed in quotes'],
    ['SELECT Id FROM Account WHERE Description = null', 'INVALID_FIELD', 'can not be filtered'],
    ['SELECT Id FROM Account ORDER BY Description', 'INVALID_FIELD', 'can not be sorted'],
    ['SELECT Id FROM Account LIMIT 1 OFFSET 2001', 'NUMBER_OUTSIDE_VALID_RANGE', '2000'],
    [`SELECT Id FROM Account WHERE Name = '${'x'.repeat(4_001)}'`, 'MALFORMED_QUERY', '4000'],
  ])('is refused %s with %s, in the vendor’s words', async (soql, name, words) => {
    await expect(conn.query(soql)).rejects.toMatchObject({ errorCode: name, message: expect.stringContaining(words) })
  })

  it('is refused a URL that is too long, by the org’s own check', async () => {
    await expect(
      conn.query(`SELECT Id FROM Account WHERE Name IN (${Array.from({ length: 2_000 }, (_, i) => `'a${i}'`).join(',')})`),
    ).rejects.toMatchObject({ errorCode: 'ERROR_HTTP_414' })
  })

  it('needs a living version', async () => {
    const at = (v: string) =>
      new jsforce.Connection({ instanceUrl: sandbox.url, accessToken: sandbox.salesforce.token, version: v }).describeGlobal()
    await expect(at('30.0')).rejects.toMatchObject({ errorCode: 'UNSUPPORTED_API_VERSION' })
    await expect(at('99.0')).rejects.toMatchObject({ errorCode: 'NOT_FOUND' })
    expect((await fetch(`${sandbox.url}/services/data`).then((answer) => answer.json())) as object[]).toContainEqual({
      label: "Winter '27",
      url: '/services/data/v68.0',
      version: '68.0',
    })
  })
})

describe('jsforce and bulk jobs', () => {
  it('reads a result of one page', async () => {
    const records = await (await conn.bulk2.query('SELECT Id, Name FROM Contact', { pollInterval: 5, pollTimeout: 5_000 })).toArray()
    expect(records.map((record) => (record as { Id: string }).Id)).toEqual(living().map(({ Id }) => Id))
  })

  it('pages through results by locators with the loop that our own reader uses', async () => {
    sandbox.salesforce.switches.bulk.pageSize = 25
    const job = await conn.request<{ id: string }>({
      method: 'POST',
      url: '/jobs/query',
      body: JSON.stringify({ operation: 'queryAll', query: 'SELECT Id FROM Contact' }),
      headers: { 'content-type': 'application/json' },
    })
    const handle = conn.bulk2.job('query', { id: job.id })
    let state = await handle.check()
    while (state.state !== 'JobComplete') state = await handle.check()
    let rows = 0
    for (let locator: string | undefined, isFirst = true; isFirst || locator !== undefined; isFirst = false) {
      const api = new HttpApi(conn, { responseType: 'text/plain' })
      let headers: Record<string, string> = {}
      api.on('response', (response) => {
        headers = response.headers
      })
      const query = new URLSearchParams({ maxRecords: '1000', ...(locator ? { locator } : {}) })
      const csv = await api.request({
        method: 'GET',
        url: `${sandbox.url}/services/data/v${version}/jobs/query/${job.id}/results?${query}`,
      })
      const told = Number(headers['sforce-numberofrecords'])
      expect(csv.trim().split('\n')).toHaveLength(told + 1)
      rows += told
      locator = headers['sforce-locator'] === 'null' ? undefined : headers['sforce-locator']
    }
    expect(rows).toBe(sandbox.truth.salesforce.contacts().length)
    const pages = await conn.request<{ resultPages: unknown[]; done: boolean }>(`/jobs/query/${job.id}/resultPages`)
    expect(pages.resultPages).toHaveLength(Math.min(5, Math.ceil(rows / 25)))
  })

  it('comes to grief over a second page: nobody should go back to bulk2.query', { timeout: 30_000 }, async () => {
    sandbox.salesforce.switches.bulk.pageSize = 25
    const script = `
      const jsforce = require('jsforce')
      const conn = new jsforce.Connection({ instanceUrl: process.argv[1], accessToken: process.argv[2], version: '68.0' })
      conn.bulk2.query('SELECT Id FROM Contact', { pollInterval: 5 }).then((stream) => stream.toArray()).then((rows) => { console.log('rows', rows.length) })`
    const run = promisify(execFile)(process.execPath, ['-e', script, sandbox.url, sandbox.salesforce.token], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      timeout: 20_000,
    })
    await expect(run).rejects.toMatchObject({ code: expect.any(Number), stderr: expect.stringMatching(/ERR_STREAM|CSV|Invalid|Error/) })
  })

  const refusedJob = (query: string) =>
    conn.request({
      method: 'POST',
      url: '/jobs/query',
      body: JSON.stringify({ operation: 'query', query }),
      headers: { 'content-type': 'application/json' },
    })
  it.each([
    ['SELECT MailingAddress FROM Contact', 'FUNCTIONALITY_NOT_ENABLED'],
    ['SELECT Id FROM Attachment', 'INVALIDENTITY'],
    ['SELECT COUNT() FROM Contact', 'API_ERROR'],
    ['SELECT Id FROM Contact OFFSET 5', 'API_ERROR'],
  ])('no job is made of %s', async (query, name) => {
    await expect(refusedJob(query)).rejects.toMatchObject({ errorCode: name })
  })

  it('a job is read when it is complete, by its own version, and goes only when it has ended', async () => {
    const { id } = (await refusedJob('SELECT Id FROM Contact')) as { id: string }
    const at = (tail = '', v = version) => ({ method: 'GET' as const, url: `${sandbox.url}/services/data/v${v}/jobs/query/${id}${tail}` })
    await expect(conn.request(at('/results'))).rejects.toMatchObject({ errorCode: 'INVALIDJOBSTATE' })
    await expect(conn.request({ ...at(), method: 'DELETE' })).rejects.toMatchObject({ errorCode: 'API_ERROR' })
    for (const state of ['InProgress', 'JobComplete']) expect(await conn.request(at())).toMatchObject({ state, apiVersion: 68 })
    await expect(conn.request(at('/results', '67.0'))).rejects.toMatchObject({ errorCode: 'INVALIDJOBSTATE' })
    await expect(
      conn.request({ ...at(), method: 'PATCH', body: '{"state":"Aborted"}', headers: { 'content-type': 'application/json' } }),
    ).rejects.toMatchObject({ errorCode: 'INVALIDJOBSTATE' })
    await conn.request({ ...at(), method: 'DELETE' })
    await expect(conn.request(at())).rejects.toMatchObject({ errorCode: 'NOT_FOUND' })
  })
})

describe('jsforce logs in', () => {
  it('by a refresh token, which rotates whether it keeps the new one or not', async () => {
    const client = new jsforce.Connection({
      oauth2: oauth2(),
      loginUrl: sandbox.url,
      instanceUrl: sandbox.url,
      refreshToken: sandbox.salesforce.access.currentRefreshToken(),
      version,
    })
    const rotated: unknown[] = []
    client.on('refresh', (_: string, answer: { refresh_token?: string }) => {
      rotated.push(answer.refresh_token)
      if (answer.refresh_token) (client as unknown as { refreshToken: string }).refreshToken = answer.refresh_token
    })
    for (let i = 0; i < 3; i++) {
      await client.query('SELECT Id FROM User LIMIT 1')
      sandbox.salesforce.access.expireTokens()
    }
    expect(new Set(rotated).size).toBe(3)
    expect(rotated.at(-1)).toBe(sandbox.salesforce.access.currentRefreshToken())
  })

  it('by its client alone, with a password in old versions, and not by SOAP in new ones', async () => {
    const client = new jsforce.Connection({ oauth2: oauth2(), loginUrl: sandbox.url, instanceUrl: sandbox.url, version })
    expect(await client.authorize({ grant_type: 'client_credentials' })).toMatchObject({ organizationId: expect.stringMatching(/^00D/) })
    await client.query('SELECT Id FROM User LIMIT 1')
    const soap = (v: string) =>
      new jsforce.Connection({ loginUrl: sandbox.url, version: v }).login(salesforceOAuth.username, 'sandbox-passwordTOKEN')
    await expect(soap('64.0')).resolves.toMatchObject({ organizationId: expect.stringMatching(/^00D/) })
    await expect(soap('68.0')).rejects.toThrow(/UNSUPPORTED_API_VERSION/)
  })

  it('a refresh token that was spent takes its grant with it', async () => {
    const { OAuth2 } = jsforce
    const oauth = new OAuth2(oauth2())
    const first = sandbox.salesforce.access.currentRefreshToken()
    const { refresh_token: second } = await oauth.refreshToken(first)
    await expect(oauth.refreshToken(first)).rejects.toMatchObject({ name: 'invalid_grant' })
    await expect(oauth.refreshToken(second!)).rejects.toMatchObject({ name: 'invalid_grant' })
  })
})

describe('jsforce writes to the sandbox', () => {
  it('upserts by external id, a row refused among others', async () => {
    const rows = [
      { Audience_Key__c: 'j1', LastName: 'Ito' },
      { Audience_Key__c: 'j2' },
      { Audience_Key__c: 'j3', LastName: 'Ng', Plan__c: 'gold' },
    ]
    const answers = await conn.sobject('Contact').upsert(rows as never, 'Audience_Key__c')
    expect(answers).toMatchObject([
      { success: true, created: true },
      { success: false, errors: [{ statusCode: 'REQUIRED_FIELD_MISSING', fields: ['LastName'] }] },
      { success: true, created: true },
    ])
    expect(await conn.sobject('Contact').upsert([{ Audience_Key__c: 'J1', LastName: 'Itō' }] as never, 'Audience_Key__c')).toMatchObject([
      { success: true, created: false },
    ])
  })

  it('loads by an ingest job, and reads what became of it', async () => {
    const job = conn.bulk2.createJob({ operation: 'upsert', object: 'Contact', externalIdFieldName: 'Audience_Key__c' })
    await job.open()
    await job.uploadData('Audience_Key__c,LastName\nj4,Sato\nj5,#N/A\n')
    await job.close()
    for (let state = ''; state !== 'JobComplete'; ) ({ state } = await job.check())
    expect(await job.getSuccessfulResults()).toMatchObject([{ sf__Created: 'true', Audience_Key__c: 'j4', LastName: 'Sato' }])
    expect(await job.getFailedResults()).toMatchObject([
      { sf__Error: expect.stringMatching(/^REQUIRED_FIELD_MISSING:.*:LastName --$/), Audience_Key__c: 'j5' },
    ])
    expect(await job.getUnprocessedRecords()).toEqual([])
  })

  it('adds members of a campaign, and deletes them', async () => {
    const { id: campaign } = (await conn.sobject('Campaign').create({ Name: 'By jsforce' } as never)) as unknown as { id: string }
    const [contact] = living()
    const row = { CampaignId: campaign, ContactId: String(contact!.Id), Status: 'Sent' }
    const [made] = (await conn.sobject('CampaignMember').create([row] as never)) as unknown as { id: string; success: boolean }[]
    expect(made).toMatchObject({ success: true })
    expect(await conn.sobject('CampaignMember').create([row] as never)).toMatchObject([
      { success: false, errors: [{ statusCode: 'DUPLICATE_VALUE', message: 'Already a campaign member.' }] },
    ])
    expect(await conn.sobject('CampaignMember').destroy([made!.id])).toMatchObject([{ success: true }])
    expect(await conn.sobject('CampaignMember').destroy([made!.id])).toMatchObject([
      { success: false, errors: [{ statusCode: 'ENTITY_IS_DELETED' }] },
    ])
  })
})
