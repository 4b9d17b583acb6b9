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
  credential: () => Promise<Credential>
  /** The vendor refused these headers: true when there are others now, and the request is worth repeating. */
  renew: (refused: Readonly<Record<string, string>>) => Promise<boolean>
}

export interface Credential {
  headers: Readonly<Record<string, string>>
  /** The only origin it goes to, where the vendor names it with the token; else the connection's. */
  apiUrl?: string | undefined
}

/** A token is refreshed at this share of its life. */
const early = 0.8

export function createAuthorizer(auth: Auth, deps: AuthDeps): Authorizer {
  return auth.kind === 'header'
    ? { credential: () => Promise.resolve({ headers: auth.headers, apiUrl: auth.apiUrl }), renew: () => Promise.resolve(false) }
    : oauth(auth, deps)
}

type OAuth = Extract<Auth, { kind: 'oauth' }>

function oauth(auth: OAuth, { connection, tokens = memoryStore(), clock, send }: AuthDeps): Authorizer {
  /** A changed credential in the environment starts anew. */
  const proof = auth.refreshToken ?? [auth.clientId, auth.clientSecret, ...(auth.secrets ?? [])].join('\n')
  const origin = createHash('sha256').update(proof).digest('hex').slice(0, 16)
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
    const refreshToken = current?.origin === origin ? (current.refreshToken ?? auth.refreshToken) : auth.refreshToken
    const client = `${auth.clientId}:${auth.clientSecret}`
    const { status, body } = await send(
      auth.tokenUrl,
      await formOf(auth, refreshToken, clock.now()),
      auth.basic ? { authorization: `Basic ${Buffer.from(client).toString('base64')}` } : {},
    )
    if (status >= 300 && status < 400)
      throw new Failure(
        'config',
        `The token endpoint of connection ${connection} points elsewhere (${status}): credentials do not go there.`,
        {
          connection,
          status,
        },
      )
    // Nor does what comes from something in between say anything of the token.
    const isForeign = body === undefined && status !== 400 && status !== 401
    if (status >= 500 || status === 429 || isForeign)
      throw new Failure('transient', `The token endpoint answered ${status}.`, { connection, status })
    const answer = (body ?? {}) as Readonly<Record<string, unknown>>
    if (status >= 400 || typeof answer.access_token !== 'string') {
      const code = typeof answer.error === 'string' && /^\w{1,60}$/.test(answer.error) ? answer.error : undefined
      const what = refreshToken === undefined ? 'credential' : 'refresh token'
      throw new Failure(
        'auth',
        `The ${what} of connection ${connection} was refused (${status}${code ? ` ${code}` : ''}). Authorize Weir again and set the new ${what}.`,
        { connection, status, ...(code ? { code } : {}) },
      )
    }
    const seconds = Number(answer.expires_in)
    // Some vendors rotate it; whatever comes back is the one to use.
    const next = typeof answer.refresh_token === 'string' ? answer.refresh_token : refreshToken
    const apiUrl = auth.originField === undefined ? undefined : answer[auth.originField]
    return {
      accessToken: answer.access_token,
      ...(next === undefined ? {} : { refreshToken: next }),
      expiresAt: new Date(clock.now().getTime() + (seconds > 0 && seconds < 1e9 ? seconds : 1800) * 1000 * early).toISOString(),
      origin,
      ...(typeof apiUrl === 'string' ? { apiUrl } : {}),
    }
  }

  return {
    async credential() {
      if (!isFresh(held)) {
        const stored = await tokens.read(connection)
        held = isFresh(stored) ? stored : await token()
      }
      return { headers: { authorization: `Bearer ${held.accessToken}` }, apiUrl: held.apiUrl }
    },
    async renew({ authorization = '' }) {
      const refused = authorization.replace(/^Bearer /, '')
      return isFresh(held) && held.accessToken !== refused ? true : (await token(refused)).accessToken !== refused
    },
  }
}

async function formOf(auth: OAuth, refreshToken: string | undefined, now: Date): Promise<Record<string, string>> {
  if (auth.grant) return { ...(await auth.grant(refreshToken, now)) }
  const client: Record<string, string> = auth.basic ? {} : { client_id: auth.clientId, client_secret: auth.clientSecret }
  return { grant_type: 'refresh_token', refresh_token: refreshToken ?? '', ...client }
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
