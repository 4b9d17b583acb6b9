import type { Activities, FailureNote, FinishRunInput, RunStatus } from '../../src/core/activities.js'
import { Failure } from '../../src/core/failure.js'
import { noCounts, sum } from '../../src/core/receipt.js'
import { applyChange } from '../../src/engine/apply-change.js'
import { checkQuality } from '../../src/engine/check-quality.js'
import { requireLetterKey } from '../../src/engine/dead-letters.js'
import { finishStream } from '../../src/engine/finish-stream.js'
import { planSlices } from '../../src/engine/plan-slices.js'
import { syncSlice } from '../../src/engine/sync-slice.js'
import type { Deps } from '../deps.js'
import { running, workflowId } from './context.js'

/**
 * An attempt that follows a failed one hands its slice back so soon, with what it committed, and is called anew: Temporal's back-off then
 * begins anew too. Otherwise it would double with each of many kills, up to minutes, however much was loaded between them.
 */
const handBackMs = 1_000

/** Everything a run of a sync asks of the worker. Thin: dependencies in, engine called, receipt out. */
export function syncActivities(deps: Deps): Activities {
  const { warehouse, clock, redact } = deps

  /** The definition, its stream and a client for its vendor. */
  const open = async (hash: string, name: string, signal: AbortSignal) => {
    const definition = await warehouse.definitions.get(hash)
    const { source, http } = await deps.connect(definition, signal)
    const stream = source.streams[name]
    if (!stream)
      throw new Failure('config', `${definition.connection.type} has no stream ${name}.`, { sync: definition.sync, stream: name })
    return { definition, stream, http }
  }

  return {
    startRun: (input) =>
      running(redact, async () => {
        const { run, sync, definition: hash, kind } = input
        const definition = await warehouse.definitions.get(hash)
        await warehouse.runs.start({ run, sync, definition: hash, kind, workflow: workflowId() })
        const unknown = input.streams?.filter((name) => definition.streams[name] === undefined) ?? []
        if (unknown.length > 0)
          throw new Failure(
            'config',
            `Sync ${sync} does not read ${unknown.join(', ')}; it reads ${Object.keys(definition.streams).join(', ')}.`,
            { sync },
          )
        const streams = input.streams ?? Object.keys(definition.streams)
        await requireLetterKey(warehouse, definition, streams)
        return { streams, vendor: definition.connection.type, concurrency: definition.concurrency, timing: deps.timing }
      }),

    planSlices: ({ definition: hash, run, stream: name, full, accept }) =>
      running(redact, async ({ signal }) => {
        const { definition, stream, http } = await open(hash, name, signal)
        return planSlices({ warehouse, http, definition, stream, run, full: full ?? false, accept, now: clock.now() })
      }),

    syncSlice: ({ definition: hash, run, stream: name, slice: key }) =>
      running(redact, async ({ signal, owner, attempt, report }) => {
        const { definition, stream, http } = await open(hash, name, signal)
        const onProgress = ({ read, loaded }: { read: number; loaded: number }, reached?: string) =>
          report({ read, loaded, ...(reached === undefined ? {} : { reached }) })
        const limits = attempt > 1 ? { workMs: handBackMs } : {}
        const input = { warehouse, http, clock, definition, stream, run, key, owner, signal, onProgress, limits }
        const { counts, ...end } = await syncSlice(input)
        return { ...counts, ...end }
      }),

    finishStream: ({ definition: hash, run, stream: name, failure, cancelled, accept }) =>
      running(redact, async ({ signal }) => {
        const { definition, stream } = await open(hash, name, signal)
        const row = await finishStream({ warehouse, definition, stream, run, failure, cancelled, accept })
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
        return checkQuality({ warehouse, http, definition, stream, run, now: clock.now(), signal, redact })
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
        await warehouse.runs.finish(run, status, counts, note)
        deps.log.info(`sync ${sync}: ${status}`, { sync, run, read: counts.read, loaded: counts.loaded, deadLetters: counts.deadLetters })
        return { ...counts, status, ...(note && !cancelled ? { failure: note } : {}) }
      }),
  }
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
