import type { Definition } from '../../src/core/definition.js'
import { Failure } from '../../src/core/failure.js'
import type { Stream } from '../../src/core/types.js'
import type { Connected, ConnectOptions, Deps } from '../deps.js'

/** A stored definition, its stream, and a client for its vendor. @throws Failure `config` where the connector has no such stream */
export async function openStream(
  deps: Deps,
  hash: string,
  name: string,
  signal: AbortSignal,
  options?: ConnectOptions,
): Promise<Connected & { definition: Definition; stream: Stream }> {
  const definition = await deps.warehouse.definitions.get(hash)
  const connected = await deps.connect(definition, signal, options)
  const stream = connected.source.streams[name]
  if (!stream) throw new Failure('config', `${definition.connection.type} has no stream ${name}.`, { sync: definition.sync, stream: name })
  return { ...connected, definition, stream }
}
