/** The consent page, the exchange of codes and tokens, and the look into a token. */
import { consent, isLoopback, problemPage } from '../kit/consent.js'
import type { Reply, Request } from '../kit/http.js'
import { type Access, metaApp } from './access.js'
import { graphError } from './errors.js'

/** The page on which a person agrees, or refuses. */
export function dialog(access: Access, request: Request): Reply {
  const { query } = request
  if (query.get('client_id') !== metaApp.clientId)
    return problemPage('Invalid app ID: the provided app ID does not look like a valid app ID.')
  // Where the app is in development, this machine needs no registration.
  if (!isLoopback(query.get('redirect_uri'))) return problemPage("URL blocked: the redirect URI is not white-listed in the app's settings.")
  const scopes = (query.get('scope') ?? '').split(/[ ,]+/).filter(Boolean)
  const denied = { error_reason: 'user_denied', error_description: 'Permissions error' }
  return consent(request, { vendor: 'Meta', codes: access.codes, scopes, denied })
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
  return {
    status: 200,
    body: {
      data: {
        app_id: metaApp.clientId,
        type: access.isSystemUser(token) ? 'SYSTEM_USER' : 'USER',
        is_valid: access.isValid(token),
        ...about,
      },
    },
  }
}
