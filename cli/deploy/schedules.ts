/** Temporal's side of what is deployed: a Schedule for each sync and each audience that runs by the clock, by the id `sync/NAME` or `audience/NAME`. */
import {
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  type ScheduleHandle,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
} from '@temporalio/client'
import { hashOf } from '../../src/config/hash.js'
import type { Schedule } from '../../src/core/definition.js'
import type { runStart, tickStart } from '../../src/core/run-start.js'
import { queue, type Session } from '../session.js'

/** Whose a schedule is: the same name may be deployed from another project or environment, or for another warehouse. */
export interface Owner {
  project: string
  environment?: string
  warehouse: string
}

export interface FoundSchedule {
  isPaused: boolean
  note: string
  /** Undefined for one that `weir apply` did not make. */
  owner?: Owner
  /** Tells one look of it from another: when it fires, by which policies, and what it starts. */
  mark: string
}

/** Ticks missed for longer are not made up for. A missed tick of a day, say, is worth a run; a hundred of them make one run, since runs do not overlap. */
const catchUpMs = 86_400_000

const specOf = (schedule: Schedule): ScheduleSpec =>
  'everyMs' in schedule
    ? { intervals: [{ every: schedule.everyMs }] }
    : {
        cronExpressions: [schedule.cron],
        timezone: schedule.timezone,
        ...(schedule.jitterMs === undefined ? {} : { jitter: schedule.jitterMs }),
      }

const handleOf = ({ temporal }: Session, id: string): ScheduleHandle => temporal.schedule.getHandle(id)

/** A schedule as it is in Temporal now; undefined when there is none. */
export async function findSchedule(session: Session, id: string): Promise<FoundSchedule | undefined> {
  const found = await describe(handleOf(session, id))
  return found && foundOf(found)
}

async function describe(handle: ScheduleHandle): Promise<ScheduleDescription | undefined> {
  try {
    return await handle.describe()
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined
    throw error
  }
}

function foundOf({ action, spec, policies, state }: ScheduleDescription): FoundSchedule {
  const { owner } = (action.memo ?? {}) as { owner?: Owner }
  const { workflowType, workflowId, taskQueue, args, memo, workflowTaskTimeout } = action
  return {
    isPaused: state.paused,
    note: state.note ?? '',
    ...(owner ? { owner } : {}),
    mark: hashOf([spec, policies, state.remainingActions, { workflowType, workflowId, taskQueue, args, memo, workflowTaskTimeout }]),
  }
}

export interface WantedSchedule {
  workflowType: 'syncConnection' | 'pushWhenDue'
  /** What it starts; its id is the schedule's. */
  start: ReturnType<typeof runStart | typeof tickStart>
  schedule: Schedule
  owner: Owner
  /** Why a new one begins paused. */
  pausedFor?: string | undefined
}

/** Makes the schedule so, whatever it was; an operator's pause stays. @returns its mark */
export async function putSchedule(session: Session, wanted: WantedSchedule): Promise<string> {
  const { workflowType, schedule, owner, pausedFor } = wanted
  const { memo, ...start } = wanted.start
  const options = {
    spec: specOf(schedule),
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: ('catchUpMs' in schedule ? schedule.catchUpMs : undefined) ?? catchUpMs,
      pauseOnFailure: false,
    },
    action: {
      type: 'startWorkflow' as const,
      workflowType,
      taskQueue: queue(),
      ...start,
      memo: { ...memo, owner },
    },
    typedSearchAttributes: start.typedSearchAttributes.filter(({ key }) => key.name !== 'WeirStatus'),
  }
  const handle = handleOf(session, start.workflowId)
  try {
    const state = pausedFor === undefined ? {} : { state: { paused: true, note: pausedFor } }
    await session.temporal.schedule.create({ scheduleId: start.workflowId, ...options, ...state })
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
    await handle.update(({ state: { paused, note } }) => ({
      ...options,
      state: isRetired(note) ? { paused: false, note: '' } : { paused, ...(note ? { note } : {}) },
    }))
  }
  return foundOf(await handle.describe()).mark
}

const retired = 'Not in the project file any more'
/** Did `weir apply` pause it, since what it starts is gone from the project file? */
export const isRetired = (note: string | undefined): boolean => note?.startsWith(retired) ?? false

/** Pauses the schedule of what is gone from the project file; one that somebody paused before keeps their note. */
export async function retireSchedule(session: Session, id: string, now: Date): Promise<void> {
  const note = `${retired}: paused by weir apply on ${now.toISOString().slice(0, 10)}. What it filled stays; \`weir apply --prune\` removes this schedule.`
  await handleOf(session, id).pause(note)
}

/** Nothing to do where there is none. */
export async function removeSchedule(session: Session, id: string): Promise<void> {
  try {
    await handleOf(session, id).delete()
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error
  }
}

/** The schedule's part of `weir pause`. @returns false where there is none */
export async function pauseSchedule(session: Session, id: string, note: string): Promise<boolean> {
  const handle = handleOf(session, id)
  if (!(await describe(handle))) return false
  await handle.pause(note)
  return true
}

/** The schedule's part of `weir resume`. @returns false where there is none */
export async function resumeSchedule(session: Session, id: string, note: string): Promise<boolean> {
  const handle = handleOf(session, id)
  if (!(await describe(handle))) return false
  await handle.unpause(note)
  return true
}
