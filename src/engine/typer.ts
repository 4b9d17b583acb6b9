import type { Missing } from '../schema/encode.js'
import { RowEncoder } from '../schema/encode.js'
import type { OpenTable, StreamRef, TableSpec, Warehouse } from '../warehouse/driver.js'
import type { Typer } from './batch.js'

/** Opens the table of a stream, making it if need be, with the encoder that fits it. */
export async function openTyper(warehouse: Warehouse, { sync, stream, run }: StreamRef & { run: string }, spec: TableSpec): Promise<Typer> {
  const ref = { sync, stream, run }
  let table = await warehouse.tables.open(ref, spec)
  let encoder = encoderOf(table)
  return {
    spec,
    get table() {
      return table
    },
    get encoder() {
      return encoder
    },
    async extend(missing: Missing) {
      table = await warehouse.tables.addColumns(ref, table, missing)
      encoder = encoderOf(table)
    },
  }
}

/** A full table takes no more columns: what has none goes to `_weir_extra`. */
function encoderOf(table: OpenTable): RowEncoder {
  const known = new Set(table.columns.map(({ field }) => field))
  return new RowEncoder(table.columns, (field) => table.isFull && !known.has(field))
}
