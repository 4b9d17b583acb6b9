import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { registry } from '../connectors/registry.js'
import { governedSource } from '../src/columns/governed.js'
import { createHasher } from '../src/columns/hash.js'
import { resolveSettings, secretKeys, secretValues, urlSecrets } from '../src/config/secrets.js'
import type { RunInput, Timing } from '../src/core/activities.js'
import type { AlertTarget, ResolvedTarget } from '../src/core/alerts.js'
import type { AudienceDefinition } from '../src/core/audience.js'
import type { ConnectionDefinition, Definition } from '../src/core/definition.js'
import { Failure } from '../src/core/failure.js'
import type { Clock, Log } from '../src/core/ports.js'
import type { PushInput } from '../src/core/push.js'
import type { Finding, Http, Source } from '../src/core/types.js'
import type { Reached } from '../src/engine/audience/prepare-push.js'
import type { Connecting } from '../src/engine/connect.js'
import { type Connector, sunsetWarning } from '../src/extract/connector.js'
import { withCustom } from '../src/extract/custom.js'
import { createAccounts, shareMs } from '../src/http/budget.js'
import { type ClientDeps, createHttp } from '../src/http/client.js'
import { whence } from '../src/http/whence.js'
import { createMarks, type Mark } from '../src/identity/marks.js'
import { createLog } from '../src/observe/log.js'
import { type Meter, noMeter } from '../src/observe/metrics.js'
import { createRedact, type Redact } from '../src/observe/redact.js'
import { noTrace, type Trace } from '../src/observe/trace.js'
import type { Warehouse } from '../src/warehouse/driver.js'
import { createWarehouse } from '../src/warehouse/postgres/warehouse.js'
import { resolveTarget } from './alert-target.js'
import type { Observers } from './metrics.js'
import type { WorkerSettings } from './settings.js'

/** How one run starts another. */
export interface Starters {
  /** Starts a run of a sync; one that is under way stands for it. */
  startSync: (definition: Definition, input: RunInput) => Promise<void>
  /** Starts a push of an audience, unless one is under way. */
  startPush: (input: PushInput) => Promise<{ isStarted: boolean }>
}

/** Everything that activities stand on, built once for a process and handed down. */
export interface Deps extends Starters {
  warehouse: Warehouse
  clock: Clock
  log: Log
  redact: Redact
  timing: Timing
  meter: Meter
  trace: Trace
  /** The source of a definition under its column policies, and a client for its connection with the secrets of this moment. */
  connect: (definition: Definition, signal: AbortSignal, options?: ConnectOptions) => Promise<Connected>
  /** A connection that a person is to connect; all definitions are of syncs that share it, all audiences go out by it. */
  consenting: (
    definitions: readonly [Definition, ...Definition[]],
    audiences: readonly AudienceDefinition[],
    signal: AbortSignal,
  ) => Promise<{ connecting: Connecting; clientDeps: ClientDeps }>
  /** What of a connection will need a person before long. Calls nobody. */
  warnings?: (definition: Definition) => Promise<string[]>
  /** A vendor's destination of audiences, and a client for the connection; no request is made. */
  reach: (connection: ConnectionDefinition, kind: string, signal: AbortSignal) => Promise<Reached>
  /** Keyed hashes of people. @throws Failure `config` without WEIR_KEY */
  mark: () => Mark
  close: () => Promise<void>
}

export interface Connected {
  source: Source
  http: Http
  /** What a request takes at a backfill's share of the budget, in milliseconds. */
  shareMs?: number | undefined
  /** What is known of the credential without the vendor, as `whence` says it. */
  credential?: () => Promise<Finding | undefined>
}

/** Whom requests are for, and who is told of their waits. */
export type ConnectOptions = Pick<ClientDeps, 'onWait' | 'priority'>

/** What telling people needs beside. */
export interface AlertDeps extends Deps {
  /** An alert target with the addresses of this moment. @throws Failure `config` */
  resolveTarget: (target: AlertTarget) => ResolvedTarget
  /** Where the Temporal UI shows a run, where the UI's address is known. */
  linkOf: (run: string) => string | undefined
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (ms, signal) => {
    try {
      await sleep(ms, undefined, signal ? { signal } : undefined)
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    }
  },
}

/** What this process may say, and what it must not. */
export interface Voice {
  /** Every secret that this process has used; nothing that leaves it may hold one. */
  secrets: Set<string>
  redact: Redact
  log: Log
}

export function createVoice({ warehouseUrl, key, temporal, logLevel }: WorkerSettings): Voice {
  const secrets = new Set<string>([...urlSecrets(warehouseUrl), ...(key ? [key] : []), ...temporal.secrets])
  const redact = createRedact(() => secrets)
  return { secrets, redact, log: createLog({ level: logLevel, redact, isPretty: process.stderr.isTTY === true }) }
}

const unobserved: Observers = { meter: noMeter, trace: noTrace }

/** All but what needs Temporal, which is connected to later. */
export function createDeps(
  settings: WorkerSettings,
  { secrets, redact, log }: Voice = createVoice(settings),
  { meter, trace, watchBudget }: Observers = unobserved,
): Omit<AlertDeps, keyof Starters> {
  const { warehouseUrl, projectDir, timing } = settings
  // A slice holds one connection while it commits, and short ones beside it.
  const warehouse = createWarehouse(warehouseUrl, { connections: settings.slots + 6, key: settings.key })
  const accounts = createAccounts(systemClock, warehouse.budgets, watchBudget)
  const hasher = settings.key === undefined ? undefined : createHasher(settings.key)
  const sources = { env: process.env, envFile: join(projectDir, '.env'), baseDir: projectDir }

  /** A connection's connector, and its settings with the secrets of this moment. */
  async function resolve(connection: ConnectionDefinition): Promise<{ connector: Connector; connection: ConnectionDefinition }> {
    const connector = await connectorOf(connection)
    for (const value of secretValues(connection.settings, sources, secretKeys(connector.settings))) secrets.add(value)
    return { connector, connection: { ...connection, settings: resolveSettings(connection.settings, sources) } }
  }
  const measuringOf = (sync: string, { type }: ConnectionDefinition) => ({ meter, trace, labels: { sync, vendor: type } })
  const clientDeps = (signal: AbortSignal): ClientDeps => ({ clock: systemClock, log, accounts, tokens: warehouse.tokens, signal })

  return {
    warehouse,
    clock: systemClock,
    log,
    redact,
    timing,
    meter,
    trace,
    async warnings({ connection }) {
      const { api } = await connectorOf(connection)
      return [sunsetWarning(api, connection.apiVersion, systemClock.now())].filter((one) => one !== undefined)
    },
    async connect(definition, signal, options) {
      const { connector, connection } = await resolve(definition.connection)
      const { api, source } = connector
      return {
        source: governedSource(withCustom(source, definition.streams), definition, hasher),
        http: createHttp(api, connection, { ...clientDeps(signal), ...options, measuring: measuringOf(definition.sync, connection) }),
        shareMs: shareMs(api, connection.budget),
        credential: () => whence(api.auth(connection.settings), connection.name, warehouse.tokens, systemClock.now()),
      }
    },
    async consenting(definitions, audiences, signal) {
      const { connector, connection } = await resolve(definitions[0].connection)
      const { api, consent, title } = connector
      if (!consent) throw new Failure('config', `${title} knows no consent of a person: connection ${connection.name} takes a key.`)
      return { connecting: { api, consent, connection, definitions, audiences }, clientDeps: clientDeps(signal) }
    },
    resolveTarget: (target) => resolveTarget(target, sources, (secret) => secrets.add(secret)),
    linkOf: (run) =>
      // By a query, since a scheduled run's workflow has another id than one by hand.
      settings.temporalUiUrl &&
      `${settings.temporalUiUrl}/namespaces/${settings.temporal.namespace ?? 'default'}/workflows?query=${encodeURIComponent(`RunId="${run}"`)}`,
    async reach(connection, kind, signal) {
      const { connector, connection: resolved } = await resolve(connection)
      const found = connector.destinations?.[kind]
      if (found) return { destination: found.destination, http: createHttp(connector.api, resolved, clientDeps(signal)) }
      throw new Failure(
        'config',
        `This worker knows no ${kind} of ${connector.title}: it is older than the definition. Upgrade the worker.`,
        {
          connection: connection.name,
        },
      )
    },
    mark: () => createMarks(settings.key),
    close: () => warehouse.close(),
  }
}

/** @throws Failure `config` where this worker does not know the vendor */
function connectorOf({ type, name }: Definition['connection']): Promise<Connector> {
  const load = registry[type]
  if (load) return load()
  throw new Failure('config', `This worker has no connector for "${type}": it is older than the definition. Upgrade the worker.`, {
    connection: name,
  })
}
