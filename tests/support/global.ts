/**
 * What the whole test run shares is started here, once, and stopped at its end: PostgreSQL in its embedded and its oldest version,
 * Temporal's dev server, and the workflow bundle. Only what the chosen test files ask for by `inject` is started.
 */
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { startPostgres } from '../../cli/dev/postgres.js'
import { markOf } from '../../cli/dev/processes.js'
import { startTemporal } from '../../cli/dev/temporal.js'
import { resolveTemporal } from '../../cli/dev/temporal-binary.js'
import { searchAttributes } from '../../src/core/search-attributes.js'
import { keysAskedFor } from './asked-for.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The embedded PostgreSQL; '' when no chosen file asks for it. */
    postgresUrl: string
    /** The oldest supported PostgreSQL; '' where the machine has none. */
    postgres15Url: string
    temporalAddress: string
    /** File of the workflow bundle. */
    workflowBundle: string
  }
}

type Stop = () => Promise<void>

const workflows = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url))
const prefix = 'weir-test-run-'

export default async function setup(project: TestProject): Promise<Stop> {
  const asked = await keysAskedFor(project, ['postgresUrl', 'postgres15Url', 'temporalAddress', 'workflowBundle'])
  const folder = await makeFolder()
  const stops: Stop[] = []
  const stopAll = async () => {
    await Promise.allSettled(stops.map((stop) => stop()))
    await rm(folder, { recursive: true, force: true })
  }
  const starts = {
    postgresUrl: () => postgres(join(folder, 'postgres'), undefined, stops),
    postgres15Url: () => oldestPostgres(join(folder, 'postgres15'), stops),
    temporalAddress: () => temporal(stops),
    workflowBundle: () => bundle(join(folder, 'workflows.js')),
  }
  const keys = Object.keys(starts) as (keyof typeof starts)[]
  const results = await Promise.allSettled(keys.map(async (key) => project.provide(key, asked.has(key) ? await starts[key]() : '')))
  const failed = results.find((result) => result.status === 'rejected')
  if (!failed) return stopAll
  await stopAll()
  throw failed.reason
}

async function postgres(dataDir: string, binDir: string | undefined, stops: Stop[]): Promise<string> {
  const port = 56_000 + Math.floor(Math.random() * 4_000)
  const settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }
  const server = await startPostgres({ dataDir, port, settings, ...(binDir ? { binDir } : {}) })
  stops.push(server.stop)
  return server.url
}

async function oldestPostgres(dataDir: string, stops: Stop[]): Promise<string> {
  const binDir = process.env.WEIR_TEST_PG15_BIN ?? '/usr/lib/postgresql/15/bin'
  if (existsSync(join(binDir, 'postgres'))) return postgres(dataDir, binDir, stops)
  console.warn(`SKIPPED: tests on PostgreSQL 15, the oldest supported. There is none in ${binDir}; WEIR_TEST_PG15_BIN may name another.`)
  return ''
}

async function temporal(stops: Stop[]): Promise<string> {
  if (process.env.WEIR_TEST_TEMPORAL_ADDRESS) return process.env.WEIR_TEST_TEMPORAL_ADDRESS
  const bin = await resolveTemporal((line) => console.log(line))
  const port = 17_000 + Math.floor(Math.random() * 4_000)
  const server = await startTemporal({ bin, port, uiPort: false, searchAttributes })
  stops.push(server.stop)
  return server.address
}

async function bundle(file: string): Promise<string> {
  if (!existsSync(workflows)) return ''
  const { bundleWorkflowCode } = await import('@temporalio/worker')
  const { code } = await bundleWorkflowCode({ workflowsPath: workflows, logger: quiet })
  await writeFile(file, code)
  return file
}

const drop = () => {}
const quiet = { log: drop, trace: drop, debug: drop, info: drop, warn: console.warn, error: console.error }

/** Named for this process, so that a later run can clear what a killed one left. PostgreSQL's user must be able to enter. */
async function makeFolder(): Promise<string> {
  for (const name of await readdir(tmpdir())) {
    const [pid, since] = name.startsWith(prefix) ? name.slice(prefix.length).split('-') : []
    if (pid && since && sinceOf(Number(pid)) !== since) await rm(join(tmpdir(), name), { recursive: true, force: true })
  }
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-${sinceOf(process.pid)}-`))
  await chmod(folder, 0o711)
  return folder
}

const sinceOf = (pid: number) => markOf(pid)?.since.replaceAll(/\W/g, '')
