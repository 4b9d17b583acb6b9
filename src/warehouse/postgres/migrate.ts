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
import { sql as nextChanges } from './migrations/0018-next-changes.js'
import { sql as audit } from './migrations/0019-audit.js'
import { sql as deadMembers } from './migrations/0020-dead-members.js'
import { sql as erasures } from './migrations/0021-erasures.js'
import { sql as audienceSchedules } from './migrations/0022-audience-schedules.js'
import { sql as alertsOfPushes } from './migrations/0023-alerts-of-pushes.js'
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
  nextChanges,
  audit,
  deadMembers,
  erasures,
  audienceSchedules,
  alertsOfPushes,
]

/** The version of Weir's own tables that this code knows. */
export const newestVersion = migrations.length

const oldestServer = 150_000

/** How far Weir's own tables are brought up to date, and how far this version would bring them. */
export const migrationsOf = async (pool: pg.Pool): Promise<{ applied: number; known: number }> => ({
  applied: (await applied(pool)) ?? 0,
  known: newestVersion,
})

/** The version of the tables that are there; undefined where nothing of Weir's is. */
async function applied(db: Pick<pg.ClientBase, 'query'>): Promise<number | undefined> {
  const { rows: found } = await db.query<{ there: boolean }>("SELECT to_regclass('_weir.migrations') IS NOT NULL AS there")
  if (!found[0]!.there) return undefined
  const { rows } = await db.query<{ version: number }>('SELECT coalesce(max(version), 0)::int AS version FROM _weir.migrations')
  return rows[0]!.version
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
      const at = await applied(client)
      if (at === undefined) {
        await client.query('CREATE SCHEMA IF NOT EXISTS _weir')
        await client.query('CREATE TABLE _weir.migrations (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())')
      }
      if (at !== undefined && at > migrations.length) {
        throw new Failure(
          'warehouse',
          `The warehouse was prepared by a newer Weir (version ${at} of its tables, this one knows ${migrations.length}). Upgrade Weir.`,
        )
      }
      for (let version = (at ?? 0) + 1; version <= to; version++) {
        await client.query(migrations[version - 1]!)
        await client.query('INSERT INTO _weir.migrations (version) VALUES ($1)', [version])
      }
      if (to === newestVersion) await putReasons(client)
    })
  } catch (error) {
    throw warehouseFailure(error, 'Preparing the warehouse')
  }
}
