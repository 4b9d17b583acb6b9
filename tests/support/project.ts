import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../bin/weir', import.meta.url))

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

export interface Project {
  folder: string
  /** Runs the built command in the project's folder. */
  weir: (args: string[], options?: { env?: Record<string, string> }) => Promise<Ran>
  remove: () => Promise<void>
}

/** A project in a folder of its own, with the built `weir` to run in it. */
export async function makeProject(yaml: string, env: Record<string, string> = {}): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-project-'))
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'weir.yaml'), yaml)
  return {
    folder,
    weir: (args, options = {}) => run(process.execPath, [bin, ...args], folder, { ...env, ...options.env }),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

function run(command: string, args: string[], cwd: string, env: Record<string, string>): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })
}
