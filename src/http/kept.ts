import { createHash } from 'node:crypto'
import { Failure } from '../core/failure.js'
import type { StoredToken } from '../core/ports.js'
import type { Auth } from './api.js'

type Keeping = Exclude<Auth, { kind: 'header' }>

/** Which of the tokens that are kept belongs to a connection as it is set now. */
export interface Proof {
  /** Of the credential in the settings: a changed one starts anew. */
  origin: string
  /** Of the app: a consent holds for it alone. */
  app: string
  /** Do the settings give a credential of their own, which a consent made earlier does not replace? */
  isGiven: boolean
}

export function proofOf(auth: Keeping): Proof {
  const given = auth.kind === 'oauth' ? auth.refreshToken : auth.token
  const others = auth.kind === 'oauth' ? (auth.secrets ?? []) : []
  return {
    origin: fingerprint(given ?? [auth.clientId, auth.clientSecret, ...others].join('\n')),
    app: fingerprint(auth.clientId),
    isGiven: given !== undefined,
  }
}

/**
 * A token belongs to the credential that gave it. One of a person's consent outlives what the settings say besides: a new client secret, and
 * a first token that was taken out of them.
 */
export const belongs = ({ origin, consentedTo }: StoredToken, proof: Proof): boolean =>
  origin === proof.origin || (!proof.isGiven && consentedTo === proof.app)

export const notConnected = (connection: string): Failure =>
  new Failure('auth', `Connection ${connection} is not connected yet: run \`weir connect ${connection}\`.`, { connection })

const fingerprint = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16)
