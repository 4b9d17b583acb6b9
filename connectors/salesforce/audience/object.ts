/** Records of any object, made or updated by a key of their own. */
import type { Answer, Outgoing, Target, Wanted } from '../../../src/core/audience.js'
import { Failure } from '../../../src/core/failure.js'
import type { Http } from '../../../src/core/types.js'
import { checkMap, described, keyField } from './describe.js'
import { submit } from './ingest.js'
import { distinct, upsert } from './record.js'
import { outcomesOf } from './rows.js'

/** From so many members on a bulk job takes fewer requests than calls of 200 do. */
const bulkFrom = 2_000

export async function openObject(http: Http, { target, create, map, settings }: Wanted): Promise<Target> {
  const match = String(settings.match)
  if (create) throw new Failure('config', `Weir makes no objects: make ${target} in Salesforce, and leave "create" out.`)
  const fields = await described(http, target)
  const { by } = keyField(fields, target, match)
  return { id: target, name: target, with: { match, by, ...(await checkMap(http, target, fields, map, match)) } }
}

/** Sent again it changes nothing more: records are found by their key. */
export async function add(http: Http, target: Target, members: readonly Outgoing[]): Promise<Answer> {
  const { rows, outcomes } = distinct(target, members)
  if (rows.length >= bulkFrom) return { outcomes, job: await submit(http, target, rows) }
  return { outcomes: [...outcomes, ...outcomesOf(rows, await upsert(http, target, rows))] }
}
