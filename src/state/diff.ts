/** Two states side by side, and what going back to one would read again. */
import type { CheckpointRow, StateEntry, StreamRef, StreamState, Watermark } from '../warehouse/driver.js'

/** A pass of a stream at one moment. */
export interface PassState {
  stream: string
  pass: string
  watermark?: string
  open: number
}

/** A pass at two moments; a side that knows nothing of it has no watermark and no slices. */
export interface PassDiff {
  stream: string
  pass: string
  before: { watermark?: string; open: number }
  after: { watermark?: string; open: number }
}

/** Every pass of either side, in order. Without a change both sides say the same. */
export function diffStates(before: readonly PassState[], after: readonly PassState[]): PassDiff[] {
  const side = (of: readonly PassState[], { stream, pass }: PassState) => {
    const { watermark, open } = of.find((one) => one.stream === stream && one.pass === pass) ?? { open: 0 }
    return { ...(watermark === undefined ? {} : { watermark }), open }
  }
  const passes = new Map([...before, ...after].map((one) => [`${one.stream}/${one.pass}`, one]))
  return [...passes.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, one]) => ({ stream: one.stream, pass: one.pass, before: side(before, one), after: side(after, one) }))
}

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
    checkpoints.map(({ stream, bounds, state }) => ({ stream, pass: bounds.pass, state })),
  )
}

/** What would stand. */
export function passesIn(states: readonly StreamState[]): PassState[] {
  return passesOf(
    states.flatMap(({ stream, watermarks }) => watermarks.map((mark) => ({ stream, ...mark }))),
    states.flatMap(({ stream, slices }) => slices.map(({ slice, state }) => ({ stream, pass: slice.pass, state }))),
  )
}

function passesOf(
  marks: readonly (Watermark & { stream: string })[],
  slices: readonly { stream: string; pass: string; state: CheckpointRow['state'] }[],
): PassState[] {
  const found = new Map<string, PassState>()
  for (const { stream, pass, watermark } of marks) found.set(`${stream}/${pass}`, { stream, pass, watermark, open: 0 })
  for (const { stream, pass, state } of slices) {
    const one = found.get(`${stream}/${pass}`) ?? { stream, pass, open: 0 }
    found.set(`${stream}/${pass}`, { ...one, open: one.open + (state === 'open' ? 1 : 0) })
  }
  return [...found.values()]
}

/** What a run left, by the entries that it wrote. */
export const passesAfter = (entries: readonly StateEntry[]): PassState[] =>
  entries.map(({ stream, pass, after, leftOpen }) => ({ stream, pass, open: leftOpen, ...(after ? { watermark: after } : {}) }))

/**
 * The state to which a rollback goes: the watermarks as the run left them. Of the slices only those stay that were open then and begin
 * before the watermark (a look-back that did not come to its end), and they start over; whatever lies behind it the next run plans anew.
 * @param entries of the run, of the streams that it read
 */
export function stateAfter(entries: readonly StateEntry[], checkpoints: readonly CheckpointRow[]): StreamState[] {
  return [...new Set(entries.map(({ stream }) => stream))].map((stream) => {
    const own = entries.filter((entry) => entry.stream === stream)
    const watermarks = own.flatMap(({ pass, after }) => (after ? [{ pass, watermark: after }] : []))
    const slices = checkpoints.filter(({ stream: of, state, bounds, createdAt }) => {
      const mark = watermarks.find(({ pass }) => pass === bounds.pass)?.watermark
      const wasThere = createdAt <= own[0]!.at && state === 'open'
      return of === stream && wasThere && mark !== undefined && bounds.to !== undefined && (bounds.from ?? '') < mark
    })
    return { stream, watermarks, slices: slices.map(({ bounds }) => ({ slice: bounds, state: 'open', position: null })) }
  })
}
