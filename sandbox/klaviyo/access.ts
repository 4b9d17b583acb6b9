/** Who may ask what, in which revision of the API. */
import { Codes } from '../kit/consent.js'
import { Refused, type Request } from '../kit/http.js'
import { serial } from '../kit/serial.js'
import { refusal } from './errors.js'

/** Made-up keys with the prefix that real ones have. The second may read a few things only. */
export const klaviyoKey = 'pk_sandbox_0000000000000000000000000000'
export const klaviyoLimitedKey = 'pk_sandbox_limited_00000000000000000000'
export const klaviyoOAuth = {
  clientId: 'sandbox-klaviyo-client',
  clientSecret: 'sandbox-klaviyo-secret',
  refreshToken: 'sandbox-klaviyo-refresh-0',
}

/** Quarterly since 2024-01; each is served for two years. */
const known = /^20(2[4-6])-(01|04|07|10)-15$/
const oldestServed = '2025-01-15'
const newest = '2026-10-15'

interface Grant {
  scopes: ReadonlySet<string>
  /** Null for keys, which do not expire. */
  expiresAtMs: number | null
}

const resources =
  'accounts campaigns catalogs coupons events flows forms images lists metrics profiles segments subscriptions tags templates'
export const allScopes: ReadonlySet<string> = new Set(resources.split(' ').flatMap((name) => [`${name}:read`, `${name}:write`]))

export interface Pair {
  access: string
  refresh: string
  seconds: number
  scopes: string[]
}

export class Access {
  private readonly keys = new Map<string, Grant>([
    [klaviyoKey, { scopes: allScopes, expiresAtMs: null }],
    [klaviyoLimitedKey, { scopes: new Set(['accounts:read', 'profiles:read', 'lists:read']), expiresAtMs: null }],
  ])
  private readonly tokens = new Map<string, Grant>()
  /** Those that are good now, the newest last, and what each may ask. */
  private readonly refreshTokens = new Map<string, ReadonlySet<string>>([[klaviyoOAuth.refreshToken, allScopes]])
  readonly codes = new Codes('sandbox-klaviyo-code-')

  /** Gives a private key exactly these scopes; an unknown key becomes a known one. */
  grant(scopes: Iterable<string>, key = klaviyoKey): void {
    this.keys.set(key, { scopes: new Set(scopes), expiresAtMs: null })
  }

  revoke(key = klaviyoKey): void {
    this.keys.delete(key)
  }

  /** Every OAuth token given so far is worth nothing from now on; the refresh token stays. */
  expireTokens(): void {
    this.tokens.clear()
  }

  /** The newest refresh token; each refresh gives a new one. */
  currentRefreshToken(): string {
    return [...this.refreshTokens.keys()].at(-1) ?? ''
  }

  /** A new token pair for a refresh token, which is used up; undefined for one that is not good. */
  refresh(token: string | null): Pair | undefined {
    const scopes = this.refreshTokens.get(token ?? '')
    if (scopes === undefined) return undefined
    this.refreshTokens.delete(token ?? '')
    return this.pair(scopes)
  }

  /** A token pair of a consent. */
  pair(scopes: ReadonlySet<string>): Pair {
    const access = `sandbox-klaviyo-access-${serial()}`
    const refresh = `sandbox-klaviyo-refresh-${serial()}`
    this.refreshTokens.set(refresh, scopes)
    this.tokens.set(access, { scopes, expiresAtMs: Date.now() + 3_600_000 })
    return { access, refresh, seconds: 3600, scopes: [...scopes] }
  }

  /** The identity whose quota is spent; refuses when the credentials or their scopes do not do. */
  check(request: Request, needed: readonly string[]): string {
    const header = request.headers.authorization
    if (header === undefined || header.trim() === '') {
      throw new Refused(
        refusal(401, {
          code: 'not_authenticated',
          title: 'Authentication credentials were not provided.',
          detail: 'Missing or invalid authorization scheme. Please use Klaviyo-API-Key.',
        }),
      )
    }
    const [scheme = '', credential = ''] = header.split(' ')
    const grant = this.find(scheme, credential)
    if (grant === undefined || (grant.expiresAtMs !== null && grant.expiresAtMs <= Date.now())) throw new Refused(badCredentials())
    const missing = needed.filter((scope) => !grant.scopes.has(scope))
    if (missing.length > 0) {
      throw new Refused(
        refusal(403, {
          code: 'permission_denied',
          title: 'You do not have permission to perform this action.',
          detail: `The API key is missing the following required scopes: ${missing.join(', ')}.`,
        }),
      )
    }
    // All private keys of an account spend from one quota.
    return scheme === 'Bearer' ? 'oauth' : 'keys'
  }

  private find(scheme: string, credential: string): Grant | undefined {
    if (scheme === 'Klaviyo-API-Key') return credential.startsWith('pk_') ? this.keys.get(credential) : undefined
    if (scheme === 'Bearer') return this.tokens.get(credential)
    return undefined
  }
}

export const badCredentials = () =>
  refusal(401, {
    code: 'authentication_failed',
    title: 'Incorrect authentication credentials.',
    detail: 'The API key specified is invalid.',
  })

/** The revision that answers: a retired one is served as the oldest that is left, unless the caller has refused that. */
export function revisionOf(request: Request): string {
  const asked = request.headers.revision
  const revision = typeof asked === 'string' ? asked.trim().replace(/\.pre$/, '') : ''
  if (revision === '') throw new Refused(refusal(400, complaint('A revision is required. Add a "revision" header such as 2026-07-15.')))
  if (!known.test(revision) || revision > newest) throw new Refused(refusal(400, complaint(`The revision ${revision} is not valid.`)))
  if (revision >= oldestServed) return revision
  if (request.headers['x-klaviyo-revision-fall-forward-opt-out'] === '1') {
    throw new Refused(refusal(410, { code: 'gone', title: 'Gone.', detail: `The revision ${revision} is retired.` }))
  }
  return oldestServed
}

const complaint = (detail: string) => ({ code: 'invalid', title: 'Invalid input.', detail, source: { parameter: 'revision' } })
