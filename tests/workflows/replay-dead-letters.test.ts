import { ApplicationFailure, type Client, WorkflowFailedError } from '@temporalio/client'
import { describe, expect, it } from 'vitest'
import type { FinishReplayInput, ReplayActivities, ReplayInput, ReplayPartInput, ReplayReceipt } from '../../src/core/activities.js'
import { fakeActivities, withWorker } from '../support/workflows.js'

const receipt: ReplayReceipt = { loaded: 5, unchanged: 0, failed: 0, reopened: 0, readAgain: false, handover: 'row' }

/** Runs a replay against these activities; answers with what each was asked. */
async function replay(
  work: Partial<ReplayActivities>,
  input: Partial<ReplayInput> = {},
): Promise<{ result: ReplayReceipt | WorkflowFailedError; parts: ReplayPartInput[]; ends: FinishReplayInput[] }> {
  const parts: ReplayPartInput[] = []
  const ends: FinishReplayInput[] = []
  let result: ReplayReceipt | WorkflowFailedError | undefined
  const activities: ReplayActivities = {
    replayLetters: async (part) => {
      parts.push(part)
      return work.replayLetters?.(part) ?? { tried: 5, after: '5', more: false, readAgain: false }
    },
    finishReplay: async (end) => {
      ends.push(end)
      return work.finishReplay?.(end) ?? { ...receipt, readAgain: end.readAgain }
    },
  }
  await withWorker({ work: { ...fakeActivities(), ...activities } }, async ({ client, queue }) => {
    const run: ReturnType<Client['workflow']['execute']> = client.workflow.execute('replayDeadLetters', {
      taskQueue: queue,
      workflowId: `replay/${queue}/people`,
      args: [{ sync: 'fake', definition: 'hash', stream: 'people', filter: {}, ...input }],
    })
    result = (await run.catch((error: unknown) => error)) as ReplayReceipt | WorkflowFailedError
  })
  return { result: result!, parts, ends }
}

describe('a replay of dead letters', () => {
  it('goes on after the last letter that was tried, until none is left, and within its limit', async () => {
    let calls = 0
    const { result, parts, ends } = await replay(
      {
        replayLetters: async () => {
          calls++
          return { tried: 2, after: String(calls * 10), more: calls < 3, readAgain: calls === 2 }
        },
      },
      { limit: 7 },
    )
    expect(parts.map(({ after, limit }) => [after, limit])).toEqual([
      [undefined, 7],
      ['10', 5],
      ['20', 3],
    ])
    expect(new Set(parts.map(({ run }) => run)).size).toBe(1)
    expect(ends).toMatchObject([{ readAgain: true, run: parts[0]!.run }])
    expect(result).toEqual({ ...receipt, readAgain: true })
  })

  it('tries again what may pass', async () => {
    let calls = 0
    const { result } = await replay({
      replayLetters: async () => {
        if (calls++ === 0) throw ApplicationFailure.create({ message: 'connection lost', type: 'transient' })
        return { tried: 1, after: '1', more: false, readAgain: false }
      },
    })
    expect(result).toEqual(receipt)
    expect(calls).toBe(2)
  })

  it('ends red with whose move it is, and still settles what was done', async () => {
    const { result, ends } = await replay({
      replayLetters: async () => {
        throw ApplicationFailure.create({ message: 'sealed with another WEIR_KEY', type: 'config', nonRetryable: true })
      },
    })
    expect(ends).toMatchObject([{ failure: { reason: 'config', message: 'sealed with another WEIR_KEY' } }])
    expect(result).toBeInstanceOf(WorkflowFailedError)
    expect((result as WorkflowFailedError).cause).toMatchObject({
      type: 'config',
      message: expect.stringMatching(/another WEIR_KEY.*user/),
    })
  })
})
