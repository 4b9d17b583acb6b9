import type { Consent } from '../../src/http/consent.js'

/** A report needs what it is about; conversions of campaigns and flows are counted by a metric, which is looked up where none is named. */
function ofReport(report: string, metricId?: unknown): string[] {
  const kind = report.replace(/_.*/, '')
  const looksUp = ['campaign', 'flow'].includes(kind) && metricId === undefined
  return [`${kind}s:read`, ...(looksUp ? ['metrics:read'] : [])]
}

/** Scopes of streams that are not called after them (Klaviyo's OpenAPI description, revision 2026-07-15). */
const others: Readonly<Record<string, readonly string[]>> = {
  list_members: ['lists:read', 'profiles:read'],
  segment_members: ['segments:read', 'profiles:read'],
  campaign_messages: ['campaigns:read'],
  campaign_values: ofReport('campaign_values'),
  flow_actions: ['flows:read'],
  flow_messages: ['flows:read'],
  flow_values: ofReport('flow_values'),
  flow_series: ofReport('flow_series'),
  form_values: ofReport('form_values'),
  form_series: ofReport('form_series'),
  segment_values: ofReport('segment_values'),
  segment_series: ofReport('segment_series'),
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
  ofStream: (stream, custom) =>
    custom ? ofReport(String(custom.report), custom.conversion_metric_id) : (others[stream] ?? [`${stream}:read`]),
  // Import jobs are made by the right to write, and looked at by that to read.
  ofDestination: () => ['lists:read', 'lists:write', 'profiles:read', 'profiles:write'],
  isDue: ({ api_key, refresh_token }) => api_key === undefined && refresh_token === undefined,
}
