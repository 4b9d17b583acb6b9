/** What alerts are computed from, the rows that are open, and the outbox. Instants are ISO 8601. */
import type { FailureNote, RunStatus } from '../../core/activities.js'
import type { AlertEvent, AlertKind, AlertMessage, AlertSeverity } from '../../core/alerts.js'
import type { PushStatus } from '../../core/audience.js'
import type { Definition } from '../../core/definition.js'
import type { WaitsFor } from '../../core/failure.js'

/** A sync that is looked at, by the definition that is in force for it. */
export interface Watched {
  sync: string
  definition: string
  /** When it was applied; undefined where its newest run alone says how it is defined. */
  appliedAt?: string
}

/** What `_weir` says of a sync that may be a reason to tell somebody. */
export interface SyncFacts extends Watched {
  now: string
  /** The newest run of the sync that has ended and was not cancelled; replays and backfills do not count. */
  lastRun?: { run: string; status: RunStatus; failure?: FailureNote; finishedAt: string; failedStreams: number }
  /** One entry for each stream of the definition. */
  streams: readonly StreamFacts[]
  /** Backfills that failed in the last seven days and were neither resumed nor cancelled, the newest first. */
  failedBackfills?: readonly { id: string; failure?: FailureNote; finishedAt: string }[]
}

/** An audience that is looked at. */
export interface WatchedAudience {
  audience: string
  definition: string
}

/** What `_weir` says of the pushes of an audience. */
export interface PushFacts extends WatchedAudience {
  now: string
  /** The newest push that has ended and was not cancelled. */
  last?: { run: string; status: PushStatus; failure?: FailureNote; verdict: readonly string[]; finishedAt: string }
  /** One that waits for somebody. */
  waiting?: { run: string; verdict: readonly string[]; since: string; expiresAt: string }
  /** What the newest push that has ended sent to each destination. */
  sent: readonly { destination: string; members: number; rejected: number }[]
}

export interface StreamFacts {
  stream: string
  /** Its part in the newest run that has ended. */
  last?: { run: string; status: RunStatus; failure?: FailureNote; finishedAt: string }
  /** When the first run began to read it; what was never complete is as old as that. */
  firstRunAt?: string
  /** Start of the newest run that completed it. */
  completedFrom?: string
  /** The lowest of its watermarks. */
  watermark?: string
  /** Open dead letters by reason. */
  letters: readonly { reason: string; letters: number; firstSeenAt: string; newestAt: string }[]
  /** Checks of the newest checked run that did not pass. */
  checks: readonly { check: string; isBlocking: boolean; message: string; checkedAt: string; run: string }[]
  /** Schema changes of which nobody was told yet; tables that are new are none. */
  changes: readonly FactOfChange[]
  /** Those that wait for a decision. */
  pending: readonly FactOfChange[]
  /** A slice of it waits for the vendor's quota. */
  wait?: { since: string; until: string; for: WaitsFor }
}

export interface FactOfChange {
  id: number
  change: string
  field?: string
  createdAt: string
}

/** When an alert was said to a target, and how severe it was then. */
export type Told = Readonly<Record<string, { at: string; severity: AlertSeverity }>>

export interface Condition {
  /** Empty: the whole sync. */
  stream: string
  kind: AlertKind
  severity: AlertSeverity
  /** The word of a failure's reason, or what else groups conditions of a kind. */
  reason?: string
  message: string
  run?: string
  since: string
  /** Of a wait for a quota: how long it is, or will be at least. */
  waitMs?: number
}

export interface AlertRow extends Omit<Condition, 'waitMs'> {
  id: string
  sync: string
  openedAt: string
  lastSeenAt: string
  resolvedAt?: string
  /** Why it is over, where that is not that the condition has gone. */
  resolution?: string
  told: Told
}

/** What is to be written: alerts by their identity, and messages about them. */
export interface Verdict {
  /** Open ones, new and known. */
  open: readonly (Condition & { told: Told })[]
  /** Told once and over at once. */
  notices: readonly (Condition & { told: Told })[]
  resolved: readonly { id: string; resolution?: string }[]
  messages: readonly Queued[]
}

export interface Queued {
  target: string
  targetIndex: number
  /** The conditions that it is about, by stream; empty: the whole sync. */
  streams: readonly string[]
  message: AlertMessage
}

export interface Delivery {
  /** The same in every attempt. */
  id: string
  target: string
  definition: string
  targetIndex: number
  message: AlertMessage
  /** This one included. */
  attempts: number
  /** Since it was written. */
  ageMs: number
}

export interface DeliveryRow {
  id: string
  target: string
  sync: string
  kind: AlertKind
  event: AlertEvent
  title: string
  status: 'pending' | 'delivered' | 'given_up'
  attempts: number
  nextAttemptAt?: string
  lastError?: string
  createdAt: string
  endedAt?: string
}

/** How an attempt ended: delivered, to be tried again, or given up. */
export type AttemptEnd =
  | { status: 'delivered' }
  | { status: 'pending'; afterMs: number; error: string }
  | { status: 'given_up'; error: string }

export interface AlertStore {
  /** What is in force, and where nothing is applied for a sync, the newest run of the last seven days. */
  watched: (sync?: string) => Promise<Watched[]>
  /**
   * Reads the facts of a sync, lets `judge` decide (it must be pure), and keeps that with its messages, in one transaction and alone for
   * that sync.
   */
  look: (
    watched: Watched,
    definition: Definition,
    judge: (facts: SyncFacts, open: readonly AlertRow[]) => Verdict,
  ) => Promise<{ opened: number; resolved: number }>
  /** Audiences that are in force, and those pushed by hand in the last seven days. */
  watchedAudiences: (audience?: string) => Promise<WatchedAudience[]>
  /** The same for an audience. */
  lookAtAudience: (
    watched: WatchedAudience,
    judge: (facts: PushFacts, open: readonly AlertRow[]) => Verdict,
  ) => Promise<{ opened: number; resolved: number }>
  /** How many alerts are open, of each kind that has some. */
  openByKind: () => Promise<{ kind: AlertKind; alerts: number }[]>
  /** What `look` would judge by, for whoever asks. */
  facts: (watched: Watched, definition: Definition) => Promise<SyncFacts>
  /** Closes what is open of syncs that nobody looks at any more, without a message; notes that all were looked at; deletes what is old. */
  endRound: (watched: readonly string[]) => Promise<{ resolved: number }>
  /** How long ago all were looked at; undefined: never. */
  sinceRoundMs: () => Promise<number | undefined>
  /** Messages that may be tried now: the first of each target. */
  due: () => Promise<number>
  /** Takes the first due message of each of up to `limit` targets; who falls silent loses it after `leaseMs`. */
  claim: (limit: number, leaseMs: number) => Promise<Delivery[]>
  settle: (delivery: Pick<Delivery, 'id' | 'attempts'>, end: AttemptEnd) => Promise<void>
  list: (filter: { sync?: string; withResolved?: boolean; limit: number }) => Promise<AlertRow[]>
  /** Newest first. `undelivered`: pending after a failed attempt, or given up in the last seven days. */
  deliveries: (filter: { undelivered?: boolean; limit: number }) => Promise<DeliveryRow[]>
}
