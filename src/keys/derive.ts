import { createHash, hkdfSync } from 'node:crypto'

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
