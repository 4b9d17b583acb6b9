/** The built worker in a process of its own, and a small project that it reads for. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox/serve.js'
import { weirHere } from './command.js'
import { freshDatabase } from './postgres.js'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export interface WorkerProcess {
  pid: number
  /** What it has written so far, line by line. */
  lines: string[]
  /** Lets it end in order; answers with its exit code. */
  stop: () => Promise<number | null>
}

/** Starts one and waits until it is ready. @throws Error with what it said, when it ends instead */
export async function startWorker(env: Record<string, string>): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [here('../../dist/worker/main.js')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  const ended = once(child, 'exit')
  const lines: string[] = []
  const isReady = new Promise<boolean>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line)
      if (line.includes('worker ready')) resolve(true)
    })
    void ended.then(() => resolve(false))
  })
  if (!(await isReady)) throw new Error(`The worker ended: ${lines.join('\n')}`)
  return {
    pid: child.pid!,
    lines,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      await ended
      return child.exitCode
    },
  }
}

export interface SmallProject {
  sandbox: Sandbox
  folder: string
  /** For its worker and its commands. */
  env: Record<string, string>
  weir: (args: string[], more?: Record<string, string>) => ReturnType<typeof weirHere>
  remove: () => Promise<void>
}

/** A sandbox, a database, a queue of its own, and a project file with the keys of the sandbox's Klaviyo. */
export async function smallProject(yaml: (url: string, key: string) => string, people = 100): Promise<SmallProject> {
  const [sandbox, database, folder] = await Promise.all([
    startSandbox({ people, now: new Date('2026-11-20T12:00:00Z'), limits: 'off' }),
    freshDatabase(),
    mkdtemp(join(tmpdir(), 'weir-small-')),
  ])
  const file = join(folder, 'weir.yaml')
  writeFileSync(file, yaml(sandbox.url, sandbox.klaviyo.apiKey))
  const env = {
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    WAREHOUSE_URL: database.url,
    WEIR_TASK_QUEUE: `t-${randomUUID()}`,
    WEIR_PROJECT_DIR: folder,
    WEIR_HEARTBEAT_MS: '2000',
    WEIR_RETRY_MS: '200',
  }
  return {
    sandbox,
    folder,
    env,
    weir: ([command = '', ...rest], more = {}) => weirHere([command, ...rest, '--config', file], { ...env, ...more }),
    async remove() {
      await sandbox.stop()
      await database.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
