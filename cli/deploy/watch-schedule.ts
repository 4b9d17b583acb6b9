import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client'
import { workflowTaskMs } from '../../src/core/activities.js'

/** Of the schedule, and of its workflows before the time that Temporal adds. */
export const watchId = 'weir/watch'

export interface WatchOptions {
  /** Task queue of the workflows. */
  queue: string
  everyMs?: number
}

/**
 * Makes the schedule exist that looks for alerts and sends them, every minute. Safe to repeat and by many at once: one that is there gets
 * this interval and queue, and stays paused where somebody paused it.
 */
export async function ensureWatch(client: Client, { queue, everyMs = 60_000 }: WatchOptions): Promise<void> {
  const spec = { intervals: [{ every: everyMs }] }
  // What was missed while Temporal was away is seen by the next look.
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: 60_000 }
  const action = {
    type: 'startWorkflow' as const,
    workflowType: 'watch',
    workflowId: watchId,
    taskQueue: queue,
    args: [],
    workflowTaskTimeout: workflowTaskMs,
    // Where no worker comes, a look that is old is worth nothing.
    workflowExecutionTimeout: '10m' as const,
    staticSummary: 'looks for what people should be told, and sends it',
  }
  try {
    await client.schedule.create({ scheduleId: watchId, spec, policies, action })
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
    await client.schedule.getHandle(watchId).update((there) => ({ ...there, spec, policies, action }))
  }
}
