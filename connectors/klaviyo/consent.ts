import type { Consent } from '../../src/http/consent.js'

/** Scopes of streams that are not called after them (Klaviyo's OpenAPI description, revision 2026-07-15). */
const others: Readonly<Record<string, readonly string[]>> = {
  list_members: ['lists:read', 'profiles:read'],
  segment_members: ['segments:read', 'profiles:read'],
  campaign_messages: ['campaigns:read'],
  campaign_values: ['campaigns:read'],
  flow_actions: ['flows:read'],
  flow_messages: ['flows:read'],
  flow_values: ['flows:read'],
  flow_series: ['flows:read'],
  form_values: ['forms:read'],
  form_series: ['forms:read'],
  segment_values: ['segments:read'],
  segment_series: ['segments:read'],
  catalog_items: ['catalogs:read'],
  metric_days: ['metrics:read'],
}

/** Klaviyo's consent page (its OAuth guide, read 2026-11-23). Tokens come from the API's host since 2025-03-31, the page stays at www. */
export const consent: Consent = {
  page: () => 'https://www.klaviyo.com/oauth/authorize',
  pkce: true,
  keeps: 'refresh_token',
  loopback: { host: 'localhost', anyPort: false },
  // For the look at the account that `weir check` takes.
  always: ['accounts:read'],
  // A report that a user made (`campaign`, `flow_series`) needs what it is about.
  ofStream: (stream, custom) => (custom ? [`${String(custom.report).replace(/_.*/, '')}s:read`] : (others[stream] ?? [`${stream}:read`])),
  // Import jobs are made by the right to write, and looked at by that to read.
  ofDestination: () => ['lists:read', 'lists:write', 'profiles:read', 'profiles:write'],
  isDue: ({ api_key, refresh_token }) => api_key === undefined && refresh_token === undefined,
}
