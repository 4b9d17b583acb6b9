/** Makes what is deployed equal to what was planned. Every step may be repeated: what a broken off apply left undone, the next plan shows. */
import type { Session } from '../session.js'
import type { Change } from './change.js'
import { isRetired, type Owner, putSchedule, removeSchedule, retireSchedule } from './schedules.js'
import type { Wanted, World } from './world.js'

export interface Applying {
  session: Session
  wanted: Wanted
  world: World
  changes: readonly Change[]
  by: string
  now: Date
}

/** What is in force is written first, then Temporal follows it, and last how its schedule looks. */
export async function apply({ session, wanted, world, changes, by, now }: Applying): Promise<void> {
  const { deployments, definitions } = session.warehouse
  const { project, environment } = wanted
  const changed = [...new Set(changes.map(({ sync }) => sync))]
  const kept = changed.flatMap((name) => (wanted.syncs[name] ? [wanted.syncs[name]] : []))
  for (const { definition, hash } of kept) await definitions.put(hash, definition)
  await deployments.put(
    kept.map(({ definition: { sync }, hash, ...when }) => ({
      sync,
      definition: hash,
      ...when,
      ...(environment === undefined ? {} : { environment }),
      appliedBy: by,
    })),
  )
  const owner: Owner = { project, ...(environment === undefined ? {} : { environment }), warehouse: world.warehouse }
  for (const { definition, hash, schedule, after } of kept) {
    const { sync } = definition
    const { deployment, schedule: found } = world.syncs[sync]!
    if (schedule) {
      const mark = await putSchedule(session, { definition, hash, schedule, owner, pausedFor: deployment?.paused })
      await deployments.pause(sync, undefined)
      await deployments.mark(sync, mark)
      continue
    }
    // A pause outlives a change from the clock to `after`.
    if (after.length > 0 && found?.isPaused && !isRetired(found.note)) await deployments.pause(sync, found.note)
    if (found) await removeSchedule(session, sync)
    await deployments.mark(sync, undefined)
  }
  for (const name of changed.filter((one) => !wanted.syncs[one])) {
    const isPruned = changes.some(({ sync, action }) => sync === name && action === 'delete')
    const { schedule } = world.syncs[name]!
    if (isPruned) await removeSchedule(session, name)
    else if (schedule && !schedule.isPaused) await retireSchedule(session, name, now)
    await (isPruned ? deployments.remove([name]) : deployments.retire([name]))
  }
}
