/** What can happen in the company, and what it consists of beside people. */
import type { Metric } from './catalogue.js'
import type { Person } from './people.js'

/** Something a person did or received. */
export interface Activity {
  n: number
  /** When it happened; vendors order by this. */
  atMs: number
  /** When it became known: later than `atMs` for what arrives late. */
  recordedAtMs: number
  person: number
  metric: Metric
  /** The campaign behind it, for messages and what follows from them. */
  campaign: number | null
  /** Money, for orders and refunds. */
  value: number | null
}

export interface Deal {
  n: number
  person: number
  firm: number | null
  pipeline: number
  stage: number
  amount: number
  openedAtMs: number
  changedAtMs: number
}

export interface Ticket {
  n: number
  person: number
  stage: number
  openedAtMs: number
  changedAtMs: number
}

export type SuppressionReason = 'HARD_BOUNCE' | 'INVALID_EMAIL' | 'SPAM_COMPLAINT' | 'UNSUBSCRIBE' | 'USER_SUPPRESSED'

/** May we write to this person? `reason` only when not. */
export interface Consent {
  state: 'subscribed' | 'never' | 'unsubscribed' | 'suppressed'
  atMs: number
  reason?: SuppressionReason
}

/** Fields of a person that are edited as time goes by, and in which tool it happens. */
export type Edit = { field: 'title' | 'plan' | 'seats' | 'city'; value: string | number; where: 'email-tool' | 'crm' | 'both' }

export type Happening = { atMs: number } & (
  | { kind: 'joined'; person: Person; consent: Consent }
  | ({ kind: 'edited'; person: number } & Edit)
  | { kind: 'acted'; activity: Activity }
  | { kind: 'consent'; person: number; consent: Consent }
  | { kind: 'archived' | 'restored'; person: number }
  /** Deleted for good in every tool, by the right to be forgotten. */
  | { kind: 'erased'; person: number }
  | { kind: 'deal'; deal: Deal }
  | { kind: 'ticket'; ticket: Ticket }
  | { kind: 'membership'; of: 'list' | 'segment'; group: number; person: number; member: boolean }
  | { kind: 'campaign'; n: number }
)
