/** Cuts the first reading of a stream into pieces of time that can be read side by side. */
import type { Http, Slicing } from '../core/types.js'

type Earliest = NonNullable<Extract<Slicing, { by: 'time' }>['earliest']>

/** Questions asked at once: the range is cut into eighths until its end is known. */
const probes = 7
const rounds = 6
/** The end is known well enough when it is known to a hundredth of the whole. */
const grain = 100
/** More pieces than are read at once, so that an uneven spread over time leaves no lane idle for long. */
const piecesPerLane = 2

/**
 * Instants (ISO, whole seconds, ascending) at which to cut between the first and the last record before `to`; none where there is
 * too little to cut. Only the vendor's order is relied upon: no vendor says how its records are spread, so those that changed
 * in one year are not read as one piece of ten.
 */
export async function cuts(earliest: Earliest, http: Http, range: { from?: Date | undefined; to: Date }, lanes: number): Promise<string[]> {
  const ask = async (from?: Date) => {
    const instant = await earliest(http, from?.toISOString())
    return instant === undefined ? undefined : new Date(instant).getTime()
  }
  const first = await ask(range.from)
  if (first === undefined || first >= range.to.getTime()) return []
  let last = first
  let end = range.to.getTime()
  for (let round = 0; round < rounds && end - last > (end - first) / grain; round++) {
    const span = end - last
    const at = Array.from({ length: probes }, (_, i) => last + (span * (i + 1)) / (probes + 1))
    const found = await Promise.all(at.map((instant) => ask(new Date(instant))))
    const beyond = found.findIndex((instant) => instant === undefined || instant >= end)
    if (beyond >= 0) end = at[beyond]!
    last = Math.max(last, ...found.filter((instant) => instant !== undefined && instant < end).map(Number))
  }
  const pieces = lanes * piecesPerLane
  const seconds = Array.from({ length: pieces - 1 }, (_, i) => Math.floor((first + ((end - first) * (i + 1)) / pieces) / 1_000))
  return [...new Set(seconds)].filter((second) => second * 1_000 > first).map((second) => new Date(second * 1_000).toISOString())
}
