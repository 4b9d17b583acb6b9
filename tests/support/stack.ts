/** A project on a stack of its own, as a user has it: the built worker and command, a real PostgreSQL, a real Temporal. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { temporal } from '@temporalio/proto'
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

/** No address of the tests' people stands in a history, in a table of Weir's own, or in the worker's log. */
export async function expectNoAddress({ project, stack, db }: Pick<Running, 'project' | 'stack' | 'db'>): Promise<void> {
  const { rows } = await db.query<{ name: string }>("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '_weir'")
  expect(rows.length).toBeGreaterThan(0)
  for (const { name } of rows)
    expect((await db.query(`SELECT 1 FROM _weir.${name} AS t WHERE t::text ILIKE '%@example.test%'`)).rows, name).toEqual([])

  const holds = (text: string) => text.toLowerCase().includes('@example.test')
  const connection = await Connection.connect({ address: stack.info.temporalAddress })
  try {
    const { workflow } = new Client({ connection })
    let histories = 0
    for await (const { workflowId, runId } of workflow.list()) {
      const history = await workflow.getHandle(workflowId, runId).fetchHistory()
      const bytes = Buffer.from(temporal.api.history.v1.History.encode(history).finish())
      expect(holds(bytes.toString()), workflowId).toBe(false)
      histories++
    }
    expect(histories).toBeGreaterThan(0)
  } finally {
    await connection.close()
  }

  expect(holds(await readFile(join(project.folder, '.weir', 'worker.log'), 'utf8'))).toBe(false)
}
