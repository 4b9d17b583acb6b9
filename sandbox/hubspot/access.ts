/** Tokens and what they may do. */
import { Codes } from '../kit/consent.js'
import { Refused, type Request } from '../kit/http.js'
import { serial } from '../kit/serial.js'
import { badToken, expiredToken, missingScopes } from './errors.js'

export const portalId = 999

/** Made-up credentials; the tokens have the prefix of real private apps. The second may read contacts only. */
export const hubspotToken = 'pat-na1-sandbox-0000-0000-0000-000000000000'
export const hubspotLimitedToken = 'pat-na1-sandbox-limited-0000-0000-000000000000'
export const hubspotOAuth = {
  clientId: 'sandbox-hubspot-client',
  clientSecret: 'sandbox-hubspot-secret',
  refreshToken: 'sandbox-hubspot-refresh-0',
}

export const allScopes: readonly string[] = [
  ...['contacts', 'companies', 'deals', 'owners', 'custom', 'line_items'].map((name) => `crm.objects.${name}.read`),
  ...['contacts', 'companies', 'deals'].flatMap((name) => [`crm.objects.${name}.write`, `crm.schemas.${name}.read`]),
  'crm.objects.custom.write',
  'tickets',
  'crm.lists.read',
  'crm.lists.write',
  'crm.schemas.custom.read',
  'e-commerce',
  'sales-email-read',
  'content',
  'forms',
  'marketing.campaigns.read',
  'oauth',
]

interface Grant {
  scopes: ReadonlySet<string>
  expiresAtMs: number | null
}

export interface Pair {
  access: string
  refresh: string
  seconds: number
  scopes: readonly string[]
}

export class Access {
  private readonly tokens = new Map<string, Grant>([
    [hubspotToken, { scopes: new Set(allScopes), expiresAtMs: null }],
    [hubspotLimitedToken, { scopes: new Set(['crm.objects.contacts.read', 'oauth']), expiresAtMs: null }],
  ])
  /** Those that are good now, the newest last, and what each may ask. */
  private readonly refreshTokens = new Map<string, readonly string[]>([[hubspotOAuth.refreshToken, allScopes]])
  readonly codes = new Codes('sandbox-hubspot-code-')

  /** Gives a token exactly these scopes; an unknown token becomes a known one. */
  grant(scopes: Iterable<string>, token = hubspotToken): void {
    this.tokens.set(token, { scopes: new Set(scopes), expiresAtMs: null })
  }

  revoke(token = hubspotToken): void {
    this.tokens.delete(token)
  }

  /** All OAuth access tokens given so far expire now; static tokens stay. */
  expireTokens(): void {
    for (const grant of this.tokens.values()) if (grant.expiresAtMs !== null) grant.expiresAtMs = Date.now()
  }

  currentRefreshToken(): string {
    return [...this.refreshTokens.keys()].at(-1) ?? ''
  }

  /** A new pair for a refresh token, which is used up; undefined for one that is not good. */
  refresh(token: string | null): Pair | undefined {
    const scopes = this.refreshTokens.get(token ?? '')
    if (scopes === undefined) return undefined
    this.refreshTokens.delete(token ?? '')
    return this.pair(scopes)
  }

  /** A token pair of a consent. */
  pair(scopes: readonly string[]): Pair {
    const access = `sandbox-hubspot-access-${serial()}`
    const refresh = `sandbox-hubspot-refresh-${serial()}`
    this.refreshTokens.set(refresh, scopes)
    this.tokens.set(access, { scopes: new Set(scopes), expiresAtMs: Date.now() + 1_800_000 })
    return { access, refresh, seconds: 1800, scopes }
  }

  /** The token whose quota is spent. */
  identify(request: Request): { token: string; oauth: boolean } {
    const [scheme = '', token = ''] = (request.headers.authorization ?? '').split(' ')
    const grant = scheme.toLowerCase() === 'bearer' ? this.tokens.get(token) : undefined
    if (grant === undefined) throw new Refused(badToken())
    if (grant.expiresAtMs !== null && grant.expiresAtMs <= Date.now()) {
      throw new Refused(expiredToken(Math.max(1, Math.round((Date.now() - grant.expiresAtMs) / 1000))))
    }
    return { token, oauth: grant.expiresAtMs !== null }
  }

  /** One of the alternatives must be granted. */
  demand(token: string, scopes: readonly string[]): void {
    const granted = this.tokens.get(token)?.scopes
    if (scopes.length > 0 && !scopes.some((scope) => granted?.has(scope))) throw new Refused(missingScopes(scopes))
  }
}
