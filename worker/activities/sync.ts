import type { Activities, FailureNote, FinishRunInput, RunStatus } from '../../src/core/activities.js'
import type { Definition } from '../../src/core/definition.js'
import { Failure } from '../../src/core/failure.js'
import { noCounts, sum } from '../../src/core/receipt.js'
import type { Counts } from '../../src/core/types.js'
import { applyChange } from '../../src/engine/apply-change.js'
import { checkQuality } from '../../src/engine/check-quality.js'
import { requireLetterKey } from '../../src/engine/dead-letters.js'
import { finishStream } from '../../src/engine/finish-stream.js'
import { planSlices } from '../../src/engine/plan-slices.js'
import { syncSlice } from '../../src/engine/sync-slice.js'
import { modeOf } from '../../src/engine/table-spec.js'
import type { Labels, Meter } from '../../src/observe/metrics.js'
import type { ConnectOptions, Deps } from '../deps.js'
import { running, workflowId } from './context.js'
import { startDependents } from './dependents.js'
import { openStream } from './open-stream.js'

/**
 * An attempt that follows a failed one hands its slice back so soon, with what it committed, and is called anew: Temporal's back-off then
 * begins anew too. Otherwise it would double with each of many kills, up to minutes, however much was loaded between them.
 */
const handBackMs = 1_000
/** A backfill gives its place in the worker back so soon: in the queue live work goes before it. */
const backfillWorkMs = 60_000

/** Everything a run of a sync asks of the worker. Thin: dependencies in, engine called, receipt out. */
export function syncActivities(deps: Deps): Activities {
  const { warehouse, clock, redact, meter, trace } = deps

  const open = (hash: string, name: string, signal: AbortSignal, options?: ConnectOptions) => openStream(deps, hash, name, signal, options)

  return {
    startRun: (input) =>
      running(redact, async () => {
        const { run, sync, definition: hash, kind } = input
        const definition = await warehouse.definitions.get(hash)
        const warnings = (await deps.warnings?.(definition)) ?? []
        await warehouse.runs.start({ run, sync, definition: hash, kind, workflow: workflowId(), warnings })
        for (const warning of warnings) deps.log.warn(warning, { sync, run })
        const unknown = input.streams?.filter((name) => definition.streams[name] === undefined) ?? []
        if (unknown.length > 0)
          throw new Failure(
            'config',
            `Sync ${sync} does not read ${unknown.join(', ')}; it reads ${Object.keys(definition.streams).join(', ')}.`,
            { sync },
          )
        const streams = input.streams ?? Object.keys(definition.streams)
        await requireLetterKey(warehouse, definition, streams)
        return { streams, vendor: definition.connection.type, concurrency: definition.concurrency, timing: deps.timing, warnings }
      }),

    planSlices: ({ definition: hash, run, stream: name, full, accept }) =>
      running(redact, async ({ signal }) => {
        const { definition, stream, http } = await open(hash, name, signal)
        return planSlices({ warehouse, http, definition, stream, run, full: full ?? false, accept, now: clock.now() })
      }),

    syncSlice: ({ sync, definition: hash, run, stream: name, slice: key, backfill }) =>
      running(redact, async ({ signal, owner, attemptAt, attempt, report }) => {
        const onWait = (until: string) => {
          report({ waitingForQuotaUntil: until })
          // Only for people: where it cannot be written, what waits goes on.
          warehouse.slices
            .waits({ sync, stream: name, run, key, backfill }, { until, for: 'quota' })
            .catch((error: unknown) => deps.log.debug(String(error), { sync, stream: name, run }))
        }
        const priority = backfill === undefined ? 'live' : 'backfill'
        const { definition, stream, http } = await open(hash, name, signal, { onWait, priority })
        const onProgress = ({ read, loaded }: { read: number; loaded: number }, reached?: string) =>
          report({ read, loaded, ...(reached === undefined ? {} : { reached }) })
        const limits = attempt > 1 ? { workMs: handBackMs } : backfill === undefined ? {} : { workMs: backfillWorkMs }
        const labels = labelsOf(definition, name)
        const onCommit = (added: Counts, tookMs: number) => {
          countRows(meter, labels, added)
          meter.record('weir_commit_seconds', tookMs / 1_000, labels)
        }
        const what = { definition, stream, run, backfill, key, owner, attemptAt }
        const input = { warehouse, http, clock, ...what, signal, onProgress, onCommit, trace, limits }
        const { counts, ...end } = await syncSlice(input)
        if (end.waitUntil !== undefined) {
          const seconds = Math.max(0, Date.parse(end.waitUntil) - clock.now().getTime()) / 1_000
          meter.record('weir_wait_seconds', seconds, { sync: labels.sync, vendor: labels.vendor })
        }
        return { ...counts, ...end }
      }),

    finishStream: ({ definition: hash, run, stream: name, failure, cancelled, accept, backfill }) =>
      running(redact, async ({ signal }) => {
        const { definition, stream } = await open(hash, name, signal)
        const row = await finishStream({ warehouse, definition, stream, run, backfill, failure, cancelled, accept })
        const labels = labelsOf(definition, name)
        meter.add('weir_stream_runs_total', 1, { ...labels, status: row.status, reason: row.failure?.reason ?? 'none' })
        meter.add('weir_rows_deleted_total', row.deleted, labels)
        // Of a snapshot it is known only now what was loaded.
        if (modeOf(definition, stream) === 'replace') countRows(meter, labels, { ...row, read: 0, deadLetters: 0 })
        const checks = definition.streams[name]?.quality?.length ?? 0
        return {
          ...sum([row]),
          stream: name,
          status: row.status,
          ...(row.failure ? { failure: row.failure } : {}),
          ...(checks > 0 ? { checks } : {}),
        }
      }),

    checkQuality: ({ definition: hash, run, stream: name }) =>
      running(redact, async ({ signal }) => {
        const { definition, stream, http } = await open(hash, name, signal)
        const receipt = await checkQuality({ warehouse, http, definition, stream, run, now: clock.now(), signal, redact })
        meter.add('weir_quality_failures_total', receipt.failedChecks.length, labelsOf(definition, name))
        return receipt
      }),

    applyChange: ({ definition: hash, stream: name, change, after }) =>
      running(redact, async ({ signal, owner }) => {
        const { definition, stream } = await open(hash, name, signal)
        return applyChange({ warehouse, definition, stream, run: owner, change, after })
      }),

    finishRun: ({ sync, run, outcomes, failure, cancelled }) =>
      running(redact, async () => {
        const rows = await warehouse.runs.streams(run)
        const counts = sum([noCounts(), ...rows])
        const status = cancelled ? 'cancelled' : failure ? 'failed' : statusOf(outcomes.map((outcome) => outcome.status))
        const note = failure ?? noteOf(outcomes)
        const seconds = await warehouse.runs.finish(run, status, counts, note)
        if (seconds !== undefined) {
          meter.add('weir_runs_total', 1, { sync, status, reason: note?.reason ?? 'none' })
          meter.record('weir_run_seconds', seconds, { sync, status })
        }
        const again = await startDependents(deps, sync)
        deps.log.info(`sync ${sync}: ${status}`, { sync, run, read: counts.read, loaded: counts.loaded, deadLetters: counts.deadLetters })
        return { ...counts, status, ...(note && !cancelled ? { failure: note } : {}), ...(again ? { again } : {}) }
      }),
  }
}

type StreamLabels = Labels<'weir_rows_loaded_total'>

const labelsOf = ({ sync, connection }: Definition, stream: string): StreamLabels => ({ sync, stream, vendor: connection.type })

function countRows(meter: Meter, labels: StreamLabels, { read, loaded, unchanged, deadLetters }: Counts): void {
  meter.add('weir_records_read_total', read, labels)
  meter.add('weir_rows_loaded_total', loaded, labels)
  meter.add('weir_rows_unchanged_total', unchanged, labels)
  meter.add('weir_dead_letters_total', deadLetters, labels)
}

/** The first failure whole, the others by name: each stream's own run has its own. */
function noteOf(outcomes: FinishRunInput['outcomes']): FailureNote | undefined {
  const failed = outcomes.filter((outcome) => outcome.failure)
  const [first, ...others] = failed
  if (!first?.failure) return undefined
  const rest = others.length === 0 ? '' : ` Also not completed: ${others.map(({ stream }) => stream).join(', ')}.`
  return {
    reason: first.failure.reason,
    message: `${failed.length} of ${outcomes.length} streams did not complete. ${first.stream}: ${first.failure.message}${rest}`,
  }
}

/** A run's status out of its streams': all well, some, or none. */
export function statusOf(streams: readonly RunStatus[]): RunStatus {
  const isGood = (status: RunStatus) => status === 'completed' || status === 'completed_with_dead_letters'
  const good = streams.filter(isGood).length
  if (good === streams.length) return streams.includes('completed_with_dead_letters') ? 'completed_with_dead_letters' : 'completed'
  return good === 0 ? 'failed' : 'partial'
}
