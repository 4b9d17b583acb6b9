/**
 * What the vendor holds, and so what a warehouse must hold afterwards; computed here, by none of Weir's code. Every value follows
 * from a record's number and version. Seven records share each timestamp; one in five thousand holds what PostgreSQL cannot store.
 */
import { createHash } from 'node:crypto'
import type { Dice } from './dice.js'

export type StreamName = 'profiles' | 'events'
export type Row = Record<string, unknown>

/** One record as the vendor's walk meets it; an updated profile moves to the end of the walk, unless its cursor does not move; an event stays where it is. */
export interface Entry {
  i: number
  version: number
  /** Unix seconds: `updated` of a profile, `datetime` of an event. */
  at: number
  /** Superseded by a later entry, or vanished. */
  isGone: boolean
}

export interface Truth {
  stream: StreamName
  rows: number
  /** In order of `at`. */
  entries: Entry[]
  /** Versions of record i, oldest first, by their instants. */
  versionsOf: (i: number) => readonly number[]
  hasVanished: (i: number) => boolean
  /** Has record i changed without its cursor? Only who reads it again learns of it. */
  isQuiet: (i: number) => boolean
  /** Changes this share of all records, never one twice; of profiles, a tenth keep their cursor; of events, a tenth vanish instead. */
  change: (share: number, random: Dice) => number
}

const perTimestamp = 7
const isBad = (i: number) => i % 5_000 === 2_500
/** Keys of records that must become dead letters. */
export const badKeys = (rows: number): string[] =>
  Array.from({ length: rows }, (_, i) => i)
    .filter(isBad)
    .map(keyOf)
export const mustBeDeadLetter = isBad

const prefix = '01HCHAOS'
export function keyOf(i: number): string {
  return prefix + i.toString(36).toUpperCase().padStart(18, '0')
}
export const numberOf = (key: string): number => Number.parseInt(key.slice(prefix.length), 36)

/** As Klaviyo writes instants, and as PostgreSQL does in JSON. */
export const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', '+00:00')

/** Profiles have changed over two months of 2024; events happened over the eight weeks before `now`, an hour ago at the latest. */
export function makeTruth(stream: StreamName, rows: number, now: Date): Truth {
  const groups = Math.ceil(rows / perTimestamp)
  const [from, span] = stream === 'profiles' ? [Date.UTC(2024, 0, 1) / 1000, 60 * 86_400] : [whole(now) - 56 * 86_400, 56 * 86_400 - 3_600]
  const first = (i: number) => from + Math.floor((Math.floor(i / perTimestamp) * span) / groups)
  const entries: Entry[] = Array.from({ length: rows }, (_, i) => ({ i, version: 0, at: first(i), isGone: false }))
  const changed = new Map<number, number[]>()
  const vanished = new Set<number>()

  const change = (share: number, random: Dice): number => {
    const count = Math.round(rows * share)
    for (let done = 0; done < count; ) {
      const i = random.whole(0, rows - 1)
      if (changed.has(i) || vanished.has(i) || isBad(i)) continue
      done++
      const old = entries[i]!
      if (stream === 'profiles' && done % 10 !== 0) {
        const at = whole(new Date())
        old.isGone = true
        entries.push({ i, version: 1, at, isGone: false })
        changed.set(i, [old.at, at])
      } else if (stream === 'events' && done % 10 === 0) {
        old.isGone = true
        vanished.add(i)
      } else {
        old.version = 1
        changed.set(i, [old.at, old.at])
      }
    }
    return count
  }
  const versionsOf = (i: number) => changed.get(i) ?? [first(i)]
  const isQuiet = (i: number) => versionsOf(i).length > 1 && versionsOf(i)[0] === versionsOf(i)[1]
  return { stream, rows, entries, versionsOf, hasVanished: (i) => vanished.has(i), isQuiet, change }
}

const whole = (instant: Date) => Math.floor(instant.getTime() / 1000)

const names = ['Sarah', 'Zoë', 'José', 'Mehmet', "D'Arcy", 'Chloé', 'Jürgen', '愛子', 'Πέτρος', 'Ву́ди']
const texts = ['plain', 'tab\there', 'two\nlines', 'back\\slash \\N', '"quoted", {braced}', '🎈 balloon', '']

/** Attributes of a record in the vendor's shape. A field that nobody declared begins in the middle: the table grows while it is loaded. */
export function attributesOf(truth: Truth, i: number, version: number, at: number): Row {
  const r = Math.imul(i + 1, 0x9e3779b1) >>> 0
  const odd = isBad(i) ? 'nul\u0000' : texts[r % texts.length]
  const late = i >= truth.rows / 2 ? { tier: `tier ${r % 9}`, visits: (r % 1_000) / 4 } : {}
  if (truth.stream === 'events') {
    return {
      datetime: iso(at),
      timestamp: at,
      uuid: `${keyOf(i)}-uuid`,
      event_properties: {
        value: r % 10_000,
        item: texts[(r >>> 5) % texts.length],
        note: odd,
        version,
        nested: { list: [r % 7, null, 'x'] },
      },
      ...late,
    }
  }
  return {
    email: `user${i}@example.com`,
    phone_number: i % 3 === 0 ? null : `+1500555${String(r % 10_000).padStart(4, '0')}`,
    external_id: `ext-${i}`,
    first_name: names[r % names.length],
    last_name: odd,
    title: version === 0 ? 'Manager' : `Manager, changed ${version}`,
    locale: 'en-US',
    created: iso(1_600_000_000 + (r % 10_000_000)),
    updated: iso(at),
    last_event_date: i % 5 === 0 ? null : iso(at - 3_600),
    location: { city: texts[(r >>> 3) % texts.length], latitude: String((r % 18_000) / 100 - 90), longitude: (r % 36_000) / 100 - 180 },
    properties: {
      plan: 'pro',
      points: r % 100_000,
      'with space': [`sale-${r % 50}`, { deep: version }],
      accepts: r % 2 === 0,
      filler: 'x'.repeat(200 + (r % 300)),
    },
    ...late,
  }
}

const personOf = (i: number) => `P${i % 977}`
const metricOf = (i: number) => `M${i % 13}`

/** The whole record as the vendor sends it. */
export function recordOf(truth: Truth, { i, version, at }: Entry): Row {
  const [type, relationships] =
    truth.stream === 'events'
      ? ['event', { profile: { data: { type: 'profile', id: personOf(i) } }, metric: { data: { type: 'metric', id: metricOf(i) } } }]
      : ['profile', {}]
  return {
    type,
    id: keyOf(i),
    attributes: attributesOf(truth, i, version, at),
    relationships,
    links: { self: `https://vendor.example/${keyOf(i)}` },
  }
}

/** The row that record i, in this version, must have become. */
export function rowOf(truth: Truth, i: number, version: number): Row {
  const at = truth.versionsOf(i)[version]!
  const related = truth.stream === 'events' ? { profile_id: personOf(i), metric_id: metricOf(i) } : {}
  return { id: keyOf(i), ...attributesOf(truth, i, version, at), ...related }
}

/** A row by its values: names in order, empty ones left out, as they are in neither place. */
export const hashOf = (row: Row): string => createHash('sha1').update(canonical(row, true)).digest('base64')

/** JSON with its names in order. */
function canonical(value: unknown, leavesOutEmpty = false): string {
  if (Array.isArray(value)) return `[${value.map((one) => canonical(one)).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = value as Row
  let text = '{'
  for (const name of Object.keys(fields).sort()) {
    const inner = fields[name]
    if (inner === undefined || (leavesOutEmpty && inner === null)) continue
    text += `${JSON.stringify(name)}:${canonical(inner)},`
  }
  return `${text}}`
}
