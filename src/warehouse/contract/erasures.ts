/** Erasing people: from the ledger, from dead letters, and, by the next push, from every destination. */

export type PersonKind = 'email' | 'phone' | 'key'

export interface ErasureInput {
  kind: PersonKind
  /** Keyed hashes of an address or a number in each of its forms; the first names the erasure. */
  marks: readonly string[]
  /** For `key`: whom a model knows by it. */
  key?: { model: string; key: string }
  /** Audiences by name, with the model of each. */
  models: Readonly<Record<string, string>>
  /** Does a dead letter's payload, key or message hold the person's address or number? Without it none is looked at. */
  isIn?: (text: string) => boolean
  by: string
  /** Only what would be found. */
  isDryRun: boolean
}

export interface ErasureReport {
  /** Missing for a dry run. */
  id?: number
  /** Members at destinations: each is removed there by the next push of its audience. */
  pending: { audience: string; destination: string; members: number }[]
  /** Ledger rows that were deleted at once, since no destination holds the person by them. */
  forgotten: number
  /** Dead letters that were deleted. */
  deadLetters: number
}

export interface ErasureRow {
  id: number
  kind: PersonKind
  by: string
  at: string
  endedAt?: string
  pending: ErasureReport['pending']
}

export interface ErasureStore {
  /** Notes it and erases what can be at once. The same person again: nothing new is noted, and what came since is erased. */
  ask: (input: ErasureInput) => Promise<ErasureReport>
  list: (limit: number) => Promise<ErasureRow[]>
}
