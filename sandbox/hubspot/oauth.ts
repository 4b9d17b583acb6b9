/** OAuth tokens: every refresh gives a new refresh token and uses the old one up. */
import type { Reply, Request } from '../kit/http.js'
import { type Access, hubspotOAuth, portalId } from './access.js'
import { refusal } from './errors.js'

/** An error carries both shapes that clients expect: the vendor's envelope and the RFC's words. */
export function token(access: Access, request: Request): Reply {
  const form = new URLSearchParams(request.text)
  const known = form.get('client_id') === hubspotOAuth.clientId && form.get('client_secret') === hubspotOAuth.clientSecret
  const given = known && form.get('grant_type') === 'refresh_token' ? access.refresh(form.get('refresh_token')) : undefined
  if (given === undefined)
    return {
      status: 400,
      body: {
        ...(refusal(400, 'BAD_REQUEST', 'missing or invalid refresh token').body as object),
        error: 'invalid_grant',
        error_description: 'The refresh token is missing, invalid or revoked.',
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
      scopes: [],
    },
  }
}
