/** Search analytics: figures of days, grouped. */
import { day } from '../company/catalogue.js'
import { hash, place } from '../company/dice.js'
import type { Times } from '../company/history.js'
import type { Drift } from '../kit/drift.js'
import { jsonObject, type Request } from '../kit/http.js'
import { refuse } from './errors.js'
import { factsOf, isShown } from './facts.js'

export interface Asked {
  fromMs: number
  toMs: number
  dimensions: readonly Dimension[]
  type: string
  withFresh: boolean
  rowLimit: number
  startRow: number
}

const known = ['date', 'page', 'query', 'country', 'device'] as const
type Dimension = (typeof known)[number]
const types = ['web', 'image', 'video', 'news', 'discover', 'googleNews']
const rowsMost = 25_000

/** A request's body. @throws Refused where it is not understood */
export function asked(request: Request): Asked {
  const body = jsonObject(request) ?? {}
  const { startDate, endDate, dimensions = [], type = 'web', dataState = 'final', rowLimit = 1_000, startRow = 0 } = body
  const bad = (message: string) => refuse(400, { reason: 'invalidParameter', message })
  const dayOf = (name: string, value: unknown) => {
    if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(value)) throw bad(`Invalid value for ${name}: expected YYYY-MM-DD.`)
    return Date.parse(value)
  }
  const [fromMs, toMs] = [dayOf('startDate', startDate), dayOf('endDate', endDate)]
  if (fromMs > toMs) throw bad('startDate must be on or before endDate.')
  if (!Array.isArray(dimensions) || !dimensions.every((one) => known.includes(one as Dimension))) throw bad('Invalid dimension.')
  if (new Set(dimensions).size < dimensions.length) throw bad('Dimensions must not repeat.')
  if (!types.includes(String(type))) throw bad('Invalid type.')
  if (type === 'discover' && dimensions.includes('query')) throw bad('Discover has no queries.')
  if (!Number.isInteger(rowLimit) || Number(rowLimit) < 1 || Number(rowLimit) > rowsMost) throw bad('Invalid rowLimit.')
  if (!Number.isInteger(startRow) || Number(startRow) < 0) throw bad('Invalid startRow.')
  return {
    fromMs,
    toMs,
    dimensions: dimensions as Dimension[],
    type: String(type),
    withFresh: dataState === 'all',
    rowLimit: Number(rowLimit),
    startRow: Number(startRow),
  }
}

export interface Row {
  keys: string[]
  clicks: number
  impressions: number
  ctr: number
  position: number
}

/** All rows of a question, by clicks; those of equal clicks in no order that means anything. */
export function rowsOf(
  times: Times,
  drift: Drift,
  site: number,
  { fromMs, toMs, dimensions, type, withFresh }: Asked,
  nowMs: number,
  sinceMs: number,
): Row[] {
  const groups = new Map<string, { keys: string[]; clicks: number; impressions: number; positions: number }>()
  for (let at = Math.max(fromMs, Math.floor(Math.max(sinceMs, times.foundedMs) / day) * day); at <= toMs && at <= nowMs; at += day) {
    if (!isShown(at, nowMs, withFresh)) continue
    for (const fact of factsOf(times, site, type, at)) {
      if (fact.isRare && dimensions.includes('query')) continue
      const keys = dimensions.map((name) => (name === 'date' ? new Date(at).toISOString().slice(0, 10) : fact[name]))
      const group = groups.get(keys.join('\n')) ?? { keys, clicks: 0, impressions: 0, positions: 0 }
      group.clicks += fact.clicks
      group.impressions += fact.impressions
      group.positions += fact.positions
      groups.set(keys.join('\n'), group)
    }
  }
  return [...groups.values()]
    .sort((a, b) => b.clicks - a.clicks || chance(a.keys) - chance(b.keys))
    .map(({ keys, clicks, impressions, positions }) => {
      const row = { keys, clicks, impressions, ctr: clicks / impressions, position: positions / impressions }
      return drift.apply('search_console', 'row', keys.join('\n'), row) as unknown as Row
    })
}

const chance = (keys: readonly string[]) => hash(1, place(keys.join('\n')))
