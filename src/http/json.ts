import { parse } from 'lossless-json'
import { Failure } from '../core/failure.js'
import { ExactNumber } from '../core/types.js'

/** Numbers that a double may not hold exactly: sixteen digits and more, or an exponent. Texts that look so cost time, not truth. */
const risky = /[[:,\s]-?(?:\d[\d.]{15}|\d[\d.]*[eE])/
const whole = /^-?\d+$/

/**
 * JSON with every number exact: those that a double holds are numbers, longer integers bigint, the rest ExactNumber. Of a key
 * that stands twice the last one counts, as JSON.parse has it.
 * @throws Failure `transient`: a body that is no JSON was cut or comes from something in between.
 */
export function parseJson(text: string): unknown {
  try {
    if (!risky.test(text)) return JSON.parse(text)
    return parse(text, undefined, { parseNumber: exact, onDuplicateKey: ({ newValue }) => newValue })
  } catch (error) {
    if (error instanceof RangeError)
      throw new Failure('permanent', 'The vendor sent JSON that is nested too deeply to be read.', {}, { cause: error })
    throw new Failure('transient', 'The vendor sent a body that is not whole JSON.', {}, { cause: error })
  }
}

function exact(text: string): number | bigint | ExactNumber {
  if (whole.test(text)) {
    const integer = BigInt(text)
    return integer >= Number.MIN_SAFE_INTEGER && integer <= Number.MAX_SAFE_INTEGER ? Number(text) : integer
  }
  const number = Number(text)
  return Number.isFinite(number) && String(number) === text ? number : new ExactNumber(text)
}
