/** One value → one cell of COPY's text format: exactly, or not at all. */
import { ExactNumber, type FieldType } from '../core/types.js'
import { jsonText } from './json.js'
import { hasOffset, isDate, isInstant } from './typing.js'

/** A record that no table can take, whatever its columns: it becomes a dead letter. */
export class Unstorable extends Error {}

/** Text that PostgreSQL can store: no NUL, no half of a surrogate pair. */
export const isStorable = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed()

/** A text as messages quote it: what cannot be stored is shown as U+FFFD. */
export const shown = (text: string): string => text.replaceAll('\u0000', '\ufffd').toWellFormed()

/** Text of a cell in COPY's text format, or undefined where the value does not fit the type without loss. */
export type Encode = (value: unknown) => string | undefined

const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
/** What COPY's text format escapes, and what may make a text unstorable: one look at most texts is enough. */
const special = /[\\\t\n\r\0\ud800-\udfff]/

/** Text as COPY's text format has it. Throws Unstorable. */
export function copyText(text: string): string {
  if (!special.test(text)) return text
  if (text.includes('\u0000')) throw new Unstorable('holds a NUL character, which PostgreSQL cannot store')
  if (!text.isWellFormed()) throw new Unstorable('holds half of a surrogate pair, which is not valid Unicode')
  return text.replace(/[\\\t\n\r]/g, (c) => escapes[c]!)
}

function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return copyText(value)
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' || value instanceof ExactNumber)
    return String(value)
  return undefined
}

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }
const wholeNumber = /^(?:0|-?[1-9]\d{0,18})$/

function asBigint(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined
  if (typeof value === 'bigint' || (typeof value === 'string' && wholeNumber.test(value))) {
    const number = BigInt(value)
    return number >= int64.min && number <= int64.max ? String(number) : undefined
  }
  return undefined
}

const decimal = /^-?\d{1,5000}(?:\.\d{1,5000})?(?:[eE][+-]?\d{1,4})?$/
/** Text that numeric writes back as it was: "007" and "1e5" are texts, "12.50" is a number. */
const plainDecimal = /^(?!-0+(?:\.0+)?$)-?(?:0|[1-9]\d{0,4999})(?:\.\d{1,5000})?$/

function asNumeric(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined
  if (typeof value === 'bigint') return String(value)
  if (value instanceof ExactNumber) return decimal.test(value.text) ? value.text : undefined
  return typeof value === 'string' && plainDecimal.test(value) ? value : undefined
}

/** Digits that a double gives back as they came. */
const safeDigits = 15

/** Of texts those that PostgreSQL writes back as they were: below 0.0001 and from 10^15 on it writes exponents. */
function asDouble(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined
  if (typeof value !== 'string' || !plainDecimal.test(value) || value.replace(/\D/g, '').length > safeDigits) return undefined
  const number = Number(value)
  return String(number) === value && (number === 0 || Math.abs(number) >= 1e-4) ? value : undefined
}

function asBoolean(value: unknown): string | undefined {
  if (typeof value === 'boolean') return value ? 't' : 'f'
  return value === 'true' ? 't' : value === 'false' ? 'f' : undefined
}

function asTimestamp(value: unknown): string | undefined {
  if (typeof value !== 'string' || !isInstant(value)) return undefined
  return hasOffset(value) ? value : `${value}Z`
}

const asDate: Encode = (value) => (typeof value === 'string' && isDate(value) ? value : undefined)

/** `\u0000` and lone surrogates as JSON.stringify writes them, after an even number of backslashes. */
const unstorableInJson = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/

export function asJson(value: unknown): string {
  const text = jsonText(value)
  if (text.includes('\\u') && unstorableInJson.test(text)) {
    throw new Unstorable('holds a NUL character or half of a surrogate pair, which PostgreSQL cannot store')
  }
  return text.includes('\\') ? text.replaceAll('\\', '\\\\') : text
}

export const encoders: Readonly<Record<FieldType, Encode>> = {
  text: asText,
  bigint: asBigint,
  numeric: asNumeric,
  double: asDouble,
  boolean: asBoolean,
  timestamp: asTimestamp,
  date: asDate,
  json: asJson,
}
