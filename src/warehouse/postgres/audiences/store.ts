import type pg from 'pg'
import { audienceKey } from '../../../keys/derive.js'
import type { AudienceStore } from '../../contract/audiences.js'
import { prepare, preview } from './prepare.js'
import { awaitJobs, claim, settle } from './push.js'
import { createAudienceRuns } from './runs.js'

/** Audiences in PostgreSQL. What compares people needs WEIR_KEY. */
export function createAudiences(pool: pg.Pool, weirKey: string | undefined): AudienceStore {
  const secret = () => audienceKey(weirKey)
  return {
    ...createAudienceRuns(pool),
    prepare: async (input) => prepare(pool, secret(), input),
    preview: async (input) => preview(pool, secret(), input),
    claim: async (ref) => claim(pool, secret(), ref),
    await: (batch, pending) => awaitJobs(pool, batch, pending),
    settle: (ref, outcomes, options) => settle(pool, ref, outcomes, options),
  }
}
