import type { Consent } from '../../src/http/consent.js'
import { isShared, salesforceLogin } from './api.js'

/** Salesforce's consent page: the web server flow with PKCE, at the login host or the org's My Domain (read 2026-11-23). */
export const consent: Consent = {
  page: ({ login_url }) => `${String(login_url ?? salesforceLogin).replace(/\/+$/, '')}/services/oauth2/authorize`,
  pkce: true,
  keeps: 'refresh_token',
  // The callback address must be one of the app's, port and all; plain http is taken for localhost.
  loopback: { host: 'localhost', anyPort: false },
  // Streams and audiences need no more: what a person may read and write, profiles say. `full` holds all but the refresh token; `offline_access` is its other name.
  always: [
    ['api', 'full'],
    ['refresh_token', 'offline_access'],
  ],
  isDue: ({ access_token, refresh_token, private_key, login_url }) =>
    access_token === undefined && refresh_token === undefined && private_key === undefined && isShared(login_url),
}
