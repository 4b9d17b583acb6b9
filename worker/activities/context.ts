import { Context } from '@temporalio/activity'
import type { Redact } from '../../src/observe/redact.js'
import { toTemporal } from './failure.js'

/** Id of the workflow that the activity belongs to. */
export const workflowId = (): string | undefined => Context.current().info.workflowExecution?.workflowId

/** What an activity hands to the engine so that people see progress and a cancel arrives. */
export interface Running {
  signal: AbortSignal
  /** Who holds a slice, for people who look at `_weir.checkpoints`. */
  owner: string
  /** When Temporal called for this attempt: of two attempts at one piece of work the later one counts. */
  attemptAt: Date
  /** 1 the first time; rises with each retry of this activity. */
  attempt: number
  /** Details of the next heartbeat: counts and a position, for people. The truth is the checkpoint. */
  report: (details: Record<string, unknown>) => void
}

/**
 * Runs an activity's work with heartbeats, so that a lost worker is noticed and a cancel arrives while a request or a COPY
 * waits. Failures leave as Temporal's; a cancelled activity ends as cancelled.
 */
export async function running<T>(redact: Redact, work: (running: Running) => Promise<T>): Promise<T> {
  const context = Context.current()
  const { heartbeatTimeoutMs, attempt, currentAttemptScheduledTimestampMs, workflowExecution } = context.info
  const signal = context.cancellationSignal
  let details: Record<string, unknown> = {}
  const beat = () => context.heartbeat(details)
  const timer = setInterval(beat, Math.max(100, Math.min(5_000, (heartbeatTimeoutMs ?? 30_000) / 4)))
  const owner = `${workflowExecution?.runId ?? 'none'}_${attempt}`
  try {
    return await work({
      signal,
      owner,
      attemptAt: new Date(currentAttemptScheduledTimestampMs),
      attempt,
      report: (newest) => {
        details = newest
      },
    })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw toTemporal(error, redact)
  } finally {
    clearInterval(timer)
    // The last position, for whoever looks at a failed attempt.
    beat()
  }
}
