import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { PreparedReceipt, PushActivities, PushStep } from '../../src/core/push.js'
import { noCounts } from '../../src/core/receipt.js'
import { pushStart, tickStart } from '../../src/core/run-start.js'
import { startDependents } from '../../worker/activities/dependents.js'
import { pushActivities } from '../../worker/activities/push.js'
import { type Deps, systemClock } from '../../worker/deps.js'
import { fakeAudience } from '../support/audience.js'
import { fakeDefinition, idleDeps } from '../support/fake-source.js'
import { type Opened, openedDatabase } from '../support/postgres.js'
import { fakeActivities, type Running, withWorker } from '../support/workflows.js'

const quiet = () => {}
const changeSet = 'c'.repeat(64)

/** Pushes that come due, on a real Temporal and a real warehouse; what is prepared is made up, and nothing is sent. */
describe('pushes that start by themselves', { timeout: 180_000 }, () => {
  let opened: Opened
  beforeAll(async () => {
    opened = await openedDatabase()
  })
  afterAll(() => opened.close())

  interface World {
    running: Running
    deps: Deps
    audience: string
    sync: string
    runs: () => ReturnType<Opened['warehouse']['audiences']['runs']>
    tick: () => Promise<unknown>
    ended: (count: number) => Promise<void>
  }

  async function audienceOf(receipt: Partial<PreparedReceipt>, use: (world: World) => Promise<void>, before = async () => {}) {
    const { warehouse } = opened
    const id = randomUUID().slice(0, 8)
    const [audience, sync] = [`vip_${id}`, `crm_${id}`]
    await warehouse.definitions.put(audience, fakeAudience({ audience }))
    await warehouse.definitions.put(sync, fakeDefinition({ sync }))
    await warehouse.audienceDeployments.put([{ audience, definition: audience, after: [sync], appliedBy: 'ana' }])
    let running: Running | undefined
    const deps = {
      warehouse,
      clock: systemClock,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      redact: (text: string) => text,
      timing: { heartbeatMs: 4_000, retryMs: 100 },
      ...idleDeps,
      connect: () => Promise.reject(new Error('nobody connects here')),
      startPush: async (input) => {
        const { client, queue } = running!
        try {
          await client.workflow.start('pushAudience', { taskQueue: queue, ...pushStart(input) })
          return { isStarted: true }
        } catch {
          return { isStarted: false }
        }
      },
      close: async () => {},
    } satisfies Deps as Deps
    const preparePush = async (step: PushStep): Promise<PreparedReceipt> => {
      await warehouse.audiences.begin(step)
      await before()
      await opened.db.query("UPDATE _weir.audience_runs SET status = 'pushing', change_set = $2 WHERE run_id = $1", [step.run, changeSet])
      const rest = {
        failures: {},
        reasons: [],
        owed: 0,
        otherwise: 'ask' as const,
        approvers: [],
        expiresMs: 3_600_000,
        timing: deps.timing,
      }
      return { changeSet, people: 1, destinations: {}, ...rest, ...receipt }
    }
    const pushMembers = async () => ({ members: 0, more: false })
    const work = { ...fakeActivities(), ...pushActivities(deps), preparePush, pushMembers } satisfies PushActivities & object
    await withWorker({ work }, async (now) => {
      running = now
      const runs = () => warehouse.audiences.runs({ audience, limit: 20 })
      const tick = async () => {
        const { workflowId, ...start } = tickStart({ audience, definition: audience, kind: 'scheduled' })
        return now.client.workflow.execute('pushWhenDue', { taskQueue: now.queue, workflowId: `${workflowId}-${randomUUID()}`, ...start })
      }
      const ended = (count: number) =>
        vi.waitFor(async () => expect((await runs()).filter(({ finishedAt }) => finishedAt)).toHaveLength(count), {
          timeout: 60_000,
          interval: 100,
        })
      await use({ running: now, deps, audience, sync, runs, tick, ended })
    })
  }
  const completed = async (sync: string) => {
    const run = randomUUID()
    await opened.warehouse.runs.start({ run, sync, definition: sync, kind: 'manual' })
    await opened.warehouse.runs.finish(run, 'completed', noCounts())
  }

  it('a tick starts a push under the audience’s own id, and the push outlives it', async () => {
    await audienceOf({}, async ({ tick, runs, ended }) => {
      expect(await tick()).toEqual({ run: expect.any(String) })
      await ended(1)
      expect(await runs()).toMatchObject([{ kind: 'scheduled', status: 'completed' }])
    })
  })

  it('a tick that meets a push that waits for a decision is left out, and both say so', async () => {
    await audienceOf({ reasons: ['too many'], otherwise: 'ask' }, async ({ tick, runs, running, audience, ended }) => {
      await tick()
      await vi.waitFor(async () => expect((await runs())[0]?.expiresAt).toBeDefined(), { timeout: 60_000, interval: 100 })
      const { skipped } = (await tick()) as { skipped: string }
      expect(skipped).toMatch(/^A push of vip_\w+ was due and was left out: the one of .* waits for a decision until /)
      await tick()
      expect(await runs()).toMatchObject([{ status: 'waiting', skipped: { pushes: 2, newestAt: expect.stringMatching(/Z$/) } }])
      const handle = running.client.workflow.getHandle(`audience/${audience}`)
      expect(await handle.executeUpdate('approve', { args: [{ changeSet, by: 'ben' }] })).toBe('approved')
      await ended(1)
    })
  })

  const asking = { reasons: ['too many'], otherwise: 'ask' as const, approvers: ['ana', 'ben'] }
  const asked = ({ running, audience }: World) => {
    const input = { audience, definition: audience, kind: 'manual' as const, requestedBy: 'ana' }
    return running.client.workflow.start('pushAudience', { taskQueue: running.queue, ...pushStart(input) })
  }

  it('a push that waits is decided by the allowed alone, and of its own change set', async () => {
    await audienceOf(asking, async (world) => {
      const handle = await asked(world)
      await vi.waitFor(async () => expect((await world.runs())[0]?.status).toBe('waiting'), { timeout: 60_000, interval: 100 })
      const approve = (by: string, of = changeSet) => handle.executeUpdate('approve', { args: [{ changeSet: of, by }] })
      for (const [by, of, why] of [
        ['ana', changeSet, /ana asked for this push; somebody else has to decide/],
        ['eve', changeSet, /eve may not decide this; ana, ben may/],
        ['ben', 'd'.repeat(64), /change set/],
      ] as const)
        await expect(approve(by, of)).rejects.toMatchObject({ cause: { message: expect.stringMatching(why) } })
      expect(await world.runs()).toMatchObject([{ status: 'waiting' }])
      expect(await approve('ben')).toBe('approved')
      await world.ended(1)
      expect(await world.runs()).toMatchObject([{ status: 'completed' }])
    })
  })

  it('a push that nobody decides ends by itself', async () => {
    await audienceOf({ ...asking, expiresMs: 1_000 }, async (world) => {
      await asked(world)
      await world.ended(1)
      expect(await world.runs()).toMatchObject([{ status: 'cancelled' }])
    })
  })

  it('goes after a sync that has completed, once, and not while it is paused or retired', async () => {
    await audienceOf({}, async ({ deps, audience, sync, runs, ended }) => {
      const { audienceDeployments } = opened.warehouse
      await audienceDeployments.pause(audience, 'looking (paused by ana)')
      await completed(sync)
      await startDependents(deps, sync)
      await audienceDeployments.pause(audience, undefined)
      await audienceDeployments.retire([audience])
      await startDependents(deps, sync)
      expect(await runs()).toEqual([])
      await audienceDeployments.put([{ audience, definition: audience, after: [sync], appliedBy: 'ana' }])
      await startDependents(deps, sync)
      await ended(1)
      expect(await runs()).toMatchObject([{ kind: 'dependent', status: 'completed' }])
      await startDependents(deps, sync)
      expect(await runs()).toHaveLength(1)
    })
  })

  it('goes again at its end when the sync has completed meanwhile', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const use = async ({ deps, sync, runs, ended }: World) => {
      await completed(sync)
      await startDependents(deps, sync)
      await vi.waitFor(async () => expect(await runs()).toHaveLength(1), { timeout: 60_000, interval: 100 })
      await completed(sync)
      await startDependents(deps, sync)
      expect(await runs()).toMatchObject([{ skipped: { pushes: 1 } }])
      release()
      await ended(2)
      expect((await runs()).map(({ kind }) => kind)).toEqual(['dependent', 'dependent'])
    }
    await audienceOf({}, use, () => held)
  })

  it('honours the timing that the worker tells: its end, and what is sent', async () => {
    const counts = { add: 1, update: 0, remove: 0, owed: 0, unchanged: 0 }
    await audienceOf({ destinations: { there: counts } }, async ({ running, audience, tick, ended }) => {
      await tick()
      await ended(1)
      const { client } = running
      const beats = async (workflowId: string, type: string) => {
        const { events = [] } = await client.workflow.getHandle(workflowId).fetchHistory()
        const found = events?.map((one) => one.activityTaskScheduledEventAttributes).find((one) => one?.activityType?.name === type)
        return [Number(found?.heartbeatTimeout?.seconds), Number(found?.retryPolicy?.initialInterval?.nanos)]
      }
      expect(await beats(`audience/${audience}`, 'finishPush')).toEqual([4, 100_000_000])
      expect(await beats(`audience/${audience}/there`, 'pushMembers')).toEqual([4, 100_000_000])
    })
  })
})
