import type { AlertTarget } from '../../src/core/alerts.js'
import type { Definition } from '../../src/core/definition.js'
import type { Clock } from '../../src/core/ports.js'
import { nothingUsed } from '../../src/core/receipt.js'
import type { Fields, Http, Page, ReadContext, Rec, Slicing, Stream, SyncMode } from '../../src/core/types.js'
import { noMeter } from '../../src/observe/metrics.js'
import { noTrace } from '../../src/observe/trace.js'

/** A client for streams that need none: no vendor is behind it. */
export const noHttp = (): Http => ({
  request: () => Promise.reject(new Error('no vendor here')),
  // biome-ignore lint/correctness/useYield: it has nothing to give
  async *stream() {
    throw new Error('no vendor here')
  },
  settings: {},
  used: nothingUsed(),
})

/** What activities are given beside what a test is about. */
export const idleDeps = {
  meter: noMeter,
  trace: noTrace,
  startSync: async () => {},
  startPush: async () => ({ isStarted: true }),
  consenting: () => Promise.reject(new Error('nobody asks here')),
  resolveTarget: (target: AlertTarget): AlertTarget => target,
  linkOf: () => undefined,
  reach: () => Promise.reject(new Error('no destinations here')),
  mark: () => (text: string) => text,
}

export const fixedClock = (now = '2026-06-01T00:00:00.000Z'): Clock => ({ now: () => new Date(now), sleep: () => Promise.resolve() })

export interface FakeStream {
  name?: string
  mode?: SyncMode
  fields?: Fields
  deletedAt?: string
  slicing?: Slicing
  parallel?: number
  /** What the vendor holds, in pages. */
  pages: () => readonly (readonly Rec[])[]
  /** Field that names a record's parent, where slices have one. */
  parentField?: string
  /** Called before a page is given; may throw. */
  before?: (page: number, context: ReadContext) => Promise<void> | void
}

/** A stream over pages in memory, resumable at every page. Records outside the slice's range are left out. */
export function fakeStream({
  name = 'people',
  mode = 'merge',
  fields,
  deletedAt,
  slicing,
  parallel = 1,
  pages,
  parentField,
  before,
}: FakeStream): Stream {
  async function* read(context: ReadContext): AsyncIterable<Page> {
    const all = pages()
    const { from, to, parent } = context.slice
    const isOwn = (record: Rec) => parentField === undefined || parent === undefined || record[parentField] === parent
    // Days are compared with days.
    const inRange = ({ updated }: Rec) =>
      typeof updated !== 'string' ||
      !/^\d/.test(updated) ||
      ((from === undefined || updated >= from.slice(0, updated.length)) && (to === undefined || updated < to.slice(0, updated.length)))
    for (let at = Number(context.resume?.at ?? 0); at < Math.max(1, all.length); at++) {
      await before?.(at, context)
      yield {
        records: (all[at] ?? []).filter((record) => isOwn(record) && inRange(record)),
        ...(at + 1 < all.length ? { resume: { at: at + 1 } } : {}),
      }
    }
  }
  return {
    name,
    key: ['id'],
    fields: fields ?? { id: { type: 'text' }, name: { type: 'text' }, updated: { type: 'timestamp' } },
    mode,
    modes: ['merge', 'append', 'replace', 'replace_slice', 'history'],
    bounds: { range: 'updated', ...(parentField === undefined ? {} : { parent: parentField }) },
    isDefault: true,
    cursor: { field: 'updated', ordered: true },
    ...(deletedAt ? { deletedAt } : {}),
    passes: [{ name: 'main', slicing: slicing ?? { by: 'time', lookbackMs: 0, lagMs: 0, first: 'whole' }, read }],
    parallel,
    record: (raw) => raw,
    description: 'people in memory',
  }
}

export const fakeDefinition = (overrides: Partial<Definition> = {}): Definition => ({
  version: 1,
  project: 'test',
  sync: 'fake',
  schema: 'fake',
  connection: { name: 'fake', type: 'fake', settings: {} },
  streams: {},
  deadLetters: { maxRows: 1000, maxPercent: 100 },
  concurrency: 4,
  timezone: 'UTC',
  ...overrides,
})
