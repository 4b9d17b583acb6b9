import type { DeadLetterSettings, Definition } from '../core/definition.js'
import type { Warehouse } from '../warehouse/driver.js'

/** How the dead letters of a stream are bounded and kept: the sync's words, and over them the stream's own. */
export const deadLettersOf = (definition: Definition, stream: string): DeadLetterSettings => ({
  ...definition.deadLetters,
  ...definition.streams[stream]?.deadLetters,
})

/** Refuses a run that could not keep its dead letters as it should: before anything is read. @throws Failure `config` */
export async function requireLetterKey(warehouse: Warehouse, definition: Definition, streams: readonly string[]): Promise<void> {
  if (streams.some((stream) => deadLettersOf(definition, stream).encrypt)) await warehouse.letters.requireKey()
}

const closedMs = 90 * 86_400_000

/** Letters older than their retention leave; without one closed ones stay 90 days, and open ones for good. */
export async function sweepLetters(warehouse: Warehouse, definition: Definition, stream: string): Promise<void> {
  const { retentionMs } = deadLettersOf(definition, stream)
  await warehouse.letters.sweep({ sync: definition.sync, stream }, { closedMs: retentionMs ?? closedMs, openMs: retentionMs })
}
