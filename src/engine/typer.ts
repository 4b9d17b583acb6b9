import type { Definition, SchemaPolicy } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { Rec, Stream } from '../core/types.js'
import { columnFor, type Missing, RowEncoder, takenId, takenName } from '../schema/encode.js'
import type { OpenTable, SliceOwner, StreamRef, TableSpec, Warehouse } from '../warehouse/driver.js'
import { fillEvolved } from './apply-change.js'

/** The encoder of a table as it stands now; what records need beyond it is decided by the schema policy, and the encoder follows. */
export interface Typer {
  readonly spec: TableSpec
  readonly table: OpenTable
  readonly encoder: RowEncoder
  /** Decides where new fields go; afterwards `encoder` knows them. Throws `schema` where the policy is to stop. */
  extend: (missing: Missing) => Promise<void>
  /** Looks at which declared fields a page carries. Throws `schema` where a required one is in no record. */
  watch: (records: readonly Rec[]) => void
  /** At a slice's end: notes fields that are gone or back, and rows that were too wide. */
  finish: () => Promise<void>
}

/** So many records without a field that used to come say that it is gone. */
const tellingRecords = 100

/** The policy that a sync has for changes of a stream. */
export const policyOf = (definition: Definition, stream: Stream): SchemaPolicy =>
  definition.streams[stream.name]?.onSchemaChange ?? 'evolve'

/** Opens the table of a stream, making it if need be, with the encoder that fits it. */
export async function openTyper(
  warehouse: Warehouse,
  owner: SliceOwner & { run: string },
  spec: TableSpec,
  stream: Stream,
  policy: SchemaPolicy,
): Promise<Typer> {
  const ref = { sync: owner.sync, stream: owner.stream, run: owner.run }
  // In `append` a version whose field got its column must be filled before it comes again, or it would be another one.
  const filled = async (opened: OpenTable) => {
    if (policy === 'evolve' && spec.mode === 'append') await fillEvolved(warehouse, ref, opened)
    return opened
  }
  let table = await filled(await warehouse.tables.open(owner, spec, { adds: policy === 'evolve' }))
  const held = new Set<string>()
  const keep = new Set([...spec.key, ...(spec.cursor ? [spec.cursor] : []), ...(spec.deletedAt ? [spec.deletedAt] : [])])
  const encoderOf = () => {
    // A full table takes no more columns: what has none goes to `_weir_extra`.
    return new RowEncoder(table.columns, (wanted) => table.isFull || held.has(takenId(wanted)), keep, spec.key, spec.keepsRaw)
  }
  let encoder = encoderOf()
  let hasOverflowed = false
  // The mark of deletion comes with deleted records alone: that living ones lack it says nothing.
  const absent = new Set(Object.keys(spec.fields).filter((field) => !spec.key.includes(field) && field !== spec.deletedAt))
  let watched = 0

  return {
    spec,
    get table() {
      return table
    },
    get encoder() {
      return encoder
    },
    async extend(missing) {
      const fields: Missing = new Map()
      for (const [id, wanted] of missing) {
        const declared = wanted.variant === undefined ? spec.fields[wanted.field]?.type : undefined
        fields.set(id, { ...wanted, type: declared ?? wanted.type })
      }
      if (policy === 'evolve') table = await filled(await warehouse.tables.addColumns(ref, table, fields))
      else {
        // Approved since this was opened: nobody is asked again.
        table = await warehouse.tables.open(owner, spec, { adds: false })
        for (const [id, { field, variant }] of fields) if (columnFor(table.columns, field, variant) !== undefined) fields.delete(id)
        if (fields.size > 0) await warehouse.changes.hold(ref, spec, fields, policy === 'capture' ? 'captured' : 'pending')
        if (fields.size > 0 && policy === 'freeze') throw frozen(ref, fields)
        for (const id of fields.keys()) held.add(id)
      }
      hasOverflowed ||= encoder.hasOverflowed
      encoder = encoderOf()
    },
    watch(records) {
      watched += records.length
      for (const field of absent) if (records.some((record) => record[field] !== undefined)) absent.delete(field)
      if (records.length > 0) for (const field of absent) if (stream.fields[field]?.required) throw missed(ref, field, records.length)
    },
    async finish() {
      const carried = Object.keys(spec.fields).filter((field) => !absent.has(field))
      if (watched > 0) await warehouse.changes.seen(ref, spec, carried, watched >= tellingRecords ? [...absent] : [])
      if (hasOverflowed || encoder.hasOverflowed) await warehouse.changes.note(ref, spec, 'row_overflow', [''])
    },
  }
}

function frozen({ sync, stream }: StreamRef, fields: Missing): Failure {
  const named = [...fields.values()].map(({ field, variant, type }) =>
    variant === undefined ? `"${field.slice(0, 100)}" (${type})` : takenName({ field: field.slice(0, 100), variant }),
  )
  const shown = named.length > 5 ? `${named.slice(0, 5).join(', ')} and ${named.length - 5} more` : named.join(', ')
  return new Failure(
    'schema',
    `${sync}/${stream} has fields that its table has no column for: ${shown}. on_schema_change is freeze, so the stream stopped before loading them. See them with: weir changes list ${sync} --stream ${stream}; then weir changes approve them and run again, or change the policy.`,
    { sync, stream },
  )
}

function missed({ sync, stream }: StreamRef, field: string, records: number): Failure {
  return new Failure(
    'schema',
    `The vendor no longer sends "${field}", which ${sync}/${stream} cannot be read without: it is in none of ${records} records.`,
    { sync, stream },
  )
}
