import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Failure } from '../../src/core/failure.js'
import { runStart } from '../../src/core/run-start.js'
import type { RunRow } from '../../src/warehouse/driver.js'
import { syncActivities } from '../../worker/activities/sync.js'
import { type Deps, systemClock } from '../../worker/deps.js'
import { fakeDefinition, fakeStream, idleDeps, noHttp } from '../support/fake-source.js'
import { type Opened, openedDatabase } from '../support/postgres.js'
import { fakeActivities, type Running, withWorker } from '../support/workflows.js'

const quiet = () => {}

/** Syncs that run after others, on a real Temporal and a real warehouse. */
describe('after', { timeout: 180_000 }, () => {
  let opened: Opened
  beforeAll(async () => {
    opened = await openedDatabase()
  })
  afterAll(() => opened.close())

  /** Syncs of this test alone, each with the names of those it runs after; `wait` may hold a run of one, or fail it. */
  async function project(
    after: Record<string, string[]>,
    use: (world: World) => Promise<void>,
    wait: (sync: string) => Promise<void> = async () => {},
  ) {
    const { warehouse } = opened
    const id = randomUUID().slice(0, 8)
    const own = (name: string) => `${name}_${id}`
    for (const name of Object.keys(after)) {
      const definition = fakeDefinition({ sync: own(name), schema: own(name), streams: { people: {} } })
      await warehouse.definitions.put(own(name), definition)
    }
    await warehouse.deployments.put(
      Object.entries(after).map(([name, others]) => ({
        sync: own(name),
        definition: own(name),
        after: others.map(own),
        appliedBy: 'test',
      })),
    )
    let running: Running | undefined
    const started: string[] = []
    const deps = {
      warehouse,
      clock: systemClock,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      redact: (text: string) => text,
      timing: { heartbeatMs: 2_000, retryMs: 100 },
      connect: async ({ sync }: { sync: string }) => {
        const before = () => wait(sync.replace(`_${id}`, ''))
        const people = fakeStream({ pages: () => [[{ id: '1', name: 'a', updated: '2026-01-01T00:00:00Z' }]], before })
        return { source: { type: 'fake', streams: { people }, check: async function* () {} }, http: noHttp() }
      },
      ...idleDeps,
      startSync: async (definition, input) => {
        started.push(definition.sync.replace(`_${id}`, ''))
        await running!.client.workflow.start('syncConnection', {
          taskQueue: running!.queue,
          workflowIdConflictPolicy: 'USE_EXISTING',
          ...runStart(definition, input),
        })
      },
      close: async () => {},
    } satisfies Deps as Deps
    await withWorker({ work: { ...fakeActivities(), ...syncActivities(deps) } }, async (now) => {
      running = now
      const runs = async (name: string): Promise<RunRow[]> => warehouse.runs.list({ sync: own(name), limit: 20 })
      const run = async (name: string) => (await now.start({ sync: own(name), definition: own(name) })).result()
      const completed = (name: string, count: number) =>
        vi.waitFor(
          async () => {
            const ended = (await runs(name)).filter(({ finishedAt }) => finishedAt !== undefined)
            expect(ended.map(({ status }) => status)).toEqual(Array.from({ length: count }, () => 'completed'))
          },
          { timeout: 60_000, interval: 100 },
        )
      await use({ own, run, runs, completed, started })
    })
  }
  interface World {
    own: (name: string) => string
    run: (name: string) => Promise<unknown>
    runs: (name: string) => Promise<RunRow[]>
    completed: (name: string, count: number) => Promise<void>
    /** Names in the order in which they were started. */
    started: string[]
  }

  it('starts a sync when each that it names has completed since its own last run', async () => {
    await project({ crm: [], ads: [], joined: ['crm', 'ads'], report: ['joined'] }, async ({ run, runs, completed, started }) => {
      await run('crm')
      expect(started).toEqual([])
      await run('ads')
      await completed('joined', 1)
      await completed('report', 1)
      expect((await runs('joined'))[0]).toMatchObject({ kind: 'dependent' })
      await run('ads')
      await run('ads')
      expect(await runs('joined')).toHaveLength(1)
      await run('crm')
      await completed('joined', 2)
      await completed('report', 2)
      expect(started).toEqual(['joined', 'report', 'joined', 'report'])
    })
  })

  it('does not start it after a run that failed, nor while it is paused or retired', async () => {
    let fails = true
    const wait = async (sync: string) => {
      if (fails && sync === 'crm') throw new Failure('auth', 'The key is wrong.')
    }
    const use = async ({ own, run, completed, runs, started }: World) => {
      const { deployments } = opened.warehouse
      await expect(run('crm')).rejects.toThrow()
      fails = false
      await deployments.pause(own('report'), 'looking at it (paused by ana)')
      await run('crm')
      await deployments.pause(own('report'), undefined)
      await deployments.retire([own('report')])
      await run('crm')
      expect(started).toEqual([])
      await deployments.put([{ sync: own('report'), definition: own('report'), after: [own('crm')], appliedBy: 'test' }])
      await run('crm')
      await completed('report', 1)
      expect(await runs('report')).toHaveLength(1)
    }
    await project({ crm: [], report: ['crm'] }, use, wait)
  })

  it('runs again at its end when what it waits for completed meanwhile', async () => {
    let release = () => {}
    let isHeld = false
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const wait = async (sync: string) => {
      if (sync !== 'report' || isHeld) return
      isHeld = true
      await held
    }
    const use = async ({ run, runs, completed }: World) => {
      await run('crm')
      await vi.waitFor(() => expect(isHeld).toBe(true), { timeout: 60_000 })
      await run('crm')
      expect(await runs('report')).toHaveLength(1)
      release()
      await completed('report', 2)
      expect((await runs('report')).map(({ kind }) => kind)).toEqual(['dependent', 'dependent'])
    }
    await project({ crm: [], report: ['crm'] }, use, wait)
  })
})
