/** Looks at syncs and writes down what is to be told of them. */
import type { LookReceipt } from '../core/alerts.js'
import { asFailure } from '../core/failure.js'
import type { Log } from '../core/ports.js'
import type { Redact } from '../observe/redact.js'
import type { Warehouse } from '../warehouse/driver.js'
import { judge } from './judge.js'

export interface LookAtInput {
  warehouse: Warehouse
  log: Log
  redact: Redact
  /** This one alone; without it all that are applied or have run lately. */
  sync?: string
}

/** Each sync in a transaction of its own, one after the other. One that cannot be looked at hides none of the others. */
export async function look({ warehouse, log, redact, sync }: LookAtInput): Promise<LookReceipt> {
  const { alerts } = warehouse
  const watched = await alerts.watched(sync)
  const receipt = { syncs: watched.length, opened: 0, resolved: 0 }
  for (const one of watched) {
    try {
      const definition = await warehouse.definitions.get(one.definition)
      const { opened, resolved } = await alerts.look(one, definition, (facts, open) => judge(facts, open, definition, redact))
      receipt.opened += opened
      receipt.resolved += resolved
    } catch (error) {
      if (asFailure(error).reason === 'transient') throw error
      log.error('a sync could not be looked at for alerts', { sync: one.sync, error: redact(asFailure(error).message) })
    }
  }
  if (sync === undefined) receipt.resolved += (await alerts.endRound(watched.map((one) => one.sync))).resolved
  return { ...receipt, due: await alerts.due() }
}
