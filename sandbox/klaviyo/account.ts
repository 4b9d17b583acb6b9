/** The account itself, and OAuth tokens for it. */
import { hash, place } from '../company/dice.js'
import { back, consent, isLoopback, problemPage } from '../kit/consent.js'
import type { Reply, Request } from '../kit/http.js'
import { type Access, allScopes, klaviyoOAuth, type Pair } from './access.js'
import type { Resource } from './collection.js'

export function account(seed: number, origin: string): Resource {
  const id = `Sb${(hash(seed, place('account')) % 9000) + 1000}`
  return {
    type: 'account',
    id,
    attributes: {
      test_account: true,
      contact_information: {
        default_sender_name: 'Shop',
        default_sender_email: 'hello@shop.example',
        website_url: 'https://shop.example',
        organization_name: 'Sandbox Shop',
        street_address: { address1: '1 Example Street', address2: null, city: 'Lyon', region: null, country: 'France', zip: '69001' },
      },
      industry: 'Ecommerce',
      timezone: 'Europe/Paris',
      preferred_currency: 'EUR',
      public_api_key: id,
      locale: 'en-US',
    },
    links: { self: `${origin}/api/accounts/${id}/` },
  }
}

/** RFC-style errors here, not JSON:API ones. Every refresh gives a new refresh token and uses the old one up. */
export function token(access: Access, request: Request): Reply {
  const form = new URLSearchParams(request.text)
  const basic = `Basic ${Buffer.from(`${klaviyoOAuth.clientId}:${klaviyoOAuth.clientSecret}`).toString('base64')}`
  if (request.headers.authorization !== basic) return { status: 401, body: { error: 'invalid_client' } }
  const given = grantOf(access, form)
  if (given === 'unknown') return { status: 400, body: { error: 'invalid_grant_type' } }
  if (given === undefined)
    return { status: 400, body: { error: 'invalid_grant', error_description: 'The code or refresh token is expired or revoked.' } }
  return {
    status: 200,
    body: {
      access_token: given.access,
      refresh_token: given.refresh,
      expires_in: given.seconds,
      token_type: 'bearer',
      scope: given.scopes.join(' '),
    },
  }
}

function grantOf(access: Access, form: URLSearchParams): Pair | 'unknown' | undefined {
  if (form.get('grant_type') === 'refresh_token') return access.refresh(form.get('refresh_token'))
  if (form.get('grant_type') !== 'authorization_code') return 'unknown'
  const given = access.codes.redeem(form.get('code') ?? '', form.get('redirect_uri') ?? '', form.get('code_verifier') ?? '')
  return given && access.pair(new Set(given.scopes))
}

/** The consent page, at www.klaviyo.com: no code without a challenge. */
export function authorize(access: Access, request: Request): Reply {
  const { query } = request
  if (!isLoopback(query.get('redirect_uri'))) return problemPage('Mismatching redirect URI.')
  const scopes = (query.get('scope') ?? '').split(' ').filter(Boolean)
  if (query.get('response_type') !== 'code') return back(request, { error: 'unsupported_response_type' })
  if (!query.has('code_challenge') || query.get('code_challenge_method') !== 'S256')
    return back(request, { error: 'invalid_request', error_description: 'Code challenge required.' })
  if (scopes.length === 0 || !scopes.every((scope) => allScopes.has(scope))) return back(request, { error: 'invalid_scope' })
  return consent(request, { vendor: 'Klaviyo', codes: access.codes, scopes })
}
