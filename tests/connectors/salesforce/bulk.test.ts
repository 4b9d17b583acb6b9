import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { onlyWhatIsWritten, pagesOf, recordsOf } from '../vendor.js'
import { byBulk, contact, count, fields, open, org, slice, v } from './wire.js'

onlyWhatIsWritten()

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
