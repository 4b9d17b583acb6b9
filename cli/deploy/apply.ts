/** Makes what is deployed equal to what was planned. Every step may be repeated: what a broken off apply left undone, the next plan shows. */
import { pushId } from '../../src/core/push.js'
import { runStart, syncId, tickStart } from '../../src/core/run-start.js'
import type { InForce } from '../../src/warehouse/contract/deployments.js'
import type { Session } from '../session.js'
import type { Change } from './change.js'
import { type FoundSchedule, isRetired, type Owner, putSchedule, removeSchedule, retireSchedule, type WantedSchedule } from './schedules.js'
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
export async function apply(applying: Applying): Promise<void> {
  await applySyncs(applying)
  await applyAudiences(applying)
}

async function applySyncs({ session, wanted, world, changes, by, now }: Applying): Promise<void> {
  const { deployments, definitions } = session.warehouse
  const changed = [...new Set(changes.flatMap(({ sync }) => sync ?? []))]
  const kept = changed.flatMap((name) => (wanted.syncs[name] ? [wanted.syncs[name]] : []))
  for (const { definition, hash } of kept) await definitions.put(hash, definition)
  await deployments.put(
    kept.map(({ definition: { sync }, hash, ...when }) => ({ sync, definition: hash, ...when, ...from(wanted), appliedBy: by })),
  )
  for (const { definition, hash, ...when } of kept) {
    const { sync } = definition
    const { deployment, schedule: found } = world.syncs[sync]!
    const start = runStart(definition, { sync, definition: hash, kind: 'scheduled' })
    const target: Target = { name: sync, wanted: when, deployment, found, workflowType: 'syncConnection', start }
    await follow(session, deployments, target, ownerOf(wanted, world))
  }
  for (const name of changed.filter((one) => !wanted.syncs[one]))
    await end(session, deployments, {
      name,
      id: syncId(name),
      schedule: world.syncs[name]!.schedule,
      isPruned: changes.some(({ sync, action }) => sync === name && action === 'delete'),
      now,
    })
}

async function applyAudiences({ session, wanted, world, changes, by, now }: Applying): Promise<void> {
  const { audienceDeployments: deployments, definitions } = session.warehouse
  const changed = [...new Set(changes.flatMap(({ audience }) => audience ?? []))]
  const kept = changed.flatMap((name) => (wanted.audiences[name] ? [wanted.audiences[name]] : []))
  for (const { definition, hash } of kept) await definitions.put(hash, definition)
  await deployments.put(
    kept.map(({ definition: { audience }, hash, ...when }) => ({ audience, definition: hash, ...when, ...from(wanted), appliedBy: by })),
  )
  for (const { definition, hash, ...when } of kept) {
    const { audience } = definition
    const { deployment, schedule: found } = world.audiences[audience]!
    const start = tickStart({ audience, definition: hash, kind: 'scheduled' })
    const target: Target = { name: audience, wanted: when, deployment, found, workflowType: 'pushWhenDue', start }
    await follow(session, deployments, target, ownerOf(wanted, world))
  }
  for (const name of changed.filter((one) => !wanted.audiences[one]))
    await end(session, deployments, {
      name,
      id: pushId(name),
      schedule: world.audiences[name]!.schedule,
      isPruned: changes.some(({ audience, action }) => audience === name && action === 'delete'),
      now,
    })
}

type Deployments = Pick<Session['warehouse']['deployments'], 'pause' | 'mark' | 'remove' | 'retire'>

const from = ({ environment }: Wanted) => (environment === undefined ? {} : { environment })
const ownerOf = (wanted: Wanted, { warehouse }: World): Owner => ({ project: wanted.project, ...from(wanted), warehouse })

interface Target extends Pick<WantedSchedule, 'workflowType' | 'start'> {
  name: string
  wanted: { schedule?: WantedSchedule['schedule']; after: readonly string[] }
  /** What there is. */
  deployment: InForce | undefined
  found: FoundSchedule | undefined
}

/** Temporal's schedule as it is wanted; an operator's pause outlives it. */
async function follow(session: Session, deployments: Deployments, target: Target, owner: Owner): Promise<void> {
  const { name, wanted, deployment, found, ...starting } = target
  if (wanted.schedule) {
    const mark = await putSchedule(session, { ...starting, schedule: wanted.schedule, owner, pausedFor: deployment?.paused })
    await deployments.pause(name, undefined)
    await deployments.mark(name, mark)
    return
  }
  // A pause outlives a change from the clock to `after`.
  if (wanted.after.length > 0 && found?.isPaused && !isRetired(found.note)) await deployments.pause(name, found.note)
  if (found) await removeSchedule(session, starting.start.workflowId)
  await deployments.mark(name, undefined)
}

interface Gone {
  name: string
  /** Of its schedule. */
  id: string
  schedule: FoundSchedule | undefined
  isPruned: boolean
  now: Date
}

/** What the project file has no more is stopped, or removed. */
async function end(session: Session, deployments: Deployments, { name, id, schedule, isPruned, now }: Gone): Promise<void> {
  if (isPruned) await removeSchedule(session, id)
  else if (schedule && !schedule.isPaused) await retireSchedule(session, id, now)
  await (isPruned ? deployments.remove([name]) : deployments.retire([name]))
}
