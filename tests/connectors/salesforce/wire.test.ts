import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { errorCode, usageOf } from '../../../connectors/salesforce/api.js'
import { onlyWhatIsWritten, recordsOf } from '../vendor.js'
import { ask, contact, count, fields, open, org, refused, slice, streams, v } from './wire.js'

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
