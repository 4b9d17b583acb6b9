import { createHmac } from 'node:crypto'
import { ExactNumber, type Value } from '../core/types.js'
import { deriveKey } from '../keys/derive.js'

/** Replaces values by hashes that only the holder of the key can make. */
export interface Hasher {
  /** Names the key. */
  fingerprint: string
  /**
   * 64 hex digits; the same value gives the same ones in every table, whatever its type (`1` and `"1"` alike), so joins hold.
   * What is no value (null, an empty text) stays. A hash made with this key stays as it is: a record may pass twice.
   */
  hash: (value: Value) => Value
}

/** The first 48 digits are HMAC-SHA-256 of the value, the other 16 of those: by them a hash of ours is known again. */
const digestDigits = 48
const shape = /^[0-9a-f]{64}$/

/** Keyed hashes with keys derived from WEIR_KEY for this purpose alone. */
export function createHasher(weirKey: string): Hasher {
  const { key, fingerprint } = deriveKey(weirKey, 'columns')
  const { key: markKey } = deriveKey(weirKey, 'columns/mark')
  const marked = (digest: string) =>
    digest +
    createHmac('sha256', markKey)
      .update(digest)
      .digest('hex')
      .slice(0, 64 - digestDigits)
  const isOurs = (text: string) => shape.test(text) && marked(text.slice(0, digestDigits)) === text
  return {
    fingerprint,
    hash(value) {
      if (value === null || value === undefined || value === '') return value
      const text = canonical(value)
      if (isOurs(text)) return text
      return marked(createHmac('sha256', key).update(text).digest('hex').slice(0, digestDigits))
    },
  }
}

/** A value's text: texts, numbers and booleans as they are, objects as JSON with sorted keys. */
function canonical(value: Value): string {
  return typeof value === 'object' && !(value instanceof ExactNumber) ? json(value) : String(value)
}

function json(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(json).join(',')}]`
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return String(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${json(item)}`).join(',')}}`
}
