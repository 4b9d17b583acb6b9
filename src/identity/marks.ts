import { createHmac } from 'node:crypto'
import { Failure } from '../core/failure.js'
import { deriveKey } from '../keys/derive.js'

/**
 * Keyed hashes of people, 32 hex digits: the same in every process that has the key, and nothing to be guessed back without it.
 * @throws Failure `config` without WEIR_KEY
 */
export function createMarks(weirKey: string | undefined): (text: string) => string {
  if (weirKey === undefined)
    throw new Failure(
      'config',
      'WEIR_KEY is not set: the ledger keeps keyed hashes of people, made with it. Set it to 32 random bytes in base64, the same for workers and commands.',
    )
  const { key } = deriveKey(weirKey, 'audiences')
  return (text) => createHmac('sha256', key).update(text, 'utf8').digest('hex').slice(0, 32)
}
