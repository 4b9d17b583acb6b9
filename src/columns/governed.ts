import type { ColumnActions, Definition, StreamSettings } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { Fields, Rec, Source, Stream } from '../core/types.js'
import { rawField } from '../schema/names.js'
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
 * it. Its `record` may be given what it gave before (a row's raw record, a dead letter): that changes nothing but what a newer
 * policy asks for. Without policy and raw records it is the stream itself.
 */
export function governed(stream: Stream, { columns = {}, raw }: StreamSettings, hasher: Hasher | undefined): Stream {
  const keepsRaw = raw === 'keep'
  if (Object.keys(columns).length === 0 && !keepsRaw) return stream
  const hashes = Object.values(columns).includes('hash')
  if (hashes && !hasher) return refused(stream)
  const policy = compilePolicy(columns, hasher)
  const { discover } = stream
  const withRaw = (record: Rec): Rec => {
    const { [rawField]: _, ...read } = record
    return { ...read, [rawField]: read }
  }
  return {
    ...stream,
    ...(discover ? { discover: async (http) => policy.fields(await discover(http)) } : {}),
    ...(hashes && hasher ? { hashed: { by: hasher.fingerprint, keyFields: hashedKeys(stream, columns) } } : {}),
    fields: { ...policy.fields(stream.fields), ...(keepsRaw ? rawFields : {}) },
    record: keepsRaw ? (record) => withRaw(policy.record(stream.record(record))) : (record) => policy.record(stream.record(record)),
    passes: keepsRaw ? mapFirst(stream.passes, withoutRawField) : stream.passes,
  }
}

/** From a record that is flat already, and after a policy, to what the policy of today makes of it. */
export const governedFlat = (stream: Stream, settings: StreamSettings, hasher: Hasher | undefined): Stream =>
  governed({ ...stream, record: (record) => record }, settings, hasher)

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
