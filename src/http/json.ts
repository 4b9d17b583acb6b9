import { isAscii, isUtf8, transcode } from 'node:buffer'
import { parse } from 'lossless-json'
import { Failure } from '../core/failure.js'
import { ExactNumber } from '../core/types.js'

/** An exponent that may lead beyond what a double holds has three digits, and what follows a number ends it. */
const largeExponent = /\d[eE][+-]?\d{3,}(?:\s*[,}\]]|\s*$)/
/** The numbers that a double may not hold. Texts that look so cost time, not truth. */
const suspects = /(?:^|[:,[])\s*(-?\d(?:[\d.]{15,}|[\d.]*(?=[eE]))(?:[eE][+-]?\d+)?)/g
const whole = /^-?\d+$/
/** Below it doubles lose digits. */
const smallestNormal = 2.2250738585072014e-308

/**
 * JSON with every number exact: those that a double holds are numbers, longer integers bigint, the rest ExactNumber. Of a key
 * that stands twice the last one counts, and `__proto__` is a key like any other.
 * @throws Failure `transient`: a body that is no JSON was cut or comes from something in between.
 */
export function parseJson(text: string): unknown {
  try {
    if (isOrdinary(text)) return JSON.parse(text)
    return parse(text, undefined, { parseNumber: exact, onDuplicateKey: ({ newValue }) => newValue })
  } catch (error) {
    if (error instanceof RangeError)
      throw new Failure('permanent', 'The vendor sent JSON that is nested too deeply to be read.', {}, { cause: error })
    throw new Failure('transient', 'The vendor sent a body that is not whole JSON.')
  }
}

/**
 * The characters of a body, without the byte order mark that it may begin with. Most are ASCII, or go by way of UTF-16 in less
 * than half of the time that UTF-8 takes.
 */
export function textOf(data: Buffer): string {
  if (isAscii(data)) return data.toString('latin1')
  const text = isUtf8(data) ? transcode(data, 'utf8', 'utf16le').toString('utf16le') : data.toString('utf8')
  return text.startsWith('\ufeff') ? text.slice(1) : text
}

function isOrdinary(text: string): boolean {
  if (!hasLongNumber(text) && !largeExponent.test(text)) return true
  for (const [, number] of text.matchAll(suspects)) if (!fitsDouble(number!)) return false
  return true
}

/** Digits and dots that a double holds in any order. */
const safeLength = 15
const isDigit = (code: number) => (code >= 48 && code <= 57) || code === 46

/**
 * A cheap look at a whole page, so that most are not searched closely: is there a run of sixteen digits and dots that may be
 * a number? Every such run covers a place whose index sixteen divides, so only these are looked at.
 */
function hasLongNumber(text: string): boolean {
  for (let at = 0; at < text.length; at += safeLength + 1) {
    if (!isDigit(text.charCodeAt(at))) continue
    let from = at
    let to = at
    while (isDigit(text.charCodeAt(from - 1))) from--
    while (isDigit(text.charCodeAt(to + 1))) to++
    if (to - from >= safeLength && mayStartNumber(text, from - 1)) return true
    at = to - (to % (safeLength + 1))
  }
  return false
}

/** What stands before a number: nothing, a sign, or what separates values; in a text mostly something else. */
function mayStartNumber(text: string, at: number): boolean {
  const before = text.charAt(text.charAt(at) === '-' ? at - 1 : at)
  return before === '' || ':,[ \n\r\t'.includes(before)
}

/** Does a double say the same? Up to fifteen digits always; beyond that, if it is written back as it came. */
function fitsDouble(text: string): boolean {
  const number = Number(text)
  if (!Number.isFinite(number)) return false
  // Most long numbers were once doubles and come back as they were; the rest is looked at closely.
  if (String(number) === text && Math.abs(number) >= 1) return !Number.isInteger(number) || Number.isSafeInteger(number)
  const digits = text
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '')
  if (digits === '') return true
  if (digits.length <= 15) return Math.abs(number) >= smallestNormal
  return String(number) === (text.includes('.') ? text.replace(/\.?0+$/, '') : text) && (!whole.test(text) || Number.isSafeInteger(number))
}

function exact(text: string): number | bigint | ExactNumber {
  if (fitsDouble(text)) return Number(text)
  return whole.test(text) ? BigInt(text) : new ExactNumber(text)
}
