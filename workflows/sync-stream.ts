import {
  CancellationScope,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  patched,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow'
import type { Activities, FailureNote, SliceReceipt, StreamOutcome, StreamStart } from '../src/core/activities.js'
import { awaited } from '../src/core/failure.js'
import type { Pause } from '../src/core/pause.js'
import { noCounts, sum } from '../src/core/receipt.js'
import type { Counts } from '../src/core/types.js'
import { countCells, countHead, failureText, moment, pauseText, statusWords, table } from './details.js'
import { inParallel } from './in-parallel.js'
import { takePauses } from './pause.js'
import { policies } from './policies.js'
import { readSlice } from './read-slice.js'
import { failed, noteOf, show } from './status.js'

/** Brings one stream up to date. Each slice resumes from its own checkpoint, so a retry repeats one batch at most. */
export async function syncStream({ paused, done, ...input }: StreamStart): Promise<StreamOutcome> {
  const policy = policies(input.timing)
  const { planSlices, finishStream, checkQuality } = proxyActivities<Activities>(policy.step)
  const { syncSlice } = proxyActivities<Activities>(policy.slice)
  const { run, sync, stream } = input
  const name = `${sync} / ${stream}`
  const reading = new Map<string, string>()
  /** All slices that are done, those before a continuation included. */
  let settled = { ...noCounts(), slices: 0, ...done }
  let planned = settled.slices
  /** Slices that wait: for what, and until when. */
  const waiting = new Map<string, string>()
  let outcome: StreamOutcome | undefined
  let halved = false

  const describe = () =>
    setCurrentDetails(
      detailsOf({
        name,
        run,
        sync,
        stream,
        done: settled,
        planned,
        reading,
        waiting,
        paused: pauses.now,
        outcome,
      }),
    )
  const pauses = takePauses({ run, sync, stream }, paused, {
    changed: async () => describe(),
    without: () => (waiting.size > 0 ? 'waiting' : 'running'),
  })

  describe()

  /** A pause lets no further call begin. */
  const call = async (slice: string, label: string): Promise<SliceReceipt> => {
    await pauses.gate()
    reading.set(slice, label)
    describe()
    return syncSlice.executeWithOptions({ summary: `${name}: ${label}` }, [{ ...input, slice, label }]).finally(() => reading.delete(slice))
  }

  const read = async (slice: string, label: string): Promise<void> => {
    const receipt = await readSlice(
      () => call(slice, label),
      (wait) => {
        if (wait === undefined) waiting.delete(slice)
        else waiting.set(slice, `${awaited(wait.waitsFor)} until ${moment(wait.waitUntil!)}`)
        show(pauses.status)
        describe()
      },
    )
    // The halves of one carry its counts.
    if (receipt?.halved) halved = true
    else if (receipt) {
      settled = { ...sum([settled, receipt]), slices: settled.slices + 1 }
      describe()
    }
  }

  let failure: FailureNote | undefined
  let cancelled: unknown
  try {
    for (let more = true; more && failure === undefined; ) {
      await pauses.gate()
      halved = false
      const plan = await planSlices.executeWithOptions({ summary: `${name}: which slices are to be read` }, [input])
      planned = settled.slices + plan.slices.length
      describe()
      await inParallel(plan.parallel, plan.slices, async ({ key, label }) => {
        try {
          await read(key, label)
        } catch (error) {
          if (isCancellation(error)) throw error
          failure ??= noteOf(error)
        }
      })
      more = plan.more || halved
      if (more && failure === undefined && workflowInfo().continueAsNewSuggested) {
        await pauses.close()
        await continueAsNew<typeof syncStream>({ ...input, done: settled, ...(pauses.now ? { paused: pauses.now } : {}) })
      }
    }
  } catch (error) {
    // Thrown by design: the next history goes on where this one stops.
    if (error instanceof ContinueAsNew) throw error
    if (isCancellation(error)) cancelled = error
    else failure = noteOf(error)
  }
  await pauses.close()
  const finish = () =>
    CancellationScope.nonCancellable(() =>
      finishStream.executeWithOptions({ summary: `${name}: settle counts, watermark and snapshot` }, [
        { ...input, ...(failure === undefined ? {} : { failure }), ...(cancelled === undefined ? {} : { cancelled: true }) },
      ]),
    )
  outcome = await finish().catch((error: unknown) => {
    if (failure !== undefined) throw error
    // What stood in the way of a good end, a full disk say, is how the stream ended: else it would seem to run for ever.
    failure = noteOf(error)
    return finish()
  })
  describe()
  // The rows are settled: a check that hangs or is cancelled takes nothing back.
  if (cancelled === undefined && outcome.failure === undefined && (outcome.checks ?? 0) > 0 && patched('quality')) {
    try {
      const receipt = await checkQuality.executeWithOptions({ summary: `${name}: quality checks` }, [input])
      outcome = { ...outcome, failedChecks: receipt.failedChecks }
      if (receipt.failure !== undefined) outcome = { ...outcome, status: 'failed', failure: receipt.failure }
    } catch (error) {
      if (isCancellation(error)) cancelled = error
      outcome = isCancellation(error) ? { ...outcome, status: 'cancelled' } : { ...outcome, status: 'failed', failure: noteOf(error) }
    }
    describe()
  }
  show(outcome.status, outcome.read)
  if (cancelled !== undefined) throw cancelled
  if (outcome.failure !== undefined) throw failed(outcome.failure, outcome)
  return outcome
}

interface Shown {
  name: string
  run: string
  sync: string
  stream: string
  done: Counts & { slices: number }
  planned: number
  /** Labels of slices that are being read now. */
  reading: ReadonlyMap<string, string>
  waiting: ReadonlyMap<string, string>
  paused: Pause | undefined
  outcome: StreamOutcome | undefined
}

function detailsOf({ name, run, sync, stream, done, planned, reading, waiting, paused, outcome }: Shown): string {
  const counts = outcome ?? done
  const under = reading.size === 0 ? '' : ` Being read now: ${[...reading.values()].join('; ')}.`
  return [
    outcome
      ? `**${name}**: ${statusWords(outcome.status, outcome.deadLetters)}.`
      : `**${name}**: ${done.slices} of ${planned} slices done.${under}`,
    ...(paused && !outcome
      ? [pauseText(paused, { finishes: 'Slices under way are finished, no new one starts.', resume: `weir resume ${sync}` })]
      : []),
    ...[...waiting.values()].slice(0, 1).map((wait) => `**Waiting** for ${wait}; it goes on by itself.`),
    table([], countHead, [countCells(counts)]),
    ...(outcome?.failure ? [failureText(outcome.failure, { sync, run, stream })] : []),
    ...(outcome?.failedChecks?.length ? [`Quality checks that did not pass: ${outcome.failedChecks.join(', ')}.`] : []),
  ].join('\n\n')
}
