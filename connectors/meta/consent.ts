import type { Http } from '../../src/core/types.js'
import { at } from '../../src/extract/paginate.js'
import type { App, Consent, Given, Granted, RedeemDeps } from '../../src/http/consent.js'
import { meta, path } from './api.js'

const exchange = (http: Http, query: Record<string, string>) => http.request({ path: path(http, 'oauth/access_token'), query })

/** No end is told: the token does not expire. */
const never = '9999-12-31T00:00:00.000Z'

/**
 * A code gives a token of an hour or two, which gives one of about sixty days; there is no refresh token. What a person has granted, boxes
 * unticked, only a look into the token tells.
 */
async function redeem(http: Http, { clientId, clientSecret }: App, given: Given, { now, learn }: RedeemDeps): Promise<Granted> {
  const client = { client_id: clientId, client_secret: clientSecret }
  const { body: short } = await exchange(http, { ...client, redirect_uri: given.redirect, code: given.code })
  learn(String(short.access_token))
  const long = { ...client, grant_type: 'fb_exchange_token', fb_exchange_token: String(short.access_token) }
  const { body } = await exchange(http, long)
  const token = String(body.access_token)
  learn(token)
  const look = { input_token: token, access_token: `${clientId}|${clientSecret}` }
  const { body: about } = await http.request({ path: path(http, 'debug_token'), query: look })
  const [scopes, seconds] = [at(about, 'data.scopes'), Number(body.expires_in)]
  const expiresAt = seconds > 0 ? new Date(now.getTime() + seconds * 1000).toISOString() : never
  return { token: { accessToken: token, expiresAt }, scopes: Array.isArray(scopes) ? scopes.map(String) : undefined }
}

/** Meta's login dialog (Facebook Login for Business, read 2026-11-23). */
export const consent: Consent = {
  page: () => `https://www.facebook.com/${meta.versions[0].name}/dialog/oauth`,
  separator: ',',
  pkce: false,
  keeps: 'access_token',
  // An app in development takes localhost unregistered; a live one demands https.
  loopback: { host: 'localhost', anyPort: false },
  always: [['ads_read', 'ads_management']],
  ofDestination: () => ['ads_management'],
  isDue: ({ access_token }) => access_token === undefined,
  redeem,
}
