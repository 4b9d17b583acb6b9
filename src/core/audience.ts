/**
 * Words of people who go out:
 *
 * model        SQL that yields people, a row each           member       one person of an audience
 * audience     a model, and where it goes                   destination  what keeps an audience at a vendor: a list, a campaign
 * ledger       what each destination is known to hold       outcome      what the vendor said of one member
 * change set   what a push adds and removes, frozen         gate         a bound outside which a push waits
 * suppression  a person who must not be sent                refusal      consent that a person has stated to withhold
 */
import type { FailureNote } from './activities.js'
import type { AlertTarget } from './alerts.js'
import type { ConnectionDefinition } from './definition.js'
import { Failure } from './failure.js'
import type { QualityCheck } from './quality.js'
import type { Finding, Http, Rec } from './types.js'

/** What a person may be known by. Each destination writes it in its own way. */
export type IdentifierKind =
  | 'email'
  | 'phone'
  | 'first_name'
  | 'last_name'
  | 'city'
  | 'region'
  | 'postal_code'
  | 'country'
  | 'external_id'
  | 'mobile_id'

/** `mirror`: add and remove. `add`, `remove`: only that. `upsert`: records with fields. A refusal removes in each of them. */
export type AudienceMode = 'mirror' | 'add' | 'remove' | 'upsert'

export interface ModelDefinition {
  name: string
  /** One SELECT, whole. */
  sql: string
  /** The column that tells people apart. */
  key: string
  /** What is checked of its rows before each push. */
  quality?: readonly QualityCheck[]
}

/** A sync whose tables a model reads; of one stream alone, where that is named. */
export interface Dependency {
  sync: string
  stream?: string
}

/** One audience, compiled: all that a push needs, stored once under its hash in `_weir.definitions`. Secrets are references. */
export interface AudienceDefinition {
  version: 1
  project: string
  audience: string
  model: ModelDefinition
  /** Which column of the model holds which identifier. */
  identity: Partial<Record<IdentifierKind, string>>
  /** ISO 3166 alpha-2: of phone numbers without one, and of addresses. */
  defaultCountry?: string
  /** Identifiers whose column holds SHA-256 in hex already. */
  hashed: readonly IdentifierKind[]
  /** Without it nobody is asked for consent. */
  consent?: { column: string; granted: readonly string[]; refused: readonly string[] }
  suppress: readonly { model: ModelDefinition; by: 'key' | 'email' | 'phone' }[]
  gates: Gates
  approval: { when: readonly ApprovalCause[]; by: readonly string[]; expiresMs: number }
  /** Share of people who are never sent, the same ones each time. */
  holdoutPercent?: number
  destinations: Readonly<Record<string, DestinationDefinition>>
  /** Whose tables its models read: their blocking checks, and their age, hold a push. */
  dependsOn?: readonly Dependency[]
  /** Older than this, what it depends on holds the push, or is pushed as it is. */
  maxStaleness?: { ageMs: number; otherwise: 'hold' | 'use_last' }
  /** A larger share of members refused is told. */
  maxRejectedPercent?: number
  /** Whom to tell of what. */
  alerts?: readonly AlertTarget[]
}

export interface Gates {
  /** Fewer people than this, and the push waits. */
  minSize: number
  maxAdd?: Bound
  maxRemove?: Bound
  otherwise: 'ask' | 'hold' | 'fail'
}
/** Of what the destination holds, or so many people. */
export type Bound = { percent: number } | { people: number }
export type ApprovalCause = 'always' | 'first_run' | 'gate_exceeded'

export interface DestinationDefinition {
  connection: ConnectionDefinition
  /** Which of the vendor's destinations: `list`, `custom_audience`, `campaign`, `object`. */
  kind: string
  /** The vendor's id of it, or its exact name. */
  target: string
  /** Make it where it is missing. */
  create: boolean
  mode: AudienceMode
  /** Vendor's field → where its value comes from. */
  map: FieldMap
  /** The vendor's own keys of this destination. */
  settings: Readonly<Record<string, unknown>>
}
export interface FieldMap {
  readonly [field: string]: FieldSource | FieldMap
}
/** A column of the model, in this form; or a constant. */
export type FieldSource = { column: string; as?: 'text' | 'number' | 'boolean' | 'date' | 'list' } | { value: unknown }
export const isSource = (source: FieldSource | FieldMap): source is FieldSource =>
  typeof (source as { column?: unknown }).column === 'string' || 'value' in source

/** How one identifier is written for a vendor. */
export interface IdentifierRule {
  /** To the vendor's form; what cannot be is refused, with words that say why and never what. */
  normalize: Normalizer
  /** SHA-256, lower-case hex, of the normalized text. */
  hash: boolean
  /** In clear, and yet kept by the ledger, since removal needs it: a country, an id of your own. Never an address or a number. */
  isKept?: true
}
export type Normalizer = (text: string, around: { country?: string | undefined }) => { text: string } | { refused: string }

/** What a vendor takes people by. The connector names it; shared code normalizes, hashes, cuts batches, and keeps the ledger. */
export interface Destination {
  /** Its word in the YAML, unique in the connector. */
  kind: string
  description: string
  modes: readonly AudienceMode[]
  identifiers: Partial<Record<IdentifierKind, IdentifierRule>>
  /** A member has all of one of these. */
  needs: readonly (readonly IdentifierKind[])[]
  /** Does the vendor say of each member what became of it? Else members stay `accepted`. */
  names: boolean
  /** Most members that leave together, before the vendor is asked what became of them; a request may take fewer. */
  batch: number
  /** Batches that may be under way side by side; without it `usualLanes`. */
  lanes?: number
  /** Fields that may be mapped; without it none are sent. */
  takesFields?: true
  /** A membership ends by itself: after so long unchanged members are sent again. Of a target it may be another. */
  renewAfterMs?: number
  /** The vendor's own keys beside the target, checked with the configuration. */
  open: (http: Http, destination: Wanted) => Promise<Target>
  /** Does the mapping fit what the vendor has now? */
  check?: (http: Http, destination: Wanted) => AsyncIterable<Finding>
  add: (http: Http, target: Target, members: readonly Outgoing[]) => Promise<Answer>
  /** Without it nothing can be taken back: the ledger forgets, and says so. */
  remove?: (http: Http, target: Target, members: readonly Outgoing[]) => Promise<Answer>
  /** How a job of `add` or `remove` stands. */
  poll?: (http: Http, target: Target, job: Job, action: ChangeAction, members: readonly Outgoing[]) => Promise<Answer>
}
/** What `open` says of a target that is not there and is not to be made. */
export const missingTarget = (message: string): Failure => new Failure('config', message, { code: 'missing_target' })
export const isMissingTarget = ({ where }: Failure): boolean => where.code === 'missing_target'

/** More than that wait for the vendor's budget rather than for each other. */
export const usualLanes = 4
export type Wanted = Pick<DestinationDefinition, 'target' | 'create' | 'mode' | 'map' | 'settings'>

/** A list, an audience, a campaign at the vendor. Small JSON: it stands in the run's row. */
export interface Target {
  id: string
  name: string
  isNew?: boolean
  /** As of the destination, where the target has its own. */
  renewAfterMs?: number
  /** What the calls need to know of it. */
  with?: Rec
}

/** One member as it leaves: everything written as the vendor wants it. */
export interface Outgoing {
  /** Names it within the batch. */
  ref: string
  identifiers: Partial<Record<IdentifierKind, string>>
  fields: Rec
  /** The vendor's own id of it, where an earlier answer gave one. */
  vendorId?: string
}

export interface Answer {
  /** Of members by `ref`; those that are not named here were taken. */
  outcomes: readonly Outcome[]
  /** Not all is known yet: what the vendor works on. Stored before anything else is done. */
  job?: Job
  unnamed?: Unnamed
}
/** Refused without saying who. Members stay `accepted`, with these words; the batch counts so many of them as rejected. */
export interface Unnamed {
  members: number
  message: string
}
/** Work at the vendor. Asking about one that has ended may be repeated: it answers as before. */
export interface Job {
  id: string
  /** Not before so long is there an answer. */
  askAgainMs: number
  with?: Rec
  /** Of a part of its batch: the first and the last member. */
  part?: { from: string; to: string }
}
export type Outcome = { ref: string; vendorId?: string } | { ref: string; refused: FailureNote; isFinal?: boolean }

/** One member that the vendor does not take, and why. */
export const refused = (ref: string, message: string): { ref: string; refused: FailureNote } => ({
  ref,
  refused: { reason: 'record', message },
})

/** The vendor is still at work: each time it is asked again after longer. */
export const later = (job: Job, { factor, mostMs }: { factor: number; mostMs: number }): Job => ({
  ...job,
  askAgainMs: Math.min(mostMs, Math.round(job.askAgainMs * factor)),
})

/** What was refused without saying who, of several answers: together, with the words of each. */
export function unnamedOf(answers: readonly Pick<Answer, 'unnamed'>[]): Pick<Answer, 'unnamed'> {
  const all = answers.flatMap(({ unnamed }) => unnamed ?? [])
  if (all.length === 0) return {}
  const message = [...new Set(all.map((one) => one.message))].join(' ')
  return { unnamed: { members: all.reduce((sum, { members }) => sum + members, 0), message } }
}

/** Why somebody is not among those who are sent; each is counted. */
export type Exclusion = 'consent_unknown' | 'consent_refused' | 'suppressed' | 'erased' | 'holdout' | 'no_identifier' | 'already_hashed'
/** Removals that a person is owed: no gate holds them back. */
export const owed = ['consent_refused', 'suppressed', 'erased'] as const satisfies readonly Exclusion[]

export type ChangeAction = 'add' | 'update' | 'remove'
/** Why a change is made. `left`: no longer in the model. `readdressed`: known by other identifiers now. */
export type ChangeCause = 'new' | 'changed' | 'renewed' | 'retry' | 'left' | 'readdressed' | 'listed' | Exclusion

/** How a member stands at a destination. `accepted`: the vendor took the batch and names nobody. `dead`: refused for good, or too often. */
export const memberStates = ['intended', 'accepted', 'confirmed', 'rejected', 'dead', 'removing', 'removed'] as const
export type MemberState = (typeof memberStates)[number]

export type PushStatus = 'preparing' | 'waiting' | 'pushing' | 'completed' | 'completed_with_rejections' | 'held' | 'failed' | 'cancelled'

/** What a push would do at one destination. */
export interface ChangeCounts {
  add: number
  update: number
  remove: number
  /** Of `remove`, those that no gate holds. */
  owed: number
  unchanged: number
  /** What the destination is known to hold before. */
  held: number
}
