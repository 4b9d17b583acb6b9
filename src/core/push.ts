/** What a push of an audience asks of the worker; a new field is optional while old histories run. And what its workflows are called. */
import type { FailureNote, Timing } from './activities.js'
import type { ChangeCounts, PushStatus } from './audience.js'
import type { WaitsFor } from './failure.js'

/** Of a destination's part of a push: under its own push, apart from all previews, whatever it is called. */
export const destinationId = (audience: string, destination: string): string => `${pushId(audience)}/${destination}`
/** Fixed, so that one push is under way at a time; its schedule has the same, and its alerts stand under it. */
export const pushId = (audience: string): string => `audience/${audience}`
export const previewId = (audience: string): string => `audience-preview/${audience}`

export interface PushInput {
  audience: string
  /** Hash in `_weir.definitions`. */
  definition: string
  kind: 'manual' | 'scheduled' | 'dependent'
  /** Who asked for it: never who approves it. */
  requestedBy?: string
}
export interface PushStep extends PushInput {
  run: string
}

/** What became of a push that came due: a run of its own, or the words of why it was left out. */
export type PushTick = { run: string } | { skipped: string }

/** Counts and names; the change set itself is in the warehouse. */
export interface PreparedReceipt {
  changeSet: string
  people: number
  destinations: Record<string, Pick<ChangeCounts, 'add' | 'update' | 'remove' | 'owed' | 'unchanged'>>
  /** Destinations that could not be opened: nothing is sent to them, and the others go on. */
  failures: Record<string, FailureNote>
  /** Why it waits; empty when it may go. */
  reasons: string[]
  owed: number
  otherwise: 'ask' | 'hold' | 'fail'
  approvers: string[]
  expiresMs: number
  timing?: Timing
}

export interface Decision {
  changeSet: string
  by: string
}

export interface MembersInput extends PushStep {
  destination: string
  /** Only removals that no gate holds. */
  isOwedOnly: boolean
  timing?: Timing
}
export interface MembersReceipt {
  /** Members that left in this call. */
  members: number
  more: boolean
  /** Ask again after so long: the vendor is at work. */
  askAgainMs?: number
  /** ISO instant: nothing is sent until then. */
  waitUntil?: string
  /** Why: the quota is spent, or the vendor is down. */
  waitsFor?: WaitsFor
}

export interface PushReceipt {
  status: PushStatus
  destinations: Record<string, { sent: number; accepted: number; confirmed: number; rejected: number; removed: number; dropped: number }>
  failure?: FailureNote
  /** The syncs that the audience runs after have completed while it ran, so it is its turn again: by this definition. */
  again?: string
}

/** What a push would do; the answer lies in a row of `_weir.handovers`, since it names people by their keys. */
export interface PreviewInput {
  audience: string
  definition: string
}

/** Bulk work: queue `weir`. */
export interface PushActivities {
  previewPush: (input: PreviewInput) => Promise<{ handover: string }>
  preparePush: (input: PushStep) => Promise<PreparedReceipt>
  /** Until when a decision is waited for. */
  awaitDecision: (input: PushStep & { expiresMs: number }) => Promise<{ expiresAt: string }>
  decidePush: (input: PushStep & Decision & { isApproved: boolean }) => Promise<{ isTaken: boolean }>
  /** Notes that a push came due while another is under way, and says which. */
  skipPush: (input: PushInput) => Promise<{ skipped: string }>
  pushMembers: (input: MembersInput) => Promise<MembersReceipt>
  finishPush: (
    input: PushStep & { status: PushStatus; failures: Record<string, FailureNote>; failure?: FailureNote },
  ) => Promise<PushReceipt>
}
