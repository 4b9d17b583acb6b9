import { InOrder } from '../core/in-order.js'
import type { FieldType, Rec } from '../core/types.js'
import { asJson, type Encode, encoders, isStorable, shown, Unstorable } from './cells.js'
import { inferredType } from './typing.js'

/** What a column takes: a vendor's field, or of the field's values only those of another type, which its own column cannot take. */
export interface Taken {
  field: string
  /** The type of a variant's values; without it the field's own column. */
  variant?: FieldType
}

/** A column of a table, and what fills it. */
export interface Column extends Taken {
  name: string
  type: FieldType
}

/** A column that a table lacks. */
export type Wanted = Omit<Column, 'name'>

/** What the columns lack, by `takenId`. */
export type Missing = Map<string, Wanted>

/** Tells columns apart by what they take: a field may be named like the variant of another. No field that is stored holds a NUL. */
export const takenId = ({ field, variant }: Taken): string => (variant === undefined ? field : `${field}\0${variant}`)

/** As people read it. */
export const takenName = ({ field, variant }: Taken): string => (variant === undefined ? `"${field}"` : `"${field}" as ${variant}`)

/** The column that takes a field, or its variant. */
export const columnFor = (columns: readonly Column[], field: string | undefined, variant?: FieldType): Column | undefined =>
  columns.find((column) => column.field === field && column.variant === variant)

/** A row of fewer cells fits a page of PostgreSQL whatever they hold: a long value leaves 18 bytes behind. */
const safeColumns = 350
/** A longer name is data, not a field: it gets no column. PostgreSQL indexes names of four times as many bytes. */
const longestField = 500
/** A page takes 8,160 bytes of a row; some stay for Weir's own columns and for alignment. */
const rowBytes = 7_400

/**
 * Turns records into lines of COPY's text format, for one table's columns. A value of another type goes to its variant
 * column (named `<field>__<type>`); a field that has no column is reported as missing, and the record must be encoded again once
 * somebody has decided where it goes. What `toExtra` holds of goes to `_weir_extra` under the vendor's name of the field, and so does
 * what is more than one row can hold.
 */
export class RowEncoder {
  readonly columns: readonly Column[]
  /** Has a row been too wide for a page? */
  hasOverflowed = false
  /** Places of columns by `takenId`. */
  private readonly index = new Map<string, number>()
  private readonly places = new InOrder((field) => this.index.get(field))
  private readonly encodes: readonly Encode[]
  private readonly empty: readonly string[]

  constructor(
    columns: readonly Column[],
    private readonly toExtra: (wanted: Taken) => boolean = () => false,
    /** Fields whose cells stay in their columns, however wide the row. */
    private readonly keep: ReadonlySet<string> = new Set(),
    /** Fields that tell rows apart: they fit their columns, or the record is none. */
    private readonly key: readonly string[] = [],
    /** Does the record itself follow as a last cell? */
    private readonly keepsRaw = false,
  ) {
    this.columns = columns
    columns.forEach((column, i) => {
      this.index.set(takenId(column), i)
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
    let place = 0
    for (const field in record) {
      const value = record[field]
      const at = this.places.at(place++, field)
      if (value === null || value === undefined) continue
      const cell = at === undefined ? undefined : this.cell(at, value, field)
      if (at !== undefined && cell !== undefined) cells[at] = cell
      else extra = this.elsewhere(at === undefined, field, value, cells, missing, extra)
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
    value: unknown,
    cells: string[],
    missing: Missing,
    extra: Rec | undefined,
  ): Rec | undefined {
    const type = inferredType(value)
    if (type === undefined) return extra
    if (!isStorable(field)) throw new Unstorable(`has a field "${shown(field.slice(0, 100))}", whose name PostgreSQL cannot store`)
    if (this.key.includes(field)) throw new Unstorable(`key field "${field}" holds ${type}, which its column cannot take`)
    if (field.length > longestField) return put(extra, field, value)
    const wanted: Wanted = isNew ? { field, type } : { field, type, variant: type }
    const at = this.index.get(takenId(wanted))
    const cell = at === undefined ? undefined : this.cell(at, value, field)
    if (at !== undefined && cell !== undefined) cells[at] = cell
    else if (at !== undefined || this.toExtra(wanted)) return put(extra, field, value)
    else if (!missing.has(takenId(wanted))) missing.set(takenId(wanted), wanted)
    return extra
  }

  /** Leaves the leading cells that surely fit a page; the others go to `_weir_extra`. */
  private narrowed(record: Rec, cells: string[], extra: Rec | undefined): Rec | undefined {
    let bytes = 24 + this.columns.length / 8
    let rest = extra
    for (const [at, { field, variant, type }] of this.columns.entries()) {
      const cell = cells[at]!
      if (cell === '\\N') continue
      const size = bytesOf(cell, type)
      if ((variant === undefined && this.keep.has(field)) || bytes + size <= rowBytes) {
        bytes += size
        continue
      }
      cells[at] = '\\N'
      rest = put(rest, field, record[field])
      this.hasOverflowed = true
    }
    return rest
  }
}

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
