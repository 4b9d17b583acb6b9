import type { TokenStore } from '../../core/ports.js'

/** Tokens, encrypted with WEIR_KEY: those that vendors rotate, and those of persons' consents. */
export interface CredentialStore extends TokenStore {
  /** @throws Failure `config` where there is no WEIR_KEY to keep a token with */
  ready: () => Promise<void>
}
