import type { Acceptance } from '../core/activities.js'
import type { Definition, StreamSettings } from '../core/definition.js'
import { asFailure, Failure } from '../core/failure.js'
import { cut, dayMs, dayOf, endOfDay, type Line, lineName, sliceKey } from '../core/slices.js'
import type { Fields, Http, Slice, Slicing, Stream } from '../core/types.js'
import type { Progress, SliceOwner, StreamRef, Warehouse, Watermark } from '../warehouse/driver.js'
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
  return { ...(await slicesToDo(warehouse, ref)), parallel: lanesOf(definition, stream) }
}

/** The slices that are to be read next, and whether there are more. */
export async function slicesToDo(
  warehouse: Warehouse,
  ref: SliceOwner & { run: string },
): Promise<{ slices: { key: string; label: string }[]; more: boolean }> {
  const open = await warehouse.planning.open(ref, handful + 1)
  return { slices: open.slice(0, handful).map(({ key, slice }) => ({ key, label: labelOf(slice) })), more: open.length > handful }
}

/** Fields that the vendor names no more, and those that it names again, are noted before the catalog takes its new form. */
export async function catalogue(
  { warehouse, definition, stream, run }: Pick<PlanInput, 'warehouse' | 'definition' | 'stream' | 'run'>,
  found: Fields,
): Promise<void> {
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
  return [pass === 'main' ? undefined : pass, parent, parent !== undefined && to === undefined ? undefined : range]
    .filter(Boolean)
    .join(' ')
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
  // What was refused is read again from the watermark on, in slices of today: those of each day would pile up while a parent is closed.
  const refused = new Set(progress.left.filter(({ state }) => state === 'refused').map(({ slice }) => lineName(slice)))
  const known = isSnapshot
    ? { watermarks: [], left: [] }
    : { ...progress, left: progress.left.filter(({ slice, state }) => state !== 'halved' && !refused.has(lineName(slice))) }
  const stays = new Set(isSnapshot ? [] : known.left.filter(({ slice }) => slice.to !== undefined))
  for (const pass of stream.passes) {
    const { slicing } = pass
    if (pass.seesDeletions && settings.deletions === 'off') continue
    if (slicing.by === 'all') slices.push({ pass: pass.name })
    else if (slicing.by === 'parent') for await (const parent of slicing.parents(input.http)) slices.push({ pass: pass.name, parent })
    else {
      const lines = await linesOf(pass.name, slicing, input.http)
      for (const line of lines) {
        const planned = await timeSlices(line, slicing, settings, known, input)
        slices.push(...planned.slices)
        if (planned.watermark) watermarks.push({ ...line, watermark: planned.watermark })
      }
      // A parent that is listed no more is not asked for. Its watermark stays: if it comes back, it is read from there.
      const listed = new Set(lines.map(lineName))
      for (const left of stays) if (left.slice.pass === pass.name && !listed.has(lineName(left.slice))) stays.delete(left)
    }
  }
  // A slice that is replaced gathers anew in every run, from its own start.
  const again = modeOf(definition, stream) === 'replace_slice' ? [...stays].filter(({ state }) => state === 'open') : []
  for (const left of again) stays.delete(left)
  const forget = progress.left.filter((left) => !stays.has(left)).map(({ key }) => key)
  return { slices: [...again.map(({ slice }) => slice), ...slices], forget, watermarks, reset: full }
}

export type ByTime = Extract<Slicing, { by: 'time' }>

/** What of a pass has a watermark: its parents, or the pass alone. */
export async function linesOf(pass: string, { parents }: ByTime, http: Http): Promise<Line[]> {
  if (!parents) return [{ pass }]
  const lines: Line[] = []
  for await (const parent of parents(http)) lines.push({ pass, parent })
  return lines
}

/** New slices of a line by time, after what is known of it. A first run that skips moves the watermark instead. */
async function timeSlices(
  line: Line,
  slicing: ByTime,
  settings: StreamSettings,
  progress: Progress,
  { http, now, definition, stream }: PlanInput,
): Promise<{ slices: Slice[]; watermark?: string }> {
  const { lookbackMs, lagMs, first, wholeDays } = slicing
  const earliest =
    slicing.earliest && ((asked: Http, from?: string) => slicing.earliest!(asked, from, line.parent).catch(unlessClosed(line)))
  const days = settings.sliceDays ?? slicing.days
  const behind = now.getTime() - lagMs
  // Whole seconds: some vendors store no finer ones, and two slices must meet at an instant that both sides know.
  const to = wholeDays ? endOfDay(behind) : new Date(Math.floor(behind / 1_000) * 1_000)
  const own = ({ pass, parent }: Line) => pass === line.pass && parent === line.parent
  const watermark = progress.watermarks.find(own)?.watermark
  const ends = progress.left.filter(({ slice }) => own(slice) && slice.to !== undefined).map(({ slice }) => slice.to!)
  const known = [watermark, ...ends].filter((instant) => instant !== undefined).map((instant) => new Date(instant).getTime())
  const written = startOf(settings.start, now)
  const start = written && wholeDays ? dayOf(written) : written
  if (known.length === 0) {
    if (first === 'skip') return { slices: [], watermark: to.toISOString() }
    const lanes = lanesOf(definition, stream)
    if (days === undefined && earliest && lanes > 1 && !wholeDays)
      return { slices: between(line, start, to, await cuts(earliest, http, { from: start, to }, lanes)) }
    const from = start ?? ((days !== undefined || wholeDays) && earliest ? await oldest(earliest, http) : undefined)
    // Reports need a first day. Where the vendor has none yet, today is one.
    if (from === undefined && wholeDays) return { slices: ranges(line, firstDay(to, earliest !== undefined, stream), to, days) }
    if (from === undefined) return { slices: [{ ...line, to: to.toISOString() }] }
    return { slices: ranges(line, from, to, days) }
  }
  const back = settings.lookbackMs ?? lookbackMs
  // The last day was not over when it was read; nor was the one before it, in a zone behind UTC.
  const reach = Math.max(...known) - (wholeDays ? dayMs + Math.max(back, dayMs) : back)
  const from = Math.max(wholeDays ? dayOf(reach).getTime() : reach, start?.getTime() ?? Number.NEGATIVE_INFINITY)
  const taken = new Set(progress.left.map(({ key }) => key))
  return { slices: ranges(line, new Date(from), to, days).filter((slice) => !taken.has(sliceKey(slice))) }
}

/** A parent that is closed to us fails by the slice that is planned of it, not the plan of all others. */
const unlessClosed = (line: Line) => (error: unknown) => {
  if (line.parent === undefined || asFailure(error).reason !== 'permission') throw error
  return undefined
}

/** The only day of a line of which the vendor knows no record. @throws Failure `config` where nobody can say which day is the first */
function firstDay(to: Date, isAsked: boolean, { name }: Stream): Date {
  if (isAsked) return new Date(to.getTime() - dayMs)
  throw new Failure('config', `Stream ${name} is read by days and nobody says from which one: set its start, such as start: -90d.`, {
    stream: name,
  })
}

export function ranges(line: Line, from: Date, to: Date, days: number | undefined): Slice[] {
  if (from.getTime() >= to.getTime()) return []
  if (days === undefined) return [{ ...line, from: from.toISOString(), to: to.toISOString() }]
  return cut(from, to, days).map((range) => ({ ...line, ...range }))
}

/** Neighbouring slices with the given ends; the first one takes what lies before all of them, too. */
function between(line: Line, from: Date | undefined, to: Date, instants: readonly string[]): Slice[] {
  const ends = [...instants, to.toISOString()]
  return ends.map((end, i) => {
    const start = i === 0 ? from?.toISOString() : ends[i - 1]
    return { ...line, ...(start === undefined ? {} : { from: start }), to: end }
  })
}

/** The day of the oldest record, so that slices fall on days; undefined where the vendor has none. */
async function oldest(earliest: (http: Http) => Promise<string | undefined>, http: Http): Promise<Date | undefined> {
  const instant = await earliest(http)
  return instant === undefined ? undefined : dayOf(new Date(instant))
}

/** `start` as written: an ISO date or instant, or so many days before now (`-90d`). */
export function startOf(start: string | undefined, now: Date): Date | undefined {
  if (start === undefined) return undefined
  const back = /^-(\d+)d$/.exec(start)
  return back ? dayOf(now.getTime() - Number(back[1]) * dayMs) : new Date(start)
}
