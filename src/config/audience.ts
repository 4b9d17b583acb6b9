/** Models and audiences: whom to keep where. SQL files are compiled in, so that a push says exactly what it ran. */
import type * as z from 'zod'
import type {
  AudienceDefinition,
  Dependency,
  DestinationDefinition,
  FieldMap,
  FieldSource,
  IdentifierKind,
  ModelDefinition,
} from '../core/audience.js'
import type { ConnectionDefinition, Definition, Schedule } from '../core/definition.js'
import { compileAlerts } from './alerts.js'
import { audience as audienceKeys, destinationShape, model as modelKeys } from './audience-schema.js'
import { nearOrAll, shown } from './errors.js'
import { complain, complainOfKey, type Judged, parseAt } from './issues.js'
import { nameProblem } from './names.js'
import { compileModelQuality } from './quality.js'
import type { Look } from './references.js'
import { compileAfter, compileSchedule } from './schedule.js'
import { type alertTarget, keys } from './schema.js'
import { find, keysOf, type Path, textAt } from './tree.js'
import type { Vendor, VendorDestination } from './vendors.js'

/** When an audience is pushed by itself: by the clock, or after syncs; by neither, where it is pushed by hand. */
export interface PushTimes {
  schedule?: Schedule
  after: readonly string[]
}

export interface CompiledAudience extends PushTimes {
  definition: AudienceDefinition
}

export interface AudienceInput {
  judged: Judged
  project: string
  look: Look
  /** Whom to tell, where the audience does not say. */
  alerts: readonly z.output<typeof alertTarget>[]
  /** Of schedules that name none. */
  timezone: string
  /** By name; undefined for one that is wrong, which is reported already. */
  connections: ReadonlyMap<string, { definition: ConnectionDefinition; vendor: Vendor } | undefined>
  /** Those that are right. */
  syncs: ReadonlyMap<string, { definition: Definition }>
  /** What a file holds that stands at `path`; undefined where it cannot be read, which is then reported. */
  readText: (path: Path, name: string) => string | undefined
}

/** A model, and whose tables it reads. */
export interface CompiledModel {
  definition: ModelDefinition
  dependsOn: readonly Dependency[]
}
type Models = ReadonlyMap<string, CompiledModel | undefined>

export function compileModels(input: AudienceInput): Models {
  const { judged } = input
  return new Map(
    keysOf(find(judged.tree, ['models'])).map((name) => {
      const dependsOn = compileDependencies(input, ['models', name, 'depends_on'])
      const definition = compileModel(judged, name, input.readText)
      return [name, definition && { definition, dependsOn }]
    }),
  )
}

/** `sync/NAME` or `sync/NAME/STREAM`, each of which there is. */
function compileDependencies({ judged, syncs }: AudienceInput, path: Path): Dependency[] {
  const node = find(judged.tree, path)
  const known = keysOf(find(judged.tree, ['syncs']))
  return (node?.kind === 'list' ? node.items : []).flatMap((_, index): Dependency[] => {
    const at = [...path, String(index)]
    const text = textAt(judged.tree, at)
    if (text === undefined) return []
    const [kind, sync = '', stream, ...rest] = text.split('/')
    if (kind !== 'sync' || sync === '' || stream === '' || rest.length > 0) {
      complain(judged, at, `expected sync/NAME or sync/NAME/STREAM, found ${shown(text)}`)
      return []
    }
    if (!known.includes(sync)) {
      complain(judged, at, `no sync ${shown(sync)}`, nearOrAll(sync, known, 'syncs'))
      return []
    }
    const streams = Object.keys(syncs.get(sync)?.definition.streams ?? {})
    if (stream !== undefined && streams.length > 0 && !streams.includes(stream))
      complain(judged, at, `sync ${shown(sync)} reads no stream ${shown(stream)}`, nearOrAll(stream, streams, 'streams'))
    return [{ sync, ...(stream === undefined ? {} : { stream }) }]
  })
}

function compileModel(judged: Judged, name: string, readText: AudienceInput['readText']): ModelDefinition | undefined {
  const path = ['models', name]
  const problem = nameProblem(name)
  if (problem !== undefined) complainOfKey(judged, path, problem)
  const given = parseAt(modelKeys, judged, path)
  if (!given || problem !== undefined) return undefined
  const ways = (['sql', 'sql_file', 'table'] as const).filter((way) => given[way] !== undefined)
  if (ways.length !== 1) {
    complainOfKey(
      judged,
      path,
      ways.length === 0 ? 'a model has one of sql, sql_file, table' : `${ways.join(' and ')} are given`,
      'keep one of them',
    )
    return undefined
  }
  const sql =
    given.table === undefined
      ? (given.sql ?? readText([...path, 'sql_file'], given.sql_file!))
      : tableSql(judged, [...path, 'table'], given.table)
  if (sql === undefined) return undefined
  const start = /^\s*(?:--[^\n]*\n\s*|\/\*[\s\S]*?\*\/\s*)*(select|with|values|table)\b/i
  if (!start.test(sql)) {
    complain(judged, [...path, ways[0]!], 'a model is one SELECT', 'it begins with SELECT or WITH')
    return undefined
  }
  const quality = compileModelQuality(judged, [...path, 'quality'])
  return { name, sql: sql.trim().replace(/;\s*$/, ''), key: given.key, ...(quality.length > 0 ? { quality } : {}) }
}

function tableSql(judged: Judged, path: Path, table: string): string | undefined {
  const parts = table.split('.')
  if (parts.length > 2 || parts.some((part) => part === '' || part.includes('"'))) {
    complain(judged, path, `expected a table such as crm.people, found ${shown(table)}`)
    return undefined
  }
  return `SELECT * FROM ${parts.map((part) => `"${part}"`).join('.')}`
}

const granted = ['granted', 'true']
const refused = ['denied', 'refused', 'withdrawn', 'revoked', 'false']
const expiresMs = 48 * 3_600_000

export function compileAudience(input: AudienceInput, name: string, models: Models): CompiledAudience | undefined {
  const { judged, project } = input
  const path = ['audiences', name]
  const problem = nameProblem(name)
  if (problem !== undefined) complainOfKey(judged, path, problem)
  const given = parseAt(audienceKeys, judged, path)
  const named = (at: Path): CompiledModel | undefined => {
    const wanted = textAt(judged.tree, at)
    if (wanted !== undefined && !models.has(wanted))
      complain(judged, at, `no model ${shown(wanted)}`, nearOrAll(wanted, [...models.keys()], 'models'))
    return wanted === undefined ? undefined : models.get(wanted)
  }
  const model = named([...path, 'model'])
  const destinations = compileDestinations(input, [...path, 'destinations'], given?.identity ?? {})
  const suppress = (given?.suppress ?? []).map(({ by = 'key' }, at) => ({ model: named([...path, 'suppress', String(at), 'model']), by }))
  for (const [at, { by }] of suppress.entries())
    if (by !== 'key' && given?.identity[by] === undefined)
      complain(judged, [...path, 'suppress', String(at), 'by'], `the audience has no identity.${by} to compare with`)
  const after = compileAfter(judged, path)
  const schedule = compileSchedule(judged, path, given, input.timezone)
  const dependsOn = together([
    ...(after ?? []).map((sync) => ({ sync })),
    ...[model, ...suppress.map((one) => one.model)].flatMap((one) => one?.dependsOn ?? []),
  ])
  const { max_staleness: staleness, max_rejected: rejected } = given ?? {}
  const alerts = given?.alerts
    ? compileAlerts(judged, [...path, 'alerts'], given.alerts, input.look)
    : compileAlerts(judged, ['defaults', 'alerts'], input.alerts, input.look)
  if (staleness && model && dependsOn.length === 0)
    complain(
      judged,
      [...path, 'max_staleness'],
      'nothing says what it depends on',
      'name syncs in "depends_on" of its model, or in "after"',
    )
  if (!given || !model || !destinations || problem !== undefined || suppress.some((one) => !one.model)) return undefined
  const { default_country, hashed, ...columns } = given.identity
  const definition: AudienceDefinition = {
    version: 1,
    project,
    audience: name,
    model: model.definition,
    identity: columns as AudienceDefinition['identity'],
    ...(default_country === undefined ? {} : { defaultCountry: default_country }),
    hashed: hashed ?? [],
    ...(given.consent
      ? { consent: { column: given.consent.column, granted: given.consent.require ?? granted, refused: given.consent.refused ?? refused } }
      : {}),
    suppress: suppress.map(({ model: list, by }) => ({ model: list!.definition, by })),
    gates: {
      minSize: given.gates?.min_size ?? 1,
      ...(given.gates?.max_add ? { maxAdd: given.gates.max_add } : {}),
      maxRemove: given.gates?.max_remove ?? { percent: 50 },
      otherwise: given.gates?.otherwise ?? 'ask',
    },
    approval: { when: given.approval?.when ?? [], by: given.approval?.by ?? [], expiresMs: given.approval?.expires ?? expiresMs },
    ...(given.holdout === undefined ? {} : { holdoutPercent: given.holdout }),
    destinations,
    ...(dependsOn.length > 0 ? { dependsOn } : {}),
    ...(alerts.length > 0 ? { alerts } : {}),
    ...(rejected === undefined ? {} : { maxRejectedPercent: rejected }),
    ...(staleness ? { maxStaleness: { ageMs: staleness.max, otherwise: staleness.otherwise ?? 'hold' } } : {}),
  }
  return { definition, ...(schedule ? { schedule } : {}), after: after ?? [] }
}

/** Each once; a stream is left out where its whole sync is named. */
function together(all: readonly Dependency[]): Dependency[] {
  const whole = new Set(all.flatMap(({ sync, stream }) => (stream === undefined ? [sync] : [])))
  const byName = new Map(
    all
      .filter(({ sync, stream }) => stream === undefined || !whole.has(sync))
      .map((one) => [`${one.sync}/${one.stream ?? ''}`, one] as const),
  )
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}

function compileDestinations(
  input: AudienceInput,
  path: Path,
  identity: Record<string, unknown>,
): Record<string, DestinationDefinition> | undefined {
  const names = keysOf(find(input.judged.tree, path))
  if (names.length === 0) {
    complain(input.judged, path, 'an audience goes to at least one destination')
    return undefined
  }
  const made = names.map((name) => [name, compileDestination(input, [...path, name], identity)] as const)
  return made.every(([, one]) => one) ? (Object.fromEntries(made) as Record<string, DestinationDefinition>) : undefined
}

function compileDestination(
  { judged, connections }: AudienceInput,
  path: Path,
  identity: Record<string, unknown>,
): DestinationDefinition | undefined {
  const name = path.at(-1)!
  const problem = nameProblem(name)
  if (problem !== undefined) complainOfKey(judged, path, problem)
  const from = textAt(judged.tree, [...path, 'connection'])
  if (from !== undefined && !connections.has(from))
    complain(judged, [...path, 'connection'], `no connection ${shown(from)}`, nearOrAll(from, [...connections.keys()], 'connections'))
  const connection = from === undefined ? undefined : connections.get(from)
  const offered: Readonly<Record<string, VendorDestination>> = connection?.vendor.destinations ?? {}
  const given = keysOf(find(judged.tree, path))
  const kind = given.find((key) => Object.hasOwn(offered, key))
  if (connection && kind === undefined) {
    const all = Object.keys(offered)
    const hint = all.length === 0 ? undefined : `it takes one of ${all.map(shown).join(', ')}`
    complainOfKey(
      judged,
      path,
      all.length === 0 ? `${connection.vendor.title} takes no audiences` : 'nothing says where the people go',
      hint,
    )
    return undefined
  }
  const vendor = kind === undefined ? undefined : offered[kind]
  const own = vendor?.keys?.shape ?? {}
  const common = parseAt(
    keys({ ...destinationShape, ...(kind === undefined ? {} : { [kind]: destinationShape.connection }), ...own }),
    judged,
    path,
  )
  if (!common || !connection || !vendor || kind === undefined || problem !== undefined) return undefined
  const mode = common.mode ?? vendor.modes[0]!
  if (!vendor.modes.includes(mode))
    complain(judged, [...path, 'mode'], `${kind} has no mode ${shown(mode)}`, `it has ${vendor.modes.join(', ')}`)
  if (common.map !== undefined && !vendor.takesFields)
    complain(judged, [...path, 'map'], `${kind} takes people and no fields`, 'leave "map" out')
  const has = (one: IdentifierKind) => identity[one] !== undefined || (one === 'country' && identity.default_country !== undefined)
  if (!vendor.needs.some((set) => set.every(has))) {
    const wanted = vendor.needs.map((set) => set.join(' + ')).join(', or ')
    complainOfKey(judged, path, `${kind} knows people by ${wanted}`, 'name such columns in "identity"')
  }
  const settings = Object.fromEntries(Object.entries(common).filter(([key]) => Object.hasOwn(own, key)))
  const map = common.map === undefined ? {} : compileMap(judged, [...path, 'map'], common.map)
  if (!map) return undefined
  return {
    connection: connection.definition,
    kind,
    target: String((common as Record<string, unknown>)[kind]),
    create: common.create ?? false,
    mode,
    map,
    settings,
  }
}

const forms = ['text', 'number', 'boolean', 'date', 'list'] as const

/** Text is a column; `{ column, as }` a column in a form, `{ value }` a constant, any other map fields within a field. */
function compileMap(judged: Judged, path: Path, given: Record<string, unknown>): FieldMap | undefined {
  const fields: Record<string, FieldSource | FieldMap> = {}
  let isRight = true
  for (const [field, source] of Object.entries(given)) {
    const at = [...path, field]
    const made = typeof source === 'string' ? { column: source } : sourceOf(judged, at, source)
    if (made) fields[field] = made
    else isRight = false
  }
  return isRight ? fields : undefined
}

function sourceOf(judged: Judged, path: Path, source: unknown): FieldSource | FieldMap | undefined {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    complain(judged, path, 'expected a column of the model', 'a constant is written { value: … }')
    return undefined
  }
  const given = source as Record<string, unknown>
  if ('value' in given && Object.keys(given).length === 1) return { value: given.value }
  if (typeof given.column !== 'string' || Object.keys(given).some((key) => key !== 'column' && key !== 'as'))
    return compileMap(judged, path, given)
  if (given.as === undefined) return { column: given.column }
  const as = forms.find((form) => form === given.as)
  if (as !== undefined) return { column: given.column, as }
  complain(judged, [...path, 'as'], `expected ${forms.join(', ')}`)
  return undefined
}
