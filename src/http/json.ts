import { parse } from 'lossless-json'
import { Failure } from '../core/failure.js'
import { ExactNumber } from '../core/types.js'

/** What a double may not hold: sixteen digits and more, or an exponent. Texts that look so cost time, not truth. */
const suspects = /(?<=[[:,\s])-?(?:\d[\d.]{15,}|\d[\d.]*(?=[eE]))(?:[eE][+-]?\d+)?/g
const whole = /^-?\d+$/

/**
 * JSON with every number exact: those that a double holds are numbers, longer integers bigint, the rest ExactNumber. Of a key
 * that stands twice the last one counts, as JSON.parse has it.
 * @throws Failure `transient`: a body that is no JSON was cut or comes from something in between.
 */
export function parseJson(text: string): unknown {
  try {
    if (text.match(suspects)?.every(fitsDouble) ?? true) return JSON.parse(text)
    return parse(text, undefined, { parseNumber: exact, onDuplicateKey: ({ newValue }) => newValue })
  } catch (error) {
    if (error instanceof RangeError)
      throw new Failure('permanent', 'The vendor sent JSON that is nested too deeply to be read.', {}, { cause: error })
    throw new Failure('transient', 'The vendor sent a body that is not whole JSON.', {}, { cause: error })
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
  if (digits.length <= 15) return number !== 0 || digits === ''
  return String(number) === (text.includes('.') ? text.replace(/\.?0+$/, '') : text) && (!whole.test(text) || Number.isSafeInteger(number))
}

function exact(text: string): number | bigint | ExactNumber {
  if (fitsDouble(text)) return Number(text)
  return whole.test(text) ? BigInt(text) : new ExactNumber(text)
}
