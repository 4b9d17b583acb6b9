/** Durations, rates, shares and dates as people write them. Each function gives undefined for what it does not understand. */

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const longestMs = 100 * 366 * 86_400_000

/** `15m`, `1h30m`, `7d` → milliseconds. At most a hundred years. */
export function duration(text: string): number | undefined {
  if (!/^(\d{1,9}(ms|s|m|h|d|w))+$/.test(text) || text.length > 60) return undefined
  let total = 0
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d|w)/g)) total += Number(count) * (unitMs[unit ?? ''] ?? 0)
  return total <= longestMs ? total : undefined
}

/** The other way: 5400000 → `1h30m`. */
export function durationText(ms: number): string {
  let left = ms
  const parts = Object.entries(unitMs)
    .filter(([unit]) => unit !== 'w')
    .reverse()
    .map(([unit, one]) => {
      const count = Math.floor(left / one)
      left -= count * one
      return count > 0 ? `${count}${unit}` : ''
    })
  return parts.join('') || '0s'
}

/** `100/10s`, `10/s` → so many in so many milliseconds. */
export function rate(text: string): { count: number; perMs: number } | undefined {
  const [, count, times, unit] = /^(\d{1,9})\/(\d{0,6})(s|m|h|d)$/.exec(text) ?? []
  const perMs = (times === '' ? 1 : Number(times)) * (unitMs[unit ?? ''] ?? 0)
  return count !== undefined && Number(count) > 0 && perMs > 0 ? { count: Number(count), perMs } : undefined
}

/** `0.5%` or `0.5` → 0.5; at most `most`, which has three digits. */
export function percent(value: string | number, most = 100): number | undefined {
  const [, digits] = /^(\d{1,3}(?:\.\d{1,6})?)\s?%?$/.exec(String(value)) ?? []
  return digits !== undefined && Number(digits) <= most ? Number(digits) : undefined
}

/** Is this a time zone that this machine knows (IANA names)? */
export function isTimezone(name: string): boolean {
  if (!/^[A-Za-z][\w+\-/]{1,60}$/.test(name)) return false
  try {
    return formatOf(name).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** `-90d`, `-12w` → `-90d`, `-84d`: whole days before the run, which whoever plans a run subtracts. */
export function relativeDays(text: string): string | undefined {
  const [, count, unit] = /^-(\d{1,5})([dw])$/.exec(text) ?? []
  const days = Number(count) * (unit === 'w' ? 7 : 1)
  return count !== undefined && days > 0 && days <= 36_500 ? `-${days}d` : undefined
}

/** An ISO date, or date and time, as an instant in UTC; without an offset it is meant in `timezone`. */
export function instant(text: string, timezone: string): string | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  const back = new Date(wall)
  // the 31st of February, 25 o'clock and the like turn into something else
  if (back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return undefined
  const zone = match[7]
  if (zone === 'Z') return back.toISOString()
  if (zone !== undefined) {
    const [hours, minutes] = zone.slice(1).split(':').map(Number) as [number, number]
    if (hours > 14 || minutes > 59) return undefined
    return new Date(wall - (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000).toISOString()
  }
  const first = wall - offsetMs(wall, timezone)
  return new Date(wall - offsetMs(first, timezone)).toISOString()
}

/** How far a zone's clocks are ahead of UTC at an instant. */
function offsetMs(at: number, timezone: string): number {
  if (timezone === 'UTC') return 0
  const parts = formatOf(timezone).formatToParts(at)
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value ?? 0)
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) - Math.floor(at / 1000) * 1000
}

/** Formats are dear to make and a project has few zones. */
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known) return known
  const numeric = 'numeric' as const
  const parts = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric }
  const made = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...parts })
  formats.set(timeZone, made)
  return made
}
