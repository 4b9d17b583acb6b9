import { Failure } from '../core/failure.js'
import type { Clock, StoredToken, TokenStore } from '../core/ports.js'
import type { Auth } from './api.js'
import { belongs, notConnected, proofOf } from './kept.js'
import { askToken, clientForm, type OAuth, type SendForm, tokenOf } from './token-endpoint.js'

export interface AuthDeps {
  connection: string
  tokens: TokenStore | undefined
  clock: Clock
  /** Sends the refresh request; the client gives it, so that it passes by the same time-outs and origin rules. */
  send: SendForm
}

/** What proves who the connection is, on each request. */
export interface Authorizer {
  credential: () => Promise<Credential>
  /** The vendor refused these headers: true when there are others now, and the request is worth repeating. */
  renew: (refused: Readonly<Record<string, string>>) => Promise<boolean>
}

export interface Credential {
  headers: Readonly<Record<string, string>>
  /** Parameters that prove it too: part of every address, and as secret as the headers. */
  query?: Readonly<Record<string, string>> | undefined
  /** The only origin it goes to, where the vendor names it with the token; else the connection's. */
  apiUrl?: string | undefined
}

export function createAuthorizer(auth: Auth, deps: AuthDeps): Authorizer {
  switch (auth.kind) {
    case 'header':
      return { credential: () => Promise.resolve(auth), renew: () => Promise.resolve(false) }
    case 'token':
      return longLived(auth, deps)
    case 'oauth':
      return oauth(auth, deps)
  }
}

function oauth(auth: OAuth, { connection, tokens = memoryStore(), clock, send }: AuthDeps): Authorizer {
  const proof = proofOf(auth)
  let held: StoredToken | undefined
  let refreshing: Promise<StoredToken> | undefined

  const isFresh = (token: StoredToken | undefined): token is StoredToken =>
    token !== undefined && belongs(token, proof) && Date.parse(token.expiresAt) > clock.now().getTime()

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
    const ours = current && belongs(current, proof) ? current : undefined
    const refreshToken = ours?.refreshToken ?? auth.refreshToken
    const form = await formOf(auth, refreshToken, clock.now())
    if (form === undefined) throw notConnected(connection)
    const refused = (said: string) =>
      refreshToken === undefined
        ? `The credential of connection ${connection} was refused (${said}). Authorize Weir again, and set the new one.`
        : `The refresh token of connection ${connection} was refused (${said}). Authorize Weir again: run \`weir connect ${connection}\`, or set a new one.`
    const answer = await askToken(auth, form, { connection, send, refused })
    const now = clock.now()
    const { origin, since = now.toISOString(), consentedTo } = ours ?? { origin: proof.origin }
    return { ...tokenOf(answer, auth, now, refreshToken), origin, since, ...(consentedTo === undefined ? {} : { consentedTo }) }
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

/** Undefined where there is nothing to ask with: nobody has consented yet. */
async function formOf(auth: OAuth, refreshToken: string | undefined, now: Date): Promise<Readonly<Record<string, string>> | undefined> {
  if (auth.grant) return auth.grant(refreshToken, now)
  return refreshToken === undefined ? undefined : { grant_type: 'refresh_token', refresh_token: refreshToken, ...clientForm(auth) }
}

/** Nobody can renew it but a person; it is looked up again when it is refused, since that may have happened meanwhile. */
function longLived(auth: Extract<Auth, { kind: 'token' }>, { connection, tokens, clock }: AuthDeps): Authorizer {
  const proof = proofOf(auth)
  let held: string | undefined

  async function find(): Promise<string> {
    const stored = await tokens?.read(connection)
    const ours = stored && belongs(stored, proof) ? stored : undefined
    const token = ours?.accessToken ?? auth.token
    if (token === undefined) throw notConnected(connection)
    if (ours && Date.parse(ours.expiresAt) <= clock.now().getTime())
      throw new Failure('auth', `The token of connection ${connection} ended on ${ours.expiresAt}: run \`weir connect ${connection}\`.`, {
        connection,
      })
    return token
  }

  return {
    async credential() {
      held ??= await find()
      return auth.credential(held)
    },
    async renew() {
      const before = held
      held = await find()
      return held !== before
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
