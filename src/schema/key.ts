import { ExactNumber } from '../core/types.js'
import { isStorable } from './cells.js'
import { jsonText } from './json.js'
import { hasOffset, isInstant } from './typing.js'

/** Longer ones are not indexed by PostgreSQL, and no vendor's keys. */
const longestKey = 500

/** A record's key as letters name it: its text, or a JSON array of texts where it has several fields, so that no two keys read alike. */
export function keyText(values: Readonly<Record<string, unknown>>, key: readonly string[]): string {
  const texts = key.map((field) => {
    const value = values[field]
    return typeof value === 'object' && !(value instanceof ExactNumber) ? jsonText(value) : String(value)
  })
  return texts.length === 1 ? texts[0]! : JSON.stringify(texts)
}

/** Does a field of a key tell nothing apart? */
export const isEmpty = (value: unknown): boolean => value === null || value === undefined || value === ''

/** The key that a letter is found by; none where the record lacks one, or has one that no row could have. */
export function letterKey(values: Readonly<Record<string, unknown>>, key: readonly string[]): { recordKey?: string } {
  for (const field of key) {
    const value = values[field]
    if (isEmpty(value) || (typeof value === 'object' && !(value instanceof ExactNumber))) return {}
  }
  const recordKey = keyText(values, key)
  return recordKey.length <= longestKey && isStorable(recordKey) ? { recordKey } : {}
}

/** How old a version says that it is: its cursor or its deletion, whichever is later, as far as they are instants. */
export function versionAt(
  values: Readonly<Record<string, unknown>>,
  { cursor, deletedAt }: { cursor?: string | undefined; deletedAt?: string | undefined },
): { versionAt?: string } {
  const instants = [cursor, deletedAt].flatMap((field) => {
    const value = field === undefined ? undefined : values[field]
    return typeof value === 'string' && isInstant(value) ? [hasOffset(value) ? value : `${value}Z`] : []
  })
  const [a, b] = instants
  if (a === undefined) return {}
  return { versionAt: b !== undefined && Date.parse(b) > Date.parse(a) ? b : a }
}
