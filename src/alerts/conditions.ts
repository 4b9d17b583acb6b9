/** What is wrong with a sync, out of what `_weir` says of it. Pure: the same facts give the same conditions, whoever looks. */
import type { AlertSeverity, Freshness } from '../core/alerts.js'
import type { Definition } from '../core/definition.js'
import { awaited, type Reason, reasons } from '../core/failure.js'
import { completeAt, spanText } from '../core/freshness.js'
import type { Condition, FactOfChange, StreamFacts, SyncFacts } from '../warehouse/contract/alerts.js'

/** Where no target says how long a wait may be. */
const quotaWaitMs = 30 * 60_000

export interface Conditions {
  /** What is so, until it is no more. */
  lasting: Condition[]
  /** What has happened. */
  happened: Condition[]
}

export function conditionsOf(facts: SyncFacts, definition: Definition): Conditions {
  const lasting = [
    ...runFailed(facts),
    ...backfillFailed(facts),
    ...facts.streams.flatMap((stream) => [
      ...streamFailed(stream),
      ...stale(facts, stream, definition),
      ...deadLetters(stream),
      ...badQuality(stream, definition),
      ...quotaWait(stream, definition),
      ...approval(stream),
    ]),
  ]
  return { lasting, happened: facts.streams.flatMap(schemaChanges) }
}

/** Where nobody needs to act it may pass by itself. */
export const severityOf = (reason: string): AlertSeverity => (reasons[reason as Reason]?.who === 'nobody' ? 'warning' : 'error')

/** A run that failed before, or beside, its streams: what a stream failed of is said of the stream. */
function runFailed({ lastRun }: SyncFacts): Condition[] {
  if (!lastRun || !['failed', 'partial'].includes(lastRun.status) || lastRun.failedStreams > 0) return []
  const { reason, message } = lastRun.failure ?? { reason: 'bug', message: 'The run failed and did not say why.' }
  return [{ stream: '', kind: 'failed', severity: severityOf(reason), reason, message, run: lastRun.run, since: lastRun.finishedAt }]
}

function backfillFailed({ failedBackfills = [] }: SyncFacts): Condition[] {
  const [newest, ...others] = failedBackfills
  if (!newest) return []
  const { reason, message } = newest.failure ?? { reason: 'bug', message: 'It failed and did not say why.' }
  const more =
    others.length === 0
      ? ''
      : ` And ${others.length} more: ${others
          .map(({ id }) => id)
          .slice(0, 5)
          .join(', ')}.`
  const about = `Backfill ${newest.id}: ${message}${more}`
  return [{ stream: '', kind: 'backfill', severity: severityOf(reason), reason, message: about, since: newest.finishedAt }]
}

function streamFailed({ stream, last }: StreamFacts): Condition[] {
  // A check that blocks is told as one of quality.
  if (last?.status !== 'failed' || last.failure?.reason === 'quality') return []
  const { reason, message } = last.failure ?? { reason: 'bug', message: 'The stream failed and did not say why.' }
  return [{ stream, kind: 'failed', severity: severityOf(reason), reason, message, run: last.run, since: last.finishedAt }]
}

function stale(facts: SyncFacts, stream: StreamFacts, definition: Definition): Condition[] {
  const own = definition.streams[stream.stream]?.freshness
  const freshness: Freshness | undefined = own === 'off' ? undefined : (own ?? definition.freshness)
  const at = completeAt(stream, facts.appliedAt)
  if (freshness === undefined || at === undefined) return []
  const { warnMs = Number.POSITIVE_INFINITY, failMs = Number.POSITIVE_INFINITY } = freshness
  const ageMs = Date.parse(facts.now) - Date.parse(at)
  const allowedMs = Math.min(warnMs, failMs)
  if (ageMs <= allowedMs) return []
  const wasNever = stream.completedFrom === undefined && stream.watermark === undefined
  const fails = stream.last?.status === 'failed' && stream.last.finishedAt > (stream.completedFrom ?? '')
  const why = fails ? 'Its runs fail.' : 'No run has brought it further: does its schedule fire, is a worker there?'
  const age = `${wasNever ? 'It was never complete, for' : `It is complete up to ${at}, which is`} ${spanText(ageMs)}`
  return [
    {
      stream: stream.stream,
      kind: 'stale',
      severity: ageMs > failMs ? 'error' : 'warning',
      reason: fails ? 'runs_fail' : 'no_run',
      message: `${age}${wasNever ? '' : ' ago'}; ${spanText(ageMs > failMs ? failMs : allowedMs)} are allowed. ${why}`,
      ...(stream.last ? { run: stream.last.run } : {}),
      since: new Date(Date.parse(at) + allowedMs).toISOString(),
    },
  ]
}

function deadLetters({ stream, letters }: StreamFacts): Condition[] {
  const [most] = letters
  if (!most) return []
  const total = letters.reduce((sum, one) => sum + one.letters, 0)
  const parts = letters.map(({ reason, letters: count }) => `${count} ${reason}`).join(', ')
  const newest = letters
    .map(({ newestAt }) => newestAt)
    .sort()
    .at(-1)!
  return [
    {
      stream,
      kind: 'dead_letters',
      severity: 'warning',
      message: `${total} dead letter${total === 1 ? ' is' : 's are'} open (${parts}), the newest of ${newest}.`,
      since: letters.map(({ firstSeenAt }) => firstSeenAt).sort()[0]!,
    },
  ]
}

function badQuality({ stream, checks }: StreamFacts, definition: Definition): Condition[] {
  const [first] = checks
  // Results of checks that are no longer asked for say nothing of now.
  if (!first || !definition.streams[stream]?.quality?.length) return []
  const others =
    checks.length === 1
      ? ''
      : ` And ${checks.length - 1} more: ${checks
          .slice(1, 6)
          .map(({ check }) => check)
          .join(', ')}.`
  const severity = checks.some(({ isBlocking }) => isBlocking) ? 'error' : 'warning'
  return [{ stream, kind: 'quality', severity, message: `${first.message}${others}`, run: first.run, since: first.checkedAt }]
}

function quotaWait({ stream, wait }: StreamFacts, definition: Definition): Condition[] {
  if (!wait) return []
  const bounds = (definition.alerts ?? []).filter(({ on }) => on.includes('quota_wait')).map((target) => target.quotaWaitMs)
  const waitMs = Date.parse(wait.until) - Date.parse(wait.since)
  if (waitMs <= (bounds.length === 0 ? quotaWaitMs : Math.min(...bounds))) return []
  const message = `It waits for ${awaited(wait.for)} since ${wait.since} until ${wait.until}: ${spanText(waitMs)}.`
  return [{ stream, kind: 'quota_wait', severity: 'warning', message, since: wait.since, waitMs }]
}

function approval({ stream, pending }: StreamFacts): Condition[] {
  const [first] = pending
  if (!first) return []
  const many = pending.length === 1 ? '1 schema change waits' : `${pending.length} schema changes wait`
  const message = `${many} for a decision: ${changesText(pending)}. Until then values stand in _weir_extra.`
  return [{ stream, kind: 'approval', severity: 'warning', message, since: first.createdAt }]
}

function schemaChanges({ stream, changes }: StreamFacts): Condition[] {
  const [first] = changes
  if (!first) return []
  return [{ stream, kind: 'schema_change', severity: 'warning', message: `${changesText(changes)}.`, since: first.createdAt }]
}

const changesShown = 10

function changesText(changes: readonly FactOfChange[]): string {
  const shown = changes
    .slice(0, changesShown)
    .map(({ change, field, id }) => `${change.replaceAll('_', ' ')}${field ? ` ${field}` : ''} (${id})`)
  return `${shown.join(', ')}${changes.length > changesShown ? ` and ${changes.length - changesShown} more` : ''}`
}
