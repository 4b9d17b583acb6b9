import { randomUUID } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { expect, inject, it } from 'vitest'
import { noCounts } from '../../src/core/receipt.js'
import { versioning } from '../../worker/versioning.js'
import { fakeActivities } from '../support/workflows.js'

it('leaves a run with the build that began it, and gives new ones to the current build', { timeout: 60_000 }, async () => {
  const address = inject('temporalAddress')
  const [native, connection] = [await NativeConnection.connect({ address }), await Connection.connect({ address })]
  const client = new Client({ connection })
  const queue = `t-${randomUUID()}`
  let go = () => {}
  const isAllowed = new Promise<void>((resolve) => {
    go = resolve
  })
  let reading = () => {}
  const isReading = new Promise<void>((resolve) => {
    reading = resolve
  })
  const builds: string[] = []
  const start = (buildId: string) =>
    Worker.create({
      connection: native,
      taskQueue: queue,
      workflowBundle: { codePath: inject('workflowBundle') },
      activities: {
        ...fakeActivities({
          syncSlice: async () => {
            reading()
            await isAllowed
            return { ...noCounts(), read: 10, loaded: 10 }
          },
          finishStream: async ({ stream }) => {
            builds.push(buildId)
            return { ...noCounts(), read: 10, loaded: 10, stream, status: 'completed' }
          },
        }),
      },
      ...versioning({ buildId, queue }),
    })
  const makeCurrent = (buildId: string) =>
    expect.poll(
      () =>
        connection.workflowService
          .setWorkerDeploymentCurrentVersion({ namespace: 'default', deploymentName: queue, buildId, identity: 'test' })
          .then(() => true)
          .catch((error: Error) => error.message),
      { timeout: 20_000, interval: 200 },
    )
  const run = (name: string) =>
    client.workflow.start('syncConnection', {
      taskQueue: queue,
      workflowId: `sync/${name}-${queue}`,
      args: [{ sync: `${name}-${queue}`, definition: 'none', kind: 'manual', streams: ['a'] }],
    })

  const old = await start('1.0.0')
  await old.runUntil(async () => {
    await makeCurrent('1.0.0').toBe(true)
    const before = await run('before')
    await isReading
    const newer = await start('2.0.0')
    await newer.runUntil(async () => {
      await makeCurrent('2.0.0').toBe(true)
      const after = await run('after')
      go()
      await after.result()
      await before.result()
    })
  })
  expect(builds.sort()).toEqual(['1.0.0', '2.0.0'])
  expect(versioning({ buildId: undefined, queue })).toEqual({})
  await connection.close()
  await native.close()
})
