/** When a sync runs, in words. */
import { nextTimes } from '../../src/config/schedule.js'
import { durationText } from '../../src/config/units.js'
import type { Schedule } from '../../src/core/definition.js'

export interface When {
  schedule?: Schedule
  after: readonly string[]
}

export function whenText({ schedule, after }: When): string {
  if (!schedule) return after.length === 0 ? 'runs by hand' : `runs after ${after.map((name) => `sync/${name}`).join(' and ')}`
  if ('everyMs' in schedule) return `runs every ${durationText(schedule.everyMs)}`
  const { cron, timezone, jitterMs, catchUpMs } = schedule
  return [
    `runs at "${cron}" ${timezone}`,
    ...(jitterMs === undefined ? [] : [`up to ${durationText(jitterMs)} later`]),
    ...(catchUpMs === undefined ? [] : [`made up for within ${durationText(catchUpMs)}`]),
  ].join(', ')
}

/** `next: 2026-11-27 12:45, 13:00, 13:15 UTC`: the day is said when it is another. */
export function nextText(schedule: Schedule, now: Date): string {
  let day = ''
  const times = nextTimes(schedule, now, 3).map((at) => {
    const text = at.toISOString().slice(0, 16).replace('T', ' ')
    const isSame = text.slice(0, 10) === day
    day = text.slice(0, 10)
    return isSame ? text.slice(11) : text
  })
  return `next: ${times.join(', ')} UTC`
}
