import { createHash } from 'node:crypto'
import { Failure } from '../core/failure.js'
import type { Clock, StoredToken, TokenStore } from '../core/ports.js'
import type { Auth } from './api.js'

export interface AuthDeps {
  connection: string
  tokens: TokenStore | undefined
  clock: Clock
  /** Sends the refresh request; the client gives it, so that it passes by the same time-outs and origin rules. */
  send: (url: string, form: Record<string, string>, headers: Record<string, string>) => Promise<{ status: number; body: unknown }>
}

/** What proves who the connection is, on each request. */
export interface Authorizer {
  headers: () => Promise<Readonly<Record<string, string>>>
  /** The vendor refused these headers: true when there are others now, and the request is worth repeating. */
  renew: (refused: Readonly<Record<string, string>>) => Promise<boolean>
}

/** A token is refreshed at this share of its life. */
const early = 0.8

export function createAuthorizer(auth: Auth, deps: AuthDeps): Authorizer {
  return auth.kind === 'header' ? { headers: () => Promise.resolve(auth.headers), renew: () => Promise.resolve(false) } : oauth(auth, deps)
}

function oauth(auth: Extract<Auth, { kind: 'oauth' }>, { connection, tokens = memoryStore(), clock, send }: AuthDeps): Authorizer {
  /** A changed first token in the environment starts anew. */
  const origin = createHash('sha256').update(auth.refreshToken).digest('hex').slice(0, 16)
  let held: StoredToken | undefined
  let refreshing: Promise<StoredToken> | undefined

  const isFresh = (token: StoredToken | undefined): token is StoredToken =>
    token !== undefined && token.origin === origin && Date.parse(token.expiresAt) > clock.now().getTime()

  /** One refresh at a time: this process waits for its own, other workers find the new token under the store's lock. */
  const token = (refused?: string): Promise<StoredToken> => {
    refreshing ??= tokens
      .update(connection, (current) => (isFresh(current) && current.accessToken !== refused ? Promise.resolve(current) : ask(current)))
      .then((fresh) => {
        held = fresh
        return fresh
      })
      .finally(() => {
        refreshing = undefined
      })
    return refreshing
  }

  async function ask(current: StoredToken | undefined): Promise<StoredToken> {
    const refreshToken = current?.origin === origin ? current.refreshToken : auth.refreshToken
    const client = `${auth.clientId}:${auth.clientSecret}`
    const { status, body } = await send(
      auth.tokenUrl,
      {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        ...(auth.basic ? {} : { client_id: auth.clientId, client_secret: auth.clientSecret }),
      },
      auth.basic ? { authorization: `Basic ${Buffer.from(client).toString('base64')}` } : {},
    )
    // Nor does what comes from something in between say anything of the token.
    const isForeign = body === undefined && status !== 400 && status !== 401
    if (status >= 500 || status === 429 || isForeign)
      throw new Failure('transient', `The token endpoint answered ${status}.`, { connection, status })
    const answer = body as { access_token?: unknown; refresh_token?: unknown; expires_in?: unknown } | undefined
    if (status >= 400 || typeof answer?.access_token !== 'string') {
      throw new Failure(
        'auth',
        `The refresh token of connection ${connection} was refused (${status}). Authorize Weir again and set the new token.`,
        { connection, status },
      )
    }
    const seconds = Number(answer.expires_in)
    return {
      accessToken: answer.access_token,
      // Some vendors rotate it; whatever comes back is the one to use.
      refreshToken: typeof answer.refresh_token === 'string' ? answer.refresh_token : refreshToken,
      expiresAt: new Date(clock.now().getTime() + (seconds > 0 && seconds < 1e9 ? seconds : 1800) * 1000 * early).toISOString(),
      origin,
    }
  }

  return {
    async headers() {
      if (!isFresh(held)) {
        const stored = await tokens.read(connection)
        held = isFresh(stored) ? stored : await token()
      }
      return { authorization: `Bearer ${held.accessToken}` }
    },
    async renew({ authorization = '' }) {
      const refused = authorization.replace(/^Bearer /, '')
      return isFresh(held) && held.accessToken !== refused ? true : (await token(refused)).accessToken !== refused
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
