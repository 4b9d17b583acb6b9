import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Change } from '../../../cli/deploy/change.js'
import { nextTimes } from '../../../src/config/schedule.js'
import { weirHere } from '../../support/command.js'
import { syncOnce } from '../../support/engine.js'
import { fakeDefinition, fakeStream } from '../../support/fake-source.js'
import { type Opened, openedDatabase } from '../../support/postgres.js'
import { makeProject, type Project } from '../../support/project.js'

/** A project of its own against the run's Temporal and a warehouse of its own; nothing of it runs, since no worker listens. */
describe('weir plan and weir apply', { timeout: 60_000 }, () => {
  const id = randomUUID().slice(0, 8)
  const [shop, ads] = [`shop_${id}`, `ads_${id}`]
  let opened: Opened
  let project: Project
  let connection: Connection
  let client: Client

  const write = (syncs: string, more = '') =>
    writeFile(
      join(project.folder, 'weir.yaml'),
      `version: 1\nname: p-${id}\nconnections:\n  klaviyo: { type: klaviyo, base_url: "http://127.0.0.1:9", api_key: pk_test, budget: "off" }\nsyncs:\n${syncs}\n${more}`,
    )
  const weir = (...args: string[]) =>
    weirHere([...args, '--config', join(project.folder, 'weir.yaml')], {
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      WAREHOUSE_URL: opened.url,
      WEIR_TASK_QUEUE: `nobody-${id}`,
    })
  const plan = async (...args: string[]): Promise<Change[]> => {
    const { code, stdout, stderr } = await weir('plan', '--json', ...args)
    if (code !== 0) throw new Error(stderr)
    return (JSON.parse(stdout) as { changes: Change[] }).changes
  }
  const apply = async (...args: string[]) => {
    const ran = await weir('apply', '--yes', '--by', 'ana', ...args)
    if (ran.code !== 0) throw new Error(ran.stderr)
    return ran
  }
  const schedule = (sync: string) => client.schedule.getHandle(`sync/${sync}`)
  const only = `  ${shop}: { from: klaviyo, every: 1h, streams: { profiles: {} } }`
  const short = (changes: Change[]) => changes.map(({ action, object, sync, stream }) => [action, object, stream ?? sync].join(' '))

  beforeAll(async () => {
    opened = await openedDatabase()
    connection = await Connection.connect({ address: inject('temporalAddress') })
    client = new Client({ connection })
    project = await makeProject('')
  })
  afterAll(async () => {
    for (const name of [shop, ads])
      await schedule(name)
        .delete()
        .catch((error: unknown) => {
          if (!(error instanceof ScheduleNotFoundError)) throw error
        })
    await connection.close()
    await project.remove()
    await opened.close()
  })

  it('creates what is new, and then has nothing left to do', async () => {
    await write(only)
    expect(short(await plan())).toEqual([`create sync ${shop}`, 'create stream profiles', `create schedule ${shop}`])
    const asked = await weir('apply')
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('Answer with --yes') })
    await expect(schedule(shop).describe()).rejects.toThrow(ScheduleNotFoundError)

    await apply()
    const { action, spec, policies, state } = await schedule(shop).describe()
    const [deployed] = await opened.warehouse.deployments.list()
    expect(deployed).toMatchObject({ sync: shop, schedule: { everyMs: 3_600_000 }, appliedBy: 'ana' })
    expect(action).toMatchObject({
      workflowType: 'syncConnection',
      workflowId: `sync/${shop}`,
      args: [{ sync: shop, definition: deployed!.definition, kind: 'scheduled' }],
      memo: { definition: deployed!.definition, owner: { project: `p-${id}` } },
      workflowTaskTimeout: 5_000,
    })
    expect(spec.intervals).toEqual([{ every: 3_600_000 }])
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 86_400_000, pauseOnFailure: false })
    expect(state.paused).toBe(false)
    expect(await plan()).toEqual([])
    expect((await apply()).stdout).toContain('Nothing to do')
  })

  it.each([
    ['"15 */2 * * *", timezone: Europe/Berlin'],
    ['"0 2,14 * * MON-FRI", timezone: America/New_York'],
    ['"30 4 1 JAN,JUL *"'],
    ['"*/20 * * * 7"'],
  ])('a schedule %s fires when the plan says', async (cron) => {
    await write(`  ${shop}: { from: klaviyo, schedule: { cron: ${cron}, catch_up: 6h }, streams: { profiles: {} } }`)
    expect(short(await plan())).toEqual([`change schedule ${shop}`])
    await apply()
    const { info, policies } = await schedule(shop).describe()
    const said = (await opened.warehouse.deployments.list())[0]!.schedule!
    const times = info.nextActionTimes.slice(0, 5).map((at) => Math.floor(at.getTime() / 60_000))
    expect(times).toEqual(nextTimes(said, new Date(), 5).map((at) => Math.floor(at.getTime() / 60_000)))
    expect(policies.catchupWindow).toBe(6 * 3_600_000)
    expect(await plan()).toEqual([])
  })

  it('tells what somebody changed in Temporal, and puts it back', async () => {
    await write(only)
    await apply()
    await schedule(shop).update((before) => ({ ...before, spec: { intervals: [{ every: '5m' }] } }))
    const [changed, ...others] = await plan()
    expect(others).toEqual([])
    expect(changed).toMatchObject({ action: 'mend', object: 'schedule', what: expect.stringContaining('changed in Temporal') })
    await apply()
    expect((await schedule(shop).describe()).spec.intervals).toEqual([{ every: 3_600_000 }])
    await schedule(shop).delete()
    expect((await plan())[0]).toMatchObject({ action: 'mend', what: expect.stringContaining('deleted') })
    await apply()
    expect(await plan()).toEqual([])
  })

  it('leaves an operator’s pause, and says who paused and why', async () => {
    await weir('pause', shop, '--reason', 'the vendor is down', '--by', 'ben')
    const told = await weir('plan')
    expect(told.stdout).toContain('Nothing to do')
    expect(told.stderr).toContain(`sync/${shop} is paused and stays so: the vendor is down (paused by ben). To go on: weir resume ${shop}`)
    await write(`  ${shop}: { from: klaviyo, every: 2h, streams: { profiles: {} } }`)
    await apply()
    expect((await schedule(shop).describe()).state).toMatchObject({ paused: true, note: 'the vendor is down (paused by ben)' })
    await weir('resume', shop, '--by', 'ben')
    expect((await schedule(shop).describe()).state.paused).toBe(false)
    expect(await weir('pause', 'nothing', '--reason', 'x')).toMatchObject({ code: 2, stderr: expect.stringContaining('has no schedule') })
  })

  it('pauses what is gone from the project file, lets it go on when it is back, and removes it with --prune', async () => {
    await write(`${only}\n  ${ads}: { from: klaviyo, schema: ads, every: 1h, streams: { profiles: {} } }`)
    await apply()
    await write(only)
    const [gone, ...others] = await plan()
    expect(others).toEqual([])
    expect(gone).toMatchObject({ action: 'pause', object: 'sync', sync: ads })
    expect(gone!.consequences.join(' ')).toContain('Its tables in schema ads, its state and its runs stay.')
    await apply()
    const { state } = await schedule(ads).describe()
    expect(state.paused).toBe(true)
    expect(state.note).toContain('Not in the project file any more')
    expect(await plan()).toEqual([])

    await write(`${only}\n  ${ads}: { from: klaviyo, schema: ads, every: 1h, streams: { profiles: {} } }`)
    expect(short(await plan())).toEqual([`change sync ${ads}`])
    await apply()
    expect((await schedule(ads).describe()).state).toMatchObject({ paused: false, note: '' })

    await write(only)
    expect(short(await plan('--prune'))).toEqual([`delete sync ${ads}`])
    await apply('--prune')
    await expect(schedule(ads).describe()).rejects.toThrow(ScheduleNotFoundError)
    expect((await opened.warehouse.deployments.list()).map(({ sync }) => sync)).toEqual([shop])
    expect(await plan('--prune')).toEqual([])
  })

  it('does not put one environment over another unless that is allowed by name', async () => {
    await write(only, 'environments: { prod: { syncs: {} } }')
    const [first] = await plan('--env', 'prod')
    expect(first).toMatchObject({ object: 'sync', what: 'deployed from no environment, now from environment prod', needs: 'environment' })
    expect(await weir('apply', '--yes', '--env', 'prod')).toMatchObject({ code: 2, stderr: expect.stringContaining('--allow environment') })
    expect((await opened.warehouse.deployments.list())[0]!.environment).toBeUndefined()
    await apply('--env', 'prod', '--allow', 'environment')
    expect((await opened.warehouse.deployments.list())[0]!.environment).toBe('prod')
    expect(await plan('--env', 'prod')).toEqual([])
    await apply('--allow', 'environment')
  })

  it('does not take a schedule from another warehouse that shares the namespace', async () => {
    const other = await openedDatabase()
    try {
      const args = ['--config', join(project.folder, 'weir.yaml')]
      const env = { TEMPORAL_ADDRESS: inject('temporalAddress'), WAREHOUSE_URL: other.url, WEIR_TASK_QUEUE: `nobody-${id}` }
      const refused = await weirHere(['apply', '--yes', ...args], env)
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--allow warehouse') })
    } finally {
      await other.close()
    }
    expect(await plan()).toEqual([])
  })

  it('keeps a plan, and refuses it when what it was made from has moved', async () => {
    const file = join(project.folder, 'kept.plan')
    await write(`  ${shop}: { from: klaviyo, every: 3h, streams: { profiles: {} } }`)
    await weir('plan', '--out', file)
    await write(`  ${shop}: { from: klaviyo, every: 4h, streams: { profiles: {} } }`)
    await apply()
    expect(await weir('apply', file, '--yes')).toMatchObject({ code: 2, stderr: expect.stringContaining(`sync ${shop} changed since`) })

    await write(`  ${shop}: { from: klaviyo, every: 5h, streams: { profiles: {} } }`)
    await weir('plan', '--out', file)
    await write(only)
    await apply(file)
    expect((await opened.warehouse.deployments.list())[0]!.schedule).toEqual({ everyMs: 5 * 3_600_000 })
    expect(await weir('apply', file, '--yes')).toMatchObject({ code: 2 })
    expect(await weir('apply', join(project.folder, 'weir.yaml'), '--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not a plan'),
    })
  })

  it('switches the mode of a table only when that is allowed, by a run of its own', async () => {
    const { warehouse } = opened
    const stream = fakeStream({
      name: 'profiles',
      mode: 'append',
      pages: () => [[{ id: '1', name: 'a', updated: '2026-01-01T00:00:00Z' }]],
    })
    const settings = { streams: { profiles: { mode: 'append' as const } } }
    await syncOnce({ warehouse, stream, run: 'r1', definition: fakeDefinition({ sync: shop, schema: shop, ...settings }) })
    await write(only)
    const found = (await plan()).find(({ needs }) => needs)
    expect(found).toMatchObject({ stream: 'profiles', what: 'mode append → merge', needs: 'mode' })
    expect(found!.consequences[0]).toContain('All versions but the newest of each row are deleted')
    expect(await weir('apply', '--yes')).toMatchObject({ code: 2, stderr: expect.stringContaining('--allow mode') })
    const { stdout } = await apply('--allow', 'mode', '--json')
    const [{ run }] = (JSON.parse(stdout) as { runs: [{ run: string }] }).runs
    const handle = client.workflow.getHandle(`sync/${shop}`, run)
    expect((await handle.describe()).status.name).toBe('RUNNING')
    const { events } = await handle.fetchHistory()
    const input = events![0]!.workflowExecutionStartedEventAttributes!.input!.payloads![0]!.data!
    expect(JSON.parse(Buffer.from(input).toString())).toMatchObject({ sync: shop, streams: ['profiles'], accept: ['mode'] })
    await handle.terminate()
  })

  it('a run by hand says when the files differ from what is applied', async () => {
    await write(`  ${shop}: { from: klaviyo, every: 1h, streams: { profiles: { mode: append }, events: {} } }`)
    const { stderr } = await weir('sync', shop, '--detach')
    expect(stderr).toContain(`What is applied differs from the files (${shop})`)
    await client.workflow.getHandle(`sync/${shop}`).terminate()
  })

  it('a run by hand says that rows from before a new policy of columns stand, unless it reads all again', async () => {
    const { warehouse } = opened
    await warehouse.definitions.put('before', fakeDefinition({ sync: shop, streams: { profiles: {}, events: {} } }))
    await warehouse.runs.start({ run: 'before', sync: shop, definition: 'before', kind: 'manual' })
    await write(
      `  ${shop}: { from: klaviyo, streams: { profiles: { columns: { email: drop } }, events: {}, lists: { columns: { name: mask } } } }`,
    )
    const said = async (...args: string[]) => {
      const { code, stderr } = await weir('sync', shop, '--detach', '--accept', 'mode', ...args)
      expect(code, stderr).toBe(0)
      await client.workflow.getHandle(`sync/${shop}`).terminate()
      return stderr.split('\n').filter((line) => line.includes('policy of columns'))
    }
    expect(await said()).toEqual([
      `The policy of columns of ${shop}/profiles changed. Rows that were loaded keep what they hold until they are read again (versions of append and history for good): weir sync ${shop} --stream profiles --full`,
    ])
    expect(await said('--stream', 'events')).toEqual([])
    expect(await said('--full')).toEqual([])
  })
})
