/** What the warehouse knows of people who go out: what models yield, what destinations hold, what a push changes. */
import type { FailureNote } from '../../core/activities.js'
import type {
  AudienceDefinition,
  ChangeAction,
  ChangeCause,
  ChangeCounts,
  Exclusion,
  IdentifierKind,
  Job,
  MemberState,
  ModelDefinition,
  Outcome,
  PushStatus,
  Target,
  Unnamed,
} from '../../core/audience.js'
import type { Rec } from '../../core/types.js'
import type { Column } from '../../schema/encode.js'

/** A person whom a destination may not hold as the model has it now. */
export interface Person {
  key: string
  /** Columns that identity and mapping name, as JSON text: numbers in it are exact. */
  body: string
}

/** The same person, written for a destination. */
export type Encoded = {
  key: string
  /** Keyed hashes of e-mail and phone, by which the person is found when an erasure is asked for. */
  marks: readonly string[]
} & (
  | {
      /** Keyed hash of the identifiers: another one is another member. */
      identity: string
      /** Keyed hash of all that is sent: the same one needs no sending. */
      content: string
      identifiers: Partial<Record<IdentifierKind, string>>
      fields: Rec
    }
  | { excluded: Exclusion; why: string }
)

export interface PrepareInput {
  run: string
  definition: AudienceDefinition
  /** What each destination needs to be known of here. */
  destinations: Readonly<Record<string, { renewAfterMs?: number | undefined; canRemove: boolean }>>
  encode: (destination: string, people: readonly Person[]) => readonly Encoded[]
  /** Called now and then, with how many people have been looked at. */
  onProgress: (people: number) => void
}

/** What a model yields, and what would change. */
export interface Prepared {
  /** Rows of the model. */
  rows: number
  /** People who are to be held, before a destination has looked at their identifiers. */
  people: number
  excluded: Partial<Record<Exclusion, number>>
  /** Rows of each suppression model. */
  suppressed: Record<string, number>
  destinations: Record<
    string,
    ChangeCounts & { causes: Partial<Record<ChangeCause, number>>; excluded: Partial<Record<Exclusion, number>> }
  >
  /** Names the frozen change set: what is approved. */
  changeSet: string
}

export interface PushRow {
  run: string
  audience: string
  definition: string
  kind: string
  requestedBy?: string
  status: PushStatus
  startedAt: string
  preparedAt?: string
  finishedAt?: string
  prepared?: Prepared
  /** Why it waits, where it does. */
  verdict?: readonly string[]
  /** What is worth knowing of what it was made from, though it holds nothing. */
  notes?: readonly string[]
  decision?: { by: string; at: string; isApproved: boolean }
  expiresAt?: string
  /** Pushes that came due while this one was under way, and were left out. */
  skipped?: { pushes: number; newestAt: string }
  failure?: FailureNote
}

export interface DestinationRow {
  run: string
  audience: string
  destination: string
  target?: Target
  sent: number
  accepted: number
  confirmed: number
  rejected: number
  removed: number
  /** Adds that were no longer allowed when their batch was sent. */
  dropped: number
  batches: number
  /** Members whose tries were used up by this push. */
  dead: number
  failure?: FailureNote
}

export interface MemberRow {
  audience: string
  destination: string
  key: string
  state: MemberState
  cause?: ChangeCause
  vendorId?: string
  reason?: string
  message?: string
  attempts: number
  run: string
  changedAt: string
}

/** Changes that leave together. A batch that was claimed and not settled is claimed again, with the same members. */
export interface PushBatch {
  id: string
  action: ChangeAction
  members: readonly { ref: string; identifiers: Partial<Record<IdentifierKind, string>>; fields: Rec; vendorId?: string }[]
  /** What the vendor still works on, and what it has said already. */
  pending?: Pending
}
export interface Pending {
  jobs: readonly Job[]
  outcomes: readonly Outcome[]
  unnamed?: Unnamed
}

export interface AudienceStore {
  begin: (push: Pick<PushRow, 'run' | 'audience' | 'definition' | 'kind'> & { requestedBy?: string | undefined }) => Promise<void>
  /**
   * Runs the model, leaves out who must not be sent, compares the rest with what each destination holds, and freezes the changes. Memory
   * does not grow with the model. A repeat starts over, until it was done once; then it answers as before.
   * @throws Failure `config` for SQL that PostgreSQL refuses, and for keys that are null or stand twice
   */
  prepare: (input: PrepareInput) => Promise<Prepared>
  /** The same without anything being kept. */
  preview: (input: Omit<PrepareInput, 'run'>) => Promise<Prepared & { sample: Record<string, readonly SampledChange[]> }>
  /** Columns of what a model yields. @throws Failure `config` for SQL that PostgreSQL refuses */
  columns: (definition: AudienceDefinition, model: ModelDefinition) => Promise<readonly Column[]>
  setStatus: (
    run: string,
    status: PushStatus,
    more?: Partial<Pick<PushRow, 'verdict' | 'notes' | 'expiresAt' | 'failure'>>,
  ) => Promise<void>
  /** Notes a decision of this change set; answers with false where another was made, or the change set is another. */
  decide: (run: string, changeSet: string, decision: { by: string; isApproved: boolean }) => Promise<boolean>
  /**
   * Notes what a destination stands for in this run. Where that is another list than before, the ledger of the old one is set aside under
   * `DESTINATION@ID`, and comes back when the destination goes there again: nobody counts as held by a list that was never told of them.
   * @returns the target of the last push that ended well, where it is another
   */
  target: (run: string, destination: string, target: Target) => Promise<Target | undefined>
  /**
   * The next changes of a destination, noted as intended in the ledger before they are handed out: removals first. Additions of people who
   * are no longer granted or are suppressed at this moment are dropped. Batches that are still open are handed out again, as they were, and
   * none beside them: those that are open together are of one action, and people of one identity are in one of them.
   */
  claim: (ref: {
    run: string
    destination: string
    definition: AudienceDefinition
    /** Most members of a batch. */
    size: number
    /** Most batches. */
    lanes: number
    /** Only removals that no gate holds. */
    isOwedOnly: boolean
  }) => Promise<PushBatch[]>
  /** Notes what the vendor works on for a batch: it stays open. */
  await: (batch: PushBatch, pending: Pending) => Promise<void>
  /** What the vendor said of a batch, in the ledger; of members that are not named it took each. A second call changes nothing. */
  settle: (
    ref: { run: string; destination: string; batch: PushBatch },
    outcomes: readonly Outcome[],
    /** `keeps`: identifiers that may stay in the ledger, since they leave as hashes or tell nobody apart. */
    options: { names: boolean; attempts: number; keeps: readonly IdentifierKind[]; unnamed?: Unnamed | undefined },
  ) => Promise<void>
  /** Notes at the push under way that another came due and was left out; undefined where none has written itself down yet. */
  skip: (audience: string) => Promise<PushRow | undefined>
  /** Ends a push; personal data of its change set go. The first end stands. */
  finish: (run: string, status: PushStatus, failure?: FailureNote) => Promise<PushRow>
  /** Newest first. */
  runs: (filter: { audience?: string; run?: string; status?: readonly PushStatus[]; limit: number }) => Promise<PushRow[]>
  destinations: (run: string) => Promise<DestinationRow[]>
  members: (filter: {
    audience: string
    destination?: string | undefined
    state?: readonly MemberState[] | undefined
    key?: string | undefined
    limit: number
  }) => Promise<MemberRow[]>
  /** What was taken by destinations after the push `from`, or from the first one on, up to the end of `to`. */
  diff: (filter: {
    audience: string
    from?: string | undefined
    to: string
    destination?: string | undefined
    limit: number
  }) => Promise<AudienceDiff>
  /**
   * Lets the next push try again whom no push would: dead members, and those who were left out for want of an identifier. A second call finds
   * none. Answers with how many, by destination and reason.
   */
  retry: (filter: {
    audience: string
    destination?: string | undefined
    reason?: string | undefined
    by: string
    isDryRun: boolean
  }) => Promise<{ destination: string; reason: string; members: number }[]>
  /** How many members each destination of an audience has in each state. */
  standing: (audience: string) => Promise<{ destination: string; state: MemberState; members: number }[]>
}

/** A person whom a destination holds now and did not hold before, or the other way round, or holds as another. */
export interface ChangedMember {
  destination: string
  key: string
  what: 'joined' | 'left' | 'changed'
  cause: ChangeCause
}
export interface AudienceDiff {
  destinations: { destination: string; joined: number; left: number; changed: number }[]
  /** What destinations took in between: an address that changed is a removal and an addition. */
  changes: { destination: string; action: ChangeAction; cause: ChangeCause; members: number }[]
  /** At most as many as were asked for. */
  members: ChangedMember[]
}

/** For people to look at; never an identifier in clear. */
export interface SampledChange {
  action: ChangeAction
  cause: ChangeCause
  key: string
  identifiers: readonly IdentifierKind[]
  fields: readonly string[]
}
