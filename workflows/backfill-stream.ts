import { CancellationScope, isCancellation, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow'
import type { Activities, FailureNote, FinishRunInput, SliceReceipt } from '../src/core/activities.js'
import type { BackfillActivities, BackfillPlan, BackfillStep } from '../src/core/backfill.js'
import { describeBackfill, type Shown } from './describe-backfill.js'
import { inParallel } from './in-parallel.js'
import type { Lane } from './lanes.js'
import { policies } from './policies.js'
import { readSlice } from './read-slice.js'
import { noteOf, show } from './status.js'

/** Live work goes first wherever tasks queue: Temporal's default is 3. */
export const priority = { priorityKey: 5 }

/** What the streams of a backfill share. */
export interface Backfilling {
  step: BackfillStep
  plan: BackfillPlan
  lane: Lane
  shown: Shown
  /** Slices of this history. */
  slices: number
}

/** Has the history grown so long that a new one should begin? */
export const isLong = ({ step, slices }: Backfilling): boolean =>
  workflowInfo().continueAsNewSuggested || slices >= (step.slicesPerHistory ?? Number.POSITIVE_INFINITY)

type Outcome = FinishRunInput['outcomes'][number]

/**
 * Reads what is left of a stream, and settles it.
 * @param cancelled told when it is cancelled
 * @returns undefined where something is left for the next history
 */
export async function backfillStream(work: Backfilling, stream: string, cancelled: (by: unknown) => void): Promise<Outcome | undefined> {
  const { step, plan, shown } = work
  const { id, sync, definition, run } = step
  const { planBackfill } = proxyActivities<BackfillActivities>({ ...policies(plan.timing).step, priority })
  const { finishStream } = proxyActivities<Activities>({ ...policies(plan.timing).step, priority })
  const summary = `${sync} / ${stream}`
  let failure: FailureNote | undefined
  let isCancelled = false
  try {
    for (let more = true; more && failure === undefined; ) {
      const planned = await planBackfill.executeWithOptions({ summary }, [{ ...step, stream }])
      shown.streams.set(stream, planned.progress)
      shown.endsAt = planned.endsAt
      describe(work)
      if (planned.ended) return { stream, ...planned.ended }
      more = planned.more
      await inParallel(Math.min(planned.parallel, plan.parallel), planned.slices, async ({ key, label }) => {
        if (failure !== undefined || isLong(work)) return
        try {
          if ((await read(work, stream, key, label))?.halved) more = true
        } catch (error) {
          if (isCancellation(error)) throw error
          failure ??= noteOf(error)
        }
      })
      if (isLong(work) && failure === undefined) return undefined
    }
  } catch (error) {
    if (isCancellation(error)) {
      isCancelled = true
      cancelled(error)
    } else failure = noteOf(error)
  }
  const finish = async (): Promise<Outcome> => {
    const ended = await CancellationScope.nonCancellable(() =>
      finishStream.executeWithOptions({ summary }, [
        {
          ...{ sync, definition, run, stream, backfill: id },
          ...(failure === undefined ? {} : { failure }),
          ...(isCancelled ? { cancelled: true } : {}),
        },
      ]),
    )
    return { stream, status: ended.status, ...(ended.failure ? { failure: ended.failure } : {}) }
  }
  return finish()
    .catch((error: unknown) => {
      if (failure !== undefined) throw error
      // What stood in the way of a good end, a full disk say, is how the stream ended.
      failure = noteOf(error)
      return finish()
    })
    .catch((error: unknown): Outcome => ({ stream, status: 'failed', failure: failure ?? noteOf(error) }))
}

const describe = ({ shown }: Backfilling) => setCurrentDetails(describeBackfill(shown))

/** One slice: a lane is held while it is read, and given back while it waits for the vendor's quota. */
async function read(work: Backfilling, stream: string, slice: string, label: string): Promise<SliceReceipt | undefined> {
  const { step, plan, lane, shown } = work
  const { id, sync, definition, run } = step
  const { syncSlice } = proxyActivities<Activities>({ ...policies(plan.timing).slice, priority })
  const summary = `${sync} / ${stream}: ${label}`
  const call = () => lane(() => syncSlice.executeWithOptions({ summary }, [{ sync, definition, run, stream, backfill: id, slice, label }]))
  const name = `${stream} ${slice}`
  const onWait = (wait: SliceReceipt | undefined) => {
    const until = wait?.waitUntil
    const before = shown.waiting.size > 0
    if (until === undefined) shown.waiting.delete(name)
    else shown.waiting.set(name, { for: wait?.waitsFor ?? 'quota', until })
    if (before !== shown.waiting.size > 0 && !shown.isPaused) show(before ? 'running' : 'waiting')
    describe(work)
  }
  const receipt = await readSlice(call, onWait, () => isLong(work))
  work.slices++
  const known = shown.streams.get(stream)
  if (known && receipt && !receipt.halved) {
    const { read, loaded, unchanged, deadLetters } = receipt
    shown.streams.set(stream, {
      ...known,
      done: known.done + 1,
      read: known.read + read,
      loaded: known.loaded + loaded,
      unchanged: known.unchanged + unchanged,
      deadLetters: known.deadLetters + deadLetters,
    })
  }
  describe(work)
  return receipt
}
