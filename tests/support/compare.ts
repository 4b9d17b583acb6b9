/** What stands in tables against what the vendor holds, value by value. */
import pg from 'pg'
import { expect } from 'vitest'
import type { Sandbox } from '../../sandbox/serve.js'
import type { Rec, Stream } from '../../src/core/types.js'
import { truthOf } from './truth.js'

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

const dateOid = 1082
/** A date without a time would come back as midnight of this machine. */
export const daysAsWritten = (oid: number, format?: 'text' | 'binary') =>
  oid === dateOid ? (text: string) => text : pg.types.getTypeParser(oid, format as 'text')

const keyOf = (record: Rec, stream: Stream) => stream.key.map((field) => String(plain(record[field]))).join('/')

interface Compared {
  db: pg.Client
  sandbox: Sandbox
  schema: string
  vendor: keyof Sandbox['truth']
  streams: Readonly<Record<string, Stream>>
  /** Fields that are left out. */
  but?: readonly string[]
  /** Of a stream that is read from some instant on, the records that must be there. */
  isRead?: (record: Rec, stream: string) => boolean
}

/**
 * Every record of the truth stands in the table, value by value, and nothing else lives there.
 * @returns how many were compared
 */
export async function compare({ db, sandbox, schema, vendor, streams, but = [], isRead = () => true }: Compared): Promise<number> {
  let compared = 0
  for (const [name, stream] of Object.entries(streams)) {
    const { rows: versions } = await db.query(
      'SELECT columns FROM _weir.schema_versions WHERE table_schema = $1 AND table_name = $2 ORDER BY version DESC LIMIT 1',
      [schema, name],
    )
    const columns = versions[0].columns as { field: string; name: string }[]
    const { rows } = await db.query(`SELECT * FROM ${schema}.${name}`)
    const field = (one: string) => columns.find((column) => column.field === one)!.name
    const found = new Map(rows.map((row) => [stream.key.map((one) => String(plain(row[field(one)]))).join('/'), row]))
    const expected = truthOf(sandbox, vendor, name)
      .map((raw) => stream.record(raw))
      .filter((record) => isRead(record, name))
    const keys = new Set(expected.map((record) => keyOf(record, stream)))
    // What was known of a record that has been archived since stays; the vendor's truth is of those that stand.
    const held = name.endsWith('_history') ? [...found.keys()].filter((key) => keys.has(key)) : found.keys()
    expect(new Set(held), `${schema}.${name}`).toEqual(keys)
    for (const record of expected) {
      const row = found.get(keyOf(record, stream))!
      for (const [one, value] of Object.entries(record)) {
        if (but.includes(one)) continue
        // A value that fits no column of its field stands in a variant beside it.
        const columnsOfField = columns.filter((column) => column.field === one || column.field.startsWith(`${one}__`))
        const stored = columnsOfField.map((column) => row[column.name]).find((cell) => cell !== null && cell !== undefined)
        expect(plain(stored), `${schema}.${name} ${keyOf(record, stream)} ${one}`).toEqual(plain(value))
      }
      compared++
    }
    if (stream.deletedAt) {
      for (const row of rows) expect(row._weir_deleted_at !== null, `${schema}.${name} ${row.id}`).toBe(row.archived)
    }
  }
  return compared
}
