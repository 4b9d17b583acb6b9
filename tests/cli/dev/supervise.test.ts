import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startChild } from '../../../cli/dev/child.js'
import { markOf, until } from '../../../cli/dev/processes.js'
import { type Part, type Supervised, supervise } from '../../../cli/dev/supervise.js'
import { isGone, temporaryFolder } from './support.js'

async function sleeper(): Promise<Part> {
  const child = await startChild({ command: 'sleep', args: ['600'], stopSignal: 'SIGTERM' })
  return { pid: child.pid, exited: child.exited, stop: () => child.stop(2_000) }
}

const anotherThan = (supervised: Supervised<Part>, pid: number) =>
  until(() => (supervised.current().pid !== pid ? supervised.current().pid : undefined), 5_000, 5)

it('starts a killed part again within half a second, mostly, and however often it is killed', async () => {
  const events: string[] = []
  const took: number[] = []
  const supervised = await supervise({ start: sleeper, onEvent: (kind) => events.push(kind) })
  onTestFinished(supervised.stop)
  for (let kill = 1; kill <= 10; kill++) {
    const { pid } = supervised.current()
    const killedAt = performance.now()
    process.kill(pid, 'SIGKILL')
    expect(await anotherThan(supervised, pid)).toBeGreaterThan(0)
    took.push(performance.now() - killedAt)
  }
  // The median: a moment in which the machine does something else says nothing.
  expect(took.sort((a, b) => a - b)[5]).toBeLessThan(500)
  const { pid } = supervised.current()
  await supervised.stop()
  expect(markOf(pid)).toBeUndefined()
  expect(events).toEqual(['started', ...Array.from({ length: 10 }, () => ['ended', 'restarted']).flat()])
})

it('tries on when a start fails, and gives up when it is stopped', async () => {
  let starts = 0
  const said: string[] = []
  const start = () => (++starts === 2 ? Promise.reject(new Error('no room')) : sleeper())
  const supervised = await supervise({ start, onEvent: (kind, _, text) => said.push(`${kind}: ${text}`) })
  onTestFinished(supervised.stop)
  const { pid } = supervised.current()
  process.kill(pid, 'SIGKILL')
  expect(await anotherThan(supervised, pid)).toBeGreaterThan(0)
  expect(said).toContain('not restarted: could not be started again, trying on: no room')
})

it('waits longer each time for a part that fails by itself', async () => {
  const starts: number[] = []
  const start = async (): Promise<Part> => {
    starts.push(performance.now())
    const child = await startChild({ command: '/bin/sh', args: ['-c', 'exit 3'], stopSignal: 'SIGTERM' })
    return { pid: child.pid, exited: child.exited, stop: () => child.stop(1_000) }
  }
  const supervised = await supervise({ start, onEvent: () => {} })
  await until(() => (starts.length === 4 ? true : undefined), 5_000)
  await supervised.stop()
  const waits = starts.slice(1).map((at, index) => at - (starts[index] as number))
  expect(waits[2] as number).toBeGreaterThan(1.5 * (waits[1] as number))
})

it('kills a child that does not end when asked, with what it started', async () => {
  const logFile = join(await temporaryFolder(), 'log')
  const script = `trap '' TERM; sleep 600 & echo $!; while :; do sleep 1; done`
  const child = await startChild({ command: '/bin/sh', args: ['-c', script], logFile, stopSignal: 'SIGTERM' })
  const grandchild = await until(async () => Number(await readFile(logFile, 'utf8')) || undefined, 5_000)
  expect(await child.stop(200)).toEqual({ code: null, signal: 'SIGKILL' })
  expect(await isGone(grandchild as number)).toBe(true)
})

it('says so when a command cannot be run', async () => {
  await expect(startChild({ command: '/no/such/command', args: [], stopSignal: 'SIGTERM' })).rejects.toThrow('ENOENT')
})
