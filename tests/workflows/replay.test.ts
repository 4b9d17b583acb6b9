import { readdirSync, readFileSync } from 'node:fs'
import { Worker } from '@temporalio/worker'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import type { ReplayActivities } from '../../src/core/activities.js'
import type { AlertControlActivities } from '../../src/core/alerts.js'
import { noCounts } from '../../src/core/receipt.js'
import { bundleWorkflows } from '../../worker/bundle.js'
import { historiesFolder, keepHistory } from '../support/histories.js'
import { fakeActivities, withWorker } from '../support/workflows.js'

/** Histories that were recorded by earlier code: today's workflows must replay them, else runs in flight would break at an upgrade. */
const recorded = readdirSync(historiesFolder).filter((file) => file.endsWith('.json'))

// WEIR_RECORD=what-is-new npx vitest run tests/workflows/replay.test.ts writes new ones beside the old.
describe.runIf(process.env.WEIR_RECORD)('recording', () => {
  it('records a run whose quota was spent once and whose tables are checked', async () => {
    let calls = 0
    const { finishStream } = fakeActivities()
    const work = fakeActivities({
      finishStream: async (input) => ({ ...(await finishStream(input)), checks: 1 }),
      checkQuality: async () => ({ failedChecks: ['not_null(email)'] }),
      syncSlice: async () =>
        calls++ === 0
          ? { ...noCounts(), more: true, waitUntil: new Date(Date.now() + 200).toISOString() }
          : { ...noCounts(), read: 10, loaded: 10 },
    })
    let parts = 0
    const replays: ReplayActivities = {
      replayLetters: async () => ({ tried: 2, after: String(++parts * 2), more: parts < 2, readAgain: false }),
      finishReplay: async () => ({ loaded: 3, unchanged: 1, failed: 0, reopened: 0, readAgain: false, handover: 'none' }),
    }
    await withWorker(
      { work: { ...work, ...replays }, control: { ask: async () => ({ handover: 'none' }) } },
      async ({ client, queue, start }) => {
        const { handle, sync, result } = await start({ sync: 'recorded' })
        await result()
        const ask = await client.workflow.start('askConnection', {
          taskQueue: queue,
          workflowId: 'ask/recorded',
          args: [{ question: 'check', sync, definition: 'none' }],
        })
        await ask.result()
        const replay = await client.workflow.start('replayDeadLetters', {
          taskQueue: queue,
          workflowId: 'replay/recorded/a',
          args: [{ sync, definition: 'none', stream: 'a', filter: { reason: 'record' } }],
        })
        await replay.result()
        const histories = {
          syncConnection: handle,
          syncStream: client.workflow.getHandle(`stream/${sync}/a`),
          askConnection: ask,
          replayDeadLetters: replay,
        }
        for (const [name, one] of Object.entries(histories)) {
          const description = await one.describe()
          await keepHistory(client, name, description.workflowId, description.runId)
        }
      },
    )
  })

  it('records a look for alerts with messages due, and a test message', async () => {
    const work = fakeActivities({
      lookForAlerts: async () => ({ syncs: 1, opened: 1, resolved: 0, due: 1 }),
      deliverAlerts: async () => ({ delivered: 1, failed: 0, givenUp: 0 }),
    })
    const control: AlertControlActivities = { testAlert: async () => ({ isDelivered: true, answer: 'HTTP 200' }) }
    await withWorker({ work, control }, async ({ client, queue }) => {
      const given = { watch: [], testAlert: [{ definition: 'none', target: 0 }] }
      for (const [name, args] of Object.entries(given)) {
        const one = await client.workflow.start(name, { taskQueue: queue, workflowId: `recorded/${name}`, args })
        await one.result()
        await keepHistory(client, name, one.workflowId, one.firstExecutionRunId)
      }
    })
  })

  it('records a run whose turn comes again while it runs', async () => {
    const { finishRun } = fakeActivities()
    const again = ['none']
    const work = fakeActivities({
      finishRun: async (input) => {
        const [definition] = again.splice(0)
        return { ...(await finishRun(input)), ...(definition ? { again: definition } : {}) }
      },
    })
    await withWorker({ work }, async ({ client, start }) => {
      const { handle, result } = await start({ sync: 'recorded' })
      await result()
      await keepHistory(client, 'syncConnection', handle.workflowId, handle.firstExecutionRunId)
    })
  })

  it('records an approval that fills in two parts, and once more after a run under way', { timeout: 60_000 }, async () => {
    const parts = [
      { filled: 5, next: '(7,1)', isBusy: true },
      { filled: 2, isBusy: true },
      { filled: 1, isBusy: false },
    ]
    const work = fakeActivities({ applyChange: async () => parts.shift()! })
    await withWorker({ work }, async ({ client, queue }) => {
      const approval = await client.workflow.start('applyChange', {
        taskQueue: queue,
        workflowId: 'change/recorded/a/12',
        args: [{ sync: 'recorded', definition: 'none', stream: 'a', change: 12 }],
      })
      expect(await approval.result()).toEqual({ filled: 8 })
      await keepHistory(client, 'applyChange', approval.workflowId, approval.firstExecutionRunId)
    })
  })
})

describe('histories of earlier versions', () => {
  it('are there', () => {
    expect(recorded.length).toBeGreaterThan(0)
  })

  it.each(recorded)('%s replays on the code of today', async (file) => {
    await Worker.runReplayHistory({ workflowBundle: { codePath: inject('workflowBundle') } }, historyIn(file))
  })

  // A worker that sends traces and encrypts has another bundle: turning them on breaks no run in flight.
  describe('with the workflows of a worker that sends traces and encrypts', () => {
    let code: string
    beforeAll(async () => {
      code = await bundleWorkflows({ isTraced: true, isEncrypted: true })
    })
    it.each(recorded)('%s replays', async (file) => {
      await Worker.runReplayHistory({ workflowBundle: { code } }, historyIn(file))
    })
  })
})

const historyIn = (file: string) => JSON.parse(readFileSync(historiesFolder + file, 'utf8'))
