import { Client, type ConnectionLike, WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import type { DataConverter } from '@temporalio/common'
import { pushStart, runStart } from '../src/core/run-start.js'
import type { Starters } from './deps.js'

/** Starts syncs and pushes on the worker's own queue. */
export function createStarters(
  connection: ConnectionLike,
  { namespace, queue, dataConverter }: { namespace: string; queue: string; dataConverter?: DataConverter },
): Starters {
  const client = new Client({ connection, namespace, ...(dataConverter ? { dataConverter } : {}) })
  return {
    async startSync(definition, input) {
      const start = { taskQueue: queue, workflowIdConflictPolicy: 'USE_EXISTING' as const, ...runStart(definition, input) }
      await client.workflow.start('syncConnection', start)
    },
    async startPush(input) {
      try {
        await client.workflow.start('pushAudience', { taskQueue: queue, ...pushStart(input) })
        return { isStarted: true }
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return { isStarted: false }
        throw error
      }
    },
  }
}
