/** The words of a message: what, why, whose move, the command to run next. */
import type { AlertEvent, AlertKind, AlertMessage } from '../core/alerts.js'
import type { Definition } from '../core/definition.js'
import { type Reason, reasons } from '../core/failure.js'
import type { Condition } from '../warehouse/contract/alerts.js'

const shownItems = 20
const longestItem = 400

/** What a message is about: a sync as it is defined, or an audience as `audience/NAME`, with its destinations for streams. */
export interface Subject extends Pick<Definition, 'sync' | 'project' | 'alerts'> {
  streams: Readonly<Record<string, unknown>>
  connection: { name: string }
}
export const isAudience = (sync: string): boolean => sync.startsWith('audience/')

/** @param about conditions of one kind and one reason */
export function messageOf(about: readonly Condition[], event: AlertEvent, definition: Subject, now: string): AlertMessage {
  const { kind, severity, reason } = about[0]!
  const { sync, project } = definition
  const run = about.find((one) => one.run !== undefined)?.run
  return {
    project,
    sync,
    event,
    kind,
    severity,
    title: titleOf(about, event, sync),
    ...(reason === undefined ? {} : { reason }),
    items: about.slice(0, shownItems).map(({ stream, message, since }) => ({
      ...(stream === '' ? {} : { stream }),
      message: message.length > longestItem ? `${message.slice(0, longestItem)}…` : message,
      since,
    })),
    more: Math.max(0, about.length - shownItems),
    acts: event === 'resolved' ? 'nobody' : actsOn(kind, reason),
    command: commandFor(kind, reason, definition),
    ...(run === undefined ? {} : { run }),
    at: now,
  }
}

/** A message by which a person sees that a target is reached. */
export const testMessage = (definition: Definition, now: string): AlertMessage => ({
  project: definition.project,
  sync: definition.sync,
  event: 'test',
  kind: 'test',
  severity: 'warning',
  title: `test of the alerts of sync ${definition.sync}`,
  items: [{ message: 'Somebody asked Weir to send this. Nothing is wrong.', since: now }],
  more: 0,
  acts: 'nobody',
  command: 'weir alerts',
  at: now,
})

const verbs: Record<AlertKind, readonly [one: string, many: string]> = {
  failed: ['failed', 'failed'],
  stale: ['is stale', 'are stale'],
  schema_change: ['has changed its schema', 'have changed their schemas'],
  dead_letters: ['has open dead letters', 'have open dead letters'],
  quality: ['fails quality checks', 'fail quality checks'],
  quota_wait: ["waits for the vendor's quota", "wait for the vendor's quota"],
  approval: ['has schema changes that wait for a decision', 'have schema changes that wait for a decision'],
  backfill: ['has a backfill that failed', 'have backfills that failed'],
  decision: ['waits for a decision', 'wait for a decision'],
  held: ['is held', 'are held'],
  rejections: ['has members refused', 'have members refused'],
}
const prefixes: Record<AlertEvent, string> = {
  opened: '',
  worsened: 'now an error: ',
  repeated: 'still: ',
  resolved: 'resolved: ',
  test: '',
}

function titleOf(about: readonly Condition[], event: AlertEvent, sync: string): string {
  const [{ kind, reason, stream }] = about as [Condition]
  const many = about.length > 1
  const whole = isAudience(sync) ? sync.replace('/', ' ') : `sync ${sync}`
  const parts = isAudience(sync) ? 'destinations' : 'streams'
  const who = many ? `${about.length} ${parts} of ${sync}` : stream === '' ? whole : `${sync}/${stream}`
  const why = kind === 'failed' && reason !== undefined && event !== 'resolved' ? ` (${reason})` : ''
  return `${prefixes[event]}${who} ${verbs[kind][many ? 1 : 0]}${why}`
}

function actsOn(kind: AlertKind, reason: string | undefined): string {
  switch (kind) {
    case 'failed':
    case 'backfill':
      return reasons[reason as Reason]?.who ?? reasons.bug.who
    case 'decision':
      return 'user: approve or reject'
    case 'held':
      return 'user: mend what holds it'
    case 'rejections':
      return 'user: look at who was refused, and why'
    case 'stale':
      return reason === 'runs_fail' ? 'whoever mends what its runs fail of' : 'operator: worker, Temporal or schedule'
    case 'quality':
      return reasons.quality.who
    case 'dead_letters':
      return reasons.threshold.who
    case 'approval':
      return 'user: approve or reject'
    case 'schema_change':
    case 'quota_wait':
      return 'nobody'
  }
}

function commandFor(kind: AlertKind, reason: string | undefined, { sync, connection }: Subject): string {
  const audience = sync.replace('audience/', '')
  switch (kind) {
    case 'backfill':
      return `weir backfill list ${sync}`
    case 'decision':
      return `weir audience runs ${audience}`
    case 'held':
      return `weir audience preview ${audience}`
    case 'rejections':
      return `weir audience members ${audience} --state rejected dead`
    case 'failed':
      if (reason === 'auth' || reason === 'permission') return `weir check ${connection.name}`
      if (reason === 'threshold') return `weir dlq list ${sync}`
      if (reason === 'config') return 'weir validate'
      return isAudience(sync) ? `weir audience runs ${audience}` : `weir runs ${sync}`
    case 'stale':
      return `weir runs ${sync}`
    case 'schema_change':
      return `weir changes list ${sync}`
    case 'approval':
      return `weir changes list ${sync} --status pending`
    case 'dead_letters':
      return `weir dlq list ${sync}`
    case 'quality':
    case 'quota_wait':
      return 'weir status'
  }
}
