import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { workflowTaskMs } from '../src/core/activities.js'
import { asFailure } from '../src/core/failure.js'
import { createActivities } from './activities/index.js'
import { bundlePath, workflowsPath } from './bundle.js'
import { createDeps, type Deps } from './deps.js'
import { type WorkerSettings, workerSettings } from './settings.js'
import { type StatusServer, startStatusServer } from './status-server.js'

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
  const connection = await NativeConnection.connect({ address: settings.temporalAddress })
  let status: StatusServer | undefined
  try {
    await deps.warehouse.migrate()
    const { work, control } = createActivities(deps)
    const common = {
      connection,
      namespace: settings.namespace,
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
    status = await serveStatus(settings, deps, () => workers.every((worker) => worker.getState() === 'RUNNING'))
    deps.log.info('worker ready', { queue: settings.queue, slots: settings.slots, ...(status ? { status: status.url } : {}) })
    await Promise.all(workers.map((worker) => worker.run()))
    deps.log.info('worker stopped')
  } finally {
    await status?.close()
    await connection.close()
    await deps.close()
  }
}

/** A page that cannot be served, since another worker of this machine has its address, keeps nobody from working. */
async function serveStatus(settings: WorkerSettings, deps: Deps, isWorking: () => boolean): Promise<StatusServer | undefined> {
  const { statusAddress, temporalUi, namespace } = settings
  if (statusAddress === undefined) return undefined
  const { warehouse, clock, log, redact } = deps
  try {
    const sources = {
      overview: warehouse.reports.overview,
      backfills: async () => [],
      isWorking,
      temporalUi,
      namespace,
      clock,
      log,
      redact,
    }
    return await startStatusServer(statusAddress, sources)
  } catch (error) {
    log.warn(asFailure(error).message)
    return undefined
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runWorker(workerSettings(process.env))
}
