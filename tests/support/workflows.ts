import { randomUUID } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import type { PayloadCodec } from '@temporalio/common'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { inject } from 'vitest'
import type { Activities, ControlActivities, RunInput, SliceReceipt, StreamOutcome } from '../../src/core/activities.js'
import type { AlertActivities, AlertControlActivities } from '../../src/core/alerts.js'
import type { PauseActivities } from '../../src/core/pause.js'
import { noCounts } from '../../src/core/receipt.js'

// Tests make failures on purpose; what matters of them is asserted.
Runtime.install({ logger: new DefaultLogger('ERROR', () => {}) })

/** Activities that do as little as can be: one slice a stream, ten records a slice. Override what a test is about. */
export const fakeActivities = (overrides: Partial<Activities & AlertActivities> = {}): Activities & AlertActivities => {
  const planned = new Set<string>()
  return {
    startRun: async ({ streams }) => ({
      streams: streams ?? ['a', 'b'],
      vendor: 'fake',
      concurrency: 4,
      timing: { heartbeatMs: 2_000, retryMs: 100 },
    }),
    planSlices: async ({ run, stream }) => {
      const again = planned.has(run + stream)
      planned.add(run + stream)
      return { slices: again ? [] : [{ key: 'main/all', label: 'everything' }], more: false, parallel: 1 }
    },
    syncSlice: async (): Promise<SliceReceipt> => ({ ...noCounts(), read: 10, loaded: 10 }),
    applyChange: async () => ({ filled: 0, isBusy: false }),
    finishStream: async ({ stream, failure, cancelled }): Promise<StreamOutcome> => ({
      ...noCounts(),
      read: 10,
      loaded: 10,
      stream,
      status: cancelled ? 'cancelled' : failure ? 'failed' : 'completed',
      ...(failure ? { failure } : {}),
    }),
    checkQuality: async () => ({ failedChecks: [] }),
    finishRun: async ({ outcomes, failure, cancelled }) => {
      const failed = outcomes.filter((outcome) => outcome.failure)
      const note = failure ?? failed[0]?.failure
      const status = cancelled ? 'cancelled' : failed.length === outcomes.length ? 'failed' : failed.length > 0 ? 'partial' : 'completed'
      return {
        ...noCounts(),
        read: 10 * outcomes.length,
        loaded: 10 * outcomes.length,
        status,
        ...(note && !cancelled ? { failure: note } : {}),
      }
    },
    lookForAlerts: async () => ({ syncs: 1, opened: 0, resolved: 0, due: 0 }),
    deliverAlerts: async () => ({ delivered: 0, failed: 0, givenUp: 0 }),
    ...overrides,
  }
}

export interface Running {
  client: Client
  queue: string
  /** Starts a run of a sync of its own, so that tests do not meet in workflow ids. */
  start: (
    input?: Partial<RunInput>,
  ) => Promise<{ sync: string; result: () => Promise<unknown>; handle: Awaited<ReturnType<Client['workflow']['start']>> }>
}

/** A worker with these activities while `work` runs, on the run's own server and, unless one is named, on a queue of its own. */
export async function withWorker(
  activities: {
    work: Activities
    control?: Partial<ControlActivities & AlertControlActivities & PauseActivities>
    queue?: string
    codec?: PayloadCodec
  },
  work: (running: Running) => Promise<void>,
): Promise<void> {
  const address = inject('temporalAddress')
  const native = await NativeConnection.connect({ address })
  const connection = await Connection.connect({ address })
  const client = new Client({ connection })
  const queue = activities.queue ?? `t-${randomUUID()}`
  const common = {
    connection: native,
    maxHeartbeatThrottleInterval: '200ms',
    shutdownGraceTime: '1s',
    shutdownForceTime: '5s',
    ...(activities.codec ? { dataConverter: { payloadCodecs: [activities.codec] } } : {}),
  } as const
  const workers = [
    await Worker.create({
      ...common,
      taskQueue: queue,
      activities: { ...activities.work },
      workflowBundle: { codePath: inject('workflowBundle') },
    }),
  ]
  if (activities.control)
    workers.push(await Worker.create({ ...common, taskQueue: `${queue}-control`, activities: { ...activities.control } }))
  const running = workers.map((worker) => worker.run())
  try {
    await work({
      client,
      queue,
      start: async (input = {}) => {
        const sync = input.sync ?? `sync-${randomUUID().slice(0, 8)}`
        const handle = await client.workflow.start('syncConnection', {
          taskQueue: queue,
          workflowId: `sync/${sync}`,
          args: [{ sync, definition: 'none', kind: 'manual', ...input }],
        })
        return { sync, handle, result: () => handle.result() }
      },
    })
  } finally {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown()
    await Promise.all(running)
    await connection.close()
    await native.close()
  }
}
