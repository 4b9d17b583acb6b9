/** What may be shown of a record: its shape and its types, not what it says. */

const email = /[^\s@"'<>,;:()[\]{}]+@[^\s@"'<>,;:()[\]{}]+/g
/** Seven digits and more, as telephone numbers are written; not within a longer word, and no dates. */
const phone = /(?<![\w.-])(?!\d{4}-\d\d-\d\d)\+?\d(?:[\s().-]{0,2}\d){6,}(?![\w-])/g

/** Addresses and telephone numbers out of a text that is otherwise shown: a key, a message, a field's name. Digits alone are an id. */
export const maskInline = (text: string): string =>
  text.replaceAll(email, maskText).replaceAll(phone, (found) => (/^\d+$/.test(found) ? found : maskText(found)))

/** First letter and length. One letter alone says all, so it is not shown. */
export function maskText(text: string): string {
  const letters = [...text]
  return letters.length === 0 ? '' : `${letters.length > 1 ? letters[0] : ''}… (${letters.length})`
}

/** Below so many levels nothing is shown. */
const deepest = 50

/** A JSON value with its texts masked; numbers of up to four digits, true, false and null stay. */
export function maskValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return maskText(value)
  if (typeof value === 'boolean' || value === null) return value
  if (Array.isArray(value)) return depth < deepest ? value.map((item) => maskValue(item, depth + 1)) : ['…']
  if (typeof value === 'object' && isPlain(value)) {
    if (depth >= deepest) return { '…': '…' }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [maskInline(key), maskValue(item, depth + 1)]))
  }
  const digits = String(value).replaceAll(/\D/g, '').length
  return digits <= 4 && typeof value === 'number' ? value : `number of ${digits} digits`
}

/** Numbers that a double cannot hold are objects of their own. */
const isPlain = (value: object): boolean => [Object.prototype, null].includes(Object.getPrototypeOf(value))
