import { createHmac } from 'node:crypto'
import { audienceKey } from '../keys/derive.js'

/** A keyed hash, the same in every process that has the key. */
export type Mark = (text: string) => string

/**
 * Keyed hashes of people, 32 hex digits: the same in every process that has the key, and nothing to be guessed back without it.
 * @throws Failure `config` without WEIR_KEY
 */
export function createMarks(weirKey: string | undefined): Mark {
  const { key } = audienceKey(weirKey)
  return (text) => createHmac('sha256', key).update(text, 'utf8').digest('hex').slice(0, 32)
}
