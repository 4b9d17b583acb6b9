import type { KeyFile } from '../../src/extract/credentials.js'
import { jwtBearer, signedJwt } from '../../src/http/jwt.js'

export const scope = 'https://www.googleapis.com/auth/webmasters.readonly'
/** Whoever is asked for the token, the statement is addressed to Google (its page on service accounts). */
const audience = 'https://oauth2.googleapis.com/token'
/** The longest life that Google takes. */
const lifeSeconds = 3_600

/** The form that asks for an access token with the account's signature. @throws Failure `config` when the key cannot be used */
export function statement({ email, privateKey, keyId }: KeyFile, now: Date): Record<string, string> {
  const iat = Math.floor(now.getTime() / 1_000)
  const claims = { iss: email, scope, aud: audience, iat, exp: iat + lifeSeconds }
  return { grant_type: jwtBearer, assertion: signedJwt(claims, privateKey, keyId === undefined ? {} : { kid: keyId }) }
}
