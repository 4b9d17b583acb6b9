import { same } from '../src/config/hash.js'
import type { Definition } from '../src/core/definition.js'
import type { Warehouse } from '../src/warehouse/driver.js'
import { stay } from './deploy/diff-definition.js'

/**
 * Says of each stream whose policy of columns differs from that of the sync's newest run that its rows stand as they were loaded: whoever just
 * forbade a column expects it to be gone.
 */
export async function olderRows(warehouse: Warehouse, definition: Definition, chosen: readonly string[] | undefined): Promise<string[]> {
  const { sync, streams } = definition
  const [newest] = await warehouse.runs.list({ sync, limit: 1 })
  if (newest === undefined) return []
  const before = (await warehouse.definitions.get(newest.definition)).streams
  const changed = Object.keys(streams).filter(
    (stream) =>
      (chosen === undefined || chosen.includes(stream)) &&
      before[stream] !== undefined &&
      !same(before[stream].columns ?? {}, streams[stream]!.columns ?? {}),
  )
  return changed.map(
    (stream) =>
      `The policy of columns of ${sync}/${stream} changed. ${stay('Rows that were loaded')}: weir sync ${sync} --stream ${stream} --full`,
  )
}
