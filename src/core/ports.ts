/** What the library needs from outside; given by worker/deps.ts, or by a test. */

export interface Clock {
  now: () => Date
  /** Resolves after `ms`, rejects with the signal's reason when it aborts first. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
}

export interface Log {
  debug: (message: string, fields?: Record<string, unknown>) => void
  info: (message: string, fields?: Record<string, unknown>) => void
  warn: (message: string, fields?: Record<string, unknown>) => void
  error: (message: string, fields?: Record<string, unknown>) => void
}

/** Tokens that are kept where every worker sees them: rotated ones, and those of a person's consent. `update` holds a lock while `refresh` runs, so one worker refreshes. */
export interface TokenStore {
  read: (connection: string) => Promise<StoredToken | undefined>
  update: (connection: string, refresh: (current: StoredToken | undefined) => Promise<StoredToken>) => Promise<StoredToken>
}

export interface StoredToken {
  accessToken: string
  /** None where the grant knows none. */
  refreshToken?: string
  /** ISO instant. */
  expiresAt: string
  /** Fingerprint of the configured credential (the first refresh token, a key): a changed one in the environment starts anew. */
  origin: string
  /** ISO instant: since when this credential is kept; rotations leave it as it is. */
  since?: string
  /** Fingerprint of the app to which a person gave it (`weir connect`); none where it came from the settings. */
  consentedTo?: string
  /** Where the vendor says that this token's API is, when it says so. */
  apiUrl?: string
}

/** States of budgets by key, where whoever shares a budget finds it: in this process, or in the warehouse for all workers. */
export interface BudgetStore {
  /**
   * Reads a state, lets `change` make the next one and keeps that, in one step against all others.
   * @param change gets undefined where nothing was kept, and the store's own clock in milliseconds: one clock for all who share it
   * @throws Failure `transient` where the store cannot be reached; nothing is changed then
   */
  update: <S, T>(key: BudgetKey, change: (state: S | undefined, nowMs: number) => { state: S; answer: T }) => Promise<T>
}

export interface BudgetKey {
  vendor: string
  /** Fingerprint of the account: what it is made of may be a key. */
  account: string
  budget: string
}
