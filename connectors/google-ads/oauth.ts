import { Failure } from '../../src/core/failure.js'
import type { KeyFile } from '../../src/extract/credentials.js'

/** The scope of the Google Ads API; there is none that only reads. */
export const scope = 'https://www.googleapis.com/auth/adwords'
/** And of the Data Manager API, by which audiences go out. */
export const audienceScope = 'https://www.googleapis.com/auth/datamanager'
const scopes = [scope, audienceScope]

export type Key = { kind: 'user'; clientId: string; clientSecret: string; refreshToken: string } | ({ kind: 'service account' } & KeyFile)

/**
 * The form with which Google's own library would ask for an access token. It signs and words it, and sends nothing: what it hands to
 * its transport is taken and goes out through our client, past its time-outs, origin check and redaction (docs/adr: Google's library words token requests). Loaded when a token is due: 13 MB and 36 ms.
 * @throws Failure `config` when the private key cannot be used
 */
export async function tokenForm(key: Key): Promise<Record<string, string>> {
  const { JWT, UserRefreshClient } = await import('google-auth-library')
  let form: Record<string, string> = {}
  const fetchImplementation: typeof fetch = (_, init) => {
    form = Object.fromEntries(new URLSearchParams(String(init?.body ?? '')))
    return Promise.resolve(Response.json({ access_token: 'taken by our client', expires_in: 1, token_type: 'Bearer' }))
  }
  const transporterOptions = { fetchImplementation }
  const client =
    key.kind === 'user'
      ? new UserRefreshClient({ ...key, transporterOptions })
      : new JWT({ email: key.email, key: key.privateKey, ...(key.keyId ? { keyId: key.keyId } : {}), scopes, transporterOptions })
  try {
    await client.getAccessToken()
  } catch {
    // Its message may quote the key, and so may its cause.
    throw new Failure('config', 'The private key of service_account cannot be used to sign: take the JSON key file as Google gave it.')
  }
  return form
}
