import type { Consent } from '../../src/http/consent.js'
import { scope } from './service-account.js'

/** Google's consent page, as its OAuth pages for installed apps say it (read 2026-11-23). */
export const consent: Consent = {
  page: () => 'https://accounts.google.com/o/oauth2/v2/auth',
  // A refresh token comes to offline apps only, and after the first time only where the person is asked anew.
  query: { access_type: 'offline', prompt: 'consent' },
  pkce: true,
  keeps: 'refresh_token',
  // Clients of the type "Desktop app" are led to this machine on any port, unregistered.
  loopback: { host: '127.0.0.1', anyPort: true },
  always: [scope],
  isDue: ({ refresh_token, service_account }) => refresh_token === undefined && service_account === undefined,
}
