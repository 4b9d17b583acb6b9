/** What people and pushes decided and did. Never a member: erasing somebody changes nothing here. */

export const auditEvents = [
  'push_asked',
  'push_judged',
  'push_approved',
  'push_rejected',
  'push_ended',
  'members_retried',
  'erasure_asked',
  'erasure_ended',
  'schema_change_approved',
  'schema_change_rejected',
] as const
export type AuditEvent = (typeof auditEvents)[number]

export interface AuditEntry {
  event: AuditEvent
  /** Who did it, as the caller says; missing where nobody in person did. */
  by?: string | undefined
  audience?: string | undefined
  run?: string | undefined
  /** Small JSON: names, hashes, counts. */
  detail: Readonly<Record<string, unknown>>
}

export interface AuditRow extends AuditEntry {
  seq: number
  at: string
  /** Fingerprint of the key that made the hash; missing for one that was made without a key. */
  key?: string
  previous: string
  hash: string
}

/** Where the log ends; noted elsewhere, it shows that nothing before it was altered or cut off since. */
export interface AuditHead {
  seq: number
  hash: string
}

export interface AuditVerdict {
  rows: number
  /** Rows whose hash anybody could have made who may write to the table. */
  withoutKey: number
  head: AuditHead
  /** The first row that does not fit, and why. */
  broken?: { seq: number; problem: string }
}

export interface AuditStore {
  list: (filter: { audience?: string | undefined; event?: AuditEvent | undefined; limit: number }) => Promise<AuditRow[]>
  /**
   * Is the chain whole, and does it end where its head says?
   * @param noted a head of an earlier time: the log must still hold it
   * @throws Failure `config` without the key that made it
   */
  verify: (noted?: AuditHead) => Promise<AuditVerdict>
}
