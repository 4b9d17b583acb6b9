/** Temporal's dev server with its UI, run as a child process on one SQLite file. */
import { readFile, writeFile } from 'node:fs/promises'
import { Connection } from '@temporalio/client'
import { Failure } from '../../src/core/failure.js'
import { type Child, type Exit, startChild } from './child.js'
import { freePort } from './ports.js'
import { commandOf, endForeign, markOf, type ProcessMark, until } from './processes.js'

export const temporalPort = 7233
export const temporalUiPort = 8233

/** As `src/core/search-attributes.ts` writes the types. */
export type SearchAttributes = Readonly<Record<string, 'KEYWORD' | 'INT' | 'TEXT' | 'BOOL' | 'DOUBLE' | 'DATETIME' | 'KEYWORD_LIST'>>

export interface TemporalOptions {
  /** The command `temporal`, as `resolveTemporal` finds it. */
  bin: string
  /** Histories and schedules live there; without it in memory. */
  dbFile?: string
  /** Where to look first; a taken one gives way to the next free one, unless `arePortsFixed`. */
  port?: number
  /** `false`: no UI. */
  uiPort?: number | false
  arePortsFixed?: boolean
  searchAttributes: SearchAttributes
  /** Settings of the server, as its `--dynamic-config-value` takes them. */
  dynamicConfig?: Readonly<Record<string, string>>
  logFile?: string
  /** Called when the server ends without having been stopped. */
  onExit?: (exit: Exit) => void
  log?: (line: string) => void
}

export interface Temporal {
  address: string
  /** '' without UI. */
  uiUrl: string
  port: number
  uiPort: number | undefined
  pid: number
  stop: () => Promise<void>
  exited: Promise<Exit>
}

/**
 * How often a second the server looks for tasks to hand out, for timers that are due and for what its lists show. The default of 20 suits
 * servers of hundreds of shards; this one has a single shard, where each step of a run waited for the next 50 ms: half of an empty run.
 */
export const promptly = {
  'history.transferProcessorMaxPollRPS': '1000',
  'history.timerProcessorMaxPollRPS': '1000',
  'history.visibilityProcessorMaxPollRPS': '1000',
}

const readyWithinMs = 60_000
const portWaitMs = 15_000
const stopWithinMs = 10_000
const tries = 5

/** Throws `config` when the server does not come up. One that a dead process left on the same file is ended first. */
export async function startTemporal(options: TemporalOptions): Promise<Temporal> {
  if (options.dbFile) await endOldServer(options.dbFile, options.log ?? (() => {}))
  for (let attempt = 1; ; attempt++) {
    const { port, uiPort } = await portsFor(options, attempt)
    const child = await startChild({
      command: options.bin,
      args: argsFor(options, port, uiPort),
      stopSignal: 'SIGTERM',
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
      ...(options.logFile ? { logFile: options.logFile } : {}),
    })
    if (options.dbFile) await writeFile(markFile(options.dbFile), JSON.stringify(markOf(child.pid)))
    if (await isReady(`127.0.0.1:${port}`, child)) return running(options, child, port, uiPort)
    if (attempt === tries) throw await notStarted(options)
  }
}

function running({ onExit }: TemporalOptions, child: Child, port: number, uiPort: number | undefined): Temporal {
  let isStopping = false
  child.exited.then((exit) => {
    if (!isStopping) onExit?.(exit)
  })
  const stop = async () => {
    isStopping = true
    await child.stop(stopWithinMs)
  }
  const uiUrl = uiPort ? `http://127.0.0.1:${uiPort}` : ''
  return { address: `127.0.0.1:${port}`, uiUrl, port, uiPort, pid: child.pid, stop, exited: child.exited }
}

/** Fixed ports are waited for: those of a server that was just killed come free in a moment. */
async function portsFor(options: TemporalOptions, attempt: number): Promise<{ port: number; uiPort: number | undefined }> {
  const wanted = options.port ?? temporalPort
  const wantedUi = options.uiPort ?? temporalUiPort
  if (options.arePortsFixed) {
    const areFree = async () =>
      (await freePort(wanted)) === wanted && (!wantedUi || (await freePort(wantedUi)) === wantedUi) ? true : undefined
    await until(areFree, portWaitMs, 50)
    return { port: wanted, uiPort: wantedUi || undefined }
  }
  // A later attempt steps aside: another program may have taken the port between our look and the server's start.
  const port = await freePort(wanted + (attempt - 1))
  const uiPort = wantedUi ? await freePort(wantedUi + (attempt - 1), new Set([port])) : undefined
  return { port, uiPort }
}

function argsFor({ dbFile, searchAttributes, dynamicConfig = {} }: TemporalOptions, port: number, uiPort: number | undefined): string[] {
  const pascal = (type: string) =>
    type
      .split('_')
      .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
      .join('')
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'warn', '--log-format', 'json'],
    ...(uiPort ? ['--ui-port', String(uiPort)] : ['--headless']),
    // Measured: with SQLite's defaults the server does a sixth of the work. The file survives kill -9 all the same; rows do not live here.
    ...(dbFile ? ['--db-filename', dbFile, '--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=OFF'] : []),
    ...Object.entries({ ...promptly, ...dynamicConfig }).flatMap(([name, value]) => ['--dynamic-config-value', `${name}=${value}`]),
    ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${pascal(type)}`]),
  ]
}

/** False when it ended before it answered. */
async function isReady(address: string, child: Child): Promise<boolean> {
  let hasEnded = false
  child.exited.then(() => {
    hasEnded = true
  })
  const answer = await until(async () => (hasEnded ? false : (await answersAt(address)) || undefined), readyWithinMs, 50)
  if (!answer && !hasEnded) await child.stop(stopWithinMs)
  return answer === true && !hasEnded
}

/** Does a Temporal server with the namespace `default` answer there? */
export async function answersAt(address: string, withinMs = 1_000): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: withinMs })
    try {
      await connection.withDeadline(Date.now() + withinMs, () => connection.workflowService.describeNamespace({ namespace: 'default' }))
      return true
    } finally {
      await connection.close()
    }
  } catch {
    return false
  }
}

const markFile = (dbFile: string) => `${dbFile}.pid`

/** Two servers on one file would spoil it. */
async function endOldServer(dbFile: string, log: (line: string) => void): Promise<void> {
  const text = await readFile(markFile(dbFile), 'utf8').catch(() => '')
  if (!text) return
  const mark = JSON.parse(text) as ProcessMark
  if (markOf(mark.pid)?.since !== mark.since || !commandOf(mark.pid).includes(dbFile)) return
  log(`A Temporal server was left running on ${dbFile} (process ${mark.pid}); stopping it.`)
  await endForeign(mark, 'SIGTERM', stopWithinMs)
}

async function notStarted({ bin, logFile }: TemporalOptions): Promise<Failure> {
  const said = logFile ? (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-8).join('\n') : ''
  return new Failure('config', `Temporal's dev server (${bin}) did not start.${said ? ` Its log ends with:\n${said}` : ''}`)
}
