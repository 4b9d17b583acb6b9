import type { Slice } from './types.js'

export const dayMs = 86_400_000
/** Midnight in UTC of an instant's day. */
export const dayOf = (instant: number | Date): Date => new Date(Math.floor(Number(instant) / dayMs) * dayMs)
/** The midnight that ends it. */
export const endOfDay = (instant: number | Date): Date => new Date(dayOf(instant).getTime() + dayMs)

/** The name of a slice's checkpoint: stable over runs. */
export function sliceKey({ pass, from, to, parent }: Slice): string {
  const range = from === undefined && to === undefined ? '' : `${from ?? ''}..${to ?? ''}`
  return [pass, parent, range].filter((part) => part !== undefined && part !== '').join('/')
}

/** What has a watermark of its own: a pass, or a parent in it. */
export type Line = Pick<Slice, 'pass' | 'parent'>

/** A name for it, for people and for maps. */
export const lineName = ({ pass, parent }: Line): string => (parent === undefined ? pass : `${pass} ${parent}`)

/** Days, or seconds: vendors store no finer ones. */
const grains = { days: dayMs, seconds: 1_000 }

/** The two halves of a range of time, each of whole days or seconds and not below `smallestMs`; undefined where there are none. */
export function halvesOf(slice: Slice, grain: keyof typeof grains, smallestMs: number): [Slice, Slice] | undefined {
  if (slice.from === undefined || slice.to === undefined) return undefined
  const from = Date.parse(slice.from)
  const unit = grains[grain]
  const half = Math.floor((Date.parse(slice.to) - from) / 2 / unit) * unit
  if (half < Math.max(smallestMs, unit)) return undefined
  const middle = new Date(from + half).toISOString()
  return [
    { ...slice, to: middle },
    { ...slice, from: middle },
  ]
}

/** Cuts [from, to) into pieces of `days`, aligned to `from`; the last one may be shorter. */
export function cut(from: Date, to: Date, days: number): { from: string; to: string }[] {
  const pieces: { from: string; to: string }[] = []
  for (let at = from.getTime(); at < to.getTime(); at += days * dayMs) {
    pieces.push({ from: new Date(at).toISOString(), to: new Date(Math.min(at + days * dayMs, to.getTime())).toISOString() })
  }
  return pieces
}
