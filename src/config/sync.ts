/** One sync: its connection, its streams, and what cascades to them: built-in → defaults → connection → sync → stream. */
import type * as z from 'zod'
import type { DeadLetterSettings, Definition, Schedule, StreamSettings } from '../core/definition.js'
import { compileAlerts, compileFreshness } from './alerts.js'
import { merged, type Reached, streamColumns } from './columns.js'
import type { CompiledConnection } from './connection.js'
import { type CustomStream, compileCustom } from './custom.js'
import { nearOrAll, placeText, shown } from './errors.js'
import { complain, complainOfKey, type Judged, parseAt } from './issues.js'
import { nameProblem, schemaProblem } from './names.js'
import { compileQuality } from './quality.js'
import type { Look } from './references.js'
import { compileAfter, compileSchedule } from './schedule.js'
import { type defaults as defaultsKeys, stream as streamKeys, streamWith, sync as syncKeys } from './schema.js'
import { find, isMissing, keysOf, type Path, spotOf, textAt } from './tree.js'
import { instant, relativeDays } from './units.js'
import type { Vendor, VendorStream } from './vendors.js'

export interface SyncInput {
  judged: Judged
  name: string
  project: string
  defaults: z.output<typeof defaultsKeys>
  /** Undefined for one that is wrong, which is reported already. */
  connections: ReadonlyMap<string, CompiledConnection | undefined>
  now: Date
  look: Look
  /** Column rules met so far, and what they were found to mean. */
  reached: Reached
}

export interface CompiledSync {
  definition: Definition
  schedule?: Schedule
  /** Names of the syncs after which it runs, where it does not run by the clock. */
  after?: string[]
  /** Setting → where its value comes from. */
  origins: Record<string, string>
}

type Cascading = Partial<Omit<z.output<typeof defaultsKeys>, 'every' | 'schedule'>>
/** One step of the cascade: what is given, and where. */
interface Layer {
  path: Path
  given: Cascading
}

const builtIn = { timezone: 'UTC', concurrency: 4, deadLetters: { maxRows: 1000, maxPercent: 0.5 } }

export function compileSync(input: SyncInput): CompiledSync | undefined {
  const { judged, name, project, defaults, connections } = input
  const path = ['syncs', name]
  const problem = nameProblem(name)
  if (problem !== undefined) complainOfKey(judged, path, problem)
  const node = find(judged.tree, path)
  if (node?.kind !== 'map') {
    complain(judged, path, 'expected a map of keys', 'a sync has at least "from", the name of a connection')
    return undefined
  }
  const given = parseAt(syncKeys, judged, path)
  const from = textAt(judged.tree, [...path, 'from'])
  if (from !== undefined && !connections.has(from) && find(judged.tree, ['connections'])?.kind === 'map') {
    complain(judged, [...path, 'from'], `no connection ${shown(from)}`, nearOrAll(from, [...connections.keys()], 'connections'))
  }
  const connection = from === undefined ? undefined : connections.get(from)
  const schema = textAt(judged.tree, [...path, 'schema']) ?? name
  const wrong = schemaProblem(schema)
  if (wrong !== undefined && problem === undefined)
    complain(judged, find(judged.tree, [...path, 'schema']) ? [...path, 'schema'] : path, wrong)

  const layers: Layer[] = [
    { path: ['defaults'], given: defaults },
    { path: ['connections', from ?? ''], given: connection?.given ?? {} },
    { path, given: given ?? {} },
  ]
  const origins: Record<string, string> = {}
  for (const key of ['from', 'schema']) origins[key] = find(judged.tree, [...path, key]) ? placeOf(judged, [...path, key]) : 'built-in'
  const connectionAt = ['connections', from ?? '']
  for (const key of keysOf(find(judged.tree, connectionAt))) origins[`connection.${key}`] = placeOf(judged, [...connectionAt, key])
  const note = <T>(setting: string, value: { value: T; path: Path | undefined }): T => {
    origins[setting] = value.path === undefined ? 'built-in' : placeOf(judged, value.path)
    return value.value
  }
  const timezone = note('timezone', pick(layers, 'timezone', builtIn.timezone))
  const concurrency = note('concurrency', pick(layers, 'concurrency', builtIn.concurrency))
  const deadLetters = {
    ...builtIn.deadLetters,
    ...deadLetterSettings(layers, (key, at) => {
      origins[`dead_letters.${key}`] = at === undefined ? 'built-in' : placeOf(judged, at)
    }),
  }
  const alerts = pick(layers, 'alerts', [])
  note('alerts', alerts)
  const targets = alerts.path ? compileAlerts(judged, alerts.path, alerts.value, input.look) : []
  const fresh = pick(layers, 'freshness', undefined)
  note('freshness', fresh)
  const freshness = fresh.path && fresh.value ? compileFreshness(judged, fresh.path, fresh.value) : undefined
  const after = compileAfter(judged, path)
  const own = compileSchedule(judged, path, given, timezone)
  const schedule = own ?? (after ? undefined : compileSchedule(judged, ['defaults'], defaults, timezone))
  const whenOf = (layer: Path) => ['every', 'schedule'].map((key) => [...layer, key]).find((at) => find(judged.tree, at))
  const when = after ? [...path, 'after'] : (whenOf(path) ?? whenOf(['defaults']))
  if (when) origins[when.at(-1)!] = placeOf(judged, when)
  const streams = compileStreams(input, path, connection?.vendor, layers, timezone, origins)
  if (!given || !connection || !streams || from === undefined) return undefined
  return {
    definition: {
      version: 1,
      project,
      sync: name,
      schema,
      connection: connection.definition,
      streams,
      ...merged(layers),
      deadLetters,
      ...(targets.length > 0 ? { alerts: targets } : {}),
      ...(freshness ? { freshness } : {}),
      concurrency,
      timezone,
    },
    ...(schedule ? { schedule } : {}),
    ...(after ? { after } : {}),
    origins,
  }
}

const placeOf = (judged: Judged, path: Path): string => placeText(spotOf(judged.tree, path))

/** The innermost layer's word, or the built-in one. */
function pick<G extends object, K extends keyof G, D>(
  layers: readonly { path: Path; given: G }[],
  key: K,
  builtInValue: D,
): { value: NonNullable<G[K]> | D; path: Path | undefined } {
  const layer = layers.findLast(({ given }) => given[key] !== undefined)
  return layer
    ? { value: layer.given[key] as NonNullable<G[K]>, path: [...layer.path, String(key)] }
    : { value: builtInValue, path: undefined }
}

/** Keys of `dead_letters`, and what they are called in a definition. */
export const deadLetterKeys = { max_rows: 'maxRows', max_percent: 'maxPercent', retention: 'retentionMs', encrypt: 'encrypt' } as const

/** What the layers say of dead letters, key by key; `note` hears where each key comes from. */
function deadLetterSettings(layers: readonly Layer[], note: (key: string, path: Path | undefined) => void): Partial<DeadLetterSettings> {
  const dead = layers.map(({ path, given }) => ({ path: [...path, 'dead_letters'], given: given.dead_letters ?? {} }))
  const settings: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(deadLetterKeys)) {
    const picked = pick(dead, key as keyof typeof deadLetterKeys, undefined)
    note(key, picked.path)
    if (picked.value !== undefined) settings[setting] = picked.value
  }
  return settings
}

/** Exactly what is read. Every stream that is named must exist. */
function compileStreams(
  input: SyncInput,
  path: Path,
  vendor: Vendor | undefined,
  layers: readonly Layer[],
  timezone: string,
  origins: Record<string, string>,
): Record<string, StreamSettings> | undefined {
  const { judged } = input
  const base = [...path, 'streams']
  const node = find(judged.tree, base)
  const named = keysOf(node)
  if (node?.kind === 'map' && named.length === 0) complain(judged, base, 'no stream is named', 'leave "streams" out for the default set')
  const isKnown = (name: string) => name === '*' || !vendor || Object.hasOwn(vendor.streams, name)
  const parsed = new Map(named.map((name) => [name, parseStream(judged, [...base, name], isKnown(name) ? undefined : vendor?.custom)]))
  if (!vendor) return undefined

  const own = new Map<string, CustomStream>()
  for (const name of named.filter((one) => !isKnown(one))) {
    const custom = compileCustom(judged, [...base, name], vendor)
    if (custom) own.set(name, custom)
  }
  const streams = { ...vendor.streams, ...Object.fromEntries([...own].map(([name, { stream }]) => [name, stream])) }
  const all = node?.kind !== 'map' || parsed.has('*')
  const result: Record<string, StreamSettings> = {}
  for (const [name, stream] of Object.entries(streams)) {
    if (!parsed.has(name) && !(all && stream.isDefault)) continue
    const custom = own.get(name)?.given
    for (const key of Object.keys(custom ?? {})) origins[`streams.${name}.${key}`] = placeOf(judged, [...base, name, key])
    const star: Layer[] = parsed.has('*') ? [{ path: [...base, '*'], given: parsed.get('*') ?? {} }] : []
    const written = parsed.get(name) ?? {}
    const settings = streamSettings(input, name, stream, [...layers, ...star, { path: [...base, name], given: written }], timezone, origins)
    if (written.mode !== undefined && !(stream.modes as readonly string[]).includes(written.mode)) {
      const at = [...base, name, 'mode']
      complain(judged, at, `stream ${shown(name)} has no mode ${shown(written.mode)}`, nearOrAll(written.mode, stream.modes, 'modes'))
    }
    const mode = (written.mode as StreamSettings['mode']) ?? stream.mode
    const checked = [['defaults'], path, ...(parsed.has('*') ? [[...base, '*']] : []), [...base, name]]
    const isPart = settings.start !== undefined
    const quality = compileQuality({ judged, name, stream, mode, isPart, layers: checked })
    if (quality) origins[`streams.${name}.quality`] = placeOf(judged, quality.path)
    const deadLetters = deadLetterSettings([...star, { path: [...base, name], given: written }], (key, at) => {
      if (at !== undefined) origins[`streams.${name}.dead_letters.${key}`] = placeOf(judged, at)
    })
    const differing = Object.keys(deadLetters).length > 0 ? { deadLetters } : {}
    const fresh = pick([...star, { path: [...base, name], given: written }], 'freshness', undefined)
    if (fresh.path) origins[`streams.${name}.freshness`] = placeOf(judged, fresh.path)
    const freshness = fresh.path && fresh.value ? (compileFreshness(judged, fresh.path, fresh.value) ?? 'off') : undefined
    result[name] = {
      mode,
      ...(custom ? { custom } : {}),
      ...settings,
      ...differing,
      ...(freshness ? { freshness } : {}),
      ...(quality && quality.checks.length > 0 ? { quality: quality.checks } : {}),
    }
    origins[`streams.${name}.mode`] = written.mode === undefined ? 'connector' : placeOf(judged, [...base, name, 'mode'])
  }
  if (parsed.get('*')?.mode !== undefined) complain(judged, [...base, '*', 'mode'], 'a mode is given to a stream by its name', 'not to "*"')
  return result
}

/** A stream without settings may stand as `events:` or `events: {}`. */
function parseStream(judged: Judged, path: Path, custom: Vendor['custom']): z.output<typeof streamKeys> | undefined {
  const node = find(judged.tree, path)
  if (node?.kind === 'scalar' && node.value === null) return {}
  return parseAt(custom ? streamWith(Object.keys(custom.keys.shape)) : streamKeys, judged, path)
}

function streamSettings(
  { judged, now, reached }: SyncInput,
  name: string,
  stream: VendorStream,
  layers: readonly Layer[],
  timezone: string,
  origins: Record<string, string>,
): Omit<StreamSettings, 'mode'> {
  const settings: Omit<StreamSettings, 'mode'> = {}
  /** What is given for a key, if anything; where it stands is noted. */
  const taken = <K extends keyof Cascading>(key: K): { value: NonNullable<Cascading[K]>; path: Path } | undefined => {
    const { value, path } = pick(layers, key, undefined)
    if (value === undefined || !path) return undefined
    origins[`streams.${name}.${key}`] = placeOf(judged, path)
    return { value, path }
  }
  const parallel = taken('parallel')
  if (parallel) settings.parallel = parallel.value
  const onSchemaChange = taken('on_schema_change')
  if (onSchemaChange) settings.onSchemaChange = onSchemaChange.value
  const maxShrink = taken('max_shrink')
  if (maxShrink) settings.maxShrinkPercent = maxShrink.value
  Object.assign(settings, streamColumns(judged, name, stream, layers, reached))
  for (const rule of Object.keys(settings.columns ?? {})) {
    const layer = layers.findLast(({ given }) => given.columns?.[rule] !== undefined)
    if (layer) origins[`streams.${name}.columns.${rule}`] = placeOf(judged, [...layer.path, 'columns', rule])
  }
  if (taken('raw')?.value === 'keep') settings.raw = 'keep'
  if (taken('deletions')?.value === 'off') settings.deletions = 'off'
  const own = layers.at(-1)
  if (!stream.hasCursor && !stream.hasRanges) {
    for (const key of ['start', 'lookback', 'slice'] as const) {
      if (own?.given[key] !== undefined)
        complain(judged, [...own.path, key], `stream ${shown(name)} has no cursor: "${key}" would do nothing`, 'leave it out')
    }
    return settings
  }
  const start = taken('start')
  if (start) Object.assign(settings, startSetting(judged, start.path, start.value, timezone, now))
  const lookback = taken('lookback')
  if (lookback) settings.lookbackMs = lookback.value
  const slice = taken('slice')
  if (slice) settings.sliceDays = slice.value / 86_400_000
  return settings
}

/** `-90d` stays relative, so that a definition's hash does not change from day to day; a date becomes an instant. */
function startSetting(judged: Judged, path: Path, text: string, timezone: string, now: Date): { start?: string } {
  if (isMissing(judged.tree, path)) return {}
  const start = relativeDays(text) ?? instant(text, timezone)
  if (start === undefined) {
    complain(judged, path, `expected a date such as 2024-01-01, or days back such as -90d, found ${shown(text)}`)
    return {}
  }
  if (!start.startsWith('-') && start > now.toISOString()) complain(judged, path, 'the start lies in the future: nothing would be read')
  return { start }
}
