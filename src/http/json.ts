import { parse } from 'lossless-json'
import { Failure } from '../core/failure.js'
import { ExactNumber } from '../core/types.js'

/** Cheap looks at a whole page, so that most pages are not searched closely: sixteen digits and more, or an exponent. */
const longNumber = /[\d.]{16}/
const exponent = /[\d.][eE][+-]?\d+\s*(?:[,}\]]|$)/
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

function isOrdinary(text: string): boolean {
  if (!longNumber.test(text) && !exponent.test(text)) return true
  for (const [, number] of text.matchAll(suspects)) if (!fitsDouble(number!)) return false
  return true
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
