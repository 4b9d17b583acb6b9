import nock from 'nock'
import { connector } from '../../../connectors/google-ads/source.js'
import type { ConnectionDefinition } from '../../../src/core/definition.js'
import { connect } from '../vendor.js'

/** Google as tests write it down: bodies from the v26 REST reference and protos, read 2026-11-23. */
export const origin = 'https://googleads.googleapis.com'
export const tokens = 'https://oauth2.googleapis.com'
export const manager = '5555555555'
export const shop = '1234567890'
export const stream = (customer: string) => `/v26/customers/${customer}/googleAds:searchStream`

export const key = { client_id: 'client.apps.googleusercontent.com', client_secret: 'GOCSPX-secret', refresh_token: '1//first' }
export const open = (settings: Record<string, unknown> = {}, more: Partial<ConnectionDefinition> = {}) =>
  connect(connector, { ...key, login_customer_id: manager, ...settings }, more)

/** A refresh gives an access token and no new refresh token. */
export const grants = (access = 'ya29.x') =>
  nock(tokens)
    .post('/token', {
      client_id: key.client_id,
      client_secret: key.client_secret,
      grant_type: 'refresh_token',
      refresh_token: key.refresh_token,
    })
    .reply(200, { access_token: access, expires_in: 3599, scope: 'https://www.googleapis.com/auth/adwords', token_type: 'Bearer' })

export interface Problem {
  family: string
  code: string
  message?: string
  details?: object
}

/** A refusal as the Ads API words it. */
export const refusal = (status: number, name: string, ...problems: Problem[]) => ({
  error: {
    code: status,
    message: 'Request contains an invalid argument.',
    status: name,
    details: [
      {
        '@type': 'type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure',
        errors: problems.map(({ family, code, message = 'Said by Google.', details }) => ({
          errorCode: { [family]: code },
          message,
          ...(details ? { details } : {}),
        })),
        requestId: 'AbCdEf123',
      },
    ],
  },
})
/** A refusal as Google's front words it. */
export const early = (status: number, name: string, reason?: string) => ({
  error: {
    code: status,
    message: 'Request had invalid authentication credentials.',
    status: name,
    ...(reason
      ? {
          details: [
            {
              '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
              reason,
              domain: 'googleapis.com',
              metadata: { service: 'googleads.googleapis.com' },
            },
          ],
        }
      : {}),
  },
})

export const chunk = (...results: object[]) => ({ results, fieldMask: 'campaign.id', requestId: 'x1' })
