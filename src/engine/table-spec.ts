import type { Definition } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { Fields, Stream, SyncMode } from '../core/types.js'
import type { TableSpec } from '../warehouse/driver.js'

/** The mode that a sync reads a stream in. */
export const modeOf = (definition: Definition, stream: Stream): SyncMode => definition.streams[stream.name]?.mode ?? stream.mode

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
    ...(stream.hashed ? { hashed: stream.hashed } : {}),
  }
}
