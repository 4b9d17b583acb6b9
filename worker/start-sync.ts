import { Client, type ConnectionLike } from '@temporalio/client'
import type { DataConverter } from '@temporalio/common'
import { runStart } from '../src/core/run-start.js'
import type { Deps } from './deps.js'

/** Starts syncs on the worker's own queue. */
export function syncStarter(
  connection: ConnectionLike,
  { namespace, queue, dataConverter }: { namespace: string; queue: string; dataConverter?: DataConverter },
): Deps['startSync'] {
  const client = new Client({ connection, namespace, ...(dataConverter ? { dataConverter } : {}) })
  return async (definition, input) => {
    const start = { taskQueue: queue, workflowIdConflictPolicy: 'USE_EXISTING' as const, ...runStart(definition, input) }
    await client.workflow.start('syncConnection', start)
  }
}
