import { ActivityCancellationType, type ActivityOptions, type LocalActivityOptions, workflowInfo } from '@temporalio/workflow'
import type { Timing } from '../src/core/activities.js'

/** What production uses; `weir dev` and tests are handed shorter ones by the worker. */
const production: Timing = { heartbeatMs: 30_000, retryMs: 2_000 }

/** Every time-out and retry of every activity, in one table. */
export const policies = (timing: Timing = production) =>
  ({
    /** Short work against the warehouse, or a few requests for planning. */
    step: {
      startToCloseTimeout: '10m',
      heartbeatTimeout: timing.heartbeatMs,
      retry: { initialInterval: timing.retryMs, backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 30 },
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    },
    /** Reading a slice. Attempts are not limited here: a slice gives up by itself when claims bring no progress. */
    slice: {
      startToCloseTimeout: '2h',
      heartbeatTimeout: timing.heartbeatMs,
      retry: { initialInterval: timing.retryMs, backoffCoefficient: 2, maximumInterval: '5m' },
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    },
    /** A line of what people did, on the queue that is always free. */
    note: {
      taskQueue: `${workflowInfo().taskQueue}-control`,
      startToCloseTimeout: '1m',
      retry: { initialInterval: timing.retryMs, backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 30 },
    },
    /** A person waits for the answer: on a queue of its own, behind no bulk work. */
    question: {
      taskQueue: `${workflowInfo().taskQueue}-control`,
      startToCloseTimeout: '2m',
      scheduleToCloseTimeout: '5m',
      retry: { initialInterval: timing.retryMs, maximumAttempts: 2 },
    },
    /** A local activity: some short transactions a sync. What fails is looked at again a minute later. */
    look: {
      startToCloseTimeout: '20s',
      scheduleToCloseTimeout: '1m',
      retry: { initialInterval: timing.retryMs, maximumAttempts: 2 },
    },
    /** Sends messages for half a minute; those that are left, or failed, are the next one's. */
    deliver: {
      startToCloseTimeout: '1m',
      scheduleToCloseTimeout: '2m',
      retry: { initialInterval: timing.retryMs, maximumAttempts: 2 },
    },
  }) satisfies Record<string, ActivityOptions | LocalActivityOptions>
