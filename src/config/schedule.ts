/** When a sync or an audience runs: by the clock, or after syncs. */
import { Cron } from 'croner'
import type * as z from 'zod'
import type { Schedule } from '../core/definition.js'
import { nearOrAll, placeText, shown } from './errors.js'
import { complain, type Judged } from './issues.js'
import type { schedule as scheduleKeys } from './schema.js'
import { find, keysOf, type Path, plain, spotOf } from './tree.js'

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

const words = /^(\*|[A-Za-z]{3}|\d+)$/

/** Five fields of what cron, croner and Temporal all read the same way; each alone would take more. */
function cronProblem(cron: string, timezone: string): string | undefined {
  const fields = cron.trim().split(/\s+/)
  if (fields.length !== 5) return `a cron expression has five fields (minute, hour, day, month, weekday), this one has ${fields.length}`
  if (cron.length > 200 || !/^[\dA-Za-z*,/\- ]+$/.test(cron)) return 'a cron expression is made of numbers, names, "*", ",", "-" and "/"'
  try {
    const next = timesOf(cron, timezone).nextRun()
    if (!next) return 'this cron expression never comes due'
  } catch (error) {
    const said = (error as Error).message.replace(/^CronPattern: /, '').replace(/["\n]/g, '')
    if (said.includes('NaN')) return 'not a cron expression'
    return `not a cron expression: ${said.charAt(0).toLowerCase()}${said.slice(1)}`
  }
  const odd = fields.flatMap((field) => field.split(/[,/-]/)).find((word) => !words.test(word))
  if (odd !== undefined) return `not a cron expression: ${shown(odd)} is no number and no name of a month or weekday`
  if (!fields[2]!.startsWith('*') && !fields[4]!.startsWith('*'))
    return 'both a day of the month and a weekday are given: cron means either of them, Temporal both; keep one'
  return undefined
}

const timesOf = (cron: string, timezone: string): Cron => new Cron(cron, { paused: true, timezone })

/** The next instants at which a schedule fires, jitter left out. */
export function nextTimes(schedule: Schedule, after: Date, count: number): Date[] {
  if (!('everyMs' in schedule)) return timesOf(schedule.cron, schedule.timezone).nextRuns(count, after)
  const first = Math.floor(after.getTime() / schedule.everyMs) + 1
  return Array.from({ length: count }, (_, i) => new Date((first + i) * schedule.everyMs))
}

/** The syncs that `after` of a sync or an audience names, without `sync/`; undefined when it names none or is wrong, which is reported. */
export function compileAfter(judged: Judged, of: Path): string[] | undefined {
  const path = [...of, 'after']
  const node = find(judged.tree, path)
  if (node?.kind !== 'list') return undefined
  for (const other of ['every', 'schedule'])
    if (find(judged.tree, [...of, other])) complain(judged, path, `both "after" and "${other}" are given`, 'keep one of them')
  const known = keysOf(find(judged.tree, ['syncs']))
  const named = new Set<string>()
  for (const [index, value] of (plain(node) as unknown[]).entries()) {
    const at = [...path, String(index)]
    if (typeof value !== 'string' || value === '') continue
    const other = value.replace(/^sync\//, '')
    if (!known.includes(other)) complain(judged, at, `no sync ${shown(other)}`, nearOrAll(other, known, 'syncs'))
    else if (value === other) complain(judged, at, `expected a sync as "sync/NAME", found ${shown(value)}`, `write sync/${other}`)
    else if (named.has(other)) complain(judged, at, `${shown(value)} is named twice`)
    named.add(other)
  }
  return [...named]
}

/** Syncs that wait for each other would never start. Each circle is told once, with where every step of it stands. */
export function checkCircles(judged: Judged, after: ReadonlyMap<string, readonly string[]>): void {
  const told = new Set<string>()
  const waiting = endless(after)
  for (const start of waiting.keys()) {
    const chain = new Set<string>()
    let name: string | undefined = start
    while (name !== undefined && !chain.has(name) && !told.has(name)) {
      chain.add(name)
      name = waiting.get(name)
    }
    if (name !== undefined && chain.has(name)) complainOfCircle(judged, [...chain].slice([...chain].indexOf(name)))
    for (const one of chain) told.add(one)
  }
}

/** What is left when syncs whose turn comes are taken away, one after the other; each with one of those that it waits for in vain. */
function endless(after: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  const dependents = new Map<string, string[]>()
  const open = new Map([...after].map(([name, others]) => [name, others.length]))
  for (const [name, others] of after) for (const other of others) dependents.set(other, [...(dependents.get(other) ?? []), name])
  const ready = [...dependents.keys()].filter((name) => !after.has(name))
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    for (const dependent of dependents.get(name) ?? []) {
      const left = open.get(dependent)! - 1
      open.set(dependent, left)
      if (left === 0) ready.push(dependent)
    }
  }
  const stuck = [...open].filter(([, left]) => left > 0).map(([name]) => name)
  return new Map(stuck.map((name) => [name, after.get(name)!.find((other) => (open.get(other) ?? 0) > 0)!]))
}

function complainOfCircle(judged: Judged, circle: readonly string[]): void {
  const [first, ...others] = circle
  const path = (name: string) => ['syncs', name, 'after']
  const round = [...circle, first].join(' after ')
  const places = others.map((name) => placeText(spotOf(judged.tree, path(name)))).join(', ')
  complain(judged, path(first!), `syncs wait for each other in a circle: ${round}`, places === '' ? undefined : `see also ${places}`)
}
