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
import { describeBackfill, type Shown } from './describe-backfill.js'
import { inParallel } from './in-parallel.js'
import { createLanes } from './lanes.js'
import { policies } from './policies.js'
import { readSlice } from './read-slice.js'
import { failed, noteOf, show } from './status.js'

/** Plain JSON, so that the Temporal UI can send them too. */
export const pause = defineUpdate<void, [BackfillOrder | undefined]>('pause')
export const resume = defineUpdate<void, [BackfillOrder | undefined]>('resume')

/** Live work goes first wherever tasks queue: Temporal's default is 3. */
const priority = { priorityKey: 5 }

/**
 * Reads a range of some streams beside the live sync: their slices side by side, so many at once. What is done stands in
 * `_weir.backfill_slices`, so a history may begin anew at any time; all of them are one run.
 */
export async function backfill(input: BackfillInput): Promise<RunReceipt> {
  const { startBackfill, planBackfill, markBackfill, finishBackfill } = proxyActivities<BackfillActivities>({
    ...policies().step,
    priority,
  })
  const { finishStream, finishRun } = proxyActivities<Activities>({ ...policies().step, priority })
  const { id, sync, definition, streams } = input
  const run = workflowInfo().firstExecutionRunId
  const step = { ...input, run }
  const shown: Shown = {
    input,
    streams: new Map(),
    isPaused: input.isPaused ?? false,
    waiting: new Set(),
    endsAt: undefined,
    by: undefined,
  }
  const outcomes: FinishRunInput['outcomes'] = []
  let plan: BackfillPlan | undefined
  let slices = 0
  let failure: FailureNote | undefined
  let cancelled: unknown
  let noted: Promise<void> = Promise.resolve()
  const hasEnded = () => failure !== undefined || cancelled !== undefined
  const describe = () => setCurrentDetails(describeBackfill(shown))
  const isLong = () => workflowInfo().continueAsNewSuggested || slices >= (input.slicesPerHistory ?? Number.POSITIVE_INFINITY)

  /** Pauses, or goes on. Slices under way give their places back within a minute. What is noted of it keeps the order of the orders. */
  const order = async (isPaused: boolean, by: string | undefined) => {
    await condition(() => plan !== undefined || hasEnded())
    if (hasEnded()) return
    shown.isPaused = isPaused
    shown.by = by
    const status = isPaused ? 'paused' : 'running'
    show(status)
    describe()
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

  /** Reads what is left of a stream, or as much as one history bears; settles it where nothing is left. One that fails leaves the others alone. */
  const readStream = async (stream: string, { timing, parallel, lane }: BackfillPlan & { lane: ReturnType<typeof createLanes> }) => {
    const { syncSlice } = proxyActivities<Activities>({ ...policies(timing).slice, priority })
    const summary = `${sync} / ${stream}`
    const base = { sync, definition, run, stream, backfill: id }
    let note: FailureNote | undefined
    const read = async (slice: string, label: string) => {
      const call = () => lane(() => syncSlice.executeWithOptions({ summary: `${summary}: ${label}` }, [{ ...base, slice, label }]))
      const onWait = (until: string | undefined) => {
        const was = shown.waiting.size > 0
        if (until === undefined) shown.waiting.delete(`${stream} ${slice}`)
        else shown.waiting.add(`${stream} ${slice}`)
        if (was !== shown.waiting.size > 0 && !shown.isPaused) show(was ? 'running' : 'waiting')
        shown.waitUntil = until
        describe()
      }
      const receipt = await readSlice(call, onWait, isLong)
      slices++
      const known = shown.streams.get(stream)
      if (known && receipt && !receipt.halved)
        shown.streams.set(stream, {
          ...known,
          done: known.done + 1,
          read: known.read + receipt.read,
          loaded: known.loaded + receipt.loaded,
          unchanged: known.unchanged + receipt.unchanged,
          deadLetters: known.deadLetters + receipt.deadLetters,
        })
      describe()
      return receipt
    }
    try {
      for (let more = true; more && note === undefined; ) {
        const planned = await planBackfill.executeWithOptions({ summary }, [{ ...step, stream }])
        shown.streams.set(stream, planned.progress)
        shown.endsAt = planned.endsAt
        describe()
        if (planned.ended) return void outcomes.push({ stream, ...planned.ended })
        more = planned.more
        await inParallel(Math.min(planned.parallel, parallel), planned.slices, async ({ key, label }) => {
          if (note !== undefined || isLong()) return
          try {
            if ((await read(key, label))?.halved) more = true
          } catch (error) {
            if (isCancellation(error)) throw error
            note ??= noteOf(error)
          }
        })
        // What is left, if anything, is for the next history.
        if (isLong() && note === undefined) return
      }
    } catch (error) {
      if (isCancellation(error)) cancelled = error
      else note = noteOf(error)
    }
    const finish = async () => {
      const { status, failure: found } = await CancellationScope.nonCancellable(() =>
        finishStream.executeWithOptions({ summary }, [
          { ...base, ...(note === undefined ? {} : { failure: note }), ...(cancelled === undefined ? {} : { cancelled: true }) },
        ]),
      )
      outcomes.push({ stream, status, ...(found ? { failure: found } : {}) })
    }
    try {
      await finish().catch((error: unknown) => {
        if (note !== undefined) throw error
        // What stood in the way of a good end, a full disk say, is how the stream ended.
        note = noteOf(error)
        return finish()
      })
    } catch (error) {
      outcomes.push({ stream, status: 'failed', failure: note ?? noteOf(error) })
    }
  }

  try {
    plan = await startBackfill.executeWithOptions({ summary: sync }, [step])
    show(shown.isPaused ? 'paused' : 'running')
    const started = { ...plan, lane: createLanes(plan.parallel, () => shown.isPaused) }
    await Promise.all(streams.map((stream) => readStream(stream, started)))
  } catch (error) {
    if (isCancellation(error)) cancelled = error
    else failure = noteOf(error)
  }
  if (outcomes.length < streams.length && failure === undefined && cancelled === undefined) {
    await condition(allHandlersFinished)
    await continueAsNew<typeof backfill>({ ...input, isPaused: shown.isPaused })
  }
  const receipt = await CancellationScope.nonCancellable(async () => {
    const isCancelled = cancelled === undefined ? {} : { cancelled: true }
    const ended = await finishRun.executeWithOptions({ summary: sync }, [
      { sync, run, outcomes, ...(failure === undefined ? {} : { failure }), ...isCancelled },
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
