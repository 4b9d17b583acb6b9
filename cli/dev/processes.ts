/** What the operating system knows of processes: who lives, since when, and in which folder. Linux tells by /proc, others by ps. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Which process, surely: numbers are given again after a restart of the machine or a container, so the instant of its start stands beside it. */
export interface ProcessMark {
  pid: number
  since: string
}

const hasProc = process.platform === 'linux'

/** Undefined when no such process lives; one that has ended and waits to be collected does not live. */
export function markOf(pid: number): ProcessMark | undefined {
  const since = hasProc ? sinceFromProc(pid) : sinceFromPs(pid)
  return since === undefined ? undefined : { pid, since }
}

export const lives = ({ pid, since }: ProcessMark): boolean => markOf(pid)?.since === since

/** The command line, '' when it is gone or hidden from us. */
export function commandOf(pid: number): string {
  try {
    if (hasProc) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
  } catch {
    return ''
  }
}

/** Processes whose working folder is `folder`, as far as we may see them; none where there is no /proc. */
export function processesIn(folder: string): number[] {
  if (!hasProc) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && workingFolderOf(name) === folder)
    .map(Number)
    .filter((pid) => markOf(pid) !== undefined)
}

/** Sends a signal; one that is gone already is no failure. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Polls until `check` gives something; undefined once `timeoutMs` have passed. */
export async function until<T>(
  check: () => T | undefined | Promise<T | undefined>,
  timeoutMs: number,
  everyMs = 25,
): Promise<T | undefined> {
  const endsAt = performance.now() + timeoutMs
  for (;;) {
    const found = await check()
    if (found !== undefined || performance.now() > endsAt) return found
    await sleep(everyMs)
  }
}

/** Asks a process that is not our child to end, and makes it end when it does not. */
export async function endForeign(mark: ProcessMark, name: NodeJS.Signals, timeoutMs = 10_000): Promise<void> {
  const gone = () => (lives(mark) ? undefined : true)
  if (lives(mark)) signal(mark.pid, name)
  if (await until(gone, timeoutMs)) return
  signal(mark.pid, 'SIGKILL')
  await until(gone, 5_000)
}

function sinceFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before it may hold anything
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function sinceFromPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
  const [state, ...since] = (stdout ?? '').trim().split(/\s+/)
  return !state || state.startsWith('Z') ? undefined : since.join(' ')
}

function workingFolderOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}
