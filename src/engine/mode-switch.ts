import type { Acceptance } from '../core/activities.js'
import type { Definition } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { Stream, SyncMode } from '../core/types.js'
import type { Warehouse } from '../warehouse/driver.js'
import { modeOf, tableSpec } from './table-spec.js'

export interface ModeSwitch {
  stream: string
  from: SyncMode
  to: SyncMode
  /** What becomes of the rows, in a person's words. */
  consequence: string
}

/** Streams whose tables are kept in another mode than the definition now says. */
export const modeSwitches = async (warehouse: Warehouse, definition: Definition): Promise<ModeSwitch[]> =>
  switchesIn(definition, await warehouse.tables.modes(definition.schema))

/** The same of modes that are known: table → mode. */
export function switchesIn({ streams }: Definition, modes: Readonly<Record<string, SyncMode>>): ModeSwitch[] {
  return Object.entries(streams).flatMap(([stream, { mode: to }]) => {
    const from = modes[stream]
    return from === undefined || to === undefined || from === to ? [] : [{ stream, from, to, consequence: consequence(from, to) }]
  })
}

/** What a switch does to the rows that stand. */
export function consequence(from: SyncMode, to: SyncMode): string {
  const loses =
    to !== 'history' && from === 'history'
      ? to === 'append'
        ? 'versions stay, but no longer say from when to when they held'
        : 'all versions but the current one of each row are deleted'
      : from === 'append' && to !== 'append'
        ? to === 'history'
          ? 'versions are linked by their time; of versions of the same time the one loaded last stays'
          : 'all versions but the newest of each row are deleted'
        : 'no row is deleted by the switch'
  const then: Record<SyncMode, string> = {
    merge: 'rows that vanish at the vendor stay, unless it shows their deletion',
    append: 'every version that is read from now on is added',
    replace: 'at the end of each run rows that the vendor no longer has are deleted',
    replace_slice: 'in each slice that is read rows that the vendor no longer has are deleted',
    history: 'the rows that stand become the first versions, and queries need WHERE _weir_is_current',
  }
  return `${loses}; ${then[to]}`
}

/** Before a run reads: the table's mode is the definition's, or a person has agreed to the switch. @throws Failure `config` */
export async function settleMode(input: {
  warehouse: Warehouse
  definition: Definition
  stream: Stream
  run: string
  accept?: readonly Acceptance[] | undefined
}): Promise<void> {
  const { warehouse, definition, stream, run, accept } = input
  const to = modeOf(definition, stream)
  const from = (await warehouse.tables.modes(definition.schema))[stream.name]
  if (from === undefined || from === to) return
  if (!accept?.includes('mode')) {
    throw new Failure(
      'config',
      `Stream ${stream.name} was loaded in mode ${from} and is now set to ${to}: ${consequence(from, to)}. If that is meant, run: weir sync ${definition.sync} --stream ${stream.name} --accept mode`,
      { sync: definition.sync, stream: stream.name },
    )
  }
  await warehouse.tables.switchMode({ sync: definition.sync, stream: stream.name, run }, tableSpec(definition, stream))
}
