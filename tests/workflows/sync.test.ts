import { Context } from '@temporalio/activity'
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client'
import { describe, expect, it } from 'vitest'
import type { FailureNote, FinishRunInput } from '../../src/core/activities.js'
import { noCounts } from '../../src/core/receipt.js'
import { fakeActivities, withWorker } from '../support/workflows.js'

const causeOf = async (result: Promise<unknown>): Promise<unknown> => {
  const error = await result.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(WorkflowFailedError)
  return (error as WorkflowFailedError).cause
}

describe('a run of a sync', () => {
  it('reads every stream and ends with the counts', async () => {
    await withWorker({ work: fakeActivities() }, async ({ start }) => {
      const { result } = await start()
      expect(await result()).toMatchObject({ status: 'completed', read: 20, loaded: 20 })
    })
  })

  it('goes on with the other streams when one fails, and ends red with who must act', async () => {
    let finished: FinishRunInput | undefined
    const work = fakeActivities()
    const { finishRun, syncSlice } = work
    Object.assign(work, {
      syncSlice: async (input: Parameters<typeof syncSlice>[0]) => {
        if (input.stream === 'a') throw ApplicationFailure.create({ message: 'scope missing', type: 'permission', nonRetryable: true })
        return syncSlice(input)
      },
      finishRun: async (input: FinishRunInput) => {
        finished = input
        return finishRun(input)
      },
    })
    await withWorker({ work }, async ({ start }) => {
      const { result } = await start()
      const cause = await causeOf(result())
      expect(cause).toMatchObject({ type: 'permission', message: expect.stringMatching(/scope missing.*user: grant it/) })
      expect(finished?.outcomes.sort((a, b) => a.stream.localeCompare(b.stream))).toEqual([
        { stream: 'a', status: 'failed', failure: { reason: 'permission', message: 'scope missing' } },
        { stream: 'b', status: 'completed' },
      ])
    })
  })

  it('writes down what stood in the way of a stream’s end: a full disk, say', async () => {
    const ends: (FailureNote | undefined)[] = []
    const { finishStream } = fakeActivities()
    const work = fakeActivities({
      finishStream: async (input) => {
        ends.push(input.failure)
        if (!input.failure) throw ApplicationFailure.create({ message: 'the disk is full', type: 'warehouse', nonRetryable: true })
        return finishStream(input)
      },
    })
    await withWorker({ work }, async ({ start }) => {
      const { result } = await start({ streams: ['a'] })
      expect(await causeOf(result())).toMatchObject({ type: 'warehouse', message: expect.stringMatching(/the disk is full/) })
      expect(ends).toEqual([undefined, { reason: 'warehouse', message: 'the disk is full' }])
    })
  })

  it('sleeps through a spent quota as a timer, then goes on where it stopped', async () => {
    let calls = 0
    const work = fakeActivities({
      syncSlice: async () => {
        calls++
        return calls === 1
          ? { ...noCounts(), more: true, waitUntil: new Date(Date.now() + 300).toISOString() }
          : { ...noCounts(), read: 10, loaded: 10 }
      },
    })
    await withWorker({ work }, async ({ client, start }) => {
      const { handle, result } = await start({ streams: ['a'] })
      expect(await result()).toMatchObject({ status: 'completed' })
      expect(calls).toBe(2)
      const child = await client.workflow.getHandle(`stream/${handle.workflowId.slice(5)}/a`).fetchHistory()
      expect(child.events?.some((event) => event.timerStartedEventAttributes)).toBe(true)
    })
  })

  it('plans again for the halves of a slice, counts it once, and reads them', async () => {
    const read: string[] = []
    const halves = { large: ['first', 'second'], first: ['third'] } as Record<string, string[]>
    let open = ['large']
    const work = fakeActivities({
      planSlices: async () => ({ slices: open.map((key) => ({ key, label: key })), more: false, parallel: 2 }),
      syncSlice: async ({ slice }) => {
        read.push(slice)
        open = [...open.filter((one) => one !== slice), ...(halves[slice] ?? [])]
        return { ...noCounts(), read: 10, loaded: 10, ...(halves[slice] ? { halved: true } : {}) }
      },
    })
    await withWorker({ work }, async ({ start }) => {
      const { result } = await start({ streams: ['a'] })
      expect(await result()).toMatchObject({ status: 'completed' })
      expect(read[0]).toBe('large')
      expect(read.sort()).toEqual(['first', 'large', 'second', 'third'])
    })
  })

  it('retries what may pass, as often as the slice itself allows', async () => {
    let calls = 0
    const work = fakeActivities({
      syncSlice: async () => {
        calls++
        if (calls < 4) throw ApplicationFailure.create({ message: 'down', type: 'transient' })
        return { ...noCounts(), read: 1, loaded: 1 }
      },
    })
    await withWorker({ work }, async ({ start }) => {
      const { result } = await start({ streams: ['a'] })
      expect(await result()).toMatchObject({ status: 'completed' })
    })
  })

  it('stops within seconds when it is cancelled, and settles what was begun', async () => {
    let finished: FinishRunInput | undefined
    let started: () => void = () => {}
    const isReading = new Promise<void>((resolve) => {
      started = resolve
    })
    const work = fakeActivities({
      syncSlice: async () => {
        const { cancellationSignal, heartbeat } = Context.current()
        started()
        const timer = setInterval(() => heartbeat(), 100)
        await new Promise((resolve) => cancellationSignal.addEventListener('abort', resolve, { once: true }))
        clearInterval(timer)
        throw cancellationSignal.reason
      },
    })
    const { finishRun } = work
    work.finishRun = async (input) => {
      finished = input
      return finishRun(input)
    }
    await withWorker({ work }, async ({ client, start }) => {
      const { handle, result } = await start({ streams: ['a'] })
      await isReading
      await handle.cancel()
      expect(await causeOf(result())).toMatchObject({ name: 'CancelledFailure' })
      expect(finished).toMatchObject({ cancelled: true })
      expect((await client.workflow.getHandle(`stream/${handle.workflowId.slice(5)}/a`).describe()).status.name).toBe('CANCELLED')
    })
  })

  it('leaves a stream alone that another run is reading, and says so', async () => {
    let release: () => void = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    let started: () => void = () => {}
    const isReading = new Promise<void>((resolve) => {
      started = resolve
    })
    const finishes: FinishRunInput[] = []
    const work = fakeActivities({
      syncSlice: async () => {
        started()
        await gate
        return noCounts()
      },
    })
    const { finishRun } = work
    work.finishRun = async (input) => {
      finishes.push(input)
      return finishRun(input)
    }
    await withWorker({ work }, async ({ client, queue, start }) => {
      const first = await start({ streams: ['a'] })
      await isReading
      const second = await client.workflow.start('syncConnection', {
        taskQueue: queue,
        workflowId: `sync/${first.sync}-2`,
        args: [{ sync: first.sync, definition: 'none', kind: 'scheduled', streams: ['a'] }],
      })
      await causeOf(second.result())
      expect(finishes[0]?.outcomes).toMatchObject([{ stream: 'a', status: 'skipped' }])
      release()
      expect(await first.result()).toMatchObject({ status: 'completed' })
    })
  })

  it('checks the table of a stream that completed and has checks, names what did not pass, and goes on', async () => {
    const checked: string[] = []
    const { finishStream } = fakeActivities()
    const work = fakeActivities({
      finishStream: async (input) => ({ ...(await finishStream(input)), ...(input.stream === 'a' ? { checks: 2 } : {}) }),
      checkQuality: async ({ stream }) => {
        checked.push(stream)
        return { failedChecks: ['not_null(email)'] }
      },
    })
    await withWorker({ work }, async ({ client, start }) => {
      const { handle, result } = await start()
      expect(await result()).toMatchObject({ status: 'completed' })
      expect(checked).toEqual(['a'])
      const child = client.workflow.getHandle(`stream/${handle.workflowId.slice(5)}/a`)
      expect(await child.result()).toMatchObject({ status: 'completed', failedChecks: ['not_null(email)'] })
      for (const one of [handle, child]) {
        const { currentDetails } = await one.query<{ currentDetails: string }>('__temporal_workflow_metadata')
        expect(currentDetails).toContain('not_null(email)')
      }
    })
  })

  it('ends a stream red when a check that blocks does not pass, though its rows are loaded', async () => {
    const { finishStream } = fakeActivities()
    const work = fakeActivities({
      finishStream: async (input) => ({ ...(await finishStream(input)), checks: 1 }),
      checkQuality: async () => ({
        failedChecks: ['unique(id)'],
        failure: { reason: 'quality', message: 'Check unique(id) did not pass.' },
      }),
    })
    await withWorker({ work }, async ({ start }) => {
      const { result } = await start({ streams: ['a'] })
      expect(await causeOf(result())).toMatchObject({
        type: 'quality',
        message: expect.stringMatching(/unique\(id\) did not pass.*acts: user or data owner/),
      })
    })
  })

  it('does not check a stream that failed', async () => {
    const checked: string[] = []
    const { finishStream } = fakeActivities()
    const work = fakeActivities({
      syncSlice: async () => {
        throw ApplicationFailure.create({ message: 'scope missing', type: 'permission', nonRetryable: true })
      },
      finishStream: async (input) => ({ ...(await finishStream(input)), checks: 1 }),
      checkQuality: async ({ stream }) => {
        checked.push(stream)
        return { failedChecks: [] }
      },
    })
    await withWorker({ work }, async ({ start }) => {
      const { result } = await start({ streams: ['a'] })
      expect(await causeOf(result())).toMatchObject({ type: 'permission' })
      expect(checked).toEqual([])
    })
  })
})
