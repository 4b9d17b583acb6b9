/** Who may come in: sessions, grants of apps with refresh tokens that rotate, and what each user may not see. */
import { createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { Codes } from '../kit/consent.js'
import { Refused, type Request } from '../kit/http.js'
import { serial } from '../kit/serial.js'
import { badSession } from './errors.js'
import { idOf } from './ids.js'
import type { Closed } from './org.js'

export const orgId = idOf('00D', 1)
/** Sessions that never end, for tests: of a user who sees all, and of one who sees no opportunities and no phone numbers. */
export const salesforceToken = '00D5g0000000001!AQsandbox.whole.view'
export const salesforceLimitedToken = '00D5g0000000001!AQsandbox.limited.view'
export const salesforceOAuth = {
  clientId: '3MVG9sandbox.client.id',
  clientSecret: 'sandbox-salesforce-secret',
  refreshToken: '5Aep861sandbox.refresh.0',
  username: 'integration@shop.example',
}
export const limitedClosed: readonly string[] = ['Opportunity', 'Contact.Phone', 'Contact.MobilePhone']

export interface Session {
  user: string
  closed: Closed
  /** Null: never. */
  expiresAtMs: number | null
}

interface Grant {
  refreshToken: string
  spent: Set<string>
}

const grantsPerUser = 5
const user = idOf('005', 0)

export class Access {
  /** Turned while the sandbox runs. */
  readonly switches = { rotation: true, sessionMinutes: 120 }
  private readonly sessions = new Map<string, Session>([
    [salesforceToken, { user, closed: new Set(), expiresAtMs: null }],
    [salesforceLimitedToken, { user: idOf('005', 3), closed: new Set(limitedClosed), expiresAtMs: null }],
  ])
  /** Newest last: a sixth authorization of an app takes the oldest away. */
  private grants: Grant[] = [{ refreshToken: salesforceOAuth.refreshToken, spent: new Set() }]
  readonly codes = new Codes('aPrx')
  private keys: { publicKey: KeyObject; privateKey: KeyObject } | undefined

  /** Closes these objects (`Opportunity`) and fields (`Contact.Phone`) to a session's user, and opens all others. */
  close(names: Iterable<string>, token = salesforceToken): void {
    const known = this.sessions.get(token)
    this.sessions.set(token, { user: known?.user ?? user, expiresAtMs: known?.expiresAtMs ?? null, closed: new Set(names) })
  }

  revoke(token = salesforceToken): void {
    this.sessions.delete(token)
    this.grants = this.grants.filter(({ refreshToken }) => refreshToken !== token)
  }

  expireTokens(): void {
    for (const session of this.sessions.values()) if (session.expiresAtMs !== null) session.expiresAtMs = 0
  }

  currentRefreshToken(): string {
    return this.grants.at(-1)?.refreshToken ?? ''
  }

  /** The key of the app's certificate, in PEM: what signs a JWT. */
  get privateKey(): string {
    return this.pair().privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  }

  private pair() {
    this.keys ??= generateKeyPairSync('rsa', { modulusLength: 2048 })
    return this.keys
  }

  session(): string {
    const token = `00D5g0000000001!AQ${serial()}${serial()}`
    this.sessions.set(token, { user, closed: this.sessions.get(salesforceToken)?.closed ?? new Set(), expiresAtMs: this.end() })
    return token
  }

  private end = () => Date.now() + this.switches.sessionMinutes * 60_000

  /** A session for a refresh token, and its successor where they rotate. One that was spent takes its whole grant with it. */
  refresh(token: string): { access: string; refresh: string | undefined } | undefined {
    const grant = this.grants.find(({ refreshToken }) => refreshToken === token)
    if (grant === undefined) {
      this.grants = this.grants.filter(({ spent }) => !spent.has(token))
      return undefined
    }
    if (!this.switches.rotation) return { access: this.session(), refresh: undefined }
    grant.spent.add(token)
    grant.refreshToken = this.newRefreshToken()
    return { access: this.session(), refresh: grant.refreshToken }
  }

  private newRefreshToken = () => `5Aep861sandbox.refresh.${serial()}`

  /** What a code gives; a refresh token only where the scope for it was granted. */
  exchange(
    code: string,
    redirect: string,
    verifier: string,
  ): { access: string; refresh: string | undefined; scopes: string[] } | undefined {
    const given = this.codes.redeem(code, redirect, verifier)
    if (given === undefined) return undefined
    const scopes = [...given.scopes]
    if (!scopes.includes('refresh_token')) return { access: this.session(), refresh: undefined, scopes }
    const refreshToken = this.newRefreshToken()
    this.grants = [...this.grants, { refreshToken, spent: new Set<string>() }].slice(-grantsPerUser)
    return { access: this.session(), refresh: refreshToken, scopes }
  }

  /** Why an assertion is refused, in the vendor's words; undefined when it holds. */
  judge(assertion: string, origins: readonly string[]): string | undefined {
    const [head = '', body = '', signature = ''] = assertion.split('.')
    const claims = parsed(body)
    const verified = createVerify('RSA-SHA256').update(`${head}.${body}`).verify(this.pair().publicKey, signature, 'base64url')
    if (parsed(head).alg !== 'RS256' || !verified) return 'invalid assertion'
    if (claims.iss !== salesforceOAuth.clientId) return 'client identifier invalid'
    if (!origins.includes(String(claims.aud))) return 'audience is invalid'
    if (!(Number(claims.exp) * 1000 > Date.now()) || Number(claims.exp) * 1000 > Date.now() + 301_000) return 'assertion is expired'
    return claims.sub === salesforceOAuth.username ? undefined : "user hasn't approved this consumer"
  }

  /** @throws Refused when the request has no session that lives. Using one makes it live longer. */
  identify({ headers }: Request): Session {
    const [scheme = '', token = ''] = (headers.authorization ?? '').split(' ')
    const session = /^(bearer|oauth)$/i.test(scheme) ? this.sessions.get(token) : undefined
    if (session === undefined || (session.expiresAtMs !== null && session.expiresAtMs <= Date.now())) throw new Refused(badSession())
    if (session.expiresAtMs !== null) session.expiresAtMs = this.end()
    return session
  }
}

function parsed(part: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  } catch {
    return {}
  }
}
