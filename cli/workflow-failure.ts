import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common'
import type { FailureNote } from '../src/core/activities.js'
import { Failure, type Reason, type Where } from '../src/core/failure.js'

/**
 * What starting a workflow or waiting for its end threw, in our own words: the failure of an activity keeps its reason, however deep it lies.
 * What is none of the workflow's, a lost connection say, comes back as it is.
 * @param underWay said where another one with the same id runs
 */
export function workflowFailure(error: unknown, where: Where = {}, underWay = 'It runs already.'): unknown {
  if (error instanceof WorkflowExecutionAlreadyStartedError) return new Failure('config', underWay, where, { cause: error })
  if (!(error instanceof WorkflowFailedError)) return error
  const causes = [...causesOf(error)]
  const ours = causes.find((cause): cause is ApplicationFailure => cause instanceof ApplicationFailure)
  if (ours) {
    const [outcome] = (ours.details ?? []) as { failure?: FailureNote }[]
    const { reason, message } = outcome?.failure ?? { reason: ours.type ?? 'bug', message: ours.message }
    return new Failure(reason as Reason, message, where, { cause: error })
  }
  if (causes.some((cause) => cause instanceof CancelledFailure || cause instanceof TerminatedFailure))
    return new Failure('transient', 'It was cancelled; what it had done stays.', where, { cause: error, isFinal: true })
  return new Failure('bug', causes.at(-1)!.message, where, { cause: error })
}

function* causesOf(error: Error): Iterable<Error> {
  yield error
  if (error.cause instanceof Error) yield* causesOf(error.cause)
}
