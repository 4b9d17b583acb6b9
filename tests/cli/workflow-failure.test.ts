import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client'
import { ActivityFailure, ApplicationFailure, CancelledFailure, RetryState, TimeoutFailure, TimeoutType } from '@temporalio/common'
import { describe, expect, it } from 'vitest'
import { failureText } from '../../cli/exit.js'
import { refusalOf, workflowFailure } from '../../cli/workflow-failure.js'
import { failed } from '../../workflows/status.js'

const ended = (cause: Error) => new WorkflowFailedError('Workflow execution failed', cause, RetryState.NON_RETRYABLE_FAILURE)
const where = { sync: 'shop', stream: 'people' }
const closed = ApplicationFailure.create({ message: 'The token lacks a scope.', type: 'permission', nonRetryable: true })

describe('what a workflow ended with, as the CLI says it', () => {
  it.each([
    ['a failure of its own', ended(closed)],
    ['one of an activity that it let through', ended(new ActivityFailure('', 'ask', '1', RetryState.NON_RETRYABLE_FAILURE, '', closed))],
    [
      'one that stands as a note beside its text',
      ended(failed({ reason: 'permission', message: closed.message }, { failure: { reason: 'permission', message: closed.message } })),
    ],
  ])('keeps reason and text of %s', (_, error) => {
    expect(workflowFailure(error, where)).toMatchObject({ reason: 'permission', message: 'The token lacks a scope.', where, cause: error })
  })

  it('says of a cancelled one that it was cancelled, and calls it no bug', () => {
    const failure = workflowFailure(ended(new CancelledFailure('Workflow execution cancelled')), where)
    expect(failure).toMatchObject({ reason: 'transient', isFinal: true, message: 'It was cancelled; what it had done stays.' })
  })

  it('says what happened where no failure of ours is in it', () => {
    const failure = workflowFailure(ended(new TimeoutFailure('no worker came', undefined, TimeoutType.SCHEDULE_TO_START)), where)
    expect(failure).toMatchObject({ reason: 'bug', message: 'no worker came' })
  })

  it('says that one runs already', () => {
    const error = new WorkflowExecutionAlreadyStartedError('exists', 'rebuild/shop/people', 'rebuildTable')
    expect(workflowFailure(error, where, 'A rebuild is under way.')).toMatchObject({ reason: 'config', message: 'A rebuild is under way.' })
  })

  it('leaves alone what is none of the workflow’s', () => {
    const lost = new Error('14 UNAVAILABLE')
    expect(workflowFailure(lost, where)).toBe(lost)
  })
})

describe('an Update that is refused, as the CLI says it', () => {
  const refused = (cause: Error) => new WorkflowUpdateFailedError('Workflow Update failed', cause)
  const note = { reason: 'gate', message: 'ana asked for this push; somebody else has to decide.' }

  it('is no bug: what the workflow said, and what to do next', () => {
    const failure = refusalOf(refused(failed(note, { failure: note })), {}, 'weir audience runs vip')
    expect(failure).toMatchObject({ reason: 'gate', message: `${note.message} Next: weir audience runs vip` })
    expect(failureText(failure).text).toBe(
      'ana asked for this push; somebody else has to decide. Next: weir audience runs vip\nWhose move: user: approve or refuse.',
    )
  })

  it('is the person’s to mend where the workflow gave no reason of ours', () => {
    const plain = ApplicationFailure.create({ message: 'Backfill b is paused already.', type: 'Error' })
    expect(refusalOf(refused(plain))).toMatchObject({ reason: 'config', message: 'Backfill b is paused already.' })
  })

  it('says that there is nothing left to ask, and leaves a lost connection alone', () => {
    expect(refusalOf(new WorkflowNotFoundError('already completed', 'sync/shop', undefined))).toMatchObject({
      reason: 'config',
      message: expect.stringContaining('has ended'),
    })
    const lost = new Error('14 UNAVAILABLE')
    expect(refusalOf(lost)).toBe(lost)
  })
})
