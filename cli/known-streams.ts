import { registry } from '../connectors/registry.js'
import type { Definition } from '../src/core/definition.js'
import { startOf } from '../src/engine/plan-slices.js'
import type { KnownStreams } from '../src/state/judge.js'

/** What the connector says of the streams that a sync reads. */
export async function knownStreams({ connection, streams }: Definition, now: Date): Promise<KnownStreams> {
  const { source } = await registry[connection.type]!()
  return new Map(
    Object.entries(streams).map(([name, settings]) => [
      name,
      {
        passes: new Map(source.streams[name]!.passes.map((pass) => [pass.name, pass.slicing.by])),
        start: startOf(settings.start, now),
      },
    ]),
  )
}
