import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { Failure } from '../core/failure.js'

/** The grant by which a signed statement, in place of a refresh token, asks for an access token (RFC 7523). */
export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/**
 * A statement (JWT, RS256) signed with a private key.
 * @param claims names as in RFC 7519; `iat` and `exp` in seconds
 * @param pem private RSA key; `\n` written out, as in environment variables, is a line's end
 * @throws Failure `config` when the key cannot be read
 */
export function signedJwt(claims: Readonly<Record<string, string | number>>, pem: string, header: { kid?: string } = {}): string {
  const text = `${part({ alg: 'RS256', typ: 'JWT', ...header })}.${part(claims)}`
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), keyOf(pem)).toString('base64url')}`
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

function keyOf(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem.replaceAll('\\n', '\n'))
    if (key.asymmetricKeyType === 'rsa') return key
  } catch {
    // The library's error may quote the key.
  }
  throw new Failure('config', 'The private key cannot be read: it must be an RSA key in PEM, from its first to its last line.')
}
