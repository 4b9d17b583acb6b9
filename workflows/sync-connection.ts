import { defineSearchAttributeKey, WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  log,
  makeContinueAsNewFunc,
  ParentClosePolicy,
  patched,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow'
import {
  type Activities,
  type FailureNote,
  type FinishRunInput,
  type RunInput,
  type RunPlan,
  type RunReceipt,
  type StreamOutcome,
  workflowTaskMs,
} from '../src/core/activities.js'
import { inParallel } from './in-parallel.js'
import { policies } from './policies.js'
import { failed, noteOf, show } from './status.js'
import { syncStream } from './sync-stream.js'
import { lookAndSend } from './watch.js'

const keyword = (name: string) => defineSearchAttributeKey(name, 'KEYWORD')

/** One run of a sync: a child a stream, side by side. One that fails does not stop its siblings. */
export async function syncConnection(input: RunInput): Promise<RunReceipt> {
  const { startRun, finishRun } = proxyActivities<Activities>(policies().step)
  const run = workflowInfo().runId
  const outcomes: Ended[] = []
  let plan: RunPlan | undefined
  let failure: FailureNote | undefined
  let cancelled: unknown

  const describe = () => {
    const rows = (plan?.streams ?? []).map((stream) => {
      const ended = outcomes.find((outcome) => outcome.stream === stream)
      const counts = ended?.counts
        ? `${ended.counts.read} | ${ended.counts.loaded} | ${ended.counts.unchanged} | ${ended.counts.deadLetters}`
        : ' | | | '
      return `| ${stream} | ${ended?.status ?? 'running or next'} | ${counts} |`
    })
    const failures = outcomes.filter((outcome) => outcome.failure).map((outcome) => `- **${outcome.stream}**: ${outcome.failure?.message}`)
    const head = ['| stream | status | read | loaded | unchanged | dead letters |', '|---|---|--:|--:|--:|--:|']
    const checks = outcomes.flatMap(({ stream, counts }) =>
      counts?.failedChecks?.length ? [`- **${stream}**: quality checks that did not pass: ${counts.failedChecks.join(', ')}`] : [],
    )
    const warnings = (plan?.warnings ?? []).map((warning) => `- ${warning}`)
    setCurrentDetails([`**${input.sync}**: run ${run}`, '', ...head, ...rows, '', ...failures, ...checks, ...warnings].join('\n'))
  }

  try {
    plan = await startRun.executeWithOptions({ summary: input.sync }, [{ ...input, run }])
    const { vendor, timing } = plan
    describe()
    await inParallel(plan.concurrency, plan.streams, async (stream) => {
      outcomes.push(await readStream(input, { run, stream, vendor, ...(timing ? { timing } : {}) }))
      describe()
    })
  } catch (error) {
    if (isCancellation(error)) cancelled = error
    else failure = noteOf(error)
  }
  const receipt = await CancellationScope.nonCancellable(() =>
    finishRun.executeWithOptions({ summary: input.sync }, [
      {
        sync: input.sync,
        run,
        outcomes: outcomes.map(({ counts: _, ...outcome }) => outcome),
        ...(failure === undefined ? {} : { failure }),
        ...(cancelled === undefined ? {} : { cancelled: true }),
      },
    ]),
  )
  show(receipt.status, receipt.read)
  if (patched('alerts')) await tell(input.sync)
  if (cancelled !== undefined) throw cancelled
  if (receipt.failure !== undefined) throw failed(receipt.failure)
  if (receipt.again !== undefined) await runAgain({ sync: input.sync, definition: receipt.again, kind: 'dependent' })
  return receipt
}

/** The run is settled: an alert that cannot be made or sent now is `weir/watch`'s a minute later, and changes nothing of how it ended. */
async function tell(sync: string): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() => lookAndSend({ sync }))
  } catch (error) {
    log.warn('alerts of a run could not be told', { sync, error: noteOf(error).message })
  }
}
/** The same id goes on as a run of its own: nobody else could start it while this one runs. */
const runAgain = makeContinueAsNewFunc<typeof syncConnection>({
  typedSearchAttributes: [
    { key: keyword('WeirKind'), value: 'dependent' },
    { key: keyword('WeirStatus'), value: 'running' },
  ],
})

/** How a stream ended, with its counts where it came to its end: they are for people, the truth is in the warehouse. */
type Ended = FinishRunInput['outcomes'][number] & { counts?: StreamOutcome }

type StreamStart = { run: string; stream: string; vendor: string; timing?: NonNullable<RunPlan['timing']> }

async function readStream(input: RunInput, { vendor, ...start }: StreamStart): Promise<Ended> {
  const { sync, definition, full, accept } = input
  const { stream } = start
  try {
    const outcome = await executeChild(syncStream, {
      workflowId: `stream/${sync}/${stream}`,
      args: [{ sync, definition, ...start, ...(full ? { full } : {}), ...(accept ? { accept } : {}) }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      workflowTaskTimeout: workflowTaskMs,
      staticSummary: `${sync} / ${stream}`,
      typedSearchAttributes: [
        { key: keyword('WeirSync'), value: sync },
        { key: keyword('WeirStream'), value: stream },
        { key: keyword('WeirVendor'), value: vendor },
        { key: keyword('WeirKind'), value: input.kind },
        { key: keyword('WeirStatus'), value: 'running' },
      ],
    })
    return { stream, status: outcome.status, counts: outcome }
  } catch (error) {
    if (isCancellation(error)) throw error
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      return {
        stream,
        status: 'skipped',
        failure: { reason: 'config', message: `Stream ${stream} is being read by another run; this one left it alone.` },
      }
    }
    return { stream, status: 'failed', failure: noteOf(error) }
  }
}
