import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  defineUpdate,
  executeChild,
  isCancellation,
  makeContinueAsNewFunc,
  ParentClosePolicy,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import { type FailureNote, workflowTaskMs } from '../src/core/activities.js'
import type { PushStatus } from '../src/core/audience.js'
import {
  type Decision,
  destinationId,
  type PreparedReceipt,
  type PreviewInput,
  type PushActivities,
  type PushInput,
  type PushReceipt,
} from '../src/core/push.js'
import { inParallel } from './in-parallel.js'
import { policies } from './policies.js'
import { pushDestination } from './push-destination.js'
import { failed, itsTurnAgain, noteOf, showPush } from './status.js'
import { tellAlerts } from './watch.js'

/** What a push would do. */
export async function previewAudience(input: PreviewInput): Promise<{ handover: string }> {
  const { previewPush } = proxyActivities<PushActivities>(policies().step)
  return previewPush.executeWithOptions({ summary: input.audience }, [input])
}

/** A decision on the frozen change set. Plain JSON, so that it can be sent from the Temporal UI as well. */
export const approve = defineUpdate<string, [Decision]>('approve')
export const reject = defineUpdate<string, [Decision]>('reject')

/**
 * One push of an audience: compare, judge, wait for a decision where one is wanted, send. Removals that a person is owed go out even while the
 * rest waits. Who decides is who the caller says: who may reach Temporal decides the rest.
 */
export async function pushAudience(input: PushInput): Promise<PushReceipt> {
  const step = { ...input, run: workflowInfo().runId }
  const { preparePush } = proxyActivities<PushActivities>(policies().step)
  const summary = input.audience
  /** By the worker's timing, once it has told it. */
  const asking = () => proxyActivities<PushActivities>(policies(prepared?.timing).step)
  let prepared: PreparedReceipt | undefined
  let decision: { isApproved: boolean } | undefined
  let isOpen = false
  let failures: Record<string, FailureNote> = {}

  const decide = (isApproved: boolean) => async (given: Decision) => {
    const { isTaken } = await asking().decidePush.executeWithOptions({ summary }, [{ ...step, ...given, isApproved }])
    if (!isTaken) throw refused('Another decision was made, or its time is over.')
    decision = { isApproved }
    return isApproved ? 'approved' : 'rejected'
  }
  const validator = (given: Decision) => {
    const problem = problemOf(given, { input, prepared, isOpen })
    if (problem !== undefined) throw refused(problem)
  }
  setHandler(approve, decide(true), { validator })
  setHandler(reject, decide(false), { validator })

  const describe = (status: string) => setCurrentDetails(details(input, prepared, status))
  const send = async (isOwedOnly: boolean) => {
    const { destinations, timing } = prepared!
    const names = Object.keys(destinations).filter((name) => failures[name] === undefined)
    await inParallel(names.length, names, async (destination) => {
      try {
        await executeChild(pushDestination, {
          workflowId: destinationId(input.audience, destination),
          args: [{ ...step, destination, isOwedOnly, ...(timing ? { timing } : {}) }],
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
          cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
          workflowTaskTimeout: workflowTaskMs,
          staticSummary: `${input.audience} → ${destination}${isOwedOnly ? ': removals that are owed' : ''}`,
        })
      } catch (error) {
        if (isCancellation(error)) throw error
        failures = { ...failures, [destination]: childNote(error) }
      }
    })
  }

  let status: PushStatus = 'completed'
  let failure: FailureNote | undefined
  let cancelled: unknown
  try {
    describe('comparing the model with what the destinations hold')
    prepared = await preparePush.executeWithOptions({ summary }, [step])
    failures = prepared.failures
    if (prepared.reasons.length > 0) {
      showPush('waiting')
      if (prepared.owed > 0) await send(true)
      if (prepared.otherwise === 'ask') {
        const { expiresAt } = await asking().awaitDecision.executeWithOptions({ summary }, [{ ...step, expiresMs: prepared.expiresMs }])
        isOpen = true
        if (patched('alerts-of-pushes')) await tellAlerts({ audience: input.audience })
        describe(`waiting for a decision until ${expiresAt}`)
        await condition(() => decision !== undefined, prepared.expiresMs)
        isOpen = false
        if (decision === undefined || !decision.isApproved) status = 'cancelled'
      } else status = prepared.otherwise === 'hold' ? 'held' : 'failed'
    }
    if (status === 'completed') {
      showPush('pushing')
      describe('sending')
      await send(false)
    }
    if (status === 'failed') failure = { reason: 'gate', message: `Beyond its gates: ${prepared.reasons.join('; ')}.` }
  } catch (error) {
    if (isCancellation(error)) cancelled = error
    else failure = noteOf(error)
  }
  if (cancelled !== undefined) status = 'cancelled'
  else if (failure !== undefined) status = 'failed'
  const receipt = await CancellationScope.nonCancellable(() =>
    asking().finishPush.executeWithOptions({ summary }, [{ ...step, status, failures, ...(failure ? { failure } : {}) }]),
  )
  showPush(receipt.status)
  describe(receipt.status)
  if (patched('alerts-of-pushes')) await tellAlerts({ audience: input.audience })
  if (cancelled !== undefined) throw cancelled
  if (receipt.failure !== undefined) throw failed(receipt.failure, receipt)
  if (receipt.again !== undefined) await pushAgain({ audience: input.audience, definition: receipt.again, kind: 'dependent' })
  return receipt
}

/** Whoever asks gets the note as it is. */
function refused(message: string) {
  const failure = { reason: 'gate', message }
  return failed(failure, { failure })
}

/** The same id goes on as a run of its own: nobody else could start it while this one runs. */
const pushAgain = makeContinueAsNewFunc<typeof pushAudience>(itsTurnAgain)

/** Why a decision cannot be taken; undefined when it can. */
function problemOf(
  given: Decision,
  { input, prepared, isOpen }: { input: PushInput; prepared: PreparedReceipt | undefined; isOpen: boolean },
): string | undefined {
  if (typeof given?.by !== 'string' || given.by.trim() === '') return 'A decision names who decides: { "by": "ana", "changeSet": "…" }.'
  if (!prepared || !isOpen) return 'This push waits for no decision now.'
  if (given.changeSet !== prepared.changeSet) return 'This is another change set: look at what waits, and decide that.'
  if (given.by === input.requestedBy) return `${given.by} asked for this push; somebody else has to decide.`
  if (prepared.approvers.length > 0 && !prepared.approvers.includes(given.by))
    return `${given.by} may not decide this; ${prepared.approvers.join(', ')} may.`
  return undefined
}

const childNote = (error: unknown): FailureNote =>
  error instanceof WorkflowExecutionAlreadyStartedError
    ? { reason: 'gate', message: 'An earlier push of this destination is still under way.' }
    : noteOf(error)

function details({ audience }: PushInput, prepared: PreparedReceipt | undefined, status: string): string {
  const lines = [`**audience ${audience}**: ${status}`]
  if (!prepared) return lines.join('\n')
  lines.push(
    '',
    `${prepared.people} people; change set \`${prepared.changeSet}\``,
    '',
    '| destination | add | update | remove | owed | unchanged |',
    '|---|--:|--:|--:|--:|--:|',
  )
  for (const [name, counts] of Object.entries(prepared.destinations))
    lines.push(`| ${name} | ${counts.add} | ${counts.update} | ${counts.remove} | ${counts.owed} | ${counts.unchanged} |`)
  if (prepared.reasons.length > 0) lines.push('', 'It waits:', ...prepared.reasons.map((reason) => `- ${reason}`))
  for (const [name, { message }] of Object.entries(prepared.failures)) lines.push('', `**${name}**: ${message}`)
  return lines.join('\n')
}
