import type pg from 'pg'
import { Failure } from '../../core/failure.js'
import { sql as init } from './migrations/0001-init.js'
import { sql as modesAndChanges } from './migrations/0002-modes-and-changes.js'
import { sql as deadLetters } from './migrations/0003-dead-letters.js'
import { sql as quality } from './migrations/0004-quality.js'
import { sql as stateHistory } from './migrations/0005-state-history.js'
import { sql as columns } from './migrations/0006-columns.js'
import { sql as lettersOfVersions } from './migrations/0007-letters-of-versions.js'
import { sql as parents } from './migrations/0008-parents.js'
import { sql as budgets } from './migrations/0009-budgets.js'
import { sql as deployments } from './migrations/0010-deployments.js'
import { sql as waits } from './migrations/0011-waits.js'
import { sql as alerts } from './migrations/0012-alerts.js'
import { sql as backfills } from './migrations/0013-backfills.js'
import { sql as schedules } from './migrations/0014-schedules.js'
import { sql as attemptsAndVariants } from './migrations/0015-attempts-and-variants.js'
import { sql as audiences } from './migrations/0016-audiences.js'
import { sql as runReports } from './migrations/0017-run-reports.js'
import { sql as audienceSchedules } from './migrations/0018-audience-schedules.js'
import { sql as alertsOfPushes } from './migrations/0019-alerts-of-pushes.js'
import { transaction, warehouseFailure } from './pool.js'
import { putReasons } from './reasons.js'

/** Forward only; a number is never used twice and a landed migration never changes. */
const migrations: readonly string[] = [
  init,
  modesAndChanges,
  deadLetters,
  quality,
  stateHistory,
  columns,
  lettersOfVersions,
  parents,
  budgets,
  deployments,
  waits,
  alerts,
  backfills,
  schedules,
  attemptsAndVariants,
  audiences,
  runReports,
  audienceSchedules,
  alertsOfPushes,
]

/** The version of Weir's own tables that this code knows. */
export const newestVersion = migrations.length

const oldestServer = 150_000

/** How far Weir's own tables are brought up to date, and how far this version would bring them. */
export async function migrationsOf(pool: pg.Pool): Promise<{ applied: number; known: number }> {
  const { rows: found } = await pool.query<{ there: boolean }>("SELECT to_regclass('_weir.migrations') IS NOT NULL AS there")
  if (!found[0]!.there) return { applied: 0, known: newestVersion }
  const { rows } = await pool.query<{ version: number }>('SELECT coalesce(max(version), 0)::int AS version FROM _weir.migrations')
  return { applied: rows[0]!.version, known: newestVersion }
}

/**
 * Brings Weir's own tables up to date. Many may call at once: one works, the others wait for it.
 * @param to an earlier version, for tests of what comes after it
 */
export async function migrate(pool: pg.Pool, to = newestVersion): Promise<void> {
  try {
    await transaction(pool, 'Preparing the warehouse', async (client) => {
      await client.query('SELECT pg_advisory_xact_lock(7305806)')
      const { rows: server } = await client.query<{ number: number; version: string }>(
        "SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version",
      )
      if (server[0]!.number < oldestServer)
        throw new Failure('warehouse', `PostgreSQL ${server[0]!.version} is too old: Weir needs 15 or newer.`)
      const { rows: found } = await client.query<{ there: boolean }>("SELECT to_regclass('_weir.migrations') IS NOT NULL AS there")
      if (!found[0]!.there) {
        await client.query('CREATE SCHEMA IF NOT EXISTS _weir')
        await client.query('CREATE TABLE _weir.migrations (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())')
      }
      const { rows } = await client.query<{ version: number }>('SELECT coalesce(max(version), 0)::int AS version FROM _weir.migrations')
      const at = rows[0]!.version
      if (at > migrations.length) {
        throw new Failure(
          'warehouse',
          `The warehouse was prepared by a newer Weir (version ${at} of its tables, this one knows ${migrations.length}). Upgrade Weir.`,
        )
      }
      for (let version = at + 1; version <= to; version++) {
        await client.query(migrations[version - 1]!)
        await client.query('INSERT INTO _weir.migrations (version) VALUES ($1)', [version])
      }
      if (to === newestVersion) await putReasons(client)
    })
  } catch (error) {
    throw warehouseFailure(error, 'Preparing the warehouse')
  }
}
