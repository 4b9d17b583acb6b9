import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client'
import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common'
import type { FailureNote } from '../src/core/activities.js'
import { Failure, type Reason, reasons, type Where } from '../src/core/failure.js'

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
    const { reason, message } = noteOf(ours)
    return new Failure(reason as Reason, message, where, { cause: error })
  }
  if (causes.some((cause) => cause instanceof CancelledFailure || cause instanceof TerminatedFailure))
    return new Failure('transient', 'It was cancelled; what it had done stays.', where, { cause: error, isFinal: true })
  return new Failure('bug', causes.at(-1)!.message, where, { cause: error })
}

/**
 * What sending an Update threw, in our own words: that the workflow refused it is no bug, and neither is that it has ended.
 * @param next said after it: the command that shows how things stand
 */
export function refusalOf(error: unknown, where: Where = {}, next?: string): unknown {
  const refusal = (reason: Reason, message: string) =>
    new Failure(reason, next === undefined ? message : `${message} Next: ${next}`, where, { cause: error })
  if (error instanceof WorkflowNotFoundError) return refusal('config', 'It has ended, or its end was under way.')
  if (!(error instanceof WorkflowUpdateFailedError)) return error
  if (!(error.cause instanceof ApplicationFailure)) return refusal('transient', 'It ended before it could answer.')
  const { reason, message } = noteOf(error.cause)
  return refusal(reason in reasons ? (reason as Reason) : 'config', message)
}

/** A failure's own note, where it carries one, is plainer than its text. */
function noteOf({ details, type, message }: ApplicationFailure): FailureNote {
  const [outcome] = (details ?? []) as { failure?: FailureNote }[]
  return outcome?.failure ?? { reason: type ?? 'bug', message }
}

function* causesOf(error: Error): Iterable<Error> {
  yield error
  if (error.cause instanceof Error) yield* causesOf(error.cause)
}
