/** Folders, processes and ports for the tests of the embedded stack. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { markOf, until } from '../../../cli/dev/processes.js'

/** Removed after the test. Other users may enter unless it is to be closed. */
export async function temporaryFolder(mode = 0o711): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-dev-'))
  await chmod(folder, mode)
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Far from the usual ports; apart for each call, so that tests do not compete. */
export const somePort = (): number => 30_000 + Math.floor(Math.random() * 15_000)

export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // the tests kill servers
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

export const isGone = async (pid: number): Promise<boolean> => (await until(() => (markOf(pid) ? undefined : true), 15_000)) ?? false

export interface Started {
  process: ChildProcess
  url: string
  pid: number
  uid: number
}

/** Runs `starter.ts` in a process of its own, as another user when asked for. */
export async function startElsewhere(dataDir: string, user?: { uid: number; gid: number }): Promise<Started> {
  const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  const args = ['--import', here('ts-hooks.mjs'), here('starter.ts'), dataDir, String(somePort())]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/', ...user })
  onTestFinished(() => void child.kill('SIGKILL'))
  for await (const line of createInterface({ input: child.stdout }))
    return { process: child, ...(JSON.parse(line) as Omit<Started, 'process'>) }
  throw new Error('The process ended before its server was ready.')
}
