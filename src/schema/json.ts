import { stringify } from 'lossless-json'
import { ExactNumber } from '../core/types.js'

/** JSON text of a value; big integers and exact numbers as the vendor wrote them. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return (
      stringify(value, undefined, undefined, [{ test: (v) => v instanceof ExactNumber, stringify: (v) => (v as ExactNumber).text }]) ??
      'null'
    )
  }
}
