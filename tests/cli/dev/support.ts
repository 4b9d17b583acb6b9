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

export interface Elsewhere {
  process: ChildProcess
  /** The line that it wrote when it was ready. */
  said: string
}

/** Runs one of this folder's programs in a process of its own, as another user when asked for, until it says something. */
export async function runElsewhere(program: string, args: string[], user?: { uid: number; gid: number }): Promise<Elsewhere> {
  const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  const child = spawn(process.execPath, ['--import', here('ts-hooks.mjs'), here(program), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: '/',
    ...user,
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  for await (const said of createInterface({ input: child.stdout })) return { process: child, said }
  throw new Error(`${program} ended before it was ready.`)
}

export interface Started {
  process: ChildProcess
  url: string
  pid: number
  uid: number
}

export async function startElsewhere(dataDir: string, user?: { uid: number; gid: number }): Promise<Started> {
  const { process, said } = await runElsewhere('postgres-starter.ts', [dataDir, String(somePort())], user)
  return { process, ...(JSON.parse(said) as Omit<Started, 'process'>) }
}
