import { Context } from '@temporalio/activity'
import { ApplicationFailure, type WorkflowFailedError, type WorkflowHandle } from '@temporalio/client'
import { describe, expect, it, vi } from 'vitest'
import type { BackfillOrder } from '../../src/core/backfill.js'
import { noCounts } from '../../src/core/receipt.js'
import { fakeBackfill, startFake } from '../support/fake-backfill.js'
import { keepHistory } from '../support/histories.js'
import { type Running, withWorker } from '../support/workflows.js'

/** The histories of all executions of one start, first to last. */
async function historiesOf({ client }: Running, { workflowId, firstExecutionRunId }: WorkflowHandle & { firstExecutionRunId: string }) {
  const histories = []
  for (let run: string | null | undefined = firstExecutionRunId; run; ) {
    const { events } = await client.workflow.getHandle(workflowId, run, { followRuns: false }).fetchHistory()
    histories.push(events!)
    run = events!.at(-1)!.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId
  }
  return histories
}

const order = (handle: WorkflowHandle, name: 'pause' | 'resume', asked?: BackfillOrder) =>
  asked ? handle.executeUpdate(name, { args: [asked] }) : handle.executeUpdate(name)

/** A slice that is under way until `open` is called. */
function gate() {
  let open: () => void = () => {}
  const isOpen = new Promise<void>((resolve) => {
    open = resolve
  })
  let reached: () => void = () => {}
  const isReached = new Promise<void>((resolve) => {
    reached = resolve
  })
  return { open: () => open(), isOpen, reached: () => reached(), isReached }
}

describe('a backfill', () => {
  it('reads the slices of all its streams, so many at once of all together, behind live work', async () => {
    const fake = fakeBackfill({ a: 12, b: 8 })
    await withWorker(fake, async (running) => {
      const handle = await startFake(running, { streams: ['a', 'b'], parallel: 3 })
      expect(await handle.result()).toMatchObject({ status: 'completed' })
      expect(new Set(fake.read).size).toBe(20)
      expect(fake.read).toHaveLength(20)
      expect(fake.most).toBeLessThanOrEqual(3)
      expect(fake.ended.map(({ stream }) => stream).sort()).toEqual(['a', 'b'])
      expect(fake.end).toBe('completed')
      const [events] = await historiesOf(running, handle)
      const scheduled = events!.flatMap((event) => event.activityTaskScheduledEventAttributes ?? [])
      expect(new Set(scheduled.map(({ priority }) => priority?.priorityKey))).toEqual(new Set([5]))
    })
  })

  it('begins no slice while it is paused, ends those under way, and goes on when it is resumed; both can be sent without a word', async () => {
    const { open, isOpen, reached, isReached } = gate()
    const fake = fakeBackfill({ a: 10 })
    const { syncSlice } = fake.work
    fake.work.syncSlice = async (input) => {
      if (input.slice === 'a 1') {
        reached()
        await isOpen
      }
      return syncSlice(input)
    }
    await withWorker(fake, async (running) => {
      const handle = await startFake(running, { parallel: 1 })
      await isReached
      await order(handle, 'pause', { by: 'ben' })
      await expect(order(handle, 'pause')).rejects.toMatchObject({ cause: { message: expect.stringMatching(/is paused already/) } })
      open()
      // The workflow has heard of the slice's end, and has nothing further to be done.
      await vi.waitFor(async () => {
        const [events] = await historiesOf(running, handle)
        const heard = events!.findLastIndex((event) => event.workflowTaskCompletedEventAttributes)
        const ends = events!.slice(0, heard).filter((event) => event.activityTaskCompletedEventAttributes)
        // startBackfill, planBackfill, two slices and the mark.
        expect(ends).toHaveLength(5)
        expect(heard).toBe(events!.length - 1)
      }, 10_000)
      expect(fake.read).toEqual(['a 0', 'a 1'])
      expect((await handle.describe()).searchAttributes.WeirStatus).toEqual(['paused'])
      expect(await handle.query('__temporal_workflow_metadata')).toMatchObject({ currentDetails: expect.stringMatching(/Paused by ben/) })
      await order(handle, 'resume')
      expect(await handle.result()).toMatchObject({ status: 'completed' })
      expect(fake.read).toHaveLength(10)
      expect(fake.marks).toEqual(['paused', 'running'])
    })
  })

  it('sleeps through a spent quota as a timer, and leaves its place to another stream meanwhile', async () => {
    let waits = 0
    const fake = fakeBackfill({ a: 1, b: 1 })
    const { syncSlice } = fake.work
    fake.work.syncSlice = async (input) =>
      input.stream === 'a' && waits++ === 0
        ? { ...noCounts(), more: true, waitUntil: new Date(Date.now() + 1_500).toISOString() }
        : syncSlice(input)
    await withWorker(fake, async (running) => {
      const handle = await startFake(running, { streams: ['a', 'b'], parallel: 1 })
      await handle.result()
      expect(fake.read).toEqual(['b 0', 'a 0'])
      const [events] = await historiesOf(running, handle)
      expect(events!.some((event) => event.timerStartedEventAttributes)).toBe(true)
    })
  })

  it('settles what was begun when it is cancelled, paused or not', async () => {
    const fake = fakeBackfill({ a: 5, b: 5 })
    await withWorker(fake, async (running) => {
      const handle = await startFake(running, { streams: ['a', 'b'], isPaused: true })
      await vi.waitFor(async () => expect((await handle.describe()).searchAttributes.WeirStatus).toEqual(['paused']), 10_000)
      await handle.cancel()
      await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } })
      expect(fake.ended.sort((x, y) => x.stream.localeCompare(y.stream))).toEqual([
        { stream: 'a', status: 'cancelled' },
        { stream: 'b', status: 'cancelled' },
      ])
      expect(fake.end).toBe('cancelled')
    })
  })

  it('tells a slice under way that it is cancelled', async () => {
    const { reached, isReached } = gate()
    const fake = fakeBackfill({ a: 1 })
    fake.work.syncSlice = async () => {
      const { cancellationSignal, heartbeat } = Context.current()
      const timer = setInterval(() => heartbeat(), 100)
      reached()
      await new Promise((resolve) => cancellationSignal.addEventListener('abort', resolve, { once: true }))
      clearInterval(timer)
      throw cancellationSignal.reason
    }
    await withWorker(fake, async (running) => {
      const handle = await startFake(running, {})
      await isReached
      await handle.cancel()
      await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } })
      expect(fake.end).toBe('cancelled')
    })
  })

  it('goes on with the other streams when one fails, and ends as failed with who must act', async () => {
    const fake = fakeBackfill({ a: 3, b: 3 })
    const { syncSlice } = fake.work
    fake.work.syncSlice = async (input) => {
      if (input.stream === 'a') throw ApplicationFailure.create({ message: 'scope missing', type: 'permission', nonRetryable: true })
      return syncSlice(input)
    }
    await withWorker(fake, async (running) => {
      const handle = await startFake(running, { streams: ['a', 'b'] })
      const error = (await handle.result().catch((thrown: unknown) => thrown)) as WorkflowFailedError
      expect(error.cause).toMatchObject({ type: 'permission', message: expect.stringMatching(/scope missing.*user: grant it/) })
      expect(fake.read.sort()).toEqual(['b 0', 'b 1', 'b 2'])
      expect(fake.end).toBe('failed')
    })
  })

  it('that is refused ends with the reason, though somebody waits to pause it', async () => {
    const fake = fakeBackfill({ a: 1 })
    fake.work.startBackfill = async () => {
      throw ApplicationFailure.create({ message: 'Backfill x reads some of the same', type: 'config', nonRetryable: true })
    }
    await withWorker(fake, async (running) => {
      const handle = await startFake(running, {})
      const paused = order(handle, 'pause').catch(() => undefined)
      await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'config' } })
      await paused
      expect(fake.read).toEqual([])
    })
  })

  it('of thousands of slices begins its history anew again and again, reads each once, and keeps a pause across it', {
    timeout: 240_000,
  }, async () => {
    const slices = 2_000
    const perHistory = 200
    const fake = fakeBackfill({ a: slices / 2, b: slices / 2 })
    await withWorker(fake, async (running) => {
      const handle = await startFake(running, { streams: ['a', 'b'], parallel: 40, slicesPerHistory: perHistory, isPaused: true })
      await order(handle, 'resume', { by: 'ana' })
      await handle.result()
      expect(new Set(fake.read).size).toBe(slices)
      expect(fake.read).toHaveLength(slices)
      const histories = await historiesOf(running, handle)
      expect(histories.length).toBeGreaterThanOrEqual(slices / (perHistory + 40))
      // One slice at a time costs most: three events of its activity, and three of the workflow's task that follows.
      for (const events of histories) expect(events.length).toBeLessThan(6 * (perHistory + 40) + 100)
      const events = histories.reduce((sum, one) => sum + one.length, 0)
      expect(events / slices).toBeLessThan(6)
      console.log(`${slices} slices in ${histories.length} histories of at most ${Math.max(...histories.map((one) => one.length))} events`)
    })
  })
})

// WEIR_RECORD=backfill npx vitest run tests/workflows/backfill.test.ts -t records
describe.runIf(process.env.WEIR_RECORD)('recording', () => {
  it('records a backfill that waits for quota, is paused and resumed, and begins its history anew', { timeout: 60_000 }, async () => {
    const { open, isOpen, reached, isReached } = gate()
    let waits = 0
    const fake = fakeBackfill({ a: 4, b: 2 })
    const { syncSlice } = fake.work
    fake.work.syncSlice = async (input) => {
      if (input.slice === 'a 1') {
        reached()
        await isOpen
      }
      return input.slice === 'b 0' && waits++ === 0
        ? { ...noCounts(), more: true, waitUntil: new Date(Date.now() + 300).toISOString() }
        : syncSlice(input)
    }
    await withWorker(fake, async (running) => {
      const handle = await startFake(running, { streams: ['a', 'b'], parallel: 2, slicesPerHistory: 4 })
      await isReached
      await order(handle, 'pause', { by: 'ana' })
      open()
      await order(handle, 'resume', { by: 'ana' })
      await handle.result()
      const histories = await historiesOf(running, handle)
      expect(histories.length).toBe(2)
      const last = await running.client.workflow.getHandle(handle.workflowId).describe()
      await keepHistory(running.client, 'backfill', handle.workflowId, handle.firstExecutionRunId)
      await keepHistory(running.client, 'backfillRest', handle.workflowId, last.runId)
    })
  })
})
