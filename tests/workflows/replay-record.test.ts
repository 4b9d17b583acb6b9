/** What tests/workflows/replay.test.ts replays: WEIR_RECORD=what-is-new npx vitest run tests/workflows -t records writes new ones beside the old. */
import { describe, expect, it } from 'vitest'
import type { ReplayActivities } from '../../src/core/activities.js'
import type { AlertControlActivities } from '../../src/core/alerts.js'
import type { PushActivities } from '../../src/core/push.js'
import { noCounts } from '../../src/core/receipt.js'
import { keepHistory } from '../support/histories.js'
import { fakeActivities, withWorker } from '../support/workflows.js'

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

  it('records a run that is paused and resumed, with its stream', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let reading = () => {}
    const isReading = new Promise<void>((resolve) => {
      reading = resolve
    })
    const work = fakeActivities({
      syncSlice: async () => {
        reading()
        await held
        return { ...noCounts(), read: 10, loaded: 10 }
      },
    })
    const control = { notePause: async () => {}, noteResume: async () => {} }
    await withWorker({ work, control }, async ({ client, start }) => {
      const { handle, result } = await start({ sync: 'recorded', streams: ['a'] })
      await isReading
      const child = client.workflow.getHandle('stream/recorded/a')
      await handle.executeUpdate('pause', { args: [{ by: 'ana', reason: 'the vendor asked us to' }] })
      const shown = async () => (await child.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails
      await expect.poll(shown, { timeout: 10_000 }).toContain('Paused')
      release()
      await expect.poll(shown, { timeout: 10_000 }).toContain('1 of 1 slices done')
      await handle.executeUpdate('resume', { args: [{ by: 'ben' }] })
      await result()
      await keepHistory(client, 'syncConnection', handle.workflowId, handle.firstExecutionRunId)
      await keepHistory(client, 'syncStream', child.workflowId, (await child.describe()).runId)
    })
  })

  it('records a preview of an audience, and a push that waits, is approved, and meets a quota', { timeout: 60_000 }, async () => {
    const receipts = [
      { members: 100, more: true, waitUntil: new Date(Date.now() + 5_000).toISOString() },
      { members: 100, more: true, askAgainMs: 100 },
      { members: 20, more: false },
    ]
    const pushes: PushActivities = {
      previewPush: async () => ({ handover: 'none' }),
      preparePush: async () => ({
        changeSet: 'c1',
        people: 220,
        destinations: { list: { add: 200, update: 0, remove: 20, owed: 3, unchanged: 0 } },
        failures: {},
        reasons: ['the first push of this audience'],
        owed: 3,
        otherwise: 'ask',
        approvers: ['ben'],
        expiresMs: 600_000,
      }),
      awaitDecision: async () => ({ expiresAt: '2026-11-28T12:00:00.000Z' }),
      decidePush: async () => ({ isTaken: true }),
      skipPush: async () => ({ skipped: 'One is under way.' }),
      pushMembers: async ({ isOwedOnly }) => (isOwedOnly ? { members: 3, more: false } : receipts.shift()!),
      finishPush: async ({ status }) => ({ status, destinations: {} }),
    }
    await withWorker({ work: { ...fakeActivities(), ...pushes } }, async ({ client, queue }) => {
      const preview = await client.workflow.start('previewAudience', {
        taskQueue: queue,
        workflowId: 'audience-preview/recorded',
        args: [{ audience: 'recorded', definition: 'none' }],
      })
      await preview.result()
      const due = async (at: string) => {
        const args = [{ audience: 'recorded', definition: 'none', kind: 'scheduled' }]
        const tick = await client.workflow.start('pushWhenDue', { taskQueue: queue, workflowId: `audience/recorded-${at}`, args })
        await tick.result()
        return tick
      }
      const first = await due('first')
      const push = client.workflow.getHandle('audience/recorded')
      const shown = async () => (await push.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails
      await expect.poll(shown, { timeout: 20_000 }).toContain('waiting for a decision')
      const second = await due('second')
      await push.executeUpdate('approve', { args: [{ by: 'ben', changeSet: 'c1' }] })
      await push.result()
      expect(receipts).toEqual([])
      const part = client.workflow.getHandle('audience/recorded/list')
      await keepHistory(client, 'previewAudience', preview.workflowId, preview.firstExecutionRunId)
      await keepHistory(client, 'pushWhenDue', first.workflowId, first.firstExecutionRunId)
      await keepHistory(client, 'pushWhenDueLeftOut', second.workflowId, second.firstExecutionRunId)
      await keepHistory(client, 'pushAudience', push.workflowId, (await push.describe()).runId)
      await keepHistory(client, 'pushDestination', part.workflowId, (await part.describe()).runId)
    })
  })
})
