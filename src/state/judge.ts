/** Is a state fit to stand? What the form of a file cannot say: names, instants that lie ahead, ranges that nobody would read. */
import { dayMs, lineName, sliceKey } from '../core/slices.js'
import type { Slice, Slicing } from '../core/types.js'
import type { StreamState } from '../warehouse/driver.js'

/** The streams that a sync reads, and how. */
export type KnownStreams = ReadonlyMap<string, KnownStream>
export interface KnownStream {
  passes: ReadonlyMap<string, Reading>
  /** Nothing older is read. */
  start?: Date | undefined
}

/** How the slices of a pass are cut. */
export interface Reading {
  by: Slicing['by']
  /** Has each parent ranges of its own? */
  hasParents?: boolean
  /** Ranges end after the day that is not over yet. */
  wholeDays?: boolean
}

export const readingOf = (slicing: Slicing): Reading =>
  slicing.by === 'time'
    ? { by: 'time', hasParents: slicing.parents !== undefined, wholeDays: slicing.wholeDays === true }
    : { by: slicing.by }

/** Clocks of two machines differ; a watermark that lies ahead by less is no mistake of a person. */
const skewMs = 60_000

/** What is wrong, each with its place; empty when all is well. */
export function problemsOf(states: readonly StreamState[], known: KnownStreams, now: Date): string[] {
  return states.flatMap((state) => {
    const stream = known.get(state.stream)
    const at = `streams.${state.stream}`
    if (!stream) return [`${at}: the sync reads no such stream; it reads ${[...known.keys()].join(', ')}`]
    const problems: string[] = []
    for (const { pass, parent, watermark } of state.watermarks) {
      const place = parent === undefined ? `${at}.watermarks.${pass}` : `${at}.parents.${pass}.${parent}`
      const reading = stream.passes.get(pass)
      if (!reading) problems.push(`${place}: ${noPass(stream)}`)
      else if (reading.by !== 'time') problems.push(`${place}: this pass is read whole in every run and has no watermark`)
      else if ((parent !== undefined) !== (reading.hasParents === true)) problems.push(`${place}: ${whoseMark(reading)}`)
      else if (isAhead(watermark, now, reading))
        problems.push(`${place}: ${watermark} lies in the future: what changes until then would never be read`)
    }
    const keys = new Set<string>()
    state.slices.forEach(({ slice }, i) => {
      const problem = sliceProblem(slice, stream, now) ?? (keys.has(sliceKey(slice)) ? 'this slice stands there twice' : undefined)
      keys.add(sliceKey(slice))
      if (problem) problems.push(`${at}.slices[${i}]: ${problem}`)
    })
    return problems.length > 0 ? problems : gapProblems(state, stream.start)
  })
}

const noPass = ({ passes }: KnownStream) => `the stream has no such pass; it has ${[...passes.keys()].join(', ')}`
const whoseMark = ({ hasParents }: Reading) =>
  hasParents ? 'each parent of this pass has a watermark of its own: name it below "parents"' : 'this pass has one watermark for all'
const isAhead = (instant: string, now: Date, { wholeDays }: Reading) => Date.parse(instant) > now.getTime() + (wholeDays ? dayMs : skewMs)

function sliceProblem({ pass, from, to, parent }: Slice, stream: KnownStream, now: Date): string | undefined {
  const reading = stream.passes.get(pass)
  if (!reading) return `pass "${pass}": ${noPass(stream)}`
  const { by, hasParents = false } = reading
  if (by === 'parent') return parent === undefined || (from ?? to) !== undefined ? `a slice of pass ${pass} has "parent" alone` : undefined
  if (by === 'all') return (from ?? to ?? parent) !== undefined ? `a slice of pass ${pass} has no bounds` : undefined
  if (to === undefined || (parent !== undefined) !== hasParents)
    return `a slice of pass ${pass} has ${hasParents ? '"parent", ' : ''}"to", and "from" unless it begins with the first record`
  if (from !== undefined && from >= to) return `"from" (${from}) must lie before "to" (${to})`
  return isAhead(to, now, reading) ? `"to" (${to}) lies in the future: the next run would begin there` : undefined
}

/** The next run begins where the last slice ends, so a hole between the watermark and the slices would never be read. */
function gapProblems({ stream, watermarks, slices }: StreamState, start?: Date): string[] {
  const reach = new Map(watermarks.map((mark) => [lineName(mark), mark.watermark]))
  const ranges = slices.map(({ slice }) => slice).filter((slice) => slice.to !== undefined)
  const problems = new Map<string, string>()
  for (const slice of ranges.sort((a, b) => (a.from ?? '').localeCompare(b.from ?? ''))) {
    const { from = '', to } = slice
    const line = lineName(slice)
    const end = reach.get(line)
    if (end !== undefined && from > end && !problems.has(line) && !(start && Date.parse(from) <= start.getTime()))
      problems.set(
        line,
        `streams.${stream}: nothing in pass ${line} would read ${end} to ${from}. Begin the slice earlier, or leave out the slices behind the hole: the next run plans them`,
      )
    if (end === undefined || to! > end) reach.set(line, to!)
  }
  return [...problems.values()]
}
