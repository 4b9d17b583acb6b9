import { CancellationScope, isCancellation, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow'
import type { FailureNote } from '../src/core/activities.js'
import type { RebuildActivities, RebuildCounts, RebuildInput, RebuildReceipt } from '../src/core/rebuild.js'
import { policies } from './policies.js'
import { failed, noteOf, show } from './status.js'

/** Types a table anew from its raw records. Its position is in the warehouse, so a retry repeats one page at most. */
export async function rebuildTable(input: RebuildInput): Promise<RebuildReceipt> {
  const { startRebuild, finishRebuild } = proxyActivities<RebuildActivities>(policies().step)
  const step = { ...input, run: workflowInfo().runId }
  const summary = `${input.sync} / ${input.stream}`
  let failure: FailureNote | undefined
  let cancelled: unknown

  try {
    const { timing } = await startRebuild.executeWithOptions({ summary }, [step])
    const { rebuildRows } = proxyActivities<RebuildActivities>(policies(timing).slice)
    for (let more = true; more; ) {
      const counts = await rebuildRows.executeWithOptions({ summary }, [step])
      setCurrentDetails(details(input, counts))
      more = counts.more ?? false
    }
  } catch (error) {
    if (isCancellation(error)) cancelled = error
    else failure = noteOf(error)
  }
  const receipt = await CancellationScope.nonCancellable(() =>
    finishRebuild.executeWithOptions({ summary }, [
      { ...step, ...(failure === undefined ? {} : { failure }), ...(cancelled === undefined ? {} : { cancelled: true }) },
    ]),
  )
  setCurrentDetails(details(input, receipt))
  show(receipt.status, receipt.examined)
  if (cancelled !== undefined) throw cancelled
  if (receipt.failure !== undefined) throw failed(receipt.failure, receipt)
  return receipt
}

const details = ({ sync, stream, dryRun }: RebuildInput, { examined, rewritten, withoutRaw, deadLetters }: RebuildCounts): string =>
  [
    `**${sync} / ${stream}**: rebuild from raw records${dryRun ? ' (dry run: nothing is written)' : ''}`,
    '',
    '| rows examined | rewritten | without raw | dead letters |',
    '|--:|--:|--:|--:|',
    `| ${examined} | ${rewritten} | ${withoutRaw} | ${deadLetters} |`,
  ].join('\n')
