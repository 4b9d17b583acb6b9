import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** What Linux says of processes; CPU in seconds, memory in MB. */
const ticksPerSecond = 100

function stat(pid: number): { parent: number; cpu: number } | undefined {
  try {
    // The name may hold spaces and brackets; what follows the last bracket does not.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()!.split(' ')
    return { parent: Number(fields[1]), cpu: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond }
  } catch {
    return undefined
  }
}

/** A process and all below it. */
function tree(root: number): number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  const known = new Map(all.map((pid) => [pid, stat(pid)]))
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = known.get(at)?.parent) if (at === root) return true
    return false
  }
  return all.filter(isBelow)
}

/** CPU seconds that a process, its children, and those of its children that ended have used. */
export const treeCpu = (root: number): number => tree(root).reduce((sum, pid) => sum + (stat(pid)?.cpu ?? 0), 0)

/** Of one process alone. */
export function ownPeakMb(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** Largest resident memory of a process and those below it since `resetPeak`, added up: pages that they share count for each. */
export const peakMb = (root: number): number => Math.round(tree(root).reduce((sum, pid) => sum + ownPeakMb(pid), 0))

export function resetPeak(root: number): void {
  for (const pid of tree(root)) writeFileSync(`/proc/${pid}/clear_refs`, '5')
}
