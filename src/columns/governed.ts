import type { ColumnActions, Definition, StreamSettings } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { Source, Stream } from '../core/types.js'
import type { Hasher } from './hash.js'
import { compilePolicy } from './policy.js'

/** A source as a definition lets it be seen: every stream with its column policy, and with its raw records where they are kept. */
export function governedSource(source: Source, definition: Definition, hasher: Hasher | undefined): Source {
  const streams = Object.entries(source.streams).map(([name, stream]) => {
    const settings = definition.streams[name] ?? (definition.columns ? { columns: definition.columns } : {})
    return [name, governed(stream, settings, hasher)] as const
  })
  return { ...source, streams: Object.fromEntries(streams) }
}

/**
 * A stream whose records and fields have the policy applied before anybody sees them, so that nothing behind it need know of
 * it. Without policy and raw records it is the stream itself.
 */
export function governed(stream: Stream, { columns = {}, raw }: StreamSettings, hasher: Hasher | undefined): Stream {
  if (Object.keys(columns).length === 0 && raw !== 'keep') return stream
  const hashes = Object.values(columns).includes('hash')
  if (hashes && !hasher) return refused(stream)
  const policy = Object.keys(columns).length === 0 ? undefined : compilePolicy(columns, hasher)
  const kept = { ...stream, ...(raw === 'keep' ? { keepsRaw: true } : {}) }
  if (!policy) return kept
  const { discover } = stream
  return {
    ...kept,
    policy,
    ...(discover ? { discover: async (http) => policy.fields(await discover(http)) } : {}),
    ...(hashes && hasher ? { hashed: { by: hasher.fingerprint, keyFields: hashedKeys(stream, columns) } } : {}),
    fields: policy.fields(stream.fields),
    record: (record) => policy.record(stream.record(record)),
  }
}

const hashedKeys = ({ key }: Stream, columns: ColumnActions) => key.filter((field) => columns[field] === 'hash')

/** A stream that can tell nothing: what is asked of it first, its fields, says why. */
function refused(stream: Stream): Stream {
  const refuse = (): never => {
    throw new Failure(
      'config',
      `The column policy of stream ${stream.name} hashes fields, and WEIR_KEY is not set: nothing was read. Set it to 32 random bytes in base64 (openssl rand -base64 32), the same for every worker.`,
      { stream: stream.name },
    )
  }
  return { ...stream, discover: async () => refuse(), record: refuse }
}
