import { ExactNumber, type FieldType } from '../core/types.js'

/**
 * The type of a field that nobody declared, from a value of it: numbers become numeric, since the next one may have a fraction
 * or thirty digits; text stays text, since what looks like a date today may be "n/a" tomorrow.
 */
export function inferredType(value: unknown): FieldType | undefined {
  switch (typeof value) {
    case 'string':
      return 'text'
    case 'number':
    case 'bigint':
      return 'numeric'
    case 'boolean':
      return 'boolean'
    case 'object':
      return value === null ? undefined : value instanceof ExactNumber ? 'numeric' : 'json'
    default:
      return undefined
  }
}

const daysIn = (year: number, month: number) =>
  month === 2 ? (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31

const date = /^\d{4}-\d{2}-\d{2}$/

/** YYYY-MM-DD that exists, years 0001 to 9999. */
export const isDate = (text: string): boolean => date.test(text) && exists(text)

/** Is there such a day? @param text begins with YYYY-MM-DD */
function exists(text: string): boolean {
  const digit = (at: number) => text.charCodeAt(at) - 48
  const year = digit(0) * 1_000 + digit(1) * 100 + digit(2) * 10 + digit(3)
  const month = digit(5) * 10 + digit(6)
  const day = digit(8) * 10 + digit(9)
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && (day <= 28 || day <= daysIn(year, month))
}

const instant = /^\d{4}-\d{2}-\d{2}[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?:Z|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?)?$/

/** An ISO 8601 instant that exists, to the microsecond at most (finer ones PostgreSQL would round). Without an offset it is UTC. */
export const isInstant = (text: string): boolean => instant.test(text) && exists(text)

/** Does an instant say its offset? Without one PostgreSQL would take the session's time zone. */
export const hasOffset = (text: string): boolean => /(?:Z|[+-]\d{2}(?::?\d{2})?)$/.test(text.slice(10))
