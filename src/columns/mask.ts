import { ExactNumber, type Value } from '../core/types.js'

const hidden = '***'
const email = /^[^@\s]+@[^@\s]+\.[^@\s]+$/
const phone = /^[+(]?[\d\s().\-/]+$/
/** Fewer digits are no phone number, and two of them would tell too much. */
const phoneDigits = 7
const maskedPhone = /^\*{3}\d\d$/

/**
 * What may be seen of a value: `a***@example.com` of an e-mail address, `***89` of a phone number, `J***` of any other text; of
 * a text of one character nothing but `***`. How long it was does not show. A number is taken by its digits; what has no text
 * (true, an object, a list) becomes null. A masked text stays as it is: a record may pass twice.
 */
export function mask(value: Value): Value {
  const text = typeof value === 'number' || typeof value === 'bigint' || value instanceof ExactNumber ? String(value) : value
  if (typeof text !== 'string') return null
  if (text === '' || maskedPhone.test(text)) return text
  if (email.test(text)) {
    const at = text.lastIndexOf('@')
    return `${first(text.slice(0, at))}${hidden}${text.slice(at)}`
  }
  const digits = phone.test(text) ? text.replaceAll(/\D/g, '') : ''
  return digits.length >= phoneDigits ? `${hidden}${digits.slice(-2)}` : `${first(text)}${hidden}`
}

/** The first character, unless it is all there is, or hidden already. */
function first(text: string): string {
  const [character = ''] = text
  return character === text || character === '*' ? '' : character
}
