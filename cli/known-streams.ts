import { registry } from '../connectors/registry.js'
import type { Definition } from '../src/core/definition.js'
import type { Source } from '../src/core/types.js'
import { startOf } from '../src/engine/plan-slices.js'
import { withCustom } from '../src/extract/custom.js'
import { type KnownStreams, readingOf } from '../src/state/judge.js'

/** The source of a sync, with the streams that its user defined; for names and forms, never for a call. */
export const sourceOf = async ({ connection, streams }: Definition): Promise<Source> =>
  withCustom((await registry[connection.type]!()).source, streams)

/** What the connector says of the streams that a sync reads. */
export async function knownStreams(definition: Definition, now: Date): Promise<KnownStreams> {
  const source = await sourceOf(definition)
  return new Map(
    Object.entries(definition.streams).map(([name, settings]) => [
      name,
      {
        passes: new Map(source.streams[name]!.passes.map((pass) => [pass.name, readingOf(pass.slicing)])),
        start: startOf(settings.start, now),
      },
    ]),
  )
}
