import { registry } from '../connectors/registry.js'
import type { Definition } from '../src/core/definition.js'
import { startOf } from '../src/engine/plan-slices.js'
import { withCustom } from '../src/extract/custom.js'
import { type KnownStreams, readingOf } from '../src/state/judge.js'

/** What the connector says of the streams that a sync reads. */
export async function knownStreams({ connection, streams }: Definition, now: Date): Promise<KnownStreams> {
  const source = withCustom((await registry[connection.type]!()).source, streams)
  return new Map(
    Object.entries(streams).map(([name, settings]) => [
      name,
      {
        passes: new Map(source.streams[name]!.passes.map((pass) => [pass.name, readingOf(pass.slicing)])),
        start: startOf(settings.start, now),
      },
    ]),
  )
}
