import type { Counts, Used } from './types.js'

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
  waits: 0,
  vendorMs: 0,
  warehouseMs: 0,
})

export const nothingUsed = (): Used => ({ bytes: 0, requests: 0, retries: 0, waitedMs: 0, waits: 0, vendorMs: 0, spent: {} })

/** What was used between two looks. */
export function usedSince(before: Used, now: Used): Used {
  const spent = Object.entries(now.spent).map(([budget, count]) => [budget, count - (before.spent[budget] ?? 0)] as const)
  return {
    bytes: now.bytes - before.bytes,
    requests: now.requests - before.requests,
    retries: now.retries - before.retries,
    waitedMs: now.waitedMs - before.waitedMs,
    waits: now.waits - before.waits,
    vendorMs: now.vendorMs - before.vendorMs,
    spent: Object.fromEntries(spent.filter(([, count]) => count > 0)),
  }
}

/** Adds receipts up. Those of older histories lack what was not counted then. */
export function sum(parts: readonly Counts[]): Counts {
  const total = noCounts()
  for (const part of parts) for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += part[key] ?? 0
  return total
}

/** Adds counts by name up. */
export function addUp(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {}
  for (const part of parts) for (const [name, count] of Object.entries(part)) total[name] = (total[name] ?? 0) + count
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
