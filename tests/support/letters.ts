/** Dead letters in tests: a database with a warehouse, and a replay as its activities drive it. */
import type { ReplayReceipt } from '../../src/core/activities.js'
import type { Definition } from '../../src/core/definition.js'
import type { Rec, Stream } from '../../src/core/types.js'
import { finishReplay, type ReplayInput, type ReplayReport, replayLetters } from '../../src/engine/replay.js'
import type { Warehouse } from '../../src/warehouse/driver.js'
import { fakeDefinition, fixedClock } from './fake-source.js'
import { openedDatabase } from './postgres.js'

export const weirKey = 'a key of thirty-two letters, or so'

export const person = (id: number, more: Rec = {}): Rec => ({
  id: String(id),
  name: `name ${id}`,
  updated: '2026-01-01T00:00:00Z',
  ...more,
})

export interface LetterBase {
  url: string
  warehouse: Warehouse
  rows: (sql: string, values?: unknown[]) => Promise<Record<string, unknown>[]>
  close: () => Promise<void>
}

export async function letterBase(server: string): Promise<LetterBase> {
  const { db, ...opened } = await openedDatabase(server, { key: weirKey })
  return { ...opened, rows: async (sql, values) => (await db.query(sql, values)).rows }
}

export type Replay = Pick<ReplayInput, 'warehouse' | 'stream' | 'run'> & Partial<ReplayInput>

/** As the activity calls it, once. */
export const replayPart = ({ definition = fakeDefinition(), filter = {}, ...input }: Replay) =>
  replayLetters({
    clock: fixedClock(),
    definition,
    filter,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...input,
  })

/** As the workflow drives it: all parts, then the end; with the report that a person would see. */
export async function replayOnce(input: Replay): Promise<Omit<ReplayReceipt, 'handover'> & { report: ReplayReport }> {
  const { warehouse, stream, run, definition = fakeDefinition(), filter = {} } = input
  const { sync } = definition
  await warehouse.runs.start({ run, sync, definition: 'none', kind: 'replay' })
  let readAgain = false
  for (let more = true, after: string | undefined; more; ) {
    const part = await replayPart({ ...input, ...(after === undefined ? {} : { after }) })
    readAgain ||= part.readAgain
    after = part.after
    more = part.more
  }
  const { handover, ...receipt } = await finishReplay(warehouse, { sync, definition: 'none', stream: stream.name, run, filter, readAgain })
  return { ...receipt, report: (await warehouse.handovers.take(handover)) as ReplayReport }
}

export const withoutCursor = ({ cursor: _, ...stream }: Stream): Stream => stream

export const encrypted = (): Definition => fakeDefinition({ deadLetters: { maxRows: 1000, maxPercent: 100, encrypt: true } })
