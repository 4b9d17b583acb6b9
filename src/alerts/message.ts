/** The words of a message: what, why, whose move, the command to run next. */
import type { AlertEvent, AlertKind, AlertMessage } from '../core/alerts.js'
import type { Definition } from '../core/definition.js'
import { type Reason, reasons } from '../core/failure.js'
import type { Condition } from '../warehouse/contract/alerts.js'

const shownItems = 20
const longestItem = 400

/** @param about conditions of one kind and one reason */
export function messageOf(about: readonly Condition[], event: AlertEvent, definition: Definition, now: string): AlertMessage {
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
  const who = many ? `${about.length} streams of ${sync}` : stream === '' ? `sync ${sync}` : `${sync}/${stream}`
  const why = kind === 'failed' && reason !== undefined && event !== 'resolved' ? ` (${reason})` : ''
  return `${prefixes[event]}${who} ${verbs[kind][many ? 1 : 0]}${why}`
}

function actsOn(kind: AlertKind, reason: string | undefined): string {
  switch (kind) {
    case 'failed':
      return reasons[reason as Reason]?.who ?? reasons.bug.who
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

function commandFor(kind: AlertKind, reason: string | undefined, { sync, connection }: Definition): string {
  switch (kind) {
    case 'failed':
      if (reason === 'auth' || reason === 'permission') return `weir check ${connection.name}`
      if (reason === 'threshold') return `weir dlq list ${sync}`
      return reason === 'config' ? 'weir validate' : `weir runs ${sync}`
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
