import { describe, expect, it } from 'vitest'
import { documentOf, readDocument, statesOf } from '../../../src/state/document.js'
import { type KnownStream, type KnownStreams, problemsOf, type Reading } from '../../../src/state/judge.js'

const now = new Date('2026-06-01T00:00:00Z')
const reads = (reading: Reading, ...passes: string[]) => ({ passes: new Map(['main', ...passes].map((pass) => [pass, reading])) })
const known: KnownStreams = new Map<string, KnownStream>([
  ['events', reads({ by: 'time' }, 'deleted')],
  ['lists', reads({ by: 'all' })],
  ['members', reads({ by: 'parent' })],
  ['orders', { ...reads({ by: 'time' }), start: new Date('2026-03-01T00:00:00Z') }],
])
const withAds: KnownStreams = new Map<string, KnownStream>([...known, ['ads', reads({ by: 'time', hasParents: true, wholeDays: true })]])

const day = (text: string) => `2026-${text}T00:00:00.000Z`
const open = (from: string | undefined, to: string, more: object = {}) => ({
  pass: 'main',
  ...(from ? { from: day(from) } : {}),
  to: day(to),
  state: 'open',
  ...more,
})
const good = {
  format: 'weir-state',
  version: 1,
  project: 'weir',
  sync: 'shop',
  exportedAt: day('05-01'),
  streams: {
    events: {
      watermarks: { main: day('04-01'), deleted: day('04-01') },
      slices: [
        open('04-01', '04-08', { position: { resume: { page: 7 }, reached: day('04-03') } }),
        { ...open('04-08', '04-15'), state: 'finished' },
      ],
    },
    members: { watermarks: {}, slices: [{ pass: 'main', parent: 'list 1', state: 'open' }] },
  },
}
const stream = (name: string, watermarks: unknown, slices: unknown = []) => ({ ...good, streams: { [name]: { watermarks, slices } } })
const slice = (one: unknown) => stream('events', { main: day('04-01') }, [one])
const without = (key: string) => Object.fromEntries(Object.entries(good).filter(([name]) => name !== key))

/** What is said of a file with this content. */
function said(content: unknown): string[] {
  const read = readDocument(typeof content === 'string' ? content : JSON.stringify(content))
  return 'problems' in read ? read.problems : problemsOf(statesOf(read.document), known, now)
}

describe('a state in a file', () => {
  it('comes back as it was', () => {
    const read = readDocument(JSON.stringify(good))
    if ('problems' in read) throw new Error(read.problems.join())
    const states = statesOf(read.document)
    expect(problemsOf(states, known, now)).toEqual([])
    const watermarks = states.flatMap(({ stream: name, watermarks }) => watermarks.map((mark) => ({ stream: name, ...mark })))
    const checkpoints = states.flatMap(({ stream: name, slices }) =>
      slices.map(({ slice, state, position }) => ({ stream: name, bounds: slice, state, position })),
    )
    expect(documentOf({ watermarks, checkpoints }, { project: 'weir', sync: 'shop', now: new Date(day('05-01')) })).toEqual(good)
  })

  it('may be written with another offset and without fractions; it is stored in UTC', () => {
    const read = readDocument(JSON.stringify(stream('events', { main: '2026-04-01T02:00:00+02:00' })))
    if ('problems' in read) throw new Error(read.problems.join())
    expect(statesOf(read.document)).toEqual([{ stream: 'events', watermarks: [{ pass: 'main', watermark: day('04-01') }], slices: [] }])
  })

  it('takes one stream of several', () => {
    const read = readDocument(JSON.stringify(good))
    if ('problems' in read) throw new Error(read.problems.join())
    expect(statesOf(read.document, 'members').map((one) => one.stream)).toEqual(['members'])
  })

  it('may leave out what lies before the start of the stream', () => {
    expect(said(stream('orders', { main: day('01-01') }, [open('03-01', '04-01')]))).toEqual([])
    expect(said(stream('orders', { main: day('01-01') }, [open('03-02', '04-01')]))).toHaveLength(1)
  })

  it.each<[string, unknown, string]>([
    ['nothing', '  \n', 'the file is empty'],
    ['no JSON', '{"format": ', 'the file is not JSON'],
    ['a list', '[]', 'the file is not a state: "format" must be "weir-state", as weir state export writes it'],
    ['null', 'null', 'the file is not a state: "format" must be "weir-state", as weir state export writes it'],
    [
      'another format',
      { ...good, format: 'airbyte' },
      'the file is not a state: "format" must be "weir-state", as weir state export writes it',
    ],
    [
      'a newer version',
      { ...good, version: 2, more: true },
      'the file has version 2 of the format, this Weir reads version 1: upgrade Weir',
    ],
    ['a version in words', { ...good, version: 'one' }, 'version: expected 1, found "one"'],
    ['no version', without('version'), 'version: is missing'],
    ['no sync', without('sync'), 'sync: is missing'],
    ['an empty sync', { ...good, sync: '' }, 'sync: expected text, found ""'],
    ['no streams', without('streams'), 'streams: is missing'],
    ['streams as a list', { ...good, streams: [] }, 'streams: expected an object of streams, found []'],
    ['an unknown key', { ...good, secret: 1 }, 'unknown key "secret"'],
    [
      'a stream that is text',
      { ...good, streams: { events: 'all' } },
      'streams.events: expected an object with "watermarks" and "slices", found "all"',
    ],
    ['a stream without slices', { ...good, streams: { events: { watermarks: {} } } }, 'streams.events.slices: is missing'],
    [
      'a key too many in a stream',
      { ...good, streams: { events: { watermarks: {}, slices: [], mode: 'merge' } } },
      'streams.events: unknown key "mode"',
    ],
    [
      'a bad instant',
      stream('events', { main: 'yesterday' }),
      'streams.events.watermarks.main: expected an instant such as 2026-06-01T00:00:00Z, found "yesterday"',
    ],
    [
      'an instant without zone',
      stream('events', { main: '2026-04-01T00:00:00' }),
      'streams.events.watermarks.main: expected an instant such as 2026-06-01T00:00:00Z, found "2026-04-01T00:00:00"',
    ],
    [
      'a day that is none',
      stream('events', { main: '2026-02-30T00:00:00Z' }),
      'streams.events.watermarks.main: expected an instant such as 2026-06-01T00:00:00Z, found "2026-02-30T00:00:00Z"',
    ],
    [
      'a watermark of null',
      stream('events', { main: null }),
      'streams.events.watermarks.main: expected an instant such as 2026-06-01T00:00:00Z, found null',
    ],
    [
      'a watermark ahead',
      stream('events', { main: day('06-02') }),
      `streams.events.watermarks.main: ${day('06-02')} lies in the future: what changes until then would never be read`,
    ],
    ['an unknown stream', stream('event', {}), 'streams.event: the sync reads no such stream; it reads events, lists, members, orders'],
    [
      'an unknown pass',
      stream('events', { deletions: day('04-01') }),
      'streams.events.watermarks.deletions: the stream has no such pass; it has main, deleted',
    ],
    [
      'a watermark of a pass without',
      stream('lists', { main: day('04-01') }),
      'streams.lists.watermarks.main: this pass is read whole in every run and has no watermark',
    ],
    [
      'a slice of an unknown pass',
      slice({ ...open('04-01', '04-02'), pass: 'x' }),
      'streams.events.slices[0]: pass "x": the stream has no such pass; it has main, deleted',
    ],
    ['a slice without a state', slice({ pass: 'main', to: day('04-02') }), 'streams.events.slices[0].state: is missing'],
    [
      'an unknown state',
      slice({ ...open('04-01', '04-02'), state: 'done' }),
      'streams.events.slices[0].state: expected "open", "finished", "dead_letter" or "refused", found "done"',
    ],
    [
      'a position that is text',
      slice(open('04-01', '04-02', { position: 'p7' })),
      'streams.events.slices[0].position: expected an object with "resume", "reached" or both, found "p7"',
    ],
    [
      'an unknown key in a position',
      slice(open('04-01', '04-02', { position: { page: 7 } })),
      'streams.events.slices[0].position: unknown key "page"',
    ],
    [
      'a slice that ends before it begins',
      slice(open('04-02', '04-01')),
      `streams.events.slices[0]: "from" (${day('04-02')}) must lie before "to" (${day('04-01')})`,
    ],
    [
      'a slice without an end',
      slice({ pass: 'main', from: day('04-01'), state: 'open' }),
      'streams.events.slices[0]: a slice of pass main has "to", and "from" unless it begins with the first record',
    ],
    [
      'a slice that ends ahead',
      slice(open('04-01', '07-01')),
      `streams.events.slices[0]: "to" (${day('07-01')}) lies in the future: the next run would begin there`,
    ],
    [
      'bounds where there are none',
      stream('lists', {}, [open('04-01', '04-02')]),
      'streams.lists.slices[0]: a slice of pass main has no bounds',
    ],
    [
      'a parent slice without parent',
      stream('members', {}, [{ pass: 'main', state: 'open' }]),
      'streams.members.slices[0]: a slice of pass main has "parent" alone',
    ],
    [
      'a slice twice',
      stream('members', {}, [
        { pass: 'main', parent: 'a', state: 'open' },
        { pass: 'main', parent: 'a', state: 'open' },
      ]),
      'streams.members.slices[1]: this slice stands there twice',
    ],
    [
      'a hole behind the watermark',
      stream('events', { main: day('04-01') }, [open('04-05', '04-08')]),
      `streams.events: nothing in pass main would read ${day('04-01')} to ${day('04-05')}. Begin the slice earlier, or leave out the slices behind the hole: the next run plans them`,
    ],
    [
      'a hole between slices',
      stream('events', { main: day('04-01') }, [open('04-09', '04-12'), open('04-01', '04-08')]),
      `streams.events: nothing in pass main would read ${day('04-08')} to ${day('04-09')}. Begin the slice earlier, or leave out the slices behind the hole: the next run plans them`,
    ],
  ])('is refused with %s', (_, content, message) => {
    expect(said(content)).toEqual([message])
  })

  it('says all that is wrong at once', () => {
    expect(said({ ...stream('events', { main: 'x', deleted: 'y' }), sync: 1 })).toHaveLength(3)
  })
})

describe('a state whose parents each have a watermark', () => {
  const ads = (marks: object, slices: object[] = []) => ({ ...good, streams: { ads: { watermarks: {}, ...marks, slices } } })
  const judged = (document: object) => {
    const read = readDocument(JSON.stringify(document))
    return 'problems' in read ? read.problems : problemsOf(statesOf(read.document), withAds, now)
  }

  it('comes back from its file as it was', () => {
    const marks = [
      { stream: 'ads', pass: 'main', parent: '1', watermark: day('05-01') },
      { stream: 'ads', pass: 'main', parent: '2', watermark: day('06-02') },
    ]
    const document = documentOf({ watermarks: marks, checkpoints: [] }, { project: 'weir', sync: 'shop', now })
    expect(document.streams.ads).toEqual({ watermarks: {}, parents: { main: { 1: day('05-01'), 2: day('06-02') } }, slices: [] })
    const read = readDocument(JSON.stringify(document))
    expect('document' in read && statesOf(read.document)[0]?.watermarks).toEqual(marks.map(({ stream: _, ...mark }) => mark))
    expect(judged(document)).toEqual([])
  })

  it('is refused where a parent is missing, or one too many, or its slices leave a hole', () => {
    expect(judged(ads({ watermarks: { main: day('05-01') } }))).toEqual([
      'streams.ads.watermarks.main: each parent of this pass has a watermark of its own: name it below "parents"',
    ])
    expect(judged(ads({ parents: { main: { 1: day('06-03') } } }))).toEqual([
      expect.stringContaining('main.1: 2026-06-03T00:00:00.000Z lies in the future'),
    ])
    expect(judged(ads({ parents: { main: { 1: 'soon' } } }))).toEqual([
      expect.stringContaining('streams.ads.parents.main.1: expected an instant'),
    ])
    expect(judged(ads({}, [open('05-01', '05-08')]))).toEqual([expect.stringContaining('"parent", "to"')])
    const slices = [
      open('05-01', '05-08', { parent: '1' }),
      open('05-10', '05-12', { parent: '1' }),
      open('05-10', '05-12', { parent: '2' }),
    ]
    expect(judged(ads({}, slices))).toEqual([expect.stringContaining('nothing in pass main 1 would read')])
    const events = { ...good, streams: { events: { watermarks: {}, parents: { main: { 1: day('05-01') } }, slices: [] } } }
    expect(judged(events)).toEqual(['streams.events.parents.main.1: this pass has one watermark for all'])
  })
})
