import type { AudienceDefinition } from '../../core/audience.js'
import type { Definition } from '../../core/definition.js'
import { Failure } from '../../core/failure.js'
import type { Fields } from '../../core/types.js'
import type { Warehouse } from '../driver.js'
import { createAlertStore } from './alerts.js'
import { createAudiences } from './audiences/store.js'
import { createAudit } from './audit.js'
import { createBackfills } from './backfills.js'
import { createBudgetStore } from './budgets.js'
import { createChanges } from './changes.js'
import { commitBatch } from './commit.js'
import { createAudienceDeployments, createDeployments } from './deployments.js'
import { letterSeal } from './letter-seal.js'
import { createLetters } from './letters.js'
import { migrate, migrationsOf } from './migrate.js'
import { createPauses } from './pauses.js'
import { createPool, warehouseFailure } from './pool.js'
import { createQuality } from './quality.js'
import { createRebuilds } from './rebuilds.js'
import { createReplay } from './replay.js'
import { createReports } from './reports.js'
import { createRuns } from './runs.js'
import { claim, halve, note, release, setAside, waits } from './slices.js'
import { standing } from './standing.js'
import { createState } from './state.js'
import { finishStream, isPlanned, openSlices, progress, recordPlan } from './streams.js'
import { switchMode } from './switch-mode.js'
import { addColumns, modesOf, openTable } from './tables.js'
import { createTokenStore } from './tokens.js'

/** PostgreSQL 15 or newer as Weir's warehouse. @param url postgres://user:password@host:port/database */
export function createWarehouse(url: string, options: { connections?: number; key?: string | undefined } = {}): Warehouse {
  const pool = createPool(url, options.connections)
  const seal = letterSeal(options.key)
  const { append, ...audit } = createAudit(pool, options.key)
  const definitionOf = async <D>(hash: string): Promise<D> => {
    const { rows } = await pool.query<{ body: D }>('SELECT body FROM _weir.definitions WHERE hash = $1', [hash])
    if (rows[0]) return rows[0].body
    throw new Failure(
      'config',
      `No definition ${hash} in the warehouse: it was made for another one. Start it again from the project file.`,
    )
  }
  return guarded({
    migrate: () => migrate(pool),
    close: () => pool.end(),
    async describe() {
      const { rows } = await pool.query<{ version: string; can_create: boolean; now: Date }>(
        "SELECT current_setting('server_version') AS version, has_database_privilege(current_database(), 'CREATE') AS can_create, now() AS now",
      )
      const { version, can_create, now } = rows[0]!
      return { version, canCreate: can_create, clockSkewMs: now.getTime() - Date.now(), migrations: await migrationsOf(pool) }
    },
    definitions: {
      async put(hash, definition) {
        await pool.query('INSERT INTO _weir.definitions (hash, body) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING', [
          hash,
          JSON.stringify(definition),
        ])
      },
      get: (hash) => definitionOf<Definition>(hash),
      audience: (hash) => definitionOf<AudienceDefinition>(hash),
    },
    handovers: {
      async put(body) {
        await pool.query("DELETE FROM _weir.handovers WHERE created_at < now() - interval '1 hour'")
        const { rows } = await pool.query<{ id: string }>('INSERT INTO _weir.handovers (body) VALUES ($1) RETURNING id', [
          JSON.stringify(body),
        ])
        return rows[0]!.id
      },
      async take(handover) {
        const { rows } = await pool.query<{ body: unknown }>('DELETE FROM _weir.handovers WHERE id = $1 RETURNING body', [handover])
        return rows[0]?.body
      },
    },
    runs: createRuns(pool),
    planning: {
      progress: (ref) => progress(pool, ref),
      record: (ref, plan) => recordPlan(pool, ref, plan),
      isPlanned: (ref) => isPlanned(pool, ref),
      open: (ref, limit) => openSlices(pool, ref, limit),
    },
    slices: {
      claim: (ref) => claim(pool, ref),
      commit: (batch) => commitBatch(pool, batch, seal),
      release: (held, used, wait) => release(pool, held, used, wait),
      waits: (slice, wait) => waits(pool, slice, wait),
      note: (held, failure) => note(pool, held, failure),
      setAside: (held, letter, state) => setAside(pool, held, letter, state),
      halve: (held, halves) => halve(pool, held, halves),
    },
    tables: {
      open: (ref, spec, { adds }) => openTable(pool, ref, spec, adds),
      modes: (schema) => modesOf(pool, schema),
      switchMode: (ref, spec) => switchMode(pool, ref, spec),
      addColumns: (ref, table, missing) => addColumns(pool, ref, table, missing),
    },
    streams: {
      finish: (ref, outcome) => finishStream(pool, ref, outcome),
    },
    state: createState(pool),
    quality: createQuality(pool),
    rebuilds: createRebuilds(pool, seal),
    catalogs: {
      async put({ sync, stream }, fields) {
        await pool.query(
          'INSERT INTO _weir.catalogs (sync, stream, fields) VALUES ($1, $2, $3) ON CONFLICT (sync, stream) DO UPDATE SET fields = excluded.fields, discovered_at = now()',
          [sync, stream, JSON.stringify(fields)],
        )
      },
      async get({ sync, stream }) {
        const { rows } = await pool.query<{ fields: Fields }>('SELECT fields FROM _weir.catalogs WHERE sync = $1 AND stream = $2', [
          sync,
          stream,
        ])
        return rows[0]?.fields ?? {}
      },
    },
    changes: createChanges(pool, append),
    backfills: createBackfills(pool),
    deployments: createDeployments(pool),
    audienceDeployments: createAudienceDeployments(pool),
    alerts: createAlertStore(pool),
    ...createAudiences(pool, options.key, seal, append),
    audit,
    standing: () => standing(pool),
    pauses: createPauses(pool),
    reports: createReports(pool),
    budgets: createBudgetStore(pool),
    tokens: createTokenStore(pool, options.key),
    letters: { ...createLetters(pool, seal), ...createReplay(pool, seal) },
  })
}

/** Every failure that leaves the driver is a Failure: lost connections are `transient`, what an operator must mend is `warehouse`. */
function guarded(warehouse: Warehouse): Warehouse {
  const guard = (name: string, value: unknown): unknown => {
    if (typeof value === 'function') {
      return async (...args: unknown[]) => {
        try {
          return await (value as (...args: unknown[]) => Promise<unknown>)(...args)
        } catch (error) {
          throw warehouseFailure(error, `Warehouse, ${name}`)
        }
      }
    }
    return Object.fromEntries(Object.entries(value as object).map(([key, part]) => [key, guard(`${name} ${key}`.trim(), part)]))
  }
  return guard('', warehouse) as Warehouse
}
