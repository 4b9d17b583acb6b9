import type { Activities } from '../../src/core/activities.js'
import type { BackfillActivities, BackfillInput, BackfillStatus } from '../../src/core/backfill.js'
import { noCounts } from '../../src/core/receipt.js'
import { fakeActivities, type Running } from './workflows.js'

/** Slices in memory, and what became of them: what a workflow does with activities that take no time. */
export interface FakeBackfill {
  work: Activities & BackfillActivities
  /** Slices that were read to their end, in that order. */
  read: string[]
  /** The most that were under way at once. */
  most: number
  marks: string[]
  ended: { stream: string; status: string }[]
  end: BackfillStatus | undefined
}

/** So many slices a stream, a hundred handed out at a time; ten records each. */
export function fakeBackfill(streams: Record<string, number>, overrides: Partial<Activities & BackfillActivities> = {}): FakeBackfill {
  const open = new Map(
    Object.entries(streams).map(([stream, count]) => [stream, Array.from({ length: count }, (_, i) => `${stream} ${i}`)]),
  )
  const done = new Map<string, number>()
  const fakes = fakeActivities()
  let underWay = 0
  const fake: FakeBackfill = {
    read: [],
    most: 0,
    marks: [],
    ended: [],
    end: undefined,
    work: {
      ...fakes,
      startBackfill: async ({ parallel }) => ({ vendor: 'fake', parallel: parallel ?? 4, timing: { heartbeatMs: 2_000, retryMs: 100 } }),
      planBackfill: async ({ stream }) => {
        const left = open.get(stream)!
        const ended = fake.ended.find((one) => one.stream === stream)
        const read = done.get(stream) ?? 0
        return {
          slices: left.slice(0, 100).map((key) => ({ key, label: key })),
          more: left.length > 100,
          parallel: 50,
          progress: {
            stream,
            total: streams[stream]!,
            done: read,
            failed: 0,
            read: read * 10,
            loaded: read * 10,
            unchanged: 0,
            deadLetters: 0,
          },
          ...(ended ? { ended: { status: 'completed' } } : {}),
        }
      },
      syncSlice: async ({ stream, slice }) => {
        fake.most = Math.max(fake.most, ++underWay)
        await new Promise((resolve) => setImmediate(resolve))
        underWay--
        fake.read.push(slice)
        open.set(
          stream,
          open.get(stream)!.filter((key) => key !== slice),
        )
        done.set(stream, (done.get(stream) ?? 0) + 1)
        return { ...noCounts(), read: 10, loaded: 10 }
      },
      finishStream: async (input) => {
        const outcome = await fakes.finishStream(input)
        fake.ended.push({ stream: input.stream, status: outcome.status })
        return outcome
      },
      markBackfill: async ({ status }) => void fake.marks.push(status),
      finishBackfill: async ({ status }) => {
        fake.end = status
      },
    },
  }
  Object.assign(fake.work, overrides)
  return fake
}

let started = 0

/** Starts a backfill of a sync of its own. */
export async function startFake({ client, queue }: Running, input: Partial<BackfillInput>) {
  const id = `${process.pid}-${Date.now()}-${++started}`
  return client.workflow.start('backfill', {
    taskQueue: queue,
    workflowId: `backfill/fake/${id}`,
    args: [
      {
        id,
        sync: 'fake',
        definition: 'none',
        streams: ['a'],
        from: '2024-01-01T00:00:00.000Z',
        to: '2026-01-01T00:00:00.000Z',
        by: 'ana',
        ...input,
      } satisfies BackfillInput,
    ],
  })
}
