import type { AudienceDefinition } from '../core/audience.js'
import type { ConnectionDefinition, Definition, StreamSettings } from '../core/definition.js'
import { Failure } from '../core/failure.js'
import type { StoredToken } from '../core/ports.js'
import { pushId } from '../core/push.js'
import type { Api } from '../http/api.js'
import type { ClientDeps } from '../http/client.js'
import { addressOf, appOf, type Consent, type Given, type Loopback, redeem } from '../http/consent.js'
import { proofOf } from '../http/kept.js'
import { isGranted, nameOf, type Scope } from '../http/scopes.js'

/** A connection that a person is to connect, with all that is read by it. */
export interface Connecting {
  api: Api
  consent: Consent
  /** Settings resolved. */
  connection: ConnectionDefinition
  /** Of every sync that reads by it. */
  definitions: readonly Definition[]
  /** Audiences that go out by it. */
  audiences: readonly AudienceDefinition[]
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

/** Where a person consents, to what the syncs of the connection read, its audiences need, and no more. */
export function whereToConsent(what: Connecting): ConsentAnswer {
  const { api, consent, connection } = what
  const scopes = needs(what).map(({ scope }) => scope)
  const { pkce, loopback, keeps } = consent
  return { address: addressOf(api, connection, consent, scopes), pkce, loopback, keeps, scopes: scopes.map(nameOf) }
}

/**
 * Turns what the browser came back with into the connection's credential, if all that is needed was granted.
 * @throws Failure `auth` when the vendor refuses the code, `permission` when a scope is missing
 */
export async function connect(what: Connecting, given: Given, deps: ClientDeps): Promise<Connected> {
  const { api, consent, connection } = what
  const { token, scopes } = await redeem(api, connection, consent, given, deps)
  const lacking = scopes && needs(what).filter(({ scope }) => !isGranted(scope, scopes))
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
  /** Streams, and audiences as `audience/vip`; none: the connection itself. */
  of: string[]
}

/** Each scope once, with what needs it. */
function needs({ consent, connection, definitions, audiences }: Connecting): Need[] {
  const { always, ofStream, ofDestination } = consent
  const ofStreams = definitions.flatMap(({ streams }) =>
    Object.entries<StreamSettings>(streams).map(([stream, { custom }]) => ({ scopes: ofStream?.(stream, custom), of: stream })),
  )
  const ofAudiences = audiences.flatMap(({ audience, destinations }) =>
    Object.values(destinations)
      .filter((one) => one.connection.name === connection.name)
      .map(({ kind, target }) => ({ scopes: ofDestination?.(kind, target), of: pushId(audience) })),
  )
  const found = new Map<string, Need>(always.map((scope) => [nameOf(scope), { scope, of: [] }]))
  const isAlways = new Set(found.keys())
  for (const { scopes = [], of } of [...ofStreams, ...ofAudiences])
    for (const scope of scopes) {
      const name = nameOf(scope)
      if (!isAlways.has(name)) found.set(name, { scope, of: [...new Set([...(found.get(name)?.of ?? []), of])] })
    }
  return [...found.values()]
}

function notGranted({ name }: Api, connection: string, lacking: readonly Need[]): Failure {
  const scopes = lacking.map(({ scope, of }) => `${nameOf(scope)}${of.length > 0 ? ` (for ${of.join(', ')})` : ''}`)
  return new Failure(
    'permission',
    `${name} did not grant ${scopes.join('; ')}. Nothing was kept. Give the app these scopes and agree to them with \`weir connect ${connection}\`, or leave out what needs them.`,
    { connection },
  )
}
