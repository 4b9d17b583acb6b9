/** Tokens, what they may do, and the proof that goes with them. */
import { createHmac } from 'node:crypto'
import { Codes } from '../kit/consent.js'
import type { Request } from '../kit/http.js'
import { serial } from '../kit/serial.js'
import { refuse, sessionExpired } from './errors.js'

/** Made-up credentials. The token is a system user's, which never expires; the limited one may not read ads. */
export const metaToken = 'EAABsandbox0000000000000000000000000000ZDZD'
export const metaLimitedToken = 'EAABsandboxlimited00000000000000000000ZDZD'
export const metaApp = { clientId: '1234567890123456', clientSecret: 'sandbox0meta0app0secret000000000' }

export const allScopes: readonly string[] = ['ads_read', 'ads_management', 'business_management']
const longLifeSeconds = 5_183_944

interface Grant {
  scopes: ReadonlySet<string>
  expiresAtMs: number | null
}

export class Access {
  /** Does the app demand the proof on calls from a server? */
  requireProof = false
  private readonly tokens = new Map<string, Grant>([
    [metaToken, { scopes: new Set(allScopes), expiresAtMs: null }],
    [metaLimitedToken, { scopes: new Set(['business_management']), expiresAtMs: null }],
  ])
  readonly codes = new Codes('AQsandbox')
  private readonly revoked = new Set<string>()

  grant(scopes: Iterable<string>, token = metaToken): void {
    this.revoked.delete(token)
    this.tokens.set(token, { scopes: new Set(scopes), expiresAtMs: null })
  }

  revoke(token = metaToken): void {
    this.revoked.add(token)
  }

  /** All tokens with an end expire now; the system user's stays. */
  expireTokens(): void {
    for (const grant of this.tokens.values()) if (grant.expiresAtMs !== null) grant.expiresAtMs = Date.now()
  }

  /** A short-lived token for a code, with what the person agreed to; undefined for any other. */
  redeem(code: string, redirectUri: string): { token: string; seconds: number } | undefined {
    const given = this.codes.redeem(code, redirectUri)
    return given && this.issue(5_400, given.scopes)
  }

  /** A long-lived token for one that is still valid, with the same scopes. There is no refresh token. */
  extend(token: string): { token: string; seconds: number } | undefined {
    return this.isValid(token) ? this.issue(longLifeSeconds, this.tokens.get(token)?.scopes ?? []) : undefined
  }

  isSystemUser(token: string): boolean {
    return this.tokens.get(token)?.expiresAtMs === null
  }

  isValid(token: string): boolean {
    const grant = this.tokens.get(token)
    return grant !== undefined && !this.revoked.has(token) && (grant.expiresAtMs === null || grant.expiresAtMs > Date.now())
  }

  describe(token: string): { scopes: string[]; expiresAt: number } | undefined {
    const grant = this.tokens.get(token)
    return grant && { scopes: [...grant.scopes], expiresAt: grant.expiresAtMs === null ? 0 : Math.floor(grant.expiresAtMs / 1000) }
  }

  /** Who asks: by parameter or header, with the proof where it is demanded or given. */
  identify(request: Request, parameters: ReadonlyMap<string, unknown>): string {
    const [scheme = '', bearer = ''] = (request.headers.authorization ?? '').split(' ')
    const token = String(parameters.get('access_token') ?? (/^(?:bearer|oauth)$/i.test(scheme) ? bearer : ''))
    if (token === '')
      throw refuse({ code: 2500, message: 'An active access token must be used to query information about the current user.' })
    if (this.revoked.has(token))
      throw refuse({
        code: 190,
        subcode: 460,
        status: 401,
        message: 'Error validating access token: The session has been invalidated because the user changed their password.',
      })
    const grant = this.tokens.get(token)
    if (grant === undefined) throw refuse({ code: 190, message: 'Invalid OAuth access token - Cannot parse access token', status: 401 })
    if (grant.expiresAtMs !== null && grant.expiresAtMs <= Date.now()) throw sessionExpired()
    const proof = parameters.get('appsecret_proof')
    if (proof === undefined && this.requireProof)
      throw refuse({ code: 100, type: 'GraphMethodException', message: 'API calls from the server require an appsecret_proof argument' })
    if (proof !== undefined && proof !== createHmac('sha256', metaApp.clientSecret).update(token).digest('hex'))
      throw refuse({ code: 100, type: 'GraphMethodException', message: 'Invalid appsecret_proof provided in the API argument' })
    return token
  }

  /** One of the scopes must be granted. */
  demand(token: string, scopes: readonly string[]): void {
    const granted = this.tokens.get(token)?.scopes
    if (!scopes.some((scope) => granted?.has(scope)))
      throw refuse({
        code: 200,
        status: 403,
        message: `(#200) Ad account owner has NOT grant ads_management or ads_read permission (needs ${scopes.join(' or ')})`,
      })
  }

  private issue(seconds: number, scopes: Iterable<string>): { token: string; seconds: number } {
    const token = `EAABsandboxissued${serial()}ZDZD`
    this.tokens.set(token, { scopes: new Set(scopes), expiresAtMs: Date.now() + seconds * 1000 })
    return { token, seconds }
  }
}
