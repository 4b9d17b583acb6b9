/** Every setting of a sync, with its value and where that comes from. */
import type { Manifest } from '../src/config/compile.js'
import { deadLetterKeys } from '../src/config/sync.js'
import { durationText } from '../src/config/units.js'
import type { ConnectionDefinition, Definition, StreamSettings } from '../src/core/definition.js'
import { dayMs } from '../src/core/slices.js'
import type { Slicing } from '../src/core/types.js'
import { modeOf } from '../src/engine/table-spec.js'
import type { Connector } from '../src/extract/connector.js'
import { withCustom } from '../src/extract/custom.js'
import { budgetText } from './deploy/diff-definition.js'
import { whenText } from './deploy/when.js'

export interface Explained {
  setting: string
  value: string
  /** `weir.yaml:12:5`, `built-in` or `connector`. */
  origin: string
}

export interface ExplainedSync {
  sync: string
  settings: Explained[]
  streams: { stream: string; settings: Explained[] }[]
}

/** @param connector the vendor's: what it decides where nobody else does */
export function explain(manifest: Manifest, sync: string, connector: Connector, secretKeys: readonly string[]): ExplainedSync {
  const definition = manifest.syncs[sync]!
  const origins = manifest.origins[sync]!
  const { deadLetters, connection } = definition
  const when = ['every', 'schedule', 'after'].find((key) => origins[key] !== undefined)
  const schedule = manifest.schedules[sync]
  const row = (setting: string, value: unknown, otherwise = 'built-in'): Explained => ({
    setting,
    value: shown(value),
    origin: origins[setting] ?? otherwise,
  })
  const settings = [
    row('from', connection.name),
    row('schema', definition.schema),
    { ...row(when ?? 'every', ''), value: whenText({ ...(schedule ? { schedule } : {}), after: manifest.after[sync] ?? [] }) },
    row('timezone', definition.timezone),
    row('concurrency', definition.concurrency),
    row('dead_letters.max_rows', deadLetters.maxRows),
    row('dead_letters.max_percent', deadLetters.maxPercent),
    row('dead_letters.retention', deadLetters.retentionMs === undefined ? '90d for closed ones' : durationText(deadLetters.retentionMs)),
    row('dead_letters.encrypt', deadLetters.encrypt ?? false),
    ...connectionRows(connection, connector, secretKeys).map(([key, value]) => row(`connection.${key}`, value, 'connector')),
  ]
  return {
    sync,
    settings,
    streams: Object.keys(definition.streams).map((stream) => ({ stream, settings: streamRows(stream, definition, connector, origins) })),
  }
}

/** Secrets as the references that they are; a literal one, which only the sandbox may have, stays hidden. */
function connectionRows(connection: ConnectionDefinition, { api }: Connector, secretKeys: readonly string[]): [string, unknown][] {
  const { type, baseUrl, apiVersion, budget, owner, settings } = connection
  const hidden = (key: string, value: unknown) => (secretKeys.includes(key) && !/^\$\{/.test(String(value)) ? '***' : value)
  const budgets = Object.entries(api.budgets).map(
    ([name, { windows }]) => `${name}: ${windows.map(({ count, perMs }) => `${count}/${durationText(perMs)}`).join(', ')}`,
  )
  return [
    ['type', type],
    ['base_url', baseUrl ?? "the vendor's own address"],
    ['api_version', apiVersion ?? api.versions[0]?.name],
    ['budget', budget === undefined ? budgets.join('; ') : budgetText(budget)],
    ...(owner === undefined ? [] : [['owner', owner] as [string, unknown]]),
    ...Object.entries(settings).map(([key, value]): [string, unknown] => [key, hidden(key, value)]),
  ]
}

function streamRows(name: string, definition: Definition, connector: Connector, origins: Record<string, string>): Explained[] {
  const settings: StreamSettings = definition.streams[name]!
  const stream = withCustom(connector.source, definition.streams).streams[name]!
  const row = (key: string, value: unknown, otherwise: string): Explained => ({
    setting: key,
    value: shown(value),
    origin: origins[`streams.${name}.${key}`] ?? otherwise,
  })
  const time = stream.passes
    .map(({ slicing }) => slicing)
    .find((slicing): slicing is Extract<Slicing, { by: 'time' }> => slicing.by === 'time')
  const { deadLetters = {}, columns = {}, quality = [], custom = {} } = settings
  const days = settings.sliceDays ?? time?.days
  return [
    row('mode', modeOf(definition, stream), 'connector'),
    ...(time
      ? [
          row('start', settings.start ?? 'the beginning', 'built-in'),
          row('lookback', durationText(settings.lookbackMs ?? time.lookbackMs), 'connector'),
          row('slice', days === undefined ? 'the whole range' : durationText(days * dayMs), 'connector'),
        ]
      : []),
    row('parallel', settings.parallel ?? stream.parallel, 'connector'),
    row('on_schema_change', settings.onSchemaChange ?? 'evolve', 'built-in'),
    row('deletions', settings.deletions ?? 'read', 'built-in'),
    row('max_shrink', `${settings.maxShrinkPercent ?? 50}%`, 'built-in'),
    row('raw', settings.raw ?? 'off', 'built-in'),
    ...Object.entries(columns).map(([field, action]) => row(`columns.${field}`, action, 'built-in')),
    ...(quality.length > 0 ? [row('quality', `${quality.length} ${quality.length === 1 ? 'check' : 'checks'}`, 'built-in')] : []),
    ...Object.entries(custom).map(([key, value]) => row(key, value, 'built-in')),
    ...Object.entries(deadLetterKeys).flatMap(([key, setting]) => {
      const value = deadLetters[setting]
      return value === undefined ? [] : [row(`dead_letters.${key}`, key === 'retention' ? durationText(Number(value)) : value, 'built-in')]
    }),
  ]
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
