/**
 * Rows by id, with sorted indexes that are kept while rows change. A page is found by binary search, so walking a large
 * table costs the pages and not the table. Rows are replaced, never edited: whoever holds an old row holds a snapshot.
 */
export type Key = string | number

export interface Row {
  readonly id: string
}

/** Too many rows in one stroke are cheaper to sort again than to put in place one by one. */
const rebuildAfter = 2000

export class Table<R extends Row> {
  /** Grows with every change: what was computed from the table holds while it stays. */
  version = 0
  private readonly rows = new Map<string, R>()
  private readonly indexes = new Map<string, Index<R>>()

  /** `tie` orders rows of equal key; ids that are numbers must not be compared as text. */
  constructor(private readonly tie: (row: R) => Key = (row) => row.id) {}

  get size(): number {
    return this.rows.size
  }

  get(id: string): R | undefined {
    return this.rows.get(id)
  }

  values(): IterableIterator<R> {
    return this.rows.values()
  }

  put(row: R): void {
    const before = this.rows.get(row.id)
    this.rows.set(row.id, row)
    this.version++
    for (const index of this.indexes.values()) index.replace(before, row)
  }

  delete(id: string): void {
    const before = this.rows.get(id)
    if (before === undefined) return
    this.rows.delete(id)
    this.version++
    for (const index of this.indexes.values()) index.replace(before, undefined)
  }

  /** The index of that name, built on first use. `keyOf` must always be the same function for one name. */
  index(name: string, keyOf: (row: R) => Key): Index<R> {
    const known = this.indexes.get(name)
    if (known !== undefined) return known
    const index = new Index(keyOf, this.tie, () => this.rows.values())
    this.indexes.set(name, index)
    return index
  }
}

export interface Walk<R> {
  /** Rows outside [low, high] are not looked at; both ends included. */
  low?: Key | undefined
  high?: Key | undefined
  /** Go on behind this place. */
  after?: { key: Key; tie: Key } | undefined
  descending?: boolean
  limit: number
  test?: (row: R) => boolean
}

export class Index<R extends Row> {
  private rows: R[] | undefined
  private changes = 0

  constructor(
    readonly keyOf: (row: R) => Key,
    readonly tieOf: (row: R) => Key,
    private readonly all: () => Iterable<R>,
  ) {}

  sorted(): readonly R[] {
    if (this.rows === undefined) {
      this.rows = [...this.all()].sort((a, b) => order(this.keyOf(a), this.keyOf(b)) || order(this.tieOf(a), this.tieOf(b)))
      this.changes = 0
    }
    return this.rows
  }

  replace(before: R | undefined, after: R | undefined): void {
    if (this.rows === undefined) return
    if (++this.changes > rebuildAfter) {
      this.rows = undefined
      return
    }
    if (before !== undefined) {
      const at = this.position(this.keyOf(before), this.tieOf(before))
      if (after !== undefined && this.keyOf(before) === this.keyOf(after)) {
        this.rows[at] = after
        return
      }
      this.rows.splice(at, 1)
    }
    if (after !== undefined) this.rows.splice(this.position(this.keyOf(after), this.tieOf(after)), 0, after)
  }

  /** The rows of one page, and whether there are more behind them. */
  walk({ low, high, after, descending = false, limit, test }: Walk<R>): { rows: R[]; more: boolean } {
    const sorted = this.sorted()
    let first = low === undefined ? 0 : this.position(low)
    let end = high === undefined ? sorted.length : this.position(high, undefined, true)
    if (after !== undefined) {
      if (descending) end = Math.min(end, this.position(after.key, after.tie))
      else first = Math.max(first, this.position(after.key, after.tie, true))
    }
    const rows: R[] = []
    for (let i = descending ? end - 1 : first; descending ? i >= first : i < end; i += descending ? -1 : 1) {
      const row = sorted[i] as R
      if (test !== undefined && !test(row)) continue
      if (rows.length === limit) return { rows, more: true }
      rows.push(row)
    }
    return { rows, more: false }
  }

  /** Where (key, tie) stands or would stand; with `behind`, the place behind all that equal it. */
  private position(key: Key, tie?: Key, behind = false): number {
    const sorted = this.sorted()
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const row = sorted[middle] as R
      const compared = order(this.keyOf(row), key) || (tie === undefined ? 0 : order(this.tieOf(row), tie))
      if (compared < 0 || (behind && compared === 0)) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Numbers before text, each in its own order. */
function order(a: Key, b: Key): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}
