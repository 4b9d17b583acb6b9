import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection, type ScheduleDescription } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { putSchedule } from '../../../cli/deploy/schedules.js'
import { startTemporal, type Temporal, type TemporalOptions } from '../../../cli/dev/temporal.js'
import { resolveTemporal } from '../../../cli/dev/temporal-binary.js'
import type { Session } from '../../../cli/session.js'
import { runStart } from '../../../src/core/run-start.js'
import { searchAttributes } from '../../../src/core/search-attributes.js'
import { fakeDefinition } from '../../support/fake-source.js'

const second = 1_000
/** The shortest that Temporal keeps; an outage must be longer. */
const catchUpMs = 10 * second
const outageMs = catchUpMs + 4 * second

/** A Temporal of its own, since it is stopped: what became due meanwhile is made up for within `catch_up`, and no further back. */
describe('while Temporal is away', () => {
  let folder: string
  let options: TemporalOptions
  let temporal: Temporal

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-outage-'))
    const bin = await resolveTemporal(() => {})
    const port = 22_000 + Math.floor(Math.random() * 2_000)
    options = { bin, dbFile: join(folder, 'temporal.db'), port, uiPort: false, searchAttributes }
    temporal = await startTemporal(options)
  })
  afterAll(async () => {
    await temporal.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const withClient = async <T>(use: (client: Client) => Promise<T>): Promise<T> => {
    const connection = await Connection.connect({ address: temporal.address })
    try {
      return await use(new Client({ connection }))
    } finally {
      await connection.close()
    }
  }
  const infoOf = async (client: Client, sync: string): Promise<ScheduleDescription['info']> =>
    (await client.schedule.getHandle(`sync/${sync}`).describe()).info

  it('ticks are made up for as far back as `catch_up` says', { timeout: 120_000 }, async () => {
    const schedules = { short: catchUpMs, long: 3_600 * second }
    await withClient(async (client) => {
      for (const [sync, catchUp] of Object.entries(schedules)) {
        const schedule = { cron: '* * * * *', timezone: 'UTC', catchUpMs: catchUp }
        const start = runStart(fakeDefinition({ sync }), { sync, definition: 'none', kind: 'scheduled' })
        const wanted = { workflowType: 'syncConnection' as const, start, owner: { project: 'test', warehouse: 'test' } }
        await putSchedule({ temporal: client } as Session, { ...wanted, schedule })
        // No project file may have a tick a second.
        await client.schedule.getHandle(`sync/${sync}`).update((before) => ({ ...before, spec: { intervals: [{ every: second }] } }))
        await vi.waitFor(async () => expect((await infoOf(client, sync)).numActionsTaken).toBe(1), { timeout: 20_000 })
      }
    })
    await temporal.stop()
    await sleep(outageMs)
    temporal = await startTemporal({ ...options, arePortsFixed: true })
    await withClient(async (client) => {
      const handled = async (sync: string) => {
        const info = await infoOf(client, sync)
        return { ...info, ticks: info.numActionsTaken + info.numActionsSkippedOverlap + info.numActionsMissedCatchupWindow }
      }
      for (const sync of Object.keys(schedules)) {
        const before = await handled(sync)
        await vi.waitFor(async () => expect((await handled(sync)).ticks).toBeGreaterThan(before.ticks + 2), { timeout: 30_000 })
      }
      // Nobody works here: the first run waits for a worker, and all that is made up for meets it.
      expect(await handled('long')).toMatchObject({ numActionsTaken: 1, numActionsMissedCatchupWindow: 0 })
      const { numActionsTaken, numActionsMissedCatchupWindow } = await handled('short')
      expect(numActionsTaken).toBe(1)
      expect(numActionsMissedCatchupWindow).toBeGreaterThan(0)
    })
  })
})
