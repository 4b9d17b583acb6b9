import type { StreamSettings } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { Source } from '../core/types.js'

/**
 * A source with the streams that a definition's user made beside its own: whoever looks a stream up by name looks here.
 * @throws Failure `config` where the connector makes no streams of that kind, or not of these keys
 */
export function withCustom(source: Source, streams: Readonly<Record<string, StreamSettings>>): Source {
  const made = Object.entries(streams).flatMap(([name, { custom }]) => {
    if (custom === undefined) return []
    if (!source.custom)
      throw new Failure('config', `${source.type} takes no streams of your own, such as ${name}: this worker is older than the definition.`)
    return [[name, source.custom(name, { ...custom })] as const]
  })
  return made.length === 0 ? source : { ...source, streams: { ...source.streams, ...Object.fromEntries(made) } }
}
