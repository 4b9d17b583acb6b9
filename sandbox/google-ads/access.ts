/** OAuth as Google gives it: a consent page, a token endpoint, tokens that end; and which account may be reached through which. */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { Codes, consent, isLoopback, problemPage } from '../kit/consent.js'
import type { Reply, Request } from '../kit/http.js'
import { serial } from '../kit/serial.js'
import { accountOf, levelBelow, roots } from './accounts.js'
import { plain, Refused, refused } from './errors.js'

/** Made-up credentials, with the forms that real ones have. */
export const googleAdsOAuth = {
  clientId: '000000000000-sandbox.apps.googleusercontent.com',
  clientSecret: 'GOCSPX-sandbox-secret',
  refreshToken: '1//sandbox-google-refresh-0',
}
export const adwords = 'https://www.googleapis.com/auth/adwords'
export const datamanager = 'https://www.googleapis.com/auth/datamanager'
const serviceEmail = 'weir@sandbox-project.iam.gserviceaccount.com'
const lifeSeconds = 3_599

interface Grant {
  scopes: readonly string[]
  expiresAtMs: number
  /** Whose operations it spends. */
  project: string
}

export class Access {
  private readonly tokens = new Map<string, Grant>()
  private readonly refreshTokens: Map<string, readonly string[]>
  readonly codes = new Codes('4/0sandbox')
  private hasConsented = false
  private keys: { publicKey: string; privateKey: string } | undefined
  /** How long access tokens live. */
  lifeMs = lifeSeconds * 1000

  /** @param agreed the scopes that the user has agreed to */
  constructor(agreed: readonly string[] = [adwords, datamanager]) {
    this.refreshTokens = new Map([[googleAdsOAuth.refreshToken, agreed]])
  }

  /** Gives a refresh token exactly these scopes; an unknown one becomes known. */
  grant(scopes: Iterable<string>, token = googleAdsOAuth.refreshToken): void {
    this.refreshTokens.set(token, [...scopes])
  }

  /** The user takes the consent back: the refresh token is dead, and so are its access tokens. */
  revoke(token = googleAdsOAuth.refreshToken): void {
    this.refreshTokens.delete(token)
    this.tokens.clear()
  }

  expireTokens(): void {
    for (const grant of this.tokens.values()) grant.expiresAtMs = Date.now()
  }

  /** It never changes: a refresh gives no new one. */
  currentRefreshToken(): string {
    return googleAdsOAuth.refreshToken
  }

  /** A service account's key file, its pair of keys made on first use. */
  serviceAccount(tokenUri: string): Record<string, string> {
    const { privateKey } = this.pair()
    return {
      type: 'service_account',
      project_id: 'sandbox-project',
      private_key_id: 'sandbox-key-0',
      private_key: privateKey,
      client_email: serviceEmail,
      client_id: '100000000000000000000',
      token_uri: tokenUri,
    }
  }

  private pair(): { publicKey: string; privateKey: string } {
    this.keys ??= generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    return this.keys
  }

  /** The token endpoint; form-encoded requests only. */
  token(request: Request): Reply {
    const form = new URLSearchParams(request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ? request.text : '')
    switch (form.get('grant_type')) {
      case 'refresh_token':
        return this.ofClient(form) ?? this.refresh(form.get('refresh_token') ?? '')
      case 'authorization_code':
        return this.ofClient(form) ?? this.exchange(form)
      case 'urn:ietf:params:oauth:grant-type:jwt-bearer':
        return this.assert(form.get('assertion') ?? '')
      default:
        return bad('unsupported_grant_type', 'Invalid grant_type.')
    }
  }

  private ofClient(form: URLSearchParams): Reply | undefined {
    const isKnown = form.get('client_id') === googleAdsOAuth.clientId && form.get('client_secret') === googleAdsOAuth.clientSecret
    return isKnown ? undefined : bad('invalid_client', 'The OAuth client was not found.', 401)
  }

  private refresh(token: string): Reply {
    const scopes = this.refreshTokens.get(token)
    return scopes === undefined ? bad('invalid_grant', 'Token has been expired or revoked.') : this.issue(scopes, googleAdsOAuth.clientId)
  }

  /** A refresh token comes with the first consent only, or where the person was asked anew; and only to apps that want it (offline). */
  private exchange(form: URLSearchParams): Reply {
    const given = this.codes.redeem(form.get('code') ?? '', form.get('redirect_uri') ?? '', form.get('code_verifier') ?? '')
    if (given === undefined) return bad('invalid_grant', 'Malformed auth code.')
    const reply = this.issue(given.scopes, googleAdsOAuth.clientId)
    const isAsked = !this.hasConsented || given.query.get('prompt') === 'consent'
    this.hasConsented = true
    if (given.query.get('access_type') !== 'offline' || !isAsked) return reply
    const refreshToken = `1//sandbox-google-refresh-${serial()}`
    this.refreshTokens.set(refreshToken, given.scopes)
    return { ...reply, body: { ...(reply.body as object), refresh_token: refreshToken } }
  }

  /** A JSON web token that the service account's key has signed, for this endpoint and an hour at most. */
  private assert(assertion: string): Reply {
    const [head = '', body = '', signature = ''] = assertion.split('.')
    const claims = decoded(body)
    const key = createPublicKey(this.pair().publicKey)
    const isSigned =
      decoded(head)?.alg === 'RS256' && verify('RSA-SHA256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))
    if (!isSigned || claims?.iss !== serviceEmail) return bad('invalid_grant', 'Invalid JWT Signature.')
    const [from, to, nowSeconds] = [Number(claims.iat), Number(claims.exp), Date.now() / 1000]
    if (!(from <= nowSeconds + 300 && to > nowSeconds && to - from <= 3_600))
      return bad('invalid_grant', 'Invalid JWT: Token must be a short-lived token (60 minutes).')
    if (!String(claims.aud).endsWith('/token')) return bad('invalid_grant', 'Invalid JWT: bad audience.')
    const scopes = String(claims.scope ?? '')
      .split(' ')
      .filter(Boolean)
    return scopes.length === 0 ? bad('invalid_scope', 'Empty or missing scope not allowed.') : this.issue(scopes, serviceEmail)
  }

  private issue(scopes: readonly string[], project: string): Reply {
    const access = `ya29.sandbox-${serial()}`
    this.tokens.set(access, { scopes, expiresAtMs: Date.now() + this.lifeMs, project })
    return {
      status: 200,
      body: {
        access_token: access,
        expires_in: Math.max(1, Math.round(this.lifeMs / 1000)),
        scope: scopes.join(' '),
        token_type: 'Bearer',
      },
    }
  }

  /** The consent page. Codes go to this machine only, as installed apps do it; a person may untick what the app asks for. */
  consent(request: Request): Reply {
    const { query } = request
    if (query.get('client_id') !== googleAdsOAuth.clientId) return problemPage('Error 401: invalid_client')
    if (!isLoopback(query.get('redirect_uri'))) return problemPage('Error 400: redirect_uri_mismatch')
    if (query.get('response_type') !== 'code' || !query.get('scope')) return problemPage('Error 400: invalid_request')
    const scopes = (query.get('scope') ?? '').split(' ')
    return consent(request, { vendor: 'Google', codes: this.codes, scopes, allowed: (granted) => ({ scope: granted.join(' ') }) })
  }

  /** What a request's token stands for. */
  grantOf({ headers }: Request): Readonly<Grant> | undefined {
    return this.tokens.get(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '')
  }

  /** The project whose operations a request spends. Each of the two APIs has a scope of its own. */
  identify(request: Request, scope = adwords): { project: string } | Reply {
    const service = `${scope === adwords ? 'googleads' : 'datamanager'}.googleapis.com`
    const grant = this.grantOf(request)
    if (grant === undefined) return plain(401)
    if (grant.expiresAtMs <= Date.now()) return plain(401, { reason: 'ACCESS_TOKEN_EXPIRED', metadata: { service } })
    if (!grant.scopes.includes(scope)) return plain(403, { reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', metadata: { service } })
    return { project: grant.project }
  }
}

/** May this user reach the customer, through that login? @throws Refused in the vendor's words */
export function reach(customer: string, login: string | undefined): void {
  if (!/^\d{10}$/.test(customer)) throw refused('requestError', 'INVALID_CUSTOMER_ID', `Invalid customer ID '${customer}'.`)
  if (login !== undefined && !/^\d{10}$/.test(login))
    throw refused('headerError', 'INVALID_LOGIN_CUSTOMER_ID', 'Login customer ID in header is not a validly formatted customer ID.')
  const account = accountOf(customer)
  if (account === undefined) throw refused('authenticationError', 'CUSTOMER_NOT_FOUND', 'No customer found for the provided customer id.')
  const through = accountOf(login ?? customer)
  const isReached =
    through !== undefined && roots.some((root) => levelBelow(through, root) !== undefined && (login !== undefined || root === customer))
  if (!isReached || levelBelow(account, login ?? customer) === undefined)
    throw refused(
      'authorizationError',
      'USER_PERMISSION_DENIED',
      "User doesn't have permission to access customer. Note: If you're accessing a client customer, the manager's customer id must be set in the 'login-customer-id' header.",
    )
  if (account.status === 'CANCELED')
    throw new Refused({
      family: 'authorizationError',
      code: 'CUSTOMER_NOT_ENABLED',
      message: "The customer account can't be accessed because it is not yet enabled or has been deactivated.",
    })
}

const bad = (error: string, description: string, status = 400): Reply => ({ status, body: { error, error_description: description } })

function decoded(part: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>
  } catch {
    return undefined
  }
}
