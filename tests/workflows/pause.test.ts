import { randomUUID } from 'node:crypto'
import { type Client, WorkflowUpdateFailedError } from '@temporalio/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Activities, ControlActivities, StreamStart } from '../../src/core/activities.js'
import type { PauseActivities, PauseNote, ResumeNote } from '../../src/core/pause.js'
import { noCounts } from '../../src/core/receipt.js'
import { fakeActivities, withWorker } from '../support/workflows.js'

type Handle = Awaited<ReturnType<Client['workflow']['start']>>

/** Slices that stay under way until they are let go, and what was written down of pauses. */
function world(slices = 3) {
  const notes: (PauseNote | ResumeNote)[] = []
  const begun: string[] = []
  const going: (() => void)[] = []
  const planned = new Set<string>()
  const work: Activities = fakeActivities({
    planSlices: async ({ stream }) => {
      const again = planned.has(stream)
      planned.add(stream)
      const keys = Array.from({ length: slices }, (_, i) => `${stream}/${i}`)
      return { slices: again ? [] : keys.map((key) => ({ key, label: key })), more: false, parallel: 1 }
    },
    syncSlice: ({ slice }) =>
      new Promise((resolve) => {
        begun.push(slice)
        going.push(() => resolve({ ...noCounts(), read: 10, loaded: 10 }))
      }),
  })
  const control: ControlActivities & PauseActivities = {
    ask: async () => ({ handover: 'none' }),
    notePause: async (note) => void notes.push(note),
    noteResume: async (note) => void notes.push(note),
  }
  const letGo = () => {
    for (const go of going.splice(0)) go()
  }
  return { work, control, notes, begun, letGo }
}

const until = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 15_000, interval: 50 })
const statusOf = async (handle: Handle): Promise<unknown> =>
  (await handle.describe()).typedSearchAttributes.getAll().find(({ key }) => key.name === 'WeirStatus')?.value
const detailsOf = async (handle: Handle): Promise<string> =>
  (await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails
const pause = (handle: Handle, argument: unknown) => handle.executeUpdate('pause', { args: [argument] })
const resume = (handle: Handle, argument: unknown) => handle.executeUpdate('resume', { args: [argument] })
const refusal = async (update: Promise<unknown>): Promise<string> => {
  const error = await update.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError)
  return String((error as WorkflowUpdateFailedError).cause?.message)
}

describe('a paused run', () => {
  it('finishes the slices under way, starts no new one, says so, and goes on when it is resumed', async () => {
    const { work, control, notes, begun, letGo } = world()
    await withWorker({ work, control }, async ({ client, start }) => {
      const { sync, handle, result } = await start()
      await until(() => expect(begun.sort()).toEqual(['a/0', 'b/0']))
      await pause(handle, { by: 'anna', reason: 'the vendor asked us to' })
      expect(notes).toMatchObject([{ sync, pause: { by: 'anna', reason: 'the vendor asked us to' }, starts: { kind: 'manual' } }])
      const child = client.workflow.getHandle(`stream/${sync}/a`)
      for (const one of [handle, child as Handle]) await until(async () => expect(await statusOf(one)).toBe('paused'))
      letGo()
      await until(async () => expect(await detailsOf(child as Handle)).toContain('1 of 3 slices done'))
      expect(await detailsOf(child as Handle)).toMatch(/\*\*Paused\*\* by anna .*the vendor asked us to/)
      expect(begun).toHaveLength(2)
      expect(await resume(handle, { by: 'ben' })).toEqual({ by: 'ben' })
      expect(notes[1]).toMatchObject({ by: 'ben' })
      await until(async () => {
        letGo()
        expect(begun).toHaveLength(6)
      })
      letGo()
      expect(await result()).toMatchObject({ status: 'completed' })
      expect(await statusOf(handle)).toBe('completed')
    })
  })

  it('starts no stream that comes next', async () => {
    const { work, control, begun, letGo } = world(1)
    const { startRun } = work
    work.startRun = async (input) => ({ ...(await startRun(input)), concurrency: 1 })
    await withWorker({ work, control }, async ({ start }) => {
      const { handle, result } = await start()
      await until(() => expect(begun).toEqual(['a/0']))
      await pause(handle, { by: 'anna', reason: 'lunch' })
      letGo()
      await until(async () => expect(await detailsOf(handle)).toContain('1 of 2 streams done, 0 being read'))
      expect(begun).toEqual(['a/0'])
      await resume(handle, { by: 'anna' })
      await until(() => expect(begun).toEqual(['a/0', 'b/0']))
      letGo()
      await result()
    })
  })

  it('may be one stream alone', async () => {
    const { work, control, notes, begun, letGo } = world(2)
    await withWorker({ work, control }, async ({ client, start }) => {
      const { sync, result } = await start()
      await until(() => expect(begun).toHaveLength(2))
      const child = client.workflow.getHandle(`stream/${sync}/a`) as Handle
      await pause(child, { by: 'anna', reason: 'its table is being moved' })
      expect(notes).toMatchObject([{ stream: 'a' }])
      await until(async () => {
        letGo()
        expect(begun).toContain('b/1')
      })
      expect(begun).not.toContain('a/1')
      await resume(child, { by: 'anna' })
      await until(() => expect(begun).toContain('a/1'))
      await until(async () => {
        letGo()
        expect((await client.workflow.getHandle(`sync/${sync}`).describe()).status.name).toBe('COMPLETED')
      })
      await result()
    })
  })

  it('is cancelled like any other', async () => {
    const { work, control, begun, letGo } = world()
    await withWorker({ work, control }, async ({ start }) => {
      const { handle, result } = await start()
      await until(() => expect(begun).toHaveLength(2))
      await pause(handle, { by: 'anna', reason: 'wrong account' })
      letGo()
      await until(async () => expect(await statusOf(handle)).toBe('paused'))
      await handle.cancel()
      await expect(result()).rejects.toThrow()
      expect(await statusOf(handle)).toBe('cancelled')
      expect(begun).toHaveLength(2)
    })
  })

  it('stays paused when its worker is another', async () => {
    const { work, control, begun, letGo } = world()
    const queue = `t-${randomUUID()}`
    let handle!: Handle
    await withWorker({ work, control, queue }, async ({ start }) => {
      handle = (await start()).handle
      await until(() => expect(begun).toHaveLength(2))
      await pause(handle, { by: 'anna', reason: 'a new worker comes' })
      letGo()
      await until(async () => expect(await detailsOf(handle)).toContain('Paused'))
    })
    await withWorker({ work, control, queue }, async ({ client }) => {
      const again = client.workflow.getHandle(handle.workflowId) as Handle
      expect(await detailsOf(again)).toMatch(/Paused.*anna/)
      await resume(again, { by: 'anna' })
      await until(async () => {
        letGo()
        expect((await again.describe()).status.name).toBe('COMPLETED')
      })
      expect(begun).toHaveLength(6)
    })
  })

  it('stays paused when its stream is continued as new, and knows what was done before', async () => {
    const { work, control, begun, letGo } = world(1)
    await withWorker({ work, control }, async ({ client, queue }) => {
      const sync = `sync-${randomUUID().slice(0, 8)}`
      const continued: StreamStart = {
        sync,
        stream: 'a',
        definition: 'none',
        run: 'r',
        paused: { by: 'anna', reason: 'lunch', at: '2026-11-27T12:00:00.000Z' },
        done: { ...noCounts(), read: 500, loaded: 500, slices: 50 },
      }
      const handle = await client.workflow.start('syncStream', { taskQueue: queue, workflowId: `stream/${sync}/a`, args: [continued] })
      await until(async () => expect(await detailsOf(handle)).toMatch(/50 of 50 slices done.*Paused.*500/s))
      await resume(handle, { by: 'anna' })
      await until(() => expect(begun).toEqual(['a/0']))
      expect(await detailsOf(handle)).toContain('50 of 51 slices done')
      letGo()
      expect(await handle.result()).toMatchObject({ status: 'completed' })
    })
  })

  it('says at once what is wrong with a request, and keeps it out of the history', async () => {
    const { work, control, notes, begun, letGo } = world(1)
    await withWorker({ work, control }, async ({ start }) => {
      const { handle, result } = await start()
      await until(() => expect(begun).toHaveLength(2))
      expect(await refusal(pause(handle, 'please'))).toMatch(/one JSON object.*"by".*"reason"/)
      expect(await refusal(pause(handle, { by: 'anna' }))).toMatch(/"reason" is missing/)
      expect(await refusal(pause(handle, { by: 'anna@example.com', reason: 'x' }))).toMatch(/e-mail/)
      expect(await refusal(pause(handle, { by: 'anna', reason: 'x', until: 'noon' }))).toMatch(/"until" is not known/)
      expect(await refusal(resume(handle, { by: 'anna' }))).toMatch(/not paused/)
      expect(notes).toEqual([])
      await pause(handle, { by: 'anna', reason: 'lunch' })
      expect(await refusal(pause(handle, { by: 'ben', reason: 'x' }))).toMatch(/paused already, by anna .*lunch/)
      await resume(handle, { by: 'ben' })
      letGo()
      await result()
      const { events } = await handle.fetchHistory()
      expect(JSON.stringify(events)).not.toContain('example.com')
    })
  })
})

afterEach(() => vi.restoreAllMocks())
