import type pg from 'pg'
import type { Schedule } from '../../core/definition.js'
import type { DeploymentStore } from '../contract/deployments.js'

interface Row {
  sync: string
  definition: string
  schedule: Schedule | null
  environment: string | null
  applied_at: Date
  applied_by: string
}

export function createDeployments(pool: pg.Pool): DeploymentStore {
  return {
    async list() {
      const { rows } = await pool.query<Row>('SELECT * FROM _weir.deployments ORDER BY sync')
      return rows.map(({ schedule, environment, ...row }) => ({
        sync: row.sync,
        definition: row.definition,
        ...(schedule === null ? {} : { schedule }),
        ...(environment === null ? {} : { environment }),
        appliedAt: row.applied_at.toISOString(),
        appliedBy: row.applied_by,
      }))
    },
    async put(deployments) {
      await pool.query(
        `INSERT INTO _weir.deployments (sync, definition, schedule, environment, applied_by)
         SELECT sync, definition, schedule, environment, "appliedBy"
         FROM jsonb_to_recordset($1) AS new (sync text, definition text, schedule jsonb, environment text, "appliedBy" text)
         ON CONFLICT (sync) DO UPDATE SET definition = excluded.definition, schedule = excluded.schedule,
           environment = excluded.environment, applied_by = excluded.applied_by, applied_at = now()`,
        [JSON.stringify(deployments)],
      )
    },
    async remove(syncs) {
      await pool.query('DELETE FROM _weir.deployments WHERE sync = ANY ($1)', [syncs])
    },
  }
}
