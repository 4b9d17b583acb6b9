/**
 * The one failure class. Its reason says who must act, when to try again and how much stops:
 * the same word stands in code, Temporal's failure type, `_weir.dead_letters`, metrics, the CLI and the docs.
 * `next` is the command that leads on; {sync} and {run} stand for where it happened.
 */
export const reasons = {
  transient: { who: 'nobody', again: 'back-off with jitter', stops: 'the page waits', next: 'weir sync {sync}' },
  throttled: { who: 'nobody', again: 'when told', stops: "the account's budget waits", next: 'weir status' },
  expired_cursor: { who: 'nobody', again: "at once, from the slice's start", stops: 'nothing', next: 'weir status' },
  too_large: { who: 'nobody', again: 'at once, as smaller slices', stops: 'nothing', next: 'weir status' },
  auth: { who: 'user: credentials', again: 'after one refresh, then never', stops: 'the connection', next: 'weir check' },
  permission: {
    who: 'user: grant it, or leave it out',
    again: 'next run',
    stops: 'that stream, or the slices of one parent (an ad account)',
    next: 'weir check',
  },
  config: { who: 'user: the project file or the command', again: 'never', stops: 'the connection', next: 'weir validate' },
  schema: { who: 'user: accept or pin the change', again: 'never', stops: 'the stream, before loading', next: 'weir changes list {sync}' },
  gate: {
    who: 'user: approve or refuse',
    again: 'on approval',
    stops: 'what is beyond its bounds, before anything is changed',
    next: 'weir runs show {run}',
  },
  warehouse: { who: 'operator', again: 'when mended', stops: 'the run', next: 'weir check' },
  fenced: { who: 'nobody', again: 'at once, where it still counts', stops: 'this attempt alone', next: 'weir sync {sync}' },
  threshold: { who: 'user: look at the dead letters', again: 'on replay', stops: 'the stream', next: 'weir dlq list {sync}' },
  quality: {
    who: 'user or data owner: look at the rows',
    again: 'next run',
    stops: 'what depends on the table; its rows stay',
    next: 'weir status',
  },
  record: { who: 'data owner', again: 'on replay', stops: 'that record: a dead letter', next: 'weir dlq list {sync}' },
  permanent: {
    who: 'us: add a line to the connector',
    again: 'on replay',
    stops: 'the slice: a dead letter',
    next: 'weir dlq list {sync}',
  },
  bug: { who: 'us', again: 'a few times', stops: 'the stream', next: 'weir logs {run}' },
} as const

export type Reason = keyof typeof reasons

/** Whose move a failure is, and the command that leads on, with the names of where it happened filled in. */
export function wayOut(reason: string, where: { sync: string; run: string }): { who: string; next: string } {
  const { who, next } = reasons[reason as Reason] ?? reasons.bug
  return { who, next: next.replace('{sync}', where.sync).replace('{run}', where.run) }
}

/** Reasons after which the same call may succeed later. */
const mayPass: ReadonlySet<Reason> = new Set<Reason>(['transient', 'throttled', 'expired_cursor', 'too_large', 'fenced', 'bug'])

/** Where a failure happened, for people and for matching; never a secret, an address or a phone number. */
export interface Where {
  connection?: string
  sync?: string
  stream?: string
  slice?: string
  status?: number
  code?: string
  /** ISO instant before which trying again is useless. */
  waitUntil?: string
  /** What is waited for, where it is not the quota: a vendor that has failed too often in a row. */
  waitsFor?: WaitsFor
}

export type WaitsFor = 'quota' | 'vendor'

/** What is waited for, in words. */
export const awaited = (what: WaitsFor | undefined): string => (what === 'vendor' ? 'the vendor, which is down,' : "the vendor's quota")

export class Failure extends Error {
  override readonly name = 'Failure'
  readonly reason: Reason
  readonly where: Where
  /** Is trying the same again useless? Follows from the reason, unless so many tries failed that somebody gave up. */
  readonly isFinal: boolean

  /** @param message what was tried, what came back, and the next step, in one or two sentences. */
  constructor(reason: Reason, message: string, where: Where = {}, options: { cause?: unknown; isFinal?: boolean } = {}) {
    super(message, options)
    this.reason = reason
    this.where = where
    this.isFinal = options.isFinal ?? !mayPass.has(reason)
  }
}

/** Any thrown thing as a Failure; what is not one already is a bug of ours. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new Failure('bug', message, {}, { cause: thrown })
}
