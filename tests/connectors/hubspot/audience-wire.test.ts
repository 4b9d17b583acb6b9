import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/hubspot/source.js'
import type { Outgoing, Target } from '../../../src/core/audience.js'
import type { Rec } from '../../../src/core/types.js'
import { connect, onlyWhatIsWritten } from '../vendor.js'

// Bodies as in HubSpot's reference of 2026-09 and its guides on objects and lists, read 2026-11-23; what the sandbox does not answer.
const origin = 'https://api.hubapi.com'
const { object, list } = { object: connector.destinations!.object!.destination, list: connector.destinations!.list!.destination }
const http = () => connect(connector, { access_token: 'pat-na1-test' }).http
const target: Target = { id: '8', name: 'VIP', with: { object: 'contacts', match: 'email', options: {} } }
const member = (ref: string, email: string): Outgoing => ({ ref, identifiers: { email }, fields: { firstname: null, opted_in: true } })
const upsert = '/crm/objects/2026-09/contacts/batch/upsert'
const written = (id: string, more: Rec) => ({ id, createdAt: 'x', updatedAt: 'x', archived: false, new: false, ...more })

onlyWhatIsWritten()

describe('an upsert', () => {
  it('sends every mapped property as text, an empty one to clear, and a trace id with each', async () => {
    nock(origin)
      .post(upsert, {
        inputs: [
          {
            id: 'ana@example.test',
            idProperty: 'email',
            properties: { firstname: '', opted_in: 'true', email: 'ana@example.test' },
            objectWriteTraceId: '1',
          },
        ],
      })
      .reply(200, { status: 'COMPLETE', results: [written('151', { properties: { email: 'ana@example.test' }, objectWriteTraceId: '1' })] })
    expect(await object.add(http(), target, [member('1', 'ana@example.test')])).toEqual({ outcomes: [{ ref: '1', vendorId: '151' }] })
  })

  it('is understood without trace ids, by values; an error that names nobody is that of those who are not named', async () => {
    nock(origin)
      .post(upsert)
      .reply(207, {
        status: 'COMPLETE',
        results: [written('151', { properties: { email: 'Ana@Example.test' } })],
        numErrors: 2,
        errors: [
          { category: 'VALIDATION_ERROR', message: 'Email bo@example.test is odd', context: { ids: ['bo@example.test'] } },
          { category: 'OBJECT_LIMIT', message: 'No more contacts.' },
        ],
      })
    const { outcomes } = await object.add(http(), target, [
      member('1', 'ana@example.test'),
      member('2', 'bo@example.test'),
      member('3', 'cy@example.test'),
    ])
    expect(outcomes).toEqual([
      { ref: '1', vendorId: '151' },
      { ref: '2', refused: { reason: 'record', message: 'VALIDATION_ERROR: Email …@… is odd.' } },
      { ref: '3', refused: { reason: 'record', message: 'OBJECT_LIMIT: No more contacts.' } },
    ])
  })
})

describe('a list', () => {
  it('takes ids whose empty answers leave keys out', async () => {
    nock(origin)
      .post(upsert)
      .reply(200, { results: [written('151', { objectWriteTraceId: '1' })] })
      .put('/crm/lists/2026-09/8/memberships/add', ['151'] as never)
      .reply(200, {})
    expect((await list.add(http(), target, [member('1', 'ana@example.test')])).outcomes).toEqual([{ ref: '1', vendorId: '151' }])
  })

  it('loses a contact that was merged under the id it lives on by; one that is gone is no failure', async () => {
    const missing = { category: 'OBJECT_NOT_FOUND', message: 'Could not get some CONTACT objects', context: { ids: ['152'] } }
    nock(origin)
      .put('/crm/lists/2026-09/8/memberships/remove', ['151', '152'] as never)
      .reply(200, { recordIdsRemoved: [], recordIdsMissing: ['151', '152'] })
      .post('/crm/objects/2026-09/contacts/batch/read', (body: Rec) => body.idProperty === undefined)
      .query({ archived: 'false' })
      .reply(207, { results: [{ id: '9001', properties: {} }], numErrors: 1, errors: [missing] })
      .put('/crm/lists/2026-09/8/memberships/remove', ['9001'] as never)
      .reply(200, { recordIdsRemoved: ['9001'] })
    const leaving = ['151', '152'].map((vendorId, at) => ({ ref: String(at), identifiers: {}, fields: {}, vendorId }))
    expect(await list.remove!(http(), target, leaving)).toEqual({ outcomes: [] })
  })

  it('that a lost attempt made is found, not made twice', async () => {
    const name = '/crm/lists/2026-09/object-type-id/0-1/name/VIP%20%26%20co'
    const found = { list: { listId: '8', name: 'VIP & co', objectTypeId: '0-1', processingType: 'MANUAL' } }
    nock(origin)
      .get('/crm/properties/2026-09/contacts')
      .reply(200, { results: [{ name: 'email', type: 'string' }] })
      .get(name)
      .reply(404, { status: 'error', category: 'OBJECT_NOT_FOUND' })
      .post('/crm/lists/2026-09', { name: 'VIP & co', objectTypeId: '0-1', processingType: 'MANUAL' })
      .reply(409, { status: 'error', category: 'CONFLICT', message: 'A list of that name exists.' })
      .get(name)
      .reply(200, found)
    const wanted = { target: 'VIP & co', create: true, mode: 'mirror', map: {}, settings: {} } as const
    expect(await list.open(http(), wanted)).toMatchObject({ id: '8', name: 'VIP & co', with: { match: 'email' } })
  })
})
