import type pg from 'pg'
import { Failure } from '../../../core/failure.js'
import { type DerivedKey, deriveKey } from '../../../keys/derive.js'
import type { AudienceStore } from '../../contract/audiences.js'
import type { ErasureStore } from '../../contract/erasures.js'
import type { Append } from '../audit.js'
import type { LetterSeal } from '../letter-seal.js'
import { diff } from './diff.js'
import { createErasures } from './erasures.js'
import { prepare, preview } from './prepare.js'
import { awaitJobs, claim, settle } from './push.js'
import { createAudienceRuns } from './runs.js'

/** Audiences in PostgreSQL. What compares people needs WEIR_KEY: hashes of addresses without a key could be guessed back. */
export function createAudiences(
  pool: pg.Pool,
  weirKey: string | undefined,
  seal: () => LetterSeal,
  append: Append,
): { audiences: AudienceStore; erasures: ErasureStore } {
  const secret = (): DerivedKey => {
    if (weirKey !== undefined) return deriveKey(weirKey, 'audiences')
    throw new Failure(
      'config',
      'WEIR_KEY is not set: the ledger keeps keyed hashes of people, made with it. Set it to 32 random bytes in base64, the same for workers and commands.',
    )
  }
  return {
    audiences: {
      ...createAudienceRuns(pool, append),
      prepare: async (input) => prepare(pool, secret(), input),
      preview: async (input) => preview(pool, secret(), input),
      diff: (filter) => diff(pool, filter),
      claim: async (ref) => claim(pool, secret().key, ref),
      await: (batch, pending) => awaitJobs(pool, batch, pending),
      settle: (ref, outcomes, options) => settle(pool, ref, outcomes, options),
    },
    erasures: createErasures(pool, secret, seal, append),
  }
}
