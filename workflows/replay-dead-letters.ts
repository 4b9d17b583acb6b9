import { CancellationScope, isCancellation, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow'
import type { FailureNote, ReplayActivities, ReplayInput, ReplayReceipt } from '../src/core/activities.js'
import { policies } from './policies.js'
import { failed, noteOf, show } from './status.js'

/** Loads open dead letters of one stream again. Each letter is closed with its effect, so a retry tries only what is still open. */
export async function replayDeadLetters(input: ReplayInput): Promise<ReplayReceipt> {
  const { replayLetters, finishReplay } = proxyActivities<ReplayActivities>(policies().step)
  const run = workflowInfo().runId
  const summary = `${input.sync} / ${input.stream}`
  let tried = 0
  let readAgain = false
  let failure: FailureNote | undefined
  let cancelled: unknown
  try {
    for (let more = true, after: string | undefined; more; ) {
      const limit = input.limit === undefined ? {} : { limit: input.limit - tried }
      const part = await replayLetters.executeWithOptions({ summary }, [
        { ...input, run, ...limit, ...(after === undefined ? {} : { after }) },
      ])
      tried += part.tried
      readAgain ||= part.readAgain
      after = part.after
      more = part.more
      setCurrentDetails(`**${summary}**: ${tried} dead letters tried`)
    }
  } catch (error) {
    if (isCancellation(error)) cancelled = error
    else failure = noteOf(error)
  }
  const receipt = await CancellationScope.nonCancellable(() =>
    finishReplay.executeWithOptions({ summary }, [
      {
        ...input,
        run,
        readAgain,
        ...(failure === undefined ? {} : { failure }),
        ...(cancelled === undefined ? {} : { cancelled: true }),
      },
    ]),
  )
  const { loaded, unchanged, failed: again } = receipt
  show(cancelled ? 'cancelled' : failure ? 'failed' : again > 0 ? 'completed_with_dead_letters' : 'completed', loaded + unchanged + again)
  if (cancelled !== undefined) throw cancelled
  if (failure !== undefined) throw failed(failure, { failure })
  return receipt
}
