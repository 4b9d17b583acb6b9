import { Failure } from '../../src/core/failure.js'
import type { Session } from '../session.js'
import { pauseSchedule, resumeSchedule } from './schedules.js'

/**
 * Stops whatever starts a sync, or lets it start it again: its schedule, or the end of those it runs after. A run under way is not touched.
 * @param change `by` and `reason` are kept where people look: the schedule's note, or `_weir.deployments`
 * @throws Failure `config` where nothing starts the sync
 */
export async function setPause(session: Session, sync: string, change: { isPaused: boolean; by: string; reason?: string }): Promise<void> {
  const { deployments } = session.warehouse
  const { isPaused, by, reason } = change
  const deployment = (await deployments.list()).find((one) => one.sync === sync)
  if (deployment?.retiredAt !== undefined)
    throw new Failure('config', `Sync ${sync} is not in the project file any more, so nothing starts it. Put it back and \`weir apply\`.`, {
      sync,
    })
  const note = isPaused ? `${reason} (paused by ${by})` : `resumed by ${by}`
  if (deployment && deployment.after.length > 0) return deployments.pause(sync, isPaused ? note : undefined)
  const isThere = await (isPaused ? pauseSchedule : resumeSchedule)(session, sync, note)
  if (!isThere)
    throw new Failure('config', `Sync ${sync} has no schedule: it runs by hand, or is not applied yet (\`weir plan\`).`, { sync })
}
