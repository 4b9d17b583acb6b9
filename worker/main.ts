import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { workflowTaskMs } from '../src/core/activities.js'
import { createActivities } from './activities/index.js'
import { bundlePath, workflowsPath } from './bundle.js'
import { createDeps } from './deps.js'
import { type WorkerSettings, workerSettings } from './settings.js'
import { reach } from './temporal.js'

/** Time that running slices have to commit what is complete, after a signal to stop. */
const grace = { shutdownGraceTime: '5s', shutdownForceTime: '25s' } as const

/** Runs a worker until a signal: then it takes no more work, slices commit what they hold, and it ends. */
export async function runWorker(settings: WorkerSettings): Promise<void> {
  const deps = createDeps(settings)
  Runtime.install({
    logger: new DefaultLogger('WARN', (entry) => {
      const write = entry.level === 'ERROR' ? deps.log.error : deps.log.warn
      write(entry.message, entry.meta as Record<string, unknown>)
    }),
    shutdownSignals: ['SIGINT', 'SIGTERM'],
  })
  const { connection: at, namespace = 'default' } = settings.temporal
  const connection = await reach(at, () => NativeConnection.connect(at))
  try {
    await deps.warehouse.migrate()
    const { work, control } = createActivities(deps)
    const common = {
      connection,
      namespace,
      maxHeartbeatThrottleInterval: Math.min(5_000, settings.timing.heartbeatMs / 3),
      stickyQueueScheduleToStartTimeout: Math.min(workflowTaskMs, settings.timing.heartbeatMs),
      ...grace,
    }
    const workflows = existsSync(bundlePath) ? { workflowBundle: { codePath: bundlePath } } : { workflowsPath }
    const workers = await Promise.all([
      Worker.create({
        ...common,
        ...workflows,
        taskQueue: settings.queue,
        activities: work,
        maxCachedWorkflows: 200,
        maxConcurrentActivityTaskExecutions: settings.slots,
      }),
      Worker.create({ ...common, taskQueue: `${settings.queue}-control`, activities: control, maxConcurrentActivityTaskExecutions: 4 }),
    ])
    deps.log.info('worker ready', { queue: settings.queue, slots: settings.slots })
    await Promise.all(workers.map((worker) => worker.run()))
    deps.log.info('worker stopped')
  } finally {
    await connection.close()
    await deps.close()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runWorker(workerSettings(process.env))
}
