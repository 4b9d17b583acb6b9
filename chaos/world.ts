/**
 * Everything that runs while one mode is tried: the product's own parts, each supervised and started again as `weir dev` does it, with
 * proxies between them, and the vendor. PostgreSQL is looked at on its own port, past the proxy.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { type Child, startChild } from '../cli/dev/child.js'
import { type Postgres, startPostgres } from '../cli/dev/postgres.js'
import { commandOf, lives, markOf, type ProcessMark, until } from '../cli/dev/processes.js'
import { makeWeirFolder, projectKey } from '../cli/dev/project-folder.js'
import { type Stack, startStack } from '../cli/dev/stack.js'
import { type Part, type Supervised, supervise } from '../cli/dev/supervise.js'
import { startTemporal, type Temporal } from '../cli/dev/temporal.js'
import { resolveTemporal } from '../cli/dev/temporal-binary.js'
import { searchAttributes } from '../src/core/search-attributes.js'
import { type Command, runCommand } from './command.js'
import { areThere, awayForMs, connected, createQuery, type Query } from './database.js'
import { type Mode, sync, tableOf } from './modes.js'
import { startProxy, type TcpProxy } from './proxy.js'
import { makeTruth } from './truth.js'
import { startVendor, type Vendor } from './vendor.js'

export const heartbeatMs = 1_500
const retryMs = 200

export interface World {
  mode: Mode
  folder: string
  vendor: Vendor
  proxies: Record<'postgres' | 'temporal' | 'vendor', TcpProxy>
  /** Of the process that runs now; undefined between two lives. */
  pid: (part: 'postgres' | 'temporal' | 'worker') => number | undefined
  /** Quoted, with its schema. */
  table: string
  /** A connection of its own, past the proxy. @throws while the server is away */
  connect: () => Promise<pg.Client>
  /** One statement past the proxy; waits while the server is away. */
  query: Query
  /** Starts the real command in the project. */
  weir: (args: string[]) => Command
  /** A worker beside the supervised one. */
  secondWorker: () => Promise<Child>
  /** Stops everything; gives the command lines of processes that are still there. */
  close: (keepFolder: boolean) => Promise<string[]>
}

export interface WorldOptions {
  mode: Mode
  rows: number
  /** PostgreSQL's, and Temporal's behind it. Both come back on the ports they had: let those be below the ephemeral ones, which any connection may take meanwhile. */
  port: number
  log: (line: string) => void
}

/** From source (the tests) and from dist alike, the built product is what runs. */
const root = new URL(extname(import.meta.url) === '.ts' ? '../' : '../../', import.meta.url)
const workerMain = fileURLToPath(new URL('dist/worker/main.js', root))
const bin = fileURLToPath(new URL('bin/weir', root))

export async function openWorld({ mode, rows, port, log }: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-chaos-'))
  // PostgreSQL's user must come through; for root it is another one.
  await chmod(folder, 0o711)
  const stops: (() => Promise<unknown>)[] = []
  const closeAll = async () => {
    for (const stop of stops.reverse()) await stop()
  }
  const seen: ProcessMark[] = []
  const watched = (part: string) => (kind: string, pid: number, text: string) => {
    const mark = markOf(pid)
    if (mark && kind !== 'ended') seen.push(mark)
    log(`${part} ${text}`)
  }
  try {
    const weirFolder = await makeWeirFolder(folder)
    const vendor = await startVendor(makeTruth(mode.stream, rows, new Date()))
    stops.push(vendor.stop)
    const supervised = async <T extends Part>(name: string, start: (before: T | undefined) => Promise<T>): Promise<Supervised<T>> => {
      const part = await supervise<T>({ start, onEvent: watched(name) })
      stops.push(part.stop)
      return part
    }
    const postgres = await supervised<Postgres>('postgres', (before) =>
      startPostgres({
        dataDir: join(weirFolder, 'postgres'),
        logFile: join(weirFolder, 'postgres.log'),
        port: before?.port ?? port,
        isPortFixed: before !== undefined,
        log,
      }),
    )
    const temporalBin = await resolveTemporal(log)
    const temporal = await supervised<Temporal>('temporal', (before) =>
      startTemporal({
        bin: temporalBin,
        dbFile: join(weirFolder, 'temporal.db'),
        logFile: join(weirFolder, 'temporal.log'),
        searchAttributes,
        port: before?.port ?? port + 1,
        uiPort: false,
        arePortsFixed: before !== undefined,
        log,
      }),
    )
    const proxied = async (target: () => number) => {
      const proxy = await startProxy(0, target)
      stops.push(proxy.stop)
      return proxy
    }
    const proxies = {
      postgres: await proxied(() => postgres.current().port),
      temporal: await proxied(() => temporal.current().port),
      vendor: await proxied(() => vendor.port),
    }
    await writeFile(join(folder, 'weir.yaml'), projectFile(mode, proxies.vendor.port))
    const { url } = postgres.current()
    const warehouse = new URL(url)
    warehouse.port = String(proxies.postgres.port)
    const temporalAddress = `127.0.0.1:${proxies.temporal.port}`
    const timing = { WEIR_HEARTBEAT_MS: String(heartbeatMs), WEIR_RETRY_MS: String(retryMs) }
    const worker = { command: process.execPath, args: [workerMain], env: timing }
    const stack = await startStack({
      projectDir: folder,
      worker,
      searchAttributes,
      log: () => {},
      temporalAddress,
      warehouseUrl: warehouse.href,
    })
    stops.push(() => stack.stop(5_000))
    stack.events.on('event', ({ part, kind, pid, text }) => watched(part)(kind, pid, text))

    const query = createQuery(url)
    stops.push(query.end)
    await until(async () => (await query.run<{ are: boolean }>(areThere))[0]!.are || undefined, awayForMs, 100)
    const place = {
      WEIR_PROJECT_DIR: folder,
      TEMPORAL_ADDRESS: temporalAddress,
      WAREHOUSE_URL: warehouse.href,
      WEIR_KEY: await projectKey(folder),
    }
    return {
      mode,
      folder,
      vendor,
      proxies,
      pid: (part) => alive(part === 'worker' ? workerOf(stack) : (part === 'postgres' ? postgres : temporal).current().pid),
      table: tableOf(mode),
      connect: () => connected(url),
      query: query.run,
      weir: (args) => runCommand(bin, args, folder),
      async secondWorker() {
        const child = await startChild({
          ...worker,
          env: { ...process.env, ...timing, ...place },
          cwd: folder,
          logFile: join(weirFolder, 'worker2.log'),
          stopSignal: 'SIGTERM',
        })
        const mark = markOf(child.pid)
        if (mark) seen.push(mark)
        return child
      },
      async close(keepFolder) {
        await closeAll()
        const left = seen.filter((mark) => lives(mark)).map(({ pid }) => commandOf(pid))
        if (!keepFolder) await rm(folder, { recursive: true, force: true })
        return left
      },
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

const projectFile = (mode: Mode, vendorPort: number) => `version: 1
connections: { vendor: { type: klaviyo, base_url: "http://127.0.0.1:${vendorPort}", api_key: pk_chaos, budget: "off" } }
syncs: { ${sync}: { from: vendor, streams: { ${mode.stream}: ${mode.config} } } }
`

const workerOf = (stack: Stack) => stack.info.pids.worker
const alive = (pid: number | undefined) => (pid !== undefined && markOf(pid) ? pid : undefined)
