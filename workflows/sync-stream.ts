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
import type { Activities, FailureNote, SliceReceipt, StreamInput, StreamOutcome } from '../src/core/activities.js'
import { noCounts, sum } from '../src/core/receipt.js'
import { inParallel } from './in-parallel.js'
import { policies } from './policies.js'
import { readSlice } from './read-slice.js'
import { failed, noteOf, show } from './status.js'

/** Brings one stream up to date. Each slice resumes from its own checkpoint, so a retry repeats one batch at most. */
export async function syncStream(input: StreamInput): Promise<StreamOutcome> {
  const policy = policies(input.timing)
  const { planSlices, finishStream, checkQuality } = proxyActivities<Activities>(policy.step)
  const { syncSlice } = proxyActivities<Activities>(policy.slice)
  const name = `${input.sync} / ${input.stream}`
  const receipts = new Map<string, SliceReceipt>()
  let planned = 0
  let waiting: string | undefined
  let failedChecks: readonly string[] = []
  let halved = false

  const describe = () => {
    const counts = sum([noCounts(), ...receipts.values()])
    const lines = [`**${name}**`, '', '| slices done | read | loaded | unchanged | dead letters |', '|--:|--:|--:|--:|--:|']
    lines.push(`| ${receipts.size} of ${planned} | ${counts.read} | ${counts.loaded} | ${counts.unchanged} | ${counts.deadLetters} |`)
    if (waiting !== undefined) lines.push('', `Waiting for ${waiting}.`)
    if (failedChecks.length > 0) lines.push('', `Quality checks that did not pass: ${failedChecks.join(', ')}.`)
    setCurrentDetails(lines.join('\n'))
  }

  const read = async (slice: string, label: string): Promise<void> => {
    const receipt = await readSlice(
      () => syncSlice.executeWithOptions({ summary: `${name}: ${label}` }, [{ ...input, slice, label }]),
      (wait) => {
        waiting = wait && `${wait.waitsFor === 'vendor' ? 'the vendor, which is down,' : "the vendor's quota"} until ${wait.waitUntil}`
        show(wait === undefined ? 'running' : 'waiting')
        if (wait !== undefined) describe()
      },
    )
    // The halves of one carry its counts.
    if (receipt?.halved) halved = true
    else if (receipt) {
      receipts.set(slice, receipt)
      describe()
    }
  }

  let failure: FailureNote | undefined
  let cancelled: unknown
  try {
    for (let more = true; more && failure === undefined; ) {
      halved = false
      const plan = await planSlices.executeWithOptions({ summary: name }, [input])
      planned = receipts.size + plan.slices.length
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
      if (more && failure === undefined && workflowInfo().continueAsNewSuggested) await continueAsNew<typeof syncStream>(input)
    }
  } catch (error) {
    // Thrown by design: the next history goes on where this one stops.
    if (error instanceof ContinueAsNew) throw error
    if (isCancellation(error)) cancelled = error
    else failure = noteOf(error)
  }
  const finish = () =>
    CancellationScope.nonCancellable(() =>
      finishStream.executeWithOptions({ summary: name }, [
        { ...input, ...(failure === undefined ? {} : { failure }), ...(cancelled === undefined ? {} : { cancelled: true }) },
      ]),
    )
  let outcome = await finish().catch((error: unknown) => {
    if (failure !== undefined) throw error
    // What stood in the way of a good end, a full disk say, is how the stream ended: else it would seem to run for ever.
    failure = noteOf(error)
    return finish()
  })
  // The rows are settled: a check that hangs or is cancelled takes nothing back.
  if (cancelled === undefined && outcome.failure === undefined && (outcome.checks ?? 0) > 0 && patched('quality')) {
    try {
      const receipt = await checkQuality.executeWithOptions({ summary: name }, [input])
      failedChecks = receipt.failedChecks
      outcome = { ...outcome, failedChecks: receipt.failedChecks }
      if (receipt.failure !== undefined) outcome = { ...outcome, status: 'failed', failure: receipt.failure }
      describe()
    } catch (error) {
      if (isCancellation(error)) cancelled = error
      outcome = isCancellation(error) ? { ...outcome, status: 'cancelled' } : { ...outcome, status: 'failed', failure: noteOf(error) }
    }
  }
  show(outcome.status, outcome.read)
  if (cancelled !== undefined) throw cancelled
  if (outcome.failure !== undefined) throw failed(outcome.failure, outcome)
  return outcome
}
