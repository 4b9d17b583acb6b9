/** The account itself, and OAuth tokens for it. */
import { hash, place } from '../company/dice.js'
import type { Reply, Request } from '../kit/http.js'
import { type Access, klaviyoOAuth } from './access.js'
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
  if (form.get('grant_type') !== 'refresh_token') return { status: 400, body: { error: 'invalid_grant_type' } }
  const given = access.refresh(form.get('refresh_token'))
  if (given === undefined)
    return { status: 400, body: { error: 'invalid_grant', error_description: 'The refresh token is expired or revoked.' } }
  return {
    status: 200,
    body: { access_token: given.access, refresh_token: given.refresh, expires_in: given.seconds, token_type: 'bearer', scope: '' },
  }
}
