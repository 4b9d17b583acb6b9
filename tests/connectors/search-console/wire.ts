import nock from 'nock'
import { connector } from '../../../connectors/search-console/source.js'
import { connect } from '../vendor.js'

/** Google as tests write it down: bodies from the Search Console API's reference, read 2026-11-27. */
export const origin = 'https://www.googleapis.com'
export const site = 'sc-domain:example.com'
export const queryPath = (of = site) => `/webmasters/v3/sites/${encodeURIComponent(of)}/searchAnalytics/query`

export const key = { client_id: 'client.apps.googleusercontent.com', client_secret: 'GOCSPX-secret', refresh_token: '1//first' }
export const open = (settings: Record<string, unknown> = key) => connect(connector, settings)

export const grants = () =>
  nock('https://oauth2.googleapis.com').post('/token').reply(200, { access_token: 'ya29.x', expires_in: 3599, token_type: 'Bearer' })

/** A refusal, as Google's older APIs word them. */
export const refusal = (code: number, reason: string, message: string, domain = 'global') => ({
  error: { code, message, errors: [{ message, domain, reason }] },
})
