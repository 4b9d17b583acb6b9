/** An embedded PostgreSQL: real server binaries, run as a child process, reachable on the loopback address with a password. */
import { existsSync } from 'node:fs'
import { open, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../src/core/failure.js'
import { createPool } from '../../src/warehouse/postgres/pool.js'
import { type Child, type Exit, startChild } from './child.js'
import { freePort } from './ports.js'
import { type Home, prepareHome, sharedFolder } from './postgres-home.js'
import { commandOf, endForeign, lives, markOf, type ProcessMark, processesIn, signal, until } from './processes.js'

/** Not 5432: a PostgreSQL of the machine's own may be started there later. */
export const postgresPort = 54329

export interface PostgresOptions {
  /** Kept between starts; holds the cluster and its password. */
  dataDir: string
  /** Where to look first (default 54329); a taken one gives way to the next free one, unless `isPortFixed`. */
  port?: number
  isPortFixed?: boolean
  /** Another PostgreSQL's `bin`; default the packaged one. */
  binDir?: string
  /** For root only: where data and binaries go when the server's user cannot come to their own place. */
  sharedDir?: string
  /** Default `<dataDir>/postgres.log`. */
  logFile?: string
  /** Server settings beside ours, as `{ fsync: 'off' }`. */
  settings?: Record<string, string>
  /** Called when the server ends without having been stopped. */
  onExit?: (exit: Exit) => void
  log?: (line: string) => void
}

export interface Postgres {
  /** With user, password and database `weir`. */
  url: string
  port: number
  pid: number
  /** PostgreSQL's own folder, which as root may lie elsewhere than asked for. */
  dataDir: string
  version: string
  stop: () => Promise<void>
  exited: Promise<Exit>
}

const recoverWithinMs = 5 * 60_000
const portWaitMs = 15_000
const stopWithinMs = 30_000
const refusedForMs = 3_000

/** Throws `config` or `warehouse`, with the tail of the server's log. A server that an earlier, dead process left there is ended first. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const log = options.log ?? (() => {})
  const home = await prepareHome({ sharedDir: sharedFolder, ...options, isDurable: options.settings?.fsync !== 'off', log })
  await endOldServer(home, log)
  await writeFile(join(home.folder, 'owner.json'), JSON.stringify(markOf(process.pid)))
  const logFile = options.logFile ?? join(home.folder, 'postgres.log')
  const { child, port } = await launch(home, options, logFile)
  const url = urlOf(home, port, 'weir')
  try {
    await makeDatabase(home, port)
  } catch (error) {
    await child.stop(stopWithinMs)
    throw error
  }
  let isStopping = false
  child.exited.then((exit) => {
    if (!isStopping) options.onExit?.(exit)
  })
  const stop = async () => {
    isStopping = true
    await child.stop(stopWithinMs)
  }
  return { url, port, pid: child.pid, dataDir: home.data, version: home.version, stop, exited: child.exited }
}

const urlOf = ({ password }: Home, port: number, database: string) => `postgres://weir:${password}@127.0.0.1:${port}/${database}`

/** Tries until the server answers: another port when one is taken, again when remains of a killed server still hold the data. */
async function launch(home: Home, { port: wanted = postgresPort, isPortFixed = false, settings = {} }: PostgresOptions, logFile: string) {
  const endsAt = performance.now() + portWaitMs
  for (let first = wanted; ; await sleep(100)) {
    const port = isPortFixed ? wanted : await freePort(first)
    const logged = (await stat(logFile).catch(() => undefined))?.size ?? 0
    const child = await startChild({
      command: join(home.binDir, 'postgres'),
      args: ['-D', home.data, ...settingsOf({ port: String(port), ...(await sharedMemory()), ...settings })],
      cwd: '/',
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
      logFile,
      stopSignal: 'SIGINT', // "fast": ends sessions, keeps what is committed
      ...(home.user ? { user: home.user } : {}),
    })
    if (await isReady(home, port, child)) return { child, port }
    const said = await tail(logFile, logged)
    const mayPass =
      /could not bind|Address already in use/.test(said) || /shared memory block .* still in use|lock file ".*" already exists/.test(said)
    if (!mayPass || performance.now() > endsAt) throw notStarted(home, said)
    if (/could not bind/.test(said)) first = port + 1
    else for (const pid of processesIn(home.data)) signal(pid, 'SIGQUIT') // sessions of a server that was killed
  }
}

const settingsOf = (more: Record<string, string>): string[] =>
  Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '100',
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    // What it adds to an error holds values of rows: the key that was there, the line that could not be read.
    log_error_verbosity: 'terse',
    ...more,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])

/** Containers often have 64 MB in /dev/shm, where parallel queries fail once it is full; files in the data folder do instead. */
async function sharedMemory(): Promise<Record<string, string>> {
  const shm = await statfs('/dev/shm').catch(() => undefined)
  const isSmall = shm !== undefined && shm.blocks * shm.bsize < 256 * 1024 * 1024
  return isSmall ? { dynamic_shared_memory_type: 'mmap' } : {}
}

/** False when it ended before it answered. After a crash it first recovers, which may take long. */
async function isReady(home: Home, port: number, child: Child): Promise<boolean> {
  let hasEnded = false
  let refusedSince: number | undefined
  child.exited.then(() => {
    hasEnded = true
  })
  const pool = createPool(urlOf(home, port, 'postgres'), 1)
  const check = async (): Promise<boolean | undefined> => {
    if (hasEnded) return false
    try {
      await pool.query('SELECT 1')
      return true
    } catch (error) {
      // Another server may hold the port, and ours is about to find out; later it is ours that does not know the password.
      if ((error as { code?: unknown }).code !== '28P01') return undefined
      refusedSince ??= performance.now()
      if (performance.now() - refusedSince < refusedForMs) return undefined
      throw new Failure(
        'config',
        `PostgreSQL refuses the password in ${home.folder}/password. Was that file changed? Put the old one back.`,
      )
    }
  }
  try {
    const answer = await until(check, recoverWithinMs, 20)
    if (answer === undefined) await child.stop(stopWithinMs)
    return answer === true
  } catch (error) {
    await child.stop(stopWithinMs)
    throw error
  } finally {
    await pool.end()
  }
}

async function makeDatabase(home: Home, port: number): Promise<void> {
  const pool = createPool(urlOf(home, port, 'postgres'), 1)
  try {
    const { rowCount } = await pool.query(`SELECT FROM pg_database WHERE datname = 'weir'`)
    if (!rowCount) await pool.query('CREATE DATABASE weir')
  } finally {
    await pool.end()
  }
}

/**
 * A server may still run on the data when the process that started it was killed together with its watchdog. It is ended, as nobody
 * watches over it; one whose starter lives is left alone. A stale `postmaster.pid` whose number now is another process's is removed,
 * as PostgreSQL would take that process for a server.
 */
async function endOldServer(home: Home, log: (line: string) => void): Promise<void> {
  const pidFile = join(home.data, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const pid = Number((await readFile(pidFile, 'utf8')).split('\n')[0])
  const mark = Number.isInteger(pid) && pid > 0 ? markOf(pid) : undefined
  if (mark && commandOf(pid).includes(home.data)) {
    const owner = await ownerOf(home)
    if (owner && owner.pid !== process.pid && lives(owner)) {
      throw new Failure('config', `PostgreSQL already runs on ${home.data}, started by process ${owner.pid}. Stop that one first.`)
    }
    log(`A PostgreSQL was left running on ${home.data} (process ${pid}); stopping it.`)
    await endForeign(mark, 'SIGINT', stopWithinMs)
  } else if (mark && processesIn(home.data).length === 0) {
    await rm(pidFile, { force: true })
  }
}

async function ownerOf({ folder }: Home): Promise<ProcessMark | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, 'owner.json'), 'utf8')) as ProcessMark
  } catch {
    return undefined
  }
}

function notStarted({ data, version }: Home, said: string): Failure {
  const advice = /No space left/.test(said)
    ? ' The disk is full; make room.'
    : /Permission denied|wrong ownership/.test(said)
      ? ` Its user must own ${data} and everything in it.`
      : /could not bind/.test(said)
        ? ' Its port is held by another program.'
        : ''
  return new Failure(
    'warehouse',
    `PostgreSQL ${version} did not start on ${data}.${advice} Its log ends with:\n${said.trim().split('\n').slice(-12).join('\n')}`,
  )
}

/** What was written since `from`, at most the last 8 kB. */
async function tail(path: string, from: number): Promise<string> {
  const file = await open(path).catch(() => undefined)
  if (!file) return ''
  try {
    const { size } = await file.stat()
    const start = Math.max(size < from ? 0 : from, size - 8192)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start)
    return buffer.subarray(0, bytesRead).toString('utf8')
  } finally {
    await file.close()
  }
}
