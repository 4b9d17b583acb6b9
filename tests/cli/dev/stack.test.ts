import { once } from 'node:events'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { markOf, processesIn, until } from '../../../cli/dev/processes.js'
import { findStack, projectKey, writeInfo } from '../../../cli/dev/project-folder.js'
import { type Stack, type StackEvent, type StackOptions, startStack } from '../../../cli/dev/stack.js'
import { answersAt } from '../../../cli/dev/temporal.js'
import { searchAttributes } from '../../../src/core/search-attributes.js'
import { isGone, query, runElsewhere, somePort, temporaryFolder } from './support.js'

/** Stands in for the worker: says what it was given, and ends when it is told to. */
const worker = {
  command: process.execPath,
  args: [
    '-e',
    `const { TEMPORAL_ADDRESS, WAREHOUSE_URL, WEIR_KEY } = process.env; console.log(JSON.stringify({ TEMPORAL_ADDRESS, WAREHOUSE_URL, WEIR_KEY })); process.on('SIGTERM', () => { console.log('drained'); process.exit() }); setInterval(() => {}, 1e6)`,
  ],
}

async function start(projectDir: string, options: Partial<StackOptions> = {}): Promise<Stack> {
  const ports = { postgres: somePort(), temporal: somePort(), temporalUi: somePort() }
  const stack = await startStack({ projectDir, worker, searchAttributes, log: () => {}, ports, ...options })
  onTestFinished(() => stack.stop(1_000))
  return stack
}

/** Kills a part and waits until it is there again. */
async function kill(stack: Stack, part: StackEvent['part']): Promise<void> {
  const again = until(
    async () => {
      const [event] = (await once(stack.events, 'event')) as [StackEvent]
      return event.part === part && event.kind === 'restarted' ? true : undefined
    },
    20_000,
    0,
  )
  process.kill(stack.info.pids[part] as number, 'SIGKILL')
  expect(await again).toBe(true)
}

describe('the embedded stack', () => {
  it('starts, is found, survives the death of each part with its data and ports, and leaves nothing behind', {
    timeout: 180_000,
  }, async () => {
    const projectDir = await temporaryFolder()
    const stack = await start(projectDir)
    const before = structuredClone(stack.info)
    expect(await findStack(projectDir)).toEqual(before)
    expect((await stat(join(projectDir, '.weir', 'dev.json'))).mode & 0o777).toBe(0o600)
    await expect(startStack({ projectDir, worker, searchAttributes, log: () => {} })).rejects.toThrow(
      `already runs in ${projectDir} (process ${process.pid})`,
    )

    await query(stack.info.warehouseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await until(async () => ((await readFile(join(projectDir, '.weir', 'worker.log'), 'utf8')).includes('\n') ? true : undefined), 5_000)
    await kill(stack, 'worker')
    await kill(stack, 'postgres')
    expect(await query(before.warehouseUrl, 'TABLE kept')).toEqual([{ answer: 42 }])
    await kill(stack, 'temporal')
    expect(await answersAt(before.temporalAddress)).toBe(true)
    expect((await fetch(before.temporalUiUrl)).ok).toBe(true)
    const after = await until(async () => {
      const found = await findStack(projectDir)
      return found?.pids.temporal === stack.info.pids.temporal ? found : undefined
    }, 5_000)
    expect(after).toEqual({ ...before, pids: stack.info.pids })
    expect(stack.info.pids).not.toEqual(before.pids)

    await stack.stop()
    for (const pid of [...Object.values(before.pids), ...Object.values(stack.info.pids)]) expect(markOf(pid)).toBeUndefined()
    expect(processesIn(join(projectDir, '.weir', 'postgres', 'data'))).toEqual([])
    await expect(stat(join(projectDir, '.weir', 'dev.json'))).rejects.toThrow('ENOENT')
    const said = (await readFile(join(projectDir, '.weir', 'worker.log'), 'utf8')).trim().split('\n')
    const given = JSON.stringify({
      TEMPORAL_ADDRESS: before.temporalAddress,
      WAREHOUSE_URL: before.warehouseUrl,
      WEIR_KEY: process.env.WEIR_KEY ?? (await projectKey(projectDir)),
    })
    expect(said).toEqual([given, given, 'drained'])
  })

  it('is ended whole when it is killed, and then starts again', { timeout: 60_000 }, async () => {
    const projectDir = await temporaryFolder()
    const killed = await runElsewhere('stack-starter.ts', [projectDir, String(somePort())])
    const note = await readFile(join(projectDir, '.weir', 'dev.json'), 'utf8')
    const { pids } = JSON.parse(note) as { pids: Record<string, number> }
    killed.process.kill('SIGKILL')
    for (const pid of Object.values(pids)) expect(await isGone(pid)).toBe(true)
    expect(await findStack(projectDir)).toBeUndefined()
    const stack = await start(projectDir)
    expect(await findStack(projectDir)).toEqual(stack.info)
  })

  it('leaves nothing running when a part cannot be started', { timeout: 60_000 }, async () => {
    const projectDir = await temporaryFolder()
    const options = { temporalAddress: '127.0.0.1:1', worker: { command: '/no/such/command', args: [] } }
    await expect(start(projectDir, options)).rejects.toThrow('ENOENT')
    expect(processesIn(join(projectDir, '.weir', 'postgres', 'data'))).toEqual([])
    const stack = await start(projectDir, { temporalAddress: '127.0.0.1:1' }) // the lock is free again
    expect(stack.info).toMatchObject({ temporalAddress: '127.0.0.1:1', temporalUiUrl: '' })
  })
})

it('a note of a stack that is gone is ignored', async () => {
  const projectDir = await temporaryFolder()
  const folder = join(projectDir, '.weir')
  await mkdir(folder)
  expect(await findStack(projectDir)).toBeUndefined()
  const gone = {
    pid: process.pid,
    since: 'another life',
    startedAt: '',
    temporalAddress: '127.0.0.1:1',
    temporalUiUrl: '',
    statusUrl: '',
    warehouseUrl: 'postgres://127.0.0.1:1/weir',
    ports: {},
    pids: {},
  }
  await writeInfo(folder, gone)
  expect(await findStack(projectDir)).toBeUndefined()
  await writeInfo(folder, { ...gone, ...markOf(process.pid) }) // lives, but does not answer
  expect(await findStack(projectDir)).toBeUndefined()
  await writeFile(join(folder, 'dev.json'), '{')
  expect(await findStack(projectDir)).toBeUndefined()
})

it("makes a project's key once, for its owner alone", async () => {
  const projectDir = await temporaryFolder()
  const keys = await Promise.all([projectKey(projectDir), projectKey(projectDir)])
  expect(keys[0]).toBe(keys[1])
  expect(Buffer.from(keys[0] as string, 'base64')).toHaveLength(32)
  expect((await stat(join(projectDir, '.weir', 'key'))).mode & 0o777).toBe(0o600)
})
