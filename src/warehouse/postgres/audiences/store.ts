import type pg from 'pg'
import { Failure } from '../../../core/failure.js'
import { deriveKey } from '../../../keys/derive.js'
import type { AudienceStore } from '../../contract/audiences.js'
import { columnsOf } from './columns.js'
import { prepare, preview } from './prepare.js'
import { awaitJobs, claim, settle } from './push.js'
import { createAudienceRuns } from './runs.js'

/** Audiences in PostgreSQL. What compares people needs WEIR_KEY: hashes of addresses without a key could be guessed back. */
export function createAudiences(pool: pg.Pool, weirKey: string | undefined): AudienceStore {
  const secret = (): Buffer => {
    if (weirKey !== undefined) return deriveKey(weirKey, 'audiences').key
    throw new Failure(
      'config',
      'WEIR_KEY is not set: the ledger keeps keyed hashes of people, made with it. Set it to 32 random bytes in base64, the same for workers and commands.',
    )
  }
  return {
    ...createAudienceRuns(pool),
    columns: (definition, model) => columnsOf(pool, definition, model),
    prepare: async (input) => prepare(pool, secret(), input),
    preview: async (input) => preview(pool, secret(), input),
    claim: async (ref) => claim(pool, secret(), ref),
    await: (batch, pending) => awaitJobs(pool, batch, pending),
    settle: (ref, outcomes, options) => settle(pool, ref, outcomes, options),
  }
}
