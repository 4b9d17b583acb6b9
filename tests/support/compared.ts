/** What a vendor of the sandbox holds, compared with what the warehouse holds of it: any stream, value by value. */
import pg from 'pg'
import { expect } from 'vitest'
import type { Sandbox } from '../../sandbox/serve.js'
import type { FieldType, Rec, Stream } from '../../src/core/types.js'
import { truthOf } from './truth.js'

export type Vendor = keyof Sandbox['truth']

/** One sync: which of a vendor's streams it reads. */
export interface Read {
  sync: string
  vendor: Vendor
  streams: Record<string, Stream>
  api_version?: string
}

interface Asked {
  /** Day before which nothing is read of what is read by whole days. */
  firstDay: string
  /** Fields that are left out, by table. */
  but?: Readonly<Record<string, readonly string[]>>
  /** Of a stream that is read from some instant on: the records that must be there. */
  isRead?: (record: Rec, stream: string) => boolean
}

/** Of these the rest of a record does not come: they are asked for fields by name. */
const byName: readonly Vendor[] = ['meta', 'salesforce']

const dateOid = 1082
/** A date without a time would come back as midnight of this machine. */
export const daysAsWritten = (oid: number, format?: 'text' | 'binary') =>
  oid === dateOid ? (text: string) => text : pg.types.getTypeParser(oid, format as 'text')

/** A stream that is read by whole days, of which a first run needs a start. */
export function isByDays({ passes }: Stream): boolean {
  const { slicing } = passes[0]
  return slicing.by === 'time' && slicing.wholeDays === true
}

/** A value as text that is the same on both sides: instants by their time, numbers by their value, JSON by its sorted members. */
function plain(value: unknown): unknown {
  if (value === null || value === undefined || value === '') return null
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'string') {
    if (/^\d{4}-\d{2}-\d{2}[T ]/.test(value)) return new Date(value).toISOString()
    // Ids of more digits than a double holds stay as they are.
    return /^-?\d+(\.\d+)?$/.test(value) && value.length <= 15 ? String(Number(value)) : value
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, part]) => plain(part) !== null)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, part]) => [key, plain(part)]),
    )
  }
  return value
}

/** Every record of the truth stands in its table, value by value, and nothing else lives there. @returns how many were compared */
export async function compare(db: pg.Client, sandbox: Sandbox, { sync, vendor, streams }: Read, asked: Asked): Promise<number> {
  let compared = 0
  for (const [name, stream] of Object.entries(streams)) {
    const table = `${sync}.${name}`
    const { rows: versions } = await db.query<{ columns: { field: string; name: string; type: FieldType }[] }>(
      'SELECT columns FROM _weir.schema_versions WHERE table_schema = $1 AND table_name = $2 ORDER BY version DESC LIMIT 1',
      [sync, name],
    )
    expect(versions, `${table}: no such table`).toHaveLength(1)
    const { columns } = versions[0]!
    const columnOf = (field: string) => columns.find((column) => column.field === field)!.name
    const keyOf = (part: (field: string) => unknown) => stream.key.map((field) => String(plain(part(field)))).join('/')

    const { rows } = await db.query<Rec>(`SELECT * FROM ${table}`)
    const found = new Map(rows.map((row) => [keyOf((field) => row[columnOf(field)]), row]))
    const range = isByDays(stream) ? stream.bounds?.range : undefined
    const expected = truthOf(sandbox, vendor, name, Object.fromEntries(columns.map(({ field, type }) => [field, { type }])))
      .map((raw) => stream.record(raw))
      .filter((record) => (range === undefined || String(record[range]) >= asked.firstDay) && (asked.isRead?.(record, name) ?? true))
    const keys = new Set(expected.map((record) => keyOf((field) => record[field])))
    expect(keys.size, `${table}: a key that two records have`).toBe(expected.length)
    // What is gone for good at the vendor stays, and is marked; so does what was known of a record that has been archived since.
    const mayStay = (row: Rec) => name.endsWith('_history') || (stream.deletedAt !== undefined && row._weir_deleted_at !== null)
    const held = [...found].filter(([key, row]) => keys.has(key) || !mayStay(row)).map(([key]) => key)
    expect(new Set(held), table).toEqual(keys)

    for (const record of expected) {
      const key = keyOf((field) => record[field])
      const row = found.get(key)!
      for (const [field, value] of Object.entries(record)) {
        if (asked.but?.[table]?.includes(field)) continue
        // A value that fits no column of its field stands in a variant beside it.
        const ofField = columns.filter((column) => column.field === field)
        if (ofField.length === 0 && byName.includes(vendor)) continue
        const stored = ofField.map((column) => row[column.name]).find((cell) => cell !== null && cell !== undefined)
        expect(plain(stored), `${table} ${key} ${field}`).toEqual(plain(value))
      }
      compared++
    }
    if (stream.deletedAt)
      for (const row of rows) expect(row._weir_deleted_at !== null, `${table} ${row.id}`).toBe(row.archived ?? row.is_deleted)
  }
  return compared
}
