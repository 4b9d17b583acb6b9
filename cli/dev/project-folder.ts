/** The folder `.weir` of a project: the embedded stack's data, logs, key and the note by which other commands find it. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Failure } from '../../src/core/failure.js'
import { isListening } from './ports.js'
import { lives, markOf, type ProcessMark, until } from './processes.js'

/** What `.weir/dev.json` says while a stack runs. */
export interface StackInfo {
  /** The process that supervises, and since when it lives (the system's own measure, to tell it from a later one of that number). */
  pid: number
  since: string
  /** ISO instant. */
  startedAt: string
  temporalAddress: string
  /** '' when Temporal is not ours. */
  temporalUiUrl: string
  warehouseUrl: string
  /** The status page of the worker; '' when it is off. */
  statusUrl: string
  ports: { postgres?: number; temporal?: number; temporalUi?: number; status?: number }
  pids: { postgres?: number; temporal?: number; worker?: number }
}

const answerWithinMs = 3_000

export const weirFolder = (projectDir: string): string => join(resolve(projectDir), '.weir')

/** Made for its owner alone. Root lets others pass through, not look: PostgreSQL runs as another user there. */
export async function makeWeirFolder(projectDir: string): Promise<string> {
  const folder = weirFolder(projectDir)
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700
  await mkdir(folder, { recursive: true, mode })
  await chmod(folder, mode)
  await writeFile(join(folder, '.gitignore'), '*\n')
  return folder
}

/** The stack that runs in this project; undefined when none does, or when it does not answer. A note left by a killed one is ignored. */
export async function findStack(projectDir: string): Promise<StackInfo | undefined> {
  const info = await readJson<StackInfo>(join(weirFolder(projectDir), 'dev.json'))
  if (!info || !lives(info)) return undefined
  const ports = [portOf(info.warehouseUrl), portOf(`tcp://${info.temporalAddress}`)]
  const allAnswer = async () => ((await Promise.all(ports.map(isListening))).every(Boolean) ? true : lives(info) ? undefined : false)
  return (await until(allAnswer, answerWithinMs, 100)) ? info : undefined
}

export async function writeInfo(folder: string, info: StackInfo): Promise<void> {
  const fresh = join(folder, `dev.json.${randomBytes(3).toString('hex')}`)
  await writeFile(fresh, `${JSON.stringify(info, null, 2)}\n`, { mode: 0o600 })
  await rename(fresh, join(folder, 'dev.json'))
}

export const removeInfo = (folder: string): Promise<void> => rm(join(folder, 'dev.json'), { force: true })

/** The key in `.weir/key`: 32 random bytes in base64, made on first use. */
export async function projectKey(projectDir: string): Promise<string> {
  const folder = await makeWeirFolder(projectDir)
  const path = join(folder, 'key')
  if (!existsSync(path)) await createOnce(path, `${randomBytes(32).toString('base64')}\n`)
  return (await readFile(path, 'utf8')).trim()
}

/**
 * Two stacks in one folder would fight for its data. Answers with how to give the lock back; throws `config` when another process
 * that lives holds it. What a killed one left is taken over.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock')
  const mine = JSON.stringify(markOf(process.pid))
  for (;;) {
    if (await createOnce(path, mine)) return () => rm(path, { force: true })
    const held = await readFile(path, 'utf8').catch(() => '')
    const holder = parse<ProcessMark>(held)
    if (holder && lives(holder)) {
      throw new Failure(
        'config',
        `A stack already runs in ${resolve(folder, '..')} (process ${holder.pid}). Use that one, or stop it first.`,
      )
    }
    // Moved aside rather than removed: two who find it stale must not remove the lock that one of them has just made.
    const aside = `${path}.${randomBytes(3).toString('hex')}`
    await rename(path, aside).catch(() => {})
    if ((await readFile(aside, 'utf8').catch(() => held)) !== held) await link(aside, path).catch(() => {})
    await rm(aside, { force: true })
  }
}

/** False when it exists already. Never seen half written. */
async function createOnce(path: string, content: string): Promise<boolean> {
  const fresh = `${path}.${randomBytes(3).toString('hex')}`
  await writeFile(fresh, content, { mode: 0o600 })
  try {
    await link(fresh, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(fresh, { force: true })
  }
}

async function readJson<T>(path: string): Promise<T | undefined> {
  return parse<T>(await readFile(path, 'utf8').catch(() => ''))
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

function portOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port || 5432) }
}
