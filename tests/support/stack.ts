/** A project on a stack of its own, as a user has it: the built worker and command, a real PostgreSQL, a real Temporal. */
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { expect } from 'vitest'
import { type Stack, startStack } from '../../cli/dev/stack.js'
import { searchAttributes } from '../../src/core/search-attributes.js'
import { makeProject, type Project } from './project.js'

const worker = fileURLToPath(new URL('../../dist/worker/main.js', import.meta.url))

export interface Running {
  project: Project
  stack: Stack
  /** The warehouse. */
  db: pg.Client
  stop: () => Promise<void>
}

interface Settings {
  /** What the project file names, for the command and the worker. */
  env?: Record<string, string>
  /** Times of the worker in milliseconds. */
  heartbeatMs?: number
  retryMs?: number
  client?: pg.ClientConfig
  ports?: Parameters<typeof startStack>[0]['ports']
  /** How long the worker may go on when it is stopped; without it as long as it needs. */
  drainMs?: number
}

export async function startProject(yaml: string, settings: Settings = {}): Promise<Running> {
  const { env = {}, heartbeatMs = 2_000, retryMs, client, ports, drainMs } = settings
  const project = await makeProject(yaml, env)
  let stack: Stack | undefined
  let db: pg.Client | undefined
  const stop = async () => {
    await db?.end()
    await stack?.stop(drainMs)
    await project.remove()
  }
  try {
    const times = { WEIR_HEARTBEAT_MS: `${heartbeatMs}`, ...(retryMs === undefined ? {} : { WEIR_RETRY_MS: `${retryMs}` }) }
    stack = await startStack({
      projectDir: project.folder,
      worker: { command: process.execPath, args: [worker], env: { ...times, ...env } },
      searchAttributes,
      log: () => {},
      ...(ports ? { ports } : {}),
    })
    db = new pg.Client({ connectionString: stack.info.warehouseUrl, ...client })
    await db.connect()
    return { project, stack, db, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** No table of Weir's own holds an address of the tests' people. */
export async function expectNoAddress(db: pg.Client): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '_weir'",
  )
  expect(rows.length).toBeGreaterThan(0)
  for (const { name } of rows)
    expect((await db.query(`SELECT 1 FROM _weir.${name} AS t WHERE t::text ILIKE '%@example.test%'`)).rows, name).toEqual([])
}
