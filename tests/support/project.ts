import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Ran, runCommand } from '../../chaos/command.js'

const bin = fileURLToPath(new URL('../../bin/weir', import.meta.url))

export type { Ran }

export interface Project {
  folder: string
  /** Runs the built command in the project's folder. */
  weir: (args: string[], options?: { env?: Record<string, string> }) => Promise<Ran>
  remove: () => Promise<void>
}

/** A project in a folder of its own, with the built `weir` to run in it. */
export async function makeProject(yaml: string, env: Record<string, string> = {}): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-project-'))
  await writeFile(join(folder, 'weir.yaml'), yaml)
  return {
    folder,
    weir: (args, options = {}) => runCommand(bin, args, folder, { ...process.env, ...env, ...options.env }).ended,
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
