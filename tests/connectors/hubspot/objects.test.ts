import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/hubspot/source.js'
import type { Fields, Rec } from '../../../src/core/types.js'
import { connect, onlyWhatIsWritten, pagesOf, read, recordsOf } from '../vendor.js'

// Bodies as in HubSpot's reference of 2026-09 (developers.hubspot.com: "CRM objects", "Search", "Properties"), read 2026-11-23.
const origin = 'https://api.hubapi.com'
const { streams } = connector.source
const open = (apiVersion?: string) => connect(connector, { access_token: 'pat-na1-test' }, apiVersion ? { apiVersion } : {})

const contact = (id: string, properties: Rec = {}) => ({
  id,
  properties: { hs_object_id: id, lastmodifieddate: '2026-11-20T07:30:01.002Z', ...properties },
  createdAt: '2026-01-05T09:00:00.120Z',
  updatedAt: '2026-11-20T07:30:01.002Z',
  archived: false,
  url: `https://app.hubspot.com/contacts/999/record/0-1/${id}`,
})
const page = (results: unknown[], after?: string) => ({
  results,
  ...(after === undefined ? {} : { paging: { next: { after, link: `${origin}/elsewhere?after=${after}` } } }),
})
const named = (...names: string[]): Fields => Object.fromEntries(names.map((name) => [name, { type: 'text' as const }]))
const many = (count: number, length = 20) => named(...Array.from({ length: count }, (_, i) => `p${String(i).padStart(length - 1, '0')}`))
const idsOf = (records: readonly Rec[]) => records.map(({ id }) => id)

const slice = { from: '2026-11-20T07:00:00.000Z', to: '2026-11-20T08:00:00.000Z' }
const window = {
  propertyName: 'lastmodifieddate',
  operator: 'BETWEEN',
  value: String(Date.parse(slice.from)),
  highValue: String(Date.parse(slice.to) - 1),
}

interface Search {
  filterGroups: { filters: { propertyName: string; operator: string; value: string }[] }[]
  properties: string[]
  limit: number
  after?: string
}
const lastIdOf = ({ filterGroups }: Search) => BigInt(filterGroups[0]?.filters.find(({ operator }) => operator === 'GT')?.value ?? '0')

onlyWhatIsWritten()

describe('properties of an object', () => {
  const definition = (name: string, type: string, more: Rec = {}) => ({
    name,
    label: name,
    type,
    fieldType: 'text',
    archived: false,
    ...more,
  })

  it('become columns by their types, without archived ones', async () => {
    const types = ['string', 'number', 'bool', 'enumeration', 'date', 'datetime', 'phone_number', 'json', 'object_coordinates', 'new']
    nock(origin)
      .get('/crm/properties/2026-09/contacts')
      .reply(200, { results: [...types.map((type) => definition(`a_${type}`, type)), definition('old', 'string', { archived: true })] })
    const found = await streams.contacts?.discover?.(open().http)
    expect(Object.fromEntries(Object.entries(found ?? {}).map(([name, { type }]) => [name, type]))).toEqual({
      a_string: 'text',
      a_number: 'numeric',
      a_bool: 'boolean',
      a_enumeration: 'text',
      a_date: 'date',
      a_datetime: 'timestamp',
      a_phone_number: 'text',
      a_json: 'json',
      a_object_coordinates: 'text',
      a_new: 'text',
    })
  })

  it('step aside for the envelope, and are asked for by their own names', async () => {
    nock(origin)
      .get('/crm/v3/properties/deals')
      .reply(200, { results: ['id', 'archived', 'property_id', 'amount'].map((name) => definition(name, 'string')) })
    const { http } = open('v3')
    const fields = (await streams.deals?.discover?.(http)) ?? {}
    expect(Object.keys(fields).sort()).toEqual(['amount', 'property_archived', 'property_id', 'property_property_id'])
    nock(origin)
      .get('/crm/v3/objects/deals')
      .query(({ properties }) => String(properties).split(',').sort().join() === 'amount,archived,id,property_id')
      .reply(200, page([contact('9', { id: 'own', archived: 'no', property_id: 'p', amount: '12.50' })]))
    expect((await recordsOf(http, streams.deals, { fields }))[0]).toMatchObject({
      id: '9',
      archived: false,
      property_id: 'own',
      property_archived: 'no',
      property_property_id: 'p',
      amount: '12.50',
    })
  })

  it('are not guessed when the answer holds no list', async () => {
    nock(origin).get('/crm/properties/2026-09/contacts').reply(200, {})
    await expect(streams.contacts?.discover?.(open().http)).rejects.toMatchObject({ reason: 'transient' })
  })
})

describe('the whole of an object', () => {
  it.each([
    ['2026-09', '/crm/objects/2026-09/contacts'],
    ['v3', '/crm/v3/objects/contacts'],
  ])('is listed by %s with every property by name, page after page', async (version, path) => {
    const query = { limit: '100', archived: 'false', properties: 'email,num_notes' }
    nock(origin, { reqheaders: { authorization: 'Bearer pat-na1-test' } })
      .get(path)
      .query(query)
      .reply(200, page([contact('151', { email: 'ana@example.test', num_notes: '', lastname: null })], '152'))
      .get(path)
      .query({ ...query, after: '152' })
      .reply(200, page([contact('30123456789', { email: '', num_notes: 'N/A' })]))
    const { http } = open(version)
    const pages = await pagesOf(http, streams.contacts, { slice: { to: slice.to }, fields: named('email', 'num_notes') })
    expect(pages.map(({ resume }) => resume)).toEqual([{ at: 0, next: '152' }, undefined])
    expect(pages.flatMap(({ records }) => records.map(streams.contacts!.record))).toEqual([
      expect.objectContaining({ id: '151', email: 'ana@example.test', num_notes: null, lastname: null, archived: false }),
      expect.objectContaining({ id: '30123456789', email: null, num_notes: 'N/A', updatedAt: '2026-11-20T07:30:01.002Z' }),
    ])
  })

  it('is read by ids and batches when its properties are too long for an address', async () => {
    const fields = many(800)
    let longest = 0
    nock(origin)
      .get((uri) => {
        longest = Math.max(longest, uri.length)
        return uri.startsWith('/crm/objects/2026-09/contacts?')
      })
      .reply(200, page([contact('9'), contact('151'), contact('7')]))
      .post('/crm/objects/2026-09/contacts/batch/read', ({ inputs, properties }: { inputs: unknown; properties: string[] }) => {
        expect(inputs).toEqual([{ id: '9' }, { id: '151' }, { id: '7' }])
        return properties.length === 800
      })
      .query(true)
      .reply(207, {
        status: 'COMPLETE',
        results: [contact('151', { p1: 'b' }), contact('9', { p1: 'a' })],
        numErrors: 1,
        errors: [
          { status: 'error', category: 'OBJECT_NOT_FOUND', message: 'Could not get some CONTACT objects.', context: { ids: ['7'] } },
        ],
      })
    const records = await recordsOf(open().http, streams.contacts, { fields })
    expect(longest).toBeLessThan(14_000)
    expect(records.map(({ id, p1 }) => [id, p1])).toEqual([
      ['151', 'b'],
      ['9', 'a'],
    ])
  })

  it('is not taken for read when a batch is refused for another reason', async () => {
    nock(origin)
      .get(/contacts\?/)
      .reply(200, page([contact('9')]))
      .post(/batch\/read/)
      .query(true)
      .reply(207, { status: 'COMPLETE', results: [], errors: [{ status: 'error', category: 'VALIDATION_ERROR', message: 'No.' }] })
    await expect(recordsOf(open().http, streams.contacts, { fields: many(800) })).rejects.toThrow('VALIDATION_ERROR')
  })

  it('is followed in each run by what was archived', async () => {
    const archived = { ...contact('152', { email: 'li@example.test' }), archived: true, archivedAt: '2026-11-21T10:00:00.000Z' }
    nock(origin)
      .get('/crm/objects/2026-09/contacts')
      .query({ limit: '100', archived: 'true', properties: 'email' })
      .reply(200, page([archived]))
    const { contacts } = streams
    expect(contacts?.deletedAt).toBe('archivedAt')
    expect(contacts?.passes.map(({ name, slicing }) => [name, slicing.by])).toEqual([
      ['main', 'time'],
      ['archived', 'all'],
    ])
    expect(await recordsOf(open().http, contacts, { pass: 'archived', fields: named('email') })).toEqual([
      expect.objectContaining({ id: '152', archived: true, archivedAt: '2026-11-21T10:00:00.000Z' }),
    ])
  })
})

describe('what changed in an object', () => {
  it('is searched in a window of time, behind the last id as a number, until no page is named', async () => {
    const asked: Search[] = []
    const answer = (results: unknown[], next?: string) =>
      nock(origin)
        .post('/crm/objects/2026-09/contacts/search', (body: Search) => asked.push(body) > 0)
        .reply(200, { total: 3, ...page(results, next) })
    answer([contact('9'), contact('151')], '200')
    answer([contact('30123456789')])
    const pages = await pagesOf(open().http, streams.contacts, { slice, fields: named('email') })
    expect(pages.map(({ records, resume }) => [idsOf(records), resume])).toEqual([
      [['9', '151'], { lastId: '151' }],
      [['30123456789'], undefined],
    ])
    expect(asked[0]).toMatchObject({
      filterGroups: [{ filters: [window] }],
      sorts: [{ propertyName: 'hs_object_id', direction: 'ASCENDING' }],
      properties: ['email'],
      limit: 200,
    })
    expect(asked[1]?.filterGroups).toEqual([{ filters: [window, { propertyName: 'hs_object_id', operator: 'GT', value: '151' }] }])
    expect(asked.map((body) => body.after)).toEqual([undefined, undefined])
  })

  it.each(['companies', 'deals', 'tickets'])('is searched by another property than for contacts: %s', async (object) => {
    nock(origin)
      .post(`/crm/v3/objects/${object}/search`, (body: Search) => body.filterGroups[0]?.filters[0]?.propertyName === 'hs_lastmodifieddate')
      .reply(200, { total: 0, results: [] })
    expect(await recordsOf(open('v3').http, streams[object], { slice })).toEqual([])
  })

  it('goes on behind the stored id', async () => {
    nock(origin)
      .post(/search$/, (body: Search) => lastIdOf(body) === 151n)
      .reply(200, page([contact('30123456789')]))
    const records = await recordsOf(open().http, streams.contacts, { slice, resume: { lastId: '151' } })
    expect(idsOf(records)).toEqual(['30123456789'])
  })

  it('is read to its end though 10,450 records share one instant', async () => {
    const all = Array.from({ length: 10_450 }, (_, i) => BigInt(i + 1) * 97n)
    let requests = 0
    nock(origin)
      .post(/search$/)
      .times(60)
      .reply(200, async (request: Request) => {
        requests++
        const body = (await request.json()) as Search
        expect(Number(body.after ?? 0) + body.limit).toBeLessThanOrEqual(10_000)
        const rest = all.filter((id) => id > lastIdOf(body))
        return {
          total: rest.length,
          ...page(
            rest.slice(0, 200).map((id) => contact(String(id))),
            rest.length > 200 ? '200' : undefined,
          ),
        }
      })
    const records = await recordsOf(open().http, streams.contacts, { slice })
    nock.cleanAll()
    expect(idsOf(records)).toEqual(all.map(String))
    expect(requests).toBe(Math.ceil(10_450 / 200))
  })

  it('does not end at an empty page that names a next one', async () => {
    nock(origin)
      .post(/search$/, ({ after }: Search) => after === undefined)
      .reply(200, { total: 1, ...page([], '200') })
      .post(/search$/, ({ after }: Search) => after === '200')
      .reply(200, { total: 1, ...page([contact('9')]) })
    expect(idsOf(await recordsOf(open().http, streams.contacts, { slice }))).toEqual(['9'])
  })

  it('is read again when ids do not rise', async () => {
    nock(origin)
      .post(/search$/)
      .reply(200, page([contact('151'), contact('9')], '200'))
    await expect(recordsOf(open().http, streams.contacts, { slice })).rejects.toMatchObject({ reason: 'transient' })
  })

  it('is searched for ids only when its properties would make the body too long, and read by batches of a hundred', async () => {
    const fields = many(150)
    const ids = Array.from({ length: 150 }, (_, i) => String(i + 1))
    const batches: number[] = []
    nock(origin)
      .post(/search$/, (body: Search) => {
        expect(JSON.stringify(body).length).toBeLessThanOrEqual(3_000)
        return body.properties.join() === 'hs_object_id'
      })
      .reply(200, page(ids.map((id) => contact(id))))
      .post(/batch\/read/)
      .query(true)
      .times(2)
      .reply(200, async (request: Request) => {
        const { inputs, properties } = (await request.json()) as { inputs: { id: string }[]; properties: string[] }
        batches.push(inputs.length)
        return { status: 'COMPLETE', results: inputs.map(({ id }) => contact(id, { p: String(properties.length) })) }
      })
    const records = await recordsOf(open().http, streams.contacts, { slice, fields })
    expect(batches.sort()).toEqual([100, 50])
    expect(records.map(({ p }) => p)).toEqual(ids.map(() => '150'))
  })

  it('asks for the next page while the current one is loaded, and no further', async () => {
    let requests = 0
    nock(origin)
      .post(/search$/)
      .times(3)
      .reply(200, () => page([contact(String(++requests))], requests < 3 ? '200' : undefined))
    const pages = read(open().http, streams.contacts, { slice })[Symbol.asyncIterator]()
    await pages.next()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(requests).toBeLessThanOrEqual(2)
    while (!(await pages.next()).done);
    expect(requests).toBe(3)
  })
})
