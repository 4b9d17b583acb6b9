/** What the status page shows, worked out of an overview of the warehouse. Pure; `/status.json` is this. */
import type { RunStatus } from '../core/activities.js'
import { awaited } from '../core/failure.js'
import type { BackfillRow } from '../warehouse/contract/backfills.js'
import type { BudgetReport, LettersOfReason, Overview, RunReport, StreamStatus } from '../warehouse/contract/reports.js'
import type { Bar } from './chart.js'

/** A backfill as its own store tells it. */
export type ShownBackfill = Pick<
  BackfillRow,
  | 'id'
  | 'sync'
  | 'streams'
  | 'from'
  | 'to'
  | 'status'
  | 'createdAt'
  | 'slices'
  | 'read'
  | 'loaded'
  | 'unchanged'
  | 'deadLetters'
  | 'endsAt'
  | 'failure'
>

export interface ViewOptions {
  backfills: readonly ShownBackfill[]
  /** Where Temporal's UI is; without one nothing is linked. */
  temporalUi: string | undefined
  namespace: string
  /** So many days of each chart. */
  days: number
}

interface Linked {
  /** The workflow in the Temporal UI. */
  url?: string
}

export interface StatusView {
  /** ISO instant, of the warehouse's clock. */
  at: string
  temporalUi?: string
  syncs: {
    sync: string
    connection?: string
    vendor?: string
    schema?: string
    /** ISO instant of the end of the last run of any of its streams that completed, and how long ago. */
    lastCompletedAt?: string
    lastCompletedSeconds?: number
    days: Bar[]
    streams: (Pick<
      StreamStatus,
      'stream' | 'status' | 'deadLetters' | 'completeUpTo' | 'lastCompletedAt' | 'openSlices' | 'openDeadLetters'
    > &
      Linked & {
        /** How far behind the clock its table is complete. */
        behindSeconds?: number
        trouble?: string
      })[]
  }[]
  runs: (Pick<
    RunReport,
    'run' | 'sync' | 'kind' | 'startedAt' | 'finishedAt' | 'seconds' | 'read' | 'loaded' | 'unchanged' | 'deadLetters' | 'requests'
  > &
    Linked & { status: RunStatus; trouble?: string })[]
  backfills: (ShownBackfill & Linked)[]
  budgets: BudgetReport[]
  letters: (LettersOfReason & { next: string })[]
  /** What waits for a person. */
  pending: { what: string; since: string; next: string }[]
}

export function viewOf(overview: Overview, { backfills, temporalUi, namespace, days }: ViewOptions): StatusView {
  const nowMs = Date.parse(overview.at)
  const linkTo = (workflow: string | undefined, run?: string): Linked =>
    temporalUi === undefined || workflow === undefined
      ? {}
      : {
          url: [temporalUi.replace(/\/$/, ''), 'namespaces', namespace, 'workflows', workflow, run]
            .filter((part) => part !== undefined)
            .map((part, i) => (i === 0 ? part : encodeURIComponent(part)))
            .join('/'),
        }
  const since = (instant: string) => Math.max(0, (nowMs - Date.parse(instant)) / 1_000)
  const names = [...new Set([...Object.keys(overview.syncs), ...overview.statuses.map(({ sync }) => sync)])].sort()
  return {
    at: overview.at,
    ...(temporalUi === undefined ? {} : { temporalUi }),
    syncs: names.map((sync) => {
      const streams = overview.statuses.filter((one) => one.sync === sync)
      const last = streams
        .flatMap(({ lastCompletedAt }) => lastCompletedAt ?? [])
        .sort()
        .at(-1)
      return {
        sync,
        ...overview.syncs[sync],
        ...(last === undefined ? {} : { lastCompletedAt: last, lastCompletedSeconds: since(last) }),
        days: daysOf(overview, sync, days),
        streams: streams.map((one) => ({
          stream: one.stream,
          status: one.status,
          deadLetters: one.deadLetters,
          ...(one.completeUpTo === undefined ? {} : { completeUpTo: one.completeUpTo, behindSeconds: since(one.completeUpTo) }),
          ...(one.lastCompletedAt === undefined ? {} : { lastCompletedAt: one.lastCompletedAt }),
          openSlices: one.openSlices,
          openDeadLetters: one.openDeadLetters,
          ...troubleOf(one),
          ...linkTo(`stream/${sync}/${one.stream}`),
        })),
      }
    }),
    runs: overview.runs.map((one) => ({
      run: one.run,
      sync: one.sync,
      kind: one.kind,
      status: one.status,
      startedAt: one.startedAt,
      ...(one.finishedAt === undefined ? {} : { finishedAt: one.finishedAt }),
      seconds: one.seconds,
      read: one.read,
      loaded: one.loaded,
      unchanged: one.unchanged,
      deadLetters: one.deadLetters,
      requests: one.requests,
      ...troubleOf(one),
      ...linkTo(one.workflow, one.run),
    })),
    backfills: backfills.map((one) => ({ ...one, ...linkTo(`backfill/${one.sync}/${one.id}`) })),
    budgets: overview.budgets,
    letters: overview.letters.map((one) => ({ ...one, next: `weir dlq list ${one.sync} --stream ${one.stream} --reason ${one.reason}` })),
    pending: overview.pending.map(({ id, sync, stream, field, type, createdAt }) => ({
      what: `New field "${field}" (${type}) in ${sync}/${stream}: its values wait in _weir_extra`,
      since: createdAt,
      next: `weir changes approve ${id}`,
    })),
  }
}

/** What stands in the way: what, why, whose move, the next command; or what is waited for. */
function troubleOf(one: StreamStatus | RunReport): { trouble?: string } {
  if (one.failure) return { trouble: `${one.failure.message} Reason: ${one.failure.reason}. Whose move: ${one.acts}. Next: ${one.next}` }
  if (one.wait) return { trouble: `Waits for ${awaited(one.wait.for)} until ${one.wait.until}; it goes on by itself.` }
  const pause = 'pause' in one && one.finishedAt === undefined ? one.pause : undefined
  return pause ? { trouble: `Paused by ${pause.by} since ${pause.at}: ${pause.reason}. Next: weir resume ${one.sync}` } : {}
}

/** One bar a day, those without a run too, the newest last. */
function daysOf({ at, days: known }: Overview, sync: string, days: number): Bar[] {
  return Array.from({ length: days }, (_, i) => {
    const day = new Date(Date.parse(at) - (days - 1 - i) * 86_400_000).toISOString().slice(0, 10)
    const found = known.find((one) => one.sync === sync && one.day === day)
    return { day, rows: found?.loaded ?? 0, failed: found?.failed ?? 0 }
  })
}
