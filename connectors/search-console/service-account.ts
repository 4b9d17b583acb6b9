import { Failure } from '../../src/core/failure.js'
import type { Rec } from '../../src/core/types.js'
import { jwtBearer, signedJwt } from '../../src/http/jwt.js'

export const scope = 'https://www.googleapis.com/auth/webmasters.readonly'
/** Whoever is asked for the token, the statement is addressed to Google (its page on service accounts). */
const audience = 'https://oauth2.googleapis.com/token'
/** The longest life that Google takes. */
const lifeSeconds = 3_600

export interface KeyFile {
  email: string
  privateKey: string
  keyId: string | undefined
}

/** A service account's key file. @throws Failure `config` when it is none */
export function keyFile(json: string): KeyFile {
  const { client_email: email, private_key: privateKey, private_key_id: keyId } = parsed(json) ?? {}
  if (typeof email !== 'string' || typeof privateKey !== 'string')
    throw new Failure('config', 'service_account is not the JSON key file of a service account (client_email and private_key).')
  return { email, privateKey, keyId: typeof keyId === 'string' ? keyId : undefined }
}

function parsed(json: string): Rec | undefined {
  try {
    return JSON.parse(json) as Rec
  } catch {
    // The error would quote the key.
    return undefined
  }
}

/** The form that asks for an access token with the account's signature. @throws Failure `config` when the key cannot be used */
export function statement({ email, privateKey, keyId }: KeyFile, now: Date): Record<string, string> {
  const iat = Math.floor(now.getTime() / 1_000)
  const claims = { iss: email, scope, aud: audience, iat, exp: iat + lifeSeconds }
  return { grant_type: jwtBearer, assertion: signedJwt(claims, privateKey, keyId === undefined ? {} : { kid: keyId }) }
}
