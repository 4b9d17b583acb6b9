/** When a sync runs. */
import { Cron } from 'croner'
import type { z } from 'zod'
import type { Schedule } from '../core/definition.js'
import { complain, type Judged } from './issues.js'
import type { schedule as scheduleKeys } from './schema.js'
import { find, type Path } from './tree.js'

type When = { every?: number | undefined; schedule?: z.output<typeof scheduleKeys> | undefined } | undefined

/** The schedule at `path`, a sync or the defaults; undefined when none is given there. */
export function compileSchedule(judged: Judged, path: Path, when: When, timezone: string): Schedule | undefined {
  if (find(judged.tree, [...path, 'every']) && find(judged.tree, [...path, 'schedule'])) {
    complain(judged, [...path, 'schedule'], 'both "every" and "schedule" are given', 'keep one of them')
  }
  if (when?.every !== undefined) return { everyMs: when.every }
  if (!when?.schedule) return undefined
  const { cron, jitter, catch_up, timezone: own = timezone } = when.schedule
  const problem = cronProblem(cron, own)
  if (problem !== undefined) complain(judged, [...path, 'schedule', 'cron'], problem)
  return {
    cron,
    timezone: own,
    ...(jitter === undefined ? {} : { jitterMs: jitter }),
    ...(catch_up === undefined ? {} : { catchUpMs: catch_up }),
  }
}

/** Five fields of what cron and Temporal both know; croner alone would take more. */
function cronProblem(cron: string, timezone: string): string | undefined {
  const fields = cron.trim().split(/\s+/)
  if (fields.length !== 5) return `a cron expression has five fields (minute, hour, day, month, weekday), this one has ${fields.length}`
  if (cron.length > 200 || !/^[\dA-Za-z*,/\- ]+$/.test(cron)) return 'a cron expression is made of numbers, names, "*", ",", "-" and "/"'
  try {
    const next = new Cron(cron, { paused: true, timezone }).nextRun()
    return next ? undefined : 'this cron expression never comes due'
  } catch (error) {
    const said = (error as Error).message.replace(/^CronPattern: /, '').replace(/["\n]/g, '')
    if (said.includes('NaN')) return 'not a cron expression'
    return `not a cron expression: ${said.charAt(0).toLowerCase()}${said.slice(1)}`
  }
}
