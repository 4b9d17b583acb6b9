import type { Acceptance } from '../core/activities.js'
import type { Definition, StreamSettings } from '../core/definition.js'
import { cut, sliceKey } from '../core/slices.js'
import type { Fields, Http, Pass, Slice, Stream } from '../core/types.js'
import type { Progress, StreamRef, Warehouse, Watermark } from '../warehouse/driver.js'
import { settleMode } from './mode-switch.js'
import { cuts } from './pieces.js'
import { lanesOf, modeOf, tableSpec } from './table-spec.js'

export interface PlanInput {
  warehouse: Warehouse
  http: Http
  definition: Definition
  stream: Stream
  run: string
  full: boolean
  /** What a person has agreed to for this run. */
  accept?: readonly Acceptance[] | undefined
  now: Date
}

/** How many slices a workflow is handed at a time: histories hold names and stay small. */
const handful = 100

/**
 * Writes down what this run reads of a stream, once, and names the slices that are still to do. Slices that an earlier run
 * left unfinished come first and go on from their checkpoints; what is new goes from the end of what is known to now.
 */
export async function planSlices(input: PlanInput): Promise<{ slices: { key: string; label: string }[]; more: boolean; parallel: number }> {
  const { warehouse, definition, stream, run } = input
  const ref = { sync: definition.sync, stream: stream.name, run }
  if (!(await warehouse.planning.isPlanned(ref))) {
    await settleMode(input)
    if (stream.discover) await catalogue(input, await stream.discover(input.http))
    await warehouse.planning.record(ref, await plan(input, ref))
  }
  const open = await warehouse.planning.open(ref, handful + 1)
  const parallel = lanesOf(definition, stream)
  const slices = open.slice(0, handful).map(({ key, slice }) => ({ key, label: labelOf(slice) }))
  return { slices, more: open.length > handful, parallel }
}

/** Fields that the vendor names no more, and those that it names again, are noted before the catalog takes its new form. */
async function catalogue({ warehouse, definition, stream, run }: PlanInput, found: Fields): Promise<void> {
  const ref = { sync: definition.sync, stream: stream.name, run }
  const before = await warehouse.catalogs.get(ref)
  const gone = Object.keys(before).filter((field) => found[field] === undefined)
  await warehouse.catalogs.put(ref, found)
  if (gone.length > 0) await warehouse.changes.note(ref, tableSpec(definition, stream, found), 'field_gone', gone)
}

/** A slice in a person's words. */
export function labelOf({ pass, from, to, parent }: Slice): string {
  const day = (instant: string | undefined) => instant?.replace(/T00:00:00\.000Z$/, '').replace(/:\d\d\.\d{3}Z$/, 'Z')
  const range = to === undefined ? 'everything' : from === undefined ? `everything until ${day(to)}` : `${day(from)} to ${day(to)}`
  return [pass === 'main' ? undefined : pass, parent, parent === undefined ? range : undefined].filter(Boolean).join(' ')
}

async function plan(
  input: PlanInput,
  ref: StreamRef,
): Promise<{ slices: Slice[]; forget: string[]; watermarks: Watermark[]; reset: boolean }> {
  const { definition, stream, full } = input
  const settings = definition.streams[stream.name] ?? {}
  // A snapshot is of one moment: it starts over in every run. So does what has no range.
  const isSnapshot = modeOf(definition, stream) === 'replace'
  const progress: Progress = full ? { watermarks: [], left: [] } : await input.warehouse.planning.progress(ref)
  const slices: Slice[] = []
  const watermarks: Watermark[] = []
  for (const pass of stream.passes) {
    if (pass.seesDeletions && settings.deletions === 'off') continue
    if (pass.slicing.by === 'all') slices.push({ pass: pass.name })
    else if (pass.slicing.by === 'parent')
      for await (const parent of pass.slicing.parents(input.http)) slices.push({ pass: pass.name, parent })
    else {
      const planned = await timeSlices(pass, settings, isSnapshot ? { watermarks: [], left: [] } : progress, input)
      slices.push(...planned.slices)
      if (planned.watermark) watermarks.push({ pass: pass.name, watermark: planned.watermark })
    }
  }
  const keeps = ({ slice }: { slice: Slice }) => !isSnapshot && slice.to !== undefined
  // A slice that is replaced gathers anew in every run, from its own start.
  const again = modeOf(definition, stream) === 'replace_slice' ? progress.left.filter((left) => keeps(left) && !left.isFinished) : []
  const forget = progress.left.filter((left) => !keeps(left) || again.includes(left)).map(({ key }) => key)
  return { slices: [...again.map(({ slice }) => slice), ...slices], forget, watermarks, reset: full }
}

/** New slices of a pass by time, after what is known of it. A first run that skips moves the watermark instead. */
async function timeSlices(
  pass: Pass,
  settings: StreamSettings,
  progress: Progress,
  { http, now, definition, stream }: PlanInput,
): Promise<{ slices: Slice[]; watermark?: string }> {
  if (pass.slicing.by !== 'time') return { slices: [] }
  const { lookbackMs, lagMs, first, earliest } = pass.slicing
  const days = settings.sliceDays ?? pass.slicing.days
  // Whole seconds: some vendors store no finer ones, and two slices must meet at an instant that both sides know.
  const to = new Date(Math.floor((now.getTime() - lagMs) / 1_000) * 1_000)
  const watermark = progress.watermarks.find((mark) => mark.pass === pass.name)?.watermark
  const ends = progress.left.filter(({ slice }) => slice.pass === pass.name && slice.to !== undefined).map(({ slice }) => slice.to!)
  const known = [watermark, ...ends].filter((instant) => instant !== undefined).map((instant) => new Date(instant).getTime())
  const start = startOf(settings.start, now)
  if (known.length === 0) {
    if (first === 'skip') return { slices: [], watermark: to.toISOString() }
    const lanes = lanesOf(definition, stream)
    if (days === undefined && earliest && lanes > 1)
      return { slices: between(pass, start, to, await cuts(earliest, http, { from: start, to }, lanes)) }
    const from = start ?? (days === undefined || !earliest ? undefined : await oldest(earliest, http))
    if (from === undefined) return { slices: [{ pass: pass.name, to: to.toISOString() }] }
    return { slices: ranges(pass, from, to, days) }
  }
  const reach = Math.max(...known)
  const from = new Date(Math.max(reach - (settings.lookbackMs ?? lookbackMs), start?.getTime() ?? Number.NEGATIVE_INFINITY))
  const taken = new Set(progress.left.map(({ key }) => key))
  return { slices: ranges(pass, from, to, days).filter((slice) => !taken.has(sliceKey(slice))) }
}

const dayMs = 86_400_000

function ranges(pass: Pass, from: Date, to: Date, days: number | undefined): Slice[] {
  if (from.getTime() >= to.getTime()) return []
  if (days === undefined) return [{ pass: pass.name, from: from.toISOString(), to: to.toISOString() }]
  return cut(from, to, days).map((range) => ({ pass: pass.name, ...range }))
}

/** Neighbouring slices with the given ends; the first one takes what lies before all of them, too. */
function between(pass: Pass, from: Date | undefined, to: Date, instants: readonly string[]): Slice[] {
  const ends = [...instants, to.toISOString()]
  return ends.map((end, i) => {
    const start = i === 0 ? from?.toISOString() : ends[i - 1]
    return { pass: pass.name, ...(start === undefined ? {} : { from: start }), to: end }
  })
}

/** The day of the oldest record, so that slices fall on days; undefined where the vendor has none. */
async function oldest(earliest: (http: Http) => Promise<string | undefined>, http: Http): Promise<Date | undefined> {
  const instant = await earliest(http)
  return instant === undefined ? undefined : new Date(Math.floor(new Date(instant).getTime() / dayMs) * dayMs)
}

/** `start` as written: an ISO date or instant, or so many days before now (`-90d`). */
export function startOf(start: string | undefined, now: Date): Date | undefined {
  if (start === undefined) return undefined
  const back = /^-(\d+)d$/.exec(start)
  return back ? new Date(Math.floor((now.getTime() - Number(back[1]) * dayMs) / dayMs) * dayMs) : new Date(start)
}
