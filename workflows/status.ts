import { defineSearchAttributeKey } from '@temporalio/common'
import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, upsertSearchAttributes } from '@temporalio/workflow'
import type { FailureNote, RunStatus } from '../src/core/activities.js'
import type { PushStatus } from '../src/core/audience.js'
import { type Reason, reasons } from '../src/core/failure.js'

const status = defineSearchAttributeKey('WeirStatus', 'KEYWORD')
const rows = defineSearchAttributeKey('WeirRows', 'INT')

/** One event in the history: for changes of status only. */
export function show(now: RunStatus, read?: number): void {
  upsertSearchAttributes([{ key: status, value: now }, ...(read === undefined ? [] : [{ key: rows, value: read }])])
}

/** What is said of what goes on as a run of its own, since each sync that it runs after has completed meanwhile. */
export const itsTurnAgain = {
  typedSearchAttributes: [
    { key: defineSearchAttributeKey('WeirKind', 'KEYWORD'), value: 'dependent' },
    { key: status, value: 'running' },
  ],
}

/** The same of a push. */
export const showPush = (now: PushStatus): void => upsertSearchAttributes([{ key: status, value: now }])

/** What a failed activity or child says, in the words of our own failures. */
export function noteOf(error: unknown): FailureNote {
  const cause = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error
  if (cause instanceof ApplicationFailure) {
    const [outcome] = (cause.details ?? []) as { failure?: FailureNote }[]
    return outcome?.failure ?? { reason: cause.type ?? 'bug', message: cause.message }
  }
  return { reason: 'bug', message: cause instanceof Error ? cause.message : String(cause) }
}

/** A workflow ends red with what happened and whose move it is. */
export function failed(note: FailureNote, ...details: unknown[]): ApplicationFailure {
  const { who } = reasons[note.reason as Reason] ?? reasons.bug
  return ApplicationFailure.create({
    message: `${note.message} [${note.reason}; acts: ${who}]`,
    type: note.reason,
    nonRetryable: true,
    details,
  })
}
