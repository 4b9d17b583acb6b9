import type { ColumnActions, Definition, StreamSettings } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { Fields, Source, Stream } from '../core/types.js'
import { rawField } from '../schema/names.js'
import type { Hasher } from './hash.js'
import { compilePolicy, type Policy } from './policy.js'

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
  const plain = compilePolicy(columns, hasher)
  const policy = raw === 'keep' ? keepingRaw(plain) : plain
  const { discover } = stream
  return {
    ...stream,
    policy,
    ...(discover ? { discover: async (http) => policy.fields(await discover(http)) } : {}),
    ...(hashes && hasher ? { hashed: { by: hasher.fingerprint, keyFields: hashedKeys(stream, columns) } } : {}),
    fields: policy.fields(stream.fields),
    record: (record) => policy.record(stream.record(record)),
    passes: raw === 'keep' ? mapFirst(stream.passes, withoutRawField) : stream.passes,
  }
}

/** The policy, and beside each record what it made of it. */
const keepingRaw = (policy: Policy): Policy => ({
  record: ({ [rawField]: _, ...record }) => {
    const read = policy.record(record)
    return { ...read, [rawField]: read }
  },
  fields: (fields) => ({ ...policy.fields(fields), ...rawFields }),
})

const rawFields: Fields = { [rawField]: { type: 'json', description: 'The record as it was read, after the column policy.' } }

const hashedKeys = ({ key }: Stream, columns: ColumnActions) => key.filter((field) => columns[field] === 'hash')

/** A vendor that must be asked for each field by name is not asked for ours. */
const withoutRawField = (pass: Stream['passes'][number]): Stream['passes'][number] => ({
  ...pass,
  read: (context) => {
    const { [rawField]: _, ...fields } = context.fields
    return pass.read({ ...context, fields })
  },
})

const mapFirst = <T>([first, ...others]: readonly [T, ...T[]], map: (item: T) => T): [T, ...T[]] => [map(first), ...others.map(map)]

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
