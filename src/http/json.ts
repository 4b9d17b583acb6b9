import { parse } from 'lossless-json'
import { Failure } from '../core/failure.js'
import { ExactNumber } from '../core/types.js'

/** Numbers that a double may not hold: sixteen digits and more, or an exponent. Texts that look so cost time, not truth. */
const suspects = /[:,[]\s*-?\d(?:[\d.]{15,}|[\d.]*(?=[eE]))(?:[eE][+-]?\d+)?/g
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
    const isOrdinary = text.match(suspects)?.every((one) => fitsDouble(one.replace(/^[:,[]\s*/, ''))) ?? true
    return isOrdinary ? JSON.parse(text) : parse(text, undefined, { parseNumber: exact, onDuplicateKey: ({ newValue }) => newValue })
  } catch (error) {
    if (error instanceof RangeError)
      throw new Failure('permanent', 'The vendor sent JSON that is nested too deeply to be read.', {}, { cause: error })
    throw new Failure('transient', 'The vendor sent a body that is not whole JSON.')
  }
}

/** Does a double say the same? Up to fifteen digits always; beyond that, if it is written back as it came. */
function fitsDouble(text: string): boolean {
  const number = Number(text)
  if (!Number.isFinite(number)) return false
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
