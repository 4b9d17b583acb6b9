import { createHash } from 'node:crypto'
import { Failure } from '../core/failure.js'
import type { Clock, StoredToken, TokenStore } from '../core/ports.js'
import type { Auth } from './api.js'

/** Sends the refresh request; the client gives it, so that it passes by the same time-outs and origin rules. */
export type SendForm = (
  url: string,
  form: Record<string, string>,
  headers: Record<string, string>,
) => Promise<{ status: number; body: unknown }>

export interface Authorizer {
  headers: () => Promise<Readonly<Record<string, string>>>
  /** The vendor refused the credential: true when another one is there now and the request is worth repeating. */
  renew: () => Promise<boolean>
}

/** Refreshed at this share of a token's life. */
const early = 0.8

export function createAuthorizer(auth: Auth, connection: string, tokens: TokenStore | undefined, clock: Clock, send: SendForm): Authorizer {
  if (auth.kind === 'header') return { headers: () => Promise.resolve(auth.headers), renew: () => Promise.resolve(false) }
  const store = tokens ?? memoryStore()
  /** A changed first token in the environment starts anew. */
  const origin = createHash('sha256').update(auth.refreshToken).digest('hex').slice(0, 16)
  let used: string | undefined
  let renewed = false

  const isFresh = (token: StoredToken | undefined): token is StoredToken =>
    token !== undefined && token.origin === origin && Date.parse(token.expiresAt) > clock.now().getTime()

  /** One worker refreshes, the others find the new token under the lock. */
  const refresh = (isWorn: (token: StoredToken) => boolean) =>
    store.update(connection, async (current) => {
      if (isFresh(current) && !isWorn(current)) return current
      const refreshToken = current?.origin === origin ? current.refreshToken : auth.refreshToken
      const client = auth.basic ? {} : { client_id: auth.clientId, client_secret: auth.clientSecret }
      const headers: Record<string, string> = auth.basic
        ? { authorization: `Basic ${Buffer.from(`${auth.clientId}:${auth.clientSecret}`).toString('base64')}` }
        : {}
      const { status, body } = await send(auth.tokenUrl, { grant_type: 'refresh_token', refresh_token: refreshToken, ...client }, headers)
      const answer = body as { access_token?: unknown; refresh_token?: unknown; expires_in?: unknown } | undefined
      if (status >= 500 || status === 429) throw new Failure('transient', `The token endpoint answered ${status}.`, { connection, status })
      if (status >= 400 || typeof answer?.access_token !== 'string') {
        throw new Failure(
          'auth',
          `The refresh token of connection ${connection} was refused (${status}). Authorize Weir again and set the new token.`,
          { connection, status },
        )
      }
      const lifeMs = Number(answer.expires_in ?? 1800) * 1000
      return {
        accessToken: answer.access_token,
        refreshToken: typeof answer.refresh_token === 'string' ? answer.refresh_token : refreshToken,
        expiresAt: new Date(clock.now().getTime() + lifeMs * early).toISOString(),
        origin,
      }
    })

  return {
    async headers() {
      const stored = await store.read(connection)
      const token = isFresh(stored) ? stored : await refresh(() => false)
      used = token.accessToken
      return { authorization: `Bearer ${token.accessToken}` }
    },
    async renew() {
      if (renewed) return false
      renewed = true
      const token = await refresh((current) => current.accessToken === used)
      return token.accessToken !== used
    },
  }
}

/** For a process that keeps nothing: the token lives as long as the client. */
function memoryStore(): TokenStore {
  let token: StoredToken | undefined
  return {
    read: () => Promise.resolve(token),
    update: async (_, refresh) => {
      token = await refresh(token)
      return token
    },
  }
}
