import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/hubspot/source.js'
import type { Rec } from '../../../src/core/types.js'
import { connect, onlyWhatIsWritten, pagesOf, recordsOf } from '../vendor.js'

// Bodies as in HubSpot's reference of 2026-09 (associations, properties with history, schemas), read 2026-11-23.
const origin = 'https://api.hubapi.com'
const { streams } = connector.source
const open = (apiVersion?: string) => connect(connector, { access_token: 'pat-na1-test' }, apiVersion ? { apiVersion } : {})
const page = (results: unknown[], after?: string) => ({ results, ...(after === undefined ? {} : { paging: { next: { after } } }) })
const row = (id: string) => ({
  id,
  properties: { hs_object_id: id },
  createdAt: '2026-01-05T09:00:00.120Z',
  updatedAt: '2026-11-20T07:30:01.002Z',
})
const batch = (results: unknown[], errors?: unknown[]) => ({
  status: 'COMPLETE',
  results,
  ...(errors ? { numErrors: errors.length, errors } : {}),
})

onlyWhatIsWritten()

describe('associations', () => {
  const nobody = (id: string) => ({
    status: 'error',
    category: 'OBJECT_NOT_FOUND',
    subCategory: 'crm.associations.NO_ASSOCIATIONS_FOUND',
    message: `No contact is associated with deal ${id}.`,
    context: { fromObjectId: [id], fromObjectType: ['deal'], toObjectType: ['contact'] },
  })
  const plain = { category: 'HUBSPOT_DEFINED', typeId: 341, label: null }
  const primary = { category: 'HUBSPOT_DEFINED', typeId: 5, label: 'Primary' }
  const deals = (results: unknown[], after?: string) =>
    nock(origin)
      .get((uri) => uri.startsWith('/crm/objects/2026-09/deals?'))
      .reply(200, page(results, after))
  const pair = (to: string, status: number, body: unknown, asked?: { inputs: Record<string, string>[] }) =>
    nock(origin)
      .post(`/crm/associations/2026-09/deals/${to}/batch/read`, asked)
      .reply(status, body as Rec)
  const read = () => recordsOf(open().http, streams.deal_associations, { slice: { parent: 'deals' } })

  it('are a record for each type of each link, whether ids are texts or numbers; a record without any is no failure', async () => {
    deals([row('515'), row('516')])
    pair('contacts', 207, batch([], [nobody('515'), nobody('516')]), { inputs: [{ id: '515' }, { id: '516' }] })
    pair('companies', 207, batch([{ from: { id: '515' }, to: [{ toObjectId: 9, associationTypes: [plain, primary] }] }], [nobody('516')]))
    const own = { category: 'USER_DEFINED', typeId: 341, label: 'Sold with' }
    pair('line_items', 200, batch([{ from: { id: '516' }, to: [{ toObjectId: '30123', associationTypes: [own] }] }]))
    expect(
      (await read()).map(({ from_id, to_object, to_id, category, type_id }) => [from_id, to_object, to_id, category, type_id]),
    ).toEqual([
      ['515', 'companies', '9', 'HUBSPOT_DEFINED', 341],
      ['515', 'companies', '9', 'HUBSPOT_DEFINED', 5],
      ['516', 'line_items', '30123', 'USER_DEFINED', 341],
    ])
  })

  it('of one record with many partners are read page by page', async () => {
    deals([row('515')])
    const one = (id: string, after?: string) =>
      batch([
        { from: { id: '515' }, to: [{ toObjectId: id, associationTypes: [plain] }], ...(after ? { paging: { next: { after } } } : {}) },
      ])
    pair('contacts', 200, one('1', 'NTAw'), { inputs: [{ id: '515' }] })
    pair('contacts', 200, one('2'), { inputs: [{ id: '515', after: 'NTAw' }] })
    pair('companies', 207, batch([], [nobody('515')]))
    pair('line_items', 207, batch([], [nobody('515')]))
    expect((await read()).map(({ to_id }) => to_id)).toEqual(['1', '2'])
  })

  it('are not taken for read when they are refused for another reason, or nothing is said', async () => {
    const refused = { status: 'error', category: 'VALIDATION_ERROR', message: 'No.' }
    for (const [body, reason] of [
      [batch([], [refused]), 'permanent'],
      [batch([]), 'transient'],
    ] as const) {
      deals([row('515')])
      nock(origin)
        .post(/batch\/read/)
        .times(3)
        .reply(207, body)
      await expect(read()).rejects.toMatchObject({ reason })
      nock.cleanAll()
    }
  })

  it('are asked for a thousand records at a time, and go on behind the last page of ids', async () => {
    const ids = Array.from({ length: 1_100 }, (_, i) => String(i + 1))
    for (let i = 0; i < 11; i++) deals(ids.slice(i * 100, i * 100 + 100).map(row), i < 10 ? ids[i * 100 + 100] : undefined)
    const asked: number[] = []
    nock(origin)
      .post(/associations/)
      .times(6)
      .reply(207, async (request: Request) => {
        const { inputs } = (await request.json()) as { inputs: { id: string }[] }
        asked.push(inputs.length)
        return batch(
          [],
          inputs.map(({ id }) => nobody(id)),
        )
      })
    const pages = await pagesOf(open().http, streams.deal_associations, { slice: { parent: 'deals' } })
    expect(asked).toEqual([1_000, 1_000, 1_000, 100, 100, 100])
    expect(pages.map(({ resume }) => resume)).toEqual([{ at: 0, next: '1001' }, undefined])
  })

  it('of v3 stand under v4', async () => {
    nock(origin)
      .get(/\/crm\/v3\/objects\/contacts/)
      .reply(200, page([row('151')]))
      .post('/crm/v4/associations/contacts/companies/batch/read')
      .reply(
        200,
        batch([
          { from: { id: '151' }, to: [{ toObjectId: 9, associationTypes: [{ category: 'HUBSPOT_DEFINED', typeId: 279, label: null }] }] },
        ]),
      )
    expect(await recordsOf(open('v3').http, streams.contact_associations, { slice: { parent: 'contacts' } })).toHaveLength(1)
  })

  it('that cost a walk over every contact are read by those who name them', () => {
    const standard = Object.values(streams).filter(({ isDefault }) => isDefault)
    expect(standard.map(({ name }) => name).filter((name) => /association|history/.test(name))).toEqual([
      'deal_associations',
      'ticket_associations',
    ])
  })
})

describe('older values of properties', () => {
  const properties = [
    { name: 'lifecyclestage', type: 'enumeration', calculated: false },
    { name: 'total_revenue', type: 'number', calculated: true },
    { name: 'old', type: 'string', archived: true },
  ]
  const slice = { from: '2026-11-20T07:00:00.000Z', to: '2026-11-20T08:00:00.000Z' }
  const value = (text: string, timestamp: string, more: Rec = {}) => ({
    value: text,
    timestamp,
    sourceType: 'API',
    sourceId: 'app-1',
    ...more,
  })

  it('are read for what changed, fifty records at a time, without calculated properties', async () => {
    const ids = Array.from({ length: 60 }, (_, i) => String(i + 1))
    const sizes: number[] = []
    nock(origin)
      .get('/crm/properties/2026-09/contacts')
      .reply(200, { results: properties })
      .post('/crm/objects/2026-09/contacts/search', (body: Rec) => JSON.stringify(body).includes('"lastmodifieddate"'))
      .reply(200, page(ids.map(row)))
      .post('/crm/objects/2026-09/contacts/batch/read')
      .query(true)
      .times(2)
      .reply(200, async (request: Request) => {
        const { inputs, propertiesWithHistory } = (await request.json()) as { inputs: { id: string }[]; propertiesWithHistory: string[] }
        expect(propertiesWithHistory).toEqual(['lifecyclestage'])
        sizes.push(inputs.length)
        const past = [value('customer', '2026-10-01T00:00:00Z'), value('', '2026-01-05T09:00:00Z', { sourceId: null })]
        return batch(inputs.map(({ id }) => ({ ...row(id), propertiesWithHistory: { lifecyclestage: past } })))
      })
    const records = await recordsOf(open().http, streams.contact_history, { slice })
    expect(sizes.sort()).toEqual([10, 50])
    expect(records).toHaveLength(120)
    expect(records.slice(0, 2)).toMatchObject([
      { id: '1', property: 'lifecyclestage', value: 'customer', timestamp: '2026-10-01T00:00:00Z', source: 'app-1' },
      { id: '1', property: 'lifecyclestage', value: null, timestamp: '2026-01-05T09:00:00Z', source: 'API' },
    ])
  })

  it('are not taken for none when HubSpot names no properties', async () => {
    nock(origin).get('/crm/properties/2026-09/contacts').reply(200, { results: [] })
    await expect(recordsOf(open().http, streams.contact_history, { slice })).rejects.toMatchObject({ reason: 'transient' })
  })
})

describe('streams of one’s own', () => {
  const machines = connector.source.custom!('machines', { object: '2-4711' })

  it('read any object by its name or type, with its own properties', async () => {
    nock(origin)
      .get('/crm/properties/2026-09/2-4711')
      .reply(200, { results: [{ name: 'serial', type: 'string', label: 'Serial' }] })
      .get('/crm/objects/2026-09/2-4711')
      .query({ limit: '100', archived: 'false', properties: 'serial' })
      .reply(200, page([{ ...row('9'), properties: { serial: 'SN-1', hs_object_id: '9' } }]))
      .post('/crm/objects/2026-09/2-4711/search', (body: Rec) => JSON.stringify(body).includes('hs_lastmodifieddate'))
      .reply(200, page([]))
    const { http } = open()
    const fields = await machines.discover!(http)
    expect(await recordsOf(http, machines, { fields })).toEqual([expect.objectContaining({ id: '9', serial: 'SN-1' })])
    const slice = { from: '2026-11-20T07:00:00.000Z', to: '2026-11-20T08:00:00.000Z' }
    expect(await recordsOf(http, machines, { fields, slice })).toEqual([])
  })

  it.each(['leads', 'p999_machines', '2-123'])('take the object %s', (object) => {
    expect(connector.custom!.safeParse({ object }).success).toBe(true)
  })
  it.each(['', 'contacts/1', 'a b', '../owners'])('refuse the object %j, which would be another address', (object) => {
    expect(connector.custom!.safeParse({ object }).success).toBe(false)
  })
})
