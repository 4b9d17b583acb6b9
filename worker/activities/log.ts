import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import type { ActivityInterceptorsFactory } from '@temporalio/worker'
import type { Log } from '../../src/core/ports.js'
import { type Bindings, withBindings } from '../../src/observe/log.js'

/** Names that an activity's input may hold and that say where a line belongs. */
const named = ['sync', 'run', 'stream', 'slice'] as const
/** Numbers of a receipt that are worth a place on the line of its end. */
const counted = ['read', 'loaded', 'unchanged', 'deadLetters', 'more', 'waitUntil'] as const

/** Each activity's end or failure is a line, and every line that is written meanwhile says of which run, stream and slice it is. */
export const loggedActivities =
  (log: Log): ActivityInterceptorsFactory =>
  ({ info: { activityType, attempt, workflowExecution } }) => ({
    inbound: {
      execute(input, next) {
        const given = picked(input.args[0], named)
        const workflow = workflowExecution === undefined ? {} : { workflow: workflowExecution.workflowId, run: workflowExecution.runId }
        return withBindings({ activity: activityType, attempt, ...workflow, ...given } as Bindings, async () => {
          const since = performance.now()
          const ms = () => Math.round(performance.now() - since)
          try {
            const receipt = await next(input)
            log.info(`${activityType} done`, { ms: ms(), ...picked(receipt, counted) })
            return receipt
          } catch (error) {
            tell(log, activityType, error, ms())
            throw error
          }
        })
      },
    },
  })

function tell(log: Log, activity: string, error: unknown, ms: number): void {
  if (error instanceof CancelledFailure) {
    log.info(`${activity} cancelled`, { ms })
    return
  }
  const reason = error instanceof ApplicationFailure ? error.type : 'bug'
  const fields = { ms, reason, ...(reason === 'bug' ? { error } : {}) }
  const said = error instanceof Error ? error.message : String(error)
  // What may pass is tried again; what may not is somebody's move.
  const isFinal = error instanceof ApplicationFailure ? error.nonRetryable : true
  const write = isFinal ? log.error : log.warn
  write(`${activity} failed: ${said}`, fields)
}

function picked(value: unknown, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)))
}
