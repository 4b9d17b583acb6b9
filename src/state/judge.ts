/** Is a state fit to stand? What the form of a file cannot say: names, instants that lie ahead, ranges that nobody would read. */
import { sliceKey } from '../core/slices.js'
import type { Slice, Slicing } from '../core/types.js'
import type { StreamState } from '../warehouse/driver.js'

/** The streams that a sync reads, and how. */
export type KnownStreams = ReadonlyMap<string, KnownStream>
export interface KnownStream {
  passes: ReadonlyMap<string, Slicing['by']>
  /** Nothing older is read. */
  start?: Date | undefined
}

/** Clocks of two machines differ; a watermark that lies ahead by less is no mistake of a person. */
const skewMs = 60_000

/** What is wrong, each with its place; empty when all is well. */
export function problemsOf(states: readonly StreamState[], known: KnownStreams, now: Date): string[] {
  return states.flatMap((state) => {
    const stream = known.get(state.stream)
    const at = `streams.${state.stream}`
    if (!stream) return [`${at}: the sync reads no such stream; it reads ${[...known.keys()].join(', ')}`]
    const problems: string[] = []
    for (const { pass, watermark } of state.watermarks) {
      const place = `${at}.watermarks.${pass}`
      const by = stream.passes.get(pass)
      if (!by) problems.push(`${place}: ${noPass(stream)}`)
      else if (by !== 'time') problems.push(`${place}: this pass is read whole in every run and has no watermark`)
      else if (isAhead(watermark, now))
        problems.push(`${place}: ${watermark} lies in the future: what changes until then would never be read`)
    }
    const keys = new Set<string>()
    state.slices.forEach(({ slice }, i) => {
      const problem = sliceProblem(slice, stream, now) ?? (keys.has(sliceKey(slice)) ? 'this slice stands there twice' : undefined)
      keys.add(sliceKey(slice))
      if (problem) problems.push(`${at}.slices[${i}]: ${problem}`)
    })
    return problems.length > 0 ? problems : [...stream.passes.keys()].flatMap((pass) => gapProblem(state, pass, stream.start))
  })
}

const noPass = ({ passes }: KnownStream) => `the stream has no such pass; it has ${[...passes.keys()].join(', ')}`
const isAhead = (instant: string, now: Date) => Date.parse(instant) > now.getTime() + skewMs

function sliceProblem({ pass, from, to, parent }: Slice, stream: KnownStream, now: Date): string | undefined {
  const by = stream.passes.get(pass)
  if (!by) return `pass "${pass}": ${noPass(stream)}`
  if (by === 'parent') return parent === undefined || (from ?? to) !== undefined ? `a slice of pass ${pass} has "parent" alone` : undefined
  if (by === 'all') return (from ?? to ?? parent) !== undefined ? `a slice of pass ${pass} has no bounds` : undefined
  if (to === undefined || parent !== undefined) return `a slice of pass ${pass} has "to", and "from" unless it begins with the first record`
  if (from !== undefined && from >= to) return `"from" (${from}) must lie before "to" (${to})`
  return isAhead(to, now) ? `"to" (${to}) lies in the future: the next run would begin there` : undefined
}

/** The next run begins where the last slice ends, so a hole between the watermark and the slices would never be read. */
function gapProblem({ stream, watermarks, slices }: StreamState, pass: string, start?: Date): string[] {
  let reach = watermarks.find((mark) => mark.pass === pass)?.watermark
  const ranges = slices.map(({ slice }) => slice).filter((slice) => slice.pass === pass && slice.to !== undefined)
  for (const { from = '', to } of ranges.sort((a, b) => (a.from ?? '').localeCompare(b.from ?? ''))) {
    if (reach !== undefined && from > reach && !(start && Date.parse(from) <= start.getTime()))
      return [
        `streams.${stream}: nothing in pass ${pass} would read ${reach} to ${from}. Begin the slice earlier, or leave out the slices behind the hole: the next run plans them`,
      ]
    if (reach === undefined || to! > reach) reach = to
  }
  return []
}
