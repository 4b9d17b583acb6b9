import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Change } from '../../../cli/deploy/change.js'
import { weirHere } from '../../support/command.js'
import { type Opened, openedDatabase } from '../../support/postgres.js'
import { makeProject, type Project } from '../../support/project.js'

/** Audiences of a project of its own against the run's Temporal and a warehouse of its own; nothing is pushed, since no worker listens. */
describe('weir plan and weir apply of audiences', { timeout: 60_000 }, () => {
  const id = randomUUID().slice(0, 8)
  const vip = `vip_${id}`
  let opened: Opened
  let project: Project
  let connection: Connection
  let client: Client

  const write = (audience: string, destinations = '{ mail: { connection: klaviyo, list: High value } }') =>
    writeFile(
      join(project.folder, 'weir.yaml'),
      `version: 1
name: p-${id}
defaults: { timezone: Europe/Berlin }
connections:
  klaviyo: { type: klaviyo, base_url: "http://127.0.0.1:9", api_key: pk_test, budget: "off" }
syncs:
  crm_${id}: { from: klaviyo, streams: { profiles: {} } }
models:
  vip: { table: crm.people, key: id }
audiences:
${audience === '' ? '  {}' : `  ${vip}: { model: vip, identity: { email: email }, ${audience} destinations: ${destinations} }`}
`,
    )
  const weir = (...args: string[]) =>
    weirHere([...args, '--config', join(project.folder, 'weir.yaml')], {
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      WAREHOUSE_URL: opened.url,
      WEIR_TASK_QUEUE: `nobody-${id}`,
    })
  const done = async (...args: string[]) => {
    const ran = await weir(...args)
    if (ran.code !== 0) throw new Error(ran.stderr)
    return ran
  }
  const plan = async (...args: string[]): Promise<Change[]> =>
    (JSON.parse((await done('plan', '--json', ...args)).stdout) as { changes: Change[] }).changes.filter(({ sync }) => sync === undefined)
  const apply = (...args: string[]) => done('apply', '--yes', '--by', 'ana', ...args)
  const schedule = () => client.schedule.getHandle(`audience/${vip}`)
  const texts = (changes: Change[]) => changes.map(({ action, object, what }) => `${action} ${object}: ${what}`)
  const inForce = async () => (await opened.warehouse.audienceDeployments.list())[0]!

  beforeAll(async () => {
    opened = await openedDatabase()
    connection = await Connection.connect({ address: inject('temporalAddress') })
    client = new Client({ connection })
    project = await makeProject('')
  })
  afterAll(async () => {
    await schedule()
      .delete()
      .catch((error: unknown) => {
        if (!(error instanceof ScheduleNotFoundError)) throw error
      })
    await connection.close()
    await project.remove()
    await opened.close()
  })

  it('puts an audience in force with its schedule, and then has nothing left to do', async () => {
    await write('schedule: { cron: "15 6 * * *", jitter: 3m },')
    expect(texts(await plan())).toEqual([
      'create audience: keeps the people of model vip at mail (list "High value" of klaviyo)',
      'create schedule: runs at "15 6 * * *" Europe/Berlin, up to 3m later',
    ])
    await apply()
    const { action, spec } = await schedule().describe()
    expect(action).toMatchObject({ workflowType: 'pushWhenDue', workflowId: `audience/${vip}`, taskQueue: `nobody-${id}` })
    expect(action.args).toEqual([{ audience: vip, definition: (await inForce()).definition, kind: 'scheduled' }])
    expect(spec).toMatchObject({ timezone: 'Europe/Berlin', jitter: 180_000 })
    expect(await inForce()).toMatchObject({ audience: vip, appliedBy: 'ana', after: [], scheduleMark: expect.any(String) })
    expect(await plan()).toEqual([])
  })

  it('mends a schedule that was changed by hand, and leaves a pause, also from the clock to `after`', async () => {
    await done('pause', `audience/${vip}`, '--reason', 'the list is being cleaned', '--by', 'ben')
    expect((await schedule().describe()).state).toMatchObject({ paused: true, note: 'the list is being cleaned (paused by ben)' })
    await schedule().update((there) => ({ ...there, spec: { intervals: [{ every: '1h' }] } }))
    expect(texts(await plan())).toEqual(['mend schedule: changed in Temporal since it was applied; put back'])
    expect((await apply()).stderr).toContain(`audience/${vip} is paused and stays so: the list is being cleaned (paused by ben)`)
    expect((await schedule().describe()).state.paused).toBe(true)

    await write(`after: [sync/crm_${id}],`)
    expect(texts(await plan())).toEqual([`change schedule: runs at "15 6 * * *" Europe/Berlin, up to 3m later → runs after sync/crm_${id}`])
    await apply()
    await expect(schedule().describe()).rejects.toThrow(ScheduleNotFoundError)
    expect(await inForce()).toMatchObject({ after: [`crm_${id}`], paused: 'the list is being cleaned (paused by ben)' })
    await done('resume', `audience/${vip}`)
    expect((await inForce()).paused).toBeUndefined()
  })

  it('says what follows from another model, another list, another destination', async () => {
    await write(
      'gates: { min_size: 10 }, every: 6h,',
      '{ mail: { connection: klaviyo, list: Other }, more: { connection: klaviyo, list: More } }',
    )
    const changes = await plan()
    expect(texts(changes)).toEqual([
      'change audience: another gates',
      'change audience: destination mail: list "High value" of klaviyo → list "Other" of klaviyo',
      'create audience: destination more (list "More" of klaviyo)',
      `change schedule: runs after sync/crm_${id} → runs every 6h`,
    ])
    expect(changes[1]!.consequences[0]).toContain('fills list "Other" of klaviyo from the start')
    await apply()
    expect(await plan()).toEqual([])
  })

  it('stops one that is gone from the file, and removes it with --prune alone', async () => {
    await write('')
    expect(texts(await plan())).toEqual(['pause audience: not in the project file any more: nothing starts it'])
    await apply()
    expect((await schedule().describe()).state).toMatchObject({
      paused: true,
      note: expect.stringMatching(/^Not in the project file any more/),
    })
    const refused = await weir('pause', `audience/${vip}`, '--reason', 'x')
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('is not in the project file any more') })
    await apply('--prune')
    await expect(schedule().describe()).rejects.toThrow(ScheduleNotFoundError)
    expect(await opened.warehouse.audienceDeployments.list()).toEqual([])
  })
})
