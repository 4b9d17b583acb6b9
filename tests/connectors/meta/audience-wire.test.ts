import nock from 'nock'
import { describe, expect, it } from 'vitest'
import { connector } from '../../../connectors/meta/source.js'
import type { Outgoing, Wanted } from '../../../src/core/audience.js'
import { connect, onlyWhatIsWritten } from '../vendor.js'

const graph = 'https://graph.facebook.com'
const { destination } = connector.destinations!.custom_audience!
const there = { id: '238', name: 'VIP', with: { account: '1' } }
const people = (count: number): Outgoing[] =>
  Array.from({ length: count }, (_, at) => ({ ref: `${at}`, identifiers: { email: `hash${at}` }, fields: {} }))
const answer = (received: number, invalid = 0, samples: unknown = []) => ({
  audience_id: '238',
  session_id: '9778993',
  num_received: received,
  num_invalid_entries: invalid,
  invalid_entry_samples: samples,
})
const settings = { access_token: 'EAAB', ad_accounts: ['act_1'] }
const wanted = (more: Partial<Wanted> = {}): Wanted => ({ target: 'VIP', create: false, mode: 'mirror', map: {}, settings: {}, ...more })

interface Sent {
  session: { session_id: number; batch_seq: number; last_batch_flag: boolean }
  payload: { schema: string[]; data: string[][] }
}

onlyWhatIsWritten()

describe('what Meta answers of a batch', () => {
  it('each batch is a session of its own; cells that are unknown are empty, and keys that nobody has are not named', async () => {
    const { http } = connect(connector, settings)
    const sent: Sent[] = []
    nock(graph)
      .post('/v26.0/238/users', (body) => sent.push(body) > 0)
      .times(2)
      .reply(200, () => answer(2))
    const members: Outgoing[] = [
      { ref: '1', identifiers: { email: 'e1', external_id: 'u1' }, fields: {} },
      { ref: '2', identifiers: { email: 'e2', country: 'c' }, fields: {} },
    ]
    expect(await destination.add(http, there, members)).toEqual({ outcomes: [] })
    await destination.add(http, there, members)
    expect(sent[0]).toMatchObject({
      session: { batch_seq: 1, last_batch_flag: true },
      payload: {
        schema: ['EXTERN_ID', 'EMAIL', 'COUNTRY'],
        data: [
          ['u1', 'e1', ''],
          ['', 'e2', 'c'],
        ],
      },
    })
    const ids = sent.map(({ session }) => session.session_id)
    expect(new Set(ids).size).toBe(2)
    for (const id of ids) expect(Number.isSafeInteger(id) && id > 0).toBe(true)
  })

  it('a value that was refused names its member, and is not told', async () => {
    const { http } = connect(connector, settings)
    nock(graph)
      .delete('/v26.0/238/users')
      .reply(200, answer(3, 1, { hash1: 'hash1 is no SHA-256' }))
    expect(await destination.remove!(http, there, people(3))).toEqual({
      outcomes: [{ ref: '1', refused: { reason: 'record', message: 'Meta refused its EMAIL: … is no SHA-256' } }],
    })
  })

  it('where more are refused than named, the others are asked for again; where none is named, counts are all there is', async () => {
    const { http } = connect(connector, settings)
    const sizes: number[] = []
    const users = () => nock(graph).post('/v26.0/238/users', ({ payload }: Sent) => sizes.push(payload.data.length) > 0)
    users().reply(200, answer(5, 3, { hash0: 'bad', hash1: 'bad' }))
    users().reply(200, answer(3, 1, { hash2: 'bad' }))
    const { outcomes } = await destination.add(http, there, people(5))
    expect(outcomes.map(({ ref }) => ref)).toEqual(['0', '1', '2'])
    users().reply(200, answer(5, 3, {}))
    expect(await destination.add(http, there, people(5))).toEqual({ outcomes: [] })
    expect(sizes).toEqual([5, 3, 5])
  })

  it('an answer that was lost: the session is over, and the batch goes in another', async () => {
    const { http } = connect(connector, settings)
    const ids: number[] = []
    const users = () => nock(graph).post('/v26.0/238/users', ({ session }: Sent) => ids.push(session.session_id) > 0)
    users().replyWithError(Object.assign(new Error('cut'), { code: 'ECONNRESET' }))
    users().reply(400, { error: { message: '(#2650) Session finished', type: 'OAuthException', code: 2650, error_subcode: 1870159 } })
    users().reply(200, answer(2))
    expect(await destination.add(http, there, people(2))).toEqual({ outcomes: [] })
    expect(ids[1]).toBe(ids[0])
    expect(ids[2]).not.toBe(ids[0])
  })

  it('entries that were not received are no success', async () => {
    const { http } = connect(connector, settings)
    nock(graph).post('/v26.0/238/users').reply(200, answer(1))
    await expect(destination.add(http, there, people(2))).rejects.toMatchObject({
      reason: 'permanent',
      message: expect.stringMatching(/received 1 of 2/),
    })
  })

  it.each([
    [200, 1870090, 'permission', /Accept the Custom Audience Terms/],
    [100, 1713230, 'config', /flagged/],
    [2650, 1870145, 'transient', /2650/],
    [2650, 1870144, 'config', /name another/],
  ])('%d/%d is %s', async (code, error_subcode, reason, message) => {
    const { http } = connect(connector, settings)
    nock(graph)
      .post('/v26.0/238/users')
      .times(reason === 'transient' ? 3 : 1)
      .reply(400, { error: { message: 'no', type: 'OAuthException', code, error_subcode } })
    await expect(destination.add(http, there, people(2))).rejects.toMatchObject({ reason, message: expect.stringMatching(message) })
  })
})

describe('the audience that is meant', () => {
  const list = (data: unknown[], query: Record<string, string> = {}) =>
    nock(graph)
      .get('/v26.0/act_1/customaudiences')
      .query({ fields: 'name,subtype,operation_status', limit: '100', ...query })
      .reply(200, { data, paging: { cursors: { after: 'b' }, ...(query.after === undefined ? { next: 'https://x' } : {}) } })
  const vip = { id: '238', name: 'VIP', subtype: 'CUSTOM', operation_status: { code: 200 } }

  it('is found by its exact name or its id, on whichever page', async () => {
    for (const target of ['VIP', '238']) {
      list([{ id: '1', name: 'VIP 2', subtype: 'CUSTOM' }])
      list([vip], { after: 'b' })
      expect(await destination.open(connect(connector, settings).http, wanted({ target }))).toEqual(there)
    }
  })

  it.each([
    [[vip, { ...vip, id: '239' }], /2 custom audiences "VIP" in ad account act_1: name .* by its id/],
    [[{ ...vip, subtype: 'LOOKALIKE' }], /subtype LOOKALIKE/],
    [[{ ...vip, operation_status: { code: 471 } }], /flagged/],
    [[], /no custom audience "VIP" in ad account act_1: create it there/],
  ])('one that cannot be meant is told, and nothing is made', async (data, message) => {
    list(data, {})
    list([], { after: 'b' })
    const { http } = connect(connector, settings)
    await expect(destination.open(http, wanted())).rejects.toMatchObject({ reason: 'config', message: expect.stringMatching(message) })
  })

  it('is one, however often a page gives it: a walk whose cursor has expired starts over', async () => {
    list([vip])
    nock(graph)
      .get('/v26.0/act_1/customaudiences')
      .query(({ after }) => after === 'b')
      .reply(400, { error: { message: 'Invalid cursors values', type: 'OAuthException', code: 100, error_subcode: 99 } })
    list([vip])
    list([], { after: 'b' })
    expect(await destination.open(connect(connector, settings).http, wanted())).toEqual(there)
  })

  it('of several ad accounts one must be chosen', async () => {
    const { http } = connect(connector, { ...settings, ad_accounts: ['act_2', 'act_1'] })
    await expect(destination.open(http, wanted())).rejects.toMatchObject({
      reason: 'config',
      message: expect.stringMatching(/2 ad accounts/),
    })
    list([vip])
    list([], { after: 'b' })
    expect(await destination.open(http, wanted({ settings: { ad_account: 'act_1' } }))).toEqual(there)
  })
})
