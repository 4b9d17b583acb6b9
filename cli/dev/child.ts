/**
 * A child process that cannot outlive us. Each has a watchdog, a shell that waits on a pipe from us: when we end in
 * whatever way (`kill -9` too), the pipe closes and the watchdog ends the child. Children stand in a group of their own, so that
 * Ctrl-C reaches us alone and we end them in order.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, renameSync, statSync } from 'node:fs'
import { signal, until } from './processes.js'

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface Child {
  pid: number
  exited: Promise<Exit>
  /** Sends the stop signal, and kills what is left of its group after `timeoutMs`. May be called twice. */
  stop: (timeoutMs: number) => Promise<Exit>
}

export interface ChildOptions {
  command: string
  args: string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  user?: { uid: number; gid: number }
  /** Standard output and error are appended there; without it they are dropped. */
  logFile?: string
  stopSignal: 'SIGINT' | 'SIGTERM'
}

const rotateAboveBytes = 20 * 1024 * 1024
const watchdogSeconds = 15

/** $1 pid, $2 signal, $3 tenths of a second until it is killed. A line from us means that all is well. */
const watchdogScript = `
read -r line && exit 0
kill -s "$2" "$1" || exit 0
while [ "$3" -gt 0 ] && kill -0 "$1"; do sleep 0.1 || sleep 1; set -- "$1" "$2" $(($3 - 1)); done
kill -0 "$1" && { kill -s KILL -- "-$1" || kill -s KILL "$1"; }`

/** Rejects when the command cannot be run at all; that it ends early is seen in `exited`. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const output = options.logFile ? openLog(options.logFile) : 'ignore'
  try {
    const child = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', output, output],
      ...(options.user ?? {}),
    })
    const exited = new Promise<Exit>((resolve) => child.once('exit', (code, by) => resolve({ code, signal: by })))
    await once(child, 'spawn')
    const pid = child.pid as number
    const release = watch(pid, options.stopSignal)
    exited.then(release)
    return { pid, exited, stop: (timeoutMs) => stop(child, exited, options.stopSignal, timeoutMs) }
  } finally {
    if (typeof output === 'number') closeSync(output)
  }
}

async function stop(child: ChildProcess, exited: Promise<Exit>, name: NodeJS.Signals, timeoutMs: number): Promise<Exit> {
  const pid = child.pid as number
  const gone = () => (child.exitCode !== null || child.signalCode !== null ? true : undefined)
  if (!gone()) signal(pid, name)
  if (!(await until(gone, timeoutMs, 10))) killGroup(pid)
  return exited
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    signal(pid, 'SIGKILL')
  }
}

function watch(pid: number, name: NodeJS.Signals): () => void {
  const args = ['-c', watchdogScript, 'weir-watchdog', String(pid), name.replace('SIG', ''), String(watchdogSeconds * 10)]
  const watchdog = spawn('/bin/sh', args, { detached: true, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] })
  watchdog.on('error', () => {}) // no shell: the child is still ended by stop()
  watchdog.stdin?.on('error', () => {})
  watchdog.unref()
  return () => watchdog.stdin?.end('done\n')
}

/** Opened for appending, for its owner alone; a long one becomes `….1` first. */
function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > rotateAboveBytes) renameSync(path, `${path}.1`)
  return openSync(path, 'a', 0o600)
}
