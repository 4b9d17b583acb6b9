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

/**
 * The characters of a body that is JSON. Few that lie beyond ASCII become escapes: the text then takes one byte a character, and is made and
 * parsed in five sixths of the time.
 */
export const jsonTextOf = (data: Buffer): string => (isAscii(data) || !isUtf8(data) ? undefined : escaped(data)) ?? textOf(data)

/** One byte in so many may be beyond ASCII; with more of them, escapes cost more than they save. */
const fewOf = 16
const backslash = 0x5c
/** Kept from one page to the next: memory that is new costs more than what is done in it. */
let scratch = Buffer.alloc(0)
const largestScratch = 4 * 1024 * 1024

const beyondAscii = 0x80808080 | 0
/** Are the eight words from a place on nothing but ASCII? */
const isAsciiAt = (w: Int32Array, at: number): boolean =>
  ((w[at]! | w[at + 1]! | w[at + 2]! | w[at + 3]! | w[at + 4]! | w[at + 5]! | w[at + 6]! | w[at + 7]!) & beyondAscii) === 0

/** UTF-8 as ASCII with `\u` escapes; undefined where that is no gain, or would mean something else. */
function escaped(data: Buffer): string | undefined {
  // Four bytes are looked at together, where they lie as memory has them.
  if (data.byteOffset % 4 > 0 || 2 * data.length > largestScratch) return undefined
  if (scratch.length < 2 * data.length) scratch = Buffer.allocUnsafeSlow(2 * data.length)
  const words = new Int32Array(data.buffer, data.byteOffset, data.length >> 2)
  let left = data.length / fewOf
  let from = 0
  let to = 0
  for (let word = 0; word < words.length; word++) {
    // Most of a text is passed by eight words at a time, in a quarter of the time.
    while (word + 8 <= words.length && isAsciiAt(words, word)) word += 8
    if ((words[word]! & beyondAscii) === 0) continue
    for (let at = Math.max(from, 4 * word); at < 4 * word + 4; at++) {
      if (data[at]! < 0x80) continue
      let end = at + 1
      while (end < data.length && data[end]! >= 0x80) end++
      left -= end - at
      // Behind a backslash it is no JSON, and an escape would make it some.
      if (left < 0 || at === 0 || data[at - 1] === backslash) return undefined
      to += data.copy(scratch, to, from, at)
      to = writeEscapes(data.toString('utf8', at, end), to)
      from = end
      at = end - 1
    }
    word = Math.max(word, (from >> 2) - 1)
  }
  if (!isAscii(data.subarray(Math.max(from, 4 * words.length)))) return undefined
  to += data.copy(scratch, to, from)
  return scratch.toString('latin1', 0, to)
}

const hex = Buffer.from('0123456789abcdef')

/** Writes each UTF-16 unit as `\u` and four digits from a place in `scratch` on; answers with the place behind them. */
function writeEscapes(text: string, place: number): number {
  let to = place
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    scratch[to++] = backslash
    scratch[to++] = 0x75
    for (let shift = 12; shift >= 0; shift -= 4) scratch[to++] = hex[(unit >> shift) & 15]!
  }
  return to
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
