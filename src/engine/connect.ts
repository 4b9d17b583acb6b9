import type { ConnectionDefinition, Definition, StreamSettings } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { StoredToken } from '../core/ports.js'
import type { Api } from '../http/api.js'
import type { ClientDeps } from '../http/client.js'
import { addressOf, appOf, type Consent, type Given, isGranted, type Loopback, nameOf, redeem, type Scope } from '../http/consent.js'
import { proofOf } from '../http/kept.js'

/** A connection that a person is to connect, with all that is read by it. */
export interface Connecting {
  api: Api
  consent: Consent
  /** Settings resolved. */
  connection: ConnectionDefinition
  /** Of every sync that reads by it. */
  definitions: readonly Definition[]
}

export interface ConsentAnswer {
  /** The vendor's page, but for where to send the browser, the state and the challenge. */
  address: string
  pkce: boolean
  loopback: Loopback
  scopes: string[]
  /** The setting whose place the credential takes. */
  keeps: Consent['keeps']
}

/** What the command that asked to connect is told. */
export interface ConnectAnswer {
  scopes?: readonly string[] | undefined
  endsAt?: string | undefined
  /** The credential, in the command's own box; none where it is kept. */
  sealed?: string
}

/** What a consent gave. */
export interface Connected {
  /** As it is kept. */
  token: StoredToken
  /** Of it, what the settings would hold. */
  credential: string
  /** What the vendor says that it granted; undefined where it does not say. */
  scopes: readonly string[] | undefined
  /** ISO instant; undefined where what is kept renews itself. */
  endsAt?: string
}

/** Where a person consents, to what the syncs of the connection read and no more. */
export function whereToConsent({ api, consent, connection, definitions }: Connecting): ConsentAnswer {
  const scopes = [...needs(consent, definitions).values()].map(({ scope }) => scope)
  const { pkce, loopback, keeps } = consent
  return { address: addressOf(api, connection, consent, scopes), pkce, loopback, keeps, scopes: scopes.map(nameOf) }
}

/**
 * Turns what the browser came back with into the connection's credential, if all that is read was granted.
 * @throws Failure `auth` when the vendor refuses the code, `permission` when a scope is missing
 */
export async function connect({ api, consent, connection, definitions }: Connecting, given: Given, deps: ClientDeps): Promise<Connected> {
  const { token, scopes } = await redeem(api, connection, consent, given, deps)
  const lacking = scopes && [...needs(consent, definitions).values()].filter(({ scope }) => !isGranted(scope, scopes))
  if (lacking && lacking.length > 0) throw notGranted(api, connection.name, lacking)
  const credential = consent.keeps === 'access_token' ? token.accessToken : token.refreshToken
  if (credential === undefined)
    throw new Failure(
      'permission',
      `${api.name} gave connection ${connection.name} an access token and no refresh token: look at what the app may ask for.`,
      { connection: connection.name },
    )
  const proof = proofOf(appOf(api, connection))
  return {
    token: { ...token, origin: proof.origin, since: deps.clock.now().toISOString(), consentedTo: proof.app },
    credential,
    scopes,
    ...(consent.keeps === 'access_token' ? { endsAt: token.expiresAt } : {}),
  }
}

interface Need {
  scope: Scope
  /** None: the connection itself. */
  streams: string[]
}

/** Scopes by name, each with the streams that need it. */
function needs({ always, ofStream }: Consent, definitions: readonly Definition[]): Map<string, Need> {
  const found = new Map<string, Need>(always.map((scope) => [nameOf(scope), { scope, streams: [] }]))
  const isAlways = new Set(found.keys())
  const streams = definitions.flatMap(({ streams }) => Object.entries<StreamSettings>(streams))
  for (const [stream, { custom }] of streams)
    for (const scope of ofStream?.(stream, custom) ?? []) {
      const name = nameOf(scope)
      if (isAlways.has(name)) continue
      const need = found.get(name) ?? { scope, streams: [] }
      found.set(name, { scope, streams: [...new Set([...need.streams, stream])] })
    }
  return found
}

function notGranted({ name }: Api, connection: string, lacking: readonly Need[]): Failure {
  const scopes = lacking.map(({ scope, streams }) => `${nameOf(scope)}${streams.length > 0 ? ` (for ${streams.join(', ')})` : ''}`)
  return new Failure(
    'permission',
    `${name} did not grant ${scopes.join('; ')}. Nothing was kept. Give the app these scopes and agree to them with \`weir connect ${connection}\`, or leave out the streams that need them.`,
    { connection },
  )
}
