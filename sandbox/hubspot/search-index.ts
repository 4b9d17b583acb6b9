/** What searches see: the table some time ago. Each change becomes visible after its own delay, so not in the order it was made. */
import { place, roll } from '../company/dice.js'
import type { Table } from '../kit/table.js'
import type { ObjectRow } from './rows.js'

interface Waiting {
  visibleAtMs: number
  id: string
  row: ObjectRow
}

export class SearchIndex {
  /** Rows of which the index still holds an older state; undefined: it does not know the row yet. */
  private readonly older = new Map<string, ObjectRow | undefined>()
  private waiting: Waiting[] = []
  private seenVersion = 0

  constructor(
    private readonly table: Table<ObjectRow>,
    private readonly seed: number,
    private readonly lagMs: () => number,
  ) {}

  /** A change made at an instant. It shows between a fifth of the lag and the whole lag later. */
  changed(before: ObjectRow | undefined, row: ObjectRow, atMs: number): void {
    const lag = this.lagMs()
    if (lag === 0) return
    const visibleAtMs = atMs + lag * (0.2 + 0.8 * roll(this.seed, place(row.id), Math.floor(atMs / 1000), atMs % 1000))
    this.waiting.push({ visibleAtMs, id: row.id, row })
    if (!this.older.has(row.id)) this.older.set(row.id, before)
  }

  /** Grows whenever searches may answer otherwise. */
  version(nowMs: number): string {
    this.settle(nowMs)
    return `${this.table.version} ${this.seenVersion}`
  }

  /** The rows as the index holds them, archived ones left out. */
  *rows(nowMs: number): Generator<ObjectRow> {
    this.settle(nowMs)
    for (const row of this.table.values()) {
      const held = this.older.has(row.id) ? this.older.get(row.id) : row
      if (held !== undefined && held.archivedMs === null) yield held
    }
  }

  private settle(nowMs: number): void {
    if (this.waiting.length === 0) return
    // Within one row the newest visible state wins: a row never falls back.
    const newest = new Map<string, number>()
    for (const [i, { id, visibleAtMs }] of this.waiting.entries()) if (visibleAtMs <= nowMs) newest.set(id, i)
    if (newest.size === 0) return
    const still = this.waiting.filter(({ id }, i) => i > (newest.get(id) ?? -1))
    for (const [id, i] of newest) this.older.set(id, (this.waiting[i] as Waiting).row)
    this.seenVersion++
    this.waiting = still
    const open = new Set(still.map(({ id }) => id))
    // What is wholly known needs no older state any more.
    for (const id of this.older.keys()) if (!open.has(id)) this.older.delete(id)
  }
}
