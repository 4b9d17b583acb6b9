/** Alerts: what may be wrong with a sync, whom to tell, and the words of a message. Types and closed lists; pure. */

/** What an alert may be about; the words of `on:`, of `_weir.alerts` and of messages. */
export const alertKinds = [
  'failed',
  'stale',
  'schema_change',
  'dead_letters',
  'quality',
  'quota_wait',
  'approval',
  'backfill',
  'decision',
  'held',
  'rejections',
] as const
export type AlertKind = (typeof alertKinds)[number]

/** `error`: somebody must act, or data are older than they may be. `warning`: worth knowing. */
export type AlertSeverity = 'warning' | 'error'

/** Where messages go and which. Addresses that hold a token, and those of people, are references, resolved at use. */
export type AlertTarget = {
  on: readonly AlertKind[]
  /** What is still so is said again after so long. */
  repeatMs: number
  /** Shorter waits for a vendor's quota are not told. */
  quotaWaitMs: number
  allowPrivateHosts?: true
} & ({ kind: 'webhook' | 'slack'; url: string } | { kind: 'email'; smtp: string; from: string; to: readonly string[] })

/** The same with its references resolved. `isLocal`: on this machine, where plain SMTP is fine. */
export type ResolvedTarget = AlertTarget & { isLocal?: boolean }

/** Age of what is complete in a table beyond which it is stale; of a stream `off` where its sync has one. */
export interface Freshness {
  warnMs?: number
  failMs?: number
}

/** Why a message is sent: the alert is new, has become an error, is still open after `repeat`, is over; or somebody tries the target. */
export type AlertEvent = 'opened' | 'worsened' | 'repeated' | 'resolved' | 'test'

/** One message as it stands in the outbox: no secret, no personal data. Instants are ISO 8601. */
export interface AlertMessage {
  project: string
  sync: string
  event: AlertEvent
  kind: AlertKind | 'test'
  severity: AlertSeverity
  /** In one line: what, and how many streams. */
  title: string
  /** The word of a failure's reason, where it is one. */
  reason?: string
  /** One entry a stream (none for the whole sync); at most `maxItems`, `more` are left out. */
  items: readonly AlertItem[]
  more: number
  /** Whose move it is, and the command to run next. */
  acts: string
  command: string
  /** The newest run that it is about. */
  run?: string
  at: string
}

export interface AlertItem {
  stream?: string
  message: string
  since: string
}

/** Looks at one sync or audience, or at all, and writes down what is to be told. Run as a local activity: a few short transactions. */
export interface LookInput {
  sync?: string
  audience?: string
}
export interface LookReceipt {
  syncs: number
  /** Alerts that opened and that ended now. */
  opened: number
  resolved: number
  /** Messages that are due, of now and of before. */
  due: number
}

export interface DeliverReceipt {
  delivered: number
  /** To be tried again. */
  failed: number
  givenUp: number
}

/** Queue `weir`. */
export interface AlertActivities {
  lookForAlerts: (input: LookInput) => Promise<LookReceipt>
  deliverAlerts: () => Promise<DeliverReceipt>
}

/** A message to one target of a definition, at once and past the outbox. */
export interface TestAlertInput {
  definition: string
  target: number
}
export interface TestAlertReceipt {
  isDelivered: boolean
  /** What came back, or what stood in the way; without secrets. */
  answer: string
}

/** Queue `weir-control`. */
export interface AlertControlActivities {
  testAlert: (input: TestAlertInput) => Promise<TestAlertReceipt>
}

/**
 * A target's name in lists, tables and commands: its kind, its reference (an address only where it is on this machine) and, of mail, a
 * mark of its people. Who has one name shares one queue of messages, and is told of an alert once.
 */
export function targetName(target: AlertTarget): string {
  if (target.kind !== 'email') return `${target.kind} ${target.url}`
  return `email ${target.smtp.replace(/\/\/[^/]*@/, '//')} ${mark([target.from, ...target.to].join('\n'))}`
}

/** FNV-1a: enough to tell lists of people apart without naming them. */
function mark(text: string): string {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  return (hash >>> 0).toString(36)
}
