import { ExactNumber, type FieldType, type Rec } from '../core/types.js'
import { jsonText } from './json.js'
import { hasOffset, inferredType, isDate, isInstant } from './typing.js'

/** A column of a table, and the vendor's field that fills it. */
export interface Column {
  field: string
  name: string
  type: FieldType
}

/** A record that no table can take, whatever its columns: it becomes a dead letter. */
export class Unstorable extends Error {}

/** Text of a cell in COPY's text format, or undefined where the value does not fit the type without loss. */
type Encode = (value: unknown) => string | undefined

const special = /[\\\t\n\r]/
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
const copyText = (text: string) => (special.test(text) ? text.replace(/[\\\t\n\r]/g, (c) => escapes[c]!) : text)

function storable(text: string): string {
  if (text.includes('\u0000')) throw new Unstorable('holds a NUL character, which PostgreSQL cannot store')
  if (!text.isWellFormed()) throw new Unstorable('holds half of a surrogate pair, which is not valid Unicode')
  return text
}

function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return copyText(storable(value))
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' || value instanceof ExactNumber)
    return String(value)
  return undefined
}

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }
const wholeNumber = /^(?:0|-?[1-9]\d{0,18})$/

function asBigint(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined
  if (typeof value === 'bigint' || (typeof value === 'string' && wholeNumber.test(value))) {
    const number = BigInt(value)
    return number >= int64.min && number <= int64.max ? String(number) : undefined
  }
  return undefined
}

const decimal = /^-?\d{1,5000}(?:\.\d{1,5000})?(?:[eE][+-]?\d{1,4})?$/

function asNumeric(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined
  if (typeof value === 'bigint') return String(value)
  const text = value instanceof ExactNumber ? value.text : value
  return typeof text === 'string' && decimal.test(text) ? text : undefined
}

function asDouble(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined
  if (typeof value === 'string' && decimal.test(value)) return String(Number(value)) === value ? value : undefined
  return undefined
}

function asBoolean(value: unknown): string | undefined {
  if (typeof value === 'boolean') return value ? 't' : 'f'
  return value === 'true' ? 't' : value === 'false' ? 'f' : undefined
}

function asTimestamp(value: unknown): string | undefined {
  if (typeof value !== 'string' || !isInstant(value)) return undefined
  return hasOffset(value) ? value : `${value}Z`
}

const asDate: Encode = (value) => (typeof value === 'string' && isDate(value) ? value : undefined)

/** `\u0000` and lone surrogates as JSON.stringify writes them, after an even number of backslashes. */
const unstorableInJson = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/

function asJson(value: unknown): string {
  const text = jsonText(value)
  if (text.includes('\\u') && unstorableInJson.test(text)) {
    throw new Unstorable('holds a NUL character or half of a surrogate pair, which PostgreSQL cannot store')
  }
  return text.includes('\\') ? text.replaceAll('\\', '\\\\') : text
}

const encoders: Record<FieldType, Encode> = {
  text: asText,
  bigint: asBigint,
  numeric: asNumeric,
  double: asDouble,
  boolean: asBoolean,
  timestamp: asTimestamp,
  date: asDate,
  json: asJson,
}

/** Field that holds what does not fit `field`'s column: the same field, by another type. */
export const variantOf = (field: string, type: FieldType): string => `${field}__${type}`

/** What the columns lack: field → type it needs. */
export type Missing = Map<string, FieldType>

/**
 * Turns records into lines of COPY's text format, for one table's columns. A value of another type goes to its variant
 * column (`<field>__<type>`); a field that has no column is reported as missing, and the record must be encoded again once
 * the column is there. Fields named in `overflow` go to `_weir_extra`, since a table can hold no more columns.
 */
export class RowEncoder {
  readonly columns: readonly Column[]
  private readonly index = new Map<string, number>()
  private readonly encodes: readonly Encode[]

  constructor(
    columns: readonly Column[],
    private readonly overflow: (field: string) => boolean = () => false,
  ) {
    this.columns = columns
    columns.forEach((column, i) => {
      this.index.set(column.field, i)
    })
    this.encodes = columns.map(({ type }) => encoders[type])
  }

  /**
   * The line without its newline; the last cell is `_weir_extra`. Missing columns are added to `missing`, and the line then
   * is not whole. Throws Unstorable.
   */
  encode(record: Rec, missing: Missing): string {
    const cells: string[] = new Array(this.columns.length + 1).fill('\\N')
    let extra: Rec | undefined
    for (const field in record) {
      const value = record[field]
      if (value === null || value === undefined) continue
      const at = this.index.get(field)
      const cell = at === undefined ? undefined : this.cell(at, value, field)
      if (at !== undefined && cell !== undefined) cells[at] = cell
      else extra = this.elsewhere(at === undefined, field, value, cells, missing, extra)
    }
    if (extra) cells[this.columns.length] = asJson(extra)
    return cells.join('\t')
  }

  private cell(at: number, value: unknown, field: string): string | undefined {
    try {
      return this.encodes[at]!(value)
    } catch (error) {
      throw error instanceof Unstorable ? new Unstorable(`field "${field.slice(0, 100)}" ${error.message}`) : error
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
    const target = isNew ? field : variantOf(field, type)
    const at = this.index.get(target)
    if (at !== undefined) {
      const cell = this.cell(at, value, field)
      if (cell !== undefined) {
        cells[at] = cell
        return extra
      }
    }
    if (!this.overflow(target) && at === undefined) {
      if (!missing.has(target)) missing.set(target, type)
      return extra
    }
    const kept: Rec = extra ?? Object.create(null)
    kept[target] = value
    return kept
  }
}
