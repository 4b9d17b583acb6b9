import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { registry } from '../connectors/registry.js'
import { governedSource } from '../src/columns/governed.js'
import { createHasher } from '../src/columns/hash.js'
import { resolveSettings, secretKeys, secretValues, urlSecrets } from '../src/config/secrets.js'
import type { Timing } from '../src/core/activities.js'
import type { Definition } from '../src/core/definition.js'
import { Failure } from '../src/core/failure.js'
import type { Clock, Log } from '../src/core/ports.js'
import type { Http, Source } from '../src/core/types.js'
import { withCustom } from '../src/extract/custom.js'
import { createAccounts } from '../src/http/budget.js'
import { createHttp } from '../src/http/client.js'
import { createLog } from '../src/observe/log.js'
import type { Meter } from '../src/observe/metrics.js'
import { createRedact, type Redact } from '../src/observe/redact.js'
import type { Trace } from '../src/observe/trace.js'
import type { Warehouse } from '../src/warehouse/driver.js'
import { createWarehouse } from '../src/warehouse/postgres/warehouse.js'
import type { Observers } from './metrics.js'
import type { WorkerSettings } from './settings.js'

/** Everything that activities stand on, built once for a process and handed down. */
export interface Deps {
  warehouse: Warehouse
  clock: Clock
  log: Log
  redact: Redact
  timing: Timing
  meter: Meter
  trace: Trace
  /** The source of a definition under its column policies, and a client for its connection with the secrets of this moment. */
  connect: (definition: Definition, signal: AbortSignal) => Promise<{ source: Source; http: Http }>
  close: () => Promise<void>
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

export function createDeps(settings: WorkerSettings, { secrets, redact, log }: Voice, { meter, trace, watchBudget }: Observers): Deps {
  const { warehouseUrl, projectDir, timing } = settings
  // A slice holds one connection while it commits, and short ones beside it.
  const warehouse = createWarehouse(warehouseUrl, { connections: settings.slots + 6, key: settings.key })
  const accounts = createAccounts(systemClock, warehouse.budgets, watchBudget)
  const hasher = settings.key === undefined ? undefined : createHasher(settings.key)
  const sources = { env: process.env, envFile: join(projectDir, '.env'), baseDir: projectDir }

  return {
    warehouse,
    clock: systemClock,
    log,
    redact,
    timing,
    meter,
    trace,
    async connect(definition, signal) {
      const { connection } = definition
      const load = registry[connection.type]
      if (!load)
        throw new Failure(
          'config',
          `This worker has no connector for "${connection.type}": it is older than the definition. Upgrade the worker.`,
          { connection: connection.name },
        )
      const { api, source, settings: keys } = await load()
      for (const value of secretValues(connection.settings, sources, secretKeys(keys))) secrets.add(value)
      const resolved = { ...connection, settings: resolveSettings(connection.settings, sources) }
      const governed = governedSource(withCustom(source, definition.streams), definition, hasher)
      const measuring = { meter, trace, labels: { sync: definition.sync, vendor: connection.type } }
      const http = createHttp(api, resolved, { clock: systemClock, log, accounts, tokens: warehouse.tokens, signal, measuring })
      return { source: governed, http }
    },
    close: () => warehouse.close(),
  }
}
