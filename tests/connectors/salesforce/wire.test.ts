import { createVerify, generateKeyPairSync } from 'node:crypto'
import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { errorCode, salesforce, usageOf } from '../../../connectors/salesforce/api.js'
import { columnsOf, decimal, fieldsOf, shaped } from '../../../connectors/salesforce/fields.js'
import { connector, streamsOf } from '../../../connectors/salesforce/source.js'
import type { Fields, Finding, Http } from '../../../src/core/types.js'
import { connect, onlyWhatIsWritten, pagesOf, recordsOf } from '../vendor.js'

// Bodies as in Salesforce's REST, Bulk 2.0 and OAuth guides and the appendix of wire shapes, read 2026-11-23.
const login = 'https://login.salesforce.com'
const org = 'https://acme.my.salesforce.com'
const v = '/services/data/v68.0'
const open = (more: Record<string, unknown> = {}) => connect(connector, { access_token: '00D!AQ', instance_url: org, ...more })
const byBulk = streamsOf(0)
const { streams } = connector.source
const slice = { from: '2026-11-20T07:00:00.000Z', to: '2026-11-20T08:00:00.000Z' }
const fields: Fields = { LastName: { type: 'text' }, Amount: { type: 'numeric' } }
const contact = (id: string, more = {}) => ({
  attributes: { type: 'Contact', url: `${v}/sobjects/Contact/${id}` },
  Id: id,
  LastName: 'Ito',
  Amount: 3,
  IsDeleted: false,
  SystemModstamp: '2026-11-20T07:15:02.000+0000',
  ...more,
})
const count = (totalSize: number) =>
  nock(org)
    .get(`${v}/queryAll`)
    .query(({ q }) => String(q).includes('COUNT()'))
    .reply(200, { totalSize, done: true, records: [] })
const ask = ({ http }: { http: Http }) => http.request({ path: `${v}/limits` })
const refused = (body: unknown, status: number, headers = {}) =>
  nock(org)
    .get(`${v}/limits`)
    .reply(status, body as nock.Body, headers)

onlyWhatIsWritten()

describe('reading by REST', () => {
  it('counts first, asks by the cursor for a half-open range, and follows the whole next URL', async () => {
    const asked: string[] = []
    nock(org)
      .get(`${v}/queryAll`)
      .query(({ q }) => asked.push(String(q)) > 0)
      .reply(200, { totalSize: 2, done: true, records: [] })
      .get(`${v}/queryAll`)
      .query(({ q }) => asked.push(String(q)) > 0)
      .reply(200, { totalSize: 2, done: false, nextRecordsUrl: `${v}/query/01gxx0000000001AAA-1`, records: [contact('003A')] })
      .get(`${v}/query/01gxx0000000001AAA-1`)
      .reply(200, { totalSize: 2, done: true, records: [contact('003B', { LastName: '' })] })
    const records = await recordsOf(open().http, streams.contacts, { slice, fields })
    const where = 'WHERE SystemModstamp >= 2026-11-20T07:00:00.000Z AND SystemModstamp < 2026-11-20T08:00:00.000Z'
    expect(asked).toContain(`SELECT COUNT() FROM Contact ${where}`)
    expect(asked).toContain(`SELECT LastName, Amount, Id, SystemModstamp, IsDeleted FROM Contact ${where}`)
    expect(records).toEqual([
      { Id: '003A', LastName: 'Ito', Amount: '3', IsDeleted: false, SystemModstamp: '2026-11-20T07:15:02.000Z', DeletedDate: null },
      { Id: '003B', LastName: null, Amount: '3', IsDeleted: false, SystemModstamp: '2026-11-20T07:15:02.000Z', DeletedDate: null },
    ])
  })

  it('starts over when a locator has expired', async () => {
    count(2)
    const first = () =>
      nock(org)
        .get(`${v}/queryAll`)
        .query(true)
        .reply(200, { totalSize: 2, done: false, nextRecordsUrl: `${v}/query/01g-1`, records: [contact('003A')] })
    first()
    nock(org)
      .get(`${v}/query/01g-1`)
      .reply(400, [{ errorCode: 'INVALID_QUERY_LOCATOR', message: 'invalid query locator' }])
    first()
    nock(org)
      .get(`${v}/query/01g-1`)
      .reply(200, { totalSize: 2, done: true, records: [contact('003B')] })
    expect((await recordsOf(open().http, streams.contacts, { slice, fields })).map(({ Id }) => Id)).toEqual(['003A', '003A', '003B'])
  })

  it('looks again and asks once more when a field has gone meanwhile, and then fails for its own stream alone', async () => {
    const gone = [
      {
        message: "\nSELECT LastName FROM Contact\n       ^\nERROR at Row:1:Column:8\nNo such column 'LastName' on entity 'Contact'.",
        errorCode: 'INVALID_FIELD',
      },
    ]
    const described = {
      queryable: true,
      fields: ['Id', 'SystemModstamp', 'IsDeleted', 'Amount'].map((name) => ({
        name,
        type: 'string',
        filterable: true,
        compoundFieldName: null,
      })),
    }
    const asked: string[] = []
    count(1)
    nock(org).get(`${v}/queryAll`).query(true).reply(400, gone).get(`${v}/sobjects/Contact/describe`).reply(200, described)
    count(1)
    nock(org)
      .get(`${v}/queryAll`)
      .query(({ q }) => asked.push(String(q)) > 0)
      .reply(200, { totalSize: 1, done: true, records: [contact('003A')] })
    expect(await recordsOf(open().http, streams.contacts, { slice, fields })).toHaveLength(1)
    expect(asked[0]).not.toContain('LastName')

    count(1)
    nock(org).get(`${v}/queryAll`).query(true).reply(400, gone).get(`${v}/sobjects/Contact/describe`).reply(200, described)
    count(1)
    nock(org).get(`${v}/queryAll`).query(true).reply(400, gone)
    const failure = await recordsOf(open().http, streams.contacts, { slice, fields }).catch((error: Error) => error)
    expect(failure).toMatchObject({ reason: 'permission', where: { code: 'INVALID_FIELD' } })
    expect((failure as Error).message).toMatch(/No such column 'LastName'.*administrator/s)
  })
})

describe('reading by a bulk job', () => {
  const header = '"Id","LastName","Amount","IsDeleted","SystemModstamp"'
  const job = (state: string, more = {}) => ({ id: '750A', operation: 'queryAll', object: 'Contact', state, apiVersion: 68.0, ...more })
  const created = () => {
    count(2)
    return nock(org)
      .post(`${v}/jobs/query`, ({ operation, query }) => operation === 'queryAll' && !/ORDER|LIMIT/.test(String(query)))
      .reply(200, job('UploadComplete'))
  }
  const csv = (rows: string[], next: string, told = rows.length) =>
    [
      [header, ...rows].map((row) => `${row}\n`).join(''),
      { 'content-type': 'text/csv', 'sforce-locator': next, 'sforce-numberofrecords': String(told) },
    ] as const

  it('names the job before it reads, rests while Salesforce works, and gives what REST would give', async () => {
    created()
    nock(org).get(`${v}/jobs/query/750A`).times(7).reply(200, job('InProgress'))
    const { http, clock } = open()
    const pages: unknown[] = []
    const stopped = await (async () => {
      for await (const page of byBulk.contacts!.passes[0].read({
        http,
        slice: { pass: 'main', ...slice },
        fields: { ...fields, ...byBulk.contacts!.fields },
      }))
        pages.push(page)
    })().catch((error: Error) => error)
    // A minute of looks by itself, by the clock of the client; the next one is for the workflow to wait for.
    expect(clock.slept).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000])
    expect(stopped).toMatchObject({ reason: 'throttled', where: { waitUntil: '2026-11-23T12:03:03.000Z' } })
    expect(pages[0]).toMatchObject({ records: [], isDurable: true, resume: { job: '750A', version: '68.0', polls: 0 } })
    expect(pages.at(-1)).toMatchObject({ records: [], resume: { job: '750A', polls: 7 } })

    nock(org)
      .get(`${v}/jobs/query/750A`)
      .reply(200, job('JobComplete', { numberRecordsProcessed: 3 }))
      .get(`${v}/jobs/query/750A/results`)
      .query({ maxRecords: '25000' })
      .reply(
        200,
        ...csv(
          ['"003A","Ito","3.0","false","2026-11-20T07:15:02.000Z"', '"003B","O""Neil,\nx","1.2E7","true","2026-11-20T07:15:02.000Z"'],
          'MjAwMA',
        ),
      )
      .get(`${v}/jobs/query/750A/results`)
      .query({ maxRecords: '25000', locator: 'MjAwMA' })
      .reply(200, ...csv(['"003C","","","false","2026-11-20T07:15:02.000Z"'], 'null'))
      .delete(`${v}/jobs/query/750A`)
      .reply(204)
    const records = await recordsOf(http, byBulk.contacts, { slice, fields, resume: { job: '750A', version: '68.0', polls: 1, read: 0 } })
    expect(records).toEqual([
      { Id: '003A', LastName: 'Ito', Amount: '3', IsDeleted: false, SystemModstamp: '2026-11-20T07:15:02.000Z', DeletedDate: null },
      {
        Id: '003B',
        LastName: 'O"Neil,\nx',
        Amount: '12000000',
        IsDeleted: true,
        SystemModstamp: '2026-11-20T07:15:02.000Z',
        DeletedDate: '2026-11-20T07:15:02.000Z',
      },
      { Id: '003C', LastName: null, Amount: null, IsDeleted: false, SystemModstamp: '2026-11-20T07:15:02.000Z', DeletedDate: null },
    ])
  })

  const whole = { job: '750A', version: '68.0', polls: 0, read: 0, total: 2 }
  it.each([
    ['fewer rows than the header tells of', csv(['"003A","Ito","3.0","false","2026-11-20T07:15:02.000Z"'], 'null', 2)],
    [
      'a text that breaks off',
      ['"Id","LastName"\n"003A","It', { 'content-type': 'text/csv', 'sforce-locator': 'null', 'sforce-numberofrecords': '1' }] as const,
    ],
    ['fewer rows than the job found', csv(['"003A","Ito","3.0","false","2026-11-20T07:15:02.000Z"'], 'null')],
    [
      'no rows at all, not even a header',
      ['', { 'content-type': 'text/csv', 'sforce-locator': 'null', 'sforce-numberofrecords': '0' }] as const,
    ],
  ])('takes %s for a loss, never for the end', async (_, [body, headers]) => {
    nock(org).get(`${v}/jobs/query/750A/results`).query(true).times(3).reply(200, body, headers)
    const failure = await recordsOf(open().http, byBulk.contacts, { slice, fields, resume: whole }).catch((error: Error) => error)
    nock.cleanAll()
    expect(failure).toMatchObject({ reason: 'transient' })
  })

  it.each([
    ['header-only', `${header}\n`],
    ['empty', ''],
  ])('takes %s results of a job that found nothing for nothing', async (_, body) => {
    nock(org)
      .get(`${v}/jobs/query/750A/results`)
      .query(true)
      .reply(200, body, { 'content-type': 'text/csv', 'sforce-locator': 'null', 'sforce-numberofrecords': '0' })
    const deleted = nock(org).delete(`${v}/jobs/query/750A`).reply(204)
    const answered = await recordsOf(open().http, byBulk.contacts, { slice, fields, resume: { ...whole, total: 0 } }).catch(
      (error: Error) => error,
    )
    if (body === '') {
      // Nothing with 200 is what a broken edge sends, too: it is asked for again.
      expect(answered).toMatchObject({ reason: 'transient' })
      nock.cleanAll()
    } else {
      expect(answered).toEqual([])
      expect(deleted.isDone()).toBe(true)
    }
  })

  it.each([
    ['InvalidBatch : Failed to process query: QUERY_TIMEOUT: too long', 'too_large', 'QUERY_TIMEOUT'],
    ["InvalidBatch : Failed to process query: INVALID_TYPE: sObject type 'X__c' is not supported.", 'permission', 'INVALID_TYPE'],
    [undefined, 'too_large', 'Failed'],
  ])('a job that failed with "%s" is taken away, and is %s', async (errorMessage, reason, code) => {
    nock(org).get(`${v}/jobs/query/750A`).reply(200, job('Failed', { errorMessage })).delete(`${v}/jobs/query/750A`).reply(204)
    const { total: _, ...place } = whole
    const reading = pagesOf(open().http, byBulk.contacts, { slice, fields, resume: { ...place, isSeen: true } })
    await expect(reading).rejects.toMatchObject({ reason, where: { code } })
  })

  it.each([
    ['INVALIDENTITY', "Entity 'Contact' is not supported by the Bulk API."],
    ['FUNCTIONALITY_NOT_ENABLED', 'Selecting compound data not supported in Bulk Query'],
    ['LIMIT_EXCEEDED', 'Max bulk v2 query jobs (10000) per 24 hrs has been reached'],
  ])('goes back to REST when the job is refused with %s', async (code, message) => {
    count(2)
    nock(org)
      .post(`${v}/jobs/query`)
      .reply(400, [{ errorCode: code, message }])
      .get(`${v}/queryAll`)
      .query(true)
      .reply(200, { totalSize: 1, done: true, records: [contact('003A')] })
    expect(await recordsOf(open().http, byBulk.contacts, { slice, fields })).toHaveLength(1)
  })

  it('does not go back to REST where a permission is missing: it would give less and say nothing', async () => {
    count(2)
    nock(org)
      .post(`${v}/jobs/query`)
      .reply(400, [{ errorCode: 'API_ERROR', message: 'Implementation restriction: needs View All Data' }])
    await expect(recordsOf(open().http, byBulk.contacts, { slice, fields })).rejects.toMatchObject({
      reason: 'permission',
      message: expect.stringContaining('View All Data'),
    })
  })

  it('makes another job when its own has gone after seven days', async () => {
    nock(org)
      .get(`${v}/jobs/query/750A/results`)
      .query(true)
      .reply(404, [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }])
    nock(org)
      .post(`${v}/jobs/query`)
      .reply(200, { ...job('UploadComplete'), id: '750B' })
      .get(`${v}/jobs/query/750B`)
      .reply(200, job('JobComplete', { numberRecordsProcessed: 0 }))
      .get(`${v}/jobs/query/750B/results`)
      .query(true)
      .reply(200, ...csv([], 'null'))
      .delete(`${v}/jobs/query/750B`)
      .reply(204)
    expect(await recordsOf(open().http, byBulk.contacts, { slice, fields, resume: whole })).toEqual([])
  })
})

describe('refusals of Salesforce', () => {
  it.each([
    [500, [{ message: 'An unexpected error occurred.', errorCode: 'UNKNOWN_EXCEPTION' }]],
    [503, [{ message: 'Server is temporarily unavailable.', errorCode: 'SERVER_UNAVAILABLE' }]],
    [503, '<html>edge</html>'],
    [420, ''],
    [420, [{ message: 'calm', errorCode: 'X' }]],
    [406, ''],
    [502, ''],
  ])('repeats what may pass: %i %j', async (status, body) => {
    refused(body, status)
    nock(org).get(`${v}/limits`).reply(200, {})
    await expect(ask(open())).resolves.toMatchObject({ status: 200 })
  })

  const over = (message: string) => [{ message, errorCode: 'REQUEST_LIMIT_EXCEEDED' }]
  it('hands the wait for the day’s quota to whoever can wait long', async () => {
    refused(over('TotalRequests Limit exceeded.'), 403)
    await expect(ask(open())).rejects.toMatchObject({ reason: 'throttled', where: { status: 403, waitUntil: '2026-11-23T12:15:00.000Z' } })
  })

  it('waits half a minute when too many long requests run at once', async () => {
    const opened = open()
    refused(over('ConcurrentRequests (Concurrent API Requests) Limit exceeded.'), 403)
    nock(org).get(`${v}/limits`).reply(200, {})
    await ask(opened)
    expect(Math.max(...opened.clock.slept)).toBe(30_000)
  })

  it.each([
    ['api-usage=80000/100000', true],
    ['api-usage=79999/100000', false],
    ['per-app-api-usage=250/250(appName=x), api-usage=10/5000', false],
    ['api-usage=4999/5000; api-bursts=1/750', true],
    ['nonsense', false],
  ])('leaves a fifth of the org’s requests to its other tools: %s', async (info, rests) => {
    const opened = open()
    nock(org).get(`${v}/limits`).reply(200, {}, { 'sforce-limit-info': info })
    await ask(opened)
    if (!rests) nock(org).get(`${v}/limits`).reply(200, {})
    const next = await ask(opened).catch((error: Error) => error)
    expect(next).toMatchObject(rests ? { reason: 'throttled', where: { waitUntil: expect.any(String) } } : { status: 200 })
    expect(usageOf('api-usage=18/5000')).toEqual({ used: 18, limit: 5000 })
  })

  it('names one code for the ways in which the Bulk API writes it', () => {
    for (const written of ['InvalidJobState', 'INVALIDJOBSTATE', 'INVALID_JOB_STATE'])
      expect(errorCode([{ errorCode: written }])).toBe('INVALIDJOBSTATE')
    expect(errorCode({ error: 'invalid_grant', error_description: 'x' })).toBe('invalid_grant')
    expect(errorCode('<html>')).toBeUndefined()
  })
})

describe('access to Salesforce', () => {
  const token = (more = {}) => ({
    access_token: 'T1',
    instance_url: org,
    id: `${login}/id/00D/005`,
    token_type: 'Bearer',
    issued_at: '1795451600000',
    ...more,
  })
  const limits = (bearer: string) => nock(org, { reqheaders: { authorization: `Bearer ${bearer}` } }).get(`${v}/limits`)

  it('by a refresh token that rotates goes to the org that the answer names, and spends each token once', async () => {
    const form = (refresh: string) => ({ grant_type: 'refresh_token', refresh_token: refresh, client_id: 'app', client_secret: 'secret' })
    nock(login)
      .post('/services/oauth2/token', form('R1'))
      .reply(200, token({ refresh_token: 'R2' }))
    limits('T1').reply(401, [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }])
    nock(login)
      .post('/services/oauth2/token', form('R2'))
      .reply(200, token({ access_token: 'T2', refresh_token: 'R3', instance_url: 'https://moved.my.salesforce.com' }))
    nock('https://moved.my.salesforce.com').get(`${v}/limits`).reply(200, {})
    await ask(connect(connector, { client_id: 'app', client_secret: 'secret', refresh_token: 'R1' }))
  })

  it('by JWT signs who it is, for three minutes', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    let assertion = ''
    nock('https://test.salesforce.com')
      .post('/services/oauth2/token', (form: Record<string, string>) => {
        assertion = form.assertion ?? ''
        return form.grant_type === 'urn:ietf:params:oauth:grant-type:jwt-bearer'
      })
      .reply(200, token())
    limits('T1').reply(200, {})
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
    await ask(
      connect(connector, { login_url: 'https://test.salesforce.com/', client_id: 'app', private_key: pem, username: 'weir@acme.example' }),
    )
    const [head = '', claims = '', signature = ''] = assertion.split('.')
    expect(createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature, 'base64url')).toBe(true)
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({
      iss: 'app',
      sub: 'weir@acme.example',
      aud: 'https://test.salesforce.com',
      exp: Date.parse('2026-11-23T12:03:00Z') / 1000,
    })
  })

  it('by client credentials asks the org’s own domain', async () => {
    nock(org)
      .post('/services/oauth2/token', { grant_type: 'client_credentials', client_id: 'app', client_secret: 'secret' })
      .reply(200, token())
    limits('T1').reply(200, {})
    await ask(connect(connector, { login_url: org, client_id: 'app', client_secret: 'secret' }))
  })

  it.each(['invalid_grant', 'invalid_client_id', 'invalid_client'])('ends with %s, for a person to act', async (error) => {
    nock(login).post('/services/oauth2/token').reply(400, { error, error_description: 'expired access/refresh token' })
    await expect(ask(connect(connector, { client_id: 'app', client_secret: 'secret', refresh_token: 'R1' }))).rejects.toMatchObject({
      reason: 'auth',
      where: { status: 400, code: error },
    })
  })

  it('needs a session, or an app with one proof', () => {
    const { success: token } = connector.settings.safeParse({ access_token: 'x', instance_url: org })
    expect(token).toBe(true)
    expect(connector.settings.safeParse({ client_id: 'a', client_secret: 'b', refresh_token: 'c' }).success).toBe(true)
    expect(connector.settings.safeParse({ client_id: 'a', private_key: 'k', username: 'u' }).success).toBe(true)
    expect(connector.settings.safeParse({ client_id: 'a', client_secret: 'b', login_url: org }).success).toBe(true)
    for (const wrong of [
      {},
      { client_id: 'a' },
      { client_id: 'a', private_key: 'k' },
      { client_id: 'a', client_secret: 'b', login_url: login },
    ])
      expect(connector.settings.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false)
  })

  it('is checked object by object, with version and quotas', async () => {
    nock(org)
      .get(`${v}/sobjects`)
      .reply(200, { sobjects: ['Account', 'Contact', 'Lead', 'Campaign'].map((name) => ({ name })) })
      .get(`${v}/limits`)
      .reply(200, { DailyApiRequests: { Max: 100_000, Remaining: 900 }, DailyBulkV2QueryJobs: { Max: 10_000, Remaining: 9_998 } })
    const findings: Finding[] = []
    for await (const finding of connector.source.check(open().http)) findings.push(finding)
    expect(findings.find(({ name }) => name === 'API version')).toMatchObject({ ok: true, message: expect.stringContaining('68.0') })
    expect(findings.find(({ name }) => name === 'API requests')).toMatchObject({ ok: false })
    expect(findings.find(({ name }) => name === 'bulk query jobs')).toMatchObject({ ok: true })
    expect(findings.find(({ name }) => name === 'object of opportunities')).toMatchObject({
      ok: false,
      hint: expect.stringContaining('administrator'),
    })
  })

  it('pins a version with the day until which it is served', () => {
    expect(salesforce.versions.map(({ name }) => name)).toEqual(connector.apiVersions)
    for (const { sunset } of salesforce.versions) expect(sunset).toMatch(/^20\d\d-\d\d-\d\d$/)
  })
})

describe('an object’s fields', () => {
  const field = (name: string, type: string, more = {}) => ({
    name,
    label: name,
    type,
    filterable: true,
    compoundFieldName: null,
    calculated: false,
    deprecatedAndHidden: false,
    ...more,
  })

  it('leave out compounds and files, keep Name, and note formulas', () => {
    const columns = columnsOf([
      field('Id', 'id'),
      field('Name', 'string'),
      field('FirstName', 'string', { compoundFieldName: 'Name' }),
      field('MailingAddress', 'address'),
      field('MailingCity', 'string', { compoundFieldName: 'MailingAddress' }),
      field('Place__c', 'location'),
      field('Place__Latitude__s', 'double', { compoundFieldName: 'Place__c' }),
      field('Body', 'base64'),
      field('Tier__c', 'string', { calculated: true }),
      field('Big__c', 'double', { precision: 18, scale: 0 }),
      field('Old__c', 'string', { deprecatedAndHidden: true }),
    ] as never)
    expect(Object.keys(columns)).toEqual(['Id', 'Name', 'FirstName', 'MailingCity', 'Place__Latitude__s', 'Tier__c', 'Big__c'])
    expect(columns.Tier__c?.description).toContain('formula')
    expect(columns.Big__c?.type).toBe('numeric')
  })

  it.each([
    [{ queryable: true, fields: [field('Id', 'id')] }, 'no such field'],
    [{ queryable: true, fields: [field('SystemModstamp', 'datetime', { filterable: false })] }, 'cannot be filtered'],
    [{ queryable: false, fields: [field('SystemModstamp', 'datetime')] }, 'leave it out'],
  ])('cannot be read by a cursor that is not there or not filterable', async (body, words) => {
    nock(org).get(`${v}/sobjects/LoginEvent/describe`).reply(200, body)
    await expect(fieldsOf('LoginEvent', 'SystemModstamp')(open().http)).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringContaining(words),
    })
  })

  it.each([
    ['3.0', '3'],
    ['0.0', '0'],
    ['-0.0', '0'],
    ['950000000.0', '950000000'],
    ['1.25E3', '1250'],
    ['1.2E7', '12000000'],
    ['-1.5E-3', '-0.0015'],
    ['123456789012345678', '123456789012345678'],
    ['12345678901234567.125', '12345678901234567.125'],
    ['0.10', '0.1'],
    ['007', '7'],
    ['1e+21', '1000000000000000000000'],
    ['N/A', undefined],
    ['', undefined],
    ['1E999999', undefined],
  ])('a number is one text, however it is written: %s', (written, plain) => {
    expect(decimal(written)).toBe(plain)
  })

  it('words such as NA and null stay words', () => {
    const shape = shaped({ A: { type: 'text' }, B: { type: 'text' }, C: { type: 'text' } })
    expect(shape({ attributes: {}, A: 'NA', B: 'null', C: '' })).toEqual({ A: 'NA', B: 'null', C: null })
  })
})
