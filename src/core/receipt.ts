import type { Counts } from './types.js'

export const noCounts = (): Counts => ({
  read: 0,
  loaded: 0,
  unchanged: 0,
  deadLetters: 0,
  deleted: 0,
  bytes: 0,
  requests: 0,
  retries: 0,
  waitedMs: 0,
})

/** Adds receipts up. */
export function sum(parts: readonly Counts[]): Counts {
  const total = noCounts()
  for (const part of parts) for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += part[key]
  return total
}

/** read = loaded + unchanged + dead letters: what Weir promises of every stream run. */
export const balances = (counts: Counts): boolean => counts.read === counts.loaded + counts.unchanged + counts.deadLetters

/** What came on top of `before`. */
export function difference(after: Counts, before: Counts): Counts {
  const added = noCounts()
  for (const key of Object.keys(added) as (keyof Counts)[]) added[key] = after[key] - before[key]
  return added
}
