import { describe, expect, it } from 'vitest'
import type { Change } from '../../../cli/deploy/change.js'
import { diff } from '../../../cli/deploy/diff.js'
import type { SyncWorld, Wanted, World } from '../../../cli/deploy/world.js'
import { definitionHash } from '../../../src/config/hash.js'
import type { ColumnActions, Definition, Schedule } from '../../../src/core/definition.js'
import type { SyncMode } from '../../../src/core/types.js'
import { fakeDefinition } from '../../support/fake-source.js'

const now = new Date('2026-11-27T12:40:00Z')
const day = 86_400_000
const shop = (overrides: Partial<Definition> = {}) =>
  fakeDefinition({ sync: 'shop', schema: 'shop', streams: { events: { mode: 'merge' }, profiles: { mode: 'merge' } }, ...overrides })

interface Deployed {
  before?: Definition
  schedule?: Schedule
  after?: string[]
  own?: Partial<SyncWorld>
  modes?: Record<string, SyncMode>
}

const needs = [
  {
    stream: 'events',
    last: { requests: 10, ms: 5_000 },
    most: { requests: 1_200, ms: 600_000 },
    ranges: { days: 4, requests: 40, runs: 4 },
  },
]

/** What a plan says when `before` is deployed and `is` is wanted. */
function changes(is: Definition, deployed: Deployed = {}, wanted: { schedule?: Schedule; after?: string[] } = {}): Change[] {
  const { before = shop(), schedule, after = [], own = {}, modes = {} } = deployed
  const asked: Wanted = {
    project: 'test',
    audiences: {},
    syncs: { shop: { definition: is, hash: definitionHash(is), after: [], ...wanted } },
  }
  const deployment = {
    sync: 'shop',
    definition: definitionHash(before),
    after,
    appliedAt: '',
    appliedBy: 'ana',
    ...(schedule ? { schedule } : {}),
  }
  const world: World = {
    warehouse: 'here',
    audiences: {},
    modes: { shop: modes },
    syncs: { shop: { deployment, definition: before, known: new Set(['events']), needs, ...own } },
  }
  return diff(asked, world, { prune: false, now }).changes
}
const texts = (found: Change[]) => found.map(({ what }) => what)
const follows = (found: Change[]) => found.flatMap(({ consequences }) => consequences).join(' ')

describe('what a plan says', () => {
  it('nothing where nothing differs, whatever the order of keys', () => {
    expect(changes(shop({ streams: { profiles: { mode: 'merge' }, events: { mode: 'merge' } } }))).toEqual([])
  })

  it('of a stream that is read no more: its table stands still', () => {
    const found = changes(shop({ streams: { events: { mode: 'merge' } } }))
    expect(found).toMatchObject([{ action: 'delete', object: 'stream', stream: 'profiles' }])
    expect(follows(found)).toBe('The table shop.profiles is updated no more; its rows and its state stay.')
  })

  it('of a new stream: what its first run reads, and what that will need as far as runs have shown', () => {
    const before = shop({ streams: { events: { mode: 'merge' } } })
    const found = changes(shop({ streams: { events: { mode: 'merge' }, profiles: { mode: 'merge', start: '-90d' } } }), { before })
    expect(follows(found)).toBe('Its first run reads everything from 90 days back on: how much that is will be known after its first run.')
    const again = changes(shop(), { before: shop({ streams: { profiles: { mode: 'merge' } } }) })
    expect(follows(again)).toBe(
      'It goes on where earlier runs have left it: about 10 requests, 5.0 s at the pace of its runs the last time.',
    )
  })

  it('of a longer look-back: how many days, requests and how long each run reads more', () => {
    const found = changes(shop({ streams: { events: { mode: 'merge', lookbackMs: 30 * day }, profiles: { mode: 'merge' } } }), {
      before: shop({ streams: { events: { mode: 'merge', lookbackMs: 10 * day }, profiles: { mode: 'merge' } } }),
    })
    expect(texts(found)).toEqual(['lookback 10d → 30d'])
    expect(follows(found)).toContain('about 200 requests, 100 s at the pace of its runs more')
  })

  it('reckons by the budget where that is slower than the runs were', () => {
    const budget = { requests: { count: 1, perMs: 10_000 } }
    const connection = { name: 'fake', type: 'fake', settings: {}, budget }
    const found = changes(shop({ connection, streams: { events: { mode: 'merge', raw: 'keep' }, profiles: { mode: 'merge' } } }))
    expect(texts(found)).toEqual(["the connector's budget → 1/10s", 'raw not set → keep'])
    expect(follows(found)).toContain('weir sync shop --stream events --full (about 1,200 requests, 3 h at its budget)')
  })

  it('of columns: the fields that differ, and that rows stand as they are until they are read again', () => {
    const of = (columns: ColumnActions) => shop({ streams: { events: { mode: 'merge', columns }, profiles: { mode: 'merge' } } })
    const found = changes(of({ email: 'mask', title: 'drop', phone: 'drop' }), {
      before: of({ phone: 'drop', email: 'hash', name: 'drop' }),
    })
    expect(texts(found)).toEqual(['columns email hash → mask, name drop → as it is, title as it is → drop'])
    const everywhere = (columns: ColumnActions) => ({ ...of(columns), columns })
    expect(texts(changes(everywhere({ email: 'mask' }), { before: everywhere({}) }))).toEqual(['columns email as it is → mask'])
    expect(texts(changes({ ...of({}), columns: { email: 'mask' } }, { before: everywhere({}) }))).toEqual([
      'columns of what is only looked at email as it is → mask',
    ])
    const stay =
      'keep what they hold until they are read again (versions of append and history for good): weir sync shop --stream events --full'
    expect(follows(found)).toContain(`Rows that were loaded ${stay}`)
    // A table of runs by hand, before the first apply.
    const before = shop({ streams: { profiles: { mode: 'merge' } } })
    expect(follows(changes(of({ email: 'hash' }), { before }))).toContain(`Rows from before its policy of columns ${stay}`)
  })

  it('of another schema: that new tables begin empty', () => {
    const found = changes(shop({ schema: 'other' }))
    expect(texts(found)).toEqual(['schema shop → other'])
    expect(follows(found)).toContain('begin with what changes from now on; to fill them: weir sync shop --full')
  })

  it('of a connection: which keys changed, never their values', () => {
    const found = changes(shop({ connection: { name: 'fake', type: 'fake', settings: { api_key: 'pk_canary' } } }))
    expect(texts(found)).toEqual(['settings of the connection (api_key)'])
    expect(JSON.stringify(found)).not.toContain('canary')
  })

  it('of a mode: what it does to the rows that stand, and that it must be allowed; without a table it is a setting', () => {
    const is = shop({ streams: { events: { mode: 'replace' }, profiles: { mode: 'merge' } } })
    const [found, ...others] = changes(is, { modes: { events: 'append' } })
    expect(others).toEqual([])
    expect(found).toMatchObject({ what: 'mode append → replace', needs: 'mode' })
    expect(found!.consequences).toEqual([
      'All versions but the newest of each row are deleted; at the end of each run rows that the vendor no longer has are deleted.',
      'Every run reads everything: about 1,200 requests, 10 min at the pace of its runs.',
      'A run of the stream starts at once to do it.',
    ])
    const [plain] = changes(is)
    expect(plain).toMatchObject({ what: 'mode merge → replace' })
    expect(plain!.needs).toBeUndefined()
  })

  it('of when it runs: the next times, by the clock or after others', () => {
    const every = changes(shop(), {}, { schedule: { everyMs: 900_000 } })
    expect(every).toMatchObject([{ action: 'change', object: 'schedule', what: 'runs by hand → runs every 15m' }])
    expect(follows(every)).toBe('next: 2026-11-27 12:45, 13:00, 13:15 UTC')
    const cron = { cron: '30 6 * * *', timezone: 'Europe/Berlin', jitterMs: 60_000 }
    expect(follows(changes(shop(), {}, { schedule: cron }))).toBe('next: 2026-11-28 05:30, 2026-11-29 05:30, 2026-11-30 05:30 UTC')
    const after = changes(shop(), { schedule: { everyMs: 900_000 } }, { after: ['crm', 'ads'] })
    expect(texts(after)).toEqual(['runs every 15m → runs after sync/crm and sync/ads'])
    expect(follows(after)).toBe('Its schedule is removed.')
  })

  it('of a schedule that an apply did not finish, and of one that nobody asked for', () => {
    const schedule = { everyMs: 900_000 }
    const found = { isPaused: false, note: '', mark: 'as it is' }
    expect(changes(shop(), { schedule, own: { schedule: found } }, { schedule })).toMatchObject([{ action: 'mend' }])
    expect(changes(shop(), { own: { schedule: found } })).toMatchObject([{ action: 'delete', object: 'schedule' }])
  })

  it('something, when the compiled form differs in a way that it has no words for', () => {
    const is = { ...shop(), newInALaterVersion: true } as Definition
    expect(texts(changes(is))).toEqual(['compiled in another way than before'])
  })
})
