/** One entry a sync mode: how it is configured, and which rows must stand after a load, as a function of what the vendor holds. */
import { hashOf, iso, mustBeDeadLetter, type Row, rowOf, type StreamName, type Truth } from './truth.js'

/** Name of the sync, and so of its schema. */
export const sync = 'chaos'

/**
 * The first load meets records that change while it runs: a run reads up to its own start, so it leaves them out or gives them as they were;
 * only where a fault ended the run, the next one may give them as they are. The second load starts after all changes.
 */
export type Load = 'first' | 'second'

/** What may stand of one record: each of these rows at most once, so many in all, and some of them surely. */
export interface Expected {
  must: string[]
  may: string[]
  least: number
  most: number
  /** Given, these rows and no others, in one of these ways; the rest says nothing then. */
  oneOf?: string[][]
}

export interface Mode {
  name: string
  stream: StreamName
  /** The stream's settings, as YAML. */
  config: string
  /** Of Weir's own columns, those that are part of what a row says. */
  ownColumns: readonly string[]
  /** Does the second load read everything again? Else only what changed. */
  readsAll: boolean
  /** What a reader may see change at once: the whole table, each slice, or single batches. */
  appears: 'whole' | 'by slice' | 'by batch'
  expected: (truth: Truth, i: number, load: Load) => Expected
  /** The rows of record i, with what only the run can know named instead of told: an instant at which it looked. */
  named?: (truth: Truth, i: number, rows: readonly Row[]) => Row[]
}

export const tableOf = ({ stream }: Mode) => `"${sync}"."${stream}"`

const nothing: Expected = { must: [], may: [], least: 0, most: 0 }
const exactly = (...must: string[]): Expected => ({ must, may: [], least: must.length, most: must.length })
const oneOf = (...ways: string[][]): Expected => ({ ...nothing, oneOf: ways })
const atMost = (...may: string[]): Expected => ({ must: [], may, least: 0, most: 1 })

/** The row of a version as it stands, with what the mode adds to it. */
const standing = (truth: Truth, i: number, version: number, own: Row = {}) => hashOf({ ...rowOf(truth, i, version), ...own })

/** The newest version of each record, once; a change that did not move the cursor may not have been seen before all is read again. */
const newest = (truth: Truth, i: number, load: Load): Expected => {
  if (mustBeDeadLetter(i)) return nothing
  const versions = truth.versionsOf(i)
  const now = standing(truth, i, versions.length - 1)
  if (versions.length === 1 || load === 'second') return exactly(now)
  if (truth.isQuiet(i)) return oneOf([standing(truth, i, 0)], [now])
  return atMost(standing(truth, i, 0), now)
}

function everyVersion(truth: Truth, i: number, load: Load): Expected {
  if (mustBeDeadLetter(i)) return nothing
  const versions = truth.versionsOf(i)
  if (versions.length === 1) return exactly(standing(truth, i, 0))
  const [before, after] = [standing(truth, i, 0), standing(truth, i, 1)]
  if (truth.isQuiet(i)) return oneOf([before], [after], [before, after])
  if (load === 'first') return { must: [], may: [before, after], least: 0, most: 2 }
  return { must: [after], may: [before], least: 1, most: 2 }
}

const seen = 'when it was seen'

/** A change that did not move the cursor is valid from when it was seen, and what it replaced until then. */
function namedSeen(truth: Truth, i: number, rows: readonly Row[]): Row[] {
  const current = rows.find((row) => row._weir_is_current === true)?._weir_valid_from
  const isSeen = truth.isQuiet(i) && typeof current === 'string' && Date.parse(current) > truth.versionsOf(i)[0]! * 1000
  if (!isSeen) return [...rows]
  const name = (instant: unknown) => (instant === current ? seen : instant)
  return rows.map((row) => ({ ...row, _weir_valid_from: name(row._weir_valid_from), _weir_valid_to: name(row._weir_valid_to) }))
}

function versionsInTime(truth: Truth, i: number, load: Load): Expected {
  if (mustBeDeadLetter(i)) return nothing
  const [first, changed] = truth.versionsOf(i) as [number, number?]
  const valid = (version: number, from: number | typeof seen, to: number | typeof seen | undefined) =>
    standing(truth, i, version, {
      _weir_valid_from: from === seen ? seen : iso(from),
      _weir_valid_to: to === undefined ? null : to === seen ? seen : iso(to),
      _weir_is_current: to === undefined,
    })
  if (truth.isQuiet(i))
    return oneOf([valid(0, first, undefined)], [valid(1, first, undefined)], [valid(0, first, seen), valid(1, seen, undefined)])
  if (changed === undefined) return exactly(valid(0, first, undefined))
  const [current, ended] = [valid(1, changed, undefined), valid(0, first, changed)]
  if (load === 'first') return { must: [], may: [valid(0, first, undefined), current, ended], least: 0, most: 2 }
  return { must: [current], may: [ended], least: 1, most: 2 }
}

/** Events are restated where they stand, and vanish: the second load reads all slices again. */
function asRead(truth: Truth, i: number, load: Load): Expected {
  if (mustBeDeadLetter(i)) return nothing
  const before = standing(truth, i, 0)
  if (truth.hasVanished(i)) return load === 'first' ? atMost(before) : nothing
  if (truth.versionsOf(i).length === 1) return exactly(before)
  const after = standing(truth, i, 1)
  return load === 'second' ? exactly(after) : { must: [], may: [before, after], least: 1, most: 1 }
}

const profiles = { stream: 'profiles', ownColumns: [] } as const

export const modes: readonly Mode[] = [
  // The first load is copied straight into its table; the second one looks back so far that it merges all rows once more.
  { ...profiles, name: 'merge', config: '{ mode: merge, lookback: 2000d }', readsAll: true, appears: 'by batch', expected: newest },
  { ...profiles, name: 'append', config: '{ mode: append }', readsAll: false, appears: 'by batch', expected: everyVersion },
  { ...profiles, name: 'replace', config: '{ mode: replace }', readsAll: true, appears: 'whole', expected: newest },
  {
    ...profiles,
    name: 'history',
    config: '{ mode: history }',
    ownColumns: ['_weir_valid_from', '_weir_valid_to', '_weir_is_current'],
    readsAll: false,
    appears: 'by batch',
    expected: versionsInTime,
    named: namedSeen,
  },
  {
    name: 'replace_slice',
    stream: 'events',
    config: '{ mode: replace_slice, lookback: 60d, slice: 7d }',
    ownColumns: [],
    readsAll: true,
    appears: 'by slice',
    expected: asRead,
  },
]
