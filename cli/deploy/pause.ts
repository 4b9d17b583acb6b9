import { Failure } from '../../src/core/failure.js'
import type { Session } from '../session.js'
import { nameOf, type Of } from './change.js'
import { pauseSchedule, resumeSchedule } from './schedules.js'

/**
 * Stops whatever starts a sync or pushes an audience, or lets it start it again: its schedule, or the end of those it runs after. What is
 * under way is not touched.
 * @param change `by` and `reason` are kept where people look: the schedule's note, or `_weir.deployments`
 * @throws Failure `config` where nothing starts it
 */
export async function setPause(session: Session, of: Of, change: { isPaused: boolean; by: string; reason?: string }): Promise<void> {
  const { deployments, audienceDeployments } = session.warehouse
  const { isPaused, by, reason } = change
  const isSync = of.sync !== undefined
  const deployment = isSync
    ? (await deployments.list()).find((one) => one.sync === of.sync)
    : (await audienceDeployments.list()).find((one) => one.audience === of.audience)
  const what = isSync ? `Sync ${of.sync}` : `Audience ${of.audience}`
  const where = isSync ? { sync: of.sync } : {}
  if (deployment?.retiredAt !== undefined)
    throw new Failure('config', `${what} is not in the project file any more, so nothing starts it. Put it back and \`weir apply\`.`, where)
  const note = isPaused ? `${reason} (paused by ${by})` : `resumed by ${by}`
  const kept = isPaused ? note : undefined
  if (deployment && deployment.after.length > 0)
    return isSync ? deployments.pause(of.sync, kept) : audienceDeployments.pause(of.audience, kept)
  const isThere = await (isPaused ? pauseSchedule : resumeSchedule)(session, nameOf(of), note)
  if (!isThere) throw new Failure('config', `${what} has no schedule: it runs by hand, or is not applied yet (\`weir plan\`).`, where)
}
