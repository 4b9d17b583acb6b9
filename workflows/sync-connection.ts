import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  type ChildWorkflowHandle,
  isCancellation,
  makeContinueAsNewFunc,
  ParentClosePolicy,
  patched,
  proxyActivities,
  setCurrentDetails,
  startChild,
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
import type { Pause } from '../src/core/pause.js'
import { labels } from '../src/core/run-start.js'
import { countCells, countHead, failureText, pauseText, statusWords, table } from './details.js'
import { inParallel } from './in-parallel.js'
import { type Pausing, pauseOfRun, takePauses } from './pause.js'
import { policies } from './policies.js'
import { failed, itsTurnAgain, noteOf, show } from './status.js'
import { syncStream } from './sync-stream.js'
import { tellAlerts } from './watch.js'

/** One run of a sync: a child a stream, side by side. One that fails does not stop its siblings. */
export async function syncConnection(input: RunInput): Promise<RunReceipt> {
  const { sync, definition, kind } = input
  const { startRun, finishRun } = proxyActivities<Activities>(policies().step)
  const run = workflowInfo().runId
  const outcomes: Ended[] = []
  const reading: Reading = new Map()
  let plan: RunPlan | undefined
  let end: RunReceipt | undefined
  let failure: FailureNote | undefined
  let cancelled: unknown

  const describe = () => setCurrentDetails(detailsOf({ sync, run, plan, reading, outcomes, paused: pauses.now, end }))
  const pauses = takePauses({ run, sync, starts: { definition, kind } }, undefined, {
    changed: async (pause) => {
      describe()
      for (const child of reading.values()) await tellPause(child, pause)
    },
  })

  describe()

  try {
    plan = await startRun.executeWithOptions({ summary: `note the start of ${sync}, list its streams` }, [{ ...input, run }])
    const { vendor, timing } = plan
    describe()
    await inParallel(plan.concurrency, plan.streams, async (stream) => {
      await pauses.gate()
      const start = { run, stream, vendor, ...(timing ? { timing } : {}) }
      outcomes.push(await readStream(input, start, { reading, pauses, describe }))
      describe()
    })
  } catch (error) {
    if (isCancellation(error)) cancelled = error
    else failure = noteOf(error)
  }
  await pauses.close()
  end = await CancellationScope.nonCancellable(() =>
    finishRun.executeWithOptions({ summary: `note the end of ${sync}, add its streams up` }, [
      {
        sync,
        run,
        outcomes: outcomes.map(({ counts: _, ...outcome }) => outcome),
        ...(failure === undefined ? {} : { failure }),
        ...(cancelled === undefined ? {} : { cancelled: true }),
      },
    ]),
  )
  describe()
  show(end.status, end.read)
  if (patched('alerts')) await tellAlerts({ sync })
  if (cancelled !== undefined) throw cancelled
  if (end.failure !== undefined) throw failed(end.failure)
  if (end.again !== undefined) await runAgain({ sync, definition: end.again, kind: 'dependent' })
  return end
}

/** The same id goes on as a run of its own: nobody else could start it while this one runs. */
const runAgain = makeContinueAsNewFunc<typeof syncConnection>(itsTurnAgain)

/** How a stream ended, with its counts where it came to its end: they are for people, the truth is in the warehouse. */
type Ended = FinishRunInput['outcomes'][number] & { counts?: StreamOutcome }
/** Children that run now, by stream. */
type Reading = Map<string, ChildWorkflowHandle<typeof syncStream>>

type StreamStart = { run: string; stream: string; vendor: string; timing?: NonNullable<RunPlan['timing']> }

async function readStream(
  input: RunInput,
  { vendor, ...start }: StreamStart,
  { reading, pauses, describe }: { reading: Reading; pauses: Pausing; describe: () => void },
): Promise<Ended> {
  const { sync, definition, full, accept } = input
  const { stream } = start
  try {
    const child = await startChild(syncStream, {
      workflowId: `stream/${sync}/${stream}`,
      args: [{ sync, definition, ...start, ...(full ? { full } : {}), ...(accept ? { accept } : {}) }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      workflowTaskTimeout: workflowTaskMs,
      staticSummary: `${sync} / ${stream}`,
      staticDetails: `Reads stream ${stream} of sync ${sync} for the run \`${start.run}\`.`,
      ...labels({ sync, stream, vendor, kind: input.kind, definition, tellsStatus: true }),
    })
    reading.set(stream, child)
    describe()
    // Paused while it was being started: its slices are new ones.
    if (pauses.now) await tellPause(child, pauses.now)
    const outcome = await child.result()
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
  } finally {
    reading.delete(stream)
  }
}

/** A stream that has ended meanwhile has nothing left to pause: the server says that it is not there. */
async function tellPause(child: ChildWorkflowHandle<typeof syncStream>, pause: Pause | undefined): Promise<void> {
  await child.signal(pauseOfRun, pause ?? null).catch((error: unknown) => {
    if (isCancellation(error)) throw error
  })
}

interface Shown {
  sync: string
  run: string
  plan: RunPlan | undefined
  reading: Reading
  outcomes: readonly Ended[]
  paused: Pause | undefined
  end: RunReceipt | undefined
}

function detailsOf({ sync, run, plan, reading, outcomes, paused, end }: Shown): string {
  const streams = plan?.streams ?? []
  const rows = streams.map((stream) => {
    const ended = outcomes.find((outcome) => outcome.stream === stream)
    const status = ended ? statusWords(ended.status, ended.counts?.deadLetters) : reading.has(stream) ? 'being read' : 'comes next'
    return [stream, status, ...(ended?.counts ? countCells(ended.counts) : ['', '', '', ''])]
  })
  const head = end
    ? `**${sync}**: ${statusWords(end.status, end.deadLetters)}.`
    : `**${sync}**: ${outcomes.length} of ${streams.length} streams done, ${reading.size} being read.`
  const failures = outcomes.flatMap(({ stream, failure }) => (failure ? [failureText(failure, { sync, run, stream })] : []))
  const checks = outcomes.flatMap(({ stream, counts }) =>
    counts?.failedChecks?.length ? [`- **${stream}**: quality checks that did not pass: ${counts.failedChecks.join(', ')}`] : [],
  )
  return [
    head,
    ...(paused && !end
      ? [pauseText(paused, { finishes: 'Slices under way are finished, no new one starts.', resume: `weir resume ${sync}` })]
      : []),
    table(['stream', 'status'], countHead, rows),
    ...(failures.length > 0 ? ['What failed:', failures.join('\n')] : []),
    ...(checks.length > 0 ? [checks.join('\n')] : []),
    ...(plan?.warnings?.length ? [plan.warnings.map((warning) => `- ${warning}`).join('\n')] : []),
    `All of it at a terminal: \`weir runs show ${run}\`, in the order of time: \`weir logs ${run}\`.`,
  ].join('\n\n')
}
