import type { FieldType, Rec } from '../core/types.js'
import { asJson, type Encode, encoders, isStorable, shown, Unstorable } from './cells.js'
import { inferredType } from './typing.js'

/** A column of a table, and the vendor's field that fills it. */
export interface Column {
  field: string
  name: string
  type: FieldType
}

/** Field that holds what does not fit `field`'s column: the same field, by another type. */
export const variantOf = (field: string, type: FieldType): string => `${field}__${type}`

/** What the columns lack: field → type it needs. */
export type Missing = Map<string, FieldType>

/** A row of fewer cells fits a page of PostgreSQL whatever they hold: a long value leaves 18 bytes behind. */
const safeColumns = 350
/** A longer name is data, not a field: it gets no column. PostgreSQL indexes names of four times as many bytes. */
const longestField = 500
/** A page takes 8,160 bytes of a row; some stay for Weir's own columns and for alignment. */
const rowBytes = 7_400

/**
 * Turns records into lines of COPY's text format, for one table's columns. A value of another type goes to its variant
 * column (`<field>__<type>`); a field that has no column is reported as missing, and the record must be encoded again once
 * somebody has decided where it goes. Fields for which `toExtra` holds go to `_weir_extra`, and so does what is more than
 * one row can hold.
 */
export class RowEncoder {
  readonly columns: readonly Column[]
  /** Has a row been too wide for a page? */
  hasOverflowed = false
  private readonly index = new Map<string, number>()
  private readonly encodes: readonly Encode[]
  private readonly empty: readonly string[]

  constructor(
    columns: readonly Column[],
    private readonly toExtra: (field: string) => boolean = () => false,
    /** Fields whose cells stay in their columns, however wide the row. */
    private readonly keep: ReadonlySet<string> = new Set(),
    /** Fields that tell rows apart: they fit their columns, or the record is none. */
    private readonly key: readonly string[] = [],
    /** Does the record itself follow as a last cell? */
    private readonly keepsRaw = false,
  ) {
    this.columns = columns
    columns.forEach((column, i) => {
      this.index.set(column.field, i)
    })
    this.encodes = columns.map(({ type }) => encoders[type])
    this.empty = new Array(columns.length + (keepsRaw ? 2 : 1)).fill('\\N')
  }

  /**
   * The line without its newline; behind the columns stands `_weir_extra`, and behind that the record as it is, where it is kept. Missing columns are added to `missing`, and the line then
   * is not whole. Throws Unstorable.
   */
  encode(record: Rec, missing: Missing): string {
    const cells = this.empty.slice()
    let extra: Rec | undefined
    for (const field in record) {
      const value = record[field]
      if (value === null || value === undefined) continue
      const at = this.index.get(field)
      const cell = at === undefined ? undefined : this.cell(at, value, field)
      if (at !== undefined && cell !== undefined) cells[at] = cell
      else extra = this.elsewhere(at === undefined, field, record, cells, missing, extra)
    }
    if (this.columns.length > safeColumns) extra = this.narrowed(record, cells, extra)
    if (extra) cells[this.columns.length] = asJson(extra)
    if (this.keepsRaw) cells[this.columns.length + 1] = asJson(record)
    return cells.join('\t')
  }

  private cell(at: number, value: unknown, field: string): string | undefined {
    try {
      return this.encodes[at]!(value)
    } catch (error) {
      throw error instanceof Unstorable ? new Unstorable(`field "${shown(field.slice(0, 100))}" ${error.message}`) : error
    }
  }

  private elsewhere(
    isNew: boolean,
    field: string,
    record: Rec,
    cells: string[],
    missing: Missing,
    extra: Rec | undefined,
  ): Rec | undefined {
    const value = record[field]
    const type = inferredType(value)
    if (type === undefined) return extra
    if (!isStorable(field)) throw new Unstorable(`has a field "${shown(field.slice(0, 100))}", whose name PostgreSQL cannot store`)
    if (this.key.includes(field)) throw new Unstorable(`key field "${field}" holds ${type}, which its column cannot take`)
    let target = isNew ? field : variantOf(field, type)
    // The vendor's own field of that name comes first.
    while (target !== field && isIn(record, target)) target = variantOf(target, type)
    if (target.length > longestField) return put(extra, target, value)
    const at = this.index.get(target)
    if (at !== undefined) {
      const cell = this.cell(at, value, field)
      if (cell !== undefined) {
        cells[at] = cell
        return extra
      }
    }
    if (at === undefined && !this.toExtra(target)) {
      if (!missing.has(target)) missing.set(target, type)
      return extra
    }
    return put(extra, target, value)
  }

  /** Leaves the leading cells that surely fit a page; the others go to `_weir_extra`. */
  private narrowed(record: Rec, cells: string[], extra: Rec | undefined): Rec | undefined {
    let bytes = 24 + this.columns.length / 8
    let rest = extra
    for (const [at, { field, type }] of this.columns.entries()) {
      const cell = cells[at]!
      if (cell === '\\N') continue
      const size = bytesOf(cell, type)
      if (this.keep.has(field) || bytes + size <= rowBytes) {
        bytes += size
        continue
      }
      cells[at] = '\\N'
      rest = put(rest, field, Object.hasOwn(record, field) ? record[field] : record[field.slice(0, field.lastIndexOf('__'))])
      this.hasOverflowed = true
    }
    return rest
  }
}

const isIn = (record: Rec, field: string): boolean => Object.hasOwn(record, field) && record[field] !== null && record[field] !== undefined

function put(extra: Rec | undefined, field: string, value: unknown): Rec {
  const kept: Rec = extra ?? Object.create(null)
  kept[field] = value
  return kept
}

/** The most that a value takes in its row, alignment included; longer ones move out and leave a pointer of 18 bytes. */
function bytesOf(cell: string, type: FieldType): number {
  switch (type) {
    case 'boolean':
      return 1
    case 'date':
      return 8
    case 'bigint':
    case 'double':
    case 'timestamp':
      return 16
    default:
      return Math.min(4 + 3 * cell.length, 24)
  }
}
