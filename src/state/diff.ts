/** Two states side by side, and what going back to one would read again. */
import { type Line, lineName } from '../core/slices.js'
import type { Slice } from '../core/types.js'
import type { CheckpointRow, StateEntry, StreamRef, StreamState, Watermark } from '../warehouse/driver.js'

/** A pass of a stream, or a parent in it, at one moment. */
export interface PassState extends Line {
  stream: string
  watermark?: string
  open: number
}

/** A pass at two moments; a side that knows nothing of it has no watermark and no slices. */
export interface PassDiff extends Line {
  stream: string
  before: { watermark?: string; open: number }
  after: { watermark?: string; open: number }
}

/** Every pass of either side, in order. Without a change both sides say the same. */
export function diffStates(before: readonly PassState[], after: readonly PassState[]): PassDiff[] {
  const side = (of: readonly PassState[], which: PassState) => {
    const { watermark, open } = of.find((one) => nameOf(one) === nameOf(which)) ?? { open: 0 }
    return { ...(watermark === undefined ? {} : { watermark }), open }
  }
  const passes = new Map([...before, ...after].map((one) => [nameOf(one), one]))
  return [...passes.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, one]) => ({ stream: one.stream, ...lineOf(one), before: side(before, one), after: side(after, one) }))
}

const nameOf = (one: Line & { stream: string }) => `${one.stream}/${lineName(one)}`
const lineOf = ({ pass, parent }: Line): Line => ({ pass, ...(parent === undefined ? {} : { parent }) })
/** The line whose watermark a slice moves. */
const ownLine = ({ pass, parent, to }: Slice): Line => lineOf(to === undefined || parent === undefined ? { pass } : { pass, parent })

/** What stands now. */
export function passesNow({
  watermarks,
  checkpoints,
}: {
  watermarks: readonly (StreamRef & Watermark)[]
  checkpoints: readonly CheckpointRow[]
}): PassState[] {
  return passesOf(
    watermarks,
    checkpoints.map(({ stream, bounds, state }) => ({ stream, ...ownLine(bounds), state })),
  )
}

/** What would stand. */
export function passesIn(states: readonly StreamState[]): PassState[] {
  return passesOf(
    states.flatMap(({ stream, watermarks }) => watermarks.map((mark) => ({ stream, ...mark }))),
    states.flatMap(({ stream, slices }) => slices.map(({ slice, state }) => ({ stream, ...ownLine(slice), state }))),
  )
}

function passesOf(
  marks: readonly (Watermark & { stream: string })[],
  slices: readonly (Line & { stream: string; state: CheckpointRow['state'] })[],
): PassState[] {
  const found = new Map<string, PassState>()
  for (const mark of marks) found.set(nameOf(mark), { stream: mark.stream, ...lineOf(mark), watermark: mark.watermark, open: 0 })
  for (const slice of slices) {
    const one = found.get(nameOf(slice)) ?? { stream: slice.stream, ...lineOf(slice), open: 0 }
    found.set(nameOf(slice), { ...one, open: one.open + (slice.state === 'open' ? 1 : 0) })
  }
  return [...found.values()]
}

/** What a run left, by the entries that it wrote. */
export const passesAfter = (entries: readonly StateEntry[]): PassState[] =>
  entries.map((entry) => ({
    stream: entry.stream,
    ...lineOf(entry),
    open: entry.leftOpen,
    ...(entry.after ? { watermark: entry.after } : {}),
  }))

/**
 * The state to which a rollback goes: the watermarks as the run left them. Of the slices only those stay that were open then and begin
 * before the watermark (a look-back that did not come to its end), and they start over; whatever lies behind it the next run plans anew.
 * @param entries of the run, of the streams that it read
 */
export function stateAfter(entries: readonly StateEntry[], checkpoints: readonly CheckpointRow[]): StreamState[] {
  return [...new Set(entries.map(({ stream }) => stream))].map((stream) => {
    const own = entries.filter((entry) => entry.stream === stream)
    const watermarks = own.flatMap((entry) => (entry.after ? [{ ...lineOf(entry), watermark: entry.after }] : []))
    const slices = checkpoints.filter(({ stream: of, state, bounds, createdAt }) => {
      const mark = watermarks.find((one) => lineName(one) === lineName(bounds))?.watermark
      const wasThere = createdAt <= own[0]!.at && state === 'open'
      return of === stream && wasThere && mark !== undefined && bounds.to !== undefined && (bounds.from ?? '') < mark
    })
    return { stream, watermarks, slices: slices.map(({ bounds }) => ({ slice: bounds, state: 'open', position: null })) }
  })
}
