import type { Definition } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { Fields, Stream, SyncMode } from '../core/types.js'
import type { TableSpec, Warehouse } from '../warehouse/driver.js'

/** The mode that a sync reads a stream in. */
export const modeOf = (definition: Definition, stream: Stream): SyncMode => definition.streams[stream.name]?.mode ?? stream.mode

/** How many slices of a stream are read at once. */
export const lanesOf = (definition: Definition, stream: Stream): number => definition.streams[stream.name]?.parallel ?? stream.parallel

/** The table that a stream of a sync goes to. `discovered` are the fields that the vendor named beside the declared ones. */
export function tableSpec(definition: Definition, stream: Stream, discovered: Fields = {}): TableSpec {
  const mode = modeOf(definition, stream)
  if (!stream.modes.includes(mode)) {
    throw new Failure('config', `Stream ${stream.name} cannot be read in mode ${mode}; it allows ${stream.modes.join(', ')}.`, {
      sync: definition.sync,
      stream: stream.name,
    })
  }
  return {
    schema: definition.schema,
    table: stream.name,
    key: stream.key,
    mode,
    fields: { ...discovered, ...stream.fields },
    ...(stream.cursor ? { cursor: stream.cursor.field } : {}),
    ...(stream.bounds ? { bounds: stream.bounds } : {}),
    ...(stream.deletedAt ? { deletedAt: stream.deletedAt } : {}),
    ...(stream.keepsRaw ? { keepsRaw: true } : {}),
    ...(stream.hashed ? { hashed: stream.hashed } : {}),
  }
}

/** The same with the fields that the vendor named at the last run, for all that does not ask it now; the policy of today is laid over them. */
export async function knownTableSpec(warehouse: Warehouse, definition: Definition, stream: Stream): Promise<TableSpec> {
  const known = stream.discover ? await warehouse.catalogs.get({ sync: definition.sync, stream: stream.name }) : {}
  return tableSpec(definition, stream, stream.policy?.fields(known) ?? known)
}
