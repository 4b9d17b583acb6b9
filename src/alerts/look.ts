/** Looks at syncs and audiences and writes down what is to be told of them. */
import type { LookReceipt } from '../core/alerts.js'
import { asFailure } from '../core/failure.js'
import type { Log } from '../core/ports.js'
import { pushId } from '../core/push.js'
import type { Redact } from '../observe/redact.js'
import type { Warehouse } from '../warehouse/driver.js'
import { judge, judgePushes } from './judge.js'

export interface LookAtInput {
  warehouse: Warehouse
  log: Log
  redact: Redact
  /** This one alone; without either all that are applied or have run lately. */
  sync?: string
  audience?: string
}

/** Each sync and audience in a transaction of its own, one after the other. One that cannot be looked at hides none of the others. */
export async function look(input: LookAtInput): Promise<LookReceipt> {
  const { warehouse, redact, sync, audience } = input
  const { alerts, definitions } = warehouse
  const watched = audience === undefined ? await alerts.watched(sync) : []
  const people = sync === undefined ? await alerts.watchedAudiences(audience) : []
  const receipt = { syncs: watched.length, opened: 0, resolved: 0 }
  for (const one of watched)
    await lookAt(input, one.sync, receipt, async () => {
      const definition = await definitions.get(one.definition)
      return alerts.look(one, definition, (facts, open) => judge(facts, open, definition, redact))
    })
  for (const one of people)
    await lookAt(input, pushId(one.audience), receipt, async () => {
      const definition = await definitions.audience(one.definition)
      return alerts.lookAtAudience(one, (facts, open) => judgePushes(facts, open, definition, redact))
    })
  const all = [...watched.map((one) => one.sync), ...people.map((one) => pushId(one.audience))]
  if (sync === undefined && audience === undefined) receipt.resolved += (await alerts.endRound(all)).resolved
  return { ...receipt, due: await alerts.due() }
}

/** One that cannot be looked at is logged, unless the warehouse is away: then none can be. */
async function lookAt(
  { log, redact }: LookAtInput,
  sync: string,
  receipt: { opened: number; resolved: number },
  work: () => Promise<{ opened: number; resolved: number }>,
): Promise<void> {
  try {
    const { opened, resolved } = await work()
    receipt.opened += opened
    receipt.resolved += resolved
  } catch (error) {
    if (asFailure(error).reason === 'transient') throw error
    log.error('a sync could not be looked at for alerts', { sync, error: redact(asFailure(error).message) })
  }
}
