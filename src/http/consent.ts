import type { ConnectionDefinition } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { StoredToken } from '../core/ports.js'
import type { Http } from '../core/types.js'
import type { Api, Auth } from './api.js'
import { type ClientDeps, createHttp } from './client.js'
import { atOrigin, pageAt } from './origin.js'
import { retry } from './retry.js'
import type { Scope } from './scopes.js'
import { createMask } from './secrets.js'
import { askToken, clientForm, formSender, type OAuth, tokenOf } from './token-endpoint.js'
import { send } from './wire.js'

type Settings = Readonly<Record<string, unknown>>

/** How a person's consent becomes a connection's credential. */
export interface Consent {
  /** The vendor's page, whole. */
  page: (settings: Settings) => string
  /** Its parameters beside those of RFC 6749. */
  query?: Readonly<Record<string, string>>
  /** What stands between scopes. Default: a space. */
  separator?: ','
  /** Does the vendor know PKCE (S256)? Then it is used, demanded or not. */
  pkce: boolean
  /** What is kept of the answer: the setting that it takes the place of. */
  keeps: 'refresh_token' | 'access_token'
  /** How the vendor takes addresses of this machine: under which name, and whether on any port or only as they are registered. */
  loopback: Loopback
  /** What any connection needs. */
  always: readonly Scope[]
  /** What a stream needs besides; of one that the user made, by its keys. */
  ofStream?: (stream: string, custom: Settings | undefined) => readonly Scope[]
  /** What audiences need that go to a destination of this kind; the target as the project file names it. */
  ofDestination?: (kind: string, target: string) => readonly Scope[]
  /** Do these settings wait for a consent, since nothing else in them proves who the connection is? */
  isDue: (settings: Settings) => boolean
  /** The exchange, where it is not that of RFC 6749. */
  redeem?: (http: Http, app: App, given: Given, deps: RedeemDeps) => Promise<Granted>
}

export interface Loopback {
  host: 'localhost' | '127.0.0.1'
  anyPort: boolean
}
export interface App {
  clientId: string
  clientSecret: string
}
/** What the browser came back with, and what is known beside. */
export interface Given {
  code: string
  /** The address to which the vendor sent it. */
  redirect: string
  verifier?: string
}
export interface RedeemDeps {
  now: Date
  /** What it is told must stand in no failure. */
  learn: (secret: string) => void
}
export interface Granted {
  token: Omit<StoredToken, 'origin' | 'since' | 'consentedTo'>
  /** Undefined where the vendor does not say; by RFC 6749 they are then what was asked for. */
  scopes: readonly string[] | undefined
}

/**
 * The app of a connection that a person can consent to.
 * @throws Failure `config` where the settings prove who they are in another way, or lack the app's id or secret
 */
export function appOf(api: Api, { name, settings }: ConnectionDefinition): Exclude<Auth, { kind: 'header' }> {
  const auth = api.auth(settings)
  if (auth.kind === 'header' || auth.clientId === '' || auth.clientSecret === '')
    throw new Failure(
      'config',
      `Connection ${name} has no app that a person could consent to: give it the id and the secret of an app instead of another credential.`,
      { connection: name },
    )
  return auth
}

/** The page with what the vendor must know; who opens it adds where to send the browser, a state, and the challenge of PKCE. */
export function addressOf(api: Api, connection: ConnectionDefinition, consent: Consent, scopes: readonly Scope[]): string {
  const { clientId } = appOf(api, connection)
  const url = pageAt(consent.page(connection.settings), new URL(connection.baseUrl ?? api.origin))
  const asked = new Set(scopes.map((one) => (typeof one === 'string' ? one : one[0])))
  const scope = [...asked].join(consent.separator ?? ' ')
  for (const [name, value] of Object.entries({ response_type: 'code', client_id: clientId, scope, ...consent.query }))
    url.searchParams.set(name, value)
  return url.href
}

/** Answers of a token endpoint are small, and a person waits. */
const limits = { totalMs: 30_000, silentMs: 30_000, maxBytes: 1024 * 1024 }
const tries = { retries: 3, retryMs: 500 }

/**
 * A code for a token. A code is good once, and not for long.
 * @throws Failure `auth` when the vendor refuses it
 */
export async function redeem(
  api: Api,
  connection: ConnectionDefinition,
  consent: Consent,
  given: Given,
  deps: ClientDeps,
): Promise<Granted> {
  const app = appOf(api, connection)
  if (consent.redeem) {
    const mask = createMask()
    const learn = (secret: string) => mask.learn(secret)
    for (const secret of [app.clientSecret, given.code]) learn(secret)
    const nobody: Api = { ...api, auth: () => ({ kind: 'header', headers: {} }) }
    try {
      return await consent.redeem(createHttp(nobody, connection, { ...deps, mask }), app, given, { now: deps.clock.now(), learn })
    } catch (error) {
      // Of a refusal it matters that it is the code's, whatever a vendor's words for it mean elsewhere.
      if (!(error instanceof Failure) || !error.isFinal) throw error
      const { status, code } = error.where
      throw new Failure('auth', notTaken(api, connection, [status, code].filter(Boolean).join(' ')), error.where, { cause: error })
    }
  }
  const auth = atOrigin(app, api, new URL(connection.baseUrl ?? api.origin)) as OAuth
  const form = {
    grant_type: 'authorization_code',
    code: given.code,
    redirect_uri: given.redirect,
    ...(given.verifier === undefined ? {} : { code_verifier: given.verifier }),
    ...clientForm(auth),
  }
  const { signal } = deps
  const ask = () =>
    askToken(auth, form, {
      connection: connection.name,
      send: formSender((sending) => send(api.name, { ...sending, signal }, limits)),
      refused: (said) => notTaken(api, connection, said),
    })
  const answer = await retry(ask, {
    ...tries,
    signal,
    onFailure: async ({ message }) => deps.log.debug(message, { connection: connection.name }),
  })
  return { token: tokenOf(answer, auth, deps.clock.now(), undefined), scopes: scopesOf(answer.scope ?? answer.scopes) }
}

const notTaken = (api: Api, { name }: ConnectionDefinition, said: string) =>
  `${api.name} did not take the code for connection ${name} (${said}): it is good once and for minutes. Look at the app's id, secret and redirect address, and run \`weir connect ${name}\` again.`

/** A text with spaces (RFC 6749), or a list. */
function scopesOf(said: unknown): string[] | undefined {
  if (Array.isArray(said)) return said.map(String)
  return typeof said === 'string' ? said.split(/[ ,]+/).filter(Boolean) : undefined
}
