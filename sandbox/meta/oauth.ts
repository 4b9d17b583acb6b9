/** The consent page, the exchange of codes and tokens, and the look into a token. */
import type { Reply, Request } from '../kit/http.js'
import { type Access, metaApp } from './access.js'
import { graphError } from './errors.js'

const escaped = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

/** The page on which a person agrees: its one link leads back to the app with a code. */
export function dialog(access: Access, { query }: Request): Reply {
  const redirect = query.get('redirect_uri') ?? ''
  if (query.get('client_id') !== metaApp.clientId || !URL.canParse(redirect))
    return { status: 400, body: '<!DOCTYPE html><p>Invalid app ID, or no redirect_uri.</p>', contentType: 'text/html; charset=utf-8' }
  const back = new URL(redirect)
  back.searchParams.set('code', access.code(redirect))
  if (query.has('state')) back.searchParams.set('state', query.get('state') as string)
  const body = `<!DOCTYPE html><html><head><title>Log in with the sandbox</title></head><body><h1>Meta sandbox</h1>
<p>An app asks for: ${escaped(query.get('scope') ?? '')}</p><p><a id="continue" href="${escaped(back.href)}">Continue</a></p></body></html>`
  return { status: 200, body, contentType: 'text/html; charset=utf-8' }
}

/** `GET /oauth/access_token`: a code for a token, or a valid token for one that lives about sixty days. */
export function token(access: Access, parameters: ReadonlyMap<string, unknown>): Reply {
  const given = (name: string) => String(parameters.get(name) ?? '')
  if (given('client_id') !== metaApp.clientId || given('client_secret') !== metaApp.clientSecret)
    return graphError({ code: 101, message: 'Error validating application. Invalid application ID or secret.' })
  const isExchange = given('grant_type') === 'fb_exchange_token'
  const issued = isExchange ? access.extend(given('fb_exchange_token')) : access.redeem(given('code'), given('redirect_uri'))
  if (issued) return { status: 200, body: { access_token: issued.token, token_type: 'bearer', expires_in: issued.seconds } }
  return isExchange
    ? graphError({ code: 190, subcode: 463, message: 'Error validating access token: Session has expired.' })
    : graphError({ code: 100, subcode: 36_009, message: 'This authorization code has been used.' })
}

export function debugToken(access: Access, parameters: ReadonlyMap<string, unknown>): Reply {
  const token = String(parameters.get('input_token') ?? '')
  const known = access.describe(token)
  const about = known && { expires_at: known.expiresAt, data_access_expires_at: 0, scopes: known.scopes, user_id: '122100000000000001' }
  return { status: 200, body: { data: { app_id: metaApp.clientId, type: 'SYSTEM_USER', is_valid: access.isValid(token), ...about } } }
}
