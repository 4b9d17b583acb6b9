import type pg from 'pg'
import { audienceKey, type DerivedKey } from '../../../keys/derive.js'
import type { AudienceStore } from '../../contract/audiences.js'
import type { ErasureStore } from '../../contract/erasures.js'
import type { Append } from '../audit.js'
import type { LetterSeal } from '../letter-seal.js'
import { columnsOf } from './columns.js'
import { diff } from './diff.js'
import { createErasures } from './erasures.js'
import { prepare, preview } from './prepare.js'
import { awaitJobs, claim, settle } from './push.js'
import { createAudienceRuns } from './runs.js'

/** Audiences in PostgreSQL. What compares people needs WEIR_KEY. */
export function createAudiences(
  pool: pg.Pool,
  weirKey: string | undefined,
  seal: () => LetterSeal,
  append: Append,
): { audiences: AudienceStore; erasures: ErasureStore } {
  const secret = (): DerivedKey => audienceKey(weirKey)
  return {
    audiences: {
      ...createAudienceRuns(pool, append),
      columns: (definition, model) => columnsOf(pool, definition, model),
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
