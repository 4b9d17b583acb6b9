import { randomUUID } from 'node:crypto'
import { ApplicationFailure, Client, Connection } from '@temporalio/client'
import { describe, expect, inject, it, vi } from 'vitest'
import { ensureWatch, watchId } from '../../cli/deploy/watch-schedule.js'
import type { LookInput } from '../../src/core/alerts.js'
import { fakeActivities, withWorker } from '../support/workflows.js'

const nothing = { syncs: 3, opened: 0, resolved: 0, due: 0 }
const due = { ...nothing, opened: 1, due: 2 }
const delivered = { delivered: 2, failed: 0, givenUp: 0 }

describe('the watch', () => {
  it('costs few events where nothing is due, so that it may run every minute for years', async () => {
    await withWorker({ work: fakeActivities({ lookForAlerts: async () => nothing }) }, async ({ client, queue }) => {
      const handle = await client.workflow.start('watch', { taskQueue: queue, workflowId: `watch-${randomUUID()}`, args: [] })
      expect(await handle.result()).toEqual(nothing)
      const { events } = await handle.fetchHistory()
      expect(events!.length).toBeLessThan(10)
    })
  })

  it('sends what is due', async () => {
    const work = fakeActivities({ lookForAlerts: async () => due, deliverAlerts: async () => delivered })
    await withWorker({ work }, async ({ client, queue }) => {
      const handle = await client.workflow.start('watch', { taskQueue: queue, workflowId: `watch-${randomUUID()}`, args: [] })
      expect(await handle.result()).toEqual({ ...due, ...delivered })
    })
  })

  it('has one schedule, however often it is made, which keeps a person’s pause', async () => {
    const connection = await Connection.connect({ address: inject('temporalAddress') })
    const client = new Client({ connection })
    const schedule = client.schedule.getHandle(watchId)
    try {
      await Promise.all([1, 2, 3].map(() => ensureWatch(client, { queue: 'one' })))
      await schedule.pause('a person')
      await ensureWatch(client, { queue: 'two', everyMs: 120_000 })
      const { spec, action, state } = await schedule.describe()
      expect(spec.intervals).toMatchObject([{ every: 120_000 }])
      expect(action).toMatchObject({ workflowType: 'watch', taskQueue: 'two' })
      expect(state).toMatchObject({ paused: true, note: 'a person' })
    } finally {
      await schedule.delete()
      await connection.close()
    }
  })

  it('is started by its schedule', async () => {
    const looked = vi.fn(async (_: LookInput) => nothing)
    await withWorker({ work: fakeActivities({ lookForAlerts: looked }) }, async ({ client, queue }) => {
      await ensureWatch(client, { queue, everyMs: 1_000 })
      try {
        await vi.waitFor(() => expect(looked.mock.calls.length).toBeGreaterThan(1), { timeout: 20_000, interval: 100 })
        expect(looked.mock.calls[0]).toEqual([{}])
      } finally {
        await client.schedule.getHandle(watchId).delete()
      }
    })
  })
})

describe('the end of a run', () => {
  it('is looked at, and what is due is sent', async () => {
    const looked = vi.fn(async (_: LookInput) => due)
    const sent = vi.fn(async () => delivered)
    await withWorker({ work: fakeActivities({ lookForAlerts: looked, deliverAlerts: sent }) }, async ({ start }) => {
      const { sync, result } = await start()
      await result()
      expect(looked.mock.calls).toEqual([[{ sync }]])
      expect(sent).toHaveBeenCalledTimes(1)
    })
  })

  it.each(['lookForAlerts', 'deliverAlerts'] as const)('stays what it was where %s fails', async (name) => {
    const work = fakeActivities({
      lookForAlerts: async () => due,
      [name]: async () => {
        throw ApplicationFailure.create({ message: 'no', nonRetryable: true })
      },
    })
    await withWorker({ work }, async ({ start }) => {
      const { result } = await start()
      expect(await result()).toMatchObject({ status: 'completed' })
    })
  })

  it('of a run that is cancelled, too', async () => {
    const looked = vi.fn(async (_: LookInput) => nothing)
    let begun: () => void = () => {}
    const isReading = new Promise<void>((resolve) => {
      begun = resolve
    })
    const work = fakeActivities({
      lookForAlerts: looked,
      planSlices: async () => {
        begun()
        return { slices: [], more: true, parallel: 1 }
      },
    })
    await withWorker({ work }, async ({ start }) => {
      const { handle, result } = await start({ streams: ['a'] })
      await isReading
      await handle.cancel()
      await expect(result()).rejects.toThrow()
      expect(looked).toHaveBeenCalledTimes(1)
    })
  })
})
