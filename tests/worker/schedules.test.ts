import { randomUUID } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { findSchedule, pauseSchedule, putSchedule, removeSchedule, resumeSchedule } from '../../cli/deploy/schedules.js'
import type { Session } from '../../cli/session.js'
import type { FinishRunInput, StartRunInput } from '../../src/core/activities.js'
import { runStart, syncId } from '../../src/core/run-start.js'
import { fakeDefinition } from '../support/fake-source.js'
import { fakeActivities, withWorker } from '../support/workflows.js'

const second = 1_000
const soon = { timeout: 60_000, interval: 100 }

/** Schedules as `weir apply` makes them, fired by a real Temporal; with intervals that no project file may have. */
describe('a schedule', { timeout: 120_000 }, () => {
  let connection: Connection
  let session: Session
  const made: string[] = []
  beforeAll(async () => {
    connection = await Connection.connect({ address: inject('temporalAddress') })
    // As far as schedules need one.
    session = { temporal: new Client({ connection }) } as Session
  })
  afterAll(() => connection.close())
  afterEach(async () => {
    delete process.env.WEIR_TASK_QUEUE
    for (const sync of made.splice(0)) await removeSchedule(session, syncId(sync))
  })

  async function scheduled(queue: string, everyMs: number): Promise<string> {
    const sync = `sync_${randomUUID().slice(0, 8)}`
    process.env.WEIR_TASK_QUEUE = queue
    const definition = fakeDefinition({ sync, streams: { a: {} } })
    const start = runStart(definition, { sync, definition: 'none', kind: 'scheduled' })
    const owner = { project: 'test', warehouse: 'test' }
    await putSchedule(session, { workflowType: 'syncConnection', start, schedule: { everyMs }, owner })
    made.push(sync)
    return sync
  }
  const describeSchedule = (sync: string) => session.temporal.schedule.getHandle(`sync/${sync}`).describe()

  it('starts runs that say so, under ids of their own, until it is paused', async () => {
    const runs: StartRunInput[] = []
    const startRun = async (input: StartRunInput) => {
      runs.push(input)
      return { streams: ['a'], vendor: 'fake', concurrency: 1 }
    }
    await withWorker({ work: fakeActivities({ startRun }) }, async ({ queue }) => {
      const sync = await scheduled(queue, second)
      await vi.waitFor(() => expect(runs.length).toBeGreaterThanOrEqual(2), soon)
      expect(runs[0]).toMatchObject({ sync, definition: 'none', kind: 'scheduled' })
      const { recentActions } = (await describeSchedule(sync)).info
      expect(recentActions[0]!.action.workflow.workflowId).toMatch(new RegExp(`^sync/${sync}-2\\d{3}-`))
      expect(await pauseSchedule(session, syncId(sync), 'enough (paused by ana)')).toBe(true)
      expect(await findSchedule(session, syncId(sync))).toMatchObject({ isPaused: true, note: 'enough (paused by ana)' })
      expect(await resumeSchedule(session, syncId(sync), 'resumed by ana')).toBe(true)
      const before = runs.length
      await vi.waitFor(() => expect(runs.length).toBeGreaterThan(before), soon)
    })
  })

  it('whose run meets one by hand leaves its streams alone, and the run says so', async () => {
    const ends: FinishRunInput[] = []
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const { finishRun, syncSlice } = fakeActivities()
    const work = fakeActivities({
      startRun: async () => ({ streams: ['a'], vendor: 'fake', concurrency: 1 }),
      syncSlice: async (input) => {
        await held
        return syncSlice(input)
      },
      finishRun: async (input) => {
        ends.push(input)
        return finishRun(input)
      },
    })
    await withWorker({ work }, async (running) => {
      const sync = await scheduled(running.queue, 3_600_000)
      const byHand = await running.start({ sync, streams: ['a'] })
      const stream = running.client.workflow.getHandle(`stream/${sync}/a`)
      await vi.waitFor(async () => expect((await stream.describe()).status.name).toBe('RUNNING'), soon)
      await running.client.schedule.getHandle(`sync/${sync}`).trigger()
      await vi.waitFor(() => expect(ends).toHaveLength(1), soon)
      expect(ends[0]!.outcomes).toEqual([
        { stream: 'a', status: 'skipped', failure: { reason: 'config', message: expect.stringContaining('read by another run') } },
      ])
      release()
      await byHand.result()
      expect(ends[1]!.outcomes).toMatchObject([{ stream: 'a', status: 'completed' }])
    })
  })

  it('makes one run of all that came due while no worker was there', async () => {
    const runs: string[] = []
    const startRun = async ({ run }: StartRunInput) => {
      runs.push(run)
      return { streams: ['a'], vendor: 'fake', concurrency: 1 }
    }
    const queue = `t-${randomUUID()}`
    const sync = await scheduled(queue, second)
    const skipped = async () => (await describeSchedule(sync)).info.numActionsSkippedOverlap
    await vi.waitFor(async () => expect(await skipped()).toBeGreaterThanOrEqual(3), soon)
    await pauseSchedule(session, syncId(sync), 'so that the worker finds no more than there is')
    await withWorker({ work: fakeActivities({ startRun }), queue }, async () => {
      await vi.waitFor(async () => expect((await describeSchedule(sync)).info.runningActions).toEqual([]), soon)
    })
    expect(runs).toHaveLength(1)
  })
})
