import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { workflowTaskMs } from '../src/core/activities.js'
import { asFailure, Failure } from '../src/core/failure.js'
import type { Log } from '../src/core/ports.js'
import { noMeter } from '../src/observe/metrics.js'
import { noTrace } from '../src/observe/trace.js'
import { createActivities } from './activities/index.js'
import { loggedActivities } from './activities/log.js'
import { bundlePath, failureConverterPath, workflowsPath } from './bundle.js'
import { payloadCodec } from './codec.js'
import { createDeps, createVoice, type Deps } from './deps.js'
import { createMeter, prometheusAt, Sampler } from './metrics.js'
import { type WorkerSettings, workerSettings } from './settings.js'
import { createStarters } from './start.js'
import { type StatusServer, startStatusServer } from './status-server.js'
import { reach } from './temporal.js'
import { versioning } from './versioning.js'
import { startWatchman } from './watchman.js'

/** Time that running slices have to commit what is complete, after a signal to stop. */
const grace = { shutdownGraceTime: '5s', shutdownForceTime: '25s' } as const

/**
 * V8 would let the old generation, some 40 MB of which live, become four times as large before it collects it: at a million rows the worker
 * then held 351 MB. At one and a half times it holds 249 (bench/RESULTS.md).
 */
const growth = '--heap-growing-percent=50'

/** Runs a worker until a signal: then it takes no more work, slices commit what they hold, and it ends. */
export async function runWorker(settings: WorkerSettings): Promise<void> {
  setFlagsFromString(growth)
  const voice = createVoice(settings)
  const { log } = voice
  installRuntime(settings, log)
  const meter = settings.metricsAddress === undefined ? noMeter : createMeter(Runtime.instance().metricMeter)
  const sampler = new Sampler(meter)
  const tracing = settings.isTraced ? (await import('./trace.js')).startTracing() : undefined
  const trace = tracing?.trace ?? noTrace
  const deps = createDeps(settings, voice, { meter, trace, watchBudget: sampler.watchBudget })
  const { connection: at, namespace = 'default' } = settings.temporal
  const connection = await reach(at, () => NativeConnection.connect(at))
  let status: StatusServer | undefined
  try {
    await deps.warehouse.migrate()
    if (settings.metricsAddress !== undefined) sampler.start(deps.warehouse, log)
    const dataConverter = {
      payloadCodecs: [payloadCodec(settings.key, settings.encryptsPayloads)],
      ...(settings.encryptsPayloads ? { failureConverterPath } : {}),
    }
    const starters = createStarters(connection, { namespace, queue: settings.queue, dataConverter })
    const { work, control } = createActivities({ ...deps, ...starters })
    const common = {
      connection,
      namespace,
      maxHeartbeatThrottleInterval: Math.min(5_000, settings.timing.heartbeatMs / 3),
      stickyQueueScheduleToStartTimeout: Math.min(workflowTaskMs, settings.timing.heartbeatMs),
      ...grace,
      ...versioning(settings),
      dataConverter,
      interceptors: { activity: [...(tracing ? [tracing.activity] : []), loggedActivities(log)] },
      ...(tracing ? { sinks: tracing.sinks } : {}),
    }
    const bundle = bundlePath({ isTraced: settings.isTraced, isEncrypted: settings.encryptsPayloads })
    const workflows = existsSync(bundle) ? { workflowBundle: { codePath: bundle } } : { workflowsPath }
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
    log.info('worker ready', { queue: settings.queue, slots: settings.slots, ...(status ? { status: status.url } : {}) })
    const watchman = startWatchman(deps)
    await Promise.all(workers.map((worker) => worker.run())).finally(watchman.stop)
    log.info('worker stopped')
  } finally {
    sampler.stop()
    await status?.close()
    await connection.close()
    await deps.close()
    // A collector that is away keeps nobody from ending.
    await tracing?.stop().catch((error: Error) => log.warn(`The last traces were not sent: ${error.message}`))
  }
}

/** @throws Failure `config` where the metrics' address cannot be had */
function installRuntime({ metricsAddress }: WorkerSettings, log: Log): void {
  try {
    Runtime.install({
      logger: new DefaultLogger('WARN', (entry) => {
        // Those are told with run, stream and slice by `loggedActivities`.
        if (entry.message === 'Activity failed') return
        const write = entry.level === 'ERROR' ? log.error : log.warn
        write(entry.message, entry.meta as Record<string, unknown>)
      }),
      shutdownSignals: ['SIGINT', 'SIGTERM'],
      ...(metricsAddress === undefined ? {} : { telemetryOptions: prometheusAt(metricsAddress) }),
    })
  } catch (error) {
    if (metricsAddress === undefined) throw error
    const said = error instanceof Error ? error.message : error
    throw new Failure(
      'config',
      `WEIR_METRICS_ADDRESS: ${metricsAddress} cannot be had: ${said}. Each worker of a machine needs its own.`,
      {},
      { cause: error },
    )
  }
}

/** A page that cannot be served, since another worker of this machine has its address, keeps nobody from working. */
async function serveStatus(
  settings: WorkerSettings,
  deps: Pick<Deps, 'warehouse' | 'clock' | 'log' | 'redact'>,
  isWorking: () => boolean,
): Promise<StatusServer | undefined> {
  const { statusAddress, temporalUiUrl: temporalUi, temporal } = settings
  if (statusAddress === undefined) return undefined
  const { warehouse, clock, log, redact } = deps
  try {
    const sources = {
      overview: warehouse.reports.overview,
      backfills: () => warehouse.backfills.list({ limit: 10 }),
      isWorking,
      temporalUi,
      namespace: temporal.namespace ?? 'default',
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
