import { spawn } from 'node:child_process'

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

/** A `weir` command that runs. */
export interface Command {
  ended: Promise<Ran>
  readonly hasEnded: boolean
}

/** As a person starts it: what names servers is found in the project's folder, not in our environment. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const name of ['TEMPORAL_ADDRESS', 'WAREHOUSE_URL', 'WEIR_KEY', 'WEIR_PROJECT_DIR']) delete env[name]
  return env
}

/** The built command in a project's folder. */
export function runCommand(bin: string, args: readonly string[], cwd: string, env = ownEnvironment()): Command {
  const child = spawn(process.execPath, [bin, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr, hasEnded] = ['', '', false]
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      hasEnded = true
      resolve({ code: code ?? -1, stdout, stderr })
    })
  })
  return {
    ended,
    get hasEnded() {
      return hasEnded
    },
  }
}
