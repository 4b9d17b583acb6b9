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

/** Rotated tokens, kept where every worker sees them. `update` holds a lock while `refresh` runs, so one worker refreshes. */
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
  /** Where the vendor says that this token's API is, when it says so. */
  apiUrl?: string
}
