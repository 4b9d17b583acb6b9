/** The consent page, and OAuth tokens: every refresh gives a new refresh token and uses the old one up. */
import { consent, isLoopback, problemPage } from '../kit/consent.js'
import type { Reply, Request } from '../kit/http.js'
import { type Access, allScopes, hubspotOAuth, type Pair, portalId } from './access.js'
import { refusal } from './errors.js'

/** An error carries both shapes that clients expect: the vendor's envelope and the RFC's words. */
export function token(access: Access, request: Request): Reply {
  const form = new URLSearchParams(request.text)
  const known = form.get('client_id') === hubspotOAuth.clientId && form.get('client_secret') === hubspotOAuth.clientSecret
  const given = known ? grantOf(access, form) : undefined
  if (given === undefined)
    return {
      status: 400,
      body: {
        ...(refusal(400, 'BAD_REQUEST', 'missing or invalid code or refresh token').body as object),
        error: 'invalid_grant',
        error_description: 'The code or refresh token is missing, invalid or revoked.',
      },
    }
  return {
    status: 200,
    body: {
      access_token: given.access,
      refresh_token: given.refresh,
      expires_in: given.seconds,
      token_type: 'bearer',
      token_use: 'access_token',
      hub_id: portalId,
      user_id: 1000,
      scopes: given.scopes,
    },
  }
}

function grantOf(access: Access, form: URLSearchParams): Pair | undefined {
  if (form.get('grant_type') === 'refresh_token') return access.refresh(form.get('refresh_token'))
  if (form.get('grant_type') !== 'authorization_code') return undefined
  const given = access.codes.redeem(form.get('code') ?? '', form.get('redirect_uri') ?? '', form.get('code_verifier') ?? '')
  return given && access.pair(given.scopes)
}

/** The consent page, at app.hubspot.com. */
export function authorize(access: Access, request: Request): Reply {
  const { query } = request
  if (query.get('client_id') !== hubspotOAuth.clientId)
    return problemPage('Authorization failed because the client ID does not match an app.')
  if (!isLoopback(query.get('redirect_uri')))
    return problemPage("Authorization failed because the redirect URL does not match the app's registered redirect URLs.")
  const scopes = (query.get('scope') ?? '').split(' ').filter(Boolean)
  const unknown = scopes.filter((scope) => !allScopes.includes(scope))
  if (!scopes.includes('oauth') || unknown.length > 0)
    return problemPage(`Authorization failed because there is a scope mismatch: ${unknown.join(', ') || 'oauth is missing'}.`)
  return consent(request, { vendor: 'HubSpot', codes: access.codes, scopes })
}
