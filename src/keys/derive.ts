import { createHash, hkdfSync } from 'node:crypto'
import { Failure } from '../core/failure.js'

/** What a key of Weir protects; each has a key of its own, so that none gives away another. */
export type Purpose = 'credentials' | 'columns' | 'columns/mark' | 'dead-letters' | 'audiences' | 'payloads' | 'audit'

export interface DerivedKey {
  key: Buffer
  /** Eight hex digits that name the key and say nothing of it: what was made with a key names it. */
  fingerprint: string
}

/** The key of one purpose, derived from WEIR_KEY. */
export function deriveKey(weirKey: string, purpose: Purpose): DerivedKey {
  const key = Buffer.from(hkdfSync('sha256', weirKey, '', `weir/${purpose}`, 32))
  return { key, fingerprint: createHash('sha256').update(key).digest('hex').slice(0, 8) }
}

/**
 * The key of what the ledger says of people: hashes of addresses without one could be guessed back.
 * @throws Failure `config` without WEIR_KEY
 */
export function audienceKey(weirKey: string | undefined): DerivedKey {
  if (weirKey !== undefined) return deriveKey(weirKey, 'audiences')
  throw new Failure(
    'config',
    'WEIR_KEY is not set: the ledger keeps keyed hashes of people, made with it. Set it to 32 random bytes in base64, the same for workers and commands.',
  )
}
