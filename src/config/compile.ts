/** The tree of a project → its manifest: what is deployed and run. */
import type { AudienceDefinition } from '../core/audience.js'
import type { ConnectionDefinition, Definition, Schedule } from '../core/definition.js'
import { compileAudience, compileModels, type PushTimes } from './audience.js'
import { checkReached, type Reached } from './columns.js'
import { type CompiledConnection, compileConnection } from './connection.js'
import { shown } from './errors.js'
import { complain, complainOfKey, type Judged, parseAt } from './issues.js'
import { projectNameProblem } from './names.js'
import type { Look } from './references.js'
import { checkCircles } from './schedule.js'
import { defaults as defaultsKeys, project as projectKeys } from './schema.js'
import { urlSecrets } from './secrets.js'
import { type CompiledSync, compileSync } from './sync.js'
import { find, keysOf, type Path, textAt } from './tree.js'
import type { Vendors } from './vendors.js'

export interface Manifest {
  project: string
  /** Absolute path of the project's first file; `.env` lies beside it, and paths in references are relative to its folder. */
  file: string
  /** The overlay that was selected. */
  environment?: string
  /** `url` is `embedded` for the server that `weir dev` starts. It may hold a password: never print it. */
  warehouse: { url: string }
  temporal: { address?: string; namespace: string }
  connections: Record<string, ConnectionDefinition>
  syncs: Record<string, Definition>
  audiences: Record<string, AudienceDefinition>
  /** When each sync runs by the clock. */
  schedules: Record<string, Schedule>
  /** The syncs after which each one runs. What stands neither here nor in `schedules` runs by hand. */
  after: Record<string, readonly string[]>
  /** When each audience is pushed. */
  pushes: Record<string, PushTimes>
  /** Sync → setting → `weir.yaml:12:5`, `built-in` or `connector`. */
  origins: Record<string, Record<string, string>>
  /** What people should know, though nothing is wrong. */
  notes: string[]
}

export interface Compiling {
  judged: Judged
  file: string
  vendors: Vendors
  look: Look
  now: Date
  /** What a file of the project holds, by a path as written at `path`; what is wrong is reported. */
  readText: (judged: Judged, path: Path, name: string) => string | undefined
}

/** Judges everything and reports all that is wrong; the manifest holds what was right. */
export function compile(compiling: Compiling): Manifest {
  const { judged, file, vendors, look, now, readText } = compiling
  const { tree } = judged
  // each part is parsed at its own place below, so that a fault here does not hide those there
  const given = parseAt(projectKeys, judged, [])
  const name = textAt(tree, ['name']) ?? 'weir'
  const problem = projectNameProblem(name)
  if (problem !== undefined) complain(judged, ['name'], problem)

  const connections = new Map<string, CompiledConnection | undefined>()
  for (const one of keysOf(find(tree, ['connections']))) connections.set(one, compileConnection(judged, one, vendors, look))
  const defaults = find(tree, ['defaults']) ? (parseAt(defaultsKeys, judged, ['defaults']) ?? {}) : {}
  const syncs = new Map<string, CompiledSync>()
  const reached: Reached = new Map()
  for (const one of keysOf(find(tree, ['syncs']))) {
    const sync = compileSync({ judged, name: one, project: name, defaults, connections, now, look, reached })
    if (sync) syncs.set(one, sync)
  }
  checkTables(judged, syncs)
  // What a sync that is wrong would have reached is not known.
  const isWhole = syncs.size === keysOf(find(tree, ['syncs'])).length
  const notes = isWhole ? checkReached(judged, reached) : []
  if (!find(tree, ['connections'])) complain(judged, [], '"connections" is missing', 'name at least one vendor to read from')
  if (!find(tree, ['syncs']) && !find(tree, ['audiences'])) {
    const [first = 'name'] = connections.keys()
    complain(judged, [], '"syncs" is missing', `name at least one sync, such as "${first}: { from: ${first} }"`)
  }

  const audienceInput = {
    judged,
    project: name,
    timezone: defaults.timezone ?? 'UTC',
    look,
    alerts: defaults.alerts ?? [],
    connections,
    syncs,
    readText: (path: Path, given: string) => readText(judged, path, given),
  }
  const models = compileModels(audienceInput)
  const audiences = keysOf(find(tree, ['audiences'])).flatMap((one) => {
    const audience = compileAudience(audienceInput, one, models)
    return audience ? [[one, audience] as const] : []
  })

  const variable = (variable: string): string | undefined => {
    const found = look({ variable, fallback: '' })
    return 'value' in found && found.value !== '' ? found.value : undefined
  }
  const address = given?.temporal?.address ?? variable('TEMPORAL_ADDRESS')
  const schedules = [...syncs].flatMap(([one, { schedule }]) => (schedule ? [[one, schedule] as const] : []))
  const after = new Map([...syncs].flatMap(([one, sync]) => (sync.after ? [[one, sync.after] as const] : [])))
  checkCircles(judged, after)
  return {
    project: name,
    file,
    warehouse: { url: warehouseUrl(judged, variable) },
    temporal: {
      ...(address === undefined ? {} : { address }),
      namespace: given?.temporal?.namespace ?? variable('TEMPORAL_NAMESPACE') ?? 'default',
    },
    connections: Object.fromEntries([...connections].flatMap(([one, compiled]) => (compiled ? [[one, compiled.definition]] : []))),
    syncs: Object.fromEntries([...syncs].map(([one, { definition }]) => [one, definition])),
    audiences: Object.fromEntries(audiences.map(([one, { definition }]) => [one, definition])),
    pushes: Object.fromEntries(audiences.map(([one, { definition: _, ...when }]) => [one, when])),
    schedules: Object.fromEntries(schedules),
    after: Object.fromEntries(after),
    origins: Object.fromEntries([...syncs].map(([one, { origins }]) => [one, origins])),
    notes: [
      ...notes,
      ...[...connections].flatMap(([one, compiled]) =>
        compiled?.vendor.awaitsConsent?.(compiled.definition.settings)
          ? [`Connection ${one} holds no credential of its own: \`weir connect ${one}\` gets one, if that has not been done.`]
          : [],
      ),
    ],
  }
}

function warehouseUrl(judged: Judged, variable: (name: string) => string | undefined): string {
  const path = ['warehouse', 'url']
  const written = textAt(judged.tree, path)
  const url = written ?? variable('WAREHOUSE_URL') ?? 'embedded'
  if (url === 'embedded') return url
  const at = written === undefined ? [] : path
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    complain(judged, at, `${written === undefined ? 'WAREHOUSE_URL: ' : ''}expected "embedded" or a postgres:// address`)
    return url
  }
  const node = find(judged.tree, path)
  const literal = node?.kind === 'scalar' && node.written === undefined
  if (literal && urlSecrets(url).length > 0 && !/^(localhost|127\.0\.0\.1|\[::1\]|)$/.test(new URL(url).hostname)) {
    complain(judged, path, 'a password stands in the file', 'put the address in the environment or .env, and write "${WAREHOUSE_URL}" here')
  }
  return url
}

/** Two syncs that write one table would overwrite each other's rows. */
function checkTables(judged: Judged, syncs: ReadonlyMap<string, CompiledSync>): void {
  const writers = new Map<string, string>()
  for (const [name, { definition }] of syncs) {
    for (const stream of Object.keys(definition.streams)) {
      const table = `${definition.schema}.${stream}`
      const other = writers.get(table)
      if (other !== undefined) {
        complainOfKey(
          judged,
          ['syncs', name],
          `the table ${table} is written by sync ${shown(other)} too`,
          'give one of the two another schema',
        )
        break
      }
      writers.set(table, name)
    }
  }
}
