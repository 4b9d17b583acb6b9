/** All that runs while audiences are pushed: the product's own stack, each part supervised as by `weir dev`, and the vendors behind a proxy. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { kill } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../cli/dev/ports.js'
import { commandOf, lives, markOf, type ProcessMark, until } from '../../cli/dev/processes.js'
import { type PartName, startStack } from '../../cli/dev/stack.js'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import { searchAttributes } from '../../src/core/search-attributes.js'
import { type Command, runCommand } from '../command.js'
import { awayForMs, createQuery, type Query } from '../database.js'
import { startProxy } from '../proxy.js'
import type { Vendor } from './vendors.js'

export const audience = 'chaos'

export interface World {
  folder: string
  sandbox: Sandbox
  query: Query
  weir: (args: string[]) => Command
  /** By SIGKILL; it is started again by its supervisor. False where it did not run. */
  kill: (part: PartName) => boolean
  /** The vendors' server is away for so long: connections break, and new ones are refused. */
  restartVendors: (ms: number) => Promise<void>
  /** Of the worker that runs now. */
  workerPid: () => number | undefined
  /** Stops everything; gives the command lines of processes that are still there. */
  close: (keepFolder: boolean) => Promise<string[]>
}

const root = new URL(extname(import.meta.url) === '.ts' ? '../../' : '../../../', import.meta.url)
const workerMain = fileURLToPath(new URL('dist/worker/main.js', root))
const bin = fileURLToPath(new URL('bin/weir', root))

/** @param port the first of ten that may be used, below the ephemeral ones: what ends comes back on the port it had */
export async function openWorld(vendors: readonly Vendor[], port: number, log: (line: string) => void): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-chaos-'))
  // PostgreSQL's user must come through; for root it is another one.
  await chmod(folder, 0o711)
  const stops: (() => Promise<unknown>)[] = []
  const closeAll = async () => {
    for (const stop of stops.reverse()) await stop()
  }
  const seen: ProcessMark[] = []
  const note = (pid: number | undefined) => {
    const mark = pid ? markOf(pid) : undefined
    if (mark) seen.push(mark)
  }
  try {
    const sandbox = await startSandbox({
      people: 50,
      activitiesPerPerson: 0,
      now: new Date('2026-11-20T12:00:00Z'),
      limits: 'off',
      adsSince: new Date('2026-11-19'),
    })
    stops.push(sandbox.stop)
    const vendorPort = Number(new URL(sandbox.url).port)
    let proxy = await startProxy(await freePort(port + 7), () => vendorPort)
    stops.push(() => proxy.stop())
    await writeFile(join(folder, 'weir.yaml'), projectFile(vendors, `http://127.0.0.1:${proxy.port}`, sandbox))
    const stack = await startStack({
      projectDir: folder,
      worker: { command: process.execPath, args: [workerMain], env: { WEIR_HEARTBEAT_MS: '2000', WEIR_RETRY_MS: '200' } },
      searchAttributes,
      log: () => {},
      ports: { postgres: port, temporal: port + 1, temporalUi: port + 2, status: port + 3 },
    })
    stops.push(() => stack.stop(5_000))
    for (const pid of Object.values(stack.info.pids)) note(pid)
    stack.events.on('event', ({ part, kind, pid, text }) => {
      if (kind !== 'ended') note(pid)
      log(`${part} ${text}`)
    })
    const query = createQuery(stack.info.warehouseUrl)
    stops.push(query.end)
    await until(async () => (await query.run<{ are: boolean }>(areThere))[0]!.are || undefined, awayForMs, 100)
    return {
      folder,
      sandbox,
      query: query.run,
      weir: (args) => runCommand(bin, args, folder),
      kill(part) {
        const pid = stack.info.pids[part]
        if (pid === undefined || !markOf(pid)) return false
        // Of the worker its whole process group.
        kill(part === 'worker' ? -pid : pid, 'SIGKILL')
        return true
      },
      async restartVendors(ms) {
        await proxy.stop()
        await sleep(ms)
        proxy = await startProxy(proxy.port, () => vendorPort)
      },
      workerPid: () => stack.info.pids.worker,
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

/** Weir's own tables: the worker makes them as it starts. */
const areThere = `SELECT to_regclass('_weir.audience_batches') IS NOT NULL AS are`

const projectFile = (vendors: readonly Vendor[], url: string, sandbox: Sandbox) => `version: 1
connections:
${vendors.map(({ name, connection }) => `  ${name}: ${connection(url, sandbox)}`).join('\n')}
models:
  people: { sql: "SELECT id, code, email, consent, last_name, seats FROM crm.people", key: id }
  stopped: { table: crm.stopped, key: email }
audiences:
  ${audience}:
    model: people
    identity: { email: email, external_id: code }
    consent: { column: consent }
    suppress: [{ model: stopped, by: email }]
    destinations:
${vendors.map(({ name, destination }) => `      ${name}: ${destination(sandbox)}`).join('\n')}
`
