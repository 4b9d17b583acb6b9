import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/hubspot/source.js'
import { connect, onlyWhatIsWritten, pagesOf, recordsOf } from '../vendor.js'

// Bodies as in HubSpot's references of marketing e-mails and campaigns (2026-09), forms v3, form integrations v1 and e-mail events v1, read 2026-11-23.
const origin = 'https://api.hubapi.com'
const { streams } = connector.source
const open = (apiVersion?: string) => connect(connector, { access_token: 'pat-na1-test' }, apiVersion ? { apiVersion } : {})
const page = (results: unknown[], after?: string) => ({ results, ...(after === undefined ? {} : { paging: { next: { after } } }) })
const at = (instant: string) => Date.parse(instant)

onlyWhatIsWritten()

describe('e-mails of marketing', () => {
  it.each([
    ['2026-09', '/marketing/emails/2026-09'],
    ['v3', '/marketing/v3/emails'],
  ])('of %s are read whole with their figures, which move no date', async (version, path) => {
    const email = { id: '11', name: 'Sale', updatedAt: '2026-01-05T09:00:00Z', stats: { counters: { open: 40 } } }
    nock(origin)
      .get(path)
      .query({ includeStats: 'true', limit: '100' })
      .reply(200, { total: 1, ...page([email]) })
    expect(streams.marketing_emails?.passes[0].slicing.by).toBe('all')
    expect(await recordsOf(open(version).http, streams.marketing_emails)).toEqual([email])
  })
})

describe('campaigns', () => {
  it('are asked for their properties by name, which come to the top', async () => {
    nock(origin)
      .get('/marketing/campaigns/2026-09')
      .query(({ limit, properties }) => limit === '100' && String(properties).split(',').includes('hs_utm'))
      .reply(200, {
        total: 1,
        ...page([{ id: 'c-1', properties: { hs_name: 'Spring', hs_utm: 'spring' }, businessUnits: [], createdAt: '2026-01-05T09:00:00Z' }]),
      })
    expect(await recordsOf(open().http, streams.campaigns)).toEqual([
      { id: 'c-1', hs_name: 'Spring', hs_utm: 'spring', businessUnits: [], createdAt: '2026-01-05T09:00:00Z' },
    ])
  })
})

describe('forms', () => {
  it('of every kind are asked for; the dated version has none of its own', async () => {
    nock(origin)
      .get('/marketing/v3/forms')
      .query({ formTypes: 'all', limit: '100' })
      .reply(200, page([{ id: 'f-1', name: 'Pop-up', formType: 'captured' }]))
    expect(await recordsOf(open().http, streams.forms)).toHaveLength(1)
  })

  const submission = (conversionId: string | null, submittedAt: number, value = 'ana@example.test') => ({
    conversionId,
    submittedAt,
    pageUrl: 'https://shop.example',
    values: [{ name: 'email', value, objectTypeId: '0-1' }],
  })
  const asked = (after?: string) =>
    nock(origin)
      .get('/form-integrations/v1/submissions/forms/f-1')
      .query({ limit: '50', ...(after ? { after } : {}) })

  it('are left when their submissions, newest first, get older than what is asked for', async () => {
    const slice = { parent: 'f-1', from: '2026-11-20T07:00:00.000Z', to: '2026-11-20T08:00:00.000Z' }
    asked().reply(200, page([submission('new', at('2026-11-20T08:30:00Z')), submission('b', at('2026-11-20T07:30:00Z'))], 'Mg'))
    asked('Mg').reply(200, page([submission('a', at(slice.from)), submission('old', at('2026-11-20T06:59:59Z'))], 'NA'))
    const pages = await pagesOf(open().http, streams.form_submissions, { slice })
    nock.cleanAll()
    const records = pages.flatMap(({ records }) => records.map(streams.form_submissions!.record))
    expect(records.map(({ id, submitted_at }) => [id, submitted_at])).toEqual([
      ['b', '2026-11-20T07:30:00.000Z'],
      ['a', '2026-11-20T07:00:00.000Z'],
    ])
    expect(pages.map(({ resume }) => resume)).toEqual([{ at: 0, next: 'Mg' }, undefined])
  })

  it('give submissions without an id one of their own, the same each time', async () => {
    const times = [at('2026-11-20T07:30:00Z'), at('2026-11-20T07:29:00Z')]
    const body = page([...times.map((time) => submission(null, time)), submission(null, times[0]!, 'li@example.test')])
    const read = async () => {
      asked().reply(200, body)
      const records = await recordsOf(open().http, streams.form_submissions, { slice: { parent: 'f-1', to: '2026-11-21T00:00:00.000Z' } })
      return records.map(({ id }) => id)
    }
    const ids = await read()
    expect(new Set(ids).size).toBe(3)
    expect(await read()).toEqual(ids)
  })
})

describe('events of e-mails', () => {
  it('are read by their range, as long as there are more, though the offset stands on the last page, too', async () => {
    const slice = { from: '2026-11-20T07:00:00.000Z', to: '2026-11-20T08:00:00.000Z' }
    const query = { limit: '1000', startTimestamp: String(at(slice.from)), endTimestamp: String(at(slice.to)) }
    const event = (id: string) => ({ id, type: 'OPEN', created: at('2026-11-20T07:30:00Z'), recipient: 'ana@example.test' })
    nock(origin)
      .get('/email/public/v1/events')
      .query(query)
      .reply(200, { hasMore: true, offset: 'AGYt', events: [event('2')] })
      .get('/email/public/v1/events')
      .query({ ...query, offset: 'AGYt' })
      .reply(200, { hasMore: false, offset: 'BXxx', events: [event('1')] })
    expect((await recordsOf(open().http, streams.email_events, { slice })).map(({ id, created }) => [id, created])).toEqual([
      ['2', '2026-11-20T07:30:00.000Z'],
      ['1', '2026-11-20T07:30:00.000Z'],
    ])
  })
})
