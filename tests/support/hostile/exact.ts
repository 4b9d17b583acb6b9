/** An exact reading of JSON, independent of Weir's own: what tests compare with. Numbers stay texts; of equal keys the last counts. */

export type Doc =
  | { is: 'null' }
  | { is: 'boolean'; value: boolean }
  | { is: 'number'; text: string }
  | { is: 'text'; value: string }
  | { is: 'list'; items: Doc[] }
  | { is: 'object'; members: Map<string, Doc> }

/** A JSON text's meaning. Throws SyntaxError. */
export function readExactly(text: string): Doc {
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  const need = (pattern: RegExp): string => {
    const found = take(pattern)
    if (found === undefined) throw new SyntaxError(`not JSON at ${at}: ${text.slice(at, at + 40)}`)
    return found
  }
  const space = () => void take(/[ \t\r\n]*/y)
  const string = () => JSON.parse(need(/"(?:[^"\\]|\\.)*"/sy)) as string
  const value = (): Doc => {
    space()
    const doc = inner()
    space()
    return doc
  }
  const inner = (): Doc => {
    if (text[at] === '"') return { is: 'text', value: string() }
    if (take(/\{/y) !== undefined) {
      const members = new Map<string, Doc>()
      for (space(); take(/\}/y) === undefined; space()) {
        if (members.size > 0) need(/,/y)
        space()
        const key = string()
        space()
        need(/:/y)
        members.set(key, value())
      }
      return { is: 'object', members }
    }
    if (take(/\[/y) !== undefined) {
      const items: Doc[] = []
      for (space(); take(/\]/y) === undefined; ) {
        if (items.length > 0) need(/,/y)
        items.push(value())
      }
      return { is: 'list', items }
    }
    const word = need(/true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y)
    if (word === 'null') return { is: 'null' }
    return word === 'true' || word === 'false' ? { is: 'boolean', value: word === 'true' } : { is: 'number', text: word }
  }
  const doc = value()
  if (at < text.length) throw new SyntaxError(`more than JSON at ${at}`)
  return doc
}

/** A decimal as sign, digits and power of ten: equal for equal numbers, however they are written. Zero has no sign. */
export function decimal(text: string): string | undefined {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text)
  if (!match || `${match[2]}${match[3]}` === '') return undefined
  const [, sign, whole, fraction, power = '0'] = match as unknown as [string, string, string, string, string?]
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  return kept === '' ? '0' : `${sign === '-' ? '-' : ''}${kept}e${Number(power) - fraction.length + digits.length - kept.length}`
}

/** Do two say the same, numbers digit for digit? */
export function same(a: Doc, b: Doc): boolean {
  if (a.is === 'number' && b.is === 'number') return decimal(a.text) === decimal(b.text)
  if (a.is === 'list' && b.is === 'list') return a.items.length === b.items.length && a.items.every((item, i) => same(item, b.items[i]!))
  if (a.is === 'object' && b.is === 'object')
    return a.members.size === b.members.size && [...a.members].every(([key, item]) => b.members.has(key) && same(item, b.members.get(key)!))
  if (a.is === 'boolean' && b.is === 'boolean') return a.value === b.value
  if (a.is === 'text' && b.is === 'text') return a.value === b.value
  return a.is === 'null' && b.is === 'null'
}

/** Microseconds since 1970 of an ISO 8601 text, or of PostgreSQL's own writing; without an offset it is UTC. */
export function instant(text: string): bigint | undefined {
  const match = /^(\d{4,6})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)?( BC)?$/.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second = '0', fraction = '', sign, offsetHour = '0', offsetMinute = '0', bc] = match
  const date = new Date(0)
  date.setUTCFullYear(bc ? 1 - Number(year) : Number(year), Number(month) - 1, Number(day))
  date.setUTCHours(Number(hour), Number(minute), Number(second))
  const offset = (sign === '-' ? -60_000n : 60_000n) * BigInt(Number(offsetHour) * 60 + Number(offsetMinute))
  return (BigInt(date.getTime()) - offset) * 1_000n + BigInt(fraction.padEnd(6, '0'))
}
