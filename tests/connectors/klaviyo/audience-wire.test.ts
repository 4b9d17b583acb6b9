import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/klaviyo/source.js'
import type { Outgoing } from '../../../src/core/audience.js'
import { connect, onlyWhatIsWritten } from '../vendor.js'

const origin = 'https://a.klaviyo.com'
const { destination } = connector.destinations!.list!
const there = { id: 'Xy1234', name: 'VIP' }
const people = (count: number): Outgoing[] =>
  Array.from({ length: count }, (_, at) => ({ ref: `${at}`, identifiers: { email: `p${at}@example.test` }, fields: {} }))

/** A refusal that points at rows, as Klaviyo's OpenAPI of revision 2026-07-15 describes errors. */
const pointing = (...rows: number[]) => ({
  errors: rows.map((row) => ({
    id: '5f0c9b7e-0000-4000-8000-000000000001',
    status: 400,
    code: 'invalid',
    title: 'Invalid input.',
    detail: 'Invalid email address',
    source: { pointer: `/data/attributes/profiles/data/${row}/attributes/email` },
  })),
})
const imports = () => nock(origin).post('/api/profile-bulk-import-jobs')

onlyWhatIsWritten()

describe('what Klaviyo answers of an import', () => {
  it('rows that a refusal points at are left out, and the others go', async () => {
    const { http } = connect(connector, { api_key: 'pk_1' })
    imports().reply(400, pointing(1, 7))
    imports().reply(202, { data: { type: 'profile-bulk-import-job', id: 'job' } })
    expect(await destination.add(http, there, people(3))).toMatchObject({
      outcomes: [{ ref: '1', refused: { reason: 'record', message: 'Invalid email address (email)' } }],
      job: { id: 'job' },
    })
  })

  it('a refusal that points at none that was sent is one of the whole: the same is not sent again', async () => {
    const { http } = connect(connector, { api_key: 'pk_1' })
    imports().reply(400, pointing(3, 7))
    await expect(destination.add(http, there, people(3))).rejects.toMatchObject({
      reason: 'permanent',
      message: expect.stringContaining('named nothing'),
    })
  })
})
