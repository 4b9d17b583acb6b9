import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineUpdate,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { Activities, FailureNote, FinishRunInput, RunReceipt } from '../src/core/activities.js'
import type { BackfillActivities, BackfillInput, BackfillOrder, BackfillPlan, BackfillStatus } from '../src/core/backfill.js'
import { type Backfilling, backfillStream, priority } from './backfill-stream.js'
import { describeBackfill, type Shown } from './describe-backfill.js'
import { createLanes } from './lanes.js'
import { policies } from './policies.js'
import { failed, noteOf, show } from './status.js'

/** Plain JSON, so that the Temporal UI can send them too. */
export const pause = defineUpdate<void, [BackfillOrder | undefined]>('pause')
export const resume = defineUpdate<void, [BackfillOrder | undefined]>('resume')

/**
 * Reads a range of some streams beside the live sync: their slices side by side, so many at once. What is done stands in
 * `_weir.backfill_slices`, so a history may begin anew at any time; all of them are one run.
 */
export async function backfill(input: BackfillInput): Promise<RunReceipt> {
  const options = { ...policies().step, priority }
  const { startBackfill, markBackfill, finishBackfill } = proxyActivities<BackfillActivities>(options)
  const { finishRun } = proxyActivities<Activities>(options)
  const { id, sync, streams } = input
  const run = workflowInfo().firstExecutionRunId
  const step = { ...input, run }
  const shown: Shown = { input, streams: new Map(), isPaused: input.isPaused ?? false, waiting: new Map() }
  const outcomes: FinishRunInput['outcomes'] = []
  let plan: BackfillPlan | undefined
  let failure: FailureNote | undefined
  let cancelled: unknown
  let noted: Promise<void> = Promise.resolve()
  const hasEnded = () => failure !== undefined || cancelled !== undefined

  /** Pauses, or goes on. Slices under way give their places back within a minute. What is noted of it keeps the order of the orders. */
  const order = async (isPaused: boolean, by: string | undefined) => {
    await condition(() => plan !== undefined || hasEnded())
    if (hasEnded()) return
    const status = isPaused ? 'paused' : 'running'
    shown.isPaused = isPaused
    shown.by = by
    show(status)
    setCurrentDetails(describeBackfill(shown))
    const before = noted
    noted = (async () => {
      await before.catch(() => undefined)
      await markBackfill.executeWithOptions({ summary: `${sync}: ${status}` }, [{ id, status }])
    })()
    await noted
  }
  const validator = (isPaused: boolean) => (_: BackfillOrder | undefined) => {
    if (shown.isPaused === isPaused) throw new Error(`Backfill ${id} ${isPaused ? 'is paused already' : 'is not paused'}.`)
  }
  setHandler(pause, (asked) => order(true, asked?.by), { validator: validator(true) })
  setHandler(resume, (asked) => order(false, asked?.by), { validator: validator(false) })

  try {
    plan = await startBackfill.executeWithOptions({ summary: sync }, [step])
    show(shown.isPaused ? 'paused' : 'running')
    const work: Backfilling = { step, plan, lane: createLanes(plan.parallel, () => shown.isPaused), shown, slices: 0 }
    const ends = streams.map((stream) =>
      backfillStream(work, stream, (by) => {
        cancelled = by
      }),
    )
    for (const outcome of await Promise.all(ends)) if (outcome) outcomes.push(outcome)
  } catch (error) {
    if (isCancellation(error)) cancelled = error
    else failure = noteOf(error)
  }
  if (outcomes.length < streams.length && !hasEnded()) {
    await condition(allHandlersFinished)
    await continueAsNew<typeof backfill>({ ...input, isPaused: shown.isPaused })
  }
  const receipt = await CancellationScope.nonCancellable(async () => {
    const ended = await finishRun.executeWithOptions({ summary: sync }, [
      { sync, run, outcomes, ...(failure === undefined ? {} : { failure }), ...(cancelled === undefined ? {} : { cancelled: true }) },
    ])
    const note = ended.failure === undefined ? {} : { failure: ended.failure }
    await finishBackfill.executeWithOptions({ summary: sync }, [{ id, status: endOf(ended.status), ...note }])
    await condition(allHandlersFinished)
    return ended
  })
  show(receipt.status, receipt.read)
  if (cancelled !== undefined) throw cancelled
  if (receipt.failure !== undefined) throw failed(receipt.failure)
  return receipt
}

/** A backfill of which a stream failed is not done: it can be resumed. */
const endOf = (status: RunReceipt['status']): BackfillStatus =>
  status === 'completed' || status === 'completed_with_dead_letters' || status === 'cancelled' ? status : 'failed'
