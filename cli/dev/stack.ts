/** The embedded stack: PostgreSQL, Temporal and a worker, started together, each started again when it dies, stopped in order. */
import { EventEmitter } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { statusPort } from '../../worker/settings.js'
import { startChild } from './child.js'
import { freePort } from './ports.js'
import { type Postgres, startPostgres } from './postgres.js'
import { markOf } from './processes.js'
import { lockFolder, makeWeirFolder, projectKey, removeInfo, type StackInfo, writeInfo } from './project-folder.js'
import { type Happening, type Part, type Supervised, supervise } from './supervise.js'
import { type SearchAttributes, startTemporal, type Temporal } from './temporal.js'
import { resolveTemporal } from './temporal-binary.js'

export type PartName = 'postgres' | 'temporal' | 'worker'

export interface StackEvent {
  part: PartName
  kind: Happening
  /** Of the process that started or ended; 0 when none could be started. */
  pid: number
  /** One line for people. */
  text: string
}

export interface StackOptions {
  projectDir: string
  /** Gets TEMPORAL_ADDRESS, WAREHOUSE_URL, WEIR_KEY and WEIR_PROJECT_DIR beside our environment and `env`. */
  worker: { command: string; args: string[]; env?: Record<string, string> }
  searchAttributes: SearchAttributes
  log: (line: string) => void
  /** Where to look first; those that are taken give way to the next free ones. */
  ports?: { postgres?: number; temporal?: number; temporalUi?: number; status?: number }
  /** A Temporal, a warehouse of the user's own (TEMPORAL_ADDRESS, WAREHOUSE_URL): then none is started. */
  temporalAddress?: string
  warehouseUrl?: string
}

export interface Stack {
  /** As it is now: a part that was started again has another pid. */
  readonly info: StackInfo
  /** Worker first, which has `drainMs` to commit what it holds, then Temporal, then PostgreSQL. Asked again with less time, it hurries. */
  stop: (drainMs?: number) => Promise<void>
  events: EventEmitter<{ event: [StackEvent] }>
}

const drainWithinMs = 25_000

/** Throws what a part's start throws, with nothing left running; `config` when a stack already runs in this folder. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const projectDir = resolve(options.projectDir)
  const folder = await makeWeirFolder(projectDir)
  const unlock = await lockFolder(folder)
  const events = new EventEmitter<{ event: [StackEvent] }>()
  const parts: Partial<Record<PartName, Supervised<Part>>> = {}
  let drainMs = drainWithinMs
  let isReady = false
  let saved = Promise.resolve()
  const stopAll = async () => {
    isReady = false
    await saved
    await removeInfo(folder)
    for (const name of ['worker', 'temporal', 'postgres'] as const) await parts[name]?.stop()
    await unlock()
  }
  try {
    const info: StackInfo = {
      ...ownMark(),
      startedAt: new Date().toISOString(),
      temporalAddress: '',
      temporalUiUrl: '',
      warehouseUrl: '',
      statusUrl: '',
      ports: {},
      pids: {},
    }
    /** One after the other, so that the last one stands. */
    const save = () => {
      saved = saved
        .then(() => writeInfo(folder, info))
        .catch((error: Error) => options.log(`.weir/dev.json could not be written: ${error.message}`))
    }
    const run = async <T extends Part>(part: PartName, start: (before: T | undefined) => Promise<T>): Promise<T> => {
      const onEvent = (kind: Happening, pid: number, text: string) => {
        if (kind === 'started' || kind === 'restarted') info.pids[part] = pid
        if (isReady) options.log(`${part} ${text}`)
        if (isReady && kind === 'restarted') save()
        events.emit('event', { part, kind, pid, text })
      }
      const supervised = await supervise<T>({ start, onEvent })
      parts[part] = supervised
      return supervised.current()
    }
    await allOf([
      options.warehouseUrl
        ? undefined
        : run<Postgres>('postgres', postgresIn(folder, options)).then((postgres) => describePostgres(info, postgres)),
      options.temporalAddress
        ? undefined
        : startsTemporal(folder, options)
            .then((start) => run<Temporal>('temporal', start))
            .then((temporal) => describeTemporal(info, temporal)),
    ])
    info.warehouseUrl ||= options.warehouseUrl ?? ''
    info.temporalAddress ||= options.temporalAddress ?? ''
    await describeStatus(info, options)
    const key = process.env.WEIR_KEY || (await projectKey(projectDir))
    await run(
      'worker',
      workerIn(folder, projectDir, options, { ...info, key }, () => drainMs),
    )
    await writeInfo(folder, info)
    isReady = true
    let stopped: Promise<void> | undefined
    const stop = (withinMs = drainWithinMs) => {
      drainMs = withinMs
      if (stopped) void parts.worker?.current().stop() // asked again: perhaps with less patience
      stopped ??= stopAll()
      return stopped
    }
    return { info, stop, events }
  } catch (error) {
    await stopAll()
    throw error
  }
}

const postgresIn =
  (folder: string, { ports = {}, log }: StackOptions) =>
  (before: Postgres | undefined) =>
    startPostgres({
      dataDir: join(folder, 'postgres'),
      logFile: join(folder, 'postgres.log'),
      log,
      ...(before ? { port: before.port, isPortFixed: true } : ports.postgres ? { port: ports.postgres } : {}),
    })

/** Its file lies in a folder of its own, for its owner alone: `.weir` itself may have to be open to pass through. */
async function startsTemporal(folder: string, { ports = {}, log, searchAttributes }: StackOptions) {
  const bin = await resolveTemporal(log)
  await mkdir(join(folder, 'temporal'), { recursive: true, mode: 0o700 })
  return (before: Temporal | undefined) =>
    startTemporal({
      bin,
      dbFile: join(folder, 'temporal', 'temporal.db'),
      logFile: join(folder, 'temporal.log'),
      searchAttributes,
      log,
      ...(ports.temporal ? { port: ports.temporal } : {}),
      ...(ports.temporalUi ? { uiPort: ports.temporalUi } : {}),
      ...(before ? { port: before.port, uiPort: before.uiPort ?? (false as const), arePortsFixed: true } : {}),
    })
}

function workerIn(
  folder: string,
  projectDir: string,
  { worker, temporalAddress }: StackOptions,
  at: { temporalAddress: string; temporalUiUrl: string; warehouseUrl: string; statusUrl: string; key: string },
  drainMs: () => number,
) {
  const env = {
    WEIR_PROJECT_DIR: projectDir,
    TEMPORAL_ADDRESS: at.temporalAddress,
    WAREHOUSE_URL: at.warehouseUrl,
    WEIR_KEY: at.key,
    WEIR_STATUS_ADDRESS: statusAddress(at.statusUrl),
    ...(at.temporalUiUrl ? { TEMPORAL_UI_URL: at.temporalUiUrl } : {}),
  }
  const inherited = temporalAddress === undefined ? withoutTemporal(process.env) : process.env
  return async (): Promise<Part> => {
    const logFile = join(folder, 'worker.log')
    const child = await startChild({
      ...worker,
      env: { ...inherited, ...worker.env, ...env },
      cwd: projectDir,
      logFile,
      stopSignal: 'SIGTERM',
    })
    return { pid: child.pid, exited: child.exited, stop: () => child.stop(drainMs()) }
  }
}

/** How another Temporal is reached (keys, TLS, profiles) is not for the one that was started here. */
const withoutTemporal = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_') || name === 'TEMPORAL_NAMESPACE'))

function describePostgres(info: StackInfo, { url, port }: Postgres): void {
  info.warehouseUrl = url
  info.ports.postgres = port
}

function describeTemporal(info: StackInfo, { address, uiUrl, port, uiPort }: Temporal): void {
  info.temporalAddress = address
  info.temporalUiUrl = uiUrl
  info.ports.temporal = port
  if (uiPort) info.ports.temporalUi = uiPort
}

/** The worker's setting for a status page at this address. As it was written: a URL would leave port 80 out. */
export const statusAddress = (url: string): string => (url === '' ? 'off' : url.replace(/^http:\/\//, ''))

/** Where the worker is to serve its status page: as the environment says, else at the next free port. */
async function describeStatus(info: StackInfo, { ports = {} }: StackOptions): Promise<void> {
  const set = process.env.WEIR_STATUS_ADDRESS
  if (set === 'off') return
  if (set) info.statusUrl = `http://${set}`
  else {
    const taken = new Set(Object.values(info.ports).filter((port) => port !== undefined))
    info.ports.status = await freePort(ports.status ?? statusPort, taken)
    info.statusUrl = `http://127.0.0.1:${info.ports.status}`
  }
}

/** Waits for all, so that nothing is still starting when the first failure is thrown. */
async function allOf(work: (Promise<void> | undefined)[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

function ownMark(): { pid: number; since: string } {
  return markOf(process.pid) ?? { pid: process.pid, since: '' }
}
