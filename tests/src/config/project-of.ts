import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { errorLine } from '../../../src/config/errors.js'
import { type Project, type ProjectOptions, validateOffline } from '../../../src/config/project.js'
import { vendors } from './vendors.js'

export type Files = string | Readonly<Record<string, string | Buffer>>
export type Given = Partial<Pick<ProjectOptions, 'env' | 'environment' | 'file' | 'now' | 'vendors'>>

/** A project's folder for the length of a test. A text alone is its `weir.yaml`. */
export function folderOf(files: Files): string {
  const dir = mkdtempSync(join(tmpdir(), 'weir-config-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(typeof files === 'string' ? { 'weir.yaml': files } : files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), content)
  }
  return dir
}

/**
 * What judging any project may take: bounds that catch what explodes with its input, not what is slow. Time is the processor's, and far above
 * what the dearest project took on the slowest machine seen (1.5 s, where 0.25 s is usual).
 */
const most = { ms: 10_000, bytes: 200_000_000 }

/** Runs it, and fails where it takes more time or memory than judging any project may. */
export async function bounded<Answer>(judge: () => Promise<Answer>): Promise<Answer> {
  const [cpu, memory] = [process.cpuUsage(), process.memoryUsage().rss]
  const answer = await judge()
  const { user, system } = process.cpuUsage(cpu)
  expect((user + system) / 1000).toBeLessThan(most.ms)
  expect(process.memoryUsage().rss - memory).toBeLessThan(most.bytes)
  return answer
}

/** The variables that tests' projects use. */
export const env = { KEY: 'pk_canary_1234567890', EMPTY: '' }
export const now = new Date('2026-03-01T12:00:00Z')

/** What `weir validate` would say: the project, or the lines of its errors. */
export async function validated(dir: string, given: Given = {}): Promise<{ project?: Project; lines: string[] }> {
  const answer = await validateOffline({ dir, vendors, env, now, ...given })
  return 'project' in answer ? { project: answer.project, lines: [] } : { lines: answer.errors.map(errorLine) }
}

/** The project in these files, which must be right. */
export async function projectOf(files: Files, given: Given = {}): Promise<Project> {
  const { project, lines } = await validated(folderOf(files), given)
  if (!project) throw new Error(`the project is wrong:\n${lines.join('\n')}`)
  return project
}
